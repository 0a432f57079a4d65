//! The torture table: every type arrives exactly, or is refused by name with a way to allow it.
use crate::one_part::OnePart;
use carve::connector::Lake;
use carve::vocab::{LogicalType, Row, Value};

use super::Database;
use crate::connector::{all_rows, drained, id, told};

/// A type, a value as SQL, what it is in carve, and the value there.
type Case = (&'static str, &'static str, LogicalType, Value);

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn decimal(digits: &str) -> Value {
    Value::Decimal(digits.to_owned())
}

const DAY: i64 = 86_400_000_000;

fn exact() -> Vec<Case> {
    use LogicalType as L;
    // 1970-01-01 is day 719,162 after 0001-01-01; 1 BC is a leap year before it, and so on back to 4714 BC.
    vec![
        ("boolean", "true", L::Boolean, Value::Boolean(true)),
        ("smallint", "-32768", L::Integer, Value::Integer(-32_768)),
        ("integer", "-2147483648", L::Integer, Value::Integer(-2_147_483_648)),
        ("bigint", "-9223372036854775808", L::Integer, Value::Integer(i64::MIN)),
        ("oid", "4294967295", L::Integer, Value::Integer(4_294_967_295)),
        ("real", "0.1", L::Double, Value::Double(f64::from(0.1_f32))),
        ("real", "'Infinity'", L::Double, Value::Double(f64::INFINITY)),
        ("double precision", "0.1", L::Double, Value::Double(0.1)),
        ("double precision", "5e-324", L::Double, Value::Double(5e-324)),
        ("double precision", "'-Infinity'", L::Double, Value::Double(f64::NEG_INFINITY)),
        ("numeric", "1.50", L::Decimal, decimal("1.50")),
        (
            "numeric",
            "-0.000000000000000000000000000000000000001",
            L::Decimal,
            decimal("-0.000000000000000000000000000000000000001"),
        ),
        (
            "numeric(40,2)",
            "12345678901234567890123456789012345678.9",
            L::Decimal,
            decimal("12345678901234567890123456789012345678.90"),
        ),
        ("money", "-1234.56::numeric", L::Decimal, decimal("-1234.56")),
        ("text", "E' a\\tb\\n\\\\N\"'", L::Text, text(" a\tb\n\\N\"")),
        ("text", "''", L::Text, text("")),
        ("character varying(9)", "'x  '", L::Text, text("x  ")),
        ("character(5)", "'ab'", L::Text, text("ab   ")),
        ("name", "'pg'", L::Text, text("pg")),
        ("bytea", "'\\x005cff'", L::Bytes, Value::Bytes(vec![0, 0x5c, 255])),
        ("bytea", "''", L::Bytes, Value::Bytes(vec![])),
        ("date", "'0001-12-31 BC'", L::Date, Value::DateDays(-719_163)),
        ("date", "'5874897-12-31'", L::Date, Value::DateDays(2_145_042_905)),
        ("time", "'23:59:59.999999'", L::Time, Value::TimeMicros(DAY - 1)),
        ("timestamp", "'0001-12-31 23:59:59.999999 BC'", L::Timestamp, Value::TimestampMicros(-719_162 * DAY - 1)),
        ("timestamp(3)", "'1970-01-01 00:00:00.1239'", L::Timestamp, Value::TimestampMicros(124_000)),
        ("timestamptz", "'1970-01-01 00:00:00.000001+01'", L::TimestampTz, Value::InstantMicros(1 - 3_600_000_000)),
        ("timetz", "'24:00:00+05:30'", L::Text, text("24:00:00+05:30")),
        ("interval", "'-1 mons +2 days -00:00:00.000001'", L::Text, text("P-1M2DT-0.000001S")),
        ("json", "'{\"a\": 1,  \"a\": 2.0}'", L::Text, text("{\"a\": 1,  \"a\": 2.0}")),
        ("jsonb", "'{\"b\": 1.0, \"a\": null}'", L::Text, text("{\"a\": null, \"b\": 1.0}")),
        ("xml", "'<a>b</a>'", L::Text, text("<a>b</a>")),
        ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", L::Text, text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        ("inet", "'10.0.0.1'", L::Text, text("10.0.0.1/32")),
        ("cidr", "'10.0.0.0/8'", L::Text, text("10.0.0.0/8")),
        ("macaddr", "'08:00:2b:01:02:03'", L::Text, text("08:00:2b:01:02:03")),
        ("bit(3)", "B'010'", L::Text, text("010")),
        ("bit varying", "B''", L::Text, text("")),
        ("integer[]", "'{{1,NULL},{3,4}}'", L::Text, text("{{1,NULL},{3,4}}")),
        ("integer[]", "'[0:1]={1,2}'", L::Text, text("[0:1]={1,2}")),
        ("text[]", "ARRAY['a,b', '', NULL, '\"', 'NULL']", L::Text, text("{\"a,b\",\"\",NULL,\"\\\"\",\"NULL\"}")),
        (
            "timestamptz[]",
            "ARRAY['2024-01-01 00:00:00+01'::timestamptz]",
            L::Text,
            text("{\"2023-12-31 23:00:00+00\"}"),
        ),
        ("int4range", "'[1,5]'", L::Text, text("[1,6)")),
        ("tstzrange", "'empty'", L::Text, text("empty")),
        ("int8multirange", "'{[1,2),[4,5)}'", L::Text, text("{[1,2),[4,5)}")),
        ("point", "'(0.1,-0)'", L::Text, text("(0.1,-0)")),
        ("polygon", "'((0,0),(1,1),(1,0))'", L::Text, text("((0,0),(1,1),(1,0))")),
        ("tsvector", "'b:2A a:1'", L::Text, text("'a':1 'b':2A")),
        ("pg_lsn", "'16/B374D848'", L::Text, text("16/B374D848")),
        ("mood", "'so so'", L::Text, text("so so")),
        ("positive", "7", L::Integer, Value::Integer(7)),
        ("code", "'ab'", L::Text, text("ab  ")),
        ("pair", "ROW(1, 'a,b')", L::Text, text("(1,\"a,b\")")),
        ("hstore", "'a=>1, b=>NULL'", L::Text, text("\"a\"=>\"1\", \"b\"=>NULL")),
    ]
}

