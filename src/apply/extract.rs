//! Reads the endpoints of a service from their origins: one snapshot an origin, over all its endpoints.
use std::collections::BTreeMap;

use crate::{
    apply::{context::Context, error::StepError, publication::Committed},
    connector::{ConnectorError, Origin, Snapshot},
    plan::{Publish, PublishEndpoint},
    service::check_schema,
    vocab::{Column, DatasetId, LogicalType, Schema},
};

/// One endpoint as it will be published.
pub(super) struct Source<'a> {
    pub(super) wanted: &'a PublishEndpoint,
    pub(super) table: DatasetId,
    pub(super) schema: Schema,
    pub(super) comment: Option<String>,
    /// Rows in the snapshot.
    pub(super) rows: u64,
}

/// All endpoints, and the snapshots they are read from, by connection.
pub(super) struct Extract<'a> {
    pub(super) sources: Vec<Source<'a>>,
    snapshots: BTreeMap<&'a str, Box<dyn Snapshot>>,
}

impl<'a> Extract<'a> {
    /// Describes every endpoint's table, opens the snapshots and counts in them.
    /// Where an origin cannot tell a table's columns because it holds no rows, they are those of `newest`.
    pub(super) async fn open(
        context: &Context<'_>,
        publish: &'a Publish,
        newest: Option<&Committed>,
    ) -> Result<Extract<'a>, StepError> {
        let mut extract = Extract { sources: Vec::new(), snapshots: BTreeMap::new() };
        for wanted in &publish.endpoints {
            let origin = connected(context, wanted)?;
            let table = context.origin_table(wanted).await?;
            let before = newest.and_then(|newest| newest.endpoint(&wanted.endpoint).ok()).map(|its| &its.schema);
            let (schema, comment) = described(origin, &table, wanted, before).await?;
            let snapshot = match extract.snapshots.entry(&wanted.from) {
                std::collections::btree_map::Entry::Occupied(open) => open.into_mut(),
                std::collections::btree_map::Entry::Vacant(free) => free.insert(origin.snapshot().await?),
            };
            let rows = snapshot.count(&table).await?;
            extract.sources.push(Source { wanted, table, schema, comment, rows });
        }
        Ok(extract)
    }

    /// Lets the snapshots go; nothing is read after that.
    pub(super) fn release(&mut self) {
        self.snapshots.clear();
    }

    /// The snapshot that `source` is read from.
    pub(super) fn snapshot(&mut self, from: &str) -> Result<&mut Box<dyn Snapshot>, StepError> {
        self.snapshots.get_mut(from).ok_or_else(|| StepError::Broken(format!("`{from}` has no open snapshot")))
    }
}

/// The origin of an endpoint.
pub(super) fn connected<'w>(context: &Context<'w>, wanted: &PublishEndpoint) -> Result<&'w dyn Origin, StepError> {
    context.world.origin(&wanted.from).ok_or_else(|| {
        StepError::Connector(ConnectorError::Address {
            what: wanted.from.clone(),
            shown: String::new(),
            reason: "no connection of that name is configured".to_owned(),
            cure: "give its `url` under `sources` in carve.yaml".to_owned(),
        })
    })
}

/// What is published of `table`, and its comment. An origin that cannot tell the columns because it holds no rows has
/// those of `before`, as they were published.
pub(super) async fn described(
    origin: &dyn Origin,
    table: &DatasetId,
    wanted: &PublishEndpoint,
    before: Option<&Schema>,
) -> Result<(Schema, Option<String>), StepError> {
    match (origin.describe(table).await, before) {
        (Ok(found), _) => Ok((published_schema(wanted, found.schema)?, found.comment)),
        (Err(ConnectorError::NoColumns { .. }), Some(before)) => Ok((before.clone(), None)),
        (Err(error), _) => Err(error.into()),
    }
}

