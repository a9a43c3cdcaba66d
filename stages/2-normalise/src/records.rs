//! Physical rows out of a stream of bytes, in bounded memory.
//!
//! A row is a line, or, where fields may be quoted, a record that may span lines. Rows are handed out as slices of one
//! buffer. A row that is longer than a row may be is passed over and said so; a quote that is never closed costs the line
//! that it stands in, and not the rest of the file.

use std::io::Read;

use memchr::{memchr, memchr_iter, memchr2};

use crate::decode::FileError;

/// How much is read at a time.
const CHUNK: usize = 256 * 1024;

/// How rows end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// At every line end.
    Lines,
    /// At line ends outside of quotes; the delimiter says where a quote can open.
    Quoted {
        /// The delimiter.
        delimiter: u8,
    },
}

/// One physical row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// The line it begins at, from 1.
    pub(crate) line: u64,
    /// Its bytes, without the line end.
    pub(crate) bytes: &'a [u8],
    /// Whether these are all of its bytes, and a row.
    pub(crate) state: State,
}

/// Whether a record is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It is.
    Whole,
    /// It is longer than a row may be; these are its first bytes.
    TooLong,
    /// A quote opens in this line and is never closed, or not within the longest row.
    UnclosedQuote,
}

/// Cuts a stream into records.
pub(crate) struct Records<R> {
    input: R,
    shape: Shape,
    /// Old Macintosh files end their lines with a carriage return alone.
    line_end: u8,
    longest: usize,
    buffer: Vec<u8>,
    /// The unread part of the buffer.
    from: usize,
    to: usize,
    ended: bool,
    line: u64,
}

/// Where a record ends in the bytes that are there.
enum End {
    /// Before this offset, which is a line end (or the end of the input).
    At(usize),
    /// Not within the bytes that are there.
    Beyond,
    /// Not within the bytes that are there, and a quote is open.
    BeyondInQuotes,
}

impl<R: Read> Records<R> {
    pub(crate) fn new(input: R, shape: Shape, longest: usize) -> Self {
        Self {
            input,
            shape,
            line_end: b'\n',
            longest,
            buffer: Vec::new(),
            from: 0,
            to: 0,
            ended: false,
            line: 1,
        }
    }

