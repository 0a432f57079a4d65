//! Queries: CTEs once each, set operations, select lists.
use std::{collections::HashSet, rc::Rc};

use super::{
    columns::{self, Origins},
    flow::Flow,
    relation::column_names,
    scope::{Col, Env, Rel, Scope},
    session::Resolver,
};
use crate::{
    diagnostics::CodeEntry,
    lineage::{
        EdgeKind,
        sql::ir::{Body, Bytes, Cte, Ex, Item, Query, Select, SetOp, Star},
    },
};

/// How often a recursive query is read at most until nothing new comes out.
const MAX_ROUNDS: usize = 6;

impl Resolver<'_> {
    /// A query's columns and what decides its rows.
    pub(super) fn query(&mut self, query: &Query, env: &Env<'_>) -> Rel {
        let mut local = Env::within(env);
        for cte in &query.ctes {
            let rel = self.cte(cte, query.recursive, &local);
            local.ctes.insert(cte.name.clone(), Rc::new(rel));
        }
        let mut rel = self.body(&query.body, &local, None);
        for order in &query.order {
            let flow = self.output(order, &rel.columns);
            rel.rows.merge(&flow.influence(EdgeKind::Sort));
        }
        rel
    }

    fn cte(&mut self, cte: &Cte, recursive: bool, env: &Env<'_>) -> Rel {
        let mut rel = match recursive && cte.query.ctes.is_empty() {
            true => self.body(&cte.query.body, env, Some(cte)),
            false => self.query(&cte.query, env),
        };
        rel.rename(&cte.columns);
        rel.without_twins()
    }

    /// An ordering by output name or place.
    fn output(&mut self, ex: &Ex, columns: &[Col]) -> Flow {
        match ex {
            Ex::Ordinal(at) => {
                at.checked_sub(1).and_then(|at| columns.get(at)).map(|c| c.flow.clone()).unwrap_or_default()
            }
            Ex::Column { parts, .. } => {
                let name = parts.last().map(String::as_str).unwrap_or_default();
                columns.iter().find(|c| *c.name == *name).map(|c| c.flow.clone()).unwrap_or_default()
            }
            Ex::Change(list) | Ex::Aggregate(list) => {
                list.iter().fold(Flow::default(), |flow, part| flow.and(&self.output(part, columns)))
            }
            _ => Flow::default(),
        }
    }

    /// A body; `myself` is the CTE it belongs to where that may read itself: arms after the first then see the first.
    fn body(&mut self, body: &Body, env: &Env<'_>, myself: Option<&Cte>) -> Rel {
        match body {
            Body::Select(select) => self.select(select, env),
            Body::Query(query) => self.query(query, env),
            Body::Values(rows) => self.values(rows, env),
            Body::Arms(arms) => self.arms(arms, env, myself),
            Body::Whole(name) => Rel { base: None, ..(*self.table(name, env)).clone() },
        }
    }

    fn values(&mut self, rows: &[Vec<Ex>], env: &Env<'_>) -> Rel {
        let empty = Scope::default();
        let env = Env::inside(env, &empty);
        let columns = rows.iter().enumerate().map(|(at, exprs)| {
            let flow = exprs.iter().fold(Flow::default(), |flow, ex| flow.and(&self.expr(ex, &env)));
            Col { name: format!("column{}", at + 1).into(), flow }
        });
        Rel { columns: columns.collect(), ..Rel::default() }
    }

    fn arms(&mut self, arms: &[(SetOp, Body)], env: &Env<'_>, myself: Option<&Cte>) -> Rel {
        let Some(((_, first), others)) = arms.split_first() else { return Rel::default() };
        let mut rel = self.body(first, env, None);
        let mut bound = Env::within(env);
        if let Some(cte) = myself {
            let mut anchor = rel.clone();
            anchor.rename(&cte.columns);
            bound.ctes.insert(cte.name.clone(), Rc::new(anchor));
        }
        match myself {
            Some(cte) => self.rounds(cte, others, &mut bound, &mut rel),
            None => self.other_arms(others, &bound, &mut rel),
        }
        rel.base = None;
        rel
    }

    /// The later arms of a query that may read itself, until nothing new comes out of them.
    fn rounds(&mut self, cte: &Cte, others: &[(SetOp, Body)], bound: &mut Env<'_>, rel: &mut Rel) {
        let mark = self.mark();
        let rounds = if self.recursing == 0 { MAX_ROUNDS } else { 1 };
        self.recursing += 1;
        for round in 1..=rounds {
            let before = rel.clone();
            self.ctes_read.remove(&cte.name);
            self.other_arms(others, bound, rel);
            if round == rounds || !self.ctes_read.contains(&cte.name) || before.same_flows(rel) {
                break;
            }
            // The arms are read once more with what they gave; they tell what they told again.
            self.forget_since(&mark);
            let mut grown = rel.clone();
            grown.rename(&cte.columns);
            bound.ctes.insert(cte.name.clone(), Rc::new(grown));
        }
        self.recursing -= 1;
    }

    fn other_arms(&mut self, others: &[(SetOp, Body)], bound: &Env<'_>, rel: &mut Rel) {
        for (op, arm) in others {
            let other = self.body(arm, bound, None);
            match op {
                SetOp::Remove => {
                    let all = other.columns.iter().fold(Flow::default(), |flow, col| flow.and(&col.flow));
                    rel.rows.merge(&all.influence(EdgeKind::Filter));
                }
                SetOp::Flow => columns::merge_by_place(rel, &other),
                SetOp::ByName => columns::merge_by_name(rel, &other),
            }
            rel.rows.merge(&other.rows);
        }
    }

    fn select(&mut self, select: &Select, env: &Env<'_>) -> Rel {
        let mut scope = Scope::default();
        let mut rows = Flow::default();
        for joined in &select.from {
            self.join(&mut scope, joined, env, &mut rows);
        }
        let mut rel = Rel::default();
        self.later_aliases(select, &mut scope, env);
        for item in &select.items {
            self.item(item, &mut scope, env, &mut rel);
        }
        for (list, kind) in
            [(&select.filters, EdgeKind::Filter), (&select.groups, EdgeKind::GroupBy), (&select.sorts, EdgeKind::Sort)]
        {
            for ex in list {
                let alias_first = self.aliases_win || kind == EdgeKind::Sort;
                let flow = self.over_output(ex, &rel.columns, &scope, env, alias_first);
                rows.merge(&flow.influence(kind));
            }
        }
        rel.rows = rows;
        rel
    }

    /// An expression that may name an item of the select list: by place, by alias.
    fn over_output(&mut self, ex: &Ex, columns: &[Col], scope: &Scope, env: &Env<'_>, alias_first: bool) -> Flow {
        match ex {
            Ex::Ordinal(at) => {
                at.checked_sub(1).and_then(|at| columns.get(at)).map(|c| c.flow.clone()).unwrap_or_default()
            }
            Ex::Column { parts, .. } if parts.len() == 1 => {
                let in_relation = scope.rels.iter().any(|one| one.rel.known(&parts[0]).is_some());
                let own = columns.iter().find(|c| *c.name == *parts[0]).filter(|_| alias_first || !in_relation);
                match own {
                    Some(col) => col.flow.clone(),
                    None => self.expr(ex, &Env::inside(env, scope)),
                }
            }
            Ex::Change(list) => {
                let parts = list.iter().filter(|part| !matches!(part, Ex::Ordinal(_)));
                parts.fold(Flow::default(), |flow, part| {
                    flow.and(&self.over_output(part, columns, scope, env, alias_first))
                })
            }
            other => self.expr(other, &Env::inside(env, scope)),
        }
    }

    /// Where aliases hide columns everywhere: those that items before them use.
    fn later_aliases(&mut self, select: &Select, scope: &mut Scope, env: &Env<'_>) {
        if !self.aliases_win {
            return;
        }
        let mut used: HashSet<String> = HashSet::new();
        for item in &select.items {
            let Item::One(ex, name) = item else { continue };
            if let Some(name) = name.as_ref().filter(|name| used.contains(*name)) {
                let mark = self.mark();
                let flow = self.expr(ex, &Env::inside(env, scope));
                self.forget_since(&mark);
                scope.aliases.insert(name.as_str().into(), flow);
            }
            used.extend(column_names(ex));
        }
    }

    fn item(&mut self, item: &Item, scope: &mut Scope, env: &Env<'_>, rel: &mut Rel) {
        match item {
            Item::One(ex, name) => {
                // Within its own expression a name is the column's.
                if let Some(name) = name.as_ref().filter(|_| self.aliases_win) {
                    scope.aliases.remove(name.as_str());
                }
                let flow = self.expr(ex, &Env::inside(env, scope));
                let name: Rc<str> = match name {
                    Some(name) => name.as_str().into(),
                    None => format!("_c{}", rel.columns.len()).into(),
                };
                if self.lateral_aliases {
                    scope.aliases.insert(name.clone(), flow.clone());
                }
                rel.columns.push(Col { name, flow });
            }
            Item::Star(star) => self.star(star, scope, env, rel),
        }
    }

    fn star(&mut self, star: &Star, scope: &Scope, env: &Env<'_>, rel: &mut Rel) {
        let (mut columns, open) = match star.of.is_empty() {
            true => scope.star(),
            false => self.star_of(&star.of, &star.at, scope, env),
        };
        if let Some(pattern) = &star.like {
            columns.retain(|col| &*col.name == "*" || is_like(&col.name, pattern));
        }
        if let Some(pattern) = &star.matching {
            columns.retain(|col| &*col.name == "*" || pattern.is_match(&col.name));
        }
        columns.retain(|col| !star.except.iter().any(|name| **name == *col.name));
        for (name, ex) in &star.replace {
            let flow = self.expr(ex, &Env::inside(env, scope));
            columns.iter_mut().filter(|col| *col.name == **name).for_each(|col| col.flow = flow.clone());
        }
        for (from, to) in &star.rename {
            columns.iter_mut().filter(|col| *col.name == **from).for_each(|col| col.name = to.as_str().into());
        }
        rel.columns.extend(columns);
        for dataset in open {
            self.star_note(dataset, &star.at);
            if !rel.open.contains(&dataset) {
                rel.open.push(dataset);
            }
        }
    }

    fn star_of(&mut self, of: &[String], at: &Bytes, scope: &Scope, env: &Env<'_>) -> (Vec<Col>, Vec<u32>) {
        let outer = env.scopes().flat_map(|scope| &scope.rels);
        let found = scope.rels.iter().chain(outer).find(|one| one.is_called(of));
        if let Some(one) = found {
            if let Some(mention) = &one.mention {
                self.qualifiers.push((at.clone(), of.len(), mention.clone()));
            }
            return (one.rel.columns.clone(), one.rel.open.clone());
        }
        // `struct.*`: all fields of one column.
        let ex = Ex::Column { parts: of.to_vec(), at: at.clone() };
        let flow = self.expr(&ex, &Env::inside(env, scope)).changed();
        (vec![Col { name: "*".into(), flow }], Vec::new())
    }

    /// Tells once per statement and dataset that a star could not be expanded: the first one. A star that nobody wrote
    /// is at the statement.
    fn star_note(&mut self, dataset: u32, at: &Bytes) {
        if self.starred.insert(dataset) {
            let name = self.origins.dataset(dataset);
            let here = format!("the columns of `{name}` are unknown");
            let at = if at.is_empty() { self.stmt_at.clone() } else { at.clone() };
            self.note(CodeEntry::E034, at, here);
        }
    }
}

/// SQL's LIKE: `%` is any text, `_` any character.
fn is_like(name: &str, pattern: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    // Which beginnings of the name the pattern so far may stand for.
    let mut met = vec![true];
    met.resize(name.len() + 1, false);
    for sign in pattern.chars() {
        let mut next = vec![sign == '%' && met[0]];
        for (at, c) in name.iter().enumerate() {
            let behind = next[at];
            next.push(match sign {
                '%' => behind || met[at + 1],
                _ => met[at] && (sign == '_' || sign == *c),
            });
        }
        met = next;
    }
    met[name.len()]
}

/// The relation of a dataset: its known columns, or all of them unknown.
pub(super) fn base_rel(dataset: u32, names: Option<Vec<Rc<str>>>, origins: &mut Origins) -> Rel {
    let mut rel = Rel { base: Some(dataset), ..Rel::default() };
    match names {
        Some(names) => {
            for name in names {
                let flow = Flow::of(origins.named_column(dataset, Rc::clone(&name)));
                rel.columns.push(Col { name, flow });
            }
        }
        None => {
            let flow = Flow::of(origins.column(dataset, "*"));
            rel.columns.push(Col { name: "*".into(), flow });
            rel.open.push(dataset);
        }
    }
    rel
}
