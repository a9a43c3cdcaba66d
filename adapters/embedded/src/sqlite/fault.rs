//! What SQLite's errors mean to whoever has to do something about them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::ErrorCode;

/// How long to wait for another process that writes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A failure of the file. One can stand in the answers to all transactions of a batch.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Fault {
    #[error("the disk is full: `{path}` cannot grow", path = .path.display())]
    DiskFull { path: Arc<Path> },
    #[error("another process has kept `{path}` locked for {secs} s", path = .path.display(), secs = PATIENCE.as_secs())]
    Locked { path: Arc<Path> },
    #[error("`{path}` cannot be read or written{code}", path = .path.display(), code = told(.cause))]
    Failed {
        path: Arc<Path>,
        #[source]
        cause: Arc<rusqlite::Error>,
    },
    #[error(
        "an earlier write to `{path}` failed, so nothing more is written to it until it is opened anew",
        path = .path.display()
    )]
    InDoubt {
        path: Arc<Path>,
        #[source]
        cause: Arc<Fault>,
    },
    #[error("the thread that writes `{path}` is gone", path = .path.display())]
    Gone { path: Arc<Path> },
}

impl Fault {
    pub(super) fn of(path: &Arc<Path>, cause: rusqlite::Error) -> Self {
        let path = path.clone();
        match cause.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            _ => Self::Failed { path, cause: Arc::new(cause) },
        }
    }

    /// Whether the file is certainly as before the transaction that met with it.
    pub(super) fn is_harmless(&self) -> bool {
        match self {
            Self::DiskFull { .. } | Self::Locked { .. } => true,
            Self::Failed { .. } | Self::InDoubt { .. } | Self::Gone { .. } => false,
        }
    }
}

/// SQLite's words say little of an error of the disk ("disk I/O error"); its number says at which call.
fn told(cause: &rusqlite::Error) -> String {
    match cause.sqlite_error() {
        Some(error) => format!(" (SQLite's error {})", error.extended_code),
        None => String::new(),
    }
}
