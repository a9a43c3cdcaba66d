//! One submitted batch of transcripts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::names::{closed, id};
use crate::{ChannelId, Failure, RunId};

id! {
    /// The id of a job.
    JobId, "job"
}

/// One submitted batch of transcripts, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id. A batch that is submitted twice under one id is one job.
    pub id: JobId,
    /// The class that the transcripts are of: `class/ms7a`.
    pub channel: ChannelId,
    /// The day on which they were recorded.
    pub date: Date,
    /// Where they lie in the landing zone.
    pub inputs: Vec<String>,
    /// The format, as whoever submitted them named it; none if it is to be found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// What whoever submitted them wants to find again.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
    /// How far it has come.
    pub state: JobState,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When it came so far.
    pub updated_at: Timestamp,
    /// The run that works on it; none as long as it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Where the results lie.
    #[serde(default)]
    pub outputs: Vec<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

closed! {
    /// How far a job has come, in the order in which it goes.
    pub enum JobState("job state") {
        /// It waits.
        Queued = "queued",
        /// Its transcripts are being made into documents.
        Normalizing = "normalizing",
        /// They are documents.
        Normalized = "normalized",
        /// They are being scored.
        Scoring = "scoring",
        /// Their scores are being summed up.
        Aggregating = "aggregating",
        /// The results are being handed over.
        Publishing = "publishing",
        /// The results are there.
        Succeeded = "succeeded",
        /// It could not be done.
        Failed = "failed",
    }
}

impl JobState {
    /// Whether it goes no further by itself.
    #[must_use]
    pub fn is_final(self) -> bool {
        self >= Self::Succeeded
    }
}
