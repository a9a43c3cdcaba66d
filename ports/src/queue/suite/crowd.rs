//! Many consumers at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use jiff::Timestamp;
use serde_json::json;
use tokio::task::JoinSet;

use super::meddled::Meddled;
use super::{Failure, MINUTE, NAME, Outcome, Trial, bodies, only};
use crate::queue::{MAX_RECEIVE, Message, MessageId, Outgoing, Queue, Stats};

const CONSUMERS: usize = 8;

/// A message: when it is due, and what it is called. Their order is that in which they must come.
type Ticket = (Timestamp, MessageId);

/// Sends messages with and without delay, and waits until all are due; gives them in order.
async fn fill(t: &Trial, count: u64) -> Result<Vec<Ticket>, Failure> {
    let queue = t.queue();
    let mut tickets = Vec::new();
    for first in (0..count).step_by(400) {
        let numbers: Vec<_> = (first..count.min(first + 400)).collect();
        let sends = numbers.chunks(50).map(|some| send(t, &*queue, some));
        tickets.extend(try_join_all(sends).await?.concat());
        t.pass(Duration::from_millis(500));
    }
    t.pass(MINUTE * 6);
    tickets.sort_unstable();
    Ok(tickets)
}

/// Sends messages that say when they are due.
async fn send(t: &Trial, queue: &dyn Queue, numbers: &[u64]) -> Result<Vec<Ticket>, Failure> {
    // Every third waits, for up to five minutes; the multiplier spreads the delays.
    let delay = |number| Duration::from_millis(if number % 3 == 0 { number * 7_919 % 300_000 } else { 0 });
    let due: Vec<_> = numbers.iter().map(|number| t.now() + delay(*number)).collect();
    let messages = numbers.iter().zip(&due).map(|(number, due)| Outgoing::after(delay(*number), due));
    let ids = queue.send_all(messages.collect::<Result<_, _>>()?).await?;
    Ok(due.into_iter().zip(ids).collect())
}

fn ticket(message: &Message) -> Ticket {
    (message.parse().expect("these checks send due moments"), message.id.clone())
}

/// Works until nothing is left; gives the tickets of each receive.
async fn consume(queue: Arc<dyn Queue>) -> Result<Vec<Vec<Ticket>>, Failure> {
    let mut receives = Vec::new();
    loop {
        let messages = queue.receive(MAX_RECEIVE, MINUTE).await?;
        if messages.is_empty() {
            return Ok(receives);
        }
        assert!(
            messages.iter().all(|message| message.receives == 1),
            "the clock stands: nothing comes twice"
        );
        receives.push(messages.iter().map(ticket).collect());
        try_join_all(messages.iter().map(|message| queue.ack(&message.receipt))).await?;
    }
}

/// What each of the consumers received.
async fn crowd(consumers: Vec<Arc<dyn Queue>>) -> Result<Vec<Vec<Vec<Ticket>>>, Failure> {
    let mut tasks: JoinSet<_> = consumers.into_iter().map(consume).collect();
    let mut received = Vec::new();
    while let Some(joined) = tasks.join_next().await {
        received.push(joined??);
    }
    Ok(received)
}

/// That every ticket was received, and none twice; an acknowledgement was refused to nobody, or `consume` had failed.
fn assert_each_once(sent: &[Ticket], received: &[Vec<Vec<Ticket>>]) {
    let mut all: Vec<_> = received.iter().flatten().flatten().cloned().collect();
    all.sort_unstable();
    assert_eq!(all.len(), sent.len(), "as many were received as were sent");
    assert!(all == sent, "the same were received as were sent");
}

pub(super) async fn one_process(t: Trial) -> Outcome {
    let sent = fill(&t, 10_000).await?;
    let queue = t.queue();
    let received = crowd(vec![queue.clone(); CONSUMERS]).await?;
    assert_each_once(&sent, &received);

    // Each receive takes the first that the ones before it left: all together, they cut the order into runs.
    let rank: BTreeMap<&Ticket, usize> = sent.iter().zip(0..).collect();
    for receives in &received {
        for run in receives {
            let ranks: Vec<_> = run.iter().map(|ticket| rank[ticket]).collect();
            assert!(ranks.windows(2).all(|pair| pair[0] + 1 == pair[1]), "one receive got {ranks:?}");
        }
        assert!(receives.concat().is_sorted(), "a consumer got a message before an earlier one");
    }
    assert_eq!(queue.stats().await?, Stats::default());
    Ok(())
}

pub(super) async fn eight_processes(t: Trial) -> Outcome {
    let sent = fill(&t, 2_000).await?;
    let received = crowd((0..CONSUMERS).map(|_| t.queue()).collect()).await?;
    assert_each_once(&sent, &received);
    assert!(received.iter().flatten().all(|run| run.is_sorted()), "a receive is in due order");
    assert_eq!(t.queue().stats().await?, Stats::default());
    Ok(())
}

pub(super) async fn slow_beside_quick(t: Trial) -> Outcome {
    let queue = t.queue();
    queue.send_all((0..300).map(|n| Outgoing::now(&n)).collect::<Result<_, _>>()?).await?;
    let rival = t.queue();
    let meddled = Meddled::new(
        t.table.clone(),
        Box::new(move |_look| {
            let rival = rival.clone();
            Box::pin(async move { rival.receive(MAX_RECEIVE, MINUTE).await.map(drop) })
        }),
    );
    let slow = t.queue_on(meddled.clone(), NAME);
    let messages = slow.receive(MAX_RECEIVE, MINUTE).await?;
    let looks = meddled.looks();
    assert_eq!(messages.len(), MAX_RECEIVE, "after {looks} looks");
    assert!((2..=10).contains(&looks), "{looks} looks, of which all but the last lost their race");
    // The rival took what the slow one passed over, and nothing is left out.
    assert_eq!(messages[0].body, json!(looks * MAX_RECEIVE));
    assert_eq!(bodies(&queue.receive(1, MINUTE).await?), [json!((looks + 1) * MAX_RECEIVE)]);
    Ok(())
}

pub(super) async fn given_back_while_looked_for(t: Trial) -> Outcome {
    let queue = t.queue();
    queue.send(&"given back").await?;
    let late = only(&*queue).await?.receipt;
    t.pass(MINUTE);
    let holder = t.queue();
    let meddled = Meddled::new(
        t.table.clone(),
        Box::new(move |look| {
            let (holder, late) = (holder.clone(), late.clone());
            Box::pin(async move {
                let moves = look == 1;
                if moves { holder.extend(&late, Duration::ZERO).await.map(drop) } else { Ok(()) }
            })
        }),
    );
    let message = only(&*t.queue_on(meddled, NAME)).await?;
    assert_eq!((message.body, message.receives), (json!("given back"), 2));
    Ok(())
}
