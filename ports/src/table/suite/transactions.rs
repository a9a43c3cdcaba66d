//! One caller after the other: transactions are whole, conditions are kept, versions tell writes apart.

use std::collections::HashSet;

use serde_json::json;

use super::{HOME, Outcome, Trial, conflict, home, put};
use crate::table::{Condition, Item, Query, Version, Write};

pub(super) async fn what_was_put_is_there(t: Trial) -> Outcome {
    assert_eq!(t.get("a").await?, None);
    let version = t.put("a", "first").await?;
    let item = Item { key: home("a"), value: json!("first"), version, expires_at: None };
    assert_eq!(t.get("a").await?, Some(item.clone()));
    assert_eq!(t.table.query(&Query::all(HOME)).await?.items, [item]);

    let second = t.put("a", "second").await?;
    assert_ne!(second, version, "each put has its own version, also of the same key");
    assert_eq!(t.get("a").await?.map(|item| (item.value, item.version)), Some((json!("second"), second)));
    let third = t.put("a", "second").await?;
    assert_ne!(third, second, "a put of the same value is a new write");

    t.table.delete(home("a"), Condition::Any).await?;
    assert_eq!(t.get("a").await?, None);
    assert_eq!(t.table.query(&Query::all(HOME)).await?.items, []);
    Ok(())
}

pub(super) async fn all_or_none(t: Trial) -> Outcome {
    let version = t.put("there", 1).await?;
    t.put("doomed", 1).await?;
    let good = [
        put("new", 2, Condition::Absent),
        put("there", 2, Condition::Version(version)),
        Write::delete(home("doomed"), Condition::Any),
        Write::Check { key: home("nothing"), condition: Condition::Absent },
    ];
    let before = t.table.query_all(Query::all(HOME)).await?;
    let wrong = [
        put("wrong", 2, Condition::Version(version)),
        Write::delete(home("wrong"), Condition::Version(version)),
        Write::Check { key: home("wrong"), condition: Condition::Version(version) },
    ];
    for bad in wrong {
        for index in 0..=good.len() {
            let mut writes = good.to_vec();
            writes.insert(index, bad.clone());
            let refused = conflict(t.table.transact(writes).await)?;
            assert_eq!(refused, (index, home("wrong"), Condition::Version(version)));
            assert_eq!(t.table.query_all(Query::all(HOME)).await?, before, "after {bad:?} at {index}");
        }
    }
    let versions = t.table.transact(good.to_vec()).await?;
    assert_eq!(versions.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, false, false]);
    let after = t.table.query_all(Query::all(HOME)).await?;
    let told: Vec<_> = after.iter().map(|item| (item.key.sort.as_str(), Some(item.version))).collect();
    assert_eq!(told, [("new", versions[0]), ("there", versions[1])]);
    Ok(())
}

pub(super) async fn conflicts_name_the_write(t: Trial) -> Outcome {
    let stale = t.put("there", 1).await?;
    let now = t.put("there", 2).await?;
    let rows = [
        (put("there", 3, Condition::Absent), "a put where something is"),
        (put("there", 3, Condition::Version(stale)), "a put over another version"),
        (put("absent", 3, Condition::Version(now)), "a put where nothing is"),
        (Write::delete(home("there"), Condition::Absent), "a delete where something is"),
        (Write::delete(home("there"), Condition::Version(stale)), "a delete of another version"),
        (Write::delete(home("absent"), Condition::Version(now)), "a delete where nothing is"),
        (Write::Check { key: home("there"), condition: Condition::Absent }, "a check where something is"),
        (Write::Check { key: home("there"), condition: Condition::Version(stale) }, "a check of another"),
        (Write::Check { key: home("absent"), condition: Condition::Version(now) }, "a check of nothing"),
    ];
    for (write, case) in rows {
        let refused = conflict(t.table.transact(vec![write.clone()]).await)?;
        assert_eq!(refused, (0, write.key().clone(), write.condition()), "{case}");
    }
    // Of several the first as given, not the first by key.
    let writes = vec![
        put("m", 1, Condition::Any),
        put("there", 1, Condition::Absent),
        put("absent", 1, Condition::Version(now)),
    ];
    assert_eq!(conflict(t.table.transact(writes).await)?, (1, home("there"), Condition::Absent));
    Ok(())
}

