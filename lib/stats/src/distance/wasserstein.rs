//! Wasserstein-1 distance, `∫|F - G|`: how far the mass has to travel.
//!
//! Ramdas, García Trillos and Cuturi, *On Wasserstein two-sample testing*, <https://arxiv.org/abs/1509.02237>.

use crate::sample::Pair;

/// The distance in the unit of the column, as `scipy.stats.wasserstein_distance`.
pub fn wasserstein(pair: &Pair) -> f64 {
    let (n, m) = pair.sizes();
    let mut area = 0.0;
    pair.steps(|value, next, i, j| {
        area += (i as f64 / n as f64 - j as f64 / m as f64).abs() * (next - value);
    });
    area
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_to_scipy() {
        let check = |a: &[f64], b: &[f64], want: f64| {
            assert!((wasserstein(&Pair::new(a, b).unwrap()) - want).abs() < 1e-12);
        };
        check(&[0.0], &[2.0], 2.0);
        check(&[3.0, 3.0], &[3.0], 0.0);
        check(&[0.0, 1.0, 3.0], &[5.0, 6.0, 8.0], 5.0);
        check(&[0.0, 1.0, 2.0], &[1.0, 3.0], 1.0);
    }
}
