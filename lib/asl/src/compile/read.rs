//! Reading a definition's text: its size, its JSON, and that no object has a field twice.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::DEFINITION_LIMIT;
use crate::diagnostic::{Code, Diagnostic};

pub(super) fn definition(text: &str) -> Result<Value, Diagnostic> {
    if text.len() > DEFINITION_LIMIT {
        let message = format!("The definition of {} bytes exceeds {DEFINITION_LIMIT} bytes", text.len());
        return Err(Diagnostic::error(Code::SchemaValidationFailed, "", message));
    }
    if text.trim().is_empty() {
        return Err(Diagnostic::error(
            Code::SchemaValidationFailed,
            "",
            "Definition must be a valid JSON object",
        ));
    }
    let strict: Result<Strict, _> = serde_json::from_str(text);
    strict.map(|strict| strict.0).map_err(|error| {
        let mut found =
            Diagnostic::error(Code::InvalidJsonDescription, "", format!("Invalid JSON description: {error}"));
        found.position = Some((error.line(), error.column()));
        found
    })
}

/// A value whose objects have every field once. Serde would keep the last of two; AWS refuses them.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = list.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = object.next_key::<String>()? {
            let Strict(value) = object.next_value()?;
            if fields.contains_key(&key) {
                return Err(Error::custom(format!("duplicate field '{key}'")));
            }
            fields.insert(key, value);
        }
        Ok(Value::Object(fields))
    }
}
