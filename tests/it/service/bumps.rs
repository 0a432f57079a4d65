use std::slice::from_ref;

use carve::{
    service::{EndpointSchema, bump, changes},
    vocab::{Bump, LogicalType, PartFormat, Schema},
};
use pretty_assertions::assert_eq;

use super::rows::{column, schema};

fn endpoint(name: &str, schema: Schema) -> EndpointSchema {
    EndpointSchema { endpoint: name.parse().unwrap(), part_format: PartFormat::Csv, schema }
}

fn orders() -> Schema {
    let mut schema = schema(&[("id", LogicalType::Integer), ("price", LogicalType::Decimal)]);
    schema.columns[0].nullable = false;
    schema.columns[1].physical = "DECIMAL(10,2)".into();
    schema.key = vec!["id".into()];
    schema
}

/// What carve tells of one change to `orders`, and how much it weighs.
fn told(change: impl Fn(&mut EndpointSchema)) -> (Option<Bump>, Vec<String>) {
    let old = [endpoint("default", orders())];
    let mut new = old.clone();
    change(&mut new[0]);
    (bump(&old, &new), changes(&old, &new).into_iter().map(|change| change.text).collect())
}

#[test]
fn the_same_schema_asks_for_nothing() {
    assert_eq!(told(|_| {}), (None, vec![]));
}

#[test]
fn each_change_weighs_what_readers_feel() {
    type Change = fn(&mut EndpointSchema);
    let cases: [(Change, Bump, &str); 15] = [
        (|e| drop(e.schema.columns.pop()), Bump::Breaking, "column `price` is gone"),
        (|e| e.schema.columns.push(column("x", LogicalType::Date)), Bump::Additive, "column `x` (date) is new"),
        (
            |e| e.schema.columns[1].logical = LogicalType::Double,
            Bump::Breaking,
            "column `price` is double instead of decimal",
        ),
        (
            |e| e.schema.columns[0].logical = LogicalType::Number,
            Bump::Breaking,
            "column `id` is number instead of integer",
        ),
        (
            |e| e.schema.columns[1].physical = "DECIMAL(12,2)".into(),
            Bump::Breaking,
            "column `price` is `DECIMAL(12,2)` instead of `DECIMAL(10,2)`",
        ),
        (
            |e| e.schema.columns[1].physical = "NUMERIC(10, 2)".into(),
            Bump::Additive,
            "column `price` is stored as `NUMERIC(10, 2)` instead of `DECIMAL(10,2)`",
        ),
        (|e| e.schema.columns[0].nullable = true, Bump::Breaking, "column `id` may now be NULL"),
        (|e| e.schema.columns[1].nullable = false, Bump::Additive, "column `price` is never NULL any more"),
        (|e| e.schema.key = vec![], Bump::Breaking, "the key (id) is gone"),
        (
            |e| e.schema.key = vec!["id".into(), "price".into()],
            Bump::Breaking,
            "the key is (id, price) instead of (id)",
        ),
        (|e| e.schema.columns.reverse(), Bump::Additive, "the columns stand in another order"),
        (|e| e.part_format = PartFormat::Parquet, Bump::Breaking, "parts are parquet instead of csv"),
        (
            |e| e.schema.columns[0].description = Some("x".into()),
            Bump::Publication,
            "column `id` is described otherwise",
        ),
        (|e| e.schema.columns.insert(0, column("x", LogicalType::Text)), Bump::Additive, "column `x` (text) is new"),
        (
            |e| e.schema.columns[1].physical = String::new(),
            Bump::Breaking,
            "column `price` is `` instead of `DECIMAL(10,2)`",
        ),
    ];
    for (change, weight, text) in cases {
        assert_eq!(told(change), (Some(weight), vec![text.to_owned()]));
    }
}

#[test]
fn endpoints_come_and_go_and_the_weightiest_change_wins() {
    let (one, two) = (endpoint("default", orders()), endpoint("lines", orders()));
    assert_eq!(bump(from_ref(&one), &[one.clone(), two.clone()]), Some(Bump::Additive));
    assert_eq!(bump(&[one.clone(), two.clone()], from_ref(&one)), Some(Bump::Breaking));
    let new = [endpoint("new", orders()), one.clone()];
    let told: Vec<_> = changes(&[one, two], &new).into_iter().map(|it| (it.endpoint.to_string(), it.text)).collect();
    assert_eq!(
        told,
        [("lines", "the endpoint is gone"), ("new", "the endpoint is new")].map(|(a, b)| (a.into(), b.into()))
    );
    assert_eq!(bump(&[], &[]), None);
}

#[test]
fn a_key_that_is_new_breaks_nobody() {
    let mut keyless = orders();
    keyless.key.clear();
    let (old, new) = ([endpoint("default", keyless)], [endpoint("default", orders())]);
    assert_eq!(bump(&old, &new), Some(Bump::Additive));
}
