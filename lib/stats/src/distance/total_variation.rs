//! Total variation distance, `½ Σ |p - q|`: the share of rows that would have to change category.

/// The distance of two lists of shares, between zero and one.
pub fn total_variation(p: &[f64], q: &[f64]) -> f64 {
    0.5 * p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(total_variation(&[0.5, 0.5], &[0.5, 0.5]), 0.0);
        assert_eq!(total_variation(&[0.5, 0.5, 0.0], &[0.25, 0.25, 0.5]), 0.5);
    }
}
