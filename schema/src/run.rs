//! One execution of a pipeline.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Window;
use crate::names::{closed, id};

id! {
    /// The id of a run.
    RunId, "run"
}

/// One execution of a pipeline. What happened within it, state by state, is the engine's journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The name of the pipeline.
    pub pipeline: String,
    /// What it works on; none for a pipeline that works on no single window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Why it was started.
    pub trigger: Trigger,
    /// How it stands.
    pub state: RunState,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended; none as long as it has not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Why it ended otherwise than well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// How often it was taken up again from where it had failed.
    #[serde(default)]
    pub redrives: u32,
}

/// Why something ended otherwise than well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The error's name, which stays: `Source.RateLimited`.
    pub error: String,
    /// What happened, in words.
    pub cause: String,
}

closed! {
    /// How a run stands, in the words of the states language.
    pub enum RunState("run state") {
        /// It is under way, or waits.
        Running = "running",
        /// It came to its end.
        Succeeded = "succeeded",
        /// A state failed, and nothing caught it.
        Failed = "failed",
        /// It took longer than it may.
        TimedOut = "timed_out",
        /// Somebody stopped it.
        Aborted = "aborted",
    }
}

closed! {
    /// Why a run was started.
    pub enum Trigger("trigger") {
        /// Its hour had come.
        Schedule = "schedule",
        /// An hour of the past is to be done, or done again.
        Backfill = "backfill",
        /// Somebody asked for it.
        Manual = "manual",
        /// Another run did.
        Run = "run",
        /// An alert did.
        Alert = "alert",
        /// A job was submitted.
        Job = "job",
    }
}

impl RunState {
    /// Whether it can no longer change by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Self::Running => false,
            Self::Succeeded | Self::Failed | Self::TimedOut | Self::Aborted => true,
        }
    }
}
