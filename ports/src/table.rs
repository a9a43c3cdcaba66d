//! Small items under conditions, many in one transaction: the one thing that must be right.
//!
//! A table in the DynamoDB manner. An item has a [`Key`] of a partition and a sort key, a JSON value, a [`Version`] and
//! perhaps an expiry. Journal, leases, watermarks, commits, runs, jobs, schedules, registry, labels, alerts and queues are
//! all plain items in it, written once above this port and therefore equal on every backend.
//!
//! What every backend promises, and `suite` checks:
//!
//! - **Transactions are whole.** [`Table::transact`] does all of its writes or none; two that touch the same key happen
//!   one after the other; a reader never sees half of one.
//! - **A reader sees what was written** before it began to read, from any process.
//! - **A version is never used twice for a key**, not even after the item was deleted and made anew. So a stale owner who
//!   writes under the version it knows is always refused. Nothing else may be read into a version's number.
//! - **Order is the order of bytes** of the sort key, and a page continues exactly where the last one ended.
//! - **An expired item is not there**: not for `get`, not for `query`, not for a condition. Its bytes go later.
//! - **A value comes back as it was given**, with the order of its keys and every digit of its numbers.
//! - **After a crash** every transaction that was acknowledged is there in whole, and every other one is there in whole
//!   or not at all.

mod bounds;
mod memory;
#[cfg(feature = "suite")]
pub mod suite;

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use memory::MemoryTable;

/// The most writes in one transaction: what DynamoDB takes.
pub const MAX_WRITES: usize = 100;
/// The largest value, as JSON text; DynamoDB's items end at 400 KB.
pub const MAX_VALUE_BYTES: usize = 350_000;
/// The deepest nesting of a value: what every JSON reader takes.
pub const MAX_DEPTH: usize = 100;
/// The longest partition or sort key.
pub const MAX_KEY_BYTES: usize = 1024;
/// The most items on one page.
pub const MAX_PAGE: usize = 1000;

/// Where an item stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What is asked for together.
    pub partition: String,
    /// The order within the partition.
    pub sort: String,
}

impl Key {
    /// A key of its two parts.
    pub fn new(partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Self { partition: partition.into(), sort: sort.into() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.partition, self.sort)
    }
}

/// What an item was written by: equal versions of a key are the same write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version(pub u64);

/// One item.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// Where it stands.
    pub key: Key,
    /// What it says.
    pub value: Value,
    /// What it was written by.
    pub version: Version,
    /// From when on it is no longer there; kept to the microsecond, finer parts are dropped.
    pub expires_at: Option<Timestamp>,
}

impl Item {
    /// The value as a type.
    ///
    /// # Errors
    /// If the value is not of that form.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(&self.value).map_err(|cause| Error::Form { key: self.key.clone(), cause })
    }
}

/// What must hold for a write to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    Any,
    /// There is no item at the key.
    Absent,
    /// The item at the key was written by this version.
    Version(Version),
}

/// One write of a transaction.
#[derive(Debug, Clone, PartialEq)]
pub enum Write {
    /// Puts an item in place of what is there.
    Put {
        /// Where.
        key: Key,
        /// What.
        value: Value,
        /// From when on it is no longer there; kept to the microsecond, finer parts are dropped.
        expires_at: Option<Timestamp>,
        /// Under which condition.
        condition: Condition,
    },
    /// Takes an item away; one that is not there is no error.
    Delete {
        /// Where.
        key: Key,
        /// Under which condition.
        condition: Condition,
    },
    /// Writes nothing, but the whole transaction is refused if the condition does not hold.
    Check {
        /// Where.
        key: Key,
        /// Which condition.
        condition: Condition,
    },
}

impl Write {
    /// Puts a value under a condition.
    ///
    /// # Errors
    /// If the value cannot be written as JSON.
    pub fn put(key: Key, value: &impl Serialize, condition: Condition) -> Result<Self, Error> {
        match serde_json::to_value(value) {
            Ok(value) => Ok(Self::Put { key, value, expires_at: None, condition }),
            Err(cause) => Err(Error::Form { key, cause }),
        }
    }

    /// Takes an item away under a condition.
    #[must_use]
    pub fn delete(key: Key, condition: Condition) -> Self {
        Self::Delete { key, condition }
    }

    /// Where the write goes.
    #[must_use]
    pub fn key(&self) -> &Key {
        match self {
            Self::Put { key, .. } | Self::Delete { key, .. } | Self::Check { key, .. } => key,
        }
    }

