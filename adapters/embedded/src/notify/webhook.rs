//! Messages as JSON to a web address.

use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use doxa_ports::notify::{Error, Message, Notify};
use doxa_ports::secrets::Secret;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::header::{DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode, Url};

use super::address::{Forbidden, Guard, Lookup, Reach, check, system};
use super::slack::payload;

/// The same message sent again has the same value in this header, so that a receiver can drop it.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What Slack answers. Only these words are repeated: any other answer might be an echo of the address.
const ANSWERS: [&str; 14] = [
    "action_prohibited",
    "channel_is_archived",
    "channel_not_found",
    "invalid_blocks",
    "invalid_payload",
    "invalid_token",
    "no_active_hooks",
    "no_service",
    "no_service_id",
    "no_team",
    "no_text",
    "posting_to_general_channel_denied",
    "team_disabled",
    "user_not_found",
];

/// Sends messages to a webhook: Slack's, or any that takes the same JSON.
///
/// Redirects are not followed and proxies not used: either would lead to an address that nobody has looked at.
pub struct WebhookNotify {
    client: Client,
    // As good as a password; it is in no error and no `Debug`.
    url: Url,
}

/// Why an address can be no webhook. The address itself is not repeated: it is a secret.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// It is no address of the web.
    #[error("the webhook's address is no URL of the form https://host/path")]
    Form,
    /// It would be sent in the clear over the internet.
    #[error("the webhook's address must begin with https: with http, everyone on the way could read it")]
    Plain,
    /// It is an IP address that may not be reached.
    #[error("the webhook's address cannot be used")]
    Forbidden(#[from] Forbidden),
    /// There is no HTTP client on this machine.
    #[error("cannot make an HTTP client")]
    Client(#[source] reqwest::Error),
}

/// What a receiver answered, other than yes.
#[derive(Debug, thiserror::Error)]
struct Answer {
    status: StatusCode,
    word: Option<&'static str>,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it answered {}", self.status)?;
        match self.word {
            Some(word) => write!(f, ": {word}"),
            None if self.status.is_redirection() => f.write_str(", but redirects are not followed"),
            None => Ok(()),
        }
    }
}

impl WebhookNotify {
    /// A webhook at this address. Plain `http` is taken only where private addresses are within reach.
    ///
    /// # Errors
    /// If the address cannot be one of a webhook. Names are looked up only when a message is sent.
    pub fn new(url: &Secret, reach: Reach, timeout: Duration) -> Result<Self, WebhookError> {
        Self::resolving(url, reach, timeout, system())
    }

    fn resolving(
        url: &Secret,
        reach: Reach,
        timeout: Duration,
        lookup: Lookup,
    ) -> Result<Self, WebhookError> {
        let url = Url::parse(url.expose().trim()).map_err(|_| WebhookError::Form)?;
        match (url.scheme(), reach) {
            ("https", _) | ("http", Reach::Private) => {}
            ("http", Reach::Public) => return Err(WebhookError::Plain),
            _ => return Err(WebhookError::Form),
        }
        // A name is the guard's business. A number is not looked up, so it is looked at here; the parser has already seen
        // through its disguises, such as `0x7f000001`.
        let host = url.host_str().ok_or(WebhookError::Form)?;
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            check(address, reach)?;
        }
        let client = Client::builder()
            .user_agent(concat!("doxa/", env!("CARGO_PKG_VERSION")))
            .timeout(timeout)
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Guard { reach, lookup }))
            .build();
        Ok(Self { client: client.map_err(WebhookError::Client)?, url })
    }

    async fn post(&self, message: &Message) -> Result<Response, reqwest::Error> {
        let mut request = self.client.post(self.url.clone()).json(&payload(message));
        // A key with a line break in it cannot stand in a header; it still stands in the body.
        if let Ok(key) = HeaderValue::from_str(&message.key) {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        request.send().await.map_err(reqwest::Error::without_url)
    }

    fn later(&self, after: Option<Duration>, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        Error::Later { route: self.route(), after, cause: cause.into() }
    }

    fn refused(&self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        Error::Refused { route: self.route(), cause: cause.into() }
    }
}

impl fmt::Debug for WebhookNotify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookNotify({})", self.route())
    }
}

#[async_trait]
impl Notify for WebhookNotify {
    fn route(&self) -> String {
        format!("webhook {}://{}", self.url.scheme(), self.url.host_str().unwrap_or_default())
    }

    async fn send(&self, message: &Message) -> Result<(), Error> {
        let response = match self.post(message).await {
            Ok(response) => response,
            Err(error) => {
                return Err(match forbidden(&error) {
                    Some(forbidden) => self.refused(forbidden),
                    None => self.later(None, error),
                });
            }
        };
        let (status, after) = (response.status(), retry_after(response.headers()));
        if status.is_success() {
            return Ok(());
        }
        let answer = Answer { status, word: word(response).await };
        let busy = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS]
            .contains(&status);
        Err(if busy || status.is_server_error() { self.later(after, answer) } else { self.refused(answer) })
    }
}

/// The guard's own error, wherever in the chain the client has put it.
fn forbidden(error: &reqwest::Error) -> Option<Forbidden> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(forbidden) = error.downcast_ref::<Forbidden>() {
            return Some(*forbidden);
        }
        source = error.source();
    }
    None
}

/// How long the receiver asks to be left alone: seconds, or a moment, told by the receiver's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    if let Ok(secs) = text.parse() {
        return Some(Duration::from_secs(secs));
    }
    let moment = |text: &str| DateTimeParser::new().parse_timestamp(text).ok();
    let date = headers.get(DATE)?.to_str().ok()?;
    Some(Duration::try_from(moment(text)?.duration_since(moment(date)?)).unwrap_or_default())
}

/// Slack's word for what is wrong, if the answer is one.
async fn word(mut response: Response) -> Option<&'static str> {
    let start = response.chunk().await.ok().flatten()?;
    ANSWERS.into_iter().find(|word| start.trim_ascii() == word.as_bytes())
}

#[cfg(test)]
mod tests;
