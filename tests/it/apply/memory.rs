//! A lake and a bucket in memory, behind a gate that can fail a call or kill the world at it.
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use carve::{
    connector::{
        Bucket, ConnectorError, Lake, LoadPart, ObjectInfo, Origin, PutOutcome, RowStream, Snapshot, TableDescription,
    },
    service::decode_part,
    vocab::{DatasetId, Digest, Row, Schema, Value},
};
use tokio::sync::{Notify, mpsc};

/// What happens to one call of the world, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The process dies before the call has any effect.
    DiesBefore(usize),
    /// It dies when the call has had its effect and nobody heard of it.
    DiesAfter(usize),
    /// The call fails without an effect.
    Fails(usize),
}

/// Counts every call and lets fate happen.
#[derive(Default)]
pub(super) struct Gate {
    calls: AtomicUsize,
    fate: Mutex<Option<Fate>>,
    dead: AtomicBool,
    died: Notify,
}

impl Gate {
    pub(super) fn set(&self, fate: Option<Fate>) {
        *self.fate.lock().unwrap() = fate;
        self.calls.store(0, Ordering::SeqCst);
        self.dead.store(false, Ordering::SeqCst);
    }

    pub(super) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Resolves when the world has died.
    pub(super) async fn death(&self) {
        self.died.notified().await;
    }

    async fn enter(&self) -> Result<usize, ConnectorError> {
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let fate = *self.fate.lock().unwrap();
        match fate {
            Some(Fate::DiesBefore(at)) if at == call => self.die().await,
            Some(Fate::Fails(at)) if at == call => {
                return Err(ConnectorError::Engine { doing: format!("do call {call}"), source: "no network".into() });
            }
            _ => {}
        }
        Ok(call)
    }

    async fn leave(&self, call: usize) {
        if *self.fate.lock().unwrap() == Some(Fate::DiesAfter(call)) {
            self.die().await;
        }
    }

    async fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.died.notify_one();
        std::future::pending::<()>().await;
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Table {
    pub(super) schema: Schema,
    pub(super) rows: Vec<Row>,
    pub(super) made_by_carve: bool,
    pub(super) ledger: Vec<String>,
}

/// A lake in memory. Its one query is `select * from TABLE`.
#[derive(Default)]
pub(super) struct MemoryLake {
    pub(super) gate: Arc<Gate>,
    pub(super) tables: Mutex<BTreeMap<DatasetId, Table>>,
    pub(super) notes: Mutex<BTreeMap<String, String>>,
    /// Live tables whose first column but one has a unique index.
    pub(super) unique: Mutex<Vec<DatasetId>>,
}

impl MemoryLake {
    fn table(&self, table: &DatasetId) -> Result<Table, ConnectorError> {
        let tables = self.tables.lock().unwrap();
        tables.get(table).cloned().ok_or_else(|| ConnectorError::NoSuchTable(table.clone()))
    }
}

struct MemorySnapshot(BTreeMap<DatasetId, Table>);

fn stream(rows: Vec<Row>) -> RowStream {
    let (sender, receiver) = mpsc::channel(rows.len() + 1);
    for batch in rows.chunks(3) {
        sender.try_send(Ok(batch.to_vec().into())).unwrap();
    }
    receiver
}

#[async_trait]
impl Snapshot for MemorySnapshot {
    async fn count(&mut self, table: &DatasetId) -> Result<u64, ConnectorError> {
        let found = self.0.get(table).ok_or_else(|| ConnectorError::NoSuchTable(table.clone()))?;
        Ok(found.rows.len() as u64)
    }

    async fn rows(&mut self, table: &DatasetId, schema: &Schema) -> Result<RowStream, ConnectorError> {
        let found = self.0.get(table).ok_or_else(|| ConnectorError::NoSuchTable(table.clone()))?;
        let place = |name: &String| found.schema.columns.iter().position(|column| column.name == *name).unwrap();
        let places: Vec<usize> = schema.columns.iter().map(|column| place(&column.name)).collect();
        let mut rows: Vec<Row> =
            found.rows.iter().map(|row| places.iter().map(|at| row[*at].clone()).collect()).collect();
        rows.sort_by_key(|row| format!("{row:?}"));
        Ok(stream(rows))
    }
}

#[async_trait]
impl Origin for MemoryLake {
    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn probe(&self) -> Result<(), ConnectorError> {
        self.gate.enter().await.map(|_| ())
    }

