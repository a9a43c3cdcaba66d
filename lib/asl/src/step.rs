//! `step(machine, execution, event, now) → commands`: the interpreter, as a function of values.
//!
//! A step applies one event and then runs every frame until it waits for the world. A frame is a running sequence of
//! states; a Parallel or Map opens child frames and waits for them. Nothing is read from outside: the time is the
//! event's, randomness comes from the execution's seed, and a repeated or late event finds no waiting frame.

mod distributed;
mod exit;
mod failure;
mod join;
mod task;
mod wait;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::event::{Command, Event};
use crate::execution::{Execution, Frame, Phase, Status};
use crate::fault::Fault;
use crate::history::{Details, EventType, HistoryEvent};
use crate::machine::{Flavour, Kind, Machine, State, StateId};
use crate::payload::is_too_deep;
use crate::scope::Scope;

pub(crate) use exit::{effective, merge};
pub(crate) use failure::{delay_secs, matches};
pub(crate) use join::items;

/// Most states that one step enters before it yields, so that an endless loop cannot hold a thread.
const STEP_BUDGET: u32 = 20_000;

/// Applies `event`, which happened at `now`, and answers what is to be done.
pub fn step(machine: &Machine, execution: &mut Execution, event: Event, now: Timestamp) -> Vec<Command> {
    let mut turn = Turn::new(machine, execution, now);
    turn.apply(event);
    turn.run();
    turn.commands
}

pub(crate) struct Turn<'t> {
    pub(crate) machine: &'t Machine,
    pub(crate) execution: &'t mut Execution,
    pub(crate) now: Timestamp,
    pub(crate) commands: Vec<Command>,
    pub(crate) budget: u32,
}

type Done<T = ()> = Result<T, Fault>;

impl<'t> Turn<'t> {
    pub(crate) fn new(machine: &'t Machine, execution: &'t mut Execution, now: Timestamp) -> Self {
        Self { machine, execution, now, commands: Vec::new(), budget: STEP_BUDGET }
    }

    fn apply(&mut self, event: Event) {
        match event {
            Event::Start => self.start(),
            Event::Redrive => self.redrive(),
            _ if self.execution.status != Status::Running => {}
            Event::Stop { error, cause } => self.stop(error, cause),
            Event::TimerFired { timer } if self.execution.timeout == Some(timer) => self.time_out(),
            Event::TimerFired { timer } => self.timer(timer),
            Event::ChildDone { child, status } => self.child_done(child, status),
            Event::ItemsRead { task, text } => self.items_read(task, Ok(text)),
            Event::ItemsFailed { task, cause } => self.items_read(task, Err(cause)),
            Event::ResultsWritten { task, output } => self.results_written(task, output),
            Event::Continue => {}
            Event::TaskStarted { task, worker } => self.task_started(task, worker),
            Event::TaskSubmitted { task, output } => self.task_submitted(task, output),
            Event::TaskSucceeded { task, output } => self.task_succeeded(task, output),
            Event::TaskFailed { task, error, cause } => self.task_failed(task, error, cause),
            Event::TaskRefused { task, cause } => self.task_refused(task, cause),
            Event::Heartbeat { task } => self.heartbeat(task),
        }
    }

    fn start(&mut self) {
        if self.execution.events > 0 || self.execution.status != Status::Running {
            return;
        }
        self.execution.express = self.machine.flavour == Flavour::Express;
        let input = self.execution.input.clone();
        let role_arn = self.execution.identity.role_arn.clone();
        self.append_after(
            0,
            EventType::ExecutionStarted,
            Details::ExecutionStarted { input: input.clone(), role_arn },
        );
        if is_too_deep(&input) {
            self.execution.input = Arc::new(Value::Null);
            return self.fail_execution(1, Fault { prefixed: false, ..Fault::too_deep() });
        }
        self.set_timeout();
        let start = self.machine.graph(self.execution.graph).start;
        self.open(None, 0, start, input, 0);
    }

