//! The landing zone: bytes exactly as a source gave them, recorded once, never changed.

use std::io::Read;

use bytes::Bytes;
use doxa_schema::{ChannelId, Raw, Reading, Sha256, Window};
use futures::TryStreamExt;
use jiff::Timestamp;
use object_store::path::Path;
use object_store::{GetResultPayload, ObjectStoreExt};
use sha2::Digest;

use super::upload::Stored;
use super::{Error, Lake, Upload, object_error, parse_key};
use crate::table::{Condition, Item, Key, Query, Range, Version, Write};

fn raws_partition(channel: &ChannelId) -> String {
    format!("landing/{channel}")
}

fn raw_key(raw: &Raw) -> Key {
    Key::new(raws_partition(&raw.window.channel), format!("{}#{}", raw.window.hour, raw.sha256))
}

/// Where it is written down that bytes of this digest were received in a channel, whatever the window.
fn digest_key(channel: &ChannelId, sha256: &Sha256) -> Key {
    Key::new(format!("landing-digest/{channel}"), sha256.to_string())
}

/// Bytes on their way into the landing zone.
pub struct LandingWriter {
    upload: Upload,
    lake: Lake,
    window: Window,
}

/// Bytes that lie in the landing zone, but are not recorded yet: nobody sees them.
#[must_use = "what has landed is seen by nobody until it is recorded"]
#[derive(Debug)]
pub struct Landed {
    /// What will be recorded.
    pub raw: Raw,
    intent: Option<(Key, Version)>,
    recorded: Option<Item>,
}

/// The bytes of a raw object, to be read in order from a blocking thread.
pub struct RawBytes(Source);

enum Source {
    File(std::fs::File),
    Stream(StreamReader),
}

impl RawBytes {
    /// The plain file, where the object store keeps plain files; itself otherwise.
    ///
    /// # Errors
    /// It is none.
    pub fn into_file(self) -> Result<std::fs::File, Self> {
        match self.0 {
            Source::File(file) => Ok(file),
            Source::Stream(_) => Err(self),
        }
    }
}

impl From<std::fs::File> for RawBytes {
    fn from(file: std::fs::File) -> Self {
        Self(Source::File(file))
    }
}

impl Read for RawBytes {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match &mut self.0 {
            Source::File(file) => file.read(buffer),
            Source::Stream(stream) => stream.read(buffer),
        }
    }
}

impl Lake {
    /// Begins to land bytes that were fetched for a window.
    #[must_use]
    pub fn land(&self, window: &Window) -> LandingWriter {
        LandingWriter { upload: Upload::start(self.clone()), lake: self.clone(), window: window.clone() }
    }

