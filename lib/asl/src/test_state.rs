//! TestState: one state, one call, the world replaced by a mock.

mod context;
mod inspect;
mod mock;
mod shape;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::event::Command;
use crate::execution::{Execution, Identity, Phase, Status};
use crate::fault::Fault;
use crate::history::Details;
use crate::machine::{Flavour, Kind, Machine, StateId};
use crate::step::{Turn, matches};
use mock::Mock;

/// The name AWS gives to a state that is tested alone.
const ALONE: &str = "StateName";

/// The request is refused; `code` is AWS's exception.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct Error {
    /// `ValidationException` or `InvalidDefinition`.
    pub code: &'static str,
    /// AWS's sentence.
    pub message: String,
}

impl Error {
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self { code: "ValidationException", message: message.into() }
    }

    fn definition(message: impl Into<String>) -> Self {
        Self { code: "InvalidDefinition", message: message.into() }
    }
}

/// How much of the state's inner life is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Info,
    Debug,
}

/// Answers a TestState request in the API's form. `identity` is what the context object tells where the request does not
/// bring its own context.
pub fn test_state(request: &Value, identity: &Identity, now: Timestamp) -> Result<Value, Error> {
    let (machine, id) = machine(request)?;
    let state = machine.state(id);
    let mock = Mock::read(request, state)?;
    let input = text(request, "input").unwrap_or("{}");
    let input: Value =
        serde_json::from_str(input).map_err(|_| Error::validation("Invalid input: not valid JSON"))?;
    let mut execution = Execution::new(identity.clone(), input, now);
    execution.express = true;
    execution.context = context::read(request, state, mock.is_some())?;
    let variables = read_variables(request)?;
    let mut turn = Turn::new(&machine, &mut execution, now);
    let frame = turn.open_at(id, variables.clone());
    turn.name_alone(frame);
    let retries =
        request.pointer("/stateConfiguration/retrierRetryCount").and_then(Value::as_u64).unwrap_or(0);
    let mut data = inspect::before(&turn, frame);
    let result = mock.map(|mock| mock.outcome(request, &mut turn, frame));
    if let Some(Ok(result)) = &result {
        inspect::result(&turn, frame, result, &mut data);
    }
    let failure = turn.tested(frame, result, retries);
    let level = if text(request, "inspectionLevel").is_none_or(|level| level == "INFO") {
        Level::Info
    } else {
        Level::Debug
    };
    if !variables.is_empty() {
        data.insert("variables".into(), json!(Value::Object(variables).to_string()));
    }
    Ok(answer(&turn, frame, id, failure.as_ref(), data, level, retries))
}

fn text<'v>(request: &'v Value, key: &str) -> Option<&'v str> {
    request.get(key).and_then(Value::as_str)
}

fn read_variables(request: &Value) -> Result<Map<String, Value>, Error> {
    let Some(text) = text(request, "variables") else { return Ok(Map::new()) };
    serde_json::from_str(text).map_err(|_| Error::validation("Invalid variables: not a JSON object"))
}

/// The machine around the state, and the state: the one named, or the definition itself under a name of its own.
fn machine(request: &Value) -> Result<(Machine, StateId), Error> {
    let text_of = text(request, "definition").unwrap_or_default();
    let definition: Value = serde_json::from_str(text_of)
        .map_err(|_| Error::definition("Invalid State Machine Definition: not valid JSON"))?;
    let named = text(request, "stateName");
    let whole = if definition.get("States").is_some() { definition } else { alone(definition) };
    let machine = Machine::from_value(&whole, Flavour::Standard)
        .map_err(|refused| Error::definition(refused.to_string()))?;
    let name = named.unwrap_or(ALONE);
    let found = machine.states.iter().position(|state| &*state.name == name);
    let id = found.ok_or_else(|| Error::validation("State not found in definition"))?;
    Ok((machine, id as StateId))
}

/// A machine with the one state, and stand-ins for the states that it leads to.
fn alone(state: Value) -> Value {
    let mut states = Map::new();
    let lists = ["Choices", "Catch"].iter().filter_map(|list| state.get(*list)?.as_array()).flatten();
    let targets =
        lists.filter_map(|item| item.get("Next")).chain(state.get("Next")).chain(state.get("Default"));
    for target in targets.filter_map(Value::as_str) {
        states.insert(target.to_owned(), json!({"Type": "Succeed"}));
    }
    states.insert(ALONE.to_owned(), state);
    json!({"StartAt": ALONE, "States": states})
}

impl<'t> Turn<'t> {
    fn open_at(&mut self, state: StateId, variables: Map<String, Value>) -> u32 {
        let input = self.execution.input.clone();
        let frame = self.open(None, 0, state, input, 0);
        self.frame_mut(frame).variables = variables;
        self.frame_mut(frame).phase = Phase::Run;
        frame
    }

