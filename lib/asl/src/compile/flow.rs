//! What states have in common: type, transition, input and output, Retry and Catch.

use doxa_query::template::Template;
use serde_json::{Map, Value};

use super::Compiler;
use super::graph::Scope;
use crate::diagnostic::{Code, Diagnostic};
use crate::machine::{Catcher, Io, Language, Retrier, State, StateId};

type Fields = Map<String, Value>;

/// What most states may have, by language.
const COMMON: &[&str] = &["Type", "Comment", "QueryLanguage"];
const FLOW: &[&str] = &["Next", "End", "Assign"];
const JSONPATH_IO: &[&str] = &["InputPath", "OutputPath"];

impl Compiler {
    pub(super) fn state(&mut self, at: &str, name: &str, value: &Value, scope: &Scope<'_>) {
        let Some(fields) = value.as_object() else {
            self.schema(at, "Expected value of type Object");
            return;
        };
        if !self.require(at, fields, &["Type"]) {
            return;
        }
        let language = self.language(at, fields, scope.language);
        if scope.language == Language::Jsonata && language == Language::JsonPath {
            self.schema(
                at,
                "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine",
            );
        }
        let kind = fields.get("Type").and_then(Value::as_str).unwrap_or_default();
        let Some(own) = own_fields(kind, language) else {
            let message = "Value is not one of [Task, Pass, Choice, Wait, Succeed, Fail, Parallel, Map]";
            self.schema(&format!("{at}/Type"), message);
            return;
        };
        let foreign = self.foreign(at, kind, fields, language);
        let foreign: Vec<&str> = foreign.iter().map(String::as_str).collect();
        let io: &[&str] = if language == Language::JsonPath && kind != "Fail" { JSONPATH_IO } else { &[] };
        let flow: &[&str] = if ["Succeed", "Fail", "Choice"].contains(&kind) { &[] } else { FLOW };
        self.allow(at, fields, &[COMMON, io, flow, own, &foreign]);
        let next = if flow.is_empty() { None } else { self.next(at, fields, scope) };
        let Some(compiled) = self.kind(at, kind, fields, language, scope) else { return };
        let state = State {
            name: name.into(),
            language,
            kind: compiled,
            next,
            io: self.io(at, fields, language),
            assign: self.assign(at, fields, language),
            retry: self.retriers(at, fields),
            catch: self.catchers(at, fields, language, scope),
        };
        if let Some(slot) = scope.names.get(name).and_then(|id| self.states.get_mut(*id as usize)) {
            *slot = Some(state);
        }
    }

    /// Reports the fields that only the other language has, and answers them.
    fn foreign(&mut self, at: &str, kind: &str, fields: &Fields, language: Language) -> Vec<String> {
        let (here, there, other) = match language {
            Language::JsonPath => ("JSONPath", "JSONata", Language::Jsonata),
            Language::Jsonata => ("JSONata", "JSONPath", Language::JsonPath),
        };
        let own = own_fields(kind, language).unwrap_or_default();
        let theirs = own_fields(kind, other).unwrap_or_default();
        let io: &[&str] = if other == Language::JsonPath && kind != "Fail" { JSONPATH_IO } else { &[] };
        let is_foreign = |key: &&String| {
            (theirs.contains(&key.as_str()) || io.contains(&key.as_str())) && !own.contains(&key.as_str())
        };
        let found: Vec<String> = fields.keys().filter(is_foreign).cloned().collect();
        for key in &found {
            let message = format!(
                "The QueryLanguage is set to '{here}', but field '{key}' is only supported for the '{there}' QueryLanguage"
            );
            self.schema(at, message);
        }
        found
    }

    fn next(&mut self, at: &str, fields: &Fields, scope: &Scope<'_>) -> Option<StateId> {
        let end = fields.get("End").and_then(Value::as_bool).unwrap_or(false);
        match (self.string(at, fields, "Next"), end) {
            (Some(_), true) => self.schema(at, "Only one of these fields is allowed: [Next, End]"),
            (Some(next), false) => return self.target(at, "Next", next, scope),
            (None, true) => {}
            (None, false) => self.schema(at, "One of these fields is required: [Next, End]"),
        }
        None
    }

