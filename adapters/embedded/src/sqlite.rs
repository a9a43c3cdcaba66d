//! The table in one SQLite file: one thread writes, a few connections read, and any process may do so at once.
//!
//! - **A transaction is acknowledged once it is on the disk.** The journal is a write-ahead log that is synced at every
//!   commit. The writing thread takes what has queued up behind the last commit and commits it together: under load many
//!   transactions share one sync, and a lone one waits for nobody.
//! - **A transaction of the table is whole within such a batch.** Its conditions are looked at before it writes anything,
//!   so a refusal leaves nothing to undo. No one is told anything, not even of a refusal, before the batch stands.
//! - **A store in doubt writes no more.** If the disk fails at a write or a sync, nobody can say what is on it. All later
//!   writes are refused until the file is opened anew, which replays the log. A full disk is no such doubt: the batch is
//!   rolled back, and the next may succeed.
//! - **Versions are numbers from a sequence in the file**, taken in the transaction that uses them.
//! - **Expired items are cleared away in passing**, by each batch at most twice as many as it writes: what has expired
//!   cannot pile up, and no batch waits for a great cleaning.

mod fault;
mod migrations;
mod reader;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use async_trait::async_trait;
use doxa_ports::clock::Clock;
use doxa_ports::table::{
    Error, Item, Key, Page, Query, Table, Version, Write, check_key, check_query, check_writes,
};
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{mpsc, oneshot};

use self::fault::Fault;
use self::reader::Readers;
use self::writer::{Job, Statement, Writer};

/// How many transactions may wait to be written before their callers wait to hand them over.
const QUEUE: usize = 1024;
const WRITE: &str = "write";

/// Why a file could not be opened as a table. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It is of a later version of Doxa.
    #[error("`{path}` was written by a newer Doxa: it has migration {found}, this one knows {known}", path = .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The number of its last migration.
        found: u32,
        /// The number of the last that this program has.
        known: u32,
    },
    /// It was made by other statements than this program has under the same number.
    #[error("`{path}` was made by another migration {number} than this Doxa has: it is of an unreleased build", path = .path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// The number of the migration.
        number: u32,
    },
    /// It is not Doxa's.
    #[error("`{path}` is not a file of Doxa's", path = .path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// The file system under it does not allow for a shared log, as some network file systems do not.
    #[error("`{path}` cannot have a write-ahead log where it lies; a local disk is needed", path = .path.display())]
    NoLog {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read or written, or there is no thread for it.
    #[error("cannot open `{path}`", path = .path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A table in a file.
///
/// Dropping it waits for what is being written.
pub struct SqliteTable {
    path: Arc<Path>,
    jobs: Option<mpsc::Sender<Job>>,
    writer: Option<JoinHandle<()>>,
    readers: Arc<Readers>,
}

impl SqliteTable {
    /// Opens a file, or makes it, and brings it to this version's form; items expire by this clock.
    ///
    /// It reads and writes the disk before it returns. After a crash: the file has each migration in whole or not at all.
    ///
    /// # Errors
    /// If the file is not one that this version can write; it is then left as it was.
    pub fn open(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let failed = |cause| OpenError::Failed { path: path.as_ref().to_owned(), cause };
        // Absolute, so that a change of folder cannot lead a reader that is opened later to another file.
        let path: Arc<Path> = std::path::absolute(&path).map_err(|cause| failed(cause.into()))?.into();
        let connection = open_to_write(&path, &*clock)?;
        let (jobs, queue) = mpsc::channel(QUEUE);
        let mut writer = Writer::new(path.clone(), connection, clock.clone());
        let writer =
            std::thread::Builder::new().name("doxa-table".to_owned()).spawn(move || writer.run(queue));
        let writer = writer.map_err(|cause| failed(cause.into()))?;
        let readers = Arc::new(Readers::new(path.clone(), clock));
        Ok(Self { path, jobs: Some(jobs), writer: Some(writer), readers })
    }

    fn gone(&self) -> Error {
        Error::store(WRITE, Fault::Gone { path: self.path.clone() })
    }
}

fn open_to_write(path: &Arc<Path>, clock: &dyn Clock) -> Result<Connection, OpenError> {
    let failed = |cause| OpenError::Failed { path: path.to_path_buf(), cause: Fault::of(path, cause).into() };
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(fault::PATIENCE).map_err(failed)?;
    migrations::check(path, &connection)?;
    let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0));
    if mode.map_err(failed)? != "wal" {
        return Err(OpenError::NoLog { path: path.to_path_buf() });
    }
    // The two of full syncs make macOS write through its disks' caches, and are nothing elsewhere.
    let pragmas = "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON;
        PRAGMA journal_size_limit = 67108864;";
    connection.execute_batch(pragmas).map_err(failed)?;
    migrations::apply(path, &mut connection, clock.now())?;
    Ok(connection)
}

#[async_trait]
impl Table for SqliteTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Error> {
        check_key(key)?;
        self.readers.get(key).await
    }

    async fn query(&self, query: &Query) -> Result<Page, Error> {
        check_query(query)?;
        self.readers.query(query).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Option<Version>>, Error> {
        check_writes(&writes)?;
        let statements = writes.into_iter().map(Statement::try_from).collect::<Result<_, _>>()?;
        let (answer, answered) = oneshot::channel();
        let jobs = self.jobs.as_ref().expect("only dropping the table takes its queue");
        jobs.send(Job { statements, answer }).await.map_err(|_| self.gone())?;
        answered.await.map_err(|_| self.gone())?
    }
}

impl Drop for SqliteTable {
    fn drop(&mut self) {
        // Readers first: the last connection to go moves the log into the file, which a reader may not.
        self.readers.close();
        drop(self.jobs.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!(path = %self.path.display(), "the writer of the table had panicked");
        }
    }
}
