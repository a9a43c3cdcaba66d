//! `cargo xtask crash`: an import that is killed at every call that changes the disk, and run again.
//!
//! The promise: wherever an import dies, running the same command again ends in the same lake as if nothing had happened.
//! And where a call fails (EIO, ENOSPC), the import says so, or has really succeeded: there is no false success.
//!
//! # How every point is reached
//!
//! strace kills a program at the N-th call of a kind: `-e inject=write:signal=KILL:when=N`; the call itself is then not
//! carried out. But it counts each thread by itself: with all threads writing, N = 3 hits the first thread that gets
//! there, and a thread with two writes is never hit behind the back of one with a hundred.
//!
//! So the calls are told apart by *place* first: one kind of call on one path (`fsync` of the database, `rename` of one
//! window's file). `-P PATH` makes strace count the calls on that path only, and most paths are one thread's work. The
//! steps:
//!
//! 1. An undisturbed import is traced, which gives the places and how many calls each saw from which thread.
//! 2. At each place, N runs from one upwards until a run ends undisturbed; that must not be before the busiest thread's
//!    last call.
//! 3. Where two threads work on one path, one after the other (one opens the database, another writes to it), the later
//!    one's first calls stand in the earlier one's shadow. So all this is done from three beginnings: nothing, what a
//!    killed import left, and a lake in use. Every place must be one thread's alone from one of them.
//!
//! A call that was seen but not reached is a failure like any other.
//!
//! Writes to what is no file (the event descriptors by which threads wake each other) are left out: the disk is the same
//! before and after them, so a death there is a death at the next call that counts. The program's own output is a file
//! during these runs, and so a place like others.
//!
//! A killed process is not a machine without power: what was written and not yet synced is still there. The calls to
//! `fsync` are points of their own, but that they stand where they must is not shown here.
//!
//! # What is checked at each point
//!
//! The digest of all committed rows, and the names of all files below `landing/`, `augmented/` and `staging/`, after one
//! more, undisturbed run of the same command: both equal those of an import that was never disturbed. An injected error
//! must either be survived (the digest is right at once) or reported (exit code 1 and an `error:`).
//!
//! Before the product, a stand-in is put to the test that is known to be careless, and one that is known to be careful:
//! an alarm that does not ring in the rehearsal would prove nothing by its silence.

mod beginning;
mod enumerate;
mod point;
mod stand_in;
mod subject;
mod trace;

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail, ensure};

use self::enumerate::{Tally, enumerate};
use self::stand_in::Manner;
use self::subject::Subject;
use crate::comments;
use crate::house;

/// Few enough for each run to be quick. An import of over 40 000 is written in several parts, from several threads.
const ROWS: u64 = 400;
const ROWS_QUICK: u64 = 40;
const ROWS_EARLIER: u64 = 10;

/// Rows that become rejects, and one that stands there twice.
const BAD_ROWS: &[u8] = b"r1,someone,,2026-11-02T10:00:00Z,1\n\
    r2,someone,the day before the day,sometime,1\n\
    r3,someone,bytes that are no text: \xff\xfe,2026-11-02T10:00:00Z,1\n\
    r4,someone,said once,2026-11-02T10:00:00Z,1\n\
    r4,someone,said twice,2026-11-02T10:00:01Z,2\n";

/// Runs the rehearsal and then the product: `[--quick | --rows N] [--binary PATH]`.
pub(crate) fn run(arguments: &[String]) -> Result<ExitCode> {
    if let Some(("stand-in", rest)) = arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return stand_in::run(rest);
    }
    let (mut rows, mut binary) = (ROWS, None);
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--quick" => rows = ROWS_QUICK,
            "--rows" => {
                rows = rest.next().and_then(|rows| rows.parse().ok()).context("--rows needs a number")?;
            }
            "--binary" => {
                let path = rest.next().context("--binary needs a path")?;
                binary = Some(std::path::absolute(path).with_context(|| format!("no such path: {path}"))?);
            }
            other => bail!("unknown argument `{other}`; there are --quick, --rows N and --binary PATH"),
        }
    }
    let binary = binary.map_or_else(build, Ok)?;
    let room = house::target().join("crash");
    std::fs::create_dir_all(&room).with_context(|| format!("cannot create {}", room.display()))?;
    let lock = File::create(room.join("lock")).context("cannot create the lock")?;
    if lock.try_lock().is_err() {
        println!("waiting for another run in {}", room.display());
        lock.lock().context("cannot wait for the other run")?;
    }
    let (sample, earlier) = (room.join("sample.csv"), room.join("earlier.csv"));
    write_sample(&sample, rows, BAD_ROWS)?;
    write_sample(&earlier, ROWS_EARLIER, b"")?;
    let subject = |program| Subject { program, sample: sample.clone(), earlier: earlier.clone() };

    rehearse(&room, subject)?;
    println!("{}", binary.display());
    // The key of the authors' pseudonyms is given: one that each installation makes for itself would give each another
    // digest.
    let key = room.join("author.key");
    std::fs::write(&key, "the same in every run")?;
    let set_key = format!("authors.key=file:{}", key.display());
    let tally = enumerate(&subject(vec![binary.into(), "--set".into(), set_key.into()]), &room)?;
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

fn write_sample(path: &Path, rows: u64, bad_rows: &[u8]) -> Result<()> {
    let mut sample = comments::HEADER.as_bytes().to_vec();
    for number in 0..rows {
        comments::write_row(&mut sample, number)?;
    }
    sample.write_all(bad_rows)?;
    std::fs::write(path, sample).with_context(|| format!("cannot write {}", path.display()))
}

/// Puts both stand-ins to the test, and fails unless just the careless one fails it.
fn rehearse(room: &Path, subject: impl Fn(Vec<OsString>) -> Subject) -> Result<()> {
    let try_out = |manner: Manner| -> Result<Tally> {
        println!("rehearsal: a {} stand-in", manner.name());
        let this = std::env::current_exe().context("cannot find this program")?;
        enumerate(&subject(vec![this.into(), "crash".into(), "stand-in".into(), manner.name().into()]), room)
    };
    let (careful, careless) = (try_out(Manner::Careful)?, try_out(Manner::Careless)?);
    let complaints = [careful.failures.clone(), careful.unreached.clone()].concat().join("\n");
    ensure!(careful.is_clean(), "the careful stand-in is taken for careless:\n{complaints}");
    ensure!(!careless.failures.is_empty(), "the careless stand-in is not found out");
    println!("the careless one is found out at {} of {} points\n", careless.failures.len(), careless.points);
    Ok(())
}
