//! Every fault, at every call, of every place, from every beginning.

use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use anyhow::{Result, bail};

use super::beginning::{Beginning, Undisturbed};
use super::point::{Fault, Point, Struck};
use super::subject::Subject;
use super::trace::{Seen, in_shadow};

/// More calls at one place than any import makes: a run that reaches it is not getting anywhere.
const MOST_CALLS: usize = 100_000;

/// How often a call that was seen is sought: which thread of a pool does a piece of work differs from run to run.
const ATTEMPTS: usize = 10;

/// What an enumeration found.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) points: usize,
    pub(super) failures: Vec<String>,
    /// Calls that were seen in an undisturbed run and at which no fault could be made to happen.
    pub(super) unreached: Vec<String>,
}

impl Tally {
    pub(super) fn is_clean(&self) -> bool {
        self.points > 0 && self.failures.is_empty() && self.unreached.is_empty()
    }

    fn add(&mut self, other: Self) {
        self.points += other.points;
        self.failures.extend(other.failures);
        self.unreached.extend(other.unreached);
    }
}

/// Puts the subject to everything, below the folder `room`.
pub(super) fn enumerate(subject: &Subject, room: &Path) -> Result<Tally> {
    let mut tally = Tally::default();
    let mut traces = Vec::new();
    for beginning in Beginning::all(subject, room)? {
        let began = Instant::now();
        let undisturbed = Undisturbed::new(subject, &beginning, &room.join("undisturbed"))?;
        let mut line = format!("  from {}:", beginning.name());
        for fault in Fault::ALL {
            let found = every_place(subject, &undisturbed, room, fault)?;
            line += &format!(" {} {} points, {} failed;", fault.name(), found.points, found.failures.len());
            tally.add(found);
        }
        println!("{line} {} places, {} s", undisturbed.trace.len(), began.elapsed().as_secs());
        traces.push(undisturbed.trace);
    }
    tally.unreached.extend(in_shadow(&traces).into_iter().map(|place| {
        format!("NOT REACHED {} on {}: several threads call it from every beginning", place.call, place.path)
    }));
    Ok(tally)
}

/// Takes one place after another, on all cores.
fn every_place(subject: &Subject, undisturbed: &Undisturbed, room: &Path, fault: Fault) -> Result<Tally> {
    // Where standard error cannot be written, no error can be told: that place can only be killed at.
    let places = undisturbed.trace.iter().filter(|seen| fault == Fault::Kill || seen.place.path != "err");
    let (queue, tally) = (Mutex::new(places), Mutex::new(Tally::default()));
    let work = |worker: usize| -> Result<()> {
        let room = room.join(format!("room-{worker}"));
        loop {
            let next = queue.lock().expect("no worker panics").next();
            let Some(seen) = next else { return Ok(()) };
            let found = every_call(subject, undisturbed, &room, fault, seen)?;
            tally.lock().expect("no worker panics").add(found);
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let work = &work;
        let workers: Vec<_> = (0..workers).map(|worker| scope.spawn(move || work(worker))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no worker panics"))
    })?;
    Ok(tally.into_inner().expect("no worker panics"))
}

/// Lets the fault happen at the first call of a place, the second, and so on until a run ends undisturbed.
fn every_call(
    subject: &Subject,
    undisturbed: &Undisturbed,
    room: &Path,
    fault: Fault,
    seen: &Seen,
) -> Result<Tally> {
    let mut tally = Tally::default();
    let (place, within_reach) = (&seen.place, seen.within_reach());
    for number in 1..MOST_CALLS {
        let point = Point { fault, place, number, room };
        let strike = || {
            undisturbed.beginning.lay(room)?;
            point.strike(subject, undisturbed)
        };
        let attempts = if number <= within_reach { ATTEMPTS } else { 1 };
        let struck = (0..attempts).map(|_| strike()).find(|struck| !matches!(struck, Ok(Struck::Not)));
        match struck {
            None => {
                if tally.points < within_reach {
                    let (fault, reached) = (fault.name(), tally.points);
                    let what =
                        format!("{reached} of {within_reach} calls, from {}", undisturbed.beginning.name());
                    tally
                        .unreached
                        .push(format!("NOT REACHED {fault} {} on {}: {what}", place.call, place.path));
                }
                return Ok(tally);
            }
            Some(Ok(_)) => {}
            Some(Err(broken)) => tally.failures.push(point.report(subject, undisturbed, &broken)),
        }
        tally.points += 1;
    }
    bail!("no end of calls to {} on {}", place.call, place.path)
}
