//! The central lake: staging, ledger, swap, scripts, queries.
use std::sync::Arc;

use carve::connector::{ConnectorError, Lake};
use carve::vocab::{LogicalType, Row, Schema, Value};

use super::Database;
use crate::connector::{all_rows, drained, id, schema, told};

const STAGING: &str = "raw.orders__carve_staging";

async fn lake_with(script: &str) -> Option<(Database, Arc<dyn Lake>)> {
    let database = Database::with(&format!("CREATE SCHEMA raw; {script}"))?;
    let lake = database.lake("&lock_timeout_ms=1500").await;
    Some((database, lake))
}

fn orders() -> Schema {
    let mut orders = schema(&[("id", LogicalType::Integer), ("note", LogicalType::Text)]);
    orders.key = vec!["id".into()];
    orders.columns[0].nullable = false;
    orders.columns[0].physical = "int4".into();
    orders
}

fn row(number: i64, note: &str) -> Row {
    vec![Value::Integer(number), Value::Text(note.into())]
}

async fn stage(lake: &dyn Lake, rows: Vec<Row>) {
    lake.create_staging(&id(STAGING), &orders()).await.unwrap();
    assert!(lake.load_part(&id(STAGING), "part01", &orders(), rows).await.unwrap());
}

async fn swap(lake: &dyn Lake) -> Result<(), ConnectorError> {
    lake.swap(&id(STAGING), &id("raw.orders"), Some(&id("raw.orders__before"))).await
}

fn refused(outcome: Result<impl Sized, ConnectorError>, why: &str) {
    let error = outcome.err().expect("it is refused");
    assert!(told(&error).contains(why), "{}", told(&error));
}

#[tokio::test]
async fn a_part_and_its_ledger_entry_come_together_or_not_at_all() {
    let Some((database, lake)) = lake_with("").await else { return };
    lake.create_staging(&id(STAGING), &orders()).await.unwrap();
    let load = async |part: &str, rows: Vec<Row>| lake.load_part(&id(STAGING), part, &orders(), rows).await;
    assert!(load("part01", vec![row(1, "a"), row(2, "b")]).await.unwrap());
    assert!(!load("part01", vec![row(1, "a"), row(2, "b")]).await.unwrap(), "a part is loaded once");
    refused(load("part02", vec![row(3, "c"), row(1, "again")]).await, "duplicate key");
    assert_eq!(lake.loaded_parts(&id(STAGING)).await.unwrap(), ["part01"]);
    assert_eq!(all_rows(&*lake, STAGING).await.unwrap().len(), 2);
    assert!(load("part02", vec![row(3, "c")]).await.unwrap());
    assert_eq!(lake.loaded_parts(&id(STAGING)).await.unwrap(), ["part01", "part02"]);
    database.sql("CREATE TABLE raw.theirs (id int)");
    refused(lake.load_part(&id("raw.theirs"), "part01", &orders(), vec![]).await, "no staging table");
    refused(lake.create_staging(&id("raw.theirs"), &orders()).await, "carve did not make");
    let long = format!("raw.{}", "x".repeat(64));
    refused(lake.create_staging(&id(&long), &orders()).await, "63 bytes");
}

