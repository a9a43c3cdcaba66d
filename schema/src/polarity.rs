//! Which way a text leans, and how probable each way is.

use arrow_array::{ArrayRef, Float64Array};
use arrow_schema::{DataType, Fields};
use serde::{Deserialize, Serialize};

use crate::FormatError;
use crate::columns::{Columns, required};
use crate::names::closed;
use crate::nested::{Nested, array};

/// How far three probabilities may be from a sum of one: what rounding to single precision does.
const SUM_TOLERANCE: f64 = 1e-5;

closed! {
    /// Which way a text, or what it says of an aspect, leans.
    pub enum Polarity("polarity") {
        /// Against.
        Negative = "negative",
        /// Neither.
        Neutral = "neutral",
        /// In favour.
        Positive = "positive",
    }
}

/// How probable each [`Polarity`] is: three numbers from 0 to 1 whose sum is 1, always in the order of the set.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Named", into = "Named")]
pub struct Probabilities([f64; 3]);

/// Numbers that are no probabilities.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("{negative}, {neutral} and {positive} are no probabilities: each is from 0 to 1, and their sum is 1")]
pub struct ProbabilitiesError {
    negative: f64,
    neutral: f64,
    positive: f64,
}

#[derive(Serialize, Deserialize)]
struct Named {
    negative: f64,
    neutral: f64,
    positive: f64,
}

impl Probabilities {
    /// The probabilities of negative, neutral and positive.
    ///
    /// # Errors
    /// If one is outside of `[0, 1]` or no number, or their sum is not 1.
    pub fn new(negative: f64, neutral: f64, positive: f64) -> Result<Self, ProbabilitiesError> {
        let three = [negative, neutral, positive];
        let sum: f64 = three.iter().sum();
        if three.iter().all(|p| (0.0..=1.0).contains(p)) && (sum - 1.0).abs() <= SUM_TOLERANCE {
            return Ok(Self(three));
        }
        Err(ProbabilitiesError { negative, neutral, positive })
    }

    /// The probability of one polarity.
    #[must_use]
    pub fn of(self, polarity: Polarity) -> f64 {
        self.0[polarity as usize]
    }

    /// All three, in the order negative, neutral, positive.
    #[must_use]
    pub fn to_array(self) -> [f64; 3] {
        self.0
    }

    /// The most probable polarity; neutral where none is more probable than both others, for a tie takes no side.
    #[must_use]
    pub fn likeliest(self) -> Polarity {
        let [negative, neutral, positive] = self.0;
        if negative > neutral.max(positive) {
            Polarity::Negative
        } else if positive > neutral.max(negative) {
            Polarity::Positive
        } else {
            Polarity::Neutral
        }
    }
}

impl TryFrom<Named> for Probabilities {
    type Error = ProbabilitiesError;

    fn try_from(named: Named) -> Result<Self, Self::Error> {
        Self::new(named.negative, named.neutral, named.positive)
    }
}

impl From<Probabilities> for Named {
    fn from(Probabilities([negative, neutral, positive]): Probabilities) -> Self {
        Self { negative, neutral, positive }
    }
}

impl Nested for Probabilities {
    fn fields() -> Fields {
        Polarity::ALL.into_iter().map(|polarity| required(polarity.name(), DataType::Float64)).collect()
    }

    fn arrays(values: &[&Self]) -> Vec<ArrayRef> {
        let column = |polarity| Float64Array::from_iter_values(values.iter().map(|three| three.of(polarity)));
        Polarity::ALL.into_iter().map(|polarity| array(column(polarity))).collect()
    }

    fn values(columns: &Columns<'_>) -> Result<Vec<Self>, FormatError> {
        let [negative, neutral, positive] = Polarity::ALL.map(|polarity| columns.number(polarity.name()));
        let (negative, neutral, positive) = (negative?, neutral?, positive?);
        let row = |row| {
            Self::new(
                negative.need(negative.get(row))?,
                neutral.need(neutral.get(row))?,
                positive.need(positive.get(row))?,
            )
            .map_err(|error| negative.value_error(row, error))
        };
        (0..columns.len()).map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Polarity, Probabilities};

    #[test]
    fn only_probabilities_are_taken() {
        let rows = [
            ([0.2, 0.3, 0.5], true),
            ([0.0, 0.0, 1.0], true),
            ([f64::from(0.1_f32), f64::from(0.2_f32), f64::from(0.7_f32)], true),
            ([0.2, 0.3, 0.4], false),
            ([-0.1, 0.6, 0.5], false),
            ([1.1, -0.1, 0.0], false),
            ([f64::NAN, 0.5, 0.5], false),
            ([f64::INFINITY, 0.0, 0.0], false),
        ];
        for ([negative, neutral, positive], wanted) in rows {
            let taken = Probabilities::new(negative, neutral, positive);
            assert_eq!(taken.is_ok(), wanted, "{negative} {neutral} {positive}");
        }
        assert!(serde_json::from_str::<Probabilities>(r#"{"negative":1,"neutral":1,"positive":1}"#).is_err());
    }

    #[test]
    fn a_tie_takes_no_side() {
        let rows = [
            ([0.5, 0.3, 0.2], Polarity::Negative),
            ([0.2, 0.3, 0.5], Polarity::Positive),
            ([0.2, 0.5, 0.3], Polarity::Neutral),
            ([0.4, 0.4, 0.2], Polarity::Neutral),
            ([0.2, 0.4, 0.4], Polarity::Neutral),
            ([0.4, 0.2, 0.4], Polarity::Neutral),
        ];
        for ([negative, neutral, positive], wanted) in rows {
            let got = Probabilities::new(negative, neutral, positive).unwrap().likeliest();
            assert_eq!(got, wanted, "{negative} {neutral} {positive}");
        }
    }
}
