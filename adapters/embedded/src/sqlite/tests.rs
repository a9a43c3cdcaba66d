//! The table's suite on files, and what only a file can show: that it is opened anew, by others, or not at all.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use doxa_ports::clock::{Clock, SimulatedClock, SystemClock};
use doxa_ports::table::{Condition, Error, Item, Key, Page, Query, Table, Version, Write, suite};
use futures::FutureExt;
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

#[tokio::test]
async fn what_was_written_is_there_when_opened_anew() {
    let folder = Folder::new();
    let path = folder.next();
    let clock = Arc::new(SimulatedClock::at(Timestamp::UNIX_EPOCH));
    let end = clock.now() + SignedDuration::from_secs(60);
    let table: Box<dyn Table> = Box::new(open(&path, clock.clone()));
    let kept = table.put(Key::new("p", "kept"), &"é", Condition::Any).await.unwrap();
    let gone = table.put(Key::new("p", "gone"), &1, Condition::Any).await.unwrap();
    let short = Write::Put {
        key: Key::new("p", "short"),
        value: json!(1),
        expires_at: Some(end),
        condition: Condition::Any,
    };
    table.transact(vec![short]).await.unwrap();
    table.delete(Key::new("p", "gone"), Condition::Any).await.unwrap();
    drop(table);

    let table: Box<dyn Table> = Box::new(open(&path, clock.clone()));
    let items = table.query_all(Query::all("p")).await.unwrap();
    let seen: Vec<_> = items.iter().map(|item| (item.key.sort.as_str(), item.expires_at)).collect();
    assert_eq!(seen, [("kept", None), ("short", Some(end))]);
    assert_eq!((&items[0].value, items[0].version), (&json!("é"), kept));
    clock.set(end);
    let anew = table.put(Key::new("p", "gone"), &2, Condition::Absent).await.unwrap();
    assert!(
        anew.0 > gone.0,
        "{anew:?} after {gone:?}: no version comes back, not even of what was deleted before"
    );
    assert_eq!(table.query_all(Query::all("p")).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_file_of_every_released_form_is_read_and_written() {
    let folder = Folder::new();
    let forms = [&include_bytes!("../../fixtures/table-0001.db")[..]];
    for form in forms {
        let path = folder.next();
        fs::write(&path, form).unwrap();
        let clock = Arc::new(SimulatedClock::at("2026-11-21T04:00:00Z".parse().unwrap()));
        let table: Box<dyn Table> = Box::new(open(&path, clock));
        let items = table.query_all(Query::all("fixture")).await.unwrap();
        let told: Vec<_> =
            items.iter().map(|item| format!("{} {} {:?}", item.key, item.value, item.expires_at)).collect();
        let wanted = [
            "fixture plain {\"b\":1.0,\"a\":18446744073709551615} None",
            "fixture é \"😀\" Some(2100-01-01T00:00:00.000001Z)",
        ];
        assert_eq!(told, wanted);
        let next = table.put(Key::new("fixture", "gone"), &1, Condition::Absent).await.unwrap();
        assert_eq!(next, Version(4), "the three versions of the file are not given again");
    }
}

#[tokio::test]
async fn dropping_a_table_finishes_what_was_handed_over() {
    let folder = Folder::new();
    let path = folder.next();
    let table: Arc<dyn Table> = Arc::new(open(&path, Arc::new(SystemClock)));
    for n in 0..50 {
        // Asked once, then forgotten.
        let _answer = table.put(Key::new("p", format!("{n:02}")), &n, Condition::Any).now_or_never();
    }
    drop(table);
    let log = path.with_extension("db-wal");
    assert!(!log.exists(), "the last one to go leaves one file, and no log");
    let table: Arc<dyn Table> = Arc::new(open(&path, Arc::new(SystemClock)));
    assert_eq!(table.query_all(Query::all("p")).await.unwrap().len(), 50);
}

#[tokio::test]
async fn what_has_expired_is_cleared_away() {
    let folder = Folder::new();
    let path = folder.next();
    let clock = Arc::new(SimulatedClock::at(Timestamp::UNIX_EPOCH));
    let table: Arc<dyn Table> = Arc::new(open(&path, clock.clone()));
    let end = clock.now() + SignedDuration::from_secs(60);
    let put = |n| Write::Put {
        key: Key::new("p", format!("{n:02}")),
        value: json!(n),
        expires_at: Some(end),
        condition: Condition::Any,
    };
    table.transact((0..20).map(put).collect()).await.unwrap();
    clock.set(end);
    let rows = || -> u32 {
        let connection = Connection::open(&path).unwrap();
        connection.query_row("SELECT count(*) FROM item WHERE partition = 'p'", [], |row| row.get(0)).unwrap()
    };
    for left in [18, 16, 14] {
        table.put(Key::new("busy", "busy"), &1, Condition::Any).await.unwrap();
        assert_eq!(rows(), left);
    }
}

#[test]
fn many_may_open_a_new_file_at_once() {
    let folder = Folder::new();
    let path = folder.next();
    std::thread::scope(|scope| {
        let opening: Vec<_> =
            (0..8).map(|_| scope.spawn(|| drop(open(&path, Arc::new(SystemClock))))).collect();
        opening.into_iter().for_each(|opened| opened.join().unwrap());
    });
}

/// Whether a file is refused for the right reason, and is afterwards as it was.
fn check_refused(path: &Path, reason: &str) {
    let before = fs::read(path).unwrap();
    let refused = SqliteTable::open(path, Arc::new(SystemClock)).err().expect(reason);
    let told = refused.to_string();
    assert!(told.contains(reason) && told.contains(path.to_str().unwrap()), "{told}");
    assert!(fs::read(path).unwrap() == before, "{reason}: the file was changed");
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "{reason}: nothing lies beside it");
}

#[test]
fn a_file_that_is_not_ours_to_write_is_left_as_it_is() {
    let rows = [
        ("INSERT INTO migration VALUES (2, '0002_later', 'abc', 'x')", "was written by a newer Doxa"),
        ("UPDATE migration SET sha256 = 'abc'", "was made by another migration 1"),
        ("PRAGMA application_id = 7", "is not a file of Doxa's"),
    ];
    for (change, reason) in rows {
        let folder = Folder::new();
        let path = folder.next();
        drop(open(&path, Arc::new(SystemClock)));
        Connection::open(&path).unwrap().execute_batch(change).unwrap();
        check_refused(&path, reason);
    }
    let folder = Folder::new();
    let path = folder.next();
    fs::write(&path, "id,text\n".repeat(1000)).unwrap();
    check_refused(&path, "is not a file of Doxa's");
}

#[test]
fn what_cannot_be_opened_says_where() {
    let folder = Folder::new();
    for path in [folder.place.path().to_owned(), folder.place.path().join("nowhere/t.db")] {
        let refused = SqliteTable::open(&path, Arc::new(SystemClock)).err().expect("it cannot be opened");
        assert!(matches!(&refused, OpenError::Failed { path: told, .. } if *told == path), "{refused}");
    }
}

#[test]
fn an_empty_file_is_a_new_one() {
    let folder = Folder::new();
    let path = folder.next();
    fs::write(&path, "").unwrap();
    for _ in ["new", "known"] {
        drop(open(&path, Arc::new(SystemClock)));
    }
}
