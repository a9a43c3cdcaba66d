//! L-infinity distance, `max |p - q|`: the largest change of any one share.

/// The distance of two lists of shares, between zero and one.
pub fn l_infinity(p: &[f64], q: &[f64]) -> f64 {
    p.iter().zip(q).map(|(p, q)| (p - q).abs()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(l_infinity(&[0.5, 0.5], &[0.5, 0.5]), 0.0);
        assert_eq!(l_infinity(&[0.5, 0.5, 0.0], &[0.25, 0.5, 0.25]), 0.25);
    }
}
