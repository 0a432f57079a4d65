//! Operators that copy: `MySQLToGCSOperator`, `GCSToBigQueryOperator`, `S3ToRedshiftOperator` and their like. The
//! class name says both sides, and the arguments of each side have names of their own.
use super::operators::{Arguments, TARGET_NAMES, readable};
use crate::{
    estate::{SourceSystem, data_calls, found::Found, given_sql::How, names::tables_in, python::Value},
    vocab::{DatasetId, plain_address},
};

/// Places that a class name can name: the word, what it is, the connection arguments, and the kind of system.
const PLACES: &[(&str, Kind, &[&str], &str)] = &[
    ("bigquery", Kind::Lake, &[], "bigquery"),
    ("redshift", Kind::Lake, &[], "redshift"),
    ("snowflake", Kind::Lake, &[], "snowflake"),
    ("hive", Kind::Lake, &[], "hive"),
    ("databricks", Kind::Lake, &[], "databricks"),
    ("clickhouse", Kind::Lake, &[], "clickhouse"),
    ("googlecloudstorage", Kind::Files("gs"), &[], "files"),
    ("gcs", Kind::Files("gs"), &[], "files"),
    ("s3", Kind::Files("s3"), &[], "files"),
    ("azureblobstorage", Kind::Files("wasb"), &[], "files"),
    ("wasb", Kind::Files("wasb"), &[], "files"),
    ("adls", Kind::Files("abfs"), &[], "files"),
    ("local", Kind::Other, &[], "files"),
    ("sftp", Kind::Source, &["sftp_conn_id", "ssh_conn_id"], "sftp"),
    ("ftp", Kind::Source, &["ftp_conn_id"], "ftp"),
    ("mysql", Kind::Source, &["mysql_conn_id", "source_conn_id"], "mysql"),
    ("postgres", Kind::Source, &["postgres_conn_id", "source_conn_id"], "postgres"),
    ("mssql", Kind::Source, &["mssql_conn_id", "source_conn_id"], "tsql"),
    ("oracle", Kind::Source, &["oracle_conn_id", "source_conn_id"], "oracle"),
    ("mongo", Kind::Source, &["mongo_conn_id"], "mongodb"),
    ("salesforce", Kind::Source, &["salesforce_conn_id"], "salesforce"),
    ("cassandra", Kind::Source, &["cassandra_conn_id"], "cassandra"),
    ("teradata", Kind::Source, &["teradata_conn_id"], "teradata"),
    ("sql", Kind::Source, &["sql_conn_id", "source_conn_id"], "sql"),
    ("sheets", Kind::Source, &["gcp_conn_id"], "sheets"),
    ("ads", Kind::Source, &["gcp_conn_id"], "ads"),
    ("http", Kind::Source, &["http_conn_id"], "http"),
    ("api", Kind::Source, &["http_conn_id"], "http"),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Tables of the lake.
    Lake,
    /// Files of this scheme.
    Files(&'static str),
    /// A system outside.
    Source,
    Other,
}

#[derive(Clone)]
struct Side {
    word: String,
    kind: Kind,
    connections: &'static [&'static str],
    system: &'static str,
}

