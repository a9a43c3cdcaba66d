//! Beginnings: what an import finds before it is disturbed, and how it ends from there when it is not.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::{Context, Result, ensure};

use super::point::{Fault, Point, shell};
use super::subject::{End, KEPT, Subject, finish, line, said};
use super::trace::{CALLS, Trace, trace};
use crate::strace::strace;

/// What an import finds.
#[derive(Clone)]
pub(super) enum Beginning {
    /// No data directory.
    Nothing,
    /// The data directory, kept below this path, of an import that was killed at its first step into the lake.
    AfterCrash(PathBuf),
    /// The data directory, kept below this path, into which another file was imported before.
    InUse(PathBuf),
}

/// A run from some beginning to its end, against which every disturbed one is held.
pub(super) struct Undisturbed {
    pub(super) beginning: Beginning,
    pub(super) end: End,
    status: ExitStatus,
    pub(super) trace: Trace,
}

impl Beginning {
    /// All of them; the two data directories are made below `room`.
    pub(super) fn all(subject: &Subject, room: &Path) -> Result<[Self; 3]> {
        Ok([Self::Nothing, Self::after_crash(subject, room)?, Self::in_use(subject, room)?])
    }

    fn after_crash(subject: &Subject, room: &Path) -> Result<Self> {
        let traced = Undisturbed::observe(subject, &Self::Nothing, &room.join("first"))?.trace;
        let in_lake =
            |path: &str| KEPT.iter().any(|kept| Path::new(path).starts_with(Path::new("data").join(kept)));
        let step = traced.iter().find(|seen| in_lake(&seen.place.path));
        let place = &step.context("the import makes no step into the lake")?.place;
        let room = room.join("after-crash");
        Self::Nothing.lay(&room)?;
        // Without it, the first call to make a folder inside would be one that fails.
        std::fs::create_dir(room.join("data")).context("cannot create a data directory")?;
        let point = Point { fault: Fault::Kill, place, number: 1, room: &room };
        let status = finish(&point.disturbed(subject), &room)?;
        ensure!(
            status.code().is_none(),
            "the import was to be killed at its first step into the lake, but: {status}"
        );
        Ok(Self::AfterCrash(room.join("data")))
    }

    fn in_use(subject: &Subject, room: &Path) -> Result<Self> {
        let room = room.join("in-use");
        Self::Nothing.lay(&room)?;
        let status = finish(&subject.import_earlier(&room.join("data")), &room)?;
        ensure!(status.success(), "the earlier import fails ({status}): {}", said(&room));
        Ok(Self::InUse(room.join("data")))
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::AfterCrash(_) => "what a crash left",
            Self::InUse(_) => "a lake in use",
        }
    }

    /// Empties a room, or makes it, and lays out what the import is to find.
    pub(super) fn lay(&self, room: &Path) -> Result<()> {
        if room.exists() {
            std::fs::remove_dir_all(room).with_context(|| format!("cannot empty {}", room.display()))?;
        }
        std::fs::create_dir_all(room).with_context(|| format!("cannot create {}", room.display()))?;
        if let Some(copy) = self.copy(room) {
            let status = Command::new(&copy[0]).args(&copy[1..]).status().context("cannot run cp")?;
            ensure!(status.success(), "cannot lay out {}", room.display());
        }
        Ok(())
    }

    /// The command by which one lays it out oneself, after `rm -rf data`.
    pub(super) fn shell(&self) -> String {
        self.copy(Path::new(".")).map_or_else(String::new, |copy| format!("&& {}", shell(&copy)))
    }

    fn copy(&self, room: &Path) -> Option<Vec<OsString>> {
        match self {
            Self::Nothing => None,
            Self::AfterCrash(kept) | Self::InUse(kept) => {
                Some(vec!["cp".into(), "-R".into(), kept.into(), room.join("data").into()])
            }
        }
    }
}

impl Undisturbed {
    /// Runs the import twice from a beginning, and takes what both runs agree on.
    pub(super) fn new(subject: &Subject, beginning: &Beginning, room: &Path) -> Result<Self> {
        let run = Self::observe(subject, beginning, room)?;
        let again = Self::observe(subject, beginning, room)?;
        ensure!(run.end == again.end, "two undisturbed imports differ: nothing can be held against them");
        ensure!(!run.trace.is_empty(), "the import changes nothing on the disk");
        Ok(run)
    }

    fn observe(subject: &Subject, beginning: &Beginning, room: &Path) -> Result<Self> {
        beginning.lay(room)?;
        let log = room.join("log");
        let mut command = strace(&log);
        command.args(["-y", "-e"]).arg(format!("trace={CALLS}")).args(subject.import(&room.join("data")));
        let status = finish(&line(&command), room)?;
        ensure!(
            matches!(status.code(), Some(0 | PARTIAL)),
            "the undisturbed import fails ({status}): {}",
            said(room)
        );
        let trace = trace(&String::from_utf8_lossy(&std::fs::read(&log)?), room);
        Ok(Self { beginning: beginning.clone(), end: subject.end(room)?, status, trace })
    }

    /// Whether a status says of its run what the undisturbed run's says, or better.
    pub(super) fn ended_as_well(&self, status: ExitStatus) -> bool {
        status.success() || status == self.status
    }
}

/// The exit code of an import that rejected some rows.
const PARTIAL: i32 = 3;
