//! The stage from landed bytes to committed tables: bytes in, rows as text out.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use doxa_normalise::probe::{Wishes, look};
use doxa_normalise::run::{Authors, Context, Error, prepare};
use doxa_normalise::{AuthorKey, FileError, Limits};
use doxa_ports::clock::SimulatedClock;
use doxa_ports::lake::{Lake, landing_key};
use doxa_ports::secrets::Secret;
use doxa_schema::{Document, Field, Reject, Window};
use jiff::SignedDuration;

/// A lake in memory, and what is needed to run the stage over it.
struct Stage {
    cx: Context,
}

impl Stage {
    fn new() -> Self {
        let clock = Arc::new(SimulatedClock::at("2026-11-21T01:30:00Z".parse().unwrap()));
        let authors = Authors::Pseudonyms(AuthorKey::new(&Secret::new("key")));
        let cx =
            Context { lake: Lake::in_memory(clock), authors, limits: Limits::default(), remember_hours: 720 };
        Self { cx }
    }

    /// Lands the texts in the hour, one after the other, normalises the window and says what came of it.
    async fn run(&self, hour: &str, texts: &[&[u8]]) -> Result<String, Error> {
        let window: Window = format!("file/x@2026-11-21T{hour}").parse().unwrap();
        let lake = &self.cx.lake;
        let mut writes = Vec::new();
        let mut raws = lake.raws(&window).await?;
        for (minute, text) in texts.iter().enumerate() {
            let reading = look(&|| spooled(text), &Wishes::default(), &self.cx.limits).unwrap().reading;
            let mut writer = lake.land(&window);
            writer.write(text.to_vec().into()).await?;
            let received_at = window.hour.start() + SignedDuration::from_mins(minute.try_into().unwrap());
            let key = |digest: &doxa_schema::Sha256| landing_key(&["file", "x", &digest.short()]);
            let landed = writer.finish(&format!("{minute}.csv"), received_at, reading, key).await?;
            writes.extend(lake.record(&landed)?);
            raws.push(landed.raw);
        }
        let prepared = prepare(&self.cx, &window, &raws).await?;
        let report = prepared.report.clone();
        lake.commit(prepared.staged, writes).await?;
        let mut said = String::new();
        for document in lake.read::<Document>(&window).await?.unwrap() {
            let Document { id, text, likes, created_at, lineage, .. } = document;
            let created_at = created_at.map_or("-".to_owned(), |at| at.to_string());
            let likes = likes.map_or("-".to_owned(), |likes| likes.to_string());
            writeln!(said, "{id} {text:?} {created_at} {likes} :{}", lineage.line).unwrap();
        }
        for reject in lake.read::<Reject>(&window).await?.unwrap() {
            let line = reject.lineage.line;
            writeln!(said, "reject :{line} {}: {} {:?}", reject.code, reject.message, reject.excerpt)
                .unwrap();
        }
        let normal = (report.repeated, report.unchanged, report.updated);
        if normal != (0, 0, 0) {
            writeln!(said, "repeated {} unchanged {} updated {}", normal.0, normal.1, normal.2).unwrap();
        }
        Ok(said)
    }
}

fn spooled(bytes: &[u8]) -> std::io::Result<File> {
    let mut file = tempfile::tempfile()?;
    file.write_all(bytes)?;
    std::io::Seek::rewind(&mut file)?;
    Ok(file)
}

