//! When a state fails: Retry, Catch, and the way up through Maps and Parallels to the execution.

use std::sync::Arc;

use doxa_query::template::Template;
use serde_json::{Value, json};

use super::exit::{assigned, merge};
use super::{Done, Turn};
use crate::event::Command;
use crate::execution::{Phase, Status};
use crate::fault::{Fault, RUNTIME, TIMEOUT};
use crate::history::{Details, EventType};
use crate::machine::{Catcher, Kind, Language, Retrier, Text};
use crate::scope::{Given, Scope};

/// Whether the fault is the state's own, or comes from a state within it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Own,
    Inner,
}

impl Turn<'_> {
    pub(super) fn fail_state(&mut self, id: u32, error: &Text, cause: &Text) -> Done {
        let scope = self.scope(id);
        let input = &scope.frame.input;
        let fault = Fault::named(text(&scope, "Error", error, input)?, text(&scope, "Cause", cause, input)?);
        self.propagate(id, fault);
        Ok(())
    }

    /// Retries, catches, or hands the fault up.
    pub(super) fn fail(&mut self, id: u32, fault: Fault, origin: Origin) {
        let fault = self.worded(id, fault);
        self.abort_children(id);
        let own_runtime = origin == Origin::Own && fault.is_fatal();
        if !fault.is_fatal() && self.retry(id, &fault) {
            return;
        }
        if !own_runtime {
            match self.state_of(id).kind {
                Kind::Map(_) => self.append(id, EventType::MapStateFailed, Details::None),
                Kind::Parallel { .. } => self.append(id, EventType::ParallelStateFailed, Details::None),
                _ => {}
            }
        }
        let state = self.state_of(id);
        let catcher = state.catch.iter().find(|catcher| matches(&catcher.errors, &fault));
        match catcher.filter(|_| !fault.is_fatal()) {
            None => self.propagate(id, fault),
            Some(catcher) => {
                if let Err(fault) = self.catch(id, catcher, &fault) {
                    let fault = self.worded(id, fault);
                    self.propagate(id, fault);
                }
            }
        }
    }

    /// Puts the state's name before the cause, and writes EvaluationFailed.
    fn worded(&mut self, id: u32, mut fault: Fault) -> Fault {
        let (state, frame) = (self.state_of(id), self.frame(id));
        if std::mem::take(&mut fault.prefixed) {
            let cause = fault.cause.take().unwrap_or_default();
            fault.cause = Some(format!(
                "An error occurred while executing the state '{}' (entered at the event id #{}). {cause}",
                state.name, frame.entered
            ));
        }
        if let Some(evaluation) = fault.evaluation.take() {
            let at_entry = frame.previous == frame.entered && !evaluation.after_entry;
            let previous = if at_entry { frame.before } else { frame.previous };
            let details = Details::Evaluation {
                error: fault.error.clone().unwrap_or_default(),
                cause: fault.cause.clone().unwrap_or_default(),
                location: evaluation.location,
                state: state.name.clone(),
            };
            let event = self.append_after(previous, EventType::EvaluationFailed, details);
            self.frame_mut(id).previous = event;
        }
        fault
    }

    fn retry(&mut self, id: u32, fault: &Fault) -> bool {
        let state = self.state_of(id);
        let found = state.retry.iter().position(|retrier| matches(&retrier.errors, fault));
        let Some((at, retrier)) = found.and_then(|at| Some((at, state.retry.get(at)?))) else { return false };
        let draw = self.scope(id).chance().unit(u64::MAX);
        let frame = self.frame_mut(id);
        frame.attempts.resize(state.retry.len(), 0);
        let used = frame.attempts[at];
        if used >= retrier.max_attempts {
            return false;
        }
        frame.attempts[at] += 1;
        let timer = self.set_timer(delay_secs(retrier, used, draw));
        self.execution.waiting.insert(timer, id);
        self.frame_mut(id).phase = Phase::Backoff { timer };
        true
    }

    fn catch(&mut self, id: u32, catcher: &Catcher, fault: &Fault) -> Done {
        let error = json!({"Error": fault.error, "Cause": fault.cause});
        let scope = self.scope(id);
        let (state, raw) = (scope.state, scope.frame.input.clone());
        let jsonata = state.language == Language::Jsonata;
        let given = if jsonata {
            Given { input: &raw, result: None, error: Some(&error) }
        } else {
            Given::input(&error)
        };
        let assigned = assigned(&scope, catcher.assign.as_ref(), given)?;
        let output = match &catcher.output {
            Some(template) => Arc::new(scope.fill(template, given)?),
            None => merge(&catcher.result_path, &raw, Arc::new(error.clone()))?,
        };
        self.frame_mut(id).phase = Phase::Run;
        self.exit(id, super::exit::Produced { output, assigned }, Some(catcher.next))?;
        self.execution.ready.push_back(id);
        Ok(())
    }

    fn propagate(&mut self, id: u32, fault: Fault) {
        let frame = self.frame(id);
        let (parent, index, previous) = (frame.parent, frame.index, frame.previous);
        let Some(parent) = parent else { return self.fail_execution(previous, fault) };
        let outer = self.state_of(parent);
        if matches!(outer.kind, Kind::Map(_)) {
            let details = Details::Iteration { name: outer.name.clone(), index };
            self.append_after(previous, EventType::MapIterationFailed, details);
        } else if matches!(self.state_of(id).kind, Kind::Task(_)) {
            self.append_after(previous, EventType::TaskStateAborted, Details::None);
        }
        self.close(id);
        self.abort_children(parent);
        self.frame_mut(parent).previous = previous;
        self.frame_mut(parent).phase = Phase::Run;
        self.fail(parent, fault, Origin::Inner);
    }

    /// Ends the execution; the outermost frame stays, for a redrive starts from it.
    pub(super) fn fail_execution(&mut self, previous: u64, fault: Fault) {
        let Fault { error, cause, .. } = fault;
        let (error, cause) = (error.map(|text| cut(text, 256)), cause.map(|text| cut(text, 32_768)));
        self.abort_all();
        let details = Details::Failure { error: error.clone(), cause: cause.clone() };
        self.append_after(previous, EventType::ExecutionFailed, details);
        self.complete(Status::Failed { error, cause });
    }

    /// Drops everything that is under way below the outermost frame.
    pub(super) fn abort_all(&mut self) {
        let inner: Vec<u32> = self.execution.frames.keys().copied().filter(|id| *id != 0).collect();
        for id in inner.into_iter().chain([0]) {
            self.cancel(id);
        }
        self.execution.frames.retain(|id, _| *id == 0);
        self.execution.waiting.clear();
    }

    /// Aborts the frames of a Parallel or Map whose one frame failed, and says so in the history.
    fn abort_children(&mut self, parent: u32) {
        let is_map = matches!(self.state_of(parent).kind, Kind::Map(_));
        let name = self.state_of(parent).name.clone();
        let frames = self.execution.frames.iter();
        let children: Vec<u32> =
            frames.filter(|(_, frame)| frame.parent == Some(parent)).map(|(id, _)| *id).collect();
        for id in children {
            self.abort_children(id);
            let (previous, index) = (self.frame(id).previous, self.frame(id).index);
            if let Some(kind) = aborted(&self.state_of(id).kind) {
                self.append_after(previous, kind, Details::None);
            }
            if is_map {
                let details = Details::Iteration { name: name.clone(), index };
                self.append_after(previous, EventType::MapIterationAborted, details);
            }
            self.close(id);
        }
    }

    /// Takes a frame away with everything it waits for.
    pub(super) fn close(&mut self, id: u32) {
        self.cancel(id);
        self.execution.frames.remove(&id);
        self.execution.ready.retain(|other| *other != id);
    }

    fn cancel(&mut self, id: u32) {
        let Some(frame) = self.execution.frames.get(&id) else { return };
        match frame.phase.clone() {
            Phase::Wait { timer } | Phase::Backoff { timer } => self.cancel_timer(timer),
            Phase::Task(pending) => {
                if self.execution.waiting.contains_key(&pending.task) {
                    self.commands.push(Command::CancelTask { task: pending.task });
                }
                self.forget(&pending);
            }
            Phase::Distributed(run) => {
                if let Some(task) = run.awaited.filter(|task| self.execution.waiting.remove(task).is_some()) {
                    self.commands.push(Command::CancelTask { task });
                }
                for child in run.running.into_keys() {
                    self.execution.waiting.remove(&child);
                    self.commands.push(Command::StopChild { child });
                }
            }
            Phase::Enter | Phase::Run | Phase::Join(_) => {}
        }
    }

    pub(super) fn cancel_timer(&mut self, timer: u64) {
        if self.execution.waiting.remove(&timer).is_some() {
            self.commands.push(Command::CancelTimer { timer });
        }
    }
}

