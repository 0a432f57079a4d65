//! Names of events as the estate's own: namespaces to systems, jobs to jobs.
use std::collections::{BTreeMap, BTreeSet};

use super::{
    event::{ColumnFeed, Named, SYSTEM},
    merge::{Events, Move},
};
use crate::{
    estate::{Declaration, Estate, Job, ObservedColumn, ObservedJob, ObservedMove},
    vocab::{DatasetId, JobId, Span},
};

/// The namespace of the lake's own datasets, in events that carve writes.
const LAKE: &str = "lake";

/// Enters `events` into `estate`: observed moves, and jobs that only events know.
pub(crate) fn place(events: Events, estate: &mut Estate) {
    let mut observed: BTreeMap<JobId, Vec<ObservedMove>> = BTreeMap::new();
    for (named, moves) in events.into_jobs() {
        let moves: Vec<ObservedMove> = moves.into_iter().map(|(one, at)| moved(one, at, estate)).collect();
        let job = match job_of(&named, &moves, estate) {
            Some(job) => job,
            None => enter(&named, &moves, estate),
        };
        observed.entry(job).or_default().extend(moves);
    }
    estate.observed = observed.into_iter().map(|(job, moves)| ObservedJob { job, moves }).collect();
}

fn moved(one: Move, at: Span, estate: &Estate) -> ObservedMove {
    let id = |named: &Named| dataset(named, estate);
    let columns = |feeds: BTreeSet<ColumnFeed>| feeds.into_iter().filter_map(|feed| column(feed, estate)).collect();
    ObservedMove {
        inputs: one.inputs.iter().filter_map(id).collect(),
        outputs: one.outputs.into_iter().filter_map(|(named, feeds)| Some((id(&named)?, columns(feeds)))).collect(),
        at,
    }
}

fn column(feed: ColumnFeed, estate: &Estate) -> Option<ObservedColumn> {
    Some(ObservedColumn {
        from: dataset(&feed.from, estate)?,
        from_column: feed.from_column.to_lowercase(),
        to_column: feed.to_column.to_lowercase(),
        subtype: feed.subtype,
        direct: feed.direct,
    })
}

/// A namespace is what carve.yaml says it is, else a source system of that name, else a store of files, else (of a
/// database's server) the source system that is called as the database is, else the lake.
fn dataset(named: &Named, estate: &Estate) -> Option<DatasetId> {
    let namespace = named.namespace.trim_end_matches('/');
    let said = estate.settings.namespaces.get(namespace).or_else(|| estate.settings.namespaces.get(&named.namespace));
    let system = said.cloned().or_else(|| estate.sources.get_key_value(namespace).map(|(name, _)| name.clone()));
    let system = system.or_else(|| namespace.strip_prefix(SYSTEM).map(str::to_owned));
    match system.as_deref() {
        Some(LAKE) => named.name.parse().ok(),
        Some(system) => Some(DatasetId::in_system(system, within(namespace, system, &named.name))),
        None if is_store(namespace) => {
            let separator = if namespace.contains("://") { "/" } else { ":/" };
            format!("{namespace}{separator}{}", named.name.trim_start_matches('/')).trim_end_matches('/').parse().ok()
        }
        None if is_database(namespace) && source_table(named, estate).is_some() => source_table(named, estate),
        // A dot-and-slash name is no table; a colon in it would be taken for a system.
        None => named.name.replace(':', "_").parse().ok(),
    }
}

/// A table's name within `system`: the standard's names of a server's tables begin with the database.
fn within<'n>(namespace: &str, system: &str, name: &'n str) -> &'n str {
    match name.split_once('.') {
        Some((database, table)) if database.eq_ignore_ascii_case(system) && table.contains('.') => table,
        // `database.schema.table`, where the namespace is the server's.
        Some((_, table)) if namespace.contains("://") && is_three_part(namespace) && table.contains('.') => table,
        _ => name,
    }
}

/// Whether the standard names tables of the namespace by database, schema and table.
fn is_three_part(namespace: &str) -> bool {
    let scheme = namespace.split(':').next().unwrap_or_default();
    ["postgres", "postgresql", "redshift", "sqlserver", "mssql", "oracle", "snowflake"].contains(&scheme)
}

