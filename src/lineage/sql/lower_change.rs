//! MERGE, UPDATE and DELETE: which relation is the target, and what the others give it.
use sqlparser::ast::{
    Assignment, AssignmentTarget, Delete, FromTable, Merge, MergeAction, MergeInsertKind, MergeUpdateKind, TableFactor,
    Update, UpdateTableFromKind,
};

use super::{
    ir::{Body, Ex, Fill, Item, Joined, Name, Select, Source, Star, Stmt},
    lower::{Lower, last_part, lower},
    lower_query::{joined, plain},
};

impl Lower<'_> {
    pub(super) fn merge(&mut self, stmt: &mut Stmt, merge: &Merge) {
        let Some((target, from)) = self.merge_relations(merge) else { return };
        let source = merge_source(&merge.source);
        for clause in &merge.clauses {
            let own = branch_conditions(&clause.action);
            let filters: Vec<Ex> = clause.predicate.iter().chain(own).map(|e| self.expr(e)).collect();
            let query = match &clause.action {
                MergeAction::Update(update) => match &update.kind {
                    MergeUpdateKind::Set(set) => self.assigned(set, from.clone(), filters),
                    MergeUpdateKind::Wildcard => all_of(&source, from.clone(), filters),
                },
                MergeAction::Insert(insert) => match &insert.kind {
                    MergeInsertKind::Values(values) => {
                        let names: Vec<String> = insert.columns.iter().map(last_part).collect();
                        let row = values.rows.first().map(|row| row.content.as_slice()).unwrap_or_default();
                        let items = row.iter().enumerate().map(|(at, e)| {
                            let name = names.get(at).cloned().or_else(|| super::lower_query::implied_name(e));
                            Item::One(self.expr(e), name)
                        });
                        let items = items.collect();
                        plain(Body::Select(Box::new(Select {
                            items,
                            from: from.clone(),
                            filters,
                            ..Select::default()
                        })))
                    }
                    MergeInsertKind::Row | MergeInsertKind::Wildcard => all_of(&source, from.clone(), filters),
                },
                _ => plain(Body::Select(Box::new(Select { from: from.clone(), filters, ..Select::default() }))),
            };
            let only_known = is_star(&clause.action);
            stmt.fills.push(Fill { by_name: true, only_known, ..Fill::of(Some(target.clone()), query) });
        }
        self.output(stmt, &target, merge.output.as_ref());
    }

    fn merge_relations(&mut self, merge: &Merge) -> Option<(Name, Vec<Joined>)> {
        let mut target = self.relation(&merge.table);
        let Source::Table(name) = target.source.clone() else { return None };
        target.source = Source::Target(name.clone());
        let mut source = joined(self.relation(&merge.source));
        source.on.push(self.expr(&merge.on));
        Some((name, vec![joined(target), source]))
    }

    pub(super) fn update(&mut self, stmt: &mut Stmt, update: &Update) {
        let own = self.relations(std::slice::from_ref(&update.table));
        let others = match &update.from {
            Some(UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from)) => self.relations(from),
            None => Vec::new(),
        };
        let filters: Vec<Ex> = update.selection.iter().map(|e| self.expr(e)).collect();
        for (name, set) in by_table(&update.assignments, &own) {
            let found = match name {
                Some(name) => target_called(name, own.clone()),
                None => target_among(own.clone(), others.clone()),
            };
            let Some((target, from)) = found else { continue };
            let query = self.assigned(&set, from, filters.clone());
            stmt.fills.push(Fill { by_name: true, ..Fill::of(Some(target.clone()), query) });
            self.output(stmt, &target, update.output.as_ref());
        }
    }

    pub(super) fn delete(&mut self, stmt: &mut Stmt, delete: &Delete) {
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let mut relations = self.relations(from);
        if let Some(using) = &delete.using {
            relations.extend(self.relations(using));
        }
        let filters: Vec<Ex> = delete.selection.iter().map(|e| self.expr(e)).collect();
        let named: Vec<Name> = delete.tables.iter().filter_map(|name| self.name(name)).collect();
        let found: Vec<(Name, Vec<Joined>)> = match named.is_empty() {
            false => named.into_iter().filter_map(|name| target_called(name, relations.clone())).collect(),
            true => {
                let others = relations.split_off(1.min(relations.len()));
                target_among(relations, others).into_iter().collect()
            }
        };
        for (target, from) in found {
            let filters = filters.clone();
            let query = plain(Body::Select(Box::new(Select { from, filters, ..Select::default() })));
            stmt.fills.push(Fill { by_name: true, ..Fill::of(Some(target.clone()), query) });
            self.output(stmt, &target, delete.output.as_ref());
        }
    }
}

