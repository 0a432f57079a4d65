use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use tokio::{sync::Mutex, task::JoinSet};

use super::{Aligned, Side, Taker, Within, meet::Meeting};
use crate::{
    connector::{ConnectorError, KeyRanges, Origin, RowStream, Snapshot},
    vocab::{DatasetId, LogicalType, Schema},
};

/// Asked between batches whether to go on.
type Watch = Arc<dyn Fn() -> ControlFlow<()> + Send + Sync>;

/// A table of an origin in one snapshot, whose values are brought into the types they are compared in.
pub struct TableSide {
    snapshot: Mutex<Box<dyn Snapshot>>,
    table: DatasetId,
    schema: Schema,
    meetings: Arc<[Meeting]>,
    watch: Watch,
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
        watch: Watch,
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
        watch: Watch,
    ) -> Result<Self, ConnectorError> {
        Self::of(origin, table, &aligned.right, aligned, watch).await
    }

    async fn of(
        origin: &dyn Origin,
        table: &DatasetId,
        schema: &Schema,
        aligned: &Aligned,
        watch: Watch,
    ) -> Result<Self, ConnectorError> {
        let snapshot = Mutex::new(origin.snapshot().await?);
        let (table, schema, meetings) = (table.clone(), schema.clone(), aligned.meetings.clone().into());
        Ok(TableSide { snapshot, table, schema, meetings, watch })
    }

    /// In this table's own words; `None` where its key is something else than the whole number that it is compared as.
    fn ranges(&self, within: &Within) -> Option<KeyRanges> {
        let column = self.schema.columns.get(within.column)?;
        let same = column.logical == LogicalType::Integer;
        same.then(|| KeyRanges { column: column.name.clone(), keys: within.keys.clone() })
    }
}

#[async_trait]
impl Side for TableSide {
    type Error = ConnectorError;

    async fn each<T: Taker>(
        &self,
        within: Option<&Within>,
        make: &(dyn Fn() -> T + Sync),
    ) -> Result<Vec<T>, ConnectorError> {
        let streams = {
            let mut snapshot = self.snapshot.lock().await;
            match within.and_then(|within| self.ranges(within)) {
                Some(only) => snapshot.scattered_within(&self.table, &self.schema, &only).await?,
                None => snapshot.scattered(&self.table, &self.schema).await?,
            }
        };
        let ended = Arc::new(AtomicBool::new(false));
        let mut places = JoinSet::new();
        for stream in streams {
            let (meetings, watch) = (self.meetings.clone(), self.watch.clone());
            places.spawn(Place { stream, meetings, watch, ended: ended.clone() }.read(make()));
        }
        let mut takers = Vec::new();
        while let Some(taker) = places.join_next().await {
            let doing = || format!("read `{}`", self.table);
            takers.push(taker.map_err(|e| ConnectorError::Engine { doing: doing(), source: e.into() })??);
        }
        Ok(takers)
    }
}

/// One of the places at which a table is read.
struct Place {
    stream: RowStream,
    meetings: Arc<[Meeting]>,
    watch: Watch,
    /// Whether a taker has broken the reading, here or elsewhere.
    ended: Arc<AtomicBool>,
}

impl Place {
    async fn read<T: Taker>(mut self, mut taker: T) -> Result<T, ConnectorError> {
        while let Some(batch) = self.stream.recv().await {
            if self.ended.load(Ordering::Relaxed) || (self.watch)().is_break() {
                break;
            }
            batch?.each(|row| {
                if !self.ended.load(Ordering::Relaxed) {
                    row.iter_mut().zip(&*self.meetings).for_each(|(value, meeting)| meeting.meet(value));
                    if taker.take(row).is_break() {
                        self.ended.store(true, Ordering::Relaxed);
                    }
                }
                Ok::<_, ConnectorError>(())
            })?;
        }
        Ok(taker)
    }
}