const MADE: &str = "CREATE EXTENSION hstore; CREATE TYPE mood AS ENUM ('so so', 'good'); CREATE DOMAIN positive AS int CHECK (value > 0);
    CREATE DOMAIN code AS character(4); CREATE TYPE pair AS (n int, t text); CREATE SCHEMA raw;";

fn torture() -> Option<Database> {
    let cases = exact();
    let columns: Vec<String> = cases.iter().enumerate().map(|(at, case)| format!("c{at} {}", case.0)).collect();
    let values: Vec<String> = cases.iter().map(|case| format!("CAST({} AS {})", case.1, case.0)).collect();
    // The second row is all NULL; the key tells them apart.
    Database::with(&format!(
        "{MADE} CREATE TABLE raw.torture (id int PRIMARY KEY, {});
         INSERT INTO raw.torture SELECT 1, {}; INSERT INTO raw.torture (id) VALUES (2);",
        columns.join(", "),
        values.join(", ")
    ))
}

#[tokio::test]
async fn every_type_arrives_as_it_is() {
    let Some(database) = torture() else { return };
    let origin = database.origin().await;
    let schema = origin.describe(&id("raw.torture")).await.unwrap().schema;
    let rows = all_rows(&*origin, "raw.torture").await.unwrap();
    for (at, (of, sql, logical, value)) in exact().into_iter().enumerate() {
        assert_eq!(schema.columns[at + 1].logical, logical, "{of}");
        assert_eq!(rows[0][at + 1], value, "{sql}::{of}");
        assert_eq!(rows[1][at + 1], Value::Null, "{of}");
    }
}

/// Stages the table's rows in `lake`.
async fn staged(lake: &dyn Lake, schema: &carve::vocab::Schema, rows: Vec<Row>) {
    lake.create_staging(&id("raw.copy"), schema).await.unwrap();
    assert!(lake.load_part(&id("raw.copy"), "part01", schema, rows).await.unwrap());
}

#[tokio::test]
async fn a_rehearsal_finds_the_types_that_the_session_finds() {
    let Some(database) = torture() else { return };
    let lake = database.lake("").await;
    let mut schema = lake.describe(&id("raw.torture")).await.unwrap().schema;
    schema.key = vec!["id".into()];
    let told = lake.rehearse(&id("raw.copy"), &id("raw.torture"), &id("raw.torture__before"), &schema).await.unwrap();
    // What money says depends on the server's language, so it alone is imported as another type.
    let lost =
        told.iter().map(|note| note.split_once("but not").map_or("", |(_, lost)| lost.trim())).collect::<Vec<_>>();
    assert_eq!(lost, ["the types of its columns (`c13 money, now numeric`)"]);
    assert_eq!(
        database.sql("SELECT to_regclass('raw.copy') IS NULL AND to_regclass('carve_books.tables') IS NULL"),
        "t"
    );
}

