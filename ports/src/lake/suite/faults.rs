//! A store that dies at its k-th call, for every k: whatever was told to have happened has, and a second run mends the rest.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use doxa_schema::Document;
use futures::stream::BoxStream;
use jiff::SignedDuration;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};

use super::{Stores, documents, keys, land, texts, window};
use crate::clock::SimulatedClock;
use crate::lake::{Error, Lake};
use crate::table::{self, Item, Key, Page, Query, Table, Version, Write};

/// How many calls are left before every call fails.
#[derive(Clone)]
struct Fuse(Arc<AtomicUsize>);

impl Fuse {
    fn burn(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    fn object_call(&self) -> Result<()> {
        if self.burn() {
            return Ok(());
        }
        Err(object_store::Error::Generic { store: "faults", source: "the store is dead".into() })
    }
}

/// What a run is to do: land bytes and replace a window twice.
async fn scenario(lake: &Lake) -> std::result::Result<(), Error> {
    let window = window("a/b@2026-11-21T01");
    for word in ["old", "new"] {
        let landed = land(lake, &window, b"bytes", 1).await?;
        let mut writer = lake.writer::<Document>(&window).await?;
        writer.write(doxa_schema::Record::batch(&documents(&window, word, 2))).await?;
        let staged = writer.finish(word).await?;
        lake.commit(vec![staged], lake.record(&landed)?).await?;
    }
    Ok(())
}

pub(super) async fn every_failing_call_leaves_the_lake_whole(
    open: &impl AsyncFn(Arc<SimulatedClock>) -> Stores,
    clock: &Arc<SimulatedClock>,
) {
    let window = window("a/b@2026-11-21T01");
    let mut undisturbed = None;
    // First a run that nothing disturbs, then one that dies at its first call, and so on.
    for calls in std::iter::once(usize::MAX).chain(0..) {
        let (objects, table) = open(clock.clone()).await;
        let fuse = Fuse(Arc::new(AtomicUsize::new(calls)));
        let dying = Lake::new(
            Arc::new(DyingObjects { inner: objects.clone(), fuse: fuse.clone() }),
            Arc::new(DyingTable { inner: table.clone(), fuse }),
            clock.clone(),
        );
        let outcome = scenario(&dying).await;
        let lake = Lake::new(objects, table, clock.clone());
        let seen = texts(&lake, &window).await;
        let words = [None, Some(documents(&window, "old", 2)), Some(documents(&window, "new", 2))];
        assert!(words.contains(&seen), "dead after {calls} calls: half a window is visible: {seen:?}");
        if outcome.is_ok() {
            assert_eq!(seen, words[2], "dead after {calls} calls: it was said to have happened");
        }
        lake.sweep(SignedDuration::ZERO).await.expect("a live lake can be swept");
        scenario(&lake).await.expect("a second run mends what the first left");
        let end = (texts(&lake, &window).await, keys(&lake).await);
        assert_eq!(*undisturbed.get_or_insert(end.clone()), end, "dead after {calls} calls");
        if outcome.is_ok() && calls != usize::MAX {
            return;
        }
    }
}

struct DyingTable {
    inner: Arc<dyn Table>,
    fuse: Fuse,
}

impl DyingTable {
    fn call(&self) -> std::result::Result<(), table::Error> {
        if self.fuse.burn() { Ok(()) } else { Err(table::Error::store("go on", "the store is dead")) }
    }
}

#[async_trait]
impl Table for DyingTable {
    async fn get(&self, key: &Key) -> std::result::Result<Option<Item>, table::Error> {
        self.call()?;
        self.inner.get(key).await
    }

    async fn query(&self, query: &Query) -> std::result::Result<Page, table::Error> {
        self.call()?;
        self.inner.query(query).await
    }

    async fn transact(&self, writes: Vec<Write>) -> std::result::Result<Vec<Option<Version>>, table::Error> {
        self.call()?;
        self.inner.transact(writes).await
    }
}

#[derive(Debug)]
struct DyingObjects {
    inner: Arc<dyn ObjectStore>,
    fuse: Fuse,
}

impl fmt::Debug for Fuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fuse({:?})", self.0)
    }
}

impl fmt::Display for DyingObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "dying {}", self.inner)
    }
}

#[async_trait]
impl ObjectStore for DyingObjects {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.fuse.object_call()?;
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.fuse.object_call()?;
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.fuse.object_call()?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.fuse.object_call()?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.fuse.object_call() {
            Ok(()) => self.inner.delete_stream(locations),
            Err(error) => Box::pin(futures::stream::once(async { Err(error) })),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.fuse.object_call()?;
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.fuse.object_call()?;
        self.inner.rename_opts(from, to, options).await
    }
}
