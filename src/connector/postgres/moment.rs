//! Whether a table holds the rows that an earlier snapshot saw, by a look at each row's author instead of its values.
//!
//! Every row tells the transaction that wrote it, and a row that is changed is a row written anew. A snapshot tells the
//! oldest transaction that was running when it was taken. Rows that are all by older transactions were all there then, and
//! as many as were seen then are all that were seen.
use tokio_postgres::Client;

use super::names::Found;
use super::trouble::engine;
use crate::connector::{ConnectorError, Moment};

/// The first version with numbers of transactions that do not begin again.
const NUMBERS: i32 = 130_000;

/// The moment of the snapshot that `client` reads in; `None` for what has no rows of its own, such as a view.
pub(super) async fn moment(client: &Client, table: &Found) -> Result<Option<Moment>, ConnectorError> {
    // A statement that an older version does not know would end the snapshot.
    let sql = "SELECT pg_catalog.current_setting('server_version_num')::int4 >= $2 AND EXISTS (
          SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am m ON m.oid = c.relam
          WHERE c.oid = $1 AND c.relkind = 'r' AND m.amname = 'heap'
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = c.oid))";
    let asking = |e| engine(format!("look at {}", table.sql()), e);
    let row = client.query_one(sql, &[&table.oid, &NUMBERS]).await.map_err(asking)?;
    if !row.get::<_, bool>(0) {
        return Ok(None);
    }
    let sql = "SELECT pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::text";
    let row = client.query_one(sql, &[]).await.map_err(asking)?;
    Ok(Some(Moment(format!("{} {}", table.oid, row.get::<_, String>(0)))))
}

/// Whether `table` holds the `rows` rows that the snapshot of `then` saw, and no others.
pub(super) async fn unchanged_since(
    client: &Client,
    table: &Found,
    then: &Moment,
    rows: u64,
) -> Result<bool, ConnectorError> {
    let Some((oid, oldest)) = then.0.split_once(' ') else { return Ok(false) };
    if oid.parse() != Ok(table.oid) {
        return Ok(false);
    }
    // Numbers in rows begin again after four milliards: what looks younger than it is is read again.
    let sql = format!(
        "SELECT pg_catalog.count(*), pg_catalog.min(pg_catalog.age(xmin)) > pg_catalog.age($1::text::xid8::xid) FROM {}",
        table.sql()
    );
    let row = client.query_one(&sql, &[&oldest]).await;
    let row = row.map_err(|e| engine(format!("look at {}", table.sql()), e))?;
    let all_older: Option<bool> = row.get(1);
    Ok(row.get::<_, i64>(0).unsigned_abs() == rows && all_older.unwrap_or(true))
}
