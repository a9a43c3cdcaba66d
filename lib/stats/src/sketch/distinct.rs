//! How many different values: HyperLogLog, and a list while they are few.
//!
//! Flajolet et al. (2007), <https://doi.org/10.46298/dmtcs.3545>, with the estimator of Ertl,
//! <https://arxiv.org/abs/1702.01284>, which needs no tables of corrections.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::stable_hash;

const BITS: u32 = 11;
const REGISTERS: usize = 1 << BITS;
/// So many hashes are kept as they are.
const FEW: usize = 256;

/// A mergeable count of distinct values; off by some 2 % when large.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distinct {
    version: u8,
    few: BTreeSet<u64>,
    /// Empty while the values are few.
    registers: Vec<u8>,
}

impl Default for Distinct {
    fn default() -> Self {
        Self { version: 1, few: BTreeSet::new(), registers: Vec::new() }
    }
}

impl Distinct {
    /// Takes one value by its bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.add_hash(stable_hash(bytes));
    }

    fn add_hash(&mut self, hash: u64) {
        if !self.registers.is_empty() {
            return self.register(hash);
        }
        self.few.insert(hash);
        if self.few.len() > FEW {
            self.registers = vec![0; REGISTERS];
            for hash in std::mem::take(&mut self.few) {
                self.register(hash);
            }
        }
    }

    fn register(&mut self, hash: u64) {
        let place = (hash >> (64 - BITS)) as usize;
        let rank = ((hash << BITS) | (1 << (BITS - 1))).leading_zeros() as u8 + 1;
        self.registers[place] = self.registers[place].max(rank);
    }

    /// Takes all values of another sketch.
    pub fn merge(&mut self, other: &Self) {
        if !other.registers.is_empty() && self.registers.is_empty() {
            self.registers = vec![0; REGISTERS];
            for hash in std::mem::take(&mut self.few) {
                self.register(hash);
            }
        }
        self.registers.iter_mut().zip(&other.registers).for_each(|(a, b)| *a = (*a).max(*b));
        other.few.iter().for_each(|&hash| self.add_hash(hash));
    }

    /// The number of distinct values; exact up to 256.
    pub fn count(&self) -> f64 {
        if self.registers.is_empty() { self.few.len() as f64 } else { self.estimate() }
    }

    fn estimate(&self) -> f64 {
        let top = (64 - BITS + 1) as usize;
        let mut histogram = vec![0.0; top + 1];
        self.registers.iter().for_each(|&rank| histogram[usize::from(rank).min(top)] += 1.0);
        let m = REGISTERS as f64;
        let mut z = m * tau(1.0 - histogram[top] / m);
        for count in histogram[1..top].iter().rev() {
            z = 0.5 * (z + count);
        }
        z += m * sigma(histogram[0] / m);
        m * m / (2.0 * std::f64::consts::LN_2 * z)
    }
}

fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y *= 2.0;
        if z == before {
            return z;
        }
    }
}

fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x).powi(2) * y;
        if z == before {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(range: std::ops::Range<u32>) -> Distinct {
        let mut sketch = Distinct::default();
        range.for_each(|i| sketch.add(&i.to_le_bytes()));
        sketch
    }

    #[test]
    fn few_are_exact_and_many_are_close() {
        assert_eq!(sketch(0..200).count(), 200.0);
        for n in [300, 2000, 50_000, 400_000] {
            let error = (sketch(0..n).count() / f64::from(n) - 1.0).abs();
            assert!(error < 0.07, "{n}: {error}");
        }
        assert_eq!(Distinct::default().count(), 0.0);
    }

    #[test]
    fn merging_forgets_nothing_and_counts_nothing_twice() {
        let mut merged = sketch(0..30_000);
        merged.merge(&sketch(20_000..50_000));
        assert_eq!(merged, sketch(0..50_000));
        let mut late = sketch(0..100);
        late.merge(&sketch(50..1000));
        assert_eq!(late, sketch(0..1000));
    }
}
