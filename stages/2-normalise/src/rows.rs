//! Rows of mapped cells, whatever the format they come from.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

use doxa_ports::lake::RawBytes;
use doxa_schema::{Field, Format, Reading, RejectCode};

use crate::cell::Cell;
use crate::decode::{FileError, Limits, characters};
use crate::{csv, json_lines, parquet_rows};

/// The cells of the fields, in the order of [`Field::ALL`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Cells<'a>([Cell<'a>; Field::ALL.len()]);

impl<'a> Cells<'a> {
    pub(crate) fn empty() -> Self {
        Self([const { Cell::Absent }; Field::ALL.len()])
    }

    pub(crate) fn get(&self, field: Field) -> &Cell<'a> {
        &self.0[field as usize]
    }

    pub(crate) fn set(&mut self, field: Field, cell: Cell<'a>) {
        self.0[field as usize] = cell;
    }
}

/// One row.
pub(crate) struct Row<'a> {
    /// The line it begins at, from 1; of Parquet the row.
    pub(crate) line: u64,
    pub(crate) cells: Cells<'a>,
    /// The bytes of the row, to show where it is rejected.
    pub(crate) excerpt: Cow<'a, [u8]>,
}

/// A row that could not be taken apart.
pub(crate) struct BadRow<'a> {
    pub(crate) line: u64,
    pub(crate) code: RejectCode,
    pub(crate) message: String,
    pub(crate) excerpt: &'a [u8],
}

/// What is done with each row; `Break` ends the reading early.
pub(crate) type Each<'e> = dyn FnMut(Result<Row<'_>, BadRow<'_>>) -> ControlFlow<()> + 'e;

/// Reads a raw object row by row.
pub(crate) fn read(
    raw: RawBytes,
    reading: &Reading,
    limits: &Limits,
    each: &mut Each<'_>,
) -> Result<(), FileError> {
    match &reading.format {
        Format::Csv { delimiter, header } => {
            let input = characters(raw, reading, limits)?;
            let dialect = csv::Dialect { delimiter: *delimiter, header: header.as_deref() };
            csv::read(input, &dialect, &reading.mapping, limits.row_bytes, each)
        }
        Format::JsonLines => {
            let input = characters(raw, reading, limits)?;
            json_lines::read(input, &reading.mapping, limits.row_bytes, each)
        }
        Format::Parquet => parquet_rows::read(raw, &reading.mapping, each),
    }
}

/// The position of each mapped column.
///
/// # Errors
/// If a column is not there: the file changed its form since its reading was found.
pub(crate) fn columns_of(
    mapping: &BTreeMap<Field, String>,
    header: &[String],
) -> Result<Vec<Option<Field>>, FileError> {
    let mut fields = vec![None; header.len()];
    for (field, column) in mapping {
        let at = header.iter().position(|name| name == column);
        let at = at.ok_or_else(|| FileError::Column { column: column.clone(), field: *field })?;
        fields[at] = Some(*field);
    }
    Ok(fields)
}
