//! The house as the checks see it: its files, and which of them are crates.
//!
//! Everything is read from text, so that a test can build a house of three lines and break one rule in it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// All files that git knows or would know.
#[derive(Default)]
pub(crate) struct House {
    /// In the order of their paths.
    pub(crate) files: Vec<File>,
}

/// One file of the house.
pub(crate) struct File {
    /// Relative to the root, with `/`.
    pub(crate) path: String,
    /// Empty when the file is not UTF-8: there is nothing to read in a picture.
    pub(crate) text: String,
}

/// One crate: its folder and its manifest.
pub(crate) struct Member<'a> {
    /// Relative to the root: `stages/1-ingest`.
    pub(crate) folder: &'a str,
    /// Its `Cargo.toml`.
    pub(crate) manifest: &'a File,
}

/// The folder that holds the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask is a folder of the workspace").to_owned()
}

/// The folder of build results, which is also where the chores put what they make.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |path| root().join(path))
}

impl House {
    /// Reads every file that git tracks, or would track if it were added.
    pub(crate) fn read(root: &Path) -> Result<Self> {
        let listing = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(root)
            .output()
            .context("cannot run git to list the files")?;
        ensure!(listing.status.success(), "git cannot list the files of {}", root.display());
        let names = String::from_utf8(listing.stdout).context("a file name is not UTF-8")?;
        let names: BTreeSet<&str> = names.split_terminator('\0').collect();
        let mut house = Self::default();
        for path in names {
            // A tracked file may be gone from the disk, and a tracked link may lead to a folder: neither is to be read.
            if let Ok(bytes) = std::fs::read(root.join(path)) {
                let text = String::from_utf8(bytes).unwrap_or_default();
                house.files.push(File { path: path.to_owned(), text });
            }
        }
        Ok(house)
    }

    /// The file at `path`, if there is one.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether `path` is a file or a folder of the house.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let inside = |file: &File| file.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        path.is_empty() || self.files.iter().any(|file| file.path == path || inside(file))
    }

    /// The files of Rust source.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// The crates: every folder, but the root, that has a manifest.
    pub(crate) fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.files.iter().filter_map(|manifest| {
            let folder = manifest.path.strip_suffix("/Cargo.toml")?;
            Some(Member { folder, manifest })
        })
    }
}

#[cfg(test)]
impl House {
    /// A house of these files, for a test.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |&(path, text): &(&str, &str)| File { path: path.to_owned(), text: text.to_owned() };
        Self { files: files.iter().map(file).collect() }
    }
}
