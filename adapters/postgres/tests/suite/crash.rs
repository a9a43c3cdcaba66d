//! A server that is killed under load, and comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use doxa_ports::table::{Condition, Error, Key, Query, Table, Version, Write};
use doxa_postgres::{Limits, PostgresTable};
use doxa_testkit::postgres::Server;
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::{LIMITS, open_within, system_clock, told};

const WRITERS: u64 = 8;
/// After so many acknowledged writes the server is killed.
const ENOUGH: u64 = 300;

/// How far a writer got: the last round that was acknowledged, and what ended it.
struct End {
    writer: u64,
    acknowledged: u64,
    version: Option<Version>,
    error: Error,
}

fn keys(writer: u64) -> [Key; 2] {
    ["left", "right"].map(|side| Key::new("crash", format!("{writer} {side}")))
}

/// Puts the number of the round at two keys in one transaction, over and over, until it fails.
async fn write(table: Arc<PostgresTable>, writer: u64, count: Arc<AtomicU64>, enough: Arc<Notify>) -> End {
    let (mut acknowledged, mut version) = (0, None);
    loop {
        let condition = version.map_or(Condition::Absent, Condition::Version);
        let [left, right] = keys(writer);
        let round = acknowledged + 1;
        let put = |key, condition| Write::put(key, &round, condition).expect("a number is JSON");
        match table.transact(vec![put(left, condition), put(right, Condition::Any)]).await {
            Ok(versions) => (acknowledged, version) = (round, versions[0]),
            Err(error) => return End { writer, acknowledged, version, error },
        }
        if count.fetch_add(1, Ordering::Relaxed) + 1 == ENOUGH {
            enough.notify_one();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_acknowledged_write_is_lost_when_the_server_is_killed() {
    let server = Server::start();
    // As long as a server is away, each call waits for a connection until it has had enough.
    let limits = Limits { connect: Duration::from_secs(2), ..LIMITS };
    let table = Arc::new(open_within(&server.database(), limits, system_clock()).await.unwrap());
    for crash in 1..=3 {
        let (count, enough) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()));
        let writers =
            (0..WRITERS).map(|n| write(table.clone(), crash * WRITERS + n, count.clone(), enough.clone()));
        let writers: JoinSet<_> = writers.collect();
        enough.notified().await;
        server.crash();
        let ends = writers.join_all().await;
        let gone = table.get(&keys(0)[0]).await.unwrap_err();
        assert!(matches!(gone, Error::Store { .. }), "{gone:?}");
        assert!(told(&gone).contains("PostgreSQL at `"), "{}", told(&gone));

        server.restart();
        recover(&*table).await;
        for end in ends {
            check(&*table, end).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_falls_silent_is_not_waited_for_for_ever() {
    let server = Server::start();
    let patience = Duration::from_secs(1);
    let limits = Limits { connect: patience * 2, answer: patience, connections: 2 };
    let table = open_within(&server.database(), limits, system_clock()).await.unwrap();
    let table: &dyn Table = &table;
    let key = Key::new("p", "s");
    let version = table.put(key.clone(), &1, Condition::Absent).await.unwrap();
    server.freeze();
    for _ in 0..2 {
        let error = table.put(key.clone(), &2, Condition::Version(version)).await.unwrap_err();
        assert!(matches!(error, Error::Store { .. }), "{}", told(&error));
    }
    server.thaw();
    recover(table).await;
    // A put that nobody answered may have been done all the same, but not twice.
    match table.put(key.clone(), &3, Condition::Version(version)).await {
        Ok(_) => assert_eq!(table.get(&key).await.unwrap().unwrap().value, json!(3)),
        Err(Error::Conflict { .. }) => assert_eq!(table.get(&key).await.unwrap().unwrap().value, json!(2)),
        Err(error) => panic!("{}", told(&error)),
    }
}

/// The same table, opened before the crash, works again: at most once does each of its connections find itself dead.
async fn recover(table: &dyn Table) {
    for _ in 0..LIMITS.connections {
        match table.query(&Query::all("crash")).await {
            Ok(_) => return,
            Err(error) => assert!(matches!(error, Error::Store { .. }), "{error:?}"),
        }
    }
    table.query(&Query::all("crash")).await.expect("every dead connection has been replaced");
}

async fn check(table: &dyn Table, end: End) {
    let End { writer, acknowledged, version, error } = end;
    assert!(matches!(error, Error::Store { .. }), "{error:?}");
    let mut rounds = Vec::new();
    for key in keys(writer) {
        rounds.push(
            table.get(&key).await.expect("the table has recovered").map_or(json!(0), |item| item.value),
        );
    }
    assert_eq!(rounds[0], rounds[1], "writer {writer}: half of a transaction");
    // The last one, which got no answer, may have been done.
    let perhaps = [json!(acknowledged), json!(acknowledged + 1)];
    assert!(
        perhaps.contains(&rounds[0]),
        "writer {writer}: {} is there, {acknowledged} was acknowledged",
        rounds[0]
    );
    if rounds[0] == perhaps[0]
        && let Some(version) = version
    {
        let [left, _] = keys(writer);
        let put = table.put(left, &"goes on", Condition::Version(version)).await;
        put.expect("the writer goes on where it was");
    }
}
