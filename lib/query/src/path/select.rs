//! Evaluation of paths, and Jayway's sentences for those that lead nowhere.

use std::borrow::Cow;

use serde_json::Value;

use super::{NoResults, Path, Step};

/// Most values that a path may hold at once.
const MATCH_LIMIT: usize = 200_000;

impl Path {
    /// The value at this path of `root`; an indefinite path answers the list of its matches.
    pub fn select<'v>(&self, root: &'v Value) -> Result<Cow<'v, Value>, NoResults> {
        if self.definite {
            return self.definite(root).map(Cow::Borrowed);
        }
        let found = matches(&self.steps, root, root);
        Ok(Cow::Owned(Value::Array(found.into_iter().cloned().collect())))
    }

    fn definite<'v>(&self, root: &'v Value) -> Result<&'v Value, NoResults> {
        let mut here = root;
        for (depth, step) in self.steps.iter().enumerate() {
            here = follow(here, step).ok_or_else(|| self.nowhere(here, depth))?;
        }
        Ok(here)
    }

    /// Jayway speaks of the missing leaf as "no results", of a missing node on the way as a "missing property".
    fn nowhere(&self, here: &Value, depth: usize) -> NoResults {
        let walked = bracketed(&self.steps[..=depth]);
        let leaf = depth + 1 == self.steps.len();
        NoResults(match (&self.steps[depth], here) {
            (Step::Field(_), Value::Object(_)) if leaf => format!("No results for path: {walked}"),
            (Step::Field(_), Value::Object(_)) => format!("Missing property in path {walked}"),
            (Step::Field(name), other) => {
                let (before, found) = (bracketed(&self.steps[..depth]), java_class(other));
                format!(
                    "Expected to find an object with property ['{name}'] in path {before} but found '{found}'. \
                     This is not a json object according to the JsonProvider: \
                     'com.jayway.jsonpath.spi.json.JacksonJsonNodeJsonProvider'."
                )
            }
            (Step::Index(at), Value::Array(_)) if !leaf => {
                format!("Index out of bounds when evaluating path {walked} at {at}")
            }
            (_, Value::Array(_)) => format!("No results for path: {walked}"),
            (_, other) => {
                let token = bracketed(&self.steps[depth..=depth]);
                format!("Filter: {} can only be applied to arrays. Current context is: {other}", &token[1..])
            }
        })
    }
}

fn follow<'v>(here: &'v Value, step: &Step) -> Option<&'v Value> {
    match step {
        Step::Field(name) => here.as_object()?.get(name),
        Step::Index(at) => item(here.as_array()?, *at),
        _ => None,
    }
}

fn item(items: &[Value], at: i64) -> Option<&Value> {
    let at = if at < 0 { at.checked_add(i64::try_from(items.len()).ok()?)? } else { at };
    items.get(usize::try_from(at).ok()?)
}

/// All values that `steps` reach from `root`, in document order.
pub(super) fn matches<'v>(steps: &[Step], root: &'v Value, document: &'v Value) -> Vec<&'v Value> {
    let mut found = vec![root];
    for step in steps {
        let mut next = Vec::new();
        for here in found {
            expand(here, step, document, &mut next);
            if next.len() > MATCH_LIMIT {
                // A payload of 256 KiB holds fewer values: only `$..*..*` reaches this, and its memory must stay bounded.
                next.truncate(MATCH_LIMIT);
                break;
            }
        }
        found = next;
    }
    found
}

fn expand<'v>(here: &'v Value, step: &Step, document: &'v Value, out: &mut Vec<&'v Value>) {
    match step {
        Step::Field(_) | Step::Index(_) => out.extend(follow(here, step)),
        Step::Fields(names) => out.extend(names.iter().filter_map(|name| here.as_object()?.get(name))),
        Step::Indexes(all) => out.extend(all.iter().filter_map(|at| item(here.as_array()?, *at))),
        Step::Slice(from, to) => {
            out.extend(here.as_array().map_or(&[][..], |items| slice(items, *from, *to)));
        }
        Step::Wildcard => out.extend(children(here)),
        Step::Descend(inner) => descend(here, inner, document, out),
        Step::Filter(filter) => {
            // Jayway tests an object itself, an array item by item.
            let candidates = if here.is_array() { children(here) } else { vec![here] };
            out.extend(candidates.into_iter().filter(|item| filter.accepts(item, document)));
        }
    }
}

