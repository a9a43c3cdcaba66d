//! Items of a distributed Map: reading JSON, JSON Lines and CSV, and packing batches.

use serde_json::{Map, Value, json};

/// Most items that one Map may have.
pub(crate) const ITEM_LIMIT: usize = 100_000_000;

/// How a reader's bytes become items.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Format {
    Json {
        pointer: Option<String>,
    },
    JsonLines,
    Csv {
        headers: Option<Vec<String>>,
        delimiter: char,
    },
    /// A listing's objects, which the engine hands over as JSON.
    Listing,
}

impl Format {
    /// Reads a ReaderConfig.
    pub(crate) fn read(config: &Map<String, Value>) -> Result<Self, String> {
        match config.get("InputType").and_then(Value::as_str) {
            None | Some("JSON") => Ok(Format::Json {
                pointer: config.get("ItemsPointer").and_then(Value::as_str).map(str::to_owned),
            }),
            Some("JSONL") => Ok(Format::JsonLines),
            Some("CSV") => csv_format(config),
            Some(other) => Err(format!("InputType '{other}' is not one of [JSON, JSONL, CSV]")),
        }
    }

    /// Turns a read object into items, or says why in AWS's words.
    pub(crate) fn items(&self, text: &str) -> Result<Vec<Value>, String> {
        match self {
            Format::Json { pointer } => json_items(text, pointer.as_deref()),
            Format::Listing => json_items(text, None),
            Format::JsonLines => {
                let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
                lines
                    .map(|(n, line)| {
                        serde_json::from_str(line).map_err(|error| format!("line {}: {error}", n + 1))
                    })
                    .collect()
            }
            Format::Csv { headers, delimiter } => csv_items(text, headers.as_deref(), *delimiter),
        }
    }
}

fn csv_format(config: &Map<String, Value>) -> Result<Format, String> {
    let text = |name| config.get(name).and_then(Value::as_str);
    let delimiter = match text("CSVDelimiter") {
        None | Some("COMMA") => ',',
        Some("PIPE") => '|',
        Some("SEMICOLON") => ';',
        Some("SPACE") => ' ',
        Some("TAB") => '\t',
        Some(other) => {
            return Err(format!("CSVDelimiter '{other}' is not one of [COMMA, PIPE, SEMICOLON, SPACE, TAB]"));
        }
    };
    let headers = match text("CSVHeaderLocation") {
        Some("FIRST_ROW") => None,
        Some("GIVEN") => {
            let names =
                config.get("CSVHeaders").and_then(Value::as_array).ok_or("CSVHeaders are required")?;
            Some(names.iter().map(|name| name.as_str().unwrap_or_default().to_owned()).collect())
        }
        _ => return Err("CSVHeaderLocation must be FIRST_ROW or GIVEN".to_owned()),
    };
    Ok(Format::Csv { headers, delimiter })
}

fn json_items(text: &str, pointer: Option<&str>) -> Result<Vec<Value>, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("Invalid JSON: {error}"))?;
    let found = pointer.map_or(Some(&value), |pointer| value.pointer(pointer));
    match found {
        Some(Value::Array(items)) => Ok(items.clone()),
        _ => Err("Attempting to map over non-iterable node.".to_owned()),
    }
}

fn csv_items(text: &str, given: Option<&[String]>, delimiter: char) -> Result<Vec<Value>, String> {
    let mut rows = csv_rows(text, delimiter).into_iter();
    let headers = match given {
        Some(headers) => headers.to_vec(),
        None => rows.next().unwrap_or_default(),
    };
    let mut names: Vec<_> = headers.iter().collect();
    names.sort_unstable();
    names.dedup();
    if names.len() != headers.len() {
        return Err("CSV headers cannot contain duplicates.".to_owned());
    }
    // A short row has empty fields at its end, a long one loses what has no header.
    let item = |row: Vec<String>| {
        let cells = row.into_iter().chain(std::iter::repeat(String::new()));
        headers.iter().cloned().zip(cells.map(Value::String)).collect::<Map<_, _>>()
    };
    Ok(rows.map(|row| Value::Object(item(row))).collect())
}

