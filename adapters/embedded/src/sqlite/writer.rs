//! The one thread that writes: what has queued up is committed together.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use doxa_ports::clock::Clock;
use doxa_ports::table::{Condition, Error, Key, Version, Write, value_text};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use super::WRITE;
use super::fault::{Fault, Undone};

/// A batch is closed once it has so many statements, or so many bytes of values: who waits for it shall not wait long.
const BATCH_STATEMENTS: usize = 512;
const BATCH_BYTES: usize = 4 << 20;

/// How long to look out for the next job before falling asleep: about as long as a caller takes to come back with one.
/// Waking a thread takes half as long as a quick disk takes to sync, and whoever puts one item after the other waits for
/// it each time: `examples/table_puts.rs` measured up to 1.8 of the bare statement's time without, 1.2 to 1.3 with it.
const AWAKE: Duration = Duration::from_micros(100);

const FIND: &str = "SELECT version FROM item
    WHERE partition = ?1 AND sort = ?2 AND (expires_at IS NULL OR expires_at > ?3)";
const PUT: &str = "INSERT INTO item (partition, sort, version, expires_at, value) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (partition, sort) DO UPDATE
    SET version = excluded.version, expires_at = excluded.expires_at, value = excluded.value";
const DELETE: &str = "DELETE FROM item WHERE partition = ?1 AND sort = ?2";
const EXPIRED: &str = "SELECT partition, sort FROM item WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2";
const LAST_VERSION: &str = "SELECT last FROM sequence";
const SET_LAST_VERSION: &str = "UPDATE sequence SET last = ?1";

type Answer = Result<Vec<Option<Version>>, Error>;

/// A transaction, and where its outcome is awaited.
pub(super) struct Job {
    pub(super) statements: Vec<Statement>,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// One write of a transaction, ready for the file.
pub(super) struct Statement {
    key: Key,
    condition: Condition,
    effect: Effect,
}

enum Effect {
    Put { text: String, expires_at: Option<i64> },
    Delete,
    Nothing,
}

impl TryFrom<Write> for Statement {
    type Error = Error;

    fn try_from(write: Write) -> Result<Self, Error> {
        Ok(match write {
            Write::Put { key, value, expires_at, condition } => {
                let text = value_text(&key, &value)?;
                let expires_at = expires_at.map(Timestamp::as_microsecond);
                Self { key, condition, effect: Effect::Put { text, expires_at } }
            }
            Write::Delete { key, condition } => Self { key, condition, effect: Effect::Delete },
            Write::Check { key, condition } => Self { key, condition, effect: Effect::Nothing },
        })
    }
}

pub(super) struct Writer {
    path: Arc<Path>,
    connection: Connection,
    clock: Arc<dyn Clock>,
    /// Why nothing may be written any more.
    doubt: Option<Fault>,
}

impl Writer {
    pub(super) fn new(path: Arc<Path>, connection: Connection, clock: Arc<dyn Clock>) -> Self {
        Self { path, connection, clock, doubt: None }
    }

    /// Writes until nobody can hand over anything more and all that was handed over is answered.
    pub(super) fn run(&mut self, mut queue: mpsc::Receiver<Job>) {
        while let Some(first) = next(&mut queue) {
            let batch = gather(first, &mut queue);
            let answers = self.write(&batch);
            for (job, answer) in batch.into_iter().zip(answers) {
                // Whoever no longer waits has its transaction all the same.
                let _waits = job.answer.send(answer);
            }
        }
    }

