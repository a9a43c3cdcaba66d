//! A message as Slack's incoming webhooks take it, with our own fields beside.
//!
//! `text` and `blocks` are [Slack's][blocks]; Mattermost, Rocket.Chat and others read `text` alone; a receiver of one's
//! own reads `key`, `subject`, `body` and `link`, where the message stands as it is.
//!
//! What people wrote is in the body, and people write `<!channel>`: for Slack it is escaped, so that a comment cannot wake
//! a whole company.
//!
//! [blocks]: https://docs.slack.dev/reference/block-kit/blocks

use doxa_ports::notify::Message;
use reqwest::Url;
use serde_json::{Value, json};

/// The longest text of Slack's header and section blocks, in characters.
const HEADER: usize = 150;
const SECTION: usize = 3000;
/// How many sections there are at the most; Slack takes 50 blocks, and nobody reads so many.
const SECTIONS: usize = 10;

/// The JSON to send.
pub(super) fn payload(message: &Message) -> Value {
    let Message { key, subject, body, link } = message;
    let link_text = link.as_deref().and_then(linked);
    let mut blocks = vec![json!({"type": "header", "text": plain(&cut(subject, HEADER))})];
    blocks.extend(sections(body).into_iter().map(|text| json!({"type": "section", "text": plain(&text)})));
    if let Some(text) = &link_text {
        blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": text}}));
    }
    let lines = [Some(escaped(subject)), link_text];
    let text = lines.into_iter().flatten().collect::<Vec<_>>().join("\n");
    let mut payload = json!({"text": text, "blocks": blocks, "key": key, "subject": subject, "body": body});
    if let Some(link) = link {
        payload["link"] = json!(link);
    }
    payload
}

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text, "emoji": false})
}

/// Slack's three control characters, as its documentation says.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A link in Slack's markup; none if it is no address that one could click on.
fn linked(link: &str) -> Option<String> {
    let url = Url::parse(link).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    // The parser has escaped `<` and `>`; a bar would begin the link's text.
    Some(format!("<{}>", url.as_str().replace('|', "%7C")))
}

/// The text, no longer than Slack takes; an empty one it does not take either.
fn cut(text: &str, most: usize) -> String {
    if text.trim().is_empty() {
        return "–".to_owned();
    }
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// The body in parts that Slack takes, cut between lines where a line allows it.
fn sections(body: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = body.trim();
    while !rest.is_empty() && parts.len() < SECTIONS {
        let end = rest.char_indices().nth(SECTION).map_or(rest.len(), |(at, _)| at);
        let line = rest[..end].rfind('\n').filter(|_| end < rest.len()).map_or(end, |at| at + 1);
        parts.push(rest[..line].trim_end().to_owned());
        rest = rest[line..].trim_start_matches('\n');
    }
    if let Some(last) = parts.last_mut().filter(|_| !rest.is_empty()) {
        *last = cut(&format!("{last}\n{rest}"), SECTION);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(subject: &str, body: &str, link: Option<&str>) -> Message {
        Message {
            key: "k-1".into(),
            subject: subject.into(),
            body: body.into(),
            link: link.map(str::to_owned),
        }
    }

    #[test]
    fn slack_and_others_find_what_they_read() {
        let given =
            message("battery: 40 % negative", "n = 412\nwas 30 %", Some("http://127.0.0.1:7717/alerts/a-1"));
        let wanted = json!({
            "text": "battery: 40 % negative\n<http://127.0.0.1:7717/alerts/a-1>",
            "blocks": [
                {"type": "header", "text": {"type": "plain_text", "text": "battery: 40 % negative", "emoji": false}},
                {"type": "section", "text": {"type": "plain_text", "text": "n = 412\nwas 30 %", "emoji": false}},
                {"type": "section", "text": {"type": "mrkdwn", "text": "<http://127.0.0.1:7717/alerts/a-1>"}},
            ],
            "key": "k-1",
            "subject": "battery: 40 % negative",
            "body": "n = 412\nwas 30 %",
            "link": "http://127.0.0.1:7717/alerts/a-1",
        });
        assert_eq!(payload(&given), wanted);
    }

    #[test]
    fn what_people_wrote_is_no_markup() {
        let hostile = "<!channel> & <https://evil.example|your bank>";
        let slack = payload(&message(hostile, hostile, Some("javascript:alert(1)")));
        assert_eq!(slack["text"], "&lt;!channel&gt; &amp; &lt;https://evil.example|your bank&gt;");
        for block in slack["blocks"].as_array().unwrap() {
            assert_eq!(block["text"]["type"], "plain_text", "{block}");
        }
        assert_eq!((&slack["subject"], &slack["body"]), (&json!(hostile), &json!(hostile)));
        let rows = [
            ("https://doxa.example/a?b=<c>|d", Some("<https://doxa.example/a?b=%3Cc%3E%7Cd>")),
            ("https://doxa.example/<!channel>", Some("<https://doxa.example/%3C!channel%3E>")),
            ("file:///etc/passwd", None),
            ("alerts", None),
        ];
        for (link, wanted) in rows {
            assert_eq!(linked(link).as_deref(), wanted, "{link}");
        }
    }

    #[test]
    fn no_text_is_longer_than_slack_takes() {
        let long_line = "ä".repeat(SECTION + 1);
        let lines = "one line of forty characters, more or so\n".repeat(100);
        let endless = "x\n".repeat(SECTION * SECTIONS);
        let rows = [("", 0), ("short", 1), (&long_line, 2), (&lines, 2), (&endless, SECTIONS)];
        for (body, wanted) in rows {
            let parts = sections(body);
            assert_eq!(parts.len(), wanted, "{} characters", body.len());
            assert!(parts.iter().all(|part| (1..=SECTION).contains(&part.chars().count())));
            let whole = parts.concat().replace('\n', "");
            assert!(whole == body.replace('\n', "") || whole.ends_with('…'));
        }
        assert!(sections(&lines)[0].ends_with("or so"), "cut between lines");
        assert_eq!(cut(&"s".repeat(151), HEADER).chars().count(), HEADER);
        assert_eq!(cut(" ", HEADER), "–");
    }
}
