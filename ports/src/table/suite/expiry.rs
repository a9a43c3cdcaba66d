//! From its expiry on, an item is not there; when its bytes go is the backend's affair.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{HOME, Outcome, START, Trial, conflict, home, put};
use crate::table::{Condition, Query, Write};

pub(super) async fn an_expired_item_is_not_there(t: Trial) -> Outcome {
    let end = t.in_secs(60);
    t.put_until("a", 1, end).await?;
    t.put("b", 2).await?;
    let item = t.get("a").await?.ok_or("the item was put and is not there")?;
    assert_eq!(item.expires_at, Some(end));
    assert_eq!(t.table.query(&Query::all(HOME)).await?.items[0], item);

    t.clock.set(end - SignedDuration::from_micros(1));
    assert_eq!(t.get("a").await?, Some(item.clone()), "a microsecond before");
    conflict(t.put_if("a", 2, Condition::Absent).await)?;
    assert_eq!(t.sorts(Query::all(HOME)).await?, ["a", "b"]);

    t.clock.set(end);
    assert_eq!(t.get("a").await?, None, "at the very moment");
    assert_eq!(t.sorts(Query::all(HOME)).await?, ["b"]);
    assert_eq!(t.sorts(Query::all(HOME).descending().limit(1)).await?, ["b"]);
    let check = |condition| t.table.transact(vec![Write::Check { key: home("a"), condition }]);
    conflict(check(Condition::Version(item.version)).await)?;
    check(Condition::Absent).await?;
    check(Condition::Any).await?;
    conflict(t.table.delete(home("a"), Condition::Version(item.version)).await)?;
    t.table.delete(home("a"), Condition::Any).await?;
    assert_eq!(t.get("a").await?, None);
    Ok(())
}

pub(super) async fn an_expired_item_gives_way(t: Trial) -> Outcome {
    for (round, condition) in [(1, Condition::Any), (2, Condition::Absent)] {
        let end = t.in_secs(60);
        t.put_until("a", "old", end).await?;
        let old = t.get("a").await?.ok_or("the item was put and is not there")?.version;
        t.clock.set(end);
        let new = t.put_if("a", "new", condition).await?;
        assert_ne!(new, old, "in round {round}");
        // The new item has no expiry, and none of the old one's.
        t.clock.set(t.in_secs(1_000_000));
        let item = t.get("a").await?.ok_or("the new item was put and is not there")?;
        assert_eq!((item.value, item.version, item.expires_at), (json!("new"), new, None));
        conflict(t.put_if("a", "late", Condition::Version(old)).await)?;
    }
    // Born expired, or put so over what is there: it was written, and is not there.
    for past in [t.in_secs(0), START, Timestamp::UNIX_EPOCH, Timestamp::MIN] {
        t.put("a", "there").await?;
        t.put_until("a", "past", past).await?;
        assert_eq!(t.get("a").await?, None, "put with an expiry of {past}");
        assert_eq!(t.sorts(Query::all(HOME)).await?, Vec::<String>::new());
    }
    t.put_until("a", "for ever", Timestamp::MAX).await?;
    assert_eq!(t.value("a").await?, Some(json!("for ever")));
    Ok(())
}

pub(super) async fn no_gaps_in_pages(t: Trial) -> Outcome {
    let end = t.in_secs(60);
    for n in 0..12 {
        let name = format!("{n:02}");
        match n % 4 {
            0 => drop(t.put(&name, n).await?),
            _ => t.put_until(&name, n, end).await?,
        }
    }
    t.clock.set(end);
    for limit in 1..=4 {
        let query = Query::all(HOME).limit(limit);
        assert_eq!(t.sorts(query.clone()).await?, ["00", "04", "08"], "with pages of {limit}");
        assert_eq!(t.sorts(query.descending()).await?, ["08", "04", "00"], "with pages of {limit}");
    }
    let page = t.table.query(&Query::all(HOME).limit(3)).await?;
    assert_eq!(page.next, None, "after the last living item only expired ones follow");
    Ok(())
}

pub(super) async fn clearing_takes_nothing_that_lives(t: Trial) -> Outcome {
    let end = t.in_secs(60);
    let later = t.in_secs(120);
    let name = |n: usize| format!("{n:03}");
    let until = |n: usize| match n % 3 {
        0 => Some(end),
        1 => Some(later),
        _ => None,
    };
    let all: Vec<_> = (0..300)
        .map(|n| Write::Put {
            key: home(&name(n)),
            value: json!(n),
            expires_at: until(n),
            condition: Condition::Absent,
        })
        .collect();
    for some in all.chunks(100) {
        t.table.transact(some.to_vec()).await?;
    }
    t.clock.set(end);
    // Put anew before anything had reason to clear it away.
    t.put(&name(0), "anew").await?;
    // Enough writes that whoever clears away has had its turn.
    for n in 0..200 {
        t.table.transact(vec![Write::put(home("busy"), &n, Condition::Any)?]).await?;
    }
    let mut wanted: Vec<_> = (0..300).filter(|n| *n == 0 || n % 3 != 0).map(name).collect();
    wanted.push("busy".to_owned());
    assert_eq!(t.sorts(Query::all(HOME)).await?, wanted);
    assert_eq!(t.value(&name(0)).await?, Some(json!("anew")));
    let anew = (1..100).map(|n| put(&name(3 * n), "anew", Condition::Absent)).collect();
    t.table.transact(anew).await?;
    assert_eq!(t.sorts(Query::all(HOME)).await?.len(), 301);
    Ok(())
}

pub(super) async fn kept_to_the_microsecond(t: Trial) -> Outcome {
    let rows = [
        (Timestamp::constant(1_800_000_000, 123_456_789), Timestamp::constant(1_800_000_000, 123_456_000)),
        (Timestamp::constant(1_800_000_000, 999), Timestamp::constant(1_800_000_000, 0)),
        (Timestamp::constant(253_000_000_000, 1_000), Timestamp::constant(253_000_000_000, 1_000)),
    ];
    for (given, kept) in rows {
        t.put_until("a", 1, given).await?;
        assert_eq!(t.get("a").await?.and_then(|item| item.expires_at), Some(kept), "given {given}");
        let items = t.table.query(&Query::all(HOME)).await?.items;
        assert_eq!(items[0].expires_at, Some(kept), "given {given}");
    }
    Ok(())
}
