//! When it was said: the forms in which exporters write a moment.
//!
//! A form that can mean two things is never guessed: a time without a zone is read in the zone that the reading names,
//! and `04/05/2023` only if the reading says which of the two is the month.

use doxa_schema::{DateOrder, Reading};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

use crate::cell::Cell;
use crate::decode::FileError;

/// How the times of a file are read.
pub(crate) struct Times {
    zone: TimeZone,
    dates: Option<DateOrder>,
}

/// Why a time cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadTime(pub(crate) String);

/// What a time's form leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Nothing: it names its zone, or counts from the epoch.
    Absolute,
    /// The zone.
    Local,
    /// The zone, and day and month are told apart: one is above 12.
    LocalOrdered(DateOrder),
    /// The zone, and which is the day and which the month.
    LocalEither,
    /// It is no time.
    Unreadable,
}

static ISO: DateTimeParser = DateTimeParser::new();

impl Times {
    pub(crate) fn of(reading: &Reading) -> Result<Self, FileError> {
        let zone = TimeZone::get(&reading.zone)
            .map_err(|cause| FileError::Zone { name: reading.zone.clone(), cause })?;
        Ok(Self { zone, dates: reading.dates })
    }

    /// The moment that a cell tells; none if it is empty.
    pub(crate) fn moment(&self, cell: &Cell<'_>) -> Result<Option<Timestamp>, BadTime> {
        match cell {
            Cell::Absent => Ok(None),
            Cell::Moment(moment) => Ok(Some(*moment)),
            Cell::Integer(number) => epoch(*number).map(Some).ok_or_else(|| BadTime(number.to_string())),
            Cell::Number(number) => {
                fractional_epoch(*number).map(Some).ok_or_else(|| BadTime(number.to_string()))
            }
            Cell::Text(text) => match text.trim() {
                "" => Ok(None),
                text => self.parse(text).map(Some).ok_or_else(|| BadTime(text.to_owned())),
            },
        }
    }

    fn parse(&self, text: &str) -> Option<Timestamp> {
        if let Some(moment) = absolute(text) {
            return Some(moment);
        }
        let local = match iso_local(text) {
            Some(local) => local,
            None => Slashed::parse(text)?.local(self.dates?)?,
        };
        // A time that the clocks passed over or showed twice is the one before the change, as RFC 5545 reads it.
        local.to_zoned(self.zone.clone()).ok().map(|zoned| zoned.timestamp())
    }
}

/// What the form of a time leaves open.
pub(crate) fn form(cell: &Cell<'_>) -> Form {
    let Cell::Text(text) = cell else { return Form::Absolute };
    let text = text.trim();
    if absolute(text).is_some() {
        return Form::Absolute;
    }
    if iso_local(text).is_some() {
        return Form::Local;
    }
    let Some(slashed) = Slashed::parse(text) else { return Form::Unreadable };
    let readable = |order| slashed.local(order).is_some();
    match (readable(DateOrder::DayFirst), readable(DateOrder::MonthFirst)) {
        (true, true) if slashed.first == slashed.second => Form::Local,
        (true, true) => Form::LocalEither,
        (true, false) => Form::LocalOrdered(DateOrder::DayFirst),
        (false, true) => Form::LocalOrdered(DateOrder::MonthFirst),
        (false, false) => Form::Unreadable,
    }
}

/// A count since the epoch, in the unit that its size tells: seconds until the year 5138, then milliseconds, micro-, nano-.
fn epoch(count: i128) -> Option<Timestamp> {
    let count = i64::try_from(count).ok()?;
    match count.unsigned_abs() {
        0..100_000_000_000 => Timestamp::from_second(count).ok(),
        100_000_000_000..100_000_000_000_000 => Timestamp::from_millisecond(count).ok(),
        100_000_000_000_000..100_000_000_000_000_000 => Timestamp::from_microsecond(count).ok(),
        _ => Timestamp::from_nanosecond(count.into()).ok(),
    }
}

fn fractional_epoch(count: f64) -> Option<Timestamp> {
    if !count.is_finite() || count.abs() >= 1e18 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is within the bounds of an i64")]
    if count.fract() == 0.0 || count.abs() >= 1e11 {
        epoch(count.trunc() as i128)
    } else {
        // Reddit writes seconds as `1700000000.0`; a fraction is kept to the microsecond, which is what f64 holds.
        Timestamp::from_microsecond((count * 1e6).round() as i64).ok()
    }
}

