//! One state of a whole database: a transaction that exports its snapshot, and a connection a stream that takes it.
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinSet;
use tokio_postgres::Client;

use super::moment;
use super::names::{Found, found};
use super::ranges::{by_key, by_place, within_key, worth};
use super::reading::{Reading, Selection};
use super::session::Server;
use super::trouble::{engine, said};
use crate::connector::system::with_causes;
use crate::connector::{ConnectorError, KeyRanges, Moment, RowRange, RowStream, Snapshot};
use crate::vocab::{DatasetId, Schema};

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// How long the holder is waited for while it reads a table itself.
const WAIT: Duration = Duration::from_secs(30);

/// A snapshot over every table of a database.
pub(super) struct PgSnapshot {
    server: Server,
    /// Holds the transaction whose state all streams see.
    holder: Arc<Mutex<Client>>,
    /// The name under which other connections take it; without one the holder reads everything itself.
    name: Option<String>,
    notes: Vec<String>,
}

impl PgSnapshot {
    /// Takes it.
    pub(super) async fn take(server: &Server) -> Result<Self, ConnectorError> {
        let doing = |e| engine("take a snapshot", e);
        let holder = server.connect().await?;
        holder.batch_execute(BEGIN).await.map_err(doing)?;
        let (mut name, mut notes) = (None, Vec::new());
        match holder.query_one("SELECT pg_catalog.pg_export_snapshot()", &[]).await {
            Ok(row) => name = Some(row.get(0)),
            Err(error) => {
                let told = said(&error);
                let refused = doing(error);
                if refused.may_pass() {
                    return Err(refused);
                }
                notes.push(alone(&told));
                // The refusal ended the transaction; the next one sees the state of its first query.
                holder.batch_execute(&format!("ROLLBACK; {BEGIN}; SELECT 1")).await.map_err(doing)?;
            }
        }
        Ok(PgSnapshot { server: server.clone(), holder: Arc::new(Mutex::new(holder)), name, notes })
    }

    /// Up to `wanted` connections that see the same state. None when no other connection can: then the holder reads.
    async fn others(&mut self, wanted: usize) -> Result<Vec<Client>, ConnectorError> {
        let mut clients = Vec::new();
        while clients.len() < wanted {
            let Some(name) = &self.name else { break };
            let joined = match self.server.connect().await {
                Ok(client) => {
                    let sql = format!("{BEGIN}; SET TRANSACTION SNAPSHOT '{name}'");
                    client.batch_execute(&sql).await.map(|()| client).map_err(Refusal::Snapshot)
                }
                Err(error) => Err(Refusal::Connection(error)),
            };
            match joined {
                Ok(client) => clients.push(client),
                Err(refusal) => {
                    self.go_without(refusal, clients.len())?;
                    break;
                }
            }
        }
        Ok(clients)
    }

    /// What is there is enough, where there is something: a server that lets no further connection in, or a pooler
    /// that leads to another server, makes reading slower and nothing else.
    fn go_without(&mut self, refusal: Refusal, there: usize) -> Result<(), ConnectorError> {
        match refusal {
            Refusal::Connection(error) if there == 0 => Err(error),
            Refusal::Connection(error) => {
                self.notes.push(format!(
                    "{there} connections read side by side, the server gave no more: {}",
                    with_causes(&error)
                ));
                Ok(())
            }
            Refusal::Snapshot(error) if error.is_closed() || error.as_db_error().is_none() => {
                Err(engine("read in the snapshot", error))
            }
            Refusal::Snapshot(error) => {
                self.notes.push(alone(&said(&error)));
                self.name = None;
                Ok(())
            }
        }
    }

    async fn holder(&self, table: &DatasetId) -> Result<OwnedMutexGuard<Client>, ConnectorError> {
        let free = tokio::time::timeout(WAIT, self.holder.clone().lock_owned()).await;
        free.map_err(|_| ConnectorError::Engine {
            doing: format!("read `{table}`"),
            source: "another table of the same snapshot is still being read, and only one connection sees it".into(),
        })
    }

    /// What is asked of `table`. From here on nobody can rewrite or empty it: its rows stay where they are.
    async fn selection(&self, table: &DatasetId, schema: &Schema) -> Result<(Found, Selection), ConnectorError> {
        let holder = self.holder(table).await?;
        let found = found(&*holder, &self.server.target, table).await?;
        if matches!(found.kind, 'r' | 'p' | 'm') {
            let hold = format!("SELECT FROM {} LIMIT 0", found.sql());
            holder.batch_execute(&hold).await.map_err(|e| engine(format!("read `{table}`"), e))?;
        }
        let selection = Selection::of(&*holder, table, &found, schema).await?;
        Ok((found, selection))
    }

    /// One stream, by a connection of its own or by the holder.
    async fn stream(
        &self,
        table: &DatasetId,
        reading: Reading,
        other: Option<Client>,
    ) -> Result<RowStream, ConnectorError> {
        match other {
            Some(client) => Ok(reading.stream(self.server.clone(), client)),
            None => Ok(reading.stream_held(self.holder(table).await?)),
        }
    }
}

/// Why a further connection does not read in the snapshot.
enum Refusal {
    Connection(ConnectorError),
    Snapshot(tokio_postgres::Error),
}

fn alone(why: &str) -> String {
    format!("one connection reads everything, because the server shares no snapshot with a second one: {why}")
}

