//! The grammar of EventBridge schedules: `rate(1 hour)`, `cron(0 * * * ? *)`, `at(2026-11-21T01:00:00)`.
//!
//! Only whether a text is one; when it fires is the scheduler's business.

use std::ops::RangeInclusive;

/// A text that is no schedule, and why.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("`{text}` is not a schedule: {why}")]
pub struct Invalid {
    /// The text.
    pub text: String,
    /// What is wrong.
    pub why: String,
}

/// The six fields of cron, with their ranges and names.
const FIELDS: [(&str, RangeInclusive<u32>, &[&str]); 6] = [
    ("minutes", 0..=59, &[]),
    ("hours", 0..=23, &[]),
    ("day-of-month", 1..=31, &[]),
    ("month", 1..=12, &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]),
    ("day-of-week", 1..=7, &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]),
    ("year", 1970..=2199, &[]),
];

/// Checks a schedule expression.
pub fn check(text: &str) -> Result<(), Invalid> {
    let inside = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    let checked = if let Some(inner) = inside("rate") {
        rate(inner)
    } else if let Some(inner) = inside("cron") {
        cron(inner)
    } else if let Some(inner) = inside("at") {
        at(inner)
    } else {
        Err("expected `rate(…)`, `cron(…)` or `at(…)`".to_owned())
    };
    checked.map_err(|why| Invalid { text: text.to_owned(), why })
}

fn rate(inner: &str) -> Result<(), String> {
    let (count, unit) = inner.split_once(' ').ok_or("expected a number and a unit")?;
    let count: u32 = count.parse().map_err(|_| format!("`{count}` is not a number"))?;
    let units = if count == 1 { ["minute", "hour", "day"] } else { ["minutes", "hours", "days"] };
    match (count, units.contains(&unit)) {
        (0, _) => Err("the number must be positive".to_owned()),
        (_, false) => Err(format!("the unit of {count} is one of {}", units.join(", "))),
        (_, true) => Ok(()),
    }
}

fn at(inner: &str) -> Result<(), String> {
    let parsed: Result<jiff::civil::DateTime, _> = inner.parse();
    parsed.map(|_| ()).map_err(|error| error.to_string())
}

fn cron(inner: &str) -> Result<(), String> {
    let fields: Vec<&str> = inner.split_ascii_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!("cron has six fields, not {}", fields.len()));
    }
    for (field, (name, range, names)) in fields.iter().zip(&FIELDS) {
        field.split(',').try_for_each(|part| part_of(part, name, range, names))?;
    }
    match (fields[2] == "?", fields[4] == "?") {
        (true, true) | (false, false) => {
            Err("exactly one of day-of-month and day-of-week must be `?`".to_owned())
        }
        _ => Ok(()),
    }
}

fn part_of(part: &str, name: &str, range: &RangeInclusive<u32>, names: &[&str]) -> Result<(), String> {
    let wrong = || format!("`{part}` is not valid in {name}");
    let day = name.starts_with("day");
    if part == "*" || day && (part == "?" || part == "L") {
        return Ok(());
    }
    let value = |text: &str| {
        let named = names.iter().position(|known| known.eq_ignore_ascii_case(text)).map(|at| at as u32 + 1);
        named.or_else(|| text.parse().ok()).filter(|number| range.contains(number))
    };
    let (base, step) = part.split_once('/').map_or((part, None), |(base, step)| (base, Some(step)));
    if step.is_some_and(|step| step.parse::<u32>().map_or(true, |step| step == 0)) {
        return Err(wrong());
    }
    let weekday =
        name == "day-of-month" && base.strip_suffix('W').is_some_and(|number| value(number).is_some());
    let last = name == "day-of-week" && base.strip_suffix('L').is_some_and(|number| value(number).is_some());
    let nth = name == "day-of-week"
        && base
            .split_once('#')
            .is_some_and(|(d, n)| value(d).is_some() && ("1"..="5").contains(&n) && n.len() == 1);
    let span = base
        .split_once('-')
        .map_or_else(|| value(base).is_some(), |(a, b)| value(a).is_some() && value(b).is_some());
    if span || weekday || last || nth || base == "*" { Ok(()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn schedules_follow_the_grammar() {
        let rows = [
            ("rate(1 hour)", true),
            ("rate(5 minutes)", true),
            ("rate(1 hours)", false),
            ("rate(5 minute)", false),
            ("rate(0 days)", false),
            ("rate(hour)", false),
            ("cron(0 * * * ? *)", true),
            ("cron(0/15 9-17 ? * MON-FRI 2026)", true),
            ("cron(0 8 1W * ? *)", true),
            ("cron(0 8 ? * 2#1 *)", true),
            ("cron(0 8 L * ? *)", true),
            ("cron(0 8 ? * 6L *)", true),
            ("cron(0 8 * * * *)", false),
            ("cron(60 8 ? * MON *)", false),
            ("cron(0 8 ? * MON)", false),
            ("cron(0/0 8 ? * MON *)", false),
            ("at(2026-11-21T01:00:00)", true),
            ("at(tomorrow)", false),
            ("hourly", false),
        ];
        for (text, good) in rows {
            assert_eq!(check(text).is_ok(), good, "{text}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in r"(rate|cron|at)?\(?[\PC 0-9*?/#LW,-]{0,30}\)?") {
            let _ = check(&text);
        }
    }
}
