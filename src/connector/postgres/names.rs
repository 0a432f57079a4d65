//! How a dataset is called in PostgreSQL, and what its name stands for.
use tokio_postgres::GenericClient;

use super::target::Target;
use super::trouble::{engine, refused};
use crate::connector::ConnectorError;
use crate::vocab::DatasetId;

/// Bytes of a name that PostgreSQL keeps; it cuts longer ones without a word.
pub(super) const LONGEST_NAME: usize = 63;

/// A table, view or the like as the server has it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) oid: u32,
    pub(super) schema: String,
    pub(super) name: String,
    /// `r` table, `p` partitioned, `f` foreign, `v` view, `m` materialised view.
    pub(super) kind: char,
}

impl Found {
    /// Its name for SQL.
    pub(super) fn sql(&self) -> String {
        qualified(&self.schema, &self.name)
    }

    pub(super) fn is_table(&self) -> bool {
        self.kind == 'r'
    }
}

/// Schema and table of `id` as the estate spells them: lower case.
pub(super) fn names(target: &Target, id: &DatasetId) -> (String, String) {
    // A catalog before the schema is the database, and a connection knows one only.
    (id.bare_schema().unwrap_or(&target.schema).to_owned(), id.table().to_owned())
}

/// What of `name` PostgreSQL would keep if it kept `bytes` bytes.
pub(super) fn cut(name: &str, bytes: usize) -> &str {
    &name[..name.floor_char_boundary(bytes)]
}

/// Schema and table of a table that is to be made, the schema as the server spells it: a name in other letters of case
/// fits where there is none in these and only one.
pub(super) async fn place(
    client: &impl GenericClient,
    target: &Target,
    id: &DatasetId,
) -> Result<(String, String), ConnectorError> {
    let (schema, table) = new_names(target, id)?;
    let sql = "SELECT n.nspname::text FROM pg_catalog.pg_namespace n WHERE pg_catalog.lower(n.nspname::text) = $1
        ORDER BY n.nspname::text = $1 DESC, n.nspname::text COLLATE \"C\"";
    let rows = client.query(sql, &[&schema]).await.map_err(|e| engine(format!("look for the schema of `{id}`"), e))?;
    let spelled: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    match &spelled[..] {
        [first, second, ..] if *first != schema => Err(refused(
            format!("make the table `{id}`"),
            format!("the schemas {} and {} differ by case only: rename one", quoted(first), quoted(second)),
        )),
        [first, ..] => Ok((first.clone(), table)),
        [] => Ok((schema, table)),
    }
}

/// Schema and table of a table that is to be made, as the estate spells them.
pub(super) fn new_names(target: &Target, id: &DatasetId) -> Result<(String, String), ConnectorError> {
    let (schema, table) = names(target, id);
    match table.len().max(schema.len()) <= LONGEST_NAME {
        true => Ok((schema, table)),
        false => Err(refused(
            format!("make the table `{id}`"),
            format!("PostgreSQL cuts names after {LONGEST_NAME} bytes: give the table a shorter one"),
        )),
    }
}

/// What `id` stands for. A name in other letters of case fits where there is none in these and only one.
pub(super) async fn find(
    client: &impl GenericClient,
    target: &Target,
    id: &DatasetId,
) -> Result<Option<Found>, ConnectorError> {
    let (schema, table) = names(target, id);
    let sql = "SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE pg_catalog.lower(n.nspname::text) = $1 AND pg_catalog.lower(c.relname::text) = $2
          AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
        ORDER BY (n.nspname::text = $1 AND c.relname::text = $2) DESC, n.nspname::text COLLATE \"C\", c.relname::text COLLATE \"C\"";
    let rows = client.query(sql, &[&schema, &table]).await.map_err(|e| engine(format!("look for `{id}`"), e))?;
    let found: Vec<Found> = rows
        .iter()
        .map(|row| Found {
            oid: row.get(0),
            schema: row.get(1),
            name: row.get(2),
            kind: row.get::<_, String>(3).chars().next().unwrap_or(' '),
        })
        .collect();
    let exact = found.first().is_some_and(|first| first.schema == schema && first.name == table);
    match found.len() {
        0 => Ok(None),
        1 => Ok(found.into_iter().next()),
        _ if exact => Ok(found.into_iter().next()),
        _ => Err(refused(
            format!("read `{id}`"),
            format!("{} and {} differ by case only: rename one", found[0].sql(), found[1].sql()),
        )),
    }
}

/// What `id` stands for, or the error that there is nothing of that name.
pub(super) async fn found(
    client: &impl GenericClient,
    target: &Target,
    id: &DatasetId,
) -> Result<Found, ConnectorError> {
    find(client, target, id).await?.ok_or_else(|| ConnectorError::NoSuchTable(id.clone()))
}

/// `name` as an identifier in SQL, whatever characters it has.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `schema.table` for SQL.
pub(super) fn qualified(schema: &str, table: &str) -> String {
    format!("{}.{}", quoted(schema), quoted(table))
}

/// `text` as a string in SQL.
pub(super) fn literal(text: &str) -> String {
    let escaped = text.replace('\'', "''");
    match escaped.contains('\\') {
        true => format!(" E'{}'", escaped.replace('\\', "\\\\")),
        false => format!("'{escaped}'"),
    }
}
