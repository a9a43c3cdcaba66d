//! The lake of a machine of its own: files below a folder, and SQLite for what is true of them.

#![allow(clippy::unwrap_used, reason = "all of it is a test")]

use std::sync::Arc;

use doxa_embedded::{Files, SqliteTable};
use doxa_ports::lake::suite::{self, Stores};
use doxa_ports::table::Table;
use object_store::ObjectStore;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_and_sqlite_make_a_lake() {
    let folder = tempfile::tempdir().unwrap();
    let count = std::sync::atomic::AtomicUsize::new(0);
    suite::run(async |clock| -> Stores {
        let count = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let room = folder.path().join(count.to_string());
        let objects: Arc<dyn ObjectStore> = Arc::new(Files::open(room.join("objects")).unwrap());
        let table: Arc<dyn Table> = Arc::new(SqliteTable::open(room.join("table.sqlite"), clock).unwrap());
        (objects, table)
    })
    .await;
}
