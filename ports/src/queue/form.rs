//! How a queue stands in the table: its keys and its items.
//!
//! ```text
//! queue/{name}           ready#{due}#{id}   a message that waits for nothing but a consumer
//!                        timed#{due}#{id}   one that is due when the clock says so: delayed, or in flight
//! queue/{name}/dead      {id}               a dead letter
//! queue/{name}/senders   last               the number of the last sender, for the ids
//! ```
//!
//! Ready and timed are kept apart because clocks are set back. A message that was ready stays so; only what has to wait
//! for a moment waits for the clock to reach it again.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{DeadLetter, Error, Message, MessageId, Receipt};
use crate::table::{self, Condition, Item, Key, Range, Version, Write};

const READY: &str = "ready#";
const TIMED: &str = "timed#";

/// The partitions of one queue.
#[derive(Debug, Clone)]
pub(super) struct Partitions {
    pub(super) messages: String,
    pub(super) dead: String,
    senders: String,
}

impl Partitions {
    /// The partitions of a queue.
    ///
    /// # Errors
    /// If the name is none that every queue can have.
    pub(super) fn of(name: &str) -> Result<Self, Error> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !(1..=80).contains(&name.len()) || !name.bytes().all(plain) {
            let rule = "a queue's name has 1 to 80 letters, digits, hyphens and underscores";
            return Err(Error::Invalid(format!("`{name}`: {rule}")));
        }
        let messages = format!("queue/{name}");
        Ok(Self { dead: format!("{messages}/dead"), senders: format!("{messages}/senders"), messages })
    }

    pub(super) fn last_sender(&self) -> Key {
        Key::new(&self.senders, "last")
    }

    pub(super) fn dead_letter(&self, id: &MessageId) -> Key {
        Key::new(&self.dead, &id.0)
    }

    /// Where a message stands that is due at a moment.
    pub(super) fn message(&self, due: Timestamp, now: Timestamp, id: &MessageId) -> Key {
        let zone = if due <= now { READY } else { TIMED };
        Key::new(&self.messages, format!("{zone}{}#{id}", sortable(due)))
    }

    /// Where the message of a receipt stands and under which version, as long as the receipt is good.
    pub(super) fn held_under(&self, receipt: &Receipt) -> Option<(Key, Version)> {
        let (version, sort) = receipt.0.split_once('@')?;
        let placed = sort.starts_with(READY) || sort.starts_with(TIMED);
        placed.then_some((Key::new(&self.messages, sort), Version(version.parse().ok()?)))
    }
}

pub(super) fn receipt(key: &Key, version: Version) -> Receipt {
    Receipt(format!("{}@{}", version.0, key.sort))
}

/// The id that stands at the end of a sort key.
pub(super) fn id_of(key: &Key) -> MessageId {
    MessageId(key.sort.rsplit('#').next().unwrap_or_default().to_owned())
}

/// The due moment and the id of a message: what messages are ordered by, whichever way they wait.
pub(super) fn order_of(key: &Key) -> &str {
    key.sort.split_once('#').map_or("", |(_zone, order)| order)
}

/// The sort keys of the messages that wait for nothing.
pub(super) fn ready() -> Range {
    Range::Prefix(READY.to_owned())
}

/// The sort keys of the messages whose moment has come.
pub(super) fn timed_until(now: Timestamp) -> Range {
    Range::Between(TIMED.to_owned(), first_after(now))
}

fn first_after(now: Timestamp) -> String {
    let next = now.checked_add(jiff::SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MAX);
    format!("{TIMED}{}", sortable(next))
}

/// Whether a message may be received.
pub(super) fn is_due(key: &Key, now: Timestamp) -> bool {
    key.sort < first_after(now)
}

/// A moment as text whose order is that of time. A queue knows nothing before 1970.
fn sortable(moment: Timestamp) -> String {
    moment.max(Timestamp::UNIX_EPOCH).strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string()
}

/// A message in the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Stored {
    pub(super) body: Value,
    pub(super) sent_at: Timestamp,
    #[serde(default)]
    pub(super) receives: u32,
}

impl Stored {
    pub(super) fn received(self, id: MessageId, receipt: Receipt) -> Message {
        let Self { body, sent_at, receives } = self;
        Message { id, body, receipt, receives, sent_at }
    }

