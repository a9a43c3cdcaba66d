//! What every lake must keep, whatever stores its objects and its table. Each check names itself where it fails.

mod faults;

use std::sync::Arc;

use doxa_schema::{
    ChannelId, Compression, Document, DocumentKind, Format, Lineage, Raw, Reading, Reject, RejectCode, Window,
};
use jiff::SignedDuration;
use object_store::ObjectStore;

use super::{Error, Lake, Landed, landing_key};
use crate::clock::SimulatedClock;
use crate::table::{self, Condition, Key, Table, Write};

/// The two stores of a lake.
pub type Stores = (Arc<dyn ObjectStore>, Arc<dyn Table>);

/// Runs every check; `open` gives new, empty stores at each call.
pub async fn run(open: impl AsyncFn(Arc<SimulatedClock>) -> Stores) {
    let clock = Arc::new(SimulatedClock::at("2026-11-21T01:30:00Z".parse().expect("a timestamp")));
    let fresh = async || {
        let (objects, table) = open(clock.clone()).await;
        Lake::new(objects, table, clock.clone())
    };
    rows_come_back_as_they_were_written(fresh().await).await;
    a_window_is_replaced_whole(fresh().await).await;
    equal_rows_are_the_same_file(fresh().await).await;
    nothing_is_seen_before_its_commit(fresh().await).await;
    of_two_writers_the_first_to_commit_wins(fresh().await).await;
    a_commit_and_its_other_writes_are_one(fresh().await).await;
    windows_are_listed_in_order(fresh().await).await;
    a_window_can_be_dropped(fresh().await).await;
    a_large_window_arrives_whole(fresh().await).await;
    bytes_land_once(fresh().await).await;
    what_has_landed_can_be_withdrawn(fresh().await).await;
    damage_is_found(fresh().await).await;
    faults::every_failing_call_leaves_the_lake_whole(&open, &clock).await;
}

pub(super) fn window(text: &str) -> Window {
    text.parse().expect("the suite's windows are windows")
}

/// A few documents whose texts begin with `word`.
pub(super) fn documents(window: &Window, word: &str, count: usize) -> Vec<Document> {
    let document = |at: usize| Document {
        id: format!("{word}-{at}"),
        window: window.clone(),
        kind: DocumentKind::Comment,
        author: at.is_multiple_of(2).then(|| "a-1".to_owned()),
        text: format!("{word} number {at}, \0 🥰"),
        language: None,
        created_at: Some(window.hour.start()),
        parent: None,
        thread: None,
        likes: Some(-1),
        replies: None,
        lineage: Lineage { raw: "landing/x".to_owned(), line: at as u64 + 1 },
    };
    (0..count).map(document).collect()
}

async fn texts(lake: &Lake, window: &Window) -> Option<Vec<Document>> {
    lake.read::<Document>(window).await.expect("a committed window can be read")
}

async fn keys(lake: &Lake) -> Vec<String> {
    let objects = lake.objects("").await.expect("objects can be listed");
    objects.into_iter().map(|(key, _)| key).collect()
}

async fn rows_come_back_as_they_were_written(lake: Lake) {
    let (window, name) = (window("a/b@2026-11-21T01"), "rows_come_back");
    assert_eq!(texts(&lake, &window).await, None, "{name}: nothing is there yet");
    let rows = documents(&window, "one", 3);
    let commit = lake.replace(&window, "test", &rows).await.expect(name);
    assert_eq!(texts(&lake, &window).await, Some(rows), "{name}");
    assert_eq!((commit.rows(), commit.made_from.as_str()), (3, "test"), "{name}");
    assert_eq!(lake.committed::<Document>(&window).await.expect(name), Some(commit.clone()), "{name}");
    let key = commit.file.expect("three rows are a file").key;
    let folder = "augmented/documents/channel=a%2Fb/date=2026-11-21/hour=01.";
    assert!(key.starts_with(folder) && key.ends_with(".parquet"), "{name}: {key}");
    let rejects = [Reject {
        window: window.clone(),
        code: RejectCode::EmptyText,
        message: "m".to_owned(),
        excerpt: "e".to_owned(),
        lineage: Lineage { raw: "r".to_owned(), line: 7 },
    }];
    lake.replace(&window, "test", &rejects).await.expect(name);
    assert_eq!(lake.read::<Reject>(&window).await.expect(name), Some(rejects.to_vec()), "{name}");
}

