//! `bench table`: puts into the SQLite table, against the bare statement through rusqlite.
//!
//! The measuring itself is an example of the adapter, for only there both sides are at hand; here it is built, run and
//! told. Its two ways of putting are told apart, since they differ more than any two machines: one after the other, each
//! put waits for its own sync; many at once, they share one.

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Plan, cargo};

/// How many times the bare statement's time a put may take.
const AIM: f64 = 1.3;

pub(super) fn run(_: &Plan) -> Result<Value> {
    let printed =
        cargo(&["run", "--release", "--quiet", "--package", "doxa-embedded", "--example", "table_puts"])?;
    let figures: Value = serde_json::from_str(&printed).context("the example prints no JSON")?;
    print!("{}", text(&figures).context("the example prints other figures than these")?);
    Ok(figures)
}

/// The figures for a reader; none if one is missing.
fn text(figures: &Value) -> Option<String> {
    let figure = |name: &str| figures.get(name)?.as_f64();
    let at_once = figure("concurrent_putters")?;
    let mut text = format!(
        "puts of {} bytes into the SQLite table, medians of {} rounds in turn\n  {:<28}{:>9.0} a second\n",
        figure("bytes")?,
        figure("rounds")?,
        "the bare statement",
        figure("bare_puts_per_sec")?
    );
    let ways = [
        (
            "one after the other".to_owned(),
            figure("sequential_puts_per_sec")?,
            figure("sequential_time_over_bare")?,
        ),
        (
            format!("{at_once} at once"),
            figure("concurrent_puts_per_sec")?,
            figure("concurrent_time_per_put_over_bare")?,
        ),
    ];
    for (way, per_second, ratio) in ways {
        let verdict = if ratio <= AIM { "met" } else { "missed" };
        text += &format!(
            "  {way:<28}{per_second:>9.0} a second, {ratio:.2} × its time (aim: {AIM} ×: {verdict})\n"
        );
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::text;

    #[test]
    fn both_ways_are_held_against_the_bare_statement() {
        let mut figures = json!({
            "rounds": 3,
            "bytes": 197,
            "bare_puts_per_sec": 6000.0,
            "sequential_puts_per_sec": 4000.0,
            "concurrent_puts_per_sec": 60_000.0,
            "concurrent_putters": 64,
            "sequential_time_over_bare": 1.5,
            "concurrent_time_per_put_over_bare": 0.1,
        });
        let told = text(&figures).unwrap();
        let wanted = [
            "puts of 197 bytes into the SQLite table, medians of 3 rounds in turn",
            "  the bare statement               6000 a second",
            "  one after the other              4000 a second, 1.50 × its time (aim: 1.3 ×: missed)",
            "  64 at once                      60000 a second, 0.10 × its time (aim: 1.3 ×: met)",
        ];
        assert_eq!(told.lines().collect::<Vec<_>>(), wanted);
        figures["bytes"] = json!(null);
        assert_eq!(text(&figures), None);
    }
}
