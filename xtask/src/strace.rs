//! `strace`, as the chores call it: every thread and child, quiet, into a log.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Begins a command line to which filters and the traced program are added.
///
/// `--seccomp-bpf` is left out, for all it would save: at the stops that it makes, strace 6.1 silently drops the signals
/// it was told to inject.
pub(crate) fn strace(log: &Path) -> Command {
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "signal=none", "-o"]).arg(log);
    command
}

/// The sum of the times in a log that was written with `-T`, where each line ends in `<0.000123>`.
pub(crate) fn time_in_calls(log: &str) -> Duration {
    let seconds =
        log.lines().filter_map(|line| line.strip_suffix('>')?.rsplit_once('<')?.1.parse::<f64>().ok());
    Duration::from_secs_f64(seconds.sum())
}

#[cfg(test)]
mod tests {
    use super::time_in_calls;

    #[test]
    fn times_are_added_up() {
        let log = "7 fsync(3)           = 0 <0.250000>\n\
                   8 fdatasync(9 <unfinished ...>\n\
                   8 <... fdatasync resumed>) = 0 <0.500000>\n";
        assert_eq!(time_in_calls(log).as_millis(), 750);
    }
}
