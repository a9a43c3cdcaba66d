//! A model's answer for one document.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array};
use arrow_schema::{DataType, Fields, Schema, SchemaRef};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::columns::{Columns, WindowColumns, moment_type, optional, required};
use crate::nested::{
    Nested, array, list_field, lists, read_lists, read_structs, struct_field, structs, texts,
};
use crate::{FormatError, ModelRef, Polarity, Probabilities, Record, Window};

/// A model's answer for one document. A document has one score of each model that was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The document's id within its channel.
    pub document: String,
    /// The window in which the document was fetched.
    pub window: Window,
    /// When the document was said: its rollup's hour. None if the source does not tell; then the window's hour stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The model that answered.
    pub model: ModelRef,
    /// The language that the text was taken to be in, as a BCP 47 tag; none if it was not clear.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The answer in one word. Not always the most probable one: a model may answer by thresholds of its own.
    pub label: Polarity,
    /// How probable each answer is, calibrated.
    pub probabilities: Probabilities,
    /// The answer as a number in `[-1, 1]`.
    pub sentiment: f64,
    /// What the text says of what, in the order of the text.
    #[serde(default)]
    pub aspects: Vec<Aspect>,
    /// What else the model saw.
    #[serde(default)]
    pub signals: Vec<Signal>,
}

/// What a text says of one thing that it names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Aspect {
    /// The words of the text.
    pub term: String,
    /// The name that all words for the same thing share: `battery` for `akku` and `battery life`.
    pub aspect: String,
    /// Where the words stand.
    pub span: Span,
    /// What is said of it, in one word.
    pub polarity: Polarity,
    /// How probable each answer is, calibrated.
    pub probabilities: Probabilities,
}

/// A quality that a text shows to some degree, such as empathy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Signal {
    /// The quality.
    pub name: String,
    /// To what degree, from 0 to 1.
    pub value: f64,
    /// How sure that is, from 0 to 1.
    pub confidence: f64,
    /// Where the text shows it.
    #[serde(default)]
    pub evidence: Vec<Span>,
}

/// A part of a document's text: byte offsets into it as UTF-8, `[start, end)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The offset of its first byte.
    pub start: u64,
    /// The offset of the first byte after it.
    pub end: u64,
}

impl Span {
    /// The offsets as a range.
    #[must_use]
    pub fn range(self) -> Option<Range<usize>> {
        Some(usize::try_from(self.start).ok()?..usize::try_from(self.end).ok()?)
    }

    /// The part of `text`; none if the span is not of this text: beyond its end, or through a character.
    #[must_use]
    pub fn of(self, text: &str) -> Option<&str> {
        text.get(self.range()?)
    }
}

impl Nested for Span {
    fn fields() -> Fields {
        ["start", "end"].into_iter().map(|name| required(name, DataType::UInt64)).collect()
    }

    fn arrays(values: &[&Self]) -> Vec<ArrayRef> {
        let offsets =
            |get: fn(&Self) -> u64| array(UInt64Array::from_iter_values(values.iter().map(|v| get(v))));
        vec![offsets(|v| v.start), offsets(|v| v.end)]
    }

    fn values(columns: &Columns<'_>) -> Result<Vec<Self>, FormatError> {
        let (start, end) = (columns.count("start")?, columns.count("end")?);
        let row = |row| Ok(Self { start: start.need(start.get(row))?, end: end.need(end.get(row))? });
        (0..columns.len()).map(row).collect()
    }
}

impl Nested for Aspect {
    fn fields() -> Fields {
        Fields::from(vec![
            required("term", DataType::Utf8),
            required("aspect", DataType::Utf8),
            struct_field::<Span>("span"),
            required("polarity", DataType::Utf8),
            struct_field::<Probabilities>("probabilities"),
        ])
    }

    fn arrays(values: &[&Self]) -> Vec<ArrayRef> {
        vec![
            texts(values.iter().map(|v| v.term.as_str())),
            texts(values.iter().map(|v| v.aspect.as_str())),
            structs(values.iter().map(|v| &v.span)),
            texts(values.iter().map(|v| v.polarity.name())),
            structs(values.iter().map(|v| &v.probabilities)),
        ]
    }

    fn values(columns: &Columns<'_>) -> Result<Vec<Self>, FormatError> {
        let (term, aspect, polarity) =
            (columns.text("term")?, columns.text("aspect")?, columns.text("polarity")?);
        let spans = read_structs(columns, "span")?;
        let probabilities = read_structs(columns, "probabilities")?;
        let row = |(row, (span, probabilities))| {
            Ok(Self {
                term: term.need(term.get(row))?.to_owned(),
                aspect: aspect.need(aspect.get(row))?.to_owned(),
                span,
                polarity: polarity.parsed(row)?,
                probabilities,
            })
        };
        spans.into_iter().zip(probabilities).enumerate().map(row).collect()
    }
}