/// A range, and the connection that reads it.
struct Counted {
    at: usize,
    rows: u64,
    reading: Reading,
    client: Client,
}

/// Counts every range on the connection that will read it, all at once.
async fn counted(
    table: &DatasetId,
    selection: &Selection,
    cuts: Vec<String>,
    clients: Vec<Client>,
) -> Result<Vec<Counted>, ConnectorError> {
    let doing = || format!("count the rows of `{table}`");
    let mut counting = JoinSet::new();
    for (at, (cut, client)) in cuts.into_iter().zip(clients).enumerate() {
        let (sql, reading) = (selection.count_where(&cut), selection.ordered_where(&cut));
        counting.spawn(async move {
            let row = client.query_one(&sql, &[]).await?;
            Ok(Counted { at, rows: row.get::<_, i64>(0).unsigned_abs(), reading, client })
        });
    }
    let mut all = Vec::new();
    while let Some(counted) = counting.join_next().await {
        let counted = counted.map_err(|e| ConnectorError::Engine { doing: doing(), source: e.into() })?;
        all.push(counted.map_err(|e| engine(doing(), e))?);
    }
    all.sort_by_key(|counted| counted.at);
    Ok(all)
}

#[async_trait]
impl Snapshot for PgSnapshot {
    async fn count(&mut self, table: &DatasetId) -> Result<u64, ConnectorError> {
        let holder = self.holder(table).await?;
        let found = found(&*holder, &self.server.target, table).await?;
        let sql = format!("SELECT pg_catalog.count(*) FROM {}", found.sql());
        let row = holder.query_one(&sql, &[]).await.map_err(|e| engine(format!("count the rows of `{table}`"), e))?;
        Ok(row.get::<_, i64>(0).unsigned_abs())
    }

    async fn rows(&mut self, table: &DatasetId, schema: &Schema) -> Result<RowStream, ConnectorError> {
        let (_, selection) = self.selection(table, schema).await?;
        let other = self.others(1).await?.pop();
        self.stream(table, selection.ordered(), other).await
    }

    async fn ranges(
        &mut self,
        table: &DatasetId,
        schema: &Schema,
        rows: u64,
        at_most: usize,
    ) -> Result<Vec<RowRange>, ConnectorError> {
        let (found, selection) = self.selection(table, schema).await?;
        let streams = self.server.target.streams.min(at_most);
        let wanted = worth(&*self.holder(table).await?, &found, streams).await?;
        let leading = selection.leading.as_ref();
        let mut cuts = by_key(&*self.holder(table).await?, &found, leading, wanted).await?;
        let mut others = self.others(cuts.len().max(1)).await?;
        if others.len() < cuts.len() {
            cuts = by_key(&*self.holder(table).await?, &found, leading, others.len()).await?;
        }
        if cuts.len() < 2 {
            let stream = self.stream(table, selection.ordered(), others.pop()).await?;
            return Ok(vec![RowRange { rows, stream }]);
        }
        let counted = counted(table, &selection, cuts, others).await?;
        let begin = |counted: Counted| {
            let stream = counted.reading.stream(self.server.clone(), counted.client);
            RowRange { rows: counted.rows, stream }
        };
        Ok(counted.into_iter().map(begin).collect())
    }

    async fn scattered(&mut self, table: &DatasetId, schema: &Schema) -> Result<Vec<RowStream>, ConnectorError> {
        let (found, selection) = self.selection(table, schema).await?;
        let wanted = worth(&*self.holder(table).await?, &found, self.server.target.streams).await?;
        let mut cuts = by_place(&*self.holder(table).await?, &found, wanted).await?;
        let mut others = self.others(cuts.len().max(1)).await?;
        if others.len() < cuts.len() {
            cuts = by_place(&*self.holder(table).await?, &found, others.len()).await?;
        }
        if cuts.len() < 2 {
            return Ok(vec![self.stream(table, selection.any_order(None), others.pop()).await?]);
        }
        let readings = cuts.iter().map(|cut| selection.any_order(Some(cut)));
        Ok(readings.zip(others).map(|(reading, client)| reading.stream(self.server.clone(), client)).collect())
    }

    async fn scattered_within(
        &mut self,
        table: &DatasetId,
        schema: &Schema,
        only: &KeyRanges,
    ) -> Result<Vec<RowStream>, ConnectorError> {
        let (_, selection) = self.selection(table, schema).await?;
        let leading = selection.leading.as_ref().map(|column| (column.name.as_str(), &column.of));
        let Some(condition) = within_key(leading, only) else {
            return self.scattered(table, schema).await;
        };
        let other = self.others(1).await?.pop();
        Ok(vec![self.stream(table, selection.any_order(Some(&condition)), other).await?])
    }

    async fn moment(&mut self, table: &DatasetId) -> Result<Option<Moment>, ConnectorError> {
        let holder = self.holder(table).await?;
        moment::moment(&holder, &found(&*holder, &self.server.target, table).await?).await
    }

    async fn unchanged_since(&mut self, table: &DatasetId, then: &Moment, rows: u64) -> Result<bool, ConnectorError> {
        let holder = self.holder(table).await?;
        let found = found(&*holder, &self.server.target, table).await?;
        moment::unchanged_since(&holder, &found, then, rows).await
    }

    fn notes(&self) -> Vec<String> {
        self.notes.clone()
    }
}
