//! From raw columns to what the methods need: finite sorted numbers, or counts of categories on both sides.

use std::collections::HashMap;
use std::hash::Hash;

use serde::{Deserialize, Serialize};

use crate::error::{Reason, Result, ensure};

/// What a column means, whatever it is stored as: ratings from 1 to 5 may be numbers or categories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Numbers with an order and a distance.
    Number,
    /// Names without order.
    Category,
    /// Running text.
    Text,
    /// Embedding vectors of one dimension.
    Vector,
}

/// One side of a comparison. Missing numbers are NaN; missing names are simply not there.
#[derive(Debug, Clone, Copy)]
pub enum Column<'a> {
    /// Numbers; NaN and infinities count as missing.
    Numbers(&'a [f64]),
    /// Names or texts.
    Strings(&'a [&'a str]),
    /// Vectors of equal length.
    Vectors(&'a [Vec<f64>]),
}

/// Two samples of numbers: finite, sorted, not empty.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// The reference, ascending.
    pub reference: Vec<f64>,
    /// The current side, ascending.
    pub current: Vec<f64>,
}

impl Pair {
    /// Drops what is missing or infinite and sorts.
    pub fn new(reference: &[f64], current: &[f64]) -> Result<Self> {
        let pair = Self { reference: sorted(reference), current: sorted(current) };
        ensure(!pair.reference.is_empty(), Reason::EmptyReference)?;
        ensure(!pair.current.is_empty(), Reason::EmptyCurrent)?;
        Ok(pair)
    }

    /// Rows of the reference and of the current side.
    pub fn sizes(&self) -> (usize, usize) {
        (self.reference.len(), self.current.len())
    }

    /// Fails unless each side has `needed` rows.
    pub(crate) fn at_least(&self, needed: usize) -> Result<()> {
        let found = self.reference.len().min(self.current.len());
        ensure(found >= needed, Reason::TooFewRows { needed, found })
    }

    /// Both sides together, ascending.
    pub fn pooled(&self) -> Vec<f64> {
        let mut all = [self.reference.as_slice(), &self.current].concat();
        all.sort_by(f64::total_cmp);
        all
    }

    /// Calls `visit(value, next value, rows ≤ value in the reference, rows ≤ value in the current side)` for every
    /// distinct value but the last, which is all that integrals over the two step functions need.
    pub fn steps(&self, mut visit: impl FnMut(f64, f64, usize, usize)) {
        let (mut i, mut j) = (0, 0);
        let at = |values: &[f64], k: usize| values.get(k).copied().unwrap_or(f64::INFINITY);
        loop {
            let value = at(&self.reference, i).min(at(&self.current, j));
            i += run(&self.reference[i..], value);
            j += run(&self.current[j..], value);
            let next = at(&self.reference, i).min(at(&self.current, j));
            if next.is_infinite() {
                return;
            }
            visit(value, next, i, j);
        }
    }

    /// The number of rows of each distinct value, as if the values were names.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        let (mut before, mut last) = ((0, 0), f64::NAN);
        self.steps(|value, next, i, j| {
            counts.push(value.to_string(), (i - before.0) as u64, (j - before.1) as u64);
            (before, last) = ((i, j), next);
        });
        let last = if last.is_nan() { self.reference[0] } else { last };
        let (n, m) = self.sizes();
        counts.push(last.to_string(), (n - before.0) as u64, (m - before.1) as u64);
        counts
    }
}

/// How many leading values equal `value`.
fn run(values: &[f64], value: f64) -> usize {
    values.iter().take_while(|&&v| v <= value).count()
}

/// The finite values, ascending; minus zero becomes zero, so that equal values are equal.
pub fn sorted(values: &[f64]) -> Vec<f64> {
    let mut kept: Vec<f64> = values.iter().filter(|v| v.is_finite()).map(|v| v + 0.0).collect();
    kept.sort_by(f64::total_cmp);
    kept
}

/// Number of distinct values of an ascending sample.
pub fn distinct(ascending: &[f64]) -> usize {
    ascending.chunk_by(|a, b| a == b).count()
}

/// How often each category occurs on the two sides. Every category has at least one row on one side.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Names, in the order of the counts.
    pub labels: Vec<String>,
    /// Rows of the reference in each category.
    pub reference: Vec<u64>,
    /// Rows of the current side in each category.
    pub current: Vec<u64>,
}

impl Counts {
    /// Counts that someone else has taken already; categories without rows are dropped.
    pub fn new(labels: &[&str], reference: &[u64], current: &[u64]) -> Result<Self> {
        ensure(labels.len() == reference.len() && labels.len() == current.len(), Reason::WrongShape)?;
        let mut counts = Self::default();
        for ((label, &a), &b) in labels.iter().zip(reference).zip(current) {
            if a + b > 0 {
                counts.push((*label).to_owned(), a, b);
            }
        }
        counts.checked()
    }

