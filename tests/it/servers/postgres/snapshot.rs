//! One state of the database, while others write; and what a description tells.
use std::collections::BTreeSet;
use std::time::Duration;

use carve::vocab::{Row, Value};

use super::Database;
use crate::connector::{all_rows, drained, id, told};

fn total(rows: &[Row]) -> i64 {
    rows.iter().map(|row| if let Value::Integer(amount) = row[1] { amount } else { 0 }).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_over_two_tables_never_tears_while_amounts_move() {
    let Some(database) = Database::with(
        "CREATE TABLE one (id int PRIMARY KEY, amount int NOT NULL); CREATE TABLE two (LIKE one INCLUDING ALL); CREATE TABLE stop ();
         INSERT INTO one SELECT i, 100 FROM generate_series(1, 3000) i; INSERT INTO two SELECT * FROM one;",
    ) else {
        return;
    };
    let transfers = "DO $$ DECLARE a int; BEGIN
        WHILE to_regclass('stop') IS NOT NULL LOOP
          a := 1 + floor(random() * 3000);
          UPDATE one SET amount = amount - 7 WHERE id = a;
          UPDATE two SET amount = amount + 7 WHERE id = a;
          COMMIT;
        END LOOP; END $$";
    let writers = [database.start(transfers), database.start(transfers)];
    let origin = database.origin().await;
    let mut states = BTreeSet::new();
    for turn in 0..200 {
        let schema = origin.describe(&id("one")).await.unwrap().schema;
        let mut snapshot = origin.snapshot().await.unwrap();
        let one = drained(snapshot.rows(&id("one"), &schema).await.unwrap()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let two = drained(snapshot.rows(&id("two"), &schema).await.unwrap()).await.unwrap();
        assert_eq!(total(&one) + total(&two), 600_000);
        assert_eq!(snapshot.count(&id("two")).await.unwrap(), two.len() as u64);
        states.insert(total(&one));
        if turn >= 10 && states.len() >= 8 {
            break;
        }
    }
    database.sql("DROP TABLE stop");
    writers.into_iter().for_each(|writer| drop(super::ended(writer)));
    assert!(states.len() >= 8, "the writer wrote meanwhile: {states:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_streams_of_one_snapshot_run_side_by_side_and_one_may_be_left() {
    let Some(database) = Database::with("CREATE TABLE t AS SELECT i, 'x' || i AS x FROM generate_series(1, 20000) i")
    else {
        return;
    };
    let origin = database.origin().await;
    let schema = origin.describe(&id("t")).await.unwrap().schema;
    let mut snapshot = origin.snapshot().await.unwrap();
    let mut left = snapshot.rows(&id("t"), &schema).await.unwrap();
    let mut right = snapshot.rows(&id("t"), &schema).await.unwrap();
    drop(snapshot.rows(&id("t"), &schema).await.unwrap());
    let mut rows = 0;
    while let (Some(one), Some(other)) = (left.recv().await, right.recv().await) {
        let [one, other] = [one, other].map(|batch| batch.unwrap().into_rows().unwrap());
        assert_eq!(one, other);
        rows += one.len();
    }
    assert_eq!((rows, snapshot.count(&id("t")).await.unwrap()), (20_000, 20_000));
}

#[tokio::test]
async fn a_description_tells_keys_types_comments_and_nulls() {
    let Some(database) = Database::with(
        "CREATE DOMAIN short AS varchar(3); CREATE SCHEMA shop;
         CREATE TABLE shop.\"Orders\" (b int, \"A\" bigint NOT NULL, gone int, s short, n numeric(8,2), PRIMARY KEY (\"A\", b));
         ALTER TABLE shop.\"Orders\" DROP gone; COMMENT ON TABLE shop.\"Orders\" IS 'What was sold';
         COMMENT ON COLUMN shop.\"Orders\".n IS 'it''s net';
         CREATE VIEW shop.seen AS SELECT b FROM shop.\"Orders\"; CREATE TABLE shop.twice (a int); CREATE TABLE shop.\"Twice\" (a int);
         CREATE TABLE shop.\"TWO\" (a int); CREATE TABLE shop.\"Two\" (a int);",
    ) else {
        return;
    };
    let origin = database.origin().await;
    let described = origin.describe(&id("shop.orders")).await.unwrap();
    assert_eq!(described.comment.as_deref(), Some("What was sold"));
    assert_eq!(described.schema.key, ["A", "b"]);
    let brief: Vec<String> = described
        .schema
        .columns
        .iter()
        .map(|c| format!("{} {:?} {}{}", c.name, c.logical, c.physical, if c.nullable { "" } else { " !" }))
        .collect();
    assert_eq!(brief, ["b Integer int4 !", "A Integer bigint !", "s Text short", "n Decimal numeric(8,2)"]);
    assert_eq!(described.schema.columns[3].description.as_deref(), Some("it's net"));
    assert!(origin.describe(&id("shop.seen")).await.unwrap().schema.key.is_empty());
    assert!(origin.describe(&id("shop.twice")).await.is_ok(), "the lower case one is meant");
    assert!(told(&origin.describe(&id("shop.two")).await.unwrap_err()).contains("differ by case only"));
    assert_eq!(origin.describe(&id("absent")).await.unwrap_err().to_string(), "there is no table `absent`");
}

#[tokio::test]
async fn a_name_that_holds_dots_and_quotes_is_found_as_sql_writes_it() {
    let script = "CREATE SCHEMA \"Weird Sch\"\"ema\"; CREATE TABLE \"Weird Sch\"\"ema\".\"Or ders\" (one int);
        CREATE TABLE \"a.b\" (two int); CREATE SCHEMA a; CREATE TABLE a.b (three int); CREATE SCHEMA \"x.y\"; CREATE TABLE \"x.y\".t (four int)";
    let Some(database) = Database::with(script) else { return };
    let origin = database.origin().await;
    for (name, column) in [
        ("shop:\"Weird Sch\"\"ema\".\"Or ders\"", "one"),
        ("shop:\"a.b\"", "two"),
        ("shop:a.b", "three"),
        ("shop:\"a\".\"b\"", "three"),
        ("shop:\"x.y\".t", "four"),
    ] {
        let described = origin.describe(&id(name)).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(described.schema.columns[0].name, column, "{name}");
    }
    let absent = origin.describe(&id("shop:\"a.b.c\"")).await.unwrap_err();
    assert_eq!(absent.to_string(), "there is no table `shop:\"a.b.c\"`");
    assert!(absent.cure().unwrap().contains("as SQL writes it"));
}

#[tokio::test]
async fn rows_come_in_an_order_that_values_alone_decide() {
    let table = "CREATE TABLE keyless (a numeric, b text COLLATE \"en-x-icu\", c json, d double precision);
        CREATE TABLE keyed (k text COLLATE \"en-x-icu\" PRIMARY KEY);";
    let mut rows = [
        "(1.0, 'a', '{}', 0.0)",
        "(1.00, 'a', '{}', '-0')",
        "(1, 'B', '[1]', 'NaN')",
        "(1, 'B', '[1 ]', NULL)",
        "(NULL, NULL, NULL, NULL)",
        "(1.0, 'a', '{}', 0.0)",
    ];
    let mut keys = ["('b')", "('C')", "('a')"];
    let mut answers = Vec::new();
    for _ in 0..2 {
        let insert = format!(
            "{table} INSERT INTO keyless VALUES {}; INSERT INTO keyed VALUES {}",
            rows.join(","),
            keys.join(",")
        );
        let Some(database) = Database::with(&insert) else { return };
        let origin = database.origin().await;
        answers.push((all_rows(&*origin, "keyless").await.unwrap(), all_rows(&*origin, "keyed").await.unwrap()));
        rows.reverse();
        keys.reverse();
    }
    assert_eq!(format!("{:?}", answers[0]), format!("{:?}", answers[1]));
    let text = |text: &str| vec![Value::Text(text.into())];
    assert_eq!(answers[0].1, [text("C"), text("a"), text("b")], "by bytes, whatever the collation");
}

#[tokio::test]
async fn rows_that_a_policy_hides_are_an_error_and_do_not_go_missing() {
    let Some(mut database) = Database::with(
        "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
         CREATE POLICY p ON t USING (id = 1)",
    ) else {
        return;
    };
    let url = database.reader("");
    let origin = carve::connector::open_origin("source:x", &url, camino::Utf8Path::new("/")).await.unwrap();
    let text = told(&all_rows(&*origin, "t").await.unwrap_err());
    assert!(text.contains("row-level security"), "{text}");
}

#[tokio::test]
async fn an_origin_writes_nothing() {
    let Some(database) =
        Database::with("CREATE SEQUENCE s; CREATE VIEW v AS SELECT nextval('s') AS n FROM generate_series(1, 3)")
    else {
        return;
    };
    let text = told(&all_rows(&*database.origin().await, "v").await.unwrap_err());
    assert!(text.contains("read-only transaction"), "{text}");
}
