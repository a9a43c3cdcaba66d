//! Two models on the same rows, once: McNemar's exact test and the paired bootstrap.
//!
//! McNemar (1947), <https://doi.org/10.1007/BF02295996>; Koehn, *Statistical significance tests for machine
//! translation evaluation* (2004), <https://aclanthology.org/W04-3250>.

use crate::error::{Reason, Result, ensure};
use crate::interval::bootstrap;
use crate::result::{Estimate, Test};
use crate::special::binomial_mass;

/// McNemar's exact test: `first_only` rows only the first model had right, `second_only` only the second.
pub fn mcnemar(first_only: u64, second_only: u64) -> Result<Test> {
    let rows = first_only + second_only;
    ensure(rows > 0, Reason::NoVariation)?;
    let (n, fewer) = (rows as f64, first_only.min(second_only));
    let tail: f64 = (0..=fewer).map(|k| binomial_mass(n, k as f64, 0.5)).sum();
    let statistic = (first_only as f64 - second_only as f64) / n.sqrt();
    Ok(Test { statistic, p: (2.0 * tail).min(1.0), n_reference: rows as usize, n_current: rows as usize })
}

/// The mean difference `first - second` over rows with its bootstrap interval.
pub fn difference(
    first: &[f64],
    second: &[f64],
    resamples: usize,
    level: f64,
    seed: u64,
) -> Result<Estimate> {
    ensure(first.len() == second.len(), Reason::WrongShape)?;
    let gaps: Vec<f64> = first.iter().zip(second).map(|(a, b)| a - b).collect();
    bootstrap(&gaps, |rows| rows.iter().sum::<f64>() / rows.len() as f64, resamples, level, seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::examples::close;

    #[test]
    fn exact() {
        // scipy.stats.binomtest(k, n).pvalue
        let check = |a, b, p| close(&format!("{a} {b}"), mcnemar(a, b).unwrap().p, p);
        check(10, 2, 0.038_574_218_75);
        check(5, 5, 1.0);
        check(0, 8, 0.007_812_5);
        check(400, 500, 0.000_956_444_136_918_937_3);
        assert!(mcnemar(0, 0).is_err());
    }

    #[test]
    fn pairs_help() {
        let first: Vec<f64> = (0..200).map(|i| f64::from(i % 2 == 0)).collect();
        let second: Vec<f64> = (0..200).map(|i| f64::from(i % 2 == 0 && i % 10 != 0)).collect();
        let gap = difference(&first, &second, 500, 0.95, 1).unwrap();
        assert!((gap.value - 0.1).abs() < 1e-12 && gap.interval.low > 0.05 && gap.interval.high < 0.16);
        assert!(difference(&first, &[], 100, 0.95, 1).is_err());
    }
}
