//! What carve asks of the world, in its own words. Engines answer; nobody else knows their crates.
use std::ops::RangeInclusive;
use std::sync::Arc;

use async_trait::async_trait;

use crate::connector::{LoadPart, RowStream};
use crate::vocab::{DatasetId, Digest, Schema};

/// Why the world did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ConnectorError {
    /// A connection's address cannot be used.
    #[error("cannot use {what} `{shown}`: {reason}")]
    Address {
        /// `lake`, `bucket`, `source:NAME`.
        what: String,
        /// The address without its secrets.
        shown: String,
        /// What is wrong.
        reason: String,
        /// What to do about it, and where.
        cure: String,
    },
    /// A table is not there.
    #[error("there is no table `{0}`")]
    NoSuchTable(DatasetId),
    /// A table is there, and nothing tells its columns: an API that gives no items at present.
    #[error("cannot {doing}: {why}")]
    NoColumns {
        /// `describe \`orders\``.
        doing: String,
        /// Why, and what to do.
        why: String,
    },
    /// A value cannot be kept exactly.
    #[error("row {row} of `{table}`: column `{column}` {reason}")]
    Inexact {
        /// The table.
        table: DatasetId,
        /// The column.
        column: String,
        /// Counted from 1 in reading order.
        row: u64,
        /// What was found, what was expected, how to allow it.
        reason: String,
    },
    /// An object with other bytes has this name already.
    #[error("`{key}` exists with other bytes: published names are never reused")]
    Taken {
        /// The object.
        key: String,
    },
    /// An object is not there.
    #[error("there is no object `{0}`")]
    NoSuchObject(String),
    /// The engine will say no until somebody changes something.
    #[error("cannot {doing}")]
    Refused {
        /// `create table \`raw.orders\``.
        doing: String,
        /// What is in the way, and what to do about it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another program holds what is needed, and carve has waited for it as long as the address allows.
    #[error("cannot {doing}")]
    Busy {
        /// `take a snapshot`.
        doing: String,
        /// The engine's words, and how to wait longer.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The engine could not at this moment: full, not reached. The same call may succeed later.
    #[error("cannot {doing}")]
    Engine {
        /// `create table \`raw.orders\``.
        doing: String,
        /// Its own words.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl ConnectorError {
    /// Whether the same call may succeed later without anybody changing data, settings or plan.
    pub fn may_pass(&self) -> bool {
        // A name that is taken was taken by somebody else at work: the next look finds what they made.
        matches!(self, ConnectorError::Engine { .. } | ConnectorError::Busy { .. } | ConnectorError::Taken { .. })
    }

    /// Whether another program held what was needed: waiting for its end is all there is to do.
    pub fn is_busy(&self) -> bool {
        matches!(self, ConnectorError::Busy { .. })
    }

    /// What to do about it, where the error itself does not say.
    pub fn cure(&self) -> Option<&str> {
        match self {
            ConnectorError::Address { cure, .. } => Some(cure),
            ConnectorError::NoSuchTable(_) => Some(
                "name it as it is called there, `table` or `schema.table`, what holds dots or quotes as SQL writes it \
                 (`\"a.b\".\"c\"\"d\"`); or let carve's user see it",
            ),
            _ => None,
        }
    }
}

/// A stretch of a table's rows in reading order.
pub struct RowRange {
    /// Rows in it, counted in the snapshot.
    pub rows: u64,
    /// The rows.
    pub stream: RowStream,
}

/// Rows whose key's first column, which holds whole numbers, lies in one of some ranges.
#[derive(Clone, Debug)]
pub struct KeyRanges {
    /// That column.
    pub column: String,
    /// In their order, none touching the next.
    pub keys: Arc<[RangeInclusive<i64>]>,
}

/// A table as its engine describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDescription {
    /// Columns and key.
    pub schema: Schema,
    /// The table's comment.
    pub comment: Option<String>,
}

/// Where a service takes its data from.
#[async_trait]
pub trait Origin: Send + Sync {
    /// What carve calls this engine in a contract's `servers` and in messages: `sqlite`, `files`.
    fn kind(&self) -> &'static str;
    /// Tries the connection; the first thing preflight does.
    async fn probe(&self) -> Result<(), ConnectorError>;
    /// Describes a table.
    async fn describe(&self, table: &DatasetId) -> Result<TableDescription, ConnectorError>;
    /// Opens one consistent snapshot over everything.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, ConnectorError>;
}

/// When a table was looked at, as its engine tells times apart: of use to nothing but the origin that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment(pub String);

/// One consistent state of an origin; gone when dropped.
#[async_trait]
pub trait Snapshot: Send {
    /// Rows of `table` in this snapshot.
    async fn count(&mut self, table: &DatasetId) -> Result<u64, ConnectorError>;
    /// All rows of `table`, columns in `schema`'s order and types, ordered by the key where there is
    /// one, else by all columns, so that the same rows give the same parts.
    async fn rows(&mut self, table: &DatasetId, schema: &Schema) -> Result<RowStream, ConnectorError>;
    /// The rows that [`Snapshot::rows`] gives, in the same order, as ranges that follow one another and may be read
    /// side by side: at most `at_most` of them. `rows` is what [`Snapshot::count`] said.
    async fn ranges(
        &mut self,
        table: &DatasetId,
        schema: &Schema,
        rows: u64,
        at_most: usize,
    ) -> Result<Vec<RowRange>, ConnectorError> {
        let _ = at_most;
        Ok(vec![RowRange { rows, stream: self.rows(table, schema).await? }])
    }
    /// All rows in whatever order comes cheapest, in streams that may be read side by side.
    async fn scattered(&mut self, table: &DatasetId, schema: &Schema) -> Result<Vec<RowStream>, ConnectorError> {
        Ok(vec![self.rows(table, schema).await?])
    }
    /// The rows of [`Snapshot::scattered`] whose key lies in `only`; others may be among them, where the engine gains
    /// nothing by leaving them out.
    async fn scattered_within(
        &mut self,
        table: &DatasetId,
        schema: &Schema,
        only: &KeyRanges,
    ) -> Result<Vec<RowStream>, ConnectorError> {
        let _ = only;
        self.scattered(table, schema).await
    }
    /// The moment of this snapshot, for [`Snapshot::unchanged_since`] of a later one; `None` where that could not tell.
    async fn moment(&mut self, table: &DatasetId) -> Result<Option<Moment>, ConnectorError> {
        let _ = table;
        Ok(None)
    }
    /// Whether `table` holds the very rows that a snapshot of the moment `then` saw, which were so many, by a look at
    /// every row in this snapshot. False also where the engine cannot tell.
    async fn unchanged_since(&mut self, table: &DatasetId, then: &Moment, rows: u64) -> Result<bool, ConnectorError> {
        let _ = (table, then, rows);
        Ok(false)
    }
    /// What kept this snapshot from being read side by side, in words.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The central lake: also an origin.
#[async_trait]
pub trait Lake: Origin {
    /// Whether runs that touch different tables must take turns all the same: one that reads keeps others from writing.
    fn takes_turns(&self) -> bool {
        true
    }
    /// Whether a table or view of that name exists.
    async fn exists(&self, table: &DatasetId) -> Result<bool, ConnectorError>;
    /// Makes an empty table that can hold `schema` exactly; replaces one that carve made for the same
    /// purpose before, refuses one it did not make. It may lack its key until [`Lake::take_indexes`] gives it one.
    async fn create_staging(&self, table: &DatasetId, schema: &Schema) -> Result<(), ConnectorError>;
    /// Parts already loaded into a staging table, from the ledger.
    async fn loaded_parts(&self, staging: &DatasetId) -> Result<Vec<String>, ConnectorError>;
    /// Loads the rows of all `parts` in one transaction with their entries in the ledger: all of it or nothing.
    /// Parts that the ledger has already are passed over; gives how many were not.
    async fn load_parts(
        &self,
        staging: &DatasetId,
        schema: &Schema,
        parts: Vec<LoadPart>,
    ) -> Result<usize, ConnectorError>;
    /// In one transaction: `live` becomes `previous` (where both are there), `staging` becomes `live`.
    async fn swap(
        &self,
        staging: &DatasetId,
        live: &DatasetId,
        previous: Option<&DatasetId>,
    ) -> Result<(), ConnectorError>;
    /// Gives `staging`, which is filled, the key of `schema` and every index that `live` has, so that rows which break
    /// one are refused here and not by the swap. What is there stays; a table `live` that is not there has no indexes.
    async fn take_indexes(
        &self,
        staging: &DatasetId,
        schema: &Schema,
        live: Option<&DatasetId>,
    ) -> Result<(), ConnectorError>;
    /// Makes `staging` for `schema`, swaps it in as [`Lake::swap`] would, and takes all of it back. Tells what the
    /// table that takes `live`'s place will lack.
    ///
    /// # Errors
    /// [`ConnectorError::Refused`] when the swap would be refused, or would break a view or a foreign key.
    async fn rehearse(
        &self,
        staging: &DatasetId,
        live: &DatasetId,
        previous: &DatasetId,
        schema: &Schema,
    ) -> Result<Vec<String>, ConnectorError>;
    /// Renames a table; refuses when `to` exists.
    async fn rename(&self, from: &DatasetId, to: &DatasetId) -> Result<(), ConnectorError>;
    /// Drops a table if it is there. An engine may take away with the last table of carve's what carve keeps beside them.
    async fn drop_table(&self, table: &DatasetId) -> Result<(), ConnectorError>;
    /// Runs a script of statements in one transaction.
    async fn execute(&self, script: &str) -> Result<(), ConnectorError>;
    /// Runs a query that only reads and streams its rows with the schema it found.
    async fn query(&self, sql: &str) -> Result<(Schema, RowStream), ConnectorError>;
    /// Free space check and write permission, as far as the engine can tell; part of preflight.
    async fn probe_write(&self) -> Result<(), ConnectorError>;
    /// Reads a small text value kept in the lake beside the tables (freshness, last publication).
    async fn note(&self, key: &str) -> Result<Option<String>, ConnectorError>;
    /// Keeps a small text value; an empty one forgets the key.
    async fn set_note(&self, key: &str, value: &str) -> Result<(), ConnectorError>;
}

/// What is known of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectInfo {
    /// Its key below the bucket.
    pub key: String,
    /// Size.
    pub bytes: u64,
    /// Opaque version mark for conditional replacement; a listing may leave it empty, so take it from `head`.
    pub etag: String,
}

/// What a conditional PUT came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutOutcome {
    /// The object is new.
    Created,
    /// The same bytes were there already.
    SameBytes,
}

