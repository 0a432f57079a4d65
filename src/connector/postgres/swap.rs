//! Tables change their names: whole, in one transaction, and whatever reads them by name or view reads the new one.
use std::time::{Duration, Instant};

use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Transaction};

use super::index_names::Renaming;
use super::names::{Found, find, names, new_names, quoted};
use super::session::Server;
use super::target::Target;
use super::trouble::{engine, refused};
use super::{books, indexes, obstacles, policies, successor, views};
use crate::connector::ConnectorError;
use crate::vocab::{DatasetId, Schema};

/// How long one try waits for a lock: whoever comes after it waits as long. A little more than the second after which
/// PostgreSQL looks who holds it, so that an autovacuum gives way.
const TRY_MS: u128 = 1_200;
/// How long others get between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// `live` becomes `previous`, `staging` becomes `live`; done already is done.
pub(super) async fn swap(
    server: &Server,
    staging: &DatasetId,
    live: &DatasetId,
    previous: Option<&DatasetId>,
) -> Result<(), ConnectorError> {
    let doing = format!("put `{staging}` in the place of `{live}`");
    let mut client = server.connect().await?;
    wait_for_older_readers(&client, server, staging, &doing).await?;
    let turns = Turns::of(server, &doing);
    loop {
        let change = Change::begin(&mut client, &server.target, doing.clone()).await?;
        if change.lock(&[Some(staging), Some(live), previous]).await? {
            change.swap(staging, live, previous).await?;
            change.commit().await?;
            server.give_back(client);
            return Ok(());
        }
        drop(change);
        turns.pause().await?;
    }
}

/// Tries that a held table made fail, and how long there may be more.
pub(super) struct Turns<'s> {
    begun: Instant,
    server: &'s Server,
    doing: &'s str,
}

impl<'s> Turns<'s> {
    pub(super) fn of(server: &'s Server, doing: &'s str) -> Self {
        Turns { begun: Instant::now(), server, doing }
    }

    /// Lets others through before the next try; the error that nobody waits any longer.
    pub(super) async fn pause(&self) -> Result<(), ConnectorError> {
        if self.begun.elapsed() > self.server.target.lock {
            let why = "a transaction holds the table or a view of it: let it end, then run carve again \
                (`?lock_timeout_ms=60000` waits longer)";
            return Err(ConnectorError::Engine { doing: self.doing.to_owned(), source: why.into() });
        }
        tokio::time::sleep(PAUSE).await;
        Ok(())
    }
}