    /// In the context object AWS calls every tested state `StateName`.
    fn name_alone(&mut self, frame: u32) {
        if self.execution.context.is_none() {
            let mut context = self.scope(frame).context().clone();
            context["State"]["Name"] = json!(ALONE);
            self.execution.context = Some(context);
        }
    }

    /// Runs the state with the mock for its work; answers the fault, if it came to one.
    fn tested(&mut self, frame: u32, result: Option<Result<Value, Fault>>, retries: u64) -> Option<Fault> {
        let used = self.state_of(frame).retry.len();
        self.frame_mut(frame).attempts = vec![retries; used];
        let done = match result {
            Some(result) => self.mocked(frame, result.map(Arc::new)),
            None => self.work(frame),
        };
        let fault = done.as_ref().err().cloned();
        self.settle(frame, done);
        fault
    }
}

fn answer(
    turn: &Turn<'_>,
    frame: u32,
    id: StateId,
    fault: Option<&Fault>,
    mut data: Map<String, Value>,
    level: Level,
    retries: u64,
) -> Value {
    let state = turn.machine.state(id);
    let left = turn.commands.iter().find_map(|command| match command {
        Command::Append(event) => match &event.details {
            Details::Exited { output, .. } => Some(output.clone()),
            _ => None,
        },
        _ => None,
    });
    let waits = matches!(state.kind, Kind::Wait(_)) && left.is_none();
    let left = if waits { Some(turn.frame(frame).input.clone()) } else { left };
    let frame = turn.execution.frames.get(&frame);
    let moved = frame.filter(|frame| frame.phase == Phase::Enter).map(|frame| frame.state);
    let backoff = frame.is_some_and(|frame| matches!(frame.phase, Phase::Backoff { .. }));
    let (status, error, cause) = match (&turn.execution.status, fault, &left) {
        (Status::Failed { error, cause }, _, _) => ("FAILED", error.clone(), cause.clone()),
        (_, Some(fault), _) if backoff => ("RETRIABLE", fault.error.clone(), fault.cause.clone()),
        (_, Some(fault), Some(_)) => ("CAUGHT_ERROR", fault.error.clone(), fault.cause.clone()),
        _ => ("SUCCEEDED", None, None),
    };
    if let Some(fault) = fault {
        inspect::error_details(state, fault, status, retries, &mut data);
    }
    let next = moved.map(|next| turn.machine.state(next).name.to_string());
    let mut answer = json!({"status": status});
    let output = left.filter(|_| status != "FAILED").map(|output| output.to_string());
    for (key, value) in [("output", output), ("error", error), ("cause", cause), ("nextState", next)] {
        if let Some(value) = value {
            answer[key] = json!(value);
        }
    }
    if level == Level::Debug {
        answer["inspectionData"] = Value::Object(data);
    }
    answer
}

/// The retrier and the catcher that a fault finds, by place.
fn handlers(state: &crate::machine::State, fault: &Fault) -> (Option<usize>, Option<usize>) {
    let retrier = state.retry.iter().position(|retrier| matches(&retrier.errors, fault));
    let catcher = state.catch.iter().position(|catcher| matches(&catcher.errors, fault));
    (retrier, catcher)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(request: &Value) -> Value {
        test_state(request, &Identity::default(), Timestamp::UNIX_EPOCH)
            .unwrap_or_else(|error| json!({"code": error.code, "message": error.message}))
    }

    #[test]
    fn states_are_tested_one_by_one() {
        let pass = json!({"Type": "Pass", "Parameters": {"a.$": "$.x"}, "Next": "B"}).to_string();
        let task = json!({
            "Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "End": true,
            "Retry": [{"ErrorEquals": ["E"], "IntervalSeconds": 2, "MaxAttempts": 2}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C"}],
        })
        .to_string();
        let failed = |error: &str| json!({"definition": task, "mock": {"errorOutput": {"error": error, "cause": "c"}}});
        let rows = [
            (
                json!({"definition": pass, "input": "{\"x\": 1}"}),
                json!({"status": "SUCCEEDED", "output": "{\"a\":1}", "nextState": "B"}),
            ),
            (
                json!({"definition": task, "mock": {"result": "{\"Payload\": 1}"}}),
                json!({"status": "SUCCEEDED", "output": "{\"Payload\":1}"}),
            ),
            (failed("E"), json!({"status": "RETRIABLE", "error": "E", "cause": "c"})),
            (
                failed("F"),
                json!({"status": "CAUGHT_ERROR", "error": "F", "cause": "c", "nextState": "C",
                       "output": "{\"Error\":\"F\",\"Cause\":\"c\"}"}),
            ),
            (
                json!({"definition": task, "mock": {"result": "{\"StatusCode\": \"x\"}"}}),
                json!({"code": "ValidationException",
                       "message": "Mock result schema validation error: Field 'StatusCode' must be a number"}),
            ),
            (
                json!({"definition": task}),
                json!({"code": "ValidationException", "message": "RoleArn must be specified when testing a Task state"}),
            ),
        ];
        for (request, want) in rows {
            assert_eq!(run(&request), want, "{request}");
        }
    }
}
