//! The shell: opens what has landed, runs the pure part on a thread of its own, and stages what comes out.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use doxa_ports::lake::{self, Lake, RawBytes, Staged};
use doxa_schema::{Document, DocumentsBuilder, Lineage, Raw, Reject, RejectCode, Window};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

pub use crate::canonical::Authors;
use crate::canonical::Canon;
use crate::decode::{FileError, Limits};
use crate::duplicates::{Before, DerivedIds, Known, Seen};
use crate::rows::{self, BadRow, Row};

/// Grows when the same raw bytes give other documents than before.
const VERSION: u32 = 1;
/// Documents of a batch, and bytes of text after which it is full all the same.
const BATCH_ROWS: usize = 8192;
const BATCH_BYTES: usize = 4 << 20;
/// What is kept of a rejected row.
const EXCERPT_BYTES: usize = 200;

/// What the stage needs of the world, and how it is set up.
#[derive(Clone)]
pub struct Context {
    /// The lake.
    pub lake: Lake,
    /// How authors are named.
    pub authors: Authors,
    /// What a file may cost.
    pub limits: Limits,
    /// For how many hours back a document that was fetched before is recognised.
    pub remember_hours: u32,
}

/// What became of the rows of a window.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Rows read, the header and blank lines aside.
    pub rows: u64,
    /// Documents of the window.
    pub documents: u64,
    /// Rejects of the window, by code.
    pub rejects: BTreeMap<RejectCode, u64>,
    /// Rows that a later row of the window with the same id took the place of.
    pub repeated: u64,
    /// Rows that say what an earlier window has already.
    pub unchanged: u64,
    /// Documents that an earlier window has with other content; they are the truth from now on.
    pub updated: u64,
}

impl Report {
    /// How many rows were rejected.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }
}

/// A window's tables, written but seen by nobody yet.
#[must_use = "what is prepared is seen by nobody until it is committed"]
pub struct Prepared {
    /// The tables, for [`Lake::commit`].
    pub staged: Vec<Staged>,
    /// What became of the rows.
    pub report: Report,
}

/// Why a window could not be normalised.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A raw object is refused as a whole; nothing of it was kept.
    #[error("cannot read `{name}`")]
    Refused {
        /// Its name, as the source gave it.
        name: String,
        /// Why.
        #[source]
        cause: FileError,
    },
    /// The lake failed.
    #[error(transparent)]
    Lake(#[from] lake::Error),
}

