//! Files in, documents out.

use std::io::Write;

use crate::{Desk, Said};

#[test]
fn a_file_becomes_documents_that_can_be_read_back() {
    let desk = Desk::new();
    let file = desk.file(
        "My Comments.csv",
        "id,text,created_at,user\nt1,hello,2026-11-20T23:00:00Z,ann\nt2,\"a, b\",,bob\n",
    );
    let said = desk.import(&file, &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(said.out, "file/my-comments@2026-11-21T01  from My Comments.csv\n  2 rows → 2 documents\n");
    assert!(said.err.ends_with("next: doxa documents --channel file/my-comments\n"), "{said:?}");
    let documents = desk.documents();
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[0]["text"], "hello");
    assert_eq!(documents[0]["window"], "file/my-comments@2026-11-21T01");
    assert_eq!(documents[0]["created_at"], "2026-11-20T23:00:00Z");
    assert!(
        documents[0]["author"].as_str().unwrap().starts_with("a-"),
        "an author is a pseudonym: {documents:?}"
    );
    let csv = desk.run(&["documents", "--csv", "--limit", "1"]).out;
    assert!(csv.starts_with("id,window,author,text,") && csv.lines().count() == 2, "{csv}");
    let windows = desk.run(&["windows", "--json"]).out;
    assert!(
        windows.contains("\"window\":\"file/my-comments@2026-11-21T01\",\"documents\":2,\"rejects\":0"),
        "{windows}"
    );
}

#[test]
fn handles_are_kept_only_if_asked_for() {
    let desk = Desk::new();
    let file = desk.file("x.csv", "text,user\nhi,ann\n");
    desk.import(&file, &["--set", "authors.names=handle"]);
    assert_eq!(desk.documents()[0]["author"], "ann");
}

#[test]
fn the_same_file_twice_changes_nothing_and_says_so() {
    let desk = Desk::new();
    let file = desk.file("x.csv", "id,text\n1,a\n2,b\n");
    desk.import(&file, &[]);
    let digest = desk.run(&["digest"]).out;
    let copy = desk.file("copy.csv", "id,text\n1,a\n2,b\n");
    for file in [&file, &copy] {
        let said = desk.run(&[
            "import",
            file.to_str().unwrap(),
            "--channel",
            "file/x",
            "--at",
            "2026-11-22T05:00:00Z",
        ]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.out.contains("no change: these bytes were imported before"), "{said:?}");
    }
    assert_eq!(desk.run(&["digest"]).out, digest);
}

#[test]
fn a_wrong_mapping_is_mended_by_importing_again() {
    let desk = Desk::new();
    let file = desk.file("x.csv", "id,text,note\n1,wrong,right\n");
    desk.import(&file, &[]);
    let said = desk.import(&file, &["--map", "text=note"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let texts: Vec<_> = desk.documents().iter().map(|document| document["text"].clone()).collect();
    assert_eq!(texts, ["right"]);
}

#[test]
fn later_exports_add_what_is_new() {
    let desk = Desk::new();
    let first = desk.file("a.csv", "id,text\n1,one\n2,two\n");
    let second = desk.file("b.csv", "id,text\n1,one\n2,two again\n3,three\n");
    desk.run(&["import", first.to_str().unwrap(), "--channel", "file/x", "--at", "2026-11-21T01:00:00Z"]);
    let said = desk.run(&[
        "import",
        second.to_str().unwrap(),
        "--channel",
        "file/x",
        "--at",
        "2026-11-21T02:00:00Z",
    ]);
    assert!(said.out.contains("3 rows → 2 documents"), "{said:?}");
    assert!(said.out.contains("1 said what an earlier window has already"), "{said:?}");
    assert!(said.out.contains("1 are newer versions of what an earlier window has"), "{said:?}");
    let mut texts: Vec<_> =
        desk.documents().iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect();
    texts.sort();
    assert_eq!(texts, ["one", "three", "two again"]);
}

#[test]
fn several_files_land_together_and_a_bad_one_does_not_stop_the_rest() {
    let desk = Desk::new();
    let good = desk.file("good.csv", "id,text\n1,a\n");
    let bad = desk.file("bad.csv", "a,b\n1,2\n");
    let said = desk.run(&["import", good.to_str().unwrap(), bad.to_str().unwrap(), "nowhere.csv", "--json"]);
    assert_eq!(said.code, Some(3), "{said:?}");
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(report["windows"][0]["documents"], 1);
    assert_eq!(report["refused"].as_array().unwrap().len(), 2, "{report}");
    assert!(report["refused"][1]["error"].as_str().unwrap().contains("No such file"), "{report}");
    assert_eq!(desk.documents().len(), 1);
}

#[test]
fn every_kind_of_file_is_taken() {
    let csv = b"id,text\n1,hello\n".as_slice();
    let json = b"{\"id\":\"1\",\"text\":\"hello\"}\n".as_slice();
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let utf16: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain("id,text\n1,hello\n".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let files: [(&str, Vec<u8>); 7] = [
        ("a.csv", csv.to_vec()),
        ("a.tsv", b"id\ttext\n1\thello\n".to_vec()),
        ("a.jsonl", json.to_vec()),
        ("a.csv.gz", gzip(csv)),
        ("a.jsonl.zst", zstd::encode_all(json, 3).unwrap()),
        ("a-utf16.csv", utf16),
        ("a-old-mac.csv", b"id,text\r1,hello\r".to_vec()),
    ];
    for (name, bytes) in files {
        let desk = Desk::new();
        let said = desk.import(&desk.file(name, bytes), &[]);
        assert_eq!(said.code, Some(0), "{name}: {said:?}");
        let documents = desk.documents();
        assert_eq!((&documents[0]["id"], &documents[0]["text"]), (&"1".into(), &"hello".into()), "{name}");
    }
}

#[test]
fn parquet_that_we_wrote_is_parquet_that_we_take() {
    let desk = Desk::new();
    desk.import(
        &desk.file("x.csv", "id,text,likes,created_at\n1,hello,5,2026-11-20T00:00:00Z\n2,you,,\n"),
        &[],
    );
    let data = desk.path("doxa-data/augmented/documents");
    let mut found = Vec::new();
    let mut folders = vec![data];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    let other = Desk::new();
    let said = other.import(&found[0], &["--channel", "file/x"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    let (mut before, mut after) = (desk.documents(), other.documents());
    for document in before.iter_mut().chain(&mut after) {
        document["lineage"] = serde_json::Value::Null;
    }
    assert_eq!(before, after);
}

#[test]
fn stdin_is_a_file_too() {
    let desk = Desk::new();
    let mut child = desk
        .command(&["import", "-", "--channel", "file/x"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"text\nhello\n").unwrap();
    let said = Said::of(child.wait_with_output().unwrap());
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(desk.documents().len(), 1);
}

#[test]
fn a_dry_run_shows_the_reading_and_touches_nothing() {
    let desk = Desk::new();
    let said = desk.import(
        &desk.file("x.csv", "Comment ID,Comment,Comment Time\n1,hello,26/04/2023 01:13\n"),
        &["--dry-run"],
    );
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(said.err.contains("text       ← Comment                hello"), "{said:?}");
    assert!(said.err.contains("the day comes before the month, as `26/04/2023 01:13` shows"), "{said:?}");
    assert!(!desk.path("doxa-data").exists());
}
