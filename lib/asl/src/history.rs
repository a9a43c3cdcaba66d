//! History events, as AWS's GetExecutionHistory writes them.

use std::sync::Arc;

use doxa_query::timestamp;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// One event of an execution's history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistoryEvent {
    /// Number from 1.
    pub id: u64,
    /// The event that led here; 0 for the first, and, as AWS has it, for the first state.
    pub previous: u64,
    /// When.
    pub at: Timestamp,
    /// What, by AWS's name.
    pub kind: EventType,
    /// With what.
    pub details: Details,
}

macro_rules! event_types {
    ($($name:ident),* $(,)?) => {
        /// AWS's 62 types of history events.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[allow(missing_docs, reason = "the names are AWS's")]
        pub enum EventType { $($name),* }

        impl EventType {
            /// All types, in AWS's order.
            pub const ALL: [Self; 62] = [$(Self::$name),*];

            /// The name.
            pub fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

event_types! {
    ActivityFailed, ActivityScheduled, ActivityScheduleFailed, ActivityStarted, ActivitySucceeded, ActivityTimedOut,
    ChoiceStateEntered, ChoiceStateExited, EvaluationFailed, ExecutionAborted, ExecutionFailed, ExecutionRedriven,
    ExecutionStarted, ExecutionSucceeded, ExecutionTimedOut, FailStateEntered, LambdaFunctionFailed,
    LambdaFunctionScheduled, LambdaFunctionScheduleFailed, LambdaFunctionStarted, LambdaFunctionStartFailed,
    LambdaFunctionSucceeded, LambdaFunctionTimedOut, MapIterationAborted, MapIterationFailed, MapIterationStarted,
    MapIterationSucceeded, MapRunAborted, MapRunFailed, MapRunRedriven, MapRunStarted, MapRunSucceeded, MapStateAborted,
    MapStateEntered, MapStateExited, MapStateFailed, MapStateStarted, MapStateSucceeded, ParallelStateAborted,
    ParallelStateEntered, ParallelStateExited, ParallelStateFailed, ParallelStateStarted, ParallelStateSucceeded,
    PassStateEntered, PassStateExited, SucceedStateEntered, SucceedStateExited, TaskFailed, TaskScheduled, TaskStarted,
    TaskStartFailed, TaskStateAborted, TaskStateEntered, TaskStateExited, TaskSubmitFailed, TaskSubmitted, TaskSucceeded,
    TaskTimedOut, WaitStateAborted, WaitStateEntered, WaitStateExited,
}

/// What an event carries. Payloads are shared, not copied.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are AWS's")]
pub enum Details {
    None,
    ExecutionStarted {
        input: Arc<Value>,
        role_arn: Option<String>,
    },
    Output {
        output: Arc<Value>,
    },
    Failure {
        error: Option<String>,
        cause: Option<String>,
    },
    Entered {
        name: Arc<str>,
        input: Arc<Value>,
    },
    Exited {
        name: Arc<str>,
        output: Arc<Value>,
        assigned: Map<String, Value>,
    },
    /// LambdaFunctionScheduled and ActivityScheduled.
    Scheduled {
        resource: String,
        input: Arc<Value>,
        timeout_secs: Option<u64>,
        heartbeat_secs: Option<u64>,
    },
    TaskScheduled {
        resource_type: String,
        resource: String,
        region: String,
        parameters: Arc<Value>,
        timeout_secs: Option<u64>,
        heartbeat_secs: Option<u64>,
    },
    Task {
        resource_type: String,
        resource: String,
    },
    TaskOutput {
        resource_type: String,
        resource: String,
        output: Arc<Value>,
    },
    TaskFailure {
        resource_type: String,
        resource: String,
        error: Option<String>,
        cause: Option<String>,
    },
    ActivityStarted {
        worker: Option<String>,
    },
    Redriven {
        count: u64,
    },
    Length {
        length: u64,
    },
    Iteration {
        name: Arc<str>,
        index: u64,
    },
    MapRun {
        arn: String,
    },
    Evaluation {
        error: String,
        cause: String,
        location: Option<String>,
        state: Arc<str>,
    },
}

impl HistoryEvent {
    /// The event as the API writes it: payloads are JSON texts under `…EventDetails`.
    pub fn to_json(&self) -> Value {
        let mut json = json!({
            "timestamp": timestamp::format(self.at),
            "type": self.kind.name(),
            "id": self.id,
            "previousEventId": self.previous,
        });
        let details = self.details.to_json();
        if self.details != Details::None {
            json[self.details_key()] = details;
        }
        json
    }

    fn details_key(&self) -> String {
        let name = self.kind.name();
        let base = match &self.details {
            Details::Entered { .. } => "stateEntered".to_owned(),
            Details::Exited { .. } => "stateExited".to_owned(),
            Details::Iteration { .. } => format!("m{}", &name[1..]),
            _ => name[..1].to_lowercase() + &name[1..],
        };
        format!("{base}EventDetails")
    }
}

impl Details {
    /// The details alone; payloads are JSON texts.
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        self.write(&mut out);
        Value::Object(out)
    }

    fn write(&self, out: &mut Map<String, Value>) {
        match self {
            Details::None => {}
            Details::ExecutionStarted { input, role_arn } => {
                payload(out, "input", input);
                optional(out, "roleArn", role_arn.as_deref());
            }
            Details::Output { output } => payload(out, "output", output),
            Details::Failure { error, cause } => failure(out, error.as_deref(), cause.as_deref()),
            Details::Entered { name, input } => {
                out.insert("name".into(), json!(name));
                payload(out, "input", input);
            }
            Details::Exited { name, output, assigned } => {
                out.insert("name".into(), json!(name));
                payload(out, "output", output);
                if !assigned.is_empty() {
                    let texts = assigned.iter().map(|(key, value)| (key.clone(), json!(value.to_string())));
                    out.insert("assignedVariables".into(), Value::Object(texts.collect()));
                    out.insert("assignedVariablesDetails".into(), json!({"truncated": false}));
                }
            }
            Details::Scheduled { resource, input, timeout_secs, heartbeat_secs } => {
                out.insert("resource".into(), json!(resource));
                payload(out, "input", input);
                seconds(out, *timeout_secs, *heartbeat_secs);
            }
            Details::TaskScheduled {
                resource_type,
                resource,
                region,
                parameters,
                timeout_secs,
                heartbeat_secs,
            } => {
                integration(out, resource_type, resource);
                out.insert("region".into(), json!(region));
                out.insert("parameters".into(), json!(parameters.to_string()));
                seconds(out, *timeout_secs, *heartbeat_secs);
            }
            Details::Task { resource_type, resource } => integration(out, resource_type, resource),
            Details::TaskOutput { resource_type, resource, output } => {
                integration(out, resource_type, resource);
                payload(out, "output", output);
            }
            Details::TaskFailure { resource_type, resource, error, cause } => {
                integration(out, resource_type, resource);
                failure(out, error.as_deref(), cause.as_deref());
            }
            Details::ActivityStarted { worker } => optional(out, "workerName", worker.as_deref()),
            Details::Redriven { count } => drop(out.insert("redriveCount".into(), json!(count))),
            Details::Length { length } => drop(out.insert("length".into(), json!(length))),
            Details::Iteration { name, index } => {
                out.insert("name".into(), json!(name));
                out.insert("index".into(), json!(index));
            }
            Details::MapRun { arn } => drop(out.insert("mapRunArn".into(), json!(arn))),
            Details::Evaluation { error, cause, location, state } => {
                failure(out, Some(error), Some(cause));
                optional(out, "location", location.as_deref());
                out.insert("state".into(), json!(state));
            }
        }
    }
}

fn payload(out: &mut Map<String, Value>, key: &str, value: &Value) {
    out.insert(key.to_owned(), json!(value.to_string()));
    out.insert(format!("{key}Details"), json!({"truncated": false}));
}

fn optional(out: &mut Map<String, Value>, key: &str, text: Option<&str>) {
    if let Some(text) = text {
        out.insert(key.to_owned(), json!(text));
    }
}

fn failure(out: &mut Map<String, Value>, error: Option<&str>, cause: Option<&str>) {
    optional(out, "error", error);
    optional(out, "cause", cause);
}

fn integration(out: &mut Map<String, Value>, resource_type: &str, resource: &str) {
    out.insert("resourceType".into(), json!(resource_type));
    out.insert("resource".into(), json!(resource));
}

fn seconds(out: &mut Map<String, Value>, timeout: Option<u64>, heartbeat: Option<u64>) {
    if let Some(timeout) = timeout {
        out.insert("timeoutInSeconds".into(), json!(timeout));
    }
    if let Some(heartbeat) = heartbeat {
        out.insert("heartbeatInSeconds".into(), json!(heartbeat));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_written_as_aws_writes_them() {
        let event =
            |kind, details| HistoryEvent { id: 2, previous: 1, at: Timestamp::UNIX_EPOCH, kind, details };
        let input = Arc::new(json!({"a": 1}));
        let rows = [
            (
                event(EventType::PassStateEntered, Details::Entered { name: "P".into(), input }),
                json!({"name": "P", "input": "{\"a\":1}", "inputDetails": {"truncated": false}}),
                "stateEnteredEventDetails",
            ),
            (
                event(EventType::MapIterationStarted, Details::Iteration { name: "M".into(), index: 3 }),
                json!({"name": "M", "index": 3}),
                "mapIterationStartedEventDetails",
            ),
            (
                event(
                    EventType::TaskStarted,
                    Details::Task { resource_type: "sqs".into(), resource: "x".into() },
                ),
                json!({"resourceType": "sqs", "resource": "x"}),
                "taskStartedEventDetails",
            ),
        ];
        for (event, details, key) in rows {
            assert_eq!(event.to_json()[key], details);
            let back: HistoryEvent = serde_json::from_value(serde_json::to_value(&event).unwrap()).unwrap();
            assert_eq!(back, event);
        }
        assert_eq!(EventType::ALL.len(), 62);
    }
}
