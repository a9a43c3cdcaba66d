//! Fisher's exact test of two shares.
//!
//! Fisher (1922), <https://doi.org/10.2307/2340521>.

use crate::error::{Reason, Result, ensure};
use crate::result::Test;
use crate::sample::Counts;
use crate::special::ln_choose;

/// Tables this much more likely than the observed one still count as equally likely: rounding must not drop a mirror
/// image (the tolerance of R's `fisher.test`).
const TIE: f64 = 1e-7;

/// The two-sided test: all tables with the same margins that are no more likely than the observed one.
pub fn fisher(counts: &Counts) -> Result<Test> {
    ensure(counts.len() <= 2, Reason::NotBinary { found: counts.len() })?;
    let (n_reference, n_current) = counts.sizes();
    let (hits, rows) = (counts.reference[0], counts.reference.iter().sum::<u64>());
    let all = rows + counts.current.iter().sum::<u64>();
    let successes = hits + counts.current[0];
    let p = if successes == all { 1.0 } else { two_sided(hits, rows, successes, all) };
    Ok(Test { statistic: odds_ratio(counts), p, n_reference, n_current })
}

fn two_sided(hits: u64, rows: u64, successes: u64, all: u64) -> f64 {
    let [rows, successes, all] = [rows, successes, all].map(|x| x as f64);
    let ln_mass =
        |k: f64| ln_choose(successes, k) + ln_choose(all - successes, rows - k) - ln_choose(all, rows);
    let limit = ln_mass(hits as f64) + TIE;
    let (low, high) = ((rows + successes - all).max(0.0) as u64, rows.min(successes) as u64);
    let mass = |k| Some(ln_mass(k as f64)).filter(|&mass| mass <= limit).map_or(0.0, f64::exp);
    (low..=high).map(mass).sum::<f64>().min(1.0)
}

/// Odds of the first category on the reference over those on the current side, with half a row added to each cell, so
/// that an empty one does not make it infinite.
fn odds_ratio(counts: &Counts) -> f64 {
    let cell = |side: &[u64], i: usize| side.get(i).copied().unwrap_or(0) as f64 + 0.5;
    let odds = |side: &[u64]| cell(side, 0) / cell(side, 1);
    odds(&counts.reference) / odds(&counts.current)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::examples::close;

    #[test]
    fn equal_to_scipy() {
        let check = |reference: [u64; 2], current: [u64; 2], p| {
            let counts = Counts::new(&["n", "y"], &reference, &current).unwrap();
            close(&format!("{reference:?} {current:?}"), fisher(&counts).unwrap().p, p);
        };
        check([8, 2], [1, 5], 0.034_965_034_965_034_975);
        check([40, 20], [25, 35], 0.010_015_640_026_179_655);
        check([30, 30], [30, 30], 1.0);
        check([0, 10], [3, 4], 0.051_470_588_235_294_115);
        check([900, 100], [450, 70], 0.048_326_534_035_242_66);
        check([5, 0], [9, 0], 1.0);
    }

    #[test]
    fn three_categories_are_too_many() {
        let three = Counts::new(&["a", "b", "c"], &[1, 1, 1], &[1, 1, 1]).unwrap();
        assert_eq!(fisher(&three), Err(Reason::NotBinary { found: 3 }.into()));
    }
}
