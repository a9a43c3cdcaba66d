//! What an hour of a channel comes to: how many leaned which way, and how sure one may be of it.

use std::sync::{Arc, LazyLock};

use arrow_array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray, UInt64Array};
use arrow_schema::{DataType, Fields, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::columns::{Columns, WindowColumns, moment_type, optional, required};
use crate::names::closed;
use crate::nested::{
    Nested, array, list_field, lists, read_lists, read_structs, struct_field, structs, texts,
};
use crate::{Estimate, FormatError, ModelRef, Polarity, Record, Window};

/// One hour of one channel, as one model sees it: over all documents, or over what they say of one aspect.
///
/// Where there was nothing to count there is no rollup: `n` is at least 1, and a gap is a gap and not a zero.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rollup {
    /// The channel, and the hour in which it was *said*: not the hour of fetching, which a late reply has another of.
    pub window: Window,
    /// The aspect; none for the documents as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect: Option<String>,
    /// The model whose scores these are.
    pub model: ModelRef,
    /// How many documents, or mentions of the aspect, there are.
    pub n: u64,
    /// How many of them lean which way.
    pub counts: Counts,
    /// The counts as shares of `n`, with the interval that comes of counting `n` and no more.
    pub shares: Shares,
    /// The mean sentiment, in `[-1, 1]`.
    pub sentiment: Estimate,
    /// The shares once more, corrected for the model's own errors: one entry for each way that the labels allow.
    #[serde(default)]
    pub corrected: Vec<Corrected>,
}

/// How many lean which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// How many are negative.
    pub negative: u64,
    /// How many are neutral.
    pub neutral: u64,
    /// How many are positive.
    pub positive: u64,
}

/// Which share leans which way.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// The share of the negative.
    pub negative: Estimate,
    /// The share of the neutral.
    pub neutral: Estimate,
    /// The share of the positive.
    pub positive: Estimate,
}

/// Shares that are corrected for the model's errors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Corrected {
    /// The way of it.
    pub correction: Correction,
    /// How many human labels it rests on.
    pub labels: u64,
    /// The shares, with the interval that comes of counting and of the labels.
    pub shares: Shares,
}

closed! {
    /// A way to correct shares for a model's errors.
    pub enum Correction("correction") {
        /// The mix of answers is traced back to the mix of truths that would give it. Holds as long as the model errs as
        /// it did on the labels.
        LabelShift = "label_shift",
        /// The model's answers, plus the mean error seen on randomly chosen labels. Holds whatever the model does.
        PredictionPowered = "prediction_powered",
        /// The labels alone: there are too few of them to help the model, or the model does not help.
        LabelsOnly = "labels_only",
    }
}

impl Counts {
    /// How many lean this way.
    #[must_use]
    pub fn of(self, polarity: Polarity) -> u64 {
        match polarity {
            Polarity::Negative => self.negative,
            Polarity::Neutral => self.neutral,
            Polarity::Positive => self.positive,
        }
    }

    /// How many there are in all.
    #[must_use]
    pub fn total(self) -> u64 {
        self.negative + self.neutral + self.positive
    }
}

impl Shares {
    /// The share that leans this way.
    #[must_use]
    pub fn of(self, polarity: Polarity) -> Estimate {
        match polarity {
            Polarity::Negative => self.negative,
            Polarity::Neutral => self.neutral,
            Polarity::Positive => self.positive,
        }
    }
}

impl Nested for Counts {
    fn fields() -> Fields {
        Polarity::ALL.into_iter().map(|polarity| required(polarity.name(), DataType::UInt64)).collect()
    }

    fn arrays(values: &[&Self]) -> Vec<ArrayRef> {
        let column =
            |polarity| UInt64Array::from_iter_values(values.iter().map(|counts| counts.of(polarity)));
        Polarity::ALL.into_iter().map(|polarity| array(column(polarity))).collect()
    }

    fn values(columns: &Columns<'_>) -> Result<Vec<Self>, FormatError> {
        let (negative, neutral) = (columns.count("negative")?, columns.count("neutral")?);
        let positive = columns.count("positive")?;
        let row = |row| {
            Ok(Self {
                negative: negative.need(negative.get(row))?,
                neutral: neutral.need(neutral.get(row))?,
                positive: positive.need(positive.get(row))?,
            })
        };
        (0..columns.len()).map(row).collect()
    }
}

impl Nested for Shares {
    fn fields() -> Fields {
        Polarity::ALL.into_iter().map(|polarity| struct_field::<Estimate>(polarity.name())).collect()
    }

