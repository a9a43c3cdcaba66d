//! `doxa windows`: which windows of which channels there are.

use doxa_ports::lake::Lake;
use doxa_schema::{ChannelId, Document, Hour, Reject};
use serde::Serialize;

use crate::cli::WindowsArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Output, grouped};
use crate::settings::Settings;
use crate::wiring::{Access, House};

#[derive(Serialize)]
struct Row {
    window: String,
    documents: u64,
    rejects: u64,
    committed_at: String,
}

pub(crate) async fn run(
    args: &WindowsArgs,
    settings: Settings,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let house = House::open(settings, Access::Read).await?;
    let mut rows = Vec::new();
    for channel in channels(&house.lake, args.channel.as_ref()).await? {
        rows.extend(windows(&house.lake, &channel).await?);
    }
    if output.json {
        rows.iter().try_for_each(|row| output.object(row))?;
    } else {
        let cells = |row: &Row| {
            vec![row.window.clone(), grouped(row.documents), grouped(row.rejects), row.committed_at.clone()]
        };
        let cells: Vec<_> = rows.iter().map(cells).collect();
        output.table(&["WINDOW", "DOCUMENTS", "REJECTS", "COMMITTED"], &cells)?;
    }
    output.end()?;
    Ok(Exit::Ok)
}

/// The channel asked for, or all.
pub(crate) async fn channels(lake: &Lake, asked: Option<&ChannelId>) -> Result<Vec<ChannelId>, Failure> {
    let known = lake.channels::<Document>().await?;
    match asked {
        None => Ok(known),
        Some(channel) if known.contains(channel) => Ok(vec![channel.clone()]),
        Some(channel) => {
            let failure = Failure::new(anyhow::anyhow!("there is no channel `{channel}` here"));
            Err(failure.help("doxa windows shows the channels that are"))
        }
    }
}

async fn windows(lake: &Lake, channel: &ChannelId) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for commit in lake.list::<Document>(channel, Hour::FIRST..Hour::LAST).await? {
        let rejects = lake.committed::<Reject>(&commit.window).await?;
        rows.push(Row {
            window: commit.window.to_string(),
            documents: commit.rows(),
            rejects: rejects.map_or(0, |commit| commit.rows()),
            committed_at: commit.committed_at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
        });
    }
    Ok(rows)
}
