//! The settings: parsed, then checked, then opened. Nothing here touches the world beyond reading files and variables.
//!
//! A setting has one name, from the file to the flag: `import.row_bytes` is `row_bytes` below `[import]` in a file,
//! `DOXA_IMPORT_ROW_BYTES` in the environment and `--set import.row_bytes=…` on the command line. Of these the flag wins,
//! then the environment, then `./doxa.toml`, then the user's file, then the default.

mod keys;
mod load;
mod problem;

use std::path::PathBuf;

use doxa_normalise::Limits;
use doxa_ports::secrets::SecretRef;

pub(crate) use keys::{KEYS, Kind};
pub(crate) use load::{Need, Origin, Resolved, Sources};
pub(crate) use problem::Problem;

/// The settings, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) data_dir: PathBuf,
    pub(crate) log: String,
    pub(crate) limits: Limits,
    pub(crate) remember_hours: u32,
    pub(crate) authors: AuthorNames,
    pub(crate) table: TableChoice,
    pub(crate) webhook: Option<Webhook>,
    pub(crate) smtp: Option<Smtp>,
}

/// How authors are named in documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum AuthorNames {
    /// By a pseudonym, under this key or under one that the installation makes for itself.
    Pseudonyms(Option<SecretRef>),
    /// As the source names them.
    Handles,
}

/// Where the table is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TableChoice {
    /// In a file of the data directory.
    Sqlite,
    /// On a PostgreSQL server.
    Postgres(SecretRef),
}

/// A webhook that messages go to.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) url: SecretRef,
    pub(crate) allow_private: bool,
}

/// A mail server that messages go through.
#[derive(Debug, Clone)]
pub(crate) struct Smtp {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<SecretRef>,
}

/// How the connection to a mail server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    /// It is encrypted after it has begun.
    StartTls,
    /// It is encrypted from its beginning.
    Tls,
    /// Not at all.
    None,
}

impl Settings {
    /// Makes settings of what was found; every problem is told, not only the first.
    pub(crate) fn check(found: &Resolved) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let authors = match found.text("authors.names") {
            "handle" => AuthorNames::Handles,
            _ => AuthorNames::Pseudonyms(found.secret("authors.key")),
        };
        let table = match (found.text("store.table"), found.secret("store.postgres_url")) {
            ("postgres", Some(url)) => TableChoice::Postgres(url),
            ("postgres", None) => {
                problems.push(found.problem("store.table", "`postgres` needs `store.postgres_url`"));
                TableChoice::Sqlite
            }
            _ => TableChoice::Sqlite,
        };
        let smtp = smtp(found, &mut problems);
        let settings = Self {
            data_dir: PathBuf::from(found.text("data_dir")),
            log: found.text("log").to_owned(),
            limits: Limits {
                row_bytes: usize::try_from(found.count("import.row_bytes")).unwrap_or(usize::MAX),
                unfolded_bytes: found.count("import.unfolded_bytes"),
                ratio: found.count("import.unfold_ratio"),
            },
            remember_hours: u32::try_from(found.count("import.remember_days")).unwrap_or(u32::MAX / 24) * 24,
            authors,
            table,
            webhook: found
                .secret("notify.webhook.url")
                .map(|url| Webhook { url, allow_private: found.truth("notify.webhook.allow_private") }),
            smtp,
        };
        if problems.is_empty() { Ok(settings) } else { Err(problems) }
    }
}

fn smtp(found: &Resolved, problems: &mut Vec<Problem>) -> Option<Smtp> {
    let host = found.filled("notify.smtp.host")?.to_owned();
    let mut needed = vec!["notify.smtp.from", "notify.smtp.to"];
    // An account without its password, or a password without its account, is a slip.
    if found.filled("notify.smtp.username").is_some() || found.filled("notify.smtp.password").is_some() {
        needed.extend(["notify.smtp.username", "notify.smtp.password"]);
    }
    for needed in needed.into_iter().filter(|needed| found.filled(needed).is_none()) {
        problems.push(found.problem("notify.smtp.host", &format!("mail needs `{needed}` too")));
    }
    Some(Smtp {
        host,
        port: u16::try_from(found.count("notify.smtp.port")).unwrap_or(587),
        security: match found.text("notify.smtp.tls") {
            "tls" => Security::Tls,
            "none" => Security::None,
            _ => Security::StartTls,
        },
        from: found.text("notify.smtp.from").to_owned(),
        to: found.text("notify.smtp.to").split(',').map(|to| to.trim().to_owned()).collect(),
        username: found.filled("notify.smtp.username").map(str::to_owned),
        password: found.secret("notify.smtp.password"),
    })
}
