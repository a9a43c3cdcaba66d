//! Hellinger distance, `√(1 - Σ √(p q))`.
//!
//! Hellinger, *Neue Begründung der Theorie quadratischer Formen* (1909), <https://doi.org/10.1515/crll.1909.136.210>.

/// The distance of two lists of shares, between zero and one.
pub fn hellinger(p: &[f64], q: &[f64]) -> f64 {
    let overlap: f64 = p.iter().zip(q).map(|(p, q)| (p * q).sqrt()).sum();
    (1.0 - overlap.clamp(0.0, 1.0)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let check = |p: &[f64], q: &[f64], want: f64| assert!((hellinger(p, q) - want).abs() < 1e-12);
        check(&[0.25, 0.75], &[0.25, 0.75], 0.0);
        check(&[1.0, 0.0], &[0.0, 1.0], 1.0);
        check(&[1.0, 0.0], &[0.25, 0.75], 0.5_f64.sqrt());
    }
}
