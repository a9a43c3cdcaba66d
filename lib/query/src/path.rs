//! JSONPath with Jayway's behaviour: a definite path (`$.a[0]`) answers one value or fails with Jayway's message, an
//! indefinite one (`$.a[*]`, `$..b`, `$.a[?(@.x == 1)]`) answers a list, empty where nothing matches.

mod filter;
mod parse;
mod select;

use std::fmt;

use serde_json::{Map, Value};

pub use parse::Invalid;

/// What a path starts from.
#[derive(Clone, Debug, PartialEq)]
pub enum Root {
    /// `$`: the state's input.
    Input,
    /// `$$`: the context object.
    Context,
    /// `$name`: a variable.
    Variable(String),
}

/// A parsed path; `Display` gives back its source.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    root: Root,
    steps: Vec<Step>,
    definite: bool,
    text: String,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    Field(String),
    Fields(Vec<String>),
    Index(i64),
    Indexes(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    Wildcard,
    Descend(Box<Step>),
    Filter(filter::Filter),
}

/// Jayway's sentence for a definite path that leads nowhere.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct NoResults(pub String);

impl Path {
    /// Parses `text`; never panics, whatever the bytes.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        parse::path(text)
    }

    /// What the path starts from.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The source text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the path can be written to: fields and indexes from the input only.
    pub fn is_reference(&self) -> bool {
        let plain = |step: &Step| matches!(step, Step::Field(_) | Step::Index(0..));
        self.root == Root::Input && self.steps.iter().all(plain)
    }

    /// Puts `value` where the reference path points, making the objects on the way, as ResultPath does.
    pub fn write(&self, target: &mut Value, value: Value) -> Result<(), NoResults> {
        let mut place = target;
        for step in &self.steps {
            place = child(place, step).ok_or_else(|| NoResults(self.text.clone()))?;
        }
        *place = value;
        Ok(())
    }
}

fn child<'v>(place: &'v mut Value, step: &Step) -> Option<&'v mut Value> {
    match step {
        Step::Field(name) => {
            if place.is_null() {
                *place = Value::Object(Map::new());
            }
            Some(place.as_object_mut()?.entry(name.clone()).or_insert(Value::Null))
        }
        Step::Index(at) => place.as_array_mut()?.get_mut(usize::try_from(*at).ok()?),
        _ => None,
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn result_paths_write_through_missing_objects() {
        let rows = [
            ("$.a", json!({"x": 1}), json!({"x": 1, "a": 9})),
            ("$.a.b", json!({}), json!({"a": {"b": 9}})),
            ("$['a b'].c", json!({}), json!({"a b": {"c": 9}})),
            ("$.l[1]", json!({"l": [0, 1]}), json!({"l": [0, 9]})),
        ];
        for (path, mut input, want) in rows {
            Path::parse(path).unwrap().write(&mut input, json!(9)).unwrap();
            assert_eq!(input, want, "{path}");
        }
    }

    #[test]
    fn result_paths_do_not_write_through_scalars() {
        for (path, mut input) in
            [("$.a.b", json!({"a": 1})), ("$.a", json!(3)), ("$.l[2]", json!({"l": [1]}))]
        {
            assert!(Path::parse(path).unwrap().write(&mut input, json!(9)).is_err(), "{path}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,60}") {
            if let Ok(path) = Path::parse(&text) {
                let _ = path.select(&json!({"a": [1, {"b": null}]}));
            }
        }

        #[test]
        fn path_like_text_never_panics(text in r#"\$[\$.\[\]*?()@:,'"ab0-9=<>&|!~ -]{0,40}"#) {
            if let Ok(path) = Path::parse(&text) {
                let _ = path.select(&json!({"a": [1, {"b": null, "0": [[]]}], "b": "x"}));
            }
        }
    }
}