    /// The next record that is not blank; none at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, FileError> {
        loop {
            let Some((from, to, line, state)) = self.find()? else { return Ok(None) };
            if state != State::Whole || self.buffer[from..to].iter().any(|byte| !byte.is_ascii_whitespace()) {
                return Ok(Some(Record { line, bytes: &self.buffer[from..to], state }));
            }
        }
    }

    fn find(&mut self) -> Result<Option<(usize, usize, u64, State)>, FileError> {
        let line = self.line;
        if line == 1 && self.to == 0 {
            self.begin()?;
        }
        loop {
            let unread = &self.buffer[self.from..self.to];
            match self.end_of(unread) {
                End::At(end) => {
                    let from = self.from;
                    self.line += self.lines_in(end);
                    self.from = (from + end + 1).min(self.to);
                    return Ok((from < self.to)
                        .then(|| (from, self.without_cr(from, from + end), line, State::Whole)));
                }
                End::BeyondInQuotes if self.ended || unread.len() >= self.longest => {
                    return Ok(Some(self.give_up_quote(line)));
                }
                End::Beyond if unread.len() >= self.longest => return self.pass_over(line).map(Some),
                End::Beyond | End::BeyondInQuotes => self.refill()?,
            }
        }
    }

    /// Fills the buffer for the first time, and sees how lines end.
    fn begin(&mut self) -> Result<(), FileError> {
        while self.to < CHUNK && !self.ended {
            self.refill()?;
        }
        let head = &self.buffer[..self.to];
        if memchr(b'\n', head).is_none() && memchr(b'\r', head).is_some() {
            self.line_end = b'\r';
        }
        Ok(())
    }

    fn lines_in(&self, end: usize) -> u64 {
        match self.shape {
            Shape::Lines => 1,
            Shape::Quoted { .. } => {
                1 + memchr_iter(self.line_end, &self.buffer[self.from..self.from + end]).count() as u64
            }
        }
    }

    fn without_cr(&self, from: usize, to: usize) -> usize {
        if to > from && self.buffer[to - 1] == b'\r' { to - 1 } else { to }
    }

    fn end_of(&self, unread: &[u8]) -> End {
        let first_line = memchr(self.line_end, unread);
        match (self.shape, first_line) {
            (Shape::Lines, Some(end)) => End::At(end),
            (Shape::Quoted { delimiter }, first_line) => {
                let first = &unread[..first_line.unwrap_or(unread.len())];
                match (memchr(b'"', first), first_line) {
                    (None, Some(end)) => End::At(end),
                    (None, None) => self.at_end(unread),
                    (Some(_), _) => self.end_of_quoted(unread, delimiter),
                }
            }
            (Shape::Lines, None) => self.at_end(unread),
        }
    }

    fn at_end(&self, unread: &[u8]) -> End {
        if self.ended { End::At(unread.len()) } else { End::Beyond }
    }

    /// Walks field by field, since a quote opens only at the beginning of one.
    fn end_of_quoted(&self, unread: &[u8], delimiter: u8) -> End {
        let mut at = 0;
        loop {
            if unread.get(at) == Some(&b'"') {
                match closing_quote(&unread[at + 1..]) {
                    Some(length) => at += 1 + length,
                    None => return End::BeyondInQuotes,
                }
            }
            match memchr2(delimiter, self.line_end, &unread[at..]) {
                None => return self.at_end(unread),
                Some(step) if unread[at + step] == self.line_end => return End::At(at + step),
                Some(step) => at += step + 1,
            }
        }
    }

    /// Gives out the line in which a quote opens that nothing closes; what follows it is read as rows again.
    fn give_up_quote(&mut self, line: u64) -> (usize, usize, u64, State) {
        let from = self.from;
        let length = memchr(self.line_end, &self.buffer[from..self.to]).unwrap_or(self.to - from);
        self.from = (from + length + 1).min(self.to);
        self.line += 1;
        (from, self.without_cr(from, from + length), line, State::UnclosedQuote)
    }

    /// Reads on to the next line end without keeping what it reads.
    fn pass_over(&mut self, line: u64) -> Result<(usize, usize, u64, State), FileError> {
        /// What is shown of a row that is too long.
        const SHOWN: usize = 1024;
        let shown = (self.to - self.from).min(SHOWN);
        self.buffer.copy_within(self.from..self.from + shown, 0);
        let mut rest =
            memchr(self.line_end, &self.buffer[self.from + shown..self.to]).map(|at| self.from + shown + at);
        while rest.is_none() && !self.ended {
            self.to = shown;
            self.from = shown;
            self.refill()?;
            rest = memchr(self.line_end, &self.buffer[shown..self.to]).map(|at| shown + at);
        }
        self.from = rest.map_or(self.to, |end| end + 1);
        self.line += 1;
        Ok((0, shown, line, State::TooLong))
    }

    /// Reads more behind what is unread, moving that to the front if there is no room.
    fn refill(&mut self) -> Result<(), FileError> {
        if self.buffer.len() - self.to < CHUNK / 2 {
            // In `pass_over` the shown bytes lie below `from`; there is always room behind them.
            self.buffer.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
            if self.buffer.len() - self.to < CHUNK {
                self.buffer.resize(self.to * 2 + CHUNK, 0);
            }
        }
        let count = self.input.read(&mut self.buffer[self.to..])?;
        self.to += count;
        self.ended = count == 0;
        Ok(())
    }
}

