//! Accuracy without labels (CBPE), and when not to believe it.
//!
//! A calibrated probability says how often the model is right. That breaks when the model is overconfident (+9.5 points
//! measured) and, worse, when the meaning of texts moves: so calibrate first, and check against human labels.
//! NannyML 0.13 for the formulas; <https://arxiv.org/abs/2401.08348> for what may go wrong.

use serde::{Deserialize, Serialize};

use super::isotonic::Isotonic;
use crate::error::{Reason, Result, ensure, in_range};
use crate::interval::check_level;
use crate::result::{Estimate, Interval};
use crate::rng::Rng;
use crate::special::normal_quantile;

/// Expected figures of a yes-or-no model.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Binary {
    /// Expected share of right answers.
    pub accuracy: f64,
    /// Expected share of true ones among those called positive; 0 if none is.
    pub precision: f64,
    /// Expected share of called ones among the positive; 0 if none is.
    pub recall: f64,
    /// Harmonic mean of the two; 0 if neither exists.
    pub f1: f64,
    /// Expected share of uncalled ones among the negative; 0 if none is.
    pub specificity: f64,
    /// Expected area under the ROC curve; `None` if one class is not expected at all.
    pub roc_auc: Option<f64>,
}

/// Expected figures from calibrated probabilities, the calls that were made, and the raw scores that rank the rows.
pub fn binary(called: &[bool], calibrated: &[f64], score: &[f64]) -> Result<Binary> {
    ensure(called.len() == calibrated.len() && called.len() == score.len(), Reason::WrongShape)?;
    ensure(!called.is_empty(), Reason::EmptyCurrent)?;
    in_range(calibrated.iter().all(|p| (0.0..=1.0).contains(p)), "a calibrated probability")?;
    let sum = |is: bool, f: fn(f64) -> f64| -> f64 {
        called.iter().zip(calibrated).filter(|(c, _)| **c == is).map(|(_, p)| f(*p)).sum()
    };
    let (hit, false_alarm) = (sum(true, |p| p), sum(true, |p| 1.0 - p));
    let (miss, pass) = (sum(false, |p| p), sum(false, |p| 1.0 - p));
    let ratio = |a: f64, b: f64| if b > 0.0 { a / b } else { 0.0 };
    Ok(Binary {
        accuracy: (hit + pass) / called.len() as f64,
        precision: ratio(hit, hit + false_alarm),
        recall: ratio(hit, hit + miss),
        f1: ratio(hit, hit + 0.5 * (false_alarm + miss)),
        specificity: ratio(pass, pass + false_alarm),
        roc_auc: expected_auc(calibrated, score),
    })
}

/// The area under the expected curve, with NannyML's rounding of the expected counts to five digits.
fn expected_auc(calibrated: &[f64], score: &[f64]) -> Option<f64> {
    let mut order: Vec<usize> = (0..score.len()).collect();
    order.sort_by(|&i, &j| score[i].total_cmp(&score[j]));
    let round = |x: f64| (x * 1e5).round_ties_even() / 1e5;
    let (mut hits, mut area, mut last) = (0.0, 0.0, (0.0, 0.0));
    for (rank, &i) in order.iter().rev().enumerate() {
        hits += calibrated[i];
        let next = (round((rank + 1) as f64 - hits), round(hits));
        area += (next.0 - last.0) * (next.1 + last.1) / 2.0;
        last = next;
    }
    (last.0 > 0.0 && last.1 > 0.0).then(|| area / (last.0 * last.1))
}

/// Expected accuracy of a model with any number of classes: the mean of the largest calibrated probability, with the
/// interval that labelling these very rows would show.
pub fn accuracy(calibrated: &[Vec<f64>], level: f64) -> Result<Estimate> {
    ensure(!calibrated.is_empty(), Reason::EmptyCurrent)?;
    check_level(level)?;
    let best: Vec<f64> = calibrated.iter().map(|row| row.iter().copied().fold(0.0, f64::max)).collect();
    in_range(best.iter().all(|p| (0.0..=1.0).contains(p)), "a calibrated probability")?;
    let n = best.len() as f64;
    let value = best.iter().sum::<f64>() / n;
    let error = best.iter().map(|p| p * (1.0 - p)).sum::<f64>().sqrt() / n;
    let half = normal_quantile(0.5 + level / 2.0) * error;
    let interval = Interval { low: (value - half).max(0.0), high: (value + half).min(1.0), level };
    Ok(Estimate { value, interval, n: best.len() })
}

