//! The mix of several classes: each class against the rest.
//!
//! The margin of a Dirichlet-multinomial law is beta-binomial, so that the classes share one engine; the mean of their
//! detectors is a detector again, under any dependence.

use serde::{Deserialize, Serialize};

use super::share::{Baseline, Change, Hour, ShareDetector};
use crate::error::{Reason, Result, ensure};
use crate::special::{ln_gamma, ln_mean_exp};

/// The state of one stream of class counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixDetector {
    classes: Vec<ShareDetector>,
}

impl MixDetector {
    /// A fresh detector; one overdispersion for every class.
    pub fn new(dispersions: &[f64]) -> Result<Self> {
        ensure(!dispersions.is_empty(), Reason::OneCategory)?;
        Ok(Self { classes: dispersions.iter().map(|&d| ShareDetector::new(d)).collect::<Result<_>>()? })
    }

    /// Takes the counts of one hour and gives the logarithm of the detector.
    pub fn update(&mut self, baselines: &[Baseline], counts: &[u64]) -> Result<f64> {
        let rows = counts.iter().sum();
        let margins: Vec<Hour> = counts.iter().map(|&hits| Hour { hits, rows }).collect();
        self.update_margins(baselines, &margins)
    }

    /// Takes one hour by its margins, which need not be disjoint.
    pub(super) fn update_margins(&mut self, baselines: &[Baseline], margins: &[Hour]) -> Result<f64> {
        ensure(
            baselines.len() == self.classes.len() && margins.len() == self.classes.len(),
            Reason::WrongShape,
        )?;
        for ((class, baseline), &hour) in self.classes.iter_mut().zip(baselines).zip(margins) {
            class.update(baseline, hour)?;
        }
        Ok(self.log_m())
    }

    /// Logarithm of the detector; alarm when it reaches `ln A`.
    pub fn log_m(&self) -> f64 {
        ln_mean_exp(&self.classes.iter().map(ShareDetector::log_m).collect::<Vec<_>>())
    }

    /// Logarithm of the Ville process.
    pub fn log_e(&self) -> f64 {
        ln_mean_exp(&self.classes.iter().map(ShareDetector::log_e).collect::<Vec<_>>())
    }

    /// The class that moved most, and how.
    pub fn change(&self) -> (usize, Change) {
        let strongest = (0..self.classes.len())
            .max_by(|&a, &b| self.classes[a].log_m().total_cmp(&self.classes[b].log_m()))
            .unwrap_or(0);
        (strongest, self.classes[strongest].change())
    }

    /// Forgets everything.
    pub fn restart(&mut self) {
        self.classes.iter_mut().for_each(ShareDetector::restart);
    }
}

/// Logarithm of the Dirichlet-multinomial e-value of one table of counts against exact shares: Lindon and Malek,
/// *Anytime-valid inference for multinomial count data*, <https://arxiv.org/abs/2011.03567>.
pub fn log_e(prior: &[f64], shares: &[f64], counts: &[f64]) -> f64 {
    let (mass, rows): (f64, f64) = (prior.iter().sum(), counts.iter().sum());
    let class = |((a, c), p): ((&f64, &f64), &f64)| {
        ln_gamma(a + c) - ln_gamma(*a) - if *c > 0.0 { c * p.ln() } else { 0.0 }
    };
    ln_gamma(mass) - ln_gamma(mass + rows) + prior.iter().zip(counts).zip(shares).map(class).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn alarm(shares: impl Fn(u32) -> [f64; 3], seed: u64) -> Option<(u32, usize)> {
        let mut rng = Rng::new(seed);
        let mut detector = MixDetector::new(&[1e-4; 3]).unwrap();
        let baselines = [0.3, 0.5, 0.2].map(|share| Baseline { share, tolerance: 0.02 });
        (1..=600).find_map(|hour| {
            let mut counts = [0; 3];
            rng.multinomial(100, &shares(hour), &mut counts);
            let m = detector.update(&baselines, &counts).unwrap();
            (m >= 20_000_f64.ln()).then(|| (hour, detector.change().0))
        })
    }

    #[test]
    fn finds_the_class() {
        assert!((0..10).all(|seed| alarm(|_| [0.3, 0.5, 0.2], seed).is_none()));
        for seed in 0..10 {
            let (hour, class) =
                alarm(|hour| if hour > 20 { [0.3, 0.37, 0.33] } else { [0.3, 0.5, 0.2] }, seed).unwrap();
            assert!((21..40).contains(&hour) && class > 0, "{hour} {class}");
        }
    }

    #[test]
    fn e_value_by_hand() {
        // One row: the prior mean over the share.
        assert!((log_e(&[1.0, 3.0], &[0.5, 0.5], &[0.0, 1.0]) - 1.5_f64.ln()).abs() < 1e-12);
        assert_eq!(log_e(&[1.0, 1.0], &[0.0, 1.0], &[0.0, 0.0]), 0.0);
    }
}
