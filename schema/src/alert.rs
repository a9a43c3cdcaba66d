//! A finding that someone must see.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::names::{closed, id};
use crate::{ChannelId, FindingId, RunId};

id! {
    /// The id of an alert.
    AlertId, "alert"
}

/// A finding that someone must see, and all that came of it until it was over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// The name of the rule that raised it.
    pub rule: String,
    /// The channel.
    pub channel: ChannelId,
    /// The aspect; none for the documents as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect: Option<String>,
    /// How much it matters.
    pub severity: Severity,
    /// How it stands.
    pub state: AlertState,
    /// Since when it stands so.
    pub since: Timestamp,
    /// Who acknowledged or silenced it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When the silence ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What it says, in one line.
    pub summary: String,
    /// What it rests on, in the order in which it was found.
    pub findings: Vec<FindingId>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Every attempt to tell someone, in order.
    #[serde(default)]
    pub deliveries: Vec<Delivery>,
    /// The run that it started, such as a retraining.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triggered: Option<RunId>,
}

/// One attempt to tell someone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The way it went.
    pub route: String,
    /// When it was tried.
    pub at: Timestamp,
    /// What became of it.
    pub outcome: DeliveryOutcome,
    /// What the receiver or the network said, where it was not delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

closed! {
    /// How much an alert matters, the least first.
    pub enum Severity("severity") {
        /// Worth knowing.
        Info = "info",
        /// Worth a look today.
        Warning = "warning",
        /// Worth waking someone.
        Critical = "critical",
    }
}

closed! {
    /// How an alert stands.
    pub enum AlertState("alert state") {
        /// The rule holds, but not yet for as long as it says.
        Pending = "pending",
        /// The rule holds, and nobody has said that they saw it.
        Firing = "firing",
        /// Somebody looks after it.
        Acknowledged = "acknowledged",
        /// Nobody wants to hear of it for a while.
        Silenced = "silenced",
        /// The rule no longer holds.
        Resolved = "resolved",
        /// Whether the rule holds cannot be told, for there is nothing to look at.
        NoData = "no_data",
    }
}

closed! {
    /// What became of an attempt to tell someone.
    pub enum DeliveryOutcome("delivery outcome") {
        /// The receiver took it.
        Delivered = "delivered",
        /// Not this time: it is tried again.
        Later = "later",
        /// Never so: it is not tried again.
        Refused = "refused",
    }
}
