//! Peers in Python: each in an environment of its own, at a pinned version.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// The interpreter of an environment below `cache` that has these packages and no others; made if it is not there.
pub(super) fn python(cache: &Path, packages: &[&str]) -> Result<PathBuf> {
    // The folder's name says what is in it, so that a new pin makes a new environment.
    let folder = cache.join(format!("venv-{}", packages.join("-").replace("==", "-")));
    let python = folder.join("bin/python");
    let whole = folder.join("whole");
    if !whole.exists() {
        println!("installing {} below {}", packages.join(" "), cache.display());
        finish(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
        finish(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
        std::fs::write(&whole, "").with_context(|| format!("cannot write {}", whole.display()))?;
    }
    Ok(python)
}

fn finish(command: &mut Command) -> Result<()> {
    let status =
        command.status().with_context(|| format!("cannot run {}", command.get_program().display()))?;
    ensure!(status.success(), "{command:?} fails");
    Ok(())
}
