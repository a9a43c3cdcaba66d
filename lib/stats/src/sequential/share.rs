//! The e-detector of a share: a mixture of beta-binomial bets on rises and falls of several sizes.
//!
//! Waudby-Smith and Ramdas, *Estimating means by betting*, <https://arxiv.org/abs/2010.09686>, for the bets; counts of
//! an hour vary more than a binomial law allows, so that the likelihoods are beta-binomial with the long-run
//! overdispersion of [`super::dispersion`].

use serde::{Deserialize, Serialize};

use super::bank::Bank;
use crate::error::{Result, in_range};
use crate::special::ln_gamma;

/// The version of the serialised state.
const VERSION: u8 = 1;

/// The sizes of change that are bet on, beyond the tolerance.
pub const SIZES: [f64; 5] = [0.03, 0.06, 0.1, 0.16, 0.25];

/// What the share usually is at an hour, and how far from it nobody needs to be woken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The usual share.
    pub share: f64,
    /// The smallest change worth waking someone.
    pub tolerance: f64,
}

/// A rise or a fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The share grew.
    Up,
    /// The share shrank.
    Down,
}

/// One hour: `hits` of `rows`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hour {
    /// Rows that count.
    pub hits: u64,
    /// All rows.
    pub rows: u64,
}

/// The state of one stream: constant in size whatever its age.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShareDetector {
    version: u8,
    dispersion: f64,
    bank: Bank,
}

impl ShareDetector {
    /// A fresh detector; `dispersion` is the intra-hour correlation, in `[0, 1)`.
    pub fn new(dispersion: f64) -> Result<Self> {
        in_range((0.0..1.0).contains(&dispersion), "the overdispersion")?;
        Ok(Self { version: VERSION, dispersion, bank: Bank::new(2 * SIZES.len()) })
    }

    /// Takes one hour and gives the logarithm of the detector. An hour without rows says nothing.
    pub fn update(&mut self, baseline: &Baseline, hour: Hour) -> Result<f64> {
        check(baseline, hour)?;
        let law = Law::new(self.dispersion, hour);
        let ratios: [f64; 2 * SIZES.len()] = law.both_sides(baseline);
        self.bank.update(ratios);
        Ok(self.log_m())
    }

    /// Logarithm of the detector; alarm when it reaches `ln A`.
    pub fn log_m(&self) -> f64 {
        self.bank.log_m()
    }

    /// Logarithm of the Ville process, for claims of "ever" and for the severity of an alarm.
    pub fn log_e(&self) -> f64 {
        self.bank.log_e()
    }

    /// The anytime p-value of "it has never changed".
    pub fn p_any(&self) -> f64 {
        self.bank.p_any()
    }

    /// Hours taken.
    pub fn hours(&self) -> u64 {
        self.bank.hours()
    }

    /// Where the change seems to have begun (hours since the start), whither and how large.
    pub fn change(&self) -> Change {
        let (bet, after_hour) = self.bank.strongest();
        let direction = if bet < SIZES.len() { Direction::Up } else { Direction::Down };
        Change { after_hour, direction, size: SIZES[bet % SIZES.len()] }
    }

    /// Forgets everything: after an alarm was dealt with, or on a new baseline.
    pub fn restart(&mut self) {
        self.bank = Bank::new(2 * SIZES.len());
    }
}

/// A change as the detector sees it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The last hour that still looked usual, counted from one; zero if none did.
    pub after_hour: u64,
    /// Whether the share rose or fell.
    pub direction: Direction,
    /// The size of the bet that gained most.
    pub size: f64,
}

fn check(baseline: &Baseline, hour: Hour) -> Result<()> {
    in_range((0.0..=1.0).contains(&baseline.share), "the baseline share")?;
    in_range((0.0..1.0).contains(&baseline.tolerance), "the tolerance")?;
    in_range(hour.hits <= hour.rows, "the number of hits")
}

/// The likelihood of one hour, up to what cancels in ratios.
struct Law {
    /// Sum of the two shape parameters; infinite for the binomial law.
    concentration: f64,
    hits: f64,
    misses: f64,
}

/// Shares closer to the border than this would make a single row infinitely surprising.
const BORDER: f64 = 0.01;

impl Law {
    fn new(dispersion: f64, hour: Hour) -> Self {
        let concentration = if dispersion > 0.0 { 1.0 / dispersion - 1.0 } else { f64::INFINITY };
        Self { concentration, hits: hour.hits as f64, misses: (hour.rows - hour.hits) as f64 }
    }

    fn log(&self, share: f64) -> f64 {
        if self.concentration.is_infinite() {
            return self.hits * share.ln() + self.misses * (-share).ln_1p();
        }
        rising(share * self.concentration, self.hits)
            + rising((1.0 - share) * self.concentration, self.misses)
    }

    fn both_sides<const N: usize>(&self, baseline: &Baseline) -> [f64; N] {
        let mut ratios = [0.0; N];
        if self.hits + self.misses == 0.0 {
            return ratios;
        }
        let (up, down) = ratios.split_at_mut(N / 2);
        self.one_side(baseline, &SIZES, Direction::Up, up);
        self.one_side(baseline, &SIZES, Direction::Down, down);
        ratios
    }

