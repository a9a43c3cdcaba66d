//! A word to a person: an alert's message on its way out.

use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// What is to be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The same message sent twice has the same key: a receiver can drop the second.
    pub key: String,
    /// One line.
    pub subject: String,
    /// Plain text, of any length.
    pub body: String,
    /// Where to read on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

/// Why a message did not go out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It may go out later: the receiver was busy, or could not be reached. It may also have arrived.
    #[error("{route} did not take the message for now")]
    Later {
        /// The way it was to go.
        route: String,
        /// How long the receiver asks to be left alone, if it said so.
        after: Option<Duration>,
        /// What the receiver or the network said.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It will never go out so: the address, the credentials or the message are refused.
    #[error("{route} refuses the message")]
    Refused {
        /// The way it was to go.
        route: String,
        /// What the receiver said.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A way to a person.
#[async_trait]
pub trait Notify: Send + Sync {
    /// The name of the way, for logs and delivery records; it holds no secret.
    fn route(&self) -> String;

    /// Sends the message. `Ok` means that the receiver took it.
    ///
    /// After a crash: it may have been sent or not; whoever sends again does so under the same [`Message::key`].
    async fn send(&self, message: &Message) -> Result<(), Error>;
}

/// The twin in memory: keeps what it was given.
#[derive(Default)]
pub struct MemoryNotify {
    sent: Mutex<Vec<Message>>,
}

impl MemoryNotify {
    /// What was sent so far.
    #[must_use]
    pub fn sent(&self) -> Vec<Message> {
        self.sent.lock().expect("no code that holds the messages can panic").clone()
    }
}

#[async_trait]
impl Notify for MemoryNotify {
    fn route(&self) -> String {
        "memory".to_owned()
    }

    async fn send(&self, message: &Message) -> Result<(), Error> {
        self.sent.lock().expect("no code that holds the messages can panic").push(message.clone());
        Ok(())
    }
}
