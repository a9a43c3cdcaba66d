//! Objects as plain files, safe on disk before anyone is told that they are there.
//!
//! Reading, listing and deleting are `object_store`'s own; what is ours is the way in. That crate's files are renamed
//! into place, but never forced to disk. Here every object is written below `staging/` and moved to its name, and both its
//! bytes and the name are forced to disk in the background; [`Settle::settle`] waits for that, and the lake calls it before
//! a commit names the object. If that fails once, nothing is vouched for any more until the folder is opened anew.
//!
//! After a power cut an object that no commit names may be torn: the garbage notes have it.
//!
//! A big upload is forced to disk part by part while the next parts are still being made: at the end there is little left
//! to wait for.

mod upload;

use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path as FilePath, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use doxa_ports::lake::{STAGING, Settle};
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMode,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, RenameTargetMode, Result,
};
use tokio::task::JoinHandle;

/// Objects below a folder.
#[derive(Debug)]
pub struct Files {
    inner: LocalFileSystem,
    root: PathBuf,
    uploads: AtomicU64,
    unsettled: Unsettled,
    /// Why nothing can be vouched for any more: a file could not be forced to disk, and nobody can say what is on it.
    doubt: tokio::sync::Mutex<Option<String>>,
}

/// What is on its way to the disk.
type Unsettled = Arc<Mutex<Vec<JoinHandle<Result<()>>>>>;

/// What could not be done with which file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {attempt} {path}")]
struct FileError {
    attempt: &'static str,
    path: String,
    #[source]
    cause: std::io::Error,
}

fn failed(attempt: &'static str, path: &FilePath) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.display().to_string();
    move |cause| {
        let kind = cause.kind();
        let source = Box::new(FileError { attempt, path: path.clone(), cause });
        match kind {
            ErrorKind::AlreadyExists => Error::AlreadyExists { path, source },
            ErrorKind::NotFound => Error::NotFound { path, source },
            ErrorKind::PermissionDenied => Error::PermissionDenied { path, source },
            _ => Error::Generic { store: "files", source },
        }
    }
}

impl Files {
    /// Opens the objects below a folder, making the folder if it is not there.
    ///
    /// # Errors
    /// If the folder cannot be made or is not a folder.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self> {
        let root = root.into();
        create_folders(&root)?;
        Ok(Self {
            inner: LocalFileSystem::new_with_prefix(&root)?,
            root,
            uploads: AtomicU64::new(0),
            unsettled: Unsettled::default(),
            doubt: tokio::sync::Mutex::default(),
        })
    }

    /// A name below `staging/` that no other upload of this process has.
    fn staging_file(&self) -> PathBuf {
        let count = self.uploads.fetch_add(1, Ordering::Relaxed);
        self.root.join(STAGING).join(format!("{count}.part"))
    }

    fn file(&self, location: &Path) -> Result<PathBuf> {
        self.inner.path_to_filesystem(location)
    }
}

/// Makes a folder and those above it, and forces their names to disk.
fn create_folders(folder: &FilePath) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_folders(parent)?;
    }
    match std::fs::create_dir(folder) {
        Ok(()) => sync_folder(folder.parent().unwrap_or(folder)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(failed("make the folder", folder)(error)),
    }
}

/// Forces the names within a folder to disk.
fn sync_folder(folder: &FilePath) -> Result<()> {
    // The folder above a bare name is the working folder.
    let folder = if folder.as_os_str().is_empty() { FilePath::new(".") } else { folder };
    if cfg!(windows) {
        return Ok(()); // Windows has no such call, and its file systems log names before they answer.
    }
    let opened = File::open(folder).map_err(failed("open the folder", folder))?;
    opened.sync_all().map_err(failed("force to disk the folder", folder))
}

