//! A followed stream: `source/name`, as in `reddit/smartphones` or `class/ms7a`.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest source and the longest name: both become parts of file names and of object keys.
const MAX_PART: usize = 128;

/// The id of a followed stream, `source/name`.
///
/// Both parts are of `a-z 0-9 . _ -` and begin with a letter or a digit, so that an id can stand in a path, a key and a
/// URL as it is. Names are case-insensitive, as Reddit's and TikTok's are: parsing folds to lower case, and two ids are
/// one channel exactly if they are equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChannelId(Arc<str>);

/// Why a text is no channel id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChannelIdError {
    /// There is no `/`, or more than one.
    #[error("channel `{0}` is not of the form source/name, as in reddit/smartphones")]
    Form(String),
    /// The source or the name is empty or too long.
    #[error("channel `{0}`: the source and the name must have 1 to {MAX_PART} characters each")]
    Length(String),
    /// A character that cannot stand in a key.
    #[error(
        "channel `{id}` has `{character}` in it; a-z, 0-9, `.`, `_` and `-` may be used, a letter or digit first"
    )]
    Character {
        /// The text as given.
        id: String,
        /// The first character that is not allowed where it stands.
        character: char,
    },
}

impl ChannelId {
    /// Makes an id of a source and any text, such as a file's name: what cannot stand in an id becomes `-`.
    ///
    /// # Errors
    /// If the source is no source, or nothing of the text can stand in an id.
    pub fn from_label(source: &str, label: &str) -> Result<Self, ChannelIdError> {
        let mut name = String::new();
        for character in label.chars().flat_map(char::to_lowercase) {
            match character {
                'a'..='z' | '0'..='9' => name.push(character),
                '.' | '_' if !name.is_empty() => name.push(character),
                _ if !name.is_empty() && !name.ends_with('-') => name.push('-'),
                _ => {}
            }
        }
        name.truncate(MAX_PART);
        format!("{source}/{}", name.trim_end_matches(['-', '.', '_'])).parse()
    }

    /// The source: `reddit` of `reddit/smartphones`.
    #[must_use]
    pub fn source(&self) -> &str {
        self.0.split_once('/').expect("an id has a slash: it was parsed").0
    }

    /// The name within the source: `smartphones` of `reddit/smartphones`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once('/').expect("an id has a slash: it was parsed").1
    }

    /// The whole id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_part(id: &str, part: &str) -> Result<(), ChannelIdError> {
    if part.is_empty() || part.len() > MAX_PART {
        return Err(ChannelIdError::Length(id.to_owned()));
    }
    let allowed = |(at, character): (usize, char)| match character {
        'a'..='z' | '0'..='9' => true,
        '.' | '_' | '-' => at > 0,
        _ => false,
    };
    match part.char_indices().find(|&at| !allowed(at)) {
        Some((_, character)) => Err(ChannelIdError::Character { id: id.to_owned(), character }),
        None => Ok(()),
    }
}

impl FromStr for ChannelId {
    type Err = ChannelIdError;

    fn from_str(id: &str) -> Result<Self, Self::Err> {
        let folded = id.to_ascii_lowercase();
        let (source, name) = folded.split_once('/').ok_or_else(|| ChannelIdError::Form(id.to_owned()))?;
        if name.contains('/') {
            return Err(ChannelIdError::Form(id.to_owned()));
        }
        check_part(id, source)?;
        check_part(id, name)?;
        Ok(Self(folded.into()))
    }
}

impl TryFrom<String> for ChannelId {
    type Error = ChannelIdError;

    fn try_from(id: String) -> Result<Self, Self::Error> {
        id.parse()
    }
}

impl From<ChannelId> for String {
    fn from(id: ChannelId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelId({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::ChannelId;

    #[test]
    fn ids_are_parsed_or_refused_with_the_reason() {
        let rows = [
            ("reddit/smartphones", "reddit/smartphones"),
            ("Reddit/SmartPhones", "reddit/smartphones"),
            ("tiktok/7226101187500723498", "tiktok/7226101187500723498"),
            ("class/ms-7a.b_c", "class/ms-7a.b_c"),
            ("smartphones", "channel `smartphones` is not of the form source/name, as in reddit/smartphones"),
            ("a/b/c", "channel `a/b/c` is not of the form source/name, as in reddit/smartphones"),
            ("a/", "channel `a/`: the source and the name must have 1 to 128 characters each"),
            ("a/../b", "channel `a/../b` is not of the form source/name, as in reddit/smartphones"),
            (
                "a/..",
                "channel `a/..` has `.` in it; a-z, 0-9, `.`, `_` and `-` may be used, a letter or digit first",
            ),
            (
                "a/käse",
                "channel `a/käse` has `ä` in it; a-z, 0-9, `.`, `_` and `-` may be used, a letter or digit first",
            ),
        ];
        for (given, wanted) in rows {
            let got = given.parse::<ChannelId>().map_or_else(|error| error.to_string(), String::from);
            assert_eq!(got, wanted, "{given}");
        }
    }

    #[test]
    fn labels_become_names() {
        let rows = [
            ("comments", "file/comments"),
            ("My Comments (final)", "file/my-comments-final"),
            ("..hidden", "file/hidden"),
            ("2023_04_26_01", "file/2023_04_26_01"),
            ("Größe", "file/gr-e"),
        ];
        for (label, wanted) in rows {
            assert_eq!(ChannelId::from_label("file", label).unwrap().as_str(), wanted, "{label}");
        }
        assert!(ChannelId::from_label("file", "日本").is_err());
    }
}
