//! Which tables there are, and what SQLite itself says of one.
use rusqlite::Connection;

use super::place::quoted;
use super::trouble::engine;
use crate::connector::ConnectorError;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A table with SQLite's hidden row number.
    Table,
    /// A table without it.
    WithoutRowid,
    /// A view.
    View,
    /// A virtual table.
    Virtual,
}

/// A table or view as SQLite has it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The schema it is in.
    pub(super) schema: String,
    /// The name as it was created; a dataset's name is lower case.
    pub(super) name: String,
    /// What it is.
    pub(super) kind: Kind,
}

/// One column as `PRAGMA table_xinfo` tells it.
#[derive(Clone, Debug)]
pub(super) struct RawColumn {
    /// Its name.
    pub(super) name: String,
    /// Its declared type, as written.
    pub(super) declared: String,
    /// Whether it is declared NOT NULL.
    pub(super) not_null: bool,
    /// Its place in the primary key, from 1; 0 when it is not in it.
    pub(super) key_place: u32,
}

/// The table or view whose name is `table` but for case.
pub(super) fn find(connection: &Connection, schema: &str, table: &str) -> Result<Option<Found>, ConnectorError> {
    let look = || -> rusqlite::Result<Option<Found>> {
        let sql = format!("SELECT name FROM {}.sqlite_schema WHERE type IN ('table', 'view')", quoted(schema));
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let name: String = row.get(0)?;
            if name.to_lowercase() == table {
                let kind = kind(connection, schema, &name)?;
                return Ok(Some(Found { schema: schema.to_owned(), name, kind }));
            }
        }
        Ok(None)
    };
    look().map_err(|e| engine(format!("list the tables of the schema `{schema}`"), e))
}

fn kind(connection: &Connection, schema: &str, name: &str) -> rusqlite::Result<Kind> {
    let sql = format!("PRAGMA {}.table_list({})", quoted(schema), quoted(name));
    connection.query_row(&sql, [], |row| {
        Ok(match (row.get::<_, String>("type")?.as_str(), row.get::<_, bool>("wr")?) {
            ("view", _) => Kind::View,
            ("virtual", _) => Kind::Virtual,
            (_, true) => Kind::WithoutRowid,
            _ => Kind::Table,
        })
    })
}

/// Its columns in their order, generated ones among them; those a virtual table hides are left out.
pub(super) fn columns(connection: &Connection, table: &Found) -> Result<Vec<RawColumn>, ConnectorError> {
    let look = || -> rusqlite::Result<Vec<RawColumn>> {
        let sql = "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1, ?2) WHERE hidden <> 1 ORDER BY cid";
        let mut statement = connection.prepare(sql)?;
        let found = statement.query_map([&table.name, &table.schema], |row| {
            Ok(RawColumn { name: row.get(0)?, declared: row.get(1)?, not_null: row.get(2)?, key_place: row.get(3)? })
        })?;
        found.collect()
    };
    look().map_err(|e| engine(format!("describe `{}.{}`", table.schema, table.name), e))
}

/// The columns of its primary key, in key order.
pub(super) fn key(columns: &[RawColumn]) -> Vec<&RawColumn> {
    let mut key: Vec<&RawColumn> = columns.iter().filter(|column| column.key_place > 0).collect();
    key.sort_by_key(|column| column.key_place);
    key
}

/// Whether NULL may stand in a column: SQLite lets it into most primary keys, unless the key is the
/// row number itself or the table has none.
pub(super) fn nullable(table: &Found, columns: &[RawColumn], column: &RawColumn) -> bool {
    let alone = columns.iter().filter(|c| c.key_place > 0).count() == 1;
    let row_number = alone && column.key_place == 1 && column.declared.eq_ignore_ascii_case("INTEGER");
    let kept_out = match table.kind {
        Kind::Table => row_number,
        Kind::WithoutRowid => column.key_place > 0,
        Kind::View | Kind::Virtual => false,
    };
    !(column.not_null || kept_out)
}
