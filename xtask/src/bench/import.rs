//! `bench import`: a file of comments into the lake, against pandas' `read_csv` and `to_parquet`.
//!
//! The two do not do the same work, and the difference is not in our favour: Doxa keeps the raw bytes, checks each row,
//! writes rejects with their reasons and returns only when everything is safe on the disk; pandas infers types, writes
//! one file and leaves it in the page cache. What is compared is what a person waits for, and the memory it takes.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::cost::{measure, median};
use super::report::{Comparison, Side};
use super::{Plan, cargo, peers};
use crate::comments;
use crate::house;
use crate::strace::{strace, time_in_calls};

const PEER: &[&str] = &["pandas==2.3.3", "pyarrow==21.0.0"];

pub(super) fn run(plan: &Plan) -> Result<Value> {
    cargo(&["build", "--release", "--package", "doxa"])?;
    let doxa = house::target().join("release/doxa");
    let python = peers::python(&plan.cache, PEER)?;
    let sample = sample(&plan.cache, plan.rows)?;
    let (data, parquet) = (plan.cache.join("data"), plan.cache.join("peer.parquet"));

    let mut ours = Side { name: "doxa import".to_owned(), costs: Vec::new() };
    let mut peer = Side { name: PEER.join(" "), costs: Vec::new() };
    let mut calls_alone = Vec::new();
    for _ in 0..plan.rounds {
        forget(&data)?;
        ours.costs.push(measure(&import(&doxa, &sample, &data), &plan.cache)?.0);
        let mut command = Command::new(&python);
        command.arg(house::root().join("xtask/peers/read_csv_to_parquet.py")).args([&sample, &parquet]);
        let (cost, printed) = measure(&command, &plan.cache)?;
        peer.costs.push(cost);
        calls_alone.push(printed.trim().parse().context("the peer prints its seconds")?);
    }
    let waiting = secs_waiting_for_the_disk(&doxa, &sample, &data, &plan.cache)?;
    forget(&data)?;

    let mib = std::fs::metadata(&sample)?.len() / 1_048_576;
    let comparison = Comparison {
        title: format!("import of {} rows ({mib} MiB of CSV)", plan.rows),
        ours,
        peer,
        aim_wall: 8.0,
        aim_memory: 5.0,
    };
    let calls_alone = median(calls_alone);
    print!("{}", comparison.text());
    println!("  the peer's two calls alone, without its start: {calls_alone:.2} s");
    println!("  ours waits for the disk (fsync, all threads together): {waiting:.2} s");
    let mut figures = comparison.json();
    figures["peer_calls_alone_secs"] = json!(calls_alone);
    figures["ours_fsync_secs"] = json!(waiting);
    Ok(figures)
}

fn import(doxa: &Path, sample: &Path, data: &Path) -> Command {
    let mut command = Command::new(doxa);
    command.arg("import").arg(sample).arg("--data-dir").arg(data);
    command
}

/// The file of comments, made once. One that was half written does not have the name yet.
fn sample(cache: &Path, rows: u64) -> Result<PathBuf> {
    let (path, part) = (cache.join(format!("comments-{rows}.csv")), cache.join("comments.part"));
    if !path.exists() {
        let file = File::create(&part).with_context(|| format!("cannot create {}", part.display()))?;
        let mut out = BufWriter::new(file);
        out.write_all(comments::HEADER.as_bytes())?;
        for number in 0..rows {
            comments::write_row(&mut out, number)?;
        }
        out.flush()?;
        std::fs::rename(&part, &path)?;
    }
    Ok(path)
}

/// One more import, under a trace that changes the other figures and is therefore not one of the rounds.
fn secs_waiting_for_the_disk(doxa: &Path, sample: &Path, data: &Path, cache: &Path) -> Result<f64> {
    forget(data)?;
    let log = cache.join("fsync.log");
    let import = import(doxa, sample, data);
    let mut command = strace(&log);
    // Only the calls that are asked for stop the program, so that the others cost what they always cost.
    command.args(["--seccomp-bpf", "-T", "-e", "trace=?fsync,?fdatasync,?sync_file_range"]);
    command.arg(import.get_program()).args(import.get_args());
    let output = command.output().context("cannot run strace")?;
    ensure!(
        output.status.success(),
        "the import fails under strace: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(time_in_calls(&std::fs::read_to_string(&log)?).as_secs_f64())
}

fn forget(data: &Path) -> Result<()> {
    if data.exists() {
        std::fs::remove_dir_all(data).with_context(|| format!("cannot remove {}", data.display()))?;
    }
    Ok(())
}
