//! Why a state could not do its work, before anybody knows whether it is retried, caught or fatal.

use doxa_query::jsonata;
use doxa_query::path::NoResults;

/// A failed state.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) error: Option<String>,
    pub(crate) cause: Option<String>,
    /// The cause speaks of the state: "An error occurred while executing the state …" goes before it.
    pub(crate) prefixed: bool,
    /// An EvaluationFailed event is written.
    pub(crate) evaluation: Option<Evaluation>,
}

/// Where an evaluation failed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Evaluation {
    pub(crate) location: Option<String>,
    /// AWS links the event to the one before the state's entry, but for wrong timestamps of a Wait.
    pub(crate) after_entry: bool,
}

pub(crate) const RUNTIME: &str = "States.Runtime";
pub(crate) const QUERY: &str = "States.QueryEvaluationError";
pub(crate) const DATA_LIMIT: &str = "States.DataLimitExceeded";
pub(crate) const TIMEOUT: &str = "States.Timeout";

impl Fault {
    pub(crate) fn named(error: Option<String>, cause: Option<String>) -> Self {
        Self { error, cause, prefixed: false, evaluation: None }
    }

    pub(crate) fn error(error: &str, cause: impl Into<String>) -> Self {
        Self { prefixed: true, ..Self::named(Some(error.to_owned()), Some(cause.into())) }
    }

    pub(crate) fn runtime(cause: impl Into<String>) -> Self {
        Self::error(RUNTIME, cause)
    }

    /// InputPath and its like.
    pub(crate) fn path(path: &str, why: &NoResults) -> Self {
        Self::runtime(format!("Invalid path '{path}' : {why}"))
    }

    pub(crate) fn query(location: &str, cause: impl Into<String>) -> Self {
        let evaluation = Evaluation { location: Some(location.to_owned()), after_entry: false };
        Self { evaluation: Some(evaluation), ..Self::error(QUERY, cause) }
    }

    pub(crate) fn expression(text: &str, field: &str, why: &jsonata::Failed) -> Self {
        Self::query(field, format!("The JSONata expression '{text}' specified for the field '{field}' {why}"))
    }

    pub(crate) fn wrong_type(text: &str, field: &str, expected: &str, value: &serde_json::Value) -> Self {
        let found = doxa_query::value::type_name(value);
        let why = format!(
            "The JSONata expression '{text}' specified for the field '{field}' returned an unexpected result type. \
             Expected '{expected}', but was '{found}' for value: {value}"
        );
        Self::query(field, why)
    }

    pub(crate) fn too_large(state: &str) -> Self {
        let cause = format!(
            "The state/task '{state}' returned a result with a size exceeding the maximum number of bytes service limit."
        );
        Self::named(Some(DATA_LIMIT.to_owned()), Some(cause))
    }

    /// A payload that is nested too deeply.
    pub(crate) fn too_deep() -> Self {
        Self::runtime(format!("The payload is nested more than {} levels deep.", crate::payload::DEPTH_LIMIT))
    }

    /// Whether neither Retry nor Catch can see it.
    pub(crate) fn is_fatal(&self) -> bool {
        self.error.as_deref() == Some(RUNTIME)
    }
}
