//! Sections D to F: corrected shares, prediction-powered intervals, accuracy without labels.

use anyhow::Result;
use doxa_stats::interval::wilson;
use doxa_stats::rng::Rng;
use doxa_stats::shares::harmful::HarmfulShift;
use doxa_stats::shares::label_shift::{
    Validation, black_box, calibrated_em, counted, expectation_maximisation, mean_probability,
};
use doxa_stats::shares::performance::accuracy;
use doxa_stats::shares::prediction_powered::{Label, Machine, mean, plain_with};

use super::{Report, median, rmse_and_bias, share, simulate};

/// Three classes as normal clouds in the plane; the model knows them, but is twice as sure as it should be.
struct World {
    apart: f64,
}

const PRIOR: [f64; 3] = [0.3, 0.4, 0.3];
const CENTRES: [(f64, f64); 3] = [(0.0, 1.0), (-0.866, -0.5), (0.866, -0.5)];

impl World {
    fn draw(&self, prior: &[f64; 3], sharpness: f64, rng: &mut Rng) -> (usize, Vec<f64>) {
        let u = rng.uniform();
        let label = if u < prior[0] { 0 } else { usize::from(u >= prior[0] + prior[1]) + 1 };
        let x = self.apart * CENTRES[label].0 + rng.normal();
        let y = self.apart * CENTRES[label].1 + rng.normal();
        let score = |c: usize| self.apart * (x * CENTRES[c].0 + y * CENTRES[c].1) + PRIOR[c].ln();
        let powers: Vec<f64> = (0..3).map(|c| (sharpness * score(c)).exp()).collect();
        let mass: f64 = powers.iter().sum();
        (label, powers.iter().map(|p| p / mass).collect())
    }

    fn rows(&self, prior: &[f64; 3], sharpness: f64, n: usize, rng: &mut Rng) -> Validation {
        let (labels, probabilities) = (0..n).map(|_| self.draw(prior, sharpness, rng)).unzip();
        Validation { probabilities, labels }
    }
}

const WORLD: World = World { apart: 1.35 };

pub(super) fn label_shift(report: &mut Report) -> Result<()> {
    let runs = report.runs * 3 / 4;
    report.note(
        "D: seeds",
        &format!("0..{runs}; 500 validation labels, 1000 rows, temperature .5; bias / RMSE in points"),
    );
    for (truth, limit) in [(0.3, 2.3 * 1.1), (0.5, 2.5 * 1.1), (0.7, 2.3 * 1.1)] {
        let rest = 1.0 - truth;
        let prior = [truth, rest * 4.0 / 7.0, rest * 3.0 / 7.0];
        let errors = simulate(runs, |seed| {
            let mut rng = Rng::new(seed);
            let validation = WORLD.rows(&PRIOR, 2.0, 500, &mut rng);
            let target = WORLD.rows(&prior, 2.0, 1000, &mut rng).probabilities;
            let em = expectation_maximisation(&validation.probabilities, &target, 1e-8, 500);
            [
                counted(&target),
                mean_probability(&target),
                black_box(&validation, &target),
                em,
                calibrated_em(&validation, &target),
            ]
            .map(|shares| shares.map_or(f64::NAN, |shares| 100.0 * (shares[0] - truth)))
        });
        for (i, name) in
            ["count", "mean probability", "BBSE", "EM raw", "EM and temperature"].iter().enumerate()
        {
            let (rmse, bias) = rmse_and_bias(&errors.iter().map(|e| e[i]).collect::<Vec<_>>());
            let (what, figure) = (format!("D true {truth:.2}: {name}"), format!("{bias:+.1} / {rmse:.2}"));
            if i == 4 {
                report.check(&what, &figure, &format!("RMSE <= {limit:.2}"), rmse <= limit);
            } else {
                report.note(&what, &figure);
            }
        }
    }
    Ok(())
}

pub(super) fn prediction_powered(report: &mut Report) -> Result<()> {
    let runs = report.runs * 50;
    report.note("E: seeds", &format!("0..{runs}; true share .30, specificity .95, 20000 machine answers"));
    for (n, sensitivity) in [(20, 0.9), (50, 0.9), (100, 0.9), (50, 0.7), (100, 0.7), (200, 0.9)] {
        let results = simulate(runs, |seed| interval_run(n, sensitivity, seed));
        let covered = |i: usize| results.iter().filter(|r| r[i].0).count() as f64 / runs as f64;
        let width = |i: usize| results.iter().map(|r| r[i].1).sum::<f64>() / runs as f64;
        let what = format!("E n {n}, sensitivity {sensitivity}");
        for (i, name) in ["human Wilson", "PPI++"].iter().enumerate() {
            report.note(
                &format!("{what}: {name}"),
                &format!("coverage {:.4}, half-width {:.4}", covered(i), width(i)),
            );
        }
        let figure = format!("coverage {:.4}, half-width {:.4}", covered(2), width(2));
        if n < 50 {
            report.note(&format!("{what}: ours"), &figure);
            continue;
        }
        let met = (0.935..=0.965).contains(&covered(2));
        report.check(&format!("{what}: ours"), &figure, "coverage in [.935, .965]", met);
        if n == 100 && sensitivity == 0.9 {
            let ratio = width(2) / width(0);
            report.check(&format!("{what}: width to Wilson"), &format!("{ratio:.3}"), "<= .6", ratio <= 0.6);
        }
    }
    Ok(())
}