/// `UPDATE SET *` and `INSERT *`, which go by the target's columns.
fn is_star(action: &MergeAction) -> bool {
    match action {
        MergeAction::Update(update) => matches!(update.kind, MergeUpdateKind::Wildcard),
        MergeAction::Insert(insert) => matches!(insert.kind, MergeInsertKind::Wildcard),
        _ => false,
    }
}

/// Oracle's WHERE on a branch of a MERGE.
fn branch_conditions(action: &MergeAction) -> Vec<&sqlparser::ast::Expr> {
    match action {
        MergeAction::Update(update) => update.update_predicate.iter().chain(&update.delete_predicate).collect(),
        MergeAction::Insert(insert) => insert.insert_predicate.iter().collect(),
        _ => Vec::new(),
    }
}

/// Assignments by the table they change: MySQL's `UPDATE a, b SET a.x = …, b.y = …` changes two. `None` stands for
/// the table that the statement names first.
fn by_table(set: &[Assignment], own: &[Joined]) -> Vec<(Option<Name>, Vec<Assignment>)> {
    let mut tables: Vec<(Option<Name>, Vec<Assignment>)> = Vec::new();
    for one in set {
        let table = qualifier(&one.target).filter(|name| own.len() > 1 && own.iter().any(|j| called(j, name)));
        match tables.iter_mut().find(|(known, _)| known.as_ref().map(|n| &n.parts) == table.as_ref().map(|n| &n.parts))
        {
            Some((_, list)) => list.push(one.clone()),
            None => tables.push((table, vec![one.clone()])),
        }
    }
    tables
}

/// The table that an assigned column is qualified by.
fn qualifier(target: &AssignmentTarget) -> Option<Name> {
    let AssignmentTarget::ColumnName(name) = target else { return None };
    let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(lower).collect();
    let (_, table) = parts.split_last()?;
    (!table.is_empty()).then(|| Name { parts: table.to_vec(), at: 0..0, exact: false })
}

/// Whether the relation is called `name`, by its alias or by its own name.
fn called(one: &Joined, name: &Name) -> bool {
    match (&one.relation.alias, &one.relation.source) {
        (Some(alias), _) => name.parts.len() == 1 && *alias == name.parts[0],
        (None, Source::Table(table)) => table.parts.ends_with(&name.parts),
        _ => false,
    }
}

/// The first relation is what changes; in T-SQL it may be the alias of a later one.
fn target_among(own: Vec<Joined>, others: Vec<Joined>) -> Option<(Name, Vec<Joined>)> {
    let Source::Table(first) = own.first()?.relation.source.clone() else { return None };
    let alias_of_other =
        first.parts.len() == 1 && others.iter().any(|other| other.relation.alias.as_deref() == Some(&first.parts[0]));
    match alias_of_other {
        true => target_called(first, others),
        false => {
            let mut from: Vec<Joined> = own.into_iter().chain(others).collect();
            from[0].relation.source = Source::Target(first.clone());
            Some((first, from))
        }
    }
}

/// The relation called `name`, by alias or by its own name, is what changes.
fn target_called(name: Name, mut from: Vec<Joined>) -> Option<(Name, Vec<Joined>)> {
    let at = from.iter().position(|one| called(one, &name))?;
    let Source::Table(table) = from[at].relation.source.clone() else { return None };
    from[at].relation.source = Source::Target(table.clone());
    Some((table, from))
}

fn all_of(source: &[String], from: Vec<Joined>, filters: Vec<Ex>) -> super::ir::Query {
    let star = Item::Star(Star { of: source.to_vec(), ..Star::default() });
    plain(Body::Select(Box::new(Select { items: vec![star], from, filters, ..Select::default() })))
}

/// How the source of a MERGE is called.
fn merge_source(source: &TableFactor) -> Vec<String> {
    match source {
        TableFactor::Table { alias: Some(alias), .. } | TableFactor::Derived { alias: Some(alias), .. } => {
            vec![lower(&alias.name)]
        }
        TableFactor::Table { name, .. } => vec![last_part(name)],
        _ => Vec::new(),
    }
}
