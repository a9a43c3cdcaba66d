//! The twin in memory: the table's contract in its plainest form.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use jiff::Timestamp;

use super::{
    Condition, Direction, Error, Item, Key, Page, Query, Table, Version, Write, check_key, check_query,
    check_writes, expiry_from_micros, value_text,
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
                let expires_at = expires_at.and_then(|at| expiry_from_micros(at.as_microsecond()));
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
        check_query(query)?;
        let now = self.clock.now();
        let state = self.lock();
        let Some(bounds) = key_bounds(query) else { return Ok(Page::default()) };
        let found = state.items.range(bounds).map(|(_, item)| item).filter(|item| alive(item, now));
        // One more than is asked for tells whether there is a next page.
        let mut items: Vec<Item> = match query.direction {
            Direction::Ascending => found.take(query.limit + 1).cloned().collect(),
            Direction::Descending => found.rev().take(query.limit + 1).cloned().collect(),
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

/// The query's bounds as keys; none if there is nothing between them.
fn key_bounds(query: &Query) -> Option<(Bound<Key>, Bound<Key>)> {
    let (from, to) = query.bounds();
    let key = |sort: String| Key::new(query.partition.as_str(), sort);
    // No key's part holds a NUL, so no partition stands between this one and this one with a NUL.
    let end = Key::new(format!("{}\0", query.partition), "");
    let from = match from {
        Bound::Unbounded => Bound::Included(key(String::new())),
        bound => bound.map(key),
    };
    let to = match to {
        Bound::Unbounded => Bound::Excluded(end),
        bound => bound.map(key),
    };
    match (&from, &to) {
        // What `BTreeMap::range` would take for a mistake.
        (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) if a >= b => None,
        _ => Some((from, to)),
    }
}

#[cfg(all(test, feature = "suite"))]
mod tests {
    use super::*;
    use crate::table::suite;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn keeps_every_promise() {
        suite::run(async |clock| MemoryTable::new(clock)).await;
    }
}
