//! Prediction-powered means: few human labels and many machine answers make one honest interval.
//!
//! Angelopoulos et al., *Prediction-powered inference*, <https://arxiv.org/abs/2301.09633>; Angelopoulos, Duchi and
//! Zrnic, *PPI++*, <https://arxiv.org/abs/2311.01453>; how little the machine may help: <https://arxiv.org/abs/2505.20178>.
//! For small samples λ is cross-fitted and the normal law becomes Student's; both are ours.

use serde::{Deserialize, Serialize};

use crate::error::{Reason, Result, ensure, in_range};
use crate::interval::{check_level, weighted_wilson};
use crate::result::{Estimate, Interval};
use crate::sample::moments;
use crate::special::{normal_quantile, t_quantile};

/// Below so many human labels the machine's help cannot be judged.
const FEWEST_LABELS: usize = 20;

/// One item that a human has looked at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// What the human said.
    pub human: f64,
    /// What the machine said.
    pub machine: f64,
    /// One over the probability with which the item was picked for review; 1 for a plain random pick. Items that users
    /// picked because they looked wrong have no such probability, and no place here.
    pub weight: f64,
}

/// What the machine said about the items that no human has seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// Number of items.
    pub n: usize,
    /// Mean answer.
    pub mean: f64,
    /// Variance of the answers, divided by `n`.
    pub variance: f64,
}

impl Machine {
    /// Summarises answers.
    pub fn of(answers: &[f64]) -> Result<Self> {
        ensure(!answers.is_empty(), Reason::EmptyCurrent)?;
        let (mean, variance) = moments(answers, 0.0);
        Ok(Self { n: answers.len(), mean, variance })
    }
}

/// How the estimate came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Human labels, helped by the machine.
    PredictionPowered,
    /// Human labels alone: there are too few, or the machine knows too little.
    HumanOnly,
}

/// A mean, and what it rests on.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Mean {
    /// The mean and its interval; `n` counts human labels.
    pub estimate: Estimate,
    /// Whether the machine helped.
    pub basis: Basis,
    /// How much the machine was trusted, from 0 to 1.
    pub lambda: f64,
}

/// The mean of what humans would say about all items.
pub fn mean(labels: &[Label], machine: &Machine, level: f64) -> Result<Mean> {
    check(labels, machine, level)?;
    if labels.len() < FEWEST_LABELS || !machine_helps(labels) {
        return human_only(labels, level);
    }
    let lambda = cross_fitted(labels, machine);
    let residuals: Vec<f64> =
        labels.iter().zip(&lambda).map(|(l, lambda)| l.human - lambda * l.machine).collect();
    let mass: f64 = labels.iter().map(|l| l.weight).sum();
    let trust = labels.iter().zip(&lambda).map(|(l, lambda)| l.weight * lambda).sum::<f64>() / mass;
    let (rectifier, variance) = weighted_mean(labels, &residuals);
    let value = trust * machine.mean + rectifier;
    let error = (variance + trust * trust * machine.variance / machine.n as f64).sqrt();
    ensure(error > 0.0, Reason::NoVariation)?;
    let half = t_quantile(0.5 + level / 2.0, labels.len() as f64 - 1.0) * error;
    let interval = Interval { low: value - half, high: value + half, level };
    let estimate = Estimate { value, interval, n: labels.len() };
    Ok(Mean { estimate, basis: Basis::PredictionPowered, lambda: trust })
}

fn check(labels: &[Label], machine: &Machine, level: f64) -> Result<()> {
    check_level(level)?;
    ensure(!labels.is_empty(), Reason::EmptyReference)?;
    ensure(machine.n > 0, Reason::EmptyCurrent)?;
    let proper =
        |l: &Label| l.human.is_finite() && l.machine.is_finite() && l.weight.is_finite() && l.weight > 0.0;
    in_range(labels.iter().all(proper), "a label or its weight")?;
    in_range(machine.mean.is_finite() && machine.variance >= 0.0, "the machine's mean or variance")
}

