//! How the store came to be: numbered migrations, each done once, and all that are missing in one transaction.
//!
//! What was done stands in the table `doxa_migration`, with the checksum of the text that did it. A store that is newer
//! than the program, or that came about in another way, is refused before anything is written to it. Programs that open
//! the same store at the same time go one after the other, for they take an advisory lock.

use doxa_schema::Sha256;
use sha2::Digest;
use sqlx::{PgConnection, PgPool};

use crate::{Address, OpenError};

/// The migrations, the first to format 1.
const MIGRATIONS: &[&str] = &[include_str!("../migrations/0001_items.sql")];

/// The lock under which the store is brought up to date: "doxa" in ASCII.
const LOCK: i64 = 0x646f_7861;

/// The format that this program's stores have.
#[must_use]
pub fn format() -> u32 {
    number(MIGRATIONS.len())
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("nobody writes so many migrations")
}

fn checksum(migration: &str) -> String {
    Sha256(sha2::Sha256::digest(migration).into()).to_string()
}

/// Does the migrations that are missing.
///
/// After a crash: all of them were done, or none.
pub(crate) async fn bring_up_to_date(pool: &PgPool, address: &Address) -> Result<(), OpenError> {
    let failed = |format| move |cause| OpenError::Migrate { place: address.place(), format, cause };
    let mut transaction = pool.begin().await.map_err(failed(format()))?;
    let done = done(&mut transaction).await.map_err(failed(format()))?;
    check(&done, address)?;
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(done.len()) {
        let format = number(index + 1);
        apply(&mut transaction, format, migration).await.map_err(failed(format))?;
    }
    transaction.commit().await.map_err(failed(format()))
}

/// The checksums of the migrations that were done, in order; from here on, nobody else does any.
async fn done(connection: &mut PgConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *connection).await?;
    // Asked first: who may only use a store may not be allowed to make tables, not even ones that exist.
    let exists = "SELECT to_regclass('doxa_migration') IS NOT NULL";
    if !sqlx::query_scalar::<_, bool>(exists).fetch_one(&mut *connection).await? {
        let create = "CREATE TABLE doxa_migration (
            format integer PRIMARY KEY,
            checksum text NOT NULL,
            done_at timestamptz NOT NULL DEFAULT now()
        )";
        sqlx::query(create).execute(&mut *connection).await?;
    }
    sqlx::query_scalar("SELECT checksum FROM doxa_migration ORDER BY format").fetch_all(connection).await
}

fn check(done: &[String], address: &Address) -> Result<(), OpenError> {
    if done.len() > MIGRATIONS.len() {
        return Err(OpenError::Newer { place: address.place(), found: number(done.len()), known: format() });
    }
    match done.iter().zip(MIGRATIONS).position(|(done, migration)| *done != checksum(migration)) {
        Some(index) => Err(OpenError::Changed { place: address.place(), format: number(index + 1) }),
        None => Ok(()),
    }
}

async fn apply(
    connection: &mut PgConnection,
    format: u32,
    migration: &'static str,
) -> Result<(), sqlx::Error> {
    // Takes as long as it takes.
    sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut *connection).await?;
    sqlx::raw_sql(migration).execute(&mut *connection).await?;
    let insert = "INSERT INTO doxa_migration (format, checksum) VALUES ($1, $2)";
    let format = i32::try_from(format).expect("nobody writes so many migrations");
    sqlx::query(insert).bind(format).bind(checksum(migration)).execute(connection).await?;
    Ok(())
}
