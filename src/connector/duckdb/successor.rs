//! What a table has beside its rows, and what of it the one that takes its place can have.
use std::collections::BTreeSet;

use super::catalog::{Found, columns, comment, key, literal, qualified, quoted};
use super::instance::Session;
use super::trouble::engine;
use crate::connector::ConnectorError;
use crate::connector::shortfall::{Seen, lost_key, of_columns};
use crate::connector::words::{has_word, identifier, skip_blank};

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) unique: bool,
    /// The columns in their parentheses, and what stands before and behind them.
    pub(super) tail: String,
}

impl Index {
    /// Takes apart what DuckDB keeps: `CREATE [UNIQUE] INDEX name ON schema.table (columns);`.
    fn of(sql: &str) -> Option<Index> {
        let rest = sql.strip_prefix("CREATE ")?;
        let (unique, rest) = match rest.strip_prefix("UNIQUE ") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (name, rest) = identifier(rest.strip_prefix("INDEX ")?)?;
        let (on, mut rest) = identifier(rest)?;
        if !on.eq_ignore_ascii_case("on") {
            return None;
        }
        loop {
            let (_, after) = identifier(rest)?;
            match skip_blank(after).strip_prefix('.') {
                Some(more) => rest = more,
                None => {
                    let tail = skip_blank(after).trim_end().trim_end_matches(';').trim_end().to_owned();
                    return (!tail.is_empty()).then_some(Index { name, unique, tail });
                }
            }
        }
    }

    /// The statement that makes it on `table`.
    pub(super) fn create(&self, table: &Found) -> String {
        let unique = if self.unique { "UNIQUE " } else { "" };
        format!("CREATE {unique}INDEX {} ON {} {}", quoted(&self.name), table.sql(), self.tail)
    }

    /// The statement that drops it from the schema of `table`.
    pub(super) fn drop(&self, session: &Session, table: &Found) -> String {
        format!("DROP INDEX {}", qualified(session.catalog(), &table.schema, &self.name))
    }
}

/// The indexes of `table`, by name; the error is the text of one that is not understood.
pub(super) fn indexes(session: &Session, table: &Found) -> ::duckdb::Result<Result<Vec<Index>, String>> {
    let sql = "SELECT sql FROM duckdb_indexes() WHERE database_name = $1 AND schema_name = $2 AND table_name = $3 \
         AND sql IS NOT NULL ORDER BY index_name";
    let texts = session.column(sql, &[session.catalog(), &table.schema, &table.name])?;
    Ok(texts.into_iter().map(|text| Index::of(&text).ok_or(text)).collect())
}

/// The names that indexes have, lower case.
pub(super) fn index_names(session: &Session) -> ::duckdb::Result<BTreeSet<String>> {
    let sql = "SELECT lower(index_name) FROM duckdb_indexes() WHERE database_name = $1";
    Ok(session.column(sql, &[session.catalog()])?.into_iter().collect())
}

/// `name`, or with the first number after it that is not `taken`.
pub(super) fn free_name(taken: &BTreeSet<String>, name: &str) -> String {
    let base = match name.rsplit_once("__") {
        Some((base, number)) if !base.is_empty() && number.parse::<u32>().is_ok() => base,
        _ => name,
    };
    let mut free = base.to_owned();
    let mut number = 2;
    while taken.contains(&free.to_lowercase()) {
        free = format!("{base}__{number}");
        number += 1;
    }
    free
}

/// Statements that give `new` the comments of `old` where it has none of its own.
pub(super) fn comments(session: &Session, old: &Found, new: &Found) -> Result<Vec<String>, ConnectorError> {
    let mut statements = Vec::new();
    if let (Some(text), None) = (comment(session, old)?, comment(session, new)?) {
        statements.push(format!("COMMENT ON TABLE {} IS {}", new.sql(), literal(&text)));
    }
    let (before, after) = (columns(session, old)?, columns(session, new)?);
    for column in after.iter().filter(|column| column.comment.is_none()) {
        let same = before.iter().find(|other| other.name.eq_ignore_ascii_case(&column.name));
        if let Some(text) = same.and_then(|other| other.comment.as_ref()) {
            statements.push(format!("COMMENT ON COLUMN {}.{} IS {}", new.sql(), quoted(&column.name), literal(text)));
        }
    }
    Ok(statements)
}