/// RFC 4180 rows; a quote within an unquoted field is plain text.
fn csv_rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut letters) = (false, text.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            '\r' if !quoted && letters.peek() == Some(&'\n') => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c if c == delimiter && !quoted => row.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

/// The limits of an ItemBatcher.
#[derive(Clone, Debug)]
pub(crate) struct Batching {
    pub(crate) max_items: Option<usize>,
    pub(crate) max_bytes: Option<usize>,
    pub(crate) input: Option<Value>,
}

impl Batching {
    /// Packs items into `{"BatchInput": …, "Items": […]}`, each within both limits; an item larger than a batch stands alone.
    pub(crate) fn pack(&self, items: Vec<Value>) -> Vec<Value> {
        let overhead = self.input.as_ref().map_or(12, |input| 26 + crate::payload::size(input));
        let (mut batches, mut batch, mut bytes) = (Vec::new(), Vec::new(), overhead);
        for item in items {
            let size = crate::payload::size(&item) + 1;
            let full = self.max_items.is_some_and(|most| batch.len() >= most);
            let heavy = self.max_bytes.is_some_and(|most| bytes + size > most);
            if !batch.is_empty() && (full || heavy) {
                batches.push(self.wrap(&std::mem::take(&mut batch)));
                bytes = overhead;
            }
            bytes += size;
            batch.push(item);
        }
        if !batch.is_empty() {
            batches.push(self.wrap(&batch));
        }
        batches
    }

    fn wrap(&self, items: &[Value]) -> Value {
        match &self.input {
            Some(input) => json!({"BatchInput": input, "Items": items}),
            None => json!({"Items": items}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn format(config: &Value) -> Format {
        Format::read(config.as_object().unwrap()).unwrap()
    }

    #[test]
    fn formats_read_items() {
        let csv = json!({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"});
        let given = json!({"InputType": "CSV", "CSVHeaderLocation": "GIVEN", "CSVHeaders": ["x"], "CSVDelimiter": "PIPE"});
        let rows = [
            (json!({"InputType": "JSON"}), "[1, {\"a\": 2}]", Ok(json!([1, {"a": 2}]))),
            (json!({"ItemsPointer": "/a/b"}), "{\"a\": {\"b\": [1]}}", Ok(json!([1]))),
            (json!({}), "{}", Err("Attempting to map over non-iterable node.")),
            (json!({"InputType": "JSONL"}), "1\n\n{\"a\": 2}\r\n", Ok(json!([1, {"a": 2}]))),
            (
                csv.clone(),
                "a,b\r\n1,\"x, \"\"y\"\"\"\n3\n,,z",
                Ok(json!([{"a": "1", "b": "x, \"y\""}, {"a": "3", "b": ""}, {"a": "", "b": ""}])),
            ),
            (csv, "a,a\n1,2", Err("CSV headers cannot contain duplicates.")),
            (given, "1|2\n3", Ok(json!([{"x": "1"}, {"x": "3"}]))),
        ];
        for (config, text, want) in rows {
            let got = format(&config).items(text).map(Value::Array);
            assert_eq!(got, want.map_err(str::to_owned), "{text}");
        }
    }

    #[test]
    fn batches_keep_to_both_limits() {
        let items = vec![json!("aaaa"), json!("bbbb"), json!("cccc"), json!("dddddddddddddddddddddd")];
        let by_items =
            Batching { max_items: Some(3), max_bytes: None, input: Some(json!(1)) }.pack(items.clone());
        assert_eq!(by_items.len(), 2);
        assert_eq!(by_items[0]["BatchInput"], 1);
        let by_bytes = Batching { max_items: None, max_bytes: Some(26), input: None }.pack(items);
        assert_eq!(
            by_bytes.iter().map(|batch| batch["Items"].as_array().unwrap().len()).collect::<Vec<_>>(),
            [2, 1, 1]
        );
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "[\\PC\n\r,\"]{0,60}") {
            for config in [json!({}), json!({"InputType": "JSONL"}), json!({"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"})] {
                let _ = format(&config).items(&text);
            }
        }
    }
}
