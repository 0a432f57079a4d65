//! SQL of a size or depth that costs other readers exponential time or their stack: read whole, with all its edges.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on must stop")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use carve::{
    lineage::{self, JobLineage},
    vocab::{Column, DatasetId, LogicalType},
};
use pretty_assertions::assert_eq;

fn columns(names: &[&str]) -> Vec<Column> {
    let column = |name: &&str| Column {
        name: (*name).to_owned(),
        logical: LogicalType::Text,
        physical: String::new(),
        nullable: true,
        description: None,
    };
    names.iter().map(column).collect()
}

fn read(text: &str, catalog: &[(&str, &[&str])]) -> JobLineage {
    read_in(text, None, catalog)
}

fn read_in(text: &str, dialect: Option<&str>, catalog: &[(&str, &[&str])]) -> JobLineage {
    let catalog: BTreeMap<DatasetId, Vec<Column>> =
        catalog.iter().map(|(name, names)| (name.parse().unwrap(), columns(names))).collect();
    let (lineage, faults) = lineage::read_sql(text, dialect, &catalog);
    let told: Vec<_> = faults.iter().filter(|fault| fault.code.code != "E033" && fault.code.code != "E034").collect();
    assert_eq!((lineage.unparsed, told), (0, vec![]));
    lineage
}

fn edges(lineage: &JobLineage) -> BTreeSet<String> {
    let all = lineage.statements.iter().flat_map(|statement| &statement.columns);
    all.map(|edge| {
        let kind = serde_json::to_value(edge.kind).unwrap();
        format!("{} <- {}.{} {}", edge.to_column, edge.from, edge.from_column, kind.as_str().unwrap())
    })
    .collect()
}

fn set<const N: usize>(edges: [&str; N]) -> BTreeSet<String> {
    edges.map(str::to_owned).into()
}

/// Each link reads the one before it twice.
fn diamonds(depth: usize, first: &str) -> String {
    let mut text = format!("with c0 as ({first})");
    for link in 1..=depth {
        let before = link - 1;
        write!(text, ", c{link} as (select * from c{before} a join c{before} b on a.id = b.id)").unwrap();
    }
    text
}

#[test]
fn diamonds_of_stars_cost_a_scope_a_link() {
    let text = format!("{} select id, v from c18", diamonds(18, "select * from raw.t"));
    let expected = set(["id <- raw.t.id identity", "v <- raw.t.v identity", "* <- raw.t.id join"]);
    assert_eq!(edges(&read(&text, &[("raw.t", &["id", "v"])])), expected);
    assert_eq!(edges(&read(&text, &[])), expected);
    let star = format!("insert into mart.x {} select * from c18", diamonds(18, "select id, v from raw.t"));
    assert_eq!(edges(&read(&star, &[])), expected);
}

#[test]
fn a_star_over_two_copies_still_fills_by_place() {
    let text = "insert into mart.x select * from raw.t a join raw.t b on a.id = b.id";
    let lineage = read(text, &[("raw.t", &["id", "v"]), ("mart.x", &["id", "v", "other_id", "other_v"])]);
    let expected = set([
        "id <- raw.t.id identity",
        "v <- raw.t.v identity",
        "other_id <- raw.t.id identity",
        "other_v <- raw.t.v identity",
        "* <- raw.t.id join",
    ]);
    assert_eq!(edges(&lineage), expected);
}

#[test]
fn a_thousand_columns_keep_an_edge_each() {
    let names: Vec<String> = (0..1000).map(|n| format!("c{n}")).collect();
    let list: Vec<&str> = names.iter().map(String::as_str).collect();
    let expected: BTreeSet<String> = names.iter().map(|name| format!("{name} <- raw.t.{name} identity")).collect();
    let text = format!("create table mart.x as select {} from raw.t", names.join(", "));
    assert_eq!(edges(&read(&text, &[])), expected);
    let star = "create table mart.x as with a as (select * from raw.t), b as (select * from a) select * from b";
    assert_eq!(edges(&read(star, &[("raw.t", &list)])), expected);
}

#[test]
fn thousands_of_conditions_are_one_filter() {
    let conditions: Vec<String> = (0..3000).map(|n| format!("a = {n}")).collect();
    let text = format!("select b from raw.t where {} or c = 1", conditions.join(" or "));
    let expected = set(["b <- raw.t.b identity", "* <- raw.t.a filter", "* <- raw.t.c filter"]);
    assert_eq!(edges(&read(&text, &[])), expected);
}

