//! Bytes on their way into the object store: hashed as they pass, named by their digest at the end.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Bytes, BytesMut};
use doxa_schema::{Sha256, Window};
use object_store::path::Path;
use object_store::{ObjectStoreExt, WriteMultipart};
use sha2::Digest;

use super::{Error, Lake, STAGING, object_error, parse_key};
use crate::table::{Key, Version};

/// Below this, an upload is one put; above, it goes in parts of this size.
const PART_BYTES: usize = 8 << 20;
/// How many parts may be on their way at once: what bounds the memory of an upload.
const PARTS_IN_FLIGHT: usize = 3;

/// An upload that has not ended yet. Dropped before [`Upload::finish`], it leaves at most an object in `staging/`.
pub struct Upload {
    lake: Lake,
    hasher: sha2::Sha256,
    bytes: u64,
    head: BytesMut,
    parts: Option<(Path, WriteMultipart)>,
}

/// Bytes that lie under their final key, noted as garbage until a commit names them.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) key: String,
    pub(super) sha256: Sha256,
    pub(super) bytes: u64,
    pub(super) intent: (Key, Version),
}

/// Tells the uploads of this process apart.
static UPLOADS: AtomicU64 = AtomicU64::new(0);
/// Tells the uploads of all processes apart, on whichever machines: the standard library's hashers are seeded at random.
static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());

fn staging_path() -> Path {
    let count = UPLOADS.fetch_add(1, Ordering::Relaxed);
    Path::from(format!("{STAGING}/{:016x}-{count}", *PROCESS))
}

impl Upload {
    pub(super) fn start(lake: Lake) -> Self {
        Self { lake, hasher: sha2::Sha256::new(), bytes: 0, head: BytesMut::new(), parts: None }
    }

    /// Adds bytes at the end.
    ///
    /// # Errors
    /// If the object store fails.
    pub async fn write(&mut self, chunk: Bytes) -> Result<(), Error> {
        self.hasher.update(&chunk);
        self.bytes += chunk.len() as u64;
        if self.parts.is_none() && self.head.len() + chunk.len() <= PART_BYTES {
            self.head.extend_from_slice(&chunk);
            return Ok(());
        }
        self.write_part(chunk).await
    }

    async fn write_part(&mut self, chunk: Bytes) -> Result<(), Error> {
        if self.parts.is_none() {
            let path = staging_path();
            let upload = self
                .lake
                .objects
                .put_multipart(&path)
                .await
                .map_err(object_error("begin to write", &path))?;
            let mut parts = WriteMultipart::new_with_chunk_size(upload, PART_BYTES);
            parts.put(std::mem::take(&mut self.head).freeze());
            self.parts = Some((path, parts));
        }
        let (path, parts) = self.parts.as_mut().expect("it was just made");
        parts.wait_for_capacity(PARTS_IN_FLIGHT).await.map_err(object_error("write", path))?;
        parts.put(chunk);
        Ok(())
    }

    /// The digest of what was written so far.
    pub(super) fn digest(&self) -> Sha256 {
        Sha256(self.hasher.clone().finalize().into())
    }

    /// Ends the upload: the bytes then lie under the key that their digest gives, safely, but seen by nobody.
    pub(super) async fn finish(
        self,
        table: Option<&str>,
        window: &Window,
        key_of: impl FnOnce(&Sha256) -> String,
    ) -> Result<Stored, Error> {
        let sha256 = self.digest();
        let Self { lake, bytes, head, parts, .. } = self;
        let key = key_of(&sha256);
        let path = parse_key(&key)?;
        let intent = match parts {
            None => {
                let intent = lake.intend(&key, table, window).await?;
                lake.objects.put(&path, head.freeze().into()).await.map_err(object_error("write", &path))?;
                intent
            }
            Some((staged, parts)) => {
                parts.finish().await.map_err(object_error("write", &staged))?;
                let intent = lake.intend(&key, table, window).await?;
                lake.objects.rename(&staged, &path).await.map_err(object_error("move into place", &path))?;
                intent
            }
        };
        Ok(Stored { key, sha256, bytes, intent })
    }

    /// Gives the upload up, and removes what it has written.
    ///
    /// # Errors
    /// If the object store fails.
    pub async fn abort(self) -> Result<(), Error> {
        match self.parts {
            None => Ok(()),
            Some((path, parts)) => parts.abort().await.map_err(object_error("give up writing", &path)),
        }
    }
}
