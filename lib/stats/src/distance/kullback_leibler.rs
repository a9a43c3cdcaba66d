//! Kullback-Leibler divergence, `Σ p ln(p / q)`.
//!
//! Kullback and Leibler, *On information and sufficiency* (1951), <https://doi.org/10.1214/aoms/1177729694>.

/// The divergence of `q` from `p`, as `scipy.stats.entropy(p, q)`: both are made to sum to one first.
pub fn kullback_leibler(p: &[f64], q: &[f64]) -> f64 {
    let (mass_p, mass_q): (f64, f64) = (p.iter().sum(), q.iter().sum());
    p.iter().zip(q).map(|(p, q)| relative_entropy(p / mass_p, q / mass_q)).sum()
}

/// `p ln(p / q)`, and zero where `p` is.
pub(crate) fn relative_entropy(p: f64, q: f64) -> f64 {
    if p > 0.0 { p * (p / q).ln() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_to_scipy() {
        let check = |p: &[f64], q: &[f64], want: f64| assert!((kullback_leibler(p, q) - want).abs() < 1e-12);
        check(&[0.5, 0.5], &[0.5, 0.5], 0.0);
        check(&[1.0, 1.0], &[1.0, 3.0], 0.143_841_036_225_890_45);
        check(&[0.0, 1.0], &[0.5, 0.5], 2.0_f64.ln());
    }
}
