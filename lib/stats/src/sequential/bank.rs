//! A bank of Shiryaev-Roberts and Ville processes, one for each bet, kept as logarithms.

use serde::{Deserialize, Serialize};

use crate::special::{ln_add_exp, ln_mean_exp};

/// One bet: what its processes have become, and when its change seems to have begun.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Bet {
    /// Logarithm of the Shiryaev-Roberts value; `None` before the first hour, for JSON knows no minus infinity.
    log_r: Option<f64>,
    /// Logarithm of the Ville process: the sum of all log-likelihood ratios.
    sum: f64,
    lowest: f64,
    lowest_at: u64,
}

/// Constant-size state of all bets on one stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Bank {
    bets: Vec<Bet>,
    hours: u64,
    highest_log_e: f64,
}

impl Bank {
    pub(super) fn new(bets: usize) -> Self {
        let bet = Bet { log_r: None, sum: 0.0, lowest: 0.0, lowest_at: 0 };
        Self { bets: vec![bet; bets], hours: 0, highest_log_e: 0.0 }
    }

    /// Takes one hour: `R ← (R + 1) L` and `E ← E L` for every bet.
    pub(super) fn update(&mut self, log_ratios: impl IntoIterator<Item = f64>) {
        self.hours += 1;
        for (bet, log_ratio) in self.bets.iter_mut().zip(log_ratios) {
            bet.log_r = Some(bet.log_r.map_or(0.0, |r| ln_add_exp(0.0, r)) + log_ratio);
            bet.sum += log_ratio;
            if bet.sum < bet.lowest {
                (bet.lowest, bet.lowest_at) = (bet.sum, self.hours);
            }
        }
        self.highest_log_e = self.highest_log_e.max(self.log_e());
    }

    /// Logarithm of the detector: the mean of all Shiryaev-Roberts values.
    pub(super) fn log_m(&self) -> f64 {
        self.log_mean(|bet| bet.log_r.unwrap_or(f64::NEG_INFINITY))
    }

    /// Logarithm of the Ville process.
    pub(super) fn log_e(&self) -> f64 {
        self.log_mean(|bet| bet.sum)
    }

    fn log_mean(&self, value: impl Fn(&Bet) -> f64) -> f64 {
        let mut buffer = [0.0; 16];
        if self.bets.len() <= buffer.len() {
            buffer.iter_mut().zip(&self.bets).for_each(|(out, bet)| *out = value(bet));
            return ln_mean_exp(&buffer[..self.bets.len()]);
        }
        ln_mean_exp(&self.bets.iter().map(value).collect::<Vec<_>>())
    }

    /// The anytime p-value: one over the largest Ville value so far.
    pub(super) fn p_any(&self) -> f64 {
        (-self.highest_log_e).exp().min(1.0)
    }

    pub(super) fn hours(&self) -> u64 {
        self.hours
    }

    /// The strongest bet, and the hour after which its evidence began to grow.
    pub(super) fn strongest(&self) -> (usize, u64) {
        let strength = |i: &usize| self.bets[*i].log_r.unwrap_or(f64::NEG_INFINITY);
        let best = (0..self.bets.len()).max_by(|a, b| strength(a).total_cmp(&strength(b))).unwrap_or(0);
        (best, self.bets.get(best).map_or(0, |bet| bet.lowest_at))
    }
}