/// What the documents of a window are made from: equal for equal raw bytes, read in the same way, in the same order.
#[must_use]
pub fn made_from(raws: &[Raw]) -> String {
    let parts: Vec<_> = raws.iter().map(|raw| (raw.sha256, &raw.reading)).collect();
    let json = serde_json::to_string(&(VERSION, parts)).expect("a reading is plain JSON");
    Sha256::digest(json).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Reads the raw objects of a window, in the order in which they were received, and stages its documents and rejects.
///
/// After a crash: nothing is visible; what was staged is swept.
///
/// # Errors
/// If a raw object is refused, or the lake fails.
pub async fn prepare(cx: &Context, window: &Window, raws: &[Raw]) -> Result<Prepared, Error> {
    let known = Arc::new(known_before(&cx.lake, window, cx.remember_hours).await?);
    let (first, superseded) = attempt(cx, window, raws, &known, HashSet::new()).await?;
    if superseded.is_empty() {
        return Ok(first.expect("an attempt without superseded rows stages what it read"));
    }
    // Which row is the truth is known only at the end. Repeated ids are rare; reading twice then is cheaper than holding
    // every row back until it is certain.
    let (second, _) = attempt(cx, window, raws, &known, superseded).await?;
    Ok(second.expect("the superseded rows were left out"))
}

/// What earlier windows of the channel say, the later one's word for each id.
async fn known_before(lake: &Lake, window: &Window, hours: u32) -> Result<Known, lake::Error> {
    let mut known = Known::default();
    let from = window.hour.saturating_sub(hours);
    for commit in lake.list::<Document>(&window.channel, from..window.hour).await? {
        let Some(mut scan) = lake.scan::<Document>(&commit.window, None).await? else { continue };
        while let Some(documents) = scan.next_rows().await? {
            documents.iter().for_each(|document| known.remember(document));
        }
    }
    Ok(known)
}

/// Reads all rows once. Gives what it staged, or the rows that later ones take the place of.
async fn attempt(
    cx: &Context,
    window: &Window,
    raws: &[Raw],
    known: &Arc<Known>,
    left_out: HashSet<u32>,
) -> Result<(Option<Prepared>, HashSet<u32>), Error> {
    let mut opened = Vec::new();
    for raw in raws {
        opened.push((raw.clone(), cx.lake.open_raw(raw).await?));
    }
    let mut documents = cx.lake.writer::<Document>(window).await?;
    let mut rejects = cx.lake.writer::<Reject>(window).await?;
    let (sender, mut outputs) = mpsc::channel(2);
    let reader = Reader { known: known.clone(), left_out, outputs: sender, ..Reader::new(cx.limits) };
    let authors = cx.authors.clone();
    let work = tokio::task::spawn_blocking(move || reader.read_all(opened, &authors));
    let mut written = Ok(());
    while let Some(output) = outputs.recv().await {
        written = match output {
            Output::Documents(batch) => documents.write(batch).await,
            Output::Rejects(rows) => rejects.write(<Reject as doxa_schema::Record>::batch(&rows)).await,
        };
        if written.is_err() {
            // The reader finds nobody who takes its rows, and ends.
            break;
        }
    }
    drop(outputs);
    let read = work.await.expect("the reader does not panic");
    let (report, superseded) = match (written, read) {
        (Ok(()), Ok(read)) if read.1.is_empty() => read,
        (written, read) => {
            documents.abort().await?;
            rejects.abort().await?;
            written?;
            return Ok((None, read?.1));
        }
    };
    let from = made_from(raws);
    let staged = vec![documents.finish(&from).await?, rejects.finish(&from).await?];
    Ok((Some(Prepared { staged, report }), superseded))
}

enum Output {
    Documents(arrow_array::RecordBatch),
    Rejects(Vec<Reject>),
}

/// The pure part: rows in, batches out.
struct Reader {
    limits: Limits,
    known: Arc<Known>,
    left_out: HashSet<u32>,
    outputs: mpsc::Sender<Output>,
    seen: Seen,
    derived: DerivedIds,
    documents: DocumentsBuilder,
    rejects: Vec<Reject>,
    report: Report,
    ordinal: u32,
}

impl Reader {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            known: Arc::default(),
            left_out: HashSet::new(),
            outputs: mpsc::channel(1).0,
            seen: Seen::default(),
            derived: DerivedIds::default(),
            documents: DocumentsBuilder::default(),
            rejects: Vec::new(),
            report: Report::default(),
            ordinal: 0,
        }
    }

    fn read_all(
        mut self,
        raws: Vec<(Raw, RawBytes)>,
        authors: &Authors,
    ) -> Result<(Report, HashSet<u32>), Error> {
        for (raw, bytes) in raws {
            let refused = |cause| Error::Refused { name: raw.name.clone(), cause };
            let canon = Canon::of(&raw, authors).map_err(refused)?;
            let limits = self.limits;
            rows::read(bytes, &raw.reading, &limits, &mut |row| self.row(&raw, &canon, row))
                .map_err(refused)?;
        }
        // Whether anybody still takes it is the writer's concern.
        let _taken = self.flush();
        Ok((self.report, self.seen.into_superseded()))
    }

    fn row(&mut self, raw: &Raw, canon: &Canon<'_>, row: Result<Row<'_>, BadRow<'_>>) -> ControlFlow<()> {
        self.report.rows += 1;
        match row {
            Err(bad) => self.reject(raw, bad.line, (bad.code, bad.message), bad.excerpt),
            Ok(row) => match canon.document(&row) {
                Ok(document) => self.document(document),
                Err(refusal) => self.reject(raw, row.line, refusal, &row.excerpt),
            },
        }
        let full = self.documents.len() >= BATCH_ROWS
            || self.documents.text_bytes() >= BATCH_BYTES
            || self.rejects.len() >= BATCH_ROWS;
        if full { self.flush() } else { ControlFlow::Continue(()) }
    }

    fn document(&mut self, mut document: Document<std::borrow::Cow<'_, str>>) {
        self.derived.fill(&mut document);
        let ordinal = self.ordinal;
        self.ordinal += 1;
        if self.left_out.contains(&ordinal) {
            self.report.repeated += 1;
            return;
        }
        self.seen.note(&document.id, ordinal);
        if self.seen.any() {
            return; // All will be read once more, without the rows that are found now.
        }
        match self.known.compare(&document) {
            Before::Unchanged => self.report.unchanged += 1,
            before => {
                self.report.updated += u64::from(before == Before::Changed);
                self.report.documents += 1;
                self.documents.push(&document);
            }
        }
    }

    fn reject(&mut self, raw: &Raw, line: u64, (code, message): (RejectCode, String), excerpt: &[u8]) {
        *self.report.rejects.entry(code).or_default() += 1;
        let excerpt = String::from_utf8_lossy(&excerpt[..excerpt.len().min(EXCERPT_BYTES)]).into_owned();
        let lineage = Lineage { raw: raw.key.clone(), line };
        self.rejects.push(Reject { window: raw.window.clone(), code, message, excerpt, lineage });
    }

    fn flush(&mut self) -> ControlFlow<()> {
        let mut sent = Ok(());
        if !self.documents.is_empty() {
            sent = self.outputs.blocking_send(Output::Documents(self.documents.finish()));
        }
        if sent.is_ok() && !self.rejects.is_empty() {
            sent = self.outputs.blocking_send(Output::Rejects(std::mem::take(&mut self.rejects)));
        }
        if sent.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
