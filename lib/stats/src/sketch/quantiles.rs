//! Quantiles of a stream: the KLL sketch.
//!
//! Karnin, Lang and Liberty, *Optimal quantile approximation in streams*, <https://arxiv.org/abs/1603.05346>. Some
//! thousand numbers answer any rank within about half a percent of the rows; a few hundred rows are kept as they are.

use serde::{Deserialize, Serialize};

use crate::error::{Reason, Result, ensure, in_range};
use crate::rng::Rng;

/// Rows of the top level; the error of a rank is about `2 / CAPACITY`.
const CAPACITY: usize = 400;
const SHRINK: f64 = 2.0 / 3.0;
const LEAST: usize = 8;

/// A mergeable sketch of a distribution.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    version: u8,
    /// Level `h` holds rows that stand for `2ʰ` rows each.
    levels: Vec<Vec<f64>>,
    n: u64,
    low: f64,
    high: f64,
    /// Which half of a level survives: decided by a counter, so that the same rows give the same sketch.
    turns: u64,
}

impl Default for Quantiles {
    fn default() -> Self {
        Self { version: 1, levels: vec![Vec::new()], n: 0, low: 0.0, high: 0.0, turns: 0 }
    }
}

impl Quantiles {
    /// Takes one row; NaN and infinities are passed over.
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        (self.low, self.high) =
            if self.n == 0 { (value, value) } else { (self.low.min(value), self.high.max(value)) };
        self.n += 1;
        self.levels[0].push(value);
        self.compress();
    }

    /// Takes all rows of another sketch.
    pub fn merge(&mut self, other: &Self) {
        if other.n == 0 {
            return;
        }
        (self.low, self.high) = if self.n == 0 {
            (other.low, other.high)
        } else {
            (self.low.min(other.low), self.high.max(other.high))
        };
        self.n += other.n;
        self.turns ^= other.turns;
        for (h, level) in other.levels.iter().enumerate() {
            if self.levels.len() <= h {
                self.levels.push(Vec::new());
            }
            self.levels[h].extend_from_slice(level);
        }
        self.compress();
    }

    /// Rows taken.
    pub fn n(&self) -> u64 {
        self.n
    }

    /// Whether every row is still kept.
    pub fn is_exact(&self) -> bool {
        self.levels.len() == 1
    }

    fn capacity(&self, level: usize) -> usize {
        let depth = (self.levels.len() - 1 - level) as i32;
        ((CAPACITY as f64 * SHRINK.powi(depth)).ceil() as usize).max(LEAST)
    }

    fn compress(&mut self) {
        let mut h = 0;
        while h < self.levels.len() {
            if self.levels[h].len() > self.capacity(h) {
                self.halve(h);
            }
            h += 1;
        }
    }

    /// Sorts a level and sends every second row up, where it weighs double.
    fn halve(&mut self, h: usize) {
        if h + 1 == self.levels.len() {
            self.levels.push(Vec::new());
        }
        let mut rows = std::mem::take(&mut self.levels[h]);
        rows.sort_by(f64::total_cmp);
        self.turns += 1;
        let odd = rows.len() % 2;
        let offset = (Rng::new(self.turns).bits() & 1) as usize;
        self.levels[h + 1].extend(rows[odd..].iter().skip(offset).step_by(2));
        rows.truncate(odd);
        self.levels[h] = rows;
    }

    /// Kept rows with the number of rows each stands for, ascending.
    pub fn weighted(&self) -> Vec<(f64, u64)> {
        let mut rows: Vec<(f64, u64)> = self
            .levels
            .iter()
            .enumerate()
            .flat_map(|(h, level)| level.iter().map(move |v| (*v, 1 << h)))
            .collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        rows
    }

    /// The share of rows at or below `value`.
    pub fn rank(&self, value: f64) -> Result<f64> {
        ensure(self.n > 0, Reason::EmptyReference)?;
        let below: u64 = self
            .levels
            .iter()
            .enumerate()
            .map(|(h, l)| (l.iter().filter(|v| **v <= value).count() as u64) << h)
            .sum();
        Ok(below as f64 / self.n as f64)
    }

    /// The `q` quantile; the ends are exact.
    pub fn quantile(&self, q: f64) -> Result<f64> {
        ensure(self.n > 0, Reason::EmptyReference)?;
        in_range((0.0..=1.0).contains(&q), "the quantile")?;
        if q == 0.0 || q == 1.0 {
            return Ok(if q == 0.0 { self.low } else { self.high });
        }
        let mut left = q * self.n as f64;
        for (value, weight) in self.weighted() {
            left -= weight as f64;
            if left <= 0.0 {
                return Ok(value);
            }
        }
        Ok(self.high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(rows: impl Iterator<Item = f64>) -> Quantiles {
        let mut sketch = Quantiles::default();
        rows.for_each(|v| sketch.add(v));
        sketch
    }

    fn worst(sketch: &Quantiles) -> f64 {
        (1..100)
            .map(|i| f64::from(i) / 100.0)
            .map(|q| (sketch.quantile(q).unwrap() - q).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn small_is_exact_and_large_is_close() {
        let few = sketch((1..=300).map(f64::from));
        assert!(few.is_exact() && few.quantile(0.5).unwrap() == 150.0);
        let many = sketch((0..200_000).map(|i| f64::from(i * 7919 % 200_003) / 200_003.0));
        assert!(worst(&many) < 0.012, "{}", worst(&many));
        assert!(many.weighted().len() < 1300 && many.weighted().iter().map(|w| w.1).sum::<u64>() == many.n());
    }

    #[test]
    fn merged_is_as_good_as_whole() {
        let mut merged = Quantiles::default();
        for part in 0..50 {
            merged
                .merge(&sketch((0..4000).map(|i| f64::from((part * 4000 + i) * 7919 % 200_003) / 200_003.0)));
        }
        assert!(merged.n() == 200_000 && worst(&merged) < 0.012, "{}", worst(&merged));
        merged.merge(&Quantiles::default());
        assert_eq!((merged.quantile(0.0).unwrap(), merged.n()), (0.0, 200_000));
    }

    #[test]
    fn nothing_and_nonsense() {
        let empty = sketch([f64::NAN, f64::INFINITY].into_iter());
        assert!(empty.quantile(0.5).is_err() && empty.rank(1.0).is_err());
        assert!(sketch([1.0].into_iter()).quantile(f64::NAN).is_err());
    }
}
