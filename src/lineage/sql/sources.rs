//! Tables over something outside the lake: files of external tables, foreign servers, JDBC.
use sqlparser::ast::Statement;

use super::{
    address::file_of,
    dialect::Dialect,
    doing::{Doing, Given, is_place, items},
    ir::{Body, Fill, Name, Query, Source, Stmt},
    lexer::{Kind, Token},
    lower::Lower,
    lower_create::{declare, of_columns, over_files},
    lower_query::plain,
    parse::parse,
    remote::system_of,
    shape::{Caught, group_end, string_of},
    types::column,
};
use crate::vocab::Column;

/// `CREATE EXTERNAL TABLE`: its files stand behind LOCATION or among the options.
pub(super) fn external(doing: &Doing<'_>, stmt: &mut Stmt, table: &str) -> Option<()> {
    let target = doing.name(table)?;
    let behind = doing.tokens.iter().position(|token| token.at.start >= target.at.end)?;
    let tokens = &doing.tokens[behind..];
    if has_query(doing, tokens) {
        return None;
    }
    let files = external_files(doing, tokens);
    let says_external = doing.tokens.iter().take(behind).any(|token| token.is(doing.text, "external"));
    if files.is_empty() && !says_external {
        return None;
    }
    if files.is_empty() {
        stmt.unnamed.push(("no files are named".to_owned(), stmt.at.clone()));
    }
    let columns = group_end(tokens, 0).map(|end| columns_of(doing, &tokens[..end])).unwrap_or_default();
    over_files(stmt, target, columns, files);
    Some(())
}

fn has_query(doing: &Doing<'_>, tokens: &[Token]) -> bool {
    let is = |token: &Token, word: &str| token.is(doing.text, word);
    tokens.windows(2).any(|pair| is(&pair[0], "as") && (is(&pair[1], "select") || is(&pair[1], "with")))
}

fn external_files(doing: &Doing<'_>, tokens: &[Token]) -> Vec<String> {
    let mut files = Vec::new();
    let mut data_source = None;
    for (at, token) in tokens.iter().enumerate().filter(|(_, t)| matches!(t.kind, Kind::Word | Kind::Text)) {
        let key = string_of(token.of(doing.text)).to_lowercase();
        let value = at + 1 + usize::from(tokens.get(at + 1).is_some_and(|next| next.is_sign('=')));
        match tokens.get(value) {
            Some(next) if is_place(&key) && next.kind == Kind::Text => {
                files.extend(file_of(&string_of(next.of(doing.text))));
            }
            Some(next) if is_place(&key) && (next.is_sign('[') || next.is_sign('(')) => {
                let inside = tokens[value..].iter().take_while(|t| !t.is_sign(']') && !t.is_sign(')'));
                let texts = inside.filter(|t| t.kind == Kind::Text);
                files.extend(texts.filter_map(|t| file_of(&string_of(t.of(doing.text)))));
            }
            Some(next) if is_place(&key) && next.is_sign('@') => {
                let rest = &doing.text[next.at.start..];
                files
                    .extend(file_of(rest.split(|c: char| c.is_whitespace() || ",);".contains(c)).next().unwrap_or("")));
            }
            // Oracle's directories are named places, as T-SQL's data sources are.
            Some(next) if key == "data_source" || key == "directory" => {
                data_source = Some(next.of(doing.text).to_lowercase())
            }
            _ => {}
        }
    }
    // T-SQL's location counts from a data source that is defined elsewhere.
    match data_source {
        Some(place) => files
            .into_iter()
            .map(|file| match file.strip_prefix("file:") {
                Some(path) => format!("stage://{place}/{}", path.trim_start_matches('/')),
                None => file,
            })
            .collect(),
        None => files,
    }
}

/// `CREATE FOREIGN TABLE`: a table of the server, under the name that its options give.
pub(super) fn foreign(
    doing: &Doing<'_>,
    stmt: &mut Stmt,
    table: &str,
    columns: &str,
    server: &str,
    options: &str,
) -> Option<()> {
    stmt.kind = "create_foreign_table";
    let target = doing.name(table)?;
    let given = doing.options(options);
    let columns = group_columns(doing, columns);
    let value = |keys: &[&str]| value_of(&given, keys);
    if let Some(file) = value(&["filename"]).and_then(|path| file_of(&path)) {
        over_files(stmt, target, columns, vec![file]);
        return Some(());
    }
    let mut parts: Vec<String> = value(&["schema_name", "schema"]).into_iter().collect();
    parts.push(value(&["table_name", "table"]).or_else(|| target.parts.last().cloned())?);
    let system = doing.name(server)?.parts.pop()?;
    let source = remote_table(system, parts, stmt);
    stmt.fills.push(Fill { makes: true, ..Fill::of(Some(target), of_columns(&columns, source)) });
    Some(())
}