    fn redrive(&mut self) {
        let ended = !matches!(self.execution.status, Status::Running | Status::Succeeded { .. });
        let Some(frame) = self.execution.frames.get_mut(&0).filter(|_| ended) else { return };
        frame.attempts.clear();
        frame.phase = Phase::Run;
        let previous = frame.previous;
        self.execution.status = Status::Running;
        self.execution.redrives += 1;
        self.execution.redriven = Some(self.now);
        let details = Details::Redriven { count: self.execution.redrives };
        let id = self.append_after(previous, EventType::ExecutionRedriven, details);
        self.frame_mut(0).previous = id;
        self.execution.ready.push_back(0);
        self.set_timeout();
    }

    fn set_timeout(&mut self) {
        if self.execution.graph == 0
            && let Some(secs) = self.machine.timeout_secs
        {
            self.execution.timeout = Some(self.set_timer(secs as f64));
        }
    }

    fn stop(&mut self, error: Option<String>, cause: Option<String>) {
        let details = Details::Failure { error: error.clone(), cause: cause.clone() };
        self.abort_all();
        self.append_after(self.execution.events, EventType::ExecutionAborted, details);
        self.complete(Status::Aborted { error, cause });
    }

    fn time_out(&mut self) {
        let error = Some(crate::fault::TIMEOUT.to_owned());
        self.abort_all();
        let details = Details::Failure { error: error.clone(), cause: None };
        self.append_after(self.execution.events, EventType::ExecutionTimedOut, details);
        self.complete(Status::TimedOut { error, cause: None });
    }

    fn timer(&mut self, timer: u64) {
        let Some(id) = self.execution.waiting.remove(&timer) else { return };
        match &self.frame(id).phase {
            Phase::Wait { .. } => {
                let done = self.wait_over(id);
                self.settle(id, done);
            }
            Phase::Backoff { .. } => {
                self.frame_mut(id).phase = Phase::Run;
                self.execution.ready.push_back(id);
            }
            Phase::Task(_) => self.task_timed_out(id, timer),
            Phase::Enter | Phase::Run | Phase::Join(_) | Phase::Distributed(_) => {}
        }
    }

    fn run(&mut self) {
        while self.execution.status == Status::Running {
            let Some(id) = self.execution.ready.pop_front() else { return };
            while self.is_runnable(id) {
                if self.history_is_full() {
                    return self.overflow(id);
                }
                if self.budget == 0 {
                    self.execution.ready.push_front(id);
                    self.commands.push(Command::Yield);
                    return;
                }
                self.advance(id);
            }
        }
    }

    fn is_runnable(&self, id: u32) -> bool {
        let frame = self.execution.frames.get(&id);
        self.execution.status == Status::Running
            && frame.is_some_and(|frame| matches!(frame.phase, Phase::Enter | Phase::Run))
    }

    fn history_is_full(&self) -> bool {
        self.execution.identity.history_limit.is_some_and(|limit| self.execution.events + 3 > limit)
    }

    fn overflow(&mut self, id: u32) {
        let limit = self.execution.identity.history_limit.unwrap_or_default();
        let cause = format!("The execution reached the maximum number of history events ({limit}).");
        let fault = Fault::named(Some(crate::fault::RUNTIME.to_owned()), Some(cause));
        let previous = self.frame(id).previous;
        self.fail_execution(previous, fault);
    }

    fn advance(&mut self, id: u32) {
        if self.frame(id).phase == Phase::Enter {
            self.budget -= 1;
            self.enter(id);
        }
        let done = self.work(id);
        self.settle(id, done);
    }

    pub(crate) fn settle(&mut self, id: u32, done: Done) {
        if let Err(fault) = done {
            self.fail(id, fault, failure::Origin::Own);
        }
    }

    fn enter(&mut self, id: u32) {
        let now = self.now;
        let state = self.state_of(id);
        let frame = self.frame_mut(id);
        frame.before = frame.previous;
        frame.entered_at = now;
        frame.phase = Phase::Run;
        frame.attempts.clear();
        let details = Details::Entered { name: state.name.clone(), input: frame.input.clone() };
        self.append(id, entered(&state.kind), details);
        let frame = self.frame_mut(id);
        frame.entered = frame.previous;
    }

