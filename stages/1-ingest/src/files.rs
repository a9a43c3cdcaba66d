//! Files that somebody hands over.

use std::fs::File;
use std::io::Read;

use doxa_ports::lake::{self, Lake, Landed, LandingWriter, landing_key};
use doxa_schema::{Reading, Window};
use jiff::Timestamp;
use tokio::sync::mpsc;

/// How much is read at a time: what hashing it costs does not hold up anything else.
const CHUNK_BYTES: usize = 512 * 1024;

/// A file on its way into the landing zone.
pub struct Source {
    /// Its bytes, from the beginning.
    pub file: File,
    /// Its name, without folders.
    pub name: String,
    /// How it is to be read.
    pub reading: Reading,
}

/// Why a file did not land.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file itself cannot be read.
    #[error("cannot read `{name}`")]
    Read {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The lake failed.
    #[error(transparent)]
    Lake(#[from] lake::Error),
}

/// Copies a file's bytes into the landing zone. `progress` is told how many bytes came at each step.
///
/// After a crash: nothing is recorded, and what was copied is swept.
///
/// # Errors
/// If the file cannot be read or the lake fails.
pub async fn land(
    lake: &Lake,
    window: &Window,
    source: Source,
    received_at: Timestamp,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Landed, Error> {
    let Source { file, name, reading } = source;
    let mut writer = lake.land(window);
    match copy(file, &name, &mut writer, progress).await {
        Ok(()) => {
            let channel = &window.channel;
            let key = |digest: &doxa_schema::Sha256| {
                landing_key(&[channel.source(), channel.name(), &digest.short(), &name])
            };
            Ok(writer.finish(&name, received_at, reading, key).await?)
        }
        Err(error) => {
            writer.abort().await?;
            Err(error)
        }
    }
}

async fn copy(
    mut file: File,
    name: &str,
    writer: &mut LandingWriter,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<(), Error> {
    // Read ahead on a thread that may block, while what was read is hashed and written here.
    let (sender, mut chunks) = mpsc::channel(4);
    let reader = tokio::task::spawn_blocking(move || {
        loop {
            let mut chunk = vec![0; CHUNK_BYTES];
            let count = read_full(&mut file, &mut chunk)?;
            chunk.truncate(count);
            // Nobody takes it any more if the writer has failed, which is the writer's to tell.
            if count == 0 || sender.blocking_send(chunk).is_err() {
                return Ok(());
            }
        }
    });
    while let Some(chunk) = chunks.recv().await {
        progress(chunk.len() as u64);
        writer.write(chunk.into()).await?;
    }
    let read: std::io::Result<()> = reader.await.expect("reading a file does not panic");
    read.map_err(|cause| Error::Read { name: name.to_owned(), cause })
}

fn read_full(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use doxa_ports::clock::SimulatedClock;
    use doxa_schema::{Compression, DocumentKind, Format};
    use std::io::Write;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[tokio::test]
    async fn bytes_land_as_they_are() {
        let clock = Arc::new(SimulatedClock::at("2026-11-21T01:30:00Z".parse().unwrap()));
        let lake = Lake::in_memory(clock);
        let window: Window = "file/comments@2026-11-21T01".parse().unwrap();
        for bytes in [Vec::new(), b"id,text\n".to_vec(), vec![7; 3 * CHUNK_BYTES + 1]] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(&bytes).unwrap();
            std::io::Seek::rewind(&mut file).unwrap();
            let reading = Reading {
                format: Format::JsonLines,
                compression: Compression::None,
                encoding: "UTF-8".to_owned(),
                mapping: std::collections::BTreeMap::new(),
                zone: "UTC".to_owned(),
                kind: DocumentKind::Comment,
                dates: None,
            };
            let source = Source { file, name: "my comments.csv".to_owned(), reading };
            let seen = AtomicU64::new(0);
            let count = |bytes| {
                seen.fetch_add(bytes, Ordering::Relaxed);
            };
            let landed = land(&lake, &window, source, window.hour.start(), &count).await.unwrap();
            let raw = &landed.raw;
            assert_eq!((raw.bytes, seen.load(Ordering::Relaxed)), (bytes.len() as u64, bytes.len() as u64));
            assert_eq!(raw.key, format!("landing/file/comments/{}/my comments.csv", raw.sha256.short()));
            let mut opened = lake.open_raw(raw).await.unwrap();
            let read = tokio::task::spawn_blocking(move || {
                let mut all = Vec::new();
                opened.read_to_end(&mut all).map(|_| all)
            });
            assert!(read.await.unwrap().unwrap() == bytes);
        }
    }
}