/// Whether Wilson, PPI++ and ours cover, and their half-widths.
fn interval_run(n: usize, sensitivity: f64, seed: u64) -> [(bool, f64); 3] {
    const SHARE: f64 = 0.3;
    const UNSEEN: u64 = 20_000;
    let mut rng = Rng::new(seed);
    let label = |rng: &mut Rng| {
        let human = rng.chance(SHARE);
        let says = rng.chance(if human { sensitivity } else { 0.05 });
        Label { human: f64::from(u8::from(human)), machine: f64::from(u8::from(says)), weight: 1.0 }
    };
    let labels: Vec<Label> = (0..n).map(|_| label(&mut rng)).collect();
    let called = rng.binomial(UNSEEN, SHARE * sensitivity + (1.0 - SHARE) * 0.05) as f64 / UNSEEN as f64;
    let machine = Machine { n: UNSEEN as usize, mean: called, variance: called * (1.0 - called) };
    let hits = labels.iter().filter(|l| l.human == 1.0).count() as u64;
    let human = wilson(hits, n as u64, 0.95).map(|e| e.interval);
    let plus = plain_with(&labels, &machine, None, 0.95).map(|m| m.estimate.interval);
    let ours = mean(&labels, &machine, 0.95).map(|m| m.estimate.interval);
    [human, plus, ours].map(|i| i.map_or((false, 1.0), |i| (i.contains(SHARE), i.half_width())))
}

pub(super) fn performance(report: &mut Report) -> Result<()> {
    let runs = report.runs;
    report.note("F: seeds", &format!("0..{runs}; chunks of 500 rows"));
    for (name, prior, sharpness, flips) in [
        ("calibrated", PRIOR, 1.0, 0.0),
        ("overconfident", PRIOR, 2.0, 0.0),
        ("label shift", [0.5, 0.286, 0.214], 1.0, 0.0),
        ("meaning moved in 10 %", PRIOR, 1.0, 0.1),
        ("meaning moved in 25 %", PRIOR, 1.0, 0.25),
    ] {
        let errors = simulate(runs, |seed| cbpe_error(&prior, sharpness, flips, seed));
        let (_, bias) = rmse_and_bias(&errors);
        let size = errors.iter().map(|e| e.abs()).sum::<f64>() / runs as f64;
        let (what, figure) = (format!("F CBPE {name}"), format!("|error| {size:.1}, bias {bias:+.1} points"));
        if name == "calibrated" {
            report.check(&what, &figure, "|error| <= 2", size <= 2.0);
        } else {
            report.note(&what, &figure);
        }
    }
    let labels = |error: f64, most: u64, seed: u64| {
        let mut rng = Rng::new(seed);
        let mut watch =
            HarmfulShift::new(rng.binomial(20_000, 0.05), 20_000, 0.0, 0.05).expect("rows were checked");
        (1..=most).find(|_| watch.update(rng.chance(error)))
    };
    let benign = simulate(runs, |seed| labels(0.05, 5000, seed).is_some()).iter().filter(|a| **a).count();
    let (figure, _) = share(benign, runs as usize);
    report.check(
        "F harmful shift: inputs moved, error did not, 1000 h",
        &figure,
        "<= .05",
        benign as f64 <= 0.05 * runs as f64,
    );
    let found = median(simulate(runs, |seed| labels(0.15, 5000, seed).map_or(f64::INFINITY, |n| n as f64)));
    report.check(
        "F harmful shift: error .05 -> .15",
        &format!("median {found} labels"),
        "<= 60",
        found <= 60.0,
    );
    Ok(())
}

/// Estimated less true accuracy, in points.
fn cbpe_error(prior: &[f64; 3], sharpness: f64, flips: f64, seed: u64) -> f64 {
    let mut rng = Rng::new(seed);
    let rows = WORLD.rows(prior, sharpness, 500, &mut rng);
    let estimate = accuracy(&rows.probabilities, 0.95).expect("probabilities are sound").value;
    let right = rows.probabilities.iter().zip(&rows.labels).filter(|(row, label)| {
        let moved = rng.chance(flips);
        (doxa_stats::shares::label_shift::predicted(row) == **label) != moved
    });
    100.0 * (estimate - right.count() as f64 / 500.0)
}
