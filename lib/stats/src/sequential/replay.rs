//! The self-check: plays the reference back in shuffled blocks and counts false alarms.
//!
//! Blocks show what the reference had, moods and gaps and all, but no run of bad luck that it was spared. A threshold
//! that is to be *lowered* is therefore also held against streams simulated from what was learnt.
//!
//! Blocks keep the moods of neighbouring hours and their place in the week (Künsch, *The jackknife and the bootstrap for
//! general stationary observations*, 1989, <https://doi.org/10.1214/aos/1176347265>). Each hour is held against the
//! season *without* itself, or the past would look tamer than the future will be.

use serde::{Deserialize, Serialize};

use super::alarm::Promise;
use super::dispersion::{Dispersion, dispersion, joint_dispersions};
use super::mix::MixDetector;
use super::season::Season;
use super::share::{Baseline, Hour, ShareDetector};
use crate::error::{Reason, Result, ensure};
use crate::rng::Rng;
use crate::sample::{moments, quantile, sorted};

/// Hours of a block: two days, long enough for a mood of a few hours.
const BLOCK: usize = 48;
/// Below this the detector would alarm on a handful of rows, whatever the replay says.
const LOWEST_LOG_THRESHOLD: f64 = 3.0;

/// A lowered threshold is aimed at this part of the allowed false alarms: a few dozen replays tell a quantile only so well.
const MARGIN: f64 = 0.4;

/// How the threshold is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensitivity {
    /// Ville's threshold, raised where the replay shows that the stream is wilder than it seemed.
    Proved,
    /// The lowest threshold that keeps the promise on the replayed reference, with a margin. Faster, but it promises
    /// silence only while the stream stays as it was, not for every drift within the tolerance.
    Calibrated,
}

/// What the replay found. `dispersion` is that of the first margin.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// The threshold to use, as a logarithm.
    pub log_threshold: f64,
    /// Share of replays with any alarm at that threshold.
    pub false_alarms: f64,
    /// Number of replays.
    pub replays: usize,
    /// The dispersion that was used.
    pub dispersion: Dispersion,
}

/// A reference that has been learnt, ready to be replayed and watched.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// The season.
    pub season: Season,
    /// The overdispersion around it.
    pub dispersion: Dispersion,
    /// The hour of the week at which it began.
    pub first_hour: usize,
}

impl Reference {
    /// Learns season and dispersion from consecutive hours, the first of which is `first_hour` of its week.
    pub fn learn(hours: &[Hour], first_hour: usize) -> Result<Self> {
        let season = Season::learn(hours, first_hour)?;
        let usual = season.shares(first_hour, hours.len());
        Ok(Self { dispersion: dispersion(hours, &usual), season, first_hour })
    }

    /// Learns the margins of one stream together: their moods are the same.
    pub fn learn_margins(margins: &[Vec<Hour>], first_hour: usize) -> Result<Vec<Self>> {
        let seasons = margins.iter().map(|m| Season::learn(m, first_hour)).collect::<Result<Vec<_>>>()?;
        let usual = |(season, margin): (&Season, &Vec<Hour>)| season.shares(first_hour, margin.len());
        let shares: Vec<Vec<f64>> = seasons.iter().zip(margins).map(usual).collect();
        let dispersions = joint_dispersions(margins, &shares);
        let reference = |(season, dispersion)| Self { season, dispersion, first_hour };
        Ok(seasons.into_iter().zip(dispersions).map(reference).collect())
    }

    /// Every hour with the baseline that it would have had without itself.
    fn without_each(&self, hours: &[Hour], tolerance: f64) -> Vec<(Baseline, Hour)> {
        let tolerance = self.season.baseline(0, tolerance).tolerance;
        let one = |(i, &hour): (usize, &Hour)| {
            let share = self.season.share_without(self.first_hour + i, hour).0;
            (Baseline { share, tolerance }, hour)
        };
        hours.iter().enumerate().map(one).collect()
    }

    /// A detector for the stream.
    pub fn detector(&self) -> Result<ShareDetector> {
        ShareDetector::new(self.dispersion.long_run)
    }
}

/// How to replay.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The smallest change worth waking someone.
    pub tolerance: f64,
    /// What must be kept.
    pub promise: Promise,
    /// How the threshold is chosen.
    pub sensitivity: Sensitivity,
    /// How often the horizon is replayed, at least twenty times.
    pub replays: usize,
    /// Seed of the blocks.
    pub seed: u64,
}

/// Replays the hours that the references were learnt from, and chooses the threshold. One reference for a share; one for
/// each class of a mix or each cut of a score, whose hours are then shuffled together.
pub fn check(references: &[Reference], hours: &[Vec<Hour>], plan: &Plan) -> Result<Check> {
    ensure(!references.is_empty() && references.len() == hours.len(), Reason::WrongShape)?;
    let found = hours.iter().map(Vec::len).min().unwrap_or(0);
    ensure(found >= 2 * BLOCK, Reason::TooFewRows { needed: 2 * BLOCK, found })?;
    let proved = plan.promise.log_threshold()?;
    let margins: Vec<Vec<(Baseline, Hour)>> =
        references.iter().zip(hours).map(|(r, hours)| r.without_each(hours, plan.tolerance)).collect();
    let mut rng = Rng::new(plan.seed);
    let (replays, horizon) = (plan.replays.max(20), plan.promise.horizon_hours as usize);
    let mut peaks = Vec::with_capacity(replays);
    for _ in 0..replays {
        peaks.push(peak(references, &margins, found, horizon, &mut rng)?);
    }
    let mut needed = needed_threshold(&peaks, plan.promise.alpha);
    let log_threshold = match plan.sensitivity {
        Sensitivity::Proved => proved.max(needed),
        Sensitivity::Calibrated => {
            ensure(references.len() == 1, Reason::WrongShape)?;
            let shares: Vec<f64> = margins[0].iter().map(|(usual, _)| usual.share).collect();
            let unseen = dispersion(&hours[0], &shares);
            let simulated = (0..replays)
                .map(|_| simulated_peak(&references[0], &margins[0], &unseen, horizon, &mut rng))
                .collect::<Result<Vec<f64>>>()?;
            needed = needed.max(needed_threshold(&simulated, MARGIN * plan.promise.alpha));
            needed.max(LOWEST_LOG_THRESHOLD)
        }
    };
    let false_alarms = peaks.iter().filter(|p| **p >= log_threshold).count() as f64 / peaks.len() as f64;
    Ok(Check { log_threshold, false_alarms, replays: peaks.len(), dispersion: references[0].dispersion })
}

