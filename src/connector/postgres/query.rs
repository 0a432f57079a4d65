//! Queries that only read.
use tokio_postgres::{Client, Statement};

use super::describe::{BASE, SPELLED};
use super::reading::{Asked, Reading};
use super::session::Server;
use super::trouble::{asked, refused};
use super::types::PgType;
use crate::connector::{ConnectorError, RowStream};
use crate::vocab::{Column, DatasetId, Schema};

/// What messages call the result of a query.
const RESULT: &str = "query result";

/// Runs `sql` in a transaction that cannot write.
pub(super) async fn query(server: &Server, sql: &str) -> Result<(Schema, RowStream), ConnectorError> {
    let client = server.connect().await?;
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(asked)?;
    let statement = client.prepare(sql).await.map_err(asked)?;
    if statement.columns().is_empty() {
        let why = "it is no query: only statements that read and answer with rows are run";
        return Err(refused("run a query", why));
    }
    let (schema, reading) = answer(&client, sql, &statement).await?;
    Ok((schema, reading.stream(server.clone(), client)))
}

/// What the answer's columns are, and the COPY that streams them. They get names of their own there, because an
/// answer may have two of one name.
async fn answer(client: &Client, sql: &str, statement: &Statement) -> Result<(Schema, Reading), ConnectorError> {
    let types = types(client, statement).await?;
    let (mut columns, mut asked, mut list, mut names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (at, (column, (of, physical))) in statement.columns().iter().zip(types).enumerate() {
        let (own, logical) = (format!("c{at}"), of.logical());
        let (wire, expression) = of.ask(&own, logical);
        let name = column.name().to_owned();
        list.push(expression);
        names.push(own);
        asked.push(Asked { name: name.clone(), wire, logical });
        columns.push(Column { name, logical, physical, nullable: true, description: None });
    }
    let query = sql.trim_end().trim_end_matches(';');
    // The line's end also ends a comment that stands last.
    let sql = format!("SELECT {} FROM ({query}\n) AS carve_answer({})", list.join(", "), names.join(", "));
    let reading = Reading { id: DatasetId::from_parts(&[RESULT]), sql, columns: asked.into() };
    Ok((Schema { columns, key: Vec::new() }, reading))
}

/// Type and spelling of every column of the answer.
async fn types(client: &Client, statement: &Statement) -> Result<Vec<(PgType, String)>, ConnectorError> {
    let oids: Vec<u32> = statement.columns().iter().map(|column| column.type_().oid()).collect();
    let sizes: Vec<i32> = statement.columns().iter().map(tokio_postgres::Column::type_modifier).collect();
    let (base, spelled) =
        (BASE.replace("%TYPE%", "o.oid"), SPELLED.replace("%TYPE%", "o.oid").replace("%SIZE%", "o.size"));
    let sql = format!(
        "SELECT b.typname::text, b.typnamespace = 'pg_catalog'::regnamespace, {spelled}
         FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::int4[])) WITH ORDINALITY o(oid, size, at)
         JOIN pg_catalog.pg_type b ON b.oid = {base} ORDER BY o.at"
    );
    let rows = client.query(&sql, &[&oids, &sizes]).await.map_err(asked)?;
    Ok(rows.iter().map(|row| (PgType { base: row.get(0), built_in: row.get(1) }, row.get(2))).collect())
}