/// Whoever reads in a state from before the rows were loaded would see the new table without them.
async fn wait_for_older_readers(
    client: &Client,
    server: &Server,
    staging: &DatasetId,
    doing: &str,
) -> Result<(), ConnectorError> {
    let (schema, table) = names(&server.target, staging);
    let begun = Instant::now();
    // Everything is loaded by now: whoever begins later sees all of it, or readers in turn could hold carve up for ever.
    let loaded = books::now(client).await?;
    while let Some(reader) = books::older_readers(client, (&schema, &table), loaded).await? {
        if begun.elapsed() > server.target.lock {
            let why = format!(
                "a transaction that may have begun before the import was loaded is still open and would see only a part of it \
                 ({reader}): let it end, then run carve again (`?lock_timeout_ms=60000` waits longer)"
            );
            return Err(ConnectorError::Engine { doing: doing.to_owned(), source: why.into() });
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Gives `staging` its key, and the indexes, keys and NOT NULL of `live`, so that rows which break one are refused before
/// the swap, which must not take long.
pub(super) async fn take_indexes(
    server: &Server,
    staging: &DatasetId,
    schema: &Schema,
    live: Option<&DatasetId>,
) -> Result<(), ConnectorError> {
    let mut client = server.connect().await?;
    let doing = match live {
        Some(live) => format!("give `{staging}` the indexes of `{live}`"),
        None => format!("give `{staging}` its key"),
    };
    let change = Change::begin(&mut client, &server.target, doing).await?;
    let new = change.found(staging).await?;
    indexes::take_key(&change.tx, &new, schema, &change.doing).await?;
    let old = match live {
        Some(live) => change.find(live).await?,
        None => None,
    };
    if let Some(old) = old {
        indexes::take_indexes(&change.tx, &old, &new, &change.doing).await?;
        successor::take_not_null(&change.tx, &old, &new, &change.doing).await?;
    }
    change.commit().await?;
    server.give_back(client);
    Ok(())
}

/// Renames a table; refuses when `to` exists.
pub(super) async fn rename(server: &Server, from: &DatasetId, to: &DatasetId) -> Result<(), ConnectorError> {
    let mut client = server.connect().await?;
    let doing = format!("rename `{from}` to `{to}`");
    let turns = Turns::of(server, &doing);
    loop {
        let change = Change::begin(&mut client, &server.target, doing.clone()).await?;
        change.one_schema(&[Some(from), Some(to)])?;
        let found = change.found(from).await?;
        change.must_be_table(&found)?;
        if change.find(to).await?.is_some() {
            return Err(change.refused(format!("`{to}` exists already")));
        }
        if change.run_unless_held(&lock_sql(&found.sql())).await? {
            change.rename(&found, &new_names(&server.target, to)?.1).await?;
            change.commit().await?;
            server.give_back(client);
            return Ok(());
        }
        drop(change);
        turns.pause().await?;
    }
}

/// Drops a table or view if it is there.
pub(super) async fn drop_table(server: &Server, table: &DatasetId) -> Result<(), ConnectorError> {
    let mut client = server.connect().await?;
    let doing = format!("drop `{table}`");
    let turns = Turns::of(server, &doing);
    loop {
        let mut change = Change::begin(&mut client, &server.target, doing.clone()).await?;
        let dropped = match change.find(table).await? {
            Some(found) if change.run_unless_held(&drop_sql(&found)).await? => {
                change.forget(&found).await?;
                true
            }
            Some(_) => false,
            None => true,
        };
        if dropped {
            books::close(&mut change.tx).await?;
            change.commit().await?;
            server.give_back(client);
            return Ok(());
        }
        drop(change);
        turns.pause().await?;
    }
}

/// Where names without a schema are looked for.
#[derive(Clone, Copy)]
pub(super) enum Path {
    /// Only among PostgreSQL's own, so that views and indexes tell every name with its schema.
    Nowhere,
    /// Where the user's sessions look.
    OfTheSession,
}

/// Changes of tables within one transaction.
pub(super) struct Change<'c> {
    pub(super) tx: Transaction<'c>,
    target: &'c Target,
    pub(super) doing: String,
}

impl<'c> Change<'c> {
    /// Begins one; dropped without [`Change::commit`] it leaves nothing.
    pub(super) async fn begin(
        client: &'c mut Client,
        target: &'c Target,
        doing: String,
    ) -> Result<Self, ConnectorError> {
        let tx = client.transaction().await.map_err(|e| engine(&doing, e))?;
        let settings = format!("SET LOCAL lock_timeout = {}", TRY_MS.min(target.lock.as_millis()));
        tx.batch_execute(&settings).await.map_err(|e| engine(&doing, e))?;
        let change = Change { tx, target, doing };
        change.look_for_names(Path::Nowhere).await?;
        Ok(change)
    }

    /// Where names without a schema are looked for from now on.
    pub(super) async fn look_for_names(&self, path: Path) -> Result<(), ConnectorError> {
        let sql = match path {
            Path::Nowhere => "SET LOCAL search_path = pg_catalog",
            Path::OfTheSession => "SET LOCAL search_path TO DEFAULT",
        };
        self.tx.batch_execute(sql).await.map_err(|e| engine(&self.doing, e))
    }

    pub(super) async fn commit(self) -> Result<(), ConnectorError> {
        self.tx.commit().await.map_err(|e| engine(self.doing, e))
    }

    pub(super) async fn find(&self, id: &DatasetId) -> Result<Option<Found>, ConnectorError> {
        find(&self.tx, self.target, id).await
    }

    pub(super) async fn found(&self, id: &DatasetId) -> Result<Found, ConnectorError> {
        self.find(id).await?.ok_or_else(|| ConnectorError::NoSuchTable(id.clone()))
    }

    pub(super) fn refused(&self, why: impl Into<String>) -> ConnectorError {
        refused(&self.doing, why)
    }

    async fn run(&self, sql: &str) -> Result<(), ConnectorError> {
        self.tx.batch_execute(sql).await.map_err(|e| engine(&self.doing, e))
    }

    /// Locks those of `tables` that are there, and the views that read them: views first, as their readers do. False
    /// when somebody else holds one; then the transaction is of no use any more.
    pub(super) async fn lock(&self, tables: &[Option<&DatasetId>]) -> Result<bool, ConnectorError> {
        let (mut first, mut then) = (Vec::new(), Vec::new());
        for id in tables.iter().flatten() {
            let Some(found) = self.find(id).await?.filter(Found::is_table) else { continue };
            let views = views::reading(&self.tx, &found).await?;
            for view in &views {
                view.must_be_movable(&self.doing)?;
            }
            first.extend(views.into_iter().map(|view| view.name));
            then.push(found.sql());
        }
        first.append(&mut then);
        for name in first {
            if !self.run_unless_held(&lock_sql(&name)).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Runs `sql`; false when somebody holds what it needs. Then the transaction is of no use any more.
    async fn run_unless_held(&self, sql: &str) -> Result<bool, ConnectorError> {
        match self.tx.batch_execute(sql).await {
            Ok(()) => Ok(true),
            Err(error) if is_held(&error) => Ok(false),
            Err(error) => Err(engine(&self.doing, error)),
        }
    }

    /// `live` becomes `previous`, `staging` becomes `live`; done already is done.
    pub(super) async fn swap(
        &self,
        staging: &DatasetId,
        live: &DatasetId,
        previous: Option<&DatasetId>,
    ) -> Result<(), ConnectorError> {
        self.one_schema(&[Some(staging), Some(live), previous])?;
        let Some(new) = self.find(staging).await? else { return self.done_already(staging, live).await };
        self.must_be_table(&new)?;
        let Some(old) = self.find(live).await? else { return self.first(&new, live).await };
        self.same_schema(&old, &new)?;
        obstacles::must_be_free(&self.tx, &old, &self.doing).await?;
        if self.is_ours(&new).await? {
            self.run(&awake_sql(&new)).await?;
            indexes::take_indexes(&self.tx, &old, &new, &self.doing).await?;
        }
        successor::take_over(&self.tx, &old, &new, &self.doing).await?;
        let views = views::reading(&self.tx, &old).await?;
        let policies = policies::of(&self.tx, &old, &self.doing).await?;
        let aside = previous.map(|previous| new_names(self.target, previous)).transpose()?.map(|(_, table)| table);
        let renaming = Renaming::between(&self.tx, &old, &new, aside.as_deref(), &self.doing).await?;
        self.make_way(&old, live, previous, views.is_empty()).await?;
        // Whoever takes the place takes the spelling too: so the old table has it again when it comes back.
        self.rename(&new, &old.name).await?;
        renaming.give(&self.tx, &new.schema, &self.doing).await?;
        let new = Found { name: old.name, ..new };
        policies::give(&self.tx, &policies, &new, &self.doing).await?;
        for view in &views {
            view.must_be_movable(&self.doing)?;
            view.make_again(&self.tx, &self.doing).await?;
        }
        Ok(())
    }

    /// `new` becomes `live`, where there was nothing of that name.
    async fn first(&self, new: &Found, live: &DatasetId) -> Result<(), ConnectorError> {
        let (_, table) = new_names(self.target, live)?;
        if self.is_ours(new).await? {
            self.run(&awake_sql(new)).await?;
        }
        let renaming = Renaming::of_the_first(&self.tx, new, &table, &self.doing).await?;
        self.rename(new, &table).await?;
        renaming.give(&self.tx, &new.schema, &self.doing).await
    }

    async fn done_already(&self, staging: &DatasetId, live: &DatasetId) -> Result<(), ConnectorError> {
        let (schema, table) = names(self.target, live);
        match books::made_as(&self.tx, (&schema, &table)).await? == Some(names(self.target, staging).1) {
            true => Ok(()),
            false => Err(ConnectorError::NoSuchTable(staging.clone())),
        }
    }

    /// Frees the name of `old`.
    async fn make_way(
        &self,
        old: &Found,
        live: &DatasetId,
        previous: Option<&DatasetId>,
        unread: bool,
    ) -> Result<(), ConnectorError> {
        let Some(previous) = previous else {
            return match unread {
                true => self.drop_ours(old, live).await,
                false => {
                    Err(self.refused(format!("views read `{live}`, so it cannot go before they read the new table")))
                }
            };
        };
        if let Some(older) = self.find(previous).await? {
            self.drop_ours(&older, previous).await?;
        }
        self.rename(old, &new_names(self.target, previous)?.1).await
    }

    /// Drops a table that carve made, and no other.
    async fn drop_ours(&self, found: &Found, id: &DatasetId) -> Result<(), ConnectorError> {
        match self.is_ours(found).await? {
            true => {
                self.run(&drop_sql(found)).await?;
                self.forget(found).await
            }
            false => Err(self.refused(format!("`{id}` is in the way and carve did not make it: rename or drop it"))),
        }
    }

    /// Whether carve made it. A table of somebody else's that takes its place back has what it had.
    async fn is_ours(&self, found: &Found) -> Result<bool, ConnectorError> {
        let (schema, table) = (found.schema.to_lowercase(), found.name.to_lowercase());
        Ok(books::made_as(&self.tx, (&schema, &table)).await?.is_some())
    }

    async fn forget(&self, found: &Found) -> Result<(), ConnectorError> {
        books::forget(&self.tx, (&found.schema.to_lowercase(), &found.name.to_lowercase())).await
    }

    async fn rename(&self, from: &Found, to: &str) -> Result<(), ConnectorError> {
        self.run(&format!("ALTER TABLE {} RENAME TO {}", from.sql(), quoted(to))).await?;
        let schema = from.schema.to_lowercase();
        books::renamed(&self.tx, (&schema, &from.name.to_lowercase()), &to.to_lowercase()).await
    }

    fn must_be_table(&self, found: &Found) -> Result<(), ConnectorError> {
        match found.is_table() {
            true => Ok(()),
            false => Err(self.refused(format!("{} is no plain table", found.sql()))),
        }
    }

    /// The estate's names tell no case.
    fn same_schema(&self, old: &Found, new: &Found) -> Result<(), ConnectorError> {
        match old.schema == new.schema {
            true => Ok(()),
            false => Err(self.refused(format!(
                "{} and {} are in schemas that differ by case only: rename one of the two schemas",
                old.sql(),
                new.sql()
            ))),
        }
    }

    /// A rename does not lead from one schema to another.
    fn one_schema(&self, tables: &[Option<&DatasetId>]) -> Result<(), ConnectorError> {
        let mut schemas: Vec<String> = tables.iter().flatten().map(|table| names(self.target, table).0).collect();
        schemas.dedup();
        match schemas.len() {
            1 => Ok(()),
            _ => Err(self.refused(format!("the tables are in the schemas {}: keep them in one", schemas.join(", ")))),
        }
    }
}

fn lock_sql(name: &str) -> String {
    format!("LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
}

/// What is in its place is vacuumed again.
fn awake_sql(found: &Found) -> String {
    format!("ALTER TABLE {} RESET (autovacuum_enabled)", found.sql())
}

fn drop_sql(found: &Found) -> String {
    let what = match found.kind {
        'v' => "VIEW",
        'm' => "MATERIALIZED VIEW",
        'f' => "FOREIGN TABLE",
        _ => "TABLE",
    };
    format!("DROP {what} {}", found.sql())
}

fn is_held(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| *code == SqlState::LOCK_NOT_AVAILABLE || *code == SqlState::T_R_DEADLOCK_DETECTED)
}
