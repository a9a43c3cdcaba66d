//! `doxa digest`: one digest of everything that is committed, to compare two installations by.

use doxa_ports::lake::Lake;
use doxa_schema::{Document, Hour, Record, Reject};
use sha2::{Digest, Sha256};

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::settings::Settings;
use crate::wiring::{Access, House};

pub(crate) async fn run(settings: Settings, output: &mut Output) -> Result<Exit, Failure> {
    let house = House::open(settings, Access::Read).await?;
    let mut hasher = Sha256::new();
    add_raws(&house.lake, &mut hasher).await?;
    let mut tables = serde_json::Map::new();
    tables.insert(Document::TABLE.to_owned(), table::<Document>(&house.lake, &mut hasher).await?.into());
    tables.insert(Reject::TABLE.to_owned(), table::<Reject>(&house.lake, &mut hasher).await?.into());
    let digest = doxa_schema::Sha256(hasher.finalize().into()).to_string();
    if output.json {
        output.object(&serde_json::json!({ "digest": digest, "rows": tables }))?;
    } else {
        output.line(&digest)?;
    }
    output.end()?;
    Ok(Exit::Ok)
}

/// Adds what was received: of each window the digests, in order.
async fn add_raws(lake: &Lake, hasher: &mut Sha256) -> Result<(), Failure> {
    for channel in lake.channels::<Document>().await? {
        for commit in lake.list::<Document>(&channel, Hour::FIRST..Hour::LAST).await? {
            for raw in lake.raws(&commit.window).await? {
                hasher.update(format!("raw {} {}\n", raw.window, raw.sha256));
            }
        }
    }
    Ok(())
}

/// Adds the commits of a table; a file is known by its digest, which is also verified. Gives the number of rows.
async fn table<R: Record>(lake: &Lake, hasher: &mut Sha256) -> Result<u64, Failure> {
    let mut rows = 0;
    for channel in lake.channels::<R>().await? {
        for commit in lake.list::<R>(&channel, Hour::FIRST..Hour::LAST).await? {
            lake.verify::<R>(&commit).await?;
            let file = commit.file.as_ref().map(|file| file.sha256.to_string());
            hasher.update(format!("{} {} {}\n", R::TABLE, commit.window, file.unwrap_or_default()));
            rows += commit.rows();
        }
    }
    Ok(rows)
}
