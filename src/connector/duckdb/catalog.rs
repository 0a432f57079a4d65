//! What is in the file: tables, views, columns, keys, as DuckDB itself tells it.
use super::instance::Session;
use super::trouble::engine;
use crate::connector::ConnectorError;

/// A table or view as DuckDB has it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    catalog: String,
    pub(super) schema: String,
    /// The name as it was created; a dataset's name is lower case.
    pub(super) name: String,
    pub(super) is_view: bool,
}

impl Found {
    /// Its name as SQL writes it. The database stands in front, since a schema may have the database's name.
    pub(super) fn sql(&self) -> String {
        qualified(&self.catalog, &self.schema, &self.name)
    }

    /// The name it would have in SQL as a table called `name`.
    pub(super) fn named(&self, name: &str) -> Found {
        Found { name: name.to_owned(), ..self.clone() }
    }
}

/// One column.
#[derive(Clone, Debug)]
pub(super) struct RawColumn {
    pub(super) name: String,
    /// Its type as DuckDB writes it: `DECIMAL(10,2)`, `VARCHAR[]`.
    pub(super) of: String,
    pub(super) nullable: bool,
    pub(super) comment: Option<String>,
}

/// `name` as SQL writes an identifier.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `text` as SQL writes it.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `catalog.schema.table` as SQL writes it.
pub(super) fn qualified(catalog: &str, schema: &str, table: &str) -> String {
    [catalog, schema, table].map(quoted).join(".")
}

/// The table or view of that name, whatever its case; DuckDB keeps no two that differ by case only.
pub(super) fn find(session: &Session, schema: &str, table: &str) -> Result<Option<Found>, ConnectorError> {
    let sql = "SELECT schema_name, table_name, 'table' FROM duckdb_tables() \
           WHERE database_name = $1 AND NOT internal AND lower(schema_name) = lower($2) AND lower(table_name) = lower($3) \
         UNION ALL SELECT schema_name, view_name, 'view' FROM duckdb_views() \
           WHERE database_name = $1 AND NOT internal AND lower(schema_name) = lower($2) AND lower(view_name) = lower($3)";
    let rows = session.texts(sql, &[session.catalog(), schema, table]);
    let rows = rows.map_err(|e| engine(format!("list the tables of the schema `{schema}`"), e))?;
    Ok(rows.into_iter().next().map(|row| {
        let mut row = row.into_iter().map(Option::unwrap_or_default);
        let mut next = || row.next().unwrap_or_default();
        Found { catalog: session.catalog().to_owned(), schema: next(), name: next(), is_view: next() == "view" }
    }))
}

/// Its columns in their order, generated ones among them.
pub(super) fn columns(session: &Session, table: &Found) -> Result<Vec<RawColumn>, ConnectorError> {
    let sql = "SELECT column_name, data_type, CASE WHEN is_nullable THEN 'yes' END, comment FROM duckdb_columns() \
         WHERE database_name = $1 AND schema_name = $2 AND table_name = $3 ORDER BY column_index";
    let rows = session.texts(sql, &[&table.catalog, &table.schema, &table.name]);
    let rows = rows.map_err(|e| engine(format!("describe `{}.{}`", table.schema, table.name), e))?;
    let each = rows.into_iter().map(|row| {
        let mut row = row.into_iter();
        let mut next = || row.next().flatten();
        RawColumn {
            name: next().unwrap_or_default(),
            of: next().unwrap_or_default(),
            nullable: next().is_some(),
            comment: next(),
        }
    });
    Ok(each.collect())
}

/// Names of the primary key's columns, in key order.
pub(super) fn key(session: &Session, table: &Found) -> Result<Vec<String>, ConnectorError> {
    let sql = "SELECT unnest(constraint_column_names) FROM duckdb_constraints() \
         WHERE database_name = $1 AND schema_name = $2 AND table_name = $3 AND constraint_type = 'PRIMARY KEY'";
    let names = session.column(sql, &[&table.catalog, &table.schema, &table.name]);
    names.map_err(|e| engine(format!("describe `{}.{}`", table.schema, table.name), e))
}

/// The table's or view's comment.
pub(super) fn comment(session: &Session, table: &Found) -> Result<Option<String>, ConnectorError> {
    let sql = "SELECT comment FROM duckdb_tables() WHERE database_name = $1 AND schema_name = $2 AND table_name = $3 \
         UNION ALL SELECT comment FROM duckdb_views() WHERE database_name = $1 AND schema_name = $2 AND view_name = $3";
    let comments = session.column(sql, &[&table.catalog, &table.schema, &table.name]);
    let comments = comments.map_err(|e| engine(format!("describe `{}.{}`", table.schema, table.name), e))?;
    Ok(comments.into_iter().next())
}
