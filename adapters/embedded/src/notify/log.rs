//! The way that is always there: the log.

use async_trait::async_trait;
use doxa_ports::notify::{Error, Message, Notify};

/// Writes messages to the log, and cannot fail.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogNotify;

#[async_trait]
impl Notify for LogNotify {
    fn route(&self) -> String {
        "log".to_owned()
    }

    async fn send(&self, message: &Message) -> Result<(), Error> {
        let Message { key, subject, body, link } = message;
        tracing::warn!(key, body, link, "{subject}");
        Ok(())
    }
}