    /// Under which condition it happens.
    #[must_use]
    pub fn condition(&self) -> Condition {
        match self {
            Self::Put { condition, .. } | Self::Delete { condition, .. } | Self::Check { condition, .. } => {
                *condition
            }
        }
    }
}

/// The sort keys that a query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Range {
    /// All of the partition.
    All,
    /// Those that begin with this text.
    Prefix(String),
    /// Those from the first (included) to the second (not included).
    Between(String, String),
}

/// From which end a query reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The smallest sort key first.
    Ascending,
    /// The largest sort key first.
    Descending,
}

/// A question about one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The partition.
    pub partition: String,
    /// Which of its items.
    pub range: Range,
    /// In which order.
    pub direction: Direction,
    /// How many items at most; never more than [`MAX_PAGE`].
    pub limit: usize,
    /// The sort key that the last page ended with.
    pub after: Option<String>,
}

impl Query {
    /// All of a partition, in order.
    pub fn all(partition: impl Into<String>) -> Self {
        Self {
            partition: partition.into(),
            range: Range::All,
            direction: Direction::Ascending,
            limit: MAX_PAGE,
            after: None,
        }
    }

    /// Only part of the partition.
    #[must_use]
    pub fn range(self, range: Range) -> Self {
        Self { range, ..self }
    }

    /// From the other end.
    #[must_use]
    pub fn descending(self) -> Self {
        Self { direction: Direction::Descending, ..self }
    }

    /// At most so many items.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit: limit.clamp(1, MAX_PAGE), ..self }
    }

    /// The page that follows the one that ended with this sort key.
    #[must_use]
    pub fn after(self, sort: String) -> Self {
        Self { after: Some(sort), ..self }
    }
}

/// The items that a query found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The items, in the order asked for.
    pub items: Vec<Item>,
    /// What to give to [`Query::after`] for the next page; none if this was the last.
    pub next: Option<String>,
}

/// Why a table did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A condition did not hold, and this is the first write of which that is true; nothing was written.
    #[error("the item `{key}` is not as expected ({condition:?})")]
    Conflict {
        /// The write of the transaction, counted from 0.
        index: usize,
        /// Its key.
        key: Key,
        /// Its condition.
        condition: Condition,
    },
    /// The request can never be carried out; nothing was written.
    #[error("the table cannot take this: {0}")]
    Invalid(String),
    /// A value is not of the form that the reader or the writer expects.
    #[error("the item `{key}` is not of the expected form")]
    Form {
        /// Its key.
        key: Key,
        /// What JSON says.
        #[source]
        cause: serde_json::Error,
    },
    /// The store failed. Whether the transaction happened is not known; the store says no more until it is opened anew
    /// if it can no longer vouch for what it writes.
    #[error("the table's store failed while trying to {attempt}")]
    Store {
        /// What was tried.
        attempt: &'static str,
        /// What the store said.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Error {
    /// A failure of the store.
    pub fn store(attempt: &'static str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Store { attempt, cause: cause.into() }
    }
}

/// A table of items.
#[async_trait]
pub trait Table: Send + Sync {
    /// The item at a key, as of some moment after the call began.
    async fn get(&self, key: &Key) -> Result<Option<Item>, Error>;

    /// One page of a partition, as of some moment after the call began.
    async fn query(&self, query: &Query) -> Result<Page, Error>;

    /// Does all of the writes, or none of them. Gives the new version of each put, in order; none for the others.
    ///
    /// The writes must be of different keys, and at most [`MAX_WRITES`].
    ///
    /// After a crash: if this had returned `Ok`, all of them are there; if not, all or none.
    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Option<Version>>, Error>;
}

/// What every table can do besides, in terms of the three things it must.
impl dyn Table + '_ {
    /// Puts one item under a condition; gives its version.
    ///
    /// After a crash: as [`Table::transact`].
    ///
    /// # Errors
    /// As [`Table::transact`].
    pub async fn put(
        &self,
        key: Key,
        value: &impl Serialize,
        condition: Condition,
    ) -> Result<Version, Error> {
        let versions = self.transact(vec![Write::put(key, value, condition)?]).await?;
        Ok(versions.into_iter().flatten().next().expect("a put gives a version"))
    }

    /// Takes one item away under a condition.
    ///
    /// After a crash: as [`Table::transact`].
    ///
    /// # Errors
    /// As [`Table::transact`].
    pub async fn delete(&self, key: Key, condition: Condition) -> Result<(), Error> {
        self.transact(vec![Write::delete(key, condition)]).await.map(drop)
    }

    /// Every item that a query finds, page after page. For partitions that are known to be small.
    ///
    /// # Errors
    /// As [`Table::query`].
    pub async fn query_all(&self, mut query: Query) -> Result<Vec<Item>, Error> {
        let mut items = Vec::new();
        loop {
            let page = self.query(&query).await?;
            items.extend(page.items);
            match page.next {
                Some(next) => query = query.after(next),
                None => return Ok(items),
            }
        }
    }
}

