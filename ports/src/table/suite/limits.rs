//! What one backend could not take is refused by all, in the same way.

use serde_json::{Value, json};

use super::{Failure, HOME, Outcome, Trial, home, put};
use crate::table::{
    Condition, Error, Key, MAX_DEPTH, MAX_KEY_BYTES, MAX_PAGE, MAX_VALUE_BYTES, MAX_WRITES, Query, Range,
    Write,
};

fn refused<T>(case: &str, outcome: Result<T, Error>) -> Outcome {
    match outcome {
        Err(Error::Invalid(_)) => Ok(()),
        Err(other) => Err(format!("{case}: Invalid was expected, not: {other}").into()),
        Ok(_) => Err(format!("{case}: Invalid was expected, but it was done").into()),
    }
}

/// A text value of so many bytes of JSON.
fn text_of(bytes: usize) -> Value {
    json!("x".repeat(bytes - 2))
}

fn nested(depth: usize) -> Value {
    (1..depth).fold(json!([]), |inner, n| if n % 2 == 0 { json!([inner]) } else { json!({"a": inner}) })
}

pub(super) async fn refused_by_all(t: Trial) -> Outcome {
    let long = "k".repeat(MAX_KEY_BYTES + 1);
    // Of few characters, but many bytes.
    let wide = "😀".repeat(MAX_KEY_BYTES / 4 + 1);
    let at = |partition: &str, sort: &str| {
        vec![
            put("good", 1, Condition::Any),
            Write::Put {
                key: Key::new(partition, sort),
                value: json!(1),
                expires_at: None,
                condition: Condition::Any,
            },
        ]
    };
    let many = (0..=MAX_WRITES).map(|n| put(&n.to_string(), n, Condition::Any)).collect();
    let good = || put("good", 1, Condition::Any);
    let rows = [
        ("no writes at all", vec![]),
        ("too many writes", many),
        ("a key put twice", vec![good(), put("a", 1, Condition::Any), good()]),
        ("a key put and deleted", vec![good(), Write::delete(home("good"), Condition::Any)]),
        (
            "a key put and checked",
            vec![good(), Write::Check { key: home("good"), condition: Condition::Absent }],
        ),
        ("an empty partition", at("", "a")),
        ("an empty sort key", at(HOME, "")),
        ("a NUL in the partition", at("a\0b", "a")),
        ("a NUL in the sort key", at(HOME, "\0")),
        ("a partition that is too long", at(&long, "a")),
        ("a sort key that is too long", at(HOME, &long)),
        ("a sort key of too many bytes", at(HOME, &wide)),
        ("a delete at no key", vec![good(), Write::delete(home(""), Condition::Any)]),
        ("a check at no key", vec![good(), Write::Check { key: home(""), condition: Condition::Absent }]),
        ("a value that is too large", vec![good(), put("a", text_of(MAX_VALUE_BYTES + 1), Condition::Any)]),
        ("a value that is too deep", vec![good(), put("a", nested(MAX_DEPTH + 1), Condition::Any)]),
        // What is invalid is invalid whatever is in the table.
        (
            "a conflict beside it",
            vec![put("a", 1, Condition::Version(crate::table::Version(7))), put("", 1, Condition::Any)],
        ),
    ];
    for (case, writes) in rows {
        refused(case, t.table.transact(writes).await)?;
        assert_eq!(t.sorts(Query::all(HOME)).await?, Vec::<String>::new(), "{case}: nothing is written");
    }
    for key in [home(""), home("\0"), home(&long), Key::new("", "a"), Key::new(&*wide, "a")] {
        refused("a get at no key", t.table.get(&key).await)?;
    }
    Ok(())
}

pub(super) async fn just_within(t: Trial) -> Outcome {
    let long = "k".repeat(MAX_KEY_BYTES);
    let wide = "😀".repeat(MAX_KEY_BYTES / 4);
    let keys =
        [Key::new(&*long, &*long), Key::new(&*wide, &*wide), Key::new(&*long, "a"), Key::new("a", &*wide)];
    for key in keys {
        let version = t.table.put(key.clone(), &"there", Condition::Absent).await?;
        assert_eq!(t.table.get(&key).await?.map(|item| item.version), Some(version), "{key}");
        let page = t.table.query(&Query::all(&*key.partition).range(Range::Prefix(key.sort.clone()))).await?;
        assert_eq!(page.items.iter().map(|item| &item.key).collect::<Vec<_>>(), [&key]);
    }
    for value in [text_of(MAX_VALUE_BYTES), nested(MAX_DEPTH)] {
        t.put("a", value.clone()).await?;
        assert!(t.value("a").await? == Some(value), "what is just within the limits comes back");
    }
    // Ten of the largest at once: what one transaction has on DynamoDB at most, 4 MB.
    let puts = (0..10).map(|n| put(&n.to_string(), text_of(MAX_VALUE_BYTES), Condition::Any)).collect();
    t.table.transact(puts).await?;
    assert_eq!(t.sorts(Query::all(HOME)).await?.len(), 11);
    Ok(())
}

pub(super) async fn questions_out_of_bounds(t: Trial) -> Outcome {
    t.put("a", 1).await?;
    let range = |range| Query::all(HOME).range(range);
    let rows = [
        ("an empty partition", Query::all("")),
        ("a partition with a NUL", Query::all("\0")),
        ("a partition that is too long", Query::all("k".repeat(MAX_KEY_BYTES + 1))),
        ("a page of none", Query { limit: 0, ..Query::all(HOME) }),
        ("a page that is too large", Query { limit: MAX_PAGE + 1, ..Query::all(HOME) }),
        ("a prefix with a NUL", range(Range::Prefix("a\0".to_owned()))),
        ("a beginning with a NUL", range(Range::Between("\0".to_owned(), "b".to_owned()))),
        ("an end with a NUL", range(Range::Between("a".to_owned(), "b\0".to_owned()))),
        ("a last key with a NUL", Query::all(HOME).after("a\0".to_owned())),
    ];
    for (case, query) in rows {
        refused(case, t.table.query(&query).await)?;
    }
    // Bounds need not be keys: empty ones and long ones are answered.
    let long = "a".repeat(2 * MAX_KEY_BYTES);
    let rows = [
        (range(Range::Prefix(String::new())), 1),
        (range(Range::Prefix(long.clone())), 0),
        (range(Range::Between(String::new(), long.clone())), 1),
        (range(Range::Between(long.clone(), String::new())), 0),
        (Query::all(HOME).after(String::new()), 1),
        (Query::all(HOME).after(long), 0),
    ];
    for (query, wanted) in rows {
        assert_eq!(t.table.query(&query).await.map_err(Failure::from)?.items.len(), wanted, "{query:?}");
    }
    Ok(())
}
