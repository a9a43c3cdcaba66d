//! What the table's port costs over the bare SQLite statement: puts of 200 bytes, one after the other and 64 at once.
//!
//! Short rounds of the three ways take turns on the same disk, so that its moods meet all alike; the ratios are medians
//! over the rounds of one over the other. Prints JSON, which `cargo xtask bench` keeps.
//!
//! ```text
//! cargo run --release -p doxa-embedded --example table_puts -- [FOLDER]
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use doxa_embedded::SqliteTable;
use doxa_ports::clock::SystemClock;
use doxa_ports::table::{Condition, Key, Table, Write};
use rusqlite::Connection;
use serde_json::{Value, json};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const ROUNDS: usize = 101;
const PUTS: usize = 25;
const AT_ONCE: usize = 64;

fn main() -> Result<(), Failure> {
    let folder = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    let place = tempfile::TempDir::new_in(folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let table: Arc<dyn Table> =
        Arc::new(SqliteTable::open(place.path().join("port.db"), Arc::new(SystemClock))?);
    let bare = open_bare(&place.path().join("bare.db"))?;
    let mut times = Times::default();
    // The first round warms up and is not counted.
    for round in 0..=ROUNDS {
        let bare = timed(|| put_bare(&bare, round))?;
        let alone = timed(|| runtime.block_on(put_in_turn(&*table, round)))?;
        let together = timed(|| runtime.block_on(put_at_once(&table, round)))?;
        if round > 0 {
            times.bare.push(bare);
            times.alone.push(alone);
            times.together.push(together);
        }
    }
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &times.told())?;
    Ok(std::io::Write::write_all(&mut out, b"\n")?)
}

fn timed(work: impl FnOnce() -> Result<(), Failure>) -> Result<Duration, Failure> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

/// A file of the same form, with the same pragmas, that nothing else has open.
fn open_bare(path: &Path) -> Result<Connection, Failure> {
    drop(SqliteTable::open(path, Arc::new(SystemClock))?);
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA synchronous = FULL")?;
    Ok(connection)
}

fn put_bare(connection: &Connection, round: usize) -> Result<(), Failure> {
    let mut put = connection.prepare_cached(
        "INSERT INTO item (partition, sort, version, expires_at, value) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (partition, sort) DO UPDATE
         SET version = excluded.version, expires_at = excluded.expires_at, value = excluded.value",
    )?;
    for n in 0..PUTS {
        put.execute(("bench", sort(round, n), i64::try_from(n)?, None::<i64>, value(n).to_string()))?;
    }
    Ok(())
}

async fn put_in_turn(table: &dyn Table, round: usize) -> Result<(), Failure> {
    for n in 0..PUTS {
        table.transact(vec![put("alone", round, n)]).await?;
    }
    Ok(())
}

async fn put_at_once(table: &Arc<dyn Table>, round: usize) -> Result<(), Failure> {
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..AT_ONCE {
        let table = table.clone();
        tasks.spawn(async move {
            for n in (task..PUTS * AT_ONCE).step_by(AT_ONCE) {
                table.transact(vec![put("together", round, n)]).await?;
            }
            Ok::<_, Failure>(())
        });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(())
}

fn put(partition: &str, round: usize, n: usize) -> Write {
    let key = Key::new(partition, sort(round, n));
    Write::Put { key, value: value(n), expires_at: None, condition: Condition::Any }
}

fn sort(round: usize, n: usize) -> String {
    format!("{round:03} {n:06}")
}

/// 200 bytes of JSON.
fn value(n: usize) -> Value {
    json!({"n": format!("{n:06}"), "text": "x".repeat(173)})
}

#[derive(Default)]
struct Times {
    bare: Vec<Duration>,
    alone: Vec<Duration>,
    together: Vec<Duration>,
}

impl Times {
    fn told(&self) -> Value {
        let per_second = |times: &[Duration], puts: usize| {
            median(times.iter().map(|time| (puts as f64 / time.as_secs_f64()).round()).collect())
        };
        let ratio = |times: &[Duration], share: f64| {
            median(
                times
                    .iter()
                    .zip(&self.bare)
                    .map(|(a, b)| a.as_secs_f64() / share / b.as_secs_f64())
                    .collect(),
            )
        };
        json!({
            "rounds": ROUNDS,
            "bytes": value(0).to_string().len(),
            "bare_puts_per_sec": per_second(&self.bare, PUTS),
            "sequential_puts_per_sec": per_second(&self.alone, PUTS),
            "concurrent_puts_per_sec": per_second(&self.together, PUTS * AT_ONCE),
            "concurrent_putters": AT_ONCE,
            "sequential_time_over_bare": ratio(&self.alone, 1.0),
            "concurrent_time_per_put_over_bare": ratio(&self.together, AT_ONCE as f64),
        })
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
