//! Rows on their way out of a window's file.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use doxa_schema::{Record, Window};
use futures::future::BoxFuture;
use futures::{FutureExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStream};
use parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use parquet::errors::ParquetError;
use parquet::file::metadata::{FileMetaData, ParquetMetaData, ParquetMetaDataReader};

use super::writer::FORMAT_KEY;
use super::{Commit, Error, File, Lake, parse_key};

/// How often a reader looks again when the file that a commit named was replaced under its hands.
const LOOKS: usize = 3;

/// The rows of a committed window, batch by batch.
pub struct Scan<R> {
    stream: Option<ParquetRecordBatchStream<ObjectFile>>,
    key: String,
    table: PhantomData<fn() -> R>,
}

impl Lake {
    /// The rows of a window; none if it is not committed.
    ///
    /// # Errors
    /// If the store fails, or the file is not of the table's form.
    pub async fn read<R: Record>(&self, window: &Window) -> Result<Option<Vec<R>>, Error> {
        let Some(mut scan) = self.scan::<R>(window, None).await? else { return Ok(None) };
        let mut rows = Vec::new();
        while let Some(batch) = scan.next_rows().await? {
            rows.extend(batch);
        }
        Ok(Some(rows))
    }

    /// Opens the rows of a window, of all columns or only some; none if the window is not committed.
    ///
    /// What was opened is read to its end as it was then, also if the window is replaced meanwhile, as long as the object
    /// store keeps a deleted file for its readers; if it does not, the scan ends in an error and never in other rows.
    ///
    /// # Errors
    /// If the store fails, or the file is not of the table's form.
    pub async fn scan<R: Record>(
        &self,
        window: &Window,
        columns: Option<&[&str]>,
    ) -> Result<Option<Scan<R>>, Error> {
        for look in 1.. {
            let Some(commit) = self.committed::<R>(window).await? else { return Ok(None) };
            match self.open::<R>(&commit, columns).await {
                Err(error) if look < LOOKS && is_not_found(&error) => {}
                opened => return opened.map(Some),
            }
        }
        unreachable!("the last look returns what it found")
    }

    async fn open<R: Record>(&self, commit: &Commit, columns: Option<&[&str]>) -> Result<Scan<R>, Error> {
        let Some(file) = &commit.file else {
            return Ok(Scan { stream: None, key: String::new(), table: PhantomData });
        };
        let failed = |cause| Error::Parquet { attempt: "decode", key: file.key.clone(), cause };
        let reader =
            ObjectFile { objects: self.objects.clone(), path: parse_key(&file.key)?, bytes: file.bytes };
        let builder = ParquetRecordBatchStreamBuilder::new(reader).await.map_err(failed)?;
        check_format::<R>(file, builder.metadata().file_metadata())?;
        let mask = match columns {
            None => ProjectionMask::all(),
            Some(columns) => ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied()),
        };
        let stream = builder.with_projection(mask).with_batch_size(8192).build().map_err(failed)?;
        Ok(Scan { stream: Some(stream), key: file.key.clone(), table: PhantomData })
    }
}

fn is_not_found(error: &Error) -> bool {
    let Error::Parquet { cause: ParquetError::External(cause), .. } = error else { return false };
    matches!(cause.downcast_ref(), Some(object_store::Error::NotFound { .. }))
}

fn check_format<R: Record>(file: &File, metadata: &FileMetaData) -> Result<(), Error> {
    let entries = metadata.key_value_metadata();
    let entry = entries.and_then(|entries| entries.iter().find(|entry| entry.key == FORMAT_KEY));
    let text = entry.and_then(|entry| entry.value.as_deref()).unwrap_or_default();
    let number = text.strip_prefix(R::TABLE).and_then(|rest| rest.strip_prefix('/'));
    match number.and_then(|number| number.parse::<u32>().ok()) {
        Some(found) if found > R::FORMAT => {
            Err(Error::Newer { key: file.key.clone(), table: R::TABLE, found, known: R::FORMAT })
        }
        Some(_) => Ok(()),
        None => Err(Error::Parquet {
            attempt: "decode",
            key: file.key.clone(),
            cause: ParquetError::General(format!("its metadata do not say that it holds {}", R::TABLE)),
        }),
    }
}

impl<R: Record> Scan<R> {
    /// The next rows as columns; none at the end.
    ///
    /// # Errors
    /// If the file cannot be read or decoded.
    pub async fn next_batch(&mut self) -> Result<Option<RecordBatch>, Error> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        let next = stream.try_next().await;
        next.map_err(|cause| Error::Parquet { attempt: "decode", key: self.key.clone(), cause })
    }

    /// The next rows; none at the end. Only for a scan of all columns.
    ///
    /// # Errors
    /// If the file cannot be read or decoded.
    pub async fn next_rows(&mut self) -> Result<Option<Vec<R>>, Error> {
        let Some(batch) = self.next_batch().await? else { return Ok(None) };
        Ok(Some(R::rows(&batch)?))
    }
}

/// A file in the object store, read range by range; its size is known from the commit.
struct ObjectFile {
    objects: Arc<dyn ObjectStore>,
    path: Path,
    bytes: u64,
}

impl AsyncFileReader for ObjectFile {
    fn get_bytes(&mut self, range: std::ops::Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        async move { Ok(self.objects.get_range(&self.path, range).await?) }.boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<std::ops::Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move { Ok(self.objects.get_ranges(&self.path, &ranges).await?) }.boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async move {
            let bytes = self.bytes;
            let metadata = ParquetMetaDataReader::new().load_and_finish(self, bytes).await?;
            Ok(Arc::new(metadata))
        }
        .boxed()
    }
}
