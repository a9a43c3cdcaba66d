//! Transitions a second of a counting loop on one core: `cargo run --release --example throughput`.

#![allow(clippy::print_stdout, reason = "an example talks")]

use std::time::Instant;

use doxa_asl::{Command, Event, Execution, Flavour, Identity, Machine, step};
use serde_json::json;

const LAPS: u64 = 500_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let definition = json!({
        "StartAt": "More",
        "States": {
            "More": {
                "Type": "Choice",
                "Choices": [{"Variable": "$.n", "NumericLessThan": LAPS, "Next": "Add"}],
                "Default": "Done",
            },
            "Add": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "More"},
            "Done": {"Type": "Succeed"},
        },
    });
    let machine = Machine::from_value(&definition, Flavour::Standard)?;
    let now = jiff::Timestamp::UNIX_EPOCH;
    let mut execution = Execution::new(Identity::default(), json!({"n": 0}), now);
    let began = Instant::now();
    let mut commands = step(&machine, &mut execution, Event::Start, now);
    while commands.pop() == Some(Command::Yield) {
        commands = step(&machine, &mut execution, Event::Continue, now);
    }
    let (secs, transitions) = (began.elapsed().as_secs_f64(), 2 * LAPS + 2);
    println!("{transitions} transitions in {secs:.2} s: {:.0} a second", transitions as f64 / secs);
    Ok(())
}
