//! Every type of DuckDB: exactly, or refused by name. And back into a table that has the same types.
use super::one_part::OnePart;
use carve::vocab::{LogicalType as L, Value as V};

use super::{File, all_rows, drained, id, refused, told};

fn text(text: &str) -> V {
    V::Text(text.into())
}

fn decimal(text: &str) -> V {
    V::Decimal(text.into())
}

/// A type, a value of it in SQL, what carve holds it for and what it has.
fn torture() -> Vec<(&'static str, &'static str, L, V)> {
    // 2024-02-29 12:34:56 in seconds.
    let leap = 1_709_210_096_000_000;
    vec![
        ("BOOLEAN", "true", L::Boolean, V::Boolean(true)),
        ("TINYINT", "-128", L::Integer, V::Integer(-128)),
        ("UTINYINT", "255", L::Integer, V::Integer(255)),
        ("SMALLINT", "-32768", L::Integer, V::Integer(-32_768)),
        ("USMALLINT", "65535", L::Integer, V::Integer(65_535)),
        ("INTEGER", "-2147483648", L::Integer, V::Integer(-2_147_483_648)),
        ("UINTEGER", "4294967295", L::Integer, V::Integer(4_294_967_295)),
        ("BIGINT", "-9223372036854775808", L::Integer, V::Integer(i64::MIN)),
        ("UBIGINT", "18446744073709551615", L::Decimal, decimal("18446744073709551615")),
        (
            "HUGEINT",
            "-170141183460469231731687303715884105728",
            L::Decimal,
            decimal("-170141183460469231731687303715884105728"),
        ),
        (
            "UHUGEINT",
            "340282366920938463463374607431768211455",
            L::Decimal,
            decimal("340282366920938463463374607431768211455"),
        ),
        (
            "BIGNUM",
            "'-123456789012345678901234567890123456789012345'",
            L::Decimal,
            decimal("-123456789012345678901234567890123456789012345"),
        ),
        (
            "DECIMAL(38,10)",
            "-1234567890123456789012345678.0000000001",
            L::Decimal,
            decimal("-1234567890123456789012345678.0000000001"),
        ),
        ("DECIMAL(4,2)", "0.5", L::Decimal, decimal("0.50")),
        ("FLOAT", "'inf'", L::Double, V::Double(f64::INFINITY)),
        ("FLOAT", "0.1", L::Double, V::Double(f64::from(0.1_f32))),
        ("DOUBLE", "'-inf'", L::Double, V::Double(f64::NEG_INFINITY)),
        ("DOUBLE", "5e-324", L::Double, V::Double(5e-324)),
        ("VARCHAR", "'a''b' || chr(0) || '👩‍👧 naïve' || chr(10)", L::Text, text("a'b\0👩‍👧 naïve\n")),
        ("VARCHAR", "''", L::Text, text("")),
        ("BLOB", "'\\x00\\xFF'", L::Bytes, V::Bytes(vec![0, 255])),
        ("DATE", "'0044-03-15 (BC)'", L::Date, V::DateDays(-735_160)),
        ("DATE", "'5881580-07-10'", L::Date, V::DateDays(i32::MAX - 1)),
        ("TIME", "'23:59:59.999999'", L::Time, V::TimeMicros(86_399_999_999)),
        ("TIME_NS", "'00:00:00.000000001'", L::Text, text("00:00:00.000000001")),
        ("TIMESTAMP", "'290309-12-22 (BC) 00:00:00'", L::Timestamp, V::TimestampMicros(-9_223_372_022_400_000_000)),
        ("TIMESTAMP", "'294247-01-10 04:00:54.775806'", L::Timestamp, V::TimestampMicros(i64::MAX - 1)),
        ("TIMESTAMP_S", "'2024-02-29 12:34:56'", L::Timestamp, V::TimestampMicros(leap)),
        ("TIMESTAMP_MS", "'2024-02-29 12:34:56.007'", L::Timestamp, V::TimestampMicros(leap + 7_000)),
        ("TIMESTAMP_NS", "'2024-02-29 12:34:56.000007'", L::Timestamp, V::TimestampMicros(leap + 7)),
        ("TIMESTAMP WITH TIME ZONE", "'2024-02-29 14:34:56.5+02'", L::TimestampTz, V::InstantMicros(leap + 500_000)),
        ("TIME WITH TIME ZONE", "'12:00:00.5+05:30'", L::Text, text("12:00:00.5+05:30")),
        ("INTERVAL", "'-1 year 2 days -00:00:01.000001'", L::Text, text("-1 year 2 days -00:00:01.000001")),
        ("UUID", "'c0ffee00-0000-4000-8000-00000000000A'", L::Text, text("c0ffee00-0000-4000-8000-00000000000a")),
        ("BIT", "'0101'", L::Text, text("0101")),
        ("JSON", "'{\"a\": 1,  \"a\":2}'", L::Text, text("{\"a\": 1,  \"a\":2}")),
        ("ENUM('a', 'b ''c')", "'b ''c'", L::Text, text("b 'c")),
        ("VARCHAR[]", "['a, b', NULL, 'NULL', '']", L::Text, text("['a, b', NULL, 'NULL', '']")),
        ("INTEGER[3]", "[1, NULL, 3]", L::Text, text("[1, NULL, 3]")),
        ("STRUCT(a INTEGER, \"b c\" VARCHAR)", "{'a': 1, 'b c': 'x, y'}", L::Text, text("{'a': 1, 'b c': 'x, y'}")),
        ("MAP(VARCHAR, INTEGER)", "map {'a=b': 1}", L::Text, text("{'a=b'=1}")),
        ("UNION(num INTEGER, str VARCHAR)", "'abc'", L::Text, text("abc")),
    ]
}

