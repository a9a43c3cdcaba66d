//! Label shift: the shares of a month whose mix moved, from a model that was validated before.
//!
//! Counting labels is biased as soon as the mix moves, because errors of the big class drown the small one. EM: Saerens,
//! Latinne and Decaestecker (2002), <https://doi.org/10.1162/089976602753284446>, with calibration first (Alexandari et
//! al., <https://arxiv.org/abs/1901.06852>). BBSE: Lipton, Wang and Smola, <https://arxiv.org/abs/1802.03916>. Both hold
//! only while `P(text | label)` stays; where topics drift, show the prediction-powered number beside them.

use serde::{Deserialize, Serialize};

use super::calibration::Scaling;
use crate::error::{Reason, Result, ensure};
use crate::interval::percentile;
use crate::linalg::{Matrix, solve};
use crate::result::{Estimate, Interval};
use crate::rng::Rng;

/// Validation rows: what the model said, and what was true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Validation {
    /// Probabilities of the classes, one row a document.
    pub probabilities: Vec<Vec<f64>>,
    /// The true class of each row.
    pub labels: Vec<usize>,
}

impl Validation {
    /// Checks shapes; gives the number of classes.
    pub fn classes(&self) -> Result<usize> {
        let classes = width(&self.probabilities)?;
        ensure(self.probabilities.len() == self.labels.len(), Reason::WrongShape)?;
        ensure(self.labels.iter().all(|&label| label < classes), Reason::WrongShape)?;
        Ok(classes)
    }

    fn resampled(&self, rng: &mut Rng) -> Self {
        let rows: Vec<usize> = (0..self.labels.len()).map(|_| rng.below(self.labels.len())).collect();
        Self {
            probabilities: rows.iter().map(|&i| self.probabilities[i].clone()).collect(),
            labels: rows.iter().map(|&i| self.labels[i]).collect(),
        }
    }
}

fn width(rows: &[Vec<f64>]) -> Result<usize> {
    let width = rows.first().map(Vec::len).ok_or(Reason::EmptyReference)?;
    ensure(width > 0 && rows.iter().all(|row| row.len() == width), Reason::WrongShape)?;
    let proper =
        |row: &Vec<f64>| row.iter().all(|p| *p >= 0.0 && p.is_finite()) && row.iter().sum::<f64>() > 0.0;
    ensure(rows.iter().all(proper), Reason::OutOfRange { what: "a probability".into() })?;
    Ok(width)
}

/// The most likely class; the first one where several are.
pub fn predicted(row: &[f64]) -> usize {
    (1..row.len()).fold(0, |best, i| if row[i] > row[best] { i } else { best })
}

/// Shares of the predicted classes: what everyone shows, biased when the mix moves.
pub fn counted(target: &[Vec<f64>]) -> Result<Vec<f64>> {
    let mut shares = vec![0.0; width(target)?];
    for row in target {
        shares[predicted(row)] += 1.0 / target.len() as f64;
    }
    Ok(shares)
}

/// Mean probabilities of the classes: biased too, unless the model is calibrated for the new mix.
pub fn mean_probability(target: &[Vec<f64>]) -> Result<Vec<f64>> {
    let mut shares = vec![0.0; width(target)?];
    for row in target {
        shares.iter_mut().zip(row).for_each(|(share, p)| *share += p / target.len() as f64);
    }
    Ok(shares)
}

/// Expectation maximisation from the mean validation posterior, until no share moves by `tolerance`.
pub fn expectation_maximisation(
    validation: &[Vec<f64>],
    target: &[Vec<f64>],
    tolerance: f64,
    most_steps: usize,
) -> Result<Vec<f64>> {
    let source = mean_probability(validation)?;
    ensure(width(target)? == source.len(), Reason::WrongShape)?;
    let mut shares = source.clone();
    for _ in 0..most_steps {
        let next = em_step(&source, &shares, target);
        let moved = shares.iter().zip(&next).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        shares = next;
        if moved < tolerance {
            break;
        }
    }
    Ok(shares)
}

fn em_step(source: &[f64], shares: &[f64], target: &[Vec<f64>]) -> Vec<f64> {
    let ratio: Vec<f64> =
        shares.iter().zip(source).map(|(q, s)| if *s > 0.0 { q / s } else { 0.0 }).collect();
    let mut next = vec![0.0; shares.len()];
    for row in target {
        let mass: f64 = row.iter().zip(&ratio).map(|(p, r)| p * r).sum();
        if mass > 0.0 {
            next.iter_mut().zip(row).zip(&ratio).for_each(|((n, p), r)| *n += p * r / mass);
        }
    }
    normalised(next)
}

fn normalised(mut shares: Vec<f64>) -> Vec<f64> {
    let mass: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share /= mass);
    shares
}

