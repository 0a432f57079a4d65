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
    vocab::{DatasetId, Span, plain_address},
};

/// A system's name as it stands in names of datasets.
pub(crate) fn system_name(written: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "_-".contains(c) { c } else { '_' };
    written.trim().chars().map(plain).collect::<String>().to_lowercase()
}

/// The database that `written` names, by itself or in an address, as it stands in names of datasets; `None` where only
/// a run knows it.
pub(crate) fn database_name(written: &str) -> Option<String> {
    let plain = plain_address(written.trim());
    let known = !plain.is_empty() && !plain.contains(['$', '{', '%', '<']);
    let name = match plain.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1.split(['/', '?']).next()?,
        None => &plain,
    };
    (known && !name.is_empty() && !name.contains(char::is_whitespace)).then(|| system_name(name))
}

/// The database behind a JDBC address: `jdbc:mysql://host:3306/shop?x=y` is `shop`.
pub(crate) fn jdbc_system(address: &str) -> String {
    let plain = address.split(['?', ';']).next().unwrap_or_default();
    let last = plain.rsplit(['/', ':', '@']).next().unwrap_or_default();
    let named =
        address.split(';').find_map(|part| part.strip_prefix("databaseName=").or(part.strip_prefix("database=")));
    let name = system_name(named.unwrap_or(last));
    if name.is_empty() { "jdbc".to_owned() } else { name }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_by_itself_or_in_an_address() {
        assert_eq!(database_name("CRM").as_deref(), Some("crm"));
        assert_eq!(database_name("postgresql://u:hunter2@h:5432/crm?ssl=true").as_deref(), Some("crm"));
        for unknown in ["", "$DB", "{{ env.DB }}", "postgresql://h"] {
            assert_eq!(database_name(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_jdbc_address_names_its_database() {
        assert_eq!(jdbc_system("jdbc:mysql://db:3306/Shop?useSSL=false"), "shop");
        assert_eq!(jdbc_system("jdbc:oracle:thin:@host:1521:ORCL"), "orcl");
        assert_eq!(jdbc_system("jdbc:sqlserver://h:1433;databaseName=crm"), "crm");
        assert_eq!(jdbc_system(""), "jdbc");
    }
}
