use carve::{
    service::{Fingerprint, row_hash},
    vocab::{LogicalType, Value},
};
use pretty_assertions::assert_eq;
use proptest::prelude::*;

use super::rows::{TYPES, same, schema, table, value};

/// Two values of one type.
fn pair() -> impl Strategy<Value = (LogicalType, Value, Value)> {
    prop::sample::select(&TYPES[..]).prop_flat_map(|logical| (Just(logical), value(logical), value(logical)))
}

proptest! {
    #[test]
    fn a_fingerprint_is_the_same_in_any_order_and_any_split(
        (schema, rows) in table(),
        cut: prop::sample::Index,
        turn: prop::sample::Index,
    ) {
        let whole = Fingerprint::of(&schema, &rows).unwrap();
        let mut turned = rows.clone();
        turned.rotate_left(turn.index(rows.len().max(1)).min(rows.len()));
        turned.reverse();
        let (left, right) = turned.split_at(cut.index(rows.len() + 1));
        let mut sum = Fingerprint::of(&schema, right).unwrap();
        sum.merge(&Fingerprint::of(&schema, left).unwrap());
        prop_assert_eq!(sum, whole);
        prop_assert_eq!(whole.to_string().parse::<Fingerprint>().unwrap(), whole);
    }

    #[test]
    fn two_values_hash_alike_only_when_they_are_the_same((logical, a, b) in pair()) {
        let schema = schema(&[("c", logical)]);
        let [left, right] = [&a, &b].map(|v| row_hash(&schema, std::slice::from_ref(v)).unwrap());
        prop_assert_eq!(left == right, same(&[vec![a]], &[vec![b]]));
    }
}

#[test]
fn the_sum_over_nothing_is_nothing() {
    let text = "rows1:0:00000000000000000000000000000000:00000000000000000000000000000000";
    assert_eq!(Fingerprint::default().to_string(), text);
    assert_eq!(serde_json::to_string(&Fingerprint::default()).unwrap(), format!("\"{text}\""));
    assert_eq!(serde_json::from_str::<Fingerprint>(&format!("\"{text}\"")).unwrap(), Fingerprint::default());
}

#[test]
fn other_spellings_of_a_fingerprint_are_refused() {
    let sums = "00000000000000000000000000000000:00000000000000000000000000000000";
    for text in [
        format!("rows2:0:{sums}"),
        format!("rows1:00:{sums}"),
        format!("rows1:+1:{sums}"),
        format!("rows1:0:{sums}:"),
        "rows1:0:0:0".to_owned(),
        format!("rows1:0:A{}", &sums[1..]),
    ] {
        assert!(text.parse::<Fingerprint>().is_err(), "{text}");
    }
}

#[test]
fn a_doubled_row_and_a_moved_border_show() {
    let two = schema(&[("a", LogicalType::Text), ("b", LogicalType::Text)]);
    let row = |a: &str, b: &str| vec![Value::Text(a.into()), Value::Text(b.into())];
    let of = |rows: &[Vec<Value>]| Fingerprint::of(&two, rows).unwrap();
    assert_ne!(of(&[row("x", "y"), row("x", "y")]), of(&[]));
    assert_ne!(of(&[row("ab", "c")]), of(&[row("a", "bc")]));
    assert_ne!(of(&[vec![Value::Null, Value::Text("".into())]]), of(&[vec![Value::Text("".into()), Value::Null]]));
}

#[test]
fn an_engines_variant_does_not_matter_but_the_value_does() {
    let hash = |logical, value: Value| row_hash(&schema(&[("c", logical)]), &[value]).unwrap();
    use LogicalType::{Decimal, Double, Number};
    assert_eq!(hash(Double, Value::Integer(10)), hash(Double, Value::Double(10.0)));
    assert_eq!(hash(Number, Value::Integer(10)), hash(Number, Value::Double(10.0)));
    assert_eq!(hash(Double, Value::Double(f64::NAN)), hash(Double, Value::Double(-f64::NAN)));
    assert_ne!(hash(Double, Value::Double(0.0)), hash(Double, Value::Double(-0.0)));
    assert_ne!(hash(Decimal, Value::Decimal("1.5".into())), hash(Decimal, Value::Decimal("1.50".into())));
    assert!(row_hash(&schema(&[("c", Double)]), &[Value::Text("1".into())]).is_err());
    assert!(row_hash(&schema(&[("c", Double)]), &[]).is_err());
}

#[test]
fn hashes_are_those_that_python_computes() {
    // xxhash 4.1 from PyPI: xxh3_128_hexdigest(data, seed) over the bytes of docs/FORMAT.md, and over none.
    let columns = schema(&[("i", LogicalType::Integer), ("t", LogicalType::Text), ("n", LogicalType::Date)]);
    let hash = row_hash(&columns, &[Value::Integer(1), Value::Text("a".into()), Value::Null]).unwrap();
    assert_eq!(hash.to_string(), "aee7c85393dcbe67024d42faa6b4722ecd81ec35c323a9235c177453c8a26a31");
    let hash = row_hash(&schema(&[]), &[]).unwrap();
    assert_eq!(hash.to_string(), "99aa06d3014798d86001c324468d497f0d4f6cffc0331fbc0cc1202d4b1c35a9");
}