/// The two sides that a class name names.
fn sides(name: &str) -> Option<(Side, Side)> {
    let name = ["OperatorAsync", "Operator", "Transfer"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    let (from, into) = name
        .split_once("To")
        .filter(|(from, into)| !from.is_empty() && into.starts_with(|c: char| c.is_ascii_uppercase()))?;
    let find = |text: &str| {
        let lower = text.to_ascii_lowercase();
        let place = PLACES.iter().find(|(word, ..)| lower.contains(word));
        place.map(|(word, kind, connections, system)| Side {
            word: (*word).to_owned(),
            kind: *kind,
            connections,
            system,
        })
    };
    match (find(from), find(into)) {
        (Some(from), Some(into)) => Some((from, into)),
        // What comes into the lake or its files from something carve does not know is a source system.
        (None, Some(into)) if matches!(into.kind, Kind::Lake | Kind::Files(_)) => {
            let word = from.to_ascii_lowercase();
            Some((Side { word, kind: Kind::Source, connections: &["source_conn_id", "conn_id"], system: "api" }, into))
        }
        _ => None,
    }
}

/// Reads a copy; false where the operator is none, or says too little to be read as one.
pub(super) fn read(given: &Arguments<'_>, found: &mut Found) -> bool {
    let create_external = given.names.iter().any(|name| name.contains("ExternalTable"))
        && given.get(&["bucket", "table_resource"]).is_some();
    let sides = given.names.iter().find_map(|name| sides(name));
    let (from, into) = match (sides, create_external) {
        (Some(sides), _) => sides,
        (None, true) => {
            let place = |at: usize| {
                let (word, kind, connections, system) = PLACES[at];
                Side { word: word.to_owned(), kind, connections, system }
            };
            // Files of a bucket become a table of BigQuery.
            (place(7), place(0))
        }
        (None, false) if given.names.iter().any(|name| name == "GenericTransfer") => match generic(given) {
            Some(sides) => sides,
            None => return false,
        },
        (None, false) => return false,
    };
    let reads = reads(given, &from, found);
    let writes = writes(given, &into);
    if reads.is_empty() && writes.is_empty() {
        return false;
    }
    found.loads |= into.kind == Kind::Lake || matches!(into.kind, Kind::Files(_)) && from.kind == Kind::Source;
    found.unloads |= from.kind == Kind::Lake && into.kind != Kind::Lake;
    let at = || given.thing.at.clone();
    for (all, is_read) in [(reads, true), (writes, false)] {
        for one in all {
            match one {
                Ok(dataset) => {
                    if let Some(system) = dataset.system() {
                        let kind = if is_read { from.system } else { into.system };
                        declare(system, kind, given, found);
                    }
                    let list = if is_read { &mut found.reads } else { &mut found.writes };
                    list.push((dataset, at()));
                }
                Err(written) => given.fault(format!("which table or file `{}` is", readable(&written)), found),
            }
        }
    }
    true
}

/// From one connection into a table of another; `None` where both are one.
fn generic(given: &Arguments<'_>) -> Option<(Side, Side)> {
    let connection = |name: &str| given.text(&[name]);
    let (from, into) = (connection("source_conn_id")?, connection("destination_conn_id"));
    let side = |kind, connections, system| Side { word: "source".to_owned(), kind, connections, system };
    (into.as_ref() != Some(&from))
        .then(|| (side(Kind::Source, &["source_conn_id"], "sql"), side(Kind::Lake, &[], "sql")))
}

fn declare(name: &str, kind: &str, given: &Arguments<'_>, found: &mut Found) {
    let system = SourceSystem {
        name: name.to_owned(),
        kind: Some(kind.to_owned()),
        url: None,
        owner: None,
        domain: None,
        at: Some(given.thing.at.clone()),
    };
    found.sources.entry(name.to_owned()).or_insert(system);
}

type Named = Result<DatasetId, String>;

/// The system that a connection stands for.
fn system(given: &Arguments<'_>, side: &Side) -> String {
    let connection = given.text(side.connections).map(|text| plain_address(&readable(&text)).replace(['{', '}'], ""));
    let name = connection.unwrap_or_else(|| side.word.clone()).to_lowercase();
    let short =
        ["_conn_id", "_connection", "_conn", "_default"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    short.replace([':', ' '], "_")
}

fn reads(given: &Arguments<'_>, side: &Side, found: &mut Found) -> Vec<Named> {
    match side.kind {
        Kind::Lake => {
            if let Some(sql) =
                given.get(&["sql", "query", "select_query", "hql"]).filter(|value| value.as_text().is_some())
            {
                let how = How { dialect: Some(side.system.to_owned()), params: given.params(), ..Default::default() };
                if let Some(text) = sql.as_text() {
                    let understood = data_calls::take_sql(text, &how, &[], &given.thing.at, given.around, found);
                    found.opaque |= u64::from(!understood);
                }
                return Vec::new();
            }
            let names = [
                "source_project_dataset_table",
                "source_project_dataset_tables",
                "dataset_table",
                "source_table",
                "hive_table",
            ];
            let tables = given.texts(&names);
            let tables = if tables.is_empty() { schema_table(given).into_iter().collect() } else { tables };
            tables.iter().map(|table| named(given, table)).collect()
        }
        Kind::Files(scheme) => files(given, scheme, true),
        Kind::Source => {
            let system = system(given, side);
            let sql = given.get(&["sql", "query"]).and_then(|value| value.as_text().map(|text| text.text.clone()));
            let tables = match sql {
                Some(sql) => tables_in(&sql),
                None => given.texts(&[
                    "table",
                    "source_table",
                    "table_name",
                    "mongo_collection",
                    "object_name",
                    "source_path",
                    "endpoint",
                    "resource",
                    "air_table_name",
                    "collection",
                    "sheet_name",
                    "report_name",
                    "layer",
                    "product",
                ]),
            };
            let of = |table: &String| match table.contains("${") || table.contains("{{") {
                true => Err(table.clone()),
                false => Ok(DatasetId::in_system(&system, table)),
            };
            tables.iter().map(of).collect()
        }
        Kind::Other => Vec::new(),
    }
}

fn writes(given: &Arguments<'_>, side: &Side) -> Vec<Named> {
    match side.kind {
        Kind::Lake => {
            let resource = given.get(&["table_resource"]).map(|value| {
                let part = |name| value.at(&["tableReference", name]).map(|value: Value| value.shown().0);
                let parts = [part("projectId"), part("datasetId"), part("tableId")];
                parts.into_iter().flatten().collect::<Vec<_>>().join(".")
            });
            let target = given.text(TARGET_NAMES).or(resource).or_else(|| schema_table(given));
            target.iter().map(|table| named(given, table)).collect()
        }
        Kind::Files(scheme) => files(given, scheme, false),
        Kind::Source => {
            let system = system(given, side);
            let table = given.text(&[
                "target_table_name",
                "mysql_table",
                "postgres_table",
                "oracle_table",
                "destination_table",
                "table",
                "destination_path",
            ]);
            table.iter().map(|table| Ok(DatasetId::in_system(&system, table))).collect()
        }
        Kind::Other => Vec::new(),
    }
}

fn named(given: &Arguments<'_>, table: &str) -> Named {
    given.dataset(table).ok_or_else(|| table.to_owned())
}

fn schema_table(given: &Arguments<'_>) -> Option<String> {
    let table = given.text(&["table", "table_name", "table_id"])?;
    match given.text(&["schema", "dataset_id", "database", "dataset"]) {
        Some(schema) if !table.contains('.') => Some(format!("{schema}.{table}")),
        _ => Some(table),
    }
}

/// The files of one side: a bucket with objects, or whole addresses.
fn files(given: &Arguments<'_>, scheme: &str, is_source: bool) -> Vec<Named> {
    let addresses: &[&str] = match is_source {
        true => &["source_uris", "source_uri", "s3_uri"],
        false => &["destination_cloud_storage_uris", "destination_uris", "destination_uri", "dest_gcs", "dest_s3"],
    };
    let whole = given.texts(addresses);
    if !whole.is_empty() {
        return whole.iter().map(|address| named(given, address)).collect();
    }
    let (buckets, keys): (&[&str], &[&str]) = match is_source {
        true => (
            &["source_bucket", "bucket", "bucket_name", "s3_bucket", "gcs_bucket", "src_bucket"],
            &[
                "source_objects",
                "source_object",
                "s3_key",
                "s3_keys",
                "key",
                "object",
                "objects",
                "object_name",
                "prefix",
            ],
        ),
        false => (
            &["destination_bucket", "dest_bucket", "bucket", "bucket_name", "s3_bucket", "gcs_bucket", "dst_bucket"],
            &[
                "destination_object",
                "filename",
                "destination_path",
                "dest_key",
                "s3_key",
                "key",
                "object",
                "object_path",
                "object_name",
                "destination_key",
            ],
        ),
    };
    let Some(bucket) = given.text(buckets) else {
        return given.texts(keys).iter().filter(|key| key.contains("://")).map(|key| named(given, key)).collect();
    };
    let bucket = bucket.trim_start_matches("gs://").trim_start_matches("s3://").trim_end_matches('/').to_owned();
    let keys = given.texts(keys);
    let keys = if keys.is_empty() { vec![String::new()] } else { keys };
    let address = |key: &String| match key.contains("://") {
        true => key.clone(),
        false => format!("{scheme}://{bucket}/{}", key.trim_start_matches('/')),
    };
    keys.iter().map(|key| named(given, &address(key))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_name_says_both_sides() {
        let of = |name: &str| sides(name).map(|(from, into)| format!("{} > {}", from.word, into.word));
        assert_eq!(of("GCSToBigQueryOperator").as_deref(), Some("gcs > bigquery"));
        assert_eq!(of("MySqlToGoogleCloudStorageOperator").as_deref(), Some("mysql > googlecloudstorage"));
        assert_eq!(of("GoogleCloudStorageToBigQueryOperator").as_deref(), Some("googlecloudstorage > bigquery"));
        assert_eq!(of("S3ToRedshiftOperator").as_deref(), Some("s3 > redshift"));
        assert_eq!(of("BashOperator"), None);
        assert_eq!(of("TokenOperator"), None);
    }
}
