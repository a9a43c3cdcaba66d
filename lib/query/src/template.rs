//! Payload templates: Parameters, ResultSelector, ItemSelector, Assign, Arguments, Output. Literal parts stay JSON; a
//! `key.$` is a path or intrinsic call, a `{% … %}` an expression.

use serde_json::Value;

use crate::intrinsic::Call;
use crate::jsonata::Expression;
use crate::path::Path;

/// A compiled template. A part without anything to evaluate is one literal, and costs a copy only.
#[derive(Clone, Debug)]
pub enum Template {
    /// JSON as it stands.
    Literal(Value),
    /// A field `….$` of the JSONPath language.
    Source {
        /// The field's name as written, for messages.
        field: String,
        /// What it holds.
        source: Source,
    },
    /// A text `{% … %}` of the JSONata language.
    Expression {
        /// The place of the text within the state, for messages.
        field: String,
        /// What stands between the marks.
        expression: Expression,
    },
    /// An object with something to evaluate inside.
    Object(Vec<(String, Template)>),
    /// An array with something to evaluate inside.
    Array(Vec<Template>),
}

/// What a `key.$` may hold.
#[derive(Clone, Debug)]
pub enum Source {
    /// `$.a`, `$$.a`, `$a`.
    Path(Path),
    /// `States.Format(…)` and its like.
    Call(Call),
}

/// A part of a template that only its surroundings can answer.
#[derive(Clone, Copy, Debug)]
pub enum Question<'t> {
    /// A path or an intrinsic call.
    Source(&'t Source),
    /// A JSONata expression.
    Expression(&'t Expression),
}

/// A field of a template that cannot be compiled.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// JSON pointer from the template to the object that has the field.
    pub at: String,
    /// What is wrong, in AWS's words.
    pub message: String,
}

impl Source {
    /// Reads a path or a call; `None` where the text is neither.
    pub fn parse(text: &str) -> Option<Self> {
        if text.starts_with('$') {
            return Path::parse(text).ok().map(Source::Path);
        }
        Call::parse(text).ok().map(Source::Call)
    }
}

impl Template {
    fn is_literal(&self) -> bool {
        matches!(self, Template::Literal(_))
    }

    /// Compiles a JSONPath template.
    pub fn jsonpath(value: &Value, faults: &mut Vec<Fault>) -> Self {
        path_template(value, "", faults)
    }

    /// Compiles a JSONata template that stands in `field`.
    pub fn jsonata(value: &Value, field: &str, faults: &mut Vec<Fault>) -> Self {
        jsonata_template(value, field, "", faults)
    }