/// The lake has neither the table nor the role that the origin's values name.
#[tokio::test(flavor = "multi_thread")]
async fn what_only_the_origin_knows_by_name_is_imported_as_text() {
    let Some(origin) = Database::with(
        "CREATE TABLE known (id int PRIMARY KEY, at regclass, who regrole, list regclass[], rights aclitem);
         CREATE ROLE only_there; INSERT INTO known VALUES (1, 'known', 'only_there', '{known}', 'only_there=r/carve')",
    ) else {
        return;
    };
    let Some(database) = Database::with("CREATE SCHEMA raw") else { return };
    let schema = origin.origin().await.describe(&id("known")).await.unwrap().schema;
    let rows = all_rows(&*origin.origin().await, "known").await.unwrap();
    // Roles belong to the whole server: gone before the import, as on another server.
    origin.sql("DROP TABLE known; DROP ROLE only_there");
    let lake = database.lake("").await;
    staged(&*lake, &schema, rows.clone()).await;
    assert_eq!(all_rows(&*lake, "raw.copy").await.unwrap(), rows);
    assert_eq!(rows[0][1..], ["known", "only_there", "{known}", "only_there=r/carve"].map(text));
}

#[tokio::test]
async fn an_import_has_the_same_types_and_the_same_values_for_sql_too() {
    let Some(database) = torture() else { return };
    let lake = database.lake("").await;
    let schema = lake.describe(&id("raw.torture")).await.unwrap().schema;
    staged(&*lake, &schema, all_rows(&*lake, "raw.torture").await.unwrap()).await;
    assert_eq!(all_rows(&*lake, "raw.copy").await.unwrap(), all_rows(&*lake, "raw.torture").await.unwrap());
    // Only money comes as another type: what its text means depends on the server's language.
    let differ = "SELECT string_agg(format_type(a.atttypid, a.atttypmod), ',') FROM pg_attribute a JOIN pg_attribute b USING (attname)
        WHERE a.attrelid = 'raw.torture'::regclass AND b.attrelid = 'raw.copy'::regclass AND a.attnum > 0
          AND (a.atttypid, a.atttypmod) <> (b.atttypid, b.atttypmod)";
    assert_eq!(database.sql(differ), "money");
    let money = exact().iter().position(|case| case.0 == "money").unwrap();
    database.sql(&format!("ALTER TABLE raw.copy ALTER c{money} TYPE money"));
    assert_eq!(
        database.sql("SELECT t::text FROM raw.torture t ORDER BY id"),
        database.sql("SELECT t::text FROM raw.copy t ORDER BY id")
    );
}

#[tokio::test]
async fn a_server_that_knows_none_of_these_types_takes_the_values_all_the_same() {
    let Some(database) = torture() else { return };
    let elsewhere = Database::with("CREATE SCHEMA raw").unwrap();
    let (origin, lake) = (database.origin().await, elsewhere.lake("").await);
    let schema = origin.describe(&id("raw.torture")).await.unwrap().schema;
    let rows = all_rows(&*origin, "raw.torture").await.unwrap();
    staged(&*lake, &schema, rows.clone()).await;
    let mut snapshot = lake.snapshot().await.unwrap();
    assert_eq!(drained(snapshot.rows(&id("raw.copy"), &schema).await.unwrap()).await.unwrap(), rows);
}

#[tokio::test]
async fn sqlite_takes_the_same_values_and_gives_them_back() {
    let Some(database) = torture() else { return };
    let folder = tempfile::tempdir().unwrap();
    let base = camino::Utf8Path::from_path(folder.path()).unwrap();
    let lake = carve::connector::open_lake("lake", "sqlite:.", base).await.unwrap();
    let origin = database.origin().await;
    let schema = origin.describe(&id("raw.torture")).await.unwrap().schema;
    let rows = all_rows(&*origin, "raw.torture").await.unwrap();
    staged(&*lake, &schema, rows.clone()).await;
    let mut snapshot = lake.snapshot().await.unwrap();
    assert_eq!(drained(snapshot.rows(&id("raw.copy"), &schema).await.unwrap()).await.unwrap(), rows);
}