/// Whether the namespace is that of a database's server.
fn is_database(namespace: &str) -> bool {
    let scheme = namespace.split(':').next().unwrap_or_default();
    ["postgres", "postgresql", "mysql", "mariadb", "oracle", "sqlserver", "mssql", "mongodb", "db2"].contains(&scheme)
}

/// `database.schema.table`, where the estate knows a source system that is called as the database is.
fn source_table(named: &Named, estate: &Estate) -> Option<DatasetId> {
    let (database, table) = named.name.split_once('.')?;
    let (system, _) = estate.sources.get_key_value(&database.to_lowercase())?;
    Some(DatasetId::in_system(system, table))
}

fn is_store(namespace: &str) -> bool {
    let scheme = namespace.split(':').next().unwrap_or_default();
    ["s3", "s3a", "s3n", "gs", "abfs", "abfss", "wasb", "wasbs", "hdfs", "dbfs", "file", "az"].contains(&scheme)
}

/// The job of the estate that an event's job is: by name, or because it alone is said to fill what was written.
fn job_of(named: &Named, moves: &[ObservedMove], estate: &Estate) -> Option<JobId> {
    let same = |job: &&Job| job.id.as_str().eq_ignore_ascii_case(&named.name);
    if let Some(job) = estate.jobs.iter().find(same) {
        return Some(job.id.clone());
    }
    let outputs: BTreeSet<&DatasetId> = moves.iter().flat_map(|one| one.outputs.keys()).collect();
    if outputs.is_empty() {
        return None;
    }
    let mut fills = estate.jobs.iter().filter(|job| outputs.iter().any(|dataset| is_filled_by(dataset, job)));
    let (first, second) = (fills.next()?, fills.next());
    second.is_none().then(|| first.id.clone())
}

/// Whether the job is said to fill the dataset, which an event may write with a catalog before it.
fn is_filled_by(dataset: &DatasetId, job: &Job) -> bool {
    let targets = job.scripts.iter().filter_map(|script| script.target.as_ref());
    let said = targets.chain(job.writes.iter().map(|(dataset, _)| dataset));
    let mut said = said.chain(job.imports.iter().map(|import| &import.into));
    let ends = |target: &DatasetId| {
        let rest = dataset.name().strip_suffix(target.name());
        // A bare table's name may be that of a table in any schema.
        let before = |rest: &str| rest.is_empty() || (rest.ends_with('.') && target.schema().is_some());
        target.system() == dataset.system() && rest.is_some_and(before)
    };
    said.any(ends)
}

fn enter(named: &Named, moves: &[ObservedMove], estate: &mut Estate) -> JobId {
    let id = JobId::new(named.name.clone());
    let at = moves.iter().map(|one| &one.at).min().cloned().unwrap_or_else(|| Span::whole("events"));
    let job = Job { declared_by: Declaration::Events, ..Job::of_tool(id.clone(), at) };
    estate.jobs.push(job);
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::SourceSystem;

    fn named(namespace: &str, name: &str) -> Named {
        Named { namespace: namespace.to_owned(), name: name.to_owned() }
    }

    #[test]
    fn namespaces_are_systems_stores_or_the_lake() {
        let mut estate = Estate::default();
        let crm = SourceSystem { name: "crm".into(), kind: None, url: None, owner: None, domain: None, at: None };
        estate.sources.insert("crm".to_owned(), crm);
        estate.settings.namespaces.insert("postgres://shop:5432".to_owned(), "shop".to_owned());
        for (namespace, name, id) in [
            ("lake", "raw.orders", "raw.orders"),
            ("crm", "accounts", "crm:accounts"),
            ("postgres://shop:5432", "db.public.orders", "shop:public.orders"),
            ("postgres://shop:5432", "public.orders", "shop:public.orders"),
            ("bigquery", "p.raw.orders", "p.raw.orders"),
            ("postgres://h:5432", "CRM.public.cust", "crm:public.cust"),
            ("postgres://h:5432", "wh.raw.cust", "wh.raw.cust"),
            ("s3://bucket", "in/orders", "s3://bucket/in/orders"),
            ("s3://bucket", "/", "s3://bucket"),
            ("file", "/data/x.csv", "file:/data/x.csv"),
            ("system:erp", "dbo.items", "erp:dbo.items"),
        ] {
            assert_eq!(dataset(&named(namespace, name), &estate).unwrap().to_string(), id);
        }
        assert_eq!(dataset(&named("bigquery", ""), &estate), None);
    }
}