    /// Fills the template; `answer` is asked for every open part, with its field.
    pub fn fill<E>(
        &self,
        answer: &mut dyn FnMut(&str, Question<'_>) -> Result<Value, E>,
    ) -> Result<Value, E> {
        match self {
            Template::Literal(value) => Ok(value.clone()),
            Template::Source { field, source } => answer(field, Question::Source(source)),
            Template::Expression { field, expression } => answer(field, Question::Expression(expression)),
            Template::Array(items) => items.iter().map(|item| item.fill(answer)).collect(),
            Template::Object(pairs) => {
                pairs.iter().map(|(key, part)| Ok((key.clone(), part.fill(answer)?))).collect()
            }
        }
    }
}

fn path_template(value: &Value, at: &str, faults: &mut Vec<Fault>) -> Template {
    match value {
        Value::Object(fields) => {
            let plain = |key: &String| {
                key.strip_suffix(".$").filter(|name| fields.contains_key(*name)).map(str::to_owned)
            };
            for name in fields.keys().filter_map(plain) {
                faults.push(Fault { at: at.to_owned(), message: format!("Duplicate field: {name}") });
            }
            let pairs = fields.iter().map(|(key, value)| match (key.strip_suffix(".$"), value) {
                (Some(name), _) => (name.to_owned(), source(key, value, at, faults)),
                (None, value) => (key.clone(), path_template(value, &format!("{at}/{key}"), faults)),
            });
            object(pairs.collect(), value)
        }
        Value::Array(items) => {
            let items =
                items.iter().enumerate().map(|(n, item)| path_template(item, &format!("{at}[{n}]"), faults));
            array(items.collect(), value)
        }
        other => Template::Literal(other.clone()),
    }
}

fn source(key: &str, value: &Value, at: &str, faults: &mut Vec<Fault>) -> Template {
    if let Some(source) = value.as_str().and_then(Source::parse) {
        return Template::Source { field: key.to_owned(), source };
    }
    let message = format!(
        "The value for the field '{key}' must be a valid JSONPath or a valid intrinsic function call"
    );
    faults.push(Fault { at: at.to_owned(), message });
    Template::Literal(Value::Null)
}

fn jsonata_template(value: &Value, field: &str, at: &str, faults: &mut Vec<Fault>) -> Template {
    match value {
        Value::Object(fields) => {
            let pairs = fields.iter().map(|(key, value)| {
                let inner =
                    jsonata_template(value, &format!("{field}/{key}"), &format!("{at}/{key}"), faults);
                (key.clone(), inner)
            });
            object(pairs.collect(), value)
        }
        Value::Array(items) => {
            let inner =
                |(n, item)| jsonata_template(item, &format!("{field}[{n}]"), &format!("{at}[{n}]"), faults);
            array(items.iter().enumerate().map(inner).collect(), value)
        }
        Value::String(text) => match crate::jsonata::enclosed(text) {
            None => Template::Literal(value.clone()),
            Some(inner) => expression(inner, field, at, faults),
        },
        other => Template::Literal(other.clone()),
    }
}

fn expression(text: &str, field: &str, at: &str, faults: &mut Vec<Fault>) -> Template {
    match Expression::compile(text) {
        Ok(expression) => Template::Expression { field: field.to_owned(), expression },
        Err(why) => {
            faults.push(Fault { at: at.to_owned(), message: format!("Invalid JSONata expression: {why}") });
            Template::Literal(Value::Null)
        }
    }
}

fn object(pairs: Vec<(String, Template)>, value: &Value) -> Template {
    let renamed = value.as_object().is_some_and(|fields| fields.keys().any(|key| key.ends_with(".$")));
    let literal = !renamed && pairs.iter().all(|(_, part)| part.is_literal());
    if literal || pairs.is_empty() { Template::Literal(value.clone()) } else { Template::Object(pairs) }
}

fn array(items: Vec<Template>, value: &Value) -> Template {
    if items.iter().all(Template::is_literal) {
        Template::Literal(value.clone())
    } else {
        Template::Array(items)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Fills with the text of each question; the faults as `at: message`.
    fn check(
        compile: fn(&Value, &mut Vec<Fault>) -> Template,
        template: &Value,
        want: &Value,
        wrong: &[&str],
    ) {
        let mut faults = Vec::new();
        let compiled = compile(template, &mut faults);
        let filled: Result<Value, ()> = compiled.fill(&mut |field, question| {
            let text = match question {
                Question::Source(Source::Path(path)) => path.text(),
                Question::Source(Source::Call(call)) => call.text(),
                Question::Expression(expression) => expression.text(),
            };
            Ok(json!(format!("{field} = {text}")))
        });
        let said: Vec<String> =
            faults.iter().map(|fault| format!("{}: {}", fault.at, fault.message)).collect();
        assert_eq!(
            (filled, said),
            (Ok(want.clone()), wrong.iter().map(|&text| text.to_owned()).collect()),
            "{template}"
        );
    }

    #[test]
    fn fields_with_a_dollar_are_asked_for() {
        let rows = [
            (json!({"a": [1, {"b": null}]}), json!({"a": [1, {"b": null}]})),
            (json!({"a.$": "$.x", "b": "$.x"}), json!({"a": "a.$ = $.x", "b": "$.x"})),
            (json!([{"a.$": "States.UUID()"}, 2]), json!([{"a": "a.$ = States.UUID()"}, 2])),
            (json!({"a": {"b.$": "$$.Execution.Id"}}), json!({"a": {"b": "b.$ = $$.Execution.Id"}})),
        ];
        for (template, want) in rows {
            check(Template::jsonpath, &template, &want, &[]);
        }
    }

    #[test]
    fn texts_between_marks_are_asked_for() {
        let jsonata =
            |template: &Value, faults: &mut Vec<Fault>| Template::jsonata(template, "Output", faults);
        let rows = [
            (json!({"a.$": "$.x"}), json!({"a.$": "$.x"})),
            (json!("{% $x %}"), json!("Output = $x")),
            (json!({"a": [0, "{%1%}"]}), json!({"a": [0, "Output/a[1] = 1"]})),
            (json!("so {% $x %}"), json!("so {% $x %}")),
        ];
        for (template, want) in rows {
            check(jsonata, &template, &want, &[]);
        }
    }

    #[test]
    fn faults_say_where_and_what() {
        let message =
            "The value for the field 'b.$' must be a valid JSONPath or a valid intrinsic function call";
        let at = format!("/a[0]: {message}");
        check(Template::jsonpath, &json!({"a": [{"b.$": 1}]}), &json!({"a": [{"b": null}]}), &[&at]);
        let twice = json!({"a.$": "$", "a": 1});
        check(Template::jsonpath, &twice, &json!({"a": 1}), &[": Duplicate field: a"]);
    }
}
