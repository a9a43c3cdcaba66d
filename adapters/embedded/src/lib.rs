//! The plugs for a machine of its own.

mod files;
pub mod notify;
mod secrets;

pub use files::Files;
pub use secrets::LocalSecrets;
