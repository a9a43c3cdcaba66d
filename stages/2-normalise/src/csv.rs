//! Separated fields below a header row, in any dialect that spreadsheets and exporters write.
//!
//! Fields are cut as the `csv` crate cuts them (a test compares): a quote opens only at the beginning of a field, two are
//! one, and what follows the closing quote belongs to the field as it stands.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;

use doxa_schema::{Field, RejectCode};
use memchr::{memchr, memmem};

use crate::cell::Cell;
use crate::decode::FileError;
use crate::records::{Record, Records, Shape, State};
use crate::rows::{BadRow, Cells, Each, Row, columns_of};

/// How a file separates.
pub(crate) struct Dialect<'a> {
    /// The separator; one byte.
    pub(crate) delimiter: char,
    /// The names of the columns, if the first row does not hold them.
    pub(crate) header: Option<&'a [String]>,
}

impl Dialect<'_> {
    fn byte(&self) -> u8 {
        u8::try_from(self.delimiter).unwrap_or(b',')
    }
}

/// Reads a file row by row.
pub(crate) fn read(
    input: impl Read,
    dialect: &Dialect<'_>,
    mapping: &BTreeMap<Field, String>,
    longest: usize,
    each: &mut Each<'_>,
) -> Result<(), FileError> {
    let delimiter = dialect.byte();
    let mut records = Records::new(input, Shape::Quoted { delimiter }, longest);
    let header = match dialect.header {
        Some(header) => header.to_vec(),
        None => first_names(&mut records, delimiter)?,
    };
    let columns = columns_of(mapping, &header)?;
    while let Some(record) = records.next()? {
        if each(row(&record, delimiter, &columns)).is_break() {
            break;
        }
    }
    Ok(())
}

/// The names of the columns, out of the first record.
///
/// # Errors
/// If there is none, or it is no whole row.
pub(crate) fn first_names<R: Read>(
    records: &mut Records<R>,
    delimiter: u8,
) -> Result<Vec<String>, FileError> {
    let header = records.next()?.ok_or(FileError::Empty)?;
    match header.state {
        State::Whole => Ok(names(header.bytes, delimiter)),
        State::TooLong | State::UnclosedQuote => Err(FileError::Header),
    }
}

/// The names of the columns in a header row; what is no UTF-8 in it is replaced, so that the error can show it.
fn names(header: &[u8], delimiter: u8) -> Vec<String> {
    let text = String::from_utf8_lossy(header);
    Fields::new(&text, delimiter).map(|field| unquote(field).trim().to_owned()).collect()
}

fn row<'a>(record: &Record<'a>, delimiter: u8, columns: &[Option<Field>]) -> Result<Row<'a>, BadRow<'a>> {
    let bad = |code, message| BadRow { line: record.line, code, message, excerpt: record.bytes };
    match record.state {
        State::Whole => {}
        State::TooLong => {
            return Err(bad(RejectCode::TooLong, "the row is longer than a row may be".to_owned()));
        }
        State::UnclosedQuote => {
            return Err(bad(
                RejectCode::UnclosedQuote,
                "a quote opens in this line and is never closed".to_owned(),
            ));
        }
    }
    let text = std::str::from_utf8(record.bytes).map_err(|error| {
        let message = format!("byte {} of the row is no UTF-8", error.valid_up_to() + 1);
        bad(RejectCode::InvalidEncoding, message)
    })?;
    let mut cells = Cells::empty();
    let mut count = 0;
    for field in Fields::new(text, delimiter) {
        match columns.get(count) {
            Some(Some(mapped)) => cells.set(*mapped, cell(field)),
            Some(None) => {}
            // A spreadsheet writes empty fields behind the last column if any cell there was ever touched.
            None if field.is_empty() => continue,
            None => {}
        }
        count += 1;
    }
    if count == columns.len() {
        Ok(Row { line: record.line, cells, excerpt: Cow::Borrowed(record.bytes) })
    } else {
        let message = format!("the row has {count} fields, the header {}", columns.len());
        Err(bad(RejectCode::FieldCount, message))
    }
}

fn cell(field: &str) -> Cell<'_> {
    if field.is_empty() { Cell::Absent } else { Cell::Text(unquote(field)) }
}

/// The fields of a record as they stand, with their quotes.
pub(crate) struct Fields<'a> {
    rest: Option<&'a str>,
    delimiter: u8,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(record: &'a str, delimiter: u8) -> Self {
        Self { rest: Some(record), delimiter }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest?;
        let quoted = if rest.starts_with('"') { closing(rest) } else { 0 };
        match memchr(self.delimiter, &rest.as_bytes()[quoted..]) {
            Some(at) => {
                self.rest = Some(&rest[quoted + at + 1..]);
                Some(&rest[..quoted + at])
            }
            None => {
                self.rest = None;
                Some(rest)
            }
        }
    }
}

