//! One post, comment or utterance: the canonical form, whatever the source.

use std::sync::{Arc, LazyLock};

use arrow_array::builder::{Int64Builder, StringBuilder, TimestampMicrosecondBuilder, UInt64Builder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Schema, SchemaRef};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::columns::{Columns, WindowColumns, moment_type, optional, required};
use crate::names::closed;
use crate::{FormatError, NameError, Record, Window};

/// One post, comment or utterance.
///
/// Generic over its texts: rows on their way into the lake borrow them ([`DocumentsBuilder::push`] takes a
/// `Document<&str>`), rows that were read own them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document<S = String> {
    /// The source's id, or one derived from the content where the source has none. Unique within the channel; of two
    /// documents with the same id, the one fetched later is the truth.
    pub id: S,
    /// The window in which it was fetched.
    pub window: Window,
    /// What it is.
    pub kind: DocumentKind,
    /// A pseudonym of who said it; none if the source does not tell, or the author is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<S>,
    /// What was said.
    pub text: S,
    /// The language, as the source tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<S>,
    /// When it was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<Timestamp>,
    /// The id of what it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<S>,
    /// The id of the post, video or meeting it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread: Option<S>,
    /// How many liked it, less those who disliked it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub likes: Option<i64>,
    /// How many answered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies: Option<i64>,
    /// Where it came from.
    pub lineage: Lineage<S>,
}

/// The line of the raw object that a row was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage<S = String> {
    /// The landing key of the raw object.
    pub raw: S,
    /// The line its row begins at, from 1; for Parquet the row, from 1.
    pub line: u64,
}

closed! {
    /// What a document is.
    pub enum DocumentKind ("kind of document") {
        /// It opened a thread.
        Post = "post",
        /// It was written below a post or a video.
        Comment = "comment",
        /// It was spoken.
        Utterance = "utterance",
    }
}

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        required("id", DataType::Utf8),
        required("channel", DataType::Utf8),
        required("hour", moment_type()),
        required("kind", DataType::Utf8),
        optional("author", DataType::Utf8),
        required("text", DataType::Utf8),
        optional("language", DataType::Utf8),
        optional("created_at", moment_type()),
        optional("parent", DataType::Utf8),
        optional("thread", DataType::Utf8),
        optional("likes", DataType::Int64),
        optional("replies", DataType::Int64),
        required("raw", DataType::Utf8),
        required("line", DataType::UInt64),
    ]))
});

/// Gathers documents into columns without owning a text twice.
#[derive(Default)]
pub struct DocumentsBuilder {
    id: StringBuilder,
    channel: StringBuilder,
    hour: TimestampMicrosecondBuilder,
    kind: StringBuilder,
    author: StringBuilder,
    text: StringBuilder,
    language: StringBuilder,
    created_at: TimestampMicrosecondBuilder,
    parent: StringBuilder,
    thread: StringBuilder,
    likes: Int64Builder,
    replies: Int64Builder,
    raw: StringBuilder,
    line: UInt64Builder,
}

impl DocumentsBuilder {
    /// Adds one document.
    pub fn push<S: AsRef<str>>(&mut self, document: &Document<S>) {
        self.id.append_value(&document.id);
        self.channel.append_value(document.window.channel.as_str());
        self.hour.append_value(document.window.hour.start().as_microsecond());
        self.kind.append_value(document.kind.name());
        self.author.append_option(document.author.as_ref());
        self.text.append_value(&document.text);
        self.language.append_option(document.language.as_ref());
        self.created_at.append_option(document.created_at.map(Timestamp::as_microsecond));
        self.parent.append_option(document.parent.as_ref());
        self.thread.append_option(document.thread.as_ref());
        self.likes.append_option(document.likes);
        self.replies.append_option(document.replies);
        self.raw.append_value(&document.lineage.raw);
        self.line.append_value(document.lineage.line);
    }

    /// How many documents were added since the last `finish`.
    #[must_use]
    pub fn len(&self) -> usize {
        arrow_array::builder::ArrayBuilder::len(&self.line)
    }

    /// Whether nothing was added since the last `finish`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of text gathered so far.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        self.text.values_slice().len()
    }

    /// The columns; the builder is empty again.
    pub fn finish(&mut self) -> RecordBatch {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.id.finish()),
            Arc::new(self.channel.finish()),
            Arc::new(self.hour.finish().with_timezone("UTC")),
            Arc::new(self.kind.finish()),
            Arc::new(self.author.finish()),
            Arc::new(self.text.finish()),
            Arc::new(self.language.finish()),
            Arc::new(self.created_at.finish().with_timezone("UTC")),
            Arc::new(self.parent.finish()),
            Arc::new(self.thread.finish()),
            Arc::new(self.likes.finish()),
            Arc::new(self.replies.finish()),
            Arc::new(self.raw.finish()),
            Arc::new(self.line.finish()),
        ];
        RecordBatch::try_new(SCHEMA.clone(), columns).expect("the builders stand in the schema's order")
    }
}

impl Record for Document {
    const TABLE: &'static str = "documents";
    const FORMAT: u32 = 1;

    fn schema() -> SchemaRef {
        SCHEMA.clone()
    }

    fn batch(rows: &[Self]) -> RecordBatch {
        let mut builder = DocumentsBuilder::default();
        rows.iter().for_each(|row| builder.push(row));
        builder.finish()
    }

    fn rows(batch: &RecordBatch) -> Result<Vec<Self>, FormatError> {
        let columns = Columns::new(Self::TABLE, batch);
        let (id, kind, text) = (columns.text("id")?, columns.text("kind")?, columns.text("text")?);
        let (author, language) = (columns.text("author")?, columns.text("language")?);
        let created_at = columns.moment("created_at")?;
        let (parent, thread) = (columns.text("parent")?, columns.text("thread")?);
        let (likes, replies) = (columns.integer("likes")?, columns.integer("replies")?);
        let (raw, line) = (columns.text("raw")?, columns.count("line")?);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let mut windows = WindowColumns::new(&columns)?;
        let row = |row| {
            let kind_name = kind.need(kind.get(row))?;
            Ok(Self {
                id: id.need(owned(id.get(row)))?,
                window: windows.get(row)?,
                kind: kind_name.parse().map_err(|error: NameError| kind.value_error(row, error))?,
                author: owned(author.get(row)),
                text: text.need(owned(text.get(row)))?,
                language: owned(language.get(row)),
                created_at: created_at.moment(row)?,
                parent: owned(parent.get(row)),
                thread: owned(thread.get(row)),
                likes: likes.get(row),
                replies: replies.get(row),
                lineage: Lineage { raw: raw.need(owned(raw.get(row)))?, line: line.need(line.get(row))? },
            })
        };
        (0..batch.num_rows()).map(row).collect()
    }
}
