//! JSON lines: one object a line. Types are found in a first pass over all values, exactly or not at all.
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};

use super::seen::Seen;
use super::text::members;
use super::values::{misfit, value};
use crate::connector::{ConnectorError, batches::Batches, system::failed};
use crate::vocab::{Column, DatasetId, Row, Schema, Value};

/// Where lines lie, and what messages call it.
pub(in crate::connector) trait Lines {
    /// A reader from the first byte.
    fn reader(&self) -> Result<File, ConnectorError>;
    /// All of it: ``the file `x.jsonl` ``.
    fn named(&self) -> String;
    /// One of them: `line`, `item`.
    fn unit(&self) -> &'static str;
}

/// The columns in the order in which their names first occur, each of the type that holds all its values.
pub(in crate::connector) fn schema(lines: &dyn Lines) -> Result<Schema, ConnectorError> {
    let mut seen: Vec<(String, Seen)> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    each_line(lines, |line, members| {
        for (name, text) in members {
            let at = *places.entry(name.clone()).or_insert_with(|| {
                seen.push((name.clone(), Seen::default()));
                seen.len() - 1
            });
            let kinds = &mut seen[at].1;
            kinds.add(text, line);
            kinds.check(&name, lines.unit()).map_err(|why| malformed(lines, line, why))?;
        }
        Ok(true)
    })?;
    let columns = seen.into_iter().map(|(name, kinds)| Column {
        name,
        logical: kinds.logical(),
        physical: kinds.physical().to_owned(),
        nullable: true,
        description: None,
    });
    Ok(Schema { columns: columns.collect(), key: Vec::new() })
}

/// How many objects there are.
pub(in crate::connector) fn count(lines: &dyn Lines) -> Result<u64, ConnectorError> {
    let mut count = 0;
    each_line(lines, |_, _| {
        count += 1;
        Ok(true)
    })?;
    Ok(count)
}

/// Sends the columns of `schema` of every object, in the file's order; what an object lacks is NULL.
pub(in crate::connector) fn send(
    lines: &dyn Lines,
    id: &DatasetId,
    schema: &Schema,
    batches: &mut Batches,
) -> Result<(), ConnectorError> {
    let places: BTreeMap<&str, usize> =
        schema.columns.iter().enumerate().map(|(at, column)| (column.name.as_str(), at)).collect();
    let mut at = 0;
    each_line(lines, |_, members| {
        at += 1;
        let mut row: Row = vec![Value::Null; schema.columns.len()];
        for (name, text) in members {
            if let Some(&place) = places.get(name.as_str()) {
                let column = &schema.columns[place];
                row[place] = value(text, column.logical).ok_or_else(|| ConnectorError::Inexact {
                    table: id.clone(),
                    column: column.name.clone(),
                    row: at,
                    reason: misfit(text, column.logical),
                })?;
            }
        }
        Ok(batches.push(row).is_ok())
    })
}

/// Calls `work` with the number and the members of every line, until it says no.
fn each_line(
    lines: &dyn Lines,
    mut work: impl FnMut(u64, Vec<(String, &str)>) -> Result<bool, ConnectorError>,
) -> Result<(), ConnectorError> {
    let mut reader = BufReader::with_capacity(1 << 16, lines.reader()?);
    let (mut text, mut line) = (String::new(), 0);
    loop {
        text.clear();
        line += 1;
        let read = reader.read_line(&mut text);
        let bytes = read.map_err(|e| failed(format!("read {} {line} of {}", lines.unit(), lines.named()), e))?;
        if bytes == 0 {
            return Ok(());
        }
        let object = text.trim_start_matches('\u{feff}').trim_matches([' ', '\t', '\r', '\n']);
        if object.is_empty() {
            continue;
        }
        if !work(line, members(object).map_err(|why| malformed(lines, line, why))?)? {
            return Ok(());
        }
    }
}

fn malformed(lines: &dyn Lines, line: u64, why: String) -> ConnectorError {
    let source = format!("{} {line}: {why}", lines.unit()).into();
    ConnectorError::Refused { doing: format!("read {}", lines.named()), source }
}
