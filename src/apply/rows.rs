//! Rows from wherever they lie — a table, published parts, a query — as one kind of stream, so that any two can be compared.
use std::{collections::VecDeque, sync::Arc};

use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet},
};

use crate::{
    apply::error::StepError,
    connector::{Bucket, Lake, Origin, RowBatch, RowStream, Snapshot},
    service::{Fingerprint, Fingerprinter, Manifest, PartInfo, decode_part},
    vocab::{DatasetId, Digest, Row, Schema},
};

/// Parts fetched and decoded ahead of the one that is read.
const AHEAD: usize = 4;

/// Where rows lie. It can be opened again: differences need a second reading.
pub(super) enum Rows<'a> {
    Table(&'a dyn Origin, &'a DatasetId, &'a Schema),
    Parts(Arc<dyn Bucket>, Arc<Manifest>),
    Query(&'a dyn Lake, &'a str),
}

/// Rows being read. The snapshot lives as long as they do.
pub(super) enum Opened {
    Stream { rows: RowStream, _snapshot: Option<Box<dyn Snapshot>> },
    Parts(PartStream),
}

impl Rows<'_> {
    pub(super) async fn open(&self) -> Result<Opened, StepError> {
        match self {
            Rows::Table(origin, table, schema) => {
                let mut snapshot = origin.snapshot().await?;
                let rows = snapshot.rows(table, schema).await?;
                Ok(Opened::Stream { rows, _snapshot: Some(snapshot) })
            }
            Rows::Parts(bucket, manifest) => {
                let parts = manifest.parts.clone();
                Ok(Opened::Parts(PartStream::open(bucket.clone(), manifest.clone(), parts)))
            }
            Rows::Query(lake, sql) => Ok(Opened::Stream { rows: lake.query(sql).await?.1, _snapshot: None }),
        }
    }

    /// Fingerprint of all rows under `schema`; `watch` may stop the reading between batches.
    pub(super) async fn fingerprint(
        &self,
        schema: &Schema,
        watch: &(dyn Fn() -> Result<(), StepError> + Sync),
    ) -> Result<Fingerprint, StepError> {
        if let Rows::Table(origin, table, read) = self {
            let mut snapshot = origin.snapshot().await?;
            let streams = snapshot.scattered(table, read).await?;
            return fingerprint(streams, schema, "cannot compare a row", watch).await;
        }
        let mut opened = self.open().await?;
        let mut all = Fingerprint::default();
        while let Some(batch) = opened.batch().await? {
            watch()?;
            all.merge(&of_batch(schema, batch, "cannot compare a row")?);
        }
        Ok(all)
    }
}

/// Fingerprint of the rows of all `streams`, which are read side by side; `watch` may stop the reading between
/// batches. `doing` is what has failed when a row is none of `schema`.
pub(super) async fn fingerprint(
    streams: Vec<RowStream>,
    schema: &Schema,
    doing: &str,
    watch: &(dyn Fn() -> Result<(), StepError> + Sync),
) -> Result<Fingerprint, StepError> {
    let (sender, mut batches) = mpsc::channel(streams.len().max(1));
    let mut readers = JoinSet::new();
    for mut stream in streams {
        let (sender, schema, doing) = (sender.clone(), schema.clone(), doing.to_owned());
        readers.spawn(async move {
            while let Some(batch) = stream.recv().await {
                let found = batch.map_err(StepError::from).and_then(|batch| of_batch(&schema, batch, &doing));
                if sender.send(found).await.is_err() {
                    break;
                }
            }
        });
    }
    drop(sender);
    let mut all = Fingerprint::default();
    while let Some(found) = batches.recv().await.transpose()? {
        watch()?;
        all.merge(&found);
    }
    // A reader that panicked has ended its stream early.
    while let Some(ended) = readers.join_next().await {
        ended.map_err(StepError::task(doing))?;
    }
    Ok(all)
}

fn of_batch(schema: &Schema, batch: RowBatch, doing: &str) -> Result<Fingerprint, StepError> {
    let mut all = Fingerprinter::new(schema);
    batch.each(|row| all.push(row).map_err(|e| StepError::format(doing)(e)))?;
    Ok(all.finish())
}

