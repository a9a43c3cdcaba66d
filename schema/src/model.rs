//! A model of the registry, and how every number names the one it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
pub use semver::Version;
use serde::{Deserialize, Serialize};

use crate::names::{check_id, closed};
use crate::{Estimate, IdError, Sha256};

/// One version of one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Its name and version. What stands under them never changes: another artifact is another version.
    pub model: ModelRef,
    /// How it works.
    pub family: Family,
    /// Where its files lie in the lake: `models/{name}/{version}/…`.
    pub artifact: String,
    /// What was measured of it, by the name of the measure.
    #[serde(default)]
    pub metrics: BTreeMap<String, Metric>,
    /// The digest of the data set it was trained on; none for one that was not trained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_set: Option<Sha256>,
    /// The languages of that data set, as BCP 47 tags; on a text in another one its answer is a guess.
    #[serde(default)]
    pub languages: Vec<String>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// The role it plays, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<Alias>,
}

/// A measured number, and on how many it was measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// The number.
    #[serde(flatten)]
    pub estimate: Estimate,
    /// Of how many answers.
    pub n: u64,
}

closed! {
    /// How a model works.
    pub enum Family("model family") {
        /// Rules over a list of words; the baseline that is always there.
        Lexicon = "lexicon",
        /// Hashed n-grams with weights, trained in seconds.
        Linear = "linear",
        /// A transformer from an ONNX file.
        Encoder = "encoder",
        /// Another program's, asked over HTTP.
        Remote = "remote",
    }
}

closed! {
    /// A role that one version of a model plays; at most one version plays each.
    pub enum Alias("alias") {
        /// Its answers are the ones that are shown.
        Champion = "champion",
        /// It answers beside the champion until the gate has seen enough.
        Challenger = "challenger",
    }
}

/// Which version of which model, `name@version`: what every number carries that a model had a part in.
///
/// The name is of `a-z 0-9 . _ -`, a letter or digit first, so that it can stand in a path and in a key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelRef {
    name: Arc<str>,
    version: Version,
}

/// Why a text names no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelRefError {
    /// There is no `@` between the name and the version.
    #[error("model `{0}` is not of the form name@1.2.3")]
    Form(String),
    /// The name has letters that file systems may confuse.
    #[error("the model name `{0}` has an upper-case letter in it")]
    UpperCase(String),
    /// The part before the `@` is no name.
    #[error(transparent)]
    Name(#[from] IdError),
    /// The part after the `@` is no version.
    #[error("`{version}` is no version of the form 1.2.3")]
    Version {
        /// The text as given.
        version: String,
        /// What is wrong with it.
        #[source]
        cause: semver::Error,
    },
}

impl ModelRef {
    /// One version of the model of this name.
    ///
    /// # Errors
    /// If the name cannot stand in a path.
    pub fn new(name: &str, version: Version) -> Result<Self, ModelRefError> {
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(ModelRefError::UpperCase(name.to_owned()));
        }
        Ok(Self { name: check_id("model", name)?, version })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> &Version {
        &self.version
    }
}

impl FromStr for ModelRef {
    type Err = ModelRefError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, version) = text.split_once('@').ok_or_else(|| ModelRefError::Form(text.to_owned()))?;
        let parsed = version.parse();
        let version =
            parsed.map_err(|cause| ModelRefError::Version { version: version.to_owned(), cause })?;
        Self::new(name, version)
    }
}

impl TryFrom<String> for ModelRef {
    type Error = ModelRefError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ModelRef> for String {
    fn from(model: ModelRef) -> Self {
        model.to_string()
    }
}

impl fmt::Display for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

impl fmt::Debug for ModelRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ModelRef({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::ModelRef;

    #[test]
    fn references_read_back_or_say_why_not() {
        let rows = [
            ("sentiment-en@1.2.0", "sentiment-en@1.2.0"),
            ("a.b_c@2.0.0-rc.1+linux", "a.b_c@2.0.0-rc.1+linux"),
            ("sentiment-en", "model `sentiment-en` is not of the form name@1.2.3"),
            ("sentiment-en@1.2", "`1.2` is no version of the form 1.2.3"),
            ("sentiment-en@01.2.0", "`01.2.0` is no version of the form 1.2.3"),
            ("Sentiment@1.0.0", "the model name `Sentiment` has an upper-case letter in it"),
            (
                "../x@1.0.0",
                "`../x` is no model id: it has 1 to 128 of a-z, A-Z, 0-9, `.`, `_` and `-`, a letter or digit first",
            ),
            ("m@1.0.0/../../x", "`1.0.0/../../x` is no version of the form 1.2.3"),
        ];
        for (given, wanted) in rows {
            let got = given.parse::<ModelRef>().map_or_else(|error| error.to_string(), String::from);
            assert_eq!(got, wanted, "{given}");
        }
    }

    #[test]
    fn versions_stand_in_the_order_of_releases() {
        let mut models = ["m@1.10.0", "m@1.9.0", "m@2.0.0-rc.1", "m@2.0.0", "a@9.0.0"]
            .map(|m| m.parse::<ModelRef>().unwrap());
        models.sort();
        assert_eq!(models.map(String::from), ["a@9.0.0", "m@1.9.0", "m@1.10.0", "m@2.0.0-rc.1", "m@2.0.0"]);
    }
}
