//! A transaction's writes as the columns that `doxa_transact` takes.

use doxa_ports::table::{Condition, Error, Version, Write, value_text};
use jiff::Timestamp;
use sqlx::PgConnection;

/// What `doxa_transact` gives: the first write that is refused, counted from 1, or the versions.
type Answer = (Option<i64>, Option<Vec<Option<i64>>>);

/// The writes, column by column.
#[derive(Default)]
pub(crate) struct Batch {
    kinds: Vec<&'static str>,
    partitions: Vec<String>,
    sorts: Vec<String>,
    contents: Vec<Option<String>>,
    expiries: Vec<Option<i64>>,
    expected: Vec<Option<i64>>,
}

impl Batch {
    /// The columns of these writes.
    ///
    /// # Errors
    /// If a value is too large.
    pub(crate) fn of(writes: &[Write]) -> Result<Self, Error> {
        let mut batch = Self::default();
        for write in writes {
            let (kind, content, expiry) = match write {
                Write::Put { key, value, expires_at, .. } => {
                    ("put", Some(value_text(key, value)?), expires_at.map(Timestamp::as_microsecond))
                }
                Write::Delete { .. } => ("delete", None, None),
                Write::Check { .. } => ("check", None, None),
            };
            batch.kinds.push(kind);
            batch.partitions.push(write.key().partition.clone());
            batch.sorts.push(write.key().sort.clone());
            batch.contents.push(content);
            batch.expiries.push(expiry);
            batch.expected.push(expected(write.condition()));
        }
        Ok(batch)
    }

    /// Does all of the writes and gives their versions; or none, and gives the index of the first that is refused.
    pub(crate) async fn write(
        &self,
        connection: &mut PgConnection,
        moment: i64,
    ) -> Result<Result<Vec<Option<Version>>, usize>, sqlx::Error> {
        let sql = "SELECT refused, versions FROM doxa_transact($1, $2, $3, $4, $5, $6, $7)";
        let call = sqlx::query_as::<_, Answer>(sql)
            .bind(moment)
            .bind(&self.kinds)
            .bind(&self.partitions)
            .bind(&self.sorts)
            .bind(&self.contents)
            .bind(&self.expiries)
            .bind(&self.expected);
        let (refused, versions) = call.fetch_one(connection).await?;
        Ok(match refused {
            Some(place) => Err(usize::try_from(place - 1).expect("the function counts the writes from 1")),
            None => Ok(versions.into_iter().flatten().map(|column| column.map(version)).collect()),
        })
    }
}

/// None for any item or none, 0 for none, else the version.
fn expected(condition: Condition) -> Option<i64> {
    match condition {
        Condition::Any => None,
        Condition::Absent => Some(0),
        // The sequence counts from 1: a version 0 was never given out, and must not be taken for `Absent`.
        Condition::Version(Version(0)) => Some(-1),
        Condition::Version(Version(number)) => Some(number.cast_signed()),
    }
}

/// The version in a column.
pub(crate) fn version(column: i64) -> Version {
    Version(column.cast_unsigned())
}

/// The last microsecond that is not after a moment: what expires after it is alive at the moment.
pub(crate) fn whole_micros(moment: Timestamp) -> i64 {
    let micros = moment.as_nanosecond().div_euclid(1000);
    i64::try_from(micros).expect("the microseconds of all timestamps fit 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_rounded_down_also_before_1970() {
        for (nanos, micros) in [(0, 0), (999, 0), (1000, 1), (-1, -1), (-1000, -1), (-1001, -2)] {
            assert_eq!(whole_micros(Timestamp::from_nanosecond(nanos).unwrap()), micros, "{nanos} ns");
        }
        assert_eq!(whole_micros(Timestamp::MIN), Timestamp::MIN.as_microsecond());
    }

    #[test]
    fn no_version_is_taken_for_another_condition() {
        let rows = [
            (Condition::Any, None),
            (Condition::Absent, Some(0)),
            (Condition::Version(Version(0)), Some(-1)),
            (Condition::Version(Version(7)), Some(7)),
            (Condition::Version(Version(u64::MAX)), Some(-1)),
        ];
        for (condition, wanted) in rows {
            assert_eq!(expected(condition), wanted, "{condition:?}");
        }
    }
}
