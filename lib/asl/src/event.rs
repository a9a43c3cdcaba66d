//! What comes into a step and what goes out of it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::execution::{Identity, Status};
use crate::history::HistoryEvent;
use crate::machine::{Flavour, GraphId};

/// Something that happened. Handles are those of earlier commands; an event whose handle is no longer awaited (late,
/// repeated, or of a cancelled task) changes nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are AWS's")]
pub enum Event {
    /// The execution begins.
    Start,
    /// A worker took the task.
    TaskStarted { task: u64, worker: Option<String> },
    /// The service accepted a `.sync` or `.waitForTaskToken` request.
    TaskSubmitted { task: u64, output: Value },
    /// The task's result.
    TaskSucceeded { task: u64, output: Value },
    /// The task's error.
    TaskFailed { task: u64, error: Option<String>, cause: Option<String> },
    /// The resource does not exist, so that nothing could be scheduled; `cause` says it in AWS's words.
    TaskRefused { task: u64, cause: String },
    /// The task is alive.
    Heartbeat { task: u64 },
    /// A timer's instant has come.
    TimerFired { timer: u64 },
    /// What an ItemReader read: the object's text.
    ItemsRead { task: u64, text: String },
    /// The reader or the writer failed.
    ItemsFailed { task: u64, cause: String },
    /// What a ResultWriter wrote; `output` becomes the Map's result.
    ResultsWritten { task: u64, output: Value },
    /// A distributed Map's child ended.
    ChildDone { child: u64, status: Status },
    /// The step yielded; go on.
    Continue,
    /// The execution is stopped from outside.
    Stop { error: Option<String>, cause: Option<String> },
    /// The failed execution is taken up again at the state that failed.
    Redrive,
}

/// Something to do. Commands are promises: persist the execution first, then carry them out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are AWS's")]
pub enum Command {
    /// Append to the history.
    Append(HistoryEvent),
    /// Call a task.
    Dispatch(Box<Dispatch>),
    /// Nobody waits for the task any more.
    CancelTask { task: u64 },
    /// Fire [`Event::TimerFired`] at `at`.
    SetTimer { timer: u64, at: Timestamp },
    /// Nobody waits for the timer any more.
    CancelTimer { timer: u64 },
    /// Read a distributed Map's items.
    ReadItems(Box<Dispatch>),
    /// Write a distributed Map's results.
    WriteResults(Box<Dispatch>),
    /// Start a distributed Map's child.
    StartChild(Box<StartChild>),
    /// Stop it.
    StopChild { child: u64 },
    /// The budget of one step is used up: persist, then send [`Event::Continue`].
    Yield,
    /// The execution is at its end.
    Complete(Status),
}

/// A request to a task, reader or writer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dispatch {
    /// The handle.
    pub task: u64,
    /// The token of `$$.Task.Token`.
    pub token: String,
    /// Name of the state.
    pub state: String,
    /// The Resource.
    pub resource: String,
    /// Arguments; for a bare function or an activity, its input.
    pub arguments: Arc<Value>,
    /// TimeoutSeconds.
    pub timeout_secs: Option<u64>,
    /// HeartbeatSeconds.
    pub heartbeat_secs: Option<u64>,
}

/// A request to start a child execution, to be made with [`Execution::child`](crate::Execution::child).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StartChild {
    /// The handle.
    pub child: u64,
    /// The run it belongs to.
    pub map_run_arn: String,
    /// Number of the item or batch.
    pub index: u64,
    /// Its input.
    pub input: Arc<Value>,
    /// Whether the child is standard or express: its ProcessorConfig's ExecutionType.
    pub flavour: Flavour,
    /// Who it is; the seed is the engine's to choose.
    pub identity: Identity,
    pub(crate) graph: GraphId,
}
