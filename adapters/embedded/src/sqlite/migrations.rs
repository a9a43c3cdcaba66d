//! How a file comes to the form that this version writes: numbered scripts, each run once and in one transaction.
//!
//! A script that was released is never changed; the file remembers the digest of what it was made by, and a difference is
//! an error, not a guess. Neither is a file touched that has a script which this program does not know.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use sha2::{Digest, Sha256};

use super::OpenError;
use super::fault::Fault;

/// In order; the number of a script is its place, from 1.
const SCRIPTS: &[(&str, &str)] = &[("0001_item", include_str!("../../migrations/0001_item.sql"))];

/// SQLite's mark of whose file it is.
const APPLICATION: i32 = i32::from_be_bytes(*b"Doxa");

const RECORD: &str = "CREATE TABLE IF NOT EXISTS migration (
    number     INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    sha256     TEXT    NOT NULL,
    applied_at TEXT    NOT NULL
) STRICT";

/// Refuses a file that is not one of this version's or an earlier one's, or empty. Writes nothing.
pub(super) fn check(path: &Arc<Path>, connection: &Connection) -> Result<(), OpenError> {
    let told = |cause: rusqlite::Error| match cause.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => OpenError::Foreign { path: path.to_path_buf() },
        _ => failed(path, cause),
    };
    if is_empty(connection).map_err(told)? {
        return Ok(());
    }
    let application: i32 =
        connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(told)?;
    if application != APPLICATION {
        return Err(OpenError::Foreign { path: path.to_path_buf() });
    }
    compare(path, &applied(connection).map_err(told)?, SCRIPTS)
}

/// Runs the scripts that the file has not seen.
///
/// After a crash: each script was run in whole and remembered, or neither.
pub(super) fn apply(path: &Arc<Path>, connection: &mut Connection, now: Timestamp) -> Result<(), OpenError> {
    apply_all(path, connection, now, SCRIPTS)
}

fn apply_all(
    path: &Arc<Path>,
    connection: &mut Connection,
    now: Timestamp,
    scripts: &[(&str, &str)],
) -> Result<(), OpenError> {
    // Another process may be at it too: what is left to do is looked up before each, under the lock.
    while let Some(number) = run_next(connection, now, scripts).map_err(|cause| failed(path, cause))? {
        tracing::info!(path = %path.display(), number, "migrated the table");
    }
    let applied = applied(connection).map_err(|cause| failed(path, cause))?;
    compare(path, &applied, scripts)
}

