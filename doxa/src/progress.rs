//! How far it is: a bar on a terminal, a line every ten seconds elsewhere, nothing if quiet was asked for.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How much is said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Talk {
    /// Errors only.
    Quiet,
    /// Lines.
    Plain,
    /// Lines, a preview, and bars.
    Terminal,
}

impl Talk {
    /// As much as the place where stderr goes can show.
    pub(crate) fn here() -> Self {
        if std::io::stderr().is_terminal() { Self::Terminal } else { Self::Plain }
    }

    /// Says a line.
    pub(crate) fn say(self, line: &str) {
        if self != Self::Quiet {
            // What cannot be said does not matter to the work.
            let _said = writeln!(std::io::stderr(), "{line}");
        }
    }

    /// Begins to show how many of these bytes are done.
    pub(crate) fn bytes(self, what: String, bytes: u64) -> Progress {
        let bar = (self == Self::Terminal).then(|| bar(&what, bytes));
        Progress { talk: self, what, bytes, bar, state: Mutex::new((0, Instant::now())) }
    }

    /// Begins to show that something goes on.
    pub(crate) fn spinner(self, what: String) -> Option<ProgressBar> {
        (self == Self::Terminal).then(|| {
            let spinner = ProgressBar::new_spinner().with_message(what);
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner
        })
    }
}

fn bar(what: &str, bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    ProgressBar::new(bytes)
        .with_message(what.to_owned())
        .with_style(style.expect("the template is one that indicatif knows"))
}

/// Bytes that are being worked through.
pub(crate) struct Progress {
    talk: Talk,
    what: String,
    bytes: u64,
    bar: Option<ProgressBar>,
    state: Mutex<(u64, Instant)>,
}

impl Progress {
    /// So many more are done.
    pub(crate) fn add(&self, bytes: u64) {
        if let Some(bar) = &self.bar {
            return bar.inc(bytes);
        }
        let mut state = self.state.lock().expect("no code that holds the progress can panic");
        state.0 += bytes;
        if state.1.elapsed() >= Duration::from_secs(10) {
            state.1 = Instant::now();
            self.talk.say(&format!("{}: {} of {} MB", self.what, state.0 >> 20, self.bytes >> 20));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
