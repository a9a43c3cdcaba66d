//! A long random history, told to the table and to its twin in memory: both must answer alike and end alike.
//!
//! Versions are numbers of each table's own; what must agree is which of them are equal. So every put is remembered under
//! both of its versions, and a version that one of them shows stands for the pair it belongs to.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::random::Random;
use super::{Failure, Outcome, Trial};
use crate::table::{
    Condition, Direction, Error, Item, Key, MemoryTable, Page, Query, Range, Table, Version, Write,
};

const STEPS: usize = 2000;
const PARTITIONS: &[&str] = &["p", "q"];
const SORTS: &[&str] = &["a", "a\u{ffff}", "a\u{10000}", "a\u{10ffff}", "aa", "b", "é"];
const BOUNDS: &[&str] = &["", "a", "a\u{ffff}", "a\u{10ffff}", "aa", "é", "z"];

/// One put, by the version it has in each of the two.
#[derive(Clone, Copy)]
struct Put {
    tested: Version,
    model: Version,
}

struct History {
    t: Trial,
    model: Arc<dyn Table>,
    puts: BTreeMap<Key, Vec<Put>>,
    random: Random,
}

pub(super) async fn random_history(t: Trial) -> Outcome {
    let model = Arc::new(MemoryTable::new(t.clock.clone()));
    let mut history = History { t, model, puts: BTreeMap::new(), random: Random(4) };
    let (mut done, mut refused) = (0, 0);
    for step in 0..STEPS {
        let taken = match history.random.below(10) {
            0 => history.pass_time().await,
            1 | 2 => history.ask().await,
            _ => history.transact().await.map(|was| *if was { &mut done } else { &mut refused } += 1),
        };
        taken.map_err(|cause| format!("in step {step}: {}", super::told(&*cause)))?;
    }
    assert!(
        done > STEPS / 10 && refused > STEPS / 10,
        "the history tries both: {done} done, {refused} refused"
    );
    history.compare_all().await
}

impl History {
    async fn pass_time(&mut self) -> Outcome {
        let secs = i64::try_from(self.random.below(4))?;
        self.t.clock.set(self.t.in_secs(secs));
        self.compare_all().await
    }

    async fn compare_all(&self) -> Outcome {
        for partition in PARTITIONS {
            self.compare(&Query::all(*partition)).await?;
        }
        Ok(())
    }

    async fn ask(&mut self) -> Outcome {
        let bound = |random: &mut Random| (*random.choose(BOUNDS)).to_owned();
        let random = &mut self.random;
        let query = Query {
            partition: (*random.choose(PARTITIONS)).to_owned(),
            range: match random.below(3) {
                0 => Range::All,
                1 => Range::Prefix(bound(random)),
                _ => Range::Between(bound(random), bound(random)),
            },
            direction: *random.choose(&[Direction::Ascending, Direction::Descending]),
            limit: 1 + random.below(SORTS.len()),
            after: (random.below(2) == 0).then(|| bound(random)),
        };
        self.compare(&query).await
    }

    async fn compare(&self, query: &Query) -> Outcome {
        let (tested, model) = (self.t.table.query(query).await?, self.model.query(query).await?);
        assert_eq!(self.as_model(tested), model, "{query:?}");
        for item in model.items {
            let tested = self.t.table.get(&item.key).await?;
            assert_eq!(tested.map(|found| self.item_as_model(found)), Some(item));
        }
        Ok(())
    }

    fn as_model(&self, page: Page) -> Page {
        Page { items: page.items.into_iter().map(|item| self.item_as_model(item)).collect(), next: page.next }
    }

    fn item_as_model(&self, item: Item) -> Item {
        let puts = self.puts.get(&item.key).map_or(&[][..], Vec::as_slice);
        let put = puts.iter().find(|put| put.tested == item.version);
        let put = put.unwrap_or_else(|| panic!("no put gave the version of {item:?}"));
        Item { version: put.model, ..item }
    }

    /// Whether the transaction was done, and not refused.
    async fn transact(&mut self) -> Result<bool, Failure> {
        let keys = self.some_keys();
        let (mut tested, mut model) = (Vec::new(), Vec::new());
        for key in keys {
            let (for_tested, for_model) = self.some_condition(&key);
            let write = self.some_write(key, for_model);
            tested.push(under(write.clone(), for_tested));
            model.push(write);
        }
        let outcome = (self.t.table.transact(tested).await, self.model.transact(model.clone()).await);
        match outcome {
            (Ok(tested), Ok(known)) => {
                assert_eq!(tested.len(), known.len(), "a version or none for each of {model:?}");
                for (write, pair) in model.iter().zip(tested.into_iter().zip(known)) {
                    self.remember(write.key(), pair);
                }
                Ok(true)
            }
            (
                Err(Error::Conflict { index: a, key: b, .. }),
                Err(Error::Conflict { index: c, key: d, .. }),
            ) => {
                assert_eq!((a, b), (c, d), "the write that is refused in {model:?}");
                Ok(false)
            }
            (tested, known) => Err(format!("{tested:?}, and in memory {known:?}, for {model:?}").into()),
        }
    }

    fn remember(&mut self, key: &Key, pair: (Option<Version>, Option<Version>)) {
        match pair {
            (Some(tested), Some(model)) => {
                let puts = self.puts.entry(key.clone()).or_default();
                assert!(puts.iter().all(|put| put.tested != tested), "{tested:?} of `{key}` came back");
                puts.push(Put { tested, model });
            }
            (None, None) => {}
            other => panic!("a put gives a version, and nothing else does: {other:?} for `{key}`"),
        }
    }

    fn some_keys(&mut self) -> Vec<Key> {
        let mut keys = Vec::new();
        for _ in 0..=self.random.below(4) {
            let key = Key::new(*self.random.choose(PARTITIONS), *self.random.choose(SORTS));
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// A condition, as the table under test and as the model must be told it. Mostly one of the last versions, so that
    /// about half of them hold.
    fn some_condition(&mut self, key: &Key) -> (Condition, Condition) {
        let puts = self.puts.get(key).map_or(&[][..], Vec::as_slice);
        match self.random.below(8) {
            0 => (Condition::Absent, Condition::Absent),
            1 | 2 if !puts.is_empty() => {
                let put = puts[puts.len() - 1 - self.random.below(puts.len().min(2))];
                (Condition::Version(put.tested), Condition::Version(put.model))
            }
            _ => (Condition::Any, Condition::Any),
        }
    }

    fn some_write(&mut self, key: Key, condition: Condition) -> Write {
        match self.random.below(6) {
            0 => Write::Delete { key, condition },
            1 => Write::Check { key, condition },
            kind => {
                let secs = i64::try_from(self.random.below(8)).expect("a number below 8 fits");
                let expires_at = (kind == 2).then(|| self.t.in_secs(secs));
                Write::Put { key, value: json!({"n": self.random.bits()}), expires_at, condition }
            }
        }
    }
}

fn under(write: Write, condition: Condition) -> Write {
    match write {
        Write::Put { key, value, expires_at, .. } => Write::Put { key, value, expires_at, condition },
        Write::Delete { key, .. } => Write::Delete { key, condition },
        Write::Check { key, .. } => Write::Check { key, condition },
    }
}
