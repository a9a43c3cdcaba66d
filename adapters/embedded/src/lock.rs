//! One writer a data directory, and whoever comes second is told who it is.
//!
//! The lock is the operating system's, on `doxa.lock`: it goes with the process that holds it, however that ends. What the
//! file says is only for people. It is advice: nothing but our own good manners keeps a program from writing regardless.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

const NAME: &str = "doxa.lock";

/// The lock on a data directory; it is given back when this is dropped.
#[derive(Debug)]
pub struct DirectoryLock {
    file: File,
}

/// Who holds a lock, as the file tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The id of the process.
    pub process: u32,
    /// What it was asked to do: `doxa import big.csv`.
    pub command: String,
    /// Since when.
    pub since: Timestamp,
}

/// Why a lock was not given.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody has it.
    #[error("the data directory {} is in use{}", .folder.display(), told(.holder.as_ref()))]
    Held {
        /// The directory.
        folder: PathBuf,
        /// Who, if the file tells.
        holder: Option<Holder>,
    },
    /// The file of the lock cannot be used.
    #[error("cannot lock the data directory {}", .folder.display())]
    Failed {
        /// The directory.
        folder: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

fn told(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |Holder { process, command, since }| {
        format!(" by process {process} (`{command}`, since {since})")
    })
}

impl DirectoryLock {
    /// Takes the lock of a directory, which must be there. `command` is what others are told.
    ///
    /// After a crash: the lock is free, whatever the file says.
    ///
    /// # Errors
    /// If somebody has it, or the file cannot be written.
    pub fn acquire(folder: &Path, command: &str) -> Result<Self, LockError> {
        let failed = |cause| LockError::Failed { folder: folder.to_owned(), cause };
        let mut options = OpenOptions::new();
        // Not truncated: what it says is the holder's, until the lock is ours.
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(folder.join(NAME)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held { folder: folder.to_owned(), holder: read(&mut file) });
            }
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        let now = Timestamp::now();
        let since = now.round(Unit::Second).unwrap_or(now);
        let holder = Holder { process: std::process::id(), command: command.to_owned(), since };
        write(&mut file, &holder).map_err(failed)?;
        Ok(Self { file })
    }
}

impl Drop for DirectoryLock {
    fn drop(&mut self) {
        // What it says is no longer true. If that cannot be written, it is a stale word under a free lock: harmless.
        let _stale = self.file.set_len(0);
    }
}

/// What the file says, if it is whole.
fn read(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(4096).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn write(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(serde_json::to_string(holder)?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_was_first() {
        let folder = tempfile::tempdir().unwrap();
        let first = DirectoryLock::acquire(folder.path(), "doxa up").unwrap();
        let error = DirectoryLock::acquire(folder.path(), "doxa import").unwrap_err();
        let LockError::Held { holder: Some(holder), .. } = &error else { panic!("{error:?}") };
        assert_eq!((holder.process, holder.command.as_str()), (std::process::id(), "doxa up"));
        let words = error.to_string();
        assert!(words.contains("is in use by process") && words.contains("(`doxa up`, since "), "{words}");
        drop(first);
        drop(DirectoryLock::acquire(folder.path(), "doxa import").unwrap());
    }

    #[test]
    fn what_a_crash_left_in_the_file_is_harmless() {
        for left in [
            "",
            "{\"process\":1,\"comm",
            "{\"process\":1,\"command\":\"x\",\"since\":\"2026-11-21T00:00:00Z\"}",
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(NAME), left).unwrap();
            let _mine = DirectoryLock::acquire(folder.path(), "doxa up").unwrap();
            let error = DirectoryLock::acquire(folder.path(), "doxa up").unwrap_err();
            assert!(error.to_string().contains("doxa up"), "{left}: {error}");
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = DirectoryLock::acquire(&folder.path().join("nowhere"), "doxa up").unwrap_err();
        assert!(
            matches!(&error, LockError::Failed { folder, .. } if folder.ends_with("nowhere")),
            "{error:?}"
        );
    }
}
