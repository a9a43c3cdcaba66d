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
        [manner, "import", file, "--data-dir", data, "--at", _] => {
            let (file, landing) = (Path::new(file), Path::new(data).join("landing"));
            fs::create_dir_all(&landing).context("cannot create the landing zone")?;
            let landed = landing.join(file.file_name().context("the file has no name")?);
            if manner == Manner::Careful.name() {
                with_care(file, &landed)
            } else {
                without_care(file, &landed)
            }?;
        }
        [_, "digest", "--data-dir", data] => {
            let mut landed: Vec<PathBuf> = fs::read_dir(Path::new(data).join("landing"))?
                .map(|entry| Ok(entry?.path()))
                .collect::<io::Result<_>>()?;
            landed.sort();
            let mut digest = DefaultHasher::new();
            for path in landed {
                fs::read(path)?.hash(&mut digest);
            }
            println!("{:016x}", digest.finish());
        }
        _ => bail!("a stand-in knows two commands, not `{}`", words.join(" ")),
    }
    Ok(ExitCode::SUCCESS)
}

fn with_care(file: &Path, landed: &Path) -> Result<()> {
    let part = landed.with_extension("part");
    copy(file, &part)?.sync_all().context("cannot sync")?;
    fs::rename(&part, landed).context("cannot rename")?;
    io::stdout().write_all(b"imported\n").context("cannot say so")
}

fn without_care(file: &Path, landed: &Path) -> Result<()> {
    if !landed.exists() {
        copy(file, landed)?;
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