async fn a_window_is_replaced_whole(lake: Lake) {
    let (window, name) = (window("a/b@2026-11-21T01"), "a_window_is_replaced_whole");
    for rows in [documents(&window, "old", 5), documents(&window, "new", 2), Vec::new()] {
        lake.replace(&window, "test", &rows).await.expect(name);
        assert_eq!(keys(&lake).await.len(), usize::from(!rows.is_empty()), "{name}: one file a window");
        assert_eq!(texts(&lake, &window).await, Some(rows), "{name}");
    }
}

async fn equal_rows_are_the_same_file(lake: Lake) {
    let (window, name) = (window("a/b@2026-11-21T01"), "equal_rows_are_the_same_file");
    let rows = documents(&window, "one", 3);
    let first = lake.replace(&window, "test", &rows).await.expect(name);
    let second = lake.replace(&window, "again", &rows).await.expect(name);
    assert_eq!(first.file, second.file, "{name}");
    assert_eq!(texts(&lake, &window).await, Some(rows), "{name}");
    assert_eq!(lake.sweep(SignedDuration::ZERO).await.expect(name), 0, "{name}: nothing is garbage");
    assert_eq!(keys(&lake).await.len(), 1, "{name}");
}

async fn nothing_is_seen_before_its_commit(lake: Lake) {
    let (window, name) = (window("a/b@2026-11-21T01"), "nothing_is_seen_before_its_commit");
    let old = documents(&window, "old", 1);
    lake.replace(&window, "test", &old).await.expect(name);
    let mut writer = lake.writer::<Document>(&window).await.expect(name);
    writer.write(doxa_schema::Record::batch(&documents(&window, "new", 1))).await.expect(name);
    drop(writer.finish("test").await.expect(name));
    assert_eq!(texts(&lake, &window).await, Some(old.clone()), "{name}");
    assert_eq!(keys(&lake).await.len(), 2, "{name}: the new file lies there");
    assert_eq!(lake.sweep(SignedDuration::from_hours(1)).await.expect(name), 0, "{name}: it is young");
    assert_eq!(lake.sweep(SignedDuration::ZERO).await.expect(name), 1, "{name}");
    assert_eq!(keys(&lake).await.len(), 1, "{name}");
    assert_eq!(texts(&lake, &window).await, Some(old), "{name}");
}

async fn of_two_writers_the_first_to_commit_wins(lake: Lake) {
    let (window, name) = (window("a/b@2026-11-21T01"), "of_two_writers_the_first_to_commit_wins");
    let mut staged = Vec::new();
    for word in ["one", "two"] {
        let mut writer = lake.writer::<Document>(&window).await.expect(name);
        writer.write(doxa_schema::Record::batch(&documents(&window, word, 2))).await.expect(name);
        staged.push(writer.finish("test").await.expect(name));
    }
    let (one, two) = (staged.remove(0), staged.remove(0));
    lake.commit(vec![two], Vec::new()).await.expect(name);
    let lost = lake.commit(vec![one], Vec::new()).await;
    assert!(matches!(lost, Err(Error::Replaced(_))), "{name}: {lost:?}");
    lake.sweep(SignedDuration::ZERO).await.expect(name);
    assert_eq!(texts(&lake, &window).await, Some(documents(&window, "two", 2)), "{name}");
    assert_eq!(keys(&lake).await.len(), 1, "{name}");
}