    async fn describe(&self, table: &DatasetId) -> Result<TableDescription, ConnectorError> {
        self.gate.enter().await?;
        Ok(TableDescription { schema: self.table(table)?.schema, comment: None })
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, ConnectorError> {
        self.gate.enter().await?;
        Ok(Box::new(MemorySnapshot(self.tables.lock().unwrap().clone())))
    }
}

#[async_trait]
impl Lake for MemoryLake {
    async fn exists(&self, table: &DatasetId) -> Result<bool, ConnectorError> {
        self.gate.enter().await?;
        Ok(self.tables.lock().unwrap().contains_key(table))
    }

    async fn create_staging(&self, table: &DatasetId, schema: &Schema) -> Result<(), ConnectorError> {
        let call = self.gate.enter().await?;
        {
            let mut tables = self.tables.lock().unwrap();
            assert!(tables.get(table).is_none_or(|its| its.made_by_carve), "{table} is not carve's");
            let empty = Table { schema: schema.clone(), rows: vec![], made_by_carve: true, ledger: vec![] };
            tables.insert(table.clone(), empty);
        }
        self.gate.leave(call).await;
        Ok(())
    }

    async fn loaded_parts(&self, staging: &DatasetId) -> Result<Vec<String>, ConnectorError> {
        self.gate.enter().await?;
        Ok(self.table(staging)?.ledger)
    }

    async fn load_parts(
        &self,
        staging: &DatasetId,
        schema: &Schema,
        parts: Vec<LoadPart>,
    ) -> Result<usize, ConnectorError> {
        let call = self.gate.enter().await?;
        let mut new = 0;
        {
            let mut tables = self.tables.lock().unwrap();
            let table = tables.get_mut(staging).ok_or_else(|| ConnectorError::NoSuchTable(staging.clone()))?;
            for part in parts {
                if !table.ledger.contains(&part.name) {
                    table.rows.extend(decode_part(part.format, schema, &part.bytes).unwrap());
                    table.ledger.push(part.name);
                    new += 1;
                }
            }
        }
        self.gate.leave(call).await;
        Ok(new)
    }

    async fn swap(
        &self,
        staging: &DatasetId,
        live: &DatasetId,
        previous: Option<&DatasetId>,
    ) -> Result<(), ConnectorError> {
        let call = self.gate.enter().await?;
        {
            let mut tables = self.tables.lock().unwrap();
            let staged = tables.remove(staging).ok_or_else(|| ConnectorError::NoSuchTable(staging.clone()))?;
            if let Some(old) = tables.remove(live) {
                let previous = previous.expect("a live table is never lost");
                assert!(tables.insert(previous.clone(), old).is_none(), "{previous} is there already");
            }
            tables.insert(live.clone(), staged);
        }
        self.gate.leave(call).await;
        Ok(())
    }

    async fn take_indexes(
        &self,
        staging: &DatasetId,
        _: &Schema,
        live: Option<&DatasetId>,
    ) -> Result<(), ConnectorError> {
        self.gate.enter().await?;
        let Some(live) = live else { return Ok(()) };
        if self.unique.lock().unwrap().contains(live) {
            let mut seen = std::collections::BTreeSet::new();
            if !self.table(staging)?.rows.iter().all(|row| seen.insert(format!("{:?}", row[1]))) {
                let doing = format!("give `{staging}` the indexes of `{live}`");
                return Err(ConnectorError::Refused { doing, source: "rows break a unique index".into() });
            }
        }
        Ok(())
    }

    async fn rehearse(
        &self,
        _: &DatasetId,
        _: &DatasetId,
        _: &DatasetId,
        _: &Schema,
    ) -> Result<Vec<String>, ConnectorError> {
        self.gate.enter().await.map(|_| Vec::new())
    }

    async fn rename(&self, _: &DatasetId, _: &DatasetId) -> Result<(), ConnectorError> {
        unimplemented!("apply swaps")
    }

    async fn drop_table(&self, table: &DatasetId) -> Result<(), ConnectorError> {
        let call = self.gate.enter().await?;
        self.tables.lock().unwrap().remove(table);
        self.gate.leave(call).await;
        Ok(())
    }

    async fn execute(&self, _: &str) -> Result<(), ConnectorError> {
        unimplemented!("apply runs no scripts")
    }

