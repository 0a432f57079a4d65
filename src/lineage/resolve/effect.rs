//! What statements do to names: columns declared, schemas used, tables of the session.
use std::{collections::BTreeSet, rc::Rc};

use super::{
    flow::Flow,
    scope::{Col, Rel},
    session::{Resolver, Temp, is_temp_name, temp_key},
};
use crate::{
    lineage::sql::ir::{Effect, Name},
    vocab::Column,
};

impl Resolver<'_> {
    /// One effect, in the order of the script.
    pub(super) fn effect(&mut self, effect: &Effect) {
        match effect {
            Effect::Schema(schema) => self.schema = Some(schema.clone()),
            Effect::Temp(name, columns) => {
                let columns =
                    columns.iter().map(|c| Col { name: c.name.as_str().into(), flow: Flow::default() }).collect();
                let rel = Rel { columns, any: Some(Flow::default()), ..Rel::default() };
                self.temps.insert(temp_key(name).into_owned(), Temp { rel: Rc::new(rel), tables: BTreeSet::new() });
            }
            Effect::Columns(name, columns) if !columns.is_empty() => self.declare(name, columns.clone()),
            Effect::Columns(..) => {}
            Effect::AddColumns(name, added) => {
                let known = self.dataset(name).and_then(|dataset| self.columns_of(&dataset).map(<[Column]>::to_vec));
                if let Some(mut columns) = known {
                    columns.retain(|c| added.iter().all(|a| a.name != c.name));
                    columns.extend(added.iter().cloned());
                    self.declare(name, columns);
                }
            }
            Effect::System(alias, system) => {
                self.systems.insert(alias.clone(), system.clone());
            }
            Effect::Like(name, model) => {
                let known = self.dataset(model).and_then(|dataset| self.columns_of(&dataset).map(<[Column]>::to_vec));
                let Some(columns) = known else { return };
                match self.temps.get_mut(&*temp_key(name)) {
                    Some(temp) => {
                        let empty = |c: &Column| Col { name: c.name.to_lowercase().into(), flow: Flow::default() };
                        Rc::make_mut(&mut temp.rel).columns = columns.iter().map(empty).collect();
                    }
                    None => self.declare(name, columns),
                }
            }
        }
    }

    fn declare(&mut self, name: &Name, columns: Vec<Column>) {
        let Some(dataset) = self.dataset(name).filter(|_| !is_temp_name(name)) else { return };
        let number = self.origins.number(&dataset);
        self.bases.remove(&number);
        self.out.declared.push((dataset.clone(), columns.clone()));
        self.local.insert(dataset, columns);
    }
}
