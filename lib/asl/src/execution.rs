//! The state of one execution: plain data that an engine persists after each step and hands back to the next.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::machine::{GraphId, StateId};

/// Who an execution is; what the context object tells of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// ARN of the execution.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// ARN of its machine.
    pub machine_arn: String,
    /// Name of its machine.
    pub machine_name: String,
    /// The role, if there is one.
    pub role_arn: Option<String>,
    /// Seed of its randomness: UUIDs, random numbers, jitter, tokens.
    pub seed: u64,
    /// Most history events before the execution is failed; AWS: 25,000 for standard machines.
    pub history_limit: Option<u64>,
}

/// What became of an execution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are AWS's")]
pub enum Status {
    /// Not at its end.
    Running,
    /// It reached an end state.
    Succeeded { output: Arc<Value> },
    /// A state failed and nothing caught it.
    Failed { error: Option<String>, cause: Option<String> },
    /// TimeoutSeconds of the machine passed.
    TimedOut { error: Option<String>, cause: Option<String> },
    /// It was stopped.
    Aborted { error: Option<String>, cause: Option<String> },
}

impl Status {
    /// AWS's name.
    pub fn name(&self) -> &'static str {
        match self {
            Status::Running => "RUNNING",
            Status::Succeeded { .. } => "SUCCEEDED",
            Status::Failed { .. } => "FAILED",
            Status::TimedOut { .. } => "TIMED_OUT",
            Status::Aborted { .. } => "ABORTED",
        }
    }
}

/// An execution. Serialise it whole; its fields are the interpreter's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Execution {
    pub(crate) identity: Identity,
    pub(crate) input: Arc<Value>,
    pub(crate) graph: GraphId,
    /// Of an express machine: its context object knows no redrives.
    pub(crate) express: bool,
    pub(crate) started: Timestamp,
    pub(crate) status: Status,
    pub(crate) events: u64,
    pub(crate) handles: u64,
    pub(crate) frames: BTreeMap<u32, Frame>,
    pub(crate) next_frame: u32,
    pub(crate) ready: VecDeque<u32>,
    /// Frames that wait for a task, a timer or a child, by its handle.
    pub(crate) waiting: BTreeMap<u64, u32>,
    pub(crate) timeout: Option<u64>,
    pub(crate) redrives: u64,
    pub(crate) redriven: Option<Timestamp>,
    /// The item that a child of a distributed Map works on.
    pub(crate) item: Option<Item>,
    /// Replaces the whole context object: TestState's `context`.
    pub(crate) context: Option<Value>,
}

/// A running sequence of states: the machine's, a branch's or an iteration's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frame {
    pub(crate) parent: Option<u32>,
    pub(crate) index: u64,
    pub(crate) state: StateId,
    pub(crate) input: Arc<Value>,
    pub(crate) variables: Map<String, Value>,
    /// The last event of this sequence.
    pub(crate) previous: u64,
    /// The event of entering the state, and the one before it.
    pub(crate) entered: u64,
    pub(crate) before: u64,
    pub(crate) entered_at: Timestamp,
    /// Attempts used of each retrier.
    pub(crate) attempts: Vec<u64>,
    pub(crate) item: Option<Item>,
    pub(crate) phase: Phase,
}

/// An item of a Map, as `$$.Map.Item` tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) index: u64,
    pub(crate) value: Arc<Value>,
}

/// What a frame is doing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Phase {
    /// About to enter its state.
    Enter,
    /// Entered; about to do what the state does (again, after a retry).
    Run,
    /// In a Wait.
    Wait {
        timer: u64,
    },
    /// Between two attempts.
    Backoff {
        timer: u64,
    },
    Task(Pending),
    Join(Join),
    Distributed(Box<MapRun>),
}

/// A dispatched task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) task: u64,
    pub(crate) token: String,
    pub(crate) timeout: Option<u64>,
    pub(crate) heartbeat: Option<(u64, u64)>,
}

/// A Parallel's branches or a Map's iterations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Join {
    pub(crate) children: Vec<u32>,
    pub(crate) results: Vec<Option<Value>>,
    /// Items of a Map that have not begun.
    pub(crate) items: Vec<Value>,
    pub(crate) next: usize,
    pub(crate) done: usize,
    pub(crate) effective: Arc<Value>,
}

/// A distributed Map's run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MapRun {
    pub(crate) arn: String,
    pub(crate) effective: Arc<Value>,
    /// The handle of the reader or the writer that is awaited.
    pub(crate) awaited: Option<u64>,
    pub(crate) started: u64,
    pub(crate) inputs: Vec<Value>,
    pub(crate) next: usize,
    pub(crate) running: BTreeMap<u64, usize>,
    pub(crate) results: Vec<Option<Value>>,
    pub(crate) failed: usize,
    pub(crate) limit: usize,
    pub(crate) tolerated_count: Option<f64>,
    pub(crate) tolerated_percentage: Option<f64>,
}

impl Execution {
    /// A new execution of a machine; step it with [`Event::Start`](crate::Event::Start).
    pub fn new(identity: Identity, input: Value, now: Timestamp) -> Self {
        Self::of_graph(identity, Arc::new(input), 0, now)
    }

    /// The execution of a distributed Map's child, as [`StartChild`](crate::StartChild) asks for it.
    pub fn child(child: &crate::StartChild, seed: u64, now: Timestamp) -> Self {
        let identity = Identity { seed, ..child.identity.clone() };
        let mut execution = Self::of_graph(identity, child.input.clone(), child.graph, now);
        execution.item = Some(Item { index: child.index, value: child.input.clone() });
        execution
    }

    pub(crate) fn of_graph(identity: Identity, input: Arc<Value>, graph: GraphId, now: Timestamp) -> Self {
        Self {
            identity,
            input,
            graph,
            express: false,
            started: now,
            status: Status::Running,
            events: 0,
            handles: 0,
            frames: BTreeMap::new(),
            next_frame: 0,
            ready: VecDeque::new(),
            waiting: BTreeMap::new(),
            timeout: None,
            redrives: 0,
            redriven: None,
            item: None,
            context: None,
        }
    }

    /// Who it is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What it was started with.
    pub fn input(&self) -> &Value {
        &self.input
    }

    /// What became of it.
    pub fn status(&self) -> &Status {
        &self.status
    }

    /// The number of its last history event.
    pub fn last_event(&self) -> u64 {
        self.events
    }

    /// The variable `name` as the frame sees it: its own, or that of an outer frame.
    pub(crate) fn variable<'e>(&'e self, frame: &'e Frame, name: &str) -> Option<&'e Value> {
        let mut frame = frame;
        loop {
            if let Some(value) = frame.variables.get(name) {
                return Some(value);
            }
            frame = self.frames.get(&frame.parent?)?;
        }
    }

    /// The nearest Map item around the frame.
    pub(crate) fn item<'e>(&'e self, frame: &'e Frame) -> Option<&'e Item> {
        let mut frame = frame;
        loop {
            if frame.item.is_some() {
                return frame.item.as_ref();
            }
            match frame.parent.and_then(|parent| self.frames.get(&parent)) {
                Some(parent) => frame = parent,
                None => return self.item.as_ref(),
            }
        }
    }
}
