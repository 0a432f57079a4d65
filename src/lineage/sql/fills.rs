//! The query by which a statement fills a table, as text an engine can run.
use sqlparser::ast::{Query, SetExpr, Spanned, Statement};

use super::{
    dialect::Dialect,
    lower_stmt::select_into,
    parse::{Lines, Parsed, inner_statement, is_query, parse},
};

/// The SELECT by which the statement `text` fills a table; else why it has none, or `None` where it moves no rows.
pub(in crate::lineage) fn filling_query(text: &str, first: Dialect) -> Result<String, Option<&'static str>> {
    let names = std::iter::once(first.name()).chain(first.neighbours().iter().copied());
    for dialect in names.filter_map(Dialect::named) {
        if let Ok(Parsed { statement, .. }) = parse(text, dialect) {
            return of_tree(&statement, text, dialect);
        }
    }
    Err(Some("the grammar does not accept it"))
}

fn of_tree(tree: &Statement, text: &str, dialect: Dialect) -> Result<String, Option<&'static str>> {
    match tree {
        Statement::Query(query) => match inner_statement(query) {
            Some(inner) => with_outer(query, inner),
            None if select_into(&query.body).is_some() => Ok(without_into((**query).clone()).to_string()),
            None => Ok(written(query, text, dialect)),
        },
        Statement::Insert(insert) => match &insert.source {
            _ if insert.multi_table_insert_type.is_some() => Err(Some("it fills several tables at once")),
            Some(query) if is_values(query) => Err(None),
            Some(query) => Ok(written(query, text, dialect)),
            None => Err(None),
        },
        Statement::CreateTable(create) => match &create.query {
            Some(query) => Ok(written(query, text, dialect)),
            None if create.clone.is_some() => Err(Some("it clones a table")),
            None => Err(None),
        },
        Statement::CreateView(create) => Ok(written(&create.query, text, dialect)),
        Statement::AlterView { query, .. } => Ok(written(query, text, dialect)),
        Statement::Cache { query: Some(query), .. } => Ok(written(query, text, dialect)),
        Statement::Merge(_) => Err(Some("MERGE changes rows where they are")),
        Statement::Update(_) => Err(Some("UPDATE changes rows where they are")),
        Statement::Delete(_) => Err(Some("DELETE removes rows where they are")),
        Statement::Copy { .. } | Statement::CopyIntoSnowflake { .. } | Statement::LoadData { .. } => {
            Err(Some("it copies files"))
        }
        Statement::Unload { .. } | Statement::ExportData(_) | Statement::Directory { .. } => {
            Err(Some("it writes files"))
        }
        Statement::AlterTable(_) | Statement::RenameTable(_) => Err(Some("it renames, swaps or alters tables")),
        _ => Err(None),
    }
}

/// `WITH … INSERT INTO t SELECT …`: the CTEs and the SELECT.
fn with_outer(outer: &Query, inner: &Statement) -> Result<String, Option<&'static str>> {
    let Statement::Insert(insert) = inner else { return of_tree(inner, "", Dialect::GENERIC) };
    match &insert.source {
        Some(source) if source.with.is_none() && !is_values(source) => {
            Ok(Query { with: outer.with.clone(), ..(**source).clone() }.to_string())
        }
        _ => Err(Some("its CTEs stand in two places")),
    }
}

fn is_values(query: &Query) -> bool {
    matches!(&*query.body, SetExpr::Values(_))
}

fn without_into(mut query: Query) -> Query {
    fn strip(body: &mut SetExpr) {
        match body {
            SetExpr::Select(select) => select.into = None,
            SetExpr::SetOperation { left, .. } => strip(left),
            SetExpr::Query(query) => strip(&mut query.body),
            _ => {}
        }
    }
    strip(&mut query.body);
    query
}

/// The query as it stands in `text` where that is the same query; written out again otherwise.
fn written(query: &Query, text: &str, dialect: Dialect) -> String {
    let lines = Lines::of(text);
    let start = lines.bytes(query.span()).map(|at| at.start);
    let slice = start.and_then(|start| text.get(start..)).map(|slice| slice.trim().trim_end_matches(';').trim_end());
    match slice {
        Some(slice) if is_query(slice, dialect, query) => slice.to_owned(),
        _ => query.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<String, Option<&'static str>> {
        filling_query(text, Dialect::GENERIC)
    }

    #[test]
    fn the_select_is_taken_as_it_is_written() {
        assert_eq!(query("create table a as\nselect  x from b -- why").unwrap(), "select  x from b -- why");
        assert_eq!(
            query("insert into a (x) with c as (select 1) select * from c").unwrap(),
            "with c as (select 1) select * from c"
        );
    }

    #[test]
    fn into_is_taken_out() {
        assert_eq!(query("select x into a from b").unwrap(), "SELECT x FROM b");
    }

    #[test]
    fn changes_in_place_have_no_query() {
        assert_eq!(query("update a set x = 1"), Err(Some("UPDATE changes rows where they are")));
        assert_eq!(query("drop table a"), Err(None));
    }
}
