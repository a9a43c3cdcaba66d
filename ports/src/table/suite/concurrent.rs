//! Many callers at once, on the same keys.

use std::future::Future;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::random::Random;
use super::{Failure, HOME, Outcome, Trial, conflict, home, put};
use crate::table::{Condition, Error, Item, Query, Version, Write};

const TASKS: usize = 12;

/// What each of so many tasks comes to, all of them running at once.
async fn at_once<T, F>(tasks: usize, task: impl Fn(usize) -> F) -> Result<Vec<T>, Failure>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Failure>> + Send + 'static,
{
    let mut set: JoinSet<_> = (0..tasks).map(task).collect();
    let mut outcomes = Vec::new();
    while let Some(joined) = set.join_next().await {
        outcomes.push(joined??);
    }
    Ok(outcomes)
}

fn number(item: &Item) -> i64 {
    item.value.as_i64().expect("these checks keep whole numbers")
}

async fn there(t: &Trial, sort: &str) -> Result<Item, Failure> {
    t.get(sort).await?.ok_or_else(|| format!("the item `{sort}` was put and is not there").into())
}

/// Whether a transaction was done; a conflict is no failure.
fn done(outcome: Result<Vec<Option<Version>>, Error>) -> Result<bool, Error> {
    match outcome {
        Ok(_) => Ok(true),
        Err(Error::Conflict { .. }) => Ok(false),
        Err(other) => Err(other),
    }
}

pub(super) async fn no_update_is_lost(t: Trial) -> Outcome {
    const EACH: i64 = 10;
    t.put("counter", 0).await?;
    let count = |_task| {
        let t = t.clone();
        async move {
            for _ in 0..EACH {
                loop {
                    let item = there(&t, "counter").await?;
                    let next = put("counter", number(&item) + 1, Condition::Version(item.version));
                    if done(t.table.transact(vec![next]).await)? {
                        break;
                    }
                }
            }
            Ok(())
        }
    };
    let tasks = at_once(16, count).await?.len();
    assert_eq!(there(&t, "counter").await?.value, json!(EACH * i64::try_from(tasks)?));
    Ok(())
}

pub(super) async fn transfers_keep_the_sum(t: Trial) -> Outcome {
    const ACCOUNTS: usize = 6;
    let name = |account: usize| format!("account {account}");
    let open = (0..ACCOUNTS).map(|account| put(&name(account), 100, Condition::Absent)).collect();
    t.table.transact(open).await?;
    let work = |task: usize| {
        let t = t.clone();
        async move {
            if task.is_multiple_of(4) {
                audit(&t, ACCOUNTS).await
            } else {
                transfer(&t, task, ACCOUNTS, name).await
            }
        }
    };
    let moved: usize = at_once(TASKS, work).await?.into_iter().sum();
    assert!(moved > 0, "no transfer was ever done");
    audit(&t, ACCOUNTS).await?;
    Ok(())
}

async fn transfer(
    t: &Trial,
    seed: usize,
    accounts: usize,
    name: impl Fn(usize) -> String,
) -> Result<usize, Failure> {
    let mut random = Random(u64::try_from(seed)?);
    let mut moved = 0;
    for _ in 0..20 {
        let from = random.below(accounts);
        let to = (from + 1 + random.below(accounts - 1)) % accounts;
        let amount = i64::try_from(random.below(30))?;
        let (source, target) = (there(t, &name(from)).await?, there(t, &name(to)).await?);
        let writes = vec![
            put(&name(from), number(&source) - amount, Condition::Version(source.version)),
            put(&name(to), number(&target) + amount, Condition::Version(target.version)),
        ];
        moved += usize::from(done(t.table.transact(writes).await)?);
    }
    Ok(moved)
}

async fn audit(t: &Trial, accounts: usize) -> Result<usize, Failure> {
    for _ in 0..20 {
        let items = t.table.query(&Query::all(HOME)).await?.items;
        assert_eq!(items.len(), accounts);
        let sum: i64 = items.iter().map(number).sum();
        assert_eq!(sum, i64::try_from(accounts)? * 100, "a reader saw half of a transfer: {items:?}");
    }
    Ok(0)
}

