//! One value of a row, and what it means: an id, a count, a text.

use std::borrow::Cow;

use jiff::Timestamp;

/// A value as its format has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell<'a> {
    /// No value.
    Absent,
    /// Characters.
    Text(Cow<'a, str>),
    /// A whole number.
    Integer(i128),
    /// A number with a fraction or an exponent.
    Number(f64),
    /// A moment, where the format has such a type.
    Moment(Timestamp),
}

/// An id that a spreadsheet has rounded: it names nothing any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DestroyedId(pub(crate) String);

/// A count that is no number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BadNumber(pub(crate) String);

impl<'a> Cell<'a> {
    /// What stands there, as characters; none if nothing does.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Absent => None,
            Self::Text(text) if text.trim().is_empty() => None,
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Integer(number) => Some(Cow::Owned(number.to_string())),
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            Self::Moment(moment) => Some(Cow::Owned(moment.to_string())),
        }
    }

    /// The id that stands there, out of the armour `="…"` or `'…` that keeps spreadsheets from rounding it.
    pub(crate) fn id(&self) -> Result<Option<Cow<'_, str>>, DestroyedId> {
        match self {
            // Every whole number below 2^53 is exact; one above may be any of several.
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0 => {
                Ok(Some(Cow::Owned(format!("{number:.0}"))))
            }
            Self::Number(number) => Err(DestroyedId(format!("{number:e}"))),
            Self::Text(text) => {
                let bare = without_armour(text.trim());
                if is_rounded(bare) {
                    Err(DestroyedId(bare.to_owned()))
                } else {
                    Ok(filled(bare).map(Cow::Borrowed))
                }
            }
            Self::Absent | Self::Integer(_) | Self::Moment(_) => Ok(self.text()),
        }
    }

    /// The count that stands there: `1,234`, `1.2K` and `12.0` are counts too.
    pub(crate) fn count(&self) -> Result<Option<i64>, BadNumber> {
        match self {
            Self::Absent => Ok(None),
            Self::Integer(number) => {
                i64::try_from(*number).map(Some).map_err(|_| BadNumber(number.to_string()))
            }
            Self::Number(number) if number.is_nan() => Ok(None),
            Self::Number(number) => whole(*number).map(Some).ok_or_else(|| BadNumber(number.to_string())),
            Self::Text(text) => count_of(without_armour(text.trim())),
            Self::Moment(moment) => Err(BadNumber(moment.to_string())),
        }
    }
}

fn filled(text: &str) -> Option<&str> {
    let empty =
        text.is_empty() || ["null", "none", "nan", "n/a"].iter().any(|word| text.eq_ignore_ascii_case(word));
    (!empty).then_some(text)
}

fn without_armour(text: &str) -> &str {
    let formula = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    formula.or_else(|| text.strip_prefix('\'')).unwrap_or(text).trim()
}

/// Whether a text is a number in the form `7.22613E+18`, which is what a spreadsheet makes of a long id.
fn is_rounded(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else { return false };
    let Some(exponent) = exponent.strip_prefix('+') else { return false };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    digits(exponent) && digits(whole) && digits(fraction)
}

fn count_of(text: &str) -> Result<Option<i64>, BadNumber> {
    let bad = || BadNumber(text.to_owned());
    let Some(text) = filled(text) else { return Ok(None) };
    if text == "-" {
        return Ok(None);
    }
    if let Ok(number) = text.parse() {
        return Ok(Some(number));
    }
    let (digits, factor) = match text.as_bytes()[text.len() - 1] {
        b'k' | b'K' => (&text[..text.len() - 1], 1e3),
        b'm' | b'M' => (&text[..text.len() - 1], 1e6),
        b'b' | b'B' => (&text[..text.len() - 1], 1e9),
        _ => (text, 1.0),
    };
    let plain = if is_grouped(digits) { digits.replace(',', "") } else { digits.to_owned() };
    if !plain.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-')) {
        return Err(bad());
    }
    let number: f64 = plain.parse().map_err(|_| bad())?;
    whole(number * factor).map(Some).ok_or_else(bad)
}

/// Whether commas stand where thousands are grouped: `1,234,567`.
fn is_grouped(digits: &str) -> bool {
    let mut groups = digits.trim_start_matches('-').split(',');
    let first = groups.next().is_some_and(|group| (1..=3).contains(&group.len()));
    first && groups.all(|group| group.len() == 3)
}

fn whole(number: f64) -> Option<i64> {
    let rounded = number.round();
    let fits = rounded.abs() < 9e18 && (number - rounded).abs() < 1e-6 * number.abs().max(1.0);
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and within the bounds")]
    fits.then_some(rounded as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell<'_> {
        Cell::Text(Cow::Borrowed(text))
    }

    #[test]
    fn ids_come_out_of_their_armour_and_rounded_ones_are_found() {
        let rows = [
            (text("t1_abc"), Ok(Some("t1_abc"))),
            (text("=\"7226129420561761066\""), Ok(Some("7226129420561761066"))),
            (text("'7226129420561761066"), Ok(Some("7226129420561761066"))),
            (text(" 12 "), Ok(Some("12"))),
            (text(""), Ok(None)),
            (text("null"), Ok(None)),
            (text("7.22613E+18"), Err("7.22613E+18")),
            (text("7,22613E+18"), Err("7,22613E+18")),
            (text("=\"7.22613E+18\""), Err("7.22613E+18")),
            (text("7E+18"), Err("7E+18")),
            // Ids of other makers that only look alike.
            (text("1e5"), Ok(Some("1e5"))),
            (text("abcE+12"), Ok(Some("abcE+12"))),
            (Cell::Integer(7_226_129_420_561_761_066), Ok(Some("7226129420561761066"))),
            (Cell::Number(123.0), Ok(Some("123"))),
            (Cell::Number(7.226_129_420_561_761e18), Err("7.226129420561761e18")),
            (Cell::Absent, Ok(None)),
        ];
        for (cell, wanted) in rows {
            let got = cell.id();
            let got = got.as_ref().map(Option::as_deref).map_err(|error| error.0.as_str());
            assert_eq!(got, wanted, "{cell:?}");
        }
    }

    #[test]
    fn counts_are_read_in_the_forms_people_export() {
        let rows = [
            ("12", Ok(Some(12))),
            ("-3", Ok(Some(-3))),
            ("1,234", Ok(Some(1234))),
            ("1,234,567", Ok(Some(1_234_567))),
            ("1.2K", Ok(Some(1200))),
            ("3M", Ok(Some(3_000_000))),
            ("12.0", Ok(Some(12))),
            ("", Ok(None)),
            ("N/A", Ok(None)),
            ("-", Ok(None)),
            ("12.5", Err("12.5")),
            ("1,2", Err("1,2")),
            ("many", Err("many")),
            ("12 likes", Err("12 likes")),
            ("K", Err("K")),
            ("99999999999999999999", Err("99999999999999999999")),
        ];
        for (given, wanted) in rows {
            assert_eq!(
                text(given).count().as_ref().map_err(|error| error.0.as_str()),
                wanted.as_ref().map_err(|w: &&str| *w),
                "{given}"
            );
        }
    }
}
