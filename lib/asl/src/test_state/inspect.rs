//! `inspectionData`: the payload after each stage of a state's input and output processing.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::handlers;
use crate::execution::Frame;
use crate::fault::Fault;
use crate::machine::{Amount, Items, Kind, Language, State};
use crate::scope::{Given, Number, Scope};
use crate::step::{Turn, delay_secs, merge};

type Data = Map<String, Value>;

fn put(data: &mut Data, key: &str, value: &Value) {
    data.insert(key.to_owned(), json!(value.to_string()));
}

/// What is known before the state works.
pub(super) fn before(turn: &Turn<'_>, frame: u32) -> Data {
    let scope = turn.scope(frame);
    let (state, raw) = (scope.state, &scope.frame.input);
    let mut data = Data::new();
    put(&mut data, "input", raw);
    match (&state.kind, state.language) {
        (Kind::Pass { result: Some(result) }, Language::JsonPath) => {
            put(&mut data, "result", result);
            after_result(state, scope.frame, result, &mut data);
        }
        (Kind::Pass { result: None }, Language::JsonPath) => {
            if let Some(effective) = input_stages(&scope, &mut data) {
                after_result(state, scope.frame, &effective, &mut data);
            }
        }
        (Kind::Task(_), Language::JsonPath) => drop(input_stages(&scope, &mut data)),
        (Kind::Task(_), Language::Jsonata) => {
            if let Some(template) = &state.io.parameters
                && let Ok(arguments) = scope.fill(template, Given::input(raw))
            {
                put(&mut data, "afterArguments", &arguments);
            }
        }
        (Kind::Map(_), _) => map_stages(&scope, &mut data),
        (Kind::Parallel { .. } | Kind::Pass { .. }, _) | (_, Language::Jsonata) => {}
        (Kind::Choice { .. } | Kind::Wait(_) | Kind::Succeed | Kind::Fail { .. }, Language::JsonPath) => {
            if let Ok(input) = scope.whole(&state.io.input_path, raw) {
                put(&mut data, "afterInputPath", &input);
            }
        }
    }
    data
}

fn input_stages(scope: &Scope<'_>, data: &mut Data) -> Option<Arc<Value>> {
    let raw = &scope.frame.input;
    put(data, "afterInputPath", &*scope.whole(&scope.state.io.input_path, raw).ok()?);
    let effective = crate::step::effective(scope, raw).ok()?;
    put(data, "afterParameters", &effective);
    Some(effective)
}

fn map_stages(scope: &Scope<'_>, data: &mut Data) {
    let (state, raw) = (scope.state, &scope.frame.input);
    let Kind::Map(map) = &state.kind else { return };
    if state.language == Language::JsonPath
        && let Ok(input) = scope.whole(&state.io.input_path, raw)
    {
        put(data, "afterInputPath", &input);
        if let (Items::Path(_), Ok(items)) = (&map.items, crate::step::items(scope, map, &input)) {
            put(data, "afterItemsPath", &Value::Array(items));
        }
    }
    let mut number = |key: &str, name: &str, amount: Option<&Amount>, kind| {
        let number = amount.and_then(|amount| scope.amount(name, amount, raw, kind).ok());
        if let Some(number) = number {
            let value = if kind == Number::Integer { json!(number as i64) } else { json!(number) };
            data.insert(key.to_owned(), value);
        }
    };
    let none = Some(&Amount::Fixed(0.0));
    number("maxConcurrency", "MaxConcurrency", map.max_concurrency.as_ref().or(none), Number::Integer);
    if let Some(distributed) = &map.distributed {
        let (count, percentage) = (&distributed.tolerated_count, &distributed.tolerated_percentage);
        number("toleratedFailureCount", "ToleratedFailureCount", count.as_ref(), Number::Integer);
        number(
            "toleratedFailurePercentage",
            "ToleratedFailurePercentage",
            percentage.as_ref(),
            Number::Float,
        );
    }
}

/// What a mocked result goes through.
pub(super) fn result(turn: &Turn<'_>, frame: u32, result: &Value, data: &mut Data) {
    let scope = turn.scope(frame);
    let state = scope.state;
    if matches!(state.kind, Kind::Task(_)) {
        put(data, "result", result);
    }
    if state.language == Language::Jsonata {
        return;
    }
    let selected = match &state.io.selector {
        None => Some(Arc::new(result.clone())),
        Some(template) => scope.fill(template, Given::input(result)).ok().map(Arc::new),
    };
    if let Some(selected) = selected {
        after_result(state, scope.frame, &selected, data);
    }
}

fn after_result(state: &State, frame: &Frame, selected: &Arc<Value>, data: &mut Data) {
    put(data, "afterResultSelector", selected);
    if let Ok(merged) = merge(&state.io.result_path, &frame.input, selected.clone()) {
        put(data, "afterResultPath", &merged);
    }
}

/// Which retrier or catcher the fault found.
pub(super) fn error_details(state: &State, fault: &Fault, status: &str, retries: u64, data: &mut Data) {
    let mut details = Data::new();
    match handlers(state, fault) {
        (Some(at), _) if status != "CAUGHT_ERROR" => {
            details.insert("retryIndex".into(), json!(at));
            if status == "RETRIABLE" {
                let delay = delay_secs(&state.retry[at], retries, 1.0);
                details.insert("retryBackoffIntervalSeconds".into(), json!(delay as u64));
            }
        }
        (_, Some(at)) if status == "CAUGHT_ERROR" => drop(details.insert("catchIndex".into(), json!(at))),
        _ => {}
    }
    if !details.is_empty() {
        data.insert("errorDetails".into(), Value::Object(details));
    }
}
