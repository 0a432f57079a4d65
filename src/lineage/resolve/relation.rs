//! Relations and joins of a FROM clause.
use std::rc::Rc;

use super::{
    flow::Flow,
    names::INFERRED,
    scope::{Col, Env, Rel, Scope, ScopeRel},
    session::Resolver,
};
use crate::lineage::{
    EdgeKind,
    sql::ir::{Ex, Joined, Keeps, Matches, Name, Relation, Source},
};

impl Resolver<'_> {
    /// Adds one joined relation to `scope`; what the join decides goes to `rows`.
    pub(super) fn join(&mut self, scope: &mut Scope, joined: &Joined, env: &Env<'_>, rows: &mut Flow) {
        let first = scope.rels.len();
        if let (Source::Joins(inner), None) = (&joined.relation.source, &joined.relation.alias) {
            for one in inner {
                self.join(scope, one, env, rows);
            }
        } else {
            let one = self.relation(&joined.relation, scope, env, joined.on.is_empty());
            rows.merge(&one.rel.rows);
            self.merge_columns(scope, joined, &one, rows);
            scope.rels.push(one);
        }
        for on in &joined.on {
            let flow = self.expr(on, &Env::inside(env, scope));
            rows.merge(&flow.influence(EdgeKind::Join));
        }
        // Its own condition sees what a semi join hides from the rest.
        scope.rels[first..].iter_mut().for_each(|one| one.hidden |= joined.hidden);
    }

    /// USING and NATURAL: one column out of two.
    fn merge_columns(&mut self, scope: &mut Scope, joined: &Joined, one: &ScopeRel, rows: &mut Flow) {
        let names: Vec<Rc<str>> = match joined.natural {
            false => joined.using.iter().map(|name| name.as_str().into()).collect(),
            true => {
                let in_scope = |name: &str| scope.rels.iter().any(|left| left.rel.known(name).is_some());
                let theirs = one.rel.columns.iter().map(|col| col.name.clone());
                theirs.filter(|name| &**name != "*" && in_scope(name)).collect()
            }
        };
        for name in names {
            let left = self.left_of(scope, &name);
            let right = self.right_of(&one.rel, &name);
            rows.merge(&left.clone().and(&right).influence(EdgeKind::Join));
            let value = match joined.keeps {
                Keeps::Left => left,
                Keeps::Right => right,
                Keeps::Both => left.and(&right).changed(),
            };
            scope.merged.retain(|(merged, _)| *merged != name);
            scope.merged.push((name, value));
        }
    }

    fn left_of(&mut self, scope: &Scope, name: &str) -> Flow {
        if let Some((_, flow)) = scope.merged.iter().find(|(merged, _)| **merged == *name) {
            return flow.clone();
        }
        let known = scope.rels.iter().find_map(|one| one.rel.known(name).cloned());
        known.unwrap_or_else(|| match scope.rels.first() {
            Some(one) if !one.rel.open.is_empty() => self.right_of(&one.rel.clone(), name),
            _ => Flow::default(),
        })
    }

    fn right_of(&mut self, rel: &Rel, name: &str) -> Flow {
        match rel.known(name) {
            Some(flow) => flow.clone(),
            None => rel
                .open
                .clone()
                .iter()
                .fold(Flow::default(), |flow, dataset| flow.and(&Flow::of(self.origins.column(*dataset, name)))),
        }
    }

    fn relation(&mut self, relation: &Relation, scope: &Scope, env: &Env<'_>, may_unnest: bool) -> ScopeRel {
        let mut name = Vec::new();
        let mut mention = None;
        let mut rel = match &relation.source {
            Source::Table(table) => match may_unnest.then(|| self.unnested(table, scope, env)).flatten() {
                Some(rel) => Rc::new(rel),
                None => {
                    name.clone_from(&table.parts);
                    mention = relation.alias.is_none().then(|| table.at.clone());
                    self.table(table, env)
                }
            },
            Source::Target(table) => {
                name.clone_from(&table.parts);
                Rc::new(self.target_rel(table))
            }
            Source::Query(query) => {
                let rel = self.query(query, &Env::inside(env, scope));
                // Column aliases count places, so every column stays for them.
                Rc::new(if relation.columns.is_empty() { rel.without_twins() } else { rel })
            }
            Source::Files(files, at) => self.files_rel(files, at),
            Source::Function(args) => Rc::new(self.function_rel(args, scope, env)),
            Source::Unnest(args) => Rc::new(self.unnest_rel(args, scope, env)),
            Source::Call(function, args) => match self.is_known(function) {
                true => self.table(function, env),
                false => Rc::new(self.function_rel(args, scope, env)),
            },
            Source::Remote(system, query) => {
                let remote = Env { system: Some(system), ..Env::within(env) };
                Rc::new(self.query(query, &remote))
            }
            Source::Joins(inner) => Rc::new(self.joins_rel(inner, env)),
            Source::Pivot(table, folded, spread, made) => Rc::new(self.pivot(table, folded, spread, made, env)),
            Source::Matches(matches) => Rc::new(self.matches(matches, env)),
            Source::Unpivot(table, values, label) => Rc::new(self.unpivot(table, values, label, env)),
        };
        if !relation.columns.is_empty() {
            rename_relation(&mut rel, &relation.columns);
        }
        for part in name.iter_mut().filter(|part| part.contains(INFERRED)) {
            *part = part.replace(INFERRED, "");
        }
        ScopeRel { alias: relation.alias.clone(), name, mention, rel, hidden: false }
    }

    /// `FROM t, t.items`: a table name that begins with a relation beside it is a column of that relation.
    fn unnested(&mut self, table: &Name, scope: &Scope, env: &Env<'_>) -> Option<Rel> {
        let first = table.parts.first()?;
        let beside = table.parts.len() > 1
            && scope.rels.iter().any(|one| match &one.alias {
                Some(alias) => alias == first,
                None => one.name.last() == Some(first),
            });
        if !beside {
            return None;
        }
        let column = Ex::Column { parts: table.parts.clone(), at: table.at.clone() };
        Some(self.function_rel(&[column], scope, env))
    }

    /// What the statement changes: its columns are in scope and feed nothing.
    fn target_rel(&mut self, table: &Name) -> Rel {
        let known = self.dataset(table).and_then(|dataset| self.known_columns(&dataset));
        let columns = known.unwrap_or_default().into_iter().map(|name| Col { name, flow: Flow::default() }).collect();
        Rel { columns, any: Some(Flow::default()), ..Rel::default() }
    }

    fn function_rel(&mut self, args: &[Ex], scope: &Scope, env: &Env<'_>) -> Rel {
        let inside = Env::inside(env, scope);
        let flow = args.iter().fold(Flow::default(), |flow, ex| flow.and(&self.expr(ex, &inside)));
        Rel { any: Some(flow.changed()), ..Rel::default() }
    }

    /// Several arrays side by side: a column each, and what else there is (their places) from all of them.
    fn unnest_rel(&mut self, args: &[Ex], scope: &Scope, env: &Env<'_>) -> Rel {
        let inside = Env::inside(env, scope);
        let column = |(at, flow): (usize, Flow)| Col { name: format!("column{}", at + 1).into(), flow };
        let flows: Vec<Flow> = args.iter().map(|ex| self.expr(ex, &inside).changed()).collect();
        let any = flows.iter().fold(Flow::default(), |all, flow| all.and(flow));
        Rel { columns: flows.into_iter().enumerate().map(column).collect(), any: Some(any), ..Rel::default() }
    }

    fn joins_rel(&mut self, inner: &[Joined], env: &Env<'_>) -> Rel {
        let (mut scope, mut rows) = (Scope::default(), Flow::default());
        for one in inner {
            self.join(&mut scope, one, env, &mut rows);
        }
        let (columns, open) = scope.star();
        Rel { columns, open, rows, ..Rel::default() }
    }

    fn pivot(&mut self, table: &Relation, folded: &[Ex], spread: &[Ex], made: &[String], env: &Env<'_>) -> Rel {
        let (mut rel, scope) = self.alone(table, env);
        let inside = Env::inside(env, &scope);
        let by = spread.iter().fold(Flow::default(), |flow, ex| flow.and(&self.expr(ex, &inside)));
        let by = by.influence(EdgeKind::Conditional);
        let values: Vec<Flow> = folded.iter().map(|ex| self.expr(ex, &inside).and(&by)).collect();
        let used: Vec<String> = folded.iter().chain(spread).flat_map(column_names).collect();
        rel.columns.retain(|col| !used.iter().any(|name| **name == *col.name));
        // Each value has a column for every aggregate, in their order.
        let each = made.iter().zip(values.iter().cycle());
        rel.columns.extend(each.map(|(name, flow)| Col { name: name.as_str().into(), flow: flow.clone() }));
        rel.any = Some(values.iter().fold(Flow::default(), |all, flow| all.and(flow)));
        rel
    }

    fn unpivot(&mut self, table: &Relation, values: &[(Vec<Ex>, String)], label: &str, env: &Env<'_>) -> Rel {
        let (mut rel, scope) = self.alone(table, env);
        let inside = Env::inside(env, &scope);
        let used: Vec<String> = values.iter().flat_map(|(folded, _)| folded).flat_map(column_names).collect();
        rel.columns.retain(|col| !used.iter().any(|name| **name == *col.name));
        for (folded, value) in values {
            let flow = folded.iter().fold(Flow::default(), |flow, ex| flow.and(&self.expr(ex, &inside)));
            rel.columns.push(Col { name: value.as_str().into(), flow });
        }
        rel.columns.push(Col { name: label.into(), flow: Flow::default() });
        rel
    }

    /// One row a match: what parts the rows, and the measures; else every column and the measures.
    fn matches(&mut self, of: &Matches, env: &Env<'_>) -> Rel {
        let (mut rel, scope) = self.alone(&of.table, env);
        let inside = Env::inside(env, &scope);
        for (list, kind) in
            [(&of.parts, EdgeKind::Window), (&of.sorts, EdgeKind::Window), (&of.tests, EdgeKind::Filter)]
        {
            for ex in list {
                let flow = self.expr(ex, &inside).influence(kind);
                rel.rows.merge(&flow);
            }
        }
        if !of.all_rows {
            rel.open.clear();
            rel.columns.clear();
            for (name, ex) in of.parts.iter().filter_map(|ex| Some((column_names(ex).pop()?, ex))) {
                let flow = self.expr(ex, &inside);
                rel.columns.push(Col { name: name.as_str().into(), flow });
            }
        }
        for (ex, name) in &of.measures {
            let flow = self.expr(ex, &inside);
            rel.columns.push(Col { name: name.as_str().into(), flow });
        }
        rel
    }

    fn alone(&mut self, table: &Relation, env: &Env<'_>) -> (Rel, Scope) {
        let mut scope = Scope::default();
        let one = self.relation(table, &scope, env, false);
        let mut rel = (*one.rel).clone();
        rel.base = None;
        scope.rels.push(one);
        (rel, scope)
    }
}

/// Column aliases; a table function gets its columns from them.
fn rename_relation(rel: &mut Rc<Rel>, names: &[String]) {
    let rel = Rc::make_mut(rel);
    match (&rel.any, rel.columns.is_empty()) {
        (Some(any), true) => {
            rel.columns = names.iter().map(|name| Col { name: name.as_str().into(), flow: any.clone() }).collect();
        }
        _ => rel.rename(names),
    }
}

/// Unqualified names of the columns in an expression.
pub(super) fn column_names(ex: &Ex) -> Vec<String> {
    match ex {
        Ex::Column { parts, .. } => parts.last().cloned().into_iter().collect(),
        Ex::Change(list) | Ex::Aggregate(list) => list.iter().flat_map(column_names).collect(),
        Ex::Over { value, .. } | Ex::Kept { value, .. } => column_names(value),
        _ => Vec::new(),
    }
}
