//! The plugs for a machine of its own.

mod files;

pub use files::Files;
