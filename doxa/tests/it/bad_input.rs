//! Bad input: a clear error that names the thing, the place and the remedy, or a reject; and nothing is lost.

use std::io::Write;
use std::process::Stdio;

use crate::{Desk, Said};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Files that cannot be imported as they are: the words of the error, and of the help.
#[test]
fn files_are_refused_with_what_helps() {
    let nul = b"\0\x01\x02\x03".repeat(100);
    let rows: [(&str, &[u8], &str, &str); 11] = [
        ("empty.csv", b"", "the file is empty", ""),
        (
            "junk.csv",
            b"x,y\n1,2\n3,4\n",
            "no column looks like the text; the columns are `x`, `y`",
            "--map 'text=x'",
        ),
        (
            "no-header.csv",
            b"17,I love this phone\n18,me too\n",
            "does not look like column names",
            "--header c1,c2",
        ),
        ("header-only.csv", b"id,comment_count\n", "no column looks like the text", "--map"),
        ("binary.csv", &nul, "neither text nor Parquet", ""),
        ("sheet.xlsx", b"PK\x03\x04........", "a ZIP archive or a spreadsheet", "save the sheet as CSV"),
        ("latin.csv", b"text\ngr\xfcn\nbl\xe4u\n", "this is no UTF-8", "--encoding windows-1252"),
        ("array.json", b"[{\"text\":\"a\"}]", "one JSON value over many lines", "jq -c"),
        (
            "dates.csv",
            b"text,date\na,04/05/2023\n",
            "`04/05/2023` can be a day and a month",
            "--dates day-first",
        ),
        ("torn.parquet", b"PAR1torn", "cannot be read as Parquet", ""),
        (
            "ragged.csv",
            b"id,text\n1\n2\n",
            "none of the first 2 rows can be read; line 2: the row has 1 fields",
            "",
        ),
    ];
    for (name, bytes, error, help) in rows {
        let desk = Desk::new();
        let said = desk.import(&desk.file(name, bytes), &[]);
        assert_eq!(said.code, Some(1), "{name}: {said:?}");
        assert!(said.err.contains(name) && said.err.contains(error), "{name}: {said:?}");
        assert!(
            help.is_empty() || (said.err.contains("help: ") && said.err.contains(help)),
            "{name}: {said:?}"
        );
        assert!(!desk.path("doxa-data").exists(), "{name}: a refused file touches nothing");
    }
}

/// What the help says to do does help.
#[test]
fn the_remedies_work() {
    let rows: [(&[u8], &[&str], &str); 6] = [
        (b"17,I love this phone\n18,me too\n", &["--header", "c1,text"], "I love this phone"),
        (b"text\ngr\xfcn\nbl\xe4u\n", &["--encoding", "windows-1252"], "grün"),
        (b"text,date\na,04/05/2023\n", &["--dates", "month-first"], "a"),
        (b"x,y\nhello,2\nyou,4\n", &["--map", "text=x"], "hello"),
        (b"id~text\n1~a,b\n", &["--delimiter", "~"], "a,b"),
        (b"text,when\na,2026-11-21 02:00\n", &["--map", "created_at=when", "--zone", "Europe/Berlin"], "a"),
    ];
    for (bytes, flags, text) in rows {
        let desk = Desk::new();
        let said = desk.import(&desk.file("x.csv", bytes), flags);
        assert_eq!(said.code, Some(0), "{flags:?}: {said:?}");
        assert_eq!(desk.documents()[0]["text"], text, "{flags:?}");
    }
}

/// Rows that cannot become documents are rejects, each at its line; the others come through, and the exit code says so.
#[test]
fn bad_rows_are_rejects() {
    let rows: [(&[u8], &[&str], usize); 8] = [
        (b"\xef\xbb\xbfid,text\r\n1,a\r\n2,\"b\r\nb, \"\"c\"\"\"\r\n", &[], 2),
        (b"id,text\n1,a\n2,gr\xfcn\n3,\xc3\xa4\n4,\xc3\xb6\n", &["3 invalid_encoding"], 3),
        (b"id,text\n1,a\n2\n3,b,c\n4,d\n", &["3 field_count", "4 field_count"], 2),
        (b"id,text\n1,\"open\n2,a\n3,b\n", &["2 unclosed_quote"], 2),
        (b"id,text\n7.22613E+18,a\n=\"7226129420561761066\",b\n", &["2 destroyed_id"], 1),
        (b"id,text,likes\n1,a,many\n2,,3\n3,b,4\n", &["2 bad_number", "3 empty_text"], 1),
        (b"text,time\na,1700000000\nb,1700000000000\nc,2023-11-14T22:13:20Z\nd,soon\n", &["5 bad_time"], 3),
        (b"{\"text\":\"a\"}\nnot json\n{\"text\":\"b\n[1]\n", &["2 not_json", "3 not_json", "4 not_json"], 1),
    ];
    for (bytes, rejects, documents) in rows {
        let desk = Desk::new();
        let said = desk.import(&desk.file("x.csv", bytes), &[]);
        let case = String::from_utf8_lossy(bytes);
        assert_eq!(said.code, Some(if rejects.is_empty() { 0 } else { 3 }), "{case}: {said:?}");
        assert_eq!(desk.rejects(), rejects, "{case}");
        assert_eq!(desk.documents().len(), documents, "{case}");
    }
}

