//! Which format a text is in, and its columns.

use std::collections::BTreeSet;

use doxa_schema::Format;
use serde_json::Value;

use super::{Error, Wishes};
use crate::csv::{Fields, first_names};
use crate::records::{Records, Shape, State};

/// How many records are looked at.
const RECORDS: usize = 100;
/// The longest record that is looked at.
const LONGEST: usize = 1 << 20;

/// The format of a text, and the names of its columns.
pub(super) fn find(text: &str, whole: bool, wishes: &Wishes) -> Result<(Format, Vec<String>), Error> {
    let begin = text.trim_start();
    match begin.as_bytes().first() {
        None => Err(Error::Empty),
        Some(b'{') => Ok((Format::JsonLines, json_paths(begin)?)),
        Some(b'[') if is_json_array(begin) => Err(Error::JsonDocument),
        Some(_) => csv(text, whole, wishes),
    }
}

/// Whether a text that begins with a bracket is JSON, and not a line of talk such as `[laughs] hello`.
fn is_json_array(text: &str) -> bool {
    matches!(text[1..].trim_start().as_bytes().first(), Some(b'{' | b'[' | b']' | b'"'))
}

/// The paths of the values in the first objects, those of the first in front.
fn json_paths(text: &str) -> Result<Vec<String>, Error> {
    let mut paths = Vec::new();
    let mut seen = BTreeSet::new();
    let mut objects = 0;
    for line in text.lines().take(RECORDS) {
        if let Ok(Value::Object(object)) = serde_json::from_str(line) {
            objects += 1;
            collect("", &object, &mut |path| {
                if seen.insert(path.clone()) {
                    paths.push(path);
                }
            });
        }
    }
    // A first line that is no object: pretty-printed JSON, unless it is only one broken row among many.
    if objects == 0 { Err(Error::JsonDocument) } else { Ok(paths) }
}

fn collect(above: &str, object: &serde_json::Map<String, Value>, add: &mut impl FnMut(String)) {
    const DEPTH: usize = 3;
    for (key, value) in object {
        let path = if above.is_empty() { key.clone() } else { format!("{above}.{key}") };
        match value {
            Value::Object(below) if path.split('.').count() < DEPTH => collect(&path, below, add),
            Value::Object(_) | Value::Array(_) => {}
            _ => add(path),
        }
    }
}

fn csv(text: &str, whole: bool, wishes: &Wishes) -> Result<(Format, Vec<String>), Error> {
    let delimiter = match wishes.delimiter {
        Some(delimiter) if delimiter.is_ascii() && !matches!(delimiter, '"' | '\n' | '\r') => delimiter,
        Some(delimiter) => return Err(Error::Delimiter(delimiter)),
        None => best_delimiter(text, whole)?,
    };
    let columns = match &wishes.header {
        Some(header) => header.clone(),
        None => first_record(text, delimiter)?,
    };
    Ok((Format::Csv { delimiter, header: wishes.header.clone() }, columns))
}

fn first_record(text: &str, delimiter: char) -> Result<Vec<String>, Error> {
    let delimiter = delimiter as u8;
    let mut records = Records::new(text.as_bytes(), Shape::Quoted { delimiter }, LONGEST.max(text.len()));
    Ok(first_names(&mut records, delimiter)?)
}

/// What separates the fields of a file of one column: a character that no text has, so that a comma in a text is a comma.
const ONE_COLUMN: char = '\u{1f}';

/// The separator by which most rows have as many fields as the first; of several such, the one with the most fields.
fn best_delimiter(text: &str, whole: bool) -> Result<char, Error> {
    let mut best = (0, 1, ONE_COLUMN);
    for delimiter in [',', '\t', ';', '|'] {
        let mut counts = field_counts(text, delimiter as u8)?;
        if !whole && counts.len() > 1 {
            counts.pop(); // The last one may be cut.
        }
        let Some(fields) = counts.first().copied().filter(|fields| *fields > 1) else { continue };
        let alike = counts.iter().filter(|count| **count == fields).count() * 100 / counts.len();
        if (alike, fields) > (best.0, best.1) {
            best = (alike, fields, delimiter);
        }
    }
    Ok(best.2)
}

fn field_counts(text: &str, delimiter: u8) -> Result<Vec<usize>, Error> {
    let mut records = Records::new(text.as_bytes(), Shape::Quoted { delimiter }, LONGEST);
    let mut counts = Vec::new();
    while let Some(record) = records.next()? {
        if record.state == State::Whole {
            let text = String::from_utf8_lossy(record.bytes);
            counts.push(Fields::new(&text, delimiter).count());
        }
        if counts.len() == RECORDS {
            break;
        }
    }
    Ok(counts)
}
