//! A PostgreSQL server for tests: started when needed, crashed when wanted, gone when the tests are.
//!
//! The server is run by `scripts/with-postgres.sh`, which needs the binaries of a PostgreSQL server and nothing else; it
//! is told what to do through its input, and takes the server away when that ends. So the server goes with the process
//! that started it, however that ends.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

/// The address of a server to be used in place of one of our own.
const VARIABLE: &str = "DOXA_TEST_POSTGRES";

/// A running server.
pub struct Server {
    address: String,
    databases: AtomicU64,
    script: Mutex<Script>,
}

struct Script {
    process: Child,
    // None once the server is on its way out.
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Server {
    /// A server that nobody else uses, so that it may be crashed.
    ///
    /// # Panics
    /// If it does not start; what the script said stands on standard error.
    #[must_use]
    pub fn start() -> Self {
        Self::run(script().env_remove(VARIABLE))
    }

    /// The server that all tests of this process share: that of `DOXA_TEST_POSTGRES`, or one of our own.
    ///
    /// # Panics
    /// As [`Server::start`].
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(|| Self::run(&mut script()))
    }

    fn run(command: &mut Command) -> Self {
        let mut process = command.spawn().expect("the script that starts the server can be run");
        let commands = process.stdin.take();
        let mut answers = BufReader::new(process.stdout.take().expect("the script's output is piped"));
        let address = line(&mut answers);
        let script = Mutex::new(Script { process, commands, answers });
        Self { address, databases: AtomicU64::new(0), script }
    }

    /// The address of a new and empty database.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn database(&self) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("doxa_test_{}_{number}", std::process::id());
        self.tell(&format!("database {name}"));
        with_database(&self.address, &name)
    }

    /// Kills the server, every process of it and with no warning.
    ///
    /// # Panics
    /// If the server is not our own.
    pub fn crash(&self) {
        self.tell("crash");
    }

    /// Starts the server again after a crash, and waits until it has recovered.
    ///
    /// # Panics
    /// If it does not start.
    pub fn restart(&self) {
        self.tell("start");
    }

    /// Stops every process of the server where it stands: connections stay open, and nobody answers.
    ///
    /// # Panics
    /// If the server is not our own.
    pub fn freeze(&self) {
        self.tell("freeze");
    }

    /// Lets a frozen server go on as if nothing had been.
    ///
    /// # Panics
    /// If the server is not our own.
    pub fn thaw(&self) {
        self.tell("thaw");
    }

    fn tell(&self, command: &str) {
        let mut script = self.lock();
        let mut commands = script.commands.as_ref().expect("only `drop` ends the script");
        writeln!(commands, "{command}").expect("the script listens");
        assert_eq!(line(&mut script.answers), "done", "the script was told: {command}");
    }

    fn lock(&self) -> MutexGuard<'_, Script> {
        // A test that panicked over one command does not keep the others from theirs.
        self.script.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut script = self.lock();
        script.commands = None;
        // Waited for, so that the next test finds the machine clean; whether it ended well is not this test's matter.
        let _ended = script.process.wait();
    }
}

fn script() -> Command {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/with-postgres.sh");
    let mut command = Command::new(path);
    command.arg("--control").stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

fn line(answers: &mut impl BufRead) -> String {
    let mut line = String::new();
    let bytes = answers.read_line(&mut line).expect("the script writes text");
    assert_ne!(bytes, 0, "the PostgreSQL server for tests failed; what it said stands above");
    line.trim_end().to_owned()
}

/// The same address with another database.
fn with_database(address: &str, name: &str) -> String {
    let (place, options) = address.split_once('?').unwrap_or((address, ""));
    let host = place.find("://").map_or(0, |scheme| scheme + 3);
    let end = place[host..].find('/').map_or(place.len(), |slash| host + slash);
    let question = if options.is_empty() { "" } else { "?" };
    format!("{}/{name}{question}{options}", &place[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_to_another_database() {
        let rows = [
            (
                "postgres://doxa@localhost:5432/postgres?host=/tmp/x",
                "postgres://doxa@localhost:5432/new?host=/tmp/x",
            ),
            ("postgres://doxa:pass@db.example/postgres", "postgres://doxa:pass@db.example/new"),
            ("postgres://db.example", "postgres://db.example/new"),
            ("postgres:///?host=/tmp/x", "postgres:///new?host=/tmp/x"),
        ];
        for (address, wanted) in rows {
            assert_eq!(with_database(address, "new"), wanted);
        }
    }

    /// What the script is for: a server that comes back after a crash, and goes with its owner.
    #[test]
    fn a_server_comes_and_goes() {
        let server = Server::start();
        let folder = server.address.split_once("host=").map(|(_, folder)| folder.to_owned()).unwrap();
        let (first, second) = (server.database(), server.database());
        assert_ne!(first, second);
        assert!(Path::new(&folder).join("data").exists());
        server.crash();
        server.restart();
        assert_ne!(server.database(), second);
        drop(server);
        assert!(!Path::new(&folder).exists(), "{folder} is left behind");
    }
}
