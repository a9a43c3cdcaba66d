//! The same comment, fetched again: of documents with the same id, the one fetched later is the truth.
//!
//! An id is known by 96 bits of its SHA-256, so that a million of them cost some thirty megabytes, and so that nobody can
//! make up two ids that fall together.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use doxa_schema::Document;
use sha2::{Digest, Sha256};

/// An id, by its digest.
type IdDigest = [u8; 12];

fn id_digest(id: &str) -> IdDigest {
    let mut digest = [0; 12];
    digest.copy_from_slice(&Sha256::digest(id)[..12]);
    digest
}

/// What a document says besides where it came from: equal for two fetches of an unchanged comment.
fn signature<S: AsRef<str>>(document: &Document<S>) -> u64 {
    let mut hasher = Sha256::new();
    let texts = [
        Some(&document.text),
        document.author.as_ref(),
        document.language.as_ref(),
        document.parent.as_ref(),
        document.thread.as_ref(),
    ];
    for text in texts {
        // With its length before it, so that no two lists of texts look alike.
        let text = text.map(AsRef::as_ref);
        hasher.update(text.map_or(u64::MAX, |text| text.len() as u64).to_le_bytes());
        hasher.update(text.unwrap_or_default());
    }
    let numbers =
        [document.created_at.map(jiff::Timestamp::as_microsecond), document.likes, document.replies];
    for number in numbers {
        hasher.update([u8::from(number.is_some())]);
        hasher.update(number.unwrap_or_default().to_le_bytes());
    }
    u64::from_le_bytes(hasher.finalize()[..8].try_into().expect("a digest has 8 bytes and more"))
}

/// The documents of earlier windows, by id: what they said when they were last fetched.
#[derive(Default)]
pub(crate) struct Known(HashMap<IdDigest, u64>);

/// What an earlier window says about a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing.
    New,
    /// The same.
    Unchanged,
    /// Something else.
    Changed,
}

impl Known {
    /// Remembers a document; one fetched later takes the place of one fetched earlier.
    pub(crate) fn remember<S: AsRef<str>>(&mut self, document: &Document<S>) {
        self.0.insert(id_digest(document.id.as_ref()), signature(document));
    }

    pub(crate) fn compare<S: AsRef<str>>(&self, document: &Document<S>) -> Before {
        if self.0.is_empty() {
            return Before::New;
        }
        match self.0.get(&id_digest(document.id.as_ref())) {
            None => Before::New,
            Some(known) if *known == signature(document) => Before::Unchanged,
            Some(_) => Before::Changed,
        }
    }
}

/// The ids of the window that is being read: finds the rows that a later row of the same id takes the place of.
#[derive(Default)]
pub(crate) struct Seen {
    last: HashMap<IdDigest, u32>,
    superseded: HashSet<u32>,
}

impl Seen {
    /// Takes note of the id in the row of this ordinal.
    pub(crate) fn note(&mut self, id: &str, ordinal: u32) {
        if let Some(earlier) = self.last.insert(id_digest(id), ordinal) {
            self.superseded.insert(earlier);
        }
    }

    /// Whether some row is superseded.
    pub(crate) fn any(&self) -> bool {
        !self.superseded.is_empty()
    }

    /// The ordinals of the rows that later rows took the place of.
    pub(crate) fn into_superseded(self) -> HashSet<u32> {
        self.superseded
    }
}

/// Ids for rows that have none: from what the row says, so that the same comment in a later export has the same id.
#[derive(Default)]
pub(crate) struct DerivedIds(HashMap<IdDigest, u32>);

impl DerivedIds {
    /// Gives the document an id if it has none. Rows that say the very same thing are told apart by counting them: two
    /// people may both write "nice".
    pub(crate) fn fill(&mut self, document: &mut Document<Cow<'_, str>>) {
        if !document.id.is_empty() {
            return;
        }
        let author = document.author.as_deref().unwrap_or_default();
        let created_at = document.created_at.map_or(i64::MIN, jiff::Timestamp::as_microsecond);
        let content = format!("{author}\0{created_at}\0{}", document.text);
        let digest = id_digest(&content);
        let count = self.0.entry(digest).or_default();
        *count += 1;
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        document.id = Cow::Owned(if *count == 1 { format!("h-{hex}") } else { format!("h-{hex}-{count}") });
    }
}
