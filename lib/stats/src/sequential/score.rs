//! A numeric score, by where its rows fall among the quantiles of the reference.
//!
//! At each cut the share of rows below is watched. The cuts see shifts, spreads and tails; nothing is assumed about the
//! shape of the scores.

use serde::{Deserialize, Serialize};

use super::mix::MixDetector;
use super::share::{Baseline, Change, Hour};
use crate::error::{Reason, Result, ensure};
use crate::histogram::{count_cuts, quantile_cuts};
use crate::sample::sorted;

/// Where a score is cut: at most nine deciles, fewer where many rows are equal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cuts(Vec<f64>);

impl Cuts {
    /// The deciles of the reference; needs some variation.
    pub fn deciles(reference: &[f64]) -> Result<Self> {
        let reference = sorted(reference);
        ensure(!reference.is_empty(), Reason::EmptyReference)?;
        let mut cuts = quantile_cuts(&reference, 10);
        cuts.retain(|cut| *cut < reference[reference.len() - 1]);
        ensure(!cuts.is_empty(), Reason::NoVariation)?;
        Ok(Self(cuts))
    }

    /// Number of cuts.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Never: a score without a cut is refused.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For each cut, how many of the rows lie at or below it.
    pub fn below(&self, scores: &[f64]) -> Vec<Hour> {
        let scores = sorted(scores);
        let mut hits = 0;
        let counts = count_cuts(&scores, &self.0);
        let hour = |count: &u64| {
            hits += count;
            Hour { hits, rows: scores.len() as u64 }
        };
        counts[..self.0.len()].iter().map(hour).collect()
    }
}

/// The state of one stream of scores.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoreDetector {
    cuts: Cuts,
    detector: MixDetector,
}

impl ScoreDetector {
    /// A fresh detector with one overdispersion for every cut.
    pub fn new(cuts: Cuts, dispersions: &[f64]) -> Result<Self> {
        ensure(cuts.len() == dispersions.len(), Reason::WrongShape)?;
        Ok(Self { cuts, detector: MixDetector::new(dispersions)? })
    }

    /// Takes the scores of one hour and gives the logarithm of the detector.
    pub fn update(&mut self, baselines: &[Baseline], scores: &[f64]) -> Result<f64> {
        self.detector.update_margins(baselines, &self.cuts.below(scores))
    }

    /// Logarithm of the detector; alarm when it reaches `ln A`.
    pub fn log_m(&self) -> f64 {
        self.detector.log_m()
    }

    /// The value at which the share below moved most, and how.
    pub fn change(&self) -> (f64, Change) {
        let (cut, change) = self.detector.change();
        (self.cuts.0[cut], change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn sees_location_and_spread() {
        let mut rng = Rng::new(1);
        let reference: Vec<f64> = (0..50_000).map(|_| rng.normal()).collect();
        let cuts = Cuts::deciles(&reference).unwrap();
        let shares: Vec<f64> = cuts.below(&reference).iter().map(|h| h.hits as f64 / h.rows as f64).collect();
        let baselines: Vec<Baseline> =
            shares.iter().map(|&share| Baseline { share, tolerance: 0.02 }).collect();
        let mut alarm = |location: f64, spread: f64| {
            let mut detector = ScoreDetector::new(cuts.clone(), &[1e-4; 9]).unwrap();
            (1..=300).find(|_| {
                let hour: Vec<f64> = (0..100).map(|_| location + spread * rng.normal()).collect();
                detector.update(&baselines, &hour).unwrap() >= 20_000_f64.ln()
            })
        };
        assert_eq!(alarm(0.0, 1.0), None);
        assert!(alarm(0.4, 1.0).is_some_and(|hour| hour < 12));
        assert!(alarm(0.0, 1.6).is_some_and(|hour| hour < 20));
    }

    #[test]
    fn what_has_no_cuts() {
        assert_eq!(Cuts::deciles(&[f64::NAN]), Err(Reason::EmptyReference.into()));
        assert_eq!(Cuts::deciles(&[2.0; 50]), Err(Reason::NoVariation.into()));
        assert_eq!(Cuts::deciles(&[1.0, 1.0, 2.0]).unwrap().len(), 1);
    }
}
