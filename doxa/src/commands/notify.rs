//! `doxa notify`: a message by the ways that alerts will take, to try them out before something burns.

use doxa_ports::notify::Message;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::cli::NotifyArgs;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::settings::Settings;
use crate::wiring::routes;

#[derive(Serialize)]
struct Delivery {
    route: String,
    taken: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

pub(crate) async fn run(args: &NotifyArgs, settings: Settings, output: &mut Output) -> Result<Exit, Failure> {
    let routes = routes(&settings).await?;
    let now = jiff::Timestamp::now();
    let digest = doxa_schema::Sha256(Sha256::digest(format!("{now} {}", args.text)).into());
    let message = Message {
        key: format!("notify-{}", digest.short()),
        subject: args.text.lines().next().unwrap_or_default().to_owned(),
        body: args.text.clone(),
        link: None,
    };
    let mut exit = Exit::Ok;
    for route in &routes {
        let sent = route.send(&message).await;
        let error = sent.as_ref().err().map(|error| Failure::chain(error));
        let delivery = Delivery { route: route.route(), taken: sent.is_ok(), error };
        if sent.is_err() {
            exit = Exit::Failed;
        }
        match (&delivery.error, output.json) {
            (_, true) => output.object(&delivery)?,
            (None, false) => output.line(&format!("✓ {} took it", delivery.route))?,
            (Some(error), false) => output.line(&format!("✗ {error}"))?,
        }
    }
    output.end()?;
    Ok(exit)
}
