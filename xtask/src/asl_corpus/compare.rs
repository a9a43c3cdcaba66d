//! Comparison with a recording: wildcards, parsed payloads, total and partial orders.

use doxa_asl::{Details, HistoryEvent};
use serde_json::{Map, Value, json};

use super::Levels;

pub(super) fn compare_history(case: &Value, types: &[Value], history: &[HistoryEvent], levels: &mut Levels) {
    let total = case["event_order"] == "total";
    let scrubbed = if case["event_order"] == "multiset" { scrub(history.to_vec()) } else { history.to_vec() };
    let history = scrubbed.as_slice();
    let mut got: Vec<&str> = history.iter().map(|event| event.kind.name()).collect();
    let mut want: Vec<&str> = types.iter().filter_map(Value::as_str).collect();
    if !total {
        got.sort_unstable();
        want.sort_unstable();
    }
    levels.l2 = Some(got == want);
    if got != want && levels.why.is_empty() {
        levels.why = format!("events got {got:?} want {want:?}");
    }
    let events: Vec<Value> = history.iter().map(|event| normal(event, total)).collect();
    let wanted: Vec<Value> =
        case["expect"]["events"].as_array().into_iter().flatten().map(|event| strip(event, total)).collect();
    let difference = if total { first_difference(&wanted, &events) } else { unmatched(&wanted, &events) };
    levels.l3 = Some(difference.is_none());
    if let Some(difference) = difference
        && levels.why.is_empty()
    {
        levels.why = difference;
    }
}

/// Does to a history what the recorder of the `multiset` cases did when it sorted what runs inside a Parallel: its loop
/// put the sorted events in the place of everything up to the Parallel's end, and so lost ParallelStateSucceeded and the
/// ends of inner Parallels.
fn scrub(mut events: Vec<HistoryEvent>) -> Vec<HistoryEvent> {
    let (mut start, mut inner, mut inside, mut at) = (0, Vec::new(), false, 0);
    while at < events.len() {
        match events[at].kind.name() {
            "ParallelStateSucceeded"
            | "ParallelStateAborted"
            | "ParallelStateExited"
            | "ParallelStateFailed" => {
                events.splice(start..at.max(start), inner.iter().cloned());
                inside = false;
            }
            "ParallelStateStarted" => {
                inside = true;
                inner.clear();
                start = at + 1;
            }
            _ if inside => inner.push(events[at].clone()),
            _ => {}
        }
        at += 1;
    }
    events
}

fn first_difference(want: &[Value], got: &[Value]) -> Option<String> {
    let differing = want.iter().zip(got).find(|(want, got)| !matches(want, got));
    match differing {
        Some((want, got)) => Some(format!("event got {got} want {want}")),
        None if want.len() != got.len() => Some(format!("{} events, want {}", got.len(), want.len())),
        None => None,
    }
}

/// Multiset comparison, for histories whose branches ran side by side.
fn unmatched(want: &[Value], got: &[Value]) -> Option<String> {
    let mut left: Vec<&Value> = got.iter().collect();
    for event in want {
        let Some(at) = left.iter().position(|got| matches(event, got)) else {
            return Some(format!("no event like {event}"));
        };
        left.swap_remove(at);
    }
    left.first().map(|event| format!("unexpected event {event}"))
}

/// An event in the corpus's form: payloads parsed, `…Details` dropped.
fn normal(event: &HistoryEvent, ids: bool) -> Value {
    let mut fields = Map::new();
    if let Value::Object(details) = event.details.to_json() {
        for (key, value) in details {
            let value = match (key.as_str(), value) {
                ("inputDetails" | "outputDetails" | "assignedVariablesDetails", _) => continue,
                ("input" | "output" | "parameters", value) => payload(&value),
                ("assignedVariables", Value::Object(all)) => all
                    .iter()
                    .map(|(name, value)| (name.clone(), payload(value)))
                    .collect::<Map<_, _>>()
                    .into(),
                (_, value) => value,
            };
            fields.insert(key, value);
        }
    }
    let mut out = json!({"id": event.id, "prev": event.previous, "type": event.kind.name()});
    if event.details != Details::None && !fields.is_empty() {
        out["details"] = Value::Object(fields);
    }
    strip(&out, ids)
}

/// Drops what the harness chose itself; an absent `details` is an empty one.
fn strip(event: &Value, ids: bool) -> Value {
    let mut event = event.clone();
    if let Some(fields) = event.as_object_mut() {
        if !ids {
            fields.remove("id");
            fields.remove("prev");
        }
        let details = fields.entry("details").or_insert_with(|| json!({}));
        if let Some(details) = details.as_object_mut() {
            details.remove("roleArn");
        }
    }
    event
}

fn payload(text: &Value) -> Value {
    text.as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_else(|| text.clone())
}

/// Whether `got` is what a recording wants.
pub(super) fn matches(want: &Value, got: &Value) -> bool {
    const ANY: &str = "<<ANY>>";
    match (want, got) {
        (Value::String(want), _) if want == ANY => true,
        // The corpus wrote the JSON texts in task errors anew, without spaces.
        (Value::String(a), Value::String(b)) if a != b && a.starts_with('{') && b.starts_with('{') => {
            let texts = serde_json::from_str::<Value>(a).ok().zip(serde_json::from_str::<Value>(b).ok());
            texts.map_or_else(|| glob(a, b, ANY), |(want, got)| matches(&want, &got))
        }
        (Value::String(want), Value::String(got)) if want.contains(ANY) => glob(want, got, ANY),
        (Value::Object(want), Value::Object(got)) => {
            let field = |(key, value): (&String, &Value)| {
                key.contains(ANY) || got.get(key).is_some_and(|got| matches(value, got))
            };
            want.len() == got.len() && want.iter().all(field)
        }
        (Value::Array(want), Value::Array(got)) => {
            want.len() == got.len() && want.iter().zip(got).all(|(a, b)| matches(a, b))
        }
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => want == got,
    }
}

fn glob(pattern: &str, text: &str, any: &str) -> bool {
    let mut parts = pattern.split(any);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
