//! What each of the 18 functions does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::Digest;

use super::arrays;
use crate::chance::Chance;
use crate::value::{as_whole, java_text};

/// Longest text that Base64 and Hash accept.
const TEXT_LIMIT: usize = 10_000;

/// An intrinsic function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are AWS's")]
pub enum Function {
    Format,
    StringToJson,
    JsonToString,
    Array,
    ArrayPartition,
    ArrayContains,
    ArrayRange,
    ArrayGetItem,
    ArrayLength,
    ArrayUnique,
    Base64Encode,
    Base64Decode,
    Hash,
    JsonMerge,
    MathRandom,
    MathAdd,
    StringSplit,
    Uuid,
}

use Function as F;

const NAMES: [(&str, Function, usize, usize); 18] = [
    ("States.Format", F::Format, 1, usize::MAX),
    ("States.StringToJson", F::StringToJson, 1, 1),
    ("States.JsonToString", F::JsonToString, 1, 1),
    ("States.Array", F::Array, 0, usize::MAX),
    ("States.ArrayPartition", F::ArrayPartition, 2, 2),
    ("States.ArrayContains", F::ArrayContains, 2, 2),
    ("States.ArrayRange", F::ArrayRange, 3, 3),
    ("States.ArrayGetItem", F::ArrayGetItem, 2, 2),
    ("States.ArrayLength", F::ArrayLength, 1, 1),
    ("States.ArrayUnique", F::ArrayUnique, 1, 1),
    ("States.Base64Encode", F::Base64Encode, 1, 1),
    ("States.Base64Decode", F::Base64Decode, 1, 1),
    ("States.Hash", F::Hash, 2, 2),
    ("States.JsonMerge", F::JsonMerge, 3, 3),
    ("States.MathRandom", F::MathRandom, 2, 3),
    ("States.MathAdd", F::MathAdd, 2, 2),
    ("States.StringSplit", F::StringSplit, 2, 2),
    ("States.UUID", F::Uuid, 0, 0),
];

type Answer = Result<Value, String>;

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|row| row.0 == name).map(|row| row.1)
    }

    fn name(self) -> &'static str {
        NAMES.iter().find(|row| row.1 == self).map_or("States", |row| row.0)
    }

    pub(super) fn arity(self) -> (usize, usize) {
        NAMES.iter().find(|row| row.1 == self).map_or((0, 0), |row| (row.2, row.3))
    }

    /// The least number of arguments.
    pub(crate) fn arguments(self) -> usize {
        self.arity().0
    }

    /// Applies a function that needs no randomness, for JSONata's namesakes.
    pub(crate) fn plain(self, args: &[Value]) -> Answer {
        self.apply(args, Chance { seed: 0, event: 0 }, 0)
    }

    /// Applies the function; the arity was checked by the parser.
    pub(super) fn apply(self, args: &[Value], chance: Chance, question: u64) -> Answer {
        let args: Vec<Value> =
            if self == F::Format { args.to_vec() } else { args.iter().map(unescaped).collect() };
        let answer = match (self, args.as_slice()) {
            (F::Format, [Value::String(template), rest @ ..]) => format_text(template, rest),
            (F::StringToJson, [Value::String(text)]) if text.trim().is_empty() => Ok(Value::Null),
            (F::StringToJson, [Value::String(text)]) => {
                serde_json::from_str(text).map_err(|error| error.to_string())
            }
            (F::JsonToString, [value]) => Ok(json!(value.to_string())),
            (F::Array, items) => Ok(json!(items)),
            (F::ArrayPartition, [Value::Array(items), size]) => arrays::partition(items, size),
            (F::ArrayContains, [Value::Array(items), item]) => Ok(json!(arrays::contains(items, item))),
            (F::ArrayRange, [first, last, step]) => arrays::range(first, last, step),
            (F::ArrayGetItem, [Value::Array(items), at]) => arrays::item(items, at),
            (F::ArrayLength, [Value::Array(items)]) => Ok(json!(items.len())),
            (F::ArrayUnique, [Value::Array(items)]) => Ok(arrays::unique(items)),
            (F::Base64Encode, [Value::String(text)]) => {
                limited(text).map(|text| json!(STANDARD.encode(text)))
            }
            (F::Base64Decode, [Value::String(text)]) => decode(text),
            (F::Hash, [data, Value::String(algorithm)]) => hash(data, algorithm),
            (F::JsonMerge, [Value::Object(a), Value::Object(b), Value::Bool(false)]) => {
                let mut merged = a.clone();
                merged.extend(b.clone());
                Ok(Value::Object(merged))
            }
            (F::MathRandom, [first, last, rest @ ..]) => random(first, last, rest.first(), chance, question),
            (F::MathAdd, [a, b]) => add(a, b),
            (F::StringSplit, [Value::String(text), Value::String(marks)]) => Ok(split(text, marks)),
            (F::Uuid, []) => Ok(json!(chance.uuid(question))),
            _ => Err("the arguments have the wrong types".to_owned()),
        };
        answer.map_err(|why| format!("Invalid arguments in {}: {why}", self.name()))
    }
}

