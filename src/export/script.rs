//! What one script reads, writes and moves, as one object.
use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::{
    diagnostics::Diagnostics,
    lineage::{Access, JobLineage},
    vocab::DatasetId,
};

/// `reads`, `writes`, `defines`, `drops`, `columns`, `unparsed`, `dynamic` and `diagnostics` of a script, each list
/// sorted and each thing once.
pub fn script_answer(lineage: &JobLineage, diagnostics: &Diagnostics) -> Map<String, Value> {
    let named = |access: Access| {
        let uses = lineage.uses.iter().filter(|one| one.access == access);
        json!(uses.map(|one| &one.dataset).collect::<BTreeSet<&DatasetId>>())
    };
    Map::from_iter([
        ("reads".to_owned(), named(Access::Read)),
        ("writes".to_owned(), named(Access::Write)),
        ("defines".to_owned(), named(Access::Define)),
        ("drops".to_owned(), named(Access::Drop)),
        ("columns".to_owned(), columns(lineage)),
        ("unparsed".to_owned(), json!(lineage.unparsed)),
        ("dynamic".to_owned(), json!(lineage.dynamic)),
        ("diagnostics".to_owned(), json!(diagnostics)),
    ])
}

fn columns(lineage: &JobLineage) -> Value {
    let mut edges: BTreeSet<_> = BTreeSet::new();
    for statement in &lineage.statements {
        edges.extend(statement.columns.iter().map(|edge| (statement.target.as_ref(), edge)));
    }
    let edge = |(target, edge): (Option<&DatasetId>, &crate::lineage::ColumnEdge)| {
        let mut told = json!({
            "upstream": edge.from, "upstream_column": edge.from_column,
            "downstream": target, "downstream_column": edge.to_column,
            "kind": edge.kind, "direct": edge.kind.is_direct(),
        });
        if edge.ambiguous {
            told["ambiguous"] = true.into();
        }
        told
    };
    edges.into_iter().map(edge).collect()
}
