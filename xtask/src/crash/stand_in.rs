//! The stand-ins of the rehearsal: two programs that bring a file in, one with care and one without.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

/// How a stand-in works.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Manner {
    /// Writes beside the place, syncs, and renames.
    Careful,
    /// Writes in place, and takes a file that is there for a file that is whole.
    Careless,
}

impl Manner {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Careful => "careful",
            Self::Careless => "careless",
        }
    }
}

/// Does what a subject of the crash test is asked: `careful|careless`, then `import FILE --data-dir DIR --at TIME` or
/// `digest --data-dir DIR`.
pub(super) fn run(arguments: &[String]) -> Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["careful", "import", file, "--data-dir", data, "--at", _, "--map", _] => {
            with_care(Path::new(file), &rows(data)?)?;
        }
        ["careless", "import", file, "--data-dir", data, "--at", _, "--map", _] => {
            without_care(Path::new(file), &rows(data)?)?;
        }
        [_, "digest", "--data-dir", data] => {
            let mut digest = DefaultHasher::new();
            fs::read(rows(data)?).context("there is no lake")?.hash(&mut digest);
            println!("{:016x}", digest.finish());
        }
        _ => bail!("a stand-in knows two commands, not `{}`", words.join(" ")),
    }
    Ok(ExitCode::SUCCESS)
}

fn rows(data: &str) -> Result<PathBuf> {
    let landing = Path::new(data).join("landing");
    fs::create_dir_all(&landing).context("cannot create the landing zone")?;
    Ok(landing.join("rows.csv"))
}

fn with_care(file: &Path, rows: &Path) -> Result<()> {
    let part = rows.with_extension("part");
    copy(file, &part)?.sync_all().context("cannot sync")?;
    fs::rename(&part, rows).context("cannot rename")?;
    io::stdout().write_all(b"imported\n").context("cannot say so")
}

fn without_care(file: &Path, rows: &Path) -> Result<()> {
    if !rows.exists() {
        copy(file, rows)?;
    }
    Ok(())
}

/// Copies in pieces, so that there is a half-written file to be found.
fn copy(file: &Path, to: &Path) -> Result<File> {
    let bytes = fs::read(file).context("cannot read")?;
    let mut out = File::create(to).context("cannot create")?;
    for piece in bytes.chunks(bytes.len().div_ceil(4)) {
        out.write_all(piece).context("cannot write")?;
    }
    Ok(out)
}
