//! Processes that die.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;

use async_trait::async_trait;

use super::{Failure, MINUTE, Outcome, Trial, drain, only, stale};
use crate::queue::{MessageId, Outgoing, Queue};
use crate::table::{Error, Item, Key, Page, Query, Table, Version, Write};

pub(super) async fn a_consumer_crashes(t: Trial) -> Outcome {
    let queue = t.queue();
    let ids = queue.send_all((0..3).map(|n| Outgoing::now(&n)).collect::<Result<_, _>>()?).await?;
    let lost = queue.receive(2, MINUTE).await?;
    drop(queue);

    let restarted = t.queue();
    assert_eq!(only(&*restarted).await?.id, ids[2], "what it had stays hidden");
    t.pass(MINUTE);
    let again = drain(&*restarted).await?;
    assert_eq!(again.iter().map(|message| &message.id).collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
    assert!(again.iter().all(|message| message.receives == 2));
    for message in lost {
        stale(restarted.ack(&message.receipt).await)?;
    }
    Ok(())
}

/// What a process did before it died, as far as it was told.
#[derive(Default)]
struct Witness {
    sent: BTreeSet<MessageId>,
    acknowledged: BTreeSet<MessageId>,
    /// Tried, with an answer that never came.
    perhaps_acknowledged: BTreeSet<MessageId>,
    /// And nobody tried to redrive it yet.
    rejected: BTreeSet<MessageId>,
}

/// A life in which everything happens once. An error is the end of it.
async fn live(t: &Trial, queue: &dyn Queue, saw: &mut Witness) -> Outcome {
    for first in [0, 4] {
        let messages = (first..first + 4).map(|n| Outgoing::now(&n)).collect::<Result<_, _>>()?;
        saw.sent.extend(queue.send_all(messages).await?);
    }
    let messages = queue.receive(6, MINUTE).await?;
    for message in &messages[..2] {
        saw.perhaps_acknowledged.insert(message.id.clone());
        queue.ack(&message.receipt).await?;
        saw.acknowledged.insert(message.id.clone());
    }
    let extended = queue.extend(&messages[2].receipt, MINUTE * 2).await?;
    queue.reject(&messages[3].receipt, "never").await?;
    saw.rejected.insert(messages[3].id.clone());
    t.pass(MINUTE);
    saw.perhaps_acknowledged.insert(messages[2].id.clone());
    queue.ack(&extended).await?;
    saw.acknowledged.insert(messages[2].id.clone());
    saw.rejected.clear();
    queue.redrive(&messages[3].id).await?;
    for message in queue.receive(3, MINUTE).await? {
        saw.perhaps_acknowledged.insert(message.id.clone());
        queue.ack(&message.receipt).await?;
        saw.acknowledged.insert(message.id);
    }
    Ok(())
}

/// What those who come after it find: every message that is still to be handled, and every dead letter.
async fn aftermath(t: &Trial, name: &str, saw: &Witness) -> Result<(), Failure> {
    t.pass(MINUTE * 60);
    let queue = t.queue_on(t.table.clone(), name);
    let dead = queue.dead_letters(None, 100).await?.letters;
    let living = drain(&*queue).await?;
    let found = living.iter().map(|message| &message.id).chain(dead.iter().map(|letter| &letter.id));
    let found: Vec<_> = found.cloned().collect();
    let once: BTreeSet<_> = found.iter().cloned().collect();
    assert_eq!(once.len(), found.len(), "a message came twice: {found:?}");
    for id in &saw.sent {
        let gone = !once.contains(id);
        assert!(!gone || saw.perhaps_acknowledged.contains(id), "the message {id} is lost");
        assert!(gone || !saw.acknowledged.contains(id), "the message {id} was acknowledged, and came again");
    }
    let dead: BTreeSet<_> = dead.into_iter().map(|letter| letter.id).collect();
    assert!(saw.rejected.is_subset(&dead), "a dead letter is lost");
    Ok(())
}

pub(super) async fn at_every_write(t: Trial) -> Outcome {
    for last in [Last::Done, Last::NotDone] {
        let mut crashes = 0;
        loop {
            let name = format!("{last:?}-{crashes}");
            let dying = Dying { table: t.table.clone(), left: Mutex::new(crashes), last };
            let mut saw = Witness::default();
            let outcome = live(&t, &*t.queue_on(Arc::new(dying), &name), &mut saw).await;
            aftermath(&t, &name, &saw).await?;
            if outcome.is_ok() {
                break;
            }
            crashes += 1;
        }
        // The sender's number, two sends, two receives, the acknowledgements, and one each of the others.
        assert!(crashes >= 12, "only {crashes} writes were tried");
    }
    Ok(())
}

/// Whether the write during which a process dies is done.
#[derive(Debug, Clone, Copy)]
enum Last {
    Done,
    NotDone,
}

/// A table as a process sees it that dies after so many writes.
struct Dying {
    table: Arc<dyn Table>,
    left: Mutex<usize>,
    last: Last,
}

impl Dying {
    /// How many writes are left; counts one off.
    fn count_off(&self) -> usize {
        let mut left = self.left.lock().expect("nothing panics that holds the count");
        let before = *left;
        *left = before.saturating_sub(1);
        before
    }
}

#[async_trait]
impl Table for Dying {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Error> {
        self.table.get(key).await
    }

    async fn query(&self, query: &Query) -> Result<Page, Error> {
        self.table.query(query).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Option<Version>>, Error> {
        if self.count_off() > 0 {
            return self.table.transact(writes).await;
        }
        if matches!(self.last, Last::Done) {
            self.table.transact(writes).await?;
        }
        Err(Error::store("go on", "the process died"))
    }
}
