//! The binary: reads the command line and the settings, puts the house together, and runs one command.
//!
//! `cli` says what can be asked for, `settings` how it is set up, `wiring` which plugs meet which sockets, and
//! `commands` holds one file a command. Stdout is data, stderr is talk.

mod cli;
mod commands;
mod failure;
mod logging;
mod output;
mod progress;
mod settings;
mod wiring;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::settings::{Problem, Resolved, Settings};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut output = Output::new(cli.json);
    let exit = run(&cli, &mut output).unwrap_or_else(|failure| output.tell(&failure));
    ExitCode::from(exit as u8)
}

fn run(cli: &Cli, output: &mut Output) -> Result<Exit, Failure> {
    // What needs no settings works also when they are broken.
    let command = match &cli.command {
        None if cli.version => return commands::version::run(output),
        None => return commands::version::introduce(),
        Some(Command::Completions { shell }) => return commands::completions::run(*shell),
        Some(command) => command,
    };
    let found = cli.sources()?.load().map_err(|problems| broken_settings(&problems))?;
    let settings = Settings::check(&found).map_err(|problems| broken_settings(&problems))?;
    logging::start(&settings.log, cli.verbose)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(anyhow::Error::from(error).context("cannot start the runtime")))?;
    let done = runtime.block_on(async {
        tokio::select! {
            done = dispatch(command, cli, settings, &found, output) => done,
            // Nothing is visible before its commit: to stop here is safe at any moment.
            Ok(()) = tokio::signal::ctrl_c() => Err(Failure::interrupted()),
        }
    });
    // Not waited for: a thread that still reads a file would hold up the answer to Ctrl-C.
    runtime.shutdown_background();
    done
}

async fn dispatch(
    command: &Command,
    cli: &Cli,
    settings: Settings,
    found: &Resolved,
    output: &mut Output,
) -> Result<Exit, Failure> {
    match command {
        Command::Import(args) => commands::import::run(args, settings, cli.talk(), output).await,
        Command::Documents(args) => commands::documents::run(args, settings, output).await,
        Command::Windows(args) => commands::windows::run(args, settings, output).await,
        Command::Demo(args) => commands::demo::run(args, settings, cli.talk(), output).await,
        Command::Doctor(args) => commands::doctor::run(args, settings, output).await,
        Command::Digest => commands::digest::run(settings, output).await,
        Command::Notify(args) => commands::notify::run(args, settings, output).await,
        Command::Config { command } => commands::config::run(command, found, output),
        Command::Completions { shell } => commands::completions::run(*shell),
    }
}

fn broken_settings(problems: &[Problem]) -> Failure {
    let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let failure = Failure::new(anyhow::anyhow!("{}", lines.join("\n       ")));
    failure.help("doxa config show --origin, with the setting mended or left out").exit(Exit::Usage)
}
