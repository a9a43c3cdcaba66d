//! Maximum mean discrepancy: the distance of two samples in the space of a Gaussian kernel.
//!
//! Gretton et al., *A kernel two-sample test* (2012), <https://jmlr.org/papers/v13/gretton12a.html>.

use crate::error::{Reason, Result, ensure};
use crate::result::Test;
use crate::rng::Rng;

/// A kernel matrix over both samples, the reference first.
#[derive(Debug, Clone)]
pub struct Kernel {
    values: Vec<f64>,
    reference: usize,
    current: usize,
}

impl Kernel {
    /// The Gaussian kernel `exp(-γ d²)` of squared distances; needs two rows a side and at most 20,000 in all, for the
    /// matrix grows with the square.
    pub fn gaussian<T>(
        rows: &[T],
        reference: usize,
        gamma: f64,
        square: impl Fn(&T, &T) -> f64,
    ) -> Result<Self> {
        let current = rows.len().saturating_sub(reference);
        let found = reference.min(current);
        ensure(found >= 2, Reason::TooFewRows { needed: 2, found })?;
        ensure(
            rows.len() <= 20_000,
            Reason::OutOfRange { what: "the number of rows of a kernel matrix".into() },
        )?;
        let mut values = Vec::with_capacity(rows.len() * rows.len());
        for a in rows {
            values.extend(rows.iter().map(|b| (-gamma * square(a, b)).exp()));
        }
        Ok(Self { values, reference, current })
    }

    /// The unbiased squared discrepancy; below zero it says "no difference".
    pub fn discrepancy(&self) -> f64 {
        let sides: Vec<bool> = (0..self.reference + self.current).map(|i| i < self.reference).collect();
        self.discrepancy_of(&sides)
    }

    fn discrepancy_of(&self, in_reference: &[bool]) -> f64 {
        let size = in_reference.len();
        let [mut within_reference, mut within_current, mut between] = [0.0; 3];
        for (i, row) in self.values.chunks(size).enumerate() {
            for (j, value) in row[..i].iter().enumerate() {
                match (in_reference[i], in_reference[j]) {
                    (true, true) => within_reference += value,
                    (false, false) => within_current += value,
                    _ => between += value,
                }
            }
        }
        let (n, m) = (self.reference as f64, self.current as f64);
        2.0 * (within_reference / (n * (n - 1.0)) + within_current / (m * (m - 1.0)) - between / (n * m))
    }

    /// The permutation test; the observed arrangement counts as one of them, so that p is never zero.
    pub fn test(&self, permutations: usize, seed: u64) -> Test {
        let statistic = self.discrepancy();
        let beyond = self.permuted(permutations, seed).iter().filter(|&&d| d >= statistic - 1e-12).count();
        let p = (beyond + 1) as f64 / (permutations + 1) as f64;
        Test { statistic, p, n_reference: self.reference, n_current: self.current }
    }

    /// Discrepancies with rows dealt to the sides at random.
    pub fn permuted(&self, permutations: usize, seed: u64) -> Vec<f64> {
        let mut rng = Rng::new(seed);
        let mut sides: Vec<bool> = (0..self.reference + self.current).map(|i| i < self.reference).collect();
        let mut deal = || {
            rng.shuffle(&mut sides);
            self.discrepancy_of(&sides)
        };
        (0..permutations).map(|_| deal()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::examples::close;

    fn kernel(rows: &[f64], reference: usize) -> Result<Kernel> {
        Kernel::gaussian(rows, reference, 0.5, |a, b| (a - b).powi(2))
    }

    #[test]
    fn by_hand() {
        let far = kernel(&[0.0, 0.0, 9.0, 9.0], 2).unwrap();
        close("far", far.discrepancy(), 2.0 - 2.0 * (-40.5_f64).exp());
        close("same", kernel(&[1.0; 6], 3).unwrap().discrepancy(), 0.0);
        assert_eq!(kernel(&[1.0; 6], 3).unwrap().test(99, 1).p, 1.0);
        assert!(kernel(&[1.0, 2.0], 1).is_err());
    }

    #[test]
    fn sees_a_shift() {
        let mut rng = Rng::new(3);
        let rows: Vec<f64> = (0..80).map(|i| rng.normal() + if i < 40 { 0.0 } else { 1.0 }).collect();
        assert!(kernel(&rows, 40).unwrap().test(199, 1).p < 0.01);
    }
}
