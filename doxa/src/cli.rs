//! What can be asked for on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use doxa_schema::{ChannelId, DateOrder, DocumentKind, Field, Window};
use jiff::Timestamp;

use crate::failure::Failure;
use crate::progress::Talk;
use crate::settings::{Need, Sources};

/// What people say about you, read every hour, and how sure you may be of it.
#[derive(Debug, Parser)]
#[command(
    name = "doxa",
    disable_version_flag = true,
    max_term_width = 100,
    after_help = "Doxa sends nothing to anyone unless you tell it where to: there is no telemetry.\n\
                  Exit codes: 0 ok, 1 failed, 2 usage or settings, 3 partial (some rows were rejected), 130 interrupted."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Print machine-readable JSON; of lists, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Print nothing to stderr but errors
    #[arg(short, long, global = true)]
    quiet: bool,

    /// Log more; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Keep everything in this folder
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<String>,

    /// Read this file of settings instead of ./doxa.toml
    #[arg(long, global = true, value_name = "FILE", env = "DOXA_CONFIG")]
    config: Option<PathBuf>,

    /// Set one setting, as in --set import.row_bytes=65536
    #[arg(long, global = true, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,

    /// Print the version
    #[arg(short = 'V', long)]
    pub(crate) version: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Take comments out of files: CSV, JSON lines or Parquet, plain or compressed
    Import(ImportArgs),
    /// Show documents, or the rows that could not become one
    Documents(DocumentsArgs),
    /// Show which windows of which channels there are
    Windows(WindowsArgs),
    /// Import a small bundled sample into a folder of its own and show the result
    Demo(DemoArgs),
    /// Look for what is wrong with this installation, and say what helps
    Doctor(DoctorArgs),
    /// Print one digest of everything that is committed
    Digest,
    /// Send a message by the ways that alerts will take
    Notify(NotifyArgs),
    /// Show or check the settings
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Print the completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    /// The files; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// The channel they belong to; by default `file/` and the name of the file
    #[arg(long, value_name = "SOURCE/NAME")]
    pub(crate) channel: Option<ChannelId>,

    /// Which column holds what, where its name does not say it: text=Comment,id=cid; author= is to take none
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = mapped, value_delimiter = ',')]
    pub(crate) map: Vec<(Field, String)>,

    /// The encoding, if it is not UTF-8 or UTF-16, such as windows-1252
    #[arg(long, value_name = "NAME")]
    pub(crate) encoding: Option<String>,

    /// The separator of a CSV, if it is not seen by itself; `\t` is a tab
    #[arg(long, value_name = "CHARACTER", value_parser = separator)]
    pub(crate) delimiter: Option<char>,

    /// The names of the columns, if the first row does not hold them
    #[arg(long, value_name = "NAME,NAME,…", value_delimiter = ',')]
    pub(crate) header: Option<Vec<String>>,

    /// The zone of times that name none, such as Europe/Berlin
    #[arg(long, value_name = "NAME")]
    pub(crate) zone: Option<String>,

    /// Which comes first in dates such as 04/05/2023
    #[arg(long, value_name = "ORDER")]
    pub(crate) dates: Option<Dates>,

    /// What a row is
    #[arg(long, value_name = "KIND", default_value = "comment")]
    pub(crate) kind: Kind,

    /// When the files were fetched; by default now
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,

    /// Only show how the files would be read
    #[arg(long)]
    pub(crate) dry_run: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Dates {
    DayFirst,
    MonthFirst,
}

impl From<Dates> for DateOrder {
    fn from(dates: Dates) -> Self {
        match dates {
            Dates::DayFirst => Self::DayFirst,
            Dates::MonthFirst => Self::MonthFirst,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Kind {
    Comment,
    Post,
    Utterance,
}

impl From<Kind> for DocumentKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Comment => Self::Comment,
            Kind::Post => Self::Post,
            Kind::Utterance => Self::Utterance,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct DocumentsArgs {
    /// Only of this channel
    #[arg(long, value_name = "SOURCE/NAME")]
    pub(crate) channel: Option<ChannelId>,

    /// Only of this window, as it stands, with documents that later windows have newer versions of
    #[arg(long, value_name = "SOURCE/NAME@HOUR", conflicts_with = "channel")]
    pub(crate) window: Option<Window>,

    /// The rows that could not become documents, and why
    #[arg(long)]
    pub(crate) rejects: bool,

    /// Print CSV
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,

    /// At most so many; by default 20 in a table and all in CSV and JSON
    #[arg(long, value_name = "COUNT")]
    pub(crate) limit: Option<usize>,
}

#[derive(Debug, Args)]
pub(crate) struct WindowsArgs {
    /// Only of this channel
    #[arg(long, value_name = "SOURCE/NAME")]
    pub(crate) channel: Option<ChannelId>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Keep the data in ./doxa-demo instead of a temporary folder
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Read every committed file and compare its digest
    #[arg(long)]
    pub(crate) deep: bool,
}

#[derive(Debug, Args)]
pub(crate) struct NotifyArgs {
    /// The message
    pub(crate) text: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Print every setting
    Show {
        /// And where its value comes from
        #[arg(long)]
        origin: bool,
    },
    /// Check the settings, touching nothing
    Check,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is not of the form NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

fn mapped(text: &str) -> Result<(Field, String), String> {
    let (name, column) = pair(text)?;
    Ok((name.parse().map_err(|error: doxa_schema::NameError| error.to_string())?, column))
}

fn separator(text: &str) -> Result<char, String> {
    match text {
        "\\t" | "tab" => Ok('\t'),
        _ => text.parse().map_err(|_| "it is not one character".to_owned()),
    }
}

impl Cli {
    /// Where the settings are to be looked for.
    pub(crate) fn sources(&self) -> Result<Sources, Failure> {
        let user = user_file().map(|path| (path, Need::May));
        let here = match &self.config {
            Some(path) => (path.clone(), Need::Must),
            None => (PathBuf::from("doxa.toml"), Need::May),
        };
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| name.starts_with("DOXA_"))
            .map(|(name, value)| match value.into_string() {
                Ok(value) => Ok((name, value)),
                Err(_) => Err(Failure::new(anyhow::anyhow!("the value of ${name} is no UTF-8"))),
            })
            .collect::<Result<_, _>>()?;
        let data_dir = self.data_dir.iter().map(|dir| ("--data-dir", "data_dir".to_owned(), dir.clone()));
        let set = self.set.iter().map(|(name, value)| ("--set", name.clone(), value.clone()));
        Ok(Sources {
            files: user.into_iter().chain([here]).collect(),
            variables,
            flags: set.chain(data_dir).collect(),
        })
    }

    /// How much is said on stderr.
    pub(crate) fn talk(&self) -> Talk {
        if self.quiet { Talk::Quiet } else { Talk::here() }
    }
}

/// The user's own settings: `$XDG_CONFIG_HOME/doxa/doxa.toml`, by default below `~/.config`.
fn user_file() -> Option<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let config = config.or_else(|| Some(std::env::home_dir()?.join(".config")))?;
    Some(config.join("doxa").join("doxa.toml"))
}
