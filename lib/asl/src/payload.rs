//! What a payload may be: how many bytes as JSON, how many levels deep.

use serde_json::{Map, Number, Value};

/// AWS's limit for a state's input, output and result, in bytes of UTF-8 JSON.
pub const PAYLOAD_LIMIT: usize = 262_144;

/// Deepest nesting of a payload. An execution is persisted as JSON, whose readers stop at 128 levels; and a loop that
/// wraps its input each time round must not overflow the stack.
pub(crate) const DEPTH_LIMIT: usize = 100;

/// Whether `value` is nested deeper than a payload may be; looks no deeper than that itself.
pub(crate) fn is_too_deep(value: &Value) -> bool {
    fn deeper(value: &Value, left: usize) -> bool {
        match value {
            Value::Array(items) => left == 0 || items.iter().any(|item| deeper(item, left - 1)),
            Value::Object(fields) => left == 0 || fields.values().any(|item| deeper(item, left - 1)),
            _ => false,
        }
    }
    deeper(value, DEPTH_LIMIT)
}

/// Counts the bytes of `value` as compact JSON without writing it.
pub(crate) fn size(value: &Value) -> usize {
    match value {
        Value::Null => 4,
        Value::Bool(flag) => 5 - usize::from(*flag),
        Value::Number(number) => number_len(number),
        Value::String(text) => text_len(text),
        Value::Array(items) => 2 + items.len().saturating_sub(1) + items.iter().map(size).sum::<usize>(),
        Value::Object(fields) => object_len(fields),
    }
}

fn object_len(fields: &Map<String, Value>) -> usize {
    let pairs: usize = fields.iter().map(|(key, value)| text_len(key) + 1 + size(value)).sum();
    2 + fields.len().saturating_sub(1) + pairs
}

fn number_len(number: &Number) -> usize {
    match number.as_u64() {
        Some(whole) => whole.checked_ilog10().map_or(1, |log| log as usize + 1),
        None => number.to_string().len(),
    }
}

fn text_len(text: &str) -> usize {
    let escapes: usize = text
        .bytes()
        .map(|byte| match byte {
            b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 8 | 12 => 1,
            0..=31 => 5,
            _ => 0,
        })
        .sum();
    2 + text.len() + escapes
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn size_is_the_length_of_compact_json() {
        let rows = [
            json!(null),
            json!(true),
            json!(false),
            json!(0),
            json!(-12),
            json!(1234567),
            json!(1.5),
            json!("a\"b\\\n\u{1}é"),
            json!([]),
            json!([1, 2, [3]]),
            json!({"a": {"b": [1, "x"]}, "c": null}),
        ];
        for row in rows {
            assert_eq!(size(&row), row.to_string().len(), "{row}");
        }
    }
}
