//! What validation has to say, in the form of AWS's ValidateStateMachineDefinition.

use std::fmt;

use serde_json::{Value, json};

/// How bad it is: an error refuses the machine, a warning does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The machine is refused.
    Error,
    /// The machine is accepted; something is probably not meant so.
    Warning,
}

/// AWS's codes. The last is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are AWS's")]
pub enum Code {
    InvalidJsonDescription,
    SchemaValidationFailed,
    InvalidResource,
    MissingEndState,
    DuplicateStateName,
    InvalidStateName,
    DuplicateLabelName,
    InvalidLabelName,
    MissingTransitionTarget,
    TooDeeplyNested,
    NoDollar,
    NoPath,
    PassResultIsStatic,
    PayloadTooLarge,
}

impl Code {
    /// The code as AWS spells it.
    pub fn name(self) -> &'static str {
        match self {
            Code::InvalidJsonDescription => "INVALID_JSON_DESCRIPTION",
            Code::SchemaValidationFailed => "SCHEMA_VALIDATION_FAILED",
            Code::InvalidResource => "INVALID_RESOURCE",
            Code::MissingEndState => "MISSING_END_STATE",
            Code::DuplicateStateName => "DUPLICATE_STATE_NAME",
            Code::InvalidStateName => "INVALID_STATE_NAME",
            Code::DuplicateLabelName => "DUPLICATE_LABEL_NAME",
            Code::InvalidLabelName => "INVALID_LABEL_NAME",
            Code::MissingTransitionTarget => "MISSING_TRANSITION_TARGET",
            Code::TooDeeplyNested => "TOO_DEEPLY_NESTED",
            Code::NoDollar => "NO_DOLLAR",
            Code::NoPath => "NO_PATH",
            Code::PassResultIsStatic => "PASS_RESULT_IS_STATIC",
            Code::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
        }
    }
}

/// One finding of validation.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Whether it refuses the machine.
    pub severity: Severity,
    /// AWS's code.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// JSON pointer into the definition; empty where there is no definition.
    pub location: String,
    /// Line and column (from 1) of the place in the text, where the definition was given as text.
    pub position: Option<(usize, usize)>,
}

impl Diagnostic {
    pub(crate) fn error(code: Code, location: &str, message: impl Into<String>) -> Self {
        let location = location.to_owned();
        Self { severity: Severity::Error, code, message: message.into(), location, position: None }
    }

    pub(crate) fn warning(code: Code, location: &str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, location, message) }
    }

    /// The diagnostic as the API writes it.
    pub fn to_json(&self) -> Value {
        let severity = if self.severity == Severity::Error { "ERROR" } else { "WARNING" };
        let mut json = json!({"severity": severity, "code": self.code.name(), "message": self.message});
        if !self.location.is_empty() {
            json["location"] = json!(self.location);
        }
        json
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)?;
        if self.location.is_empty() { Ok(()) } else { write!(f, " at {}", self.location) }
    }
}

/// A definition that is refused, with everything that is wrong in it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("Invalid State Machine Definition: '{}'", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
pub struct Refused(pub Vec<Diagnostic>);
