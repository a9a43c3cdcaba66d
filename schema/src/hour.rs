//! One UTC hour, the grain of everything: half open, without gaps or overlaps.

use std::fmt;
use std::str::FromStr;

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

const SECONDS: i64 = 3600;

/// One UTC hour, `[start, end)`, between 1970 and the last whole hour a timestamp can end.
///
/// It is the count of hours since the epoch, so its arithmetic knows no zones, no daylight saving and no leap seconds
/// (UTC as POSIX counts it: 23:59:60 belongs to the hour before midnight).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hour(u32);

/// Why something is no hour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HourError {
    /// Not of the form `2026-11-21T01`.
    #[error("`{0}` is not an hour of the form 2026-11-21T01 (UTC)")]
    Form(String),
    /// Before 1970 or after the year 9999.
    #[error("{0} is outside of the hours from {first} to {last}", first = Hour::FIRST, last = Hour::LAST)]
    OutOfRange(String),
}

impl Hour {
    /// 1970-01-01T00, the first hour.
    pub const FIRST: Self = Self(0);
    /// 9999-12-30T21, the last hour whose end is still a timestamp.
    pub const LAST: Self = Self(70_389_501);

    /// The hour that a moment lies in.
    ///
    /// # Errors
    /// If the moment lies before 1970 or after [`Hour::LAST`].
    pub fn containing(moment: Timestamp) -> Result<Self, HourError> {
        // `as_second` rounds towards zero; before 1970 that would fold two hours into one.
        let hours = moment.as_second().div_euclid(SECONDS);
        u32::try_from(hours)
            .ok()
            .map(Self)
            .filter(|hour| *hour <= Self::LAST && moment >= Timestamp::UNIX_EPOCH)
            .ok_or_else(|| HourError::OutOfRange(moment.to_string()))
    }

    /// The first moment of the hour.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(i64::from(self.0) * SECONDS).expect("an hour up to LAST starts at a timestamp")
    }

    /// The first moment that is no longer of the hour.
    #[must_use]
    pub fn end(self) -> Timestamp {
        Timestamp::from_second((i64::from(self.0) + 1) * SECONDS)
            .expect("LAST is chosen so that its end exists")
    }

    /// Whether a moment lies in the hour.
    #[must_use]
    pub fn contains(self, moment: Timestamp) -> bool {
        self.start() <= moment && moment < self.end()
    }

    /// The hour after this one, if there is one.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        (self < Self::LAST).then(|| Self(self.0 + 1))
    }

    /// The hour before this one, if there is one.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        self.0.checked_sub(1).map(Self)
    }

    /// The hour `count` hours earlier, or the first.
    #[must_use]
    pub fn saturating_sub(self, count: u32) -> Self {
        Self(self.0.saturating_sub(count))
    }

    /// Every hour from this one up to, but not including, `end`.
    pub fn until(self, end: Self) -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        (0..end.0.saturating_sub(self.0)).map(move |step| Self(self.0 + step))
    }

    /// The calendar day, `2026-11-21`.
    #[must_use]
    pub fn date(self) -> String {
        self.to_string()[..10].to_owned()
    }

    /// The hour of the day, `0` to `23`.
    #[must_use]
    pub fn of_day(self) -> u8 {
        u8::try_from(self.0 % 24).expect("a remainder of 24 fits")
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.start().strftime("%Y-%m-%dT%H"))
    }
}

impl fmt::Debug for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hour({self})")
    }
}

impl FromStr for Hour {
    type Err = HourError;

    /// Reads `2026-11-21T01`, or a whole timestamp on the hour such as `2026-11-21T01:00:00Z`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let form = || HourError::Form(text.to_owned());
        if text.len() == 13 && text.is_ascii() && text.as_bytes()[10] == b'T' {
            let moment: Timestamp = format!("{text}:00:00Z").parse().map_err(|_| form())?;
            return Self::containing(moment);
        }
        let moment: Timestamp = text.parse().map_err(|_| form())?;
        let whole = moment.round(Unit::Hour).is_ok_and(|rounded| rounded == moment);
        if whole { Self::containing(moment) } else { Err(form()) }
    }
}

