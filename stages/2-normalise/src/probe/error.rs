//! Why a look at a file did not tell how to read it, and what helps.

use crate::decode::FileError;
use crate::mapping::MappingError;

/// Why a look at a file did not tell how to read it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// A ZIP archive, or a spreadsheet, which is one.
    #[error("this is a ZIP archive or a spreadsheet, not a CSV")]
    Zip,
    /// Bytes that are no text.
    #[error("this is neither text nor Parquet: there is a NUL byte at {at}")]
    Binary {
        /// Where.
        at: usize,
    },
    /// Most of what is not ASCII is no UTF-8.
    #[error("this is no UTF-8: of {with_others} rows that are not plain ASCII, {broken} are broken")]
    NotUtf8 {
        /// Rows with other characters.
        with_others: usize,
        /// Those of them that are broken.
        broken: usize,
    },
    /// One JSON value over many lines.
    #[error("this is one JSON value over many lines, not one JSON object a line")]
    JsonDocument,
    /// The separator given cannot be one.
    #[error("`{0}` cannot separate fields: a separator is one ASCII character")]
    Delimiter(char),
    /// Its columns cannot be mapped.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// Day and month cannot be told apart.
    #[error("in `{column}`, `{text}` can be a day and a month or a month and a day")]
    EitherDate {
        /// The column.
        column: String,
        /// A value.
        text: String,
    },
    /// Some rows put the day first, some the month.
    #[error("in `{column}`, `{day_first}` has the day first and `{month_first}` the month")]
    MixedDates {
        /// The column.
        column: String,
        /// A value.
        day_first: String,
        /// Another.
        month_first: String,
    },
    /// Not one row of the sample can be read.
    #[error("none of the first {rows} rows can be read; {message}")]
    NoGoodRow {
        /// How many were looked at.
        rows: u64,
        /// What is wrong with the first.
        message: String,
    },
    /// It cannot be read at all.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Error {
    /// What helps, as words of the command line; `name` is the file's.
    #[must_use]
    pub fn help(&self, name: &str) -> Option<String> {
        match self {
            Self::Zip => Some("unpack it, or save the sheet as CSV (UTF-8)".to_owned()),
            Self::NotUtf8 { .. } => Some(format!(
                "if it was saved by a program for Windows: doxa import {name} --encoding windows-1252"
            )),
            Self::JsonDocument => {
                Some(format!("jq -c '.[]' {name} > lines.jsonl && doxa import lines.jsonl"))
            }
            Self::Mapping(MappingError::NoText { columns }) => {
                let column = columns.first().map_or("COLUMN", String::as_str);
                Some(format!("doxa import {name} --map 'text={column}', with the column that holds the text"))
            }
            Self::Mapping(MappingError::NoHeader { columns }) => {
                let names: Vec<_> = (1..=columns.len()).map(|at| format!("c{at}")).collect();
                let names = names.join(",");
                Some(format!(
                    "doxa import {name} --header {names}, with `text` in place of the column of the text"
                ))
            }
            Self::EitherDate { .. } | Self::MixedDates { .. } => {
                Some(format!("doxa import {name} --dates day-first (or month-first)"))
            }
            Self::Empty
            | Self::Binary { .. }
            | Self::Delimiter(_)
            | Self::Mapping(MappingError::Unknown { .. })
            | Self::NoGoodRow { .. }
            | Self::File(_) => None,
        }
    }
}