    /// The raw objects of a window, in the order in which they were received.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn raws(&self, window: &Window) -> Result<Vec<Raw>, Error> {
        let range = Range::Prefix(format!("{}#", window.hour));
        let items = self.table.query_all(Query::all(raws_partition(&window.channel)).range(range)).await?;
        let mut raws: Vec<Raw> = items.iter().map(Item::parse).collect::<Result<_, _>>()?;
        raws.sort_by(|a, b| (a.received_at, &a.key).cmp(&(b.received_at, &b.key)));
        Ok(raws)
    }

    /// The raw object with this digest, if the channel ever received it.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn raw_by_digest(&self, channel: &ChannelId, sha256: &Sha256) -> Result<Option<Raw>, Error> {
        let found = self.table.get(&digest_key(channel, sha256)).await?;
        Ok(found.map(|item| item.parse()).transpose()?)
    }

    /// Opens the bytes of a raw object.
    ///
    /// # Errors
    /// If the object store fails.
    pub async fn open_raw(&self, raw: &Raw) -> Result<RawBytes, Error> {
        let path = parse_key(&raw.key)?;
        let found = self.objects.get(&path).await.map_err(object_error("open", &path))?;
        match found.payload {
            GetResultPayload::File(file, _) => Ok(RawBytes(Source::File(file))),
            GetResultPayload::Stream(stream) => {
                let handle = tokio::runtime::Handle::current();
                Ok(RawBytes(Source::Stream(StreamReader { stream, handle, chunk: Bytes::new() })))
            }
        }
    }

    /// The writes that record what has landed. They belong into the commit that makes it visible.
    ///
    /// # Errors
    /// If the record cannot be written as JSON.
    pub fn record(&self, landed: &Landed) -> Result<Vec<Write>, Error> {
        let raw = &landed.raw;
        let condition = match &landed.recorded {
            Some(item) => Condition::Version(item.version),
            None => Condition::Absent,
        };
        let mut writes = vec![
            Write::put(raw_key(raw), raw, Condition::Any)?,
            Write::put(digest_key(&raw.window.channel, &raw.sha256), raw, condition)?,
        ];
        writes.extend(
            landed
                .intent
                .iter()
                .map(|(key, version)| Write::delete(key.clone(), Condition::Version(*version))),
        );
        Ok(writes)
    }

    /// Takes back what has landed but was not recorded.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn withdraw(&self, landed: Landed) -> Result<(), Error> {
        if landed.intent.is_some() { self.delete_garbage(&landed.raw.key).await } else { Ok(()) }
    }

    pub(super) async fn is_landed(&self, object: &str, channel: &ChannelId) -> Result<bool, Error> {
        let raws = self.table.query_all(Query::all(raws_partition(channel))).await?;
        let raws: Vec<Raw> = raws.iter().map(Item::parse).collect::<Result<_, _>>()?;
        Ok(raws.iter().any(|raw| raw.key == object))
    }

    pub(super) async fn digest_of(&self, key: &str) -> Result<Sha256, Error> {
        let path = parse_key(key)?;
        let found = self.objects.get(&path).await.map_err(object_error("open", &path))?;
        let mut hasher = sha2::Sha256::new();
        let mut stream = found.into_stream();
        while let Some(chunk) = stream.try_next().await.map_err(object_error("read", &path))? {
            hasher.update(&chunk);
        }
        Ok(Sha256(hasher.finalize().into()))
    }
}

impl LandingWriter {
    /// Adds bytes at the end.
    ///
    /// # Errors
    /// If the object store fails.
    pub async fn write(&mut self, chunk: Bytes) -> Result<(), Error> {
        self.upload.write(chunk).await
    }

    /// Ends it. Bytes that the channel has received before keep their first record, but for the reading, which is the
    /// latest: so a wrong mapping is mended by importing again.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn finish(
        self,
        name: &str,
        received_at: Timestamp,
        reading: Reading,
        key_of: impl FnOnce(&Sha256) -> String,
    ) -> Result<Landed, Error> {
        let Self { upload, lake, window } = self;
        let sha256 = upload.digest();
        let key = digest_key(&window.channel, &sha256);
        if let Some(item) = lake.table.get(&key).await? {
            upload.abort().await?;
            let raw = Raw { reading, ..item.parse()? };
            return Ok(Landed { raw, intent: None, recorded: Some(item) });
        }
        let Stored { key, sha256, bytes, intent } = upload.finish(None, &window, key_of).await?;
        let raw = Raw { key, window, sha256, bytes, received_at, name: name.to_owned(), reading };
        Ok(Landed { raw, intent: Some(intent), recorded: None })
    }

    /// Gives it up, and removes what was written.
    ///
    /// # Errors
    /// If the object store fails.
    pub async fn abort(self) -> Result<(), Error> {
        self.upload.abort().await
    }
}

impl Landed {
    /// Whether the channel had received these bytes before.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.recorded.is_some()
    }
}

/// Reads a stream of an object store from a blocking thread.
struct StreamReader {
    stream: futures::stream::BoxStream<'static, object_store::Result<Bytes>>,
    handle: tokio::runtime::Handle,
    chunk: Bytes,
}

impl Read for StreamReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.chunk.is_empty() {
            match self.handle.block_on(self.stream.try_next()).map_err(std::io::Error::other)? {
                Some(chunk) => self.chunk = chunk,
                None => return Ok(0),
            }
        }
        let taken = self.chunk.split_to(buffer.len().min(self.chunk.len()));
        buffer[..taken.len()].copy_from_slice(&taken);
        Ok(taken.len())
    }
}

/// Where a source may put what it lands: below `landing/`, in names that every store takes.
#[must_use]
pub fn landing_key(parts: &[&str]) -> String {
    let path: Path = std::iter::once("landing").chain(parts.iter().copied()).collect();
    path.to_string()
}
