//! Where the server is, how it is spoken to, and for how long it is waited for.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use doxa_ports::secrets::Secret;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgPool};

/// For how long a connection may have been idle and is still believed to work: asking costs a round trip.
const FRESH: Duration = Duration::from_millis(100);

/// Where a database is, and who we are to it. It shows its place, never the password.
#[derive(Clone)]
pub struct Address(PgConnectOptions);

/// A text is no address of a PostgreSQL database. The text is not repeated: it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the address of a PostgreSQL database is of the form postgres://user:password@host:port/database")]
pub struct AddressError;

impl Address {
    /// Reads an address of the form `postgres://user:password@host:port/database`, and touches nothing.
    ///
    /// # Errors
    /// If it is not of that form.
    pub fn parse(text: &Secret) -> Result<Self, AddressError> {
        let text = text.expose();
        let ours = text.starts_with("postgres://") || text.starts_with("postgresql://");
        let options = PgConnectOptions::from_str(text).map_err(|_may_quote_it| AddressError)?;
        if ours { Ok(Self(options)) } else { Err(AddressError) }
    }

    /// The server and the database, as errors name them.
    #[must_use]
    pub fn place(&self) -> String {
        let host = match self.0.get_socket() {
            Some(folder) => folder.display().to_string(),
            None => format!("{}:{}", self.0.get_host(), self.0.get_port()),
        };
        // A server that is told no database opens the one that is called like the user.
        format!("{host}/{}", self.0.get_database().unwrap_or(self.0.get_username()))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.place())
    }
}

/// How much of the server is used, and for how long it is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most connections at a time.
    pub connections: u32,
    /// How long to wait for a connection, be it a new one or one that is in use.
    pub connect: Duration,
    /// How long the server may work on an answer. If it has not even given up after twice as long, it is gone.
    pub answer: Duration,
}

impl Limits {
    /// What suits a program that does not know better.
    pub const DEFAULT: Self =
        Self { connections: 8, connect: Duration::from_secs(10), answer: Duration::from_secs(30) };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Why a store could not be opened. It is as it was.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It was written by a newer version.
    #[error("`{place}` was written by a newer Doxa: it has migration {found}, this one knows {known}")]
    Newer {
        /// The server and the database.
        place: String,
        /// The number of its last migration.
        found: u32,
        /// The number of the last that this program has.
        known: u32,
    },
    /// It was made by a migration that was never released.
    #[error(
        "`{place}` was made by another migration {number} than this Doxa has: it is of an unreleased build"
    )]
    Changed {
        /// The server and the database.
        place: String,
        /// The number of the migration.
        number: u32,
    },
    /// The server did not take the connection.
    #[error("cannot connect to PostgreSQL at `{place}`")]
    Unreachable {
        /// The server and the database.
        place: String,
        /// What the server or the network said.
        #[source]
        cause: sqlx::Error,
    },
    /// A migration failed.
    #[error("cannot open `{place}`")]
    Failed {
        /// The server and the database.
        place: String,
        /// What the server said.
        #[source]
        cause: sqlx::Error,
    },
}

/// What is asked of the server for every connection, whatever its own settings are.
fn demands(limits: &Limits) -> [(&'static str, String); 9] {
    let off = |name| (name, "off".to_owned());
    [
        ("synchronous_commit", "on".to_owned()),
        ("default_transaction_isolation", "read committed".to_owned()),
        ("statement_timeout", format!("{}ms", limits.answer.as_millis())),
        // Every item is found by its key, and each statement has one good plan. Left alone, the server plans anew for
        // each call, and one day chooses a scan because the table was small when it was last looked at.
        ("plan_cache_mode", "force_generic_plan".to_owned()),
        off("enable_seqscan"),
        off("enable_bitmapscan"),
        off("enable_hashjoin"),
        off("enable_mergejoin"),
        // Compiling a statement takes longer than any of ours runs.
        off("jit"),
    ]
}

/// A pool that is known to have a working connection.
pub(crate) async fn pool(address: &Address, limits: &Limits) -> Result<PgPool, OpenError> {
    let options = address.0.clone().application_name("doxa").options(demands(limits));
    let pool = PgPoolOptions::new()
        .max_connections(limits.connections)
        .acquire_timeout(limits.connect)
        .test_before_acquire(false)
        .before_acquire(|connection, about| {
            Box::pin(async move {
                if about.idle_for > FRESH {
                    connection.ping().await?;
                }
                Ok(true)
            })
        });
    let connected = pool.connect_with(options).await;
    connected.map_err(|cause| OpenError::Unreachable { place: address.place(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_its_place_and_never_the_password() {
        let rows = [
            ("postgres://doxa:hunter2@db.example:6432/store", "db.example:6432/store"),
            ("postgresql://doxa:hunter2@db.example:5432/store?sslmode=require", "db.example:5432/store"),
            ("postgres://doxa@localhost:5432/store?host=/run/pg&password=hunter2", "/run/pg/store"),
            ("postgres://doxa:hunter2@db.example:5432", "db.example:5432/doxa"),
        ];
        for (text, place) in rows {
            let address = Address::parse(&Secret::new(text)).unwrap();
            assert_eq!(address.place(), place);
            assert_eq!(format!("{address:?}"), format!("Address({place})"));
        }
    }

    #[test]
    fn what_is_no_address_is_refused_and_not_repeated() {
        let rows = [
            "",
            "hunter2",
            "mysql://doxa:hunter2@db/store",
            "postgres://doxa:hunter2@db:port/store",
            "postgres",
        ];
        for text in rows {
            let error = Address::parse(&Secret::new(text)).unwrap_err();
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
