//! What statements do to names: columns declared, schemas used, tables of the session.
use super::{
    held::{Temp, is_temp_name, temp_key},
    session::Resolver,
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
            Effect::Database(database) => self.database = Some(database.clone()),
            Effect::Temp(name, columns) => {
                self.temps.insert(temp_key(name).into_owned(), Temp::empty(columns));
                if self.shown.is_some() && !columns.is_empty() {
                    self.declare(name, columns.clone());
                }
            }
            Effect::Columns(name, columns) if self.passes(name) => {
                let key = self.held_key(name).into_owned();
                self.temps.insert(key, Temp::empty(columns));
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
            Effect::Stage(stage, place) => {
                self.own_stages.insert(stage.clone(), place.clone());
            }
            Effect::System(alias, system) => {
                self.systems.insert(alias.clone(), system.clone());
            }
            Effect::Like(name, model) => {
                let known = self.dataset(model).and_then(|dataset| self.columns_of(&dataset).map(<[Column]>::to_vec));
                let Some(columns) = known else { return };
                let key = self.held_key(name).into_owned();
                match self.held(&key).is_some() || self.passes(name) {
                    true => drop(self.temps.insert(key, Temp::empty(&columns))),
                    false => self.declare(name, columns),
                }
            }
        }
    }

    fn declare(&mut self, name: &Name, columns: Vec<Column>) {
        let Some(dataset) = self.dataset(name).filter(|_| self.shown.is_some() || !is_temp_name(name)) else { return };
        let number = self.origins.number(&dataset);
        self.bases.remove(&number);
        self.out.declared.push((dataset.clone(), columns.clone()));
        self.local.insert(dataset, columns);
    }
}