#[tokio::test]
async fn every_type_arrives_exactly_and_goes_back_into_the_same_type() {
    let torture = torture();
    let columns: Vec<String> = torture.iter().enumerate().map(|(at, (of, ..))| format!("c{at} {of}")).collect();
    let values: Vec<String> = torture.iter().map(|(of, value, ..)| format!("CAST({value} AS {of})")).collect();
    let nulls = vec!["NULL"; torture.len()].join(", ");
    let file = File::with(&format!(
        "CREATE TABLE torture ({}); INSERT INTO torture VALUES ({nulls}), ({})",
        columns.join(", "),
        values.join(", ")
    ));
    let lake = file.lake().await;
    let schema = lake.describe(&id("torture")).await.unwrap().schema;
    for ((of, _, logical, _), column) in torture.iter().zip(&schema.columns) {
        assert_eq!(column.logical, *logical, "{of}");
    }
    let rows = all_rows(&*lake, "torture").await.unwrap();
    assert!(rows[0].iter().all(|value| *value == V::Null));
    for ((of, value, _, expected), found) in torture.iter().zip(&rows[1]) {
        assert_eq!(found, expected, "{of} {value}");
    }
    lake.create_staging(&id("staged"), &schema).await.unwrap();
    lake.load_part(&id("staged"), "part01", &schema, rows.clone()).await.unwrap();
    assert_eq!(lake.describe(&id("staged")).await.unwrap().schema, schema);
    let mut snapshot = lake.snapshot().await.unwrap();
    assert_eq!(drained(snapshot.rows(&id("staged"), &schema).await.unwrap()).await.unwrap(), rows);
    // DuckDB's own comparison of the two.
    let (_, differing) = lake
        .query("(FROM torture EXCEPT ALL FROM staged) UNION ALL (FROM staged EXCEPT ALL FROM torture)")
        .await
        .unwrap();
    assert!(drained(differing).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_no_other_engine_could_hold_is_refused_by_name_and_arrives_as_text() {
    for (of, value, as_text) in [
        ("DATE", "'infinity'", "infinity"),
        ("DATE", "'-infinity'", "-infinity"),
        ("TIME", "'24:00:00'", "24:00:00"),
        ("TIMESTAMP", "'infinity'", "infinity"),
        ("TIMESTAMP_S", "'-infinity'", "-infinity"),
        ("TIMESTAMP_NS", "'2024-01-01 00:00:00.000000001'", "2024-01-01 00:00:00.000000001"),
        ("TIMESTAMP WITH TIME ZONE", "'infinity'", "infinity"),
    ] {
        let file = File::with(&format!("CREATE TABLE t AS SELECT 1 AS id, CAST({value} AS {of}) AS odd"));
        let lake = file.lake().await;
        let error = told(&all_rows(&*lake, "t").await.unwrap_err());
        assert!(error.contains("row 1 of `t`: column `odd`") && error.contains("`text`"), "{of}: {error}");
        let mut schema = lake.describe(&id("t")).await.unwrap().schema;
        schema.columns[1].logical = L::Text;
        let mut snapshot = lake.snapshot().await.unwrap();
        let rows = drained(snapshot.rows(&id("t"), &schema).await.unwrap()).await.unwrap();
        assert_eq!(rows, [[V::Integer(1), text(as_text)]], "{of}");
    }
    // Their text does not tell which of two values they are.
    for odd in
        ["CAST(1 AS UNION(num INTEGER, str VARCHAR))", "CAST(42 AS VARIANT)", "to_microseconds(-9223372036854775808)"]
    {
        let file = File::with(&format!("CREATE VIEW t AS SELECT {odd} AS odd"));
        refused(all_rows(&*file.lake().await, "t").await, "does not read back as the same value");
    }
}

#[tokio::test]
async fn a_value_that_a_column_would_change_is_refused_with_its_row() {
    let file = File::with("SELECT 1");
    let lake = file.lake().await;
    for (physical, logical, value) in [
        ("DECIMAL(10,2)", L::Decimal, decimal("1.005")),
        ("DECIMAL(10,2)", L::Decimal, decimal("123456789.00")),
        ("int2", L::Integer, V::Integer(40_000)),
        ("float4", L::Double, V::Double(0.1)),
        ("duckdb:TIMESTAMP_S", L::Timestamp, V::TimestampMicros(1)),
        ("UUID", L::Text, text("no uuid")),
        ("DECIMAL(10,2)", L::Number, V::Integer((1 << 53) + 1)),
    ] {
        let mut schema = super::schema(&[("id", L::Integer), ("odd", logical)]);
        schema.columns[1].physical = physical.into();
        lake.create_staging(&id("t"), &schema).await.unwrap();
        let rows = vec![vec![V::Integer(1), V::Null], vec![V::Integer(2), value]];
        refused(lake.load_part(&id("t"), "part01", &schema, rows).await, "row 2 of `t`: column `odd`");
    }
}

#[tokio::test]
async fn rows_come_in_an_order_that_their_values_alone_decide() {
    let file = File::with(
        "CREATE TABLE t (s VARCHAR COLLATE NOCASE, d DOUBLE); INSERT INTO t VALUES ('b', '0.0'), ('A', '1'), ('b', '-0.0'), ('a', 'nan'), (NULL, '2'), ('B', '0');
         CREATE TABLE k (b INTEGER, a VARCHAR COLLATE NOCASE, PRIMARY KEY (a, b)); INSERT INTO k VALUES (2, 'b'), (1, 'b'), (9, 'A'), (3, 'a')",
    );
    let lake = file.lake().await;
    let ordered: Vec<String> = all_rows(&*lake, "t").await.unwrap().iter().map(|row| format!("{row:?}")).collect();
    assert_eq!(
        ordered,
        [
            "[Null, Double(2.0)]",
            "[Text(\"A\"), Double(1.0)]",
            "[Text(\"B\"), Double(0.0)]",
            "[Text(\"a\"), Double(NaN)]",
            "[Text(\"b\"), Double(-0.0)]",
            "[Text(\"b\"), Double(0.0)]"
        ]
    );
    let keys = all_rows(&*lake, "k").await.unwrap();
    assert_eq!(keys.iter().map(|row| row[0].clone()).collect::<Vec<_>>(), [9, 3, 1, 2].map(V::Integer));
    assert_eq!(lake.describe(&id("k")).await.unwrap().schema.key, ["a", "b"]);
}
