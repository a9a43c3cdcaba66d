//! Many questions at once: how many of the "yes" are wrong.
//!
//! Benjamini and Hochberg (1995) and Benjamini and Yekutieli (2001) for p-values; Wang and Ramdas,
//! *False discovery rate control with e-values*, <https://arxiv.org/abs/2009.02824>; Xu and Ramdas, *Online multiple
//! testing with e-values*, <https://arxiv.org/abs/2311.06412>.

use serde::{Deserialize, Serialize};

/// What is assumed about how the p-values hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Dependence {
    /// Independent or positively dependent (Benjamini and Hochberg).
    Positive,
    /// Anything (Benjamini and Yekutieli).
    Arbitrary,
}

/// Adjusted p-values: those at most `α` can be called discoveries with a false share of at most `α`.
pub fn adjusted(p: &[f64], dependence: Dependence) -> Vec<f64> {
    let m = p.len();
    let harmonic = match dependence {
        Dependence::Positive => 1.0,
        Dependence::Arbitrary if m > 1 => (1..=m).map(|i| 1.0 / i as f64).sum(),
        Dependence::Arbitrary => 1.0,
    };
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    let mut adjusted = vec![0.0; m];
    let mut least = 1.0_f64;
    for (rank, &i) in order.iter().enumerate().rev() {
        least = least.min(p[i] * harmonic * m as f64 / (rank + 1) as f64);
        adjusted[i] = least;
    }
    adjusted
}

/// e-BH: which of the hypotheses to reject, valid under any dependence. Takes logarithms, for e-values grow large.
pub fn e_bh(log_e: &[f64], alpha: f64) -> Vec<usize> {
    let hypotheses = log_e.len() as f64;
    let mut order: Vec<usize> = (0..log_e.len()).collect();
    order.sort_by(|&i, &j| log_e[j].total_cmp(&log_e[i]));
    let enough = |k: usize| log_e[order[k]] >= (hypotheses / (alpha * (k + 1) as f64)).ln() - 1e-12;
    let rejected = (0..order.len()).rev().find(|&k| enough(k)).map_or(0, |k| k + 1);
    order.truncate(rejected);
    order.sort_unstable();
    order
}

/// e-LOND: hypotheses arrive one after the other, each is decided at once and for good.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ELond {
    alpha: f64,
    seen: u64,
    rejected: u64,
}

impl ELond {
    /// A procedure that keeps the false share of its discoveries at most `alpha`, forever.
    pub fn new(alpha: f64) -> Self {
        Self { alpha, seen: 0, rejected: 0 }
    }

    /// Decides the next hypothesis by the logarithm of its e-value. The budgets `1 / t(t + 1)` sum to one.
    pub fn reject(&mut self, log_e: f64) -> bool {
        self.seen += 1;
        let t = self.seen as f64;
        let level = self.alpha * (self.rejected + 1) as f64 / (t * (t + 1.0));
        let reject = log_e >= -level.ln();
        self.rejected += u64::from(reject);
        reject
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_to_scipy() {
        let check = |p: &[f64], dependence, want: &[f64]| {
            for (ours, want) in adjusted(p, dependence).iter().zip(want) {
                assert!((ours - want).abs() < 1e-12, "{ours} instead of {want}");
            }
        };
        check(&[0.01, 0.04, 0.03], Dependence::Positive, &[0.03, 0.04, 0.04]);
        check(
            &[0.01, 0.04, 0.03],
            Dependence::Arbitrary,
            &[0.055, 0.073_333_333_333_333_33, 0.073_333_333_333_333_33],
        );
        check(&[0.9, 0.8], Dependence::Arbitrary, &[1.0, 1.0]);
        check(&[0.03], Dependence::Arbitrary, &[0.03]);
        check(&[], Dependence::Positive, &[]);
    }

    #[test]
    fn e_bh_steps_up() {
        let check = |e: &[f64], alpha, want: &[usize]| {
            let log_e: Vec<f64> = e.iter().map(|e: &f64| e.ln()).collect();
            assert_eq!(e_bh(&log_e, alpha), want);
        };
        check(&[500.0, 400.0, 300.0], 0.1, &[0, 1, 2]);
        check(&[1.0, 2.0, 3.0, 4.0], 0.1, &[]);
        check(&[1.0, 20.0, 19.0, 1.0], 0.1, &[]);
        check(&[1.0, 20.0, 20.0, 1.0], 0.1, &[1, 2]);
        check(&[], 0.1, &[]);
    }

    #[test]
    fn e_lond_grows_bolder_with_every_discovery() {
        let mut online = ELond::new(0.1);
        let decisions: Vec<bool> =
            [20.0, 59.0, 61.0, 61.0].iter().map(|e: &f64| online.reject(e.ln())).collect();
        assert_eq!(decisions, [true, true, true, true]);
        assert!(!ELond::new(0.1).reject(19.0_f64.ln()));
    }

    /// Section C of `stats-acceptance` in short.
    #[test]
    fn many_streams_few_false_discoveries() {
        use crate::rng::Rng;
        use crate::sequential::share::{Baseline, Hour, ShareDetector};
        let mut rng = Rng::new(4);
        let mut detectors = vec![ShareDetector::new(1e-4).unwrap(); 60];
        let mut flagged = [false; 60];
        for hour in 0..120 {
            for (i, detector) in detectors.iter_mut().enumerate() {
                let share = if i < 6 && hour >= 60 { 0.42 } else { 0.3 };
                let hits = rng.binomial(100, share);
                detector.update(&Baseline { share: 0.3, tolerance: 0.02 }, Hour { hits, rows: 100 }).unwrap();
            }
            let log_e: Vec<f64> = detectors.iter().map(|d| d.log_m() - 120_f64.ln()).collect();
            e_bh(&log_e, 0.1).into_iter().for_each(|i| flagged[i] = true);
        }
        assert!(flagged[..6].iter().all(|f| *f) && flagged[6..].iter().all(|f| !*f));
    }
}