    fn arrays(values: &[&Self]) -> Vec<ArrayRef> {
        vec![
            structs(values.iter().map(|shares| &shares.negative)),
            structs(values.iter().map(|shares| &shares.neutral)),
            structs(values.iter().map(|shares| &shares.positive)),
        ]
    }

    fn values(columns: &Columns<'_>) -> Result<Vec<Self>, FormatError> {
        let negative = read_structs(columns, "negative")?;
        let (neutral, positive) = (read_structs(columns, "neutral")?, read_structs(columns, "positive")?);
        let rows = negative.into_iter().zip(neutral).zip(positive);
        Ok(rows.map(|((negative, neutral), positive)| Self { negative, neutral, positive }).collect())
    }
}

impl Nested for Corrected {
    fn fields() -> Fields {
        Fields::from(vec![
            required("correction", DataType::Utf8),
            required("labels", DataType::UInt64),
            struct_field::<Shares>("shares"),
        ])
    }

    fn arrays(values: &[&Self]) -> Vec<ArrayRef> {
        vec![
            texts(values.iter().map(|v| v.correction.name())),
            array(UInt64Array::from_iter_values(values.iter().map(|v| v.labels))),
            structs(values.iter().map(|v| &v.shares)),
        ]
    }

    fn values(columns: &Columns<'_>) -> Result<Vec<Self>, FormatError> {
        let (correction, labels) = (columns.text("correction")?, columns.count("labels")?);
        let row = |(row, shares)| {
            Ok(Self { correction: correction.parsed(row)?, labels: labels.need(labels.get(row))?, shares })
        };
        read_structs(columns, "shares")?.into_iter().enumerate().map(row).collect()
    }
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        required("channel", DataType::Utf8),
        required("hour", moment_type()),
        optional("aspect", DataType::Utf8),
        required("model", DataType::Utf8),
        required("n", DataType::UInt64),
        struct_field::<Counts>("counts"),
        struct_field::<Shares>("shares"),
        struct_field::<Estimate>("sentiment"),
        list_field::<Corrected>("corrected"),
    ]))
});

impl Record for Rollup {
    const TABLE: &'static str = "rollups";
    const FORMAT: u32 = 1;

    fn schema() -> SchemaRef {
        SCHEMA.clone()
    }

    fn batch(rows: &[Self]) -> RecordBatch {
        let hours = rows.iter().map(|row| row.window.hour.start().as_microsecond());
        let models: Vec<String> = rows.iter().map(|row| row.model.to_string()).collect();
        let columns: Vec<ArrayRef> = vec![
            texts(rows.iter().map(|row| row.window.channel.as_str())),
            array(TimestampMicrosecondArray::from_iter_values(hours).with_timezone("UTC")),
            array(StringArray::from_iter(rows.iter().map(|row| row.aspect.as_deref()))),
            texts(models.iter().map(String::as_str)),
            array(UInt64Array::from_iter_values(rows.iter().map(|row| row.n))),
            structs(rows.iter().map(|row| &row.counts)),
            structs(rows.iter().map(|row| &row.shares)),
            structs(rows.iter().map(|row| &row.sentiment)),
            lists(rows.iter().map(|row| row.corrected.as_slice())),
        ];
        RecordBatch::try_new(SCHEMA.clone(), columns).expect("the columns stand in the schema's order")
    }

    fn rows(batch: &RecordBatch) -> Result<Vec<Self>, FormatError> {
        let columns = Columns::new(Self::TABLE, batch);
        let (aspect, model, n) = (columns.text("aspect")?, columns.text("model")?, columns.count("n")?);
        let mut windows = WindowColumns::new(&columns)?;
        let mut counts = read_structs(&columns, "counts")?.into_iter();
        let mut shares = read_structs(&columns, "shares")?.into_iter();
        let mut sentiment = read_structs(&columns, "sentiment")?.into_iter();
        let mut corrected = read_lists(&columns, "corrected")?.into_iter();
        let row = |row| {
            Ok(Self {
                window: windows.get(row)?,
                aspect: aspect.get(row).map(str::to_owned),
                model: model.parsed(row)?,
                n: n.need(n.get(row))?,
                counts: counts.next().expect("one struct a row was read"),
                shares: shares.next().expect("one struct a row was read"),
                sentiment: sentiment.next().expect("one struct a row was read"),
                corrected: corrected.next().expect("one list a row was read"),
            })
        };
        (0..batch.num_rows()).map(row).collect()
    }
}
