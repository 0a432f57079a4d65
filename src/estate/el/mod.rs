//! Tools that extract and load: each config says which tables of a source system become which tables of the lake.
mod airbyte;
mod dlt;
mod hcl;
mod meltano;
mod sling;
mod terraform;

pub(crate) use airbyte::Airbyte;
pub(crate) use dlt::{Dlt, RESOURCE, SOURCE, take as take_pipeline};
pub(crate) use meltano::Meltano;
pub(crate) use sling::Sling;
pub(crate) use terraform::Terraform;

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{ImportedTable, SourceSystem, found::Found},
    vocab::{DatasetId, Span},
};

/// A system's name as it stands in names of datasets.
pub(crate) fn system_name(written: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "_-".contains(c) { c } else { '_' };
    written.trim().chars().map(plain).collect::<String>().to_lowercase()
}

/// Enters the copy of one table of `system`.
pub(crate) fn copies(
    found: &mut Found,
    system: &str,
    from: &str,
    into: DatasetId,
    watermark: Option<String>,
    at: &Span,
) {
    declares(found, system, None, at);
    found.loads = true;
    found.imports.push(ImportedTable {
        from: DatasetId::in_system(system, from),
        into,
        watermark,
        from_at: at.clone(),
        into_at: at.clone(),
    });
}

/// Enters the source system `name`, as a connection's name makes it known.
pub(crate) fn declares(found: &mut Found, name: &str, kind: Option<&str>, at: &Span) {
    found.sources.entry(name.to_owned()).or_insert_with(|| SourceSystem {
        name: name.to_owned(),
        kind: kind.map(str::to_owned),
        url: None,
        owner: None,
        domain: None,
        at: Some(at.clone()),
    });
}

/// Tells a piece that nobody can name before it runs.
pub(crate) fn opaque(found: &mut Found, at: Span, here: String) {
    found.opaque = 1;
    found.faults.push(Diagnostic::new(CodeEntry::E027, at, here));
}