/// What is published of a table: columns left out and typed otherwise as the plan says.
pub(super) fn published_schema(wanted: &PublishEndpoint, found: Schema) -> Result<Schema, StepError> {
    let unknown = wanted.omit.iter().chain(wanted.types.keys()).find(|name| !has(&found, name));
    if let Some(name) = unknown {
        return Err(StepError::Broken(format!("`{}` has no column `{name}` that the plan speaks of", wanted.table)));
    }
    let mut schema = found;
    schema.columns.retain(|column| !wanted.omit.contains(&column.name));
    for column in &mut schema.columns {
        if let Some(declared) = wanted.types.get(&column.name) {
            declare(column, *declared);
        }
    }
    if schema.key.iter().any(|name| wanted.omit.contains(name)) {
        // Half a key tells no rows apart.
        schema.key.clear();
    }
    check_schema(&schema).map_err(StepError::format(format!("cannot publish `{}`", wanted.table)))?;
    Ok(schema)
}

/// What is declared is what the column is, in the lake too. Where the origin's values are of another kind, the declaration
/// only says how they cross: a `date` that may be `infinity` crosses as text, and is a date again in a lake that has such.
fn declare(column: &mut Column, declared: LogicalType) {
    let all_it_is = match declared {
        LogicalType::Text => Some("text"),
        LogicalType::Integer => Some("integer"),
        LogicalType::Double => Some("double"),
        _ => None,
    };
    if let Some(all_it_is) = all_it_is.filter(|_| column.logical == declared) {
        column.physical = all_it_is.to_owned();
    }
    column.logical = declared;
}

fn has(schema: &Schema, name: &str) -> bool {
    schema.columns.iter().any(|column| column.name == *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::PartFormat;

    fn wanted() -> PublishEndpoint {
        PublishEndpoint {
            endpoint: "default".parse().unwrap(),
            from: "lake".to_owned(),
            table: "raw.orders".parse().unwrap(),
            format: PartFormat::Csv,
            rows_per_part: 1000,
            expect: None,
            types: [("total".to_owned(), LogicalType::Decimal)].into(),
            omit: vec!["id".to_owned()],
        }
    }

    fn found() -> Schema {
        let column = |name: &str, logical| Column {
            name: name.to_owned(),
            logical,
            physical: String::new(),
            nullable: true,
            description: None,
        };
        let columns = vec![column("id", LogicalType::Integer), column("total", LogicalType::Number)];
        Schema { columns, key: vec!["id".to_owned()] }
    }

    #[test]
    fn a_column_left_out_takes_the_key_with_it() {
        let schema = published_schema(&wanted(), found()).unwrap();
        assert_eq!((schema.columns.len(), schema.key.len()), (1, 0));
        assert_eq!(schema.columns[0].logical, LogicalType::Decimal);
    }

    #[test]
    fn a_declared_type_that_the_column_has_anyway_is_all_that_it_is() {
        use LogicalType::{Date, Decimal, Integer, Text};
        for (physical, logical, declared, expected) in [
            ("character varying(50)", Text, Text, "text"),
            ("int4", Integer, Integer, "integer"),
            ("date", Date, Text, "date"),
            ("numeric(10,2)", Decimal, Decimal, "numeric(10,2)"),
        ] {
            let mut schema = found();
            schema.columns[1] = Column { physical: physical.to_owned(), logical, ..schema.columns[1].clone() };
            let wanted = PublishEndpoint { types: [("total".to_owned(), declared)].into(), ..wanted() };
            let column = &published_schema(&wanted, schema).unwrap().columns[0];
            assert_eq!((column.physical.as_str(), column.logical), (expected, declared), "{physical}");
        }
    }

    #[test]
    fn a_column_that_is_not_there_cannot_be_left_out() {
        let endpoint = PublishEndpoint { omit: vec!["secret".to_owned()], ..wanted() };
        let error = published_schema(&endpoint, found()).unwrap_err().to_string();
        assert_eq!(error, "`raw.orders` has no column `secret` that the plan speaks of");
    }
}
