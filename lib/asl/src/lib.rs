//! The Amazon States Language as a function of values.
//!
//! In comes a definition: [`Machine::compile`] parses it, says everything that is wrong with it (AWS's diagnostic codes,
//! with lines and columns), and compiles every path and expression once (`doxa-query`). Then [`step`] takes the machine, the state of
//! one execution and one event, and answers with commands: append this to the history, call this task, set this timer.
//! The [`Execution`] is plain data; an engine persists it after each step and may replay the events to the same end.
//!
//! What never happens here: input or output, a clock, threads, randomness that is not a function of the execution's
//! seed. History comes out as AWS writes it, quirks included; where AWS is silent, the module says what was chosen.
//!
//! ```
//! use doxa_asl::{Command, Event, Execution, Flavour, Identity, Machine, step};
//! use serde_json::json;
//!
//! let text = r#"{"StartAt": "Hello", "States": {"Hello": {"Type": "Pass", "Result": "world", "End": true}}}"#;
//! let machine = Machine::compile(text, Flavour::Standard)?;
//! let now = "2026-11-21T01:00:00Z".parse()?;
//! let mut execution = Execution::new(Identity::default(), json!({}), now);
//! let commands = step(&machine, &mut execution, Event::Start, now);
//! assert_eq!(commands.iter().filter(|command| matches!(command, Command::Append(_))).count(), 4);
//! assert_eq!(execution.status().name(), "SUCCEEDED");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod compile;
mod diagnostic;
mod position;

pub mod schedule;

mod items;
mod machine;
mod payload;
mod resource;

mod event;
mod execution;
mod history;

mod fault;
mod scope;
mod step;
mod test_state;

pub use compile::{DEFINITION_LIMIT, validate};
pub use diagnostic::{Code, Diagnostic, Refused, Severity};
pub use event::{Command, Dispatch, Event, StartChild};
pub use execution::{Execution, Identity, Status};
pub use history::{Details, EventType, HistoryEvent};
pub use machine::{Flavour, Language, Machine};
pub use payload::PAYLOAD_LIMIT;
pub use position::locate;
pub use step::step;
pub use test_state::{Error as TestStateError, test_state};

#[cfg(test)]
mod tests {
    #[test]
    fn machines_and_executions_cross_threads() {
        fn crosses<T: Send + Sync>() {}
        crosses::<super::Machine>();
        crosses::<super::Execution>();
        crosses::<super::Command>();
    }
}
