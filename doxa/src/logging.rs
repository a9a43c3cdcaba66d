//! What is logged, to stderr.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::failure::{Exit, Failure};

/// Starts logging by a filter; `-v` and `-vv` take its place.
pub(crate) fn start(filter: &str, verbose: u8) -> Result<(), Failure> {
    let filter = match verbose {
        0 => filter,
        1 => "info",
        _ => "debug",
    };
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        let failure =
            Failure::new(anyhow::Error::from(error).context(format!("`{filter}` is no log filter")));
        failure.help("--set log=info, or a filter such as doxa=debug").exit(Exit::Usage)
    })?;
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(colour).init();
    Ok(())
}
