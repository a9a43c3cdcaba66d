//! Ways to a person: the log, e-mail, and a webhook that Slack, or whatever takes Slack's JSON, listens at.
//!
//! Each sends once and says how it went: taken, refused for good, or not for now. Trying again is [`Retrying`]'s, which
//! wraps any of them.
//!
//! What never happens here: a password, or the address of a webhook, which is as good as one, in an error, a `Debug` or a
//! log. What servers answer is told only in words that cannot be an echo of what they were sent.

mod address;
mod log;
mod retry;
mod slack;
mod smtp;
mod webhook;

pub use address::{Forbidden, Reach};
pub use log::LogNotify;
pub use retry::{Backoff, Retrying};
pub use smtp::{Security, Smtp, SmtpError, SmtpNotify};
pub use webhook::{WebhookError, WebhookNotify};

#[cfg(test)]
mod testing;
