//! `cargo xtask bench NAME`: figures that mean something on any machine.
//!
//! A figure in seconds is a figure about one machine on one day. So every benchmark runs its peer beside it, in the same
//! run, round by round in turn, and what it prints last is the ratio of the medians. The peers are pinned to a version,
//! installed below `target/bench`, and named in the output.

mod cost;
mod import;
mod peers;
mod report;
mod table;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::house;

/// What a benchmark is called with.
struct Plan {
    /// A folder for what takes long to make and is the same every time.
    cache: PathBuf,
    /// How often each side runs.
    rounds: usize,
    /// The size of the input, in rows.
    rows: u64,
}

/// A benchmark: prints its table, and returns its figures.
type Bench = fn(&Plan) -> Result<Value>;

const BENCHES: &[(&str, Bench)] = &[("import", import::run), ("table", table::run)];

/// Runs one benchmark: `NAME [--rounds N] [--rows N] [--json FILE]`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    let names: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
    let usage =
        format!("bench NAME [--rounds N] [--rows N] [--json FILE]; the names are {}", names.join(", "));
    let (name, options) = arguments.split_first().with_context(|| usage.clone())?;
    let (_, bench) = BENCHES.iter().find(|(known, _)| known == name).with_context(|| usage.clone())?;

    let mut plan = Plan { cache: house::target().join("bench"), rounds: 5, rows: 1_000_000 };
    let mut json = None;
    for pair in options.chunks(2) {
        let [option, value] = pair else { bail!("`{}` needs a value: {usage}", pair[0]) };
        let number = || value.parse::<u64>().with_context(|| format!("`{option} {value}` is not a number"));
        match option.as_str() {
            "--rounds" => plan.rounds = usize::try_from(number()?)?.max(1),
            "--rows" => plan.rows = number()?,
            "--json" => json = Some(PathBuf::from(value)),
            _ => bail!("unknown option `{option}`: {usage}"),
        }
    }
    std::fs::create_dir_all(&plan.cache)
        .with_context(|| format!("cannot create {}", plan.cache.display()))?;
    let figures = bench(&plan)?;
    if let Some(path) = json {
        let text = format!("{figures:#}\n");
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs cargo in the root of the house and returns what it printed.
fn cargo(arguments: &[&str]) -> Result<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(house::root()).stderr(std::process::Stdio::inherit());
    let output = command.output().context("cannot run cargo")?;
    ensure!(output.status.success(), "`cargo {}` fails", arguments.join(" "));
    String::from_utf8(output.stdout).context("what cargo printed is not UTF-8")
}
