//! What looks after a queue.

use std::time::Duration;

use serde_json::json;

use super::meddled::Meddled;
use super::{MINUTE, NAME, Outcome, START, Trial, bodies, drain, stale};
use crate::queue::{Outgoing, Stats};

pub(super) async fn purge(t: Trial) -> Outcome {
    let queue = t.queue();
    assert_eq!(queue.purge().await?, 0);
    queue.send(&"dead").await?;
    let dead = queue.receive(1, MINUTE).await?;
    queue.reject(&dead[0].receipt, "never").await?;
    // More than one transaction takes.
    queue.send_all((0..230).map(|n| Outgoing::now(&n)).collect::<Result<_, _>>()?).await?;
    queue.send_after(MINUTE, &"delayed").await?;
    let in_flight = queue.receive(10, MINUTE).await?;
    assert_eq!(queue.purge().await?, 231);
    for message in &in_flight {
        stale(queue.ack(&message.receipt).await)?;
    }
    t.pass(MINUTE * 2);
    assert!(queue.receive(10, MINUTE).await?.is_empty());
    assert_eq!(queue.stats().await?, Stats { dead: 1, ..Stats::default() });
    queue.send(&"afterwards").await?;
    assert_eq!(bodies(&drain(&*queue).await?), [json!("afterwards")]);
    Ok(())
}

pub(super) async fn purge_beside_consumers(t: Trial) -> Outcome {
    let queue = t.queue();
    queue.send_all((0..500).map(|n| Outgoing::now(&n)).collect::<Result<_, _>>()?).await?;
    let consumer = tokio::spawn({
        let queue = t.queue();
        async move {
            let mut acknowledged = 0;
            loop {
                let messages = queue.receive(3, MINUTE).await?;
                if messages.is_empty() {
                    return Ok::<u64, crate::queue::Error>(acknowledged);
                }
                // The first is done with; the others go back, to where the purge may have been already.
                acknowledged += u64::from(queue.ack(&messages[0].receipt).await.is_ok());
                for message in &messages[1..] {
                    drop(queue.extend(&message.receipt, Duration::ZERO).await);
                }
            }
        }
    });
    let purged = queue.purge().await?;
    let acknowledged = consumer.await??;
    let left = queue.purge().await?;
    assert_eq!(purged + acknowledged + left, 500, "each was purged or acknowledged, and none twice");
    assert_eq!(queue.stats().await?, Stats::default());
    Ok(())
}

pub(super) async fn purge_what_moves(t: Trial) -> Outcome {
    let queue = t.queue();
    queue.send_all((0..10).map(|n| Outgoing::now(&n)).collect::<Result<_, _>>()?).await?;
    let rival = t.queue();
    let meddled = Meddled::new(
        t.table.clone(),
        Box::new(move |look| {
            let rival = rival.clone();
            // Twice a consumer is quicker than the purge; then it has enough.
            Box::pin(async move { if look < 3 { rival.receive(3, MINUTE).await.map(drop) } else { Ok(()) } })
        }),
    );
    assert_eq!(t.queue_on(meddled, NAME).purge().await?, 10);
    assert_eq!(queue.stats().await?, Stats::default());
    Ok(())
}

pub(super) async fn stats(t: Trial) -> Outcome {
    let queue = t.queue();
    assert_eq!(queue.stats().await?, Stats::default());
    queue.send_after(Duration::from_secs(30), &"delayed").await?;
    t.pass(Duration::from_secs(10));
    queue.send_all((0..4).map(|n| Outgoing::now(&n)).collect::<Result<_, _>>()?).await?;
    let messages = queue.receive(3, MINUTE).await?;
    queue.reject(&messages[0].receipt, "never").await?;
    let wanted = Stats { ready: 1, delayed: 1, in_flight: 2, dead: 1, oldest_sent_at: Some(START) };
    let stats = queue.stats().await?;
    assert_eq!(stats, wanted);
    assert_eq!(stats.oldest_age(t.now()), Some(Duration::from_secs(10)));
    assert_eq!(stats.oldest_age(START - jiff::SignedDuration::from_secs(1)), Some(Duration::ZERO));

    // The delay and the visibility are over: all are ready.
    t.pass(MINUTE);
    assert_eq!(queue.stats().await?, Stats { ready: 4, delayed: 0, in_flight: 0, ..wanted });
    assert_eq!(drain(&*queue).await?.len(), 4);
    assert_eq!(queue.stats().await?, Stats { dead: 1, ..Stats::default() });
    Ok(())
}

pub(super) async fn queues_do_not_mix(t: Trial) -> Outcome {
    let names = ["jobs", "jobs-2", "Jobs", "dead", "senders"];
    let queues = names.map(|name| t.queue_on(t.table.clone(), name));
    for queue in &queues {
        queue.send(&queue.name()).await?;
    }
    queues[0].purge().await?;
    for queue in &queues[1..] {
        assert_eq!(bodies(&drain(&**queue).await?), [json!(queue.name())]);
    }
    Ok(())
}
