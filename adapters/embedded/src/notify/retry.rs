//! Trying again, ever more slowly, and not for ever.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use doxa_ports::clock::Clock;
use doxa_ports::notify::{Error, Message, Notify};
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

/// How often and how slowly to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// How many attempts there are in all; 0 is taken for 1.
    pub attempts: u32,
    /// The longest wait after the first attempt; it doubles with every further one.
    pub first: Duration,
    /// The longest wait of all. A receiver that asks for a longer one is not tried again here.
    pub longest: Duration,
}

impl Default for Backoff {
    /// Five attempts within two minutes at the most: what lasts longer is for a queue, which outlives the process.
    fn default() -> Self {
        Self { attempts: 5, first: Duration::from_secs(2), longest: Duration::from_secs(60) }
    }
}

/// Tries another way again where it says "later".
///
/// The wait is drawn evenly between nothing and a bound that doubles ("[full jitter]"), so that senders which failed at
/// the same moment do not return at the same moment. What the receiver asks for is the least that is waited; if that is
/// more than [`Backoff::longest`], the error goes to the caller, who can wait for it without holding a task.
///
/// [full jitter]: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
pub struct Retrying<N> {
    inner: N,
    clock: Arc<dyn Clock>,
    backoff: Backoff,
    jitter: Mutex<Rng>,
}

impl<N: Notify> Retrying<N> {
    /// Tries `inner` again, with waits by `clock`.
    pub fn new(inner: N, clock: Arc<dyn Clock>, backoff: Backoff) -> Self {
        Self { inner, clock, backoff, jitter: Mutex::new(Rng::new()) }
    }

    /// How long to wait after this attempt failed; none if it was the last, or the receiver asks for too long a wait.
    fn wait(&self, attempt: u32, asked: Option<Duration>) -> Option<Duration> {
        let Backoff { attempts, first, longest } = self.backoff;
        if attempt >= attempts || asked.is_some_and(|asked| asked > longest) {
            return None;
        }
        let doubled = 2_u32.saturating_pow(attempt - 1);
        let bound = first.saturating_mul(doubled).min(longest);
        let drawn = bound.mul_f64(self.jitter.lock().expect("no code that draws can panic").f64());
        Some(drawn.max(asked.unwrap_or_default()))
    }
}

impl<N: Notify> fmt::Debug for Retrying<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Retrying({})", self.route())
    }
}

#[async_trait]
impl<N: Notify> Notify for Retrying<N> {
    fn route(&self) -> String {
        self.inner.route()
    }

    async fn send(&self, message: &Message) -> Result<(), Error> {
        let mut attempt = 1;
        loop {
            let error = match self.inner.send(message).await {
                Err(error @ Error::Later { .. }) => error,
                taken_or_refused => return taken_or_refused,
            };
            let Error::Later { after, route, cause } = &error else { return Err(error) };
            let Some(wait) = self.wait(attempt, *after) else { return Err(error) };
            tracing::info!(route, attempt, wait_secs = wait.as_secs_f64(), cause = %cause, "sending again later");
            let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
            let until = self.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX);
            self.clock.sleep_until(until).await;
            attempt += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use doxa_ports::clock::SimulatedClock;

    use super::*;

    /// Answers from a list, then takes everything.
    #[derive(Clone)]
    struct Scripted {
        answers: Arc<Mutex<Vec<Error>>>,
        asked: Arc<AtomicUsize>,
    }

    impl Scripted {
        fn new(mut answers: Vec<Error>) -> Self {
            answers.reverse();
            Self { answers: Arc::new(Mutex::new(answers)), asked: Arc::default() }
        }
    }

    #[async_trait]
    impl Notify for Scripted {
        fn route(&self) -> String {
            "scripted".to_owned()
        }

        async fn send(&self, _message: &Message) -> Result<(), Error> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            self.answers.lock().unwrap().pop().map_or(Ok(()), Err)
        }
    }

