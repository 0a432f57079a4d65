//! What a table is: its columns, what they hold, its key, its comment.
use tokio_postgres::GenericClient;

use super::names::Found;
use super::trouble::engine;
use super::types::PgType;
use crate::connector::{ConnectorError, TableDescription};
use crate::vocab::{Column, DatasetId, Schema};

/// SQL for a type's name as carve notes it: PostgreSQL's own, but short where another engine means something else
/// by the long one (SQLite's `integer` has 64 bits).
pub(super) const SPELLED: &str = "CASE %TYPE% WHEN 'pg_catalog.int2'::regtype THEN 'int2' \
    WHEN 'pg_catalog.int4'::regtype THEN 'int4' WHEN 'pg_catalog.float4'::regtype THEN 'float4' \
    ELSE pg_catalog.format_type(%TYPE%, %SIZE%) END";

/// SQL for the base type of a domain, of a domain of it, and so on; any other type is its own.
pub(super) const BASE: &str = "(WITH RECURSIVE d AS (
      SELECT oid, typtype, typbasetype FROM pg_catalog.pg_type WHERE oid = %TYPE%
      UNION ALL
      SELECT t.oid, t.typtype, t.typbasetype FROM d JOIN pg_catalog.pg_type t ON t.oid = d.typbasetype WHERE d.typtype = 'd')
    SELECT oid FROM d WHERE typtype <> 'd')";

/// One column as the catalog has it.
#[derive(Clone, Debug)]
pub(super) struct RawColumn {
    pub(super) name: String,
    pub(super) of: PgType,
    pub(super) physical: String,
    pub(super) not_null: bool,
    comment: Option<String>,
}

/// The columns of `table`, in their order.
pub(super) async fn columns(client: &impl GenericClient, table: &Found) -> Result<Vec<RawColumn>, ConnectorError> {
    let spelled = SPELLED.replace("%TYPE%", "a.atttypid").replace("%SIZE%", "a.atttypmod");
    let base = BASE.replace("%TYPE%", "a.atttypid");
    let sql = format!(
        "SELECT a.attname::text, b.typname::text, b.typnamespace = 'pg_catalog'::regnamespace, {spelled}, a.attnotnull,
           pg_catalog.col_description(a.attrelid, a.attnum)
         FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type b ON b.oid = {base}
         WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
    );
    let rows = client.query(&sql, &[&table.oid]).await;
    let rows = rows.map_err(|e| engine(format!("describe {}", table.sql()), e))?;
    let each = rows.iter().map(|row| RawColumn {
        name: row.get(0),
        of: PgType { base: row.get(1), built_in: row.get(2) },
        physical: row.get(3),
        not_null: row.get(4),
        comment: row.get(5),
    });
    Ok(each.collect())
}

/// Names of the primary key's columns, in key order.
pub(super) async fn key(client: &impl GenericClient, table: &Found) -> Result<Vec<String>, ConnectorError> {
    let sql = "SELECT a.attname::text FROM pg_catalog.pg_index i, pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY k(n, at)
        JOIN pg_catalog.pg_attribute a ON a.attnum = k.n
        WHERE i.indrelid = $1 AND a.attrelid = $1 AND i.indisprimary AND k.at <= i.indnkeyatts ORDER BY k.at";
    let rows = client.query(sql, &[&table.oid]).await;
    let rows = rows.map_err(|e| engine(format!("describe {}", table.sql()), e))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Describes `table`, which carve calls `id`.
pub(super) async fn describe(
    client: &impl GenericClient,
    id: &DatasetId,
    table: &Found,
) -> Result<TableDescription, ConnectorError> {
    let raw = columns(client, table).await?;
    let key = key(client, table).await?;
    let sql = "SELECT pg_catalog.obj_description($1, 'pg_class')";
    let comment = client.query_one(sql, &[&table.oid]).await.map_err(|e| engine(format!("describe `{id}`"), e))?;
    let columns = raw.into_iter().map(|column| Column {
        logical: column.of.logical(),
        name: column.name,
        physical: column.physical,
        nullable: !column.not_null,
        description: column.comment,
    });
    Ok(TableDescription { schema: Schema { columns: columns.collect(), key }, comment: comment.get(0) })
}