    /// The writes that move a message from one key to another.
    pub(super) fn moved(&self, from: Key, version: Version, to: Key) -> Result<Vec<Write>, table::Error> {
        let condition = Condition::Version(version);
        if from == to {
            return Ok(vec![Write::put(to, self, condition)?]);
        }
        // No condition on the new key: ids are unique, so nothing can stand there.
        Ok(vec![Write::delete(from, condition), Write::put(to, self, Condition::Any)?])
    }
}

/// A dead letter in the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Dead {
    #[serde(flatten)]
    pub(super) stored: Stored,
    died_at: Timestamp,
    reason: String,
}

impl Dead {
    pub(super) fn new(stored: Stored, died_at: Timestamp, reason: String) -> Self {
        Self { stored, died_at, reason }
    }

    /// The writes that make a message a dead letter.
    pub(super) fn buried(&self, from: Key, version: Version, to: Key) -> Result<Vec<Write>, table::Error> {
        let put = Write::put(to, self, Condition::Any)?;
        Ok(vec![Write::delete(from, Condition::Version(version)), put])
    }
}

impl TryFrom<Item> for DeadLetter {
    type Error = table::Error;

    fn try_from(item: Item) -> Result<Self, table::Error> {
        let Dead { stored: Stored { body, sent_at, receives }, died_at, reason } = item.parse()?;
        Ok(Self { id: MessageId(item.key.sort), body, receives, sent_at, died_at, reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_is_that_of_time() {
        let moments = [
            "1970-01-01T00:00:00Z",
            "2026-11-21T01:00:00Z",
            "2026-11-21T01:00:00.000000001Z",
            "2026-11-21T01:00:00.1Z",
            "2026-11-21T01:00:01Z",
            "9999-12-30T22:00:00.999999999Z",
        ];
        let moments = moments.map(|text| text.parse::<Timestamp>().unwrap());
        let texts = moments.map(sortable);
        assert!(texts.is_sorted_by(|a, b| a < b), "{texts:?}");
        assert!(texts.iter().all(|text| text.len() == texts[0].len()), "{texts:?}");
        assert_eq!(texts[3], "2026-11-21T01:00:00.100000000Z");
        assert_eq!(sortable(Timestamp::MIN), sortable(Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn a_message_is_due_from_its_moment_on() {
        let partitions = Partitions::of("jobs").unwrap();
        let now: Timestamp = "2026-11-21T01:00:00Z".parse().unwrap();
        let later = now + jiff::SignedDuration::from_nanos(1);
        let id = MessageId("00000001-000000000000".to_owned());
        let rows = [
            (now, now, now, true),
            (later, now, now, false),
            (later, now, later, true),
            (now, now, Timestamp::UNIX_EPOCH, true),
        ];
        for (due, placed_at, asked_at, wanted) in rows {
            let key = partitions.message(due, placed_at, &id);
            assert_eq!(is_due(&key, asked_at), wanted, "{key} at {asked_at}");
            assert_eq!(id_of(&key), id);
        }
    }

    #[test]
    fn names_are_those_that_every_queue_can_have() {
        for name in ["jobs", "transcripts-normalise_2", &"x".repeat(80)] {
            assert!(Partitions::of(name).is_ok(), "{name}");
        }
        for name in ["", "jobs/dead", "a b", "ünicode", &"x".repeat(81)] {
            assert!(Partitions::of(name).is_err(), "{name}");
        }
    }

    /// What released versions wrote must be read for ever.
    #[test]
    fn items_of_the_first_form_are_read() {
        let sent_at = "2026-11-21T01:00:00Z".parse().unwrap();
        let stored = json!({ "body": { "job": 7 }, "sent_at": "2026-11-21T01:00:00Z", "receives": 2 });
        let wanted = Stored { body: json!({ "job": 7 }), sent_at, receives: 2 };
        assert_eq!(Stored::deserialize(&stored).unwrap(), wanted);
        assert_eq!(serde_json::to_value(&wanted).unwrap(), stored);

        let dead = json!({
            "body": null, "sent_at": "2026-11-21T01:00:00Z", "receives": 5,
            "died_at": "2026-11-21T02:00:00Z", "reason": "no such class",
        });
        let stored = Stored { body: Value::Null, sent_at, receives: 5 };
        let wanted = Dead::new(stored, "2026-11-21T02:00:00Z".parse().unwrap(), "no such class".to_owned());
        assert_eq!(Dead::deserialize(&dead).unwrap(), wanted);
        assert_eq!(serde_json::to_value(&wanted).unwrap(), dead);
    }
}
