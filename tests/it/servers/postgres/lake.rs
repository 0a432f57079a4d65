//! The central lake: staging, ledger, swap, scripts, queries.
use std::sync::Arc;

use carve::connector::{ConnectorError, Lake};
use carve::vocab::{LogicalType, Row, Schema, Value};

use super::Database;
use crate::connector::{all_rows, drained, id, schema, told};
use crate::one_part::{OnePart, part};

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
    refused(load("part02", vec![row(3, "c"), row(1 << 40, "wide")]).await, "out of range");
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
async fn many_parts_come_together_or_not_at_all_and_none_twice() {
    let Some((database, lake)) = lake_with("").await else { return };
    lake.create_staging(&id(STAGING), &orders()).await.unwrap();
    let load = async |parts: &[(&str, Row)]| {
        let parts = parts.iter().map(|(name, row)| part(name, &orders(), std::slice::from_ref(row))).collect();
        lake.load_parts(&id(STAGING), &orders(), parts).await
    };
    let held = || database.sql(&format!("SELECT string_agg(id::text, ' ' ORDER BY id) FROM {STAGING}"));
    assert_eq!(load(&[("part01", row(1, "a")), ("part02", row(2, "b"))]).await.unwrap(), 2);
    // The second of three cannot be written.
    let broken = [("part03", row(3, "c")), ("part04", row(1 << 40, "wide")), ("part05", row(5, "e"))];
    refused(load(&broken).await, "out of range");
    assert_eq!((held().as_str(), lake.loaded_parts(&id(STAGING)).await.unwrap().len()), ("1 2", 2));
    // Of what comes again, and twice in one call, each part is loaded once.
    let again = [("part02", row(2, "b")), ("part03", row(3, "c")), ("part03", row(3, "c")), ("part01", row(1, "a"))];
    assert_eq!(load(&again).await.unwrap(), 1);
    assert_eq!(held(), "1 2 3");
    assert_eq!(lake.loaded_parts(&id(STAGING)).await.unwrap(), ["part01", "part02", "part03"]);
    assert_eq!(load(&again).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_load_the_same_parts_at_once_load_each_once() {
    let Some((database, lake)) = lake_with("").await else { return };
    lake.create_staging(&id(STAGING), &orders()).await.unwrap();
    let parts: Vec<_> = (0..40).map(|n| part(&format!("part{n:02}"), &orders(), &[row(n, "a")])).collect();
    let backwards = parts.iter().rev().cloned().collect();
    let (staging, schema) = (id(STAGING), orders());
    let (one, other) =
        tokio::join!(lake.load_parts(&staging, &schema, parts), lake.load_parts(&staging, &schema, backwards));
    assert_eq!(one.unwrap() + other.unwrap(), 40);
    assert_eq!(database.sql(&format!("SELECT count(*), count(DISTINCT id) FROM {STAGING}")), "40|40");
}

#[tokio::test]
async fn a_staged_table_has_its_key_once_it_is_filled_and_rests_until_it_is_in_its_place() {
    let Some((database, lake)) = lake_with("").await else { return };
    stage(&*lake, vec![row(1, "a"), row(1, "again")]).await;
    refused(lake.take_indexes(&id(STAGING), &orders(), None).await, "could not create unique index");
    stage(&*lake, vec![row(1, "a"), row(2, "b")]).await;
    let facts = |table: &str| {
        database.sql(&format!(
            "SELECT reloptions, (SELECT count(*) FROM pg_index WHERE indrelid = c.oid AND indisprimary) FROM pg_class c
             WHERE oid = '{table}'::regclass"
        ))
    };
    assert_eq!(facts(STAGING), "{autovacuum_enabled=off}|0");
    for _ in 0..2 {
        lake.take_indexes(&id(STAGING), &orders(), Some(&id("raw.orders"))).await.unwrap();
        assert_eq!(facts(STAGING), "{autovacuum_enabled=off}|1");
    }
    swap(&*lake).await.unwrap();
    assert_eq!(facts("raw.orders"), "|1");
    database.sql("ALTER TABLE raw.orders SET (autovacuum_enabled = off, fillfactor = 90)");
    stage(&*lake, vec![row(3, "c")]).await;
    swap(&*lake).await.unwrap();
    assert_eq!(facts("raw.orders"), "{autovacuum_enabled=off,fillfactor=90}|1", "what somebody set stays");
}

// A snapshot that is let go ends its connection while a statement of the test waits for the table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_unchanged_until_one_of_its_rows_is_written() {
    let Some((database, lake)) = lake_with("CREATE TABLE raw.t (id int); INSERT INTO raw.t VALUES (1), (2), (3)").await
    else {
        return;
    };
    let table = id("raw.t");
    for (change, unchanged) in [
        ("SELECT 1", true),
        ("VACUUM raw.t", true),
        ("VACUUM FREEZE raw.t", true),
        ("BEGIN; INSERT INTO raw.t VALUES (9); ROLLBACK", true),
        ("SELECT FROM raw.t FOR UPDATE", true),
        ("INSERT INTO raw.t VALUES (4)", false),
        ("DELETE FROM raw.t WHERE id = 4", false),
        ("UPDATE raw.t SET id = id WHERE id = 2", false),
        ("BEGIN; DELETE FROM raw.t WHERE id = 1; INSERT INTO raw.t VALUES (1); COMMIT", false),
        ("BEGIN; TRUNCATE raw.t; INSERT INTO raw.t VALUES (1), (2), (3); COMMIT", false),
        ("CREATE TABLE raw.u AS TABLE raw.t; DROP TABLE raw.t; ALTER TABLE raw.u RENAME TO t", false),
    ] {
        // Transactions of other tests run on the same server: while one that is older than the last change goes on, the
        // table is read again rather than taken for unchanged.
        for patience in (0..300).rev() {
            let mut then = lake.snapshot().await.unwrap();
            let (moment, rows) = (then.moment(&table).await.unwrap().unwrap(), then.count(&table).await.unwrap());
            drop(then);
            database.sql(change);
            let mut now = lake.snapshot().await.unwrap();
            let found = now.unchanged_since(&table, &moment, rows).await.unwrap();
            if found == unchanged || patience == 0 || !unchanged {
                assert_eq!(found, unchanged, "{change}");
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
    let mut snapshot = lake.snapshot().await.unwrap();
    database.sql("CREATE VIEW raw.v AS TABLE raw.t");
    assert_eq!(lake.snapshot().await.unwrap().moment(&id("raw.v")).await.unwrap(), None);
    let moment = snapshot.moment(&table).await.unwrap().unwrap();
    assert!(
        !lake.snapshot().await.unwrap().unchanged_since(&table, &moment, 2).await.unwrap(),
        "another number of rows"
    );
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
    lake.take_indexes(&id(STAGING), &orders(), Some(&id("raw.orders"))).await.unwrap();
    swap(&*lake).await.unwrap();
    swap(&*lake).await.expect("done already is done");
    assert_eq!(database.sql("SELECT note FROM raw.\"Orders\" ORDER BY 1"), "new\nnewer");
    assert_eq!(database.sql("SELECT said FROM raw.seen ORDER BY 1; SELECT * FROM raw.through"), "new\nnewer\n1");
    assert_eq!(database.sql("SELECT reloptions FROM pg_class WHERE relname = 'seen'"), "{security_barrier=true}");
    let acl = "SELECT relacl FROM pg_class WHERE oid = 'raw.\"Orders\"'::regclass; SELECT attacl FROM pg_attribute WHERE attrelid = 'raw.\"Orders\"'::regclass AND attname = 'note'";
    assert_eq!(database.sql(acl), format!("{{carve=arwdDxt/carve,{role}=r*/carve}}\n{{{role}=w/carve}}"));
    let comments = "SELECT obj_description('raw.\"Orders\"'::regclass), col_description('raw.\"Orders\"'::regclass, 2)";
    assert_eq!(database.sql(comments), "it's all|free");
    let indexes = "SELECT indexdef FROM pg_indexes WHERE tablename = '%' ORDER BY indexname";
    let names = "SELECT string_agg(indexname, ' ' ORDER BY indexname) FROM pg_indexes WHERE tablename = 'Orders'";
    assert_eq!(database.sql(names), "Orders_pkey by_note one_note", "the very names they had");
    assert_eq!(
        database.sql(&indexes.replace('%', "Orders")),
        database
            .sql(&indexes.replace('%', "orders__before"))
            .replace("raw.orders__before", "raw.\"Orders\"")
            .replace("Orders_pkey__before", "Orders_pkey")
            .replace("__before ON", " ON")
    );
    // And back.
    lake.swap(&id("raw.orders__before"), &id("raw.orders"), Some(&id(STAGING))).await.unwrap();
    assert_eq!(database.sql("SELECT note FROM raw.\"Orders\"; SELECT said FROM raw.seen"), "old\nold");
    assert_eq!(database.sql(names), "Orders_pkey by_note one_note");
    assert_eq!(database.sql(acl), format!("{{carve=arwdDxt/carve,{role}=r*/carve}}\n{{{role}=w/carve}}"));
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
        (
            "CREATE POLICY p ON raw.orders USING (more > 0)",
            "the row security policy `p` cannot be made on the new table",
        ),
        ("CREATE FUNCTION g(x raw.orders) RETURNS int LANGUAGE sql AS 'SELECT 1'", "function public.g(raw.orders)"),
        ("CREATE TABLE holder (x raw.orders[])", "column x of table public.holder"),
        (
            "CREATE TABLE log (n int); CREATE RULE r AS ON INSERT TO log DO ALSO DELETE FROM raw.orders",
            "rule r on table public.log",
        ),
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
          constraints, its foreign keys, its defaults"]
    );
    let at_once = lake.rehearse(&id("raw.n__carve_staging"), &id("raw.n"), &id("raw.n__before"), &orders()).await;
    assert!(at_once.unwrap().is_empty() && !lake.exists(&id("raw.n")).await.unwrap());
}

const NAMES: &str =
    "SELECT string_agg(indexrelid::regclass || coalesce(' ' || conname, ''), ', ' ORDER BY indexrelid::regclass::text)
    FROM pg_index LEFT JOIN pg_constraint ON conindid = indexrelid WHERE indrelid = 'raw.orders'::regclass";

#[tokio::test]
async fn keys_and_indexes_have_the_same_names_after_every_swap_and_when_the_table_comes_back() {
    let long = "x".repeat(60);
    let script = format!(
        "CREATE TABLE raw.orders (id int PRIMARY KEY, note text CONSTRAINT only_note UNIQUE, CONSTRAINT twice UNIQUE (id));
         CREATE INDEX by_note ON raw.orders (note); CREATE INDEX again__2 ON raw.orders (note); CREATE INDEX {long} ON raw.orders (lower(note))"
    );
    let Some((database, lake)) = lake_with(&script).await else { return };
    let before = database.sql(NAMES);
    assert!(before.contains("raw.only_note only_note") && before.contains("raw.twice twice"), "{before}");
    let put = async |live: &str, previous: &str| {
        stage(&*lake, vec![row(1, "new"), row(2, "newer")]).await;
        lake.take_indexes(&id(STAGING), &orders(), Some(&id(live))).await.unwrap();
        let previous = id(previous);
        lake.drop_table(&previous).await.unwrap();
        lake.swap(&id(STAGING), &id(live), Some(&previous)).await.unwrap();
    };
    for previous in ["raw.orders__before", "raw.orders__previous", "raw.orders__previous"] {
        put("raw.orders", previous).await;
        assert_eq!(database.sql(NAMES), before, "{previous}");
    }
    database.sql("INSERT INTO raw.orders VALUES (1, 'x') ON CONFLICT ON CONSTRAINT twice DO UPDATE SET note = 'y'");
    // An index that the import has not by now keeps its name on the table that comes back.
    database.sql("DROP INDEX raw.by_note");
    lake.swap(&id("raw.orders__before"), &id("raw.orders"), Some(&id(STAGING))).await.unwrap();
    assert_eq!(database.sql(NAMES), before);
    // A key of the import's own is called as PostgreSQL calls one.
    for _ in 0..2 {
        put("raw.fresh", "raw.fresh__previous").await;
        assert_eq!(database.sql(&NAMES.replace("raw.orders", "raw.fresh")), "raw.fresh_pkey fresh_pkey");
    }
}

#[tokio::test]
async fn a_table_that_comes_back_has_no_key_of_the_import() {
    let Some((database, lake)) = lake_with("CREATE TABLE raw.orders (id int, note text)").await else { return };
    stage(&*lake, vec![row(1, "new")]).await;
    lake.take_indexes(&id(STAGING), &orders(), Some(&id("raw.orders"))).await.unwrap();
    swap(&*lake).await.unwrap();
    assert_eq!(database.sql(NAMES), "raw.orders_pkey orders_pkey");
    lake.swap(&id("raw.orders__before"), &id("raw.orders"), Some(&id(STAGING))).await.unwrap();
    assert_eq!(database.sql(NAMES), "", "it had none before");
}

#[tokio::test]
async fn a_column_keeps_its_type_where_that_takes_every_value_of_the_origins() {
    let script = "CREATE TABLE raw.orders (id bigint, note text, size varchar(9), at timestamp, price numeric(9,2));
        CREATE VIEW seen AS SELECT * FROM raw.orders";
    let Some((database, lake)) = lake_with(script).await else { return };
    let origin = |types: [&str; 5]| {
        use LogicalType::{Decimal, Integer, Text, Timestamp};
        let names = [("id", Integer), ("note", Text), ("size", Text), ("at", Timestamp), ("price", Decimal)];
        let mut shape = schema(&names);
        shape.columns.iter_mut().zip(types).for_each(|(column, physical)| column.physical = physical.to_owned());
        shape
    };
    let narrower =
        ["int4", "character varying(50)", "character varying(5)", "timestamp(3) without time zone", "numeric(9,2)"];
    let rehearse =
        async |shape: &Schema| lake.rehearse(&id(STAGING), &id("raw.orders"), &id("raw.orders__previous"), shape).await;
    assert_eq!(rehearse(&origin(narrower)).await.unwrap(), Vec::<String>::new());
    let shape = origin(narrower);
    lake.create_staging(&id(STAGING), &shape).await.unwrap();
    let values = vec![
        Value::Integer(7),
        Value::Text("a".into()),
        Value::Text("12345".into()),
        Value::TimestampMicros(1_000),
        Value::Decimal("1.50".into()),
    ];
    assert!(lake.load_part(&id(STAGING), "part01", &shape, vec![values]).await.unwrap());
    lake.take_indexes(&id(STAGING), &shape, Some(&id("raw.orders"))).await.unwrap();
    swap(&*lake).await.unwrap();
    let types = "SELECT string_agg(format_type(atttypid, atttypmod), ', ' ORDER BY attnum) FROM pg_attribute
        WHERE attrelid = 'raw.orders'::regclass AND attnum > 0";
    let as_before = "bigint, text, character varying(9), timestamp without time zone, numeric(9,2)";
    assert_eq!(database.sql(types), as_before);
    assert_eq!(database.sql("SELECT * FROM seen"), "7|a|12345|1970-01-01 00:00:00.001|1.50");
    // What the lake's type might not hold is the origin's, and a view that would break says how to go on.
    let wider =
        ["int8", "character varying(50)", "character varying(10)", "timestamp without time zone", "numeric(9,2)"];
    refused(rehearse(&origin(wider)).await, "a column declared `text` is text in the lake too");
    let other_scale = ["int8", "text", "character varying(9)", "timestamp without time zone", "numeric(9,1)"];
    refused(rehearse(&origin(other_scale)).await, "the view \"public\".\"seen\" would break");
}

#[tokio::test]
async fn a_schema_with_capitals_takes_an_import_too() {
    let script = "CREATE SCHEMA \"La ke\"; CREATE TABLE \"La ke\".\"Up Per\" (id int PRIMARY KEY, note text)";
    let Some((database, lake)) = lake_with(script).await else { return };
    let of = |table: &str| carve::vocab::DatasetId::from_parts(&["La ke", table]);
    let (live, staging, previous) = (of("Up Per"), of("up per__carve_staging"), of("up per__before_carve"));
    lake.rehearse(&staging, &live, &previous, &orders()).await.unwrap();
    lake.create_staging(&staging, &orders()).await.unwrap();
    assert!(lake.load_part(&staging, "part01", &orders(), vec![row(1, "new")]).await.unwrap());
    assert_eq!(lake.loaded_parts(&staging).await.unwrap(), ["part01"]);
    lake.take_indexes(&staging, &orders(), Some(&live)).await.unwrap();
    lake.swap(&staging, &live, Some(&previous)).await.unwrap();
    assert_eq!(database.sql("SELECT note FROM \"La ke\".\"Up Per\""), "new");
    lake.swap(&previous, &live, Some(&staging)).await.unwrap();
    lake.drop_table(&staging).await.unwrap();
    assert_eq!(database.sql("SELECT count(*) FROM \"La ke\".\"Up Per\"; SELECT to_regnamespace('carve_books')"), "0");
    database.sql("CREATE SCHEMA \"la ke\"");
    refused(lake.rehearse(&staging, &live, &previous, &orders()).await, "differ by case only");
    let url = database.url("&schema=La%20ke");
    let own = carve::connector::open_lake("lake", &url, camino::Utf8Path::new("/")).await.unwrap();
    assert!(own.exists(&carve::vocab::DatasetId::from_parts(&["Up Per"])).await.unwrap());
}

const OTHERWISE: &str = "SELECT c.relrowsecurity, c.relforcerowsecurity, c.reloptions, c.relreplident,
    (SELECT string_agg(concat_ws(' ', i.indisprimary, i.indisunique, i.indisclustered, i.indisreplident, con.contype,
       obj_description(i.indexrelid, 'pg_class')), ', ' ORDER BY i.indisprimary DESC)
     FROM pg_index i LEFT JOIN pg_constraint con ON con.conindid = i.indexrelid AND con.conrelid = c.oid WHERE i.indrelid = c.oid),
    (SELECT string_agg(concat_ws(' ', a.attname, a.attnotnull, o.collname, a.attstorage, a.attcompression, a.attstattarget, a.attoptions), ', ' ORDER BY attnum)
     FROM pg_attribute a LEFT JOIN pg_collation o ON o.oid = a.attcollation WHERE a.attrelid = c.oid AND a.attnum > 0),
    (SELECT string_agg(concat_ws(' ', polname, polcmd, polpermissive, pg_get_expr(polqual, polrelid), obj_description(oid, 'pg_policy')), ', ') FROM pg_policy WHERE polrelid = c.oid)
    FROM pg_class c WHERE c.oid = 'raw.orders'::regclass";

#[tokio::test]
async fn row_security_key_collation_and_settings_stay_and_come_back() {
    let role = format!("unseen_{}", std::process::id());
    let script = format!(
        "CREATE ROLE {role}; GRANT USAGE ON SCHEMA raw TO {role}; CREATE TABLE acl (id int);
         CREATE TABLE raw.orders (id int PRIMARY KEY, note text COLLATE \"C\" NOT NULL UNIQUE, more int NOT NULL)
           WITH (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_enabled = false);
         INSERT INTO raw.orders VALUES (1, 'old', 1); GRANT SELECT ON raw.orders TO {role}; GRANT SELECT ON acl TO {role};
         ALTER TABLE raw.orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY, CLUSTER ON orders_pkey,
           REPLICA IDENTITY USING INDEX orders_note_key, ALTER note SET STORAGE EXTERNAL, ALTER note SET COMPRESSION pglz,
           ALTER note SET STATISTICS 7, ALTER note SET (n_distinct = 9);
         CREATE POLICY mine ON raw.orders FOR SELECT TO {role} USING (EXISTS (SELECT FROM acl WHERE acl.id = orders.id));
         COMMENT ON POLICY mine ON raw.orders IS 'whose'; COMMENT ON INDEX raw.orders_note_key IS 'one each'"
    );
    let Some((database, lake)) = lake_with(&script).await else { return };
    let before = database.sql(OTHERWISE);
    let seen = || database.sql(&format!("SET ROLE {role}; SELECT count(*) FROM raw.orders"));
    assert_eq!(seen(), "0");
    // The origin knows of no key and lets everything be NULL.
    let mut loose =
        schema(&[("id", LogicalType::Integer), ("note", LogicalType::Text), ("more", LogicalType::Integer)]);
    loose.columns[0].physical = "int4".into();
    loose.columns[2].physical = "int4".into();
    let told = lake.rehearse(&id(STAGING), &id("raw.orders"), &id("raw.orders__before"), &loose).await.unwrap();
    assert_eq!(
        told,
        [
            "the import that takes the place of `raw.orders` holds its rows, key and indexes, but not NOT NULL of `note`, \
          `more` (but where the rows hold no NULL, it stays), its replica identity"
        ]
    );
    for (generation, previous) in [("one", "raw.orders__before"), ("two", "raw.orders__previous")] {
        let row =
            |number| vec![Value::Integer(number), Value::Text(format!("{generation}{number}")), Value::Integer(number)];
        lake.create_staging(&id(STAGING), &loose).await.unwrap();
        assert!(lake.load_part(&id(STAGING), "part01", &loose, vec![row(1), row(2)]).await.unwrap());
        lake.take_indexes(&id(STAGING), &loose, Some(&id("raw.orders"))).await.unwrap();
        lake.swap(&id(STAGING), &id("raw.orders"), Some(&id(previous))).await.unwrap();
        assert_eq!(database.sql("SELECT note FROM raw.orders WHERE id = 2"), format!("{generation}2"));
        assert_eq!(database.sql(OTHERWISE), before, "{generation}");
        assert_eq!(seen(), "0", "{generation}");
    }
    database.sql("INSERT INTO acl VALUES (1), (2)");
    assert_eq!(seen(), "2", "the policy reads what it names");
    // Back to the table that was there first, with the policy that the import has by now.
    database.sql(&format!("ALTER POLICY mine ON raw.orders TO {role} USING (false)"));
    lake.swap(&id("raw.orders__before"), &id("raw.orders"), Some(&id(STAGING))).await.unwrap();
    assert_eq!(database.sql("SELECT note FROM raw.orders"), "old");
    assert_eq!(seen(), "0");
    database.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_from_whom_rows_are_hidden_is_told_before_anything_is_done() {
    let owner = format!("owner_{}", std::process::id());
    let Some(database) = Database::with("CREATE SCHEMA raw") else { return };
    database.sql(&format!(
        "CREATE ROLE {owner} LOGIN PASSWORD '{}' ; ALTER SCHEMA raw OWNER TO {owner};
         CREATE TABLE raw.orders (id int PRIMARY KEY, note text); ALTER TABLE raw.orders OWNER TO {owner};
         ALTER TABLE raw.orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE SCHEMA carve_books AUTHORIZATION {owner}",
        super::password()
    ));
    let url = database.url("").replace("carve@", &format!("{owner}@"));
    let lake = carve::connector::open_lake("lake", &url, camino::Utf8Path::new("/")).await.unwrap();
    let rehearse =
        || async { lake.rehearse(&id(STAGING), &id("raw.orders"), &id("raw.orders__before"), &orders()).await };
    refused(rehearse().await, &format!("ALTER ROLE {owner} BYPASSRLS"));
    database.sql("ALTER TABLE raw.orders NO FORCE ROW LEVEL SECURITY");
    rehearse().await.expect("an owner sees every row");
    database.sql(&format!("DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}"));
}

#[tokio::test]
async fn what_an_import_cannot_have_is_told() {
    let script = "CREATE TABLE raw.orders (twice int GENERATED ALWAYS AS (id * 2) STORED, note varchar(40) NOT NULL,
          id int PRIMARY KEY DEFERRABLE);
        CREATE UNIQUE INDEX ON raw.orders (twice)";
    let Some((_database, lake)) = lake_with(script).await else { return };
    let mut shape =
        schema(&[("id", LogicalType::Integer), ("note", LogicalType::Text), ("twice", LogicalType::Integer)]);
    shape.columns[0].physical = "int4".into();
    shape.columns[2].physical = "int4".into();
    shape.key = vec!["note".into()];
    shape.columns[1].nullable = false;
    let told = lake.rehearse(&id(STAGING), &id("raw.orders"), &id("raw.orders__before"), &shape).await.unwrap();
    assert_eq!(
        told,
        ["the import that takes the place of `raw.orders` holds its rows, key and indexes, but not its `PRIMARY KEY \
          (id) DEFERRABLE` (a unique index it has), the formulas of its generated columns (as plain columns it has \
          `twice`, filled with the origin's values), NOT NULL of `id` (but where the rows hold no NULL, it stays), the \
          types of its columns (`note character varying(40), now text`), the order of its columns (that of the origin \
          it has)"]
    );
}

#[tokio::test]
async fn null_where_the_replaced_table_had_none_is_no_obstacle_but_in_its_key() {
    let Some((database, lake)) = lake_with("CREATE TABLE raw.orders (id int PRIMARY KEY, note text NOT NULL)").await
    else {
        return;
    };
    let loose = schema(&[("id", LogicalType::Integer), ("note", LogicalType::Text)]);
    let load = async |rows: Vec<Row>| {
        lake.create_staging(&id(STAGING), &loose).await.unwrap();
        lake.load_part(&id(STAGING), "part01", &loose, rows).await.unwrap();
        lake.take_indexes(&id(STAGING), &loose, Some(&id("raw.orders"))).await
    };
    refused(load(vec![vec![Value::Null, Value::Text("a".into())]]).await, "break the primary key `orders_pkey`");
    load(vec![vec![Value::Integer(1), Value::Null]]).await.unwrap();
    swap(&*lake).await.unwrap();
    let not_null = "SELECT string_agg(attname || ' ' || attnotnull, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'raw.orders'::regclass AND attnum > 0";
    assert_eq!(database.sql(not_null), "id true, note false");
}

#[tokio::test]
async fn rows_that_break_a_unique_index_are_refused_before_the_swap() {
    let script = "CREATE TABLE raw.orders (id int PRIMARY KEY, note text UNIQUE)";
    let Some((_database, lake)) = lake_with(script).await else { return };
    stage(&*lake, vec![row(1, "a"), row(2, "a")]).await;
    refused(
        lake.take_indexes(&id(STAGING), &orders(), Some(&id("raw.orders"))).await,
        "break the unique index `orders_note_key`",
    );
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
    assert_eq!(database.sql("SELECT to_regnamespace('carve_books') IS NULL"), "t", "a probe leaves nothing");
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