    fn later(after_secs: Option<u64>) -> Error {
        let after = after_secs.map(Duration::from_secs);
        Error::Later { route: "scripted".to_owned(), after, cause: "busy".into() }
    }

    fn refused() -> Error {
        Error::Refused { route: "scripted".to_owned(), cause: "no such channel".into() }
    }

    const START: Timestamp = Timestamp::UNIX_EPOCH;

    /// Sends once, letting the clock jump from wait to wait; gives the outcome, the attempts and the waits.
    async fn send(answers: Vec<Error>, backoff: Backoff) -> (Result<(), Error>, usize, Vec<Duration>) {
        let (scripted, clock) = (Scripted::new(answers), Arc::new(SimulatedClock::at(START)));
        let retrying = Retrying::new(scripted.clone(), clock.clone(), backoff);
        let message = Message { key: "k".into(), subject: "s".into(), body: "b".into(), link: None };
        let sending = tokio::spawn(async move { retrying.send(&message).await });
        let mut waits = Vec::new();
        while !sending.is_finished() {
            if let Some(wake) = clock.next_wake() {
                waits.push(Duration::try_from(wake.duration_since(clock.now())).unwrap());
                clock.set(wake);
            }
            tokio::task::yield_now().await;
        }
        (sending.await.unwrap(), scripted.asked.load(Ordering::Relaxed), waits)
    }

    const BACKOFF: Backoff =
        Backoff { attempts: 4, first: Duration::from_secs(2), longest: Duration::from_secs(7) };

    #[tokio::test]
    async fn it_tries_again_only_while_that_can_help() {
        let rows = [
            (vec![], "taken", 1),
            (vec![later(None), later(None)], "taken", 3),
            (vec![later(None), refused()], "refused", 2),
            (vec![refused()], "refused", 1),
            (vec![later(None), later(None), later(None), later(None)], "later", 4),
            (vec![later(Some(7))], "taken", 2),
            (vec![later(Some(8))], "later", 1),
        ];
        for (answers, outcome, attempts) in rows {
            let script = format!("{answers:?}");
            let (sent, asked, _) = send(answers, BACKOFF).await;
            let got = match sent {
                Ok(()) => "taken",
                Err(Error::Later { .. }) => "later",
                Err(Error::Refused { .. }) => "refused",
            };
            assert_eq!((got, asked), (outcome, attempts), "{script}");
        }
        let never = Backoff { attempts: 0, ..BACKOFF };
        assert_eq!(send(vec![later(None)], never).await.1, 1);
    }

    #[tokio::test]
    async fn waits_are_drawn_below_a_bound_that_doubles() {
        let mut drawn: [Vec<f64>; 3] = Default::default();
        for _ in 0..200 {
            let (_, _, waits) = send(vec![later(None), later(None), later(None)], BACKOFF).await;
            assert!(waits.len() <= 3);
            if waits.len() == 3 {
                drawn
                    .iter_mut()
                    .zip(&waits)
                    .for_each(|(of_attempt, wait)| of_attempt.push(wait.as_secs_f64()));
            }
        }
        for (of_attempt, bound) in drawn.iter().zip([2.0, 4.0, 7.0]) {
            assert!(of_attempt.iter().all(|wait| *wait <= bound), "{of_attempt:?}");
            // Of 200 even draws, all above a half or all below it has a probability of 2^-199.
            assert!(of_attempt.iter().any(|wait| *wait > bound / 2.0), "{of_attempt:?}");
            assert!(of_attempt.iter().any(|wait| *wait < bound / 2.0), "{of_attempt:?}");
        }
    }

    #[tokio::test]
    async fn what_the_receiver_asks_for_is_the_least() {
        let (_, _, waits) = send(vec![later(Some(5)), later(Some(6))], BACKOFF).await;
        assert_eq!(waits, [Duration::from_secs(5), Duration::from_secs(6)]);
    }
}