#[test]
fn thousands_of_rows_of_constants_feed_nothing() {
    let rows: Vec<String> = (0..5000).map(|n| format!("({n}, 'x{n}', {n}.5)")).collect();
    let text = format!("insert into mart.x (a, b, c) values {}", rows.join(", "));
    let lineage = read(&text, &[]);
    assert_eq!(
        (edges(&lineage), lineage.uses.len(), &lineage.statements[0].output[..]),
        (set([]), 1, &["a".to_owned(), "b".to_owned(), "c".to_owned()][..])
    );
    let selected = format!("select a from (values {}) as v (a, b, c) join raw.t on raw.t.id = v.a", rows.join(", "));
    assert_eq!(edges(&read(&selected, &[])), set(["* <- raw.t.id join"]));
}

#[test]
fn unions_of_many_arms_keep_every_arm() {
    for arms in [500, 2000] {
        let text = (0..arms).map(|n| format!("select a, b as c from raw.t{n}")).collect::<Vec<_>>().join(" union all ");
        let expected: BTreeSet<String> = (0..arms)
            .flat_map(|n| [format!("a <- raw.t{n}.a identity"), format!("c <- raw.t{n}.b identity")])
            .collect();
        assert_eq!(edges(&read(&format!("insert into mart.x (a, c) {text}"), &[])), expected);
    }
}

#[test]
fn long_chains_of_ctes_reach_their_source() {
    let mut text = "with c0 as (select * from raw.t where k = 1)".to_owned();
    for link in 1..200 {
        write!(text, ", c{link} as (select * from c{} where v{} > 0)", link - 1, link % 3).unwrap();
    }
    let expected = set([
        "id <- raw.t.id identity",
        "* <- raw.t.k filter",
        "* <- raw.t.v0 filter",
        "* <- raw.t.v1 filter",
        "* <- raw.t.v2 filter",
    ]);
    assert_eq!(edges(&read(&format!("{text} select id from c199"), &[])), expected);
}

#[test]
fn two_hundred_subqueries_within_each_other_are_read_in_every_dialect() {
    let mut text = "raw.t t0".to_owned();
    for level in 1..=200 {
        text = format!("(select a, b from {text} where c{} = 1) t{level}", level % 2)
            .replace("c1", "b")
            .replace("c0", "a");
    }
    let text = format!("select a from {text}");
    let expected = set(["a <- raw.t.a identity", "* <- raw.t.a filter", "* <- raw.t.b filter"]);
    for dialect in carve::estate::DIALECTS {
        assert_eq!(edges(&read_in(&text, Some(dialect), &[])), expected, "{dialect}");
    }
}

#[test]
fn calls_nested_on_either_side_are_looked_at_once() {
    let first = format!("{}a{}", "coalesce(".repeat(80), ", b)".repeat(80));
    let last = format!("{}b{}", "nullif(a, ".repeat(80), ")".repeat(80));
    let text = format!("select {first} as x, {last} as y from raw.t");
    let expected = set([
        "x <- raw.t.a transformation",
        "x <- raw.t.b transformation",
        "x <- raw.t.a conditional",
        "x <- raw.t.b conditional",
        "y <- raw.t.a transformation",
        "y <- raw.t.a conditional",
        "y <- raw.t.b conditional",
    ]);
    assert_eq!(edges(&read(&text, &[])), expected);
}

#[test]
fn joins_in_parentheses_are_read_however_many_surround_them() {
    let (open, close) = ("(".repeat(16), ")".repeat(15));
    let text = format!("select a.x from {open}raw.a a join raw.b b on a.x = b.x){close}");
    let expected = set(["x <- raw.a.x identity", "* <- raw.a.x join", "* <- raw.b.x join"]);
    assert_eq!(edges(&read(&text, &[])), expected);
}

#[test]
fn one_long_line_of_wide_characters_is_read_in_one_pass() {
    let items: Vec<String> = (0..20_000).map(|n| format!("'é😀' as k{n}")).collect();
    let text = format!("select {}, a from raw.t", items.join(", "));
    assert_eq!(edges(&read(&text, &[])), set(["a <- raw.t.a identity"]));
}