/// Makes a new file in `staging/`, and the folder if need be. If the name is taken, by another process or by one that
/// died, the path becomes another.
fn create_staging(path: &mut PathBuf) -> Result<File> {
    loop {
        match File::create_new(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                path.set_extension("other.part");
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                create_folders(path.parent().expect("a file of ours lies in a folder"))?;
            }
            made => return made.map_err(failed("make", path)),
        }
    }
}

/// Moves a file to its name.
fn move_into_place(from: &FilePath, to: &FilePath, mode: RenameTargetMode) -> Result<()> {
    let folder = to.parent().expect("a file of ours lies in a folder");
    create_folders(folder)?;
    match mode {
        RenameTargetMode::Overwrite => std::fs::rename(from, to).map_err(failed("move into place", to))?,
        // A link fails if the name is taken, where a rename would replace what is there.
        RenameTargetMode::Create => {
            std::fs::hard_link(from, to).map_err(failed("move into place", to))?;
            std::fs::remove_file(from).map_err(failed("remove", from))?;
        }
    }
    Ok(())
}

/// Begins to force a file, if its bytes are not on disk yet, and its name to disk.
fn begin_to_settle(unsettled: &Unsettled, file: Option<File>, to: PathBuf) {
    let work = tokio::task::spawn_blocking(move || {
        if let Some(file) = file {
            file.sync_all().map_err(failed("force to disk", &to))?;
        }
        sync_folder(to.parent().expect("a file of ours lies in a folder"))
    });
    unsettled.lock().expect("no code that holds the list can panic").push(work);
}

fn put(mut staging: PathBuf, to: &FilePath, payload: &PutPayload, mode: RenameTargetMode) -> Result<File> {
    let mut file = create_staging(&mut staging)?;
    let written = (|| {
        payload.iter().try_for_each(|chunk| file.write_all(chunk)).map_err(failed("write", to))?;
        move_into_place(&staging, to, mode)
    })();
    if written.is_err() {
        // The first error is the one to tell; what is left in staging is swept.
        let _swept_later = std::fs::remove_file(&staging);
    }
    written.map(|()| file)
}

/// Runs what blocks on a thread that may block.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|source| Error::JoinError { source })?
}

fn done() -> PutResult {
    PutResult { e_tag: None, version: None }
}

#[async_trait]
impl ObjectStore for Files {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let mode = match options.mode {
            PutMode::Overwrite => RenameTargetMode::Overwrite,
            PutMode::Create => RenameTargetMode::Create,
            PutMode::Update(_) => {
                return Err(Error::NotImplemented {
                    operation: "put under the condition of an earlier version".to_owned(),
                    implementer: self.to_string(),
                });
            }
        };
        let (staging, to) = (self.staging_file(), self.file(location)?);
        let name = to.clone();
        let file = blocking(move || put(staging, &name, &payload, mode)).await?;
        begin_to_settle(&self.unsettled, Some(file), to);
        Ok(done())
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let (staging, to) = (self.staging_file(), self.file(location)?);
        let unsettled = self.unsettled.clone();
        let upload = blocking(move || upload::FileUpload::create(staging, to, unsettled)).await?;
        Ok(Box::new(upload))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(
        &self,
        location: &Path,
        ranges: &[std::ops::Range<u64>],
    ) -> Result<Vec<bytes::Bytes>> {
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let (from, to) = (self.file(from)?, self.file(to)?);
        let name = to.clone();
        blocking(move || move_into_place(&from, &name, options.target_mode)).await?;
        begin_to_settle(&self.unsettled, None, to);
        Ok(())
    }
}

#[async_trait]
impl Settle for Files {
    async fn settle(&self) -> Result<()> {
        // One after the other: what somebody else already waits for is not safe yet either.
        let mut doubt = self.doubt.lock().await;
        let works =
            std::mem::take(&mut *self.unsettled.lock().expect("no code that holds the list can panic"));
        let mut settled = Ok(());
        for work in works {
            let one = work.await.map_err(|source| Error::JoinError { source }).flatten();
            settled = settled.and(one);
        }
        if let Some(before) = doubt.as_deref() {
            let source = format!("an earlier file could not be forced to disk ({before}); start anew").into();
            return Err(Error::Generic { store: "files", source });
        }
        if let Err(error) = &settled {
            *doubt = Some(error.to_string());
        }
        settled
    }
}

