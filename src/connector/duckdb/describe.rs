//! What a table is: its columns, what they hold, its key, its comments.
use super::catalog::{columns, comment, find, key};
use super::place::Place;
use super::types::{logical, spelled};
use crate::connector::{ConnectorError, TableDescription};
use crate::vocab::{Column, DatasetId, Schema};

/// Describes `table` of `place`.
pub(super) fn describe(place: &Place, table: &DatasetId) -> Result<TableDescription, ConnectorError> {
    let session = place.open()?;
    let (schema, name) = place.names(table);
    let found = find(&session, &schema, &name)?.ok_or_else(|| ConnectorError::NoSuchTable(table.clone()))?;
    let described = columns(&session, &found)?.into_iter().map(|column| Column {
        logical: logical(&column.of),
        physical: spelled(&column.of),
        name: column.name,
        nullable: column.nullable,
        description: column.comment,
    });
    let schema = Schema { columns: described.collect(), key: key(&session, &found)? };
    Ok(TableDescription { schema, comment: comment(&session, &found)? })
}
