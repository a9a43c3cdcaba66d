//! `bench table`: puts into the SQLite table, against the bare statement through rusqlite.
//!
//! The measuring itself is an example of the adapter, for only there both sides are at hand; here it is built, run and
//! printed.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Plan, cargo};

pub(super) fn run(_: &Plan) -> Result<Value> {
    let printed =
        cargo(&["run", "--release", "--quiet", "--package", "doxa-embedded", "--example", "table_puts"])?;
    let figures: Value = serde_json::from_str(&printed).context("the example prints JSON")?;
    println!("{figures:#}");
    Ok(figures)
}
