//! Which message comes first.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use super::{MINUTE, Outcome, Trial, bodies, drain, only};
use crate::queue::Outgoing;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(super) async fn by_due_time(t: Trial) -> Outcome {
    let queue = t.queue();
    let delays = [40, 10, 0, 30, 10, 20, 0];
    let messages = delays.iter().enumerate().map(|(n, delay)| Outgoing::after(seconds(*delay), &n));
    queue.send_all(messages.collect::<Result<_, _>>()?).await?;
    t.pass(seconds(25));
    // Those of one moment come in the order they were sent.
    assert_eq!(bodies(&drain(&*queue).await?), [2, 6, 1, 4, 5].map(|n| json!(n)));
    t.pass(seconds(15));
    assert_eq!(bodies(&drain(&*queue).await?), [3, 0].map(|n| json!(n)));
    Ok(())
}

pub(super) async fn all_ways_of_waiting(t: Trial) -> Outcome {
    let queue = t.queue();
    queue.send(&"received").await?;
    assert_eq!(only(&*queue).await?.body, json!("received"));
    queue.send_after(seconds(30), &"delayed").await?;
    t.pass(seconds(20));
    queue.send(&"early").await?;
    t.pass(seconds(20));
    queue.send(&"late").await?;
    t.pass(seconds(20));
    queue.send(&"at the end of the visibility").await?;
    let due = ["early", "delayed", "late", "received", "at the end of the visibility"];
    // One by one, so that each receive must choose.
    for wanted in due {
        let message = queue.receive(1, MINUTE).await?;
        assert_eq!(bodies(&message), [json!(wanted)]);
    }
    Ok(())
}

pub(super) async fn clock_set_back(t: Trial) -> Outcome {
    let queue = t.queue();
    let before = queue.send(&"in flight").await?;
    let lost = only(&*queue).await?.receipt;
    queue.send(&"before").await?;
    queue.send_after(seconds(5), &"delayed").await?;
    t.clock.advance(SignedDuration::from_hours(-1));
    // As it was an hour ago: nothing that was ready has to wait for the hour to pass again, in no process.
    let after = queue.send(&"after").await?;
    assert_eq!(bodies(&drain(&*t.queue()).await?), [json!("after"), json!("before")]);
    let restarted = t.queue().send(&"restarted").await?;
    assert_eq!(BTreeSet::from([&before, &after, &restarted]).len(), 3, "ids do not come from the clock");
    assert!(before < after && after < restarted, "{before} {after} {restarted}");
    assert_eq!(bodies(&drain(&*queue).await?), [json!("restarted")]);

    t.clock.advance(SignedDuration::from_hours(1));
    assert!(queue.receive(10, MINUTE).await?.is_empty(), "the hour has passed again, the visibility has not");
    t.pass(MINUTE);
    let messages = drain(&*queue).await?;
    assert_eq!(bodies(&messages), [json!("delayed"), json!("in flight")]);
    assert_eq!(messages[1].receives, 2);
    super::stale(queue.ack(&lost).await)
}
