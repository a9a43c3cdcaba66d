//! Drift of embeddings, with permutations in the place of thresholds that fit no dimension.

use serde::{Deserialize, Serialize};

use crate::error::{Reason, Result, ensure};
use crate::hypothesis::mmd::Kernel;
use crate::result::Test;
use crate::rng::Rng;
use crate::sample::quantile;
use crate::text::area_under_curve;
use crate::vectors::{check_vectors, mean, square};

/// How the sides are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The distance between the means.
    Means,
    /// Maximum mean discrepancy: sees any change, costs the square of the rows.
    Mmd,
    /// How well the line between the means tells held-out rows apart.
    Classifier,
}

/// Compares two sets of vectors; `p` is that of the permutation test.
pub fn compare(
    method: Method,
    reference: &[Vec<f64>],
    current: &[Vec<f64>],
    permutations: usize,
    seed: u64,
) -> Result<Test> {
    check_vectors(reference, current)?;
    let found = reference.len().min(current.len());
    ensure(found >= 4, Reason::TooFewRows { needed: 4, found })?;
    let rows: Vec<&Vec<f64>> = reference.iter().chain(current).collect();
    ensure(rows.iter().any(|row| *row != rows[0]), Reason::NoVariation)?;
    if method == Method::Mmd {
        let width = median_square(&rows, seed);
        let kernel = Kernel::gaussian(&rows, reference.len(), 1.0 / width, |a, b| square(a, b))?;
        return Ok(kernel.test(permutations, seed));
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let statistic = statistic(method, &rows, &order, reference.len());
    let mut rng = Rng::new(seed);
    let mut beyond = 1;
    for _ in 0..permutations {
        rng.shuffle(&mut order);
        beyond += usize::from(self::statistic(method, &rows, &order, reference.len()) >= statistic - 1e-12);
    }
    let p = beyond as f64 / (permutations + 1) as f64;
    Ok(Test { statistic, p, n_reference: reference.len(), n_current: current.len() })
}

/// The median squared distance of a thousand random pairs that differ.
fn median_square(rows: &[&Vec<f64>], seed: u64) -> f64 {
    let mut rng = Rng::new(seed);
    let mut pair = || square(rows[rng.below(rows.len())], rows[rng.below(rows.len())]);
    let mut squares: Vec<f64> = (0..1000).map(|_| pair()).filter(|d| *d > 0.0).collect();
    squares.sort_by(f64::total_cmp);
    if squares.is_empty() { 1.0 } else { quantile(&squares, 0.5) }
}

fn statistic(method: Method, rows: &[&Vec<f64>], order: &[usize], n_reference: usize) -> f64 {
    let (a, b) = order.split_at(n_reference);
    let pick = |of: &[usize]| of.iter().map(|&i| rows[i].clone()).collect::<Vec<_>>();
    if method == Method::Means {
        return square(&mean(&pick(a)), &mean(&pick(b))).sqrt();
    }
    // Each half is scored along the line that the other half drew.
    let half = |of: &[usize], parity: usize| of.iter().copied().skip(parity).step_by(2).collect::<Vec<_>>();
    let area = |parity: usize| {
        let (centre_a, centre_b) = (mean(&pick(&half(a, parity))), mean(&pick(&half(b, parity))));
        let line: Vec<f64> = centre_b.iter().zip(&centre_a).map(|(x, y)| x - y).collect();
        let (test_a, test_b) = (half(a, 1 - parity), half(b, 1 - parity));
        let score = |&i: &usize| rows[i].iter().zip(&line).map(|(x, l)| x * l).sum::<f64>();
        let scores: Vec<f64> = test_a.iter().chain(&test_b).map(score).collect();
        let sides: Vec<bool> = (0..scores.len()).map(|i| i >= test_a.len()).collect();
        area_under_curve(&scores, &sides).unwrap_or(0.5)
    };
    (area(0) + area(1)) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize, shift: f64, seed: u64) -> Vec<Vec<f64>> {
        let mut rng = Rng::new(seed);
        (0..n).map(|_| (0..8).map(|_| rng.normal() + shift).collect()).collect()
    }

    #[test]
    fn calibrated_where_fixed_thresholds_are_not() {
        for method in [Method::Means, Method::Mmd, Method::Classifier] {
            let p = |shift, seed| {
                compare(method, &rows(60, 0.0, seed), &rows(30, shift, 1000 + seed), 99, 1).unwrap().p
            };
            let false_alarms = (0..10).filter(|&seed| p(0.0, seed) <= 0.05).count();
            assert!(false_alarms <= 2, "{method:?}: {false_alarms} of 10");
            assert!((0..3).all(|seed| p(1.0, seed) <= 0.05), "{method:?}");
        }
    }

    #[test]
    fn what_cannot_be_compared() {
        assert!(compare(Method::Means, &rows(3, 0.0, 1), &rows(9, 0.0, 2), 9, 1).is_err());
        let same = vec![vec![1.0; 8]; 9];
        assert_eq!(compare(Method::Mmd, &same, &same, 9, 1), Err(Reason::NoVariation.into()));
    }
}
