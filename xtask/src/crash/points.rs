//! Points: one fault at the N-th call of one place, and what comes of it.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use super::subject::{End, Subject, finish, said};
use super::trace::{CALLS, Calls, Place, places};
use crate::strace::strace;

/// More calls at one place than any import makes: a run that reaches it is not getting anywhere.
const MOST_CALLS: usize = 100_000;

const SIGKILL: i32 = 9;

/// What happens at a point.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Fault {
    /// The process is killed before the call is carried out.
    Kill,
    /// The call is not carried out and reports this error.
    Error(&'static str),
}

impl Fault {
    pub(super) const ALL: [Self; 3] = [Self::Kill, Self::Error("EIO"), Self::Error("ENOSPC")];

    fn name(self) -> &'static str {
        match self {
            Self::Kill => "KILL",
            Self::Error(name) => name,
        }
    }

    /// What strace is told to do at the `number`-th call.
    fn injection(self, call: &str, number: usize) -> String {
        match self {
            Self::Kill => format!("inject={call}:signal=KILL:when={number}"),
            Self::Error(name) => format!("inject={call}:error={name}:when={number}"),
        }
    }
}

/// What an enumeration found.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) points: usize,
    pub(super) failures: Vec<String>,
    /// Calls that were seen in the undisturbed run and at which no fault could be made to happen.
    pub(super) unreached: Vec<String>,
}

impl Tally {
    pub(super) fn is_clean(&self) -> bool {
        self.points > 0 && self.failures.is_empty() && self.unreached.is_empty()
    }
}

/// An undisturbed run, against which every disturbed one is held.
struct Undisturbed {
    end: End,
    status: ExitStatus,
    /// The places, and how many calls each saw.
    places: Vec<(Place, Calls)>,
}

/// Puts the subject to every fault at every point, below the folder `room`.
pub(super) fn enumerate(subject: &Subject, room: &Path, faults: &[Fault]) -> Result<Tally> {
    let undisturbed = undisturbed(subject, &room.join("undisturbed"))?;
    let mut tally = Tally::default();
    for &fault in faults {
        let began = Instant::now();
        let found = every_place(subject, &undisturbed, room, fault)?;
        println!(
            "  {:<7}{} points at {} places for {} calls, {} failed, {:.0} s",
            fault.name(),
            found.points,
            undisturbed.places.len(),
            undisturbed.places.iter().map(|(_, calls)| calls.in_all).sum::<usize>(),
            found.failures.len(),
            began.elapsed().as_secs_f64()
        );
        tally.points += found.points;
        tally.failures.extend(found.failures);
        tally.unreached.extend(found.unreached);
    }
    Ok(tally)
}

fn undisturbed(subject: &Subject, room: &Path) -> Result<Undisturbed> {
    let run = || -> Result<(ExitStatus, End, Vec<(Place, Calls)>)> {
        fresh(room)?;
        let log = room.join("log");
        let mut command = strace(&log);
        command.args(["-y", "-e"]).arg(format!("trace={CALLS}")).args(subject.import(&room.join("data")));
        let status = finish(&line(&command), room)?;
        ensure!(
            status.code() == Some(0) || status.code() == Some(3),
            "the undisturbed import fails: {}",
            said(room)
        );
        let places = places(&String::from_utf8_lossy(&std::fs::read(&log)?), room);
        Ok((status, subject.end(room)?, places.into_iter().collect()))
    };
    let (status, end, places) = run()?;
    let (_, again, _) = run()?;
    ensure!(end == again, "two undisturbed imports differ: nothing can be held against them");
    ensure!(!places.is_empty(), "the import changes nothing on the disk");
    Ok(Undisturbed { end, status, places })
}

/// Takes one place after another, on all cores.
fn every_place(subject: &Subject, undisturbed: &Undisturbed, room: &Path, fault: Fault) -> Result<Tally> {
    // Where standard error cannot be written, no error can be told: that place can only be killed at.
    let places = undisturbed.places.iter().filter(|(place, _)| fault == Fault::Kill || place.path != "err");
    let (queue, tally) = (Mutex::new(places), Mutex::new(Tally::default()));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = |worker: usize| -> Result<()> {
            let room = room.join(format!("room-{worker}"));
            loop {
                let next = queue.lock().expect("no worker panics").next();
                let Some((place, seen)) = next else { return Ok(()) };
                let found = every_call(subject, undisturbed, &room, fault, place, seen.by_one_thread)?;
                let mut tally = tally.lock().expect("no worker panics");
                tally.points += found.points;
                tally.failures.extend(found.failures);
                tally.unreached.extend(found.unreached);
            }
        };
        let workers: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no worker panics"))
    })?;
    Ok(tally.into_inner().expect("no worker panics"))
}

/// Lets the fault happen at the first call of a place, the second, and so on until a run ends undisturbed.
fn every_call(
    subject: &Subject,
    undisturbed: &Undisturbed,
    room: &Path,
    fault: Fault,
    place: &Place,
    seen: usize,
) -> Result<Tally> {
    let mut tally = Tally::default();
    for number in 1..MOST_CALLS {
        fresh(room)?;
        let point = Point { fault, place, number, room };
        match point.strike(subject, undisturbed) {
            Ok(Struck::Not) => {
                if tally.points < seen {
                    let what = format!("only {} of {seen} calls were reached", tally.points);
                    tally.unreached.push(format!(
                        "NOT REACHED {} {} {}: {what}",
                        fault.name(),
                        place.call,
                        place.path
                    ));
                }
                return Ok(tally);
            }
            Ok(Struck::Held) => {}
            Err(broken) => tally.failures.push(point.report(subject, &broken)),
        }
        tally.points += 1;
    }
    bail!("no end of calls to {} on {}", place.call, place.path)
}

