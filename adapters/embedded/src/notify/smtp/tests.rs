//! What is said to a mail server, and what is made of what it says.

use super::*;
use crate::notify::testing::{FakeSmtp, chain};

fn settings(port: u16) -> Smtp {
    Smtp {
        host: "127.0.0.1".into(),
        port,
        security: Security::None,
        credentials: None,
        from: "Doxa <doxa@example.com>".into(),
        to: vec!["ana@example.com".into(), "Bo <bo@example.org>".into()],
        timeout: Duration::from_secs(20),
    }
}

fn message(key: &str) -> Message {
    Message {
        key: key.into(),
        subject: "battery: 40 % negative".into(),
        body: "n = 412".into(),
        link: Some("http://127.0.0.1:7717/alerts/a-1".into()),
    }
}

/// Sends one message to a server with these answers; gives the outcome and what the server heard.
async fn send(
    answers: &'static [(&'static str, &'static str)],
    message: &Message,
    change: impl FnOnce(&mut Smtp),
) -> (Result<(), Error>, Vec<String>) {
    let server = FakeSmtp::start(answers).await;
    let mut settings = settings(server.address.port());
    change(&mut settings);
    let sent = SmtpNotify::new(settings).unwrap().send(message).await;
    (sent, server.heard().await)
}

#[tokio::test]
async fn a_message_is_an_ordinary_mail() {
    let credentials = Some(("doxa".to_owned(), Secret::new("hunter2")));
    let (sent, heard) = send(&[], &message("k-1"), |settings| settings.credentials = credentials).await;
    sent.unwrap();
    let date = heard.iter().position(|line| line.starts_with("Date: ")).unwrap();
    let mut lines = heard;
    lines.remove(date);
    let wanted = [
        "EHLO [127.0.0.1]",
        "AUTH PLAIN AGRveGEAaHVudGVyMg==",
        "MAIL FROM:<doxa@example.com>",
        "RCPT TO:<ana@example.com>",
        "RCPT TO:<bo@example.org>",
        "DATA",
        "From: Doxa <doxa@example.com>",
        "Subject: battery: 40 % negative",
        // The first 16 bytes of the SHA-256 of `k-1`.
        "Message-ID: <7c35c5a1785d20704e44d5de4beb81c1@example.com>",
        "To: ana@example.com, Bo <bo@example.org>",
        "Auto-Submitted: auto-generated",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 7bit",
        "",
        "n = 412",
        "",
        "http://127.0.0.1:7717/alerts/a-1",
        ".",
        "QUIT",
    ];
    assert_eq!(lines, wanted);
}

