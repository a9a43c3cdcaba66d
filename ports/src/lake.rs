//! Columnar tables by window, seen only once they are committed; and the landing zone below them.
//!
//! A stage reads a window and replaces its own table for that window. What it writes lies in an object store (files, S3),
//! and what readers see is decided by the [`Table`]: a window's file exists for them once its [`Commit`] stands.
//!
//! ```text
//! landing/{source}/{name}/…                                              bytes as received
//! augmented/{table}/channel={source}%2F{name}/date=…/hour=HH.{digest}.parquet     one file a window
//! staging/…                                                              on the way; swept when the lake is opened
//! ```
//!
//! A file's name ends in the digest of its content. So a rerun that gives the same rows gives the same file; a new
//! generation never touches the bytes of the one that readers still hold; and a writer whose window was replaced in the
//! meantime loses at the commit, where the table can tell, and not at the object store, where nothing could.
//!
//! The order of a write, and what a crash leaves behind at each arrow:
//!
//! ```text
//! upload to staging/  →  note the final key as garbage  →  move it there  →  commit, taking it off the garbage
//!        swept                  nothing to delete           garbage: deleted       it stands
//! ```
//!
//! An object store of files may still be forcing bytes to disk while the next ones are made; the commit waits for it.
//!
//! The commit is one transaction of the table: the commits of all tables that a stage replaced, the garbage notes of the
//! files they replace, and whatever else must be true at the same moment, such as a watermark. Nothing is ever half
//! visible, and no file is left behind that the next [`Lake::sweep`] does not find.

mod garbage;
mod landing;
mod reader;
#[cfg(feature = "suite")]
pub mod suite;
mod upload;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;
use doxa_schema::{ChannelId, FormatError, Hour, Record, Sha256, Window};
use futures::TryStreamExt;
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde::{Deserialize, Serialize};

pub use landing::{Landed, LandingWriter, RawBytes, landing_key};
pub use reader::Scan;
pub use upload::Upload;
pub use writer::Writer;

use crate::clock::Clock;
use crate::table::{self, Condition, Item, Key, Query, Range, Table, Version, Write};

/// Where uploads lie until their name is known.
pub const STAGING: &str = "staging";

/// An object store that answers before what it was given is safe, and can be waited for.
///
/// What a commit names must be safe; until then, making it so can go on beside other work.
#[async_trait]
pub trait Settle: Send + Sync {
    /// Returns once everything that was put or moved before is safe.
    ///
    /// After a crash: what was settled is there.
    async fn settle(&self) -> object_store::Result<()>;
}

/// The lake: an object store for bytes, a table for what is true.
#[derive(Clone)]
pub struct Lake {
    objects: Arc<dyn ObjectStore>,
    settle: Option<Arc<dyn Settle>>,
    table: Arc<dyn Table>,
    clock: Arc<dyn Clock>,
}

/// What makes a window of a table visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The window.
    pub window: Window,
    /// The version of the table's form.
    pub format: u32,
    /// The file; none if the window has no rows in this table.
    pub file: Option<File>,
    /// What the rows were made from, as the stage names it: a rerun from the same is no news.
    pub made_from: String,
    /// When it was committed.
    pub committed_at: Timestamp,
}

impl Commit {
    /// How many rows the window has in this table.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.file.as_ref().map_or(0, |file| file.rows)
    }
}

/// The file of a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Where it lies in the object store.
    pub key: String,
    /// The digest of its bytes.
    pub sha256: Sha256,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many rows it has.
    pub rows: u64,
}

/// A table of a window that is written, but that nobody sees yet: [`Lake::commit`] makes it visible.
#[must_use = "what is staged is seen by nobody until it is committed"]
#[derive(Debug)]
pub struct Staged {
    table: &'static str,
    commit: Commit,
    /// The commit as it stood when the writer began: whoever changed it since has won.
    before: Option<Item>,
    intent: Option<(Key, Version)>,
}

impl Staged {
    /// How many rows it will have.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.commit.rows()
    }
}

