//! The chores: what keeps the house in order and what proves its promises.
//!
//! `cargo xtask` without a word lists them. Each is one file; none of them is needed to build or to run Doxa.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to the person who started it")]

mod asl_corpus;
mod bench;
mod comments;
mod crash;
mod house;
mod stats_acceptance;
mod stats_golden;
mod strace;
mod tidy;

use std::process::ExitCode;

use anyhow::Result;

/// A chore: its name, what it does in one line, and what it does.
struct Chore {
    name: &'static str,
    about: &'static str,
    run: fn(&[String]) -> Result<ExitCode>,
}

const CHORES: &[Chore] = &[
    Chore { name: "tidy", about: "checks the rules of the house that no compiler knows", run: tidy::run },
    Chore { name: "crash", about: "kills an import at every call that changes the disk", run: crash::run },
    Chore { name: "bench", about: "measures against a named peer, in one run, as ratios", run: bench::run },
    Chore {
        name: "asl-corpus",
        about: "runs recordings of AWS against the states language",
        run: asl_corpus::run,
    },
    Chore {
        name: "stats-golden",
        about: "holds the statistics against reference values",
        run: stats_golden::run,
    },
    Chore {
        name: "stats-acceptance",
        about: "simulates what the statistics promise",
        run: stats_acceptance::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let chosen = arguments.first().and_then(|name| CHORES.iter().find(|chore| chore.name == name));
    let Some(chore) = chosen else {
        eprintln!("usage: cargo xtask CHORE\n");
        for chore in CHORES {
            eprintln!("  {:<18}{}", chore.name, chore.about);
        }
        return ExitCode::from(2);
    };
    (chore.run)(&arguments[1..]).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}
