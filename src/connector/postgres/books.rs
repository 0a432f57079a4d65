//! What carve keeps beside its tables, in the schema `carve_books` of the same database, so that one transaction covers
//! both: which tables it made, which parts they hold, and small notes.
use std::collections::BTreeSet;

use tokio_postgres::{GenericClient, Transaction};

use super::trouble::engine;
use crate::connector::{ConnectorError, LoadPart};

/// Two that open the books at the same moment take turns.
const OPENING: i64 = 0x63_6172_7665;

/// Whoever writes in the books shares it; whoever takes them away has it alone.
const USING: i64 = 0x63_6172_7666;

const TABLES: &str =
    "CREATE TABLE IF NOT EXISTS carve_books.tables (schema_name text, table_name text, made_as text NOT NULL,
      PRIMARY KEY (schema_name, table_name));
    CREATE TABLE IF NOT EXISTS carve_books.ledger (schema_name text, table_name text, part text, row_count bigint NOT NULL,
      PRIMARY KEY (schema_name, table_name, part));
    CREATE TABLE IF NOT EXISTS carve_books.notes (key text PRIMARY KEY, value text NOT NULL);
    COMMENT ON SCHEMA carve_books IS 'The books of carve: tables it made, parts they hold, notes. Do not change by hand.'";

/// A table by its schema and name.
pub(super) type Name<'n> = (&'n str, &'n str);

fn failed(e: tokio_postgres::Error) -> ConnectorError {
    engine("keep carve's books in the schema `carve_books`", e)
}

/// Whether there are books yet. Asked of the catalog itself: `to_regclass` may answer from what the session remembers,
/// and then not see the books that another run has made a moment ago.
async fn there(client: &impl GenericClient) -> Result<bool, ConnectorError> {
    let sql =
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = 'carve_books' AND c.relname = 'notes')";
    client.query_one(sql, &[]).await.map(|row| row.get(0)).map_err(failed)
}

/// Keeps the books from being taken away until the transaction ends.
async fn share(client: &impl GenericClient) -> Result<(), ConnectorError> {
    let sql = "SELECT pg_catalog.pg_advisory_xact_lock_shared($1)";
    client.execute(sql, &[&USING]).await.map(|_| ()).map_err(failed)
}

/// Makes the books where they are missing; within a transaction.
pub(super) async fn open(client: &impl GenericClient) -> Result<(), ConnectorError> {
    share(client).await?;
    if there(client).await? {
        return Ok(());
    }
    client.execute("SELECT pg_catalog.pg_advisory_xact_lock($1)", &[&OPENING]).await.map_err(failed)?;
    if there(client).await? {
        return Ok(());
    }
    let schema = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'carve_books'";
    if client.query_opt(schema, &[]).await.map_err(failed)?.is_none() {
        client.batch_execute("CREATE SCHEMA carve_books").await.map_err(failed)?;
    }
    client.batch_execute(TABLES).await.map_err(failed)
}

/// The name under which carve made a table; `None` when it did not make it.
pub(super) async fn made_as(
    client: &impl GenericClient,
    (schema, table): Name<'_>,
) -> Result<Option<String>, ConnectorError> {
    if !there(client).await? {
        return Ok(None);
    }
    let sql = "SELECT made_as FROM carve_books.tables WHERE schema_name = $1 AND table_name = $2";
    let row = client.query_opt(sql, &[&schema, &table]).await.map_err(failed)?;
    Ok(row.map(|row| row.get(0)))
}

/// Notes that carve made a table.
pub(super) async fn made(client: &impl GenericClient, (schema, table): Name<'_>) -> Result<(), ConnectorError> {
    let sql = "INSERT INTO carve_books.tables VALUES ($1, $2, $2)";
    client.execute(sql, &[&schema, &table]).await.map(|_| ()).map_err(failed)
}

/// Forgets a table and its parts.
pub(super) async fn forget(client: &impl GenericClient, (schema, table): Name<'_>) -> Result<(), ConnectorError> {
    share(client).await?;
    if !there(client).await? {
        return Ok(());
    }
    for book in ["tables", "ledger"] {
        let sql = format!("DELETE FROM carve_books.{book} WHERE schema_name = $1 AND table_name = $2");
        client.execute(&sql, &[&schema, &table]).await.map_err(failed)?;
    }
    Ok(())
}

/// Whether nothing is written in the books, nothing else lies in their schema, and all of it is this user's to drop.
const CLOSABLE: &str =
    "SELECT NOT EXISTS (SELECT FROM carve_books.tables) AND NOT EXISTS (SELECT FROM carve_books.ledger)
      AND NOT EXISTS (SELECT FROM carve_books.notes)
      AND (SELECT pg_catalog.pg_has_role(nspowner, 'USAGE') FROM pg_catalog.pg_namespace WHERE nspname = 'carve_books')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'carve_books' AND c.relkind <> 'i'
          AND NOT (c.relname IN ('tables', 'ledger', 'notes') AND pg_catalog.pg_has_role(c.relowner, 'USAGE')))";