/// Where the quoted part of a field that begins with a quote ends, behind its closing quote.
fn closing(field: &str) -> usize {
    let bytes = field.as_bytes();
    let mut at = 1;
    loop {
        match memchr(b'"', &bytes[at..]) {
            None => return bytes.len(),
            Some(step) if bytes.get(at + step + 1) == Some(&b'"') => at += step + 2,
            Some(step) => return at + step + 1,
        }
    }
}

/// What a field says, without its quotes.
fn unquote(field: &str) -> Cow<'_, str> {
    if !field.starts_with('"') {
        return Cow::Borrowed(field);
    }
    let end = closing(field);
    let inner = field[1..end].strip_suffix('"').unwrap_or(&field[1..end]);
    let tail = &field[end..];
    if tail.is_empty() && memmem::find(inner.as_bytes(), b"\"\"").is_none() {
        return Cow::Borrowed(inner);
    }
    Cow::Owned(inner.replace("\"\"", "\"") + tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::ops::ControlFlow;

    fn rows(text: &[u8], mapping: &[(Field, &str)]) -> Vec<String> {
        let mapping = mapping.iter().map(|(field, column)| (*field, (*column).to_owned())).collect();
        let mut seen = Vec::new();
        let dialect = Dialect { delimiter: ',', header: None };
        let read = read(text, &dialect, &mapping, 1 << 20, &mut |row| {
            seen.push(match row {
                Ok(row) => format!("{} {:?}", row.line, row.cells.get(Field::Text)),
                Err(bad) => format!("{} {} {}", bad.line, bad.code, bad.message),
            });
            ControlFlow::Continue(())
        });
        read.map_or_else(|error| vec![error.to_string()], |()| seen)
    }

    #[test]
    fn rows_become_cells_or_rejects() {
        let mapping = [(Field::Id, "id"), (Field::Text, "text")];
        let table: [(&[u8], &[&str]); 9] = [
            (b"id,text\n1,hello\n", &["2 Text(\"hello\")"]),
            (b"id,text\n1,\"a, \"\"b\"\"\nc\"\n", &["2 Text(\"a, \\\"b\\\"\\nc\")"]),
            (b"id,text\n1,\n", &["2 Absent"]),
            (b"text , id\n hello ,1\n", &["2 Text(\" hello \")"]),
            (
                b"id,text\n1\n1,2,3\n1,2,,\n",
                &[
                    "2 field_count the row has 1 fields, the header 2",
                    "3 field_count the row has 3 fields, the header 2",
                    "4 Text(\"2\")",
                ],
            ),
            (
                b"id,text\n1,gr\xfcn\n2,ok\n",
                &["2 invalid_encoding byte 5 of the row is no UTF-8", "3 Text(\"ok\")"],
            ),
            (
                b"id,text\n1,\"open\n2,ok\n",
                &["2 unclosed_quote a quote opens in this line and is never closed", "3 Text(\"ok\")"],
            ),
            (b"", &["it has no row"]),
            (b"a,b\n1,2\n", &["it has no column `text`, which was to hold the text"]),
        ];
        for (text, wanted) in table {
            assert_eq!(rows(text, &mapping), wanted, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn a_hundred_thousand_columns_are_only_many_columns() {
        let header: Vec<_> = (0..100_000).map(|column| format!("c{column}")).collect();
        let text = format!("{}\n{}\n", header.join(","), "x,".repeat(99_999) + "last");
        assert_eq!(rows(text.as_bytes(), &[(Field::Text, "c99999")]), ["2 Text(\"last\")"]);
    }

    proptest! {
        /// The `csv` crate is the judge of how fields are cut.
        #[test]
        fn fields_are_cut_as_the_csv_crate_cuts_them(records in prop::collection::vec("[ab\",]{0,12}", 1..6)) {
            let text = records.join("\n");
            let mut judge = ::csv::ReaderBuilder::new();
            let mut judge = judge.has_headers(false).flexible(true).from_reader(text.as_bytes());
            let wanted: Vec<Vec<String>> =
                judge.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
            let mut cut = Records::new(text.as_bytes(), Shape::Quoted { delimiter: b',' }, 1 << 16);
            let mut got = Vec::new();
            let mut unclosed = false;
            while let Some(record) = cut.next().unwrap() {
                unclosed |= record.state == State::UnclosedQuote;
                let record = std::str::from_utf8(record.bytes).unwrap();
                got.push(Fields::new(record, b',').map(|field| unquote(field).into_owned()).collect::<Vec<_>>());
            }
            // Where a quote is never closed we keep the lines apart, and the judge makes one field of the rest.
            if !unclosed {
                prop_assert_eq!(got, wanted);
            }
        }
    }
}
