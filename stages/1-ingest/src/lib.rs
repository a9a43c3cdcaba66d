//! Stage 1: what sources give, into the landing zone.
//!
//! What comes in: a source's bytes. What goes out: the same bytes in the landing zone, with a [`doxa_schema::Raw`] that
//! says where they came from, when, and how they are to be read. Nothing is changed, left out or understood here; a raw
//! object that turns out to be unreadable is still there as it came.
//!
//! What has landed is seen by nobody until it is recorded. Whoever lands decides when: the record belongs into the commit
//! that makes the rest of the work visible.

pub mod files;
