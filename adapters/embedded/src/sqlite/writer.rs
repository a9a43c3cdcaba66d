//! The one thread that writes: what has queued up is committed together.

use std::path::Path;
use std::sync::Arc;

use doxa_ports::clock::Clock;
use doxa_ports::table::{Condition, Error, Key, Version, Write, value_text};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::WRITE;
use super::fault::Fault;

/// A batch is closed once it has so many statements, or so many bytes of values: who waits for it shall not wait long.
const BATCH_STATEMENTS: usize = 512;
const BATCH_BYTES: usize = 4 << 20;

const FIND: &str = "SELECT version FROM item
    WHERE partition = ?1 AND sort = ?2 AND (expires_at IS NULL OR expires_at > ?3)";
const PUT: &str = "INSERT INTO item (partition, sort, version, expires_at, value) VALUES (?1, ?2, ?3, ?4, ?5)
    ON CONFLICT (partition, sort) DO UPDATE
    SET version = excluded.version, expires_at = excluded.expires_at, value = excluded.value";
const DELETE: &str = "DELETE FROM item WHERE partition = ?1 AND sort = ?2";
const CLEAR: &str = "DELETE FROM item WHERE (partition, sort) IN
    (SELECT partition, sort FROM item WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)";
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
                let expires_at = expires_at.map(|at| at.as_microsecond());
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
        while let Some(first) = queue.blocking_recv() {
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
        commit(&mut self.connection, &*self.clock, batch).unwrap_or_else(|cause| {
            let fault = Fault::of(&self.path, cause);
            // Harmless only if what was begun is undone as well.
            if !fault.is_harmless() || !self.connection.is_autocommit() {
                tracing::error!(%fault, "the table is written no more until it is opened anew");
                self.doubt = Some(Fault::InDoubt { path: self.path.clone(), cause: Arc::new(fault.clone()) });
            }
            refuse(batch, &fault)
        })
    }
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
fn commit(connection: &mut Connection, clock: &dyn Clock, batch: &[Job]) -> rusqlite::Result<Vec<Answer>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Read when the file is ours: waiting for it may have taken long.
    let now = clock.now().as_microsecond();
    let first: i64 = transaction.prepare_cached(LAST_VERSION)?.query_row([], |row| row.get(0))?;
    let mut last = first;
    let answers: Vec<_> =
        batch.iter().map(|job| job.write(&transaction, now, &mut last)).collect::<Result<_, _>>()?;
    if last > first {
        transaction.prepare_cached(SET_LAST_VERSION)?.execute([last])?;
        transaction.prepare_cached(CLEAR)?.execute((now, 2 * (last - first)))?;
    }
    transaction.commit()?;
    Ok(answers)
}

impl Job {
    fn size(&self) -> (usize, usize) {
        (self.statements.len(), self.statements.iter().map(Statement::bytes).sum())
    }

    fn write(&self, transaction: &Transaction<'_>, now: i64, last: &mut i64) -> rusqlite::Result<Answer> {
        for (index, statement) in self.statements.iter().enumerate() {
            if !statement.may_run(transaction, now)? {
                let (key, condition) = (statement.key.clone(), statement.condition);
                return Ok(Err(Error::Conflict { index, key, condition }));
            }
        }
        let versions = self.statements.iter().map(|statement| statement.run(transaction, last));
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

    fn may_run(&self, transaction: &Transaction<'_>, now: i64) -> rusqlite::Result<bool> {
        match self.condition {
            Condition::Any => Ok(true),
            Condition::Absent => Ok(self.find(transaction, now)?.is_none()),
            Condition::Version(wanted) => Ok(self.find(transaction, now)? == Some(wanted)),
        }
    }

    fn find(&self, transaction: &Transaction<'_>, now: i64) -> rusqlite::Result<Option<Version>> {
        let mut find = transaction.prepare_cached(FIND)?;
        let found: Option<i64> =
            find.query_row((&self.key.partition, &self.key.sort, now), |row| row.get(0)).optional()?;
        Ok(found.map(|version| Version(version.cast_unsigned())))
    }

    fn run(&self, transaction: &Transaction<'_>, last: &mut i64) -> rusqlite::Result<Option<Version>> {
        let Key { partition, sort } = &self.key;
        match &self.effect {
            Effect::Put { text, expires_at } => {
                *last += 1;
                transaction.prepare_cached(PUT)?.execute((partition, sort, *last, expires_at, text))?;
                Ok(Some(Version(last.cast_unsigned())))
            }
            Effect::Delete => {
                transaction.prepare_cached(DELETE)?.execute((partition, sort))?;
                Ok(None)
            }
            Effect::Nothing => Ok(None),
        }
    }
}