pub(super) async fn a_check_writes_nothing(t: Trial) -> Outcome {
    let version = t.put("there", 1).await?;
    let before = t.get("there").await?;
    let checks = vec![
        Write::Check { key: home("there"), condition: Condition::Version(version) },
        Write::Check { key: home("absent"), condition: Condition::Absent },
        Write::Check { key: home("other"), condition: Condition::Any },
    ];
    assert_eq!(t.table.transact(checks).await?, [None, None, None]);
    assert_eq!(t.get("there").await?, before);
    assert_eq!(t.sorts(Query::all(HOME)).await?, ["there"]);
    Ok(())
}

pub(super) async fn deleting_nothing(t: Trial) -> Outcome {
    for condition in [Condition::Any, Condition::Absent] {
        t.table.delete(home("absent"), condition).await?;
    }
    t.put("a", 1).await?;
    t.table.delete(home("a"), Condition::Any).await?;
    t.table.delete(home("a"), Condition::Any).await?;
    assert_eq!(t.get("a").await?, None);
    Ok(())
}

pub(super) async fn a_hundred_writes(t: Trial) -> Outcome {
    let sorts: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
    let puts: Vec<_> = sorts.iter().map(|sort| put(sort, sort.as_str(), Condition::Absent)).collect();
    let versions = t.table.transact(puts.clone()).await?;
    assert_eq!(versions.iter().flatten().count(), 100);
    let items = t.table.query_all(Query::all(HOME)).await?;
    assert_eq!(items.iter().map(|item| &item.key.sort).collect::<Vec<_>>(), sorts.iter().collect::<Vec<_>>());
    assert_eq!(items.iter().map(|item| Some(item.version)).collect::<Vec<_>>(), versions);

    let owned = |(sort, version): (&String, &Option<Version>)| {
        Write::delete(home(sort), version.map_or(Condition::Any, Condition::Version))
    };
    let deletes: Vec<_> = sorts.iter().zip(&versions).map(owned).collect();
    assert_eq!(conflict(t.table.transact(puts).await)?.0, 0);
    t.table.transact(deletes).await?;
    assert_eq!(t.sorts(Query::all(HOME)).await?, Vec::<String>::new());
    Ok(())
}

pub(super) async fn versions_are_never_reused(t: Trial) -> Outcome {
    let mut seen = HashSet::new();
    for round in 0..20 {
        let version = t.put_if("a", round, Condition::Absent).await?;
        assert!(seen.insert(version), "{version:?} came back in round {round}, after the item was deleted");
        let version = t.put("a", round).await?;
        assert!(seen.insert(version), "{version:?} came back in round {round}");
        if round % 2 == 0 {
            t.table.delete(home("a"), Condition::Version(version)).await?;
        } else {
            // The other way to go.
            t.put_until("a", round, t.in_secs(1)).await?;
            seen.extend(t.get("a").await?.map(|item| item.version));
            t.clock.set(t.in_secs(1));
        }
    }
    Ok(())
}

pub(super) async fn a_stale_owner_is_refused(t: Trial) -> Outcome {
    let stale = t.put_if("lease", "first", Condition::Absent).await?;
    t.table.delete(home("lease"), Condition::Version(stale)).await?;
    conflict(t.put_if("lease", "late", Condition::Version(stale)).await)?;
    let owned = t.put_if("lease", "second", Condition::Absent).await?;
    conflict(t.put_if("lease", "late", Condition::Version(stale)).await)?;
    conflict(t.table.delete(home("lease"), Condition::Version(stale)).await)?;
    // What it wanted to write elsewhere, under the lease, is refused with it.
    let fenced = vec![
        put("work", "late", Condition::Any),
        Write::Check { key: home("lease"), condition: Condition::Version(stale) },
    ];
    assert_eq!(conflict(t.table.transact(fenced).await)?.0, 1);
    assert_eq!(t.get("work").await?, None);
    assert_eq!(t.get("lease").await?.map(|item| (item.value, item.version)), Some((json!("second"), owned)));
    Ok(())
}