#[tokio::test]
async fn bytes_become_rows() {
    let rows: [(&[u8], &str); 8] = [
        (
            b"id,text,created_at,likes\nt1,hello,2026-11-21T01:00:00Z,3\n",
            "t1 \"hello\" 2026-11-21T01:00:00Z 3 :2\n",
        ),
        (
            "\u{feff}id;text\r\nt1;\"a;\r\nb \"\"c\"\"\"\r\nt2;ok\r\n".as_bytes(),
            "t1 \"a;\\r\\nb \\\"c\\\"\" - - :2\nt2 \"ok\" - - :4\n",
        ),
        (
            b"{\"id\":1,\"body\":\"hi\",\"created_utc\":1700000000.0,\"score\":-2}\n\nnonsense\n",
            "1 \"hi\" 2023-11-14T22:13:20Z -2 :1\nreject :3 not_json: column 2: expected ident \"nonsense\"\n",
        ),
        (
            b"id,text\n7.22613E+18,gone\n=\"7226129420561761066\",kept\nx,\n",
            "7226129420561761066 \"kept\" - - :3\n\
             reject :2 destroyed_id: `id` is `7.22613E+18`: a spreadsheet has rounded the id; export the file again \"7.22613E+18,gone\"\n\
             reject :4 empty_text: `text` is empty \"x,\"\n",
        ),
        (
            b"id,text\n1,gr\xfcn\n2,ok\n3,ok\n4,\xc3\xa4\n5,\xc3\xb6\n",
            "2 \"ok\" - - :3\n3 \"ok\" - - :4\n4 \"\u{e4}\" - - :5\n5 \"\u{f6}\" - - :6\n\
             reject :2 invalid_encoding: byte 5 of the row is no UTF-8 \"1,gr\u{fffd}n\"\n",
        ),
        (
            b"id,text,date,likes\n1,a,26/04/2023,x\n2,b,31/02/2023,1\n3,c,\"27/04/2023, 01:13:07\",1.2K\n",
            "3 \"c\" 2023-04-27T01:13:07Z 1200 :4\n\
             reject :2 bad_number: `likes` is `x`, which is no count \"1,a,26/04/2023,x\"\n\
             reject :3 bad_time: `date` is `31/02/2023`, which is no time of the file's form \"2,b,31/02/2023,1\"\n",
        ),
        (
            b"id,text\n1,old\n2,kept\n1,new\n",
            "2 \"kept\" - - :3\n1 \"new\" - - :4\nrepeated 1 unchanged 0 updated 0\n",
        ),
        (
            "text\n👩‍💻 \u{202e}abc, \"def\" and a comma\n".as_bytes(),
            "h-fb1a51ce857e63524f330491 \"👩\\u{200d}💻 \\u{202e}abc, \\\"def\\\" and a comma\" - - :2\n",
        ),
    ];
    for (text, wanted) in rows {
        let stage = Stage::new();
        let got = stage.run("01", &[text]).await.unwrap();
        assert_eq!(got, wanted, "{}", String::from_utf8_lossy(text));
    }
}

#[tokio::test]
async fn ids_are_derived_where_there_are_none() {
    let stage = Stage::new();
    let said = stage.run("01", &[b"text,author\nnice,a\nnice,b\nnice,b\n"]).await.unwrap();
    let ids: Vec<_> = said.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert!(ids[0] != ids[1] && ids[2] == format!("{}-2", ids[1]), "{ids:?}");
    // The next hour's export holds the same comments and a new one.
    let later = stage.run("02", &[b"text,author\nnice,a\nnice,b\nnice,b\nnew,c\n"]).await.unwrap();
    assert!(
        later.starts_with("h-") && later.ends_with(" \"new\" - - :5\nrepeated 0 unchanged 3 updated 0\n"),
        "{later}"
    );
}

