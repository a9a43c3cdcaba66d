//! How a store comes to the form that this version writes: numbered scripts, each run once, and all that are missing in
//! one transaction.
//!
//! A script that was released is never changed; the store remembers the digest of what it was made by, and a difference is
//! an error, not a guess. Neither is a store touched that has a script which this program does not know. Programs that open
//! the same store at once go one after the other, under an advisory lock.

use sha2::{Digest, Sha256};
use sqlx::{PgConnection, PgPool};

use crate::{Address, OpenError};

/// In order; the number of a script is its place, from 1.
const SCRIPTS: &[(&str, &str)] = &[("0001_item", include_str!("../migrations/0001_item.sql"))];

/// The lock under which scripts are run.
const LOCK: i64 = i32::from_be_bytes(*b"Doxa") as i64;

const RECORD: &str = "CREATE TABLE doxa_migration (
    number integer PRIMARY KEY,
    name text NOT NULL,
    sha256 text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)";

/// Runs the scripts that the store has not seen.
///
/// After a crash: all of them were run and remembered, or none.
pub(crate) async fn apply(pool: &PgPool, address: &Address) -> Result<(), OpenError> {
    let failed = |cause| OpenError::Failed { place: address.place(), cause };
    let mut transaction = pool.begin().await.map_err(failed)?;
    let applied = applied(&mut transaction).await.map_err(failed)?;
    compare(address, &applied)?;
    for (place, (name, script)) in SCRIPTS.iter().enumerate().skip(applied.len()) {
        run(&mut transaction, place_to_number(place), name, script).await.map_err(failed)?;
    }
    transaction.commit().await.map_err(failed)
}

/// The digests of what the store was made by, in order. From here on to the end of the transaction, nobody else adds any.
async fn applied(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *connection).await?;
    // Asked first: who may use a store need not be allowed to make tables in it, not even ones that exist.
    let exists = sqlx::query_scalar("SELECT to_regclass('doxa_migration') IS NOT NULL");
    if !exists.fetch_one(&mut *connection).await? {
        sqlx::query(RECORD).execute(&mut *connection).await?;
    }
    sqlx::query_scalar("SELECT sha256 FROM doxa_migration ORDER BY number").fetch_all(connection).await
}

fn compare(address: &Address, applied: &[String]) -> Result<(), OpenError> {
    if applied.len() > SCRIPTS.len() {
        let (found, known) = (place_to_number(applied.len() - 1), place_to_number(SCRIPTS.len() - 1));
        return Err(OpenError::Newer { place: address.place(), found, known });
    }
    match applied.iter().zip(SCRIPTS).position(|(found, (_, script))| *found != digest(script)) {
        Some(place) => Err(OpenError::Changed { place: address.place(), number: place_to_number(place) }),
        None => Ok(()),
    }
}

async fn run(
    connection: &mut PgConnection,
    number: u32,
    name: &str,
    script: &'static str,
) -> Result<(), sqlx::Error> {
    // It takes as long as it takes.
    sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *connection).await?;
    sqlx::raw_sql(script).execute(&mut *connection).await?;
    let record = sqlx::query("INSERT INTO doxa_migration (number, name, sha256) VALUES ($1, $2, $3)");
    record.bind(number.cast_signed()).bind(name).bind(digest(script)).execute(connection).await?;
    Ok(())
}

fn place_to_number(place: usize) -> u32 {
    u32::try_from(place + 1).expect("there are few scripts")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_does_not_see_how_lines_end() {
        assert_eq!(digest("a\nb\n"), digest("a\r\nb\r\n"));
        assert_ne!(digest("a\nb\n"), digest("a\nc\n"));
    }

    #[test]
    fn released_scripts_are_as_released() {
        let digests: Vec<_> = SCRIPTS.iter().map(|(name, script)| (*name, digest(script))).collect();
        let released = [("0001_item", "9cfc2cefa93ebbc5965fb1de43b92c0df1af2194ca3c6dadd8b2502b0fb6cc59")];
        assert_eq!(digests, released.map(|(name, digest)| (name, digest.to_owned())));
    }
}
