//! What became of the files.

use doxa_normalise::run as normalise;
use doxa_schema::Window;
use serde::Serialize;

use crate::failure::{Exit, Failure};
use crate::output::{Output, grouped};
use crate::progress::Talk;

/// What became of all files.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) imported: Vec<Imported>,
    pub(crate) refused: Vec<Refused>,
}

/// What became of a window.
#[derive(Serialize)]
pub(crate) struct Imported {
    pub(crate) window: Window,
    pub(crate) files: Vec<String>,
    pub(crate) change: Change,
    #[serde(flatten)]
    pub(crate) counts: normalise::Report,
}

/// What became of what the window had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// There was nothing.
    New,
    /// It was read again, together with what is new.
    Replaced,
    /// There was nothing new.
    None,
}

/// A file that was not imported, and why.
pub(crate) struct Refused {
    pub(crate) file: String,
    pub(crate) failure: Failure,
}

impl Report {
    pub(crate) fn exit(&self) -> Exit {
        let rejects = self.imported.iter().any(|window| window.counts.rejected() > 0);
        match (self.imported.is_empty(), self.refused.is_empty()) {
            (true, false) => Exit::Failed,
            (false, false) => Exit::Partial,
            (_, true) if rejects => Exit::Partial,
            (_, true) => Exit::Ok,
        }
    }

    pub(crate) fn print(&self, talk: Talk, output: &mut Output) -> Result<(), Failure> {
        if output.json {
            let refused = self.refused.iter().map(|one| {
                serde_json::json!({ "file": one.file, "error": one.failure.message(), "help": one.failure.helps() })
            });
            let refused: Vec<_> = refused.collect();
            return output.object(&serde_json::json!({ "windows": self.imported, "refused": refused }));
        }
        for window in &self.imported {
            window.print(output)?;
        }
        for refused in &self.refused {
            output.tell(&refused.failure);
        }
        if let Some(first) = self.imported.first() {
            output.end()?;
            talk.say(&format!("next: doxa documents --channel {}", first.window.channel));
        }
        Ok(())
    }
}

impl Imported {
    fn print(&self, output: &mut Output) -> Result<(), Failure> {
        output.line(&format!("{}  from {}", self.window, self.files.join(", ")))?;
        if self.change == Change::None {
            return output.line("  no change: these bytes were imported before");
        }
        let counts = &self.counts;
        output.line(&format!("  {} rows → {} documents", grouped(counts.rows), grouped(counts.documents)))?;
        let others = [
            (counts.repeated, "repeated an id; of such rows the last one counts"),
            (counts.unchanged, "said what an earlier window has already"),
            (counts.updated, "are newer versions of what an earlier window has"),
        ];
        for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
            output.line(&format!("  {} {what}", grouped(count)))?;
        }
        if counts.rejected() > 0 {
            let codes: Vec<_> =
                counts.rejects.iter().map(|(code, count)| format!("{} {code}", grouped(*count))).collect();
            let channel = &self.window.channel;
            output.line(&format!("  {} rejected: {}", grouped(counts.rejected()), codes.join(", ")))?;
            output.line(&format!("  see them: doxa documents --rejects --channel {channel}"))?;
        }
        Ok(())
    }
}
