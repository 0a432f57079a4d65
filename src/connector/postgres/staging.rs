//! Staging tables: made empty, filled many parts at a time, these with their entries in the ledger.
use std::collections::BTreeMap;
use std::pin::pin;

use futures_util::SinkExt;
use tokio_postgres::{Client, Transaction};

use super::books;
use super::copy_in::encode;
use super::describe::{BASE, SPELLED};
use super::names::{find, literal, names, new_names, place, qualified, quoted};
use super::session::Server;
use super::target::Target;
use super::trouble::{engine, refused};
use super::types::{PgType, mapped, without_size};
use crate::connector::{ConnectorError, LoadPart};
use crate::vocab::{Column, DatasetId, LogicalType, Schema};

/// Bytes that are handed to the connection at a time.
const CHUNK: usize = 256 << 10;

/// Makes the empty table `id`; replaces one that carve made.
pub(super) async fn create(server: &Server, id: &DatasetId, schema: &Schema) -> Result<(), ConnectorError> {
    let mut client = server.connect().await?;
    let types = Types::of(&client, schema).await;
    let doing = |e| engine(format!("create the staging table `{id}`"), e);
    let transaction = client.transaction().await.map_err(doing)?;
    create_in(&transaction, &server.target, id, schema, &types).await?;
    transaction.commit().await.map_err(doing)?;
    server.give_back(client);
    Ok(())
}

/// The same within a transaction that is open already.
pub(super) async fn create_in(
    transaction: &Transaction<'_>,
    target: &Target,
    id: &DatasetId,
    schema: &Schema,
    types: &Types,
) -> Result<(), ConnectorError> {
    let doing = |e| engine(format!("create the staging table `{id}`"), e);
    let (schema_name, table) = new_names(target, id)?;
    let name = (schema_name.as_str(), table.as_str());
    if let Some(found) = find(transaction, target, id).await? {
        if books::made_as(transaction, name).await?.is_none() || !found.is_table() {
            let why = "there is a table of that name that carve did not make: rename or drop it";
            return Err(refused(format!("create the staging table `{id}`"), why));
        }
        transaction.batch_execute(&format!("DROP TABLE {}", found.sql())).await.map_err(doing)?;
    }
    books::open(transaction).await?;
    books::forget(transaction, name).await?;
    let (spelled, _) = place(transaction, target, id).await?;
    transaction.batch_execute(&create_sql((&spelled, &table), schema, types)).await.map_err(doing)?;
    books::made(transaction, name).await
}

/// Without the key: its index costs a third of the loading less once the rows are there. And nothing vacuums the table before
/// it is in its place, or the swap would have to wait a second until the server stops doing so.
fn create_sql((schema_name, table): books::Name<'_>, schema: &Schema, types: &Types) -> String {
    let table = qualified(schema_name, table);
    let mut parts: Vec<String> = Vec::with_capacity(schema.columns.len());
    let mut comments = String::new();
    for column in &schema.columns {
        let not_null = if column.nullable { "" } else { " NOT NULL" };
        parts.push(format!("{} {}{not_null}", quoted(&column.name), types.staged(column)));
        if let Some(text) = &column.description {
            let sql = format!("; COMMENT ON COLUMN {table}.{} IS {}", quoted(&column.name), literal(text));
            comments.push_str(&sql);
        }
    }
    format!("CREATE TABLE {table} ({}) WITH (autovacuum_enabled = off){comments}", parts.join(", "))
}

/// The types this server knows among those that columns had where they come from.
pub(super) struct Types(BTreeMap<String, PgType>);

