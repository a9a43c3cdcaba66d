//! Rows of a Parquet file that somebody else wrote.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrowPrimitiveType, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use bytes::Bytes;
use doxa_ports::lake::RawBytes;
use doxa_schema::Field;
use jiff::Timestamp;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;

use crate::cell::Cell;
use crate::decode::FileError;
use crate::rows::{Cells, Each, Row, columns_of};

const BATCH_ROWS: usize = 4096;

/// The names of a file's columns.
pub(crate) fn columns(file: File) -> Result<Vec<String>, FileError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(FileError::Parquet)?;
    Ok(builder.schema().fields().iter().map(|field| field.name().clone()).collect())
}

/// Reads a file row by row.
pub(crate) fn read(
    raw: RawBytes,
    mapping: &BTreeMap<Field, String>,
    each: &mut Each<'_>,
) -> Result<(), FileError> {
    match raw.into_file() {
        Ok(file) => read_chunks(file, mapping, each),
        // Parquet begins at its end; what comes as a stream must be there in whole.
        Err(mut stream) => {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes)?;
            read_chunks(Bytes::from(bytes), mapping, each)
        }
    }
}

fn read_chunks(
    input: impl ChunkReader + 'static,
    mapping: &BTreeMap<Field, String>,
    each: &mut Each<'_>,
) -> Result<(), FileError> {
    let mut line = 0;
    for batch in reader(input, mapping).map_err(FileError::Parquet)? {
        let batch = batch.map_err(|error| FileError::Parquet(error.into()))?;
        let names: Vec<_> = batch.schema().fields().iter().map(|field| field.name().clone()).collect();
        let columns = columns_of(mapping, &names)?;
        for row in 0..batch.num_rows() {
            line += 1;
            let cells = cells(&batch, &columns, row);
            let excerpt = Cow::Owned(format!("{:?}", cells.get(Field::Text)).into_bytes());
            if each(Ok(Row { line, cells, excerpt })).is_break() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn reader(
    input: impl ChunkReader + 'static,
    mapping: &BTreeMap<Field, String>,
) -> Result<ParquetRecordBatchReader, ParquetError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(input)?;
    let wanted = mapping.values().map(String::as_str);
    let mask = ProjectionMask::columns(builder.parquet_schema(), wanted);
    builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()
}

fn cells<'a>(batch: &'a RecordBatch, columns: &[Option<Field>], row: usize) -> Cells<'a> {
    let mut cells = Cells::empty();
    for (at, field) in columns.iter().enumerate() {
        if let Some(field) = field {
            cells.set(*field, cell(batch.column(at).as_ref(), row));
        }
    }
    cells
}

fn cell(array: &dyn Array, row: usize) -> Cell<'_> {
    if array.is_null(row) {
        return Cell::Absent;
    }
    match array.data_type() {
        DataType::Utf8 => text(array.as_string::<i32>().value(row)),
        DataType::LargeUtf8 => text(array.as_string::<i64>().value(row)),
        DataType::Utf8View => text(array.as_string_view().value(row)),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            cell(dictionary.values().as_ref(), dictionary.normalized_keys()[row])
        }
        DataType::Boolean => text(if array.as_boolean().value(row) { "true" } else { "false" }),
        DataType::Int8 => integer::<Int8Type>(array, row),
        DataType::Int16 => integer::<Int16Type>(array, row),
        DataType::Int32 => integer::<Int32Type>(array, row),
        DataType::Int64 => integer::<Int64Type>(array, row),
        DataType::UInt8 => integer::<UInt8Type>(array, row),
        DataType::UInt16 => integer::<UInt16Type>(array, row),
        DataType::UInt32 => integer::<UInt32Type>(array, row),
        DataType::UInt64 => integer::<UInt64Type>(array, row),
        DataType::Float32 => number(f64::from(array.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => number(array.as_primitive::<Float64Type>().value(row)),
        DataType::Timestamp(unit, _) => moment(array, *unit, row),
        // A nested or binary column says nothing that a comment's field could be.
        _ => Cell::Absent,
    }
}

fn text(text: &str) -> Cell<'_> {
    Cell::Text(Cow::Borrowed(text))
}

fn number<'a>(number: f64) -> Cell<'a> {
    if number.is_nan() { Cell::Absent } else { Cell::Number(number) }
}

fn integer<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> Cell<'_>
where
    T::Native: Into<i128>,
{
    Cell::Integer(array.as_primitive::<T>().value(row).into())
}

fn moment(array: &dyn Array, unit: TimeUnit, row: usize) -> Cell<'_> {
    let moment = match unit {
        TimeUnit::Second => Timestamp::from_second(array.as_primitive::<TimestampSecondType>().value(row)),
        TimeUnit::Millisecond => {
            Timestamp::from_millisecond(array.as_primitive::<TimestampMillisecondType>().value(row))
        }
        TimeUnit::Microsecond => {
            Timestamp::from_microsecond(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        TimeUnit::Nanosecond => {
            Timestamp::from_nanosecond(array.as_primitive::<TimestampNanosecondType>().value(row).into())
        }
    };
    moment.map_or(Cell::Absent, Cell::Moment)
}
