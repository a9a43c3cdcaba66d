//! A file that is to be imported, looked at but not touched.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use doxa_normalise::Limits;
use doxa_normalise::probe::{self, Probe, Wishes};
use doxa_schema::{ChannelId, Compression, Format};

use crate::cli::ImportArgs;
use crate::failure::Failure;
use crate::output::one_line;
use crate::progress::Talk;

/// A file, and how it will be read.
pub(crate) struct Looked {
    /// Its name, without folders.
    pub(crate) name: String,
    pub(crate) channel: ChannelId,
    pub(crate) bytes: u64,
    pub(crate) probe: Probe,
    place: Place,
}

/// Where its bytes are.
enum Place {
    Path(PathBuf),
    /// Stdin can be read only once, and a look is not the reading.
    Spooled(tempfile::NamedTempFile),
}

impl Place {
    fn open(&self) -> std::io::Result<File> {
        match self {
            Self::Path(path) => File::open(path),
            Self::Spooled(file) => file.reopen(),
        }
    }
}

/// Looks at a file.
pub(crate) fn look(path: &Path, args: &ImportArgs, limits: &Limits) -> Result<Looked, Failure> {
    let (place, name) = if path == Path::new("-") {
        (Place::Spooled(spool()?), "stdin".to_owned())
    } else {
        (
            Place::Path(path.to_owned()),
            path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        )
    };
    let file = place.open().with_context(|| format!("cannot open {}", path.display()))?;
    let metadata = file.metadata().with_context(|| format!("cannot look at {}", path.display()))?;
    if metadata.is_dir() {
        let failure = Failure::new(anyhow::anyhow!("{} is a folder", path.display()));
        return Err(failure.help(format!("doxa import {}/*", path.display())));
    }
    let probe = probe::look(&|| place.open(), &wishes(args), limits).map_err(|error| {
        let help = error.help(&path.display().to_string());
        let failure =
            Failure::new(anyhow::Error::from(error).context(format!("cannot import {}", path.display())));
        help.into_iter().fold(failure, Failure::help)
    })?;
    let channel = match &args.channel {
        Some(channel) => channel.clone(),
        None => ChannelId::from_label("file", stem(&name)).map_err(|error| {
            let failure =
                Failure::new(anyhow::Error::from(error).context(format!("`{name}` gives no channel name")));
            failure.help(format!("doxa import {} --channel file/NAME", path.display()))
        })?,
    };
    Ok(Looked { name, channel, bytes: metadata.len(), probe, place })
}

fn wishes(args: &ImportArgs) -> Wishes {
    Wishes {
        mapping: args.map.iter().cloned().collect(),
        encoding: args.encoding.clone(),
        delimiter: args.delimiter,
        header: args.header.clone(),
        zone: args.zone.clone(),
        dates: args.dates.map(Into::into),
        kind: args.kind.into(),
    }
}

fn spool() -> Result<tempfile::NamedTempFile, Failure> {
    let mut file = tempfile::NamedTempFile::new().context("cannot make a temporary file for stdin")?;
    std::io::copy(&mut std::io::stdin().lock(), &mut file)
        .context("cannot keep stdin in a temporary file")?;
    file.flush().context("cannot keep stdin in a temporary file")?;
    Ok(file)
}

/// A name without what says the format: `comments` of `comments.csv.gz`.
fn stem(name: &str) -> &str {
    let mut stem = name;
    for ending in [".gz", ".zst", ".zstd", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet"] {
        stem = stem.strip_suffix(ending).unwrap_or(stem);
    }
    stem
}

impl Looked {
    /// The file again, from its beginning.
    pub(crate) fn reopen(&self) -> Result<File, Failure> {
        Ok(self.place.open().with_context(|| format!("cannot open {} again", self.name))?)
    }

    /// Says how the file will be read; on a terminal, or if only that was asked for, with its first rows.
    pub(crate) fn present(&self, talk: Talk, dry_run: bool) {
        let reading = &self.probe.reading;
        if talk == Talk::Terminal || dry_run {
            let known = self.probe.known_as.map(|name| format!(", {name}")).unwrap_or_default();
            talk.say(&format!("{}: {}{known}", self.name, form(&reading.format, reading.compression)));
            for (field, column) in &reading.mapping {
                let samples = self.probe.preview.iter().map(|row| row.get(field).map_or("", String::as_str));
                let samples: Vec<_> = samples.map(|text| one_line(text, 28)).collect();
                talk.say(&format!(
                    "  {:<10} ← {:<22} {}",
                    field.name(),
                    one_line(column, 22),
                    samples.join(" │ ")
                ));
            }
        }
        for note in &self.probe.notes {
            talk.say(&format!("  note: {note}"));
        }
    }
}

fn form(format: &Format, compression: Compression) -> String {
    let format = match format {
        Format::Csv { delimiter: '\t', .. } => "CSV separated by tabs".to_owned(),
        Format::Csv { delimiter: '\u{1f}', .. } => "lines of one column".to_owned(),
        Format::Csv { delimiter, .. } => format!("CSV separated by `{delimiter}`"),
        Format::JsonLines => "JSON lines".to_owned(),
        Format::Parquet => "Parquet".to_owned(),
    };
    match compression {
        Compression::None => format,
        Compression::Gzip => format!("{format} in gzip"),
        Compression::Zstd => format!("{format} in Zstandard"),
    }
}
