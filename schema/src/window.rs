//! One hour of one channel: what a stage reads, and what it replaces.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ChannelId, ChannelIdError, Hour, HourError};

/// One UTC hour of one channel; its id is `reddit/smartphones@2026-11-21T01`.
///
/// It is the hour of *fetching*. A document carries the time of its own event beside it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window {
    /// The channel.
    pub channel: ChannelId,
    /// The hour in which the channel was read.
    pub hour: Hour,
}

/// Why a text is no window.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// There is no `@` between the channel and the hour.
    #[error("window `{0}` is not of the form source/name@2026-11-21T01")]
    Form(String),
    /// The part before the `@` is no channel.
    #[error(transparent)]
    Channel(#[from] ChannelIdError),
    /// The part after the `@` is no hour.
    #[error(transparent)]
    Hour(#[from] HourError),
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.channel, self.hour)
    }
}

impl FromStr for Window {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (channel, hour) = text.split_once('@').ok_or_else(|| WindowError::Form(text.to_owned()))?;
        Ok(Self { channel: channel.parse()?, hour: hour.parse()? })
    }
}

impl TryFrom<String> for Window {
    type Error = WindowError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Window;
    use crate::Hour;

    #[test]
    fn ids_read_back() {
        let rows = [
            ("reddit/smartphones@2026-11-21T01", "reddit/smartphones@2026-11-21T01"),
            ("reddit/smartphones@2026-11-21T01:00:00Z", "reddit/smartphones@2026-11-21T01"),
            (
                "reddit/smartphones",
                "window `reddit/smartphones` is not of the form source/name@2026-11-21T01",
            ),
            (
                "reddit@2026-11-21T01",
                "channel `reddit` is not of the form source/name, as in reddit/smartphones",
            ),
            ("reddit/a@noon", "`noon` is not an hour of the form 2026-11-21T01 (UTC)"),
        ];
        for (given, wanted) in rows {
            let got = given.parse::<Window>().map_or_else(|error| error.to_string(), String::from);
            assert_eq!(got, wanted, "{given}");
        }
    }

    proptest! {
        #[test]
        fn windows_of_a_channel_stand_in_the_order_of_time(a in 0..253_402_207_200_i64, b in 0..253_402_207_200_i64) {
            let window = |second| {
                let hour = Hour::containing(jiff::Timestamp::from_second(second).unwrap()).unwrap();
                Window { channel: "reddit/smartphones".parse().unwrap(), hour }
            };
            let (earlier, later) = (window(a.min(b)), window(a.max(b)));
            prop_assert!(earlier <= later);
            prop_assert_eq!(earlier.to_string().cmp(&later.to_string()), earlier.cmp(&later));
            prop_assert_eq!(later.to_string().parse::<Window>().unwrap(), later);
        }
    }
}
