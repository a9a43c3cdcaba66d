//! What the tests of senders share: a mail server that says what it is told to and remembers what it heard, and an
//! error with all that is behind it.

use std::error::Error;
use std::fmt::Write as _;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A mail server on loopback, for one connection.
pub(crate) struct FakeSmtp {
    pub(crate) address: SocketAddr,
    heard: JoinHandle<Vec<String>>,
}

impl FakeSmtp {
    /// A server that answers the commands that begin so otherwise than well; `""` is the greeting.
    pub(crate) async fn start(answers: &'static [(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answer = move |command: &str| {
            let scripted = answers.iter().find(|(start, _)| match *start {
                "" => command.is_empty(),
                start => command.starts_with(start),
            });
            scripted.map_or_else(|| ordinary(command), |(_, answer)| answer)
        };
        Self { address, heard: tokio::spawn(serve(listener, answer)) }
    }

    /// All lines that it heard, once the connection is over.
    pub(crate) async fn heard(self) -> Vec<String> {
        self.heard.await.unwrap()
    }
}

fn ordinary(command: &str) -> &'static str {
    match command.split([' ', ':']).next() {
        Some("") => "220 fake ESMTP",
        Some("EHLO") => "250-fake\r\n250-AUTH PLAIN\r\n250 8BITMIME",
        Some("AUTH") => "235 2.7.0 welcome",
        Some("MAIL" | "RCPT" | ".") => "250 2.0.0 fine",
        Some("DATA") => "354 go on",
        Some("QUIT") => "221 2.0.0 bye",
        _ => "500 5.5.1 what?",
    }
}

async fn serve(listener: TcpListener, answer: impl Fn(&str) -> &'static str) -> Vec<String> {
    let (stream, _) = listener.accept().await.unwrap();
    let (read, mut write) = stream.into_split();
    let (mut lines, mut heard, mut in_message) = (BufReader::new(read).lines(), Vec::new(), false);
    // Whoever hangs up in the middle has been heard as far as it spoke.
    let mut reply = answer("");
    while write.write_all(format!("{reply}\r\n").as_bytes()).await.is_ok() {
        let Some(line) = next(&mut lines, &mut heard, in_message).await else { break };
        reply = answer(&line);
        in_message = reply.starts_with("354");
    }
    heard
}

/// The next command, or the dot that ends a message.
async fn next(
    lines: &mut tokio::io::Lines<impl AsyncBufReadExt + Unpin>,
    heard: &mut Vec<String>,
    in_message: bool,
) -> Option<String> {
    loop {
        let line = lines.next_line().await.ok().flatten()?;
        heard.push(line.clone());
        if !in_message || line == "." {
            return Some(line);
        }
    }
}

/// An error with all that is behind it, in one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        write!(text, ": {error}").unwrap();
        source = error.source();
    }
    text
}
