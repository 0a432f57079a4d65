//! What a description tells, and the order in which rows come.
use carve::vocab::Value;

use super::Database;
use crate::connector::{all_rows, id, told};

#[tokio::test]
async fn a_description_tells_keys_types_comments_and_nulls() {
    let Some(database) = Database::with(
        "SET sql_mode = 'ANSI_QUOTES';
         CREATE TABLE \"Orders\" (b int(9), \"A `b`\" bigint(20) unsigned NOT NULL AUTO_INCREMENT, s varchar(3) DEFAULT 'x',
           n decimal(8,2) COMMENT 'it''s net', twice int AS (b * 2), hidden int INVISIBLE, at timestamp(3) NULL,
           PRIMARY KEY (\"A `b`\", b)) COMMENT 'What was sold';
         CREATE VIEW seen AS SELECT b FROM \"Orders\";
         CREATE TABLE uniq (maybe int, name varchar(9) NOT NULL, UNIQUE a_maybe (maybe), UNIQUE b_name (name));
         CREATE TABLE twice (a int); CREATE TABLE \"Twice\" (a int);
         CREATE TABLE \"TWO\" (a int); CREATE TABLE \"Two\" (a int); CREATE TABLE \"naïve Ж\" (a int); CREATE SEQUENCE seq;",
    ) else {
        return;
    };
    let origin = database.origin().await;
    let described = origin.describe(&id("orders")).await.unwrap();
    assert_eq!(described.comment.as_deref(), Some("What was sold"));
    assert_eq!(described.schema.key, ["A `b`", "b"]);
    let brief: Vec<String> = described
        .schema
        .columns
        .iter()
        .map(|c| format!("{} {:?} {}{}", c.name, c.logical, c.physical, if c.nullable { "" } else { " !" }))
        .collect();
    assert_eq!(
        brief,
        [
            "b Integer int !",
            "A `b` Integer bigint unsigned !",
            "s Text varchar(3)",
            "n Decimal decimal(8,2)",
            "twice Integer int",
            "hidden Integer int",
            "at TimestampTz timestamp(3)"
        ]
    );
    assert_eq!(described.schema.columns[3].description.as_deref(), Some("it's net"));
    // What other tests keep on this server is no matter here.
    let seen = database.origin_with("&engines=any").await.describe(&id("seen")).await.unwrap();
    assert!(seen.schema.key.is_empty() && seen.comment.is_none());
    assert_eq!(origin.describe(&id("uniq")).await.unwrap().schema.key, ["name"], "unique and never NULL");
    assert!(origin.describe(&id("twice")).await.is_ok(), "the lower case one is meant");
    assert!(told(&origin.describe(&id("two")).await.unwrap_err()).contains("differ by case only"));
    assert!(origin.describe(&id("naïve ж")).await.is_ok());
    assert_eq!(origin.describe(&id("absent")).await.unwrap_err().to_string(), "there is no table `absent`");
    assert!(origin.describe(&id("seq")).await.is_err(), "a sequence is no table");
    let qualified = format!("{}.orders", database.name);
    assert!(origin.describe(&id(&qualified)).await.is_ok());
    database.sql("SET sql_mode = 'ANSI_QUOTES'; INSERT INTO \"Orders\" (b, hidden) VALUES (4, 9)");
    let rows = all_rows(&*origin, "orders").await.unwrap();
    assert_eq!((&rows[0][4], &rows[0][5]), (&Value::Integer(8), &Value::Integer(9)));
}

#[tokio::test]
async fn rows_come_in_an_order_that_values_alone_decide() {
    let long = "x".repeat(3_000);
    let table = "CREATE TABLE keyless (a decimal(5,2), b varchar(4000), c json, d double, e blob, g point);
        CREATE TABLE keyed (k varchar(20) COLLATE utf8mb4_unicode_ci PRIMARY KEY);
        CREATE TABLE keyed_latin (k varchar(20) CHARACTER SET latin1 COLLATE latin1_german2_ci PRIMARY KEY);
        CREATE TABLE keyed_enum (k enum('z','a') PRIMARY KEY);";
    let mut rows = [
        format!("(1.0, '{long}b', '{{}}', 0.0, NULL, NULL)"),
        format!("(1.0, '{long}a', '{{}}', 0.0, NULL, NULL)"),
        "(1.0, 'a', '{}', 0.0, 'x', POINT(1,2))".to_owned(),
        "(1.0, 'a ', '{}', 0.0, 'x', POINT(1,2))".to_owned(),
        "(1.0, 'A', '{}', 0.0, 'x', POINT(1,1))".to_owned(),
        "(1.0, 'A', '{}', 0.0, 'x', POINT(1,2))".to_owned(),
        "(1, 'B', '[1]', NULL, 'x', NULL)".to_owned(),
        "(1, 'B', '[1 ]', NULL, 'x', NULL)".to_owned(),
        "(NULL, NULL, NULL, NULL, NULL, NULL)".to_owned(),
        "(1.0, 'a', '{}', 0.0, 'x', POINT(1,2))".to_owned(),
    ];
    let mut keys = ["('b')", "('C')", "('a')", "('é')"];
    let mut answers = Vec::new();
    for _ in 0..2 {
        let (rows_sql, keys_sql) = (rows.join(","), keys.join(","));
        let insert = format!(
            "{table} INSERT INTO keyless VALUES {rows_sql}; INSERT INTO keyed VALUES {keys_sql}; \
             INSERT INTO keyed_latin VALUES {keys_sql}; INSERT INTO keyed_enum VALUES ('z'), ('a');"
        );
        let Some(database) = Database::with(&insert) else { return };
        let origin = database.origin().await;
        let mut answer = Vec::new();
        for table in ["keyless", "keyed", "keyed_latin", "keyed_enum"] {
            answer.push(all_rows(&*origin, table).await.unwrap());
        }
        answers.push(answer);
        rows.reverse();
        keys.reverse();
    }
    assert_eq!(format!("{:?}", answers[0]), format!("{:?}", answers[1]));
    let texts = |texts: &[&str]| texts.iter().map(|text| vec![Value::Text((*text).into())]).collect::<Vec<_>>();
    assert_eq!(answers[0][1], texts(&["C", "a", "b", "é"]), "by bytes, whatever the collation");
    assert_eq!(answers[0][2], texts(&["C", "a", "b", "é"]), "by bytes in UTF-8, whatever the character set");
    assert_eq!(answers[0][3], texts(&["a", "z"]));
}
