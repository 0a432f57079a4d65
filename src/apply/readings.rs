//! Whole readings of tables, so that a table which serves two proofs of one run is read once. A reading is used again
//! only when the lake itself says that the table holds the rows which were read and no others.
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{
    apply::{error::StepError, rows::fingerprint},
    connector::{Moment, Origin},
    service::Fingerprint,
    vocab::{DatasetId, LogicalType, Schema},
};

/// What failed when a row is none of the schema.
const COMPARING: &str = "cannot compare a row";

/// The readings of one run, the last of each table.
#[derive(Debug, Default)]
pub(super) struct Readings(Mutex<BTreeMap<DatasetId, Reading>>);

#[derive(Clone, Debug)]
struct Reading {
    /// What decides a row's fingerprint: the columns' order and types.
    columns: Vec<(String, LogicalType)>,
    moment: Moment,
    found: Fingerprint,
}

impl Readings {
    /// The fingerprint of all rows of `table` by a reading that was made in this run and still holds, or by a new one.
    pub(super) async fn fingerprint(
        &self,
        origin: &dyn Origin,
        table: &DatasetId,
        schema: &Schema,
        watch: &(dyn Fn() -> Result<(), StepError> + Sync),
    ) -> Result<Fingerprint, StepError> {
        let mut snapshot = origin.snapshot().await?;
        if let Some(known) = self.of(table).filter(|known| known.columns == columns(schema))
            && snapshot.unchanged_since(table, &known.moment, known.found.rows).await?
        {
            return Ok(known.found);
        }
        let moment = snapshot.moment(table).await?;
        let streams = snapshot.scattered(table, schema).await?;
        let found = fingerprint(streams, schema, COMPARING, watch).await?;
        if let Some(moment) = moment {
            self.keep(table, Reading { columns: columns(schema), moment, found });
        }
        Ok(found)
    }

    fn of(&self, table: &DatasetId) -> Option<Reading> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(table).cloned()
    }

    fn keep(&self, table: &DatasetId, reading: Reading) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(table.clone(), reading);
    }
}

fn columns(schema: &Schema) -> Vec<(String, LogicalType)> {
    schema.columns.iter().map(|column| (column.name.clone(), column.logical)).collect()
}
