//! What no error, no `Debug` and no log may ever show, thrown at everything that handles it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "all of it is a test")]

use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use doxa_embedded::LocalSecrets;
use doxa_embedded::notify::{Backoff, LogNotify, Reach, Retrying, Security, Smtp, SmtpNotify, WebhookNotify};
use doxa_ports::clock::SystemClock;
use doxa_ports::notify::{Message, Notify};
use doxa_ports::secrets::{Secret, Secrets};
use tracing_subscriber::fmt::MakeWriter;
use wiremock::matchers::path_regex;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use testing::{FakeSmtp, chain};

#[path = "../src/notify/testing.rs"]
mod testing;

const CANARY: &str = "canary-7f3a9c";
/// `\0doxa\0canary-7f3a9c`, as AUTH PLAIN says it.
const CANARY_PLAIN: &str = "AGRveGEAY2FuYXJ5LTdmM2E5Yw==";

/// Everything that was shown: the log, and each error in both of its forms.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<Vec<u8>>>);

impl Shown {
    fn add(&self, text: &str) {
        self.0.lock().unwrap().extend([text.as_bytes(), b"\n"].concat());
    }

    fn error(&self, error: &(dyn StdError + 'static)) {
        self.add(&chain(error));
        self.add(&format!("{error:?}"));
        self.add(&format!("{error:#?}"));
    }

    async fn send(&self, notify: &(impl Notify + std::fmt::Debug)) {
        let message = Message { key: "k".into(), subject: "subject".into(), body: "body".into(), link: None };
        self.add(&notify.route());
        self.add(&format!("{notify:?}"));
        if let Err(error) = notify.send(&message).await {
            self.error(&error);
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Shown {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A receiver that says everything it heard, under every status.
async fn echo() -> MockServer {
    let server = MockServer::start().await;
    let echo = |request: &Request| {
        let status: u16 = request.url.path_segments().unwrap().next().unwrap().parse().unwrap();
        let heard = format!("no_service {} {:?}", request.url, request.headers);
        ResponseTemplate::new(status).insert_header("location", request.url.as_str()).set_body_string(heard)
    };
    Mock::given(path_regex(".*")).respond_with(echo).mount(&server).await;
    server
}

async fn webhooks(shown: &Shown) {
    let server = echo().await;
    let port = server.address().port();
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = nobody.local_addr().unwrap().port();
    let mut addresses: Vec<String> = [200, 302, 400, 403, 404, 410, 429, 500, 503]
        .map(|status| {
            format!("http://{CANARY}:{CANARY}@127.0.0.1:{port}/{status}/{CANARY}?token={CANARY}#{CANARY}")
        })
        .into();
    addresses.push(format!("https://127.0.0.1:{port}/200/{CANARY}"));
    addresses.push(format!("http://127.0.0.1:{silent}/{CANARY}"));
    addresses.push(format!("http://127.0.0.1:1/{CANARY}"));
    addresses.push(format!("http://169.254.169.254/{CANARY}"));
    addresses.push(format!("ftp://127.0.0.1/{CANARY}"));
    addresses.push(format!("http://[::{CANARY}]/"));
    addresses.push(CANARY.to_owned());
    for address in addresses {
        let url = Secret::new(address);
        for reach in [Reach::Private, Reach::Public] {
            match WebhookNotify::new(&url, reach, Duration::from_millis(200)) {
                Ok(webhook) => shown.send(&again(webhook)).await,
                Err(error) => shown.error(&error),
            }
        }
    }
}

async fn mail(shown: &Shown) {
    let rows: [&'static [(&str, &str)]; 6] = [
        &[],
        &[("AUTH", "535 5.7.8 AUTH PLAIN AGRveGEAY2FuYXJ5LTdmM2E5Yw==")],
        &[("AUTH", "454 4.7.0 canary-7f3a9c")],
        &[("AUTH", "500 5.5.2 AUTH PLAIN AGRveGEAY2FuYXJ5LTdmM2E5Yw==")],
        &[("AUTH", "canary-7f3a9c")],
        &[("RCPT", "550 5.1.1 no such user")],
    ];
    for answers in rows {
        let server = FakeSmtp::start(answers).await;
        let settings = Smtp {
            host: "127.0.0.1".into(),
            port: server.address.port(),
            security: Security::None,
            credentials: Some(("doxa".into(), Secret::new(CANARY))),
            from: "doxa@example.com".into(),
            to: vec!["ana@example.com".into()],
            timeout: Duration::from_secs(20),
        };
        shown.add(&format!("{settings:?}"));
        shown.send(&SmtpNotify::new(settings).unwrap()).await;
        let said = server.heard().await.join("\n");
        assert!(said.contains(CANARY_PLAIN), "the password was used, and so could have been shown");
    }
}

async fn files(shown: &Shown) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(folder.path().join(name), bytes).unwrap();
    write("good", CANARY.as_bytes());
    make_open_to_all(&folder.path().join("good"));
    write("latin-1", &[CANARY.as_bytes(), b"\xff"].concat());
    write("long", CANARY.repeat(10_000).as_bytes());
    write("below", format!("\n{CANARY}").as_bytes());
    for name in ["good", "latin-1", "long", "below", "absent", "."] {
        let reference = format!("file:{}", folder.path().join(name).display()).parse().unwrap();
        match LocalSecrets.resolve(&reference).await {
            Ok(secret) => shown.add(&format!("{secret:?}")),
            Err(error) => shown.error(&error),
        }
    }
}

fn make_open_to_all(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;

    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
}

/// Tries twice, at once, so that what is logged in between is seen too.
fn again<N: Notify>(notify: N) -> Retrying<N> {
    let backoff = Backoff { attempts: 2, first: Duration::ZERO, longest: Duration::ZERO };
    Retrying::new(notify, Arc::new(SystemClock), backoff)
}

#[tokio::test]
async fn a_secret_is_never_shown() {
    let shown = Shown::default();
    let log =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(shown.clone()).finish();
    let _log = tracing::subscriber::set_default(log);
    webhooks(&shown).await;
    mail(&shown).await;
    files(&shown).await;
    shown.send(&LogNotify).await;
    let text = shown.text();
    for wanted in
        ["sending again later", "it answered 404 Not Found", "it answered 535 5.7.8", "Secret(…)", "subject"]
    {
        assert!(text.contains(wanted), "the log is looked at: {wanted}\n{text}");
    }
    let shown: Vec<_> =
        text.lines().filter(|line| line.contains(CANARY) || line.contains(CANARY_PLAIN)).collect();
    assert!(shown.is_empty(), "{shown:#?}");
}