/// How many bytes up to and including the quote that closes a field; two quotes in a row are one character of it.
fn closing_quote(field: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr(b'"', &field[at..])? + 1;
        match field.get(at) {
            Some(b'"') => at += 1,
            // A quote at the end of what is there may be the first of two; the caller reads more if there is more.
            _ => return Some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads a few bytes at a time, so that every row is cut somewhere.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn records(bytes: &[u8], shape: Shape, longest: usize, step: usize) -> Vec<(u64, String, State)> {
        let mut records = Records::new(Slow(bytes, step), shape, longest);
        let mut all = Vec::new();
        while let Some(record) = records.next().unwrap() {
            all.push((record.line, String::from_utf8_lossy(record.bytes).into_owned(), record.state));
        }
        all
    }

    const CSV: Shape = Shape::Quoted { delimiter: b',' };

    #[test]
    fn rows_are_cut_where_they_end() {
        use State::{UnclosedQuote, Whole};
        let rows: [(&str, Shape, &[(u64, &str, State)]); 12] = [
            ("", CSV, &[]),
            ("\n\n", CSV, &[]),
            ("a,b\n1,2", CSV, &[(1, "a,b", Whole), (2, "1,2", Whole)]),
            ("a,b\r\n\r\n1,2\r\n", CSV, &[(1, "a,b", Whole), (3, "1,2", Whole)]),
            ("a,b\r1,2\r", CSV, &[(1, "a,b", Whole), (2, "1,2", Whole)]),
            ("1,\"x\ny, \"\"z\"\"\"\n2,b\n", CSV, &[(1, "1,\"x\ny, \"\"z\"\"\"", Whole), (3, "2,b", Whole)]),
            // A quote within an unquoted field is a character like any other.
            ("1,5\" screen\n2,b\n", CSV, &[(1, "1,5\" screen", Whole), (2, "2,b", Whole)]),
            ("1,\"x\" tail\n2,b\n", CSV, &[(1, "1,\"x\" tail", Whole), (2, "2,b", Whole)]),
            ("1,\"open\n2,b\n", CSV, &[(1, "1,\"open", UnclosedQuote), (2, "2,b", Whole)]),
            ("1,\"\"\n2,\"", CSV, &[(1, "1,\"\"", Whole), (2, "2,\"", UnclosedQuote)]),
            ("{\"a\":\"\n", Shape::Lines, &[(1, "{\"a\":\"", Whole)]),
            ("x\n  \ny", Shape::Lines, &[(1, "x", Whole), (3, "y", Whole)]),
        ];
        for (text, shape, wanted) in rows {
            for step in [1, 2, 3, 7, 4096] {
                let wanted: Vec<_> =
                    wanted.iter().map(|(line, text, state)| (*line, (*text).to_owned(), *state)).collect();
                assert_eq!(records(text.as_bytes(), shape, 1 << 20, step), wanted, "{text:?} by {step}");
            }
        }
    }

    #[test]
    fn a_giant_row_is_passed_over_in_bounded_memory() {
        let giant = [b"1,a\n".as_slice(), &vec![b'x'; 5 << 20], b"\n2,b\n"].concat();
        let mut records = Records::new(giant.as_slice(), CSV, 64 * 1024);
        let states: Vec<_> = std::iter::from_fn(|| {
            records.next().unwrap().map(|record| (record.line, record.bytes.len(), record.state))
        })
        .collect();
        assert_eq!(states, [(1, 3, State::Whole), (2, 1024, State::TooLong), (3, 3, State::Whole)]);
        assert!(records.buffer.len() < 2 << 20, "{}", records.buffer.len());

        let unclosed = [b"1,\"a\n".as_slice(), &b"2,b\n".repeat(100_000)].concat();
        let mut records = Records::new(unclosed.as_slice(), CSV, 64 * 1024);
        assert_eq!(records.next().unwrap().unwrap().state, State::UnclosedQuote);
        assert_eq!(std::iter::from_fn(|| records.next().unwrap().map(|record| record.line)).count(), 100_000);
        assert!(records.buffer.len() < 2 << 20, "{}", records.buffer.len());
    }

    proptest! {
        #[test]
        fn cutting_does_not_depend_on_how_bytes_arrive(
            text in "[a\",\n\r ]{0,60}",
            step in 1_usize..9,
            longest in 5_usize..40,
        ) {
            let whole = records(text.as_bytes(), CSV, 1 << 20, 1 << 20);
            prop_assert_eq!(&records(text.as_bytes(), CSV, 1 << 20, step), &whole);
            // However short the longest row is, every line is accounted for, in order.
            let lines: Vec<_> = records(text.as_bytes(), CSV, longest, step).iter().map(|row| row.0).collect();
            prop_assert!(lines.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