impl Types {
    /// Asks for every type that `schema` names; outside a transaction, because a name can be unreadable.
    pub(super) async fn of(client: &Client, schema: &Schema) -> Types {
        let (base, spelled) =
            (BASE.replace("%TYPE%", "t.oid"), SPELLED.replace("%TYPE%", "t.oid").replace("%SIZE%", "NULL"));
        let sql = format!(
            "SELECT b.typname::text, b.typnamespace = 'pg_catalog'::regnamespace, {spelled}
             FROM (SELECT pg_catalog.to_regtype($1)::oid AS oid) t JOIN pg_catalog.pg_type b ON b.oid = {base}"
        );
        let mut known = BTreeMap::new();
        for physical in schema.columns.iter().map(|column| &column.physical) {
            let Some(name) = without_size(physical).filter(|name| !name.is_empty()) else { continue };
            if let Ok(Some(row)) = client.query_opt(&sql, &[&name]).await
                && row.get::<_, String>(2) == name
            {
                known.insert(physical.clone(), PgType { base: row.get(0), built_in: row.get(1) });
            }
        }
        Types(known)
    }

    /// The type of a column that takes `column`'s values and gives them back unchanged: its own where it is one of
    /// this server's, so that views and comparisons go on as before.
    fn staged<'c>(&self, column: &'c Column) -> &'c str {
        let own = self.0.get(&column.physical).is_some_and(|own| {
            own.reads_alike_everywhere() && (own.logical() == column.logical || column.logical == LogicalType::Text)
        });
        if own { &column.physical } else { mapped(column.logical) }
    }
}

/// The parts that the staging table `id` holds.
pub(super) async fn loaded_parts(server: &Server, id: &DatasetId) -> Result<Vec<String>, ConnectorError> {
    let (schema, table) = names(&server.target, id);
    let client = server.connect().await?;
    let parts = books::parts(&client, (&schema, &table)).await?;
    server.give_back(client);
    Ok(parts)
}

/// Loads those of `parts` into the staging table `id` that it does not hold already; how many these were.
pub(super) async fn load_parts(
    server: &Server,
    id: &DatasetId,
    schema: &Schema,
    mut parts: Vec<LoadPart>,
) -> Result<usize, ConnectorError> {
    let doing = |e| engine(format!("load parts into `{id}`"), e);
    let (schema_name, table) = names(&server.target, id);
    let name = (schema_name.as_str(), table.as_str());
    let mut client = server.connect().await?;
    let transaction = client.transaction().await.map_err(doing)?;
    if books::made_as(&transaction, name).await?.is_none() {
        let why = "it is no staging table that carve made: parts are loaded nowhere else";
        return Err(refused(format!("load parts into `{id}`"), why));
    }
    let mut entered = books::enter(&transaction, name, &parts).await?;
    parts.retain(|part| entered.remove(&part.name));
    let loaded = parts.len();
    if loaded > 0 {
        let (spelled, _) = place(&transaction, &server.target, id).await?;
        copy(&transaction, id, (&spelled, &table), schema, parts).await?;
    }
    transaction.commit().await.map_err(doing)?;
    server.give_back(client);
    Ok(loaded)
}

async fn copy(
    transaction: &Transaction<'_>,
    id: &DatasetId,
    (schema_name, table): books::Name<'_>,
    schema: &Schema,
    parts: Vec<LoadPart>,
) -> Result<(), ConnectorError> {
    let doing = |e| engine(format!("insert rows into `{id}`"), e);
    let names: Vec<String> = schema.columns.iter().map(|column| quoted(&column.name)).collect();
    let target = qualified(schema_name, table);
    let sql = format!("COPY {target} ({}) FROM STDIN (FORMAT text, ENCODING 'UTF8')", names.join(", "));
    let mut sink = pin!(transaction.copy_in(sql.as_str()).await.map_err(doing)?);
    let mut rows = 0;
    for part in parts {
        rows += part.rows;
        let mut bytes = encode(id, schema, &part)?;
        drop(part);
        while !bytes.is_empty() {
            let chunk = bytes.split_to(bytes.len().min(CHUNK));
            sink.send(chunk).await.map_err(doing)?;
        }
    }
    let taken = sink.finish().await.map_err(doing)?;
    match taken == rows {
        true => Ok(()),
        false => Err(refused(format!("insert rows into `{id}`"), format!("it took {taken} of {rows} rows"))),
    }
}
