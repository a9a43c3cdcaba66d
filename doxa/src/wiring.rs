//! Where plugs meet sockets: the only place that knows both.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use doxa_embedded::notify::{Backoff, LogNotify, Reach, Retrying, Security, Smtp, SmtpNotify, WebhookNotify};
use doxa_embedded::{DirectoryLock, Files, LocalSecrets, SqliteTable};
use doxa_normalise::AuthorKey;
use doxa_normalise::run::Authors;
use doxa_ports::clock::{Clock, SystemClock};
use doxa_ports::lake::Lake;
use doxa_ports::notify::Notify;
use doxa_ports::secrets::{Secret, Secrets};
use doxa_ports::table::Table;
use jiff::SignedDuration;

use crate::failure::Failure;
use crate::settings::{self, AuthorNames, Settings, TableChoice};

/// What a command needs of the house.
pub(crate) struct House {
    pub(crate) settings: Settings,
    pub(crate) lake: Lake,
    pub(crate) secrets: Arc<dyn Secrets>,
    /// Held as long as the house is open for writing.
    _lock: Option<DirectoryLock>,
}

/// What a command wants to do with the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Look: as many as like, also beside one that writes.
    Read,
    /// Write: one at a time; the house is built if it is not there.
    Write,
}

impl House {
    /// Opens the house in the data directory.
    pub(crate) async fn open(settings: Settings, access: Access) -> Result<Self, Failure> {
        let folder = settings.data_dir.clone();
        let lock = match access {
            Access::Read if !folder.is_dir() => return Err(no_data(&folder)),
            Access::Read => None,
            Access::Write => Some(lock(&folder)?),
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let secrets: Arc<dyn Secrets> = Arc::new(LocalSecrets);
        let table = open_table(&settings, &folder, clock.clone(), secrets.as_ref()).await?;
        let files = Arc::new(Files::open(&folder)?);
        let lake = Lake::new(files.clone(), table, clock).settling(files);
        if access == Access::Write {
            // Under the lock nobody else writes: what lies about is what a crash left behind.
            lake.sweep(SignedDuration::ZERO).await?;
        }
        Ok(Self { settings, lake, secrets, _lock: lock })
    }

    /// How authors are named, with the key that pseudonyms need.
    pub(crate) async fn authors(&self) -> Result<Authors, Failure> {
        let key = match &self.settings.authors {
            AuthorNames::Handles => return Ok(Authors::Handles),
            AuthorNames::Pseudonyms(Some(reference)) => self.secrets.resolve(reference).await?,
            AuthorNames::Pseudonyms(None) => installation_key(&self.settings.data_dir)?,
        };
        Ok(Authors::Pseudonyms(AuthorKey::new(&key)))
    }
}

fn no_data(folder: &Path) -> Failure {
    let failure = Failure::new(anyhow::anyhow!("there is no data directory {}", folder.display()));
    failure.help("doxa import FILE to begin one, or --data-dir DIR for another")
}

fn lock(folder: &Path) -> Result<DirectoryLock, Failure> {
    std::fs::create_dir_all(folder).map_err(|error| {
        anyhow::Error::from(error).context(format!("cannot make the folder {}", folder.display()))
    })?;
    let words: Vec<_> = std::env::args().skip(1).take(3).collect();
    DirectoryLock::acquire(folder, &format!("doxa {}", words.join(" "))).map_err(|error| {
        Failure::new(error.into())
            .help("wait for it to end, or keep other data elsewhere with --data-dir DIR")
    })
}

async fn open_table(
    settings: &Settings,
    folder: &Path,
    clock: Arc<dyn Clock>,
    secrets: &dyn Secrets,
) -> Result<Arc<dyn Table>, Failure> {
    match &settings.table {
        TableChoice::Sqlite => Ok(Arc::new(SqliteTable::open(table_file(folder), clock)?)),
        TableChoice::Postgres(reference) => {
            let url = secrets.resolve(reference).await?;
            open_postgres(&url, clock).await
        }
    }
}

#[cfg(feature = "postgres")]
async fn open_postgres(url: &Secret, clock: Arc<dyn Clock>) -> Result<Arc<dyn Table>, Failure> {
    let address = doxa_postgres::Address::parse(url)?;
    Ok(Arc::new(doxa_postgres::PostgresTable::open(address, doxa_postgres::Limits::DEFAULT, clock).await?))
}

#[cfg(not(feature = "postgres"))]
async fn open_postgres(_url: &Secret, _clock: Arc<dyn Clock>) -> Result<Arc<dyn Table>, Failure> {
    let failure = Failure::new(anyhow::anyhow!("this doxa was built without PostgreSQL"));
    Err(failure.help("cargo install doxa --features postgres, or --set store.table=sqlite"))
}

/// The file of the table in a data directory.
pub(crate) fn table_file(folder: &Path) -> PathBuf {
    folder.join("table.sqlite")
}

/// How long one attempt to send a message may take.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);

/// The ways that messages take: the log always, and what the settings name.
pub(crate) async fn routes(settings: &Settings) -> Result<Vec<Box<dyn Notify>>, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut routes: Vec<Box<dyn Notify>> = vec![Box::new(LogNotify)];
    if let Some(webhook) = &settings.webhook {
        let url = LocalSecrets.resolve(&webhook.url).await?;
        let reach = if webhook.allow_private { Reach::Private } else { Reach::Public };
        let sender = WebhookNotify::new(&url, reach, SEND_TIMEOUT)?;
        routes.push(Box::new(Retrying::new(sender, clock.clone(), Backoff::default())));
    }
    if let Some(mail) = &settings.smtp {
        let sender = SmtpNotify::new(mail_server(mail).await?)?;
        routes.push(Box::new(Retrying::new(sender, clock, Backoff::default())));
    }
    Ok(routes)
}

async fn mail_server(mail: &settings::Smtp) -> Result<Smtp, Failure> {
    let credentials = match (&mail.username, &mail.password) {
        (Some(name), Some(password)) => Some((name.clone(), LocalSecrets.resolve(password).await?)),
        _ => None,
    };
    let security = match mail.security {
        settings::Security::StartTls => Security::StartTls,
        settings::Security::Tls => Security::Tls,
        settings::Security::None => Security::None,
    };
    let settings::Smtp { host, port, from, to, .. } = mail.clone();
    Ok(Smtp { host, port, security, credentials, from, to, timeout: SEND_TIMEOUT })
}

/// The key of this installation's pseudonyms, made when it is first asked for.
fn installation_key(folder: &Path) -> Result<Secret, Failure> {
    let path = folder.join("author.key");
    let failed = |error: std::io::Error| {
        anyhow::Error::from(error)
            .context(format!("cannot keep the key of the pseudonyms in {}", path.display()))
    };
    match std::fs::read_to_string(&path) {
        Ok(key) => Ok(Secret::new(key.trim_end())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes)
                .map_err(|error| anyhow::anyhow!("the system has no randomness: {error}"))?;
            let key: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            write_private(&path, &key).map_err(failed)?;
            Ok(Secret::new(key))
        }
        Err(error) => Err(failed(error).into()),
    }
}

/// Writes a file that only this user may read; it is there in whole or not at all. Only under the lock: the name under
/// which it is written is always the same.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let part = path.with_extension("part");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&part)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&part, path)?;
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}
