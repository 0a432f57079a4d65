use super::{check::word, decimal, extension};
use crate::vocab::{Bump, Column, Endpoint, LogicalType, PartFormat, Schema};

/// What a reader of one endpoint relies on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSchema {
    /// Which endpoint.
    pub endpoint: Endpoint,
    /// How its parts are written.
    pub part_format: PartFormat,
    /// Its columns and key.
    pub schema: Schema,
}

/// One difference between two publications' schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaChange {
    /// Where.
    pub endpoint: Endpoint,
    /// How much it asks of readers.
    pub bump: Bump,
    /// What changed and why it weighs so much, for people.
    pub text: String,
    /// What readers can no longer read as they did.
    pub lost: Option<Lost>,
}

/// What a reader by name misses after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The whole endpoint.
    Endpoint,
    /// One column: it is gone, holds another type, or NULL where it never did.
    Column(String),
    /// The key of these columns: they no longer find one row.
    Key(Vec<String>),
}

/// How far the next version is from the last by schema alone: the weightiest of [`changes`]; `None`
/// where there are none, so that only new rows can ask for a new publication.
pub fn bump(old: &[EndpointSchema], new: &[EndpointSchema]) -> Option<Bump> {
    changes(old, new).into_iter().map(|change| change.bump).max()
}

/// Every difference between two publications' schemas, the old endpoints in their order, then the
/// added ones. Readers find columns by name, so order alone breaks nobody.
pub fn changes(old: &[EndpointSchema], new: &[EndpointSchema]) -> Vec<SchemaChange> {
    let mut found = Vec::new();
    for before in old {
        let mut told = Told { endpoint: &before.endpoint, found: &mut found };
        match new.iter().find(|after| after.endpoint == before.endpoint) {
            Some(after) => told.endpoint(before, after),
            None => told.lost(Lost::Endpoint, "the endpoint is gone".to_owned()),
        }
    }
    for after in new.iter().filter(|after| old.iter().all(|before| before.endpoint != after.endpoint)) {
        let mut told = Told { endpoint: &after.endpoint, found: &mut found };
        told.additive("the endpoint is new".to_owned());
    }
    found
}

/// Collects the changes of one endpoint.
struct Told<'a> {
    endpoint: &'a Endpoint,
    found: &'a mut Vec<SchemaChange>,
}

impl Told<'_> {
    fn push(&mut self, bump: Bump, text: String) {
        self.found.push(SchemaChange { endpoint: self.endpoint.clone(), bump, text, lost: None });
    }

    fn lost(&mut self, lost: Lost, text: String) {
        let endpoint = self.endpoint.clone();
        self.found.push(SchemaChange { endpoint, bump: Bump::Breaking, text, lost: Some(lost) });
    }

    fn lost_column(&mut self, name: &str, text: String) {
        self.lost(Lost::Column(name.to_owned()), text);
    }

    fn breaking(&mut self, text: String) {
        self.push(Bump::Breaking, text);
    }

    fn additive(&mut self, text: String) {
        self.push(Bump::Additive, text);
    }

    fn endpoint(&mut self, before: &EndpointSchema, after: &EndpointSchema) {
        if before.part_format != after.part_format {
            self.breaking(format!(
                "parts are {} instead of {}",
                extension(after.part_format),
                extension(before.part_format)
            ));
        }
        self.columns(&before.schema, &after.schema);
        self.key(&before.schema.key, &after.schema.key);
    }

    fn columns(&mut self, before: &Schema, after: &Schema) {
        for old in &before.columns {
            match after.columns.iter().find(|new| new.name == old.name) {
                Some(new) => self.column(old, new),
                None => self.lost_column(&old.name, format!("column `{}` is gone", old.name)),
            }
        }
        let added = |new: &&Column| before.columns.iter().all(|old| old.name != new.name);
        for new in after.columns.iter().filter(added) {
            self.additive(format!("column `{}` ({}) is new", new.name, word(new.logical)));
        }
        if common_order(before, after) != common_order(after, before) {
            self.additive("the columns stand in another order".to_owned());
        }
    }

    fn column(&mut self, old: &Column, new: &Column) {
        let name = &old.name;
        if old.logical != new.logical {
            // A wider type breaks readers as a narrower one does: what they hold it in may be too small.
            let (was, is) = (word(old.logical), word(new.logical));
            self.lost_column(name, format!("column `{name}` is {is} instead of {was}"));
        } else if old.logical == LogicalType::Decimal && decimal::declared(old) != decimal::declared(new) {
            let text = format!("column `{name}` is `{}` instead of `{}`", new.physical, old.physical);
            self.lost_column(name, text);
        } else if old.physical != new.physical {
            self.additive(format!("column `{name}` is stored as `{}` instead of `{}`", new.physical, old.physical));
        }
        match (old.nullable, new.nullable) {
            (false, true) => self.lost_column(name, format!("column `{name}` may now be NULL")),
            (true, false) => self.additive(format!("column `{name}` is never NULL any more")),
            _ => {}
        }
        if old.description != new.description {
            self.push(Bump::Publication, format!("column `{name}` is described otherwise"));
        }
    }

    fn key(&mut self, before: &[String], after: &[String]) {
        let names = |key: &[String]| key.join(", ");
        match (before.is_empty(), after.is_empty()) {
            _ if before == after => {}
            (true, _) => self.additive(format!("the key is now ({})", names(after))),
            (_, true) => self.lost(Lost::Key(before.to_vec()), format!("the key ({}) is gone", names(before))),
            _ => {
                let text = format!("the key is ({}) instead of ({})", names(after), names(before));
                self.lost(Lost::Key(before.to_vec()), text);
            }
        }
    }
}

/// Columns of `schema` that `other` has too, in `schema`'s order.
fn common_order<'s>(schema: &'s Schema, other: &Schema) -> Vec<&'s str> {
    let shared = |column: &&Column| other.columns.iter().any(|its| its.name == column.name);
    schema.columns.iter().filter(shared).map(|column| column.name.as_str()).collect()
}