fn absolute(text: &str) -> Option<Timestamp> {
    let first = *text.as_bytes().first()?;
    if text.bytes().all(|byte| byte.is_ascii_digit()) || first == b'-' {
        return text.parse().ok().and_then(epoch);
    }
    if first.is_ascii_digit() {
        if let Ok(moment) = ISO.parse_timestamp(text) {
            return Some(moment);
        }
        return if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            text.parse().ok().filter(|count: &f64| count.abs() > 1e6).and_then(fractional_epoch)
        } else {
            None
        };
    }
    // Mail and feeds; the archives of the bird.
    ["%a, %d %b %Y %H:%M:%S %z", "%a %b %d %H:%M:%S %z %Y"]
        .into_iter()
        .find_map(|form| Timestamp::strptime(form, text).ok())
}

/// `2023-04-26T01:13:07`, `2023-04-26 01:13`, `2023-04-26`, `2023/04/26 01:13:07`.
fn iso_local(text: &str) -> Option<DateTime> {
    let dashed =
        if text.as_bytes().get(4) == Some(&b'/') { text.replacen('/', "-", 2) } else { text.to_owned() };
    ISO.parse_datetime(&dashed).ok()
}

/// A date with the year last, as in `26/04/2023, 01:13:07` or `4/26/2023 1:13 PM`.
struct Slashed {
    first: i8,
    second: i8,
    year: i16,
    time: (i8, i8, i8),
}

impl Slashed {
    fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once([',', ' ', 'T']).unwrap_or((text, ""));
        let separator = date.chars().find(|character| !character.is_ascii_digit())?;
        if !matches!(separator, '/' | '.' | '-') {
            return None;
        }
        let mut parts = date.split(separator);
        let (first, second) = (short(parts.next()?)?, short(parts.next()?)?);
        let year = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
        if parts.next().is_some() {
            return None;
        }
        Some(Self { first, second, year, time: time_of_day(time.trim_start_matches([',', ' ']))? })
    }

    fn local(&self, order: DateOrder) -> Option<DateTime> {
        let (day, month) = match order {
            DateOrder::DayFirst => (self.first, self.second),
            DateOrder::MonthFirst => (self.second, self.first),
        };
        let (hour, minute, second) = self.time;
        DateTime::new(self.year, month, day, hour, minute, second, 0).ok()
    }
}

fn short(digits: &str) -> Option<i8> {
    (1..=2).contains(&digits.len()).then(|| digits.parse().ok()).flatten()
}

