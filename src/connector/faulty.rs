//! Engines that fail when told to, for tests of what happens on bad days. The same rule, the same failures.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use crate::connector::{
    Bucket, ConnectorError, Lake, LoadPart, Moment, ObjectInfo, Origin, PutOutcome, RowRange, RowStream, Snapshot,
    TableDescription,
};
use crate::vocab::{DatasetId, Digest, Schema};

/// One call that is about to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The method: `put_new`, `load_parts`, `rows`.
    pub name: &'static str,
    /// How often this method has been called, this call included: 1, 2, …
    pub nth: u64,
    /// How many calls of all methods, this call included.
    pub total: u64,
    /// What it is about: a key, a table, a part.
    pub subject: String,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing: it is made.
    None,
    /// It fails and nothing was done.
    Before,
    /// It is done, and then fails: the answer was lost.
    After,
}

/// Decides what becomes of each call.
pub type Rule = Arc<dyn Fn(&Call) -> Fault + Send + Sync>;

/// The rule that the `nth` call of the method `name` meets `fault`, and no other does.
pub fn fail_nth(name: &'static str, nth: u64, fault: Fault) -> Rule {
    Arc::new(move |call| if call.name == name && call.nth == nth { fault } else { Fault::None })
}

/// Counts calls and asks the rule.
struct Judge {
    rule: Rule,
    counts: Mutex<BTreeMap<&'static str, u64>>,
}

impl Judge {
    fn new(rule: Rule) -> Arc<Self> {
        Arc::new(Judge { rule, counts: Mutex::default() })
    }

    fn rule(&self, name: &'static str, subject: &str) -> (Fault, Call) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(name).or_default() += 1;
        let call = Call { name, nth: counts[name], total: counts.values().sum(), subject: subject.to_owned() };
        drop(counts);
        ((self.rule)(&call), call)
    }
}

/// Makes the call `$call` unless the judge says otherwise.
macro_rules! judged {
    ($judge:expr, $name:literal, $subject:expr, $call:expr) => {{
        let (fault, call) = $judge.rule($name, &$subject.to_string());
        match fault {
            Fault::None => $call,
            Fault::Before => Err(broken(&call)),
            Fault::After => match $call {
                Ok(_) => Err(broken(&call)),
                Err(error) => Err(error),
            },
        }
    }};
}

fn broken(call: &Call) -> ConnectorError {
    let doing = format!("{} `{}`", call.name, call.subject);
    ConnectorError::Engine { doing, source: format!("call {} of {} was told to fail", call.nth, call.name).into() }
}

/// A bucket that fails by rule.
pub struct FaultyBucket {
    inner: Arc<dyn Bucket>,
    judge: Arc<Judge>,
}

impl FaultyBucket {
    /// `inner`, failing by `rule`.
    pub fn new(inner: Arc<dyn Bucket>, rule: Rule) -> Self {
        FaultyBucket { inner, judge: Judge::new(rule) }
    }
}

#[async_trait]
impl Bucket for FaultyBucket {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    fn shown(&self) -> String {
        self.inner.shown()
    }

    async fn probe(&self) -> Result<Vec<String>, ConnectorError> {
        judged!(self.judge, "probe", "bucket", self.inner.probe().await)
    }

    async fn put_new(&self, key: &str, bytes: Vec<u8>, digest: &Digest) -> Result<PutOutcome, ConnectorError> {
        judged!(self.judge, "put_new", key, self.inner.put_new(key, bytes, digest).await)
    }

    async fn settle(&self) -> Result<(), ConnectorError> {
        judged!(self.judge, "settle", "bucket", self.inner.settle().await)
    }

    async fn replace(&self, key: &str, bytes: Vec<u8>, etag: Option<&str>) -> Result<bool, ConnectorError> {
        judged!(self.judge, "replace", key, self.inner.replace(key, bytes, etag).await)
    }

