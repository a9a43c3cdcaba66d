//! `cargo xtask crash`: an import that is killed at every call that changes the disk, and run again.
//!
//! The promise: wherever an import dies, running the same command again ends in the same lake as if nothing had happened.
//! And where a call fails (EIO, ENOSPC), the import says so, or has really succeeded: there is no false success.
//!
//! # How every point is reached
//!
//! strace kills a program at the N-th call of a kind: `-e inject=write:signal=KILL:when=N`; the call itself is then not
//! carried out. But it counts each thread by itself, so that with all threads writing, N = 3 hits only the first thread
//! that gets there, and a thread with two writes is never hit behind the back of one with a hundred.
//!
//! So the calls are told apart by *place* first: one kind of call on one path (`fsync` of the database, `rename` of one
//! window's file). `-P PATH` makes strace count the calls on that path only, and a path is nearly always one thread's
//! work at a time. The steps:
//!
//! 1. An undisturbed import is traced, which gives the places and how many calls each saw.
//! 2. At each place, N runs from one upwards until a run ends undisturbed.
//! 3. What was reached is compared with what one thread was seen to do; a call that was seen but never reached is a
//!    failure too. Where two threads do the same call on the same path, such as forcing one folder to disk, the second's
//!    cannot be told from the first's: the summary counts calls beside points, and the difference is these. (The fault
//!    suite of the lake port, where a store dies at its k-th call, knows no threads and has no such gap.)
//!
//! Writes to what is no file (the event descriptors by which threads wake each other) are left out: the disk is the same
//! before and after them, so a death there is a death at the next call that counts. The program's own output is a file
//! during these runs, and so a place like others.
//!
//! # What is checked at each point
//!
//! The digest of all committed rows, and the names of all files below `landing/`, `augmented/` and `staging/`, after one
//! more, undisturbed run of the same command: both equal those of an import that was never disturbed. An injected error
//! must either be survived (the digest is right at once) or reported (exit code 1 and an `error:`).
//!
//! Before the product, a stand-in is put to the test that is known to be careless, and one that is known to be careful:
//! an alarm that does not ring in the rehearsal would prove nothing by its silence.

mod points;
mod stand_in;
mod subject;
mod trace;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};

use self::points::{Fault, Tally, enumerate};
use self::stand_in::Manner;
use self::subject::Subject;
use crate::comments;
use crate::house;

/// Enough rows that files are written in several calls.
const ROWS: u64 = 2_000;
const ROWS_QUICK: u64 = 40;

/// Rows that become rejects, and one that stands there twice.
const BAD_ROWS: &[u8] = b"r1,someone,,2026-11-02T10:00:00Z,1\n\
    r2,someone,the day before the day,sometime,1\n\
    r3,someone,bytes that are no text: \xff\xfe,2026-11-02T10:00:00Z,1\n\
    r4,someone,said once,2026-11-02T10:00:00Z,1\n\
    r4,someone,said twice,2026-11-02T10:00:01Z,2\n";

/// Runs the rehearsal and then the product: `[--quick] [--binary PATH]`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    if let Some(("stand-in", rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return stand_in::run(rest);
    }
    let (mut rows, mut binary) = (ROWS, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--quick" => rows = ROWS_QUICK,
            "--binary" => {
                let path = rest.next().context("--binary needs a path")?;
                binary = Some(std::path::absolute(path).with_context(|| format!("no such path: {path}"))?);
            }
            other => bail!("unknown argument `{other}`; there are --quick and --binary PATH"),
        }
    }
    let binary = binary.map_or_else(build, Ok)?;
    let room = house::target().join("crash");
    std::fs::create_dir_all(&room).with_context(|| format!("cannot create {}", room.display()))?;
    let sample = room.join("sample.csv");
    write_sample(&sample, rows)?;

    rehearse(&room, &sample)?;
    let subject = Subject { program: vec![binary.into()], sample };
    let tally = enumerate(&subject, &room, &Fault::ALL)?;
    for failure in tally.failures.iter().chain(&tally.unreached) {
        println!("\n{failure}");
    }
    let passed = tally.points - tally.failures.len();
    println!("crash points {passed} passed, {} failed", tally.failures.len() + tally.unreached.len());
    Ok(if tally.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn build() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--package", "doxa"])
        .current_dir(house::root())
        .status();
    ensure!(built.context("cannot run cargo")?.success(), "doxa does not build");
    Ok(house::target().join("debug/doxa"))
}

fn write_sample(path: &Path, rows: u64) -> Result<()> {
    let mut sample = comments::HEADER.as_bytes().to_vec();
    for number in 0..rows {
        comments::write_row(&mut sample, number)?;
    }
    sample.write_all(BAD_ROWS)?;
    std::fs::write(path, sample).with_context(|| format!("cannot write {}", path.display()))
}

/// Puts both stand-ins to the test, and fails unless just the careless one fails it.
fn rehearse(room: &Path, sample: &Path) -> Result<()> {
    let try_out = |manner: Manner| -> Result<Tally> {
        println!("rehearsal: a {} stand-in", manner.name());
        let this = std::env::current_exe().context("cannot find this program")?;
        let program = vec![this.into(), "crash".into(), "stand-in".into(), manner.name().into()];
        enumerate(&Subject { program, sample: sample.to_owned() }, room, &Fault::ALL)
    };
    let (careful, careless) = (try_out(Manner::Careful)?, try_out(Manner::Careless)?);
    let complaints = [careful.failures.clone(), careful.unreached.clone()].concat().join("\n");
    ensure!(careful.is_clean(), "the careful stand-in is taken for careless:\n{complaints}");
    ensure!(!careless.failures.is_empty(), "the careless stand-in is not found out");
    println!(
        "rehearsal: the careless one is found out at {} of {} points\n",
        careless.failures.len(),
        careless.points
    );
    Ok(())
}
