//! Population stability index, `Σ (p - q) ln(p / q)`: the symmetric Kullback-Leibler divergence.
//!
//! Yurdakul and Naranjo, *Statistical properties of the population stability index* (2020),
//! <https://doi.org/10.21314/JRMV.2020.227>.

/// The index of two lists of positive shares. An empty bin makes it infinite: smooth first.
pub fn psi(p: &[f64], q: &[f64]) -> f64 {
    terms(p, q).iter().sum()
}

/// What each bin contributes; none is negative.
pub fn terms(p: &[f64], q: &[f64]) -> Vec<f64> {
    p.iter().zip(q).map(|(p, q)| if p == q { 0.0 } else { (p - q) * (p / q).ln() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let check = |p: &[f64], q: &[f64], want: f64| assert!((psi(p, q) - want).abs() < 1e-12);
        check(&[0.5, 0.5], &[0.5, 0.5], 0.0);
        check(&[0.5, 0.5], &[0.25, 0.75], 0.25 * 3.0_f64.ln());
        check(&[0.0, 1.0], &[0.0, 1.0], 0.0);
        assert_eq!(psi(&[0.0, 1.0], &[0.5, 0.5]), f64::INFINITY);
    }
}