/// Why the lake did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else replaced the window while it was being written. Nothing was changed.
    #[error("another writer has replaced `{0}` in the meantime")]
    Replaced(String),
    /// The object store failed.
    #[error("cannot {attempt} `{key}`")]
    Object {
        /// What was tried.
        attempt: &'static str,
        /// On which object.
        key: String,
        /// What the store said.
        #[source]
        cause: object_store::Error,
    },
    /// The bytes that were to be stored could not be read from where they come.
    #[error("cannot read what is to be stored")]
    Input(#[source] std::io::Error),
    /// The table failed.
    #[error(transparent)]
    Table(#[from] table::Error),
    /// A file cannot be decoded, or a batch not encoded.
    #[error("cannot {attempt} the rows of `{key}`")]
    Parquet {
        /// What was tried.
        attempt: &'static str,
        /// Of which file.
        key: String,
        /// What Parquet said.
        #[source]
        cause: parquet::errors::ParquetError,
    },
    /// A file's columns are not those of its table.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// A file was written by a newer program.
    #[error("`{key}` has format {found} of table `{table}`; this program knows up to {known}")]
    Newer {
        /// The file.
        key: String,
        /// The table.
        table: &'static str,
        /// Its format.
        found: u32,
        /// The newest format that this program knows.
        known: u32,
    },
    /// A committed file's bytes are not what was committed.
    #[error("`{key}` is damaged: its digest is not that of its commit")]
    Damaged {
        /// The file.
        key: String,
    },
}

fn object_error(attempt: &'static str, key: &Path) -> impl FnOnce(object_store::Error) -> Error {
    let key = key.to_string();
    move |cause| Error::Object { attempt, key, cause }
}

fn commits_partition(table: &str, channel: &ChannelId) -> String {
    format!("lake/{table}/{channel}")
}

fn commit_key(table: &str, window: &Window) -> Key {
    Key::new(commits_partition(table, &window.channel), window.hour.to_string())
}

fn channels_partition(table: &str) -> String {
    format!("lake/{table}")
}

impl Lake {
    /// A lake of an object store and a table.
    #[must_use]
    pub fn new(objects: Arc<dyn ObjectStore>, table: Arc<dyn Table>, clock: Arc<dyn Clock>) -> Self {
        Self { objects, settle: None, table, clock }
    }

    /// With an object store that must be waited for before a commit.
    #[must_use]
    pub fn settling(self, settle: Arc<dyn Settle>) -> Self {
        Self { settle: Some(settle), ..self }
    }

    /// The twin in memory.
    #[must_use]
    pub fn in_memory(clock: Arc<dyn Clock>) -> Self {
        let table = Arc::new(table::MemoryTable::new(clock.clone()));
        Self::new(Arc::new(object_store::memory::InMemory::new()), table, clock)
    }

    /// The clock that commits are dated by.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The commit of a window, if it stands.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn committed<R: Record>(&self, window: &Window) -> Result<Option<Commit>, Error> {
        let item = self.table.get(&commit_key(R::TABLE, window)).await?;
        Ok(item.map(|item| item.parse()).transpose()?)
    }

    /// The committed windows of a channel from one hour to another (not included), in order.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn list<R: Record>(
        &self,
        channel: &ChannelId,
        hours: std::ops::Range<Hour>,
    ) -> Result<Vec<Commit>, Error> {
        let range = Range::Between(hours.start.to_string(), hours.end.to_string());
        let query = Query::all(commits_partition(R::TABLE, channel)).range(range);
        let items = self.table.query_all(query).await?;
        Ok(items.iter().map(Item::parse).collect::<Result<_, _>>()?)
    }

    /// The channels that ever had a window in a table, in order.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn channels<R: Record>(&self) -> Result<Vec<ChannelId>, Error> {
        let items = self.table.query_all(Query::all(channels_partition(R::TABLE))).await?;
        Ok(items.iter().map(Item::parse).collect::<Result<_, _>>()?)
    }

    /// Replaces a table of a window by these rows, and makes them visible.
    ///
    /// After a crash: the window has the old rows or the new ones, never some of both.
    ///
    /// # Errors
    /// If the store fails, or another writer was faster.
    pub async fn replace<R: Record>(
        &self,
        window: &Window,
        made_from: &str,
        rows: &[R],
    ) -> Result<Commit, Error> {
        let mut writer = self.writer::<R>(window).await?;
        writer.write(R::batch(rows)).await?;
        let staged = writer.finish(made_from).await?;
        let commit = staged.commit.clone();
        self.commit(vec![staged], Vec::new()).await?;
        Ok(commit)
    }

    /// Begins to replace a table of a window, batch by batch.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn writer<R: Record>(&self, window: &Window) -> Result<Writer<R>, Error> {
        let before = self.table.get(&commit_key(R::TABLE, window)).await?;
        Ok(Writer::start(self.clone(), window.clone(), before))
    }

    /// Makes what was staged visible, all of it and the other writes at one moment, or nothing.
    ///
    /// After a crash: everything stands, or nothing does and the next [`Lake::sweep`] removes the files.
    ///
    /// # Errors
    /// If another writer was faster ([`Error::Replaced`]), or a condition of the other writes does not hold
    /// ([`table::Error::Conflict`]), or the store fails.
    pub async fn commit(&self, staged: Vec<Staged>, with: Vec<Write>) -> Result<(), Error> {
        let mut writes = Vec::new();
        let mut replaced = Vec::new();
        for one in &staged {
            let condition =
                one.before.as_ref().map_or(Condition::Absent, |item| Condition::Version(item.version));
            writes.push(Write::put(commit_key(one.table, &one.commit.window), &one.commit, condition)?);
            let channel = &one.commit.window.channel;
            let index = Key::new(channels_partition(one.table), channel.as_str());
            writes.push(Write::put(index, channel, Condition::Any)?);
            writes.extend(
                one.intent
                    .iter()
                    .map(|(key, version)| Write::delete(key.clone(), Condition::Version(*version))),
            );
            if let Some(old) = one.superseded()? {
                writes.push(self.garbage_note(&old.key, one.table, &one.commit.window)?);
                replaced.push(old.key);
            }
        }
        let own_writes = writes.len();
        writes.extend(with);
        if let Some(settle) = &self.settle {
            settle.settle().await.map_err(object_error("make safe", &Path::default()))?;
        }
        match self.table.transact(writes).await {
            Err(table::Error::Conflict { index, key, .. }) if index < own_writes => {
                return Err(Error::Replaced(key.to_string()));
            }
            other => other?,
        };
        for key in replaced {
            self.delete_garbage(&key).await?;
        }
        Ok(())
    }

    /// Takes a table of a window away.
    ///
    /// After a crash: it is there in whole, or gone.
    ///
    /// # Errors
    /// If the store fails, or a writer replaced it at the same moment.
    pub async fn drop<R: Record>(&self, window: &Window) -> Result<(), Error> {
        let key = commit_key(R::TABLE, window);
        let Some(item) = self.table.get(&key).await? else { return Ok(()) };
        let commit: Commit = item.parse()?;
        let mut writes = vec![Write::delete(key.clone(), Condition::Version(item.version))];
        if let Some(file) = &commit.file {
            writes.push(self.garbage_note(&file.key, R::TABLE, window)?);
        }
        match self.table.transact(writes).await {
            Err(table::Error::Conflict { key, .. }) => return Err(Error::Replaced(key.to_string())),
            other => other?,
        };
        match commit.file {
            Some(file) => self.delete_garbage(&file.key).await,
            None => Ok(()),
        }
    }

    /// Every object below a prefix, with its size: for `doctor`, digests and tests.
    ///
    /// # Errors
    /// If the object store fails.
    pub async fn objects(&self, prefix: &str) -> Result<Vec<(String, u64)>, Error> {
        let prefix = Path::from(prefix);
        let found: Vec<_> =
            self.objects.list(Some(&prefix)).try_collect().await.map_err(object_error("list", &prefix))?;
        let mut found: Vec<_> =
            found.into_iter().map(|meta| (meta.location.to_string(), meta.size)).collect();
        found.sort_unstable();
        Ok(found)
    }

    async fn delete_object(&self, key: &str) -> Result<(), Error> {
        let path = parse_key(key)?;
        match self.objects.delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(cause) => Err(object_error("delete", &path)(cause)),
        }
    }
}

