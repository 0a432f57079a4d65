//! What names mean at one place of a query: relations, CTEs, outer queries.
use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

use super::flow::Flow;
use crate::lineage::sql::ir::Bytes;

/// One column of a relation.
#[derive(Clone, Debug)]
pub(super) struct Col {
    /// Lower case.
    pub(super) name: Rc<str>,
    /// What feeds it.
    pub(super) flow: Flow,
}

/// A relation, resolved: its columns down to columns of datasets.
#[derive(Clone, Debug, Default)]
pub(super) struct Rel {
    /// Known columns, in order; one called `*` stands for columns nobody knows.
    pub(super) columns: Vec<Col>,
    /// Datasets (by number) whose unknown columns pass through.
    pub(super) open: Vec<u32>,
    /// The dataset it is, where it is one.
    pub(super) base: Option<u32>,
    /// What feeds every further column (table functions).
    pub(super) any: Option<Flow>,
    /// What decides which rows there are.
    pub(super) rows: Flow,
}

impl Rel {
    /// The known column `name`.
    pub(super) fn known(&self, name: &str) -> Option<&Flow> {
        self.columns.iter().find(|col| *col.name == *name).map(|col| &col.flow)
    }

    /// Whether the same feeds both, column by column and row by row.
    pub(super) fn same_flows(&self, other: &Rel) -> bool {
        let mine = self.columns.iter().map(|col| &col.flow);
        self.rows == other.rows && mine.eq(other.columns.iter().map(|col| &col.flow))
    }

    /// Columns that are there twice under one name, fed by the same, are there once: whoever reads the relation
    /// sees no difference, and `SELECT *` over two copies of one query does not double what is known.
    pub(super) fn without_twins(mut self) -> Self {
        let names: HashSet<&str> = self.columns.iter().map(|col| &*col.name).collect();
        if names.len() < self.columns.len() {
            let mut seen = HashSet::new();
            let columns = std::mem::take(&mut self.columns);
            self.columns =
                columns.into_iter().filter(|col| seen.insert((col.name.clone(), col.flow.clone()))).collect();
        }
        self
    }

    /// Gives the first columns new names.
    pub(super) fn rename<S: AsRef<str>>(&mut self, names: &[S]) {
        if self.columns.iter().take(names.len()).any(|col| &*col.name == "*") {
            return;
        }
        for (col, name) in self.columns.iter_mut().zip(names) {
            col.name = name.as_ref().into();
        }
    }
}

/// A relation in a FROM clause.
#[derive(Clone, Debug)]
pub(super) struct ScopeRel {
    /// Its alias.
    pub(super) alias: Option<String>,
    /// Its written name, where it is a table.
    pub(super) name: Vec<String>,
    /// Where that name is written, where the table has no alias.
    pub(super) mention: Option<Bytes>,
    /// What it is.
    pub(super) rel: Rc<Rel>,
    /// Whether `*` leaves it out and its columns need a qualifier.
    pub(super) hidden: bool,
}

impl ScopeRel {
    /// Whether `qualifier` means this relation.
    pub(super) fn is_called(&self, qualifier: &[String]) -> bool {
        match &self.alias {
            Some(alias) => qualifier.len() == 1 && qualifier[0] == *alias,
            None => !self.name.is_empty() && self.name.ends_with(qualifier),
        }
    }
}

/// The FROM clause of one select.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// Relations, in order.
    pub(super) rels: Vec<ScopeRel>,
    /// Columns merged by USING.
    pub(super) merged: Vec<(Rc<str>, Flow)>,
    /// Items of the select list so far, where later ones may use them.
    pub(super) aliases: HashMap<Rc<str>, Flow>,
}

impl Scope {
    /// The relations whose columns need no qualifier.
    pub(super) fn visible(&self) -> impl Iterator<Item = &ScopeRel> {
        self.rels.iter().filter(|one| !one.hidden)
    }

    /// The columns of `*`: merged ones first, as the standard has it.
    pub(super) fn star(&self) -> (Vec<Col>, Vec<u32>) {
        let mut columns: Vec<Col> =
            self.merged.iter().map(|(name, flow)| Col { name: name.clone(), flow: flow.clone() }).collect();
        let mut open = Vec::new();
        for one in self.rels.iter().filter(|one| !one.hidden) {
            let is_merged = |col: &&Col| self.merged.iter().any(|(name, _)| *name == col.name);
            columns.extend(one.rel.columns.iter().filter(|col| !is_merged(col)).cloned());
            open.extend(&one.rel.open);
        }
        (columns, open)
    }
}

/// What surrounds a query: CTEs, the select it stands in, the system it runs in.
#[derive(Debug, Default)]
pub(super) struct Env<'p> {
    /// CTEs defined here.
    pub(super) ctes: HashMap<String, Rc<Rel>>,
    /// Around it.
    pub(super) outer: Option<&'p Env<'p>>,
    /// The select it stands in.
    pub(super) scope: Option<&'p Scope>,
    /// The source system it runs in.
    pub(super) system: Option<&'p str>,
}

impl<'p> Env<'p> {
    /// Within `outer`, nothing of its own yet.
    pub(super) fn within(outer: &'p Env<'p>) -> Self {
        Env { outer: Some(outer), ..Env::default() }
    }

    /// Within `outer` and the select `scope`.
    pub(super) fn inside(outer: &'p Env<'p>, scope: &'p Scope) -> Self {
        Env { outer: Some(outer), scope: Some(scope), ..Env::default() }
    }

    /// The CTE `name`, the nearest first.
    pub(super) fn cte(&self, name: &str) -> Option<Rc<Rel>> {
        self.chain().find_map(|env| env.ctes.get(name).cloned())
    }

    /// The source system, where a query runs in one.
    pub(super) fn system(&self) -> Option<&str> {
        self.chain().find_map(|env| env.system)
    }

    /// The selects around, innermost first.
    pub(super) fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.chain().filter_map(|env| env.scope)
    }

    fn chain(&self) -> impl Iterator<Item = &Env<'p>> {
        std::iter::successors(Some(self), |env| env.outer)
    }
}