/// Whether an estimate without labels may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guard {
    /// Human labels agree with it.
    Confirmed,
    /// Human labels contradict it: the meaning of texts has moved. Show theirs.
    Contradicted,
    /// Nobody has checked: show it with that warning.
    Unchecked,
}

/// Holds an accuracy without labels against one from human labels.
pub fn guard(without_labels: &Estimate, human: Option<&Estimate>) -> Guard {
    let Some(human) = human else { return Guard::Unchecked };
    let (a, b) = (without_labels.interval, human.interval);
    if a.low <= b.high && b.low <= a.high { Guard::Confirmed } else { Guard::Contradicted }
}

/// The gap between probabilities and frequencies over ten equal bins (expected calibration error).
pub fn calibration_error(probabilities: &[f64], outcomes: &[f64]) -> f64 {
    let mut bins = [(0.0, 0.0); 10];
    for (p, y) in probabilities.iter().zip(outcomes) {
        let bin = &mut bins[((p * 10.0) as usize).min(9)];
        *bin = (bin.0 + p, bin.1 + y);
    }
    bins.iter().map(|(p, y)| (p - y).abs()).sum::<f64>() / probabilities.len().max(1) as f64
}

/// Whether isotonic calibration lowers the calibration error on rows it has not seen, over ten random halves.
pub fn needs_calibration(scores: &[f64], outcomes: &[f64], seed: u64) -> Result<bool> {
    ensure(scores.len() == outcomes.len(), Reason::WrongShape)?;
    ensure(scores.len() >= 4, Reason::TooFewRows { needed: 4, found: scores.len() })?;
    let mut rng = Rng::new(seed);
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let (mut before, mut after) = (0.0, 0.0);
    for _ in 0..10 {
        rng.shuffle(&mut order);
        let (fit, check) = order.split_at(order.len() / 2);
        let pick = |of: &[f64], rows: &[usize]| rows.iter().map(|&i| of[i]).collect::<Vec<f64>>();
        let map = Isotonic::fit(&pick(scores, fit), &pick(outcomes, fit))?;
        let (raw, truth) = (pick(scores, check), pick(outcomes, check));
        let mapped: Vec<f64> = raw.iter().map(|&s| map.calibrate(s)).collect();
        before += calibration_error(&raw, &truth);
        after += calibration_error(&mapped, &truth);
    }
    Ok(after < before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hypothesis::examples::close;

    #[test]
    fn by_hand() {
        let ours = binary(&[true, true, false], &[0.9, 0.5, 0.2], &[0.8, 0.6, 0.1]).unwrap();
        close("accuracy", ours.accuracy, 2.2 / 3.0);
        close("precision", ours.precision, 0.7);
        close("recall", ours.recall, 1.4 / 1.6);
        close("specificity", ours.specificity, 0.8 / 1.4);
        assert_eq!(binary(&[true], &[1.0], &[0.3]).unwrap().roc_auc, None);
        assert!(binary(&[], &[], &[]).is_err() && binary(&[true], &[1.5], &[0.3]).is_err());
    }

    #[test]
    fn overconfidence_is_found_out() {
        let mut rng = Rng::new(4);
        let scores: Vec<f64> = (0..600).map(|_| rng.uniform()).collect();
        let honest: Vec<f64> = scores.iter().map(|&s| f64::from(u8::from(rng.chance(s)))).collect();
        let boasting: Vec<f64> =
            scores.iter().map(|&s| f64::from(u8::from(rng.chance(0.3 + 0.4 * s)))).collect();
        assert!(needs_calibration(&scores, &boasting, 1).unwrap());
        assert!(calibration_error(&scores, &honest) < calibration_error(&scores, &boasting));
    }

    #[test]
    fn people_overrule() {
        let estimate = |value: f64| Estimate {
            value,
            interval: Interval { low: value - 0.02, high: value + 0.02, level: 0.95 },
            n: 100,
        };
        assert_eq!(guard(&estimate(0.9), Some(&estimate(0.8))), Guard::Contradicted);
        assert_eq!(guard(&estimate(0.9), Some(&estimate(0.87))), Guard::Confirmed);
        assert_eq!(guard(&estimate(0.9), None), Guard::Unchecked);
        assert!((accuracy(&[vec![0.9, 0.1], vec![0.3, 0.7]], 0.95).unwrap().value - 0.8).abs() < 1e-12);
    }
}
