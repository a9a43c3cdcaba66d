//! Resampling of distances: how they vary around the data, and what they would be if nothing had changed.

use super::Options;
use crate::rng::Rng;
use crate::sample::{Counts, Pair, quantile, shares as shares_of, sorted};

/// Distances of resampled data, ascending.
pub(super) struct Spread {
    /// Both sides drawn again from themselves.
    pub(super) again: Vec<f64>,
    /// Both sides drawn from the two together.
    pub(super) unchanged: Vec<f64>,
}

/// Draws of all categories together are limited, so that a million categories do not take a minute.
const MOST_DRAWS: usize = 4_000_000;
/// Numbers are resampled on this many atoms of equal weight; the distance itself is taken from all rows.
const ATOMS: usize = 512;

pub(super) fn shares(counts: &Counts, options: &Options, distance: impl Fn(&[u64], &[u64]) -> f64) -> Spread {
    let (p, q) = counts.shares();
    let pooled: Vec<u64> = counts.reference.iter().zip(&counts.current).map(|(a, b)| a + b).collect();
    let pooled = shares_of(&pooled);
    let (n, m) = counts.sizes();
    let times = options.resamples.min(MOST_DRAWS / counts.len()).max(20);
    let mut rng = Rng::new(options.seed);
    let (mut a, mut b) = (vec![0; counts.len()], vec![0; counts.len()]);
    let mut draw = |p: &[f64], q: &[f64]| {
        rng.multinomial(n as u64, p, &mut a);
        rng.multinomial(m as u64, q, &mut b);
        distance(&a, &b)
    };
    let again: Vec<f64> = (0..times).map(|_| draw(&p, &q)).collect();
    let unchanged: Vec<f64> = (0..times).map(|_| draw(&pooled, &pooled)).collect();
    Spread { again: sorted(&again), unchanged: sorted(&unchanged) }
}

pub(super) fn numbers(pair: &Pair, options: &Options, distance: impl Fn(&Pair) -> f64) -> Spread {
    let mut rng = Rng::new(options.seed);
    let (n, m) = pair.sizes();
    let pooled = pair.pooled();
    let mut draw = |from_a: &[f64], from_b: &[f64]| {
        let again = Pair { reference: drawn(from_a, n, &mut rng), current: drawn(from_b, m, &mut rng) };
        distance(&again)
    };
    let again: Vec<f64> = (0..options.resamples).map(|_| draw(&pair.reference, &pair.current)).collect();
    let unchanged: Vec<f64> = (0..options.resamples).map(|_| draw(&pooled, &pooled)).collect();
    Spread { again: sorted(&again), unchanged: sorted(&unchanged) }
}

/// A sample of `n` rows. Above [`ATOMS`] rows its quantiles stand for it: the noise of a step function of `n` rows is
/// that of `n` uniform order statistics, of which a few hundred are drawn exactly by sums of gamma variables.
fn drawn(ascending: &[f64], n: usize, rng: &mut Rng) -> Vec<f64> {
    if n <= ATOMS {
        let rows: Vec<f64> = (0..n).map(|_| ascending[rng.below(ascending.len())]).collect();
        return sorted(&rows);
    }
    let block = n as f64 / ATOMS as f64;
    let steps: Vec<f64> = (0..=ATOMS).map(|_| rng.gamma(block)).collect();
    let total: f64 = steps.iter().sum();
    let mut place = -0.5 * steps[0] / total;
    let atom = |step: &f64| {
        place += step / total;
        quantile(ascending, place.clamp(0.0, 1.0))
    };
    steps[..ATOMS].iter().map(atom).collect()
}