/// `IMPORT FOREIGN SCHEMA`: each table named is imported; without a list nobody knows which there are.
pub(super) fn import(
    doing: &Doing<'_>,
    stmt: &mut Stmt,
    schema: &str,
    list: &str,
    server: &str,
    into: &str,
) -> Option<()> {
    stmt.kind = "import_foreign_schema";
    let (schema, into) = (doing.name(schema)?.parts.pop()?, doing.name(into)?);
    let system = doing.name(server)?.parts.pop()?;
    let tables = doing.names(list);
    if tables.is_empty() {
        stmt.unnamed.push((format!("the tables of schema `{schema}` of `{system}` are not listed"), stmt.at.clone()));
    }
    for table in tables {
        let Some(last) = table.parts.last().cloned() else { continue };
        let source = remote_table(system.clone(), vec![schema.clone(), last.clone()], stmt);
        let parts = into.parts.iter().cloned().chain([last]).collect();
        let target = Name { parts, at: table.at.clone(), exact: false };
        stmt.fills.push(Fill { makes: true, ..Fill::of(Some(target), of_columns(&[], source)) });
    }
    Some(())
}

/// ClickHouse's `ENGINE = PostgreSQL('host', 'database', 'table', …)`.
pub(super) fn engine(doing: &Doing<'_>, stmt: &mut Stmt, table: &str, columns: &str, given: &str) -> Option<()> {
    let texts: Vec<String> = doing
        .group(given)?
        .iter()
        .filter(|token| token.kind == Kind::Text)
        .map(|token| string_of(token.of(doing.text)))
        .collect();
    let [_, database, name, ..] = texts.as_slice() else { return None };
    over_table(doing, stmt, table, columns, database, name)
}

/// MySQL's `ENGINE = FEDERATED CONNECTION = 'mysql://user@host/database/table'`.
pub(super) fn federated(doing: &Doing<'_>, stmt: &mut Stmt, table: &str, columns: &str, place: &str) -> Option<()> {
    let place = doing.string(place)?;
    let mut parts = place.trim_end_matches('/').rsplit('/');
    let (name, database) = (parts.next()?, parts.next()?);
    over_table(doing, stmt, table, columns, database, name)
}

fn over_table(doing: &Doing<'_>, stmt: &mut Stmt, table: &str, columns: &str, system: &str, name: &str) -> Option<()> {
    stmt.kind = "create_foreign_table";
    let parts = name.split('.').map(str::to_lowercase).collect();
    let source = remote_table(system.to_lowercase(), parts, stmt);
    let columns = group_columns(doing, columns);
    stmt.fills.push(Fill { makes: true, ..Fill::of(Some(doing.name(table)?), of_columns(&columns, source)) });
    Some(())
}

/// Spark's `USING format OPTIONS (…)`: files, or a table of another system.
pub(super) fn using(
    doing: &Doing<'_>,
    stmt: &mut Stmt,
    table: &str,
    columns: &str,
    format: &str,
    options: &str,
) -> Option<()> {
    let target = doing.name(table)?;
    let temp = doing.is_temp(&target.at);
    let columns = group_columns(doing, columns);
    let format = doing.name(format)?.parts.pop()?;
    let given = doing.options(options);
    let files: Vec<String> = given
        .iter()
        .filter(|one| one.key == "path" || one.key == "paths")
        .flat_map(|one| &one.values)
        .filter_map(|(path, _)| file_of(path))
        .collect();
    stmt.kind = "create_external_table";
    if !files.is_empty() {
        over_files(stmt, target, columns, files);
        stmt.fills.iter_mut().for_each(|fill| fill.temp = temp);
        return Some(());
    }
    let source = match value_of(&given, &["dbtable", "table", "query"]) {
        Some(written) => {
            let url = value_of(&given, &["url", "sfdatabase", "database"]);
            let system = url.and_then(|url| system_of(&url)).unwrap_or(format);
            remote_source(system, &written, stmt)
        }
        None => None,
    };
    match source {
        Some(source) => {
            stmt.fills.push(Fill { temp, makes: true, ..Fill::of(Some(target), of_columns(&columns, source)) });
        }
        None => {
            stmt.unnamed.push(("its options name no table, query or path".to_owned(), stmt.at.clone()));
            over_files(stmt, target, columns, Vec::new());
            stmt.fills.iter_mut().for_each(|fill| fill.temp = temp);
        }
    }
    Some(())
}

