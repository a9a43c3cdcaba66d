//! Sections G and H: the promotion gate, and finding the cause.

use anyhow::Result;
use doxa_stats::decide::gate::{Gate, Verdict};
use doxa_stats::explain::causes::{Cause, Kind, of_rate, of_words, rank};
use doxa_stats::explain::mix_rate::Group;
use doxa_stats::explain::words::telling;
use doxa_stats::rng::Rng;

use super::{Report, median, share, simulate};

pub(super) fn gate(report: &mut Report) -> Result<()> {
    let runs = report.runs * 5;
    report.note("G: seeds", &format!("0..{runs}; champion errs in 20 %, a verdict may fall at every label"));
    let promoted = |gain: f64| {
        let verdicts = simulate(runs, |seed| compare(gain, 5000, seed).0);
        verdicts.iter().filter(|v| **v == Verdict::Promote).count()
    };
    let (figure, _) = share(promoted(0.0), runs as usize);
    let wrong = promoted(0.0) as f64 / runs as f64;
    report.check("G equal models promoted within 5000 labels", &figure, "<= .05", wrong <= 0.05);
    for gain in [0.03, 0.05] {
        let labels = simulate(runs / 5, |seed| match compare(gain, 20_000, seed) {
            (Verdict::Promote, n) => n as f64,
            _ => f64::INFINITY,
        });
        let middle = median(labels);
        let what = format!("G {:.0} points better", 100.0 * gain);
        report.check(&what, &format!("median {middle} labels"), "<= 1500", middle <= 1500.0);
    }
    Ok(())
}

/// Models that agree on most items: only a quarter is hard for either.
fn compare(gain: f64, most: u64, seed: u64) -> (Verdict, u64) {
    let mut rng = Rng::new(seed);
    let mut gate = Gate::default();
    while gate.verdict() == Verdict::Undecided && gate.n() < most {
        let hard = rng.chance(0.25);
        let loss = |rng: &mut Rng, p: f64| f64::from(u8::from(hard && rng.chance(p / 0.25)));
        let (champion, challenger) = (loss(&mut rng, 0.2), loss(&mut rng, 0.2 - gain));
        gate.update(champion, challenger).expect("losses are zero or one");
    }
    (gate.verdict(), gate.n())
}

const CHANNELS: usize = 30;

pub(super) fn explanation(report: &mut Report) -> Result<()> {
    let runs = report.runs;
    report.note("H: seeds", &format!("0..{runs}; one cause among {CHANNELS} channels, 500 rows each"));
    for kind in [Kind::Rate, Kind::Mix, Kind::Word] {
        let right = simulate(runs, |seed| first_cause(kind, seed)).iter().filter(|r| **r).count();
        let (figure, _) = share(right, runs as usize);
        report.check(
            &format!("H planted {kind:?} ranked first"),
            &figure,
            ">= .95",
            right as f64 >= 0.95 * runs as f64,
        );
    }
    let flagged = simulate(runs, |seed| words(None, seed).len());
    let share_of_words = flagged.iter().sum::<usize>() as f64 / (runs as f64 * VOCABULARY as f64);
    let any = flagged.iter().filter(|n| **n > 0).count();
    report.check("H null words flagged", &format!("{share_of_words:.5}"), "<= .05", share_of_words <= 0.05);
    report.check(
        "H nulls with any word flagged",
        &share(any, runs as usize).0,
        "<= .05",
        any as f64 <= 0.05 * runs as f64,
    );
    Ok(())
}

fn first_cause(kind: Kind, seed: u64) -> bool {
    const PLANTED: usize = 11;
    let name = |i: usize| format!("channel {i}");
    if kind == Kind::Word {
        return words(Some(PLANTED), seed).first().is_some_and(|c| c.name == format!("w{PLANTED}"));
    }
    let mut rng = Rng::new(seed);
    let group = |i: usize| {
        let planted = i == PLANTED;
        // A channel twice as unhappy as the others, so that its weight matters at all.
        let rate = if kind == Kind::Mix && planted { 0.6 } else { 0.3 };
        let volume = if kind == Kind::Mix && planted { 1500.0 } else { 500.0 };
        let (n, m) = (rng.poisson(500.0), rng.poisson(volume));
        let now = if kind == Kind::Rate && planted { rate + 0.2 } else { rate };
        Group {
            name: name(i),
            n_reference: n as f64,
            rate_reference: rng.binomial(n, rate) as f64 / n as f64,
            n_current: m as f64,
            rate_current: rng.binomial(m, now) as f64 / m as f64,
        }
    };
    let groups: Vec<Group> = (0..CHANNELS).map(group).collect();
    of_rate(&groups)
        .is_ok_and(|causes| causes.first().is_some_and(|c| c.name == name(PLANTED) && c.kind == kind))
}

const VOCABULARY: usize = 2000;

/// Words of two months, by Zipf's law; the planted one is written four times as often.
fn words(planted: Option<usize>, seed: u64) -> Vec<Cause> {
    let mut rng = Rng::new(seed);
    let usual: Vec<f64> = (0..VOCABULARY).map(|i| 1.0 / (i + 1) as f64).collect();
    let mut now = usual.clone();
    if let Some(i) = planted {
        now[i] *= 4.0;
    }
    let (mut a, mut b) = (vec![0; VOCABULARY], vec![0; VOCABULARY]);
    rng.multinomial(40_000, &usual, &mut a);
    rng.multinomial(10_000, &now, &mut b);
    let names: Vec<String> = (0..VOCABULARY).map(|i| format!("w{i}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut causes = of_words(&telling(&names, &a, &b, 0.05).expect("counts are sound"));
    rank(&mut causes);
    causes
}
