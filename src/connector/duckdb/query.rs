//! Queries that only read.
use super::instance::Session;
use super::place::Place;
use super::reading::Reading;
use super::trouble::{engine, refused, said};
use super::types::{logical, spelled};
use crate::connector::{ConnectorError, RowStream, batches::Batches, batches::blocking};
use crate::vocab::{Column, DatasetId, Schema};

/// What messages call the result of a query.
const RESULT: &str = "query result";

/// Runs `sql` in a transaction that cannot write, on a thread of its own.
pub(super) async fn query(place: Place, sql: String) -> Result<(Schema, RowStream), ConnectorError> {
    let (session, schema, reading) = blocking(move || {
        let session = place.open()?;
        session.run("BEGIN TRANSACTION READ ONLY").map_err(|e| engine("run a query", e))?;
        let (schema, reading) = answer(&session, &sql)?;
        Ok((session, schema, reading))
    })
    .await?;
    let (mut batches, stream) = Batches::stream();
    tokio::task::spawn_blocking(move || {
        let outcome = reading.send(&session, &mut batches);
        // Whoever sees the end of the rows may let go of the file.
        drop(session);
        batches.finish(outcome);
    });
    Ok((schema, stream))
}

/// What the answer's columns are, and the query that streams them. They get names of their own there, because an
/// answer may have two of one name.
fn answer(session: &Session, sql: &str) -> Result<(Schema, Reading), ConnectorError> {
    let query = sql.trim_end().trim_end_matches(';');
    // Only what answers with rows may stand in parentheses. The line's end also ends a comment that stands last.
    let described = session.texts(&format!("DESCRIBE SELECT * FROM ({query}\n)"), &[]).map_err(not_read)?;
    let mut columns = Vec::new();
    for row in described {
        let mut row = row.into_iter().map(Option::unwrap_or_default);
        let (name, of) = (row.next().unwrap_or_default(), row.next().unwrap_or_default());
        let column = Column { name, logical: logical(&of), physical: spelled(&of), nullable: true, description: None };
        columns.push((of, column));
    }
    let names: Vec<String> = (0..columns.len()).map(|at| format!("c{at}")).collect();
    let asked: Vec<(String, &str, &Column)> =
        names.iter().zip(&columns).map(|(name, (of, column))| (name.clone(), of.as_str(), column)).collect();
    let from = format!("({query}\n) AS carve_answer({})", names.join(", "));
    let reading = Reading::of(DatasetId::from_parts(&[RESULT]), &asked, &from);
    Ok((Schema { columns: columns.into_iter().map(|(_, column)| column).collect(), key: Vec::new() }, reading))
}

fn not_read(error: ::duckdb::Error) -> ConnectorError {
    let text = said(&error);
    let why = "it is no query that DuckDB reads: only one statement that answers with rows is run";
    match text.starts_with("Parser Error") {
        true => refused("run a query", format!("{why} ({text})")),
        false => engine("run a query", error),
    }
}
