//! What a table is: its columns, what they hold, its key, its comment.
use mysql_async::{Conn, Row};

use super::names::Found;
use super::session::{ask, number, text};
use super::trouble::refused;
use super::types::{MyType, spelled};
use crate::connector::{ConnectorError, TableDescription};
use crate::vocab::{Column, DatasetId, Schema};

/// One column as the catalog has it.
#[derive(Clone, Debug)]
pub(super) struct RawColumn {
    pub(super) name: String,
    pub(super) of: MyType,
    physical: String,
    nullable: bool,
    comment: Option<String>,
}

const COLUMNS: &str = "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, IS_NULLABLE, COLUMN_COMMENT
    FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?
      AND BINARY TABLE_SCHEMA = BINARY ? AND BINARY TABLE_NAME = BINARY ? ORDER BY ORDINAL_POSITION";

/// The columns of `table`, in their order; generated and invisible ones too.
pub(super) async fn columns(connection: &mut Conn, table: &Found) -> Result<Vec<RawColumn>, ConnectorError> {
    let name = [table.database.as_str(), &table.name];
    let rows = ask(connection, COLUMNS, [name, name].concat(), || format!("describe {}", table.sql())).await?;
    Ok(rows.iter().map(column).collect())
}

fn column(row: &Row) -> RawColumn {
    let word = |at| text(row, at).unwrap_or_default();
    let data = word(1).to_lowercase();
    RawColumn {
        name: word(0),
        physical: spelled(&data, &word(2)),
        of: MyType { data, charset: text(row, 3) },
        nullable: word(4) != "NO",
        comment: text(row, 5).filter(|comment| !comment.is_empty()),
    }
}

const KEYS: &str = "SELECT INDEX_NAME, COLUMN_NAME, NULLABLE = 'YES' FROM information_schema.STATISTICS
    WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND BINARY TABLE_SCHEMA = BINARY ? AND BINARY TABLE_NAME = BINARY ?
      AND NON_UNIQUE = 0 ORDER BY INDEX_NAME <> 'PRIMARY', BINARY INDEX_NAME, SEQ_IN_INDEX";

/// Names of the columns of the primary key, in key order; where there is none, of the first unique key by name whose
/// columns are never NULL.
pub(super) async fn key(connection: &mut Conn, table: &Found) -> Result<Vec<String>, ConnectorError> {
    let name = [table.database.as_str(), &table.name];
    let rows = ask(connection, KEYS, [name, name].concat(), || format!("describe {}", table.sql())).await?;
    let parts: Vec<KeyPart> = rows
        .iter()
        // A key over an expression has a part without a column.
        .map(|row| KeyPart {
            key: text(row, 0).unwrap_or_default(),
            column: text(row, 1),
            nullable: number(row, 2) != 0,
        })
        .collect();
    Ok(first_key(&parts))
}

struct KeyPart {
    key: String,
    column: Option<String>,
    nullable: bool,
}

fn first_key(parts: &[KeyPart]) -> Vec<String> {
    let mut keys = parts.chunk_by(|one, next| one.key == next.key);
    let tells_apart = |key: &&[KeyPart]| key.iter().all(|part| !part.nullable && part.column.is_some());
    let key = keys.find(tells_apart).unwrap_or_default();
    key.iter().filter_map(|part| part.column.clone()).collect()
}

/// Describes `table`, which carve calls `id`.
pub(super) async fn describe(
    connection: &mut Conn,
    id: &DatasetId,
    table: &Found,
) -> Result<TableDescription, ConnectorError> {
    let raw = columns(connection, table).await?;
    if raw.is_empty() {
        let why = "the server tells of no column: this user may read none, or it is a view that writes, or one of \
            something that is gone";
        return Err(refused(format!("describe `{id}`"), why));
    }
    let key = key(connection, table).await?;
    let columns = raw.into_iter().map(|column| Column {
        logical: column.of.logical(),
        name: column.name,
        physical: column.physical,
        nullable: column.nullable,
        description: column.comment,
    });
    Ok(TableDescription { schema: Schema { columns: columns.collect(), key }, comment: table.comment.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_primary_key_comes_first_and_a_key_that_may_be_null_is_none() {
        let part = |key: &str, column: Option<&str>, nullable| KeyPart {
            key: key.to_owned(),
            column: column.map(str::to_owned),
            nullable,
        };
        let primary =
            [part("PRIMARY", Some("b"), false), part("PRIMARY", Some("a"), false), part("x", Some("c"), false)];
        assert_eq!(first_key(&primary), ["b", "a"]);
        let unique = [
            part("half", Some("a"), false),
            part("half", Some("b"), true),
            part("made", None, false),
            part("whole", Some("c"), false),
        ];
        assert_eq!(first_key(&unique), ["c"]);
        assert!(first_key(&unique[..3]).is_empty());
    }
}
