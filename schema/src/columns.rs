//! Typed columns of a batch, by name, with errors that name the table and the column.

use std::fmt::Display;
use std::str::FromStr;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType, UInt64Type};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, TimeUnit};
use jiff::Timestamp;

use crate::{FormatError, Hour, Window};

/// The type of every moment in the lake: microseconds of UTC, which DuckDB, Spark and pandas read as a time with zone.
#[must_use]
pub fn moment_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// A column that always has a value.
#[must_use]
pub fn required(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, false)
}

/// A column that may be empty.
#[must_use]
pub fn optional(name: &str, data_type: DataType) -> Field {
    Field::new(name, data_type, true)
}

/// The columns of a batch of one table.
#[derive(Clone, Copy)]
pub struct Columns<'a> {
    batch: &'a RecordBatch,
    table: &'static str,
    // The column whose structs these columns are the fields of, for the errors; of a table itself, none.
    within: Option<&'a str>,
}

/// One typed column; `get` is `None` where it is empty, or where the file is older than the column.
pub struct Column<'a, A: ?Sized> {
    array: Option<&'a A>,
    table: &'static str,
    path: String,
}

impl<'a> Columns<'a> {
    /// The columns of `batch`, which holds rows of `table`.
    #[must_use]
    pub fn new(table: &'static str, batch: &'a RecordBatch) -> Self {
        Self { batch, table, within: None }
    }

    pub(crate) fn below(self, column: &'a str) -> Self {
        Self { within: Some(column), ..self }
    }

    pub(crate) fn table(&self) -> &'static str {
        self.table
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.within.map_or_else(|| name.to_owned(), |column| format!("{column}.{name}"))
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The column as it is, if the file has it.
    #[must_use]
    pub fn array(&self, name: &str) -> Option<&'a ArrayRef> {
        self.batch.column_by_name(name)
    }

    /// A column of texts.
    ///
    /// # Errors
    /// If it has another type.
    pub fn text(&self, name: &'static str) -> Result<Column<'a, StringArray>, FormatError> {
        self.typed(name, "Utf8", |array| array.as_string_opt::<i32>())
    }

    /// A column of signed integers.
    ///
    /// # Errors
    /// If it has another type.
    pub fn integer(&self, name: &'static str) -> Result<Column<'a, PrimitiveArray<Int64Type>>, FormatError> {
        self.primitive(name, "Int64")
    }

    /// A column of counts.
    ///
    /// # Errors
    /// If it has another type.
    pub fn count(&self, name: &'static str) -> Result<Column<'a, PrimitiveArray<UInt64Type>>, FormatError> {
        self.primitive(name, "UInt64")
    }

    /// A column of numbers.
    ///
    /// # Errors
    /// If it has another type.
    pub fn number(&self, name: &'static str) -> Result<Column<'a, PrimitiveArray<Float64Type>>, FormatError> {
        self.primitive(name, "Float64")
    }

    /// A column of moments.
    ///
    /// # Errors
    /// If it has another type.
    pub fn moment(
        &self,
        name: &'static str,
    ) -> Result<Column<'a, PrimitiveArray<TimestampMicrosecondType>>, FormatError> {
        self.primitive(name, "Timestamp(us)")
    }

    fn primitive<T: ArrowPrimitiveType>(
        &self,
        name: &'static str,
        wanted: &'static str,
    ) -> Result<Column<'a, PrimitiveArray<T>>, FormatError> {
        self.typed(name, wanted, |array| array.as_primitive_opt::<T>())
    }

    /// A column of any type, by the downcast that finds it.
    ///
    /// # Errors
    /// If the downcast finds another type.
    pub fn typed<A: ?Sized>(
        &self,
        name: &'static str,
        wanted: &'static str,
        downcast: impl Fn(&'a dyn Array) -> Option<&'a A>,
    ) -> Result<Column<'a, A>, FormatError> {
        let array = match self.array(name) {
            None => None,
            Some(array) => Some(downcast(array.as_ref()).ok_or_else(|| FormatError::Type {
                table: self.table,
                column: self.path(name),
                found: array.data_type().to_string(),
                wanted,
            })?),
        };
        Ok(Column { array, table: self.table, path: self.path(name) })
    }
}

impl<'a, A: ?Sized> Column<'a, A> {
    /// The value of an optional that this column must have.
    ///
    /// # Errors
    /// If it is absent.
    pub fn need<T>(&self, value: Option<T>) -> Result<T, FormatError> {
        value.ok_or_else(|| FormatError::Missing { table: self.table, column: self.path.clone() })
    }

    /// An error about one value of this column.
    pub fn value_error(&self, row: usize, message: impl Display) -> FormatError {
        FormatError::Value { table: self.table, column: self.path.clone(), row, message: message.to_string() }
    }

    /// The array itself, if the file has the column.
    #[must_use]
    pub fn as_array(&self) -> Option<&'a A> {
        self.array
    }
}

impl<'a> Column<'a, StringArray> {
    /// The text of a row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&'a str> {
        self.array.filter(|array| array.is_valid(row)).map(|array| array.value(row))
    }

    /// The value that the text of a row stands for.
    ///
    /// # Errors
    /// If it is absent, or stands for nothing.
    pub fn parsed<T: FromStr<Err: Display>>(&self, row: usize) -> Result<T, FormatError> {
        let text = self.need(self.get(row))?;
        text.parse().map_err(|error| self.value_error(row, error))
    }
}

impl<T: ArrowPrimitiveType> Column<'_, PrimitiveArray<T>> {
    /// The value of a row.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<T::Native> {
        self.array.filter(|array| array.is_valid(row)).map(|array| array.value(row))
    }
}

impl Column<'_, PrimitiveArray<TimestampMicrosecondType>> {
    /// The moment of a row.
    ///
    /// # Errors
    /// If the number is beyond what a timestamp can be.
    pub fn moment(&self, row: usize) -> Result<Option<Timestamp>, FormatError> {
        self.get(row)
            .map(Timestamp::from_microsecond)
            .transpose()
            .map_err(|error| self.value_error(row, error))
    }
}

/// The two columns that say a row's window, `channel` and `hour`.
pub struct WindowColumns<'a> {
    channel: Column<'a, StringArray>,
    hour: Column<'a, PrimitiveArray<TimestampMicrosecondType>>,
    // The rows of a file are of one window: parse its id once, not a million times.
    last: Option<(&'a str, i64, Window)>,
}

impl<'a> WindowColumns<'a> {
    /// The window columns of a table.
    ///
    /// # Errors
    /// If one has another type.
    pub fn new(columns: &Columns<'a>) -> Result<Self, FormatError> {
        Ok(Self { channel: columns.text("channel")?, hour: columns.moment("hour")?, last: None })
    }

    /// The window of a row.
    ///
    /// # Errors
    /// If a column is missing, or holds no channel or no hour.
    pub fn get(&mut self, row: usize) -> Result<Window, FormatError> {
        let name = self.channel.need(self.channel.get(row))?;
        let micros = self.hour.need(self.hour.get(row))?;
        if let Some((last_name, last_micros, window)) = &self.last
            && *last_name == name
            && *last_micros == micros
        {
            return Ok(window.clone());
        }
        let channel = name.parse().map_err(|error| self.channel.value_error(row, error))?;
        let start = self.hour.need(self.hour.moment(row)?)?;
        let hour = Hour::containing(start).map_err(|error| self.hour.value_error(row, error))?;
        let window = Window { channel, hour };
        self.last = Some((name, micros, window.clone()));
        Ok(window)
    }
}
