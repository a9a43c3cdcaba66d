//! The conformance suites of the ports, with two programs on one store that take turns.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use doxa_ports::clock::Clock;
use doxa_ports::table::{Error, Item, Key, Page, Query, Table, Version, Write};
use doxa_ports::{queue, table};
use doxa_postgres::PostgresTable;
use doxa_testkit::postgres::Server;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

/// Each call goes to the other one: what one has written, the other must see.
struct InTurn {
    programs: [PostgresTable; 2],
    calls: AtomicUsize,
}

impl InTurn {
    /// On a schema of its own, which is made more quickly than a database.
    async fn open(database: &str, clock: Arc<dyn Clock>) -> Self {
        static SCHEMAS: AtomicUsize = AtomicUsize::new(0);
        let schema = format!("trial_{}", SCHEMAS.fetch_add(1, Ordering::Relaxed));
        let create = AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
        let mut connection = PgConnection::connect(database).await.expect("the server takes connections");
        connection.execute(create).await.expect("there is no such schema yet");
        let address = format!("{database}&options[search_path]={schema}");
        let open = async || crate::open(&address, clock.clone()).await.expect("a new schema can be opened");
        Self { programs: [open().await, open().await], calls: AtomicUsize::new(0) }
    }

    fn next(&self) -> &PostgresTable {
        &self.programs[self.calls.fetch_add(1, Ordering::Relaxed) % 2]
    }
}

#[async_trait]
impl Table for InTurn {
    async fn get(&self, key: &Key) -> Result<Option<Item>, Error> {
        self.next().get(key).await
    }

    async fn query(&self, query: &Query) -> Result<Page, Error> {
        self.next().query(query).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<Vec<Option<Version>>, Error> {
        self.next().transact(writes).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_table_keeps_every_promise() {
    let database = Server::shared().database();
    table::suite::run(async |clock| InTurn::open(&database, clock).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_queue_keeps_every_promise() {
    let database = Server::shared().database();
    queue::suite::run(async |clock| InTurn::open(&database, clock).await).await;
}