async fn a_commit_and_its_other_writes_are_one(lake: Lake) {
    let (window, name) = (window("a/b@2026-11-21T01"), "a_commit_and_its_other_writes_are_one");
    let watermark = Key::new("watermark", "a/b");
    let write =
        |hour: u32, condition| Write::put(watermark.clone(), &hour, condition).expect("a number is JSON");
    for (hour, condition, stands) in [(1, Condition::Absent, true), (2, Condition::Absent, false)] {
        let mut writer = lake.writer::<Document>(&window).await.expect(name);
        let rows = documents(&window, &format!("w{hour}"), 1);
        writer.write(doxa_schema::Record::batch(&rows)).await.expect(name);
        let staged = writer.finish("test").await.expect(name);
        let committed = lake.commit(vec![staged], vec![write(hour, condition)]).await;
        match committed {
            Ok(()) => assert!(stands, "{name}"),
            Err(Error::Table(table::Error::Conflict { key, .. })) => {
                assert!(!stands && key == watermark, "{name}");
            }
            Err(error) => panic!("{name}: {error}"),
        }
    }
    assert_eq!(texts(&lake, &window).await, Some(documents(&window, "w1", 1)), "{name}");
}

async fn windows_are_listed_in_order(lake: Lake) {
    let name = "windows_are_listed_in_order";
    let ids = ["a/b@2026-11-21T09", "a/b@2026-11-20T23", "a/b@2026-11-21T10", "a/bc@2026-11-21T00"];
    for id in ids {
        lake.replace(&window(id), "test", &documents(&window(id), "x", 1)).await.expect(name);
    }
    let channel: ChannelId = "a/b".parse().expect("a channel");
    let hours = window("a/b@2026-11-20T23").hour..window("a/b@2026-11-21T10").hour;
    let listed = lake.list::<Document>(&channel, hours).await.expect(name);
    let listed: Vec<_> = listed.iter().map(|commit| commit.window.to_string()).collect();
    assert_eq!(listed, ["a/b@2026-11-20T23", "a/b@2026-11-21T09"], "{name}");
    let channels = lake.channels::<Document>().await.expect(name);
    let channels: Vec<_> = channels.iter().map(ChannelId::as_str).collect();
    assert_eq!(channels, ["a/b", "a/bc"], "{name}");
}

async fn a_window_can_be_dropped(lake: Lake) {
    let (window, name) = (window("a/b@2026-11-21T01"), "a_window_can_be_dropped");
    lake.drop::<Document>(&window).await.expect(name);
    lake.replace(&window, "test", &documents(&window, "x", 1)).await.expect(name);
    lake.drop::<Document>(&window).await.expect(name);
    assert_eq!(texts(&lake, &window).await, None, "{name}");
    assert_eq!(keys(&lake).await, Vec::<String>::new(), "{name}");
}

async fn a_large_window_arrives_whole(lake: Lake) {
    let (window, name) = (window("a/b@2026-11-21T01"), "a_large_window_arrives_whole");
    let mut writer = lake.writer::<Document>(&window).await.expect(name);
    // Texts that do not compress, so that the file is uploaded in several parts.
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{state:016x}")
    };
    let mut expected = Vec::new();
    for batch in 0..10 {
        let mut rows = documents(&window, &format!("b{batch}"), 1000);
        rows.iter_mut().for_each(|row| row.text = (0..128).map(|_| noise()).collect());
        writer.write(doxa_schema::Record::batch(&rows)).await.expect(name);
        expected.extend(rows);
    }
    let staged = writer.finish("test").await.expect(name);
    lake.commit(vec![staged], Vec::new()).await.expect(name);
    assert!(texts(&lake, &window).await.as_ref() == Some(&expected), "{name}: the rows differ");
    assert_eq!(keys(&lake).await.len(), 1, "{name}: nothing is left in staging");
    let commit = lake.committed::<Document>(&window).await.expect(name).expect(name);
    assert!(commit.file.as_ref().is_some_and(|file| file.bytes > 9 << 20), "{name}: {commit:?}");
    lake.verify::<Document>(&commit).await.expect(name);
}

