//! Files as tables.
use std::sync::Arc;

use carve::connector::{Origin, open_origin};
use carve::vocab::{LogicalType, Value};
use tempfile::TempDir;

use super::{all_rows, base, drained, id, told};

async fn origin(files: &[(&str, &[u8])]) -> (TempDir, Arc<dyn Origin>) {
    let folder = TempDir::new().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let origin = open_origin("source:files", "file:.", base(&folder)).await.unwrap();
    (folder, origin)
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[tokio::test]
async fn a_csv_file_is_text_and_null() {
    let csv = "\u{feff}\"id\",name\r\n1,\"\"\r\n2,\r\n,\"a,\"\"b\"\"\r\nc 🦀\"\r\n";
    let (_folder, origin) = origin(&[("Orders.CSV", csv.as_bytes())]).await;
    origin.probe().await.unwrap();
    let rows = all_rows(&*origin, "erp:orders").await.unwrap();
    let expected = [[text("1"), text("")], [text("2"), Value::Null], [Value::Null, text("a,\"b\"\r\nc 🦀")]];
    assert_eq!(rows, expected);
    let schema = origin.describe(&id("orders")).await.unwrap().schema;
    assert!(schema.columns.iter().all(|column| column.logical == LogicalType::Text && column.nullable));
}

#[tokio::test]
async fn faulty_csv_is_told_with_its_line() {
    let (_folder, origin) = origin(&[
        ("ragged.csv", b"a,b\n1,2\n3\n"),
        ("latin.csv", b"a\nok\n\xe9\n"),
        ("twice.csv", b"a,a\n"),
        ("empty.csv", b""),
        ("open.csv", b"a\n\"x\n"),
    ])
    .await;
    for (table, why) in [
        ("ragged", "line 3: 1 fields"),
        ("latin", "row 2 of `latin`: column `a`"),
        ("twice", "two columns are named `a`"),
        ("empty", "the file is empty"),
        ("open", "line 2: a quote opens"),
    ] {
        let told = told(&all_rows(&*origin, table).await.unwrap_err());
        assert!(told.contains(why), "{told}");
    }
}

#[tokio::test]
async fn json_lines_keep_their_values_exactly() {
    let lines = r#"{"id": 1, "price": 12.50, "long": 12345678901234567890, "ok": true, "nested": {"a": [1.10]}}

{"id": 9223372036854775807, "price": 3, "text": "a\u00e9\n", "ok": null}
"#;
    let (_folder, origin) = origin(&[("t.jsonl", lines.as_bytes())]).await;
    let schema = origin.describe(&id("t")).await.unwrap().schema;
    let types: Vec<(&str, LogicalType)> = schema.columns.iter().map(|c| (c.name.as_str(), c.logical)).collect();
    use LogicalType as L;
    assert_eq!(
        types,
        [
            ("id", L::Integer),
            ("price", L::Double),
            ("long", L::Decimal),
            ("ok", L::Boolean),
            ("nested", L::Text),
            ("text", L::Text)
        ]
    );
    let rows = all_rows(&*origin, "t").await.unwrap();
    let decimal = Value::Decimal("12345678901234567890".into());
    let first =
        [Value::Integer(1), Value::Double(12.5), decimal, Value::Boolean(true), text("{\"a\": [1.10]}"), Value::Null];
    let second = [Value::Integer(i64::MAX), Value::Double(3.0), Value::Null, Value::Null, Value::Null, text("aé\n")];
    assert_eq!(rows, [first, second]);
}

#[tokio::test]
async fn faulty_json_is_told_with_its_line() {
    let (_folder, origin) = origin(&[
        ("mixed.jsonl", b"{\"a\":1}\n{\"a\":\"x\"}\n"),
        ("broken.jsonl", b"{\"a\":1}\n{\"a\":\n"),
        ("list.jsonl", b"[1]\n"),
        ("twice.jsonl", b"{\"a\":1,\"a\":2}\n"),
    ])
    .await;
    for (table, why) in [
        ("mixed", "line 2: `a` is text here and a number in line 1"),
        ("broken", "line 2: no JSON"),
        ("list", "line 1: no JSON object"),
        ("twice", "line 1: the name `a` occurs twice"),
    ] {
        let told = told(&origin.describe(&id(table)).await.unwrap_err());
        assert!(told.contains(why), "{told}");
    }
}

#[tokio::test]
async fn two_files_of_one_name_are_not_chosen_between() {
    let (_folder, origin) = origin(&[("t.csv", b"a\n"), ("T.jsonl", b"{}\n"), ("u.txt", b"")]).await;
    let why = told(&origin.describe(&id("t")).await.unwrap_err());
    assert!(why.contains("T.jsonl, t.csv"), "{why}");
    assert!(origin.describe(&id("u")).await.unwrap_err().to_string().contains("no table `u`"));
}

#[tokio::test]
async fn a_file_that_is_written_to_is_not_read_on() {
    let (folder, origin) = origin(&[("t.csv", b"a\n1\n"), ("u.csv", b"a\n1\n")]).await;
    let schema = origin.describe(&id("t")).await.unwrap().schema;
    let mut snapshot = origin.snapshot().await.unwrap();
    // Another file under the old name: the snapshot has the old one open.
    std::fs::write(folder.path().join("new"), b"a\n2\n").unwrap();
    std::fs::rename(folder.path().join("new"), folder.path().join("t.csv")).unwrap();
    assert_eq!(drained(snapshot.rows(&id("t"), &schema).await.unwrap()).await.unwrap(), [[text("1")]]);
    // The same file with as many other bytes: its time alone might not tell.
    std::fs::write(folder.path().join("u.csv"), b"a\n9\n").unwrap();
    let error = drained(snapshot.rows(&id("u"), &schema).await.unwrap()).await.unwrap_err();
    assert!(told(&error).contains("written to while it was read"), "{}", told(&error));
}

mod parquet {
    use std::sync::Arc;

    use ::parquet::arrow::ArrowWriter;
    use arrow_array::types::Int32Type;
    use arrow_array::*;
    use arrow_schema::{DataType, Field, Schema};

    use super::*;

    fn file(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
        let fields: Vec<Field> =
            columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
        let schema = Arc::new(Schema::new(fields));
        let batch =
            RecordBatch::try_new(schema.clone(), columns.into_iter().map(|(_, array)| array).collect()).unwrap();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, schema, None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        bytes
    }

    #[tokio::test]
    async fn arrow_types_become_exact_values() {
        let decimals = Decimal128Array::from(vec![Some(-1250), None]).with_precision_and_scale(20, 2).unwrap();
        let words: DictionaryArray<Int32Type> = vec![Some("red"), Some("blue")].into_iter().collect();
        let bytes = file(vec![
            ("i", Arc::new(Int8Array::from(vec![-128, 127])) as ArrayRef),
            ("u", Arc::new(UInt64Array::from(vec![0, i64::MAX as u64]))),
            ("d", Arc::new(Float64Array::from(vec![-0.0, f64::INFINITY]))),
            ("f", Arc::new(Float32Array::from(vec![0.5, 0.1]))),
            ("s", Arc::new(StringArray::from(vec![Some(""), None]))),
            ("b", Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..], b""]))),
            ("n", Arc::new(decimals)),
            ("day", Arc::new(Date32Array::from(vec![-1, 19_782]))),
            ("at", Arc::new(TimestampNanosecondArray::from(vec![1_000, -1_000]))),
            ("z", Arc::new(TimestampMillisecondArray::from(vec![1, -1]).with_timezone("Europe/Berlin"))),
            ("w", Arc::new(words)),
            ("t", Arc::new(BooleanArray::from(vec![true, false]))),
        ]);
        let (_folder, origin) = origin(&[("t.parquet", &bytes)]).await;
        let rows = all_rows(&*origin, "t").await.unwrap();
        let first = [
            Value::Integer(-128),
            Value::Integer(0),
            Value::Double(-0.0),
            Value::Double(0.5),
            text(""),
            Value::Bytes(vec![0, 255]),
            Value::Decimal("-12.50".into()),
            Value::DateDays(-1),
            Value::TimestampMicros(1),
            Value::InstantMicros(1_000),
            text("red"),
            Value::Boolean(true),
        ];
        // `{:?}` tells -0.0 from 0.0.
        assert_eq!(format!("{:?}", rows[0]), format!("{first:?}"));
        let single = f64::from(0.1_f32);
        let second = [
            Value::Integer(127),
            Value::Integer(i64::MAX),
            Value::Double(f64::INFINITY),
            Value::Double(single),
            Value::Null,
            Value::Bytes(Vec::new()),
            Value::Null,
            Value::DateDays(19_782),
            Value::TimestampMicros(-1),
            Value::InstantMicros(-1_000),
            text("blue"),
            Value::Boolean(false),
        ];
        assert_eq!(rows[1], second);
        // Columns in another order, and not all of them.
        let mut schema = origin.describe(&id("t")).await.unwrap().schema;
        schema.columns.truncate(2);
        schema.columns.reverse();
        let mut snapshot = origin.snapshot().await.unwrap();
        let some = drained(snapshot.rows(&id("t"), &schema).await.unwrap()).await.unwrap();
        assert_eq!(some[0], [Value::Integer(0), Value::Integer(-128)]);
    }

    #[tokio::test]
    async fn what_cannot_be_kept_is_refused_by_name() {
        let nanos = file(vec![("at", Arc::new(TimestampNanosecondArray::from(vec![1_000, 1_001])) as ArrayRef)]);
        let large = file(vec![("u", Arc::new(UInt64Array::from(vec![u64::MAX])) as ArrayRef)]);
        let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1)])]);
        let lists = file(vec![("l", Arc::new(list) as ArrayRef)]);
        assert!(matches!(lists.len(), 1..) && DataType::Null.is_null());
        let files: [(&str, &[u8]); 4] = [
            ("nanos.parquet", &nanos),
            ("large.parquet", &large),
            ("lists.parquet", &lists),
            ("torn.parquet", b"PAR1"),
        ];
        let (_folder, origin) = origin(&files).await;
        for (table, why) in [
            ("nanos", "row 2 of `nanos`: column `at` holds a time with 1 nanoseconds"),
            ("large", "column `u` holds 18446744073709551615"),
            ("lists", "column `l` is of the Arrow type List"),
            ("torn", "read the Parquet file `torn.parquet`"),
        ] {
            let told = told(&all_rows(&*origin, table).await.unwrap_err());
            assert!(told.contains(why), "{told}");
        }
    }
}
