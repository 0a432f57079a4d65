//! The one place of the demo's data that writes SQLite tables. Elsewhere in carve `connector::sqlite`
//! keeps rusqlite; the shop's databases exist before carve connects to anything, so they are made here.
use std::borrow::Cow;

use camino::Utf8Path;
use rusqlite::{
    Connection, ToSql, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};

use crate::cli::demo_data::DemoDataError;

/// One value on its way into a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Real(f64),
    Text(Cow<'static, str>),
    Blob(Vec<u8>),
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Cell::Int(value)
    }
}

impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Cell::Int(value.into())
    }
}

impl From<f64> for Cell {
    fn from(value: f64) -> Self {
        Cell::Real(value)
    }
}

impl From<&'static str> for Cell {
    fn from(value: &'static str) -> Self {
        Cell::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Cell::Text(Cow::Owned(value))
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::Null, Into::into)
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Cell::Null => ValueRef::Null,
            Cell::Int(value) => ValueRef::Integer(*value),
            Cell::Real(value) => ValueRef::Real(*value),
            Cell::Text(value) => ValueRef::Text(value.as_bytes()),
            Cell::Blob(value) => ValueRef::Blob(value),
        }))
    }
}

/// A database that is being filled in one transaction; what is not [finished](Filling::finish) is lost.
pub(super) struct Filling(Connection);

impl Filling {
    /// A new database at `path`, in place of one that was there.
    pub(super) fn create(path: &Utf8Path) -> Result<Self, DemoDataError> {
        if path.exists() {
            std::fs::remove_file(path).map_err(DemoDataError::file("replace", path))?;
        }
        let doing = || DemoDataError::sqlite(format!("create the database `{path}`"));
        let db = Connection::open(path).map_err(doing())?;
        // Nothing is there yet that a crash could harm: whoever finds half a database makes it anew.
        db.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN").map_err(doing())?;
        Ok(Filling(db))
    }

    /// Makes `table` by its DDL `columns` and fills it; how many rows.
    pub(super) fn table<const N: usize>(
        &self,
        table: &str,
        columns: &str,
        rows: impl Iterator<Item = [Cell; N]>,
    ) -> Result<u64, DemoDataError> {
        let doing = || DemoDataError::sqlite(format!("fill the table `{table}`"));
        self.0.execute_batch(&format!("CREATE TABLE {table} ({columns})")).map_err(doing())?;
        let places = vec!["?"; N].join(", ");
        let mut insert = self.0.prepare(&format!("INSERT INTO {table} VALUES ({places})")).map_err(doing())?;
        let mut count = 0;
        for row in rows {
            insert.execute(params_from_iter(&row)).map_err(doing())?;
            count += 1;
        }
        Ok(count)
    }

    /// Runs statements, such as indexes.
    pub(super) fn run(&self, sql: &str) -> Result<(), DemoDataError> {
        self.0.execute_batch(sql).map_err(DemoDataError::sqlite("finish a source database"))
    }

    /// Keeps all of it.
    pub(super) fn finish(self) -> Result<(), DemoDataError> {
        self.run("COMMIT")
    }
}
