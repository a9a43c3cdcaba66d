//! The nouns, as they stand on disk and wire.
//!
//! What people say arrives as [`Raw`] bytes of one [`Window`] of one channel and becomes [`Document`]s and [`Reject`]s. A
//! [`Model`] answers each document with a [`Score`]; scores are summed up to [`Rollup`]s, hour by hour; monitoring comes
//! to [`Finding`]s, and those that someone must see are [`Alert`]s. What people answer back are [`Label`]s. A [`Run`] is
//! one execution of a pipeline, a [`Job`] one submitted batch. Each is one value type here: with serde for the wire,
//! and, where it is stored as a table of the lake, with its columns ([`Record`]).
//!
//! What never happens here: I/O, a clock, a decision. A noun says what a thing *is*; the stages say what is done with it.
//!
//! Disk and wire outlive the process. Every table carries a format version, every version keeps a fixture under
//! `fixtures/`, and a field that is added later is optional.

mod names;

mod channel;
mod hour;
mod window;

mod raw;

pub mod columns;
mod document;
mod nested;
mod record;
mod reject;

mod estimate;
mod model;
mod polarity;
mod rollup;
mod score;

mod alert;
mod finding;
mod label;

mod job;
mod run;

pub use alert::{Alert, AlertId, AlertState, Delivery, DeliveryOutcome, Severity};
pub use channel::{ChannelId, ChannelIdError};
pub use document::{Document, DocumentKind, DocumentsBuilder, Lineage};
pub use estimate::{Estimate, Interval};
pub use finding::{Cause, CauseKind, Evidence, Finding, FindingId, Measure, Reference, Verdict};
pub use hour::{Hour, HourError};
pub use job::{Job, JobId, JobState};
pub use label::{DocumentRef, Label, LabelId, LabelledAspect, Selection};
pub use model::{Alias, Family, Metric, Model, ModelRef, ModelRefError, Version};
pub use names::{IdError, NameError};
pub use polarity::{Polarity, Probabilities, ProbabilitiesError};
pub use raw::{Compression, DateOrder, Field, Format, Raw, Reading, Sha256, Sha256Error};
pub use record::{FormatError, Record};
pub use reject::{Reject, RejectCode};
pub use rollup::{Corrected, Correction, Counts, Rollup, Shares};
pub use run::{Failure, Run, RunId, RunState, Trigger};
pub use score::{Aspect, Score, Signal, Span};
pub use window::{Window, WindowError};
