//! One file a command.

pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod demo;
pub(crate) mod digest;
pub(crate) mod doctor;
pub(crate) mod documents;
pub(crate) mod import;
pub(crate) mod notify;
pub(crate) mod version;
pub(crate) mod windows;
