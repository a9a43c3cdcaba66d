//! Energy distance, `√2 · √∫(F - G)²`.
//!
//! Székely and Rizzo, *Energy statistics* (2013), <https://doi.org/10.1016/j.jspi.2013.03.018>.

use crate::sample::Pair;

/// The distance in the square root of the column's unit, as `scipy.stats.energy_distance`. Not scale free.
pub fn energy(pair: &Pair) -> f64 {
    let (n, m) = pair.sizes();
    let mut area = 0.0;
    pair.steps(|value, next, i, j| {
        area += (i as f64 / n as f64 - j as f64 / m as f64).powi(2) * (next - value);
    });
    (2.0 * area).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_to_scipy() {
        let check = |a: &[f64], b: &[f64], want: f64| {
            assert!((energy(&Pair::new(a, b).unwrap()) - want).abs() < 1e-12);
        };
        check(&[0.0], &[2.0], 2.0);
        check(&[0.0, 8.0], &[0.0, 8.0], 0.0);
        check(&[0.0, 1.0, 2.0], &[1.0, 3.0], 0.881_917_103_688_196_9);
    }
}
