//! What looks after a queue: the care of the dead letters, purging, counting.

use super::form::{self, Dead, Stored};
use super::over_table::TableQueue;
use super::{DeadLetter, DeadLetters, MessageId, Stats};
use crate::table::{self, Condition, Item, MAX_WRITES, Query, Write};

impl TableQueue {
    pub(super) async fn list_dead(
        &self,
        after: Option<&MessageId>,
        limit: usize,
    ) -> Result<DeadLetters, table::Error> {
        let query = Query { after: after.map(|id| id.0.clone()), ..Query::all(&self.at.dead).limit(limit) };
        let page = self.table.query(&query).await?;
        let letters: Result<_, _> = page.items.into_iter().map(DeadLetter::try_from).collect();
        Ok(DeadLetters { letters: letters?, next: page.next.map(MessageId) })
    }

    /// Makes a dead letter a message again; gives nothing if there is none.
    pub(super) async fn unbury(&self, id: &MessageId) -> Result<Option<()>, table::Error> {
        let Some(item) = self.table.get(&self.at.dead_letter(id)).await? else { return Ok(None) };
        let Dead { stored, .. } = item.parse()?;
        let now = self.clock.now();
        let to = self.at.message(now, now, id);
        let writes = Stored { receives: 0, ..stored }.moved(item.key, item.version, to)?;
        Ok(self.if_held(writes).await?.map(drop))
    }

    /// Throws a dead letter away; gives nothing if there is none.
    pub(super) async fn delete_dead(&self, id: &MessageId) -> Result<Option<()>, table::Error> {
        let Some(item) = self.table.get(&self.at.dead_letter(id)).await? else { return Ok(None) };
        Ok(self.if_held(vec![delete_unmoved(item)]).await?.map(drop))
    }

    pub(super) async fn purge_all(&self) -> Result<u64, table::Error> {
        let mut purged = 0;
        loop {
            let (taken, slipped) = self.purge_once().await?;
            purged += taken;
            if slipped == 0 {
                return Ok(purged);
            }
        }
    }

    /// Purges page after page. Gives how many messages it took, and how many had moved from where it saw them.
    async fn purge_once(&self) -> Result<(u64, u64), table::Error> {
        let mut query = Query::all(&self.at.messages).limit(MAX_WRITES);
        let (mut taken, mut slipped) = (0, 0);
        loop {
            let page = self.table.query(&query).await?;
            let found = page.items.len() as u64;
            let deleted = self.delete_all_unmoved(page.items).await?;
            taken += deleted;
            slipped += found - deleted;
            match page.next {
                Some(next) => query = query.after(next),
                None => return Ok((taken, slipped)),
            }
        }
    }

    async fn delete_all_unmoved(&self, items: Vec<Item>) -> Result<u64, table::Error> {
        let mut writes: Vec<_> = items.into_iter().map(delete_unmoved).collect();
        while !writes.is_empty() {
            match self.table.transact(writes.clone()).await {
                Ok(_) => break,
                Err(table::Error::Conflict { index, .. }) => drop(writes.remove(index)),
                Err(other) => return Err(other),
            }
        }
        Ok(writes.len() as u64)
    }

    pub(super) async fn count(&self) -> Result<Stats, table::Error> {
        let now = self.clock.now();
        let mut stats = Stats::default();
        self.each(Query::all(&self.at.messages), |item| {
            let stored: Stored = item.parse()?;
            match (form::is_due(&item.key, now), stored.receives) {
                (true, _) => stats.ready += 1,
                (false, 0) => stats.delayed += 1,
                (false, _) => stats.in_flight += 1,
            }
            let oldest = stats.oldest_sent_at.get_or_insert(stored.sent_at);
            *oldest = stored.sent_at.min(*oldest);
            Ok(())
        })
        .await?;
        let mut dead = 0;
        self.each(Query::all(&self.at.dead), |_| {
            dead += 1;
            Ok(())
        })
        .await?;
        Ok(Stats { dead, ..stats })
    }

    /// Every item that a query finds, no more than a page of them in memory.
    async fn each(
        &self,
        mut query: Query,
        mut look_at: impl FnMut(&Item) -> Result<(), table::Error> + Send,
    ) -> Result<(), table::Error> {
        loop {
            let page = self.table.query(&query).await?;
            page.items.iter().try_for_each(&mut look_at)?;
            match page.next {
                Some(next) => query = query.after(next),
                None => return Ok(()),
            }
        }
    }
}

fn delete_unmoved(item: Item) -> Write {
    Write::delete(item.key, Condition::Version(item.version))
}
