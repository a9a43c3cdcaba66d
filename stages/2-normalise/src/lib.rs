//! Stage 2: raw bytes into documents and rejects.
//!
//! What comes in: the raw objects of a window, each with its [`doxa_schema::Reading`]. What goes out: that window's
//! `documents` and `rejects`, replaced whole.
//!
//! ```text
//! raw bytes ─ decode ─→ characters ─ csv │ json_lines │ parquet ─→ rows ─ canonical ─→ documents
//!              caps       encodings         bounded memory                    ╰──→ rejects
//! ```
//!
//! [`probe`] looks at the beginning of a file and finds its reading: the format, the encoding, which column is the text.
//! What it cannot know it asks for; nothing is guessed in silence.
//!
//! What never happens here: a row is dropped without a reject, or a bad row costs the file. A file that cannot be read to
//! its end (a bomb, a broken archive) is refused as a whole, and nothing of it is kept.

pub mod probe;
pub mod run;

mod author;
mod canonical;
mod cell;
mod csv;
mod decode;
mod duplicates;
mod json_lines;
mod mapping;
mod parquet_rows;
mod records;
mod rows;
mod time;

pub use author::AuthorKey;
pub use decode::{FileError, Limits};
pub use mapping::MappingError;
