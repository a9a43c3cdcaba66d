//! The plugs for a machine of its own.

mod files;
mod lock;
pub mod notify;
mod secrets;
pub mod sqlite;

pub use files::Files;
pub use lock::{DirectoryLock, Holder, LockError};
pub use secrets::LocalSecrets;
pub use sqlite::SqliteTable;