impl Opened {
    /// The next rows; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Row>>, StepError> {
        Ok(self.batch().await?.map(RowBatch::into_rows).transpose()?)
    }

    async fn batch(&mut self) -> Result<Option<RowBatch>, StepError> {
        match self {
            Opened::Stream { rows, .. } => Ok(rows.recv().await.transpose()?),
            Opened::Parts(parts) => Ok(parts.next().await?.map(|(_, rows)| rows.into())),
        }
    }
}

/// One part on its way.
type Fetching = JoinHandle<Result<Vec<Row>, StepError>>;

/// Published parts in the manifest's order, fetched ahead, each checked against its digest.
pub(super) struct PartStream {
    bucket: Arc<dyn Bucket>,
    manifest: Arc<Manifest>,
    waiting: VecDeque<PartInfo>,
    fetching: VecDeque<(PartInfo, Fetching)>,
}

impl PartStream {
    /// Reads `parts` of `manifest`.
    pub(super) fn open(bucket: Arc<dyn Bucket>, manifest: Arc<Manifest>, parts: Vec<PartInfo>) -> Self {
        PartStream { bucket, manifest, waiting: parts.into(), fetching: VecDeque::new() }
    }

    /// The next part and its rows; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<(PartInfo, Vec<Row>)>, StepError> {
        while self.fetching.len() < AHEAD
            && let Some(part) = self.waiting.pop_front()
        {
            let work = fetch(self.bucket.clone(), self.manifest.clone(), part.clone());
            self.fetching.push_back((part, tokio::spawn(work)));
        }
        let Some((part, work)) = self.fetching.pop_front() else { return Ok(None) };
        let rows = work.await.map_err(StepError::task(format!("cannot read part `{}`", part.key)))??;
        Ok(Some((part, rows)))
    }
}

impl Drop for PartStream {
    fn drop(&mut self) {
        self.fetching.iter().for_each(|(_, work)| work.abort());
    }
}

async fn fetch(bucket: Arc<dyn Bucket>, manifest: Arc<Manifest>, part: PartInfo) -> Result<Vec<Row>, StepError> {
    let bytes = whole(bucket, part.clone()).await?;
    let decoded = tokio::task::spawn_blocking(move || decode(&manifest, &part, &bytes)).await;
    decoded.map_err(StepError::task("cannot decode a part"))?
}

/// The bytes of `part`, checked against its digest.
pub(super) async fn whole(bucket: Arc<dyn Bucket>, part: PartInfo) -> Result<Vec<u8>, StepError> {
    let bytes = match bucket.get(&part.key).await {
        Ok(bytes) => bytes,
        Err(crate::connector::ConnectorError::NoSuchObject(_)) => {
            return Err(damaged(&part, "is not there"));
        }
        Err(error) => return Err(error.into()),
    };
    let checked = tokio::task::spawn_blocking(move || {
        if bytes.len() as u64 == part.bytes && Digest::of(&bytes) == part.digest {
            return Ok(bytes);
        }
        let size = format!("has {} bytes with another digest than the manifest's {}", bytes.len(), part.bytes);
        Err(damaged(&part, &size))
    });
    checked.await.map_err(StepError::task("cannot check a part"))?
}

fn decode(manifest: &Manifest, part: &PartInfo, bytes: &[u8]) -> Result<Vec<Row>, StepError> {
    let bad = || StepError::damaged(format!("cannot decode part `{}`", part.key));
    let rows = decode_part(manifest.part_format, &manifest.schema, bytes).map_err(bad())?;
    let found = Fingerprint::of(&manifest.schema, &rows).map_err(bad())?;
    match found == part.fingerprint {
        true => Ok(rows),
        false => Err(damaged(part, "holds other rows than the manifest says")),
    }
}

/// A published part that is not what its manifest says.
fn damaged(part: &PartInfo, how: &str) -> StepError {
    StepError::Damaged(format!("part `{}` {how}", part.key))
}