#[tokio::test]
async fn a_successor_has_the_rights_indexes_comments_and_readers_of_the_table_it_replaces() {
    let role = format!("reader_{}", std::process::id());
    let script = format!(
        "CREATE ROLE {role}; CREATE TABLE raw.\"Orders\" (id int PRIMARY KEY, note text); INSERT INTO raw.\"Orders\" VALUES (1, 'old');
         COMMENT ON TABLE raw.\"Orders\" IS 'it''s all'; COMMENT ON COLUMN raw.\"Orders\".note IS 'free';
         GRANT SELECT ON raw.\"Orders\" TO {role} WITH GRANT OPTION; GRANT UPDATE (note) ON raw.\"Orders\" TO {role};
         ALTER DEFAULT PRIVILEGES GRANT INSERT ON TABLES TO PUBLIC;
         CREATE INDEX by_note ON raw.\"Orders\" (lower(note)) WHERE id > 0; CREATE UNIQUE INDEX one_note ON raw.\"Orders\" (note);
         CREATE VIEW raw.seen WITH (security_barrier = true) AS SELECT o.note AS said FROM raw.\"Orders\" o;
         CREATE VIEW raw.through AS SELECT count(*) FROM raw.seen WHERE said = 'new'; GRANT SELECT ON raw.seen TO {role};"
    );
    let Some((database, lake)) = lake_with(&script).await else { return };
    stage(&*lake, vec![row(1, "new"), row(2, "newer")]).await;
    lake.take_indexes(&id(STAGING), &id("raw.orders")).await.unwrap();
    swap(&*lake).await.unwrap();
    swap(&*lake).await.expect("done already is done");
    assert_eq!(database.sql("SELECT note FROM raw.\"Orders\" ORDER BY 1"), "new\nnewer");
    assert_eq!(database.sql("SELECT said FROM raw.seen ORDER BY 1; SELECT * FROM raw.through"), "new\nnewer\n1");
    assert_eq!(database.sql("SELECT reloptions FROM pg_class WHERE relname = 'seen'"), "{security_barrier=true}");
    let acl = format!(
        "SELECT relacl FROM pg_class WHERE oid = 'raw.\"Orders\"'::regclass; SELECT attacl FROM pg_attribute WHERE attrelid = 'raw.\"Orders\"'::regclass AND attname = 'note'"
    );
    assert_eq!(database.sql(&acl), format!("{{carve=arwdDxt/carve,{role}=r*/carve}}\n{{{role}=w/carve}}"));
    let comments = "SELECT obj_description('raw.\"Orders\"'::regclass), col_description('raw.\"Orders\"'::regclass, 2)";
    assert_eq!(database.sql(comments), "it's all|free");
    let indexes = "SELECT replace(indexdef, '__2', '') FROM pg_indexes WHERE tablename = '%' AND indexname NOT LIKE '%pkey%' ORDER BY indexname";
    assert_eq!(
        database.sql(&indexes.replace("'%'", "'Orders'")),
        database.sql(&indexes.replace("'%'", "'orders__before'")).replace("raw.orders__before", "raw.\"Orders\"")
    );
    // And back.
    lake.swap(&id("raw.orders__before"), &id("raw.orders"), Some(&id(STAGING))).await.unwrap();
    assert_eq!(database.sql("SELECT note FROM raw.\"Orders\"; SELECT said FROM raw.seen"), "old\nold");
    assert_eq!(database.sql(&acl), format!("{{carve=arwdDxt/carve,{role}=r*/carve}}\n{{{role}=w/carve}}"));
    database.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[tokio::test]
async fn what_a_swap_would_break_is_told_by_the_rehearsal_which_leaves_nothing() {
    let table = "CREATE TABLE raw.orders (id int PRIMARY KEY, note text, more int);";
    let cases = [
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER t BEFORE INSERT ON raw.orders FOR EACH ROW EXECUTE FUNCTION f()",
            "the trigger t",
        ),
        ("CREATE TABLE child (id int REFERENCES raw.orders)", "constraint child_id_fkey"),
        ("CREATE VIEW v AS SELECT more FROM raw.orders", "the view \"public\".\"v\" would break"),
        ("CREATE MATERIALIZED VIEW m AS SELECT id FROM raw.orders", "the materialised view \"public\".\"m\""),
        ("CREATE INDEX i ON raw.orders (more)", "the index `i`"),
        ("CREATE POLICY p ON raw.orders", "the row security policy p"),
        ("CREATE TABLE part () INHERITS (raw.orders)", "the child table public.part"),
        (
            "CREATE FUNCTION g() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM raw.orders; END",
            "function public.g()",
        ),
        ("ALTER TABLE raw.orders RENAME TO base; CREATE VIEW raw.orders AS SELECT id FROM raw.base", "is a view"),
        ("CREATE TABLE raw.orders__before (x int)", "`raw.orders__before` is in the way"),
        ("CREATE TABLE raw.orders__carve_staging (x int)", "carve did not make"),
    ];
    for (script, why) in cases {
        let Some((database, lake)) = lake_with(&format!("{table} {script}")).await else { return };
        let there =
            "SELECT string_agg(oid::regclass || ' ' || relfilenode, ',' ORDER BY oid) FROM pg_class WHERE oid > 16384";
        let before = database.sql(there);
        let rehearsed = lake.rehearse(&id(STAGING), &id("raw.orders"), &id("raw.orders__before"), &orders()).await;
        refused(rehearsed, why);
        assert_eq!(database.sql(there), before, "{why}");
    }
    let lacking = "CREATE TABLE raw.kinds (k text PRIMARY KEY);
        CREATE TABLE raw.orders (id int PRIMARY KEY CHECK (id > 0), note text DEFAULT 'x' UNIQUE REFERENCES raw.kinds)";
    let Some((_database, lake)) = lake_with(lacking).await else { return };
    let told = lake.rehearse(&id(STAGING), &id("raw.orders"), &id("raw.orders__before"), &orders()).await.unwrap();
    assert_eq!(
        told,
        ["the import that takes the place of `raw.orders` holds its rows, key and indexes, but not its CHECK \
          constraints, its UNIQUE constraints (their indexes it has), its defaults and formulas of generated columns, \
          its foreign keys"]
    );
    let at_once = lake.rehearse(&id("raw.n__carve_staging"), &id("raw.n"), &id("raw.n__before"), &orders()).await;
    assert!(at_once.unwrap().is_empty() && !lake.exists(&id("raw.n")).await.unwrap());
}

