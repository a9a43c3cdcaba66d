//! The table on a PostgreSQL server, the files where they always are.

use doxa_testkit::postgres::Server;

use crate::Desk;

#[test]
fn what_is_true_can_be_kept_on_a_server() {
    let desk = Desk::new();
    desk.file("url", Server::shared().database());
    desk.file("doxa.toml", "[store]\ntable = \"postgres\"\npostgres_url = \"file:url\"\n");
    let file = desk.file("x.csv", "id,text\n1,hello\n2,you\n");
    for change in ["2 rows → 2 documents", "no change"] {
        let said = desk.import(&file, &[]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert!(said.out.contains(change), "{said:?}");
    }
    assert_eq!(desk.documents().len(), 2);
    assert!(!desk.path("doxa-data/table.sqlite").exists());
    let said = desk.run(&["doctor", "--deep"]);
    assert!(said.code == Some(0) && said.out.contains("✓ table           PostgreSQL answers"), "{said:?}");

    desk.file("url", "postgres://doxa:hunter2@127.0.0.1:9/none");
    let said = desk.run(&["documents"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("127.0.0.1") && !said.err.contains("hunter2"), "{said:?}");
}
