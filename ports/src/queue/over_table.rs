//! The queue over a table: equal on every backend, for it knows no other.
//!
//! A message is an item whose sort key begins with the moment it is due. To receive is to move the first items that are
//! due to the moment when their visibility ends, in one transaction under the versions that were read. So two receives
//! can never get the same message, and a receipt is nothing but the item's key and version: once the message has moved
//! on, nothing stands there under that version, and it never will again.
//!
//! # In which order
//!
//! By due moment: that of its sending, plus its delay; or the end of a visibility. Messages of one sender that are due at
//! the same moment come in the order they were sent. A receive takes the first messages that are due as of some moment
//! after it began; if others took one of them before it could, it looks again. So receives that succeed happen one after
//! the other, and each takes the first that the ones before it left.
//!
//! There is one exception, without which a slow machine would starve beside quick ones: a receive that has lost the race
//! more than three times looks further on, and further still with each loss, up to a thousand messages. The ones that it
//! passes over are the next that others take. Consumers that share one [`TableQueue`] do not race: they take turns, in the
//! order they came.
//!
//! # Whose clock
//!
//! The consumer's. Machines must agree on the time far better than the visibility is long. When a clock is set back,
//! messages that were ready stay ready, and those that wait for a moment wait until the clock gets there again.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::{OnceCell, Semaphore};

use super::form::{Partitions, Stored};
use super::{
    DeadLetters, Error, MAX_BODY_BYTES, MAX_DELAY, MAX_RECEIVE, MAX_VISIBILITY, Message, MessageId, Outgoing,
    Queue, Receipt, Stats,
};
use crate::clock::Clock;
use crate::table::{self, Condition, MemoryTable, Table, Version, Write};

/// How many messages are sent in one transaction: of the largest ones, as many as DynamoDB takes.
const SEND_TOGETHER: usize = 10;

/// A queue in a table.
pub struct TableQueue {
    pub(super) table: Arc<dyn Table>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) at: Partitions,
    pub(super) max_receives: NonZeroU32,
    name: String,
    /// Whose turn it is to receive.
    turns: Semaphore,
    sender: OnceCell<u64>,
    sent: AtomicU64,
}

impl TableQueue {
    /// The queue of a name, which is made by being used. A message that was received `max_receives` times and comes up
    /// once more goes to the dead letters.
    ///
    /// # Errors
    /// If the name is not 1 to 80 letters, digits, hyphens and underscores.
    pub fn new(
        table: Arc<dyn Table>,
        clock: Arc<dyn Clock>,
        name: &str,
        max_receives: NonZeroU32,
    ) -> Result<Self, Error> {
        Ok(Self {
            table,
            clock,
            at: Partitions::of(name)?,
            max_receives,
            name: name.to_owned(),
            turns: Semaphore::new(1),
            sender: OnceCell::new(),
            sent: AtomicU64::new(0),
        })
    }

    /// The twin in memory.
    ///
    /// # Errors
    /// As [`TableQueue::new`].
    pub fn in_memory(clock: Arc<dyn Clock>, name: &str, max_receives: NonZeroU32) -> Result<Self, Error> {
        Self::new(Arc::new(MemoryTable::new(clock.clone())), clock, name, max_receives)
    }

