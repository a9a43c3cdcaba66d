//! A table in which others act at the worst moment: between a look and what follows from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures::future::BoxFuture;

use crate::queue;
use crate::table::{Error, Item, Key, Page, Query, Table, Version, Write};

/// What others do after the look of this number, counted from 1.
pub(super) type Meddle = Box<dyn Fn(usize) -> BoxFuture<'static, Result<(), queue::Error>> + Send + Sync>;

/// The table, and who meddles with it whenever a look has found something.
pub(super) struct Meddled {
    table: Arc<dyn Table>,
    meddle: Meddle,
    looks: AtomicUsize,
}

impl Meddled {
    pub(super) fn new(table: Arc<dyn Table>, meddle: Meddle) -> Arc<Self> {
        Arc::new(Self { table, meddle, looks: AtomicUsize::new(0) })
    }

    /// How many looks have found something.
    pub(super) fn looks(&self) -> usize {
        self.looks.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Table for Meddled {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Error> {
        self.table.get(key).await
    }

    async fn query(&self, query: &Query) -> Result<Page, Error> {
        let page = self.table.query(query).await?;
        if !page.items.is_empty() {
            let look = self.looks.fetch_add(1, Ordering::Relaxed) + 1;
            (self.meddle)(look).await.map_err(|cause| Error::store("let others meddle", cause))?;
        }
        Ok(page)
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Option<Version>>, Error> {
        self.table.transact(writes).await
    }
}
