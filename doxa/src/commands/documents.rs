//! `doxa documents`: what came in, the newest window first; or the rows that could not become a document.

use std::collections::HashSet;

use doxa_ports::lake::Lake;
use doxa_schema::{Document, Hour, Record, Reject, Window};
use serde::Serialize;

use super::windows::channels;
use crate::cli::DocumentsArgs;
use crate::failure::{Exit, Failure};
use crate::output::{Output, one_line};
use crate::settings::Settings;
use crate::wiring::{Access, House};

/// How many rows a table has unless more are asked for.
const TABLE_ROWS: usize = 20;
/// How much of a text a table shows.
const TABLE_TEXT: usize = 72;

/// How a noun is shown in rows.
trait Shown: Record + Serialize {
    const HEADER: &'static [&'static str];
    const CSV: &'static [&'static str];
    fn cells(&self) -> Vec<String>;
    fn csv(&self) -> Vec<String>;
}

impl Shown for Document {
    const HEADER: &'static [&'static str] = &["CREATED", "CHANNEL", "ID", "TEXT"];
    const CSV: &'static [&'static str] = &[
        "id",
        "window",
        "author",
        "text",
        "language",
        "created_at",
        "parent",
        "thread",
        "likes",
        "replies",
        "raw",
        "line",
    ];

    fn cells(&self) -> Vec<String> {
        let created =
            self.created_at.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M").to_string());
        let channel = self.window.channel.to_string();
        vec![created, channel, one_line(&self.id, 24), one_line(&self.text, TABLE_TEXT)]
    }

    fn csv(&self) -> Vec<String> {
        fn text<T: ToString>(value: Option<&T>) -> String {
            value.map(ToString::to_string).unwrap_or_default()
        }
        vec![
            self.id.clone(),
            self.window.to_string(),
            text(self.author.as_ref()),
            self.text.clone(),
            text(self.language.as_ref()),
            text(self.created_at.as_ref()),
            text(self.parent.as_ref()),
            text(self.thread.as_ref()),
            text(self.likes.as_ref()),
            text(self.replies.as_ref()),
            self.lineage.raw.clone(),
            self.lineage.line.to_string(),
        ]
    }
}

impl Shown for Reject {
    const HEADER: &'static [&'static str] = &["CHANNEL", "FILE", "LINE", "REASON", "MESSAGE"];
    const CSV: &'static [&'static str] = &["window", "code", "message", "excerpt", "raw", "line"];

    fn cells(&self) -> Vec<String> {
        let file = self.lineage.raw.rsplit('/').next().unwrap_or_default();
        vec![
            self.window.channel.to_string(),
            one_line(file, 30),
            self.lineage.line.to_string(),
            self.code.to_string(),
            one_line(&self.message, TABLE_TEXT),
        ]
    }

    fn csv(&self) -> Vec<String> {
        let (window, line) = (self.window.to_string(), self.lineage.line.to_string());
        vec![
            window,
            self.code.to_string(),
            self.message.clone(),
            self.excerpt.clone(),
            self.lineage.raw.clone(),
            line,
        ]
    }
}

pub(crate) async fn run(
    args: &DocumentsArgs,
    settings: Settings,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let house = House::open(settings, Access::Read).await?;
    if args.rejects {
        show::<Reject>(args, &house.lake, output, |_| true).await?;
    } else {
        // The newest window comes first: an id that was seen already was fetched again later, and that is the truth.
        let mut seen = HashSet::new();
        let mut newest =
            move |document: &Document| seen.insert((document.window.channel.clone(), document.id.clone()));
        show::<Document>(args, &house.lake, output, &mut newest).await?;
    }
    output.end()?;
    Ok(Exit::Ok)
}

async fn show<R: Shown>(
    args: &DocumentsArgs,
    lake: &Lake,
    output: &mut Output,
    mut keep: impl FnMut(&R) -> bool,
) -> Result<(), Failure> {
    let is_table = !args.csv && !output.json;
    let limit = args.limit.unwrap_or(if is_table { TABLE_ROWS } else { usize::MAX });
    let mut sheet = Sheet { csv: args.csv, left: limit, beyond: 0, cells: Vec::new() };
    if args.csv {
        output.csv(R::CSV)?;
    }
    for window in windows::<R>(args, lake).await? {
        let Some(mut scan) = lake.scan::<R>(&window, None).await? else { continue };
        while let Some(rows) = scan.next_rows().await? {
            for row in rows.iter().filter(|row| keep(row)) {
                sheet.add(row, output)?;
            }
            if sheet.left == 0 && !is_table {
                return Ok(());
            }
        }
    }
    if is_table {
        output.table(R::HEADER, &sheet.cells)?;
    }
    if sheet.beyond > 0 {
        output.line(&format!("… and {} more; --limit COUNT, --csv or --json shows them", sheet.beyond))?;
    }
    Ok(())
}

/// The windows asked for, the newest first.
async fn windows<R: Record>(args: &DocumentsArgs, lake: &Lake) -> Result<Vec<Window>, Failure> {
    if let Some(window) = &args.window {
        if lake.committed::<R>(window).await?.is_none() {
            let failure = Failure::new(anyhow::anyhow!("there is no window `{window}` here"));
            return Err(failure.help("doxa windows shows the windows that are"));
        }
        return Ok(vec![window.clone()]);
    }
    let mut windows = Vec::new();
    for channel in channels(lake, args.channel.as_ref()).await? {
        let commits = lake.list::<R>(&channel, Hour::FIRST..Hour::LAST).await?;
        windows.extend(commits.into_iter().map(|commit| commit.window));
    }
    windows.sort_by(|a, b| (b.hour, &a.channel).cmp(&(a.hour, &b.channel)));
    Ok(windows)
}

/// What was shown so far, and what still may be.
struct Sheet {
    csv: bool,
    left: usize,
    beyond: u64,
    cells: Vec<Vec<String>>,
}

impl Sheet {
    fn add<R: Shown>(&mut self, row: &R, output: &mut Output) -> Result<(), Failure> {
        if self.left == 0 {
            self.beyond += 1;
            return Ok(());
        }
        self.left -= 1;
        match (output.json, self.csv) {
            (true, _) => output.object(row),
            (false, true) => output.csv(&row.csv()),
            (false, false) => {
                self.cells.push(row.cells());
                Ok(())
            }
        }
    }
}
