//! The mock of a request: whether it may be there, and what it answers.

use serde_json::Value;

use super::{Error, shape, text};
use crate::fault::Fault;
use crate::machine::{Kind, State};
use crate::resource::Family;
use crate::scope::Number;
use crate::step::Turn;

/// What the state's work comes to.
pub(super) enum Mock {
    Result(Value),
    Failure { error: Option<String>, cause: Option<String> },
}

impl Mock {
    /// Reads and checks the mock against the state.
    pub(super) fn read(request: &Value, state: &State) -> Result<Option<Self>, Error> {
        let Some(mock) = request.get("mock") else { return absent(request, state).map(|()| None) };
        if mock.get("result").is_some() && mock.get("errorOutput").is_some() {
            return Err(Error::validation(
                "A test mock should have only one of the following fields: [result, errorOutput].",
            ));
        }
        if request.get("revealSecrets") == Some(&Value::Bool(true)) {
            return Err(Error::validation(
                "TestState does not support RevealSecrets when a mock is specified.",
            ));
        }
        if !matches!(state.kind, Kind::Task(_) | Kind::Map(_) | Kind::Parallel { .. }) {
            let kind = kind_name(&state.kind);
            return Err(Error::validation(format!(
                "State type '{kind}' is not supported when a mock is specified"
            )));
        }
        if let Some(failure) = mock.get("errorOutput") {
            let part = |key| text(failure, key).map(str::to_owned);
            return Ok(Some(Mock::Failure { error: part("error"), cause: part("cause") }));
        }
        let result = text(mock, "result").unwrap_or_default();
        let result = serde_json::from_str(result)
            .map_err(|_| Error::validation("Mocked result must be valid JSON"))?;
        check(&result, state)?;
        if text(mock, "fieldValidationMode") != Some("NONE") {
            let strict = text(mock, "fieldValidationMode").is_none_or(|mode| mode == "STRICT");
            fields(&result, state, strict)?;
        }
        Ok(Some(Mock::Result(result)))
    }

    /// The result or fault that the state's work comes to, tolerated failures of a Map considered.
    pub(super) fn outcome(self, request: &Value, turn: &mut Turn<'_>, frame: u32) -> Result<Value, Fault> {
        let failed = request.pointer("/stateConfiguration/mapIterationFailureCount").and_then(Value::as_u64);
        match self {
            Mock::Failure { error, cause } => Err(Fault::named(error, cause)),
            Mock::Result(_) if failed.is_some_and(|failed| exceeded(turn, frame, failed)) => {
                Err(Fault::named(
                    Some("States.ExceedToleratedFailureThreshold".to_owned()),
                    Some("The specified tolerated failure threshold was exceeded".to_owned()),
                ))
            }
            Mock::Result(result) => Ok(result),
        }
    }
}

/// A Map that says nothing of tolerance is not judged by it.
fn exceeded(turn: &Turn<'_>, frame: u32, failed: u64) -> bool {
    let scope = turn.scope(frame);
    let Kind::Map(map) = &scope.state.kind else { return false };
    let Some(distributed) = &map.distributed else { return false };
    let raw = &scope.frame.input;
    let number =
        |name, amount: Option<&_>, kind| amount.and_then(|amount| scope.amount(name, amount, raw, kind).ok());
    let count = number("ToleratedFailureCount", distributed.tolerated_count.as_ref(), Number::Integer);
    let percentage =
        number("ToleratedFailurePercentage", distributed.tolerated_percentage.as_ref(), Number::Float);
    let items = crate::step::items(&scope, map, raw).map_or(1, |items| items.len().max(1));
    let share = failed as f64 * 100.0 / items as f64;
    count.is_some_and(|count| failed as f64 > count) || percentage.is_some_and(|most| share > most)
}

fn absent(request: &Value, state: &State) -> Result<(), Error> {
    match state.kind {
        Kind::Map(_) | Kind::Parallel { .. } => Err(Error {
            code: "InvalidDefinition",
            message: "TestState API does not support Map or Parallel states. Supported state types include: \
                      [Task, Wait, Pass, Succeed, Fail, Choice]"
                .to_owned(),
        }),
        Kind::Task(_) if text(request, "roleArn").is_none() => {
            Err(Error::validation("RoleArn must be specified when testing a Task state"))
        }
        Kind::Task(_) => Err(Error::validation("A Task state is tested with a mock: no task is called here")),
        Kind::Pass { .. } | Kind::Choice { .. } | Kind::Wait(_) | Kind::Succeed | Kind::Fail { .. } => Ok(()),
    }
}

fn check(result: &Value, state: &State) -> Result<(), Error> {
    match &state.kind {
        Kind::Map(map)
            if map.distributed.as_ref().is_some_and(|distributed| distributed.writer.is_some()) =>
        {
            if result.is_object() {
                Ok(())
            } else {
                Err(Error::validation("Mocked result must be a JSON object."))
            }
        }
        Kind::Map(_) if !result.is_array() => Err(Error::validation("Mocked result must be an array.")),
        Kind::Parallel { branches } => match result.as_array() {
            None => Err(Error::validation("Mocked result must be an array.")),
            Some(items) if items.len() != branches.len() => Err(Error::validation(
                "Mocked result must contain the same number of items as number of Parallel branches.",
            )),
            Some(_) => Ok(()),
        },
        _ => Ok(()),
    }
}

fn fields(result: &Value, state: &State, strict: bool) -> Result<(), Error> {
    let Kind::Task(task) = &state.kind else { return Ok(()) };
    let Family::Service { kind, action } = &task.resource.family else { return Ok(()) };
    shape::check(kind, action, result, strict)
        .map_err(|why| Error::validation(format!("Mock result schema validation error: {why}")))
}

fn kind_name(kind: &Kind) -> &'static str {
    match kind {
        Kind::Pass { .. } => "Pass",
        Kind::Task(_) => "Task",
        Kind::Choice { .. } => "Choice",
        Kind::Wait(_) => "Wait",
        Kind::Succeed => "Succeed",
        Kind::Fail { .. } => "Fail",
        Kind::Parallel { .. } => "Parallel",
        Kind::Map(_) => "Map",
    }
}
