//! What SQLite's errors mean to whoever has to do something about them.

use std::io;
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
    DiskFull { path: Arc<Path>, undone: Undone },
    #[error("another process has kept `{path}` locked for {secs} s", path = .path.display(), secs = PATIENCE.as_secs())]
    Locked { path: Arc<Path> },
    // The words and not the source: SQLite's own say the same twice.
    #[error("`{path}` cannot be read or written: {cause}{code}", path = .path.display(), code = code(.cause))]
    Failed { path: Arc<Path>, cause: Arc<rusqlite::Error> },
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

/// What is known of a transaction that met with a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Undone {
    Certainly,
    Perhaps,
}

impl Fault {
    /// To be called where the error arose: it may ask what the system said last.
    pub(super) fn of(path: &Arc<Path>, cause: rusqlite::Error) -> Self {
        let path = path.clone();
        match cause.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path, undone: Undone::Certainly },
            // SQLite calls the disk full only where it writes, not where it grows the log's index or syncs.
            Some(ErrorCode::SystemIoFailure) if system_has_no_space() => {
                Self::DiskFull { path, undone: Undone::Perhaps }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked { path },
            _ => Self::Failed { path, cause: Arc::new(cause) },
        }
    }

    /// What is known of the transaction that met with it.
    pub(super) fn undone(&self) -> Undone {
        match self {
            Self::DiskFull { undone, .. } => *undone,
            Self::Locked { .. } => Undone::Certainly,
            Self::Failed { .. } | Self::InDoubt { .. } | Self::Gone { .. } => Undone::Perhaps,
        }
    }
}

fn system_has_no_space() -> bool {
    matches!(io::Error::last_os_error().kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// SQLite's words say little of an error of the disk ("disk I/O error"); its number says at which call.
fn code(cause: &rusqlite::Error) -> String {
    cause
        .sqlite_error()
        .map_or_else(String::new, |error| format!(" (SQLite's error {})", error.extended_code))
}
