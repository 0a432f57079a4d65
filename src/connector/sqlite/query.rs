//! Queries that only read.
use std::collections::BTreeSet;

use rusqlite::types::Type;
use rusqlite::{Connection, Statement};
use tokio::sync::oneshot;

use super::affinity::logical;
use super::describe::Kinds;
use super::place::{Access, Place};
use super::rows::convert;
use super::trouble::{engine, refused};
use crate::connector::{ConnectorError, RowStream, batches::Batches};
use crate::vocab::{Column, DatasetId, Schema};

/// What messages call the result of a query.
const RESULT: &str = "query result";

/// Runs `sql` on a thread of its own; the schema comes once all its values have been looked at.
pub(super) async fn query(place: Place, sql: String) -> Result<(Schema, RowStream), ConnectorError> {
    let (tell, told) = oneshot::channel();
    let (mut batches, stream) = Batches::stream();
    tokio::task::spawn_blocking(move || {
        let outcome = answer(&place, &sql, tell, &mut batches);
        batches.finish(outcome);
    });
    match told.await {
        Ok(Ok(schema)) => Ok((schema, stream)),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(refused("run a query", "its thread ended early")),
    }
}

type Tell = oneshot::Sender<Result<Schema, ConnectorError>>;

fn answer(place: &Place, sql: &str, tell: Tell, batches: &mut Batches) -> Result<(), ConnectorError> {
    let doing = |e| engine("run a query", e);
    let opened = open(place, sql);
    let connection = match opened {
        Ok(connection) => connection,
        Err(error) => return tell_error(tell, error),
    };
    let mut statement = match prepare(&connection, sql) {
        Ok(statement) => statement,
        Err(error) => return tell_error(tell, error),
    };
    let schema = match schema_of(&mut statement) {
        Ok(schema) => schema,
        Err(error) => return tell_error(tell, error),
    };
    if tell.send(Ok(schema.clone())).is_err() {
        return Ok(());
    }
    let id = DatasetId::from_parts(&[RESULT]);
    let mut rows = statement.query([]).map_err(doing)?;
    let mut at = 0;
    while let Some(row) = rows.next().map_err(doing)? {
        at += 1;
        if batches.push(convert(&id, row, at, &schema)?).is_err() {
            break;
        }
    }
    Ok(())
}

/// The error goes to whoever waits for the schema; the stream just ends.
fn tell_error(tell: Tell, error: ConnectorError) -> Result<(), ConnectorError> {
    // Nobody waits any more: then nobody needs the error.
    let _ = tell.send(Err(error));
    Ok(())
}

/// A connection that cannot write, inside a transaction, so that both looks see the same rows.
fn open(place: &Place, sql: &str) -> Result<Connection, ConnectorError> {
    place.must_exist()?;
    let connection = place.open_all(sql, Access::Read, &BTreeSet::new())?;
    let settled = connection.execute_batch("PRAGMA query_only=ON; BEGIN");
    settled.map_err(|e| engine("run a query", e))?;
    Ok(connection)
}

fn prepare<'c>(connection: &'c Connection, sql: &str) -> Result<Statement<'c>, ConnectorError> {
    let statement = connection.prepare(sql).map_err(|e| engine("run a query", e))?;
    match statement.readonly() && statement.column_count() > 0 {
        true => Ok(statement),
        false => Err(refused("run a query", "it is no query: only statements that read and answer with rows are run")),
    }
}

/// The columns of the answer: by declared type where the values go with it, else by the values alone.
fn schema_of(statement: &mut Statement<'_>) -> Result<Schema, ConnectorError> {
    let doing = |e| engine("run a query", e);
    let declared: Vec<(String, String)> = statement
        .columns()
        .map(|column| (column.name().to_owned(), column.decl_type().unwrap_or_default().to_owned()))
        .collect();
    let mut kinds = vec![Kinds::default(); declared.len()];
    let mut first_mixed: Vec<Option<(u64, Type)>> = vec![None; declared.len()];
    let mut rows = statement.query([]).map_err(doing)?;
    let mut at = 0;
    while let Some(row) = rows.next().map_err(doing)? {
        at += 1;
        for (index, kind) in kinds.iter_mut().enumerate() {
            let found = row.get_ref(index).map_err(doing)?.data_type();
            kind.add(found);
            if first_mixed[index].is_none() && kind.logical().is_none() {
                first_mixed[index] = Some((at, found));
            }
        }
    }
    let mut columns = Vec::with_capacity(declared.len());
    for ((name, physical), (kinds, mixed)) in declared.into_iter().zip(kinds.into_iter().zip(first_mixed)) {
        let by_declaration = logical(&physical).filter(|logical| kinds.fit(*logical));
        let Some(logical) = by_declaration.or_else(|| kinds.logical()) else {
            let (row, kind) = mixed.unwrap_or((at, Type::Null));
            let reason = format!("mixes kinds: here a value of the kind {kind}, before it others; cast it to one");
            return Err(ConnectorError::Inexact { table: DatasetId::from_parts(&[RESULT]), column: name, row, reason });
        };
        columns.push(Column { name, logical, physical, nullable: true, description: None });
    }
    Ok(Schema { columns, key: Vec::new() })
}
