//! A row's cells into a document, whatever the source: or the reason why not.

use std::borrow::Cow;

use doxa_schema::{Document, Field, Lineage, Raw, RejectCode};

use crate::author::AuthorKey;
use crate::cell::{BadNumber, DestroyedId};
use crate::decode::FileError;
use crate::rows::{Cells, Row};
use crate::time::{BadTime, Times};

/// How the authors of documents are named.
#[derive(Clone)]
pub enum Authors {
    /// By a pseudonym under the key of this installation.
    Pseudonyms(AuthorKey),
    /// By the handle that the source gives.
    Handles,
}

/// What all rows of a raw object have in common.
pub(crate) struct Canon<'a> {
    raw: &'a Raw,
    times: Times,
    authors: &'a Authors,
}

/// A row that cannot be a document.
type Refusal = (RejectCode, String);

impl<'a> Canon<'a> {
    pub(crate) fn of(raw: &'a Raw, authors: &'a Authors) -> Result<Self, FileError> {
        Ok(Self { raw, times: Times::of(&raw.reading)?, authors })
    }

    /// The document that a row is. An id that the row does not have is left empty, for the caller to derive.
    pub(crate) fn document<'r>(&'r self, row: &'r Row<'_>) -> Result<Document<Cow<'r, str>>, Refusal> {
        let cells = &row.cells;
        let text = cells
            .get(Field::Text)
            .text()
            .ok_or_else(|| (RejectCode::EmptyText, format!("`{}` is empty", self.column(Field::Text))))?;
        Ok(Document {
            id: self.id(cells, Field::Id)?.unwrap_or_default(),
            window: self.raw.window.clone(),
            kind: self.raw.reading.kind,
            author: self.author(cells),
            text,
            language: cells.get(Field::Language).text(),
            created_at: self.created_at(cells)?,
            parent: self.id(cells, Field::Parent)?,
            thread: self.id(cells, Field::Thread)?,
            likes: self.count(cells, Field::Likes)?,
            replies: self.count(cells, Field::Replies)?,
            lineage: Lineage { raw: Cow::Borrowed(self.raw.key.as_str()), line: row.line },
        })
    }

    fn column(&self, field: Field) -> &str {
        self.raw.reading.mapping.get(&field).map_or("", String::as_str)
    }

    fn id<'r>(&self, cells: &'r Cells<'_>, field: Field) -> Result<Option<Cow<'r, str>>, Refusal> {
        cells.get(field).id().map_err(|DestroyedId(text)| {
            let column = self.column(field);
            let message =
                format!("`{column}` is `{text}`: a spreadsheet has rounded the id; export the file again");
            (RejectCode::DestroyedId, message)
        })
    }

    fn count(&self, cells: &Cells<'_>, field: Field) -> Result<Option<i64>, Refusal> {
        cells.get(field).count().map_err(|BadNumber(text)| {
            (
                RejectCode::BadNumber,
                format!("`{}` is `{}`, which is no count", self.column(field), shown(&text)),
            )
        })
    }

    fn created_at(&self, cells: &Cells<'_>) -> Result<Option<jiff::Timestamp>, Refusal> {
        self.times.moment(cells.get(Field::CreatedAt)).map_err(|BadTime(text)| {
            let column = self.column(Field::CreatedAt);
            (
                RejectCode::BadTime,
                format!("`{column}` is `{}`, which is no time of the file's form", shown(&text)),
            )
        })
    }

    fn author<'r>(&self, cells: &'r Cells<'_>) -> Option<Cow<'r, str>> {
        let handle = cells.get(Field::Author).text()?;
        match self.authors {
            Authors::Handles => Some(handle),
            Authors::Pseudonyms(key) => {
                Some(Cow::Owned(key.pseudonym(self.raw.window.channel.source(), handle.trim())))
            }
        }
    }
}

/// The beginning of a value, for a message.
fn shown(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(60) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}