    fn write(&mut self, batch: &[Job]) -> Vec<Answer> {
        if let Some(doubt) = &self.doubt {
            return refuse(batch, doubt);
        }
        commit(&self.connection, &*self.clock, batch).unwrap_or_else(|cause| {
            let fault = Fault::of(&self.path, cause);
            if fault.undone() != Undone::Certainly || !self.connection.is_autocommit() {
                tracing::error!(%fault, "the table is written no more until it is opened anew");
                self.doubt = Some(Fault::InDoubt { path: self.path.clone(), cause: Arc::new(fault.clone()) });
            }
            refuse(batch, &fault)
        })
    }
}

/// The next job, as soon as there is one; none once nobody can hand over any.
fn next(queue: &mut mpsc::Receiver<Job>) -> Option<Job> {
    let start = Instant::now();
    while start.elapsed() < AWAKE {
        match queue.try_recv() {
            Ok(job) => return Some(job),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => std::thread::yield_now(),
        }
    }
    queue.blocking_recv()
}

fn refuse(batch: &[Job], fault: &Fault) -> Vec<Answer> {
    batch.iter().map(|_| Err(Error::store(WRITE, fault.clone()))).collect()
}

/// The first job and what waits behind it, up to a batch.
fn gather(first: Job, queue: &mut mpsc::Receiver<Job>) -> Vec<Job> {
    let mut batch = vec![first];
    let (mut statements, mut bytes) = batch[0].size();
    while statements < BATCH_STATEMENTS && bytes < BATCH_BYTES {
        let Ok(next) = queue.try_recv() else { break };
        let (more_statements, more_bytes) = next.size();
        (statements, bytes) = (statements + more_statements, bytes + more_bytes);
        batch.push(next);
    }
    batch
}

/// Writes all of a batch, or nothing; the answers are true once this returns.
fn commit(connection: &Connection, clock: &dyn Clock, batch: &[Job]) -> rusqlite::Result<Vec<Answer>> {
    // By hand, not by `rusqlite::Transaction`, which would have each of the two words parsed anew every time.
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let written = write_all(connection, clock, batch).and_then(|answers| {
        connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(answers)
    });
    if written.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    written
}

fn write_all(connection: &Connection, clock: &dyn Clock, batch: &[Job]) -> rusqlite::Result<Vec<Answer>> {
    // Read when the file is ours: waiting for it may have taken long.
    let now = clock.now().as_microsecond();
    let first: i64 = connection.prepare_cached(LAST_VERSION)?.query_row([], |row| row.get(0))?;
    let mut last = first;
    let answers: Vec<_> =
        batch.iter().map(|job| job.write(connection, now, &mut last)).collect::<Result<_, _>>()?;
    if last > first {
        connection.prepare_cached(SET_LAST_VERSION)?.execute([last])?;
        clear_expired(connection, now, 2 * (last - first))?;
    }
    Ok(answers)
}

fn clear_expired(connection: &Connection, now: i64, most: i64) -> rusqlite::Result<()> {
    let mut expired = connection.prepare_cached(EXPIRED)?;
    let expired = expired.query_map((now, most), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let keys: Vec<(String, String)> = expired.collect::<Result<_, _>>()?;
    let mut delete = connection.prepare_cached(DELETE)?;
    keys.iter().try_for_each(|(partition, sort)| delete.execute((partition, sort)).map(drop))
}

impl Job {
    fn size(&self) -> (usize, usize) {
        (self.statements.len(), self.statements.iter().map(Statement::bytes).sum())
    }

    fn write(&self, connection: &Connection, now: i64, last: &mut i64) -> rusqlite::Result<Answer> {
        for (index, statement) in self.statements.iter().enumerate() {
            if !statement.may_run(connection, now)? {
                let (key, condition) = (statement.key.clone(), statement.condition);
                return Ok(Err(Error::Conflict { index, key, condition }));
            }
        }
        let versions = self.statements.iter().map(|statement| statement.run(connection, last));
        versions.collect::<Result<_, _>>().map(Ok)
    }
}

impl Statement {
    fn bytes(&self) -> usize {
        match &self.effect {
            Effect::Put { text, .. } => text.len(),
            Effect::Delete | Effect::Nothing => 0,
        }
    }

    fn may_run(&self, connection: &Connection, now: i64) -> rusqlite::Result<bool> {
        match self.condition {
            Condition::Any => Ok(true),
            Condition::Absent => Ok(self.find(connection, now)?.is_none()),
            Condition::Version(wanted) => Ok(self.find(connection, now)? == Some(wanted)),
        }
    }

    fn find(&self, connection: &Connection, now: i64) -> rusqlite::Result<Option<Version>> {
        let mut find = connection.prepare_cached(FIND)?;
        let found: Option<i64> =
            find.query_row((&self.key.partition, &self.key.sort, now), |row| row.get(0)).optional()?;
        Ok(found.map(|version| Version(version.cast_unsigned())))
    }

    fn run(&self, connection: &Connection, last: &mut i64) -> rusqlite::Result<Option<Version>> {
        let Key { partition, sort } = &self.key;
        match &self.effect {
            Effect::Put { text, expires_at } => {
                *last += 1;
                connection.prepare_cached(PUT)?.execute((partition, sort, *last, expires_at, text))?;
                Ok(Some(Version(last.cast_unsigned())))
            }
            Effect::Delete => {
                connection.prepare_cached(DELETE)?.execute((partition, sort))?;
                Ok(None)
            }
            Effect::Nothing => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::open_to_write;
    use doxa_ports::clock::SystemClock;
    use serde_json::json;
    use tempfile::TempDir;

    fn writer(folder: &TempDir) -> Writer {
        let path: Arc<Path> = folder.path().join("t.db").into();
        let connection = open_to_write(&path, &SystemClock).unwrap();
        Writer::new(path, connection, Arc::new(SystemClock))
    }

    fn put(sort: &str, bytes: usize, condition: Condition) -> Job {
        let value = json!("x".repeat(bytes));
        let put = Write::Put { key: Key::new("p", sort), value, expires_at: None, condition };
        Job { statements: vec![put.try_into().unwrap()], answer: oneshot::channel().0 }
    }

    fn told(answers: Vec<Answer>) -> Vec<String> {
        let cause =
            |error: &dyn std::error::Error| error.source().map(ToString::to_string).unwrap_or_default();
        let word = |answer: Answer| match answer {
            Ok(_) => "done".to_owned(),
            Err(Error::Conflict { .. }) => "conflict".to_owned(),
            Err(error) => cause(&error),
        };
        answers.into_iter().map(word).collect()
    }

    fn sorts(writer: &Writer) -> Vec<String> {
        let mut statement = writer.connection.prepare("SELECT sort FROM item ORDER BY sort").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_batch_is_one_after_the_other_and_a_refusal_writes_nothing() {
        let folder = TempDir::new().unwrap();
        let mut writer = writer(&folder);
        let half = Job {
            statements: [put("c", 1, Condition::Any), put("a", 1, Condition::Absent)]
                .into_iter()
                .flat_map(|job| job.statements)
                .collect(),
            answer: oneshot::channel().0,
        };
        let batch = [
            put("a", 1, Condition::Absent),
            put("a", 1, Condition::Absent),
            half,
            put("b", 1, Condition::Any),
        ];
        assert_eq!(told(writer.write(&batch)), ["done", "conflict", "conflict", "done"]);
        assert_eq!(sorts(&writer), ["a", "b"]);
    }

    #[test]
    fn a_full_disk_is_called_so_and_leaves_nothing_half() {
        let folder = TempDir::new().unwrap();
        let mut writer = writer(&folder);
        let pages: u32 = writer.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        writer.connection.pragma_update(None, "max_page_count", pages + 5).unwrap();
        let full = || [put("a", 10, Condition::Absent), put("b", 100_000, Condition::Absent)];
        for answer in told(writer.write(&full())) {
            assert!(answer.starts_with("the disk is full") && answer.contains("t.db"), "{answer}");
        }
        assert_eq!(sorts(&writer), Vec::<String>::new());
        // What fits is taken; and all is, once there is space.
        assert_eq!(told(writer.write(&[put("c", 10, Condition::Absent)])), ["done"]);
        writer.connection.pragma_update(None, "max_page_count", pages + 500).unwrap();
        assert_eq!(told(writer.write(&full())), ["done", "done"]);
        assert_eq!(sorts(&writer), ["a", "b", "c"]);
    }

    #[test]
    fn a_file_that_another_keeps_locked_is_called_so() {
        let folder = TempDir::new().unwrap();
        let mut writer = writer(&folder);
        writer.connection.busy_timeout(std::time::Duration::ZERO).unwrap();
        let other = Connection::open(folder.path().join("t.db")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let refused = told(writer.write(&[put("a", 1, Condition::Any)]));
        assert!(refused[0].starts_with("another process has kept"), "{refused:?}");
        other.execute_batch("ROLLBACK").unwrap();
        assert_eq!(told(writer.write(&[put("a", 1, Condition::Any)])), ["done"]);
    }

    #[test]
    fn after_a_failure_nothing_is_written_until_opened_anew() {
        let folder = TempDir::new().unwrap();
        let mut failing = writer(&folder);
        failing.connection.execute_batch("ALTER TABLE sequence RENAME TO lost").unwrap();
        let first = told(failing.write(&[put("a", 1, Condition::Any)]));
        assert!(first[0].contains("cannot be read or written"), "{first:?}");
        failing.connection.execute_batch("ALTER TABLE lost RENAME TO sequence").unwrap();
        let later = told(failing.write(&[put("a", 1, Condition::Any)]));
        assert!(later[0].contains("until it is opened anew"), "{later:?}");
        drop(failing);
        let mut anew = writer(&folder);
        assert_eq!(sorts(&anew), Vec::<String>::new());
        assert_eq!(told(anew.write(&[put("a", 1, Condition::Any)])), ["done"]);
    }

    #[test]
    fn a_batch_is_closed_when_it_is_large() {
        let (sender, mut queue) = mpsc::channel(1024);
        let hand_over = |bytes, jobs| {
            for _ in 0..jobs {
                assert!(sender.try_send(put("a", bytes, Condition::Any)).is_ok(), "the queue has room");
            }
        };
        hand_over(1, 600);
        let first = queue.try_recv().unwrap();
        assert_eq!(gather(first, &mut queue).len(), BATCH_STATEMENTS);
        let first = queue.try_recv().unwrap();
        assert_eq!(gather(first, &mut queue).len(), 600 - BATCH_STATEMENTS);
        hand_over(BATCH_BYTES / 16, 20);
        let first = queue.try_recv().unwrap();
        assert_eq!(gather(first, &mut queue).len(), 16);
    }
}