/// The number of the script that was run, if one was left.
fn run_next(
    connection: &mut Connection,
    now: Timestamp,
    scripts: &[(&str, &str)],
) -> rusqlite::Result<Option<u32>> {
    if !is_empty(connection)? && applied(connection)?.len() >= scripts.len() {
        return Ok(None);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute(RECORD, [])?;
    let done = applied(&transaction)?.len();
    let Some((name, script)) = scripts.get(done) else { return Ok(None) };
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.execute_batch(script)?;
    let number = place_to_number(done);
    let record = "INSERT INTO migration (number, name, sha256, applied_at) VALUES (?1, ?2, ?3, ?4)";
    transaction.execute(record, (number, name, digest(script), now.to_string()))?;
    transaction.commit()?;
    Ok(Some(number))
}

fn place_to_number(place: usize) -> u32 {
    u32::try_from(place + 1).expect("there are few scripts")
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    let first = connection.query_row("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(()));
    Ok(first.optional()?.is_none())
}

/// The numbers and digests of what the file was made by.
fn applied(connection: &Connection) -> rusqlite::Result<Vec<(u32, String)>> {
    let mut statement = connection.prepare("SELECT number, sha256 FROM migration ORDER BY number")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn compare(path: &Path, applied: &[(u32, String)], scripts: &[(&str, &str)]) -> Result<(), OpenError> {
    for (place, (number, found)) in applied.iter().enumerate() {
        let path = path.to_owned();
        match scripts.get(place) {
            Some((_, script)) if *found == digest(script) => {}
            Some(_) => return Err(OpenError::Changed { path, number: *number }),
            None => {
                let (found, known) = (place_to_number(applied.len() - 1), place_to_number(place) - 1);
                return Err(OpenError::Newer { path, found, known });
            }
        }
    }
    Ok(())
}

/// Of the lines, so that it does not matter how a checkout ends them.
fn digest(script: &str) -> String {
    let mut hash = Sha256::new();
    for line in script.lines() {
        hash.update(line);
        hash.update("\n");
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn failed(path: &Arc<Path>, cause: rusqlite::Error) -> OpenError {
    OpenError::Failed { path: path.to_path_buf(), cause: Fault::of(path, cause).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "CREATE TABLE one (a TEXT) STRICT;";
    const TWO: &str = "CREATE TABLE two (a TEXT) STRICT; INSERT INTO two VALUES ('x');";

    fn names(connection: &Connection) -> Vec<String> {
        let mut statement = connection.prepare("SELECT name FROM sqlite_schema ORDER BY name").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    fn apply(connection: &mut Connection, scripts: &[(&str, &str)]) -> Result<(), OpenError> {
        apply_all(&Path::new("t.db").into(), connection, Timestamp::UNIX_EPOCH, scripts)
    }

    #[test]
    fn each_script_is_run_once_and_in_order() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &[("0001_one", ONE)]).unwrap();
        assert_eq!(names(&connection), ["migration", "one"]);
        let both = [("0001_one", ONE), ("0002_two", TWO)];
        for _ in 0..2 {
            apply(&mut connection, &both).unwrap();
            let rows: u32 = connection.query_row("SELECT count(*) FROM two", [], |row| row.get(0)).unwrap();
            assert_eq!(rows, 1);
        }
        let record = "SELECT name || ' ' || applied_at FROM migration WHERE number = 2";
        let record: String = connection.query_row(record, [], |row| row.get(0)).unwrap();
        assert_eq!(record, "0002_two 1970-01-01T00:00:00Z");
    }

    #[test]
    fn a_script_that_fails_leaves_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        let broken =
            [("0001_one", ONE), ("0002_two", "CREATE TABLE two (a TEXT); INSERT INTO three VALUES (1);")];
        assert!(matches!(apply(&mut connection, &broken), Err(OpenError::Failed { .. })));
        assert_eq!(names(&connection), ["migration", "one"]);
        apply(&mut connection, &[("0001_one", ONE), ("0002_two", TWO)]).unwrap();
        assert_eq!(names(&connection), ["migration", "one", "two"]);
    }

    #[test]
    fn another_past_and_a_later_one_are_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &[("0001_one", ONE), ("0002_two", TWO)]).unwrap();
        let refused = apply(&mut connection, &[("0001_one", TWO), ("0002_two", TWO)]).unwrap_err();
        assert!(matches!(refused, OpenError::Changed { number: 1, .. }), "{refused}");
        let refused = apply(&mut connection, &[("0001_one", ONE)]).unwrap_err();
        assert!(matches!(refused, OpenError::Newer { found: 2, known: 1, .. }), "{refused}");
    }

    #[test]
    fn a_digest_does_not_see_how_lines_end() {
        assert_eq!(digest("a\nb\n"), digest("a\r\nb\r\n"));
        assert_ne!(digest("a\nb\n"), digest("a\nc\n"));
    }

    #[test]
    fn released_scripts_are_as_released() {
        let digests: Vec<_> = SCRIPTS.iter().map(|(name, script)| (*name, digest(script))).collect();
        let released = [("0001_item", "199670e28d5e9f1c3ee198c77ac027eed22d0934ddea1c4f9acadb6b4f34ced9")];
        assert_eq!(digests, released.map(|(name, digest)| (name, digest.to_owned())));
    }
}
