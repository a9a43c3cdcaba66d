//! `cargo xtask stats-acceptance [--quick] [SECTION…]`: the simulations behind every promise of `doxa-stats`.
//!
//! Sections A to H. Each line says what was simulated, what came out and what was asked for; seeds are those printed,
//! so that a line can be repeated. Run it in a release build: `cargo run --release -p xtask -- stats-acceptance`.

mod alarms;
mod decisions;
mod shares;
mod streams;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, ensure};
use doxa_stats::interval::wilson;

/// A section by its letter.
type Section = (&'static str, fn(&mut Report) -> Result<()>);

/// Runs the named sections, or all.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let wanted: Vec<&str> = arguments.iter().map(String::as_str).filter(|a| !a.starts_with("--")).collect();
    let mut report = Report { failed: 0, runs: if quick { 60 } else { 400 } };
    let sections: [Section; 8] = [
        ("A", alarms::hourly),
        ("B", alarms::kinds),
        ("C", alarms::many_streams),
        ("D", shares::label_shift),
        ("E", shares::prediction_powered),
        ("F", shares::performance),
        ("G", decisions::gate),
        ("H", decisions::explanation),
    ];
    for (name, section) in sections.iter().filter(|(name, _)| wanted.is_empty() || wanted.contains(name)) {
        let start = Instant::now();
        section(&mut report)?;
        println!("{name} took {:.1} s\n", start.elapsed().as_secs_f64());
    }
    ensure!(report.failed == 0, "{} figures miss their target", report.failed);
    println!("all figures meet their targets");
    Ok(ExitCode::SUCCESS)
}

/// Collects what came out.
pub(crate) struct Report {
    failed: u32,
    /// Simulated streams of each scenario.
    pub(crate) runs: u64,
}

impl Report {
    /// A figure with a target.
    pub(crate) fn check(&mut self, what: &str, figure: &str, target: &str, met: bool) {
        self.failed += u32::from(!met);
        println!("{} {what:<58} {figure:<34} target {target}", if met { "ok    " } else { "MISSED" });
    }

    /// A figure without one.
    pub(crate) fn note(&self, what: &str, figure: &str) {
        println!("       {what:<58} {figure}");
    }
}

/// Runs `one` for every seed of `0..n` on two threads; the order of results is that of the seeds.
pub(crate) fn simulate<T: Send>(n: u64, one: impl Fn(u64) -> T + Sync) -> Vec<T> {
    let half = n / 2;
    std::thread::scope(|scope| {
        let second = scope.spawn(|| (half..n).map(&one).collect::<Vec<T>>());
        let mut all: Vec<T> = (0..half).map(&one).collect();
        all.extend(second.join().expect("a simulation does not panic"));
        all
    })
}

/// A share with its Wilson interval, and the interval's upper end.
pub(crate) fn share(hits: usize, n: usize) -> (String, f64) {
    let interval = wilson(hits as u64, n as u64, 0.95).map(|e| e.interval);
    let (low, high) = interval.map_or((0.0, 1.0), |i| (i.low, i.high));
    (format!("{:.4} [{low:.3}, {high:.3}] n {n}", hits as f64 / n as f64), high)
}

/// The median; infinite where more than half of the values are.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Root of the mean square, and the mean.
pub(crate) fn rmse_and_bias(errors: &[f64]) -> (f64, f64) {
    let n = errors.len() as f64;
    ((errors.iter().map(|e| e * e).sum::<f64>() / n).sqrt(), errors.iter().sum::<f64>() / n)
}
