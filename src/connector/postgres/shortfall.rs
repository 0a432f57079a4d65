//! What of a table the one that has taken its place is without: measured on both, so that what is told is so.
use tokio_postgres::Transaction;

use super::names::Found;
use super::successor::{about, texts};
use crate::connector::{ConnectorError, shortfall::some_of};

/// A constraint of the old table that the new one has not under the same definition.
const CONSTRAINT: &str = "SELECT pg_get_constraintdef(o.oid) FROM pg_constraint o WHERE o.conrelid = %OLD% AND o.contype = '%KIND%'
    AND NOT EXISTS (SELECT FROM pg_constraint n WHERE n.conrelid = %NEW% AND pg_get_constraintdef(n.oid) = pg_get_constraintdef(o.oid))";

/// Facts about the tables as such, `o` the old and `n` the new one.
const TABLES: &str = "SELECT '' FROM pg_class o, pg_class n WHERE o.oid = %OLD% AND n.oid = %NEW% AND ";

/// In words and in what order, and the query that finds it; `{}` stands for the names that the query gives.
const KINDS: [(&str, &str, &str); 19] = [
    ("its {} (a unique index it has)", CONSTRAINT, "p"),
    ("its CHECK constraints", CONSTRAINT, "c"),
    ("its EXCLUDE constraints", CONSTRAINT, "x"),
    ("its UNIQUE constraints (their indexes it has)", CONSTRAINT, "u"),
    ("its foreign keys", CONSTRAINT, "f"),
    (
        "the comments on its constraints",
        "SELECT '' FROM pg_constraint o WHERE o.conrelid = %OLD% AND obj_description(o.oid, 'pg_constraint') IS NOT NULL",
        "",
    ),
    (
        "its defaults",
        "SELECT '' FROM pg_attribute o WHERE o.attrelid = %OLD% AND o.atthasdef AND o.attgenerated = '' AND NOT o.attisdropped",
        "",
    ),
    (
        "the formulas of its generated columns (as plain columns it has {}, filled with the origin's values)",
        "SELECT o.attname::text FROM %BOTH% WHERE o.attgenerated <> '' ORDER BY o.attnum",
        "",
    ),
    ("its identity columns", "SELECT '' FROM pg_attribute o WHERE o.attrelid = %OLD% AND o.attidentity <> ''", ""),
    ("its extended statistics", "SELECT '' FROM pg_statistic_ext WHERE stxrelid = %OLD%", ""),
    (
        "NOT NULL of {} (but where the rows hold no NULL, it stays)",
        "SELECT o.attname::text FROM %BOTH% WHERE o.attnotnull AND NOT n.attnotnull ORDER BY o.attnum",
        "",
    ),
    (
        "the types of its columns ({})",
        "SELECT format('%s %s, now %s', o.attname, format_type(o.atttypid, o.atttypmod), format_type(n.atttypid, n.atttypmod))
         FROM %BOTH% WHERE (o.atttypid, o.atttypmod) <> (n.atttypid, n.atttypmod) ORDER BY o.attnum",
        "",
    ),
    (
        "the collation of {}",
        "SELECT o.attname::text FROM %BOTH% WHERE o.attcollation NOT IN (0, n.attcollation) ORDER BY o.attnum",
        "",
    ),
    (
        "the order of its columns (that of the origin it has)",
        "SELECT '' FROM %BOTH% HAVING array_agg(o.attname ORDER BY o.attnum) <> array_agg(o.attname ORDER BY n.attnum)",
        "",
    ),
    ("its tablespace", TABLES, "o.reltablespace <> n.reltablespace"),
    ("its access method", TABLES, "o.relam <> n.relam"),
    ("its being UNLOGGED", TABLES, "o.relpersistence <> n.relpersistence"),
    (
        "its replica identity",
        TABLES,
        "(o.relreplident <> n.relreplident OR o.relreplident = 'd' AND NOT EXISTS (SELECT FROM pg_index x WHERE x.indrelid = n.oid AND x.indisprimary)
          AND EXISTS (SELECT FROM pg_index x WHERE x.indrelid = o.oid AND x.indisprimary))",
    ),
    ("its bond to the type it is made of", TABLES, "o.reloftype <> 0"),
];

/// What `old` has and `new`, which stands in its place, has not; in words.
pub(super) async fn lacks(
    tx: &Transaction<'_>,
    old: &Found,
    new: &Found,
    doing: &str,
) -> Result<Vec<String>, ConnectorError> {
    let mut lacking = Vec::new();
    for (words, sql, more) in KINDS {
        let sql = match sql {
            CONSTRAINT => sql.replace("%KIND%", more),
            _ => format!("{sql}{more}"),
        };
        let names = texts(tx, &about(&sql, old, new), doing).await?;
        if !names.is_empty() {
            lacking.push(words.replace("{}", &some_of(&names)));
        }
    }
    Ok(lacking)
}
