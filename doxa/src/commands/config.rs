//! `doxa config`: the settings, and where each comes from.

use serde::Serialize;

use crate::cli::ConfigCommand;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::settings::{KEYS, Kind, Resolved};

#[derive(Serialize)]
struct Shown<'a> {
    name: &'static str,
    value: &'a str,
    origin: String,
    default: &'static str,
    about: &'static str,
}

pub(crate) fn run(command: &ConfigCommand, found: &Resolved, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        // Settings with a problem do not come as far as here.
        ConfigCommand::Check if output.json => output.object(&serde_json::json!({ "ok": true }))?,
        ConfigCommand::Check => output.line("the settings are right")?,
        ConfigCommand::Show { origin } => show(*origin, found, output)?,
    }
    output.end()?;
    Ok(Exit::Ok)
}

fn show(origin: bool, found: &Resolved, output: &mut Output) -> Result<(), Failure> {
    let shown = KEYS.iter().map(|key| {
        let (value, from) = found.get(key.name);
        Shown { name: key.name, value, origin: from.to_string(), default: key.default, about: key.about }
    });
    if output.json {
        return shown.into_iter().try_for_each(|one| output.object(&one));
    }
    for (one, key) in shown.zip(KEYS) {
        let value = match key.kind {
            Kind::Count(_, _) | Kind::Truth => one.value.to_owned(),
            Kind::Text | Kind::Word(_) | Kind::Secret => format!("{:?}", one.value),
        };
        let origin = if origin { format!("  # {}", one.origin) } else { String::new() };
        output.line(&format!("{} = {value}{origin}", one.name))?;
    }
    Ok(())
}
