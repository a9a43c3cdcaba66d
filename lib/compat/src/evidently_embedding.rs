//! Evidently's embedding drift. On data that does not change its defaults call drift in 24 to 100 % of all comparisons.

use doxa_stats::distance::wasserstein::wasserstein;
use doxa_stats::error::{Reason, Result, ensure, number};
use doxa_stats::hypothesis::mmd::Kernel;
use doxa_stats::rng::Rng;
use doxa_stats::sample::{Pair, moments, quantile, sorted};
use doxa_stats::text::area_under_curve;
use doxa_stats::vectors::{check_vectors, mean, square};
use serde::{Deserialize, Serialize};

use crate::numpy_random::split_in_half;
use crate::sgd::{Model, Recipe, Row};

/// The distance between two mean vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "scipy's names")]
pub enum Metric {
    Euclidean,
    Cosine,
    Cityblock,
    Chebyshev,
}

/// The method, by Evidently's names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The distance between the means.
    Distance(Metric),
    /// How well a linear classifier tells the sides apart.
    Model,
    /// The share of components whose normed Wasserstein distance reaches this threshold.
    Ratio(f64),
    /// Maximum mean discrepancy, never below zero.
    Mmd,
    /// The same, held against the fifth percentile of resampled references, which is on the wrong side.
    MmdBootstrap,
}

impl Method {
    fn default_threshold(self) -> f64 {
        match self {
            Self::Distance(_) | Self::Ratio(_) => 0.2,
            Self::Model => 0.55,
            Self::Mmd | Self::MmdBootstrap => 0.015,
        }
    }
}

/// Score and verdict.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The score.
    pub score: f64,
    /// What it was held against.
    pub threshold: f64,
    /// Whether Evidently calls it drift.
    pub drift: bool,
}

/// Compares two sets of vectors as Evidently would.
pub fn compare(
    method: Method,
    reference: &[Vec<f64>],
    current: &[Vec<f64>],
    threshold: Option<f64>,
) -> Result<Verdict> {
    check_vectors(reference, current)?;
    let threshold = threshold.unwrap_or(method.default_threshold());
    let (score, cut) = match method {
        Method::Distance(metric) => (distance(metric, &mean(reference), &mean(current)), threshold),
        Method::Model => (model(reference, current)?, threshold),
        Method::Ratio(component) => (ratio(reference, current, component)?, threshold),
        Method::Mmd => (mmd(reference, current)?, threshold),
        Method::MmdBootstrap => (mmd(reference, current)?, bootstrap_percentile(reference, current.len())?),
    };
    Ok(Verdict { score: number(score)?.max(0.0), threshold, drift: score > cut })
}

fn distance(metric: Metric, a: &[f64], b: &[f64]) -> f64 {
    let gaps = a.iter().zip(b).map(|(x, y)| (x - y).abs());
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    match metric {
        Metric::Euclidean => gaps.map(|g| g * g).sum::<f64>().sqrt(),
        Metric::Cityblock => gaps.sum(),
        Metric::Chebyshev => gaps.fold(0.0, f64::max),
        Metric::Cosine => 1.0 - dot(a, b) / (dot(a, a) * dot(b, b)).sqrt(),
    }
}

fn ratio(reference: &[Vec<f64>], current: &[Vec<f64>], threshold: f64) -> Result<f64> {
    let width = reference[0].len();
    let mut drifted = 0;
    for j in 0..width {
        let column = |rows: &[Vec<f64>]| rows.iter().map(|row| row[j]).collect::<Vec<f64>>();
        let pair = Pair::new(&column(reference), &column(current))?;
        let norm = moments(&pair.reference, 0.0).1.sqrt().max(0.001);
        drifted += usize::from(wasserstein(&pair) / norm >= threshold);
    }
    Ok(drifted as f64 / width as f64)
}

fn model(reference: &[Vec<f64>], current: &[Vec<f64>]) -> Result<f64> {
    let rows: Vec<Row> =
        reference.iter().chain(current).map(|row| row.iter().copied().enumerate().collect()).collect();
    let (train, test) = split_in_half(rows.len(), 42);
    let pick = |of: &[usize]| of.iter().map(|&i| rows[i].clone()).collect::<Vec<Row>>();
    let side = |of: &[usize]| of.iter().map(|&i| i < reference.len()).collect::<Vec<bool>>();
    let fitted = Model::fit(Recipe::LogLossL2, &pick(&train), &side(&train), reference[0].len());
    let scores: Vec<f64> = pick(&test).iter().map(|row| fitted.probability(row)).collect();
    Ok(area_under_curve(&scores, &side(&test)).ok_or(Reason::NoVariation)?)
}

fn gamma(a: &[Vec<f64>], b: &[Vec<f64>]) -> Result<f64> {
    let distances: Vec<f64> = a.iter().flat_map(|x| b.iter().map(move |y| square(x, y).sqrt())).collect();
    let median = quantile(&sorted(&distances), 0.5);
    ensure(median > 0.0, Reason::NoVariation)?;
    Ok(1.0 / (median * median))
}

fn mmd(reference: &[Vec<f64>], current: &[Vec<f64>]) -> Result<f64> {
    let rows = [reference, current].concat();
    let width = gamma(reference, current)?;
    Ok(Kernel::gaussian(&rows, reference.len(), width, |a, b| square(a, b))?.discrepancy())
}

/// Only the reference is resampled, and the percentile is the fifth instead of the ninety-fifth.
fn bootstrap_percentile(reference: &[Vec<f64>], current: usize) -> Result<f64> {
    let (m, n) = (reference.len(), current);
    let width = gamma(reference, reference)?;
    let mut rng = Rng::new(0);
    let mut draw = |size: usize| -> Vec<Vec<f64>> {
        (0..size.max(2)).map(|_| reference[rng.below(m)].clone()).collect()
    };
    let mut draws = Vec::new();
    for _ in 0..100 {
        let (x, y) = (draw(m * m / (m + n)), draw(m * n / (m + n)));
        draws.push(
            Kernel::gaussian(&[x.clone(), y].concat(), x.len(), width, |a, b| square(a, b))?.discrepancy(),
        );
    }
    Ok(quantile(&sorted(&draws), 0.05))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(n: usize, shift: f64, seed: u64) -> Vec<Vec<f64>> {
        let mut rng = Rng::new(seed);
        (0..n).map(|_| (0..4).map(|_| rng.normal() + shift).collect()).collect()
    }

    #[test]
    fn a_shift_is_seen_and_so_is_noise() {
        let (reference, same, moved) = (rows(100, 0.0, 1), rows(50, 0.0, 2), rows(50, 2.0, 3));
        let drift = |method, current: &[Vec<f64>]| compare(method, &reference, current, None).unwrap().drift;
        for method in [Method::Distance(Metric::Euclidean), Method::Model, Method::Ratio(0.1), Method::Mmd] {
            assert!(drift(method, &moved), "{method:?}");
        }
        assert!(drift(Method::Ratio(0.1), &same), "its defaults alarm on nothing");
        assert!(drift(Method::MmdBootstrap, &same), "its bootstrap does so too");
    }

    #[test]
    fn what_has_no_distance() {
        let check = |a: &[Vec<f64>], b: &[Vec<f64>]| assert!(compare(Method::Mmd, a, b, None).is_err());
        check(&[], &rows(3, 0.0, 1));
        check(&rows(3, 0.0, 1), &[vec![1.0]]);
        check(&vec![vec![f64::NAN; 4]; 3], &rows(3, 0.0, 1));
        check(&vec![vec![1.0; 4]; 3], &vec![vec![1.0; 4]; 3]);
    }
}