/// Black-box shift estimation: turns the confusion matrix of the validation rows around.
pub fn black_box(validation: &Validation, target: &[Vec<f64>]) -> Result<Vec<f64>> {
    let classes = validation.classes()?;
    ensure(width(target)? == classes, Reason::WrongShape)?;
    let n = validation.labels.len() as f64;
    let mut confusion: Matrix = vec![vec![0.0; classes]; classes];
    let mut prior = vec![0.0; classes];
    for (row, &label) in validation.probabilities.iter().zip(&validation.labels) {
        confusion[predicted(row)][label] += 1.0 / n;
        prior[label] += 1.0 / n;
    }
    let weights = solve(confusion, counted(target)?).ok_or(Reason::Singular)?;
    let shares: Vec<f64> = weights.iter().zip(&prior).map(|(w, p)| w.max(0.0) * p).collect();
    ensure(shares.iter().sum::<f64>() > 0.0, Reason::Singular)?;
    Ok(normalised(shares))
}

/// The corrected share of every class with a bootstrap interval over validation and target rows, after calibrating both
/// by one temperature. This is what reports should show.
pub fn corrected(
    validation: &Validation,
    target: &[Vec<f64>],
    resamples: usize,
    level: f64,
    seed: u64,
) -> Result<Vec<Estimate>> {
    let shares = calibrated_em(validation, target)?;
    let mut rng = Rng::new(seed);
    let mut draws: Vec<Vec<f64>> = vec![Vec::new(); shares.len()];
    for _ in 0..resamples {
        let rows: Vec<Vec<f64>> =
            (0..target.len()).map(|_| target[rng.below(target.len())].clone()).collect();
        let Ok(again) = calibrated_em(&validation.resampled(&mut rng), &rows) else { continue };
        draws.iter_mut().zip(again).for_each(|(draws, share)| draws.push(share));
    }
    let estimate = |(value, mut draws): (f64, Vec<f64>)| {
        let interval = if draws.is_empty() {
            Interval { low: 0.0, high: 1.0, level }
        } else {
            percentile(&mut draws, level)
        };
        Estimate { value, interval, n: target.len() }
    };
    Ok(shares.into_iter().zip(draws).map(estimate).collect())
}

/// Temperature first, then EM: without the first, an overconfident model keeps half of the bias.
pub fn calibrated_em(validation: &Validation, target: &[Vec<f64>]) -> Result<Vec<f64>> {
    validation.classes()?;
    let scaling = Scaling::temperature(&validation.probabilities, &validation.labels)?;
    let apply = |rows: &[Vec<f64>]| rows.iter().map(|row| scaling.apply(row)).collect::<Vec<_>>();
    expectation_maximisation(&apply(&validation.probabilities), &apply(target), 1e-8, 500)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(share: f64, n: usize) -> Vec<Vec<f64>> {
        let hits = (share * n as f64) as usize;
        (0..n).map(|i| if i < hits { vec![0.9, 0.1] } else { vec![0.1, 0.9] }).collect()
    }

    /// A model that is right nine times of ten, on both classes, and says so.
    fn validation() -> Validation {
        let row =
            |i: usize| if (i % 20 < 10) != i.is_multiple_of(10) { vec![0.9, 0.1] } else { vec![0.1, 0.9] };
        Validation {
            probabilities: (0..400).map(row).collect(),
            labels: (0..400).map(|i| usize::from(i % 20 >= 10)).collect(),
        }
    }

    #[test]
    fn turns_the_errors_around() {
        // Of 80 % true first class, such a model calls 0.8 · 0.9 + 0.2 · 0.1 = 74 %.
        let target = rows(0.74, 1000);
        let check = |name: &str, shares: Vec<f64>, want: f64| {
            assert!((shares[0] - want).abs() < 2e-3, "{name}: {shares:?}");
        };
        check("counted", counted(&target).unwrap(), 0.74);
        check("bbse", black_box(&validation(), &target).unwrap(), 0.8);
        check("em", calibrated_em(&validation(), &target).unwrap(), 0.8);
        let interval = corrected(&validation(), &target, 50, 0.95, 1).unwrap()[0].interval;
        assert!(interval.contains(0.8) && interval.half_width() < 0.08);
    }

    #[test]
    fn what_has_no_correction() {
        let never = Validation { probabilities: vec![vec![0.9, 0.1]; 4], labels: vec![0, 1, 0, 1] };
        assert_eq!(black_box(&never, &rows(0.5, 10)), Err(Reason::Singular.into()));
        assert_eq!(counted(&[]), Err(Reason::EmptyReference.into()));
        assert!(counted(&[vec![0.5, 0.5], vec![1.0]]).is_err());
        assert!(counted(&[vec![f64::NAN, 0.5]]).is_err());
    }
}