impl TryFrom<String> for Hour {
    type Error = HourError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Hour> for String {
    fn from(hour: Hour) -> Self {
        hour.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_moment_lies_in_the_hour_that_the_calendar_says() {
        let rows = [
            ("1970-01-01T00:00:00Z", "1970-01-01T00"),
            ("1970-01-01T00:59:59.999999999Z", "1970-01-01T00"),
            ("2026-11-21T01:00:00Z", "2026-11-21T01"),
            ("2026-11-21T01:59:59.999999999Z", "2026-11-21T01"),
            // The end of the year, and of a leap year's February.
            ("2026-12-31T23:59:59Z", "2026-12-31T23"),
            ("2024-02-29T23:30:00Z", "2024-02-29T23"),
            // A leap second is read as the second before it: the hour before midnight.
            ("2016-12-31T23:59:60Z", "2016-12-31T23"),
            // Daylight saving: the local clocks jump in Berlin and New York, the UTC hours do not.
            ("2026-03-29T01:59:59+01:00", "2026-03-29T00"),
            ("2026-03-29T03:00:00+02:00", "2026-03-29T01"),
            ("2026-11-01T01:30:00-04:00", "2026-11-01T05"),
            ("2026-11-01T01:30:00-05:00", "2026-11-01T06"),
            ("9999-12-30T20:59:59Z", "9999-12-30T20"),
        ];
        for (moment, wanted) in rows {
            assert_eq!(Hour::containing(at(moment)).unwrap().to_string(), wanted, "{moment}");
        }
    }

    #[test]
    fn what_is_no_hour_is_refused() {
        assert!(Hour::containing(at("1969-12-31T23:59:59.5Z")).is_err());
        assert!(Hour::containing(Timestamp::MAX).is_err());
        assert!(Hour::containing(Timestamp::MIN).is_err());
        let hostile =
            ["", "2026-11-21", "2026-11-21T24", "2026-13-01T00", "2026-11-21T01:30:00Z", "2026-11-2éT1"];
        for text in hostile {
            assert!(text.parse::<Hour>().is_err(), "{text}");
        }
        assert_eq!("2026-11-21T03:00:00+02:00".parse::<Hour>().unwrap().to_string(), "2026-11-21T01");
    }

    #[test]
    fn the_first_and_the_last_hour_are_whole() {
        assert_eq!(Hour::FIRST.previous(), None);
        assert_eq!(Hour::LAST.next(), None);
        assert_eq!(Hour::LAST.to_string(), "9999-12-30T21");
        assert_eq!(Hour::LAST.end(), at("9999-12-30T22:00:00Z"));
    }

    fn any_hour() -> impl Strategy<Value = Hour> {
        (0..=Hour::LAST.0).prop_map(Hour)
    }

    proptest! {
        #[test]
        fn hours_tile_the_time_line(hour in any_hour(), nanos in 0..3_600_000_000_000_i64) {
            let moment = hour.start() + jiff::SignedDuration::from_nanos(nanos);
            prop_assert_eq!(Hour::containing(moment).unwrap(), hour);
            prop_assert!(hour.contains(moment));
            prop_assert!(!hour.contains(hour.end()));
            if let Some(next) = hour.next() {
                prop_assert_eq!(hour.end(), next.start());
                prop_assert_eq!(next.previous(), Some(hour));
            }
        }

        #[test]
        fn text_and_back(hour in any_hour()) {
            prop_assert_eq!(hour.to_string().parse::<Hour>().unwrap(), hour);
            prop_assert!(hour.to_string().starts_with(&hour.date()));
        }

        #[test]
        fn text_order_is_time_order(a in any_hour(), b in any_hour()) {
            prop_assert_eq!(a.to_string().cmp(&b.to_string()), a.cmp(&b));
        }

        #[test]
        fn a_range_is_contiguous(from in any_hour(), length in 0_u32..200) {
            let end = Hour(from.0.saturating_add(length).min(Hour::LAST.0));
            let hours: Vec<_> = from.until(end).collect();
            prop_assert!(hours.windows(2).all(|pair| pair[0].end() == pair[1].start()));
            prop_assert_eq!(hours.first().copied(), (from < end).then_some(from));
            prop_assert_eq!(hours.last().and_then(|last| last.next()), (from < end).then_some(end));
        }

        #[test]
        fn local_clocks_that_jump_move_no_hour(seconds in 0..Hour::LAST.end().as_second(), zone in 0..3_usize) {
            // Berlin, New York and Lord Howe Island, which jumps by half an hour and lies half an hour beside the rest.
            let rules =
                ["CET-1CEST,M3.5.0,M10.5.0/3", "EST5EDT,M3.2.0,M11.1.0", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"];
            let moment = Timestamp::from_second(seconds).unwrap();
            let local = moment.to_zoned(TimeZone::posix(rules[zone]).unwrap());
            let written = local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
            prop_assert_eq!(Hour::containing(at(&written)).unwrap(), Hour::containing(moment).unwrap());
        }

        #[test]
        fn a_leap_second_belongs_to_the_hour_that_it_ends(hour in any_hour()) {
            let leap = at(&format!("{hour}:59:60Z"));
            prop_assert_eq!(Hour::containing(leap).unwrap(), hour);
        }

        #[test]
        fn every_year_ends_where_the_next_begins(year in 1970..9999_i16) {
            let last: Hour = format!("{year}-12-31T23").parse().unwrap();
            let first: Hour = format!("{}-01-01T00", year + 1).parse().unwrap();
            prop_assert_eq!(last.next(), Some(first));
            prop_assert_eq!(last.end(), first.start());
            prop_assert_eq!((last.of_day(), first.of_day()), (23, 0));
        }

        #[test]
        fn stepping_back_ends_at_the_first(hour in any_hour(), count in any::<u32>()) {
            let back = hour.saturating_sub(count);
            prop_assert!(back <= hour);
            prop_assert!(back == Hour::FIRST || back.until(hour).len() == count as usize);
        }
    }
}
