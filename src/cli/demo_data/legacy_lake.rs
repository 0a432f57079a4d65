//! The shop's old job runner: what fills the lake today, before anything is carved out of it.
use std::io::{BufRead, BufReader};

use camino::{Utf8Path, Utf8PathBuf};
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value};

use crate::{
    cli::demo_data::{DemoDataError, sqlite::Cell},
    vocab::DatasetId,
};

/// Schemas of the shop's lake: one SQLite file each.
pub const LAKE_SCHEMAS: &[&str] = &["raw", "transformed", "modelled", "reporting"];
/// The lake's folder below the estate.
pub const LAKE_FOLDER: &str = "lake";
/// Lines of a file drop that are looked at before its columns get their types.
const LOOK_AHEAD: usize = 500;

/// The shop's lake as its old runner sees it: one connection, every schema attached under its name.
#[derive(Debug)]
pub struct LegacyLake {
    db: Connection,
    target: Utf8PathBuf,
}

impl LegacyLake {
    /// Opens the lake of the estate at `target`, created where it is not there yet.
    pub fn open(target: &Utf8Path) -> Result<Self, DemoDataError> {
        let folder = target.join(LAKE_FOLDER);
        std::fs::create_dir_all(&folder).map_err(DemoDataError::file("create folder", &folder))?;
        let db = Connection::open_in_memory().map_err(DemoDataError::sqlite("open the lake"))?;
        for schema in LAKE_SCHEMAS {
            let file = folder.join(format!("{schema}.db"));
            attach(&db, &file, schema)?;
            db.execute_batch(&format!("PRAGMA {schema}.synchronous = OFF"))
                .map_err(DemoDataError::sqlite(format!("open the lake's schema `{schema}`")))?;
        }
        Ok(LegacyLake { db, target: target.to_owned() })
    }

    /// Copies table `from` of the source at `url` (`sqlite:FILE`, `file:FOLDER`, from the estate) over
    /// the lake's table `into`; how many rows.
    pub fn import(&self, url: &str, from: &str, into: &DatasetId) -> Result<u64, DemoDataError> {
        match url.split_once(':') {
            Some(("file", folder)) => self.import_drop(&self.target.join(folder).join(format!("{from}.jsonl")), into),
            Some((_, file)) => self.import_table(&self.target.join(file), from, into),
            None => self.import_table(&self.target.join(url), from, into),
        }
    }

    /// Runs the statements of a job, in one transaction.
    pub fn run(&self, sql: &str) -> Result<(), DemoDataError> {
        let result = self.db.execute_batch(&format!("BEGIN;\n{sql}\n;COMMIT"));
        if result.is_err() && !self.db.is_autocommit() {
            self.db.execute_batch("ROLLBACK").map_err(DemoDataError::sqlite("undo a failed job"))?;
        }
        result.map_err(DemoDataError::sqlite("run a job of the lake"))
    }

    /// Fills `table` anew with the rows of a query, as the runner does with a bare SELECT.
    pub fn fill(&self, table: &DatasetId, query: &str) -> Result<(), DemoDataError> {
        let query = query.trim().trim_end_matches(';');
        self.run(&format!("DROP TABLE IF EXISTS {table};\nCREATE TABLE {table} AS\n{query}"))
    }

    /// Rows of a table of the lake.
    pub fn count(&self, table: &DatasetId) -> Result<u64, DemoDataError> {
        self.db
            .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
            .map_err(DemoDataError::sqlite(format!("count the rows of `{table}`")))
    }

    /// The table keeps its columns' declared types and its key: the new one is made by the source's own DDL.
    fn import_table(&self, file: &Utf8Path, from: &str, into: &DatasetId) -> Result<u64, DemoDataError> {
        let doing = || DemoDataError::sqlite(format!("import `{from}` into `{into}`"));
        attach(&self.db, file, "import_source")?;
        let ddl = "SELECT sql FROM import_source.sqlite_master WHERE type = 'table' AND name = ?1";
        let copied = self.db.query_row(ddl, [from], |row| row.get::<_, String>(0)).map_err(doing()).and_then(|ddl| {
            let columns = ddl.find('(').map_or("", |at| &ddl[at..]);
            self.run(&format!(
                "DROP TABLE IF EXISTS {into};\nCREATE TABLE {into} {columns};\n\
                 INSERT INTO {into} SELECT * FROM import_source.{from}"
            ))
        });
        self.db.execute_batch("DETACH import_source").map_err(doing())?;
        copied?;
        self.count(into)
    }

    fn import_drop(&self, path: &Utf8Path, into: &DatasetId) -> Result<u64, DemoDataError> {
        let doing = || DemoDataError::sqlite(format!("import `{path}` into `{into}`"));
        let mut objects = json_lines(path)?;
        let first = objects.by_ref().take(LOOK_AHEAD).collect::<Result<Vec<_>, _>>()?;
        let Some(columns) = first.first().map(|object| object.keys().cloned().collect::<Vec<_>>()) else {
            return Ok(0);
        };
        let typed: Vec<String> = columns.iter().map(|name| format!("{name} {}", column_type(name, &first))).collect();
        self.run(&format!("DROP TABLE IF EXISTS {into}; CREATE TABLE {into} ({})", typed.join(", ")))?;
        self.db.execute_batch("BEGIN").map_err(doing())?;
        let places = vec!["?"; columns.len()].join(", ");
        let mut insert = self.db.prepare(&format!("INSERT INTO {into} VALUES ({places})")).map_err(doing())?;
        let mut rows = 0;
        for object in first.into_iter().map(Ok).chain(objects) {
            let object = object?;
            insert.execute(params_from_iter(columns.iter().map(|name| cell(object.get(name))))).map_err(doing())?;
            rows += 1;
        }
        drop(insert);
        self.db.execute_batch("COMMIT").map_err(doing())?;
        Ok(rows)
    }
}

fn attach(db: &Connection, file: &Utf8Path, schema: &str) -> Result<(), DemoDataError> {
    db.execute(&format!("ATTACH ?1 AS {schema}"), [file.as_str()])
        .map(|_| ())
        .map_err(DemoDataError::sqlite(format!("attach `{file}`")))
}

fn json_lines(
    path: &Utf8Path,
) -> Result<impl Iterator<Item = Result<Map<String, Value>, DemoDataError>>, DemoDataError> {
    let file = std::fs::File::open(path).map_err(DemoDataError::file("read", path))?;
    let path = path.to_owned();
    Ok((1..).zip(BufReader::new(file).lines()).map(move |(line, text)| {
        let text = text.map_err(DemoDataError::file("read", &path))?;
        serde_json::from_str(&text).map_err(|_| DemoDataError::Drop { path: path.clone(), line })
    }))
}

/// INTEGER where every value seen is a whole number, TEXT otherwise.
fn column_type(name: &str, seen: &[Map<String, Value>]) -> &'static str {
    let mut values = seen.iter().filter_map(|object| object.get(name)).filter(|value| !value.is_null()).peekable();
    match values.peek().is_some() && values.all(Value::is_i64) {
        true => "INTEGER",
        false => "TEXT",
    }
}

fn cell(value: Option<&Value>) -> Cell {
    match value {
        None | Some(Value::Null) => Cell::Null,
        Some(Value::String(text)) => text.clone().into(),
        Some(Value::Bool(flag)) => (*flag).into(),
        Some(other) => other.as_i64().map_or_else(|| Cell::from(other.to_string()), Cell::from),
    }
}
