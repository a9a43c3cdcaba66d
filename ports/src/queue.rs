//! Messages, each handled once: work that waits for whoever has time.
//!
//! A message is sent, received, and acknowledged when the work is done. A receive hides it from others for a while, its
//! *visibility*; if it is not acknowledged by then, because the consumer crashed or was too slow, it is given to the next
//! one. So a message is handled at least once, and exactly once if nobody crashes and nobody outstays the visibility: a
//! handler must be harmless when repeated.
//!
//! ```text
//!  send ──→ delayed ──→ ready ──receive──→ in flight ──ack──→ gone
//!              due         ↑                  │ │
//!                          └──── visibility ──┘ └──→ dead letters   rejected, or received too often
//!                          ↑                               │
//!                          └──────────── redrive ──────────┘
//! ```
//!
//! What every queue promises:
//!
//! - **Nothing is lost.** A message that was sent is there until it is acknowledged or purged, or a dead letter dropped.
//! - **One at a time.** Two consumers never have the same message, as long as their clocks agree.
//! - **A stale consumer is told so.** Whoever comes with a [`Receipt`] after the message went to somebody else gets
//!   [`Error::Stale`], and changes nothing.
//! - **A hopeless message gives way.** After as many receives as the queue allows it goes to the dead letters, with what
//!   is known about why, and stays there until somebody decides.
//!
//! [`TableQueue`] keeps it all in a [`Table`](crate::table::Table) and is therefore equal on every backend; it also says
//! in which order messages come. The limits below are SQS's, so that no program grows beyond what every queue can do.

mod delivery;
mod form;
mod over_table;
#[cfg(feature = "suite")]
pub mod suite;
mod upkeep;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use over_table::TableQueue;

/// The largest body, as JSON text.
pub const MAX_BODY_BYTES: usize = 256 * 1024;
/// The most messages that one receive gives.
pub const MAX_RECEIVE: usize = 10;
/// The longest delay of a send.
pub const MAX_DELAY: Duration = Duration::from_secs(15 * 60);
/// The longest visibility.
pub const MAX_VISIBILITY: Duration = Duration::from_secs(12 * 3600);

/// What a message is known by from its sending to its end, also among the dead letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(pub String);

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The right to acknowledge, extend or reject a message: one delivery of it, to one consumer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Receipt(pub String);

/// A message to be sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// What it says.
    pub body: Value,
    /// How long nobody receives it.
    pub delay: Duration,
}

impl Outgoing {
    /// A message that may be received at once.
    ///
    /// # Errors
    /// If the body cannot be written as JSON.
    pub fn now(body: &impl Serialize) -> Result<Self, Error> {
        Self::after(Duration::ZERO, body)
    }

    /// A message that may be received after a delay.
    ///
    /// # Errors
    /// If the body cannot be written as JSON.
    pub fn after(delay: Duration, body: &impl Serialize) -> Result<Self, Error> {
        match serde_json::to_value(body) {
            Ok(body) => Ok(Self { body, delay }),
            Err(cause) => Err(Error::Invalid(format!("the body is no JSON: {cause}"))),
        }
    }
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Its name.
    pub id: MessageId,
    /// What it says.
    pub body: Value,
    /// The right to this delivery.
    pub receipt: Receipt,
    /// How often it was received, this time included.
    pub receives: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
}

impl Message {
    /// The body as a type.
    ///
    /// # Errors
    /// If the body is not of that form.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        T::deserialize(&self.body)
    }
}

/// A message that nobody could handle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Its name.
    pub id: MessageId,
    /// What it says.
    pub body: Value,
    /// How often it was received.
    pub receives: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When it was given up.
    pub died_at: Timestamp,
    /// Why.
    pub reason: String,
}

/// Some of the dead letters.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DeadLetters {
    /// In the order of their ids: one sender's stand in the order they were sent.
    pub letters: Vec<DeadLetter>,
    /// After which one the next page begins; none if this was the last.
    pub next: Option<MessageId>,
}

/// How a queue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stats {
    /// How many messages may be received now.
    pub ready: u64,
    /// How many were sent with a delay that is not over.
    pub delayed: u64,
    /// How many a consumer has.
    pub in_flight: u64,
    /// How many are among the dead letters.
    pub dead: u64,
    /// When the oldest of them was sent, the dead letters left aside.
    pub oldest_sent_at: Option<Timestamp>,
}

impl Stats {
    /// How long the oldest message has been waiting; zero if it claims to come from the future.
    #[must_use]
    pub fn oldest_age(&self, now: Timestamp) -> Option<Duration> {
        self.oldest_sent_at.map(|sent_at| Duration::try_from(now.duration_since(sent_at)).unwrap_or_default())
    }
}

