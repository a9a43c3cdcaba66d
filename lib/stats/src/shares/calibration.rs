//! Temperature and vector scaling: making probabilities mean what they say.
//!
//! Guo et al., *On calibration of modern neural networks*, <https://arxiv.org/abs/1706.04599>.

use serde::{Deserialize, Serialize};

use crate::error::{Reason, Result, ensure, in_range};

/// Probabilities below this are taken to be this, for their logarithm is needed.
const FLOOR: f64 = 1e-12;

/// `softmax(scale · ln p + shift)`: one scale for all classes, or one for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaling {
    scale: Vec<f64>,
    shift: Vec<f64>,
}

impl Scaling {
    /// One temperature for all classes, by the likelihood of the validation labels. Ranks stay as they are.
    pub fn temperature(probabilities: &[Vec<f64>], labels: &[usize]) -> Result<Self> {
        let logits = checked_logits(probabilities, labels)?;
        let classes = logits[0].len();
        let with = |scale: f64| Self { scale: vec![scale; classes], shift: vec![0.0; classes] };
        let (mut low, mut high) = (0.02_f64.ln(), 20.0_f64.ln());
        // The loss is convex in the inverse temperature, so that the golden section cannot miss.
        let golden = (5.0_f64.sqrt() - 1.0) / 2.0;
        for _ in 0..36 {
            let (a, b) = (high - golden * (high - low), low + golden * (high - low));
            if with(a.exp()).loss(&logits, labels) < with(b.exp()).loss(&logits, labels) {
                high = b;
            } else {
                low = a;
            }
        }
        Ok(with(((low + high) / 2.0).exp()))
    }

    /// A scale and a shift for every class, by gradient descent with a small ridge towards doing nothing.
    pub fn vector(probabilities: &[Vec<f64>], labels: &[usize]) -> Result<Self> {
        let logits = checked_logits(probabilities, labels)?;
        let mut scaling = Self::temperature(probabilities, labels)?;
        let mut step = 1.0;
        let mut loss = scaling.ridge_loss(&logits, labels);
        for _ in 0..300 {
            let next = scaling.descended(&logits, labels, step);
            let next_loss = next.ridge_loss(&logits, labels);
            if next_loss < loss {
                let gain = loss - next_loss;
                (scaling, loss, step) = (next, next_loss, step * 1.5);
                if gain < 1e-9 {
                    break;
                }
            } else {
                step /= 2.0;
            }
        }
        Ok(scaling)
    }

    /// The temperature, where one was fitted: above one, the model was overconfident.
    pub fn temperature_of_first(&self) -> f64 {
        1.0 / self.scale[0]
    }

    /// The calibrated probabilities of one row.
    pub fn apply(&self, probabilities: &[f64]) -> Vec<f64> {
        self.scaled(&logits(probabilities))
    }

    fn scaled(&self, logits: &[f64]) -> Vec<f64> {
        let at = |i: usize, values: &[f64], other: f64| values.get(i).copied().unwrap_or(other);
        let moved: Vec<f64> = logits
            .iter()
            .enumerate()
            .map(|(i, l)| at(i, &self.scale, 1.0) * l + at(i, &self.shift, 0.0))
            .collect();
        softmax(&moved)
    }

    fn loss(&self, logits: &[Vec<f64>], labels: &[usize]) -> f64 {
        let row = |(logits, &label): (&Vec<f64>, &usize)| -self.scaled(logits)[label].max(FLOOR).ln();
        logits.iter().zip(labels).map(row).sum::<f64>() / labels.len() as f64
    }

    fn ridge_loss(&self, logits: &[Vec<f64>], labels: &[usize]) -> f64 {
        let ridge: f64 = self.shift.iter().map(|b| b * b).sum::<f64>()
            + self.scale.iter().map(|a| (a - 1.0).powi(2)).sum::<f64>();
        self.loss(logits, labels) + ridge / (2.0 * labels.len() as f64)
    }

    fn descended(&self, logits: &[Vec<f64>], labels: &[usize], step: f64) -> Self {
        let mut next = self.clone();
        let rate = step / labels.len() as f64;
        for i in 0..self.scale.len() {
            next.scale[i] -= rate * (self.scale[i] - 1.0);
            next.shift[i] -= rate * self.shift[i];
        }
        for (row, &label) in logits.iter().zip(labels) {
            for (i, p) in self.scaled(row).iter().enumerate() {
                let error = p - f64::from(u8::from(i == label));
                next.scale[i] -= rate * error * row[i];
                next.shift[i] -= rate * error;
            }
        }
        next
    }
}

fn checked_logits(probabilities: &[Vec<f64>], labels: &[usize]) -> Result<Vec<Vec<f64>>> {
    ensure(!labels.is_empty(), Reason::EmptyReference)?;
    ensure(probabilities.len() == labels.len(), Reason::WrongShape)?;
    let classes = probabilities[0].len();
    ensure(probabilities.iter().all(|row| row.len() == classes), Reason::WrongShape)?;
    ensure(labels.iter().all(|&label| label < classes), Reason::WrongShape)?;
    in_range(probabilities.iter().flatten().all(|p| p.is_finite() && *p >= 0.0), "a probability")?;
    Ok(probabilities.iter().map(|row| logits(row)).collect())
}

fn logits(probabilities: &[f64]) -> Vec<f64> {
    probabilities.iter().map(|p| p.max(FLOOR).ln()).collect()
}

fn softmax(logits: &[f64]) -> Vec<f64> {
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let powers: Vec<f64> = logits.iter().map(|l| (l - top).exp()).collect();
    let mass: f64 = powers.iter().sum();
    powers.iter().map(|p| p / mass).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overconfident() -> (Vec<Vec<f64>>, Vec<usize>) {
        // Says 96 %, is right in 80 %: the true temperature is logit(.96) / logit(.8) = 2.29.
        let labels: Vec<usize> = (0..500).map(|i| usize::from(i % 2 == 0)).collect();
        let says = |(i, &label): (usize, &usize)| {
            if (i / 2 % 5 != 0) == (label == 0) { vec![0.96, 0.04] } else { vec![0.04, 0.96] }
        };
        (labels.iter().enumerate().map(says).collect(), labels)
    }

    #[test]
    fn finds_the_temperature() {
        let (rows, labels) = overconfident();
        let scaling = Scaling::temperature(&rows, &labels).unwrap();
        assert!((scaling.temperature_of_first() - 2.2925).abs() < 1e-3);
        assert!((scaling.apply(&[0.96, 0.04])[0] - 0.8).abs() < 1e-4);
        assert!((Scaling::vector(&rows, &labels).unwrap().apply(&[0.96, 0.04])[0] - 0.8).abs() < 0.02);
    }

    #[test]
    fn what_cannot_be_scaled() {
        assert!(Scaling::temperature(&[], &[]).is_err());
        assert!(Scaling::temperature(&[vec![0.5, 0.5]], &[2]).is_err());
        assert!(Scaling::temperature(&[vec![f64::NAN, 0.5]], &[0]).is_err());
    }
}
