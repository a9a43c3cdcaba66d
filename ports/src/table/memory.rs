//! The twin in memory: the table's contract in its plainest form.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    Condition, Direction, Error, Item, Key, Page, Query, Range, Table, Version, Write, check_key, check_writes,
    value_text,
};
use crate::clock::Clock;

/// A table that lives as long as the process.
pub struct MemoryTable {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    items: BTreeMap<Key, Item>,
    last_version: u64,
}

impl MemoryTable {
    /// An empty table whose items expire by this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no code that holds the table can panic")
    }
}

fn alive(item: &Item, now: Timestamp) -> bool {
    item.expires_at.is_none_or(|at| now < at)
}

impl State {
    fn holds(&self, write: &Write, now: Timestamp) -> bool {
        let found = self.items.get(write.key()).filter(|item| alive(item, now));
        match write.condition() {
            Condition::Any => true,
            Condition::Absent => found.is_none(),
            Condition::Version(version) => found.is_some_and(|item| item.version == version),
        }
    }

    fn apply(&mut self, write: Write) -> Option<Version> {
        match write {
            Write::Put { key, value, expires_at, .. } => {
                self.last_version += 1;
                let version = Version(self.last_version);
                self.items.insert(key.clone(), Item { key, value, version, expires_at });
                Some(version)
            }
            Write::Delete { key, .. } => {
                self.items.remove(&key);
                None
            }
            Write::Check { .. } => None,
        }
    }
}

#[async_trait]
impl Table for MemoryTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Error> {
        check_key(key)?;
        let now = self.clock.now();
        Ok(self.lock().items.get(key).filter(|item| alive(item, now)).cloned())
    }

    async fn query(&self, query: &Query) -> Result<Page, Error> {
        let now = self.clock.now();
        let state = self.lock();
        let partition = state.items.range((
            Bound::Included(Key::new(query.partition.as_str(), "")),
            Bound::Unbounded,
        ));
        let found = partition
            .map(|(_, item)| item)
            .take_while(|item| item.key.partition == query.partition)
            .filter(|item| alive(item, now) && in_range(&query.range, &item.key.sort));
        let mut items: Vec<Item> = match query.direction {
            Direction::Ascending => found.filter(|item| after(query, &item.key.sort)).cloned().collect(),
            Direction::Descending => {
                let mut found: Vec<_> = found.filter(|item| after(query, &item.key.sort)).cloned().collect();
                found.reverse();
                found
            }
        };
        let more = items.len() > query.limit;
        items.truncate(query.limit);
        let next = items.last().filter(|_| more).map(|item| item.key.sort.clone());
        Ok(Page { items, next })
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Option<Version>>, Error> {
        check_writes(&writes)?;
        for write in &writes {
            if let Write::Put { key, value, .. } = write {
                value_text(key, value)?;
            }
        }
        let now = self.clock.now();
        let mut state = self.lock();
        if let Some(index) = writes.iter().position(|write| !state.holds(write, now)) {
            let write = &writes[index];
            return Err(Error::Conflict { index, key: write.key().clone(), condition: write.condition() });
        }
        Ok(writes.into_iter().map(|write| state.apply(write)).collect())
    }
}

fn in_range(range: &Range, sort: &str) -> bool {
    match range {
        Range::All => true,
        Range::Prefix(prefix) => sort.starts_with(prefix.as_str()),
        Range::Between(from, to) => from.as_str() <= sort && sort < to.as_str(),
    }
}

fn after(query: &Query, sort: &str) -> bool {
    match (&query.after, query.direction) {
        (None, _) => true,
        (Some(last), Direction::Ascending) => sort > last.as_str(),
        (Some(last), Direction::Descending) => sort < last.as_str(),
    }
}
