//! `doxa completions`: the completions for a shell.

use clap::CommandFactory;

use crate::cli::Cli;
use crate::failure::{Exit, Failure};

pub(crate) fn run(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    clap_complete::generate(shell, &mut Cli::command(), "doxa", &mut std::io::stdout());
    Ok(Exit::Ok)
}
