//! What the program says of itself, its settings and its state.

use crate::Desk;

#[test]
fn it_introduces_itself() {
    let desk = Desk::new();
    let said = desk.run(&[]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("doxa demo") && said.err.contains("doxa import comments.csv"), "{said:?}");
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(desk.run(&["--version"]).out, format!("doxa {version}\n"));
    let json = desk.run(&["--version", "--json"]).out;
    assert!(json.starts_with(&format!("{{\"name\":\"doxa\",\"version\":\"{version}\"")), "{json}");
    assert!(desk.run(&["completions", "bash"]).out.contains("complete -F _doxa"));
    let said = desk.run(&["imprt"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("'import'"), "{said:?}");
}

#[test]
fn settings_are_shown_with_their_origin_and_checked() {
    let desk = Desk::new();
    desk.file("doxa.toml", "[import]\nrow_bytes = 4096\n");
    let said = desk.run(&["config", "show", "--origin", "--data-dir", "elsewhere"]);
    assert!(said.out.contains("import.row_bytes = 4096  # doxa.toml:2:1\n"), "{said:?}");
    assert!(said.out.contains("data_dir = \"elsewhere\"  # --data-dir\n"), "{said:?}");
    assert!(said.out.contains("import.unfold_ratio = 1000  # default\n"), "{said:?}");
    assert_eq!(desk.run(&["config", "check"]).code, Some(0));
    desk.file("doxa.toml", "[import]\nrow_byte = 4096\n[store]\ntable = \"postgres\"\n");
    let said = desk.run(&["config", "check"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("doxa.toml:2:1: import.row_byte: there is no such setting"), "{said:?}");
    assert!(said.err.contains("did you mean `import.row_bytes`?"), "{said:?}");
    assert!(!desk.path("doxa-data").exists() && !desk.path("elsewhere").exists(), "looking touches nothing");
}

#[test]
fn what_is_not_there_is_said() {
    let desk = Desk::new();
    for words in [["documents", "--json"], ["windows", "--json"]] {
        let said = desk.run(&words);
        assert_eq!(said.code, Some(1));
        assert!(
            said.err.contains("there is no data directory doxa-data") && said.err.contains("help: "),
            "{said:?}"
        );
    }
    desk.import(&desk.file("x.csv", "text\nhello\n"), &[]);
    let said = desk.run(&["documents", "--channel", "file/y"]);
    assert!(said.err.contains("there is no channel `file/y` here"), "{said:?}");
    let said = desk.run(&["documents", "--window", "file/x@2026-11-21T09"]);
    assert!(said.err.contains("there is no window `file/x@2026-11-21T09` here"), "{said:?}");
    let said = desk.run(&["documents", "--channel", "x"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("channel `x` is not of the form source/name"), "{said:?}");
}

#[test]
fn the_doctor_finds_what_is_wrong() {
    let desk = Desk::new();
    let said = desk.run(&["doctor"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("! data directory") && said.out.contains("help: doxa import FILE"), "{said:?}");
    desk.import(&desk.file("x.csv", "id,text\n1,hello\n"), &[]);
    let said = desk.run(&["doctor", "--deep"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("✓ lake") && !said.out.contains('✗'), "{said:?}");

    let folder = desk.path("doxa-data/augmented/documents/channel=file%2Fx/date=2026-11-21");
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[30] ^= 1;
    for (bytes, deep, wanted) in [
        (Some(&flipped[..]), true, "is damaged"),
        (Some(&whole[..20]), false, "has 20 bytes, not"),
        (None, false, "is missing"),
    ] {
        match bytes {
            Some(bytes) => std::fs::write(&file, bytes).unwrap(),
            None => std::fs::remove_file(&file).unwrap(),
        }
        let words: &[&str] = if deep { &["doctor", "--deep"] } else { &["doctor"] };
        let said = desk.run(words);
        assert_eq!(said.code, Some(1), "{wanted}: {said:?}");
        assert!(
            said.out.contains("✗ lake") && said.out.contains(wanted) && said.out.contains("help: "),
            "{said:?}"
        );
    }
}

#[test]
fn the_demo_shows_documents_and_rejects() {
    let desk = Desk::new();
    let said = desk.run(&["demo"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.out.contains("244 rows → 240 documents"), "{said:?}");
    for code in ["destroyed_id", "empty_text", "bad_time"] {
        assert!(said.out.contains(code), "{said:?}");
    }
    assert!(!desk.path("doxa-data").exists() && !desk.path("doxa-demo").exists());
    let said = desk.run(&["demo", "--keep"]);
    assert_eq!((said.code, desk.path("doxa-demo").is_dir()), (Some(0), true), "{said:?}");
}

/// The reference of the settings is what the program says of them; `UPDATE_DOCS=1` writes it anew.
#[test]
fn the_reference_of_the_settings_is_true() {
    let desk = Desk::new();
    let said = desk.run(&["config", "show", "--json"]);
    let mut page = "# Settings\n\nA setting is `name` in `doxa.toml` (what stands before its last dot is a table), `DOXA_NAME` in the \
                    environment, and\n`--set name=value` on the command line. The command line wins, then the environment, then \
                    `./doxa.toml`, then\n`~/.config/doxa/doxa.toml`, then the default. An unknown name is an error, with the name \
                    that was probably meant.\n\n| setting | default | what it is for |\n|---|---|---|\n"
        .to_owned();
    for line in said.out.lines() {
        let setting: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| setting[name].as_str().unwrap().to_owned();
        let default =
            if text("default").is_empty() { String::new() } else { format!("`{}`", text("default")) };
        page += &format!("| `{}` | {default} | {} |\n", text("name"), text("about"));
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/settings.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let stands = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(stands, page, "UPDATE_DOCS=1 cargo test -p doxa --test it writes the page anew");
}

#[test]
fn a_message_goes_out_by_every_way_or_says_why_not() {
    let desk = Desk::new();
    let said = desk.run(&["notify", "hello"]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), "✓ log took it\n"), "{said:?}");
    desk.file("url", "https://127.0.0.1:9/hunter2\n");
    let said = desk.run(&["notify", "hello", "--set", "notify.webhook.url=file:url"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(!said.err.contains("hunter2") && !said.out.contains("hunter2"), "{said:?}");
    let said = desk.run(&["notify", "hello", "--set", "notify.webhook.url=env:NOWHERE"]);
    assert!(said.err.contains("there is no secret at `env:NOWHERE`"), "{said:?}");
    let said = desk.run(&["notify", "hello", "--set", "notify.smtp.host=localhost"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("mail needs `notify.smtp.from` too"), "{said:?}");
}
