//! What time it is, and waiting. Nothing above the adapters reads the system's clock.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;

/// The time, and a way to wait for it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// The present moment. It may go backwards when the machine's clock is set.
    fn now(&self) -> Timestamp;

    /// Returns once `now` is at or past `moment`; at once if it is already.
    async fn sleep_until(&self, moment: Timestamp);
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    async fn sleep_until(&self, moment: Timestamp) {
        // Looked at again every minute: a laptop that was asleep, or a clock that was set, moves the wall clock but not
        // the timer.
        loop {
            let left = moment.duration_since(self.now());
            let Ok(left) = Duration::try_from(left) else { return };
            if left.is_zero() {
                return;
            }
            tokio::time::sleep(left.min(Duration::from_secs(60))).await;
        }
    }
}

/// A clock that stands still until it is told to move; the twin for tests and replays.
pub struct SimulatedClock {
    state: Mutex<Simulated>,
}

struct Simulated {
    now: Timestamp,
    // By moment, then by order of arrival, so that sleepers wake in the order of their times.
    sleepers: BTreeMap<(Timestamp, u64), oneshot::Sender<()>>,
    arrivals: u64,
}

impl SimulatedClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self { state: Mutex::new(Simulated { now, sleepers: BTreeMap::new(), arrivals: 0 }) }
    }

    /// Moves the clock by a span, waking who slept until then; a negative span sets it back and wakes nobody.
    pub fn advance(&self, span: SignedDuration) {
        let now = self.now();
        self.set(now.saturating_add(span).unwrap_or(now));
    }

    /// Sets the clock, waking who slept until then.
    pub fn set(&self, now: Timestamp) {
        let mut state = self.lock();
        state.now = now;
        while let Some(sleeper) = state.sleepers.first_entry()
            && sleeper.key().0 <= now
        {
            // A sleeper that was dropped in the meantime needs no waking.
            let _gone = sleeper.remove().send(());
        }
    }

    /// The earliest moment that somebody sleeps until: where a simulation may jump to.
    #[must_use]
    pub fn next_wake(&self) -> Option<Timestamp> {
        let mut state = self.lock();
        state.sleepers.retain(|_, sleeper| !sleeper.is_closed());
        state.sleepers.first_key_value().map(|((moment, _), _)| *moment)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Simulated> {
        self.state.lock().expect("no code that holds the clock can panic")
    }
}

#[async_trait]
impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    async fn sleep_until(&self, moment: Timestamp) {
        let woken = {
            let mut state = self.lock();
            if state.now >= moment {
                return;
            }
            let (sender, receiver) = oneshot::channel();
            state.arrivals += 1;
            let arrival = state.arrivals;
            state.sleepers.insert((moment, arrival), sender);
            receiver
        };
        // An error means that the clock itself is gone, and with it every reason to wait.
        let _woken_or_gone = woken.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[tokio::test]
    async fn sleepers_wake_when_their_time_has_come() {
        let start: Timestamp = "2026-11-21T01:00:00Z".parse().unwrap();
        let clock = Arc::new(SimulatedClock::at(start));
        let sleep = |secs: i64| {
            let clock = clock.clone();
            tokio::spawn(async move { clock.sleep_until(start + SignedDuration::from_secs(secs)).await })
        };
        let (short, long) = (sleep(10), sleep(3600));
        while clock.lock().sleepers.len() < 2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(clock.next_wake(), Some(start + SignedDuration::from_secs(10)));
        clock.advance(SignedDuration::from_secs(-60));
        clock.advance(SignedDuration::from_secs(60 + 59));
        short.await.unwrap();
        assert!(!long.is_finished());
        clock.set(start + SignedDuration::from_secs(3600));
        long.await.unwrap();
        clock.sleep_until(start).await;
        assert_eq!(clock.next_wake(), None);
    }
}
