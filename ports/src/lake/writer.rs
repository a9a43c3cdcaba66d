//! Rows on their way into a window's file.
//!
//! Encoding is work for a core, uploading is waiting: an encoder on a blocking thread turns batches into Parquet and
//! hands the bytes on as they come, so that neither waits for the other and no more than a few megabytes are held.

use std::io::Write;
use std::marker::PhantomData;

use arrow_array::RecordBatch;
use bytes::Bytes;
use doxa_schema::{Record, Window};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Commit, Error, File, Lake, Staged, Upload, window_key};
use crate::table::Item;

/// The key in a file's metadata that says which table, and which version of its form, it holds: `documents/1`.
pub(super) const FORMAT_KEY: &str = "doxa.format";
/// Rows of a row group; with texts of a few hundred bytes, some twenty megabytes.
const ROW_GROUP_ROWS: usize = 128 * 1024;
/// What the encoder hands on at a time.
const CHUNK_BYTES: usize = 1 << 20;

/// A file of a window in the making.
pub struct Writer<R> {
    lake: Lake,
    window: Window,
    before: Option<Item>,
    rows: u64,
    work: Option<Work>,
    table: PhantomData<fn(R)>,
}

struct Work {
    batches: mpsc::Sender<RecordBatch>,
    encoder: JoinHandle<Result<(), ParquetError>>,
    uploader: JoinHandle<Result<Upload, Error>>,
}

impl<R: Record> Writer<R> {
    pub(super) fn start(lake: Lake, window: Window, before: Option<Item>) -> Self {
        Self { lake, window, before, rows: 0, work: None, table: PhantomData }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// If the object store fails, or a batch is not of the table's form.
    pub async fn write(&mut self, batch: RecordBatch) -> Result<(), Error> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.rows += batch.num_rows() as u64;
        let work = self.work.get_or_insert_with(|| Work::start::<R>(&self.lake));
        // If nobody receives, the encoder has failed; `finish` says why.
        if work.batches.send(batch).await.is_err() {
            return Err(self.work.take().expect("it was just used").failure(&self.window).await);
        }
        Ok(())
    }

    /// Gives the file up, and removes what was written of it.
    ///
    /// # Errors
    /// If the object store fails.
    pub async fn abort(self) -> Result<(), Error> {
        match self.work {
            // The rows do not matter any more, nor why they could not be encoded.
            Some(work) => match work.end(&self.window).await {
                Ok(upload) => upload.abort().await,
                Err(_) => Ok(()),
            },
            None => Ok(()),
        }
    }

    /// Ends the file: it is stored, but seen by nobody. `made_from` names what the rows were made from.
    ///
    /// # Errors
    /// If the object store fails, or a batch was not of the table's form.
    pub async fn finish(self, made_from: &str) -> Result<Staged, Error> {
        let Self { lake, window, before, rows, work, .. } = self;
        let (file, intent) = match work {
            None => (None, None),
            Some(work) => {
                let upload = work.end(&window).await?;
                let key = window_key(R::TABLE, &window, &upload.digest());
                if let Some(file) = standing(before.as_ref(), &key)? {
                    upload.abort().await?;
                    (Some(file), None)
                } else {
                    let stored = upload.finish(Some(R::TABLE), &window, |_| key).await?;
                    let file = File { key: stored.key, sha256: stored.sha256, bytes: stored.bytes, rows };
                    (Some(file), Some(stored.intent))
                }
            }
        };
        let committed_at = lake.clock.now();
        let commit =
            Commit { window, format: R::FORMAT, file, made_from: made_from.to_owned(), committed_at };
        Ok(Staged { table: R::TABLE, commit, before, intent })
    }
}

/// The file that is committed already, if it is the very one.
fn standing(before: Option<&Item>, key: &str) -> Result<Option<File>, Error> {
    let Some(item) = before else { return Ok(None) };
    Ok(item.parse::<Commit>()?.file.filter(|file| file.key == key))
}

impl Work {
    fn start<R: Record>(lake: &Lake) -> Self {
        let (batches, mut incoming) = mpsc::channel::<RecordBatch>(2);
        let (chunks, mut outgoing) = mpsc::channel::<Bytes>(2);
        let encoder = tokio::task::spawn_blocking(move || {
            let sink = Sink { buffer: Vec::with_capacity(CHUNK_BYTES), chunks };
            let mut writer = ArrowWriter::try_new(sink, R::schema(), Some(properties::<R>()))?;
            while let Some(batch) = incoming.blocking_recv() {
                writer.write(&batch)?;
            }
            writer.into_inner()?.flush()?;
            Ok(())
        });
        let mut upload = Upload::start(lake.clone());
        let uploader = tokio::spawn(async move {
            while let Some(chunk) = outgoing.recv().await {
                upload.write(chunk).await?;
            }
            Ok(upload)
        });
        Self { batches, encoder, uploader }
    }

    async fn end(self, window: &Window) -> Result<Upload, Error> {
        drop(self.batches);
        // The uploader's error first: the encoder, finding nobody who takes its bytes, can only tell that it broke off.
        let upload = self.uploader.await.expect("an upload does not panic")?;
        let encoded = self.encoder.await.expect("the encoder does not panic on batches of its schema");
        encoded.map_err(|cause| Error::Parquet { attempt: "encode", key: window.to_string(), cause })?;
        Ok(upload)
    }

    async fn failure(self, window: &Window) -> Error {
        self.end(window).await.err().expect("a channel closes early only if its receiver has failed")
    }
}

/// Short texts that rarely repeat gain nothing from a dictionary; what is constant within a window costs nothing in one.
fn properties<R: Record>() -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_created_by("doxa".to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(vec![KeyValue::new(
            FORMAT_KEY.to_owned(),
            format!("{}/{}", R::TABLE, R::FORMAT),
        )]));
    for column in ["id", "text", "message", "excerpt"] {
        properties = properties
            .set_column_dictionary_enabled(column.into(), false)
            .set_column_encoding(column.into(), Encoding::PLAIN)
            .set_column_statistics_enabled(column.into(), EnabledStatistics::None);
    }
    properties.build()
}

/// What the encoder writes to: gathers chunks and hands them to the uploader.
struct Sink {
    buffer: Vec<u8>,
    chunks: mpsc::Sender<Bytes>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK_BYTES));
        self.chunks.blocking_send(full.into()).map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }
}
