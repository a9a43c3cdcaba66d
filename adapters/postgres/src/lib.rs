//! The table on a PostgreSQL server, for whoever has one or needs several machines.
//!
//! A [`PostgresTable`] is opened on an [`Address`], brings the store to the form that this version writes and keeps a pool of
//! connections. If the server goes away, calls fail with [`Error::Store`] until it is back; there is nothing to reopen.
//!
//! # Why a transaction is right
//!
//! A transaction is one call of the function `doxa_transact` (`migrations/0001_item.sql`), and so one round trip and one
//! flush to disk. The function takes an advisory lock on every key that it is about to look at or to write, in the order
//! of the locks; then looks whether the conditions hold; then writes; and the locks are released once its commit is
//! there for all to see.
//!
//! - Two transactions that share a key share a lock, so the second looks only after the first is done: the isolation is
//!   *read committed*, under which every statement of the function sees all that was committed before it began. Their
//!   conditions are about their own keys only, so nothing that matters can change behind their backs. (Two keys whose
//!   locks happen to be the same wait for each other without need, and that is all.)
//! - Also a key at which nothing stands yet has its lock. Row locks could not do that, and two transactions that each
//!   check for the absence of what the other puts would both succeed.
//! - All take their locks in the same order, so they cannot wait for each other in a circle.
//! - A reader asks in one statement, which sees all of a transaction or nothing of it.
//!
//! Each transaction clears away some of what has expired, and waits for nobody over it.
//!
//! Isolation level *serializable* would be right too, with the conditions alone and no locks. It works by refusing: it
//! tracks reads by the page of an index, where the first messages of a queue are neighbours, and consumers that never
//! touched the same message would fail each other again and again. Locks of the right size need no second try.
//!
//! # What is true after a crash
//!
//! A call that returned `Ok` was flushed to disk, for every connection insists on `synchronous_commit`. A server that is
//! run with `fsync = off` has been told to lie, and cannot be helped.

mod connect;
mod migrations;
mod read;
mod transact;

use std::sync::Arc;

use async_trait::async_trait;
use doxa_ports::clock::Clock;
use doxa_ports::table::{
    Error, Item, Key, Page, Query, Table, Version, Write, check_key, check_query, check_writes,
};
use sqlx::{PgConnection, PgPool};

pub use connect::{Address, AddressError, Limits, OpenError};

use transact::Batch;

/// What went wrong with the server.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("PostgreSQL at `{place}` failed")]
    Failed {
        place: String,
        #[source]
        cause: sqlx::Error,
    },
    #[error("PostgreSQL at `{place}` did not answer within {secs} s")]
    Silent { place: String, secs: f64 },
}

/// A table on a PostgreSQL server.
pub struct PostgresTable {
    pool: PgPool,
    address: Address,
    limits: Limits,
    clock: Arc<dyn Clock>,
}

impl PostgresTable {
    /// Connects, and makes the store what this program expects. Items expire by the clock.
    ///
    /// After a crash: the store is as it was, or up to date.
    ///
    /// # Errors
    /// If the server cannot be reached, or the store is not one that this program can use.
    pub async fn open(address: Address, limits: Limits, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let pool = connect::pool(&address, &limits).await?;
        migrations::apply(&pool, &address).await?;
        Ok(Self { pool, address, limits, clock })
    }

    /// Closes the connections, once the calls in progress are done with them. Later calls fail.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// Waits for an answer, but not for ever: not every server that goes away says so.
    async fn ask<T>(
        &self,
        attempt: &'static str,
        question: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, Error> {
        let place = || self.address.place();
        let failed = |cause| Error::store(attempt, Failure::Failed { place: place(), cause });
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        // By then the server itself has given up, if it still works.
        let patience = self.limits.answer * 2;
        if let Ok(answer) = tokio::time::timeout(patience, question(&mut connection)).await {
            return answer.map_err(failed);
        }
        // An answer that still came would be taken for that to the next question.
        drop(connection.detach());
        Err(Error::store(attempt, Failure::Silent { place: place(), secs: patience.as_secs_f64() }))
    }
}

#[async_trait]
impl Table for PostgresTable {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Error> {
        check_key(key)?;
        let moment = transact::whole_micros(self.clock.now());
        let row = self.ask("get an item", async |c| read::one(c, key, moment).await).await?;
        row.map(|row| read::item(&key.partition, row)).transpose()
    }

    async fn query(&self, query: &Query) -> Result<Page, Error> {
        check_query(query)?;
        let moment = transact::whole_micros(self.clock.now());
        let rows = self.ask("query a partition", async |c| read::some(c, query, moment).await).await?;
        read::page(query, rows)
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Option<Version>>, Error> {
        check_writes(&writes)?;
        let batch = Batch::of(&writes)?;
        let moment = transact::whole_micros(self.clock.now());
        let outcome = self.ask("write a transaction", async |c| batch.write(c, moment).await).await?;
        outcome.map_err(|index| {
            let write = &writes[index];
            Error::Conflict { index, key: write.key().clone(), condition: write.condition() }
        })
    }
}
