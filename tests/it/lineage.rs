//! SQL read as whole scripts: every case of `fixtures/sql`, and the doors of the lineage room.
use std::{collections::BTreeMap, fs, path::Path, path::PathBuf, sync::Arc};

use carve::{
    diagnostics::Diagnostics,
    estate::{DbtProject, DbtSource, Declaration, Estate, Job, JobKind, Script, Templating},
    lineage::{self, Access, Evidence, JobLineage, RepointProblem, TextEdit},
    progress::Silent,
    vocab::{Column, DatasetId, JobId, LogicalType, Span},
};
use pretty_assertions::assert_eq;
use proptest::prelude::*;
use serde::Deserialize;

/// What a case's SQL means, written by hand from the SQL.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// What the case shows.
    #[allow(dead_code, reason = "for people")]
    says: String,
    #[serde(default)]
    reads: Vec<String>,
    #[serde(default)]
    writes: Vec<String>,
    #[serde(default)]
    defines: Vec<String>,
    #[serde(default)]
    drops: Vec<String>,
    /// `t.a <- s.x identity`; `result` stands for a query without a target. Checked where given, all of them.
    columns: Option<Vec<String>>,
    /// Codes of faults. Checked where given.
    faults: Option<Vec<String>>,
    /// Statements that only a scan understands.
    #[serde(default)]
    unparsed: u32,
    /// Statements built at run time.
    #[serde(default)]
    dynamic: u32,
    /// Columns known beforehand.
    #[serde(default)]
    catalog: BTreeMap<String, Vec<String>>,
}

fn id(text: &str) -> DatasetId {
    text.parse().unwrap()
}

fn column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        logical: LogicalType::Text,
        physical: String::new(),
        nullable: true,
        description: None,
    }
}

fn catalog_of(given: &BTreeMap<String, Vec<String>>) -> BTreeMap<DatasetId, Vec<Column>> {
    given.iter().map(|(name, columns)| (id(name), columns.iter().map(|c| column(c)).collect())).collect()
}

fn names(lineage: &JobLineage, access: Access) -> Vec<String> {
    let mut names: Vec<String> =
        lineage.uses.iter().filter(|one| one.access == access).map(|one| one.dataset.to_string()).collect();
    names.sort();
    names.dedup();
    names
}

fn edges(lineage: &JobLineage) -> Vec<String> {
    let mut edges = Vec::new();
    for statement in &lineage.statements {
        let target = statement.target.as_ref().map_or("result".to_owned(), DatasetId::to_string);
        for edge in &statement.columns {
            let kind = serde_json::to_value(edge.kind).unwrap();
            let kind = kind.as_str().unwrap();
            edges.push(format!("{target}.{} <- {}.{} {kind}", edge.to_column, edge.from, edge.from_column));
        }
    }
    edges.sort();
    edges.dedup();
    edges
}

fn codes(faults: &Diagnostics) -> Vec<String> {
    let mut codes: Vec<String> = faults.iter().map(|fault| fault.code.code.to_owned()).collect();
    codes.sort();
    codes.dedup();
    codes
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sql");
    let mut cases = Vec::new();
    for dialect in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(dialect.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|e| e == "sql") {
                cases.push(path);
            }
        }
    }
    cases.sort();
    cases
}

fn compare(differences: &mut Vec<String>, what: &str, mut expected: Vec<String>, found: Vec<String>) {
    expected.sort();
    let missing: Vec<_> = expected.iter().filter(|one| !found.contains(one)).collect();
    let extra: Vec<_> = found.iter().filter(|one| !expected.contains(one)).collect();
    if !missing.is_empty() || !extra.is_empty() {
        differences.push(format!("  {what}\n    missing {missing:#?}\n    extra {extra:#?}"));
    }
}

fn check(path: &Path) -> Result<(), String> {
    let sql = fs::read_to_string(path).unwrap();
    let yaml = fs::read_to_string(path.with_extension("yaml")).map_err(|e| format!("no expectation: {e}"))?;
    let expected: Expected = serde_yaml::from_str(&yaml).map_err(|e| e.to_string())?;
    let dialect = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let (lineage, faults) = lineage::read_sql(&sql, Some(dialect), &catalog_of(&expected.catalog));
    let mut differences = Vec::new();
    compare(&mut differences, "reads", expected.reads, names(&lineage, Access::Read));
    compare(&mut differences, "writes", expected.writes, names(&lineage, Access::Write));
    compare(&mut differences, "defines", expected.defines, names(&lineage, Access::Define));
    compare(&mut differences, "drops", expected.drops, names(&lineage, Access::Drop));
    if let Some(columns) = expected.columns {
        compare(&mut differences, "columns", columns, edges(&lineage));
    }
    if let Some(codes_expected) = expected.faults {
        compare(&mut differences, "faults", codes_expected, codes(&faults));
    }
    if (lineage.unparsed, lineage.dynamic) != (expected.unparsed, expected.dynamic) {
        let told: Vec<String> = faults.iter().map(|f| format!("{}: {} {}", f.at, f.code, f.here)).collect();
        differences.push(format!("  unparsed {}, dynamic {}: {told:#?}", lineage.unparsed, lineage.dynamic));
    }
    for one in lineage.uses.iter().filter(|one| one.exact) {
        let written = &sql[one.at.start..one.at.end];
        let bare: String = written.chars().filter(|c| !"\"`[] ".contains(*c)).collect();
        if !one.dataset.to_string().ends_with(&bare.to_lowercase()) && !bare.contains('$') {
            differences.push(format!("  {} is said to stand at `{written}`", one.dataset));
        }
    }
    match differences.is_empty() {
        true => Ok(()),
        false => Err(differences.join("\n")),
    }
}

#[test]
fn every_case_means_what_its_yaml_says() {
    let cases = cases();
    assert!(cases.len() >= 80, "{} cases", cases.len());
    let faults: Vec<String> =
        cases.iter().filter_map(|path| check(path).err().map(|why| format!("{}\n{why}", path.display()))).collect();
    assert!(faults.is_empty(), "{} of {} cases differ\n{}", faults.len(), cases.len(), faults.join("\n"));
}