#[test]
fn of_rows_with_the_same_id_the_last_one_counts() {
    let desk = Desk::new();
    let said = desk.import(&desk.file("x.csv", "id,text\n1,old\n2,b\n1,new\n"), &["--json"]);
    let report: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let window = &report["windows"][0];
    assert_eq!((&window["documents"], &window["repeated"]), (&2.into(), &1.into()), "{report}");
    assert!(desk.documents().iter().all(|document| document["text"] != "old"));
}

#[test]
fn a_bomb_is_refused_and_leaves_nothing() {
    let bomb = gzip(
        &[
            b"id,text\n".as_slice(),
            &b"1,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n".repeat(400_000),
        ]
        .concat(),
    );
    let desk = Desk::new();
    let good = desk.file("good.csv", "id,text\n1,a\n");
    let bomb = desk.file("bomb.csv.gz", bomb);
    let said = desk.run(&[
        "import",
        bomb.to_str().unwrap(),
        good.to_str().unwrap(),
        "--set",
        "import.unfold_ratio=10",
    ]);
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("bomb.csv.gz") && said.err.contains("it unfolds to more than"), "{said:?}");
    assert_eq!(desk.documents().len(), 1, "the other file went in");
    assert!(
        !desk
            .path("doxa-data/landing/file/bomb")
            .read_dir()
            .is_ok_and(|mut left| left.any(|e| e.is_ok_and(|e| e.path().join("bomb.csv.gz").exists())))
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_giant_row_costs_one_reject_and_little_memory() {
    let desk = Desk::new();
    let path = desk.path("giant.csv");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    file.write_all(b"id,text\n1,before\n2,").unwrap();
    let block = vec![b'x'; 1 << 20];
    (0..200).for_each(|_| file.write_all(&block).unwrap());
    file.write_all(b"\n3,after\n").unwrap();
    file.flush().unwrap();
    drop(file);
    // The address space is capped far below the row's 200 MB, the program's own libraries and threads counted in.
    let limited = format!("ulimit -v 180000; exec {} import giant.csv", env!("CARGO_BIN_EXE_doxa"));
    let mut command = desk.command(&[]);
    let envs: Vec<_> = command.get_envs().map(|(k, v)| (k.to_owned(), v.map(ToOwned::to_owned))).collect();
    let mut shell = std::process::Command::new("sh");
    for (name, value) in envs {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    command = shell;
    let said = Said::of(command.args(["-c", &limited]).current_dir(desk.folder.path()).output().unwrap());
    assert_eq!(said.code, Some(3), "{said:?}");
    assert_eq!(desk.rejects(), ["3 too_long"]);
    assert_eq!(desk.documents().len(), 2);
}

#[test]
fn a_hundred_thousand_columns_are_only_many() {
    let header: Vec<_> = (0..99_999).map(|at| format!("c{at}")).collect();
    let desk = Desk::new();
    let file = desk.file("wide.csv", format!("{},text\n{}hello\n", header.join(","), "x,".repeat(99_999)));
    let said = desk.import(&file, &[]);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(desk.documents()[0]["text"], "hello");
}

#[test]
fn a_place_that_cannot_be_written_to_is_named() {
    let desk = Desk::new();
    let file = desk.file("x.csv", "text\nhello\n");
    desk.file("blocked", "this is a file");
    let said = desk.import(&file, &["--data-dir", "blocked/data"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("cannot make the folder blocked/data"), "{said:?}");
}

#[test]
fn a_second_process_is_told_who_holds_the_data() {
    let desk = Desk::new();
    let file = desk.file("x.csv", "text\nhello\n");
    desk.import(&file, &[]);
    let lock = doxa_embedded::DirectoryLock::acquire(&desk.path("doxa-data"), "doxa up").unwrap();
    let said = desk.import(&desk.file("y.csv", "text\nyou\n"), &[]);
    assert_eq!(said.code, Some(1), "{said:?}");
    let pid = std::process::id().to_string();
    assert!(
        said.err.contains(&pid) && said.err.contains("doxa up") && said.err.contains("help: "),
        "{said:?}"
    );
    // Looking is allowed beside it.
    assert_eq!(desk.documents().len(), 1);
    drop(lock);
    assert_eq!(desk.import(&desk.path("y.csv"), &[]).code, Some(0));
}

#[cfg(unix)]
#[test]
fn an_interrupted_import_has_happened_or_not() {
    let rows: String = (0..40_000).map(|row| format!("{row},text of the row {row}\n")).collect();
    let desk = Desk::new();
    let file = desk.file("x.csv", format!("id,text\n{rows}"));
    for delay in [1, 20, 60, 120, 250] {
        let child = desk
            .command(&["import", file.to_str().unwrap()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(delay));
        let pid = child.id().to_string();
        std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
        let said = Said::of(child.wait_with_output().unwrap());
        let count = if desk.path("doxa-data").exists() { desk.documents().len() } else { 0 };
        match said.code {
            Some(0) => assert_eq!(count, 40_000, "after {delay} ms: {said:?}"),
            // Killed by the signal, before the program could listen for it.
            None => assert_eq!(count, 0, "after {delay} ms: {said:?}"),
            code => {
                assert_eq!(code, Some(130), "after {delay} ms: {said:?}");
                assert!(count == 0 || count == 40_000, "after {delay} ms: half is visible: {count}");
            }
        }
    }
    assert_eq!(desk.import(&file, &[]).code, Some(0));
    assert_eq!(desk.documents().len(), 40_000);
}