    fn io(&mut self, at: &str, fields: &Fields, language: Language) -> Io {
        if language == Language::Jsonata {
            return Io {
                parameters: self.template(at, fields, "Arguments", language),
                output: self.template(at, fields, "Output", language),
                ..Io::default()
            };
        }
        Io {
            input_path: self.whole_path(at, fields, "InputPath"),
            parameters: self.template(at, fields, "Parameters", language),
            selector: self.template(at, fields, "ResultSelector", language),
            result_path: self.result_path(at, fields),
            output_path: self.whole_path(at, fields, "OutputPath"),
            output: None,
        }
    }

    /// Assign, whose names must be variable names.
    pub(super) fn assign(&mut self, at: &str, fields: &Fields, language: Language) -> Option<Template> {
        for key in self.object(at, fields, "Assign")?.keys() {
            let name = key.strip_suffix(".$").filter(|_| language == Language::JsonPath).unwrap_or(key);
            let letters = name.chars().all(|c| c.is_alphanumeric() || c == '_');
            let starts = name.chars().next().is_some_and(|c| !c.is_numeric());
            if !letters || !starts || name.chars().count() > 80 || name == "states" {
                self.schema(&format!("{at}/Assign/{key}"), format!("'{name}' is not a valid variable name"));
            }
        }
        self.template(at, fields, "Assign", language)
    }

    fn errors(&mut self, at: &str, fields: &Fields) -> Vec<String> {
        if !self.require(at, fields, &["ErrorEquals"]) {
            return Vec::new();
        }
        let items = self.array(at, fields, "ErrorEquals");
        let names: Vec<String> = items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect();
        if names.is_empty() || names.len() != items.len() {
            self.schema(&format!("{at}/ErrorEquals"), "Expected a list of error names");
        }
        names
    }

    /// `States.ALL` must stand alone, in the last retrier or catcher.
    fn all_is_last(&mut self, at: &str, errors: &[String], last: bool) {
        if errors.iter().any(|name| name == "States.ALL") && (errors.len() > 1 || !last) {
            self.schema(
                &format!("{at}/ErrorEquals"),
                "'States.ALL' must appear alone and at the end of the list",
            );
        }
    }

    fn retriers(&mut self, at: &str, fields: &Fields) -> Vec<Retrier> {
        let items = self.array(at, fields, "Retry");
        let each = items
            .iter()
            .enumerate()
            .map(|(n, item)| (format!("{at}/Retry[{n}]"), item, n + 1 == items.len()));
        each.filter_map(|(at, item, last)| self.retrier(&at, item.as_object()?, last)).collect()
    }

    fn retrier(&mut self, at: &str, fields: &Fields, last: bool) -> Option<Retrier> {
        let allowed = [
            "ErrorEquals",
            "IntervalSeconds",
            "MaxAttempts",
            "BackoffRate",
            "MaxDelaySeconds",
            "JitterStrategy",
            "Comment",
        ];
        self.allow(at, fields, &[&allowed]);
        let errors = self.errors(at, fields);
        self.all_is_last(at, &errors, last);
        let jitter = self.string(at, fields, "JitterStrategy");
        if jitter.is_some_and(|jitter| !["FULL", "NONE"].contains(&jitter)) {
            self.schema(&format!("{at}/JitterStrategy"), "Value is not one of [FULL, NONE]");
        }
        Some(Retrier {
            errors,
            interval_secs: self.whole(at, fields, "IntervalSeconds", 1, 99_999_999).unwrap_or(1) as f64,
            max_attempts: self.whole(at, fields, "MaxAttempts", 0, 99_999_999).unwrap_or(3),
            backoff: self.number(at, fields, "BackoffRate", 1.0).unwrap_or(2.0),
            max_delay_secs: self.whole(at, fields, "MaxDelaySeconds", 1, 31_622_400).map(|secs| secs as f64),
            jitter: jitter == Some("FULL"),
        })
    }