#[tokio::test]
async fn rows_that_break_a_unique_index_are_refused_before_the_swap() {
    let script = "CREATE TABLE raw.orders (id int PRIMARY KEY, note text UNIQUE)";
    let Some((_database, lake)) = lake_with(script).await else { return };
    stage(&*lake, vec![row(1, "a"), row(2, "a")]).await;
    refused(lake.take_indexes(&id(STAGING), &id("raw.orders")).await, "break the unique index `orders_note_key`");
}

#[tokio::test]
async fn a_script_is_one_transaction() {
    let Some((database, lake)) = lake_with("CREATE TABLE raw.a (x int)").await else { return };
    let script = "BEGIN; INSERT INTO raw.a VALUES (1); -- why;\nCOMMIT;\n\nINSERT INTO raw.a SELECT nonsense;";
    let text = told(&lake.execute(script).await.unwrap_err());
    assert!(text.contains("statement 4") && text.contains("line 4") && text.contains("nonsense"), "{text}");
    assert_eq!(database.sql("SELECT count(*) FROM raw.a"), "0");
    refused(lake.execute("INSERT INTO raw.a VALUES (1); ROLLBACK;").await, "one transaction");
    lake.execute("INSERT INTO raw.a VALUES (1); DO $$ BEGIN PERFORM 1; END; $$").await.unwrap();
    assert_eq!(database.sql("SELECT count(*) FROM raw.a"), "1");
}

#[tokio::test]
async fn a_query_reads_and_nothing_else() {
    let Some((database, lake)) = lake_with("CREATE TABLE raw.a (x int); INSERT INTO raw.a VALUES (1), (2)").await
    else {
        return;
    };
    let sql = "WITH t AS (SELECT x, x AS x, x::text || ';' FROM raw.a) SELECT *, 1.50 AS \"odd \"\"name\" FROM t ORDER BY 1 DESC LIMIT 1; -- end";
    let sql = sql.replace("; -- end", " -- end");
    let (schema, rows) = lake.query(&sql).await.unwrap();
    let names: Vec<&str> = schema.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["x", "x", "?column?", "odd \"name"]);
    let two = || Value::Integer(2);
    assert_eq!(drained(rows).await.unwrap(), [[two(), two(), Value::Text("2;".into()), Value::Decimal("1.50".into())]]);
    let (_, rows) = lake.query("INSERT INTO raw.a VALUES (3) RETURNING x").await.unwrap();
    refused(drained(rows).await, "syntax error");
    refused(lake.query("CREATE TABLE raw.b ()").await.map(|_| ()), "it is no query");
    assert_eq!(database.sql("SELECT count(*) FROM raw.a"), "2");
}

#[tokio::test]
async fn notes_and_names_are_kept() {
    let Some((database, lake)) = lake_with("CREATE TABLE raw.a (x int); CREATE TABLE raw.b (x int)").await else {
        return;
    };
    lake.probe_write().await.unwrap();
    assert_eq!(database.sql("SELECT to_regnamespace('carve') IS NULL"), "t", "a probe leaves nothing");
    assert_eq!(lake.note("k").await.unwrap(), None);
    lake.set_note("k", "it's").await.unwrap();
    lake.set_note("k", "new").await.unwrap();
    assert_eq!(lake.note("k").await.unwrap().as_deref(), Some("new"));
    refused(lake.rename(&id("raw.a"), &id("raw.b")).await, "exists already");
    lake.rename(&id("raw.a"), &id("raw.c")).await.unwrap();
    assert!(lake.exists(&id("raw.c")).await.unwrap() && !lake.exists(&id("raw.a")).await.unwrap());
    lake.drop_table(&id("raw.c")).await.unwrap();
    lake.drop_table(&id("raw.c")).await.unwrap();
    assert!(!lake.exists(&id("raw.c")).await.unwrap());
}