pub(super) async fn one_wins_the_absent(t: Trial) -> Outcome {
    for round in 0..10 {
        let names = [format!("{round} a"), format!("{round} b"), format!("{round} c")];
        let race = |task: usize| {
            let (t, names) = (t.clone(), names.clone());
            async move {
                // Each begins elsewhere, and still they meet.
                let claim = (0..3).map(|n| put(&names[(n + task) % 3], task, Condition::Absent)).collect();
                Ok(done(t.table.transact(claim).await)?.then_some(task))
            }
        };
        let winners: Vec<_> = at_once(16, race).await?.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "exactly one wins, not {winners:?}");
        for name in &names {
            assert_eq!(there(&t, name).await?.value, json!(winners[0]), "all three are the winner's");
        }
    }
    Ok(())
}

pub(super) async fn one_takes_over_a_lease(t: Trial) -> Outcome {
    let mut last = None;
    for round in 0..10 {
        let end = t.in_secs(30);
        let race = |task: usize| {
            let t = t.clone();
            async move {
                let lease = Write::Put {
                    key: home("lease"),
                    value: json!(task),
                    expires_at: Some(end),
                    condition: Condition::Absent,
                };
                match t.table.transact(vec![lease]).await {
                    Ok(versions) => Ok(versions[0]),
                    Err(Error::Conflict { .. }) => Ok(None),
                    Err(other) => Err(other.into()),
                }
            }
        };
        let winners: Vec<_> = at_once(TASKS, race).await?.into_iter().flatten().collect();
        assert_eq!(winners.len(), 1, "exactly one holds the lease in round {round}");
        assert_eq!(there(&t, "lease").await?.version, winners[0]);
        if let Some(stale) = last.replace(winners[0]) {
            conflict(t.put_if("lease", "late", Condition::Version(stale)).await)?;
        }
        t.clock.set(end);
        conflict(t.put_if("lease", "late", Condition::Version(winners[0])).await)?;
    }
    Ok(())
}

pub(super) async fn opposite_orders(t: Trial) -> Outcome {
    const KEYS: usize = 8;
    let write = |task: usize| {
        let t = t.clone();
        async move {
            for round in 0..10 {
                let value = format!("{task} in round {round}");
                let mut writes: Vec<_> =
                    (0..KEYS).map(|key| put(&key.to_string(), value.as_str(), Condition::Any)).collect();
                if task.is_multiple_of(2) {
                    writes.reverse();
                }
                t.table.transact(writes).await?;
                let values = seen(&t).await?;
                assert!(values.iter().all(|seen| seen == &values[0]), "half of a transaction: {values:?}");
            }
            Ok(())
        }
    };
    at_once(TASKS, write).await?;
    assert_eq!(seen(&t).await?.len(), KEYS);
    Ok(())
}

async fn seen(t: &Trial) -> Result<Vec<Value>, Error> {
    Ok(t.table.query(&Query::all(HOME)).await?.items.into_iter().map(|item| item.value).collect())
}

pub(super) async fn read_your_writes(t: Trial) -> Outcome {
    let write = |task: usize| {
        let t = t.clone();
        async move {
            let name = format!("of {task}");
            for round in 0..20 {
                let version = t.put(&name, round).await?;
                let item = there(&t, &name).await?;
                assert_eq!((item.value, item.version), (json!(round), version), "a read after the write");
                let page = t.table.query(&Query::all(HOME)).await?;
                assert!(page.items.iter().any(|item| item.version == version && item.key.sort == name));
                if round % 5 == 4 {
                    t.table.delete(home(&name), Condition::Version(version)).await?;
                    assert_eq!(t.get(&name).await?, None, "a read after the delete");
                }
            }
            Ok(())
        }
    };
    at_once(TASKS, write).await?;
    assert_eq!(seen(&t).await?, Vec::<Value>::new());
    Ok(())
}