/// Why a queue did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The receipt is no longer good: the message went to somebody else, or is gone. Nothing was changed.
    #[error("the receipt is stale: the message went to another consumer, or is gone")]
    Stale,
    /// There is no such dead letter, or somebody else has just redriven or dropped it.
    #[error("there is no dead letter `{0}`")]
    NoDeadLetter(MessageId),
    /// The body is too large; nothing of the call was sent.
    #[error("a body of {bytes} bytes; {MAX_BODY_BYTES} is the most: keep large things in the lake")]
    TooLarge {
        /// Its size as JSON text.
        bytes: usize,
    },
    /// The request can never be carried out; nothing was changed.
    #[error("the queue cannot take this: {0}")]
    Invalid(String),
    /// The store failed. Whether the thing happened is not known.
    #[error("cannot {attempt} queue `{queue}`")]
    Store {
        /// What was tried.
        attempt: &'static str,
        /// On which queue.
        queue: String,
        /// What the store said.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A queue of messages.
#[async_trait]
pub trait Queue: Send + Sync {
    /// What the queue is called.
    fn name(&self) -> &str;

    /// Sends messages, in this order. Gives their ids.
    ///
    /// After a crash: if this had returned `Ok`, all of them are there; if not, some of them may be, from the first on.
    ///
    /// # Errors
    /// If a body or a delay is out of bounds (then none was sent), or the store fails.
    async fn send_all(&self, messages: Vec<Outgoing>) -> Result<Vec<MessageId>, Error>;

    /// Gives messages that are due, and hides them from others for the visibility. At most `max`, which is read as 1 if
    /// it is less, and as [`MAX_RECEIVE`] if it is more; none if none is due. It does not wait for any.
    ///
    /// After a crash, or when the call is dropped half-way: messages may have been claimed that nobody got. They come
    /// again when their visibility ends, and the claim counts as one of their receives.
    ///
    /// # Errors
    /// If the visibility is out of bounds, or the store fails.
    async fn receive(&self, max: usize, visibility: Duration) -> Result<Vec<Message>, Error>;

    /// Hides a message until this long from now, whatever was left of its visibility; zero gives it back at once. Gives
    /// the receipt that takes the old one's place.
    ///
    /// After a crash: if this had returned `Ok`, the new visibility stands; if not, the old or the new, and the receipt at
    /// hand may be stale.
    ///
    /// # Errors
    /// [`Error::Stale`] if the message is no longer the caller's; if the visibility is out of bounds, or the store fails.
    async fn extend(&self, receipt: &Receipt, visibility: Duration) -> Result<Receipt, Error>;

    /// Says that a message is done with. A receipt is good after the visibility too, as long as nobody else received it.
    ///
    /// After a crash: if this had returned `Ok`, it never comes again; if not, it may. [`Error::Stale`] from a second
    /// try can mean that the first one worked.
    ///
    /// # Errors
    /// [`Error::Stale`] if the message is no longer the caller's; or if the store fails.
    async fn ack(&self, receipt: &Receipt) -> Result<(), Error>;

    /// Says that a message can never be handled, and why: it goes to the dead letters at once.
    ///
    /// After a crash: if this had returned `Ok`, it is a dead letter; if not, that or still a message, never both.
    ///
    /// # Errors
    /// [`Error::Stale`] if the message is no longer the caller's; or if the store fails.
    async fn reject(&self, receipt: &Receipt, reason: &str) -> Result<(), Error>;

    /// One page of the dead letters, from the beginning or after one of them.
    ///
    /// # Errors
    /// If the store fails.
    async fn dead_letters(&self, after: Option<&MessageId>, limit: usize) -> Result<DeadLetters, Error>;

    /// Makes a dead letter a message again: ready, with its old id and time, and no receive counted.
    ///
    /// After a crash: it is a message or a dead letter, never both and never neither.
    ///
    /// # Errors
    /// [`Error::NoDeadLetter`] if there is none; or if the store fails.
    async fn redrive(&self, id: &MessageId) -> Result<(), Error>;

    /// Throws a dead letter away.
    ///
    /// After a crash: it is there or gone.
    ///
    /// # Errors
    /// [`Error::NoDeadLetter`] if there is none; or if the store fails.
    async fn drop_dead_letter(&self, id: &MessageId) -> Result<(), Error>;

    /// Throws away every message: ready, delayed and in flight, but not the dead letters. Gives how many. Those that
    /// consumers have become stale; those that are sent meanwhile may stay.
    ///
    /// After a crash: some are gone, and a second purge takes the others.
    ///
    /// # Errors
    /// If the store fails.
    async fn purge(&self) -> Result<u64, Error>;

    /// How the queue stands, as far as that can be said while others use it. It looks at every message.
    ///
    /// # Errors
    /// If the store fails.
    async fn stats(&self) -> Result<Stats, Error>;
}

/// What every queue can do besides, in terms of what it must.
impl dyn Queue + '_ {
    /// Sends one message that may be received at once.
    ///
    /// After a crash: if this had returned `Ok`, it is there; if not, it may be.
    ///
    /// # Errors
    /// As [`Queue::send_all`].
    pub async fn send(&self, body: &impl Serialize) -> Result<MessageId, Error> {
        self.send_after(Duration::ZERO, body).await
    }

    /// Sends one message that may be received after a delay.
    ///
    /// After a crash: as `send`.
    ///
    /// # Errors
    /// As [`Queue::send_all`].
    pub async fn send_after(&self, delay: Duration, body: &impl Serialize) -> Result<MessageId, Error> {
        let mut ids = self.send_all(vec![Outgoing::after(delay, body)?]).await?;
        Ok(ids.pop().expect("a message that was sent has an id"))
    }

    /// Makes every dead letter a message again. Gives how many.
    ///
    /// After a crash: each is a message or a dead letter, and a second call takes the others.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn redrive_all(&self) -> Result<u64, Error> {
        let (mut redriven, mut after) = (0, None);
        loop {
            let page = self.dead_letters(after.as_ref(), 100).await?;
            for letter in page.letters {
                match self.redrive(&letter.id).await {
                    Ok(()) => redriven += 1,
                    // Somebody else took care of it.
                    Err(Error::NoDeadLetter(_)) => {}
                    Err(other) => return Err(other),
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(redriven);
            }
        }
    }
}
