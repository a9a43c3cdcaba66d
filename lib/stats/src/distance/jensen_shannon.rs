//! Jensen-Shannon distance: the root of the mean divergence of two distributions from their middle.
//!
//! Endres and Schindelin, *A new metric for probability distributions* (2003),
//! <https://doi.org/10.1109/TIT.2003.813506>.

use super::kullback_leibler::relative_entropy;

/// The distance with natural logarithms, as `scipy.spatial.distance.jensenshannon`; at most `√ln 2`.
pub fn jensen_shannon(p: &[f64], q: &[f64]) -> f64 {
    terms(p, q).iter().sum::<f64>().max(0.0).sqrt()
}

/// What each category contributes to the square of the distance.
pub fn terms(p: &[f64], q: &[f64]) -> Vec<f64> {
    let (mass_p, mass_q): (f64, f64) = (p.iter().sum(), q.iter().sum());
    let term = |(p, q): (&f64, &f64)| {
        let (p, q) = (p / mass_p, q / mass_q);
        let middle = (p + q) / 2.0;
        (relative_entropy(p, middle) + relative_entropy(q, middle)) / 2.0
    };
    p.iter().zip(q).map(term).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_to_scipy() {
        let check = |p: &[f64], q: &[f64], want: f64| assert!((jensen_shannon(p, q) - want).abs() < 1e-12);
        check(&[0.2, 0.8], &[0.2, 0.8], 0.0);
        check(&[1.0, 0.0], &[0.0, 1.0], 2.0_f64.ln().sqrt());
        check(&[1.0, 0.0], &[0.5, 0.5], 0.464_501_404_022_459);
    }
}
