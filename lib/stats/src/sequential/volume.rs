//! How much comes in, as a signal of its own: floods, droughts, and the silence of a channel that should be talking.
//!
//! Counts of an hour are negative binomial around their usual size; the bets are that the usual size is multiplied.

use serde::{Deserialize, Serialize};

use super::bank::Bank;
use crate::error::{Result, in_range};

/// Factors by which the volume may have changed; the last is silence.
pub const FACTORS: [f64; 6] = [1.5, 2.5, 6.0, 0.6, 0.3, 0.02];
/// Changes of less than this factor are nobody's business.
const TOLERANCE: f64 = 1.2;

/// The state of one stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VolumeDetector {
    version: u8,
    /// Shape of the negative binomial law; large is Poisson.
    shape: f64,
    bank: Bank,
    silent_hours: u64,
}

impl VolumeDetector {
    /// A fresh detector for counts of the given shape, see [`shape`].
    pub fn new(shape: f64) -> Result<Self> {
        in_range(shape > 0.0 && shape.is_finite(), "the shape of the volume")?;
        Ok(Self { version: 1, shape, bank: Bank::new(FACTORS.len()), silent_hours: 0 })
    }

    /// Takes the rows of one hour, against the usual number, and gives the logarithm of the detector.
    pub fn update(&mut self, usual: f64, rows: u64) -> Result<f64> {
        in_range(usual > 0.0 && usual.is_finite(), "the usual volume")?;
        self.silent_hours = if rows == 0 { self.silent_hours + 1 } else { 0 };
        let edge = |factor: f64| if factor > 1.0 { usual * TOLERANCE } else { usual / TOLERANCE };
        let (n, shape) = (rows as f64, self.shape);
        self.bank.update(FACTORS.map(|f| log_mass(n, usual * f, shape) - log_mass(n, edge(f), shape)));
        Ok(self.log_m())
    }

    /// Logarithm of the detector; alarm when it reaches `ln A`.
    pub fn log_m(&self) -> f64 {
        self.bank.log_m()
    }

    /// Hours since the last row: with an alarm, this is silence.
    pub fn silent_hours(&self) -> u64 {
        self.silent_hours
    }

    /// The factor that gained most, and after which hour.
    pub fn change(&self) -> (f64, u64) {
        let (bet, after) = self.bank.strongest();
        (FACTORS[bet], after)
    }
}

/// Logarithm of the negative binomial mass, up to what cancels in ratios of one shape.
fn log_mass(n: f64, mean: f64, shape: f64) -> f64 {
    n * (mean / (mean + shape)).ln() - shape * (mean / shape).ln_1p()
}

/// The shape that explains how counts vary around their usual sizes, by moments.
pub fn shape(rows: &[u64], usual: &[f64]) -> f64 {
    let (mut extra, mut squares) = (0.0, 0.0);
    for (&n, mean) in rows.iter().zip(usual) {
        extra += (n as f64 - mean).powi(2) - mean;
        squares += mean * mean;
    }
    if extra > 0.0 { (squares / extra).clamp(0.2, 1e5) } else { 1e5 }
}

/// The chance of an hour without rows: a channel that is often silent cannot alarm by it soon.
pub fn chance_of_silence(usual: f64, shape: f64) -> f64 {
    log_mass(0.0, usual, shape).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn alarm(factor: f64, seed: u64) -> Option<u64> {
        let mut rng = Rng::new(seed);
        let mut detector = VolumeDetector::new(10.0).unwrap();
        (1..=500).find(|_| {
            let rate = 40.0 * factor * rng.gamma(10.0) / 10.0;
            detector.update(40.0, rng.poisson(rate)).unwrap() >= 20_000_f64.ln()
        })
    }

    #[test]
    fn floods_droughts_and_silence() {
        assert!((0..10).all(|seed| alarm(1.0, seed).is_none()));
        assert!((0..10).all(|seed| alarm(2.5, seed).is_some_and(|hour| hour < 30)));
        assert!((0..10).all(|seed| alarm(0.4, seed).is_some_and(|hour| hour < 60)));
        let mut silence = VolumeDetector::new(10.0).unwrap();
        let hours = (1..100).find(|_| silence.update(40.0, 0).unwrap() >= 20_000_f64.ln()).unwrap();
        assert!(hours <= 3 && silence.silent_hours() == hours && silence.change().0 == 0.02);
    }

    #[test]
    fn finds_the_shape() {
        let mut rng = Rng::new(3);
        let rows: Vec<u64> = (0..5000)
            .map(|_| {
                let rate = 50.0 * rng.gamma(4.0) / 4.0;
                rng.poisson(rate)
            })
            .collect();
        assert!((shape(&rows, &vec![50.0; 5000]) - 4.0).abs() < 0.4);
        assert_eq!(shape(&[], &[]), 1e5);
        assert!((chance_of_silence(2.0, 1e5) - (-2.0_f64).exp()).abs() < 1e-4);
        assert!(
            VolumeDetector::new(0.0).is_err() && VolumeDetector::new(1.0).unwrap().update(0.0, 1).is_err()
        );
    }
}
