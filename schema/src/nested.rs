//! Values within a column: a struct of columns, or a list of such structs, as every Parquet reader knows them.

use std::sync::Arc;

use arrow_array::builder::OffsetBufferBuilder;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StringArray, StructArray};
use arrow_schema::{DataType, Field, Fields};

use crate::FormatError;
use crate::columns::{Columns, required};

/// A value that is stored as a struct of columns.
pub(crate) trait Nested: Sized {
    /// The columns of the struct.
    fn fields() -> Fields;

    /// Turns values into columns, in the order of the fields.
    fn arrays(values: &[&Self]) -> Vec<ArrayRef>;

    /// Turns columns back into values.
    fn values(columns: &Columns<'_>) -> Result<Vec<Self>, FormatError>;
}

/// A column of structs that are always there.
pub(crate) fn struct_field<T: Nested>(name: &str) -> Field {
    required(name, DataType::Struct(T::fields()))
}

/// A column of lists, perhaps empty ones.
pub(crate) fn list_field<T: Nested>(name: &str) -> Field {
    required(name, DataType::List(Arc::new(item::<T>())))
}

fn item<T: Nested>() -> Field {
    // `element` is the name that the Parquet specification gives it; arrow's own default is another.
    struct_field::<T>("element")
}

/// Any array, as the batch wants it.
pub(crate) fn array(array: impl Array + 'static) -> ArrayRef {
    Arc::new(array)
}

/// A column of texts.
pub(crate) fn texts<'v>(values: impl Iterator<Item = &'v str>) -> ArrayRef {
    array(StringArray::from_iter_values(values))
}

/// One struct a row.
pub(crate) fn structs<'v, T: Nested + 'v>(values: impl Iterator<Item = &'v T>) -> ArrayRef {
    let values: Vec<&T> = values.collect();
    array(StructArray::new(T::fields(), T::arrays(&values), None))
}

/// One list a row.
pub(crate) fn lists<'v, T: Nested + 'v>(rows: impl Iterator<Item = &'v [T]> + Clone) -> ArrayRef {
    let mut offsets = OffsetBufferBuilder::new(rows.size_hint().0);
    rows.clone().for_each(|row| offsets.push_length(row.len()));
    array(ListArray::new(Arc::new(item::<T>()), offsets.finish(), structs(rows.flatten()), None))
}

/// Reads one struct a row.
pub(crate) fn read_structs<T: Nested>(
    columns: &Columns<'_>,
    name: &'static str,
) -> Result<Vec<T>, FormatError> {
    let column = columns.typed(name, "Struct", |array| array.as_struct_opt())?;
    let structs = column.need(column.as_array().filter(|array| array.null_count() == 0))?;
    fields_of(columns, name, structs)
}

/// Reads one list a row; where the file is older than the column, or the list is absent, an empty one.
pub(crate) fn read_lists<T: Nested>(
    columns: &Columns<'_>,
    name: &'static str,
) -> Result<Vec<Vec<T>>, FormatError> {
    let column = columns.typed(name, "List", |array| array.as_list_opt::<i32>())?;
    let Some(lists) = column.as_array() else {
        return Ok((0..columns.len()).map(|_| Vec::new()).collect());
    };
    let structs = lists.values().as_struct_opt().ok_or_else(|| FormatError::Type {
        table: columns.table(),
        column: columns.path(name),
        found: lists.data_type().to_string(),
        wanted: "List(Struct)",
    })?;
    let bounds = lists.value_offsets();
    let (first, last) = (bounds[0] as usize, bounds[lists.len()] as usize);
    let structs = structs.slice(first, last - first);
    column.need((structs.null_count() == 0).then_some(()))?;
    let mut values = fields_of(columns, name, &structs)?.into_iter();
    let row = |row: usize| {
        // Whatever lies below an absent list is passed over, not kept.
        let below: Vec<T> = values.by_ref().take(lists.value_length(row) as usize).collect();
        if lists.is_null(row) { Vec::new() } else { below }
    };
    Ok((0..lists.len()).map(row).collect())
}

fn fields_of<T: Nested>(
    columns: &Columns<'_>,
    name: &'static str,
    structs: &StructArray,
) -> Result<Vec<T>, FormatError> {
    let path = columns.path(name);
    T::values(&Columns::new(columns.table(), &RecordBatch::from(structs)).below(&path))
}
