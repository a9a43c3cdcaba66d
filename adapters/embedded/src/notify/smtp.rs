//! Messages as e-mail.

use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use doxa_ports::notify::{Error, Message, Notify};
use doxa_ports::secrets::Secret;
use lettre::address::AddressError;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message as Mail};
use lettre::transport::smtp::Error as ServerError;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use sha2::{Digest, Sha256};

/// A mail server, and who is written to through it.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// The name of the server; its certificate must be of this name.
    pub host: String,
    /// Its port: by custom 587 for [`Security::StartTls`], 465 for [`Security::Tls`].
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// The account on the server, and its password.
    pub credentials: Option<(String, Secret)>,
    /// The sender: `Doxa <doxa@example.com>`.
    pub from: String,
    /// The receivers. They see one another, and all of them get a message or none.
    pub to: Vec<String>,
    /// How long a message may take in all.
    pub timeout: Duration,
}

/// How the connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// It begins in the clear and is encrypted before anything is said; a server that cannot do so is sent nothing.
    StartTls,
    /// It is encrypted from its first byte.
    Tls,
    /// Not at all: only to this machine itself.
    None,
}

/// Why nothing can be sent by these settings.
#[derive(Debug, thiserror::Error)]
pub enum SmtpError {
    /// A sender or a receiver is no address.
    #[error("`{text}` is no e-mail address")]
    Address {
        /// The text as given.
        text: String,
        /// What is wrong with it.
        #[source]
        cause: AddressError,
    },
    /// Nobody would be written to.
    #[error("there is no receiver")]
    NoReceiver,
    /// Messages and the password would be sent in the clear.
    #[error("`{0}` is not this machine: a connection to it must be encrypted")]
    Plain(String),
    /// The name of the server cannot be one.
    #[error("cannot connect to `{host}` by TLS")]
    Tls {
        /// The server.
        host: String,
        /// Why not.
        #[source]
        cause: ServerError,
    },
}

/// Sends messages as e-mail.
pub struct SmtpNotify {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    host: String,
    from: Mailbox,
    to: Vec<Mailbox>,
    timeout: Duration,
}

impl SmtpNotify {
    /// Mail by these settings. No connection is made before a message is sent.
    ///
    /// # Errors
    /// If nothing can be sent by them.
    pub fn new(settings: Smtp) -> Result<Self, SmtpError> {
        let Smtp { host, port, security, credentials, from, to, timeout } = settings;
        let from = mailbox(&from)?;
        let to = to.iter().map(|text| mailbox(text)).collect::<Result<Vec<_>, _>>()?;
        if to.is_empty() {
            return Err(SmtpError::NoReceiver);
        }
        let tls = |cause| SmtpError::Tls { host: host.clone(), cause };
        let mut builder = match security {
            Security::StartTls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&host).map_err(tls)?,
            Security::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&host).map_err(tls)?,
            Security::None if is_this_machine(&host) => {
                AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host)
            }
            Security::None => return Err(SmtpError::Plain(host)),
        };
        if let Some((user, password)) = credentials {
            builder = builder.credentials(Credentials::new(user, password.expose().to_owned()));
        }
        let transport = builder.port(port).timeout(Some(timeout)).build();
        Ok(Self { transport, host, from, to, timeout })
    }

    fn mail(&self, message: &Message) -> Result<Mail, lettre::error::Error> {
        // The header is one line, whatever the subject is.
        let subject: String =
            message.subject.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        let body = match &message.link {
            Some(link) => format!("{}\n\n{link}", message.body),
            None => message.body.clone(),
        };
        let mail = Mail::builder()
            .from(self.from.clone())
            .subject(subject)
            .message_id(Some(self.message_id(message)));
        let mail = self.to.iter().fold(mail, |mail, to| mail.to(to.clone()));
        mail.header(AutoSubmitted).header(ContentType::TEXT_PLAIN).body(body)
    }

    /// The same for the same key: a mail client shows a message that is sent twice once.
    fn message_id(&self, message: &Message) -> String {
        let digest = Sha256::digest(&message.key);
        let name: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        format!("<{name}@{}>", self.from.email.domain())
    }

    fn later(&self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        Error::Later { route: self.route(), after: None, cause: cause.into() }
    }

    fn refused(&self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        Error::Refused { route: self.route(), cause: cause.into() }
    }

    /// Says whether a failure is for good. A bad certificate is not: it is mended at the server, and the word still counts.
    fn sort(&self, error: ServerError) -> Error {
        if error.is_permanent() {
            self.refused(Reply::of(&error))
        } else if error.is_transient() {
            self.later(Reply::of(&error))
        } else if error.is_client() {
            self.refused(error)
        } else if error.is_response() {
            // The library's words would repeat what the server said.
            self.later("it does not answer as a mail server does")
        } else {
            self.later(error)
        }
    }
}

impl fmt::Debug for SmtpNotify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpNotify({})", self.route())
    }
}

#[async_trait]
impl Notify for SmtpNotify {
    fn route(&self) -> String {
        let to: Vec<_> = self.to.iter().map(|mailbox| mailbox.email.to_string()).collect();
        format!("e-mail to {} through {}", to.join(", "), self.host)
    }

    async fn send(&self, message: &Message) -> Result<(), Error> {
        let mail = self.mail(message).map_err(|error| self.refused(error))?;
        // The library's own timeout is one of connecting; a server may also fall silent later.
        match tokio::time::timeout(self.timeout, self.transport.send(mail)).await {
            Ok(Ok(_taken)) => Ok(()),
            Ok(Err(error)) => Err(self.sort(error)),
            Err(_elapsed) => Err(self.later(format!("it did not finish within {:?}", self.timeout))),
        }
    }
}

fn mailbox(text: &str) -> Result<Mailbox, SmtpError> {
    text.parse().map_err(|cause| SmtpError::Address { text: text.to_owned(), cause })
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What a mail server answered, other than yes.
#[derive(Debug, thiserror::Error)]
struct Reply {
    code: u16,
    /// The code of RFC 3463, `5.1.1`, which says more than the first.
    enhanced: Option<String>,
    /// The server's words, where they are about the message.
    words: Option<String>,
}

impl Reply {
    fn of(error: &ServerError) -> Self {
        let code = error.status().map(u16::from).unwrap_or_default();
        let text = error.source().map(ToString::to_string).unwrap_or_default();
        let line = text.lines().next().unwrap_or_default();
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        let enhanced = is_enhanced(first).then(|| first.to_owned());
        let words = if enhanced.is_some() { rest } else { line };
        // Replies to other commands, above all to AUTH, may repeat the command, and with it the password.
        let of_the_message = matches!(code, 450..=452 | 550..=554);
        let words: String = words.chars().filter(|letter| !letter.is_control()).take(200).collect();
        Self { code, enhanced, words: Some(words).filter(|words| of_the_message && !words.is_empty()) }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it answered {}", self.code)?;
        if let Some(enhanced) = &self.enhanced {
            write!(f, " {enhanced}")?;
        }
        match (self.code, &self.words) {
            (_, Some(words)) => write!(f, ": {words}"),
            (530 | 534 | 535 | 538, None) => {
                f.write_str(": it does not accept the user name and the password")
            }
            (_, None) => Ok(()),
        }
    }
}

fn is_enhanced(word: &str) -> bool {
    let parts: Vec<_> = word.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| part.len() <= 3 && part.parse::<u16>().is_ok())
}

/// Tells holiday responders and mailing lists that no person wrote this (RFC 3834).
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn StdError + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests;
