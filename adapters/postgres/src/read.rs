//! What a question is in SQL, and what its rows are.

use std::ops::Bound;

use doxa_ports::table::{Direction, Error, Item, Key, Page, Query};
use jiff::Timestamp;
use sqlx::{PgConnection, QueryBuilder};

use crate::transact;

/// An item's columns: sort key, value, version, expiry.
pub(crate) type Row = (String, String, i64, Option<i64>);

/// The item of a row.
pub(crate) fn item(partition: &str, (sort, value, version, expiry): Row) -> Result<Item, Error> {
    let key = Key::new(partition, sort);
    match serde_json::from_str(&value) {
        Ok(value) => {
            Ok(Item { key, value, version: transact::version(version), expires_at: expiry.map(from_micros) })
        }
        Err(cause) => Err(Error::Form { key, cause }),
    }
}

fn from_micros(micros: i64) -> Timestamp {
    // By way of nanoseconds: jiff takes most of the last second's microseconds to be out of range.
    Timestamp::from_nanosecond(i128::from(micros) * 1000).expect("what was stored was a timestamp")
}

/// The row at a key that is alive at a moment.
pub(crate) async fn one(
    connection: &mut PgConnection,
    key: &Key,
    moment: i64,
) -> Result<Option<Row>, sqlx::Error> {
    let sql = "SELECT sort, value, version, expires_at FROM doxa_item
        WHERE partition = $1 AND sort = $2 AND (expires_at IS NULL OR expires_at > $3)";
    sqlx::query_as(sql).bind(&key.partition).bind(&key.sort).bind(moment).fetch_optional(connection).await
}

/// The rows that a query asks for and that are alive at a moment; and one more, if there is one.
pub(crate) async fn some(
    connection: &mut PgConnection,
    query: &Query,
    moment: i64,
) -> Result<Vec<Row>, sqlx::Error> {
    let mut sql =
        QueryBuilder::new("SELECT sort, value, version, expires_at FROM doxa_item WHERE partition = ");
    sql.push_bind(&query.partition);
    sql.push(" AND (expires_at IS NULL OR expires_at > ").push_bind(moment).push(")");
    let (from, to) = query.bounds();
    match from {
        Bound::Included(from) => sql.push(" AND sort >= ").push_bind(from),
        Bound::Excluded(from) => sql.push(" AND sort > ").push_bind(from),
        Bound::Unbounded => &mut sql,
    };
    match to {
        Bound::Included(to) => sql.push(" AND sort <= ").push_bind(to),
        Bound::Excluded(to) => sql.push(" AND sort < ").push_bind(to),
        Bound::Unbounded => &mut sql,
    };
    sql.push(match query.direction {
        Direction::Ascending => " ORDER BY sort LIMIT ",
        Direction::Descending => " ORDER BY sort DESC LIMIT ",
    });
    let limit = i64::try_from(query.limit + 1).expect("a page is small");
    sql.push_bind(limit).build_query_as().fetch_all(connection).await
}

/// The page of a query's rows: the row too many says that there is another.
pub(crate) fn page(query: &Query, mut rows: Vec<Row>) -> Result<Page, Error> {
    let more = rows.len() > query.limit;
    rows.truncate(query.limit);
    let next = rows.last().filter(|_| more).map(|row| row.0.clone());
    let items = rows.into_iter().map(|row| item(&query.partition, row)).collect::<Result<_, _>>()?;
    Ok(Page { items, next })
}
