use carve::{
    service::{FormatError, conform, decode_part, encode_part},
    vocab::{LogicalType, PartFormat, Row, Schema, Value},
};
use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::rows::{TYPES, same, schema, table, value};

const FORMATS: [PartFormat; 3] = [PartFormat::Csv, PartFormat::Parquet, PartFormat::Jsonl];

fn text_of(format: PartFormat, schema: &Schema, rows: &[Row]) -> String {
    String::from_utf8(encode_part(format, schema, rows).unwrap()).unwrap()
}

/// The whole chain of causes.
fn told(error: FormatError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn reads(format: PartFormat, schema: &Schema, bytes: impl AsRef<[u8]>) -> Result<Vec<Row>, String> {
    decode_part(format, schema, bytes.as_ref()).map_err(told)
}

proptest! {
    #[test]
    fn any_table_comes_back_exactly_in_every_format((schema, rows) in table()) {
        for format in FORMATS {
            let bytes = encode_part(format, &schema, &rows).unwrap();
            let back = decode_part(format, &schema, &bytes).unwrap();
            prop_assert!(same(&rows, &back), "{format:?}: {rows:?} came back as {back:?}");
            prop_assert_eq!(&bytes, &encode_part(format, &schema, &back).unwrap());
        }
    }

    #[test]
    fn conforming_twice_is_conforming_once((schema, rows) in table()) {
        for row in rows {
            let once = conform(&schema, row.clone()).unwrap();
            prop_assert!(same(&[row], &[once]));
        }
    }

    #[test]
    fn a_cut_or_changed_part_never_panics((schema, rows) in table(), at: prop::sample::Index, byte: u8, cut: bool) {
        for format in FORMATS {
            let mut bytes = encode_part(format, &schema, &rows).unwrap();
            if bytes.is_empty() {
                continue;
            }
            let at = at.index(bytes.len());
            if cut { bytes.truncate(at) } else { bytes[at] = byte }
            let _ = decode_part(format, &schema, &bytes);
        }
    }

    #[test]
    fn csv_never_takes_null_for_empty(cells in prop::collection::vec(prop::option::of(Just(String::new())), 1..6)) {
        let columns: Vec<_> = (0..cells.len()).map(|at| (format!("c{at}"), LogicalType::Text)).collect();
        let columns: Vec<_> = columns.iter().map(|(name, logical)| (name.as_str(), *logical)).collect();
        let schema = schema(&columns);
        let row: Row = cells.into_iter().map(|cell| cell.map_or(Value::Null, Value::Text)).collect();
        let bytes = encode_part(PartFormat::Csv, &schema, std::slice::from_ref(&row)).unwrap();
        prop_assert_eq!(decode_part(PartFormat::Csv, &schema, &bytes).unwrap(), [row]);
    }

    #[test]
    fn a_row_never_reads_as_another(a in value(LogicalType::Number), b in value(LogicalType::Number)) {
        let schema = schema(&[("n", LogicalType::Number)]);
        for format in FORMATS {
            let [left, right] = [&a, &b].map(|v| encode_part(format, &schema, &[vec![v.clone()]]).unwrap());
            prop_assert_eq!(left == right, same(&[vec![a.clone()]], &[vec![b.clone()]]));
        }
    }
}

#[test]
fn no_bytes_at_all_are_a_value_in_csv_too() {
    let schema = schema(&[("a", LogicalType::Bytes), ("b", LogicalType::Bytes)]);
    let row = vec![Value::Bytes(Vec::new()), Value::Null];
    assert_eq!(text_of(PartFormat::Csv, &schema, std::slice::from_ref(&row)), "a,b\r\n\"\",\r\n");
    let bytes = encode_part(PartFormat::Csv, &schema, std::slice::from_ref(&row)).unwrap();
    assert_eq!(decode_part(PartFormat::Csv, &schema, &bytes).unwrap(), [row]);
}

#[test]
fn csv_is_written_as_the_format_says() {
    let columns: Vec<_> = TYPES.iter().map(|logical| ("c", *logical)).collect();
    let mut schema = schema(&columns);
    for (at, column) in schema.columns.iter_mut().enumerate() {
        column.name = format!("c{at}");
    }
    let row = vec![
        Value::Boolean(true),
        Value::Integer(i64::MIN),
        Value::Decimal("-12.50".into()),
        Value::Double(0.1),
        Value::Integer(7),
        Value::Text("a,\"b\"\r\n😀".into()),
        Value::Bytes(vec![0, 255]),
        Value::DateDays(19_782),
        Value::TimeMicros(1),
        Value::TimestampMicros(1_500_000),
        Value::InstantMicros(-1_000_000),
    ];
    let empty = vec![Value::Null; 11];
    let wanted = "c0,c1,c2,c3,c4,c5,c6,c7,c8,c9,c10\r\n\
        true,-9223372036854775808,-12.50,0.1,7,\"a,\"\"b\"\"\r\n😀\",AP8=,2024-02-29,00:00:00.000001,1970-01-01T00:00:01.500000,1969-12-31T23:59:59Z\r\n\
        ,,,,,,,,,,\r\n";
    assert_eq!(text_of(PartFormat::Csv, &schema, &[row.clone(), empty.clone()]), wanted);
    let wanted = concat!(
        r#"{"c0":true,"c1":"-9223372036854775808","c2":-12.50,"c3":0.1,"c4":7,"c5":"a,\"b\"\r\n😀","c6":"AP8=","#,
        r#""c7":"2024-02-29","c8":"00:00:00.000001","c9":"1970-01-01T00:00:01.500000","c10":"1969-12-31T23:59:59Z"}"#,
        "\n",
    );
    assert_eq!(text_of(PartFormat::Jsonl, &schema, &[row]), wanted);
}

#[test]
fn a_lone_null_is_an_empty_line_and_a_lone_empty_text_is_not() {
    let schema = schema(&[("a", LogicalType::Text)]);
    let rows = vec![vec![Value::Null], vec![Value::Text(String::new())], vec![Value::Null]];
    assert_eq!(text_of(PartFormat::Csv, &schema, &rows), "a\r\n\r\n\"\"\r\n\r\n");
    assert_eq!(reads(PartFormat::Csv, &schema, "a\r\n\r\n\"\"\r\n\r\n").unwrap(), rows);
}

#[test]
fn no_bytes_are_not_null() {
    let schema = schema(&[("a", LogicalType::Integer), ("b", LogicalType::Bytes)]);
    let rows = vec![vec![Value::Integer(1), Value::Null], vec![Value::Integer(2), Value::Bytes(Vec::new())]];
    assert_eq!(text_of(PartFormat::Csv, &schema, &rows), "a,b\r\n1,\r\n2,\"\"\r\n");
    assert_eq!(reads(PartFormat::Csv, &schema, "a,b\r\n1,\r\n2,\"\"\r\n").unwrap(), rows);
}

#[test]
fn a_part_without_rows_still_names_its_columns() {
    let schema = schema(&[("a", LogicalType::Text), ("b", LogicalType::Date)]);
    assert_eq!(text_of(PartFormat::Csv, &schema, &[]), "a,b\r\n");
    assert_eq!(text_of(PartFormat::Jsonl, &schema, &[]), "");
    for format in FORMATS {
        let bytes = encode_part(format, &schema, &[]).unwrap();
        assert!(reads(format, &schema, bytes).unwrap().is_empty());
    }
}

#[test]
fn json_numbers_are_those_that_every_reader_keeps() {
    let schema = schema(&[("d", LogicalType::Decimal), ("i", LogicalType::Integer), ("f", LogicalType::Double)]);
    let line = |digits: &str, whole, double| {
        let row = vec![Value::Decimal(digits.into()), Value::Integer(whole), Value::Double(double)];
        text_of(PartFormat::Jsonl, &schema, &[row])
    };
    let safe = (1 << 53) - 1;
    assert_eq!(
        line("-0.00123456789012345", safe, 1e300),
        "{\"d\":-0.00123456789012345,\"i\":9007199254740991,\"f\":1e300}\n"
    );
    assert_eq!(
        line("1234567890123456", safe + 1, f64::NAN),
        "{\"d\":\"1234567890123456\",\"i\":\"9007199254740992\",\"f\":\"NaN\"}\n"
    );
    assert_eq!(line("0.00", -safe - 1, -0.0), "{\"d\":0.00,\"i\":\"-9007199254740992\",\"f\":-0.0}\n");
}

#[test]
fn what_another_program_writes_is_read_by_the_same_rules() {
    let schema =
        schema(&[("id", LogicalType::Integer), ("amount", LogicalType::Decimal), ("at", LogicalType::TimestampTz)]);
    let wanted = [vec![Value::Integer(1), Value::Decimal("1.50".into()), Value::InstantMicros(0)]];
    let csv = "\u{feff}id,\"amount\",at\n\"1\",1.50,1970-01-01T01:00:00+01:00";
    assert_eq!(reads(PartFormat::Csv, &schema, csv).unwrap(), wanted);
    let jsonl = "{\"at\": \"1970-01-01T00:00:00.0Z\", \"id\": \"1\", \"amount\": 1.50}\r\n";
    assert_eq!(reads(PartFormat::Jsonl, &schema, jsonl).unwrap(), wanted);
}

#[test]
fn a_malformed_part_is_refused_with_its_place() {
    let schema = schema(&[("id", LogicalType::Integer), ("name", LogicalType::Text)]);
    for (format, bytes, wanted) in [
        (PartFormat::Csv, &b""[..], "its header is ``"),
        (PartFormat::Csv, b"name,id\r\n", "its header is `name,id` where `id,name` belongs"),
        (PartFormat::Csv, b"id,name\r\n1\r\n", "row 1 of the csv part cannot be kept exactly: a row has 1 values"),
        (
            PartFormat::Csv,
            b"id,name\r\n1,a\r\n\"\",b\r\n",
            "row 2 of the csv part cannot be kept exactly: column `id` holds ``",
        ),
        (PartFormat::Csv, b"id,name\r\n01,a\r\n", "column `id` holds `01`, which is no integer"),
        (PartFormat::Csv, b"id,name\r\n9223372036854775808,a\r\n", "which is no integer"),
        (PartFormat::Csv, b"id,name\r\n1,\xff\r\n", "byte 11 is no UTF-8"),
        (PartFormat::Csv, b"id,name\r\n1,a\"\r\n", "line 2: a quote stands inside"),
        (PartFormat::Jsonl, b"{\"id\":1}\n", "column `name` is missing"),
        (PartFormat::Jsonl, b"{\"id\":1,\"id\":2,\"name\":null}\n", "column `id` is given twice"),
        (PartFormat::Jsonl, b"{\"id\":1,\"name\":null,\"x\":1}\n", "column `x` is not in the schema"),
        (PartFormat::Jsonl, b"{\"id\":1.5,\"name\":null}\n", "column `id` holds `1.5`, which is no integer"),
        (PartFormat::Jsonl, b"{\"id\":1,\"name\":true}\n", "column `name` holds `true`, which is no text"),
        (PartFormat::Jsonl, b"\n", "line 1: `{` belongs here"),
        (PartFormat::Parquet, b"PAR1", "cannot read a parquet part"),
    ] {
        let fault = reads(format, &schema, bytes).unwrap_err();
        assert!(fault.contains(wanted), "{fault:?} lacks {wanted:?}");
    }
}

#[test]
fn numbers_that_text_would_change_are_refused() {
    let doubles = schema(&[("d", LogicalType::Double)]);
    for text in ["1e999", "1e-999", "inf", "nan", "+1", ".5", "1.", "0x10", "1e", "1_0"] {
        assert!(reads(PartFormat::Csv, &doubles, format!("d\n{text}\n")).is_err(), "{text}");
    }
    let read = |text: &str| reads(PartFormat::Csv, &doubles, format!("d\n{text}\n")).unwrap();
    assert!(same(&read("10"), &[vec![Value::Double(10.0)]]) && same(&read("-0"), &[vec![Value::Double(-0.0)]]));
    assert!(same(&read("NaN"), &[vec![Value::Double(f64::NAN)]]));
}

#[test]
fn parquet_refuses_what_its_type_would_round() {
    let far = [vec![Value::Integer((1 << 53) + 1)]];
    let number = schema(&[("n", LogicalType::Number)]);
    let fault = told(encode_part(PartFormat::Parquet, &number, &far).unwrap_err());
    assert!(
        fault.contains("column `n` holds 9007199254740993, which a parquet column of doubles would round"),
        "{fault}"
    );

    let mut price = schema(&[("price", LogicalType::Decimal)]);
    price.columns[0].physical = "DECIMAL(10,2)".into();
    let encode = |digits: &str| encode_part(PartFormat::Parquet, &price, &[vec![Value::Decimal(digits.into())]]);
    let fault = told(encode("1.5").unwrap_err());
    assert!(
        fault.contains("column `price` holds `1.5`, which a parquet column of `DECIMAL(10,2)` would change"),
        "{fault}"
    );
    for digits in ["1.50", "-0.01", "99999999.99", "0.00"] {
        let back = reads(PartFormat::Parquet, &price, encode(digits).unwrap()).unwrap();
        assert_eq!(back, [[Value::Decimal(digits.into())]]);
    }
}

#[test]
fn another_parquet_schema_is_refused_by_column() {
    let texts = schema(&[("a", LogicalType::Text)]);
    let bytes = encode_part(PartFormat::Parquet, &texts, &[vec![Value::Null]]).unwrap();
    let fault = reads(PartFormat::Parquet, &schema(&[("a", LogicalType::Integer)]), &bytes).unwrap_err();
    assert!(fault.contains("its column `a` is of Arrow type Utf8 where Int64 belongs"), "{fault}");
    let fault = reads(PartFormat::Parquet, &schema(&[("b", LogicalType::Text)]), &bytes).unwrap_err();
    assert!(fault.contains("its columns are (a) where (b) belong"), "{fault}");
}

#[test]
fn null_in_a_column_that_forbids_it_is_refused_in_every_format() {
    let mut schema = schema(&[("id", LogicalType::Integer)]);
    schema.columns[0].nullable = false;
    for format in FORMATS {
        let fault = told(encode_part(format, &schema, &[vec![Value::Null]]).unwrap_err());
        assert!(fault.contains("row 1 of the") && fault.contains("column `id` holds NULL"), "{fault}");
    }
    assert!(reads(PartFormat::Csv, &schema, "id\n\n").is_err());
    assert!(reads(PartFormat::Jsonl, &schema, "{\"id\":null}\n").is_err());
}

#[test]
fn a_table_that_cannot_be_published_is_refused_at_once() {
    let mut keyed = schema(&[("a", LogicalType::Text)]);
    keyed.key.push("b".into());
    let twice = schema(&[("a", LogicalType::Text), ("a", LogicalType::Text)]);
    for (schema, wanted) in [
        (schema(&[]), "no columns"),
        (twice, "two columns named `a`"),
        (keyed, "key column `b`"),
        (schema(&[("", LogicalType::Text)]), "without a name"),
    ] {
        let fault = told(encode_part(PartFormat::Csv, &schema, &[]).unwrap_err());
        assert!(fault.contains(wanted), "{fault}");
    }
}

#[test]
fn a_value_takes_its_columns_form_only_when_that_keeps_it() {
    let takes =
        |logical, value: Value| conform(&schema(&[("c", logical)]), vec![value]).ok().and_then(|mut row| row.pop());
    use LogicalType::*;
    assert_eq!(takes(Double, Value::Integer(10)), Some(Value::Double(10.0)));
    assert_eq!(takes(Double, Value::Integer((1 << 53) + 1)), None);
    assert_eq!(takes(Number, Value::Double(10.0)), Some(Value::Integer(10)));
    assert_eq!(takes(Number, Value::Double(10.5)), Some(Value::Double(10.5)));
    assert_eq!(takes(Integer, Value::Double(10.0)), Some(Value::Integer(10)));
    assert_eq!(takes(Integer, Value::Double(9_223_372_036_854_775_808.0)), None);
    assert_eq!(takes(Integer, Value::Double(-0.0)), None);
    assert_eq!(takes(Boolean, Value::Integer(1)), Some(Value::Boolean(true)));
    assert_eq!(takes(Boolean, Value::Integer(2)), None);
    assert_eq!(takes(Decimal, Value::Integer(10)), Some(Value::Decimal("10".into())));
    assert_eq!(takes(Decimal, Value::Double(0.1)), None);
    assert_eq!(takes(Decimal, Value::Decimal("1e3".into())), None);
    assert_eq!(takes(Text, Value::Integer(1)), None);
    assert_eq!(takes(Time, Value::TimeMicros(86_400_000_000)), None);
    assert_eq!(takes(TimestampTz, Value::TimestampMicros(0)), None);
    let fault = conform(&schema(&[("price", Number)]), vec![Value::Text("n/a".into())]).unwrap_err();
    assert_eq!(
        told(fault),
        "column `price` holds the text `n/a`, which is no number: declare its type as `text` or mend the value"
    );
}
