//! The Task state: scheduling, the events of its life, timeouts and heartbeats.

use std::sync::Arc;

use serde_json::Value;

use super::exit::{effective, produce};
use super::failure::Origin;
use super::{Done, Turn};
use crate::event::{Command, Dispatch};
use crate::execution::{Pending, Phase};
use crate::fault::{DATA_LIMIT, Fault, TIMEOUT};
use crate::history::{Details, EventType};
use crate::machine::{Kind, Task};
use crate::payload::{PAYLOAD_LIMIT, size};
use crate::resource::Family;
use crate::scope::{Number, Scope};

/// What is asked of a task, evaluated.
struct Request {
    token: String,
    arguments: Arc<Value>,
    timeout_secs: Option<u64>,
    heartbeat_secs: Option<u64>,
}

impl Turn<'_> {
    pub(super) fn dispatch(&mut self, id: u32, task: &Task) -> Done {
        let request = request(self.scope(id), task)?;
        if size(&request.arguments) > PAYLOAD_LIMIT {
            let cause = format!("The arguments of the task exceed {PAYLOAD_LIMIT} bytes.");
            return Err(Fault::error(DATA_LIMIT, cause));
        }
        let scheduled = scheduled(task, &request, &self.execution.identity.arn);
        let kind = match task.resource.family {
            Family::Lambda => EventType::LambdaFunctionScheduled,
            Family::Activity => EventType::ActivityScheduled,
            Family::Service { .. } => EventType::TaskScheduled,
        };
        self.append(id, kind, scheduled);
        let handle = self.handle();
        self.execution.waiting.insert(handle, id);
        let mut timer = |secs: Option<u64>| {
            let timer = self.set_timer(secs? as f64);
            self.execution.waiting.insert(timer, id);
            Some(timer)
        };
        let timeout = timer(request.timeout_secs);
        let heartbeat = timer(request.heartbeat_secs).zip(request.heartbeat_secs);
        let pending = Pending { task: handle, token: request.token.clone(), timeout, heartbeat };
        self.frame_mut(id).phase = Phase::Task(pending);
        self.commands.push(Command::Dispatch(Box::new(Dispatch {
            task: handle,
            token: request.token,
            state: self.state_of(id).name.to_string(),
            resource: task.resource.arn.clone(),
            arguments: request.arguments,
            timeout_secs: request.timeout_secs,
            heartbeat_secs: request.heartbeat_secs,
        })));
        Ok(())
    }

    /// The frame that waits for the task, and the task's description.
    fn pending(&self, task: u64) -> Option<u32> {
        let id = *self.execution.waiting.get(&task)?;
        matches!(&self.frame(id).phase, Phase::Task(pending) if pending.task == task).then_some(id)
    }

    fn family(&self, id: u32) -> Family {
        match &self.state_of(id).kind {
            Kind::Task(task) => task.resource.family.clone(),
            _ => Family::Lambda,
        }
    }

    /// What AWS calls the task that answered too much: the service, or the function's ARN.
    fn service(&self, id: u32) -> String {
        match (self.family(id), &self.state_of(id).kind) {
            (Family::Service { kind, .. }, _) => kind,
            (_, Kind::Task(task)) => task.resource.arn.clone(),
            _ => String::new(),
        }
    }

    pub(super) fn task_started(&mut self, task: u64, worker: Option<String>) {
        let Some(id) = self.pending(task) else { return };
        let (kind, details) = match self.family(id) {
            Family::Lambda => (EventType::LambdaFunctionStarted, Details::None),
            Family::Activity => (EventType::ActivityStarted, Details::ActivityStarted { worker }),
            Family::Service { kind, action } => {
                (EventType::TaskStarted, Details::Task { resource_type: kind, resource: action })
            }
        };
        self.append(id, kind, details);
    }

    pub(super) fn task_submitted(&mut self, task: u64, output: Value) {
        let Some(id) = self.pending(task) else { return };
        if let Family::Service { kind, action } = self.family(id) {
            let details =
                Details::TaskOutput { resource_type: kind, resource: action, output: Arc::new(output) };
            self.append(id, EventType::TaskSubmitted, details);
        }
    }

    pub(super) fn heartbeat(&mut self, task: u64) {
        let Some(id) = self.pending(task) else { return };
        let Phase::Task(pending) = &self.frame(id).phase else { return };
        let Some((old, secs)) = pending.heartbeat else { return };
        self.cancel_timer(old);
        let timer = self.set_timer(secs as f64);
        self.execution.waiting.insert(timer, id);
        if let Phase::Task(pending) = &mut self.frame_mut(id).phase {
            pending.heartbeat = Some((timer, secs));
        }
    }

    pub(super) fn task_succeeded(&mut self, task: u64, output: Value) {
        let Some(id) = self.pending(task) else { return };
        let token = self.finish_task(id);
        if size(&output) > PAYLOAD_LIMIT {
            let fault = Fault::too_large(&self.service(id));
            self.append_failure(id, &fault);
            return self.fail(id, fault, Origin::Own);
        }
        let output = Arc::new(output);
        let (kind, details) = match self.family(id) {
            Family::Lambda => {
                (EventType::LambdaFunctionSucceeded, Details::Output { output: output.clone() })
            }
            Family::Activity => (EventType::ActivitySucceeded, Details::Output { output: output.clone() }),
            Family::Service { kind, action } => {
                let details =
                    Details::TaskOutput { resource_type: kind, resource: action, output: output.clone() };
                (EventType::TaskSucceeded, details)
            }
        };
        self.append(id, kind, details);
        let done = self.task_done(id, &output, &token);
        self.settle(id, done);
    }

    fn task_done(&mut self, id: u32, output: &Arc<Value>, token: &str) -> Done {
        let mut scope = self.scope(id);
        scope.token = Some(token.to_owned()).filter(|_| scope.state.waits_for_token());
        let (state, raw) = (scope.state, scope.frame.input.clone());
        let produced = produce(&scope, state, &raw, output, None)?;
        self.exit(id, produced, state.next)
    }

    /// TestState: the work of a Task, Map or Parallel came to `result`.
    pub(crate) fn mocked(&mut self, id: u32, result: Done<Arc<Value>>) -> Done {
        let scope = self.scope(id);
        let (state, raw) = (scope.state, scope.frame.input.clone());
        if matches!(state.kind, Kind::Task(_)) {
            effective(&scope, &raw)?;
        }
        let produced = produce(&scope, state, &raw, &result?, None)?;
        self.exit(id, produced, state.next)
    }

    pub(super) fn task_failed(&mut self, task: u64, error: Option<String>, cause: Option<String>) {
        let Some(id) = self.pending(task) else { return };
        self.finish_task(id);
        let fault = Fault::named(error, cause);
        self.append_failure(id, &fault);
        self.fail(id, fault, Origin::Own);
    }

    pub(super) fn task_refused(&mut self, task: u64, cause: String) {
        let Some(id) = self.pending(task) else { return };
        self.finish_task(id);
        self.fail(id, Fault::runtime(cause), Origin::Own);
    }

    fn append_failure(&mut self, id: u32, fault: &Fault) {
        let (error, cause) = (fault.error.clone(), fault.cause.clone());
        let (kind, details) = match self.family(id) {
            Family::Lambda => (EventType::LambdaFunctionFailed, Details::Failure { error, cause }),
            Family::Activity => (EventType::ActivityFailed, Details::Failure { error, cause }),
            Family::Service { kind, action } => (
                EventType::TaskFailed,
                Details::TaskFailure { resource_type: kind, resource: action, error, cause },
            ),
        };
        self.append(id, kind, details);
    }

    /// The timeout or the heartbeat's timer fired; AWS writes the same event for both.
    pub(super) fn task_timed_out(&mut self, id: u32, timer: u64) {
        let Phase::Task(pending) = &self.frame(id).phase else { return };
        let known =
            pending.timeout == Some(timer) || pending.heartbeat.is_some_and(|(beat, _)| beat == timer);
        if !known {
            return;
        }
        let task = pending.task;
        self.commands.push(Command::CancelTask { task });
        self.finish_task(id);
        let (error, cause) = (Some(TIMEOUT.to_owned()), None);
        let fault = Fault::named(error.clone(), None);
        let (kind, details) = match self.family(id) {
            Family::Lambda => (EventType::LambdaFunctionTimedOut, Details::Failure { error, cause }),
            Family::Activity => (EventType::ActivityTimedOut, Details::Failure { error, cause }),
            Family::Service { kind, action } => (
                EventType::TaskTimedOut,
                Details::TaskFailure { resource_type: kind, resource: action, error, cause },
            ),
        };
        self.append(id, kind, details);
        self.fail(id, fault, Origin::Own);
    }

    /// Nothing is awaited of the task any more; answers its token.
    fn finish_task(&mut self, id: u32) -> String {
        let Phase::Task(pending) = &self.frame(id).phase else { return String::new() };
        let pending = pending.clone();
        self.forget(&pending);
        pending.token
    }

    pub(super) fn forget(&mut self, pending: &Pending) {
        self.execution.waiting.remove(&pending.task);
        for timer in pending.timeout.into_iter().chain(pending.heartbeat.map(|(timer, _)| timer)) {
            self.cancel_timer(timer);
        }
    }
}