    /// Does the writes of somebody who believes to hold something under a version; none if it was no longer so.
    pub(super) async fn if_held(
        &self,
        writes: Vec<Write>,
    ) -> Result<Option<Vec<Option<Version>>>, table::Error> {
        match self.table.transact(writes).await {
            Ok(versions) => Ok(Some(versions)),
            Err(table::Error::Conflict { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    async fn send_some(&self, messages: &[Outgoing]) -> Result<Vec<MessageId>, table::Error> {
        let sender = self.sender.get_or_try_init(|| self.register()).await?;
        let now = self.clock.now();
        let (mut ids, mut writes) = (Vec::new(), Vec::new());
        for Outgoing { body, delay } in messages {
            let count = self.sent.fetch_add(1, Ordering::Relaxed);
            let id = MessageId(format!("{sender:08x}-{count:012x}"));
            let stored = Stored { body: body.clone(), sent_at: now, receives: 0 };
            let key = self.at.message(later(now, *delay), now, &id);
            writes.push(Write::put(key, &stored, Condition::Any)?);
            ids.push(id);
        }
        self.table.transact(writes).await?;
        Ok(ids)
    }

    /// A number that no other sender to this queue has, later ones a larger one: unique without trust in any clock.
    async fn register(&self) -> Result<u64, table::Error> {
        let key = self.at.last_sender();
        loop {
            let (last, condition) = match self.table.get(&key).await? {
                Some(item) => (item.parse::<u64>()?, Condition::Version(item.version)),
                None => (0, Condition::Absent),
            };
            let put = Write::put(key.clone(), &(last + 1), condition)?;
            if self.if_held(vec![put]).await?.is_some() {
                return Ok(last + 1);
            }
        }
    }

    fn failed(&self, attempt: &'static str) -> impl FnOnce(table::Error) -> Error {
        let queue = self.name.clone();
        move |cause| match cause {
            table::Error::Invalid(reason) => Error::Invalid(reason),
            table::Error::Conflict { .. } | table::Error::Form { .. } | table::Error::Store { .. } => {
                Error::Store { attempt, queue, cause: cause.into() }
            }
        }
    }
}

/// The moment a span from now, or the last there is.
pub(super) fn later(now: Timestamp, span: Duration) -> Timestamp {
    now.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn check_span(what: &str, span: Duration, most: Duration) -> Result<(), Error> {
    if span <= most {
        return Ok(());
    }
    Err(Error::Invalid(format!("{what} of {} s; {} s is the most", span.as_secs_f64(), most.as_secs())))
}

fn check_outgoing(message: &Outgoing) -> Result<(), Error> {
    check_span("a delay", message.delay, MAX_DELAY)?;
    let bytes = message.body.to_string().len();
    if bytes > MAX_BODY_BYTES { Err(Error::TooLarge { bytes }) } else { Ok(()) }
}

#[async_trait]
impl Queue for TableQueue {
    fn name(&self) -> &str {
        &self.name
    }

    async fn send_all(&self, messages: Vec<Outgoing>) -> Result<Vec<MessageId>, Error> {
        messages.iter().try_for_each(check_outgoing)?;
        let mut ids = Vec::with_capacity(messages.len());
        for some in messages.chunks(SEND_TOGETHER) {
            ids.extend(self.send_some(some).await.map_err(self.failed("send to"))?);
        }
        Ok(ids)
    }

    async fn receive(&self, max: usize, visibility: Duration) -> Result<Vec<Message>, Error> {
        check_span("a visibility", visibility, MAX_VISIBILITY)?;
        let _turn = self.turns.acquire().await.expect("the semaphore is never closed");
        self.claim(max.clamp(1, MAX_RECEIVE), visibility).await.map_err(self.failed("receive from"))
    }

    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<Receipt, Error> {
        check_span("a visibility", visibility, MAX_VISIBILITY)?;
        let extended = self.extend_held(receipt, visibility).await;
        extended.map_err(self.failed("extend a message of"))?.ok_or(Error::Stale)
    }

    async fn ack(&self, receipt: &Receipt) -> Result<(), Error> {
        let acknowledged = self.delete_held(receipt).await;
        acknowledged.map_err(self.failed("acknowledge a message of"))?.ok_or(Error::Stale)
    }

    async fn reject(&self, receipt: &Receipt, reason: &str) -> Result<(), Error> {
        let rejected = self.bury_held(receipt, reason).await;
        rejected.map_err(self.failed("reject a message of"))?.ok_or(Error::Stale)
    }

    async fn dead_letters(&self, after: Option<&MessageId>, limit: usize) -> Result<DeadLetters, Error> {
        self.list_dead(after, limit).await.map_err(self.failed("list the dead letters of"))
    }

    async fn redrive(&self, id: &MessageId) -> Result<(), Error> {
        let redriven = self.unbury(id).await.map_err(self.failed("redrive a dead letter of"))?;
        redriven.ok_or_else(|| Error::NoDeadLetter(id.clone()))
    }

    async fn drop_dead_letter(&self, id: &MessageId) -> Result<(), Error> {
        let dropped = self.delete_dead(id).await.map_err(self.failed("drop a dead letter of"))?;
        dropped.ok_or_else(|| Error::NoDeadLetter(id.clone()))
    }

    async fn purge(&self) -> Result<u64, Error> {
        self.purge_all().await.map_err(self.failed("purge"))
    }

    async fn stats(&self) -> Result<Stats, Error> {
        self.count().await.map_err(self.failed("count the messages of"))
    }
}

#[cfg(all(test, feature = "suite"))]
mod tests {
    use super::*;
    use crate::queue::suite;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn keeps_every_promise() {
        suite::run(async |clock| MemoryTable::new(clock)).await;
    }
}
