//! Bytes as they were received, and how they are to be read.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::names::closed;
use crate::{DocumentKind, Window};

/// One object of the landing zone: bytes exactly as a source gave them. Never changed after it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raw {
    /// Where the bytes lie in the landing zone.
    pub key: String,
    /// The window that they were fetched for.
    pub window: Window,
    /// The digest of the bytes; the same bytes in the same channel are the same raw.
    pub sha256: Sha256,
    /// How many bytes there are.
    pub bytes: u64,
    /// When they arrived. Of two rows with the same id, the one received later is the truth.
    pub received_at: Timestamp,
    /// The name that the source gave them: a file's name, a listing's path.
    pub name: String,
    /// How to read rows out of them.
    pub reading: Reading,
}

/// How rows are read out of raw bytes: found by looking at their beginning, or given by the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// How rows are told apart.
    pub format: Format,
    /// What the bytes are wrapped in.
    pub compression: Compression,
    /// How bytes become characters, by its name in the WHATWG Encoding Standard: `UTF-8`, `windows-1252`.
    pub encoding: String,
    /// Which column or JSON path holds which field.
    pub mapping: BTreeMap<Field, String>,
    /// The zone of times that name none, by its IANA name.
    pub zone: String,
    /// What a row is.
    pub kind: DocumentKind,
    /// The order of day and month in times such as `04/05/2023, 01:13:07`; none if no row needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dates: Option<DateOrder>,
}

/// How rows are told apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Format {
    /// Rows of separated fields.
    Csv {
        /// The separator; one byte in UTF-8.
        delimiter: char,
        /// The names of the columns, if the first row does not hold them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<Vec<String>>,
    },
    /// One JSON object a line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
}

/// What raw bytes are wrapped in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Nothing.
    None,
    /// gzip, of one or more members.
    Gzip,
    /// Zstandard, of one or more frames.
    Zstd,
}

closed! {
    /// The fields of a document that a column can be mapped to, the most telling first.
    pub enum Field ("field") {
        /// What was said.
        Text = "text",
        /// The source's own id of the row.
        Id = "id",
        /// When it was said.
        CreatedAt = "created_at",
        /// Who said it.
        Author = "author",
        /// The id of what it answers.
        Parent = "parent",
        /// The id of the post, video or meeting it belongs to.
        Thread = "thread",
        /// How many liked it.
        Likes = "likes",
        /// How many answered it.
        Replies = "replies",
        /// The language, as the source tells it.
        Language = "language",
    }
}

/// The order of day and month where a time is written with slashes, dots or dashes and the year last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// `26/04/2023`
    DayFirst,
    /// `04/26/2023`
    MonthFirst,
}

/// A SHA-256 digest, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sha256(pub [u8; 32]);

/// A text is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a SHA-256 digest of 64 hexadecimal digits")]
pub struct Sha256Error(String);

impl Sha256 {
    /// The first 16 digits: enough to name an object among those of one window or channel.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string()[..16].to_owned()
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256({self})")
    }
}

impl FromStr for Sha256 {
    type Err = Sha256Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || Sha256Error(text.to_owned());
        if text.len() != 64 || !text.is_ascii() {
            return Err(error());
        }
        let mut digest = [0; 32];
        for (byte, at) in digest.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| error())?;
        }
        Ok(Self(digest))
    }
}

impl TryFrom<String> for Sha256 {
    type Error = Sha256Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Sha256> for String {
    fn from(digest: Sha256) -> Self {
        digest.to_string()
    }
}