/// A correlation of less than `1/√(n - 2)` cannot be told from none, and would only add noise.
fn machine_helps(labels: &[Label]) -> bool {
    let (covariance, human, machine) = second_moments(labels);
    let correlation = covariance / (human * machine).sqrt();
    correlation.abs() >= 1.0 / (labels.len() as f64 - 2.0).sqrt()
}

/// Covariance and variances of human and machine answers, weighted.
fn second_moments(labels: &[Label]) -> (f64, f64, f64) {
    let mass: f64 = labels.iter().map(|l| l.weight).sum();
    let average = |f: &dyn Fn(&Label) -> f64| labels.iter().map(|l| l.weight * f(l)).sum::<f64>() / mass;
    let (human, machine) = (average(&|l| l.human), average(&|l| l.machine));
    (
        average(&|l| (l.human - human) * (l.machine - machine)),
        average(&|l| (l.human - human).powi(2)),
        average(&|l| (l.machine - machine).powi(2)),
    )
}

/// The best λ for each row, learnt from the other half of the rows.
fn cross_fitted(labels: &[Label], machine: &Machine) -> Vec<f64> {
    let fold = |parity: usize| -> Vec<Label> {
        labels.iter().enumerate().filter(|(i, _)| i % 2 == parity).map(|(_, l)| *l).collect()
    };
    let trust = [best_lambda(&fold(1), labels.len(), machine), best_lambda(&fold(0), labels.len(), machine)];
    (0..labels.len()).map(|i| trust[i % 2]).collect()
}

fn best_lambda(labels: &[Label], n: usize, machine: &Machine) -> f64 {
    let (covariance, _, own) = second_moments(labels);
    let (a, b) = (labels.len() as f64, machine.n as f64);
    let own_mean = labels.iter().map(|l| l.machine).sum::<f64>() / a;
    let between = (own_mean - machine.mean).powi(2) * a * b / (a + b);
    let pooled = (own * a + machine.variance * b + between) / (a + b);
    let lambda = covariance / ((1.0 + n as f64 / b) * pooled);
    if lambda.is_nan() { 0.0 } else { lambda.clamp(0.0, 1.0) }
}

/// The weighted mean of a value per label and the variance of that mean.
fn weighted_mean(labels: &[Label], values: &[f64]) -> (f64, f64) {
    let mass: f64 = labels.iter().map(|l| l.weight).sum();
    let mean = labels.iter().zip(values).map(|(l, v)| l.weight * v).sum::<f64>() / mass;
    let squares: f64 = labels.iter().zip(values).map(|(l, v)| (l.weight * (v - mean)).powi(2)).sum();
    let n = labels.len() as f64;
    (mean, squares / (mass * mass) * n / (n - 1.0))
}

/// Wilson for yes-or-no labels, with the effective number of rows where they carry weights; Student's t otherwise.
fn human_only(labels: &[Label], level: f64) -> Result<Mean> {
    let answers: Vec<f64> = labels.iter().map(|l| l.human).collect();
    let mass: f64 = labels.iter().map(|l| l.weight).sum();
    let effective = mass * mass / labels.iter().map(|l| l.weight * l.weight).sum::<f64>();
    let estimate = if answers.iter().all(|y| *y == 0.0 || *y == 1.0) {
        let share = labels.iter().map(|l| l.weight * l.human).sum::<f64>() / mass;
        Estimate { n: labels.len(), ..weighted_wilson((share * effective).min(effective), effective, level)? }
    } else {
        ensure(labels.len() >= 2, Reason::TooFewRows { needed: 2, found: labels.len() })?;
        let (value, variance) = weighted_mean(labels, &answers);
        let half = t_quantile(0.5 + level / 2.0, labels.len() as f64 - 1.0) * variance.sqrt();
        Estimate {
            value,
            interval: Interval { low: value - half, high: value + half, level },
            n: labels.len(),
        }
    };
    Ok(Mean { estimate, basis: Basis::HumanOnly, lambda: 0.0 })
}

