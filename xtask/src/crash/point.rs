//! A point: one fault at the N-th call of one place, and what comes of it.

use std::ffi::OsString;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, ensure};

use super::beginning::Undisturbed;
use super::subject::{Subject, finish, line, said};
use super::trace::Place;
use crate::strace::strace;

const SIGKILL: i32 = 9;

/// What happens at a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fault {
    /// The process is killed before the call is carried out.
    Kill,
    /// The call is not carried out and reports this error.
    Error(&'static str),
}

impl Fault {
    pub(super) const ALL: [Self; 3] = [Self::Kill, Self::Error("EIO"), Self::Error("ENOSPC")];

    pub(super) fn name(self) -> &'static str {
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

/// One fault at one call, in a room of its own.
pub(super) struct Point<'a> {
    pub(super) fault: Fault,
    pub(super) place: &'a Place,
    /// Counted from one.
    pub(super) number: usize,
    pub(super) room: &'a Path,
}

/// Whether the fault happened at all. If it did and the promise was broken, that is an error instead.
#[derive(Debug, PartialEq)]
pub(super) enum Struck {
    Not,
    Held,
}

impl Point<'_> {
    /// Lets the fault happen, runs the import again, and holds what comes of it against the undisturbed run.
    pub(super) fn strike(&self, subject: &Subject, undisturbed: &Undisturbed) -> Result<Struck> {
        let status = finish(&self.disturbed(subject), self.room)?;
        match self.fault {
            Fault::Kill if status.signal() != Some(SIGKILL) => return Ok(Struck::Not),
            Fault::Kill => {}
            Fault::Error(_) if !self.was_injected()? => return Ok(Struck::Not),
            Fault::Error(_) if undisturbed.ended_as_well(status) => {
                let digest = subject.end(self.room)?.digest;
                ensure!(digest == undisturbed.end.digest, "false success: it ended with {status}");
            }
            Fault::Error(_) => {
                let said = said(self.room);
                ensure!(status.code() == Some(1), "the error ends with {status}: {said}");
                ensure!(said.contains("error:"), "the error is not told: `{said}`");
            }
        }
        let status = finish(&subject.import(&self.room.join("data")), self.room)?;
        ensure!(undisturbed.ended_as_well(status), "the run after it fails ({status}): {}", said(self.room));
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
    pub(super) fn disturbed(&self, subject: &Subject) -> Vec<OsString> {
        let mut command = strace(&self.log());
        command.args(["-e", &format!("trace={}", self.place.call)]);
        command.args(["-e", &self.fault.injection(&self.place.call, self.number)]);
        command.arg("-P").arg(self.room.join(&self.place.path));
        command.args(subject.import(&self.room.join("data")));
        line(&command)
    }

    /// What broke, and the commands that show it again.
    pub(super) fn report(&self, subject: &Subject, undisturbed: &Undisturbed, broken: &Error) -> String {
        let Self { fault, place, number, room } = self;
        let data = room.join("data");
        // The program's own output is a place, too; only as a file can it be told from others.
        let output = if ["out", "err"].contains(&place.path.as_str()) { " >out 2>err" } else { "" };
        let steps = [
            format!("cd {} && rm -rf data {}", shell(&[room.into()]), undisturbed.beginning.shell()),
            shell(&self.disturbed(subject)) + output,
            shell(&subject.import(&data)),
            shell(&subject.digest(&data)),
        ];
        let (fault, call, path) = (fault.name(), &place.call, &place.path);
        let from = undisturbed.beginning.name();
        format!(
            "FAILED {fault} at call {number} of {call} on {path}, from {from}: {broken:#}\n  again:\n    {}",
            steps.join("\n    ")
        )
    }
}

/// A command line as one would type it.
pub(super) fn shell(line: &[OsString]) -> String {
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
