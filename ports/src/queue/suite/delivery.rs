//! One message and one consumer at a time.

use std::time::Duration;

use serde_json::json;

use super::{MINUTE, Outcome, START, Trial, bodies, drain, only, stale};
use crate::queue::{Error, MAX_BODY_BYTES, MAX_DELAY, MAX_VISIBILITY, Outgoing, Receipt};

pub(super) async fn what_was_sent_is_received(t: Trial) -> Outcome {
    let queue = t.queue();
    assert!(queue.receive(10, MINUTE).await?.is_empty(), "a new queue is empty");
    let body = json!({ "z": [1, 2.5, "ü\u{0}"], "a": null });
    let id = queue.send(&body).await?;
    t.pass(MINUTE);
    let message = only(&*t.queue()).await?;
    assert_eq!((&message.id, &message.body), (&id, &body));
    assert_eq!((message.receives, message.sent_at), (1, START));
    assert!(t.queue().receive(10, MINUTE).await?.is_empty(), "a consumer has it");
    Ok(())
}

pub(super) async fn what_was_acknowledged_is_gone(t: Trial) -> Outcome {
    let queue = t.queue();
    queue.send(&1).await?;
    let receipt = only(&*queue).await?.receipt;
    // Any process may acknowledge what another received: the receipt is all the right there is.
    t.queue().ack(&receipt).await?;
    t.pass(MINUTE * 60);
    assert!(queue.receive(10, MINUTE).await?.is_empty());
    stale(queue.ack(&receipt).await)
}

pub(super) async fn a_delayed_message_waits(t: Trial) -> Outcome {
    let queue = t.queue();
    let delay = Duration::from_nanos(90_000_000_001);
    queue.send_after(delay, &"delayed").await?;
    t.pass(delay - Duration::from_nanos(1));
    assert!(queue.receive(10, MINUTE).await?.is_empty(), "a nanosecond before");
    t.pass(Duration::from_nanos(1));
    assert_eq!(only(&*queue).await?.body, json!("delayed"));
    Ok(())
}

pub(super) async fn visibility_ends(t: Trial) -> Outcome {
    let queue = t.queue();
    let id = queue.send(&1).await?;
    only(&*queue).await?;
    t.pass(MINUTE - Duration::from_nanos(1));
    assert!(queue.receive(10, MINUTE).await?.is_empty(), "a nanosecond before");
    t.pass(Duration::from_nanos(1));
    let again = only(&*queue).await?;
    assert_eq!((again.id, again.receives, again.sent_at), (id, 2, START));
    Ok(())
}

pub(super) async fn extend(t: Trial) -> Outcome {
    let queue = t.queue();
    queue.send(&1).await?;
    let first = only(&*queue).await?.receipt;
    t.pass(MINUTE / 2);
    let second = queue.extend(&first, MINUTE * 2).await?;
    stale(queue.ack(&first).await)?;
    stale(queue.extend(&first, MINUTE).await)?;
    t.pass(MINUTE * 2 - Duration::from_nanos(1));
    assert!(
        queue.receive(10, MINUTE).await?.is_empty(),
        "two minutes from the extension, not one from the receive"
    );
    // Given back at once, by the same consumer and at the same moment over and over.
    let mut receipt = second;
    for receives in 2..=3 {
        let given_back = queue.extend(&receipt, Duration::ZERO).await?;
        let given_back = queue.extend(&given_back, Duration::ZERO).await?;
        let message = only(&*queue).await?;
        assert_eq!(message.receives, receives);
        stale(queue.ack(&given_back).await)?;
        receipt = message.receipt;
    }
    Ok(queue.ack(&receipt).await?)
}

pub(super) async fn a_stale_receipt_is_refused(t: Trial) -> Outcome {
    let queue = t.queue();
    queue.send(&1).await?;
    let stale_receipt = only(&*queue).await?.receipt;
    t.pass(MINUTE);
    let message = only(&*t.queue()).await?;
    stale(queue.ack(&stale_receipt).await)?;
    stale(queue.extend(&stale_receipt, Duration::ZERO).await)?;
    stale(queue.reject(&stale_receipt, "never").await)?;
    for forged in ["", "@", "1", "1@", "1@ready#", "x@timed#", &format!("{}0", message.receipt.0)] {
        stale(queue.ack(&Receipt(forged.to_owned())).await)?;
    }
    assert!(queue.receive(10, MINUTE).await?.is_empty(), "the other consumer still has it");
    assert!(queue.dead_letters(None, 10).await?.letters.is_empty());
    Ok(queue.ack(&message.receipt).await?)
}

pub(super) async fn a_late_receipt_is_good(t: Trial) -> Outcome {
    let queue = t.queue();
    for _ in 0..2 {
        queue.send(&1).await?;
    }
    let messages = queue.receive(2, MINUTE).await?;
    t.pass(MINUTE * 2);
    queue.ack(&messages[0].receipt).await?;
    let receipt = queue.extend(&messages[1].receipt, MINUTE).await?;
    assert!(queue.receive(10, MINUTE).await?.is_empty(), "one is done with, the other extended");
    Ok(queue.ack(&receipt).await?)
}

pub(super) async fn out_of_bounds(t: Trial) -> Outcome {
    let queue = t.queue();
    let second = Duration::from_secs(1);
    let fits = "x".repeat(MAX_BODY_BYTES - 2);
    let refused = queue.send_all(vec![Outgoing::now(&"fits")?, Outgoing::now(&format!("{fits}x"))?]).await;
    let Err(Error::TooLarge { bytes }) = refused else { return Err("a large body was taken".into()) };
    assert_eq!(bytes, MAX_BODY_BYTES + 1);
    let outcomes = [
        queue.send_after(MAX_DELAY + second, &1).await.map(drop),
        queue.receive(1, MAX_VISIBILITY + second).await.map(drop),
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Err(Error::Invalid(_))), "{outcome:?}");
    }
    assert!(drain(&*queue).await?.is_empty(), "nothing of a refused call was sent");

    queue.send_all((0..12).map(|_| Outgoing::now(&fits)).collect::<Result<_, _>>()?).await?;
    let first = queue.receive(0, MAX_VISIBILITY).await?;
    assert_eq!(bodies(&first), [json!(fits)], "a maximum of none is read as one");
    assert_eq!(queue.receive(usize::MAX, MAX_VISIBILITY).await?.len(), 10);
    queue.send_after(MAX_DELAY, &1).await?;
    Ok(())
}
