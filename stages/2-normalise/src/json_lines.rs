//! One JSON object a line; only the mapped values are taken out, the rest is passed over.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

use doxa_schema::{Field, RejectCode};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::cell::Cell;
use crate::decode::FileError;
use crate::records::{Record, Records, Shape, State};
use crate::rows::{BadRow, Cells, Each, Row};

/// Reads a file row by row.
pub(crate) fn read(
    input: impl Read,
    mapping: &BTreeMap<Field, String>,
    longest: usize,
    each: &mut Each<'_>,
) -> Result<(), FileError> {
    let wanted = Wanted::of(mapping);
    let mut records = Records::new(input, Shape::Lines, longest);
    while let Some(record) = records.next()? {
        if each(row(&record, &wanted)).is_break() {
            break;
        }
    }
    Ok(())
}

fn row<'a>(record: &Record<'a>, wanted: &Wanted<'_>) -> Result<Row<'a>, BadRow<'a>> {
    let bad = |code, message| BadRow { line: record.line, code, message, excerpt: record.bytes };
    match record.state {
        State::Whole => {}
        State::TooLong | State::UnclosedQuote => {
            return Err(bad(RejectCode::TooLong, "the row is longer than a row may be".to_owned()));
        }
    }
    let text = std::str::from_utf8(record.bytes).map_err(|error| {
        let message = format!("byte {} of the row is no UTF-8", error.valid_up_to() + 1);
        bad(RejectCode::InvalidEncoding, message)
    })?;
    let mut cells = Cells::empty();
    let mut json = serde_json::Deserializer::from_str(text);
    let parsed = ObjectSeed { wanted, cells: &mut cells }.deserialize(&mut json).and_then(|()| json.end());
    match parsed {
        Ok(()) => Ok(Row { line: record.line, cells, excerpt: Cow::Borrowed(record.bytes) }),
        Err(error) => Err(bad(RejectCode::NotJson, format!("column {}: {}", error.column(), what(&error)))),
    }
}

/// The error without its position, of which only the column means something here.
fn what(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

/// The paths that are mapped, as a tree: `user.name` is `name` below `user`.
#[derive(Default)]
struct Wanted<'m> {
    field: Option<Field>,
    below: Vec<(&'m str, Wanted<'m>)>,
}

impl<'m> Wanted<'m> {
    fn of(mapping: &'m BTreeMap<Field, String>) -> Self {
        let mut root = Self::default();
        for (field, path) in mapping {
            let leaf = path.split('.').fold(&mut root, |node, key| node.child(key));
            leaf.field = Some(*field);
        }
        root
    }

    fn child(&mut self, key: &'m str) -> &mut Self {
        let at = self.below.iter().position(|(name, _)| *name == key).unwrap_or_else(|| {
            self.below.push((key, Self::default()));
            self.below.len() - 1
        });
        &mut self.below[at].1
    }

    fn get(&self, key: &str) -> Option<&Self> {
        self.below.iter().find(|(name, _)| *name == key).map(|(_, node)| node)
    }
}

/// Takes an object apart, filling the cells of the paths that are wanted.
struct ObjectSeed<'s, 'de> {
    wanted: &'s Wanted<'s>,
    cells: &'s mut Cells<'de>,
}

impl<'de> DeserializeSeed<'de> for ObjectSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { wanted, cells } = self;
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match wanted.get(&key) {
                Some(wanted) => map.next_value_seed(ValueSeed { wanted, cells })?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Takes any value: a wanted one into its cell, an object apart if something below it is wanted.
struct ValueSeed<'s, 'de> {
    wanted: &'s Wanted<'s>,
    cells: &'s mut Cells<'de>,
}

impl<'de> ValueSeed<'_, 'de> {
    fn set(self, cell: Cell<'de>) {
        if let Some(field) = self.wanted.field {
            self.cells.set(field, cell);
        }
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<(), E> {
        self.set(Cell::Text(Cow::Borrowed(text)));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.set(Cell::Text(Cow::Owned(text.to_owned())));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.set(Cell::Integer(number.into()));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.set(Cell::Integer(number.into()));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.set(Cell::Number(number));
        Ok(())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.set(Cell::Text(Cow::Borrowed(if truth { "true" } else { "false" })));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.set(Cell::Absent);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        ObjectSeed { wanted: self.wanted, cells: self.cells }.visit_map(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ops::ControlFlow;

    #[test]
    fn lines_become_cells_or_rejects() {
        let deep = format!("{{\"text\":{}1{}}}", "[".repeat(1_000_000), "]".repeat(1_000_000));
        let table = [
            (
                r#"{"id":"a","user":{"name":"n","x":[1,{"name":2}]},"text":"h\u00e9"}"#,
                r#"Text("hé") Text("n")"#,
            ),
            (r#"{"text":"last","text":"wins"}"#, r#"Text("wins") Absent"#),
            (r#"{"text":null,"user":"flat"}"#, "Absent Absent"),
            (r#"{"text":12345678901234567890}"#, "Integer(12345678901234567890) Absent"),
            (r#"{"text":1.5,"user":{"name":true}}"#, r#"Number(1.5) Text("true")"#),
            ("{}", "Absent Absent"),
            (r#"{"text":"\ud800"}"#, "not_json column 16: unexpected end of hex escape"),
            (r#"{"text":"a"} x"#, "not_json column 14: trailing characters"),
            (r#"{"text":"a""#, "not_json column 11: EOF while parsing an object"),
            ("[1]", "not_json column 0: invalid type: sequence, expected an object"),
            ("hello", "not_json column 1: expected value"),
            // A million brackets cost neither the stack nor the row: what is not wanted is passed over.
            (deep.as_str(), "Absent Absent"),
        ];
        for (line, wanted) in table {
            let mapping = [(Field::Text, "text".to_owned()), (Field::Author, "user.name".to_owned())].into();
            let mut seen = String::new();
            read(line.as_bytes(), &mapping, 4 << 20, &mut |row| {
                seen = match row {
                    Ok(row) => format!("{:?} {:?}", row.cells.get(Field::Text), row.cells.get(Field::Author)),
                    Err(bad) => format!("{} {}", bad.code, bad.message),
                };
                ControlFlow::Continue(())
            })
            .unwrap();
            assert_eq!(seen, wanted, "{}", &line[..line.len().min(80)]);
        }
    }
}
