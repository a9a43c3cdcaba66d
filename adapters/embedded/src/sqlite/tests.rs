//! The table's suite on files, and what only a file can show: that it is opened anew, by others, or not at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use doxa_ports::clock::{Clock, SimulatedClock, SystemClock};
use doxa_ports::table::{Condition, Error, Item, Key, Page, Query, Table, Version, Write, suite};
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use super::{OpenError, SqliteTable};

/// Two doors to one file; each call goes through the other one than the last.
struct TwoDoors {
    doors: [SqliteTable; 2],
    calls: AtomicUsize,
}

impl TwoDoors {
    fn next(&self) -> &SqliteTable {
        &self.doors[self.calls.fetch_add(1, Ordering::Relaxed) % 2]
    }
}

#[async_trait]
impl Table for TwoDoors {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Error> {
        self.next().get(key).await
    }

    async fn query(&self, query: &Query) -> Result<Page, Error> {
        self.next().query(query).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Option<Version>>, Error> {
        self.next().transact(writes).await
    }
}

/// A folder in which every file is another.
struct Folder {
    place: TempDir,
    files: AtomicUsize,
}

impl Folder {
    fn new() -> Self {
        Self { place: TempDir::new().unwrap(), files: AtomicUsize::new(0) }
    }

    fn next(&self) -> PathBuf {
        self.place.path().join(format!("{}.db", self.files.fetch_add(1, Ordering::Relaxed)))
    }
}

fn open(path: &Path, clock: Arc<dyn Clock>) -> SqliteTable {
    SqliteTable::open(path, clock).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keeps_every_promise() {
    let folder = Folder::new();
    suite::run(async |clock| open(&folder.next(), clock)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keeps_every_promise_with_two_who_write() {
    let folder = Folder::new();
    suite::run(async |clock| {
        let path = folder.next();
        let doors = [open(&path, clock.clone()), open(&path, clock)];
        TwoDoors { doors, calls: AtomicUsize::new(0) }
    })
    .await;
}
