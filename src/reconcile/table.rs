use std::{ops::ControlFlow, sync::Arc};

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{Aligned, Side, meet::Meeting};
use crate::{
    connector::{ConnectorError, Origin, Snapshot},
    vocab::{DatasetId, Row, Schema},
};

/// A table of an origin in one snapshot, whose values are brought into the types they are compared in.
pub struct TableSide {
    snapshot: Mutex<Box<dyn Snapshot>>,
    table: DatasetId,
    schema: Schema,
    meetings: Vec<Meeting>,
    watch: Arc<dyn Fn() -> ControlFlow<()> + Send + Sync>,
}

impl TableSide {
    /// The left table of `aligned`; `watch` may break a reading between batches.
    ///
    /// # Errors
    /// An origin that does not answer.
    pub async fn left(
        origin: &dyn Origin,
        table: &DatasetId,
        aligned: &Aligned,
        watch: Arc<dyn Fn() -> ControlFlow<()> + Send + Sync>,
    ) -> Result<Self, ConnectorError> {
        Self::of(origin, table, &aligned.left, aligned, watch).await
    }

    /// The right table.
    ///
    /// # Errors
    /// An origin that does not answer.
    pub async fn right(
        origin: &dyn Origin,
        table: &DatasetId,
        aligned: &Aligned,
        watch: Arc<dyn Fn() -> ControlFlow<()> + Send + Sync>,
    ) -> Result<Self, ConnectorError> {
        Self::of(origin, table, &aligned.right, aligned, watch).await
    }

    async fn of(
        origin: &dyn Origin,
        table: &DatasetId,
        schema: &Schema,
        aligned: &Aligned,
        watch: Arc<dyn Fn() -> ControlFlow<()> + Send + Sync>,
    ) -> Result<Self, ConnectorError> {
        let snapshot = Mutex::new(origin.snapshot().await?);
        let (table, schema, meetings) = (table.clone(), schema.clone(), aligned.meetings.clone());
        Ok(TableSide { snapshot, table, schema, meetings, watch })
    }
}

#[async_trait]
impl Side for TableSide {
    type Error = ConnectorError;

    async fn each(&self, take: &mut (dyn FnMut(Vec<Row>) -> ControlFlow<()> + Send)) -> Result<(), ConnectorError> {
        let mut stream = self.snapshot.lock().await.rows(&self.table, &self.schema).await?;
        while let Some(batch) = stream.recv().await {
            let met = batch?.into_rows()?.into_iter().map(|row| meet(&self.meetings, row)).collect();
            if (self.watch)().is_break() || take(met).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn meet(meetings: &[Meeting], row: Row) -> Row {
    row.into_iter().zip(meetings).map(|(value, meeting)| meeting.value(value)).collect()
}