    /// Log-likelihood ratios of the bets against the edge of what is still usual.
    fn one_side(&self, baseline: &Baseline, sizes: &[f64], direction: Direction, ratios: &mut [f64]) {
        let sign = if direction == Direction::Up { 1.0 } else { -1.0 };
        let edge = (baseline.share + sign * baseline.tolerance).clamp(BORDER / 2.0, 1.0 - BORDER / 2.0);
        let null = self.log(edge);
        for (ratio, size) in ratios.iter_mut().zip(sizes) {
            let bet = (edge + sign * size).clamp(BORDER, 1.0 - BORDER);
            // At the border a bet may fall on the wrong side of the edge; then there is nothing to bet on.
            *ratio = if sign * (bet - edge) > 0.0 { self.log(bet) - null } else { 0.0 };
        }
    }
}

/// `ln Γ(x + k) - ln Γ(x)`; a plain sum where that is shorter.
fn rising(x: f64, k: f64) -> f64 {
    if k < 4.0 {
        return (0..k as u32).map(|i| (x + f64::from(i)).ln()).sum();
    }
    ln_gamma(x + k) - ln_gamma(x)
}

/// The logarithms of the detector with bets of other sizes than [`SIZES`], hour by hour, for a fixed baseline.
pub fn path(baseline: &Baseline, sizes: &[f64], dispersion: f64, hours: &[Hour]) -> Vec<f64> {
    let mut bank = Bank::new(2 * sizes.len());
    let mut ratios = vec![0.0; 2 * sizes.len()];
    let mut step = |hour: &Hour| {
        let (up, down) = ratios.split_at_mut(sizes.len());
        let law = Law::new(dispersion, *hour);
        law.one_side(baseline, sizes, Direction::Up, up);
        law.one_side(baseline, sizes, Direction::Down, down);
        bank.update(ratios.iter().copied());
        bank.log_m()
    };
    hours.iter().map(&mut step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    const BASELINE: Baseline = Baseline { share: 0.3, tolerance: 0.02 };

    fn run(share: impl Fn(u64) -> f64, hours: u64, seed: u64) -> (ShareDetector, Option<u64>) {
        let mut rng = Rng::new(seed);
        let mut detector = ShareDetector::new(1e-4).unwrap();
        for hour in 1..=hours {
            let rows = rng.poisson(100.0);
            let hits = rng.binomial(rows, share(hour));
            if detector.update(&BASELINE, Hour { hits, rows }).unwrap() >= 20_000_f64.ln() {
                return (detector, Some(hour));
            }
        }
        (detector, None)
    }

    #[test]
    fn silent_on_nothing_and_quick_on_ten_points() {
        let false_alarms = (0..20).filter(|&seed| run(|_| 0.3, 1000, seed).1.is_some()).count();
        assert_eq!(false_alarms, 0);
        let mut delays: Vec<u64> = (0..41)
            .map(|seed| run(|hour| if hour > 50 { 0.4 } else { 0.3 }, 200, seed).1.unwrap() - 50)
            .collect();
        delays.sort_unstable();
        assert!(delays[20] <= 10, "{delays:?}");
    }

    #[test]
    fn knows_when_and_whither() {
        let (detector, alarm) = run(|hour| if hour > 100 { 0.18 } else { 0.3 }, 300, 5);
        let change = detector.change();
        assert!(alarm.is_some() && change.direction == Direction::Down);
        assert!((95..=105).contains(&change.after_hour), "{change:?}");
        assert!((0.0..=1.0).contains(&detector.p_any()));
    }

    #[test]
    fn extremes_stay_finite() {
        let check = |share, tolerance, hits, rows, dispersion| {
            let mut detector = ShareDetector::new(dispersion).unwrap();
            for _ in 0..100 {
                let m = detector.update(&Baseline { share, tolerance }, Hour { hits, rows }).unwrap();
                assert!(m.is_finite(), "{share} {hits}/{rows}: {m}");
            }
        };
        check(0.0, 0.02, 0, 0, 0.01);
        check(0.0, 0.0, 10_000_000, 10_000_000, 1e-5);
        check(1.0, 0.02, 0, 10_000_000, 0.0);
        check(0.999, 0.02, 5, 10, 0.4);
        assert!(ShareDetector::new(1.0).is_err() && ShareDetector::new(f64::NAN).is_err());
        let mut detector = ShareDetector::new(0.0).unwrap();
        assert!(detector.update(&BASELINE, Hour { hits: 2, rows: 1 }).is_err());
        assert!(
            detector
                .update(&Baseline { share: f64::NAN, tolerance: 0.0 }, Hour { hits: 0, rows: 1 })
                .is_err()
        );
    }

    #[test]
    fn the_state_survives_the_disk() {
        let (detector, _) = run(|_| 0.3, 30, 1);
        let text = serde_json::to_string(&detector).unwrap();
        assert_eq!(serde_json::from_str::<ShareDetector>(&text).unwrap(), detector);
        let fresh = serde_json::to_string(&ShareDetector::new(0.1).unwrap()).unwrap();
        assert!(fresh.starts_with(r#"{"version":1,"dispersion":0.1,"#) && text.len() < 2000);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 40, failure_persistence: None, ..Default::default() })]

        #[test]
        fn never_a_nan(
            share in 0.0..=1.0_f64,
            tolerance in 0.0..0.5_f64,
            dispersion in 0.0..0.9_f64,
            hours in proptest::collection::vec((0..2000_u64, 0..2000_u64), 1..60),
        ) {
            let mut detector = ShareDetector::new(dispersion).unwrap();
            for (a, b) in hours {
                let m = detector.update(&Baseline { share, tolerance }, Hour { hits: a, rows: a + b }).unwrap();
                proptest::prop_assert!(!m.is_nan() && m < f64::INFINITY);
                proptest::prop_assert!(!detector.log_e().is_nan());
            }
        }
    }
}