/// The plain PPI++ interval, as `ppi_py.ppi_mean_ci`: normal law, weights ignored, λ given or from the same rows. With
/// λ = 0 it is the classical interval of the human labels.
pub fn plain_with(labels: &[Label], machine: &Machine, lambda: Option<f64>, level: f64) -> Result<Mean> {
    check(labels, machine, level)?;
    let lambda = lambda.map_or_else(|| plain_lambda(labels, machine), Ok)?;
    let (n, m) = (labels.len() as f64, machine.n as f64);
    let residuals: Vec<f64> = labels.iter().map(|l| l.human - lambda * l.machine).collect();
    let (rectifier, variance) = moments(&residuals, 0.0);
    let value = lambda * machine.mean + rectifier;
    let half =
        normal_quantile(0.5 + level / 2.0) * (variance / n + lambda * lambda * machine.variance / m).sqrt();
    let interval = Interval { low: value - half, high: value + half, level };
    let estimate = Estimate { value, interval, n: labels.len() };
    Ok(Mean { estimate, basis: Basis::PredictionPowered, lambda })
}

fn plain_lambda(labels: &[Label], machine: &Machine) -> Result<f64> {
    let (covariance, _, own) = second_moments(labels);
    let (n, m) = (labels.len() as f64, machine.n as f64);
    let own_mean = labels.iter().map(|l| l.machine).sum::<f64>() / n;
    let between = (own_mean - machine.mean).powi(2) * n * m / (n + m);
    let pooled = (own * n + machine.variance * m + between) / (n + m - 1.0);
    ensure(pooled > 0.0, Reason::NoVariation)?;
    Ok((covariance / ((1.0 + n / m) * pooled)).clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn draw(rng: &mut Rng, n: usize, sensitivity: f64) -> Vec<Label> {
        let label = |rng: &mut Rng| {
            let human = f64::from(u8::from(rng.chance(0.3)));
            let says = if human == 1.0 { sensitivity } else { 0.05 };
            Label { human, machine: f64::from(u8::from(rng.chance(says))), weight: 1.0 }
        };
        (0..n).map(|_| label(rng)).collect()
    }

    fn machine(rng: &mut Rng, n: u64, sensitivity: f64) -> Machine {
        let p = rng.binomial(n, 0.3 * sensitivity + 0.7 * 0.05) as f64 / n as f64;
        Machine { n: n as usize, mean: p, variance: p * (1.0 - p) }
    }

    /// Section E of `stats-acceptance` in short.
    #[test]
    fn covers_and_is_narrow() {
        let mut rng = Rng::new(5);
        let (mut covered, mut width, mut wilson) = (0, 0.0, 0.0);
        for _ in 0..2000 {
            let labels = draw(&mut rng, 100, 0.9);
            let ours = mean(&labels, &machine(&mut rng, 20_000, 0.9), 0.95).unwrap().estimate;
            covered += u32::from(ours.interval.contains(0.3));
            width += ours.interval.half_width();
            wilson += human_only(&labels, 0.95).unwrap().estimate.interval.half_width();
        }
        assert!((1870..=1935).contains(&covered), "{covered} of 2000");
        assert!(width / wilson < 0.6, "{}", width / wilson);
    }

    #[test]
    fn weights_undo_an_uneven_pick() {
        let mut rng = Rng::new(9);
        let mut picked = Vec::new();
        for mut label in draw(&mut rng, 4000, 0.9) {
            let pick = if label.machine == 1.0 { 0.5 } else { 0.1 };
            label.weight = 1.0 / pick;
            if rng.chance(pick) {
                picked.push(label);
            }
        }
        let ours = mean(&picked, &machine(&mut rng, 20_000, 0.9), 0.95).unwrap();
        assert!(
            ours.estimate.interval.contains(0.3) && ours.estimate.interval.half_width() < 0.04,
            "{ours:?}"
        );
    }

    #[test]
    fn falls_back_when_the_machine_cannot_help() {
        let mut rng = Rng::new(2);
        let few = mean(&draw(&mut rng, 19, 0.9), &machine(&mut rng, 1000, 0.9), 0.95).unwrap();
        let blind = mean(&draw(&mut rng, 200, 0.05), &machine(&mut rng, 1000, 0.05), 0.95).unwrap();
        assert_eq!((few.basis, blind.basis), (Basis::HumanOnly, Basis::HumanOnly));
        assert!(mean(&[], &machine(&mut rng, 10, 0.5), 0.95).is_err());
    }
}
