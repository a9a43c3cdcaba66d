//! Harmful shift: alarms when the error grows, and stays silent when only the inputs change.
//!
//! Podkopaev and Ramdas, *Tracking the risk of a deployed model*, <https://arxiv.org/abs/2110.06177>: human-checked items
//! are bets that the error is above what validation allowed. Looking after every item costs nothing.

use serde::{Deserialize, Serialize};

use crate::error::{Result, in_range};
use crate::interval::clopper_pearson;
use crate::special::ln_mean_exp;

/// By how much the error may have grown, for the bets.
const RISES: [f64; 4] = [0.04, 0.08, 0.12, 0.2];

/// The state of one model: constant in size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HarmfulShift {
    version: u8,
    /// The error that validation still allows, tolerance included.
    allowed: f64,
    log_threshold: f64,
    log_wealth: [f64; RISES.len()],
    alarmed: bool,
    n: u64,
}

impl HarmfulShift {
    /// Learns what is allowed from `errors` among `rows` validation rows; `tolerance` is a rise that nobody minds. Half of
    /// `alpha` is spent on the bound of the validation error, half on the bets.
    pub fn new(errors: u64, rows: u64, tolerance: f64, alpha: f64) -> Result<Self> {
        in_range(alpha > 0.0 && alpha < 1.0, "the chance of a false alarm")?;
        in_range((0.0..1.0).contains(&tolerance), "the tolerance")?;
        // A one-sided bound at alpha / 2 is the upper end of a two-sided interval at 1 - alpha.
        let bound = clopper_pearson(errors, rows, 1.0 - alpha)?.interval.high;
        let allowed = (bound + tolerance).min(0.999);
        let log_threshold = (2.0 / alpha).ln();
        Ok(Self { version: 1, allowed, log_threshold, log_wealth: [0.0; RISES.len()], alarmed: false, n: 0 })
    }

    /// Takes one human-checked item; true once the error is proved to have grown, for good.
    pub fn update(&mut self, wrong: bool) -> bool {
        self.n += 1;
        for (wealth, rise) in self.log_wealth.iter_mut().zip(RISES) {
            let bet = (self.allowed + rise).min(0.9995);
            *wealth +=
                if wrong { (bet / self.allowed).ln() } else { ((1.0 - bet) / (1.0 - self.allowed)).ln() };
        }
        self.alarmed |= ln_mean_exp(&self.log_wealth) >= self.log_threshold;
        self.alarmed
    }

    /// The error that is still allowed.
    pub fn allowed(&self) -> f64 {
        self.allowed
    }

    /// Items taken.
    pub fn n(&self) -> u64 {
        self.n
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn labels(error: f64, most: u64, seed: u64) -> Option<u64> {
        let mut rng = Rng::new(seed);
        let mut watch = HarmfulShift::new(rng.binomial(20_000, 0.05), 20_000, 0.0, 0.05).unwrap();
        (1..=most).find(|_| watch.update(rng.chance(error)))
    }

    #[test]
    fn silent_when_harmless_and_quick_when_not() {
        assert!((0..100).filter(|&seed| labels(0.05, 3000, seed).is_some()).count() <= 5);
        let mut found: Vec<u64> = (0..101).map(|seed| labels(0.15, 3000, seed).unwrap()).collect();
        found.sort_unstable();
        assert!(found[50] <= 75, "{}", found[50]);
    }

    #[test]
    fn what_cannot_be_watched() {
        assert!(HarmfulShift::new(0, 0, 0.0, 0.05).is_err());
        assert!(HarmfulShift::new(1, 10, f64::NAN, 0.05).is_err());
        assert!(HarmfulShift::new(10, 10, 0.0, 0.05).unwrap().allowed() < 1.0);
    }
}
