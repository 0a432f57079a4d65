//! CREATE: tables, views, models and copies of other tables.
use sqlparser::ast::{CreateTable, CreateTableLikeKind, CreateView, DataType, ObjectName, Query};

use super::{
    address::file_of,
    ir::{Body, Effect, Fill, Item, Name, Select, Source, Stmt},
    lower::{Lower, lower},
    lower_query::{alone, plain, star},
    types::column,
};
use crate::{lineage::Access, vocab::Column};

impl Lower<'_> {
    pub(super) fn create_table(&mut self, stmt: &mut Stmt, create: &CreateTable) {
        let temp = create.temporary || create.volatile;
        let declared: Vec<Column> = create.columns.iter().map(column).collect();
        if let Some(query) = &create.query {
            stmt.kind = "create_table_as";
            let columns = declared.into_iter().map(|c| c.name).collect();
            return self.makes(stmt, &create.name, columns, query, temp);
        }
        let Some(target) = self.name(&create.name) else { return };
        if let Some(from) = create.clone.as_ref().and_then(|from| self.name(from)) {
            stmt.kind = "clone";
            stmt.fills.push(Fill { temp, ..Fill::whole(target, from) });
            return;
        }
        if let Some(model) = self.model(create) {
            return like(stmt, target, model, temp);
        }
        if let (true, Some(address)) = (create.external, create.location.as_deref().and_then(file_of)) {
            return over_files(stmt, target, declared, vec![address]);
        }
        declare(stmt, target, declared, temp);
        if let Some(parent) = create.partition_of.as_ref().and_then(|parent| self.name(parent)) {
            // Its rows are rows of the parent.
            if let Some((name, _)) = stmt.touches.first().cloned() {
                stmt.effects.push(Effect::Like(name.clone(), parent.clone()));
                stmt.moved(name, parent);
            }
        }
    }

    fn model(&self, create: &CreateTable) -> Option<Name> {
        match &create.like {
            Some(CreateTableLikeKind::Parenthesized(like) | CreateTableLikeKind::Plain(like)) => self.name(&like.name),
            None => self.like_as_column(create),
        }
    }

    /// Some grammars take `(LIKE model)` for a column called LIKE.
    fn like_as_column(&self, create: &CreateTable) -> Option<Name> {
        match create.columns.as_slice() {
            [only] if only.name.quote_style.is_none() && only.name.value.eq_ignore_ascii_case("like") => {
                match &only.data_type {
                    DataType::Custom(name, _) => self.name(name),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    pub(super) fn create_view(&mut self, stmt: &mut Stmt, create: &CreateView) {
        let columns = create.columns.iter().map(|c| lower(&c.name)).collect();
        if create.materialized {
            stmt.kind = "create_materialized_view";
        }
        if create.to.is_some() {
            self.touch(stmt, &create.name, Access::Define);
        }
        let name = create.to.as_ref().unwrap_or(&create.name);
        self.makes(stmt, name, columns, &create.query, create.temporary);
    }

    /// A name that a query gives its rows.
    pub(super) fn makes(
        &mut self,
        stmt: &mut Stmt,
        name: &ObjectName,
        columns: Vec<String>,
        query: &Query,
        temp: bool,
    ) {
        let target = self.name(name);
        let query = self.query(query);
        stmt.fills.push(Fill { columns, temp, makes: true, ..Fill::of(target, query) });
    }
}

/// A table made without rows.
pub(super) fn declare(stmt: &mut Stmt, target: Name, columns: Vec<Column>, temp: bool) {
    if temp {
        stmt.effects.push(Effect::Temp(target, columns));
    } else {
        stmt.touches.push((target.clone(), Access::Define));
        stmt.effects.push(Effect::Columns(target, columns));
    }
}

/// `CREATE TABLE a LIKE b` reads the shape of b and makes a of it: no value flows, so there are no column edges.
pub(super) fn like(stmt: &mut Stmt, target: Name, model: Name, temp: bool) {
    stmt.kind = "create_table_like";
    match temp {
        true => stmt.effects.push(Effect::Temp(target.clone(), Vec::new())),
        false => stmt.touches.push((target.clone(), Access::Write)),
    }
    stmt.touches.push((model.clone(), Access::Read));
    stmt.effects.push(Effect::Like(target, model));
}

/// An external table: its rows are those of its files.
pub(super) fn over_files(stmt: &mut Stmt, target: Name, columns: Vec<Column>, files: Vec<String>) {
    stmt.kind = "create_external_table";
    let source = Source::Files(files, stmt.at.clone());
    let query = of_columns(&columns, source);
    stmt.effects.push(Effect::Columns(target.clone(), columns));
    stmt.fills.push(Fill { makes: true, ..Fill::of(Some(target), query) });
}

/// A query that takes `columns` of `source`; all of them where none are named.
pub(super) fn of_columns(columns: &[Column], source: Source) -> super::ir::Query {
    let one = |column: &Column| {
        let name = column.name.to_lowercase();
        Item::One(super::ir::Ex::Column { parts: vec![name.clone()], at: 0..0 }, Some(name))
    };
    let items = if columns.is_empty() { vec![star()] } else { columns.iter().map(one).collect() };
    plain(Body::Select(Box::new(Select { items, from: vec![alone(source)], ..Select::default() })))
}
