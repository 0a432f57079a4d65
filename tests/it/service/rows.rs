//! Any schema and rows that fit it, with the values that loaders change most often.
use carve::vocab::{Column, LogicalType, Row, Schema, Value};
use proptest::{collection::vec, prelude::*, strategy::Union};

pub(super) const TYPES: [LogicalType; 11] = [
    LogicalType::Boolean,
    LogicalType::Integer,
    LogicalType::Decimal,
    LogicalType::Double,
    LogicalType::Number,
    LogicalType::Text,
    LogicalType::Bytes,
    LogicalType::Date,
    LogicalType::Time,
    LogicalType::Timestamp,
    LogicalType::TimestampTz,
];

pub(super) fn column(name: &str, logical: LogicalType) -> Column {
    Column { name: name.to_owned(), logical, physical: String::new(), nullable: true, description: None }
}

pub(super) fn schema(columns: &[(&str, LogicalType)]) -> Schema {
    Schema { columns: columns.iter().map(|(name, logical)| column(name, *logical)).collect(), key: vec![] }
}

/// A table of one to four columns and up to eight rows, in canonical form.
pub(super) fn table() -> impl Strategy<Value = (Schema, Vec<Row>)> {
    vec((text(), prop::sample::select(&TYPES[..])), 1..5).prop_flat_map(|columns| {
        let named = columns.iter().enumerate().map(|(at, (name, logical))| column(&format!("{name}{at}"), *logical));
        let schema = Schema { columns: named.collect(), key: vec![] };
        let row: Vec<_> = columns.iter().map(|(_, logical)| value(*logical)).collect();
        (Just(schema), vec(row, 0..8))
    })
}

/// A value of the type in its canonical form, or NULL.
pub(super) fn value(logical: LogicalType) -> BoxedStrategy<Value> {
    let present = match logical {
        LogicalType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        LogicalType::Integer => integer().prop_map(Value::Integer).boxed(),
        LogicalType::Decimal => "-?(0|[1-9][0-9]{0,45})(\\.[0-9]{1,12})?".prop_map(Value::Decimal).boxed(),
        LogicalType::Double => double().prop_map(Value::Double).boxed(),
        LogicalType::Number => number().boxed(),
        LogicalType::Text => text().prop_map(Value::Text).boxed(),
        LogicalType::Bytes => vec(any::<u8>(), 0..9).prop_map(Value::Bytes).boxed(),
        LogicalType::Date => any::<i32>().prop_map(Value::DateDays).boxed(),
        LogicalType::Time => (0..86_400_000_000_i64).prop_map(Value::TimeMicros).boxed(),
        LogicalType::Timestamp => any::<i64>().prop_map(Value::TimestampMicros).boxed(),
        LogicalType::TimestampTz => any::<i64>().prop_map(Value::InstantMicros).boxed(),
    };
    prop_oneof![1 => Just(Value::Null), 4 => present].boxed()
}

fn integer() -> impl Strategy<Value = i64> {
    let edges = [0, -1, i64::MIN, i64::MAX, (1 << 53) - 1, 1 << 53, (1 << 53) + 1, -(1 << 53) - 1];
    prop_oneof![any::<i64>(), prop::sample::select(edges.to_vec()), -9..9_i64]
}

fn double() -> impl Strategy<Value = f64> {
    let edges = [0.0, -0.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE, 5e-324, f64::MAX, 0.1, 1e16];
    prop_oneof![any::<f64>(), prop::sample::select(edges.to_vec())]
}

/// Whole where it is whole, a double otherwise; no whole number that a double would round, which Parquet refuses.
fn number() -> impl Strategy<Value = Value> {
    let whole = (-(1_i64 << 53)..=1 << 53).prop_map(Value::Integer);
    let other = double().prop_filter("whole ones are integers", |d| {
        d.fract() != 0.0 || d.abs() >= 9_223_372_036_854_775_808.0 || (*d == 0.0 && d.is_sign_negative())
    });
    prop_oneof![whole, other.prop_map(Value::Double)]
}

fn text() -> BoxedStrategy<String> {
    let traps = [
        "",
        " ",
        "NULL",
        "\\N",
        "\\.",
        "\"",
        "\"\"",
        ",",
        "\r",
        "\n",
        "\r\n",
        "\0",
        "\u{feff}",
        "😀",
        "NaN",
        "'",
        "é\u{301}",
    ];
    let trap = prop::sample::select(traps.map(String::from).to_vec());
    Union::new_weighted(vec![
        (2, any::<String>().boxed()),
        (3, trap.clone().boxed()),
        (1, (trap, any::<String>()).prop_map(|(a, b)| a + &b).boxed()),
    ])
    .boxed()
}

/// Whether two tables hold the same values, doubles by their bits.
pub(super) fn same(a: &[Row], b: &[Row]) -> bool {
    let bits = |value: &Value| match value {
        Value::Double(number) => Some(number.to_bits()),
        _ => None,
    };
    let equal = |(x, y): (&Value, &Value)| match (bits(x), bits(y)) {
        (None, None) => x == y,
        (x, y) => x == y,
    };
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.len() == y.len() && x.iter().zip(y).all(equal))
}
