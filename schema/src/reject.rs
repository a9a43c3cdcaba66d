//! A raw row that could not become a document: kept with its reason, never dropped.

use std::sync::{Arc, LazyLock};

use arrow_array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array};
use arrow_schema::{DataType, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::columns::{Columns, WindowColumns, moment_type, required};
use crate::names::closed;
use crate::{FormatError, Lineage, NameError, Record, Window};

/// A raw row that could not become a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// The window in which the row was fetched.
    pub window: Window,
    /// Why, as a name that stays.
    pub code: RejectCode,
    /// Why, in words, with the field and the value.
    pub message: String,
    /// The beginning of the row, as it was received; what is no UTF-8 in it is replaced.
    pub excerpt: String,
    /// Where it came from.
    pub lineage: Lineage,
}

closed! {
    /// Why a row could not become a document.
    pub enum RejectCode ("reject code") {
        /// There is nothing in the text field.
        EmptyText = "empty_text",
        /// A line that is no JSON, or JSON that is no object.
        NotJson = "not_json",
        /// More or fewer fields than the header has.
        FieldCount = "field_count",
        /// Bytes that are no characters of the file's encoding.
        InvalidEncoding = "invalid_encoding",
        /// A quoted field that is never closed.
        UnclosedQuote = "unclosed_quote",
        /// The row is longer than a row may be.
        TooLong = "too_long",
        /// A spreadsheet has rounded the id to something like `7.22613E+18`: it names nothing any more.
        DestroyedId = "destroyed_id",
        /// A time that cannot be read in the form that the file's times have.
        BadTime = "bad_time",
        /// A count that is no number.
        BadNumber = "bad_number",
    }
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        required("channel", DataType::Utf8),
        required("hour", moment_type()),
        required("code", DataType::Utf8),
        required("message", DataType::Utf8),
        required("excerpt", DataType::Utf8),
        required("raw", DataType::Utf8),
        required("line", DataType::UInt64),
    ]))
});

impl Record for Reject {
    const TABLE: &'static str = "rejects";
    const FORMAT: u32 = 1;

    fn schema() -> SchemaRef {
        SCHEMA.clone()
    }

    fn batch(rows: &[Self]) -> RecordBatch {
        let texts = |get: fn(&Self) -> &str| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(rows.iter().map(get)))
        };
        let hours = rows.iter().map(|row| row.window.hour.start().as_microsecond());
        let columns: Vec<ArrayRef> = vec![
            texts(|row| row.window.channel.as_str()),
            Arc::new(TimestampMicrosecondArray::from_iter_values(hours).with_timezone("UTC")),
            texts(|row| row.code.name()),
            texts(|row| &row.message),
            texts(|row| &row.excerpt),
            texts(|row| &row.lineage.raw),
            Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.lineage.line))),
        ];
        RecordBatch::try_new(SCHEMA.clone(), columns).expect("the columns stand in the schema's order")
    }

    fn rows(batch: &RecordBatch) -> Result<Vec<Self>, FormatError> {
        let columns = Columns::new(Self::TABLE, batch);
        let (code, message) = (columns.text("code")?, columns.text("message")?);
        let (excerpt, raw, line) = (columns.text("excerpt")?, columns.text("raw")?, columns.count("line")?);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let mut windows = WindowColumns::new(&columns)?;
        let row = |row| {
            let name = code.need(code.get(row))?;
            Ok(Self {
                window: windows.get(row)?,
                code: name.parse().map_err(|error: NameError| code.value_error(row, error))?,
                message: message.need(owned(message.get(row)))?,
                excerpt: excerpt.need(owned(excerpt.get(row)))?,
                lineage: Lineage { raw: raw.need(owned(raw.get(row)))?, line: line.need(line.get(row))? },
            })
        };
        (0..batch.num_rows()).map(row).collect()
    }
}
