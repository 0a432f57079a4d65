//! What a table is: its columns, what they hold, its key.
use rusqlite::Connection;
use rusqlite::types::Type;

use super::affinity::{Affinity, affinity, logical};
use super::place::{qualified, quoted};
use super::rows::order_by;
use super::tables::{Found, RawColumn, columns, find, key, nullable};
use super::trouble::engine;
use crate::connector::{ConnectorError, TableDescription};
use crate::vocab::{Column, DatasetId, LogicalType, Schema};

/// Which kinds of values a column holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kinds {
    integer: bool,
    real: bool,
    text: bool,
    blob: bool,
}

impl Kinds {
    /// Takes one more value's kind.
    pub(super) fn add(&mut self, kind: Type) {
        match kind {
            Type::Null => {}
            Type::Integer => self.integer = true,
            Type::Real => self.real = true,
            Type::Text => self.text = true,
            Type::Blob => self.blob = true,
        }
    }

    /// The type that holds all these values; text where there is none; `None` where they do not mix.
    pub(super) fn logical(self) -> Option<LogicalType> {
        match (self.integer, self.real, self.text, self.blob) {
            (true, false, false, false) => Some(LogicalType::Integer),
            (false, true, false, false) => Some(LogicalType::Double),
            (true, true, false, false) => Some(LogicalType::Number),
            (false, false, _, false) => Some(LogicalType::Text),
            (false, false, false, true) => Some(LogicalType::Bytes),
            _ => None,
        }
    }

    /// Whether `logical` holds all these values.
    pub(super) fn fit(self, logical: LogicalType) -> bool {
        let none = !(self.integer || self.real || self.text || self.blob);
        none || self.logical() == Some(logical) || (logical == LogicalType::Number && !self.text && !self.blob)
    }
}

/// Describes `id`, known to SQLite as `schema.table`.
pub(super) fn describe(
    connection: &Connection,
    id: &DatasetId,
    schema: &str,
    table: &str,
) -> Result<TableDescription, ConnectorError> {
    let found = find(connection, schema, table)?.ok_or_else(|| ConnectorError::NoSuchTable(id.clone()))?;
    let raw = columns(connection, &found)?;
    let guessed = guesses(connection, id, &found, &raw)?;
    let described = raw.iter().zip(guessed).map(|(column, guess)| Column {
        name: column.name.clone(),
        logical: guess,
        physical: column.declared.clone(),
        nullable: nullable(&found, &raw, column),
        description: None,
    });
    let schema = Schema { columns: described.collect(), key: key(&raw).iter().map(|c| c.name.clone()).collect() };
    Ok(TableDescription { schema, comment: None })
}

/// The type of every column: by its declared type, else by one look at all its values.
fn guesses(
    connection: &Connection,
    id: &DatasetId,
    found: &Found,
    raw: &[RawColumn],
) -> Result<Vec<LogicalType>, ConnectorError> {
    let open: Vec<&RawColumn> = raw.iter().filter(|column| logical(&column.declared).is_none()).collect();
    let kinds = match open.is_empty() {
        true => Vec::new(),
        false => kinds(connection, found, &open).map_err(|e| engine(format!("look at the values of `{id}`"), e))?,
    };
    let mut kinds = kinds.into_iter();
    let mut guesses = Vec::with_capacity(raw.len());
    for column in raw {
        guesses.push(match logical(&column.declared) {
            Some(logical) => logical,
            None => match kinds.next().unwrap_or_default().logical() {
                // Such a column turns 2.0 into 2, so that it holds no reals today says nothing of tomorrow.
                Some(LogicalType::Integer | LogicalType::Double) if affinity(&column.declared) == Affinity::Numeric => {
                    LogicalType::Number
                }
                Some(logical) => logical,
                None => return Err(mixed(connection, id, found, raw, column)),
            },
        });
    }
    Ok(guesses)
}

fn kinds(connection: &Connection, found: &Found, open: &[&RawColumn]) -> rusqlite::Result<Vec<Kinds>> {
    const CLASSES: [&str; 4] = ["integer", "real", "text", "blob"];
    let flags = open.iter().flat_map(|column| {
        let name = quoted(&column.name);
        CLASSES.map(|class| format!("coalesce(max(typeof({name}) = '{class}'), 0)"))
    });
    let flags: Vec<String> = flags.collect();
    // One aggregate a class: SQLite allows 2,000 result columns, so wide tables are looked at in slices.
    let mut kinds = Vec::with_capacity(open.len());
    for slice in flags.chunks(CLASSES.len() * 400) {
        let sql = format!("SELECT {} FROM {}", slice.join(", "), qualified(&found.schema, &found.name));
        connection.query_row(&sql, [], |row| {
            for at in (0..slice.len()).step_by(CLASSES.len()) {
                let flag = |offset: usize| row.get::<_, bool>(at + offset);
                kinds.push(Kinds { integer: flag(0)?, real: flag(1)?, text: flag(2)?, blob: flag(3)? });
            }
            Ok(())
        })?;
    }
    Ok(kinds)
}

/// The error that `column` mixes kinds, with the first row that does not go with those before it.
fn mixed(
    connection: &Connection,
    id: &DatasetId,
    found: &Found,
    raw: &[RawColumn],
    column: &RawColumn,
) -> ConnectorError {
    let first = || -> rusqlite::Result<(u64, Type)> {
        let all: Vec<&str> = raw.iter().map(|c| c.name.as_str()).collect();
        let sql = format!(
            "SELECT {} FROM {}{}",
            quoted(&column.name),
            qualified(&found.schema, &found.name),
            order_by(found, raw, &all)
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let (mut seen, mut at) = (Kinds::default(), 0);
        while let Some(row) = rows.next()? {
            at += 1;
            let kind = row.get_ref(0)?.data_type();
            seen.add(kind);
            if seen.logical().is_none() {
                return Ok((at, kind));
            }
        }
        Ok((at, Type::Null))
    };
    match first() {
        Ok((row, kind)) => ConnectorError::Inexact {
            table: id.clone(),
            column: column.name.clone(),
            row,
            reason: format!(
                "is declared as no type that tells, and mixes kinds: here a value of the kind {kind}, before it others. Make them one \
                 kind at the origin, or leave the column out with `omit` under `wraps.<service>` in carve.yaml"
            ),
        },
        Err(error) => engine(format!("look at the values of `{id}`"), error),
    }
}