/// One fault at one call.
struct Point<'a> {
    fault: Fault,
    place: &'a Place,
    number: usize,
    room: &'a Path,
}

/// Whether a fault happened; if it did and the promise was broken, that is an error instead.
enum Struck {
    Not,
    Held,
}

impl Point<'_> {
    fn strike(&self, subject: &Subject, undisturbed: &Undisturbed) -> Result<Struck> {
        let status = finish(&self.disturbed(subject), self.room)?;
        match self.fault {
            Fault::Kill if status.signal() != Some(SIGKILL) => return Ok(Struck::Not),
            Fault::Kill => {}
            Fault::Error(_) if !self.was_injected()? => return Ok(Struck::Not),
            Fault::Error(_) if status == undisturbed.status || status.success() => {
                ensure!(
                    subject.end(self.room)?.digest == undisturbed.end.digest,
                    "false success: it ended with {status}"
                );
            }
            Fault::Error(_) => {
                let said = said(self.room);
                ensure!(status.code() == Some(1), "the error ends with {status}: {said}");
                ensure!(said.contains("error:"), "the error is not told: `{said}`");
            }
        }
        let status = finish(&subject.import(&self.room.join("data")), self.room)?;
        let accepted = status == undisturbed.status || status.success();
        ensure!(accepted, "the run after it fails ({status}): {}", said(self.room));
        let end = subject.end(self.room).context("after the rerun")?;
        ensure!(end.digest == undisturbed.end.digest, "the lake differs after the rerun");
        let (names, wanted) = (&end.names, &undisturbed.end.names);
        let left: Vec<&String> = names.iter().filter(|name| !wanted.contains(name)).collect();
        let lost: Vec<&String> = wanted.iter().filter(|name| !names.contains(name)).collect();
        ensure!(names == wanted, "after the rerun, files are left behind {left:?} or missing {lost:?}");
        Ok(Struck::Held)
    }

    fn was_injected(&self) -> Result<bool> {
        // What was written is quoted in the log, and need not be UTF-8.
        let log = std::fs::read(self.log()).context("strace left no log")?;
        Ok(String::from_utf8_lossy(&log).contains("(INJECTED)"))
    }

    fn log(&self) -> PathBuf {
        self.room.join("log")
    }

    /// The import, with the fault.
    fn disturbed(&self, subject: &Subject) -> Vec<OsString> {
        let mut command = strace(&self.log());
        command.args(["-e", &format!("trace={}", self.place.call)]);
        command.args(["-e", &self.fault.injection(&self.place.call, self.number)]);
        command.arg("-P").arg(self.room.join(&self.place.path));
        command.args(subject.import(&self.room.join("data")));
        line(&command)
    }

    /// What broke, and the commands that show it again.
    fn report(&self, subject: &Subject, broken: &anyhow::Error) -> String {
        let data = self.room.join("data");
        let (fault, place) = (self.fault.name(), self.place);
        format!(
            "FAILED {fault} at call {} of {} on {}: {broken:#}\n  again:\n    cd {} && rm -rf data\n    {}{}\n    {}\n    {}",
            self.number,
            place.call,
            place.path,
            shell(&[self.room.into()]),
            shell(&self.disturbed(subject)),
            if ["out", "err"].contains(&place.path.as_str()) { " >out 2>err" } else { "" },
            shell(&subject.import(&data)),
            shell(&subject.digest(&data)),
        )
    }
}

/// Empties a room.
fn fresh(room: &Path) -> Result<()> {
    if room.exists() {
        std::fs::remove_dir_all(room).with_context(|| format!("cannot empty {}", room.display()))?;
    }
    std::fs::create_dir_all(room).with_context(|| format!("cannot create {}", room.display()))
}

fn line(command: &std::process::Command) -> Vec<OsString> {
    std::iter::once(command.get_program()).chain(command.get_args()).map(OsString::from).collect()
}

/// A command line as one would type it.
fn shell(line: &[OsString]) -> String {
    let plain = |one: char| one.is_ascii_alphanumeric() || "-_=/.:,?@%+".contains(one);
    let words = line.iter().map(|word| {
        let word = word.to_string_lossy();
        if !word.is_empty() && word.chars().all(plain) {
            word.into_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Fault, shell};

    #[test]
    fn faults_are_told_to_strace() {
        assert_eq!(Fault::Kill.injection("fsync", 3), "inject=fsync:signal=KILL:when=3");
        assert_eq!(Fault::Error("EIO").injection("rename", 1), "inject=rename:error=EIO:when=1");
    }

    #[test]
    fn a_command_can_be_typed() {
        let rows = [
            (&["a", "-e", "b=c:d"][..], "a -e b=c:d"),
            (&["a", "data/x#1"], "a 'data/x#1'"),
            (&["a", "it's", ""], r"a 'it'\''s' ''"),
        ];
        for (words, wanted) in rows {
            let line: Vec<_> = words.iter().map(std::ffi::OsString::from).collect();
            assert_eq!(shell(&line), wanted);
        }
    }
}
