//! The promotion gate: may be looked at after every label, and still errs in at most one case of twenty.
//!
//! Waudby-Smith and Ramdas, *Estimating means by betting*, <https://arxiv.org/abs/2010.09686>: each pair of losses is a
//! number between 0 and 1 with mean ½ if the models are equal; a bettor who gets rich on it has refuted that. Promotion
//! needs a wealth of 20, and so does giving up.

use serde::{Deserialize, Serialize};

use crate::error::{Result, in_range};

/// Wealth at which a bet has won: one over the chance of being wrong.
pub const WEALTH: f64 = 20.0;

/// Where the comparison stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The challenger is better: promote it.
    Promote,
    /// The challenger is worse: stop.
    Reject,
    /// Not yet decided.
    Undecided,
}

/// One bettor: his wealth, and what he has seen, from which he chooses his next stake.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Bettor {
    log_wealth: f64,
    sum: f64,
    squares: f64,
    n: u64,
}

impl Bettor {
    fn new() -> Self {
        // One imaginary pair of each outcome, so that the first stake is neither nothing nor everything.
        Self { log_wealth: 0.0, sum: 0.0, squares: 0.25, n: 1 }
    }

    /// The approximate Kelly stake, predictable and in `[0, 1]`.
    fn stake(&self) -> f64 {
        let mean = self.sum / self.n as f64;
        let spread = self.squares / self.n as f64;
        (mean / spread.max(1e-6)).clamp(0.0, 1.0)
    }

    /// Takes a gain over ½, in `[-½, ½]`.
    fn take(&mut self, gain: f64) {
        self.log_wealth += (self.stake() * gain).ln_1p();
        self.sum += gain;
        self.squares += gain * gain;
        self.n += 1;
    }
}

/// A running comparison of a challenger with the champion: constant in size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    version: u8,
    better: Bettor,
    worse: Bettor,
    verdict: Verdict,
}

impl Default for Gate {
    fn default() -> Self {
        Self { version: 1, better: Bettor::new(), worse: Bettor::new(), verdict: Verdict::Undecided }
    }
}

impl Gate {
    /// Takes one labelled item: the losses of both models on it, between 0 and 1. A verdict, once given, stands.
    pub fn update(&mut self, champion_loss: f64, challenger_loss: f64) -> Result<Verdict> {
        let proper = |loss: f64| (0.0..=1.0).contains(&loss);
        in_range(proper(champion_loss) && proper(challenger_loss), "a loss")?;
        if self.verdict == Verdict::Undecided {
            let gain = (champion_loss - challenger_loss) / 2.0;
            self.better.take(gain);
            self.worse.take(-gain);
            self.verdict = self.judge();
        }
        Ok(self.verdict)
    }

    fn judge(&self) -> Verdict {
        if self.better.log_wealth >= WEALTH.ln() {
            Verdict::Promote
        } else if self.worse.log_wealth >= WEALTH.ln() {
            Verdict::Reject
        } else {
            Verdict::Undecided
        }
    }

    /// Where the comparison stands.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Evidence that the challenger is better, as an e-value.
    pub fn e_value(&self) -> f64 {
        self.better.log_wealth.exp()
    }

    /// Pairs taken.
    pub fn n(&self) -> u64 {
        self.better.n - 1
    }
}

/// A gate for every slice of the data (a language, a channel): the challenger passes if the whole is better and no
/// slice is worse.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SlicedGate {
    whole: Gate,
    slices: Vec<Gate>,
}

impl SlicedGate {
    /// A gate with so many slices.
    pub fn new(slices: usize) -> Self {
        Self { whole: Gate::default(), slices: vec![Gate::default(); slices] }
    }

    /// Takes one labelled item of a slice.
    pub fn update(&mut self, slice: usize, champion_loss: f64, challenger_loss: f64) -> Result<Verdict> {
        in_range(slice < self.slices.len(), "the slice")?;
        self.slices[slice].update(champion_loss, challenger_loss)?;
        self.whole.update(champion_loss, challenger_loss)?;
        Ok(self.verdict())
    }

    /// The verdict over all slices.
    pub fn verdict(&self) -> Verdict {
        if self.slices.iter().any(|gate| gate.verdict == Verdict::Reject) {
            return Verdict::Reject;
        }
        self.whole.verdict
    }

    /// The gate of each slice.
    pub fn slices(&self) -> &[Gate] {
        &self.slices
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Errors of the champion 20 %, of the challenger less by `gain`, agreeing on most items.
    fn run(gain: f64, most: u64, seed: u64) -> (Verdict, u64) {
        let mut rng = Rng::new(seed);
        let mut gate = Gate::default();
        for _ in 0..most {
            let hard = rng.chance(0.25);
            let loss = |rng: &mut Rng, p: f64| f64::from(u8::from(hard && rng.chance(p / 0.25)));
            let (champion, challenger) = (loss(&mut rng, 0.2), loss(&mut rng, 0.2 - gain));
            if gate.update(champion, challenger).unwrap() != Verdict::Undecided {
                break;
            }
        }
        (gate.verdict(), gate.n())
    }

    #[test]
    fn equal_models_stay_where_they_are() {
        let promoted = (0..200).filter(|&seed| run(0.0, 2000, seed).0 == Verdict::Promote).count();
        assert!(promoted <= 10, "{promoted} of 200");
    }

    #[test]
    fn three_points_are_found() {
        let mut labels: Vec<u64> = (0..61)
            .map(|seed| run(0.03, 20_000, seed))
            .map(|(v, n)| {
                assert_eq!(v, Verdict::Promote);
                n
            })
            .collect();
        labels.sort_unstable();
        assert!(labels[30] <= 1500, "{}", labels[30]);
        assert_eq!(run(-0.05, 20_000, 1).0, Verdict::Reject);
    }

    #[test]
    fn one_bad_slice_is_enough() {
        let mut gate = SlicedGate::new(2);
        for i in 0..400 {
            gate.update(usize::from(i % 4 == 0), f64::from(i % 4 != 0), f64::from(i % 4 == 0)).unwrap();
        }
        assert_eq!(gate.verdict(), Verdict::Reject);
        assert_eq!(gate.slices()[0].verdict(), Verdict::Promote);
        assert!(gate.update(2, 0.0, 0.0).is_err() && gate.update(0, f64::NAN, 0.0).is_err());
    }
}