    fn catchers(&mut self, at: &str, fields: &Fields, language: Language, scope: &Scope<'_>) -> Vec<Catcher> {
        let items = self.array(at, fields, "Catch");
        let each = items
            .iter()
            .enumerate()
            .map(|(n, item)| (format!("{at}/Catch[{n}]"), item, n + 1 == items.len()));
        let each: Vec<_> = each.collect();
        each.into_iter()
            .filter_map(|(at, item, last)| self.catcher(&at, item.as_object()?, language, scope, last))
            .collect()
    }

    fn catcher(
        &mut self,
        at: &str,
        fields: &Fields,
        language: Language,
        scope: &Scope<'_>,
        last: bool,
    ) -> Option<Catcher> {
        let own: &[&str] = if language == Language::Jsonata { &["Output"] } else { &["ResultPath"] };
        self.allow(at, fields, &[&["ErrorEquals", "Next", "Assign", "Comment"], own]);
        let errors = self.errors(at, fields);
        self.all_is_last(at, &errors, last);
        if !self.require(at, fields, &["Next"]) {
            return None;
        }
        let next = self.string(at, fields, "Next")?;
        Some(Catcher {
            errors,
            next: self.target(at, "Next", next, scope)?,
            result_path: self.result_path(at, fields),
            assign: self.assign(at, fields, language),
            output: if language == Language::Jsonata {
                self.template(at, fields, "Output", language)
            } else {
                None
            },
        })
    }

    pub(super) fn warn(&mut self, code: Code, at: &str, message: &str) {
        self.found.push(Diagnostic::warning(code, at, message));
    }
}

/// The fields that only this type of state has; `None` for a type that does not exist.
fn own_fields(kind: &str, language: Language) -> Option<&'static [&'static str]> {
    Some(match (kind, language) {
        ("Pass", Language::JsonPath) => &["Result", "ResultPath", "Parameters"],
        ("Pass" | "Succeed", Language::Jsonata) => &["Output"],
        ("Succeed", Language::JsonPath) => &[],
        ("Fail", Language::JsonPath) => &["Error", "ErrorPath", "Cause", "CausePath"],
        ("Fail", Language::Jsonata) => &["Error", "Cause"],
        ("Choice", Language::JsonPath) => &["Choices", "Default", "Assign"],
        ("Choice", Language::Jsonata) => &["Choices", "Default", "Assign", "Output"],
        ("Wait", Language::JsonPath) => &["Seconds", "SecondsPath", "Timestamp", "TimestampPath"],
        ("Wait", Language::Jsonata) => &["Seconds", "Timestamp", "Output"],
        ("Task", Language::JsonPath) => &[
            "Resource",
            "Parameters",
            "ResultSelector",
            "ResultPath",
            "Retry",
            "Catch",
            "TimeoutSeconds",
            "TimeoutSecondsPath",
            "HeartbeatSeconds",
            "HeartbeatSecondsPath",
            "Credentials",
        ],
        ("Task", Language::Jsonata) => &[
            "Resource",
            "Arguments",
            "Output",
            "Retry",
            "Catch",
            "TimeoutSeconds",
            "HeartbeatSeconds",
            "Credentials",
        ],
        ("Parallel", Language::JsonPath) => {
            &["Branches", "Parameters", "ResultSelector", "ResultPath", "Retry", "Catch"]
        }
        ("Parallel", Language::Jsonata) => &["Branches", "Arguments", "Output", "Retry", "Catch"],
        ("Map", Language::JsonPath) => &[
            "Iterator",
            "ItemProcessor",
            "ItemsPath",
            "ItemSelector",
            "Parameters",
            "ResultSelector",
            "ResultPath",
            "Retry",
            "Catch",
            "MaxConcurrency",
            "MaxConcurrencyPath",
            "Label",
            "ItemReader",
            "ItemBatcher",
            "ResultWriter",
            "ToleratedFailureCount",
            "ToleratedFailureCountPath",
            "ToleratedFailurePercentage",
            "ToleratedFailurePercentagePath",
        ],
        ("Map", Language::Jsonata) => &[
            "ItemProcessor",
            "Items",
            "ItemSelector",
            "Output",
            "Retry",
            "Catch",
            "MaxConcurrency",
            "Label",
            "ItemReader",
            "ItemBatcher",
            "ResultWriter",
            "ToleratedFailureCount",
            "ToleratedFailurePercentage",
        ],
        _ => return None,
    })
}
