//! How much more an hour varies than chance allows, and how long such a mood lasts.
//!
//! The moment estimate of the intra-hour correlation (Williams 1982, <https://doi.org/10.2307/2347977>), inflated to its
//! long-run value: moods that last for hours look like changes to a detector that believes in independent hours. Under
//! autocorrelation the bound of the detector is calibrated by this, not proved; [`super::hour_mean`] is proved.

use serde::{Deserialize, Serialize};

use super::share::Hour;

/// Overdispersion of a stream around its baseline.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Dispersion {
    /// Correlation of the rows of one hour.
    pub within: f64,
    /// Correlation of the moods of neighbouring hours.
    pub persistence: f64,
    /// Standard error of the persistence.
    pub persistence_error: f64,
    /// What the detector should be given.
    pub long_run: f64,
}

/// Estimates the dispersion of the hours around their usual shares. Hours without rows are passed over.
pub fn dispersion(hours: &[Hour], shares: &[f64]) -> Dispersion {
    let measured = Measured::of(hours, shares);
    measured.with_persistence(measured.persistence(&[measured]))
}

/// The dispersions of margins that share their moods: classes of one mix, cuts of one score. One persistence for all,
/// for a margin that hardly varies cannot tell its own, and the least sure of many would set off the alarm.
pub fn joint_dispersions(hours: &[Vec<Hour>], shares: &[Vec<f64>]) -> Vec<Dispersion> {
    let margins: Vec<Measured> = hours.iter().zip(shares).map(|(h, s)| Measured::of(h, s)).collect();
    margins.iter().map(|m| m.with_persistence(m.persistence(&margins))).collect()
}

/// What the residuals of one margin show.
#[derive(Clone, Copy)]
struct Measured {
    extra: f64,
    rows: f64,
    hours: f64,
    autocovariance: f64,
}

impl Measured {
    fn of(hours: &[Hour], shares: &[f64]) -> Self {
        let mut residuals: Vec<Option<f64>> = Vec::with_capacity(hours.len());
        let (mut squares, mut rows, mut count) = (0.0, 0.0, 0.0);
        for (hour, &share) in hours.iter().zip(shares) {
            let n = hour.rows as f64;
            let variance = n * share * (1.0 - share);
            let residual = (variance > 0.0).then(|| (hour.hits as f64 - n * share) / variance.sqrt());
            if let Some(z) = residual {
                squares += z * z;
                rows += n;
                count += 1.0;
            }
            residuals.push(residual);
        }
        let extra = if count > 0.0 { squares / count - 1.0 } else { 0.0 };
        let hours = f64::max(count, 1.0);
        Self { extra, rows: rows / hours, hours, autocovariance: autocovariance(&residuals) }
    }

    /// Lag-one covariance over extra variance, of all margins together.
    fn persistence(&self, margins: &[Self]) -> f64 {
        let extra: f64 = margins.iter().map(|m| m.extra.max(0.0)).sum();
        let along: f64 = margins.iter().map(|m| m.autocovariance).sum();
        if self.extra > 0.0 && extra > 0.0 { (along / extra).clamp(0.0, 0.95) } else { 0.0 }
    }

    fn with_persistence(&self, persistence: f64) -> Dispersion {
        let within = (1.1 * self.extra / (self.rows - 1.0).max(1.0)).clamp(1e-5, 0.3);
        let long_run = (within * (1.0 + persistence) / (1.0 - persistence)).min(0.5);
        let error = (1.0 + self.extra) / (self.extra.max(1e-9) * self.hours.sqrt());
        Dispersion { within, persistence, persistence_error: error.min(1.0), long_run }
    }
}

fn autocovariance(residuals: &[Option<f64>]) -> f64 {
    let products: Vec<f64> = residuals.windows(2).filter_map(|w| Some(w[0]? * w[1]?)).collect();
    products.iter().sum::<f64>() / products.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn measure(spread: f64, phi: f64) -> Dispersion {
        let mut rng = Rng::new(8);
        let mut mood = 0.0;
        let hours: Vec<Hour> = (0..20_000)
            .map(|_| {
                mood = phi * mood + (1.0 - phi * phi).sqrt() * rng.normal();
                Hour { hits: rng.binomial(100, (0.3 + spread * mood).clamp(0.0, 1.0)), rows: 100 }
            })
            .collect();
        dispersion(&hours, &vec![0.3; hours.len()])
    }

    #[test]
    fn recovers_the_truth() {
        // A share with variance v has a correlation of v / p(1 - p) within its hour.
        let truth = 0.05_f64.powi(2) / 0.21;
        let (calm, moody) = (measure(0.05, 0.0), measure(0.05, 0.8));
        assert!((calm.within / truth - 1.1).abs() < 0.06 && calm.persistence < 0.05, "{calm:?}");
        assert!((moody.persistence - 0.8).abs() < 0.05 && moody.long_run > 7.0 * moody.within, "{moody:?}");
        assert!(measure(0.0, 0.0).long_run < 5e-3);
    }

    #[test]
    fn nothing_to_measure() {
        assert_eq!(dispersion(&[], &[]).long_run, 1e-5);
        assert_eq!(dispersion(&[Hour { hits: 0, rows: 0 }], &[0.3]).within, 1e-5);
        assert_eq!(dispersion(&[Hour { hits: 5, rows: 5 }], &[1.0]).within, 1e-5);
    }
}
