//! The few connections that read, each a statement at a time: every statement sees one state of the table.

use std::ops::Bound;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use doxa_ports::clock::Clock;
use doxa_ports::table::{Direction, Error, Item, Key, Page, Query, Version, expiry_from_micros};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, ToSql};
use tokio::sync::Semaphore;

use super::fault::{self, Fault};

/// How many read at once. More would wait for the disk or for a core all the same.
const READERS: usize = 4;
const READ: &str = "read";

const GET: &str = "SELECT version, expires_at, value, sort FROM item
    WHERE partition = ?1 AND sort = ?2 AND (expires_at IS NULL OR expires_at > ?3)";

pub(super) struct Readers {
    path: Arc<Path>,
    clock: Arc<dyn Clock>,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
}

/// An item as it lies in the file.
struct Stored {
    sort: String,
    version: i64,
    expires_at: Option<i64>,
    text: String,
}

impl Readers {
    pub(super) fn new(path: Arc<Path>, clock: Arc<dyn Clock>) -> Self {
        Self { path, clock, permits: Arc::new(Semaphore::new(READERS)), idle: Mutex::default() }
    }

    /// Lets go of the file, as soon as what is being read is read.
    pub(super) fn close(&self) {
        self.permits.close();
        self.lock().clear();
    }

    pub(super) async fn get(self: &Arc<Self>, key: &Key) -> Result<Option<Item>, Error> {
        let key = key.clone();
        self.read(move |connection, now| {
            let mut statement = connection.prepare_cached(GET)?;
            let stored = statement.query_row((&key.partition, &key.sort, now), Stored::of).optional()?;
            Ok(stored.map(|stored| stored.into_item(&key.partition)).transpose())
        })
        .await?
    }

    pub(super) async fn query(self: &Arc<Self>, query: &Query) -> Result<Page, Error> {
        let query = query.clone();
        self.read(move |connection, now| Ok(page(&query, select(connection, &query, now)?))).await?
    }

    /// Runs a question where it may wait for the disk.
    async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        question: impl FnOnce(&Connection, i64) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let gone = || Error::store(READ, Fault::Gone { path: self.path.clone() });
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| gone())?;
        let readers = self.clone();
        let answer = tokio::task::spawn_blocking(move || {
            let answer = readers.answer(question);
            drop(permit);
            answer
        });
        let answer = answer.await.map_err(|cause| Error::store(READ, cause))?;
        answer.map_err(|cause| Error::store(READ, Fault::of(&self.path, cause)))
    }

    fn answer<T>(
        &self,
        question: impl FnOnce(&Connection, i64) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let idle = self.lock().pop();
        let connection = idle.map_or_else(|| open_to_read(&self.path), Ok)?;
        let answer = question(&connection, self.clock.now().as_microsecond())?;
        // One that failed is not used again.
        if !self.permits.is_closed() {
            self.lock().push(connection);
        }
        Ok(answer)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().expect("no code that holds the connections can panic")
    }
}

fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(fault::PATIENCE)?;
    Ok(connection)
}

/// What a query finds, and one more, which tells that there is a next page.
fn select(connection: &Connection, query: &Query, now: i64) -> rusqlite::Result<Vec<Stored>> {
    let (from, to) = query.bounds();
    let limit = i64::try_from(query.limit + 1).expect("a page was checked to be small");
    let mut sql = "SELECT version, expires_at, value, sort FROM item
        WHERE partition = ? AND (expires_at IS NULL OR expires_at > ?)"
        .to_owned();
    let mut values: Vec<&dyn ToSql> = vec![&query.partition, &now];
    let sides = [(&from, " AND sort >= ?", " AND sort > ?"), (&to, " AND sort <= ?", " AND sort < ?")];
    for (bound, included, excluded) in sides {
        match bound {
            Bound::Included(sort) => (sql.push_str(included), values.push(sort)),
            Bound::Excluded(sort) => (sql.push_str(excluded), values.push(sort)),
            Bound::Unbounded => ((), ()),
        };
    }
    sql.push_str(match query.direction {
        Direction::Ascending => " ORDER BY sort LIMIT ?",
        Direction::Descending => " ORDER BY sort DESC LIMIT ?",
    });
    values.push(&limit);
    connection.prepare_cached(&sql)?.query_map(values.as_slice(), Stored::of)?.collect()
}

fn page(query: &Query, mut stored: Vec<Stored>) -> Result<Page, Error> {
    let more = stored.len() > query.limit;
    stored.truncate(query.limit);
    let next = stored.last().filter(|_| more).map(|last| last.sort.clone());
    let items =
        stored.into_iter().map(|stored| stored.into_item(&query.partition)).collect::<Result<_, _>>()?;
    Ok(Page { items, next })
}

impl Stored {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { version: row.get(0)?, expires_at: row.get(1)?, text: row.get(2)?, sort: row.get(3)? })
    }

    fn into_item(self, partition: &str) -> Result<Item, Error> {
        let key = Key::new(partition, self.sort);
        match serde_json::from_str(&self.text) {
            Ok(value) => Ok(Item {
                key,
                value,
                version: Version(self.version.cast_unsigned()),
                expires_at: self.expires_at.and_then(expiry_from_micros),
            }),
            Err(cause) => Err(Error::Form { key, cause }),
        }
    }
}
