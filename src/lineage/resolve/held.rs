//! Tables of the session: temp tables, and tables that only pass through a script.
use std::{borrow::Cow, collections::BTreeSet, rc::Rc};

use super::{
    flow::Flow,
    job::RawUse,
    names::lives_for_one_run,
    passing::Event,
    scope::{Col, Rel},
    session::Resolver,
};
use crate::{
    lineage::{Access, sql::ir::Name},
    vocab::{Column, DatasetId},
};

/// The system under which tables of sessions stand, where they are shown.
const SYSTEM: &str = "temp";

/// A table that lives only in the session.
#[derive(Clone, Debug, Default)]
pub(super) struct Temp {
    /// What it holds.
    pub(super) rel: Rc<Rel>,
    /// The datasets that fed it.
    pub(super) tables: BTreeSet<u32>,
    /// Mentions that count as reads once somebody reads it: rows that only moved aside.
    pub(super) owed: Vec<RawUse>,
}

impl Temp {
    /// An empty one with these columns, or with any.
    pub(super) fn empty(columns: &[Column]) -> Self {
        let columns = columns.iter().map(|c| Col { name: c.name.to_lowercase().into(), flow: Flow::default() });
        let rel = Rel { columns: columns.collect(), any: Some(Flow::default()), ..Rel::default() };
        Temp { rel: Rc::new(rel), ..Temp::default() }
    }
}

impl Resolver<'_> {
    /// Under what key the table `name` is held, should it be of the session.
    pub(super) fn held_key<'n>(&self, name: &'n Name) -> Cow<'n, str> {
        match self.passing_dataset(name) {
            // No temp table has a blank in its key.
            Some(dataset) => Cow::Owned(format!("passing {dataset}")),
            None => temp_key(name),
        }
    }

    /// The table held under `key`; none where tables of sessions are shown as datasets.
    pub(super) fn held(&self, key: &str) -> Option<&Temp> {
        self.temps.get(key).filter(|_| self.shown.is_none())
    }

    /// Whether rows put under `name` stay in the session.
    pub(super) fn stays(&self, name: &Name, temp: bool) -> bool {
        self.shown.is_none()
            && (temp || is_temp_name(name) || self.passes(name) || self.temps.contains_key(&*temp_key(name)))
    }

    /// Whether `name` is a table that only passes through the script.
    pub(super) fn passes(&self, name: &Name) -> bool {
        self.passing_dataset(name).is_some()
    }

    fn passing_dataset(&self, name: &Name) -> Option<DatasetId> {
        match self.passing.is_empty() || self.temps.contains_key(&*temp_key(name)) {
            true => None,
            false => self.dataset(name).filter(|dataset| self.passing.contains(dataset)),
        }
    }

    /// What a held table holds; what fed it counts as read.
    pub(super) fn read_held(&mut self, temp: Temp) -> Rc<Rel> {
        self.sources.extend(temp.tables);
        self.out.uses.extend(temp.owed);
        self.read_temp = true;
        temp.rel
    }

    /// Where tables of sessions are shown: the dataset that the temp table `name` is.
    pub(super) fn shown_temp(&self, name: &Name) -> Option<DatasetId> {
        let owner = self.shown.as_deref()?;
        let key = temp_key(name);
        let key = match self.temps.contains_key(&*key) || is_temp_name(name) {
            true => &*key,
            // `CREATE TEMP TABLE t` is SQLite's `temp.t`.
            false => key.strip_prefix('#').filter(|key| self.temps.contains_key(*key))?,
        };
        let table = if owner.is_empty() { key.to_owned() } else { format!("{owner}.{key}") };
        Some(DatasetId::in_system(SYSTEM, &table))
    }

    /// From here on `name` is a temp table, where these are shown.
    pub(super) fn show_temp(&mut self, name: &Name, temp: bool, makes: bool) {
        if self.shown.is_none() || !(temp || is_temp_name(name)) {
            return;
        }
        self.temps.entry(temp_key(name).into_owned()).or_default();
        if let Some(dataset) = self.shown_temp(name).filter(|_| makes) {
            let number = self.origins.number(&dataset);
            self.bases.remove(&number);
            self.local.remove(&dataset);
        }
    }

    /// Writes down what happens to `dataset`, where somebody asks.
    pub(super) fn log_event(&mut self, dataset: &DatasetId, event: Event) {
        if let Some(log) = &mut self.log {
            log.push((dataset.clone(), event));
        }
    }

    /// The same for a mention.
    pub(super) fn log_use(&mut self, dataset: &DatasetId, access: Access) {
        let event = match access {
            Access::Read => Event::Read,
            Access::Write => {
                if self.creates {
                    self.log_event(dataset, Event::Made);
                }
                Event::Written
            }
            Access::Drop => Event::Dropped,
            Access::Define if self.creates => Event::Made,
            Access::Define => return,
        };
        self.log_event(dataset, event);
    }
}

/// Whether a name can only mean a table of the session.
pub(super) fn is_temp_name(name: &Name) -> bool {
    name.parts.last().is_some_and(|part| part.starts_with(['#', '@'])) || lives_for_one_run(name)
}

/// How a temp table is called: `tempdb..#t` is `#t`.
pub(super) fn temp_key(name: &Name) -> Cow<'_, str> {
    match name.parts.as_slice() {
        [only] => only.into(),
        [.., last] if last.starts_with(['#', '@']) => last.into(),
        parts => parts.join(".").into(),
    }
}
