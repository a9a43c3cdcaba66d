//! The Wait state.

use std::sync::Arc;

use doxa_query::template::Template;
use doxa_query::timestamp;
use doxa_query::value::as_whole;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::exit::{Produced, assigned};
use super::{Done, Turn};
use crate::execution::Phase;
use crate::fault::Fault;
use crate::machine::{Language, Until};
use crate::scope::{Given, Scope};

impl Turn<'_> {
    pub(super) fn wait(&mut self, id: u32, until: &Until) -> Done {
        let at = instant(&self.scope(id), until)?;
        if at <= self.now {
            return self.wait_over(id);
        }
        let timer = self.set_timer_at(at);
        self.execution.waiting.insert(timer, id);
        self.frame_mut(id).phase = Phase::Wait { timer };
        Ok(())
    }

    pub(super) fn wait_over(&mut self, id: u32) -> Done {
        let scope = self.scope(id);
        let (state, raw) = (scope.state, scope.frame.input.clone());
        let input = scope.whole(&state.io.input_path, &raw)?;
        let given = Given::input(if state.language == Language::Jsonata { &raw } else { &input });
        let assigned = assigned(&scope, state.assign.as_ref(), given)?;
        let output = match &state.io.output {
            Some(template) => Arc::new(scope.fill(template, given)?),
            None => {
                let whole = scope.whole(&state.io.output_path, &input)?;
                if std::ptr::eq(&*whole, &*raw) { raw.clone() } else { Arc::new(whole.into_owned()) }
            }
        };
        self.exit(id, Produced { output, assigned }, state.next)
    }
}

fn instant(scope: &Scope<'_>, until: &Until) -> Done<Timestamp> {
    let raw = &scope.frame.input;
    match until {
        Until::Seconds(secs) => Ok(after(scope.now, i64::try_from(*secs).unwrap_or(i64::MAX))),
        Until::Timestamp(at) => Ok(*at),
        Until::SecondsPath(path) => {
            let input = scope.whole(&scope.state.io.input_path, raw)?;
            let value = scope.select(path, &input).map_err(|_| {
                Fault::runtime(format!("The SecondsPath parameter does not reference an input value: {path}"))
            })?;
            let wrong =
                |why| Fault::runtime(format!("The SecondsPath parameter {why}: {path} == {}", shown(&value)));
            let secs = value.as_i64().ok_or_else(|| wrong("cannot be parsed as a long value"))?;
            if secs < 0 { Err(wrong("references a negative value")) } else { Ok(after(scope.now, secs)) }
        }
        Until::TimestampPath(path) => {
            let input = scope.whole(&scope.state.io.input_path, raw)?;
            let value = scope.select(path, &input).map_err(|_| {
                Fault::runtime(format!(
                    "The TimestampPath parameter does not reference an input value: {path}"
                ))
            })?;
            value.as_str().and_then(timestamp::parse).ok_or_else(|| {
                let why = "does not reference a valid ISO-8601 extended offset date-time format string";
                Fault::runtime(format!("The TimestampPath parameter {why}: {path} == {}", shown(&value)))
            })
        }
        Until::SecondsExpression(template) => {
            let value = scope.fill(template, Given::input(raw))?;
            let secs = as_whole(&value).ok_or_else(|| wrong_type(template, "number", &value))?;
            match secs {
                0..=99_999_999 => Ok(after(scope.now, secs)),
                _ => Err(late(
                    "Seconds",
                    format!("The Seconds field must be between 0 and 99999999, but was: {secs}"),
                )),
            }
        }
        Until::TimestampExpression(template) => {
            let value = scope.fill(template, Given::input(raw))?;
            let text = value.as_str().ok_or_else(|| wrong_type(template, "string", &value))?;
            timestamp::parse(text).ok_or_else(|| {
                let why = "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string";
                late("Timestamp", format!("{why}: {text}"))
            })
        }
    }
}

fn after(now: Timestamp, secs: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(secs)).unwrap_or(Timestamp::MAX)
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn wrong_type(template: &Template, expected: &str, value: &Value) -> Fault {
    match template {
        Template::Expression { field, expression } => {
            Fault::wrong_type(expression.text(), field, expected, value)
        }
        _ => Fault::runtime(format!("expected a {expected}, but was: {value}")),
    }
}

/// A wrong value, seen after the evaluation itself went well: AWS links its event to the state's entry.
fn late(field: &str, cause: String) -> Fault {
    let evaluation = crate::fault::Evaluation { location: Some(field.to_owned()), after_entry: true };
    Fault { evaluation: Some(evaluation), ..Fault::error(crate::fault::QUERY, cause) }
}
