//! One delivery: how messages are claimed, and what the holder of a receipt may do with one.

use std::collections::HashSet;
use std::time::Duration;

use futures::future::try_join;
use jiff::Timestamp;

use super::form::{self, Dead, Stored};
use super::over_table::{TableQueue, later};
use super::{Message, Receipt};
use crate::table::{self, Condition, Item, Key, MAX_PAGE, Query, Version, Write};

/// How often a receive may lose the race for the first messages and still try for them again.
const PATIENCE: u32 = 3;

impl TableQueue {
    /// Claims the first messages that are due, and buries those that had their last receive.
    pub(super) async fn claim(&self, max: usize, visibility: Duration) -> Result<Vec<Message>, table::Error> {
        let mut lost = 0;
        loop {
            let now = self.clock.now();
            let found = self.look(now, max, further_on(lost, max)).await?;
            if found.is_empty() {
                return Ok(Vec::new());
            }
            let mut claim = Claim::default();
            for item in found {
                self.add_to(&mut claim, item, now, visibility)?;
            }
            match self.if_held(std::mem::take(&mut claim.writes)).await? {
                None => lost += 1,
                // Only dead letters: what stands behind them is still to be found.
                Some(_) if claim.messages.is_empty() => {}
                Some(versions) => return Ok(claim.received(&versions)),
            }
        }
    }

    /// The first messages that are due, after passing over some.
    async fn look(&self, now: Timestamp, max: usize, skip: usize) -> Result<Vec<Item>, table::Error> {
        let query = |range| Query::all(&self.at.messages).range(range).limit(max + skip);
        let (timed, ready) = (query(form::timed_until(now)), query(form::ready()));
        let (timed, ready) = try_join(self.table.query(&timed), self.table.query(&ready)).await?;
        let mut found = timed.items;
        found.extend(ready.items);
        found.sort_by(|a, b| form::order_of(&a.key).cmp(form::order_of(&b.key)));
        // One that was given back between the two queries stands in both.
        let mut seen = HashSet::new();
        found.retain(|item| seen.insert(form::id_of(&item.key)));
        found.truncate(max + skip);
        let passed_over = skip.min(found.len().saturating_sub(max));
        Ok(found.split_off(passed_over))
    }

    fn add_to(
        &self,
        claim: &mut Claim,
        item: Item,
        now: Timestamp,
        visibility: Duration,
    ) -> Result<(), table::Error> {
        let id = form::id_of(&item.key);
        let mut stored: Stored = item.parse()?;
        if stored.receives >= self.max_receives.get() {
            let reason = format!("received {} times and never acknowledged", stored.receives);
            let dead = Dead::new(stored, now, reason);
            claim.writes.extend(dead.buried(item.key, item.version, self.at.dead_letter(&id))?);
            return Ok(());
        }
        stored.receives += 1;
        let key = self.at.message(later(now, visibility), now, &id);
        claim.writes.extend(stored.moved(item.key, item.version, key.clone())?);
        claim.messages.push((stored, key, claim.writes.len() - 1));
        Ok(())
    }

    /// Gives nothing if the receipt is stale, as do the others below.
    async fn held(&self, receipt: &Receipt) -> Result<Option<(Stored, Key, Version)>, table::Error> {
        let Some((key, version)) = self.at.held_under(receipt) else { return Ok(None) };
        let item = self.table.get(&key).await?.filter(|item| item.version == version);
        item.map(|item| Ok((item.parse()?, item.key, version))).transpose()
    }

    pub(super) async fn extend_held(
        &self,
        receipt: &Receipt,
        visibility: Duration,
    ) -> Result<Option<Receipt>, table::Error> {
        let Some((stored, key, version)) = self.held(receipt).await? else { return Ok(None) };
        let now = self.clock.now();
        let to = self.at.message(later(now, visibility), now, &form::id_of(&key));
        let versions = self.if_held(stored.moved(key, version, to.clone())?).await?;
        let version = versions.into_iter().flatten().flatten().next();
        Ok(version.map(|version| form::receipt(&to, version)))
    }

    pub(super) async fn delete_held(&self, receipt: &Receipt) -> Result<Option<()>, table::Error> {
        let Some((key, version)) = self.at.held_under(receipt) else { return Ok(None) };
        let deleted = self.if_held(vec![Write::delete(key, Condition::Version(version))]).await?;
        Ok(deleted.map(drop))
    }

    pub(super) async fn bury_held(
        &self,
        receipt: &Receipt,
        reason: &str,
    ) -> Result<Option<()>, table::Error> {
        let Some((stored, key, version)) = self.held(receipt).await? else { return Ok(None) };
        let letter = self.at.dead_letter(&form::id_of(&key));
        let dead = Dead::new(stored, self.clock.now(), reason.to_owned());
        Ok(self.if_held(dead.buried(key, version, letter)?).await?.map(drop))
    }
}

/// What one receive is about to do.
#[derive(Default)]
struct Claim {
    writes: Vec<Write>,
    /// The messages, and which write puts each at its new key.
    messages: Vec<(Stored, Key, usize)>,
}

impl Claim {
    fn received(self, versions: &[Option<Version>]) -> Vec<Message> {
        let message = |(stored, key, write): (Stored, Key, usize)| {
            let version = versions[write].expect("a put gives a version");
            stored.received(form::id_of(&key), form::receipt(&key, version))
        };
        self.messages.into_iter().map(message).collect()
    }
}

/// How many messages a receive passes over that has lost the race so often: none at first, then ever more.
fn further_on(lost: u32, max: usize) -> usize {
    let batches = 2_usize.saturating_pow(lost.saturating_sub(PATIENCE)) - 1;
    batches.saturating_mul(max).min(MAX_PAGE - max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losers_look_further_on() {
        let rows =
            [(0, 0), (PATIENCE, 0), (PATIENCE + 1, 10), (PATIENCE + 2, 30), (12, 990), (u32::MAX, 990)];
        for (lost, wanted) in rows {
            assert_eq!(further_on(lost, 10), wanted, "after {lost} losses");
        }
    }
}
