//! A human answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::names::{closed, id};
use crate::{ModelRef, Polarity, Span, Window};

id! {
    /// The id of a label.
    LabelId, "label"
}

/// A human answer for one text, or for what it says of one aspect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Label {
    /// Its id. Feedback that is sent twice comes under the same id.
    pub id: LabelId,
    /// The document that was judged; none for a text that came from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<DocumentRef>,
    /// The text as the annotator saw it, which a later edit of the document does not change.
    pub text: String,
    /// The aspect that the answer is about; none for the text as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aspect: Option<LabelledAspect>,
    /// The answer.
    pub answer: Polarity,
    /// What a model had answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicted: Option<Polarity>,
    /// The model that had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelRef>,
    /// Who answered.
    pub annotator: String,
    /// How the text came to be asked about.
    pub selection: Selection,
    /// How probable it was that just this one would be asked about, in `(0, 1]`: the weight of the answer is its inverse.
    /// None where nobody can tell; such an answer counts for training, never for a share or an accuracy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// When it was answered.
    pub at: Timestamp,
}

/// Which document of which window.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DocumentRef {
    /// The window in which it was fetched.
    pub window: Window,
    /// Its id within the channel.
    pub id: String,
}

/// The aspect that an answer is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelledAspect {
    /// The name that all words for the same thing share.
    pub aspect: String,
    /// Where the text names it.
    pub span: Span,
}

closed! {
    /// How a text came to be asked about, which decides what its answer may be used for.
    pub enum Selection("selection") {
        /// Drawn at random: the only answers that an accuracy or a corrected share may rest on.
        Random = "random",
        /// The model was not sure.
        Uncertain = "uncertain",
        /// Two models, or two annotators, did not agree.
        Disagreement = "disagreement",
        /// It is of a slice that has drifted.
        Drift = "drift",
        /// Somebody saw the model's answer and corrected or confirmed it.
        Override = "override",
    }
}
