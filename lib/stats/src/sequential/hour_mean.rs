//! The detector that assumes nothing: each hour is one bounded number, and only its conditional mean is bet on.
//!
//! Waudby-Smith and Ramdas, <https://arxiv.org/abs/2010.09686>. No law of the counts, no independence, no
//! overdispersion to estimate: `T / A` is a theorem. The price is patience: some 95 hours for ten points.

use serde::{Deserialize, Serialize};

use super::bank::Bank;
use super::share::{Baseline, Hour};
use crate::error::{Result, in_range};

/// Stakes, as shares of what may be staked at all. Small ones last, large ones hurry.
const STAKES: [f64; 4] = [0.1, 0.2, 0.35, 0.6];

/// The state of one stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HourMeanDetector {
    version: u8,
    bank: Bank,
}

impl Default for HourMeanDetector {
    fn default() -> Self {
        Self { version: 1, bank: Bank::new(2 * STAKES.len()) }
    }
}

impl HourMeanDetector {
    /// Takes one hour and gives the logarithm of the detector.
    pub fn update(&mut self, baseline: &Baseline, hour: Hour) -> Result<f64> {
        in_range((0.0..=1.0).contains(&baseline.share), "the baseline share")?;
        in_range(hour.hits <= hour.rows, "the number of hits")?;
        if hour.rows == 0 {
            self.bank.update([0.0; 2 * STAKES.len()]);
            return Ok(self.log_m());
        }
        let mean = hour.hits as f64 / hour.rows as f64;
        let high = (baseline.share + baseline.tolerance).clamp(0.001, 0.999);
        let low = (baseline.share - baseline.tolerance).clamp(0.001, 0.999);
        let rise = STAKES.map(|stake| (stake / high * (mean - high)).ln_1p());
        let fall = STAKES.map(|stake| (stake / (1.0 - low) * (low - mean)).ln_1p());
        self.bank.update(rise.into_iter().chain(fall));
        Ok(self.log_m())
    }

    /// Logarithm of the detector; alarm when it reaches `ln A`.
    pub fn log_m(&self) -> f64 {
        self.bank.log_m()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn alarm(share: f64, seed: u64) -> Option<u32> {
        let mut rng = Rng::new(seed);
        let mut detector = HourMeanDetector::default();
        (1..=1000).find(|_| {
            let hour = Hour { hits: rng.binomial(100, share), rows: 100 };
            let m = detector.update(&Baseline { share: 0.3, tolerance: 0.02 }, hour).unwrap();
            m >= 20_000_f64.ln()
        })
    }

    #[test]
    fn slow_but_sure() {
        assert!((0..10).all(|seed| alarm(0.3, seed).is_none()));
        assert!((0..10).all(|seed| alarm(0.4, seed).is_some_and(|hour| hour < 130)));
        assert!((0..10).all(|seed| alarm(0.15, seed).is_some()));
    }
}
