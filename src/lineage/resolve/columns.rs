//! Numbers for columns, and set operations over columns.
use std::{collections::HashMap, rc::Rc};

use super::scope::Rel;
use crate::vocab::DatasetId;

/// Datasets and columns by number, so that sets of them are small.
#[derive(Debug, Default)]
pub(super) struct Origins {
    datasets: Vec<DatasetId>,
    dataset_numbers: HashMap<DatasetId, u32>,
    columns: Vec<(u32, Rc<str>)>,
    /// By dataset.
    column_numbers: Vec<HashMap<Rc<str>, u32>>,
}

impl Origins {
    /// The number of `dataset`.
    pub(super) fn number(&mut self, dataset: &DatasetId) -> u32 {
        if let Some(number) = self.dataset_numbers.get(dataset) {
            return *number;
        }
        let number = self.datasets.len() as u32;
        self.datasets.push(dataset.clone());
        self.column_numbers.push(HashMap::new());
        self.dataset_numbers.insert(dataset.clone(), number);
        number
    }

    /// The dataset numbered `number`.
    pub(super) fn dataset(&self, number: u32) -> &DatasetId {
        &self.datasets[number as usize]
    }

    /// The number of a column.
    pub(super) fn column(&mut self, dataset: u32, name: &str) -> u32 {
        match self.column_numbers[dataset as usize].get(name) {
            Some(number) => *number,
            None => self.named_column(dataset, name.into()),
        }
    }

    /// The number of a column whose name is held already.
    pub(super) fn named_column(&mut self, dataset: u32, name: Rc<str>) -> u32 {
        let next = self.columns.len() as u32;
        let number = *self.column_numbers[dataset as usize].entry(Rc::clone(&name)).or_insert(next);
        if number == next {
            self.columns.push((dataset, name));
        }
        number
    }

    /// The dataset and the name of the column numbered `number`.
    pub(super) fn named(&self, number: u32) -> (&DatasetId, &str) {
        let (dataset, name) = &self.columns[number as usize];
        (self.dataset(*dataset), name)
    }
}

/// UNION: the n-th column takes in the n-th.
pub(super) fn merge_by_place(rel: &mut Rel, other: &Rel) {
    let has_star = |rel: &Rel| rel.columns.iter().any(|col| &*col.name == "*");
    if has_star(rel) || has_star(other) {
        return merge_open(rel, other);
    }
    for (mine, theirs) in rel.columns.iter_mut().zip(&other.columns) {
        mine.flow.merge(&theirs.flow);
    }
    merge_rest(rel, other);
}

/// Where places are not known, names have to do: stars meet stars, names meet names.
fn merge_open(rel: &mut Rel, other: &Rel) {
    let places_agree = rel.columns.len() == other.columns.len();
    for (at, theirs) in other.columns.iter().enumerate() {
        let mine = rel.columns.iter().position(|mine| mine.name == theirs.name).or(places_agree.then_some(at));
        match mine {
            Some(at) => rel.columns[at].flow.merge(&theirs.flow),
            None => rel.columns.push(theirs.clone()),
        }
    }
    merge_rest(rel, other);
}

/// UNION BY NAME.
pub(super) fn merge_by_name(rel: &mut Rel, other: &Rel) {
    for theirs in &other.columns {
        match rel.columns.iter_mut().find(|mine| mine.name == theirs.name) {
            Some(mine) => mine.flow.merge(&theirs.flow),
            None => rel.columns.push(theirs.clone()),
        }
    }
    merge_rest(rel, other);
}

fn merge_rest(rel: &mut Rel, other: &Rel) {
    for dataset in &other.open {
        if !rel.open.contains(dataset) {
            rel.open.push(*dataset);
        }
    }
    if let Some(any) = &other.any {
        rel.any.get_or_insert_default().merge(any);
    }
}
