//! Rows that go somewhere: the statements they make, the columns they give.
use std::{
    collections::{BTreeSet, HashSet},
    rc::Rc,
};

use super::{
    columns,
    flow::Flow,
    held::Temp,
    passing::Event,
    scope::{Col, Env, Rel, Scope, ScopeRel},
    session::Resolver,
};
use crate::{
    lineage::{
        Access, ColumnEdge, Evidence, StatementLineage,
        sql::ir::{Fill, Name, Stmt},
    },
    vocab::{Column, DatasetId, LogicalType},
};

impl Resolver<'_> {
    /// Rows put into a temp table by a statement of which only the tables are known still pass through it.
    pub(super) fn through_temps(&mut self, stmt: &Stmt) {
        for (name, access) in &stmt.touches {
            let key = self.held_key(name).into_owned();
            if let (Access::Write, true, Some(temp)) = (access, self.shown.is_none(), self.temps.get_mut(&key)) {
                temp.tables.extend(&self.sources);
            }
        }
    }

    /// A statement of which only the tables are known.
    pub(super) fn finish_touched(
        &mut self,
        stmt: &Stmt,
        number: usize,
        written: Option<DatasetId>,
        target: Option<&DatasetId>,
    ) {
        let bare = written.is_none() && !self.sources.is_empty();
        let target = written.or_else(|| target.filter(|_| bare).cloned());
        if let (true, Some(target)) = (bare, &target) {
            self.push_use(target.clone(), Access::Write, Evidence::Declared, stmt.at.clone(), false);
        }
        if target.is_none() && self.sources.is_empty() {
            return;
        }
        let lineage =
            StatementLineage { kind: stmt.kind.to_owned(), target, sources: self.source_names(), ..Default::default() };
        self.out.statements.push((lineage, stmt.at.clone(), number));
    }

    /// Every fill of a statement; fills of one target make one statement.
    pub(super) fn fills(&mut self, stmt: &Stmt, number: usize, target: Option<&DatasetId>, written: Option<DatasetId>) {
        let mut made: Vec<StatementLineage> = Vec::new();
        let changed = self.changed_rows(stmt);
        let touched = self.sources.clone();
        for fill in &stmt.fills {
            self.sources.clone_from(&touched);
            let root = match &changed {
                None => Env::default(),
                Some((scope, rel)) => {
                    let named = ["inserted", "deleted"].map(|name| (name.to_owned(), Rc::clone(rel)));
                    Env { ctes: named.into(), scope: Some(scope), ..Env::default() }
                }
            };
            let mut rel = self.query(&fill.query, &root);
            let into = match &fill.target {
                Some(name) if self.stays(name, fill.temp) => {
                    self.keep_temp(name, rel, fill);
                    continue;
                }
                Some(name) => match self.filled(name, fill) {
                    Some(dataset) => Some(dataset),
                    None => continue,
                },
                None => written.clone().or_else(|| self.bare_target(stmt, target)),
            };
            self.name_columns(&mut rel, fill, into.as_ref());
            if let Some(dataset) = into.as_ref().filter(|_| !fill.by_name) {
                self.remember(&rel, dataset);
            }
            let sources = self.source_names();
            match made.iter_mut().find(|one| one.target == into) {
                Some(one) => self.add_rel(one, &rel, sources),
                None => {
                    let mut one = StatementLineage { kind: stmt.kind.to_owned(), target: into, ..Default::default() };
                    self.add_rel(&mut one, &rel, sources);
                    made.push(one);
                }
            }
        }
        self.out.statements.extend(made.into_iter().map(|one| (one, stmt.at.clone(), number)));
    }

    /// The rows that set off the trigger a statement stands in: `NEW` and `OLD`, which only a qualifier reaches.
    fn changed_rows(&mut self, stmt: &Stmt) -> Option<(Scope, Rc<Rel>)> {
        let table = self.table(stmt.trigger.as_ref()?, &Env::default());
        let rel = Rc::new(Rel { base: table.base, ..Rel::default() });
        let row = |alias: &str| ScopeRel {
            alias: Some(alias.to_owned()),
            name: Vec::new(),
            mention: None,
            rel: Rc::clone(&rel),
            hidden: true,
        };
        Some((Scope { rels: ["new", "old"].map(row).into(), ..Scope::default() }, table))
    }

    /// The dataset that `fill` writes under `name`.
    fn filled(&mut self, name: &Name, fill: &Fill) -> Option<DatasetId> {
        self.show_temp(name, fill.temp, fill.makes);
        let made = self.log.is_some().then(|| self.dataset(name)).flatten();
        if let Some(dataset) = made.filter(|_| fill.makes) {
            self.log_event(&dataset, Event::Made);
        }
        self.write(name)
    }

    fn bare_target(&mut self, stmt: &Stmt, target: Option<&DatasetId>) -> Option<DatasetId> {
        match target {
            Some(target) => {
                self.push_use(target.clone(), Access::Write, Evidence::Declared, stmt.at.clone(), false);
                Some(target.clone())
            }
            None => {
                if stmt.kind == "select" {
                    self.out.untargeted.push(stmt.at.clone());
                }
                None
            }
        }
    }

    fn keep_temp(&mut self, name: &Name, mut rel: Rel, fill: &Fill) {
        rel.rename(&fill.columns);
        rel.base = None;
        let key = self.held_key(name).into_owned();
        let old = self.temps.remove(&key).filter(|_| !fill.makes);
        let (mut tables, mut owed) = (self.sources.clone(), Vec::new());
        if let Some(old) = old {
            let mut grown = (*old.rel).clone();
            match fill.by_name || !fill.columns.is_empty() {
                true => columns::merge_by_name(&mut grown, &rel),
                false => columns::merge_by_place(&mut grown, &rel),
            }
            grown.rows.merge(&rel.rows);
            tables.extend(&old.tables);
            owed = old.owed;
            rel = grown;
        }
        self.temps.insert(key, Temp { rel: Rc::new(rel), tables, owed });
    }

    /// Gives the columns of a query the names they get in the target.
    fn name_columns(&mut self, rel: &mut Rel, fill: &Fill, into: Option<&DatasetId>) {
        if fill.by_name {
            if let Some(known) = into.filter(|_| fill.only_known).and_then(|dataset| self.known_columns(dataset)) {
                rel.columns.retain(|col| &*col.name == "*" || known.contains(&col.name));
            }
            return;
        }
        if !fill.columns.is_empty() {
            return rel.rename(&fill.columns);
        }
        let known =
            into.filter(|_| !fill.makes && fill.target.is_some()).and_then(|dataset| self.known_columns(dataset));
        if let Some(names) = known.filter(|names| names.len() >= rel.columns.len()) {
            rel.rename(&names);
        }
    }

    /// The query says what columns a table has, where nothing else does.
    pub(super) fn remember(&mut self, rel: &Rel, dataset: &DatasetId) {
        if rel.columns.is_empty() || rel.columns.iter().any(|col| &*col.name == "*") {
            return;
        }
        let columns: Vec<Column> = rel.columns.iter().map(|col| self.typed(col)).collect();
        if self.known_columns(dataset).is_none() {
            let number = self.origins.number(dataset);
            self.bases.remove(&number);
            self.local.insert(dataset.clone(), columns.clone());
        }
        self.out.derived.push((dataset.clone(), columns));
    }

    /// A derived column has the type of the one column it copies.
    fn typed(&self, col: &Col) -> Column {
        let origin = col.flow.only().map(|number| self.origins.named(number));
        let same = origin.and_then(|(dataset, name)| self.columns_of(dataset)?.iter().find(|c| c.name == name));
        let (logical, physical) = same.map_or((LogicalType::Text, String::new()), |c| (c.logical, c.physical.clone()));
        Column { name: col.name.as_ref().to_owned(), logical, physical, nullable: true, description: None }
    }

    pub(super) fn add_rel(&self, one: &mut StatementLineage, rel: &Rel, sources: Vec<DatasetId>) {
        let mut known: HashSet<&str> = HashSet::new();
        let mut output = std::mem::take(&mut one.output);
        let before = output.clone();
        known.extend(before.iter().map(String::as_str));
        output.extend(rel.columns.iter().filter(|col| known.insert(&col.name)).map(|col| col.name.as_ref().to_owned()));
        one.output = output;
        for col in &rel.columns {
            one.columns.extend(self.edges(&col.flow, &col.name));
        }
        one.columns.extend(self.edges(&rel.rows, "*"));
        one.columns.sort_unstable();
        one.columns.dedup();
        let all: BTreeSet<DatasetId> = one.sources.drain(..).chain(sources).collect();
        one.sources = all.into_iter().collect();
    }

    fn edges(&self, flow: &Flow, to: &str) -> impl Iterator<Item = ColumnEdge> {
        let edge = move |(origin, kind, ambiguous)| {
            let (dataset, column) = self.origins.named(origin);
            let (from_column, to_column) = (column.to_owned(), to.to_owned());
            ColumnEdge { from: dataset.clone(), from_column, to_column, kind, ambiguous }
        };
        flow.each().map(edge)
    }
}