/// The highest value of one replay: blocks start at the same hour of the day at which the last one ended.
fn peak(
    references: &[Reference],
    margins: &[Vec<(Baseline, Hour)>],
    hours: usize,
    horizon: usize,
    rng: &mut Rng,
) -> Result<f64> {
    let dispersions: Vec<f64> = references.iter().map(|r| r.dispersion.long_run).collect();
    let mut detector = MixDetector::new(&dispersions)?;
    let starts = (hours - BLOCK) / 24 + 1;
    let (mut highest, mut taken) = (f64::NEG_INFINITY, 0);
    let (mut usual, mut now) = (Vec::new(), Vec::new());
    while taken < horizon {
        let start = rng.below(starts) * 24;
        for i in start..(start + BLOCK).min(start + horizon - taken) {
            usual.clear();
            now.clear();
            margins.iter().for_each(|margin| {
                usual.push(margin[i].0);
                now.push(margin[i].1);
            });
            highest = highest.max(detector.update_margins(&usual, &now)?);
        }
        taken += BLOCK;
    }
    Ok(highest)
}

/// The highest value of one simulated stream: moods as large and as lasting as the hours showed against baselines that
/// did not know them, which is how wrong the baseline will be tomorrow; and as many rows as the reference had.
fn simulated_peak(
    reference: &Reference,
    margin: &[(Baseline, Hour)],
    unseen: &Dispersion,
    horizon: usize,
    rng: &mut Rng,
) -> Result<f64> {
    let mut detector = reference.detector()?;
    let (start, mut mood) = (rng.below(margin.len()), rng.normal());
    // Where moods certainly last, they may last longer than they seemed to.
    let certain = unseen.persistence > 2.0 * unseen.persistence_error;
    let lasts = (unseen.persistence + if certain { unseen.persistence_error } else { 0.0 }).min(0.95);
    let fresh = (1.0 - lasts * lasts).sqrt();
    let mut highest = f64::NEG_INFINITY;
    for i in (start..start + horizon).map(|i| i % margin.len()) {
        let (usual, hour) = margin[i];
        mood = lasts * mood + fresh * rng.normal();
        let spread = (unseen.within * usual.share * (1.0 - usual.share)).sqrt();
        let share = (usual.share + spread * mood).clamp(0.0, 1.0);
        highest =
            highest.max(detector.update(&usual, Hour { hits: rng.binomial(hour.rows, share), ..hour })?);
    }
    Ok(highest)
}

/// The `1 - alpha` quantile of the peaks: the larger of the observed one and that of a Gumbel law with their moments,
/// for a few dozen replays do not show their own tail.
fn needed_threshold(peaks: &[f64], alpha: f64) -> f64 {
    let (mean, variance) = moments(peaks, 1.0);
    let scale = (6.0 * variance).sqrt() / std::f64::consts::PI;
    let gumbel = mean - 0.577_215_664_901_532_9 * scale - scale * (-(1.0 - alpha).ln()).ln();
    gumbel.max(quantile(&sorted(peaks), 1.0 - alpha))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequential::season::WEEK;

    fn hours(weeks: usize, spread: f64, seed: u64) -> Vec<Hour> {
        let mut rng = Rng::new(seed);
        let mut mood = 0.0;
        let hour = |_| {
            mood = 0.8 * mood + 0.6 * rng.normal();
            Hour { hits: rng.binomial(100, 0.3 + spread * mood), rows: 100 }
        };
        (0..weeks * WEEK).map(hour).collect()
    }

    fn run(hours: &[Hour], sensitivity: Sensitivity) -> Result<Check> {
        let reference = Reference::learn(hours, 0)?;
        let plan = Plan { tolerance: 0.02, promise: Promise::default(), sensitivity, replays: 20, seed: 1 };
        check(&[reference], &[hours.to_vec()], &plan)
    }

    #[test]
    fn keeps_and_lowers_the_threshold() {
        let calm = hours(8, 0.0, 1);
        let proved = run(&calm, Sensitivity::Proved).unwrap();
        assert_eq!((proved.log_threshold, proved.false_alarms), (20_000_f64.ln(), 0.0));
        let calibrated = run(&calm, Sensitivity::Calibrated).unwrap();
        assert!(calibrated.log_threshold < 8.0 && calibrated.false_alarms <= 0.05, "{calibrated:?}");
        assert!(run(&hours(8, 0.05, 2), Sensitivity::Proved).unwrap().false_alarms <= 0.05);
    }

    #[test]
    fn a_day_is_no_reference() {
        assert!(run(&hours(1, 0.0, 1)[..24], Sensitivity::Proved).is_err());
        assert!(Reference::learn(&[], 0).is_err());
    }
}
