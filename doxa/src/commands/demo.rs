//! `doxa demo`: a small sample, taken in as any file is, into a folder of its own.

use std::path::Path;

use anyhow::Context as _;
use clap::Parser;

use super::{documents, import};
use crate::cli::{Cli, Command, DemoArgs};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::progress::Talk;
use crate::settings::Settings;

const SAMPLE: &[u8] = include_bytes!("../../samples/comments.csv");
const FOLDER: &str = "doxa-demo";

pub(crate) async fn run(
    args: &DemoArgs,
    settings: Settings,
    talk: Talk,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let temporary = tempfile::tempdir().context("cannot make a temporary folder")?;
    let sample = temporary.path().join("comments.csv");
    std::fs::write(&sample, SAMPLE).context("cannot write the sample into a temporary folder")?;
    let data_dir = if args.keep { Path::new(FOLDER).to_owned() } else { temporary.path().join("data") };
    let settings = Settings { data_dir: data_dir.clone(), ..settings };

    talk.say("DEMO: 240 real comments without authors; ids, times and likes are made up, and four rows are faulty.");
    let sample = sample.to_string_lossy();
    step(&["import", &sample, "--channel", "demo/reddit"], &settings, talk, output).await?;
    step(&["documents", "--limit", "8"], &settings, talk, output).await?;
    step(&["documents", "--rejects"], &settings, talk, output).await?;
    match args.keep {
        true => talk.say(&format!("kept in {}; look around with --data-dir {0}", data_dir.display())),
        false => talk.say(
            "next: doxa import comments.csv, with a file of your own (doxa demo --keep keeps the sample)",
        ),
    }
    Ok(Exit::Ok)
}

/// Runs a command as a user would, and says which.
async fn step(words: &[&str], settings: &Settings, talk: Talk, output: &mut Output) -> Result<(), Failure> {
    let shown: Vec<_> = words.iter().map(|word| word.rsplit(['/', '\\']).next().unwrap_or(word)).collect();
    talk.say(&format!("\n$ doxa {}", shown.join(" ").replace("--channel reddit", "--channel demo/reddit")));
    let command =
        Cli::try_parse_from(["doxa"].iter().chain(words)).context("the demo's own commands are right")?;
    match command.command {
        Some(Command::Import(args)) => import::run(&args, settings.clone(), Talk::Quiet, output).await?,
        Some(Command::Documents(args)) => documents::run(&args, settings.clone(), output).await?,
        _ => return Err(anyhow::anyhow!("the demo has no other commands").into()),
    };
    Ok(())
}
