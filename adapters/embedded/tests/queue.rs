//! The queue in a file: the same promises as in memory.

#![allow(clippy::unwrap_used, reason = "all of it is a test")]

use std::sync::atomic::{AtomicUsize, Ordering};

use doxa_embedded::SqliteTable;
use doxa_ports::queue::suite;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_queue_keeps_every_promise() {
    let folder = tempfile::tempdir().unwrap();
    let count = AtomicUsize::new(0);
    suite::run(async |clock| {
        let count = count.fetch_add(1, Ordering::Relaxed);
        SqliteTable::open(folder.path().join(format!("{count}.sqlite")), clock).unwrap()
    })
    .await;
}
