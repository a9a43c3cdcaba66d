//! Mix and rate: how much of a change is "other people talk" and how much is "they talk differently".
//!
//! Kitagawa, *Components of a difference between two rates* (1955), <https://doi.org/10.1080/01621459.1955.10501299>,
//! centred, so that the terms of a group do not depend on where zero lies.

use serde::{Deserialize, Serialize};

use crate::error::{Reason, Result, ensure};

/// One group (a channel, an aspect) on both sides.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Rows in the reference.
    pub n_reference: f64,
    /// Rate in the reference.
    pub rate_reference: f64,
    /// Rows on the current side.
    pub n_current: f64,
    /// Rate on the current side.
    pub rate_current: f64,
}

/// What one group contributes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// By weighing more or less than before.
    pub mix: f64,
    /// By having another rate than before.
    pub rate: f64,
}

/// The whole change and its parts, which sum to it exactly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decomposition {
    /// One part a group, in the order of the groups.
    pub parts: Vec<Part>,
    /// Change of the overall rate.
    pub total: f64,
}

/// Splits the change of an overall rate over the groups.
pub fn mix_rate(groups: &[Group]) -> Result<Decomposition> {
    let proper = |g: &Group| [g.n_reference, g.n_current].iter().all(|n| n.is_finite() && *n >= 0.0);
    ensure(groups.iter().all(proper), Reason::OutOfRange { what: "the size of a group".into() })?;
    let n: f64 = groups.iter().map(|g| g.n_reference).sum();
    let m: f64 = groups.iter().map(|g| g.n_current).sum();
    ensure(n > 0.0, Reason::EmptyReference)?;
    ensure(m > 0.0, Reason::EmptyCurrent)?;
    let shares: Vec<_> = groups.iter().map(|g| filled(g, n, m)).collect();
    let centre: f64 = shares.iter().map(|s| (s.0 + s.1) / 2.0 * (s.2 + s.3) / 2.0).sum();
    let part = |&(w0, w1, r0, r1): &(f64, f64, f64, f64)| Part {
        mix: (w1 - w0) * ((r0 + r1) / 2.0 - centre),
        rate: (r1 - r0) * (w0 + w1) / 2.0,
    };
    let total = shares.iter().map(|s| s.1 * s.3 - s.0 * s.2).sum();
    Ok(Decomposition { parts: shares.iter().map(part).collect(), total })
}

/// Weights and rates of a group; where a side has no rows its rate is taken to be the other side's, so that a new group
/// is all mix.
fn filled(group: &Group, n: f64, m: f64) -> (f64, f64, f64, f64) {
    let (r0, r1) = match (group.n_reference > 0.0, group.n_current > 0.0) {
        (true, true) => (group.rate_reference, group.rate_current),
        (true, false) => (group.rate_reference, group.rate_reference),
        (false, true) => (group.rate_current, group.rate_current),
        (false, false) => (0.0, 0.0),
    };
    (group.n_reference / n, group.n_current / m, r0, r1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(n0: f64, r0: f64, n1: f64, r1: f64) -> Group {
        Group { name: String::new(), n_reference: n0, rate_reference: r0, n_current: n1, rate_current: r1 }
    }

    #[test]
    fn parts_sum_to_the_change() {
        let check = |groups: &[Group], mix: &[f64], rate: &[f64]| {
            let ours = mix_rate(groups).unwrap();
            for (i, part) in ours.parts.iter().enumerate() {
                assert!((part.mix - mix[i]).abs() < 1e-12 && (part.rate - rate[i]).abs() < 1e-12, "{ours:?}");
            }
            let sum: f64 = ours.parts.iter().map(|p| p.mix + p.rate).sum();
            assert!((sum - ours.total).abs() < 1e-12);
        };
        check(&[group(50.0, 0.2, 50.0, 0.4), group(50.0, 0.2, 50.0, 0.2)], &[0.0, 0.0], &[0.1, 0.0]);
        check(&[group(50.0, 0.0, 25.0, 0.0), group(50.0, 1.0, 75.0, 1.0)], &[0.15625, 0.09375], &[0.0, 0.0]);
        check(&[group(10.0, 0.5, 10.0, 0.5), group(0.0, f64::NAN, 10.0, 0.7)], &[0.025, 0.075], &[0.0, 0.0]);
    }

    #[test]
    fn no_rows_no_parts() {
        assert_eq!(mix_rate(&[]), Err(Reason::EmptyReference.into()));
        assert_eq!(mix_rate(&[group(1.0, 0.5, 0.0, 0.5)]), Err(Reason::EmptyCurrent.into()));
    }
}