impl Nested for Signal {
    fn fields() -> Fields {
        Fields::from(vec![
            required("name", DataType::Utf8),
            required("value", DataType::Float64),
            required("confidence", DataType::Float64),
            list_field::<Span>("evidence"),
        ])
    }

    fn arrays(values: &[&Self]) -> Vec<ArrayRef> {
        let numbers =
            |get: fn(&Self) -> f64| array(Float64Array::from_iter_values(values.iter().map(|v| get(v))));
        vec![
            texts(values.iter().map(|v| v.name.as_str())),
            numbers(|v| v.value),
            numbers(|v| v.confidence),
            lists(values.iter().map(|v| v.evidence.as_slice())),
        ]
    }

    fn values(columns: &Columns<'_>) -> Result<Vec<Self>, FormatError> {
        let name = columns.text("name")?;
        let (value, confidence) = (columns.number("value")?, columns.number("confidence")?);
        let row = |(row, evidence)| {
            Ok(Self {
                name: name.need(name.get(row))?.to_owned(),
                value: value.need(value.get(row))?,
                confidence: confidence.need(confidence.get(row))?,
                evidence,
            })
        };
        read_lists(columns, "evidence")?.into_iter().enumerate().map(row).collect()
    }
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        required("document", DataType::Utf8),
        required("channel", DataType::Utf8),
        required("hour", moment_type()),
        optional("created_at", moment_type()),
        required("model", DataType::Utf8),
        optional("language", DataType::Utf8),
        required("label", DataType::Utf8),
        struct_field::<Probabilities>("probabilities"),
        required("sentiment", DataType::Float64),
        list_field::<Aspect>("aspects"),
        list_field::<Signal>("signals"),
    ]))
});

impl Record for Score {
    const TABLE: &'static str = "scores";
    const FORMAT: u32 = 1;

    fn schema() -> SchemaRef {
        SCHEMA.clone()
    }

    fn batch(rows: &[Self]) -> RecordBatch {
        let hours = rows.iter().map(|row| row.window.hour.start().as_microsecond());
        let created_at = rows.iter().map(|row| row.created_at.map(Timestamp::as_microsecond));
        let models: Vec<String> = rows.iter().map(|row| row.model.to_string()).collect();
        let columns: Vec<ArrayRef> = vec![
            texts(rows.iter().map(|row| row.document.as_str())),
            texts(rows.iter().map(|row| row.window.channel.as_str())),
            array(TimestampMicrosecondArray::from_iter_values(hours).with_timezone("UTC")),
            array(TimestampMicrosecondArray::from_iter(created_at).with_timezone("UTC")),
            texts(models.iter().map(String::as_str)),
            array(StringArray::from_iter(rows.iter().map(|row| row.language.as_deref()))),
            texts(rows.iter().map(|row| row.label.name())),
            structs(rows.iter().map(|row| &row.probabilities)),
            array(Float64Array::from_iter_values(rows.iter().map(|row| row.sentiment))),
            lists(rows.iter().map(|row| row.aspects.as_slice())),
            lists(rows.iter().map(|row| row.signals.as_slice())),
        ];
        RecordBatch::try_new(SCHEMA.clone(), columns).expect("the columns stand in the schema's order")
    }

    fn rows(batch: &RecordBatch) -> Result<Vec<Self>, FormatError> {
        let columns = Columns::new(Self::TABLE, batch);
        let (document, model, label) =
            (columns.text("document")?, columns.text("model")?, columns.text("label")?);
        let (created_at, language) = (columns.moment("created_at")?, columns.text("language")?);
        let sentiment = columns.number("sentiment")?;
        let mut windows = WindowColumns::new(&columns)?;
        let mut probabilities = read_structs(&columns, "probabilities")?.into_iter();
        let mut aspects = read_lists(&columns, "aspects")?.into_iter();
        let mut signals = read_lists(&columns, "signals")?.into_iter();
        let row = |row| {
            Ok(Self {
                document: document.need(document.get(row))?.to_owned(),
                window: windows.get(row)?,
                created_at: created_at.moment(row)?,
                model: model.parsed(row)?,
                language: language.get(row).map(str::to_owned),
                label: label.parsed(row)?,
                probabilities: probabilities.next().expect("one struct a row was read"),
                sentiment: sentiment.need(sentiment.get(row))?,
                aspects: aspects.next().expect("one list a row was read"),
                signals: signals.next().expect("one list a row was read"),
            })
        };
        (0..batch.num_rows()).map(row).collect()
    }
}
