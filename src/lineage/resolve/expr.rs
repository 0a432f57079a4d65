//! Expressions: what feeds them. Columns are sought from the inside out.
use super::{
    flow::Flow,
    scope::{Env, Rel, Scope, ScopeRel},
    session::Resolver,
};
use crate::{
    diagnostics::CodeEntry,
    lineage::{
        EdgeKind,
        sql::ir::{Bytes, Ex},
    },
};

impl Resolver<'_> {
    /// What feeds `ex` at a place surrounded by `env`.
    pub(super) fn expr(&mut self, ex: &Ex, env: &Env<'_>) -> Flow {
        match ex {
            Ex::Nothing | Ex::Ordinal(_) => Flow::default(),
            Ex::Column { parts, at } => self.column(parts, at, env),
            Ex::Change(list) => self.all(list, env).changed(),
            Ex::Aggregate(list) => self.all(list, env).aggregated(),
            Ex::Choose { by, of, both } => {
                let both = self.all(both, env);
                let by = self.all(by, env).and(&both).influence(EdgeKind::Conditional);
                self.all(of, env).and(&both).changed().and(&by)
            }
            Ex::Kept { value, by, kind } => {
                let by = self.all(by, env).influence(*kind);
                self.expr(value, env).and(&by)
            }
            Ex::Over { value, by } => {
                let by = self.all(by, env).influence(EdgeKind::Window);
                self.expr(value, env).changed().and(&by)
            }
            Ex::Rows(query) => {
                let rel = self.query(query, env);
                rel.columns.iter().fold(rel.rows.clone(), |flow, col| flow.and(&col.flow))
            }
            Ex::Test(query, sought) => {
                let rel = self.query(query, env);
                let inner = rel.columns.iter().fold(rel.rows.clone(), |flow, col| flow.and(&col.flow));
                self.all(sought, env).changed().and(&inner.influence(EdgeKind::Conditional))
            }
            Ex::Row(name, at) => self.row(std::slice::from_ref(name), at, env),
            Ex::All(parts, at) => self.whole(parts, at, env),
        }
    }

    fn all(&mut self, list: &[Ex], env: &Env<'_>) -> Flow {
        list.iter().fold(Flow::default(), |flow, ex| flow.with(self.expr(ex, env)))
    }

    /// Every column of the relation called `parts`.
    fn whole(&mut self, parts: &[String], at: &Bytes, env: &Env<'_>) -> Flow {
        if parts.is_empty() {
            let columns = env.scopes().take(1).flat_map(Scope::visible).flat_map(|one| &one.rel.columns);
            return columns.fold(Flow::default(), |flow, col| flow.and(&col.flow)).changed();
        }
        let found = env.scopes().flat_map(|scope| &scope.rels).find(|one| one.is_called(parts));
        let Some(one) = found else { return Flow::default() };
        if let Some(mention) = &one.mention {
            self.qualifiers.push((at.clone(), parts.len(), mention.clone()));
        }
        one.rel.columns.iter().fold(Flow::default(), |flow, col| flow.and(&col.flow)).changed()
    }

    /// A whole row where no relation around is known to have a column of that name.
    fn row(&mut self, parts: &[String], at: &Bytes, env: &Env<'_>) -> Flow {
        let relations = || env.scopes().flat_map(|scope| &scope.rels);
        let is_column = relations().any(|one| parts.iter().any(|name| one.rel.known(name).is_some()));
        match !is_column && relations().any(|one| one.is_called(parts)) {
            true => self.whole(parts, at, env),
            false => self.column(parts, at, env),
        }
    }

    fn column(&mut self, parts: &[String], at: &Bytes, env: &Env<'_>) -> Flow {
        for length in (1..parts.len()).rev() {
            let qualifier = &parts[..length];
            let found = env.scopes().flat_map(|scope| &scope.rels).find(|one| one.is_called(qualifier));
            if let Some(one) = found {
                let (rel, mention) = (one.rel.clone(), one.mention.clone());
                if let Some(mention) = mention {
                    self.qualifiers.push((at.clone(), length, mention));
                }
                let flow = self.in_relation(&rel, &parts[length]);
                // What follows the column are fields of it.
                return if parts.len() > length + 1 { flow.changed() } else { flow };
            }
        }
        let flow = self.unqualified(&parts[0], at, env);
        if parts.len() > 1 { flow.changed() } else { flow }
    }

    /// The column `name` of `rel`, known or not.
    fn in_relation(&mut self, rel: &Rel, name: &str) -> Flow {
        if let Some(flow) = rel.known(name) {
            return flow.clone();
        }
        if !rel.open.is_empty() {
            return self.open_flow(&rel.open, name);
        }
        match (&rel.any, rel.base) {
            (Some(any), _) => any.clone(),
            // Declared columns may be incomplete: the query knows better.
            (None, Some(base)) => Flow::of(self.origins.column(base, name)),
            (None, None) => Flow::default(),
        }
    }

    fn open_flow(&mut self, open: &[u32], name: &str) -> Flow {
        open.iter().fold(Flow::default(), |flow, dataset| flow.and(&Flow::of(self.origins.column(*dataset, name))))
    }

    fn unqualified(&mut self, name: &str, at: &Bytes, env: &Env<'_>) -> Flow {
        for scope in env.scopes() {
            if let Some(flow) = self.in_scope(scope, name, at) {
                return flow;
            }
        }
        if self.is_variable(name) {
            return Flow::default();
        }
        // Nothing knows the column: the only table at hand must have it.
        let mut bases = env.scopes().flat_map(Scope::visible).filter_map(|one| one.rel.base);
        match (bases.next(), bases.next()) {
            (Some(base), None) => Flow::of(self.origins.column(base, name)),
            _ => Flow::default(),
        }
    }

    /// Whether `name` is declared where the statement stands.
    fn is_variable(&self, name: &str) -> bool {
        self.variables.as_ref().is_some_and(|declared| declared.contains(name))
    }

    fn in_scope(&mut self, scope: &Scope, name: &str, at: &Bytes) -> Option<Flow> {
        if let Some(flow) = scope.aliases.get(name).filter(|_| self.aliases_win) {
            return Some(flow.clone());
        }
        if let Some((_, flow)) = scope.merged.iter().find(|(merged, _)| **merged == *name) {
            return Some(flow.clone());
        }
        let (mut known, mut flow) = (0, Flow::default());
        for one in scope.visible().filter_map(|one| one.rel.known(name)) {
            known += 1;
            flow.merge(one);
        }
        if known > 0 {
            return Some(self.one_of(known, flow, name, at));
        }
        if let Some(flow) = scope.aliases.get(name) {
            return Some(flow.clone());
        }
        // A column that an outer query knows would still come before a variable.
        if self.is_variable(name) {
            return None;
        }
        let whole = |one: &&ScopeRel| one.is_called(std::slice::from_ref(&name.to_owned()));
        if let Some(one) = scope.rels.iter().find(whole)
            && (one.rel.any.is_some() || one.alias.is_some())
        {
            let all =
                one.rel.columns.iter().fold(one.rel.any.clone().unwrap_or_default(), |flow, col| flow.and(&col.flow));
            return Some(all.changed());
        }
        let open: Vec<u32> = scope.visible().flat_map(|one| one.rel.open.iter().copied()).collect();
        let open_relations = scope.visible().filter(|one| !one.rel.open.is_empty()).count();
        if open_relations > 0 {
            let flow = self.open_flow(&open, name);
            return Some(self.one_of(open_relations, flow, name, at));
        }
        let mut any = scope.visible().filter_map(|one| one.rel.any.as_ref());
        match (any.next(), any.next()) {
            (Some(flow), None) => Some(flow.clone()),
            _ => None,
        }
    }

    /// What feeds the column `name` that as many `relations` may have: of several, nobody can say which.
    fn one_of(&mut self, relations: usize, flow: Flow, name: &str, at: &Bytes) -> Flow {
        if relations < 2 {
            return flow;
        }
        self.note(CodeEntry::E035, at.clone(), format!("`{name}` may come from {relations} relations"));
        // Two copies of one table have the same column.
        if flow.is_plural() { flow.ambiguous() } else { flow }
    }
}
