//! What is posted, what is made of the answers, and where nothing is ever posted to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;
use wiremock::matchers::{any, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::notify::testing::chain;

const TIMEOUT: Duration = Duration::from_secs(20);

fn message() -> Message {
    Message { key: "k-1".into(), subject: "battery".into(), body: "n = 412".into(), link: None }
}

fn webhook(url: &str) -> WebhookNotify {
    WebhookNotify::new(&Secret::new(url), Reach::Private, TIMEOUT).unwrap()
}

/// In one line: what became of it, how long to wait, and why.
fn told(sent: &Result<(), Error>) -> String {
    match sent {
        Ok(()) => "taken".to_owned(),
        Err(Error::Later { after: Some(after), cause, .. }) => format!("later, in {after:?}: {cause}"),
        Err(Error::Later { cause, .. }) => format!("later: {cause}"),
        Err(Error::Refused { cause, .. }) => format!("refused: {cause}"),
    }
}

#[tokio::test]
async fn a_message_is_posted_as_json_under_its_key() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/services/T0/B0/x"))
        .and(header("content-type", "application/json"))
        .and(header("idempotency-key", "k-1"))
        .respond_with(ResponseTemplate::new(200).set_body_string("ok"))
        .expect(2)
        .mount(&server)
        .await;
    let webhook = webhook(&format!("{}/services/T0/B0/x\n", server.uri()));
    assert_eq!(webhook.route(), "webhook http://127.0.0.1");
    webhook.send(&message()).await.unwrap();
    webhook.send(&message()).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests[0].body, requests[1].body);
    let body: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!((&body["text"], &body["key"]), (&"battery".into(), &"k-1".into()));
}

#[tokio::test]
async fn a_key_that_no_header_can_hold_stands_in_the_body() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(204)).mount(&server).await;
    let message = Message { key: "k\r\nX-Evil: 1".into(), ..message() };
    webhook(&server.uri()).send(&message).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    assert!(!requests[0].headers.contains_key("x-evil"));
    let body: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(body["key"], "k\r\nX-Evil: 1");
}

#[tokio::test]
async fn answers_are_told_apart() {
    let busy = || ResponseTemplate::new(429);
    let dated = |after: &str| {
        busy().insert_header("date", "Sat, 21 Nov 2026 01:00:00 GMT").insert_header("retry-after", after)
    };
    let answer = |status, body: &str| ResponseTemplate::new(status).set_body_string(body);
    let rows = [
        (answer(200, "ok"), "taken"),
        (answer(204, ""), "taken"),
        (busy(), "later: it answered 429 Too Many Requests"),
        (busy().insert_header("retry-after", "30"), "later, in 30s: it answered 429 Too Many Requests"),
        (busy().insert_header("retry-after", "-1"), "later: it answered 429 Too Many Requests"),
        (busy().insert_header("retry-after", "soon"), "later: it answered 429 Too Many Requests"),
        (dated("Sat, 21 Nov 2026 01:02:00 GMT"), "later, in 120s: it answered 429 Too Many Requests"),
        (dated("Sat, 21 Nov 2026 00:59:00 GMT"), "later, in 0ns: it answered 429 Too Many Requests"),
        (answer(408, ""), "later: it answered 408 Request Timeout"),
        (answer(500, "secret"), "later: it answered 500 Internal Server Error"),
        (
            ResponseTemplate::new(503).insert_header("retry-after", "7"),
            "later, in 7s: it answered 503 Service Unavailable",
        ),
        (answer(400, "invalid_payload"), "refused: it answered 400 Bad Request: invalid_payload"),
        (answer(403, "invalid_token\n"), "refused: it answered 403 Forbidden: invalid_token"),
        (answer(404, "no_service at /services/T0"), "refused: it answered 404 Not Found"),
        (answer(410, "channel_is_archived"), "refused: it answered 410 Gone: channel_is_archived"),
        (answer(401, "\u{1f6ab}"), "refused: it answered 401 Unauthorized"),
        (answer(301, ""), "refused: it answered 301 Moved Permanently, but redirects are not followed"),
    ];
    for (answer, wanted) in rows {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).expect(1).mount(&server).await;
        assert_eq!(told(&webhook(&server.uri()).send(&message()).await), wanted);
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let (front, behind) = (MockServer::start().await, MockServer::start().await);
        Mock::given(any()).respond_with(ResponseTemplate::new(200)).expect(0).mount(&behind).await;
        let away = ResponseTemplate::new(status).insert_header("location", behind.uri());
        Mock::given(any()).respond_with(away).expect(1).mount(&front).await;
        let sent = webhook(&front.uri()).send(&message()).await;
        assert!(matches!(sent, Err(Error::Refused { .. })), "{status}: {}", told(&sent));
    }
}

#[tokio::test]
async fn who_is_not_there_or_silent_is_tried_later() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Secret::new(format!("http://{}", listener.local_addr().unwrap()));
    let impatient = WebhookNotify::new(&url, Reach::Private, Duration::from_millis(20)).unwrap();
    let silent = impatient.send(&message()).await;
    drop(listener);
    let absent = webhook(url.expose()).send(&message()).await;
    for sent in [silent, absent] {
        assert!(matches!(sent, Err(Error::Later { .. })), "{}", told(&sent));
    }
}

