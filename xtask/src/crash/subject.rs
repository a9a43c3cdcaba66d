//! What is put to the test: a program that imports a sample and can say what its lake holds.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// The hour into which everything is imported, for a rerun in the next hour would be another window.
const AT: &str = "2026-11-21T01:00:00Z";

/// How long one run may take before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(120);

/// The folders whose files are the product; what lies beside them (the database's own journal) comes and goes.
pub(super) const KEPT: &[&str] = &["landing", "augmented", "staging"];

/// A program with the two commands that a crash test needs.
pub(super) struct Subject {
    /// The program, and what stands before its first argument.
    pub(super) program: Vec<OsString>,
    /// The file it imports.
    pub(super) sample: PathBuf,
    /// The file it imported before, where the beginning is a lake in use.
    pub(super) earlier: PathBuf,
}

/// How a data directory ended: what its lake holds, and the names of its files.
#[derive(PartialEq, Eq)]
pub(super) struct End {
    pub(super) digest: String,
    pub(super) names: Vec<String>,
}

impl Subject {
    /// The command line that imports the sample into `data`.
    pub(super) fn import(&self, data: &Path) -> Vec<OsString> {
        self.import_file(&self.sample, data)
    }

    /// The command line that imports the earlier file into `data`.
    pub(super) fn import_earlier(&self, data: &Path) -> Vec<OsString> {
        self.import_file(&self.earlier, data)
    }

    fn import_file(&self, file: &Path, data: &Path) -> Vec<OsString> {
        let mut line = self.program.clone();
        line.extend([
            "import".into(),
            file.into(),
            "--data-dir".into(),
            data.into(),
            "--at".into(),
            AT.into(),
        ]);
        line
    }

    /// The command line that prints one line which stands for all committed rows of `data`.
    pub(super) fn digest(&self, data: &Path) -> Vec<OsString> {
        let mut line = self.program.clone();
        line.extend(["digest".into(), "--data-dir".into(), data.into()]);
        line
    }

    /// Reads how `room/data` ended.
    pub(super) fn end(&self, room: &Path) -> Result<End> {
        let data = room.join("data");
        let status = finish(&self.digest(&data), room)?;
        ensure!(status.success(), "the digest cannot be taken ({status}): {}", said(room));
        let digest = std::fs::read_to_string(room.join("out"))?.trim().to_owned();
        ensure!(!digest.is_empty(), "the digest is empty");
        let mut names = Vec::new();
        for kept in KEPT {
            collect(&data, &data.join(kept), &mut names)?;
        }
        names.sort();
        Ok(End { digest, names })
    }
}

/// Runs a command line in `room` to its end, its output going to the files `out` and `err` there.
pub(super) fn finish(line: &[OsString], room: &Path) -> Result<ExitStatus> {
    let mut child = Command::new(&line[0])
        .args(&line[1..])
        .current_dir(room)
        .stdin(std::process::Stdio::null())
        .stdout(File::create(room.join("out"))?)
        .stderr(File::create(room.join("err"))?)
        // A group of its own, so that a run that hangs can be ended with everything it started.
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot run {}", line[0].display()))?;
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if began.elapsed() > PATIENCE {
            Command::new("kill").args(["-KILL", "--", &format!("-{}", child.id())]).status()?;
            child.wait()?;
            bail!("it hangs: no end after {} s", PATIENCE.as_secs());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A command as a command line.
pub(super) fn line(command: &Command) -> Vec<OsString> {
    std::iter::once(command.get_program()).chain(command.get_args()).map(OsString::from).collect()
}

/// What the last run in `room` wrote to its standard error.
pub(super) fn said(room: &Path) -> String {
    let bytes = std::fs::read(room.join("err")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

/// Adds the names, relative to `data`, of all files below `folder`, which need not exist.
fn collect(data: &Path, folder: &Path, names: &mut Vec<String>) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(data, &path, names)?;
        } else {
            names.push(path.strip_prefix(data).unwrap_or(&path).display().to_string());
        }
    }
    Ok(())
}