fn time_of_day(text: &str) -> Option<(i8, i8, i8)> {
    if text.is_empty() {
        return Some((0, 0, 0));
    }
    let upper = text.to_ascii_uppercase();
    let (clock, noon) = match (upper.strip_suffix("AM"), upper.strip_suffix("PM")) {
        (Some(clock), _) => (clock.trim_end(), Some(0)),
        (_, Some(clock)) => (clock.trim_end(), Some(12)),
        (None, None) => (upper.as_str(), None),
    };
    let mut parts = clock.split(':');
    let (hour, minute) = (short(parts.next()?)?, short(parts.next()?)?);
    let second = parts.next().map_or(Some(0), short)?;
    if parts.next().is_some() {
        return None;
    }
    match noon {
        None => Some((hour, minute, second)),
        Some(noon) if (1..=12).contains(&hour) => Some((hour % 12 + noon, minute, second)),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    fn times(zone: &str, dates: Option<DateOrder>) -> Times {
        Times { zone: TimeZone::get(zone).unwrap(), dates }
    }

    fn read(times: &Times, text: &str) -> String {
        let cell = Cell::Text(Cow::Borrowed(text));
        match times.moment(&cell) {
            Ok(Some(moment)) => moment.to_string(),
            Ok(None) => "none".to_owned(),
            Err(BadTime(text)) => format!("bad {text}"),
        }
    }

    #[test]
    fn moments_are_read_in_the_forms_that_exporters_write() {
        let berlin = times("Europe/Berlin", Some(DateOrder::DayFirst));
        let rows = [
            ("1700000000", "2023-11-14T22:13:20Z"),
            ("1700000000000", "2023-11-14T22:13:20Z"),
            ("1700000000000000", "2023-11-14T22:13:20Z"),
            ("1700000000000000000", "2023-11-14T22:13:20Z"),
            ("1700000000.0", "2023-11-14T22:13:20Z"),
            ("1700000000.25", "2023-11-14T22:13:20.25Z"),
            ("0", "1970-01-01T00:00:00Z"),
            ("2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z"),
            ("2023-11-14t23:13:20.5+01:00", "2023-11-14T22:13:20.5Z"),
            ("2023-11-14 22:13:20+00:00", "2023-11-14T22:13:20Z"),
            ("2023-11-14 23:13:20", "2023-11-14T22:13:20Z"),
            ("2023-11-14T23:13", "2023-11-14T22:13:00Z"),
            ("2023-11-14", "2023-11-13T23:00:00Z"),
            ("2023/11/14 23:13:20", "2023-11-14T22:13:20Z"),
            ("26/04/2023, 01:13:07", "2023-04-25T23:13:07Z"),
            ("04/05/2023, 01:13:07", "2023-05-03T23:13:07Z"),
            ("4.5.2023 1:13", "2023-05-03T23:13:00Z"),
            ("04/05/2023 1:13 PM", "2023-05-04T11:13:00Z"),
            ("04/05/2023 12:13 am", "2023-05-03T22:13:00Z"),
            ("Tue, 14 Nov 2023 22:13:20 +0000", "2023-11-14T22:13:20Z"),
            ("Tue Nov 14 22:13:20 +0000 2023", "2023-11-14T22:13:20Z"),
            // The hour that the clocks pass over, and the one they show twice.
            ("2026-03-29 02:30:00", "2026-03-29T01:30:00Z"),
            ("2026-10-25 02:30:00", "2026-10-25T00:30:00Z"),
            ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"),
            ("  ", "none"),
            ("04/26/2023, 01:13:07", "bad 04/26/2023, 01:13:07"),
            ("31/02/2023", "bad 31/02/2023"),
            ("yesterday", "bad yesterday"),
            ("7.5", "bad 7.5"),
            ("2023-13-01", "bad 2023-13-01"),
            ("1/2/3", "bad 1/2/3"),
            ("-", "bad -"),
            ("26/04/2023 25:00", "bad 26/04/2023 25:00"),
            ("99999999999999999999999", "bad 99999999999999999999999"),
        ];
        for (text, wanted) in rows {
            assert_eq!(read(&berlin, text), wanted, "{text}");
        }
        let silent = times("UTC", None);
        assert_eq!(read(&silent, "04/05/2023, 01:13:07"), "bad 04/05/2023, 01:13:07");
    }

    #[test]
    fn numbers_count_from_the_epoch() {
        let utc = times("UTC", None);
        let second = "2023-11-14T22:13:20Z".parse().unwrap();
        for cell in
            [Cell::Integer(1_700_000_000), Cell::Number(1_700_000_000.0), Cell::Number(1_700_000_000_000.0)]
        {
            assert_eq!(utc.moment(&cell), Ok(Some(second)), "{cell:?}");
        }
        for cell in [Cell::Number(f64::NAN), Cell::Number(1e300), Cell::Integer(i128::MAX)] {
            assert!(utc.moment(&cell).is_err(), "{cell:?}");
        }
    }

    #[test]
    fn a_form_says_what_it_leaves_open() {
        let rows = [
            ("1700000000", Form::Absolute),
            ("2023-11-14T22:13:20Z", Form::Absolute),
            ("2023-11-14 22:13:20", Form::Local),
            ("26/04/2023, 01:13:07", Form::LocalOrdered(DateOrder::DayFirst)),
            ("04/26/2023, 01:13:07", Form::LocalOrdered(DateOrder::MonthFirst)),
            ("04/05/2023, 01:13:07", Form::LocalEither),
            ("05/05/2023, 01:13:07", Form::Local),
            ("soon", Form::Unreadable),
        ];
        for (text, wanted) in rows {
            assert_eq!(form(&Cell::Text(Cow::Borrowed(text))), wanted, "{text}");
        }
    }
}
