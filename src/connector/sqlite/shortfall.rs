//! What of a table the one that is to take its place is without.
use rusqlite::Connection;

use super::affinity::affinity;
use super::place::quoted;
use super::tables::{Found, Kind, columns, key, nullable};
use super::trouble::engine;
use crate::connector::ConnectorError;
use crate::connector::shortfall::{Seen, lost_key, of_columns};
use crate::connector::words::has_word;

/// What `old` has and `new` has not; in words. Both are there under names of their own.
pub(super) fn lacks(connection: &Connection, old: &Found, new: &Found) -> Result<Vec<String>, ConnectorError> {
    if matches!(old.kind, Kind::View | Kind::Virtual) {
        return Ok(Vec::new());
    }
    let key_of = |table: &Found| -> Result<Vec<String>, ConnectorError> {
        let all = columns(connection, table)?;
        Ok(key(&all).iter().map(|column| column.name.to_lowercase()).collect())
    };
    let mut gone = Vec::from_iter(lost_key(&key_of(old)?, &key_of(new)?));
    let asked = stays_behind(connection, old);
    gone.extend(asked.map_err(|e| engine(format!("describe `{}.{}`", old.schema, old.name), e))?);
    let seen = |table: &Found| -> Result<Vec<Seen>, ConnectorError> {
        let all = columns(connection, table)?;
        let each = all.iter().map(|column| Seen {
            name: column.name.clone(),
            // A column without a type is as one of this type.
            of: if column.declared.is_empty() { "BLOB".to_owned() } else { column.declared.clone() },
            not_null: !nullable(table, &all, column),
        });
        Ok(each.collect())
    };
    gone.extend(of_columns(&seen(old)?, &seen(new)?, |a, b| affinity(a) == affinity(b)));
    Ok(gone)
}

/// What only the statement that made `old` says, or a part of it that carve never makes.
fn stays_behind(connection: &Connection, old: &Found) -> rusqlite::Result<Vec<String>> {
    let facts = [
        ("its UNIQUE constraints", "SELECT 1 FROM pragma_index_list(?1, ?2) WHERE origin = 'u'"),
        ("its foreign keys", "SELECT 1 FROM pragma_foreign_key_list(?1, ?2)"),
        ("its defaults", "SELECT 1 FROM pragma_table_xinfo(?1, ?2) WHERE hidden = 0 AND dflt_value IS NOT NULL"),
        ("its generated columns' formulas", "SELECT 1 FROM pragma_table_xinfo(?1, ?2) WHERE hidden IN (2, 3)"),
        ("its being STRICT", "SELECT 1 FROM pragma_table_list WHERE name = ?1 AND schema = ?2 AND strict"),
    ];
    let mut gone = Vec::new();
    for (what, sql) in facts {
        if connection.prepare(sql)?.exists([&old.name, &old.schema])? {
            gone.push(what.to_owned());
        }
    }
    let sql = format!("SELECT sql FROM {}.sqlite_schema WHERE type = 'table' AND name = ?1", quoted(&old.schema));
    let made: String = connection.query_row(&sql, [&old.name], |row| row.get(0))?;
    let words = [("its CHECK constraints", "CHECK"), ("its collations", "COLLATE"), ("AUTOINCREMENT", "AUTOINCREMENT")];
    gone.extend(words.iter().filter(|(_, word)| has_word(&made, word)).map(|(what, _)| (*what).to_owned()));
    if old.kind == Kind::WithoutRowid {
        gone.push("its being WITHOUT ROWID".to_owned());
    }
    Ok(gone)
}
