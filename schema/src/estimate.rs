//! A number and how sure one may be of it.

use arrow_array::{ArrayRef, Float64Array};
use arrow_schema::{DataType, Fields};
use serde::{Deserialize, Serialize};

use crate::FormatError;
use crate::columns::{Columns, required};
use crate::nested::{Nested, array};

/// A number with its interval: at 95 %, wherever nothing else is said beside it.
///
/// It does not say of how many, or by which model: what holds it does, once for all of its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The best guess.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
}

/// An interval without a guess within it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Nested for Estimate {
    fn fields() -> Fields {
        ["value", "low", "high"].into_iter().map(|name| required(name, DataType::Float64)).collect()
    }

    fn arrays(values: &[&Self]) -> Vec<ArrayRef> {
        let numbers =
            |get: fn(&Self) -> f64| array(Float64Array::from_iter_values(values.iter().map(|v| get(v))));
        vec![numbers(|v| v.value), numbers(|v| v.low), numbers(|v| v.high)]
    }

    fn values(columns: &Columns<'_>) -> Result<Vec<Self>, FormatError> {
        let (value, low, high) = (columns.number("value")?, columns.number("low")?, columns.number("high")?);
        let row = |row| {
            Ok(Self {
                value: value.need(value.get(row))?,
                low: low.need(low.get(row))?,
                high: high.need(high.get(row))?,
            })
        };
        (0..columns.len()).map(row).collect()
    }
}