/// What `old` has and `new` has not; in words. Both are there under names of their own.
pub(super) fn lacks(session: &Session, old: &Found, new: &Found) -> Result<Vec<String>, ConnectorError> {
    let mut gone = Vec::from_iter(lost_key(&key(session, old)?, &key(session, new)?));
    let asked = stays_behind(session, old);
    gone.extend(asked.map_err(|e| engine(format!("describe `{}.{}`", old.schema, old.name), e))?);
    let seen = |table: &Found| -> Result<Vec<Seen>, ConnectorError> {
        let each = columns(session, table)?.into_iter();
        Ok(each.map(|column| Seen { name: column.name, of: column.of, not_null: !column.nullable }).collect())
    };
    gone.extend(of_columns(&seen(old)?, &seen(new)?, |a, b| a == b));
    Ok(gone)
}

/// What belongs to `old` itself and carve never makes.
fn stays_behind(session: &Session, old: &Found) -> ::duckdb::Result<Vec<String>> {
    let constraint = "SELECT constraint_type FROM duckdb_constraints() \
         WHERE database_name = $1 AND schema_name = $2 AND table_name = $3 AND constraint_type = ";
    let default = "SELECT column_name FROM duckdb_columns() \
         WHERE database_name = $1 AND schema_name = $2 AND table_name = $3 AND column_default IS NOT NULL";
    let facts = [
        ("its UNIQUE constraints", format!("{constraint}'UNIQUE'")),
        ("its CHECK constraints", format!("{constraint}'CHECK'")),
        ("its foreign keys", format!("{constraint}'FOREIGN KEY'")),
        ("its defaults and formulas of generated columns", default.to_owned()),
    ];
    let names = [session.catalog(), &old.schema, &old.name];
    let mut gone = Vec::new();
    for (what, sql) in facts {
        if !session.column(&sql, &names)?.is_empty() {
            gone.push(what.to_owned());
        }
    }
    let made = "SELECT sql FROM duckdb_tables() WHERE database_name = $1 AND schema_name = $2 AND table_name = $3";
    if session.column(made, &names)?.iter().any(|sql| has_word(sql, "COLLATE")) {
        gone.push("its collations".to_owned());
    }
    Ok(gone)
}

/// The tables whose foreign keys lead to `table`, sorted.
pub(super) fn children(session: &Session, table: &Found) -> ::duckdb::Result<Vec<String>> {
    let sql = "SELECT DISTINCT schema_name || '.' || table_name AS child FROM duckdb_constraints() \
         WHERE database_name = $1 AND schema_name = $2 AND referenced_table = $3 AND constraint_type = 'FOREIGN KEY' \
         ORDER BY child";
    session.column(sql, &[session.catalog(), &table.schema, &table.name])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_name_is_the_first_that_nobody_has() {
        let taken = ["i", "i__2", "i__4"].map(str::to_owned).into();
        assert_eq!(free_name(&taken, "I__4"), "I__3");
        assert_eq!(free_name(&taken, "j__x"), "j__x");
    }

    #[test]
    fn an_index_comes_apart_whatever_its_quotes() {
        let index = Index::of("CREATE UNIQUE INDEX \"a \"\"b\" ON raw.\"Or. ders\"(n, lower(\"x (y\"));").unwrap();
        let expected = Index { name: "a \"b".into(), unique: true, tail: "(n, lower(\"x (y\"))".into() };
        assert_eq!(index, expected);
        let other = Index::of("CREATE INDEX i ON t USING RTREE (g);").unwrap();
        assert_eq!((other.tail.as_str(), other.unique), ("USING RTREE (g)", false));
        assert!(Index::of("CREATE INDEX i").is_none() && Index::of("CREATE INDEX i ON t;").is_none());
    }
}
