//! Time goes by at the source: what a refresh has to follow.
use camino::Utf8Path;
use rusqlite::{Connection, params};

use crate::cli::demo_data::{
    DemoDataError,
    moments::{LAST, moment},
};

/// Orders that come in.
const NEW_ORDERS: i64 = 25;
/// Orders that are delivered.
const UPDATED: i64 = 40;
/// Orders that are taken out for good, the newest old ones first.
const DELETED: i64 = 5;

/// What changed in the order API's database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LateRows {
    /// Orders that are new.
    pub inserted: u64,
    /// Orders that changed.
    pub updated: u64,
    /// Orders that are gone, with their lines.
    pub deleted: u64,
}

/// Lets a few minutes go by in `sources/order_api.db` of the estate at `target`: new orders with lines
/// and payments, changed ones and deleted ones, in one transaction. Called again, more time goes by.
pub fn late_rows(target: &Utf8Path) -> Result<LateRows, DemoDataError> {
    let path = target.join("sources/order_api.db");
    let doing = || DemoDataError::sqlite(format!("change rows in `{path}`"));
    // Only what is there may change: a database that is missing is not created.
    std::fs::metadata(&path).map_err(DemoDataError::file("read", &path))?;
    let mut db = Connection::open(&path).map_err(doing())?;
    let now = clock_of(&db).map_err(doing())?;
    let transaction = db.transaction().map_err(doing())?;
    let changed = change(&transaction, &now).map_err(doing())?;
    transaction.commit().map_err(doing())?;
    Ok(changed)
}

/// A minute after the newest change, and after the last day of the first data.
fn clock_of(db: &Connection) -> rusqlite::Result<String> {
    let newest = "SELECT datetime(max(max(updated_at), ?1), '+1 minute') FROM orders";
    db.query_row(newest, [moment(LAST)], |row| row.get(0))
}

fn change(db: &Connection, now: &str) -> rusqlite::Result<LateRows> {
    let newest: i64 = db.query_row("SELECT max(order_id) FROM orders", [], |row| row.get(0))?;
    let newest_line: i64 = db.query_row("SELECT max(line_id) FROM order_lines", [], |row| row.get(0))?;
    for number in 1..=NEW_ORDERS {
        insert_order(db, newest + number, newest_line + number, now)?;
    }
    let updated = db.execute(
        "UPDATE orders SET status = 'delivered', comment = coalesce(comment, '') || ' · delivered 📦', updated_at = ?1
         WHERE order_id IN (SELECT order_id FROM orders WHERE status = 'shipped' ORDER BY order_id DESC LIMIT ?2)",
        params![now, UPDATED],
    )?;
    let gone =
        "SELECT order_id FROM orders WHERE order_id <= ?1 AND status <> 'delivered' ORDER BY order_id DESC LIMIT ?2";
    for table in ["order_lines", "payments", "shipments", "returns"] {
        db.execute(&format!("DELETE FROM {table} WHERE order_id IN ({gone})"), params![newest, DELETED])?;
    }
    let deleted = db.execute(&format!("DELETE FROM orders WHERE order_id IN ({gone})"), params![newest, DELETED])?;
    Ok(LateRows { inserted: NEW_ORDERS.unsigned_abs(), updated: updated as u64, deleted: deleted as u64 })
}

fn insert_order(db: &Connection, order: i64, line: i64, now: &str) -> rusqlite::Result<()> {
    let cents = 1_000 + order % 9_000;
    db.execute(
        "INSERT INTO orders VALUES (?1, ?2, 'paid', 'app', 'eu', 'EUR', ?3, NULL, ?4, NULL, 0.25, 0, NULL, ?5, ?5)",
        params![order, 1 + order % 50, cents, "late order, \"as promised\"\nno. 1", now],
    )?;
    db.execute(
        "INSERT INTO order_lines VALUES (?1, ?2, 1, ?3, 1, ?4, NULL, 0.19, '', ?5)",
        params![line, order, 1 + order % 1_200, cents as f64 / 100.0, now],
    )?;
    db.execute(
        "INSERT INTO payments VALUES (?1, ?2, 'card', ?3, 'EUR', 'settled', ?4, NULL, NULL, ?4)",
        params![format!("pay_{order:08x}latelate"), order, cents as f64 / 100.0, now],
    )?;
    Ok(())
}