fn request(mut scope: Scope<'_>, task: &Task) -> Done<Request> {
    // Of its own: no other question at this place in history asks for the last but one.
    let token = scope.chance().uuid(u64::MAX - 1);
    let raw = scope.frame.input.clone();
    scope.token = Some(token.clone()).filter(|_| scope.state.waits_for_token());
    let seconds = |name, amount: Option<&_>| {
        amount
            .map(|amount| scope.amount(name, amount, &raw, Number::Integer))
            .transpose()
            .map(|secs| secs.map(|n| n as u64))
    };
    let timeout_secs = seconds("TimeoutSeconds", task.timeout.as_ref())?;
    let heartbeat_secs = seconds("HeartbeatSeconds", task.heartbeat.as_ref())?;
    let arguments = effective(&scope, &raw)?;
    Ok(Request { arguments, timeout_secs, heartbeat_secs, token: token.clone() })
}

fn scheduled(task: &Task, request: &Request, execution_arn: &str) -> Details {
    let Request { arguments, timeout_secs, heartbeat_secs, .. } = request;
    let (timeout_secs, heartbeat_secs) = (*timeout_secs, *heartbeat_secs);
    match &task.resource.family {
        Family::Lambda | Family::Activity => Details::Scheduled {
            resource: task.resource.arn.clone(),
            input: arguments.clone(),
            timeout_secs,
            heartbeat_secs,
        },
        Family::Service { kind, action } => Details::TaskScheduled {
            resource_type: kind.clone(),
            resource: action.clone(),
            region: execution_arn
                .split(':')
                .nth(3)
                .filter(|part| !part.is_empty())
                .unwrap_or("us-east-1")
                .to_owned(),
            parameters: arguments.clone(),
            timeout_secs,
            heartbeat_secs,
        },
    }
}
