//! What monitoring concluded of one hour.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::names::{closed, id};
use crate::{Estimate, Hour, Interval, ModelRef, Window};

id! {
    /// The id of a finding.
    FindingId, "finding"
}

/// What one method concluded of one measure, now against then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Its id. The same method looking at the same hour again finds under the same id.
    pub id: FindingId,
    /// The channel, and the hour that was looked at.
    pub window: Window,
    /// The aspect; none for the documents as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect: Option<String>,
    /// What was looked at.
    pub measure: Measure,
    /// The model whose answers were looked at; none for a measure that no model has a part in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelRef>,
    /// The name of the method.
    pub method: String,
    /// How many rows the hour has.
    pub n: u64,
    /// What the hour was compared with.
    pub reference: Reference,
    /// What came of it.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// When it was concluded.
    pub found_at: Timestamp,
}

/// The past that an hour was compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Its first hour.
    pub from: Hour,
    /// The first hour after it.
    pub until: Hour,
    /// How many rows it has.
    pub n: u64,
}

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing that matters has moved.
    Steady(Evidence),
    /// It has moved.
    Drifted(Evidence),
    /// There is no answer, such as with too few rows; that is not the same as steady.
    NotComputable {
        /// Why, in words.
        reason: String,
    },
}

/// The numbers behind a verdict. All are finite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// What the method computed, in its own unit.
    pub statistic: f64,
    /// The interval of the statistic, of methods that have one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Where the method draws its line.
    pub threshold: f64,
    /// The p-value, of a test that is looked at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The evidence against "nothing has moved", which may be looked at as often as one likes: at least `x` happens with
    /// a probability of at most `1/x` where nothing has. What overflows is the largest number there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e_value: Option<f64>,
    /// How much the measure itself changed against the reference, in its own unit: shares in shares, counts in counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Estimate>,
    /// The hour since which it has been so, of methods that can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Hour>,
    /// What was concluded, in a sentence.
    pub explanation: String,
    /// What the change is made of, the largest part first.
    #[serde(default)]
    pub causes: Vec<Cause>,
}

/// A part of a change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cause {
    /// In which way it is a part.
    pub kind: CauseKind,
    /// The channel, aspect or word.
    pub name: String,
    /// How much it adds, in the unit of the change; of a word, its z-score.
    pub contribution: f64,
}

closed! {
    /// What can be looked at.
    pub enum Measure("measure") {
        /// How many documents there are; a silent channel is a finding too.
        Volume = "volume",
        /// The share of negative answers.
        Negative = "negative",
        /// The share of neutral answers.
        Neutral = "neutral",
        /// The share of positive answers.
        Positive = "positive",
        /// The mix of all three answers.
        Label = "label",
        /// The sentiment as a number.
        Sentiment = "sentiment",
        /// The mix of aspects.
        Aspect = "aspect",
        /// The mix of languages.
        Language = "language",
        /// The words.
        Vocabulary = "vocabulary",
        /// How often the model is right.
        Accuracy = "accuracy",
    }
}

closed! {
    /// In which way something is a part of a change.
    pub enum CauseKind("kind of cause") {
        /// It is talked of more, or less.
        Mix = "mix",
        /// It is talked of otherwise.
        Rate = "rate",
        /// A word that has come, or gone.
        Word = "word",
    }
}

impl Finding {
    /// The numbers, if there is an answer.
    #[must_use]
    pub fn evidence(&self) -> Option<&Evidence> {
        match &self.verdict {
            Verdict::Steady(evidence) | Verdict::Drifted(evidence) => Some(evidence),
            Verdict::NotComputable { .. } => None,
        }
    }
}
