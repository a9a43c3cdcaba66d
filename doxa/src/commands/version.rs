//! `doxa --version`, and `doxa` alone.

use serde::Serialize;

use crate::failure::{Exit, Failure};
use crate::output::Output;

#[derive(Serialize)]
struct Version {
    name: &'static str,
    version: &'static str,
    features: Vec<&'static str>,
}

pub(crate) fn run(output: &mut Output) -> Result<Exit, Failure> {
    let features = if cfg!(feature = "postgres") { vec!["postgres"] } else { Vec::new() };
    let version = Version { name: "doxa", version: env!("CARGO_PKG_VERSION"), features };
    if output.json {
        output.object(&version)?;
    } else {
        output.line(&format!("doxa {}", version.version))?;
    }
    output.end()?;
    Ok(Exit::Ok)
}

/// What a stranger sees first.
pub(crate) fn introduce() -> Result<Exit, Failure> {
    let failure = Failure::new(anyhow::anyhow!(
        "no command was given\n\n  \
         doxa demo                            see it at work on a small sample\n  \
         doxa import comments.csv             take in a file of your own\n  \
         doxa documents                       look at what came in\n"
    ));
    Err(failure.help("doxa --help").exit(Exit::Usage))
}
