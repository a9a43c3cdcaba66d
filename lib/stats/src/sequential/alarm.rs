//! From a detector to an alarm: the threshold, and what happens after it was crossed.

use serde::{Deserialize, Serialize};

use crate::error::{Result, in_range};

/// The promise: at most `alpha` chance of any false alarm within `horizon_hours`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Promise {
    /// Chance of any false alarm.
    pub alpha: f64,
    /// Hours for which the chance holds.
    pub horizon_hours: f64,
}

impl Default for Promise {
    fn default() -> Self {
        Self { alpha: 0.05, horizon_hours: 1000.0 }
    }
}

impl Promise {
    /// The threshold that Ville's inequality asks for, as a logarithm.
    pub fn log_threshold(&self) -> Result<f64> {
        in_range(self.alpha > 0.0 && self.alpha < 1.0, "the chance of a false alarm")?;
        in_range(self.horizon_hours >= 1.0, "the horizon")?;
        Ok((self.horizon_hours / self.alpha).ln())
    }
}

/// What happens after an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Stay in alarm until a person decides; the detector sleeps and the old reference stays.
    Freeze,
    /// After so many hours in alarm the new state counts as usual: learn a new baseline and restart the detector.
    Rebaseline {
        /// Hours in alarm.
        after_hours: u32,
    },
}

/// Where a stream stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing to report; feed the detector.
    Watching,
    /// An alarm stands since so many hours; the detector sleeps.
    Alarmed {
        /// Hours since the alarm.
        hours: u32,
    },
}

/// What the caller has to do this hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Nothing.
    Nothing,
    /// Raise the alarm, with the detector's change-point.
    Raise,
    /// Learn a new baseline from the hours since the change-point and restart the detector.
    Rebaseline,
}

/// The alarm of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    log_threshold: f64,
    policy: Policy,
    state: State,
}

impl Alarm {
    /// An alarm that keeps `promise`.
    pub fn new(promise: &Promise, policy: Policy) -> Result<Self> {
        Ok(Self::at(promise.log_threshold()?, policy))
    }

    /// An alarm at a threshold that was raised or calibrated by [`super::replay`].
    pub fn at(log_threshold: f64, policy: Policy) -> Self {
        Self { log_threshold, policy, state: State::Watching }
    }

    /// Takes the detector's logarithm of this hour.
    pub fn step(&mut self, log_m: f64) -> Step {
        let (state, step) = match (self.state, self.policy) {
            (State::Watching, _) if log_m >= self.log_threshold => (State::Alarmed { hours: 0 }, Step::Raise),
            (State::Watching, _) => (State::Watching, Step::Nothing),
            (State::Alarmed { hours }, Policy::Rebaseline { after_hours }) if hours + 1 >= after_hours => {
                (State::Watching, Step::Rebaseline)
            }
            (State::Alarmed { hours }, _) => (State::Alarmed { hours: hours + 1 }, Step::Nothing),
        };
        self.state = state;
        step
    }

    /// Where the stream stands.
    pub fn state(&self) -> State {
        self.state
    }

    /// A person has dealt with the alarm: watch again.
    pub fn release(&mut self) {
        self.state = State::Watching;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(policy: Policy, log_m: &[f64]) -> Vec<Step> {
        let mut alarm = Alarm::new(&Promise::default(), policy).unwrap();
        log_m.iter().map(|&m| alarm.step(m)).collect()
    }

    #[test]
    fn freezes_or_moves_on() {
        let path = [0.0, 9.9, 9.91, 20.0, 20.0, 0.0];
        use Step::{Nothing, Raise, Rebaseline};
        assert_eq!(steps(Policy::Freeze, &path), [Nothing, Nothing, Raise, Nothing, Nothing, Nothing]);
        let moving = steps(Policy::Rebaseline { after_hours: 2 }, &path);
        assert_eq!(moving, [Nothing, Nothing, Raise, Nothing, Rebaseline, Nothing]);
    }

    #[test]
    fn promises_that_cannot_be_kept() {
        assert!(Promise { alpha: 0.0, horizon_hours: 10.0 }.log_threshold().is_err());
        assert!(Promise { alpha: 0.05, horizon_hours: f64::NAN }.log_threshold().is_err());
    }
}
