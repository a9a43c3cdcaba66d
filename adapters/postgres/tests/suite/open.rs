//! Opening a store: a new one, an old one, one that is not ours; and errors that name their place.

use std::time::Duration;

use doxa_ports::table::{Condition, Error, Key, Table};
use doxa_postgres::{Limits, OpenError, PostgresTable};
use doxa_testkit::postgres::Server;
use sqlx::{Connection, Executor, PgConnection};

use crate::{LIMITS, open, open_within, system_clock, told};

async fn plain(address: &str) -> PgConnection {
    PgConnection::connect(address).await.expect("the server takes connections")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_programs_open_a_new_store_at_once() {
    let address = Server::shared().database();
    let opened = (0..8).map(|_| {
        let address = address.clone();
        tokio::spawn(async move { open(&address, system_clock()).await })
    });
    for table in opened.collect::<Vec<_>>() {
        let table: PostgresTable = table.await.unwrap().unwrap();
        table.close().await;
    }
    let done = sqlx::query_scalar("SELECT name FROM doxa_migration ORDER BY number");
    let done: Vec<String> = done.fetch_all(&mut plain(&address).await).await.unwrap();
    assert_eq!(done, ["0001_item"]);
}

#[tokio::test]
async fn what_was_written_is_there_when_opened_again() {
    let address = Server::shared().database();
    let key = Key::new("p", "s");
    let first = open(&address, system_clock()).await.unwrap();
    let version = (&first as &dyn Table).put(key.clone(), &1, Condition::Absent).await.unwrap();
    first.close().await;
    let second = open(&address, system_clock()).await.unwrap();
    assert_eq!(second.get(&key).await.unwrap().unwrap().version, version);
}

#[tokio::test]
async fn a_store_that_is_not_ours_is_refused_and_left_alone() {
    let rows = [
        (
            "INSERT INTO doxa_migration (number, name, sha256) SELECT max(number) + 1, 'x', 'x' FROM doxa_migration",
            "was written by a newer Doxa: it has migration 2, this one knows 1",
        ),
        (
            "UPDATE doxa_migration SET sha256 = 'x' WHERE number = 1",
            "was made by another migration 1 than this Doxa has",
        ),
    ];
    for (sql, wanted) in rows {
        let address = Server::shared().database();
        drop(open(&address, system_clock()).await.unwrap());
        plain(&address).await.execute(sql).await.unwrap();
        let error = open(&address, system_clock()).await.err().unwrap();
        let place = address.split_once("host=").map(|(_, folder)| folder.to_owned());
        let text = told(&error);
        assert!(text.contains(wanted) && text.contains(&place.unwrap_or_default()), "{text}");
    }
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_behind() {
    let address = Server::shared().database();
    // Somebody else's table has the name of ours.
    plain(&address).await.execute("CREATE TABLE doxa_item (n integer)").await.unwrap();
    let error = open(&address, system_clock()).await.err().unwrap();
    assert!(matches!(error, OpenError::Failed { .. }), "{}", told(&error));
    let mut connection = plain(&address).await;
    let left = "SELECT count(*) FROM pg_class WHERE relname LIKE 'doxa%' AND relname <> 'doxa_item'";
    assert_eq!(sqlx::query_scalar::<_, i64>(left).fetch_one(&mut connection).await.unwrap(), 0);
    connection.execute("DROP TABLE doxa_item").await.unwrap();
    open(&address, system_clock()).await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_the_password() {
    // Port 1 is nobody's.
    let address = "postgres://doxa:hunter2@localhost:1/store";
    let error = open(address, system_clock()).await.err().unwrap();
    let text = told(&error);
    assert!(text.starts_with("cannot connect to PostgreSQL at `localhost:1/store`: "), "{text}");
    assert!(!text.contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[tokio::test]
async fn a_call_that_takes_too_long_is_given_up() {
    let address = Server::shared().database();
    let limits = Limits { answer: Duration::from_millis(100), ..LIMITS };
    let table = open_within(&address, limits, system_clock()).await.unwrap();
    let table: &dyn Table = &table;
    let key = Key::new("p", "s");
    let mut other = plain(&address).await;
    let mut blocking = other.begin().await.unwrap();
    blocking.execute("LOCK TABLE doxa_item IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let read = table.get(&key).await.map(drop);
    let written = table.put(key.clone(), &1, Condition::Any).await.map(drop);
    for outcome in [read, written] {
        let error = outcome.unwrap_err();
        assert!(matches!(error, Error::Store { .. }), "{error:?}");
        assert!(told(&error).contains("statement timeout"), "{}", told(&error));
    }
    blocking.rollback().await.unwrap();
    assert_eq!(table.get(&key).await.unwrap(), None, "what was given up was not done");
    table.put(key, &1, Condition::Absent).await.unwrap();
}