impl fmt::Display for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "files below {}", self.root.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::{ObjectStoreExt, WriteMultipart};

    fn files() -> (tempfile::TempDir, Files) {
        let folder = tempfile::tempdir().unwrap();
        let files = Files::open(folder.path().join("a/b")).unwrap();
        (folder, files)
    }

    async fn text(files: &Files, key: &str) -> Option<Vec<u8>> {
        match files.get(&Path::from(key)).await {
            Ok(found) => Some(found.bytes().await.unwrap().to_vec()),
            Err(Error::NotFound { .. }) => None,
            Err(error) => panic!("{error}"),
        }
    }

    #[tokio::test]
    async fn a_put_replaces_and_a_create_does_not() {
        let (_folder, files) = files();
        let key = Path::parse("x/channel=a%2Fb/one").unwrap();
        files.put(&key, "1".into()).await.unwrap();
        files.put(&key, "2".into()).await.unwrap();
        let create = files.put_opts(&key, "3".into(), PutMode::Create.into()).await;
        assert!(matches!(create, Err(Error::AlreadyExists { .. })), "{create:?}");
        assert_eq!(files.get(&key).await.unwrap().bytes().await.unwrap(), "2");
        assert!(files.root.join("x/channel=a%2Fb/one").is_file(), "the file has the key's very name");
        assert_eq!(std::fs::read_dir(files.root.join(STAGING)).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn parts_arrive_in_order_and_are_seen_only_whole() {
        let (_folder, files) = files();
        let key = Path::from("big");
        let bytes: Vec<u8> = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut upload =
            WriteMultipart::new_with_chunk_size(files.put_multipart(&key).await.unwrap(), 10_000);
        upload.write(&bytes);
        assert_eq!(text(&files, "big").await, None);
        upload.finish().await.unwrap();
        assert_eq!(text(&files, "big").await.unwrap(), bytes);

        let mut upload = WriteMultipart::new(files.put_multipart(&key).await.unwrap());
        upload.write(b"other");
        upload.abort().await.unwrap();
        assert_eq!(text(&files, "big").await.unwrap(), bytes);
        assert_eq!(std::fs::read_dir(files.root.join(STAGING)).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn two_processes_do_not_write_into_one_upload() {
        let (_folder, files) = files();
        let beside = Files::open(&files.root).unwrap();
        let (one, two) = (Path::from("one"), Path::from("two"));
        let mut first = WriteMultipart::new(files.put_multipart(&one).await.unwrap());
        let mut second = WriteMultipart::new(beside.put_multipart(&two).await.unwrap());
        first.write(b"first");
        second.write(b"second");
        second.finish().await.unwrap();
        first.finish().await.unwrap();
        assert_eq!(text(&files, "one").await.unwrap(), b"first");
        assert_eq!(text(&files, "two").await.unwrap(), b"second");
    }

    #[tokio::test]
    async fn a_rename_makes_folders() {
        let (_folder, files) = files();
        files.put(&Path::from("a"), "1".into()).await.unwrap();
        files.rename(&Path::from("a"), &Path::from("b/c/d")).await.unwrap();
        assert_eq!(text(&files, "a").await, None);
        assert_eq!(text(&files, "b/c/d").await.unwrap(), b"1");
    }

    #[cfg(unix)]
    #[test]
    fn what_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let error = Files::open(folder.path().join("file/below")).unwrap_err();
        let mut words = error.to_string();
        let mut cause: &dyn std::error::Error = &error;
        while let Some(next) = cause.source() {
            words = format!("{words}: {next}");
            cause = next;
        }
        assert!(words.contains("cannot make the folder") && words.contains("/file"), "{words}");
    }
}
