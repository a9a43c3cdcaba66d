//! A page continues exactly where the last one ended.

use super::{Failure, HOME, Outcome, Trial, home, put};
use crate::table::{Condition, Direction, MAX_PAGE, Query, Range};

fn name(n: usize) -> String {
    format!("item {n:04}")
}

async fn fill(t: &Trial, count: usize) -> Outcome {
    let all: Vec<_> = (0..count).map(|n| put(&name(n), n, Condition::Absent)).collect();
    for some in all.chunks(100) {
        t.table.transact(some.to_vec()).await?;
    }
    Ok(())
}

/// The pages of a query, each checked for what holds of any page.
async fn pages(t: &Trial, mut query: Query) -> Result<Vec<Vec<String>>, Failure> {
    let mut pages = Vec::new();
    loop {
        let page = t.table.query(&query).await?;
        assert!(page.items.len() <= query.limit, "a page of {} for {query:?}", page.items.len());
        let sorts: Vec<_> = page.items.into_iter().map(|item| item.key.sort).collect();
        let last = sorts.last().cloned();
        pages.push(sorts);
        match page.next {
            None => return Ok(pages),
            next => {
                assert_ne!(next, query.after, "the next page begins where this one did: {query:?}");
                assert_eq!(next, last, "the next page begins after this one's last item: {query:?}");
                query.after = next;
            }
        }
    }
}

pub(super) async fn pages_of_any_size(t: Trial) -> Outcome {
    const COUNT: usize = 12;
    fill(&t, COUNT).await?;
    let ranges = [
        (Range::All, 0..COUNT),
        (Range::Prefix("item 000".to_owned()), 0..10),
        (Range::Between(name(3), name(9)), 3..9),
        (Range::Between("a".to_owned(), "b".to_owned()), 0..0),
    ];
    for (range, wanted) in ranges {
        for direction in [Direction::Ascending, Direction::Descending] {
            let mut wanted: Vec<_> = wanted.clone().map(name).collect();
            if direction == Direction::Descending {
                wanted.reverse();
            }
            for limit in 1..=COUNT + 1 {
                let query = Query { limit, direction, ..Query::all(HOME).range(range.clone()) };
                let pages = pages(&t, query.clone()).await?;
                // Also when the last page is full: it says that it is the last.
                assert_eq!(pages.len(), wanted.len().div_ceil(limit).max(1), "the pages of {query:?}");
                assert_eq!(pages.concat(), wanted, "{query:?}");
            }
        }
    }
    assert_eq!(pages(&t, Query::all("elsewhere")).await?, [Vec::<String>::new()]);
    Ok(())
}

pub(super) async fn the_largest_page(t: Trial) -> Outcome {
    fill(&t, MAX_PAGE + 5).await?;
    let pages = pages(&t, Query::all(HOME)).await?;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [MAX_PAGE, 5]);
    assert_eq!(pages.concat(), (0..MAX_PAGE + 5).map(name).collect::<Vec<_>>());
    Ok(())
}

pub(super) async fn while_items_come_and_go(t: Trial) -> Outcome {
    fill(&t, 10).await?;
    let query = Query::all(HOME).limit(3);
    let first = t.table.query(&query).await?;
    assert_eq!(first.next, Some(name(2)));
    // The item that the page ended with goes, and so does one ahead; one comes behind, one right here, one ahead.
    t.table.delete(home(&name(2)), Condition::Any).await?;
    t.table.delete(home(&name(4)), Condition::Any).await?;
    for new in ["item 0001 b", "item 0002 b", "item 0007 b"] {
        t.put(new, new).await?;
    }
    let rest = pages(&t, query.after(name(2))).await?.concat();
    let wanted = ["2 b", "3", "5", "6", "7", "7 b", "8", "9"].map(|rest| format!("item 000{rest}"));
    assert_eq!(rest, wanted);

    let query = Query::all(HOME).descending().limit(2);
    t.table.delete(home(&name(8)), Condition::Any).await?;
    t.put("item 0008 b", 0).await?;
    assert_eq!(pages(&t, query.after(name(8))).await?.concat()[..2], ["item 0007 b".to_owned(), name(7)]);
    Ok(())
}
