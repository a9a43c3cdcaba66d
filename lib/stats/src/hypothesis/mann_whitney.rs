//! Mann-Whitney: whether one side tends to be larger.
//!
//! Mann and Whitney (1947), <https://doi.org/10.1214/aoms/1177730491>; ties and the continuity correction as in
//! `scipy.stats.mannwhitneyu`.

use crate::error::{Reason, Result, ensure};
use crate::result::Test;
use crate::sample::Pair;
use crate::special::normal_sf;

/// What the test looks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternative {
    /// Either side tends to be larger.
    TwoSided,
    /// The reference tends to be smaller than the current side.
    Less,
}

/// Largest smaller side for which the exact law is used, if there are no ties.
const EXACT_LIMIT: usize = 8;

/// The test; its statistic is the number of pairs in which the reference is larger, ties counting half.
pub fn mann_whitney(pair: &Pair, alternative: Alternative) -> Test {
    let (n, m) = pair.sizes();
    let (statistic, ties) = wins_and_ties(pair);
    let pairs = n as f64 * m as f64;
    let (larger, sides) = match alternative {
        Alternative::TwoSided => (statistic.max(pairs - statistic), 2.0),
        Alternative::Less => (pairs - statistic, 1.0),
    };
    let tail = if n.min(m) <= EXACT_LIMIT && ties == 0.0 {
        exact_sf(n, m, larger as usize)
    } else {
        normal_tail(n as f64, m as f64, larger, ties)
    };
    Test { statistic, p: (sides * tail).clamp(0.0, 1.0), n_reference: n, n_current: m }
}

/// The common-language effect size: the share of pairs in which the current side is larger.
pub fn superiority(pair: &Pair) -> Result<f64> {
    let (n, m) = pair.sizes();
    ensure(n > 0 && m > 0, Reason::EmptyCurrent)?;
    Ok(1.0 - wins_and_ties(pair).0 / (n as f64 * m as f64))
}

/// The statistic and `Σ (t³ - t)` over groups of `t` equal values.
fn wins_and_ties(pair: &Pair) -> (f64, f64) {
    let (n, m) = pair.sizes();
    let (mut wins, mut ties, mut before) = (0.0, 0.0, (0, 0));
    let mut group = |i: usize, j: usize| {
        let (a, b) = ((i - before.0) as f64, (j - before.1) as f64);
        wins += a * (before.1 as f64 + b / 2.0);
        ties += (a + b).powi(3) - (a + b);
        before = (i, j);
    };
    pair.steps(|_, _, i, j| group(i, j));
    group(n, m);
    (wins, ties)
}

fn normal_tail(n: f64, m: f64, larger: f64, ties: f64) -> f64 {
    let all = n + m;
    let spread = (n * m / 12.0 * ((all + 1.0) - ties / (all * (all - 1.0)))).max(0.0).sqrt();
    let distance = larger - n * m / 2.0 - 0.5;
    if spread > 0.0 { normal_sf(distance / spread) } else { 1.0 }
}

/// `P(U ≥ u)` by counting the partitions, kept as shares so that they cannot overflow.
fn exact_sf(n: usize, m: usize, u: usize) -> f64 {
    let (small, large) = (n.min(m), n.max(m));
    let top = small * large;
    let mut ways = vec![0.0; top + 1];
    ways[0] = 1.0;
    for k in 1..=small {
        for i in (large + k..=top).rev() {
            ways[i] -= ways[i - large - k];
        }
        for i in k..=top {
            ways[i] += ways[i - k];
        }
        // Dividing by C(large + k, k) / C(large + k - 1, k - 1) on the way keeps the numbers near one.
        let scale = k as f64 / (large + k) as f64;
        ways.iter_mut().for_each(|w| *w *= scale);
    }
    ways[..=top - u.min(top)].iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::examples::{close, pair};

    #[test]
    #[rustfmt::skip]
    fn equal_to_scipy() {
        let check = |name: &str, statistic, two_sided, less| {
            let test = mann_whitney(&pair(name), Alternative::TwoSided);
            close(name, test.statistic, statistic);
            close(name, test.p, two_sided);
            close(name, mann_whitney(&pair(name), Alternative::Less).p, less);
        };
        check("tiny", 4.0, 0.8, 0.8);
        check("small", 50.0, 0.05392947037277041, 0.026964735186385206);
        check("equal n", 21.0, 0.0933976745287926, 0.0466988372643963);
        check("ties", 1110.5, 0.11988326466176703, 0.05994163233088352);
        check("large", 2521.0, 0.030633212792725347, 0.015316606396362674);
        check("shift", 1600.5, 9.927013328979996e-08, 4.963506664489998e-08);
        check("apart", 0.0, 1.1211096163915445e-12, 5.605548081957723e-13);
        check("constant", 150.0, 1.0, 1.0);
        check("two constants", 0.0, 6.190984109674221e-09, 3.0954920548371105e-09);
    }
}
