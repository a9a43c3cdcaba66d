//! Isotonic calibration: the best monotone map from scores to frequencies.
//!
//! Zadrozny and Elkan, *Transforming classifier scores into accurate multiclass probability estimates* (2002),
//! <https://doi.org/10.1145/775047.775151>; pools adjacent violators, as scikit-learn's `IsotonicRegression`.

use serde::{Deserialize, Serialize};

use crate::error::{Reason, Result, ensure, in_range};

/// A fitted map; linear between its knots, constant beyond them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Isotonic {
    knots: Vec<(f64, f64)>,
}

struct Block {
    weight: f64,
    mean: f64,
    first: f64,
    last: f64,
}

impl Isotonic {
    /// Fits scores to outcomes (0, 1 or anything between).
    pub fn fit(scores: &[f64], outcomes: &[f64]) -> Result<Self> {
        ensure(scores.len() == outcomes.len(), Reason::WrongShape)?;
        ensure(!scores.is_empty(), Reason::EmptyReference)?;
        in_range(scores.iter().chain(outcomes).all(|v| v.is_finite()), "a score or an outcome")?;
        let mut blocks: Vec<Block> = Vec::new();
        for block in tied(scores, outcomes) {
            blocks.push(block);
            pool_violators(&mut blocks);
        }
        let mut knots: Vec<(f64, f64)> =
            blocks.iter().flat_map(|b| [(b.first, b.mean), (b.last, b.mean)]).collect();
        knots.dedup();
        Ok(Self { knots })
    }

    /// The calibrated probability of a score.
    pub fn calibrate(&self, score: f64) -> f64 {
        let place = self.knots.partition_point(|(x, _)| *x < score);
        let (Some(&(x1, y1)), Some(&(x0, y0))) =
            (self.knots.get(place), self.knots.get(place.wrapping_sub(1)))
        else {
            return self.knots[place.min(self.knots.len() - 1)].1;
        };
        if x1 == score { y1 } else { y0 + (y1 - y0) * (score - x0) / (x1 - x0) }
    }
}

/// One block for every distinct score, ascending.
fn tied(scores: &[f64], outcomes: &[f64]) -> Vec<Block> {
    let mut rows: Vec<(f64, f64)> = scores.iter().copied().zip(outcomes.iter().copied()).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let block = |group: &[(f64, f64)]| Block {
        weight: group.len() as f64,
        mean: group.iter().map(|row| row.1).sum::<f64>() / group.len() as f64,
        first: group[0].0,
        last: group[0].0,
    };
    rows.chunk_by(|a, b| a.0 == b.0).map(block).collect()
}

fn pool_violators(blocks: &mut Vec<Block>) {
    while let [.., left, right] = blocks.as_mut_slice() {
        if left.mean < right.mean {
            return;
        }
        let weight = left.weight + right.weight;
        left.mean = (left.mean * left.weight + right.mean * right.weight) / weight;
        (left.weight, left.last) = (weight, right.last);
        blocks.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_what_falls() {
        let map = Isotonic::fit(&[0.1, 0.2, 0.3, 0.4, 0.4], &[0.0, 1.0, 0.0, 1.0, 0.5]).unwrap();
        let check = |score, want: f64| assert!((map.calibrate(score) - want).abs() < 1e-12, "{score}");
        check(0.0, 0.0);
        check(0.15, 0.25);
        check(0.25, 0.5);
        check(0.4, 0.75);
        check(9.0, 0.75);
    }

    #[test]
    fn what_cannot_be_fitted() {
        assert!(Isotonic::fit(&[], &[]).is_err());
        assert!(Isotonic::fit(&[0.1], &[]).is_err());
        assert!(Isotonic::fit(&[f64::NAN], &[1.0]).is_err());
    }
}