#[tokio::test]
async fn what_has_no_exact_value_is_refused_by_name_and_arrives_as_text() {
    let cases = [
        ("numeric", "'NaN'", "NaN"),
        ("numeric", "'-Infinity'", "-Infinity"),
        ("date", "'infinity'", "infinity"),
        ("date", "'-infinity'", "-infinity"),
        ("timestamp", "'-infinity'", "-infinity"),
        ("timestamptz", "'infinity'", "infinity"),
        ("timestamptz", "'294276-12-31 23:59:59.999999+00'", "294276-12-31 23:59:59.999999+00"),
        ("time", "'24:00'", "24:00:00"),
    ];
    let tables: Vec<String> = cases
        .iter()
        .enumerate()
        .map(|(at, (of, sql, _))| {
            format!("CREATE TABLE t{at} (id int PRIMARY KEY, v {of}); INSERT INTO t{at} VALUES (1, NULL), (2, {sql});")
        })
        .collect();
    let Some(database) = Database::with(&tables.concat()) else { return };
    let lake = database.lake("").await;
    for (at, (of, _, written)) in cases.into_iter().enumerate() {
        let table = id(&format!("public.t{at}"));
        let text = told(&all_rows(&*lake, table.name()).await.unwrap_err());
        assert!(text.contains(&format!("row 2 of `{table}`: column `v`")), "{of}: {text}");
        assert!(text.contains("`text` under `wraps.<service>.columns`"), "{of}: {text}");
        let mut schema = lake.describe(&table).await.unwrap().schema;
        schema.columns[1].logical = LogicalType::Text;
        let mut snapshot = lake.snapshot().await.unwrap();
        let rows = drained(snapshot.rows(&table, &schema).await.unwrap()).await.unwrap();
        assert_eq!(rows[1][1], Value::Text(written.to_owned()), "{of}");
        // Into a column of the same type, and out again.
        let copy = id(&format!("public.copy{at}"));
        lake.create_staging(&copy, &schema).await.unwrap();
        assert!(lake.load_part(&copy, "part01", &schema, rows.clone()).await.unwrap());
        assert_eq!(drained(snapshot_of(&*lake, &copy, &schema).await).await.unwrap(), rows, "{of}");
    }
}

async fn snapshot_of(
    lake: &dyn Lake,
    table: &carve::vocab::DatasetId,
    schema: &carve::vocab::Schema,
) -> carve::connector::RowStream {
    lake.snapshot().await.unwrap().rows(table, schema).await.unwrap()
}

#[tokio::test]
async fn what_another_engine_calls_a_type_does_not_narrow_its_values() {
    let Some(database) = Database::with("CREATE SCHEMA raw") else { return };
    let lake = database.lake("").await;
    // SQLite's words: its INTEGER has 64 bits, its VARCHAR(3) holds any length, its REAL is a double.
    let mut schema = crate::connector::schema(&[
        ("a", LogicalType::Integer),
        ("b", LogicalType::Text),
        ("c", LogicalType::Double),
        ("d", LogicalType::Number),
        ("e", LogicalType::Text),
    ]);
    let physical = ["integer", "VARCHAR(3)", "real", "NUMERIC(8,2)", "int4); DROP SCHEMA raw CASCADE; --"];
    schema.columns.iter_mut().zip(physical).for_each(|(column, physical)| column.physical = physical.to_owned());
    let row = |d| vec![Value::Integer(i64::MAX), text("longer than three"), Value::Double(0.1), d, text("x")];
    let rows = vec![row(Value::Integer(i64::MIN)), row(Value::Double(1e300)), row(Value::Double(1.005))];
    staged(&*lake, &schema, rows.clone()).await;
    let mut found = drained(snapshot_of(&*lake, &id("raw.copy"), &schema).await).await.unwrap();
    // 1e300 is the largest, the smallest comes first.
    found.swap(1, 2);
    // A whole number comes back as one where 64 bits hold it.
    assert_eq!(found, rows);
    let error = lake.load_part(&id("raw.copy"), "part02", &schema, vec![row(Value::Double(-0.0))]).await.unwrap_err();
    assert!(told(&error).contains("-0.0"), "{}", told(&error));
    let mut nul = rows[0].clone();
    nul[1] = text("a\0b");
    let error = lake.load_part(&id("raw.copy"), "part02", &schema, vec![nul]).await.unwrap_err();
    assert!(told(&error).contains("U+0000"), "{}", told(&error));
}

#[tokio::test]
async fn a_byte_that_is_no_utf8_is_told_by_column_and_row_and_arrives_as_bytes() {
    let Some(server) = super::server() else { return };
    let database = Database::of(&server, " TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'");
    database.sql(
        "CREATE TABLE notes (id int PRIMARY KEY, note text);
         INSERT INTO notes VALUES (1, 'é'), (2, convert_from('\\x61ff'::bytea, 'SQL_ASCII'))",
    );
    let origin = database.origin().await;
    let error = all_rows(&*origin, "notes").await.unwrap_err();
    let said = told(&error);
    for part in ["row 2 of `notes`", "column `note`", "from its byte 2", "the type `bytes`"] {
        assert!(said.contains(part), "{said}");
    }
    let mut schema = origin.describe(&id("notes")).await.unwrap().schema;
    schema.columns[1].logical = LogicalType::Bytes;
    let mut snapshot = origin.snapshot().await.unwrap();
    let rows = drained(snapshot.rows(&id("notes"), &schema).await.unwrap()).await.unwrap();
    let notes: Vec<&Value> = rows.iter().map(|row| &row[1]).collect();
    assert_eq!(notes, [&Value::Bytes("é".into()), &Value::Bytes(vec![b'a', 0xff])]);
}
