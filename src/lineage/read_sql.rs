//! One script by itself, for the command line.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    diagnostics::Diagnostics,
    estate::{Estate, SameNames, Script, Templating},
    lineage::{
        JobLineage, Steps,
        analysis::{self, on_deep_stack},
        resolve::JobResolver,
        template::Projects,
    },
    vocab::{Column, DatasetId, Span},
};

/// What a text without a file is called in places.
const NO_FILE: &str = "sql";

/// Reads one script by itself: `dialect` as people call it (`None`: its signs tell), columns from `catalog`.
pub fn read_sql(
    text: &str,
    dialect: Option<&str>,
    catalog: &BTreeMap<DatasetId, Vec<Column>>,
) -> (JobLineage, Diagnostics) {
    read_sql_steps(text, dialect, catalog, Steps::Collapsed)
}

/// The same, with every step of the script where `steps` says so.
pub fn read_sql_steps(
    text: &str,
    dialect: Option<&str>,
    catalog: &BTreeMap<DatasetId, Vec<Column>>,
    steps: Steps,
) -> (JobLineage, Diagnostics) {
    let script = script_of(text, dialect);
    on_deep_stack(|| {
        let none = SameNames::default();
        let prepared = analysis::prepare(&script, &Estate::default(), &Projects::default());
        let kept = BTreeSet::new();
        let resolver = JobResolver::new(catalog, &none).collapsing(&kept);
        let mut resolver = if steps == Steps::Raw { resolver.showing("") } else { resolver };
        let mut resolved = resolver.script(&script, &prepared.sql);
        let lineage = JobLineage {
            uses: analysis::table_uses(&script, &prepared, &resolved.uses),
            statements: analysis::placed_statements(&script, &prepared, &mut resolved),
            unparsed: (prepared.sql.coverage.scanned + prepared.sql.coverage.not_understood) as u32,
            dynamic: prepared.sql.dynamic,
        };
        let mut faults = analysis::faults(&script, &prepared, &resolved);
        faults.sort();
        (lineage, faults)
    })
}

/// The columns of the tables and views that the script `text` creates.
pub fn read_ddl(text: &str, dialect: Option<&str>) -> BTreeMap<DatasetId, Vec<Column>> {
    let script = script_of(text, dialect);
    on_deep_stack(|| {
        let (estate, projects) = (Estate::default(), Projects::default());
        let (_, resolved) = analysis::analyse(&script, &estate, &projects, &BTreeMap::default(), &estate.same_names);
        resolved.declared.into_iter().chain(resolved.derived).collect()
    })
}

fn script_of(text: &str, dialect: Option<&str>) -> Script {
    Script {
        at: Span::of(NO_FILE, text, 0, text.len()),
        text: Arc::from(text),
        verbatim: true,
        templating: Templating::Generic,
        dialect: dialect.map(str::to_owned),
        schema: None,
        target: None,
        materialized: None,
        params: BTreeMap::new(),
    }
}
