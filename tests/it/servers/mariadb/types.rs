//! Every type of MariaDB: exactly as it is, or refused by name and allowed in another form.
use crate::one_part::OnePart;
use carve::connector::{Origin, open_lake};
use carve::vocab::{LogicalType as L, Row, Value};

use super::Database;
use crate::connector::{all_rows, drained, id, told};

const DAY: i64 = 86_400_000_000;

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn decimal(text: &str) -> Value {
    Value::Decimal(text.to_owned())
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

/// Type, value in SQL, what it is in carve.
fn exact() -> Vec<(&'static str, &'static str, L, Value)> {
    let number = |number: i64| (L::Integer, number);
    let numbers = [
        ("tinyint", "-128", number(-128)),
        ("tinyint(1)", "2", number(2)),
        ("boolean", "true", number(1)),
        ("tinyint unsigned", "255", number(255)),
        ("smallint", "-32768", number(-32_768)),
        ("smallint unsigned", "65535", number(65_535)),
        ("mediumint", "-8388608", number(-8_388_608)),
        ("mediumint unsigned", "16777215", number(16_777_215)),
        ("int", "-2147483648", number(-2_147_483_648)),
        ("int unsigned", "4294967295", number(4_294_967_295)),
        ("int(7) unsigned zerofill", "42", number(42)),
        ("bigint", "-9223372036854775808", number(i64::MIN)),
        ("bigint", "9223372036854775807", number(i64::MAX)),
        ("bigint unsigned", "9223372036854775807", number(i64::MAX)),
        ("year", "2155", number(2155)),
        ("year", "0", number(0)),
        ("bit(1)", "b'1'", number(1)),
        ("bit(11)", "b'10000000001'", number(1025)),
        ("bit(63)", "9223372036854775807", number(i64::MAX)),
        ("bit(64)", "b'0'", number(0)),
    ];
    let numbers = numbers.into_iter().map(|(of, sql, (logical, value))| (of, sql, logical, Value::Integer(value)));
    numbers.chain(fractions()).chain(texts()).chain(binaries()).chain(moments()).collect()
}

fn fractions() -> Vec<(&'static str, &'static str, L, Value)> {
    let long = "-12345678901234567890123456789012345.123456789012345678901234567890";
    vec![
        ("decimal(65,30)", long, L::Decimal, decimal(long)),
        ("decimal(10,2)", "1.5", L::Decimal, decimal("1.50")),
        ("decimal(8,3) unsigned zerofill", "12.5", L::Decimal, decimal("12.500")),
        ("decimal(20,0)", "-0", L::Decimal, decimal("0")),
        ("float", "0.1", L::Double, Value::Double(0.1_f32.into())),
        ("float", "16777216", L::Double, Value::Double(16_777_216.0)),
        ("float(10,2)", "1234567.89", L::Double, Value::Double(1_234_567.875)),
        ("double", "0.1e0 + 0.2e0", L::Double, Value::Double(0.300_000_000_000_000_04)),
        ("double", "1.7976931348623157e308", L::Double, Value::Double(f64::MAX)),
        ("double", "5e-324", L::Double, Value::Double(5e-324)),
        ("double", "123456789.123456789e0", L::Double, Value::Double(123_456_789.123_456_79)),
        ("double(10,3)", "0.1", L::Double, Value::Double(0.1)),
    ]
}

fn texts() -> Vec<(&'static str, &'static str, L, Value)> {
    vec![
        ("char(5)", "'ab   '", L::Text, text("ab")),
        ("varchar(9)", "'ab   '", L::Text, text("ab   ")),
        ("varchar(9)", "''", L::Text, text("")),
        ("varchar(9)", "'a\\0\\t\\n\\\\'", L::Text, text("a\0\t\n\\")),
        ("tinytext", "'x'", L::Text, text("x")),
        ("text", "'😀 e\u{301}'", L::Text, text("😀 e\u{301}")),
        ("mediumtext", "'NULL'", L::Text, text("NULL")),
        ("longtext", "'\\\\N'", L::Text, text("\\N")),
        ("varchar(9) character set latin1", "'é€ÿ'", L::Text, text("é€ÿ")),
        ("varchar(9) character set latin1", "X'81'", L::Text, text("\u{81}")),
        ("text character set utf8mb3", "'ж'", L::Text, text("ж")),
        ("char(9) character set ascii", "'a'", L::Text, text("a")),
        ("varchar(9) character set ucs2", "'ж'", L::Text, text("ж")),
        ("varchar(9) character set utf16", "'😀'", L::Text, text("😀")),
        ("varchar(9) character set utf32", "'😀'", L::Text, text("😀")),
        ("varchar(9) character set sjis", "'あ'", L::Text, text("あ")),
        ("varchar(9) character set cp1251", "'ж'", L::Text, text("ж")),
        ("varchar(9) character set gbk", "'中'", L::Text, text("中")),
        ("enum('a','b','é') character set latin1", "'é'", L::Text, text("é")),
        ("enum('a','')", "''", L::Text, text("")),
        ("enum('a','b')", "0", L::Text, text("")),
        ("set('x','y','z')", "'z,x'", L::Text, text("x,z")),
        ("set('x','y','z')", "''", L::Text, text("")),
        ("json", "'{\"b\": 1, \"a\":2, \"a\":3.0 }'", L::Text, text("{\"b\": 1, \"a\":2, \"a\":3.0 }")),
        ("uuid", "'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'", L::Text, text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
        ("inet4", "'10.0.0.1'", L::Text, text("10.0.0.1")),
        ("inet6", "'2001:DB8::1'", L::Text, text("2001:db8::1")),
    ]
}

fn binaries() -> Vec<(&'static str, &'static str, L, Value)> {
    // SRID 0, little endian, a point, its two doubles: 1.5 and -2.
    let point = [&[0, 0, 0, 0, 1, 1, 0, 0, 0][..], &1.5_f64.to_le_bytes(), &(-2.0_f64).to_le_bytes()].concat();
    vec![
        ("binary(4)", "'ab'", L::Bytes, bytes(b"ab\0\0")),
        ("varbinary(9)", "X'00ff20'", L::Bytes, bytes(b"\0\xff ")),
        ("tinyblob", "''", L::Bytes, bytes(b"")),
        ("blob", "X'ff'", L::Bytes, bytes(b"\xff")),
        ("mediumblob", "'é'", L::Bytes, bytes("é".as_bytes())),
        ("longblob", "X'0a0d'", L::Bytes, bytes(b"\n\r")),
        ("point", "ST_GeomFromText('POINT(1.5 -2)')", L::Bytes, bytes(&point)),
        ("geometry", "ST_GeomFromText('POINT(1.5 -2)')", L::Bytes, bytes(&point)),
    ]
}

fn moments() -> Vec<(&'static str, &'static str, L, Value)> {
    vec![
        ("date", "'1000-01-01'", L::Date, Value::DateDays(-354_285)),
        ("date", "'9999-12-31'", L::Date, Value::DateDays(2_932_896)),
        ("date", "'0001-01-01'", L::Date, Value::DateDays(-719_162)),
        ("datetime", "'1969-12-31 23:59:59'", L::Timestamp, Value::TimestampMicros(-1_000_000)),
        ("datetime(6)", "'9999-12-31 23:59:59.999999'", L::Timestamp, Value::TimestampMicros(2_932_897 * DAY - 1)),
        ("datetime(3)", "'1970-01-01 00:00:00.001'", L::Timestamp, Value::TimestampMicros(1_000)),
        (
            "timestamp(6) null",
            "'2038-01-19 03:14:07.999999'",
            L::TimestampTz,
            Value::InstantMicros(2_147_483_647_999_999),
        ),
        ("timestamp null", "'1970-01-01 00:00:01'", L::TimestampTz, Value::InstantMicros(1_000_000)),
        ("time(6)", "'23:59:59.999999'", L::Time, Value::TimeMicros(DAY - 1)),
        ("time", "'00:00:00'", L::Time, Value::TimeMicros(0)),
    ]
}

/// A table of all of them; the second row is NULL but for its key.
fn torture() -> Option<Database> {
    let cases = exact();
    let columns: Vec<String> = cases.iter().enumerate().map(|(at, case)| format!("c{at} {}", case.0)).collect();
    let values: Vec<&str> = cases.iter().map(|case| case.1).collect();
    Database::with(&format!(
        "SET sql_mode = ''; CREATE TABLE torture (id int PRIMARY KEY, {}); INSERT INTO torture VALUES (1, {}); \
         INSERT INTO torture (id) VALUES (2);",
        columns.join(", "),
        values.join(", ")
    ))
}

#[tokio::test]
async fn every_type_arrives_as_it_is() {
    let Some(database) = torture() else { return };
    let origin = database.origin().await;
    let schema = origin.describe(&id("torture")).await.unwrap().schema;
    let rows = all_rows(&*origin, "torture").await.unwrap();
    for (at, (of, sql, logical, value)) in exact().into_iter().enumerate() {
        assert_eq!(schema.columns[at + 1].logical, logical, "{of}");
        assert_eq!(rows[0][at + 1], value, "{sql} as {of}");
        assert_eq!(rows[1][at + 1], Value::Null, "{of}");
    }
}

#[tokio::test]
async fn sqlite_takes_the_same_values_and_gives_them_back() {
    let Some(database) = torture() else { return };
    let folder = tempfile::tempdir().unwrap();
    let base = camino::Utf8Path::from_path(folder.path()).unwrap();
    let lake = open_lake("lake", "sqlite:.", base).await.unwrap();
    let origin = database.origin().await;
    let schema = origin.describe(&id("torture")).await.unwrap().schema;
    let rows = all_rows(&*origin, "torture").await.unwrap();
    lake.create_staging(&id("raw.copy"), &schema).await.unwrap();
    assert!(lake.load_part(&id("raw.copy"), "part01", &schema, rows.clone()).await.unwrap());
    let mut snapshot = lake.snapshot().await.unwrap();
    assert_eq!(drained(snapshot.rows(&id("raw.copy"), &schema).await.unwrap()).await.unwrap(), rows);
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_takes_the_same_values_and_gives_them_back() {
    let Some(database) = torture() else { return };
    let Some(elsewhere) = crate::servers::postgres::Database::with("CREATE SCHEMA raw") else { return };
    let zero = "CREATE TABLE zero (id int PRIMARY KEY, v date); INSERT INTO zero VALUES (1, '0000-00-00')";
    database.sql(&format!("SET sql_mode = ''; {zero}"));
    let (origin, lake) = (database.origin().await, elsewhere.lake("").await);
    let mut schema = origin.describe(&id("torture")).await.unwrap().schema;
    // PostgreSQL has no place for U+0000 in text.
    let nul = exact().iter().position(|case| matches!(&case.3, Value::Text(text) if text.contains('\0'))).unwrap();
    schema.columns.retain(|column| column.name != format!("c{nul}"));
    let mut zeros = origin.describe(&id("zero")).await.unwrap().schema;
    zeros.columns[1].logical = L::Text;
    for (table, schema) in [("torture", schema), ("zero", zeros)] {
        let mut snapshot = origin.snapshot().await.unwrap();
        let rows = drained(snapshot.rows(&id(table), &schema).await.unwrap()).await.unwrap();
        let copy = id(&format!("raw.{table}"));
        lake.create_staging(&copy, &schema).await.unwrap();
        assert!(lake.load_part(&copy, "part01", &schema, rows.clone()).await.unwrap());
        let mut snapshot = lake.snapshot().await.unwrap();
        assert_eq!(drained(snapshot.rows(&copy, &schema).await.unwrap()).await.unwrap(), rows);
    }
}

/// All rows when the column `v` is declared to be `logical`.
async fn declared(origin: &dyn Origin, table: &str, logical: L) -> Vec<Row> {
    let mut schema = origin.describe(&id(table)).await.unwrap().schema;
    schema.columns[1].logical = logical;
    let mut snapshot = origin.snapshot().await.unwrap();
    drained(snapshot.rows(&id(table), &schema).await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn what_has_no_exact_value_is_refused_by_name_and_arrives_as_declared() {
    let cases = [
        ("bigint unsigned", "18446744073709551615", L::Decimal, decimal("18446744073709551615")),
        ("bit(64)", "18446744073709551615", L::Decimal, decimal("18446744073709551615")),
        ("date", "'0000-00-00'", L::Text, text("0000-00-00")),
        ("date", "'2024-00-15'", L::Text, text("2024-00-15")),
        ("date", "'2024-02-31'", L::Text, text("2024-02-31")),
        ("datetime(6)", "'0000-00-00'", L::Text, text("0000-00-00 00:00:00.000000")),
        ("timestamp null", "'0000-00-00'", L::Text, text("0000-00-00 00:00:00")),
        ("time(6)", "'-00:00:00.000001'", L::Text, text("-00:00:00.000001")),
        ("time", "'24:00:00'", L::Text, text("24:00:00")),
        ("time(6)", "'-838:59:59.999999'", L::Text, text("-838:59:59.999999")),
    ];
    let tables: Vec<String> = cases
        .iter()
        .enumerate()
        .map(|(at, (of, sql, _, _))| {
            format!("CREATE TABLE t{at} (id int PRIMARY KEY, v {of}); INSERT INTO t{at} VALUES (1, NULL), (2, {sql});")
        })
        .collect();
    let Some(database) = Database::with(&format!("SET sql_mode = 'ALLOW_INVALID_DATES'; {}", tables.concat())) else {
        return;
    };
    let origin = database.origin().await;
    for (at, (of, _, logical, value)) in cases.into_iter().enumerate() {
        let table = format!("t{at}");
        let error = told(&all_rows(&*origin, &table).await.unwrap_err());
        assert!(error.contains(&format!("row 2 of `{table}`: column `v`")), "{of}: {error}");
        let cure = if logical == L::Text { "the type `text`" } else { "the type `decimal`" };
        assert!(error.contains(cure) && error.contains("`wraps.<service>.columns`"), "{of}: {error}");
        assert_eq!(declared(&*origin, &table, logical).await[1][1], value, "{of}");
    }
}

#[tokio::test]
async fn text_that_its_character_set_gives_no_meaning_is_refused_and_arrives_as_bytes() {
    let broken = "CREATE TABLE sj (id int PRIMARY KEY, v varbinary(9)); INSERT INTO sj VALUES (1, X'41'), (2, X'fcfc');
        ALTER TABLE sj MODIFY v varchar(9) CHARACTER SET binary;
        CREATE TABLE la (id int PRIMARY KEY, v varchar(9) CHARACTER SET latin1); INSERT INTO la VALUES (2, X'8190');";
    let Some(database) = Database::with(broken) else { return };
    let origin = database.origin().await;
    assert_eq!(
        all_rows(&*origin, "la").await.unwrap()[0][1],
        text("\u{81}\u{90}"),
        "the server has a meaning for them"
    );
    assert_eq!(all_rows(&*origin, "sj").await.unwrap()[1][1], bytes(b"\xfc\xfc"));
    let mut schema = origin.describe(&id("sj")).await.unwrap().schema;
    schema.columns[1].logical = L::Text;
    let mut snapshot = origin.snapshot().await.unwrap();
    let error = told(&drained(snapshot.rows(&id("sj"), &schema).await.unwrap()).await.unwrap_err());
    assert!(error.contains("row 2") && error.contains("not UTF-8 from its byte 1"), "{error}");
    assert!(error.contains("the type `bytes`"), "{error}");
    assert_eq!(declared(&*origin, "la", L::Bytes).await[0][1], bytes(b"\x81\x90"), "as it is stored");
}

#[tokio::test]
async fn a_declared_type_is_kept_where_the_values_are_of_it() {
    let Some(database) = Database::with(
        "CREATE TABLE f (id int PRIMARY KEY, v tinyint); INSERT INTO f VALUES (1, 0), (2, 1);
         CREATE TABLE d (id int PRIMARY KEY, v varchar(30)); INSERT INTO d VALUES (1, '2024-02-29');
         CREATE TABLE y (id int PRIMARY KEY, v varbinary(30)); INSERT INTO y VALUES (1, 'é');
         CREATE TABLE z (id int PRIMARY KEY, v int(5) zerofill); INSERT INTO z VALUES (1, 42);",
    ) else {
        return;
    };
    let origin = database.origin().await;
    let flags = declared(&*origin, "f", L::Boolean).await;
    assert_eq!((&flags[0][1], &flags[1][1]), (&Value::Boolean(false), &Value::Boolean(true)));
    assert_eq!(declared(&*origin, "d", L::Date).await[0][1], Value::DateDays(19_782));
    assert_eq!(declared(&*origin, "y", L::Text).await[0][1], text("é"));
    assert_eq!(declared(&*origin, "z", L::Text).await[0][1], text("00042"), "as the server writes it");
}

/// Doubles of all sizes, by their bits.
#[tokio::test]
async fn any_double_keeps_its_bits() {
    let mut random = 0x5eed_u64;
    let mut doubles = Vec::new();
    while doubles.len() < 2_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let double = f64::from_bits(random ^ (random >> 29));
        // The server reads a literal below the normal ones with less care than it keeps one.
        if double.is_normal() {
            doubles.push(double);
        }
    }
    let values: Vec<String> = doubles.iter().enumerate().map(|(at, double)| format!("({at}, {double:e})")).collect();
    let script = format!("CREATE TABLE d (id int PRIMARY KEY, v double); INSERT INTO d VALUES {}", values.join(","));
    let Some(database) = Database::with(&script) else { return };
    let rows = all_rows(&*database.origin().await, "d").await.unwrap();
    let found: Vec<Value> = rows.into_iter().map(|mut row| row.remove(1)).collect();
    assert!(found.iter().zip(&doubles).all(|(found, double)| *found == Value::Double(*double)));
}