fn text(scope: &Scope<'_>, name: &str, text: &Text, input: &Value) -> Done<Option<String>> {
    match text {
        Text::Absent => Ok(None),
        Text::Literal(text) => Ok(Some(text.clone())),
        Text::Source(source) => {
            let field = format!("{name}Path");
            let value = scope.source(&field, source, input)?;
            match value {
                Value::String(text) => Ok(Some(text)),
                _ => {
                    Err(Fault::runtime(format!("The {field} field must refer to a string, but was: {value}")))
                }
            }
        }
        Text::Expression(template) => match (scope.fill(template, Given::input(input))?, template) {
            (Value::String(text), _) => Ok(Some(text)),
            (value, Template::Expression { field, expression }) => {
                Err(Fault::wrong_type(expression.text(), field, "string", &value))
            }
            (value, _) => Ok(Some(value.to_string())),
        },
    }
}

/// Whether one of `names` means the fault's error.
pub(crate) fn matches(names: &[String], fault: &Fault) -> bool {
    let error = fault.error.as_deref().unwrap_or_default();
    // AWS's documents say that States.ALL does not see DataLimitExceeded; its recordings say that it does.
    let terminal = error == RUNTIME;
    names.iter().any(|name| match name.as_str() {
        "States.ALL" => !terminal,
        "States.TaskFailed" => !terminal && error != TIMEOUT,
        name => name == error,
    })
}

/// The wait before attempt `used + 1`: exponential, capped, and with full jitter anything from 0 to that.
pub(crate) fn delay_secs(retrier: &Retrier, used: u64, draw: f64) -> f64 {
    let exponent = i32::try_from(used).unwrap_or(i32::MAX);
    let delay = retrier.interval_secs * retrier.backoff.powi(exponent);
    let capped = delay.min(retrier.max_delay_secs.unwrap_or(31_622_400.0));
    if retrier.jitter { capped * draw } else { capped }
}

fn cut(mut text: String, most: usize) -> String {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

fn aborted(kind: &Kind) -> Option<EventType> {
    match kind {
        Kind::Task(_) => Some(EventType::TaskStateAborted),
        Kind::Wait(_) => Some(EventType::WaitStateAborted),
        Kind::Map(_) => Some(EventType::MapStateAborted),
        Kind::Parallel { .. } => Some(EventType::ParallelStateAborted),
        Kind::Pass { .. } | Kind::Choice { .. } | Kind::Succeed | Kind::Fail { .. } => None,
    }
}
