//! What makes a noun a table of the lake: its columns, and a version of their form.

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};

/// A noun that is stored as a table of the lake.
///
/// `rows` of `batch` gives back what went in. The columns are plain Parquet types, so that every engine reads them.
pub trait Record: Sized + Send + 'static {
    /// The name of the table, and the folder of its files: `documents`.
    const TABLE: &'static str;

    /// The version of the table's form. It grows when a reader of the old form would misread the new; a column that is
    /// only added does not change it.
    const FORMAT: u32;

    /// The columns.
    fn schema() -> SchemaRef;

    /// Turns rows into columns.
    fn batch(rows: &[Self]) -> RecordBatch;

    /// Turns columns back into rows. A column that the file's version did not have yet reads as absent.
    ///
    /// # Errors
    /// If a column is missing or has another type.
    fn rows(batch: &RecordBatch) -> Result<Vec<Self>, FormatError>;
}

/// Columns that are not what the table's form says.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A column that every version has is not there, or has no value where it must have one.
    #[error("table `{table}` lacks column `{column}`, or a value in it")]
    Missing {
        /// The table.
        table: &'static str,
        /// The column, with its path if it lies within another: `aspects.term`.
        column: String,
    },
    /// A column has another type.
    #[error("column `{column}` of table `{table}` is of type {found}, not {wanted}")]
    Type {
        /// The table.
        table: &'static str,
        /// The column, with its path if it lies within another: `aspects.term`.
        column: String,
        /// The type that was found.
        found: String,
        /// The type that the table's form has.
        wanted: &'static str,
    },
    /// A value that the column's type allows, but the noun does not.
    #[error("column `{column}` of table `{table}`, row {row}: {message}")]
    Value {
        /// The table.
        table: &'static str,
        /// The column, with its path if it lies within another: `aspects.term`.
        column: String,
        /// The row within the batch.
        row: usize,
        /// Why it cannot be.
        message: String,
    },
    /// The file itself cannot be read.
    #[error("cannot decode table `{table}`")]
    Arrow {
        /// The table.
        table: &'static str,
        /// What the decoder said.
        #[source]
        cause: ArrowError,
    },
}
