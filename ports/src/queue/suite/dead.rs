//! Messages that nobody could handle.

use std::time::Duration;

use serde_json::json;

use super::{Failure, MINUTE, Outcome, START, Trial, bodies, drain, only};
use crate::queue::{DeadLetter, Error, Message, MessageId, Outgoing, Queue, Receipt};

/// Receives as often as the queue allows, and once more.
async fn wear_out(t: &Trial, queue: &dyn Queue) -> Result<(), Failure> {
    for _ in 0..3 {
        assert!(!queue.receive(10, MINUTE).await?.is_empty());
        t.pass(MINUTE);
    }
    assert!(queue.receive(10, MINUTE).await?.is_empty(), "a worn-out message is not delivered again");
    Ok(())
}

pub(super) async fn received_too_often(t: Trial) -> Outcome {
    let queue = t.queue();
    let id = queue.send(&"poison").await?;
    for receives in 1..=3 {
        assert!(queue.dead_letters(None, 10).await?.letters.is_empty());
        assert_eq!(only(&*queue).await?.receives, receives);
        t.pass(MINUTE);
    }
    // What stands behind worn-out messages is delivered in the same receive.
    let behind = queue.send(&"behind").await?;
    assert_eq!(only(&*queue).await?.id, behind);
    let wanted = DeadLetter {
        id,
        body: json!("poison"),
        receives: 3,
        sent_at: START,
        died_at: t.now(),
        reason: "received 3 times and never acknowledged".to_owned(),
    };
    assert_eq!(queue.dead_letters(None, 10).await?.letters, [wanted]);

    // A whole receive's worth of worn-out messages does not look like an empty queue.
    let queue = t.queue_on(t.table.clone(), "others");
    queue.send_all((0..10).map(|n| Outgoing::now(&n)).collect::<Result<_, _>>()?).await?;
    for _ in 0..3 {
        assert_eq!(queue.receive(10, MINUTE).await?.len(), 10);
        t.pass(MINUTE);
    }
    queue.send(&"behind").await?;
    assert_eq!(only(&*queue).await?.body, json!("behind"));
    assert_eq!(queue.stats().await?.dead, 10);
    Ok(())
}

pub(super) async fn rejected(t: Trial) -> Outcome {
    let queue = t.queue();
    let id = queue.send(&"poison").await?;
    t.pass(MINUTE);
    let Message { receipt, .. } = only(&*queue).await?;
    queue.reject(&receipt, "no such class").await?;
    super::stale(queue.ack(&receipt).await)?;
    t.pass(MINUTE);
    assert!(queue.receive(10, MINUTE).await?.is_empty());
    let letters = queue.dead_letters(None, 10).await?.letters;
    assert_eq!(letters.len(), 1);
    assert_eq!((&letters[0].id, letters[0].receives, letters[0].sent_at), (&id, 1, START));
    assert_eq!(letters[0].reason, "no such class");
    assert_eq!(letters[0].died_at, START + jiff::SignedDuration::from_mins(1));
    Ok(())
}

fn no_letter<T: std::fmt::Debug>(outcome: &Result<T, Error>, id: &MessageId) {
    assert!(matches!(outcome, Err(Error::NoDeadLetter(named)) if named == id), "{outcome:?}");
}

pub(super) async fn redriven_and_dropped(t: Trial) -> Outcome {
    let queue = t.queue();
    let first = queue.send(&"first").await?;
    let second = queue.send(&"second").await?;
    no_letter(&queue.redrive(&first).await, &first);
    no_letter(&queue.drop_dead_letter(&first).await, &first);
    wear_out(&t, &*queue).await?;

    queue.redrive(&first).await?;
    no_letter(&queue.redrive(&first).await, &first);
    let message = only(&*queue).await?;
    assert_eq!((&message.id, message.receives, message.sent_at), (&first, 1, START));
    t.pass(MINUTE);
    // The count begins anew: it may be received as often as a new one.
    for receives in 2..=3 {
        assert_eq!(only(&*queue).await?.receives, receives);
        t.pass(MINUTE);
    }
    assert!(queue.receive(10, MINUTE).await?.is_empty());

    assert_eq!(queue.redrive_all().await?, 2);
    assert_eq!(queue.redrive_all().await?, 0);
    let messages = queue.receive(10, MINUTE).await?;
    assert_eq!(bodies(&messages), [json!("first"), json!("second")]);
    queue.ack(&messages[0].receipt).await?;
    queue.reject(&messages[1].receipt, "hopeless").await?;
    queue.drop_dead_letter(&second).await?;
    no_letter(&queue.drop_dead_letter(&second).await, &second);
    t.pass(MINUTE);
    assert!(drain(&*queue).await?.is_empty());
    Ok(())
}

pub(super) async fn in_pages(t: Trial) -> Outcome {
    let queue = t.queue();
    let sent = queue.send_all((0..23).map(|n| Outgoing::now(&n)).collect::<Result<_, _>>()?).await?;
    for receipt in receipts(&*queue).await? {
        queue.reject(&receipt, "all of them").await?;
    }
    for limit in [1, 5, 22, 23, 100] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = queue.dead_letters(after.as_ref(), limit).await?;
            assert!(
                (1..=limit).contains(&page.letters.len()),
                "a page of {limit} has {}",
                page.letters.len()
            );
            found.extend(page.letters.into_iter().map(|letter| letter.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(found, sent, "in pages of {limit}");
    }
    assert_eq!(queue.redrive_all().await?, 23);
    t.pass(Duration::from_nanos(1));
    assert_eq!(drain(&*queue).await?.len(), 23);
    Ok(())
}

async fn receipts(queue: &dyn Queue) -> Result<Vec<Receipt>, Failure> {
    let mut receipts = Vec::new();
    loop {
        let messages = queue.receive(10, MINUTE).await?;
        if messages.is_empty() {
            return Ok(receipts);
        }
        receipts.extend(messages.into_iter().map(|message| message.receipt));
    }
}
