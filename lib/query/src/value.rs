//! Questions about JSON values that AWS answers in Java's way: name of a type, text of a value, equality.

use serde_json::Value;

/// The name JSONata and AWS's messages give to a value's type.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Text as `States.Format` prints it: strings bare, objects as Java maps (`{Id=1, Name=x}`).
pub(crate) fn java_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(java_text).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let pairs: Vec<_> =
                fields.iter().map(|(key, value)| format!("{key}={}", java_text(value))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

/// A whole number, whether it is written `3` or `3.0`.
pub fn as_whole(value: &Value) -> Option<i64> {
    let Value::Number(number) = value else { return None };
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        (float.fract() == 0.0 && float.abs() < 9.0e15).then_some(float as i64)
    })
}

/// Equality in which `1` equals `1.0`, as in Java and JSONata.
pub(crate) fn loosely_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| loosely_equal(x, y))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, x)| b.get(key).is_some_and(|y| loosely_equal(x, y)))
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn java_text_prints_maps_with_equals() {
        assert_eq!(java_text(&json!({"Id": "x", "n": [1, null]})), "{Id=x, n=[1, null]}");
    }
}
