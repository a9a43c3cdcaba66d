//! Timestamps as AWS reads and writes them: ISO-8601 with an offset, milliseconds in the context object.

use jiff::Timestamp;

/// Reads an "ISO-8601 extended offset date-time": capital `T`, seconds, and `Z` or an offset are required.
pub fn parse(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let dated = bytes.len() >= 20 && bytes[4] == b'-' && bytes[7] == b'-' && bytes[10] == b'T';
    let timed = dated && bytes[13] == b':' && bytes[16] == b':';
    let zoned = timed && (text.ends_with('Z') || text[10..].contains(['+', '-']));
    if zoned { text.parse().ok() } else { None }
}

/// Writes a timestamp as the context object does: `2026-11-21T01:02:03.456Z`.
pub fn format(at: Timestamp) -> String {
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_offset_date_times_are_read() {
        let rows = [
            ("2016-03-14T01:59:00Z", true),
            ("2016-03-05T21:29:29.243167252Z", true),
            ("2016-03-14T01:59:00+01:00", true),
            ("2016-13-05T21:29:29Z", false),
            ("2016-12-05T25:29:29Z", false),
            ("05-12-2016T21:29:29Z", false),
            ("2016-12-05 21:29:29Z", false),
            ("2016-12-05T21:29:29", false),
            ("2016-03-14t01:59:00Z", false),
            ("ééééééééééé", false),
            ("", false),
        ];
        for (text, good) in rows {
            assert_eq!(parse(text).is_some(), good, "{text}");
        }
    }

    #[test]
    fn format_keeps_milliseconds() {
        let at = parse("2026-11-21T01:02:03.4Z").unwrap();
        assert_eq!(format(at), "2026-11-21T01:02:03.400Z");
    }
}