/// A table's name or a query, run in `system`.
fn remote_source(system: String, written: &str, stmt: &Stmt) -> Option<Source> {
    let bare = written.trim();
    let query = bare.strip_prefix('(').and_then(|rest| rest.rfind(')').map(|end| &rest[..end])).unwrap_or(bare);
    let is_query = query.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("select"));
    if !is_query {
        let parts = bare.split('.').map(|part| part.trim_matches(['"', '`', '[', ']']).to_lowercase()).collect();
        return Some(remote_table(system, parts, stmt));
    }
    let parsed = parse(query, Dialect::GENERIC).ok()?;
    let Statement::Query(tree) = &parsed.statement else { return None };
    let query = Lower::quoted(query, stmt.at.clone(), Dialect::GENERIC).query(tree);
    Some(Source::Remote(system, Box::new(query)))
}

/// All of one table of `system`.
pub(super) fn remote_table(system: String, parts: Vec<String>, stmt: &Stmt) -> Source {
    Source::Remote(system, Box::new(whole_table(parts, stmt.at.clone())))
}

/// All of a table named by its parts.
pub(super) fn whole_table(parts: Vec<String>, at: super::ir::Bytes) -> Query {
    plain(Body::Whole(Name { parts: parts.into_iter().map(|p| p.to_lowercase()).collect(), at, exact: false }))
}

fn value_of(given: &[Given], keys: &[&str]) -> Option<String> {
    let one = given.iter().find(|one| keys.contains(&one.key.as_str()))?;
    one.values.first().map(|(value, _)| value.clone())
}

/// ClickHouse's `CREATE TABLE t (columns, indices, projections) ENGINE = …`, which makes it without rows.
pub(super) fn declared(doing: &Doing<'_>, stmt: &mut Stmt, table: &str, columns: &str) -> Option<()> {
    if has_query(doing, doing.tokens) {
        return None;
    }
    stmt.kind = "create_table";
    let temp = doing.tokens.get(1).is_some_and(|token| token.is(doing.text, "temporary"));
    let columns = items(doing.group(columns)?).filter_map(|item| item_column(doing, item)).collect();
    declare(stmt, doing.name(table)?, columns, temp);
    Some(())
}

/// The column that `item` of a list of columns declares; `None` for an index or its like.
fn item_column(doing: &Doing<'_>, item: &[Token]) -> Option<Column> {
    const OTHERS: [&str; 4] = ["index", "projection", "constraint", "primary"];
    const STORED_HOW: [&str; 4] = ["codec", "ttl", "statistics", "settings"];
    const FILLED_HOW: [&str; 5] = ["default", "materialized", "alias", "ephemeral", "comment"];
    let is_any = |token: &Token, words: &[&str]| words.iter().any(|word| token.is(doing.text, word));
    let first = item.first().filter(|first| !is_any(first, &OTHERS))?;
    let up_to = |words: &[&str]| {
        let end = item.iter().skip(1).position(|token| is_any(token, words)).map_or(item.len(), |at| at + 1);
        &doing.text[first.at.start..item[end - 1].at.end]
    };
    let plain = [&STORED_HOW[..], &[&STORED_HOW[..], &FILLED_HOW[..]].concat()];
    let read = plain.into_iter().find_map(|words| columns_written(doing.dialect, &format!("({})", up_to(words))).pop());
    read.or_else(|| columns_written(doing.dialect, &format!("({} String)", first.of(doing.text))).pop())
}

pub(super) fn group_columns(doing: &Doing<'_>, key: &str) -> Vec<Column> {
    match doing.shaped.caught.get(key) {
        Some(Caught::Group(range)) if range.start > 0 => {
            doing.tokens.get(range.start - 1..range.end + 1).map(|group| columns_of(doing, group)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// The columns in parentheses, as the grammar reads them in a CREATE TABLE.
fn columns_of(doing: &Doing<'_>, group: &[Token]) -> Vec<Column> {
    let (Some(first), Some(last)) = (group.first(), group.last()) else { return Vec::new() };
    columns_written(doing.dialect, &doing.text[first.at.start..last.at.end])
}

/// The columns that a list in parentheses declares.
fn columns_written(dialect: Dialect, list: &str) -> Vec<Column> {
    let text = format!("create table x {list}");
    let names = std::iter::once(dialect.name()).chain(dialect.neighbours().iter().copied());
    for dialect in names.filter_map(Dialect::named) {
        if let Ok(parsed) = parse(&text, dialect)
            && let Statement::CreateTable(create) = &parsed.statement
        {
            return create.columns.iter().map(column).collect();
        }
    }
    Vec::new()
}