#[tokio::test]
async fn a_message_sent_again_has_the_same_id() {
    let id = async |key| {
        let (_, heard) = send(&[], &message(key), |_| ()).await;
        heard.into_iter().find(|line| line.starts_with("Message-ID: ")).unwrap()
    };
    let (first, again, other) = (id("k-1").await, id("k-1").await, id("k-2").await);
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[tokio::test]
async fn a_subject_is_one_line_and_a_dot_ends_nothing() {
    let hostile = Message {
        subject: "a\r\nBcc: eve@example.net\r\n\r\nb".into(),
        body: "first\r\n.\r\nMAIL FROM:<eve@example.net>\n.\nlast – ä".into(),
        ..message("k-1")
    };
    let (sent, heard) = send(&[], &hostile, |_| ()).await;
    sent.unwrap();
    assert_eq!(heard.iter().filter(|line| line.starts_with("Subject: a")).count(), 1, "{heard:#?}");
    assert!(!heard.iter().any(|line| line.starts_with("Bcc:")), "{heard:#?}");
    assert_eq!(heard.iter().filter(|line| *line == ".").count(), 1, "{heard:#?}");
    let after = heard.iter().skip_while(|line| *line != ".").skip(1);
    assert_eq!(after.collect::<Vec<_>>(), ["QUIT"], "{heard:#?}");
    assert!(heard.iter().all(|line| line.is_ascii()), "{heard:#?}");
}

#[tokio::test]
async fn answers_are_told_apart() {
    let rows: [(&'static [(&str, &str)], &str); 12] = [
        (&[("RCPT", "450 4.2.1 mailbox busy")], "later: it answered 450 4.2.1: mailbox busy"),
        (&[("", "421 4.3.2 shutting down")], "later: it answered 421 4.3.2"),
        (&[("MAIL", "451 local error")], "later: it answered 451: local error"),
        (&[("DATA", "452 4.3.1 no space")], "later: it answered 452 4.3.1: no space"),
        (&[(".", "451 4.7.1 greylisted")], "later: it answered 451 4.7.1: greylisted"),
        (
            &[("AUTH", "454 4.7.0 temporary authentication failure: AGRveGEAaHVudGVyMg==")],
            "later: it answered 454 4.7.0",
        ),
        (&[("RCPT", "550 5.1.1 no such user")], "refused: it answered 550 5.1.1: no such user"),
        (&[(".", "554 5.7.1 spam")], "refused: it answered 554 5.7.1: spam"),
        (
            &[("AUTH", "535 5.7.8 bad: hunter2")],
            "refused: it answered 535 5.7.8: it does not accept the user name and the password",
        ),
        (&[("AUTH", "500 5.5.2 unknown: AUTH PLAIN AGRveGEAaHVudGVyMg==")], "refused: it answered 500 5.5.2"),
        (
            &[("EHLO", "250 fake")],
            "refused: internal client error: No compatible authentication mechanism was found",
        ),
        (&[("", "SSH-2.0-OpenSSH hunter2")], "later: it does not answer as a mail server does"),
    ];
    for (answers, wanted) in rows {
        let credentials = Some(("doxa".to_owned(), Secret::new("hunter2")));
        let (sent, heard) =
            send(answers, &message("k-1"), |settings| settings.credentials = credentials).await;
        let got = match sent {
            Ok(()) => "taken".to_owned(),
            Err(Error::Later { cause, .. }) => format!("later: {cause}"),
            Err(Error::Refused { cause, .. }) => format!("refused: {cause}"),
        };
        assert_eq!(got, wanted, "{answers:?} {heard:#?}");
    }
}

#[tokio::test]
async fn a_server_that_cannot_encrypt_is_told_nothing() {
    let credentials = Some(("doxa".to_owned(), Secret::new("hunter2")));
    let start_tls = |settings: &mut Smtp| {
        settings.security = Security::StartTls;
        settings.credentials = credentials;
    };
    let (sent, heard) = send(&[], &message("k-1"), start_tls).await;
    let error = sent.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    assert!(chain(&error).contains("STARTTLS is not supported on this server"), "{}", chain(&error));
    assert!(heard.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{heard:#?}");

    // By TLS from the first byte: what answers in the clear is not spoken to.
    let server = FakeSmtp::start(&[]).await;
    let settings = Smtp { security: Security::Tls, ..settings(server.address.port()) };
    let error = SmtpNotify::new(settings).unwrap().send(&message("k-1")).await.unwrap_err();
    assert!(matches!(error, Error::Later { .. }), "{error:?}");
}

#[tokio::test]
async fn who_is_not_there_or_silent_is_tried_later() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let impatient = Smtp { timeout: Duration::from_millis(20), ..settings(port) };
    let silent = SmtpNotify::new(impatient).unwrap().send(&message("k-1")).await.unwrap_err();
    drop(listener);
    let absent = SmtpNotify::new(settings(port)).unwrap().send(&message("k-1")).await.unwrap_err();
    for error in [silent, absent] {
        assert!(matches!(error, Error::Later { .. }), "{error:?}");
    }
}

#[test]
fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    let rows: [(&str, fn(&mut Smtp), &str); 7] = [
        ("from", |s| s.from = "doxa".into(), "`doxa` is no e-mail address"),
        ("to", |s| s.to.push("a@".into()), "`a@` is no e-mail address"),
        ("nobody", |s| s.to.clear(), "there is no receiver"),
        (
            "in the clear",
            |s| s.host = "mail.example.com".into(),
            "`mail.example.com` is not this machine: a connection to it must be encrypted",
        ),
        (
            "in the clear, privately",
            |s| s.host = "10.0.0.1".into(),
            "`10.0.0.1` is not this machine: a connection to it must be encrypted",
        ),
        (
            "this machine",
            |s| s.host = "localhost".into(),
            "e-mail to ana@example.com, bo@example.org through localhost",
        ),
        (
            "this machine, newly",
            |s| s.host = "::1".into(),
            "e-mail to ana@example.com, bo@example.org through ::1",
        ),
    ];
    for (what, change, wanted) in rows {
        let mut settings = settings(25);
        change(&mut settings);
        let got = SmtpNotify::new(settings).map_or_else(|error| error.to_string(), |notify| notify.route());
        assert_eq!(got, wanted, "{what}");
    }
}