    pub(crate) fn work(&mut self, id: u32) -> Done {
        match &self.state_of(id).kind {
            Kind::Pass { result } => self.pass(id, result.as_ref()),
            Kind::Task(task) => self.dispatch(id, task),
            Kind::Choice { rules, default } => self.choose(id, rules, *default),
            Kind::Wait(until) => self.wait(id, until),
            Kind::Succeed => self.succeed(id),
            Kind::Fail { error, cause } => self.fail_state(id, error, cause),
            Kind::Parallel { branches } => self.fork(id, branches),
            Kind::Map(map) => match &map.distributed {
                None => self.iterate(id, map),
                Some(distributed) => self.map_run(id, map, distributed),
            },
        }
    }

    pub(crate) fn frame(&self, id: u32) -> &Frame {
        self.execution.frames.get(&id).expect("a frame lives as long as its id is in use")
    }

    pub(crate) fn frame_mut(&mut self, id: u32) -> &mut Frame {
        self.execution.frames.get_mut(&id).expect("a frame lives as long as its id is in use")
    }

    pub(crate) fn state_of(&self, id: u32) -> &'t State {
        self.machine.state(self.frame(id).state)
    }

    pub(crate) fn scope(&self, id: u32) -> Scope<'_> {
        Scope::new(self.execution, self.frame(id), self.state_of(id), self.now)
    }

    /// Opens a frame that will enter `state`.
    pub(crate) fn open(
        &mut self,
        parent: Option<u32>,
        index: u64,
        state: StateId,
        input: Arc<Value>,
        previous: u64,
    ) -> u32 {
        let id = self.execution.next_frame;
        self.execution.next_frame += 1;
        let frame = Frame {
            parent,
            index,
            state,
            input,
            variables: Map::new(),
            previous,
            entered: previous,
            before: previous,
            entered_at: self.now,
            attempts: Vec::new(),
            item: None,
            phase: Phase::Enter,
        };
        self.execution.frames.insert(id, frame);
        self.execution.ready.push_back(id);
        id
    }

    /// Appends an event to the frame's line.
    pub(crate) fn append(&mut self, id: u32, kind: EventType, details: Details) {
        let event = self.append_after(self.frame(id).previous, kind, details);
        self.frame_mut(id).previous = event;
    }

    /// Appends an event beside the frame's line.
    pub(crate) fn append_after(&mut self, previous: u64, kind: EventType, details: Details) -> u64 {
        self.execution.events += 1;
        let id = self.execution.events;
        self.commands.push(Command::Append(HistoryEvent { id, previous, at: self.now, kind, details }));
        id
    }

    pub(crate) fn handle(&mut self) -> u64 {
        self.execution.handles += 1;
        self.execution.handles
    }

    pub(crate) fn set_timer(&mut self, secs: f64) -> u64 {
        let wait = SignedDuration::try_from_secs_f64(secs).unwrap_or(SignedDuration::MAX);
        self.set_timer_at(self.now.saturating_add(wait).unwrap_or(Timestamp::MAX))
    }

    pub(crate) fn set_timer_at(&mut self, at: Timestamp) -> u64 {
        let timer = self.handle();
        self.commands.push(Command::SetTimer { timer, at });
        timer
    }

    pub(crate) fn complete(&mut self, status: Status) {
        if let Some(timer) = self.execution.timeout.take() {
            self.commands.push(Command::CancelTimer { timer });
        }
        self.execution.ready.clear();
        self.execution.status = status.clone();
        self.commands.push(Command::Complete(status));
    }
}

fn entered(kind: &Kind) -> EventType {
    match kind {
        Kind::Pass { .. } => EventType::PassStateEntered,
        Kind::Task(_) => EventType::TaskStateEntered,
        Kind::Choice { .. } => EventType::ChoiceStateEntered,
        Kind::Wait(_) => EventType::WaitStateEntered,
        Kind::Succeed => EventType::SucceedStateEntered,
        Kind::Fail { .. } => EventType::FailStateEntered,
        Kind::Parallel { .. } => EventType::ParallelStateEntered,
        Kind::Map(_) => EventType::MapStateEntered,
    }
}
