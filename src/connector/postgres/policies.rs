//! Row security policies: whatever takes a table's place has them before anybody can see it.
use tokio_postgres::Transaction;

use super::names::{Found, literal, quoted};
use super::trouble::{engine, refused, said};
use crate::connector::ConnectorError;

/// A policy as it can be made on a table that bears the name of the one it was made on.
pub(super) struct Policy {
    name: String,
    /// `AS PERMISSIVE FOR SELECT TO reader USING (…)`.
    tail: String,
    comment: Option<String>,
}

/// The policies of `table`. Their texts may say its name, so they are to be read while it has that.
pub(super) async fn of(tx: &Transaction<'_>, table: &Found, doing: &str) -> Result<Vec<Policy>, ConnectorError> {
    let sql = "SELECT p.polname::text, format('AS %s FOR %s TO %s%s%s',
            CASE WHEN p.polpermissive THEN 'PERMISSIVE' ELSE 'RESTRICTIVE' END,
            CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'ALL' END,
            (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ') FROM unnest(p.polroles) r),
            ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
            ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
          obj_description(p.oid, 'pg_policy')
        FROM pg_policy p WHERE p.polrelid = $1 ORDER BY 1";
    let rows = tx.query(sql, &[&table.oid]).await.map_err(|e| engine(doing, e))?;
    Ok(rows.iter().map(|row| Policy { name: row.get(0), tail: row.get(1), comment: row.get(2) }).collect())
}

/// Gives `table` these policies and no others.
pub(super) async fn give(
    tx: &Transaction<'_>,
    policies: &[Policy],
    table: &Found,
    doing: &str,
) -> Result<(), ConnectorError> {
    for own in of(tx, table, doing).await? {
        let drop = format!("DROP POLICY {} ON {}", quoted(&own.name), table.sql());
        tx.batch_execute(&drop).await.map_err(|e| engine(doing, e))?;
    }
    for policy in policies {
        let (name, on) = (quoted(&policy.name), table.sql());
        let comment = policy.comment.as_ref();
        let comment = comment.map(|text| format!("; COMMENT ON POLICY {name} ON {on} IS {}", literal(text)));
        let sql = format!("CREATE POLICY {name} ON {on} {}{}", policy.tail, comment.unwrap_or_default());
        tx.batch_execute(&sql).await.map_err(|error| match error.code().map(|code| code.code()) {
            Some(code) if code.starts_with("42") => refused(
                doing,
                format!(
                    "the row security policy `{}` cannot be made on the new table ({}): publish the columns it reads \
                     in the types they have, or drop the policy",
                    policy.name,
                    said(&error)
                ),
            ),
            _ => engine(doing, error),
        })?;
    }
    Ok(())
}