    /// Counts the names, in alphabetical order.
    pub fn of_strings(reference: &[&str], current: &[&str]) -> Result<Self> {
        let (a, b) = (tally(reference), tally(current));
        let mut labels: Vec<&str> = a.keys().chain(b.keys()).copied().collect();
        labels.sort_unstable();
        labels.dedup();
        let of = |tally: &HashMap<&str, u64>, label| tally.get(label).copied().unwrap_or(0);
        let mut counts = Self::default();
        for label in labels {
            counts.push(label.to_owned(), of(&a, label), of(&b, label));
        }
        counts.checked()
    }

    fn push(&mut self, label: String, reference: u64, current: u64) {
        self.labels.push(label);
        self.reference.push(reference);
        self.current.push(current);
    }

    fn checked(self) -> Result<Self> {
        ensure(self.totals().0 > 0.0, Reason::EmptyReference)?;
        ensure(self.totals().1 > 0.0, Reason::EmptyCurrent)?;
        Ok(self)
    }

    /// Number of categories.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is no category at all.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Rows of the reference and of the current side.
    pub fn sizes(&self) -> (usize, usize) {
        let (n, m) = self.totals();
        (n as usize, m as usize)
    }

    /// Rows of both sides as numbers to calculate with.
    pub fn totals(&self) -> (f64, f64) {
        (self.reference.iter().sum::<u64>() as f64, self.current.iter().sum::<u64>() as f64)
    }

    /// Shares of the categories on both sides.
    pub fn shares(&self) -> (Vec<f64>, Vec<f64>) {
        (shares(&self.reference), shares(&self.current))
    }

    /// The rows of one category on both sides, for every category.
    pub fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.reference.iter().zip(&self.current).map(|(&a, &b)| (a as f64, b as f64))
    }
}

/// Counts divided by their total.
pub fn shares(counts: &[u64]) -> Vec<f64> {
    let total = counts.iter().sum::<u64>().max(1) as f64;
    counts.iter().map(|&c| c as f64 / total).collect()
}

fn tally<T: Hash + Eq + Copy>(values: &[T]) -> HashMap<T, u64> {
    let mut tally = HashMap::new();
    for &value in values {
        *tally.entry(value).or_insert(0) += 1;
    }
    tally
}

/// Mean and variance (divided by `n - lost`) of a sample.
pub fn moments(values: &[f64], lost: f64) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - lost))
}

/// The `q` quantile of an ascending sample, interpolated as numpy does by default. NaN for no values.
pub fn quantile(ascending: &[f64], q: f64) -> f64 {
    let Some(last) = ascending.len().checked_sub(1) else { return f64::NAN };
    let position = q * last as f64;
    let low = position.floor() as usize;
    let (a, b) = (ascending[low.min(last)], ascending[(low + 1).min(last)]);
    a + (b - a) * (position - low as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::NotComputable;

    #[test]
    fn what_is_missing_is_dropped() {
        let pair = Pair::new(&[2.0, f64::NAN, -0.0, f64::INFINITY], &[1.0]).unwrap();
        assert_eq!((pair.reference.as_slice(), pair.current.as_slice()), (&[0.0, 2.0][..], &[1.0][..]));
        let empty = Pair::new(&[1.0], &[f64::NEG_INFINITY]);
        assert_eq!(empty, Err(NotComputable { reason: Reason::EmptyCurrent }));
    }

    #[test]
    fn numbers_as_names() {
        let counts = Pair::new(&[2.0, 1.0, 2.0], &[3.0, 1.0]).unwrap().counts();
        assert_eq!(counts.labels, ["1", "2", "3"]);
        assert_eq!((counts.reference, counts.current), (vec![1, 2, 0], vec![1, 0, 1]));
        let one = Pair::new(&[5.0, 5.0], &[5.0]).unwrap().counts();
        assert_eq!((one.labels, one.reference, one.current), (vec!["5".to_owned()], vec![2], vec![1]));
    }

    #[test]
    fn quantiles() {
        let check = |values: &[f64], q, want: f64| assert!((quantile(values, q) - want).abs() < 1e-12);
        check(&[1.0, 2.0, 4.0], 0.5, 2.0);
        check(&[1.0, 2.0, 4.0], 0.75, 3.0);
        check(&[7.0], 0.9, 7.0);
        assert!(quantile(&[], 0.5).is_nan());
    }
}
