//! The nouns, as they stand on disk and wire.
//!
//! What people say arrives as [`Raw`] bytes of one [`Window`] of one channel, becomes [`Document`]s and [`Reject`]s, and
//! each of these is one value type here: with serde for the wire, and, where it is stored as a table of the lake, with
//! its columns ([`Record`]).
//!
//! What never happens here: I/O, a clock, a decision. A noun says what a thing *is*; the stages say what is done with it.
//!
//! Disk and wire outlive the process. Every table carries a format version, every version keeps a fixture under
//! `fixtures/`, and a field that is added later is optional.

mod channel;
mod hour;
mod window;

mod raw;

pub mod columns;
mod document;
mod record;
mod reject;

pub use channel::{ChannelId, ChannelIdError};
pub use document::{Document, DocumentKind, DocumentsBuilder, Lineage};
pub use hour::{Hour, HourError};
pub use raw::{Compression, DateOrder, Field, Format, Raw, Reading, Sha256, Sha256Error};
pub use record::{FormatError, Record};
pub use reject::{Reject, RejectCode};
pub use window::{Window, WindowError};
