//! Streams one endpoint from its snapshot into parts: cut, encoded, fingerprinted and stored several at a time.
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use tokio::{
    sync::Semaphore,
    task::{Id, JoinHandle, JoinSet},
};

use crate::{
    apply::{context::Context, cut::Cutter, error::StepError, extract::Source, journal::Facts},
    connector::{Bucket, ConnectorError, RowBatch, RowRange},
    service::{Manifest, PartInfo, PartWriter, ServiceAddress, pad_width, part_count},
    vocab::{Digest, PartFormat, Schema, SchemaVersion, ServiceName},
};

/// Rows held in memory at once for parts under way, about.
const ROWS_UNDER_WAY: usize = 200_000;
/// Bytes of rows held at once for parts under way, unless one part alone has more.
const BYTES_UNDER_WAY: usize = 64 << 20;
/// Stored parts told to the journal at once.
const NOTED: usize = 128;

/// Hears facts that must be in the journal before work goes on.
pub(super) type Noting<'n> = dyn FnMut(Facts) -> Result<(), StepError> + Send + 'n;

/// How an upload ended.
pub(super) enum Uploaded {
    /// All parts are stored.
    All(Manifest),
    /// A part's name has other bytes already: this version number is spent.
    Taken(String),
}

/// Where one endpoint's parts go.
pub(super) struct Upload<'a> {
    pub(super) service: &'a ServiceName,
    pub(super) version: SchemaVersion,
    /// Objects an earlier attempt stored, with the digest of their bytes.
    pub(super) stored: &'a BTreeMap<String, Digest>,
}

struct Job {
    bucket: Arc<dyn Bucket>,
    format: PartFormat,
    schema: Arc<Schema>,
    key: String,
    rows: Vec<RowBatch>,
    /// Turns at encoding.
    turns: Arc<Semaphore>,
    /// Digest and size of what is there already, as far as known.
    there: Option<(Digest, u64)>,
}

impl Upload<'_> {
    /// Stores all rows of `ranges` as parts; the manifest is not stored yet.
    pub(super) async fn run(
        &self,
        context: &Context<'_>,
        source: &Source<'_>,
        ranges: Vec<RowRange>,
        note: &mut Noting<'_>,
    ) -> Result<Uploaded, StepError> {
        let address = ServiceAddress::new(self.service);
        let wanted = source.wanted;
        let width = pad_width(part_count(source.rows, wanted.rows_per_part));
        let schema = Arc::new(source.schema.clone());
        let sizes = self.sizes(context, &address, source).await?;
        // More at once than there are processors would take memory and gain nothing.
        let turns = Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, usize::from)));
        let bucket = &context.world.bucket;
        let mut work = Work::within(concurrency(bucket.kind(), wanted.rows_per_part), bucket.clone());
        let name = format!("publishing {}", wanted.endpoint);
        context.progress.started(&name, Some(source.rows), "rows");
        let mut parts = Cutter::of(&source.table, ranges, u64::from(wanted.rows_per_part.max(1)));
        counted_alike(source, parts.rows())?;
        let (mut rows, mut number) = (0, 0_u64);
        while let Some(chunk) = parts.next().await? {
            context.go_on()?;
            let weight = chunk.rows.iter().map(RowBatch::bytes).sum();
            while work.is_full_with(weight) {
                if let Some(key) = work.one(note).await? {
                    return Ok(Uploaded::Taken(key));
                }
            }
            rows += chunk.len();
            number += 1;
            let key = address.part_key(&wanted.endpoint, self.version, chunk.number, width, wanted.format);
            let there = self.stored.get(&key).copied().zip(sizes.get(&key).copied());
            let bucket = context.world.bucket.clone();
            let (format, schema, turns) = (wanted.format, schema.clone(), turns.clone());
            work.begin(weight, Job { bucket, format, schema, key, rows: chunk.rows, turns, there }.store(chunk.number));
            context.progress.advanced(&name, rows);
        }
        while !work.set.is_empty() {
            context.go_on()?;
            if let Some(key) = work.one(note).await? {
                return Ok(Uploaded::Taken(key));
            }
        }
        work.say(note).await?;
        work.said(note).await?;
        context.progress.finished(&name, &format!("{rows} rows in {number} parts"));
        let parts = work.done.into_values().collect();
        let (service, endpoint) = (self.service.clone(), wanted.endpoint.clone());
        Ok(Uploaded::All(Manifest::new(service, endpoint, self.version, wanted.format, source.schema.clone(), parts)))
    }

    /// Sizes of the objects under this version's names; asked only when an earlier attempt stored some.
    async fn sizes(
        &self,
        context: &Context<'_>,
        address: &ServiceAddress,
        source: &Source<'_>,
    ) -> Result<BTreeMap<String, u64>, StepError> {
        if self.stored.is_empty() {
            return Ok(BTreeMap::new());
        }
        let prefix = format!("{}v{}.", address.endpoint_prefix(&source.wanted.endpoint), self.version);
        let listed = context.world.bucket.list(&prefix).await?;
        Ok(listed.into_iter().map(|info| (info.key, info.bytes)).collect())
    }
}