    async fn get(&self, key: &str) -> Result<Vec<u8>, ConnectorError> {
        judged!(self.judge, "get", key, self.inner.get(key).await)
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, ConnectorError> {
        judged!(self.judge, "head", key, self.inner.head(key).await)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, ConnectorError> {
        judged!(self.judge, "list", prefix, self.inner.list(prefix).await)
    }

    async fn delete(&self, key: &str) -> Result<(), ConnectorError> {
        judged!(self.judge, "delete", key, self.inner.delete(key).await)
    }
}

/// An origin that fails by rule; its snapshots' calls (`count`, `rows`) are counted with its own.
pub struct FaultyOrigin {
    inner: Arc<dyn Origin>,
    judge: Arc<Judge>,
}

impl FaultyOrigin {
    /// `inner`, failing by `rule`.
    pub fn new(inner: Arc<dyn Origin>, rule: Rule) -> Self {
        FaultyOrigin { inner, judge: Judge::new(rule) }
    }
}

#[async_trait]
impl Origin for FaultyOrigin {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn probe(&self) -> Result<(), ConnectorError> {
        judged!(self.judge, "probe", "origin", self.inner.probe().await)
    }

    async fn describe(&self, table: &DatasetId) -> Result<TableDescription, ConnectorError> {
        judged!(self.judge, "describe", table, self.inner.describe(table).await)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, ConnectorError> {
        let inner = judged!(self.judge, "snapshot", "origin", self.inner.snapshot().await)?;
        Ok(Box::new(FaultySnapshot { inner, judge: self.judge.clone() }))
    }
}

struct FaultySnapshot {
    inner: Box<dyn Snapshot>,
    judge: Arc<Judge>,
}

#[async_trait]
impl Snapshot for FaultySnapshot {
    async fn count(&mut self, table: &DatasetId) -> Result<u64, ConnectorError> {
        judged!(self.judge, "count", table, self.inner.count(table).await)
    }

    async fn rows(&mut self, table: &DatasetId, schema: &Schema) -> Result<RowStream, ConnectorError> {
        judged!(self.judge, "rows", table, self.inner.rows(table, schema).await)
    }

    async fn ranges(
        &mut self,
        table: &DatasetId,
        schema: &Schema,
        rows: u64,
        at_most: usize,
    ) -> Result<Vec<RowRange>, ConnectorError> {
        judged!(self.judge, "rows", table, self.inner.ranges(table, schema, rows, at_most).await)
    }

    async fn scattered(&mut self, table: &DatasetId, schema: &Schema) -> Result<Vec<RowStream>, ConnectorError> {
        judged!(self.judge, "rows", table, self.inner.scattered(table, schema).await)
    }

    async fn moment(&mut self, table: &DatasetId) -> Result<Option<Moment>, ConnectorError> {
        self.inner.moment(table).await
    }

    async fn unchanged_since(&mut self, table: &DatasetId, then: &Moment, rows: u64) -> Result<bool, ConnectorError> {
        self.inner.unchanged_since(table, then, rows).await
    }

    fn notes(&self) -> Vec<String> {
        self.inner.notes()
    }
}

/// A lake that fails by rule.
pub struct FaultyLake {
    inner: Arc<dyn Lake>,
    judge: Arc<Judge>,
}

impl FaultyLake {
    /// `inner`, failing by `rule`.
    pub fn new(inner: Arc<dyn Lake>, rule: Rule) -> Self {
        FaultyLake { inner, judge: Judge::new(rule) }
    }
}

#[async_trait]
impl Origin for FaultyLake {
    fn kind(&self) -> &'static str {
        self.inner.kind()
    }

    async fn probe(&self) -> Result<(), ConnectorError> {
        judged!(self.judge, "probe", "lake", self.inner.probe().await)
    }

    async fn describe(&self, table: &DatasetId) -> Result<TableDescription, ConnectorError> {
        judged!(self.judge, "describe", table, self.inner.describe(table).await)
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, ConnectorError> {
        let inner = judged!(self.judge, "snapshot", "lake", self.inner.snapshot().await)?;
        Ok(Box::new(FaultySnapshot { inner, judge: self.judge.clone() }))
    }
}

#[async_trait]
impl Lake for FaultyLake {
    fn takes_turns(&self) -> bool {
        self.inner.takes_turns()
    }

    async fn exists(&self, table: &DatasetId) -> Result<bool, ConnectorError> {
        judged!(self.judge, "exists", table, self.inner.exists(table).await)
    }

    async fn create_staging(&self, table: &DatasetId, schema: &Schema) -> Result<(), ConnectorError> {
        judged!(self.judge, "create_staging", table, self.inner.create_staging(table, schema).await)
    }

    async fn loaded_parts(&self, staging: &DatasetId) -> Result<Vec<String>, ConnectorError> {
        judged!(self.judge, "loaded_parts", staging, self.inner.loaded_parts(staging).await)
    }

    async fn load_parts(
        &self,
        staging: &DatasetId,
        schema: &Schema,
        parts: Vec<LoadPart>,
    ) -> Result<usize, ConnectorError> {
        judged!(self.judge, "load_parts", staging, self.inner.load_parts(staging, schema, parts).await)
    }

    async fn swap(
        &self,
        staging: &DatasetId,
        live: &DatasetId,
        previous: Option<&DatasetId>,
    ) -> Result<(), ConnectorError> {
        judged!(self.judge, "swap", live, self.inner.swap(staging, live, previous).await)
    }

    async fn take_indexes(
        &self,
        staging: &DatasetId,
        schema: &Schema,
        live: Option<&DatasetId>,
    ) -> Result<(), ConnectorError> {
        judged!(self.judge, "take_indexes", staging, self.inner.take_indexes(staging, schema, live).await)
    }

    async fn rehearse(
        &self,
        staging: &DatasetId,
        live: &DatasetId,
        previous: &DatasetId,
        schema: &Schema,
    ) -> Result<Vec<String>, ConnectorError> {
        judged!(self.judge, "rehearse", live, self.inner.rehearse(staging, live, previous, schema).await)
    }

    async fn rename(&self, from: &DatasetId, to: &DatasetId) -> Result<(), ConnectorError> {
        judged!(self.judge, "rename", from, self.inner.rename(from, to).await)
    }

    async fn drop_table(&self, table: &DatasetId) -> Result<(), ConnectorError> {
        judged!(self.judge, "drop_table", table, self.inner.drop_table(table).await)
    }

    async fn execute(&self, script: &str) -> Result<(), ConnectorError> {
        judged!(self.judge, "execute", "script", self.inner.execute(script).await)
    }

    async fn query(&self, sql: &str) -> Result<(Schema, RowStream), ConnectorError> {
        judged!(self.judge, "query", "sql", self.inner.query(sql).await)
    }

    async fn probe_write(&self) -> Result<(), ConnectorError> {
        judged!(self.judge, "probe_write", "lake", self.inner.probe_write().await)
    }

    async fn note(&self, key: &str) -> Result<Option<String>, ConnectorError> {
        judged!(self.judge, "note", key, self.inner.note(key).await)
    }

    async fn set_note(&self, key: &str, value: &str) -> Result<(), ConnectorError> {
        judged!(self.judge, "set_note", key, self.inner.set_note(key, value).await)
    }
}
