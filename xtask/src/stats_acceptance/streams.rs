//! The streams of the alarm simulations: eight weeks to learn from, a thousand hours to watch.

use doxa_stats::rng::Rng;
use doxa_stats::sequential::share::Hour;

/// Hours to learn from.
pub(crate) const REFERENCE: usize = 8 * 168;
/// Hours to watch.
pub(crate) const HORIZON: usize = 1000;
/// The watched hour at which a shift sets in.
pub(crate) const SHIFT_AT: usize = 500;

/// How a stream behaves.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// Season, and moods of hours; `None` is plain binomial.
    pub(crate) phi: Option<f64>,
    /// Rows an hour.
    pub(crate) volume: f64,
    /// The share from the shift on; `None` is a null.
    pub(crate) shifted: Option<f64>,
}

/// The nulls and shifts of the acceptance table.
pub(crate) const SCENARIOS: [Scenario; 9] = [
    Scenario { name: "N1 iid, 100/h", phi: None, volume: 100.0, shifted: None },
    Scenario { name: "N2 season, 100/h", phi: Some(0.0), volume: 100.0, shifted: None },
    Scenario { name: "N3 season, AR .8, 100/h", phi: Some(0.8), volume: 100.0, shifted: None },
    Scenario { name: "N4 iid, 30/h", phi: None, volume: 30.0, shifted: None },
    Scenario { name: "S1 iid .30->.36", phi: None, volume: 100.0, shifted: Some(0.36) },
    Scenario { name: "S2 iid .30->.40", phi: None, volume: 100.0, shifted: Some(0.4) },
    Scenario { name: "S3 season .30->.40", phi: Some(0.0), volume: 100.0, shifted: Some(0.4) },
    Scenario { name: "S4 season .30->.50", phi: Some(0.0), volume: 100.0, shifted: Some(0.5) },
    Scenario { name: "S5 iid, 30/h .30->.40", phi: None, volume: 30.0, shifted: Some(0.4) },
];

fn logit(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

/// Rows and true share of every hour, the reference first.
pub(crate) fn truth(scenario: &Scenario, rng: &mut Rng) -> Vec<(u64, f64)> {
    const MOOD: f64 = 0.15;
    const WEEKEND: f64 = 0.15;
    let mut mood = MOOD * rng.normal();
    let hour = |i: usize| {
        let level = match scenario.shifted {
            Some(share) if i >= REFERENCE + SHIFT_AT => share,
            _ => 0.3,
        };
        let Some(phi) = scenario.phi else { return (rng.poisson(scenario.volume), level) };
        let wave = |from: f64| ((i % 24) as f64 - from) / 24.0 * std::f64::consts::TAU;
        let weekend = if i / 24 % 7 >= 5 { WEEKEND } else { 0.0 } - WEEKEND * 2.0 / 7.0;
        mood = phi * mood + MOOD * (1.0 - phi * phi).sqrt() * rng.normal();
        let x = logit(level) + 0.35 * wave(8.0).sin() + weekend + mood;
        (rng.poisson(scenario.volume * (1.0 + 0.6 * wave(14.0).sin())), 1.0 / (1.0 + (-x).exp()))
    };
    (0..REFERENCE + HORIZON).map(hour).collect()
}

/// Counts of every hour: what to learn from, and what to watch.
pub(crate) fn hours(scenario: &Scenario, seed: u64) -> (Vec<Hour>, Vec<Hour>) {
    let mut rng = Rng::new(seed);
    let truth = truth(scenario, &mut rng);
    let mut all: Vec<Hour> =
        truth.iter().map(|&(rows, share)| Hour { hits: rng.binomial(rows, share), rows }).collect();
    let watched = all.split_off(REFERENCE);
    (all, watched)
}
