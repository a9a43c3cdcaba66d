//! Keys: their order, their ranges, and that no two of them are one.

use serde_json::json;

use super::random::Random;
use super::{HOME, Outcome, Trial, home, put};
use crate::table::{Condition, Direction, Key, Query, Range};

/// What sorts wrongly by UTF-16 unit, by character class, by language or without case; and what SQL gives a meaning.
const SORTS: &[&str] = &[
    "\u{1}",
    " ",
    "!",
    "\"",
    "#",
    "%",
    "'",
    "*",
    "-",
    "0",
    "1",
    "10",
    "2",
    "?",
    "A",
    "B",
    "Z",
    "[",
    "\\",
    "_",
    "a",
    "a\u{1}",
    "a ",
    "a#1",
    "a%",
    "a/b",
    "a0",
    "aA",
    "a_",
    "aa",
    "ab",
    "a\u{7f}",
    "a\u{80}",
    "aé",
    "ae\u{301}",
    "a\u{7ff}",
    "a\u{800}",
    "a\u{d7ff}",
    "a\u{d7ff}b",
    "a\u{e000}",
    "a\u{fffd}",
    "a\u{ffff}",
    "a\u{ffff}b",
    "a\u{10000}",
    "a😀",
    "a\u{10ffff}",
    "a\u{10ffff}a",
    "a\u{10ffff}\u{10ffff}",
    "b",
    "z",
    "~",
    "Ä",
    "ß",
    "é",
    "e\u{301}",
    "ǆ",
    "İ",
    "ı",
    "ﬀ",
    "\u{d7ff}",
    "\u{e000}",
    "\u{ffff}",
    "\u{10000}",
    "😀",
    "\u{10ffff}",
    "\u{10ffff}\u{10ffff}",
];

async fn fill(t: &Trial) -> Result<Vec<&'static str>, crate::table::Error> {
    let mut sorts = SORTS.to_vec();
    let mut random = Random(1);
    for at in (1..sorts.len()).rev() {
        sorts.swap(at, random.below(at + 1));
    }
    for some in sorts.chunks(20) {
        let puts = some.iter().map(|sort| put(sort, *sort, Condition::Absent)).collect();
        t.table.transact(puts).await?;
    }
    sorts.sort_unstable();
    Ok(sorts)
}

pub(super) async fn order_is_that_of_bytes(t: Trial) -> Outcome {
    let mut wanted = fill(&t).await?;
    assert_eq!(t.sorts(Query::all(HOME)).await?, wanted);
    assert_eq!(t.sorts(Query::all(HOME).limit(1)).await?, wanted);
    wanted.reverse();
    assert_eq!(t.sorts(Query::all(HOME).descending()).await?, wanted);
    assert_eq!(t.sorts(Query::all(HOME).descending().limit(1)).await?, wanted);
    for sort in SORTS {
        assert_eq!(t.value(sort).await?, Some(json!(sort)), "the item {sort:?}");
    }
    Ok(())
}

pub(super) async fn ranges(t: Trial) -> Outcome {
    let sorts = fill(&t).await?;
    let bounds =
        ["", "\u{1}", "0", "a", "a\u{d7ff}", "a\u{ffff}", "a\u{10ffff}", "a\u{10ffff}a", "b", "\u{10ffff}"];
    let strange = ["%", "_", "a_", "a%", "[", "\\", "*", "A", "é", "zz", "\u{10ffff}\u{10ffff}\u{10ffff}"];
    let mut ranges = vec![Range::All];
    ranges.extend(bounds.iter().chain(&strange).map(|prefix| Range::Prefix((*prefix).to_owned())));
    ranges.extend(
        bounds.iter().flat_map(|from| bounds.map(|to| Range::Between((*from).to_owned(), to.to_owned()))),
    );
    for range in ranges {
        let within: Vec<_> = sorts.iter().copied().filter(|sort| in_range(&range, sort)).collect();
        for direction in [Direction::Ascending, Direction::Descending] {
            let query = Query { direction, ..Query::all(HOME).range(range.clone()) };
            assert_eq!(t.sorts(query.clone()).await?, turned(&within, direction), "{query:?}");
            for after in ["", "a", "a\u{ffff}", "a\u{10ffff}", "é", "\u{10ffff}\u{10ffff}\u{10ffff}"] {
                let query = query.clone().after(after.to_owned());
                let left = within.iter().copied().filter(|sort| match direction {
                    Direction::Ascending => *sort > after,
                    Direction::Descending => *sort < after,
                });
                assert_eq!(
                    t.sorts(query.clone()).await?,
                    turned(&left.collect::<Vec<_>>(), direction),
                    "{query:?}"
                );
            }
        }
    }
    Ok(())
}

fn in_range(range: &Range, sort: &str) -> bool {
    match range {
        Range::All => true,
        Range::Prefix(prefix) => sort.starts_with(prefix),
        Range::Between(from, to) => (from.as_str()..to.as_str()).contains(&sort),
    }
}

fn turned<'a>(sorts: &[&'a str], direction: Direction) -> Vec<&'a str> {
    match direction {
        Direction::Ascending => sorts.to_vec(),
        Direction::Descending => sorts.iter().rev().copied().collect(),
    }
}

pub(super) async fn keys_are_exact(t: Trial) -> Outcome {
    let parts = [
        "a",
        "A",
        "a ",
        " a",
        "a\u{1}",
        "aa",
        "a\u{301}",
        "á",
        "ä",
        "ａ",
        "a\u{200b}",
        "a\u{ad}",
        "ß",
        "ss",
        "%",
        "_",
        "a b",
        "a' OR '1'='1",
        "a\"",
        "a\\",
        "a\n",
        "\u{10ffff}",
    ];
    let mut random = Random(2);
    for partition in parts {
        for sort in parts {
            t.table.put(Key::new(partition, sort), &random.bits(), Condition::Absent).await?;
        }
    }
    let mut wanted = parts.to_vec();
    wanted.sort_unstable();
    let mut random = Random(2);
    for partition in parts {
        assert_eq!(t.sorts(Query::all(partition)).await?, wanted, "of the partition {partition:?}");
        for sort in parts {
            let key = Key::new(partition, sort);
            let found = t.table.get(&key).await?.map(|item| (item.value, item.key));
            assert_eq!(found, Some((json!(random.bits()), key)));
        }
    }
    t.table.delete(Key::new("a", "a"), Condition::Any).await?;
    assert_eq!(t.sorts(Query::all("a")).await?.len(), parts.len() - 1);
    assert_eq!(t.sorts(Query::all("A")).await?.len(), parts.len());
    assert_eq!(t.table.get(&home("a")).await?, None);
    Ok(())
}