    async fn query(&self, sql: &str) -> Result<(Schema, RowStream), ConnectorError> {
        self.gate.enter().await?;
        let table = self.table(&sql.strip_prefix("select * from ").unwrap().parse().unwrap())?;
        Ok((table.schema, stream(table.rows)))
    }

    async fn probe_write(&self) -> Result<(), ConnectorError> {
        self.gate.enter().await.map(|_| ())
    }

    async fn note(&self, key: &str) -> Result<Option<String>, ConnectorError> {
        self.gate.enter().await?;
        Ok(self.notes.lock().unwrap().get(key).cloned())
    }

    async fn set_note(&self, key: &str, value: &str) -> Result<(), ConnectorError> {
        let call = self.gate.enter().await?;
        self.notes.lock().unwrap().insert(key.to_owned(), value.to_owned());
        self.gate.leave(call).await;
        Ok(())
    }
}

/// A bucket in memory that keeps conditions.
#[derive(Default)]
pub(super) struct MemoryBucket {
    pub(super) gate: Arc<Gate>,
    pub(super) objects: Mutex<BTreeMap<String, Vec<u8>>>,
    /// PUTs that stored something.
    pub(super) stored: AtomicUsize,
}

fn etag(bytes: &[u8]) -> String {
    Digest::of(bytes).short()
}

#[async_trait]
impl Bucket for MemoryBucket {
    fn kind(&self) -> &'static str {
        "folder"
    }

    fn shown(&self) -> String {
        "memory:".to_owned()
    }

    async fn probe(&self) -> Result<Vec<String>, ConnectorError> {
        self.gate.enter().await.map(|_| Vec::new())
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>, digest: &Digest) -> Result<PutOutcome, ConnectorError> {
        let call = self.gate.enter().await?;
        assert_eq!(Digest::of(&bytes), *digest);
        let outcome = {
            let mut objects = self.objects.lock().unwrap();
            match objects.get(key) {
                Some(there) if *there == bytes => Ok(PutOutcome::SameBytes),
                Some(_) => Err(ConnectorError::Taken { key: key.to_owned() }),
                None => {
                    objects.insert(key.to_owned(), bytes);
                    self.stored.fetch_add(1, Ordering::SeqCst);
                    Ok(PutOutcome::Created)
                }
            }
        };
        self.gate.leave(call).await;
        outcome
    }

    async fn replace(&self, key: &str, bytes: Vec<u8>, expected: Option<&str>) -> Result<bool, ConnectorError> {
        let call = self.gate.enter().await?;
        let replaced = {
            let mut objects = self.objects.lock().unwrap();
            let fits = objects.get(key).map(|there| etag(there)).as_deref() == expected;
            if fits {
                objects.insert(key.to_owned(), bytes);
            }
            fits
        };
        self.gate.leave(call).await;
        Ok(replaced)
    }

    async fn get(&self, key: &str) -> Result<Vec<u8>, ConnectorError> {
        self.gate.enter().await?;
        let objects = self.objects.lock().unwrap();
        objects.get(key).cloned().ok_or_else(|| ConnectorError::NoSuchObject(key.to_owned()))
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, ConnectorError> {
        self.gate.enter().await?;
        let objects = self.objects.lock().unwrap();
        Ok(objects.get(key).map(|bytes| info(key, bytes)))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, ConnectorError> {
        self.gate.enter().await?;
        let objects = self.objects.lock().unwrap();
        Ok(objects.iter().filter(|(key, _)| key.starts_with(prefix)).map(|(key, bytes)| info(key, bytes)).collect())
    }

    async fn delete(&self, key: &str) -> Result<(), ConnectorError> {
        let call = self.gate.enter().await?;
        self.objects.lock().unwrap().remove(key);
        self.gate.leave(call).await;
        Ok(())
    }
}

fn info(key: &str, bytes: &[u8]) -> ObjectInfo {
    ObjectInfo { key: key.to_owned(), bytes: bytes.len() as u64, etag: etag(bytes) }
}

/// Rows as a set that can be compared.
pub(super) fn sorted(rows: &[Row]) -> Vec<String> {
    let mut rows: Vec<String> = rows.iter().map(|row: &Vec<Value>| format!("{row:?}")).collect();
    rows.sort();
    rows
}