impl Staged {
    /// The file that the commit puts out of use.
    fn superseded(&self) -> Result<Option<File>, Error> {
        let Some(item) = &self.before else { return Ok(None) };
        let old: Commit = item.parse()?;
        let new_key = self.commit.file.as_ref().map(|file| file.key.as_str());
        Ok(old.file.filter(|file| Some(file.key.as_str()) != new_key))
    }
}

fn parse_key(key: &str) -> Result<Path, Error> {
    Path::parse(key).map_err(|cause| Error::Object {
        attempt: "name",
        key: key.to_owned(),
        cause: cause.into(),
    })
}

/// Where the file of a window lies.
fn window_key(table: &str, window: &Window, digest: &Sha256) -> String {
    let (channel, hour) = (&window.channel, window.hour);
    format!(
        "augmented/{table}/channel={}%2F{}/date={}/hour={:02}.{}.parquet",
        channel.source(),
        channel.name(),
        hour.date(),
        hour.of_day(),
        digest.short()
    )
}

#[cfg(all(test, feature = "suite"))]
mod tests {
    use std::sync::Arc;

    use super::suite;
    use crate::table::MemoryTable;

    #[tokio::test]
    async fn the_twin_in_memory_passes_the_suite() {
        suite::run(async |clock| -> suite::Stores {
            let objects: Arc<dyn object_store::ObjectStore> = Arc::new(object_store::memory::InMemory::new());
            let table: Arc<dyn crate::table::Table> = Arc::new(MemoryTable::new(clock));
            (objects, table)
        })
        .await;
    }
}