/// Takes the books away where nothing is written in them and nobody else is at work with them, within the transaction
/// `tx`. What keeps them from being taken away is no fault: they stay, empty.
pub(super) async fn close(tx: &mut Transaction<'_>) -> Result<(), ConnectorError> {
    const FILLED: &str = "SELECT EXISTS (SELECT FROM carve_books.tables) OR EXISTS (SELECT FROM carve_books.ledger)
        OR EXISTS (SELECT FROM carve_books.notes)";
    if !there(tx).await? || tx.query_one(FILLED, &[]).await.map_err(failed)?.get::<_, bool>(0) {
        return Ok(());
    }
    // Only a transaction that sees what others have committed meanwhile may call them empty.
    let alone = "SELECT pg_catalog.current_setting('transaction_isolation') = 'read committed'
        AND pg_catalog.pg_try_advisory_xact_lock($1)";
    if !tx.query_one(alone, &[&USING]).await.map_err(failed)?.get::<_, bool>(0) {
        return Ok(());
    }
    let tried = tx.transaction().await.map_err(failed)?;
    let closed = async {
        tried
            .batch_execute(
                "LOCK TABLE carve_books.tables, carve_books.ledger, carve_books.notes IN ACCESS EXCLUSIVE MODE NOWAIT",
            )
            .await?;
        if tried.query_one(CLOSABLE, &[]).await?.get(0) {
            tried
                .batch_execute(
                    "DROP TABLE carve_books.tables, carve_books.ledger, carve_books.notes; DROP SCHEMA carve_books",
                )
                .await?;
        }
        Ok::<(), tokio_postgres::Error>(())
    };
    match closed.await {
        Ok(()) => tried.commit().await.map_err(failed),
        Err(_) => tried.rollback().await.map_err(failed),
    }
}

/// Forgets the note `key`.
pub(super) async fn forget_note(client: &impl GenericClient, key: &str) -> Result<(), ConnectorError> {
    share(client).await?;
    if !there(client).await? {
        return Ok(());
    }
    client.execute("DELETE FROM carve_books.notes WHERE key = $1", &[&key]).await.map(|_| ()).map_err(failed)
}

/// Follows the renaming of a table.
pub(super) async fn renamed(
    client: &impl GenericClient,
    (schema, from): Name<'_>,
    to: &str,
) -> Result<(), ConnectorError> {
    if !there(client).await? {
        return Ok(());
    }
    forget(client, (schema, to)).await?;
    for book in ["tables", "ledger"] {
        let sql = format!("UPDATE carve_books.{book} SET table_name = $3 WHERE schema_name = $1 AND table_name = $2");
        client.execute(&sql, &[&schema, &from, &to]).await.map_err(failed)?;
    }
    Ok(())
}

/// Parts that a table holds, sorted.
pub(super) async fn parts(
    client: &impl GenericClient,
    (schema, table): Name<'_>,
) -> Result<Vec<String>, ConnectorError> {
    if !there(client).await? {
        return Ok(Vec::new());
    }
    let sql =
        "SELECT part FROM carve_books.ledger WHERE schema_name = $1 AND table_name = $2 ORDER BY part COLLATE \"C\"";
    let rows = client.query(sql, &[&schema, &table]).await.map_err(failed)?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Enters parts with their rows; gives those that were not there already.
pub(super) async fn enter(
    client: &impl GenericClient,
    (schema, table): Name<'_>,
    parts: &[LoadPart],
) -> Result<BTreeSet<String>, ConnectorError> {
    // In one order, so that two who enter the same parts wait for each other and not in a circle.
    let sql = "INSERT INTO carve_books.ledger
        SELECT $1, $2, p.part, p.row_count FROM unnest($3::text[], $4::int8[]) AS p (part, row_count)
        ORDER BY p.part COLLATE \"C\" ON CONFLICT DO NOTHING RETURNING part";
    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
    let rows: Vec<i64> = parts.iter().map(|part| i64::try_from(part.rows).unwrap_or(i64::MAX)).collect();
    let entered = client.query(sql, &[&schema, &table, &names, &rows]).await.map_err(failed)?;
    Ok(entered.iter().map(|row| row.get(0)).collect())
}

/// The server's clock, in seconds since 1970.
pub(super) async fn now(client: &impl GenericClient) -> Result<f64, ConnectorError> {
    let sql = "SELECT extract(epoch FROM pg_catalog.clock_timestamp())::float8";
    client.query_one(sql, &[]).await.map(|row| row.get(0)).map_err(failed)
}

/// Who began before `at` ([`now`]) and may read in a state of the database from before the last part of a table was
/// loaded, as far as this user may know: they would see the table without it. A snapshot is as old as the oldest
/// transaction that was writing anywhere on the server when it was taken, so some who see every part are named too;
/// whoever begins after the load is not.
pub(super) async fn older_readers(
    client: &impl GenericClient,
    (schema, table): Name<'_>,
    at: f64,
) -> Result<Option<String>, ConnectorError> {
    if !there(client).await? {
        return Ok(None);
    }
    let sql = "SELECT pg_catalog.format('process %s of the user %s, since %s', a.pid, a.usename, a.xact_start)
        FROM pg_catalog.pg_stat_activity a,
          (SELECT min(pg_catalog.age(xmin)) AS newest FROM carve_books.ledger WHERE schema_name = $1 AND table_name = $2) l
        WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
          AND a.backend_type = 'client backend' AND pg_catalog.age(a.backend_xmin) >= l.newest
          AND a.xact_start <= pg_catalog.to_timestamp($3)
        ORDER BY a.xact_start LIMIT 1";
    let row = client.query_opt(sql, &[&schema, &table, &at]).await.map_err(failed)?;
    Ok(row.map(|row| row.get(0)))
}

/// The note `key`.
pub(super) async fn note(client: &impl GenericClient, key: &str) -> Result<Option<String>, ConnectorError> {
    if !there(client).await? {
        return Ok(None);
    }
    let row = client.query_opt("SELECT value FROM carve_books.notes WHERE key = $1", &[&key]).await.map_err(failed)?;
    Ok(row.map(|row| row.get(0)))
}

/// Keeps the note `key`.
pub(super) async fn set_note(client: &impl GenericClient, key: &str, value: &str) -> Result<(), ConnectorError> {
    let sql = "INSERT INTO carve_books.notes VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    client.execute(sql, &[&key, &value]).await.map(|_| ()).map_err(failed)
}
