//! Files that nobody sees: noted before they come to be and when they are replaced, so that none is ever forgotten.

use doxa_schema::{Record, Window};
use futures::TryStreamExt;
use jiff::{SignedDuration, Timestamp};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use super::{Commit, Error, Lake, STAGING, commit_key, object_error};
use crate::table::{Condition, Key, Query, Version, Write};

const PARTITION: &str = "lake/garbage";

/// Why a file is noted: it is about to be committed, or it no longer is.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    /// The table and the window whose commit may name the file; none for a raw object.
    table: Option<String>,
    window: Window,
    since: Timestamp,
    /// Somebody is deleting it: the name must not be used now.
    #[serde(default)]
    sweeping: bool,
}

fn note_key(object: &str) -> Key {
    Key::new(PARTITION, object)
}

impl Lake {
    /// Says that a file is about to come to be. Its commit takes the note away again.
    pub(super) async fn intend(
        &self,
        object: &str,
        table: Option<&str>,
        window: &Window,
    ) -> Result<(Key, Version), Error> {
        let key = note_key(object);
        let condition = match self.table.get(&key).await? {
            None => Condition::Absent,
            // An earlier writer died between its note and its commit; the name is ours now.
            Some(item) if !item.parse::<Note>()?.sweeping => Condition::Version(item.version),
            Some(_) => return Err(Error::Replaced(object.to_owned())),
        };
        let version = self.table.put(key.clone(), &self.note(table, window), condition).await?;
        Ok((key, version))
    }

    pub(super) fn garbage_note(&self, object: &str, table: &str, window: &Window) -> Result<Write, Error> {
        Ok(Write::put(note_key(object), &self.note(Some(table), window), Condition::Any)?)
    }

    fn note(&self, table: Option<&str>, window: &Window) -> Note {
        Note {
            table: table.map(str::to_owned),
            window: window.clone(),
            since: self.clock.now(),
            sweeping: false,
        }
    }

    /// Deletes a file that was noted, and then the note.
    pub(super) async fn delete_garbage(&self, object: &str) -> Result<(), Error> {
        self.delete_object(object).await?;
        self.table.delete(note_key(object), Condition::Any).await?;
        Ok(())
    }

    /// Removes what crashed writers left behind: uploads that never ended, and files noted at least `age` ago that no
    /// commit names. Gives the number of objects removed.
    ///
    /// Uploads in `staging/` are removed only with an age of zero: then the caller vouches, by a lock, that nobody writes.
    ///
    /// After a crash: what was not removed yet is found by the next sweep.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn sweep(&self, age: SignedDuration) -> Result<u64, Error> {
        let mut removed = 0;
        if age.is_zero() {
            removed += self.sweep_staging().await?;
        }
        let before = self.clock.now().saturating_sub(age).unwrap_or(Timestamp::MIN);
        for item in self.table.query_all(Query::all(PARTITION)).await? {
            let note: Note = item.parse()?;
            if note.since > before && !age.is_zero() {
                continue;
            }
            let object = &item.key.sort;
            if self.is_committed(object, &note).await? {
                self.table.delete(item.key, Condition::Version(item.version)).await?;
                continue;
            }
            let sweeping = Note { sweeping: true, ..note };
            self.table.put(item.key.clone(), &sweeping, Condition::Version(item.version)).await?;
            self.delete_garbage(object).await?;
            removed += 1;
        }
        Ok(removed)
    }

    async fn sweep_staging(&self) -> Result<u64, Error> {
        let prefix = Path::from(STAGING);
        let left: Vec<_> =
            self.objects.list(Some(&prefix)).try_collect().await.map_err(object_error("list", &prefix))?;
        for meta in &left {
            self.objects.delete(&meta.location).await.map_err(object_error("delete", &meta.location))?;
        }
        Ok(left.len() as u64)
    }

    async fn is_committed(&self, object: &str, note: &Note) -> Result<bool, Error> {
        let Some(table) = &note.table else { return self.is_landed(object, &note.window.channel).await };
        let Some(item) = self.table.get(&commit_key(table, &note.window)).await? else { return Ok(false) };
        Ok(item.parse::<Commit>()?.file.is_some_and(|file| file.key == object))
    }

    /// Whether a file of a table is what its commit says, byte for byte.
    ///
    /// # Errors
    /// [`Error::Damaged`] if it is not, or the store's error if it cannot be read.
    pub async fn verify<R: Record>(&self, commit: &Commit) -> Result<(), Error> {
        let Some(file) = &commit.file else { return Ok(()) };
        let digest = self.digest_of(&file.key).await?;
        if digest == file.sha256 { Ok(()) } else { Err(Error::Damaged { key: file.key.clone() }) }
    }
}
