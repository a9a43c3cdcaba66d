//! A virtual world: timers in order, tasks answered by a closure, children run in place.

use std::collections::{BTreeSet, VecDeque};

use doxa_asl::{Command, Dispatch, Event, Execution, Flavour, HistoryEvent, Identity, Machine, Status, step};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// What a task answers.
pub(crate) enum Answer {
    Output(Value),
    Failure(&'static str, &'static str),
    /// Nothing, ever.
    Silence,
    /// A heartbeat after each of the seconds given, then the output.
    Beats(Vec<i64>, Value),
}

pub(crate) fn identity() -> Identity {
    Identity {
        arn: "arn:aws:states:us-east-1:111111111111:execution:m:e".to_owned(),
        name: "e".to_owned(),
        machine_arn: "arn:aws:states:us-east-1:111111111111:stateMachine:m".to_owned(),
        machine_name: "m".to_owned(),
        role_arn: None,
        seed: 7,
        history_limit: Some(25_000),
    }
}

pub(crate) fn compile(definition: &Value) -> Machine {
    Machine::compile(&definition.to_string(), Flavour::Standard).unwrap_or_else(|refused| panic!("{refused}"))
}

pub(crate) struct World<'w> {
    pub(crate) machine: &'w Machine,
    pub(crate) execution: Execution,
    pub(crate) history: Vec<HistoryEvent>,
    pub(crate) now: Timestamp,
    pub(crate) dispatched: Vec<Dispatch>,
    /// Every event so far, for replays.
    pub(crate) events: Vec<(Event, Timestamp)>,
    pub(crate) objects: Vec<(&'static str, &'static str)>,
    timers: BTreeSet<(Timestamp, u64)>,
    inbox: VecDeque<Event>,
    later: Vec<(Timestamp, Event)>,
    tasks: &'w dyn Fn(&Dispatch, usize) -> Answer,
}

impl<'w> World<'w> {
    pub(crate) fn new(
        machine: &'w Machine,
        input: Value,
        tasks: &'w dyn Fn(&Dispatch, usize) -> Answer,
    ) -> Self {
        let now = Timestamp::from_second(1_795_222_800).unwrap();
        let execution = Execution::new(identity(), input, now);
        Self::of(machine, execution, now, tasks)
    }

    fn of(
        machine: &'w Machine,
        execution: Execution,
        now: Timestamp,
        tasks: &'w dyn Fn(&Dispatch, usize) -> Answer,
    ) -> Self {
        Self {
            machine,
            execution,
            history: Vec::new(),
            now,
            dispatched: Vec::new(),
            events: Vec::new(),
            objects: Vec::new(),
            timers: BTreeSet::new(),
            inbox: VecDeque::new(),
            later: Vec::new(),
            tasks,
        }
    }

    pub(crate) fn run(mut self) -> Self {
        self.inbox.push_back(Event::Start);
        self.settle();
        self
    }

    /// Delivers one event and everything that follows from it.
    pub(crate) fn send(&mut self, event: Event) {
        self.inbox.push_back(event);
        self.settle();
    }

    pub(crate) fn settle(&mut self) {
        while let Some(event) = self.next() {
            self.events.push((event.clone(), self.now));
            let commands = step(self.machine, &mut self.execution, event, self.now);
            let text = serde_json::to_string(&self.execution).unwrap();
            assert_eq!(serde_json::from_str::<Execution>(&text).unwrap(), self.execution);
            for command in commands {
                self.carry_out(command);
            }
        }
    }

    fn next(&mut self) -> Option<Event> {
        if let Some(event) = self.inbox.pop_front() {
            return Some(event);
        }
        let timer = self.timers.first().copied();
        let at = self.later.iter().map(|(at, _)| *at).min();
        if let Some(at) = at.filter(|at| timer.is_none_or(|(timer, _)| *at <= timer)) {
            let place = self.later.iter().position(|(other, _)| *other == at)?;
            self.now = self.now.max(at);
            return Some(self.later.remove(place).1);
        }
        let (at, timer) = self.timers.pop_first()?;
        self.now = self.now.max(at);
        Some(Event::TimerFired { timer })
    }

    fn carry_out(&mut self, command: Command) {
        match command {
            Command::Append(event) => self.history.push(event),
            Command::SetTimer { timer, at } => drop(self.timers.insert((at, timer))),
            Command::CancelTimer { timer } => self.timers.retain(|(_, other)| *other != timer),
            Command::Dispatch(dispatch) => self.answer(*dispatch),
            Command::ReadItems(dispatch) => {
                let key = dispatch.arguments["Key"].as_str().unwrap_or_default();
                let found = self.objects.iter().find(|(name, _)| *name == key);
                let task = dispatch.task;
                self.inbox.push_back(match found {
                    Some((_, text)) => Event::ItemsRead { task, text: (*text).to_owned() },
                    None => Event::ItemsFailed { task, cause: format!("no object `{key}`") },
                });
            }
            Command::WriteResults(dispatch) => {
                let count = dispatch.arguments["Results"].as_array().map_or(0, Vec::len);
                self.inbox.push_back(Event::ResultsWritten {
                    task: dispatch.task,
                    output: json!({"written": count}),
                });
            }
            Command::StartChild(child) => {
                let execution = Execution::child(&child, child.child, self.now);
                let world = World::of(self.machine, execution, self.now, self.tasks).run();
                let status = world.execution.status().clone();
                self.inbox.push_back(Event::ChildDone { child: child.child, status });
            }
            Command::Yield => self.inbox.push_back(Event::Continue),
            Command::CancelTask { .. } | Command::StopChild { .. } | Command::Complete(_) => {}
        }
    }

    fn answer(&mut self, dispatch: Dispatch) {
        let task = dispatch.task;
        self.inbox.push_back(Event::TaskStarted { task, worker: None });
        let attempt = self.dispatched.iter().filter(|other| other.state == dispatch.state).count();
        match (self.tasks)(&dispatch, attempt) {
            Answer::Output(output) => self.inbox.push_back(Event::TaskSucceeded { task, output }),
            Answer::Failure(error, cause) => {
                let (error, cause) = (Some(error.to_owned()), Some(cause.to_owned()));
                self.inbox.push_back(Event::TaskFailed { task, error, cause });
            }
            Answer::Silence => {}
            Answer::Beats(gaps, output) => {
                let mut at = self.now;
                for gap in gaps {
                    at += SignedDuration::from_secs(gap);
                    self.later.push((at, Event::Heartbeat { task }));
                }
                self.later.push((at, Event::TaskSucceeded { task, output }));
            }
        }
        self.dispatched.push(dispatch);
    }

    pub(crate) fn types(&self) -> Vec<&'static str> {
        self.history.iter().map(|event| event.kind.name()).collect()
    }

    /// The seconds at which events of `kind` happened, from the start.
    pub(crate) fn seconds(&self, kind: &str) -> Vec<i64> {
        let start = self.history[0].at;
        let of_kind = self.history.iter().filter(|event| event.kind.name() == kind);
        of_kind.map(|event| event.at.duration_since(start).as_secs()).collect()
    }

    pub(crate) fn output(&self) -> Value {
        match self.execution.status() {
            Status::Succeeded { output } => (**output).clone(),
            other => panic!("not succeeded: {other:?}"),
        }
    }

    pub(crate) fn failure(&self) -> (String, String) {
        match self.execution.status() {
            Status::Failed { error, cause }
            | Status::TimedOut { error, cause }
            | Status::Aborted { error, cause } => {
                (error.clone().unwrap_or_default(), cause.clone().unwrap_or_default())
            }
            other => panic!("not failed: {other:?}"),
        }
    }
}