/// A resolver that answers from a list, the last one again and again, and counts.
fn names(answers: &[&[&str]]) -> (Lookup, Arc<AtomicUsize>) {
    let parse = |address: &&str| SocketAddr::new(address.parse().unwrap(), 0);
    let answers: VecDeque<Vec<_>> = answers.iter().map(|answer| answer.iter().map(parse).collect()).collect();
    let (answers, asked) = (Mutex::new(answers), Arc::new(AtomicUsize::new(0)));
    let count = asked.clone();
    let lookup: Lookup = Arc::new(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        let mut answers = answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(async move { Ok(answer.unwrap_or_default()) })
    });
    (lookup, asked)
}

#[test]
fn an_address_within_is_refused_in_every_disguise() {
    let private = "the webhook's address cannot be used: 127.0.0.1 is an address of this machine or of a private \
                   network, which this webhook is not allowed to reach";
    let never =
        "the webhook's address cannot be used: 169.254.169.254 is no address that a webhook may ever reach";
    let mapped = "the webhook's address cannot be used: ::ffff:169.254.169.254 is no address that a webhook may ever reach";
    let plain = "the webhook's address must begin with https: with http, everyone on the way could read it";
    let form = "the webhook's address is no URL of the form https://host/path";
    // What is said where only public addresses are within reach, and where private ones are too.
    let rows = [
        ("https://hooks.slack.com/services/T0/B0/x", "", ""),
        ("https://8.8.8.8/", "", ""),
        ("http://hooks.slack.com/", plain, ""),
        ("http://169.254.169.254/latest/meta-data/", plain, never),
        ("https://169.254.169.254/latest/meta-data/", never, never),
        ("https://[::ffff:169.254.169.254]/", mapped, mapped),
        ("https://[::ffff:a9fe:a9fe]/", mapped, mapped),
        ("https://0xa9fea9fe/", never, never),
        ("https://2852039166/", never, never),
        ("https://0251.0376.0251.0376/", never, never),
        ("https://169.254.169.254./", never, never),
        ("https://169。254。169。254/", never, never),
        ("https://hooks.slack.com@169.254.169.254/", never, never),
        ("https://hooks.slack.com:x@169.254.169.254:443/#@8.8.8.8", never, never),
        ("https://127.0.0.1:7717/", private, ""),
        ("https://127.1/", private, ""),
        ("https://0x7f000001/", private, ""),
        ("https://0x7f.1/", private, ""),
        ("https://2130706433/", private, ""),
        ("https://0177.0.0.1/", private, ""),
        ("https://%31%32%37.0.0.1/", private, ""),
        ("https:\\\\127.0.0.1\\", private, ""),
        ("file:///etc/passwd", form, form),
        ("ftp://8.8.8.8/", form, form),
        ("gopher://127.0.0.1:6379/_FLUSHALL", form, form),
        ("hooks.slack.com/services", form, form),
        ("https://", form, form),
        ("", form, form),
    ];
    for (url, public_only, with_private) in rows {
        for (reach, wanted) in [(Reach::Public, public_only), (Reach::Private, with_private)] {
            let made = WebhookNotify::new(&Secret::new(url), reach, TIMEOUT);
            let got = made.map_or_else(|error| chain(&error), |_| String::new());
            assert_eq!(got, wanted, "{url}, {reach:?}");
        }
    }
}

#[tokio::test]
async fn a_name_that_leads_within_is_refused() {
    // An address that nobody may reach, and a server that would hear of it if one did.
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).expect(0).mount(&server).await;
    let port = server.address().port();
    let rows: [&[&str]; 10] = [
        &["127.0.0.1"],
        &["10.0.0.1"],
        &["172.16.0.1"],
        &["192.168.0.1"],
        &["169.254.169.254"],
        &["::1"],
        &["fd00:ec2::254"],
        &["fe80::1"],
        &["::ffff:127.0.0.1"],
        // A public address beside it makes it no better.
        &["8.8.8.8", "127.0.0.1"],
    ];
    for answer in rows {
        let (lookup, asked) = names(&[answer]);
        let url = Secret::new(format!("https://hooks.example.com:{port}/x"));
        let webhook = WebhookNotify::resolving(&url, Reach::Public, TIMEOUT, lookup).unwrap();
        let sent = webhook.send(&message()).await;
        let Err(Error::Refused { cause, .. }) = &sent else { panic!("{answer:?}: {}", told(&sent)) };
        assert!(cause.downcast_ref::<Forbidden>().is_some(), "{answer:?}: {cause}");
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn a_name_that_changes_between_the_look_and_the_connection_changes_nothing() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).expect(1).mount(&server).await;
    let url = Secret::new(format!("http://rebind.example:{}/", server.address().port()));
    let (lookup, asked) = names(&[&["127.0.0.1"], &["169.254.169.254"]]);
    let webhook = WebhookNotify::resolving(&url, Reach::Private, TIMEOUT, lookup.clone()).unwrap();
    // Looked up once, and connected to what was found then.
    webhook.send(&message()).await.unwrap();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    // The next connection looks anew, and sees where the name leads now.
    let webhook = WebhookNotify::resolving(&url, Reach::Private, TIMEOUT, lookup).unwrap();
    let sent = webhook.send(&message()).await;
    assert_eq!(told(&sent), "refused: 169.254.169.254 is no address that a webhook may ever reach");
}

#[tokio::test]
async fn a_name_that_is_not_known_is_tried_later() {
    let (lookup, _) = names(&[&[]]);
    let url = Secret::new("https://hooks.example.com/x");
    let sent = WebhookNotify::resolving(&url, Reach::Public, TIMEOUT, lookup).unwrap().send(&message()).await;
    assert!(matches!(sent, Err(Error::Later { .. })), "{}", told(&sent));
}