fn descend<'v>(here: &'v Value, inner: &Step, document: &'v Value, out: &mut Vec<&'v Value>) {
    expand(here, inner, document, out);
    for child in children(here) {
        descend(child, inner, document, out);
    }
}

fn children(here: &Value) -> Vec<&Value> {
    match here {
        Value::Array(items) => items.iter().collect(),
        Value::Object(fields) => fields.values().collect(),
        _ => Vec::new(),
    }
}

fn slice(items: &[Value], from: Option<i64>, to: Option<i64>) -> &[Value] {
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let place = |at: i64| if at < 0 { len.saturating_add(at) } else { at }.clamp(0, len) as usize;
    let (from, to) = (place(from.unwrap_or(0)), place(to.unwrap_or(len)));
    items.get(from..to).unwrap_or(&[])
}

fn bracketed(steps: &[Step]) -> String {
    let mut text = "$".to_owned();
    for step in steps {
        match step {
            Step::Field(name) => text.push_str(&format!("['{name}']")),
            Step::Index(at) => text.push_str(&format!("[{at}]")),
            _ => text.push_str("[*]"),
        }
    }
    text
}

fn java_class(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "com.fasterxml.jackson.databind.node.BooleanNode",
        Value::Number(_) => "com.fasterxml.jackson.databind.node.IntNode",
        Value::String(_) => "com.fasterxml.jackson.databind.node.TextNode",
        Value::Array(_) => "com.fasterxml.jackson.databind.node.ArrayNode",
        Value::Object(_) => "com.fasterxml.jackson.databind.node.ObjectNode",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(path: &str, want: &Result<Value, &str>) {
        let input = json!({
            "a": {"b": [10, 20, 30], "c-d": "x", "e f": null},
            "l": [{"n": 1, "t": "p"}, {"n": 2, "t": "q"}, {"t": "r"}],
        });
        let got = Path::parse(path).unwrap().select(&input).map(Cow::into_owned);
        assert_eq!(
            got.as_ref().map_err(|error| error.0.as_str()),
            want.as_ref().map_err(|text| *text),
            "{path}"
        );
    }

    #[test]
    fn definite_paths_answer_one_value() {
        check("$.a.b[1]", &Ok(json!(20)));
        check("$.a.b[-1]", &Ok(json!(30)));
        check("$.a.b[(@.length-2)]", &Ok(json!(20)));
        check("$.a.c-d", &Ok(json!("x")));
        check("$['a']['e f']", &Ok(json!(null)));
        check("$.x", &Err("No results for path: $['x']"));
        check("$.x.y", &Err("Missing property in path $['x']"));
        check("$.a.b[7]", &Err("No results for path: $['a']['b'][7]"));
    }

    #[test]
    fn indefinite_paths_answer_lists() {
        check("$.a.b[*]", &Ok(json!([10, 20, 30])));
        check("$.a.b[1:]", &Ok(json!([20, 30])));
        check("$.a.b[:-1]", &Ok(json!([10, 20])));
        check("$.a.b[0,2]", &Ok(json!([10, 30])));
        check("$..n", &Ok(json!([1, 2])));
        check("$.l[*].t", &Ok(json!(["p", "q", "r"])));
        check("$.l[?(@.n == 2)].t", &Ok(json!(["q"])));
        check("$.l[?(@.n>1 || @.t=='r')].t", &Ok(json!(["q", "r"])));
        check("$.l[?(!@.n)].t", &Ok(json!(["r"])));
        check("$.l[?(@.t in ['p','r'])].t", &Ok(json!(["p", "r"])));
        check("$.nowhere[*].x", &Ok(json!([])));
    }
}
