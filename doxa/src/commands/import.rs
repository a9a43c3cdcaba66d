//! `doxa import`: files into documents.
//!
//! Every file is looked at before anything is touched. Then the files of a window land, the window is normalised, and one
//! commit makes the raw bytes, the documents and the rejects visible together. So an import has happened or it has not;
//! a file that turns out to be unreadable on the way leaves nothing behind, and the others go on without it.

mod report;
mod source;

use std::collections::BTreeMap;

use doxa_ingest::files::{Source, land};
use doxa_normalise::run::{self as normalise, Context, made_from, prepare};
use doxa_ports::lake::{Lake, Landed};
use doxa_schema::{Document, Hour, Raw, Window};
use jiff::{SignedDuration, Timestamp};

use self::report::{Change, Imported, Refused, Report};
use self::source::{Looked, look};
use crate::cli::ImportArgs;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress::Talk;
use crate::settings::Settings;
use crate::wiring::{Access, House};

pub(crate) async fn run(
    args: &ImportArgs,
    settings: Settings,
    talk: Talk,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut report = Report::default();
    let mut looked = Vec::new();
    for path in &args.files {
        match look(path, args, &settings.limits) {
            Ok(found) => {
                found.present(talk, args.dry_run);
                looked.push(found);
            }
            Err(failure) => report.refused.push(Refused { file: path.display().to_string(), failure }),
        }
    }
    if !args.dry_run && !looked.is_empty() {
        let house = House::open(settings, Access::Write).await?;
        let at = args.at.unwrap_or_else(|| house.lake.clock().now());
        import(&house, looked, at, talk, &mut report).await?;
    }
    report.print(talk, output)?;
    output.end()?;
    Ok(report.exit())
}

async fn import(
    house: &House,
    looked: Vec<Looked>,
    at: Timestamp,
    talk: Talk,
    report: &mut Report,
) -> Result<(), Failure> {
    let cx = Context {
        lake: house.lake.clone(),
        authors: house.authors().await?,
        limits: house.settings.limits,
        remember_hours: house.settings.remember_hours,
    };
    let mut groups: BTreeMap<Window, Vec<Landed>> = BTreeMap::new();
    for (order, file) in looked.into_iter().enumerate() {
        let window = Window { channel: file.channel.clone(), hour: Hour::containing(at)? };
        // Of two files in one import, the one named later counts as fetched later.
        let received_at = at + SignedDuration::from_micros(i64::try_from(order).unwrap_or(i64::MAX));
        let progress = talk.bytes(format!("taking in {}", file.name), file.bytes);
        let source = Source { file: file.reopen()?, name: file.name, reading: file.probe.reading };
        let landed = land(&house.lake, &window, source, received_at, &|bytes| progress.add(bytes)).await?;
        // Bytes that are known belong to the window that first received them.
        groups.entry(landed.raw.window.clone()).or_default().push(landed);
    }
    for (window, landed) in groups {
        let _spinner = talk.spinner(format!("normalising {window}"));
        normalise_group(&cx, window, landed, report).await?;
    }
    Ok(())
}

/// Normalises a window with what has landed for it. A file that is refused is withdrawn, and the rest tried again.
async fn normalise_group(
    cx: &Context,
    window: Window,
    mut landed: Vec<Landed>,
    report: &mut Report,
) -> Result<(), Failure> {
    loop {
        landed
            .sort_by(|a, b| a.raw.sha256.cmp(&b.raw.sha256).then(b.raw.received_at.cmp(&a.raw.received_at)));
        // The same bytes handed over twice are one raw object, and it is the later one's reading that counts.
        landed.dedup_by(|a, b| a.raw.sha256 == b.raw.sha256);
        let raws = with_landed(cx.lake.raws(&window).await?, &landed);
        let files = landed.iter().map(|one| one.raw.name.clone()).collect();
        let before = cx.lake.committed::<Document>(&window).await?;
        if landed.iter().all(Landed::is_known)
            && before.as_ref().is_some_and(|one| one.made_from == made_from(&raws))
        {
            report.imported.push(Imported {
                window,
                files,
                change: Change::None,
                counts: normalise::Report::default(),
            });
            return Ok(());
        }
        match prepare(cx, &window, &raws).await {
            Ok(prepared) => {
                let mut writes = Vec::new();
                for one in &landed {
                    writes.extend(cx.lake.record(one)?);
                }
                cx.lake.commit(prepared.staged, writes).await?;
                let change = if before.is_some() { Change::Replaced } else { Change::New };
                report.imported.push(Imported { window, files, change, counts: prepared.report });
                return Ok(());
            }
            Err(normalise::Error::Refused { name, cause }) => {
                let refused = landed.iter().position(|one| one.raw.name == name);
                let failure =
                    Failure::from(anyhow::Error::from(cause).context(format!("cannot read `{name}`")));
                // A raw object of an earlier import that can no longer be read: the window is lost, not a file of ours.
                let Some(at) = refused else { return Err(failure) };
                withdraw(&cx.lake, landed.remove(at)).await?;
                report.refused.push(Refused { file: name, failure });
                if landed.is_empty() {
                    return Ok(());
                }
            }
            Err(error) => {
                for one in landed {
                    withdraw(&cx.lake, one).await?;
                }
                return Err(error.into());
            }
        }
    }
}

async fn withdraw(lake: &Lake, landed: Landed) -> Result<(), Failure> {
    Ok(lake.withdraw(landed).await?)
}

/// The raw objects of a window as they will be, in the order in which they were received.
fn with_landed(recorded: Vec<Raw>, landed: &[Landed]) -> Vec<Raw> {
    let is_new = |raw: &Raw| landed.iter().all(|one| one.raw.sha256 != raw.sha256);
    let mut raws: Vec<_> = recorded.into_iter().filter(is_new).collect();
    raws.extend(landed.iter().map(|one| one.raw.clone()));
    raws.sort_by(|a, b| (a.received_at, &a.key).cmp(&(b.received_at, &b.key)));
    raws
}
