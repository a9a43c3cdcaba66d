//! The one error of the crate: a number that does not exist, and why.

use serde::{Deserialize, Serialize};

/// A number that does not exist for the given data. Never a NaN, never a panic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("not computable: {reason}")]
pub struct NotComputable {
    /// Why there is no such number.
    pub reason: Reason,
}

/// Why a number does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nothing is left of the reference once missing and infinite values are dropped.
    #[error("the reference holds no usable value")]
    EmptyReference,
    /// Nothing is left of the current side once missing and infinite values are dropped.
    #[error("the current side holds no usable value")]
    EmptyCurrent,
    /// A side has fewer rows than the method needs.
    #[error("the method needs {needed} rows on each side, the smaller has {found}")]
    TooFewRows {
        /// Rows that the method needs.
        needed: usize,
        /// Rows of the smaller side.
        found: usize,
    },
    /// All values are equal, or their middle half is.
    #[error("the values do not vary")]
    NoVariation,
    /// Both sides hold one and the same category.
    #[error("there is only one category")]
    OneCategory,
    /// The method compares two categories, and there are more.
    #[error("the method needs two categories, there are {found}")]
    NotBinary {
        /// Distinct categories over both sides.
        found: usize,
    },
    /// The method needs sides of equal length.
    #[error("the sides must have the same number of rows")]
    UnequalLengths,
    /// The method needs counts with equal totals.
    #[error("observed and expected counts have different totals")]
    UnequalTotals,
    /// The method is not defined for this kind of column.
    #[error("the method does not apply to this kind of column")]
    WrongKind,
    /// The sides are stored as different types.
    #[error("the sides hold different types of values")]
    MixedTypes,
    /// Rows, vectors or tables do not have the dimensions they need.
    #[error("the dimensions do not match")]
    WrongShape,
    /// A parameter or a value is outside of what the method allows.
    #[error("{what} is out of range")]
    OutOfRange {
        /// What is out of range.
        what: String,
    },
    /// A matrix that must be inverted cannot be.
    #[error("the confusion matrix cannot be inverted")]
    Singular,
    /// The reference implementation fails on these sizes, and `doxa-compat` fails with it.
    #[error("the imitated implementation fails on samples of {reference} and {current} rows")]
    ImitatedFailure {
        /// Rows of the reference.
        reference: usize,
        /// Rows of the current side.
        current: usize,
    },
}

impl From<Reason> for NotComputable {
    fn from(reason: Reason) -> Self {
        Self { reason }
    }
}

/// The result of everything in this crate that may not exist.
pub type Result<T> = std::result::Result<T, NotComputable>;

/// Fails with `reason` unless `holds`.
pub fn ensure(holds: bool, reason: Reason) -> Result<()> {
    if holds { Ok(()) } else { Err(reason.into()) }
}

/// Fails with [`Reason::OutOfRange`] unless `holds`.
pub(crate) fn in_range(holds: bool, what: &str) -> Result<()> {
    ensure(holds, Reason::OutOfRange { what: what.to_owned() })
}

/// The value, if it is a number; otherwise the data did not determine it.
pub fn number(value: f64) -> Result<f64> {
    if value.is_nan() { Err(Reason::NoVariation.into()) } else { Ok(value) }
}
