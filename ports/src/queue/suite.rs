//! The conformance suite of [`Queue`] over a [`Table`]: what the port promises, as a list of checks.
//!
//! A backend's test is one line, [`run`] with a function that opens an empty table, the same that the table's own suite
//! takes. The clock stands still unless a check moves it, so nothing here waits for anything.

mod crash;
mod crowd;
mod dead;
mod delivery;
mod meddled;
mod order;
mod upkeep;

use std::num::NonZeroU32;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Error, Message, Queue, TableQueue};
use crate::clock::{Clock, SimulatedClock};
use crate::table::Table;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Outcome = Result<(), Failure>;
type Check = fn(Trial) -> BoxFuture<'static, Outcome>;

/// Every promise, in the order of the port's essay.
const CHECKS: &[(&str, Check)] = &[
    ("what was sent is received", |t| Box::pin(delivery::what_was_sent_is_received(t))),
    ("what was acknowledged is gone", |t| Box::pin(delivery::what_was_acknowledged_is_gone(t))),
    ("a delayed message waits", |t| Box::pin(delivery::a_delayed_message_waits(t))),
    ("after its visibility a message comes again", |t| Box::pin(delivery::visibility_ends(t))),
    ("a visibility can be extended and given back", |t| Box::pin(delivery::extend(t))),
    ("a stale receipt is refused", |t| Box::pin(delivery::a_stale_receipt_is_refused(t))),
    ("a late receipt is good until somebody else has one", |t| Box::pin(delivery::a_late_receipt_is_good(t))),
    ("what no queue could take is refused", |t| Box::pin(delivery::out_of_bounds(t))),
    ("messages come by due time", |t| Box::pin(order::by_due_time(t))),
    ("the first come first, whichever way they waited", |t| Box::pin(order::all_ways_of_waiting(t))),
    ("a clock that is set back delays only what waits for it", |t| Box::pin(order::clock_set_back(t))),
    ("eight consumers of one process share ten thousand messages", |t| Box::pin(crowd::one_process(t))),
    ("eight processes share two thousand messages", |t| Box::pin(crowd::eight_processes(t))),
    ("a slow consumer does not starve beside a quick one", |t| Box::pin(crowd::slow_beside_quick(t))),
    ("a message given back while it is looked for comes once", |t| {
        Box::pin(crowd::given_back_while_looked_for(t))
    }),
    ("a message received too often becomes a dead letter", |t| Box::pin(dead::received_too_often(t))),
    ("a rejected message becomes a dead letter", |t| Box::pin(dead::rejected(t))),
    ("dead letters are redriven and dropped", |t| Box::pin(dead::redriven_and_dropped(t))),
    ("dead letters come in pages", |t| Box::pin(dead::in_pages(t))),
    ("purging takes every message", |t| Box::pin(upkeep::purge(t))),
    ("purging beside consumers leaves nothing behind", |t| Box::pin(upkeep::purge_beside_consumers(t))),
    ("purging takes what moves meanwhile", |t| Box::pin(upkeep::purge_what_moves(t))),
    ("stats tell how the queue stands", |t| Box::pin(upkeep::stats(t))),
    ("queues do not mix", |t| Box::pin(upkeep::queues_do_not_mix(t))),
    ("a consumer that crashed loses nothing", |t| Box::pin(crash::a_consumer_crashes(t))),
    ("a crash at any write loses nothing and doubles nothing", |t| Box::pin(crash::at_every_write(t))),
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
        // Caught, so that one run tells all that is wrong.
        match AssertUnwindSafe(check(Trial { table, clock })).catch_unwind().await {
            Ok(Ok(())) => {}
            Ok(Err(cause)) => failed.push(format!("{name}: {}", told(&*cause))),
            Err(_) => failed.push(format!("{name}: see the panic above")),
        }
    }
    let (bad, all) = (failed.len(), CHECKS.len());
    assert!(failed.is_empty(), "{bad} of {all} checks of the queue suite failed:\n  {}", failed.join("\n  "));
}

fn told(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", told(cause)),
        None => error.to_string(),
    }
}

const START: Timestamp = Timestamp::constant(1_795_222_800, 0);
/// The visibility that the checks receive with.
const MINUTE: Duration = Duration::from_secs(60);
const NAME: &str = "jobs";

/// What a check works with.
#[derive(Clone)]
struct Trial {
    table: Arc<dyn Table>,
    clock: Arc<SimulatedClock>,
}

impl Trial {
    /// The queue as one process opens it; called again, as another process does.
    fn queue(&self) -> Arc<dyn Queue> {
        self.queue_on(self.table.clone(), NAME)
    }

    fn queue_on(&self, table: Arc<dyn Table>, name: &str) -> Arc<dyn Queue> {
        let max_receives = NonZeroU32::new(3).expect("three is not zero");
        Arc::new(TableQueue::new(table, self.clock.clone(), name, max_receives).expect("the name is plain"))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn pass(&self, span: Duration) {
        self.clock.advance(SignedDuration::try_from(span).expect("the checks pass hours at most"));
    }
}

/// What messages say, as they came.
fn bodies(messages: &[Message]) -> Vec<Value> {
    messages.iter().map(|message| message.body.clone()).collect()
}

/// The only message that is to be had.
async fn only(queue: &dyn Queue) -> Result<Message, Failure> {
    let mut messages = queue.receive(10, MINUTE).await?;
    match (messages.pop(), messages.len()) {
        (Some(message), 0) => Ok(message),
        (last, others) => {
            Err(format!("one message was expected, not {}", others + usize::from(last.is_some())).into())
        }
    }
}

/// Receives and acknowledges until nothing is due any more.
async fn drain(queue: &dyn Queue) -> Result<Vec<Message>, Failure> {
    let mut all = Vec::new();
    loop {
        let messages = queue.receive(10, MINUTE).await?;
        if messages.is_empty() {
            return Ok(all);
        }
        for message in &messages {
            queue.ack(&message.receipt).await?;
        }
        all.extend(messages);
    }
}

/// That somebody was told to be stale.
fn stale<T>(outcome: Result<T, Error>) -> Outcome {
    match outcome {
        Err(Error::Stale) => Ok(()),
        Err(other) => Err(format!("a stale receipt was expected, not: {}", told(&other)).into()),
        Ok(_) => Err("the receipt is stale, and was taken".into()),
    }
}
