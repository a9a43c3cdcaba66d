//! A range, a direction and the last page's end, as what any ordered store asks for: from where to where.

use std::ops::Bound;

use super::{Direction, Query, Range};

impl Query {
    /// The sort keys that are asked for and are not on an earlier page, from and to. The first may be past the second:
    /// then there are none.
    #[must_use]
    pub fn bounds(&self) -> (Bound<String>, Bound<String>) {
        let (from, to) = match &self.range {
            Range::All => (Bound::Unbounded, Bound::Unbounded),
            Range::Prefix(prefix) => (
                Bound::Included(prefix.clone()),
                end_of_prefix(prefix).map_or(Bound::Unbounded, Bound::Excluded),
            ),
            Range::Between(from, to) => (Bound::Included(from.clone()), Bound::Excluded(to.clone())),
        };
        match (&self.after, self.direction) {
            (None, _) => (from, to),
            (Some(last), Direction::Ascending) if !starts_after(&from, last) => {
                (Bound::Excluded(last.clone()), to)
            }
            (Some(last), Direction::Descending) if !ends_before(&to, last) => {
                (from, Bound::Excluded(last.clone()))
            }
            (Some(_), _) => (from, to),
        }
    }
}

fn starts_after(from: &Bound<String>, last: &str) -> bool {
    match from {
        Bound::Included(from) | Bound::Excluded(from) => from.as_str() > last,
        Bound::Unbounded => false,
    }
}

fn ends_before(to: &Bound<String>, last: &str) -> bool {
    match to {
        Bound::Included(to) | Bound::Excluded(to) => to.as_str() < last,
        Bound::Unbounded => false,
    }
}

/// The first text after all that begin with the prefix; none if there is no such text.
fn end_of_prefix(prefix: &str) -> Option<String> {
    // The last character that has a successor gets it; what stands behind is as large as can be.
    let (at, next) = prefix.char_indices().rev().find_map(|(at, last)| Some((at, successor(last)?)))?;
    Some(format!("{}{next}", &prefix[..at]))
}

/// The next character: UTF-8's bytes are in the order of the code points, and surrogates are none.
fn successor(character: char) -> Option<char> {
    (character..=char::MAX).nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_at_the_next_character() {
        let rows = [
            ("", None),
            ("a", Some("b")),
            ("az", Some("a{")),
            ("a\u{7f}", Some("a\u{80}")),
            ("a\u{d7ff}", Some("a\u{e000}")),
            ("a\u{ffff}", Some("a\u{10000}")),
            ("a\u{10ffff}", Some("b")),
            ("a\u{10ffff}\u{10ffff}", Some("b")),
            ("\u{10ffff}", None),
        ];
        for (prefix, end) in rows {
            assert_eq!(end_of_prefix(prefix).as_deref(), end, "{prefix:?}");
        }
    }

    #[test]
    fn a_page_narrows_the_end_that_it_comes_from() {
        let between = Query::all("p").range(Range::Between("b".to_owned(), "d".to_owned()));
        let rows = [
            ("a", "[b d)", "[b a)"),
            ("c", "(c d)", "[b c)"),
            ("d", "(d d)", "[b d)"),
            ("e", "(e d)", "[b d)"),
        ];
        for (last, ascending, descending) in rows {
            let after = between.clone().after(last.to_owned());
            assert_eq!(told(after.bounds()), ascending, "after {last}");
            assert_eq!(told(after.descending().bounds()), descending, "down from {last}");
        }
    }

    fn told((from, to): (Bound<String>, Bound<String>)) -> String {
        let from = match from {
            Bound::Included(from) => format!("[{from}"),
            Bound::Excluded(from) => format!("({from}"),
            Bound::Unbounded => "..".to_owned(),
        };
        match to {
            Bound::Included(to) => format!("{from} {to}]"),
            Bound::Excluded(to) => format!("{from} {to})"),
            Bound::Unbounded => format!("{from} .."),
        }
    }
}
