//! `doxa doctor`: what is wrong with this installation, and what helps.

use std::path::Path;

use doxa_embedded::DirectoryLock;
use doxa_ports::lake::Lake;
use doxa_ports::secrets::SecretRef;
use doxa_schema::{Document, Hour, Record, Reject};
use serde::Serialize;

use crate::cli::DoctorArgs;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::settings::{AuthorNames, Settings, TableChoice};
use crate::wiring::{Access, House};

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    check: &'static str,
    state: State,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Good,
    Warning,
    Bad,
}

impl State {
    fn mark(self) -> char {
        match self {
            Self::Good => '✓',
            Self::Warning => '!',
            Self::Bad => '✗',
        }
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn good(&mut self, check: &'static str, message: impl Into<String>) {
        self.0.push(Finding { check, state: State::Good, message: message.into(), help: None });
    }

    fn warn(&mut self, check: &'static str, message: impl Into<String>, help: &str) {
        let help = Some(help.to_owned());
        self.0.push(Finding { check, state: State::Warning, message: message.into(), help });
    }

    fn bad(&mut self, check: &'static str, failure: &Failure) {
        let help = failure.helps().map(str::to_owned);
        self.0.push(Finding { check, state: State::Bad, message: failure.message(), help });
    }
}

pub(crate) async fn run(args: &DoctorArgs, settings: Settings, output: &mut Output) -> Result<Exit, Failure> {
    let mut findings = Findings::default();
    findings.good("settings", "every setting is known and within its bounds");
    let folder = settings.data_dir.clone();
    if folder.is_dir() {
        check_folder(&folder, &mut findings);
        match House::open(settings, Access::Read).await {
            Ok(house) => check_house(&house, args.deep, &mut findings).await,
            Err(failure) => findings.bad("table", &failure),
        }
    } else {
        let message = format!("there is no data directory {} yet", folder.display());
        findings.warn("data directory", message, "doxa import FILE makes it");
    }
    print(&findings.0, output)?;
    let is_bad = findings.0.iter().any(|finding| finding.state == State::Bad);
    Ok(if is_bad { Exit::Failed } else { Exit::Ok })
}

fn print(findings: &[Finding], output: &mut Output) -> Result<(), Failure> {
    for finding in findings {
        if output.json {
            output.object(finding)?;
            continue;
        }
        output.line(&format!("{} {:<15} {}", finding.state.mark(), finding.check, finding.message))?;
        if let Some(help) = &finding.help {
            output.line(&format!("  {:<15} help: {help}", ""))?;
        }
    }
    output.end()
}

/// Whether the folder can be written to, and whether somebody is doing so.
fn check_folder(folder: &Path, findings: &mut Findings) {
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|file| file.as_file().sync_all());
    match written {
        Ok(()) => findings.good("data directory", format!("{} can be written to", folder.display())),
        Err(error) => {
            let context = format!("{} cannot be written to", folder.display());
            findings.bad("data directory", &anyhow::Error::from(error).context(context).into());
        }
    }
    match DirectoryLock::acquire(folder, "doxa doctor") {
        Ok(_free) => findings.good("lock", "nobody is writing"),
        Err(error) => findings.warn("lock", error.to_string(), "nothing, if that is meant to run"),
    }
}

async fn check_house(house: &House, deep: bool, findings: &mut Findings) {
    match &house.settings.table {
        TableChoice::Sqlite => findings.good("table", "SQLite opens, and its migrations are this program's"),
        TableChoice::Postgres(_) => {
            findings.good("table", "PostgreSQL answers, and its migrations are this program's");
        }
    }
    for reference in secrets(&house.settings) {
        match house.secrets.resolve(&reference).await {
            Ok(_) => findings.good("secret", format!("{reference} is there")),
            Err(error) => findings.bad("secret", &error.into()),
        }
    }
    match check_lake(&house.lake, deep).await {
        Ok(message) => findings.good("lake", message),
        Err(failure) => findings.bad("lake", &failure),
    }
}

fn secrets(settings: &Settings) -> Vec<SecretRef> {
    let key = match &settings.authors {
        AuthorNames::Pseudonyms(key) => key.clone(),
        AuthorNames::Handles => None,
    };
    let webhook = settings.webhook.as_ref().map(|webhook| webhook.url.clone());
    let smtp = settings.smtp.as_ref().and_then(|smtp| smtp.password.clone());
    [key, webhook, smtp].into_iter().flatten().collect()
}

/// Whether every committed file is there, and, if asked for, whether its bytes are what was committed.
async fn check_lake(lake: &Lake, deep: bool) -> Result<String, Failure> {
    let present: std::collections::BTreeMap<_, _> = lake.objects("augmented").await?.into_iter().collect();
    let documents = check_files::<Document>(lake, deep, &present).await?;
    let rejects = check_files::<Reject>(lake, deep, &present).await?;
    let how =
        if deep { "and their bytes are what was committed" } else { "with the size that was committed" };
    Ok(format!("all files of {documents} documents and {rejects} rejects are there, {how}"))
}

async fn check_files<R: Record>(
    lake: &Lake,
    deep: bool,
    present: &std::collections::BTreeMap<String, u64>,
) -> Result<u64, Failure> {
    let mut rows = 0;
    for channel in lake.channels::<R>().await? {
        for commit in lake.list::<R>(&channel, Hour::FIRST..Hour::LAST).await? {
            rows += commit.rows();
            let Some(file) = &commit.file else { continue };
            let help = format!(
                "restore the file from a backup, or import what {} was made from again",
                commit.window
            );
            match present.get(&file.key) {
                None => return Err(Failure::new(anyhow::anyhow!("`{}` is missing", file.key)).help(help)),
                Some(bytes) if *bytes != file.bytes => {
                    let message = format!("`{}` has {bytes} bytes, not {}", file.key, file.bytes);
                    return Err(Failure::new(anyhow::anyhow!(message)).help(help));
                }
                Some(_) if deep => {
                    lake.verify::<R>(&commit).await.map_err(|e| Failure::new(e.into()).help(help))?;
                }
                Some(_) => {}
            }
        }
    }
    Ok(rows)
}
