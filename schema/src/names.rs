//! Closed sets and ids: what has a name that stays, on disk, on the wire and in a URL.

use std::sync::Arc;

/// A name that a closed set does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is no {what}: one of {known}")]
pub struct NameError {
    what: &'static str,
    given: String,
    known: String,
}

impl NameError {
    pub(crate) fn new(what: &'static str, given: &str, known: &[&str]) -> Self {
        Self { what, given: given.to_owned(), known: known.join(", ") }
    }
}

/// Why a text is no id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{given}` is no {what} id: it has 1 to {MAX_ID} of a-z, A-Z, 0-9, `.`, `_` and `-`, a letter or digit first"
)]
pub struct IdError {
    what: &'static str,
    given: String,
}

/// The longest id: it becomes part of file names and of object keys.
const MAX_ID: usize = 128;

pub(crate) fn check_id(what: &'static str, given: &str) -> Result<Arc<str>, IdError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    let first = given.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    if first && given.len() <= MAX_ID && given.bytes().all(allowed) {
        return Ok(given.into());
    }
    Err(IdError { what, given: given.to_owned() })
}

/// Declares a closed set, each member with the one name that it has on disk, on the wire and on the page.
macro_rules! closed {
    (
        $(#[$about:meta])*
        pub enum $Set:ident ($what:literal) {
            $( $(#[$member_about:meta])* $Member:ident = $name:literal, )+
        }
    ) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
        )]
        pub enum $Set {
            $( $(#[$member_about])* #[serde(rename = $name)] $Member, )+
        }

        impl $Set {
            /// Every member, in order.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$Member),+];

            /// The name that stays.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $( Self::$Member => $name, )+
                }
            }
        }

        impl std::fmt::Display for $Set {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }

        impl std::str::FromStr for $Set {
            type Err = $crate::NameError;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                let member = Self::ALL.into_iter().find(|member| member.name() == name);
                member.ok_or_else(|| $crate::NameError::new($what, name, &[$($name),+]))
            }
        }
    };
}

/// Declares the id of a noun: a short text that can stand in a path, a key and a URL as it is.
macro_rules! id {
    ($(#[$about:meta])* $Id:ident, $what:literal) => {
        $(#[$about])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $Id(std::sync::Arc<str>);

        impl $Id {
            /// The whole id.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $Id {
            type Err = $crate::IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $crate::names::check_id($what, text).map(Self)
            }
        }

        impl TryFrom<String> for $Id {
            type Error = $crate::IdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$Id> for String {
            fn from(id: $Id) -> Self {
                id.as_str().to_owned()
            }
        }

        impl std::fmt::Display for $Id {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::fmt::Debug for $Id {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($Id), "({})"), self.as_str())
            }
        }
    };
}

pub(crate) use {closed, id};

#[cfg(test)]
mod tests {
    use crate::{JobState, Polarity, RunId};

    #[test]
    fn names_read_back_and_unknown_ones_are_told_the_known() {
        for state in JobState::ALL {
            assert_eq!(state.name().parse(), Ok(state));
            assert_eq!(serde_json::to_value(state).unwrap(), state.name());
        }
        let error = "Positive".parse::<Polarity>().unwrap_err();
        assert_eq!(error.to_string(), "`Positive` is no polarity: one of negative, neutral, positive");
    }

    #[test]
    fn ids_can_stand_in_a_path() {
        for id in ["a", "01JD-7.x_y", "hourly-2026-11-21T01", &"r".repeat(128)] {
            assert_eq!(id.parse::<RunId>().unwrap().as_str(), id);
        }
        for id in ["", "..", "../a", "a/b", "a\\b", "a%2fb", "-a", ".a", "a b", "ä", "a\0", &"r".repeat(129)]
        {
            let error = id.parse::<RunId>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{id}` is no run id")), "{error}");
            assert!(serde_json::from_value::<RunId>(id.into()).is_err(), "{id}");
        }
        assert_eq!(format!("{:?}", "r1".parse::<RunId>().unwrap()), "RunId(r1)");
    }
}