pub(super) async fn land(
    lake: &Lake,
    window: &Window,
    bytes: &'static [u8],
    minute: i8,
) -> Result<Landed, Error> {
    let received_at = window.hour.start() + SignedDuration::from_mins(minute.into());
    let reading = Reading {
        format: Format::JsonLines,
        compression: Compression::None,
        encoding: "UTF-8".to_owned(),
        mapping: std::collections::BTreeMap::new(),
        zone: "UTC".to_owned(),
        kind: DocumentKind::Comment,
        dates: None,
    };
    let mut writer = lake.land(window);
    writer.write(bytes::Bytes::from_static(bytes)).await?;
    writer.finish("x.jsonl", received_at, reading, |sha256| landing_key(&["a", "b", &sha256.short()])).await
}

async fn record(lake: &Lake, landed: &Landed) -> Result<(), Error> {
    lake.commit(Vec::new(), lake.record(landed)?).await
}

async fn bytes_land_once(lake: Lake) {
    let (window, name) = (window("a/b@2026-11-21T01"), "bytes_land_once");
    let second = land(&lake, &window, b"second", 2).await.expect(name);
    let first = land(&lake, &window, b"first", 1).await.expect(name);
    assert_eq!(lake.raws(&window).await.expect(name), Vec::<Raw>::new(), "{name}: nothing is recorded yet");
    record(&lake, &second).await.expect(name);
    record(&lake, &first).await.expect(name);
    let raws = lake.raws(&window).await.expect(name);
    assert_eq!(raws, [first.raw.clone(), second.raw.clone()], "{name}: in the order they were received");
    let again = land(&lake, &window, b"first", 9).await.expect(name);
    assert!(again.is_known() && again.raw == first.raw, "{name}: known bytes keep their record");
    let found = lake.raw_by_digest(&window.channel, &first.raw.sha256).await.expect(name);
    assert_eq!(found.as_ref(), Some(&first.raw), "{name}");
    let mut bytes = lake.open_raw(&first.raw).await.expect(name);
    let read = tokio::task::spawn_blocking(move || {
        let mut all = Vec::new();
        std::io::Read::read_to_end(&mut bytes, &mut all).map(|_| all)
    });
    assert_eq!(read.await.expect(name).expect(name), b"first", "{name}");
    assert_eq!(lake.sweep(SignedDuration::ZERO).await.expect(name), 0, "{name}: what is recorded stays");
}

async fn what_has_landed_can_be_withdrawn(lake: Lake) {
    let (window, name) = (window("a/b@2026-11-21T01"), "what_has_landed_can_be_withdrawn");
    let landed = land(&lake, &window, b"bytes", 1).await.expect(name);
    lake.withdraw(landed).await.expect(name);
    assert_eq!(keys(&lake).await, Vec::<String>::new(), "{name}");
    let left = land(&lake, &window, b"bytes", 1).await.expect(name);
    assert!(!left.is_known(), "{name}");
    assert_eq!(lake.sweep(SignedDuration::ZERO).await.expect(name), 1, "{name}: what nobody recorded goes");
}

async fn damage_is_found(lake: Lake) {
    let (window, name) = (window("a/b@2026-11-21T01"), "damage_is_found");
    let commit = lake.replace(&window, "test", &documents(&window, "x", 9)).await.expect(name);
    lake.verify::<Document>(&commit).await.expect(name);
    let file = commit.file.as_ref().expect("nine rows are a file");
    let path = object_store::path::Path::parse(&file.key).expect(name);
    let found = object_store::ObjectStoreExt::get(&lake.objects, &path).await.expect(name);
    let mut bytes = found.bytes().await.expect(name).to_vec();
    bytes[40] ^= 1;
    object_store::ObjectStoreExt::put(&lake.objects, &path, bytes.into()).await.expect(name);
    let verified = lake.verify::<Document>(&commit).await;
    assert!(matches!(verified, Err(Error::Damaged { .. })), "{name}: {verified:?}");
}