/// Literals keep `\{`, `\}` and `\\` escaped for Format's sake; all other functions see the plain text.
fn unescaped(value: &Value) -> Value {
    match value {
        Value::String(text) if text.contains('\\') => {
            json!(text.replace("\\{", "{").replace("\\}", "}").replace("\\\\", "\\"))
        }
        other => other.clone(),
    }
}

fn format_text(template: &str, args: &[Value]) -> Answer {
    let (mut text, mut next) = (String::new(), args.iter());
    let mut letters = template.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek().is_some_and(|c| "{}\\'".contains(*c)) => text.extend(letters.next()),
            '{' if letters.peek() == Some(&'}') => {
                letters.next();
                let Some(arg) = next.next() else { return Err("fewer arguments than `{}`".to_owned()) };
                text.push_str(&java_text(arg));
            }
            other => text.push(other),
        }
    }
    if next.next().is_some() { Err("more arguments than `{}`".to_owned()) } else { Ok(json!(text)) }
}

fn limited(text: &str) -> Result<&str, String> {
    if text.len() > TEXT_LIMIT { Err(format!("longer than {TEXT_LIMIT} characters")) } else { Ok(text) }
}

fn decode(text: &str) -> Answer {
    let bytes = STANDARD.decode(limited(text)?).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map(Value::String).map_err(|error| error.to_string())
}

/// The digest of a text, or of another value's JSON, in lowercase hexadecimal.
pub(crate) fn hash(data: &Value, algorithm: &str) -> Answer {
    let text = data.as_str().map_or_else(|| data.to_string(), str::to_owned);
    let bytes = limited(&text)?.as_bytes();
    let digest = match algorithm {
        "MD5" => md5::Md5::digest(bytes).to_vec(),
        "SHA-1" => sha1::Sha1::digest(bytes).to_vec(),
        "SHA-256" => sha2::Sha256::digest(bytes).to_vec(),
        "SHA-384" => sha2::Sha384::digest(bytes).to_vec(),
        "SHA-512" => sha2::Sha512::digest(bytes).to_vec(),
        other => return Err(format!("`{other}` is not MD5, SHA-1, SHA-256, SHA-384 or SHA-512")),
    };
    Ok(Value::String(digest.iter().map(|byte| format!("{byte:02x}")).collect()))
}

fn random(first: &Value, last: &Value, seed: Option<&Value>, chance: Chance, question: u64) -> Answer {
    let (Some(first), Some(last)) = (rounded(first), rounded(last)) else {
        return Err("not numbers".to_owned());
    };
    let span = last.checked_sub(first).filter(|span| *span > 0).ok_or("the end is not after the start")?;
    let seed = seed.map(|seed| as_whole(seed).ok_or("the seed is not an integer")).transpose()?;
    let draw = match seed {
        // A given seed answers the same in every execution.
        Some(seed) => Chance { seed: seed as u64, event: 0 }.unit(0),
        None => chance.unit(question),
    };
    Ok(json!(first + (draw * span as f64) as i64))
}

/// Java's `Math.round`: halves go up, so -1.5 becomes -1.
fn rounded(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|float| (float + 0.5).floor() as i64))
}

fn add(a: &Value, b: &Value) -> Answer {
    let (Some(a), Some(b)) = (rounded(a), rounded(b)) else { return Err("not numbers".to_owned()) };
    a.checked_add(b).map(Value::from).ok_or_else(|| "the sum is too large".to_owned())
}

fn split(text: &str, marks: &str) -> Value {
    let parts = text.split(|c| marks.contains(c)).filter(|part| !part.is_empty());
    Value::Array(parts.map(Value::from).collect())
}
