//! The binary as a user runs it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_input;
mod import;
#[cfg(feature = "postgres")]
mod postgres;
mod words;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder of its own, with a data directory in it.
struct Desk {
    folder: tempfile::TempDir,
}

/// What a run said, and how it ended.
#[derive(Debug)]
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Desk {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The command, in the folder, with nothing of this machine's settings.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doxa"));
        command.args(words).current_dir(self.folder.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("DOXA_")) {
            command.env_remove(name);
        }
        command.env("HOME", self.folder.path()).env_remove("XDG_CONFIG_HOME");
        command
    }

    fn run(&self, words: &[&str]) -> Said {
        Said::of(self.command(words).output().unwrap())
    }

    /// Imports a file as fetched at a certain time, so that its window is known.
    fn import(&self, file: &Path, more: &[&str]) -> Said {
        let file = file.to_str().unwrap();
        let words = [&["import", file, "--at", "2026-11-21T01:10:00Z"], more].concat();
        self.run(&words)
    }

    /// The documents, one JSON object a line.
    fn documents(&self) -> Vec<serde_json::Value> {
        let said = self.run(&["documents", "--json"]);
        assert_eq!(said.code, Some(0), "{said:?}");
        said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The rejects, as `line code`.
    fn rejects(&self) -> Vec<String> {
        let said = self.run(&["documents", "--rejects", "--json"]);
        let rows = said.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        rows.map(|row| format!("{} {}", row["lineage"]["line"], row["code"].as_str().unwrap())).collect()
    }
}

impl Said {
    fn of(output: std::process::Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