/// The ranges were counted apart from the table: both must see the same rows.
fn counted_alike(source: &Source<'_>, rows: u64) -> Result<(), StepError> {
    match rows == source.rows {
        true => Ok(()),
        false => {
            let what = format!(
                "`{}` was counted with {} rows and its ranges with {rows} in one snapshot: it was written to meanwhile",
                source.table, source.rows
            );
            Err(StepError::Passing { what, source: None })
        }
    }
}

/// Parts under way and parts done.
struct Work {
    set: JoinSet<Result<(u64, PartInfo), StepError>>,
    /// Parts that may be under way at once.
    limit: usize,
    /// Bytes of the rows under way, by the task that has them.
    weights: HashMap<Id, usize>,
    done: BTreeMap<u64, PartInfo>,
    unsaid: Facts,
    bucket: Arc<dyn Bucket>,
    /// What is told to the journal once the bucket has settled.
    settling: Option<(JoinHandle<Result<(), ConnectorError>>, Facts)>,
}

impl Work {
    fn within(limit: usize, bucket: Arc<dyn Bucket>) -> Work {
        let (set, weights, done) = (JoinSet::new(), HashMap::new(), BTreeMap::new());
        Work { set, limit, weights, done, unsaid: Facts::default(), bucket, settling: None }
    }

    /// Whether a part of `weight` has to wait. The first may have any weight: it has to go some time.
    fn is_full_with(&self, weight: usize) -> bool {
        let under_way: usize = self.weights.values().sum();
        !self.set.is_empty() && (self.set.len() >= self.limit || under_way + weight > BYTES_UNDER_WAY)
    }

    fn begin(
        &mut self,
        weight: usize,
        work: impl Future<Output = Result<(u64, PartInfo), StepError>> + Send + 'static,
    ) {
        let id = self.set.spawn(work).id();
        self.weights.insert(id, weight);
    }

    /// Waits for one part; gives its key when the name is taken by other bytes.
    async fn one(&mut self, note: &mut Noting<'_>) -> Result<Option<String>, StepError> {
        let Some(joined) = self.set.join_next_with_id().await else { return Ok(None) };
        let (id, stored) = joined.map_err(StepError::task("cannot store a part"))?;
        self.weights.remove(&id);
        match stored {
            Ok((number, part)) => {
                self.unsaid.stored.insert(part.key.clone(), part.digest);
                self.done.insert(number, part);
                if self.unsaid.stored.len() >= NOTED {
                    self.say(note).await?;
                }
                Ok(None)
            }
            Err(StepError::Connector(ConnectorError::Taken { key })) => {
                self.set.shutdown().await;
                Ok(Some(key))
            }
            Err(error) => {
                // What is stored is stored: a later run need not store it again.
                self.set.shutdown().await;
                self.say(note).await?;
                self.said(note).await?;
                Err(error)
            }
        }
    }

    /// Begins to tell what is stored: in the journal stands only what outlasts a power cut. Parts go on meanwhile.
    async fn say(&mut self, note: &mut Noting<'_>) -> Result<(), StepError> {
        self.said(note).await?;
        if !self.unsaid.stored.is_empty() {
            let bucket = self.bucket.clone();
            let settling = tokio::spawn(async move { bucket.settle().await });
            self.settling = Some((settling, std::mem::take(&mut self.unsaid)));
        }
        Ok(())
    }

    /// Ends what [`Work::say`] began.
    async fn said(&mut self, note: &mut Noting<'_>) -> Result<(), StepError> {
        let Some((settling, facts)) = self.settling.take() else { return Ok(()) };
        settling.await.map_err(StepError::task("cannot keep the parts"))??;
        note(facts)
    }
}

impl Job {
    async fn store(self, number: u64) -> Result<(u64, PartInfo), StepError> {
        let Job { bucket, format, schema, key, rows, turns, there } = self;
        let named = key.clone();
        let turn = turns.acquire_owned().await.map_err(StepError::task("cannot encode a part"))?;
        let encoded = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let failed = |error| StepError::format(format!("cannot encode part `{named}`"))(error);
            let about = rows.iter().map(RowBatch::bytes).sum();
            let mut writer = PartWriter::of_about(format, &schema, about).map_err(failed)?;
            for batch in rows {
                batch.each(|row| writer.push(row).map_err(failed))?;
            }
            let (fingerprint, bytes) = writer.finish().map_err(failed)?;
            Ok::<_, StepError>((fingerprint, Digest::of(&bytes), bytes))
        });
        let (fingerprint, digest, bytes) =
            encoded.await.map_err(StepError::task(format!("cannot encode part `{key}`")))??;
        let size = bytes.len() as u64;
        if there != Some((digest, size)) {
            bucket.put_new(&key, bytes, &digest).await?;
        }
        Ok((number, PartInfo { key, rows: fingerprint.rows, bytes: size, digest, fingerprint }))
    }
}

/// Parts stored at once: what the store gains from, within the memory that large parts leave.
fn concurrency(kind: &str, rows_per_part: u32) -> usize {
    let gain = if kind == "folder" { 8 } else { 32 };
    parts_at_once(rows_per_part).min(gain)
}

/// Parts of that many rows that memory has room for.
pub(super) fn parts_at_once(rows_per_part: u32) -> usize {
    (ROWS_UNDER_WAY / rows_per_part.max(1) as usize).max(1)
}
