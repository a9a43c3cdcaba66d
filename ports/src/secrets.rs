//! What a reference such as `env:NAME` stands for. Settings hold references, never secrets.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// A value that no log, error or `Debug` ever shows.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself: only for the moment of use.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Where a secret is to be found: `env:NAME`, `file:PATH` or `aws-sm:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// The first line of a file.
    File(String),
    /// AWS Secrets Manager.
    AwsSecretsManager(String),
}

/// A text is no reference. The text is not repeated: it may be the secret itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a secret is given by reference, as env:NAME, file:PATH or aws-sm:NAME, not by its value")]
pub struct SecretRefError;

impl FromStr for SecretRef {
    type Err = SecretRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some((_, "")) | None => Err(SecretRefError),
            Some(("env", name)) => Ok(Self::Env(name.to_owned())),
            Some(("file", path)) => Ok(Self::File(path.to_owned())),
            Some(("aws-sm", name)) => Ok(Self::AwsSecretsManager(name.to_owned())),
            Some(_) => Err(SecretRefError),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
            Self::AwsSecretsManager(name) => write!(f, "aws-sm:{name}"),
        }
    }
}

impl TryFrom<String> for SecretRef {
    type Error = SecretRefError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SecretRef> for String {
    fn from(reference: SecretRef) -> Self {
        reference.to_string()
    }
}

/// Why a reference could not be resolved.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is nothing under the reference.
    #[error("there is no secret at `{0}`")]
    NotFound(SecretRef),
    /// This installation cannot follow references of this kind.
    #[error("`{0}` cannot be followed here: this installation has no such secret store")]
    Unsupported(SecretRef),
    /// There is something, but it cannot be read.
    #[error("cannot read the secret at `{reference}`")]
    Unreadable {
        /// The reference.
        reference: SecretRef,
        /// Why.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A place where secrets are kept.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The secret that a reference stands for, read anew at each call, so that a rotated one is seen.
    async fn resolve(&self, reference: &SecretRef) -> Result<Secret, Error>;
}

/// The twin in memory.
#[derive(Default)]
pub struct MemorySecrets(pub BTreeMap<String, Secret>);

#[async_trait]
impl Secrets for MemorySecrets {
    async fn resolve(&self, reference: &SecretRef) -> Result<Secret, Error> {
        let found = self.0.get(&reference.to_string()).cloned();
        found.ok_or_else(|| Error::NotFound(reference.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_parsed_and_never_echoed() {
        for text in ["env:TOKEN", "file:/etc/doxa/token", "aws-sm:reddit_api-XXXX"] {
            assert_eq!(text.parse::<SecretRef>().unwrap().to_string(), text);
        }
        for text in ["hunter2", "env:", "", "pass:hunter2", "https://hooks.example/T0/B0/hunter2"] {
            let error = text.parse::<SecretRef>().unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert!(!format!("{:?}", Secret::new("hunter2")).contains("hunter2"));
    }
}