/// Where publications lie.
#[async_trait]
pub trait Bucket: Send + Sync {
    /// `folder`, `s3`.
    fn kind(&self) -> &'static str;
    /// The address people see, without secrets: `s3://mesh`, `file:./mesh`.
    fn shown(&self) -> String;
    /// Tries permissions and conditional PUT; says in words what the store does not honour.
    async fn probe(&self) -> Result<Vec<String>, ConnectorError>;
    /// Stores `bytes` under a name that must be new; `SameBytes` when they are there already,
    /// [`ConnectorError::Taken`] when other bytes are. It need not outlast a power cut before [`Bucket::settle`].
    async fn put_new(&self, key: &str, bytes: Vec<u8>, digest: &Digest) -> Result<PutOutcome, ConnectorError>;
    /// Waits until all that [`Bucket::put_new`] stored outlasts a power cut. What names an object is stored after that.
    async fn settle(&self) -> Result<(), ConnectorError> {
        Ok(())
    }
    /// Replaces an object only if its etag is still `etag` (`None`: only if it is not there). False: it is not.
    async fn replace(&self, key: &str, bytes: Vec<u8>, etag: Option<&str>) -> Result<bool, ConnectorError>;
    /// The object's bytes.
    async fn get(&self, key: &str) -> Result<Vec<u8>, ConnectorError>;
    /// Whether the object is there and its bytes are exactly `bytes`.
    async fn holds(&self, key: &str, bytes: &[u8]) -> Result<bool, ConnectorError> {
        match self.get(key).await {
            Ok(found) => Ok(found == bytes),
            Err(ConnectorError::NoSuchObject(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
    /// What is known of it; `None` when it is not there.
    async fn head(&self, key: &str) -> Result<Option<ObjectInfo>, ConnectorError>;
    /// Objects whose key starts with `prefix`, in key order.
    async fn list(&self, prefix: &str) -> Result<Vec<ObjectInfo>, ConnectorError>;
    /// Removes an object if it is there.
    async fn delete(&self, key: &str) -> Result<(), ConnectorError>;
}
