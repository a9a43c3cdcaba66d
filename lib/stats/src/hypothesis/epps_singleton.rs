//! Epps-Singleton: the distance of two characteristic functions at two points. Sees changes of shape, allows ties.
//!
//! Epps and Singleton (1986), <https://doi.org/10.1080/00949658608810963>; Goerg and Kaiser (2009),
//! <https://doi.org/10.1177/1536867X0900900307>.

use crate::error::{Reason, Result, ensure};
use crate::linalg::{Matrix, symmetric_eigen};
use crate::result::Test;
use crate::sample::{Pair, quantile};
use crate::special::chi_square_sf;

/// Points at which the characteristic functions are compared, in units of the half interquartile range.
const POINTS: [f64; 2] = [0.4, 0.8];

/// The test; needs five rows a side and a middle half that varies.
pub fn epps_singleton(pair: &Pair) -> Result<Test> {
    pair.at_least(5)?;
    let pooled = pair.pooled();
    let spread = (quantile(&pooled, 0.75) - quantile(&pooled, 0.25)) / 2.0;
    ensure(spread > 0.0, Reason::NoVariation)?;
    let (a, b) = (waves(&pair.reference, spread), waves(&pair.current, spread));
    let (n, m) = (pair.reference.len() as f64, pair.current.len() as f64);
    let ((mean_a, cov_a), (mean_b, cov_b)) = (mean_and_covariance(&a), mean_and_covariance(&b));
    let size = a.len();
    let cell = |i: usize, j: usize| (n + m) / n * cov_a[i][j] + (n + m) / m * cov_b[i][j];
    let covariance: Matrix = (0..size).map(|i| (0..size).map(|j| cell(i, j)).collect()).collect();
    let gap: Vec<f64> = mean_a.iter().zip(&mean_b).map(|(x, y)| x - y).collect();
    let (form, rank) = inverse_form(&covariance, &gap);
    ensure(rank > 0, Reason::NoVariation)?;
    let statistic = (n + m) * form * small_sample_factor(n, m);
    let p = chi_square_sf(statistic, rank as f64);
    Ok(Test { statistic, p, n_reference: pair.reference.len(), n_current: pair.current.len() })
}

/// Cosines and sines at both points, one row each.
fn waves(values: &[f64], spread: f64) -> Matrix {
    let at = |f: fn(f64) -> f64, t: f64| values.iter().map(|x| f(t / spread * x)).collect();
    [f64::cos, f64::sin].iter().flat_map(|&f| POINTS.map(|t| at(f, t))).collect()
}

fn mean_and_covariance(rows: &Matrix) -> (Vec<f64>, Matrix) {
    let n = rows[0].len() as f64;
    let means: Vec<f64> = rows.iter().map(|row| row.iter().sum::<f64>() / n).collect();
    let cell = |i: usize, j: usize| {
        rows[i].iter().zip(&rows[j]).map(|(x, y)| (x - means[i]) * (y - means[j])).sum::<f64>() / n
    };
    let covariance = (0..rows.len()).map(|i| (0..rows.len()).map(|j| cell(i, j)).collect()).collect();
    (means, covariance)
}

/// `xᵀ A⁺ x` and the rank of `A`, by its eigenvalues; those that are rounding errors do not count.
fn inverse_form(matrix: &Matrix, x: &[f64]) -> (f64, usize) {
    let (values, vectors) = symmetric_eigen(matrix.clone());
    let floor = values.iter().fold(0.0_f64, |m, v| m.max(v.abs())) * 1e-15;
    let (mut form, mut rank) = (0.0, 0);
    for (k, value) in values.iter().enumerate().filter(|(_, v)| v.abs() > floor) {
        let along: f64 = vectors.iter().zip(x).map(|(row, x)| row[k] * x).sum();
        form += along * along / value;
        rank += 1;
    }
    (form, rank)
}

fn small_sample_factor(n: f64, m: f64) -> f64 {
    if n.max(m) >= 25.0 {
        return 1.0;
    }
    1.0 / (1.0 + (n + m).powf(-0.45) + 10.1 * (n.powf(-1.7) + m.powf(-1.7)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::examples::{close, pair};

    #[test]
    #[rustfmt::skip]
    fn equal_to_scipy() {
        let check = |name: &str, statistic, p| {
            let test = epps_singleton(&pair(name)).unwrap();
            close(name, test.statistic, statistic);
            close(name, test.p, p);
        };
        check("small", 9.290017076276563, 0.05424541381950664);
        check("equal n", 8.635327461468348, 0.07088973252703863);
        check("ties", 7.924915334830532, 0.09436768805909529);
        check("large", 14.288286172031333, 0.006429592890183535);
        check("shift", 57.41584367293587, 1.011999346597176e-11);
        check("apart", 1188.6510780381059, 4.596766712436231e-256);
    }

    #[test]
    fn what_has_no_middle_half_or_too_few_rows() {
        assert_eq!(epps_singleton(&pair("constant")), Err(Reason::NoVariation.into()));
        assert_eq!(epps_singleton(&pair("tiny")), Err(Reason::TooFewRows { needed: 5, found: 2 }.into()));
    }
}
