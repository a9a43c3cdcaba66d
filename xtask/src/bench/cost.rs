//! Cost: what one run of a program took.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

/// What a run took, as the kernel accounts for it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cost {
    /// From start to end, in seconds.
    pub(super) wall_secs: f64,
    /// On all cores together, in the program and in the kernel for it, in seconds.
    pub(super) cpu_secs: f64,
    /// The most memory that was resident at once.
    pub(super) peak_bytes: f64,
}

/// Runs a program to its end; returns what it took and what it printed. A program that fails has no cost: an error.
///
/// GNU time starts the program, for it is tiny: the kernel counts a starter's own memory towards the peak of what it
/// starts.
pub(super) fn measure(command: &Command, cache: &Path) -> Result<(Cost, String)> {
    let account = cache.join("time.txt");
    let mut timed = Command::new("time");
    timed.args(["--format", "%U %S %M", "--output"]).arg(&account);
    timed.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    let began = Instant::now();
    let output = timed.output().context("cannot run GNU time (Debian package `time`)")?;
    let wall_secs = began.elapsed().as_secs_f64();
    let name: Vec<OsString> = command.get_args().map(OsString::from).collect();
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{} {name:?} fails: {said}", command.get_program().display());
    let account = std::fs::read_to_string(&account).context("GNU time left no account")?;
    let (cpu_secs, peak_bytes) =
        parse(&account).with_context(|| format!("GNU time's account is odd: {account}"))?;
    Ok((Cost { wall_secs, cpu_secs, peak_bytes }, String::from_utf8_lossy(&output.stdout).into_owned()))
}

/// CPU seconds and bytes from `user system kibibytes`.
fn parse(account: &str) -> Option<(f64, f64)> {
    let mut figures = account.split_whitespace().map(str::parse::<f64>);
    let mut next = || figures.next()?.ok();
    Some((next()? + next()?, next()? * 1024.0))
}

/// The middle of some figures; of an even number, the mean of the two in the middle.
///
/// # Panics
///
/// If there are none.
pub(super) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    if figures.len() % 2 == 1 { figures[middle] } else { f64::midpoint(figures[middle - 1], figures[middle]) }
}

#[cfg(test)]
mod tests {
    use super::{median, parse};

    #[test]
    fn an_account_is_seconds_and_kibibytes() {
        assert_eq!(parse("1.50 0.25 2048\n"), Some((1.75, 2_097_152.0)));
        assert_eq!(parse("Command exited with non-zero status 1"), None);
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
    }
}