/// Refuses, in the same words on every backend, what some backend could not take.
///
/// # Errors
/// If a transaction is empty or too large, names a key twice, or has a key or a value that is out of bounds.
pub fn check_writes(writes: &[Write]) -> Result<(), Error> {
    if writes.is_empty() || writes.len() > MAX_WRITES {
        return Err(Error::Invalid(format!(
            "a transaction has 1 to {MAX_WRITES} writes, not {}",
            writes.len()
        )));
    }
    let mut keys: Vec<_> = writes.iter().map(Write::key).collect();
    keys.sort_unstable();
    if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::Invalid(format!("the key `{}` stands twice in one transaction", pair[0])));
    }
    keys.into_iter().try_for_each(check_key)
}

/// Refuses a key that some backend could not take.
///
/// # Errors
/// If a part is empty, too long, or holds a NUL.
pub fn check_key(key: &Key) -> Result<(), Error> {
    let parts = [("partition", &key.partition), ("sort key", &key.sort)];
    parts.into_iter().try_for_each(|(name, part)| check_key_part(name, part))
}

/// Refuses a question that some backend could not answer.
///
/// # Errors
/// If the partition is no part of a key, the limit is not 1 to [`MAX_PAGE`], or a bound holds a NUL.
pub fn check_query(query: &Query) -> Result<(), Error> {
    check_key_part("partition", &query.partition)?;
    if !(1..=MAX_PAGE).contains(&query.limit) {
        return Err(Error::Invalid(format!("a page has 1 to {MAX_PAGE} items, not {}", query.limit)));
    }
    let (from, to) = match &query.range {
        Range::All => (None, None),
        Range::Prefix(prefix) => (Some(prefix), None),
        Range::Between(from, to) => (Some(from), Some(to)),
    };
    let bounds = [from, to, query.after.as_ref()];
    match bounds.into_iter().flatten().find(|bound| bound.contains('\0')) {
        Some(bound) => Err(Error::Invalid(format!("the bound {bound:?} holds a NUL"))),
        None => Ok(()),
    }
}

fn check_key_part(name: &str, part: &str) -> Result<(), Error> {
    match part {
        "" => Err(Error::Invalid(format!("the {name} is empty"))),
        _ if part.len() > MAX_KEY_BYTES => {
            Err(Error::Invalid(format!("the {name} has {} bytes; {MAX_KEY_BYTES} is the most", part.len())))
        }
        // PostgreSQL's text cannot hold it.
        _ if part.contains('\0') => Err(Error::Invalid(format!("the {name} `{part:?}` holds a NUL"))),
        _ => Ok(()),
    }
}

/// The JSON text that a backend stores for a value.
///
/// # Errors
/// If it is larger than [`MAX_VALUE_BYTES`] or nested deeper than [`MAX_DEPTH`]: it could be written, but not read.
pub fn value_text(key: &Key, value: &Value) -> Result<String, Error> {
    if deeper_than(MAX_DEPTH, value) {
        return Err(Error::Invalid(format!("the value of `{key}` is nested deeper than {MAX_DEPTH}")));
    }
    let text = value.to_string();
    if text.len() > MAX_VALUE_BYTES {
        return Err(Error::Invalid(format!(
            "the value of `{key}` has {} bytes; {MAX_VALUE_BYTES} is the most: keep large things in the lake",
            text.len()
        )));
    }
    Ok(text)
}

/// The expiry that a backend stored as [`Timestamp::as_microsecond`]; none if no timestamp has this number.
#[must_use]
pub fn expiry_from_micros(micros: i64) -> Option<Timestamp> {
    // Not `Timestamp::from_microsecond`: it refuses the last second of time, which `Timestamp::MAX` lies in.
    let nanos = i32::try_from(micros.rem_euclid(1_000_000) * 1000).ok()?;
    Timestamp::new(micros.div_euclid(1_000_000), nanos).ok()
}

fn deeper_than(depth: usize, value: &Value) -> bool {
    match value {
        Value::Array(items) => depth == 0 || items.iter().any(|item| deeper_than(depth - 1, item)),
        Value::Object(fields) => depth == 0 || fields.values().any(|field| deeper_than(depth - 1, field)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
