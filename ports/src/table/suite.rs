//! The conformance suite of [`Table`]: what the port promises, as a list of checks that every backend runs.
//!
//! An adapter's test is one line, [`run`] with a function that opens an empty table. Each check gets a table of its own
//! and a clock that stands still, so it may use any key and decide itself when something expires. To hold a backend to its
//! promises between processes, open it twice and hand out a table that goes to the two in turn.

mod concurrent;
mod expiry;
mod limits;
mod model;
mod order;
mod paging;
mod random;
mod transactions;
mod values;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Condition, Error, Item, Key, Query, Table, Version, Write};
use crate::clock::{Clock, SimulatedClock};

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Outcome = Result<(), Failure>;
type Check = fn(Trial) -> BoxFuture<'static, Outcome>;

/// Every promise, in the order of the port's essay.
const CHECKS: &[(&str, Check)] = &[
    ("what was put is there", |t| Box::pin(transactions::what_was_put_is_there(t))),
    ("all writes of a transaction or none", |t| Box::pin(transactions::all_or_none(t))),
    ("a conflict names the first write that is refused", |t| {
        Box::pin(transactions::conflicts_name_the_write(t))
    }),
    ("a check writes nothing", |t| Box::pin(transactions::a_check_writes_nothing(t))),
    ("deleting what is not there is no error", |t| Box::pin(transactions::deleting_nothing(t))),
    ("a hundred writes are one transaction", |t| Box::pin(transactions::a_hundred_writes(t))),
    ("a version is never used twice", |t| Box::pin(transactions::versions_are_never_reused(t))),
    ("a stale owner is refused", |t| Box::pin(transactions::a_stale_owner_is_refused(t))),
    ("no update is lost", |t| Box::pin(concurrent::no_update_is_lost(t))),
    ("transfers keep the sum, also for readers", |t| Box::pin(concurrent::transfers_keep_the_sum(t))),
    ("one wins the race for what is absent", |t| Box::pin(concurrent::one_wins_the_absent(t))),
    ("one takes over an expired lease", |t| Box::pin(concurrent::one_takes_over_a_lease(t))),
    ("writers in opposite order do not block each other", |t| Box::pin(concurrent::opposite_orders(t))),
    ("a reader sees what was written before", |t| Box::pin(concurrent::read_your_writes(t))),
    ("order is that of bytes", |t| Box::pin(order::order_is_that_of_bytes(t))),
    ("ranges hold what they say", |t| Box::pin(order::ranges(t))),
    ("keys are compared exactly", |t| Box::pin(order::keys_are_exact(t))),
    ("pages of any size make the same whole", |t| Box::pin(paging::pages_of_any_size(t))),
    ("no page is larger than the largest", |t| Box::pin(paging::the_largest_page(t))),
    ("pages go on while items come and go", |t| Box::pin(paging::while_items_come_and_go(t))),
    ("an expired item is not there", |t| Box::pin(expiry::an_expired_item_is_not_there(t))),
    ("an expired item gives way", |t| Box::pin(expiry::an_expired_item_gives_way(t))),
    ("expired items leave no gaps in pages", |t| Box::pin(expiry::no_gaps_in_pages(t))),
    ("clearing away takes nothing that lives", |t| Box::pin(expiry::clearing_takes_nothing_that_lives(t))),
    ("an expiry is kept to the microsecond", |t| Box::pin(expiry::kept_to_the_microsecond(t))),
    ("a value comes back as it was given", |t| Box::pin(values::as_they_were_given(t))),
    ("every digit of a number comes back", |t| Box::pin(values::every_digit(t))),
    ("what no backend could take is refused by all", |t| Box::pin(limits::refused_by_all(t))),
    ("what is just within the limits is taken", |t| Box::pin(limits::just_within(t))),
    ("a question out of bounds is refused", |t| Box::pin(limits::questions_out_of_bounds(t))),
    ("a long random history ends as in memory", |t| Box::pin(model::random_history(t))),
];

/// Runs every check, each on a table of its own.
///
/// `open` gives an empty table whose items expire by the clock it is handed.
///
/// # Panics
/// If a check fails; the message names every one that did.
pub async fn run<T: Table + 'static>(open: impl AsyncFn(Arc<dyn Clock>) -> T) {
    let mut failed = Vec::new();
    for (name, check) in CHECKS {
        let clock = Arc::new(SimulatedClock::at(START));
        let table = Arc::new(open(clock.clone()).await);
        // Caught, so that one run tells all that is wrong with a new backend.
        match AssertUnwindSafe(check(Trial { table, clock })).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(cause)) => failed.push(format!("{name}: {}", told(&*cause))),
            Err(_) => failed.push(format!("{name}: see the panic above")),
        }
    }
    let (bad, all) = (failed.len(), CHECKS.len());
    assert!(failed.is_empty(), "{bad} of {all} checks of the table suite failed:\n  {}", failed.join("\n  "));
}

fn told(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", told(cause)),
        None => error.to_string(),
    }
}

const START: Timestamp = Timestamp::constant(1_795_222_800, 0);
/// Where a check keeps its items if it needs one partition only.
const HOME: &str = "home";

/// What a check works with.
#[derive(Clone)]
struct Trial {
    table: Arc<dyn Table>,
    clock: Arc<SimulatedClock>,
}

impl Trial {
    async fn get(&self, sort: &str) -> Result<Option<Item>, Error> {
        self.table.get(&home(sort)).await
    }

    async fn value(&self, sort: &str) -> Result<Option<Value>, Error> {
        Ok(self.get(sort).await?.map(|item| item.value))
    }

    async fn put(&self, sort: &str, value: impl Into<Value>) -> Result<Version, Error> {
        self.table.put(home(sort), &value.into(), Condition::Any).await
    }

    async fn put_if(&self, sort: &str, value: impl Into<Value>, when: Condition) -> Result<Version, Error> {
        self.table.put(home(sort), &value.into(), when).await
    }

    async fn put_until(&self, sort: &str, value: impl Into<Value>, end: Timestamp) -> Outcome {
        let put = Write::Put {
            key: home(sort),
            value: value.into(),
            expires_at: Some(end),
            condition: Condition::Any,
        };
        self.table.transact(vec![put]).await?;
        Ok(())
    }

    /// The sort keys that a query finds on all of its pages.
    async fn sorts(&self, mut query: Query) -> Result<Vec<String>, Error> {
        let mut sorts = Vec::new();
        loop {
            let page = self.table.query(&query).await?;
            sorts.extend(page.items.into_iter().map(|item| item.key.sort));
            match page.next {
                None => return Ok(sorts),
                next => {
                    // Otherwise a faulty backend would keep the suite busy for ever.
                    assert_ne!(next, query.after, "the next page begins where this one did: {query:?}");
                    query.after = next;
                }
            }
        }
    }

    fn in_secs(&self, secs: i64) -> Timestamp {
        self.clock.now() + SignedDuration::from_secs(secs)
    }
}

fn home(sort: &str) -> Key {
    Key::new(HOME, sort)
}

fn put(sort: &str, value: impl Into<Value>, condition: Condition) -> Write {
    Write::Put { key: home(sort), value: value.into(), expires_at: None, condition }
}

/// The write that a refusal names.
fn conflict<T>(outcome: Result<T, Error>) -> Result<(usize, Key, Condition), Failure> {
    match outcome {
        Err(Error::Conflict { index, key, condition }) => Ok((index, key, condition)),
        Err(other) => Err(format!("a conflict was expected, not: {}", told(&other)).into()),
        Ok(_) => Err("a conflict was expected, but the transaction was done".into()),
    }
}
