//! The workbench: what the tests of several crates need, and no product ever does.
//!
//! It only ever stands among a crate's `dev-dependencies`. What fails here panics: a test that cannot be set up has
//! failed.

pub mod postgres;
