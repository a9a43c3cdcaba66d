//! How the program ends, and how it says why.

use std::fmt;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what it was asked.
    Ok = 0,
    /// It did not.
    Failed = 1,
    /// It was asked wrongly, or its settings are wrong.
    Usage = 2,
    /// It did some of it: rows were rejected, or files refused.
    Partial = 3,
    /// It was interrupted.
    Interrupted = 130,
}

/// Why it did not do what it was asked: what, why, and what helps.
#[derive(Debug)]
pub(crate) struct Failure {
    cause: anyhow::Error,
    help: Option<String>,
    exit: Exit,
}

impl Failure {
    pub(crate) fn new(cause: anyhow::Error) -> Self {
        let help = known_help(&cause);
        Self { cause, help, exit: Exit::Failed }
    }

    /// What helps: words that can be run.
    pub(crate) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    pub(crate) fn exit(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    pub(crate) fn interrupted() -> Self {
        Self::new(anyhow::anyhow!("interrupted; nothing was changed")).exit(Exit::Interrupted)
    }

    pub(crate) fn code(&self) -> Exit {
        self.exit
    }

    /// An error with its causes, in one line.
    pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
        let causes = std::iter::successors(Some(error), |error| error.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    /// What went wrong, with its causes, in one line.
    pub(crate) fn message(&self) -> String {
        format!("{:#}", self.cause)
    }

    /// What helps, if anything is known to.
    pub(crate) fn helps(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

/// What helps against causes that lie in the machine, wherever they come up.
fn known_help(cause: &anyhow::Error) -> Option<String> {
    cause.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>()).and_then(|error| {
        match error.kind() {
            std::io::ErrorKind::StorageFull => {
                Some("make room on the disk, or choose another with --data-dir".to_owned())
            }
            std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => {
                Some("choose a folder that you may write to with --data-dir".to_owned())
            }
            _ => None,
        }
    })
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(cause: E) -> Self {
        Self::new(cause.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = String::new();
        for (at, cause) in self.cause.chain().enumerate() {
            let words = cause.to_string();
            // A wrapper that only repeats what it wraps says nothing new.
            if at == 0 {
                write!(f, "error: {words}")?;
            } else if !last.contains(&words) {
                write!(f, "\n  cause: {words}")?;
            }
            last = words;
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}