#[tokio::test]
async fn of_two_fetches_the_later_is_the_truth() {
    let stage = Stage::new();
    let (first, second): (&[u8], &[u8]) = (b"id,text\n1,one\n2,two\n", b"id,text\n2,TWO\n3,three\n");
    let said = stage.run("01", &[first, second]).await.unwrap();
    assert_eq!(
        said,
        "1 \"one\" - - :2\n2 \"TWO\" - - :2\n3 \"three\" - - :3\nrepeated 1 unchanged 0 updated 0\n"
    );
    let said = stage.run("02", &[b"id,text\n1,one\n2,two again\n"]).await.unwrap();
    assert_eq!(said, "2 \"two again\" - - :3\nrepeated 0 unchanged 1 updated 1\n");
    // Compared with the newest version, not with the oldest.
    let said = stage.run("03", &[b"id,text\n2,two again\n"]).await.unwrap();
    assert_eq!(said, "repeated 0 unchanged 1 updated 0\n");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_to_its_end_leaves_nothing() {
    let stage = Stage::new();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let rows: String = (0..50_000).map(|row| format!("{row},text of row {row}\n")).collect();
    write!(encoder, "id,text\n{rows}").unwrap();
    let whole = encoder.finish().unwrap();
    let error = stage.run("01", &[&whole[..whole.len() / 2]]).await.unwrap_err();
    let Error::Refused { name, cause: FileError::Read(_) } = &error else { panic!("{error:?}") };
    assert_eq!(name, "0.csv");
    assert_eq!(stage.cx.lake.objects("augmented").await.unwrap(), []);
    let said = stage.run("01", &[&whole]).await.unwrap();
    assert_eq!(said.lines().count(), 50_000);
}

#[tokio::test]
async fn times_and_columns_that_stay_open_are_asked_for() {
    let rows: [(&[u8], &str); 9] = [
        (b"", "the file is empty"),
        (b"PK\x03\x04rest", "this is a ZIP archive or a spreadsheet, not a CSV"),
        (b"\x7fELF\x02\0\0", "this is neither text nor Parquet: there is a NUL byte at 5"),
        (b"a,b\n1,2\n", "no column looks like the text; the columns are `a`, `b`"),
        (
            b"1,I love this phone so much\n2,me too\n",
            "the first row does not look like column names: `1`, `I love this phone so much`",
        ),
        (
            b"id,text,date\n1,a,04/05/2023\n",
            "in `date`, `04/05/2023` can be a day and a month or a month and a day",
        ),
        (
            b"id,text,date\n1,a,26/04/2023\n2,b,04/26/2023\n",
            "in `date`, `26/04/2023` has the day first and `04/26/2023` the month",
        ),
        (b"text\ngr\xfcn\nbl\xe4u\n", "this is no UTF-8: of 2 rows that are not plain ASCII, 2 are broken"),
        (b"[\n {\"text\": \"a\"}\n]\n", "this is one JSON value over many lines, not one JSON object a line"),
    ];
    for (text, wanted) in rows {
        let looked = look(&|| spooled(text), &Wishes::default(), &Limits::default());
        assert_eq!(looked.unwrap_err().to_string(), wanted, "{}", String::from_utf8_lossy(text));
    }
}

#[test]
fn the_reading_is_found_by_looking() {
    let utf16: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain("id\ttext\n1\tgrün\n".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(b"id,text\n1,a\n").unwrap();
        encoder.finish().unwrap()
    };
    let zstd = zstd::encode_all(b"{\"body\":\"a\",\"data\":{\"id\":1}}\n".as_slice(), 3).unwrap();
    let rows: [(&[u8], &str); 9] = [
        (b"id,text\n1,a\n", "Csv ',' None UTF-8 text=text id=id"),
        (b"id;text;x\n1;a, b, c;2\n2;d, e, f;3\n", "Csv ';' None UTF-8 text=text id=id"),
        (b"text\nhello, world\nno comma\n", "Csv '\\u{1f}' None UTF-8 text=text"),
        (b"id|text\n1|a,b\n", "Csv '|' None UTF-8 text=text id=id"),
        (&utf16, "Csv '\\t' None UTF-16LE text=text id=id"),
        (&gzip, "Csv ',' Gzip UTF-8 text=text id=id"),
        (&zstd, "JsonLines Zstd UTF-8 text=body"),
        (
            b"id,text,score,time\n1,a,0.5,0:03\n2,b,1,0:07\n3,c,0.25,0:09\n",
            "Csv ',' None UTF-8 text=text id=id",
        ),
        (b"{\"text\":\"a\",\"user\":{\"name\":\"n\"}}\n", "JsonLines None UTF-8 text=text author=user.name"),
    ];
    for (bytes, wanted) in rows {
        let probe = look(&|| spooled(bytes), &Wishes::default(), &Limits::default()).unwrap();
        let reading = probe.reading;
        let format = match &reading.format {
            doxa_schema::Format::Csv { delimiter, .. } => format!("Csv {delimiter:?}"),
            other => format!("{other:?}"),
        };
        let mapping: BTreeMap<Field, String> = reading.mapping;
        let mapping: Vec<_> = mapping.iter().map(|(field, column)| format!("{field}={column}")).collect();
        let got = format!("{format} {:?} {} {}", reading.compression, reading.encoding, mapping.join(" "));
        assert_eq!(got, wanted, "{}", String::from_utf8_lossy(bytes));
    }
}
