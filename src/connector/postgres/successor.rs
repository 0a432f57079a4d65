//! What a table's successor takes over of the table itself: owner, rights, row security, comments, settings.
use tokio_postgres::Transaction;

use super::indexes;
use super::names::{Found, literal};
use super::trouble::engine;
use crate::connector::ConnectorError;

// Each of these queries gives statements. %OLD% and %NEW% stand for the two tables' numbers, %TABLE% for the new
// one's name as a string, %GRANTEE% for whom an entry `a` of an access list is about.

const OWNER: &str = "SELECT 'ALTER TABLE ' || %TABLE% || ' OWNER TO ' || quote_ident(pg_get_userbyid(o.relowner))
    FROM pg_class o JOIN pg_class n ON n.oid = %NEW% WHERE o.oid = %OLD% AND o.relowner <> n.relowner";

const GRANTEE: &str = "CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END";

/// What a default would have given goes too.
const NO_RIGHTS: &str = "SELECT DISTINCT 'REVOKE ALL ON ' || %TABLE% || ' FROM ' || %GRANTEE%
    FROM pg_class n, LATERAL (SELECT n.relacl UNION ALL SELECT c.attacl FROM pg_attribute c WHERE c.attrelid = n.oid) l(acl),
      aclexplode(l.acl) a WHERE n.oid = %NEW% AND a.grantee <> n.relowner";

const RIGHTS: &str = "SELECT 'GRANT ' || a.privilege_type || ' ON ' || %TABLE% || ' TO ' || %GRANTEE%
        || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
      FROM pg_class o, aclexplode(o.relacl) a WHERE o.oid = %OLD% AND a.grantee <> o.relowner
    UNION ALL SELECT 'GRANT ' || a.privilege_type || ' (' || quote_ident(c.attname) || ') ON ' || %TABLE% || ' TO ' || %GRANTEE%
        || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
      FROM pg_attribute c, aclexplode(c.attacl) a
      WHERE c.attrelid = %OLD% AND EXISTS (SELECT FROM pg_attribute x WHERE x.attrelid = %NEW% AND x.attname = c.attname)";

/// Without a policy it hides every row from everybody but the owner: it is never taken off, only put on.
const ROW_SECURITY: &str = "SELECT 'ALTER TABLE ' || %TABLE% || ' ENABLE ROW LEVEL SECURITY'
      FROM pg_class o WHERE o.oid = %OLD% AND o.relrowsecurity
    UNION ALL SELECT 'ALTER TABLE ' || %TABLE% || ' FORCE ROW LEVEL SECURITY'
      FROM pg_class o WHERE o.oid = %OLD% AND o.relforcerowsecurity";

const COMMENTS: &str = "SELECT 'COMMENT ON TABLE ' || %TABLE% || ' IS ' || quote_literal(obj_description(%OLD%, 'pg_class'))
      WHERE obj_description(%OLD%, 'pg_class') IS NOT NULL
    UNION ALL SELECT 'COMMENT ON COLUMN ' || %TABLE% || '.' || quote_ident(c.attname) || ' IS ' || quote_literal(col_description(%OLD%, c.attnum))
      FROM pg_attribute c WHERE c.attrelid = %OLD% AND col_description(%OLD%, c.attnum) IS NOT NULL
        AND EXISTS (SELECT FROM pg_attribute x WHERE x.attrelid = %NEW% AND x.attname = c.attname AND NOT x.attisdropped)";

const SETTINGS: &str = "SELECT format('ALTER TABLE %s SET (%s%I = %L)', %TABLE%, p.prefix, split_part(p.setting, '=', 1), substr(p.setting, strpos(p.setting, '=') + 1))
      FROM (SELECT '' AS prefix, unnest(o.reloptions) AS setting FROM pg_class o WHERE o.oid = %OLD%
        UNION ALL SELECT 'toast.', unnest(t.reloptions) FROM pg_class o JOIN pg_class t ON t.oid = o.reltoastrelid WHERE o.oid = %OLD%) p
    UNION ALL SELECT format('ALTER TABLE %s REPLICA IDENTITY %s', %TABLE%, CASE o.relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END)
      FROM pg_class o JOIN pg_class n ON n.oid = %NEW%
      WHERE o.oid = %OLD% AND o.relreplident IN ('f', 'n') AND n.relreplident <> o.relreplident";

/// Columns of both tables, `o` in the old one and `n` in the new.
pub(super) const BOTH: &str = "pg_attribute o JOIN pg_attribute n ON n.attrelid = %NEW% AND n.attname = o.attname
    AND o.attrelid = %OLD% AND o.attnum > 0 AND n.attnum > 0 AND NOT o.attisdropped AND NOT n.attisdropped";

/// `attcompression` is not in every version's catalog.
const COLUMN_SETTINGS: &str = "SELECT format('ALTER TABLE %s ALTER COLUMN %I %s', %TABLE%, o.attname, s.setting)
    FROM %BOTH% CROSS JOIN LATERAL (VALUES
      (CASE WHEN coalesce(o.attstattarget, -1) NOT IN (-1, coalesce(n.attstattarget, -1)) THEN 'SET STATISTICS ' || o.attstattarget END),
      (CASE WHEN o.atttypid = n.atttypid AND o.attstorage <> n.attstorage
        THEN 'SET STORAGE ' || CASE o.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END),
      (CASE WHEN o.atttypid = n.atttypid THEN CASE to_jsonb(o) ->> 'attcompression' WHEN to_jsonb(n) ->> 'attcompression' THEN NULL
        WHEN 'p' THEN 'SET COMPRESSION pglz' WHEN 'l' THEN 'SET COMPRESSION lz4' END END),
      ((SELECT 'SET (' || string_agg(format('%I = %L', split_part(x, '=', 1), substr(x, strpos(x, '=') + 1)), ', ') || ')' FROM unnest(o.attoptions) x))
    ) s(setting) WHERE s.setting IS NOT NULL";

const COLLATIONS: &str = "SELECT format('ALTER TABLE %s ALTER COLUMN %I TYPE %s COLLATE %I.%I', %TABLE%, n.attname,
      format_type(n.atttypid, n.atttypmod), s.nspname, c.collname)
    FROM %BOTH% JOIN pg_collation c ON c.oid = o.attcollation JOIN pg_namespace s ON s.oid = c.collnamespace
    WHERE n.attcollation NOT IN (0, o.attcollation)";

/// Columns whose type in the old table takes every value of the new one's and gives it back unchanged.
const WIDER: &str = "SELECT format('ALTER COLUMN %I TYPE %s', n.attname, format_type(o.atttypid, o.atttypmod))
    FROM %BOTH% CROSS JOIN LATERAL (SELECT o.atttypid::regtype::text AS old, n.atttypid::regtype::text AS new) t
    WHERE (o.atttypid, o.atttypmod) <> (n.atttypid, n.atttypmod) AND CASE
      WHEN t.new = 'character varying' AND t.old = 'text' THEN true
      WHEN t.new = 'text' AND t.old = 'character varying' THEN o.atttypmod = -1
      WHEN t.old IN ('integer', 'bigint') AND t.new IN ('smallint', 'integer') THEN t.old = 'bigint' OR t.new = 'smallint'
      WHEN o.atttypid <> n.atttypid THEN false
      WHEN t.new IN ('character varying', 'bit varying', 'timestamp without time zone', 'timestamp with time zone',
        'time without time zone', 'time with time zone') THEN o.atttypmod = -1 OR n.atttypmod BETWEEN 0 AND o.atttypmod
      WHEN t.new = 'numeric' THEN o.atttypmod = -1
      ELSE false END
    ORDER BY n.attnum";

/// Gives `new` the owner, rights, row security, comments and settings of `old`.
pub(super) async fn take_over(
    tx: &Transaction<'_>,
    old: &Found,
    new: &Found,
    doing: &str,
) -> Result<(), ConnectorError> {
    for statements in [OWNER, NO_RIGHTS, RIGHTS, ROW_SECURITY, COMMENTS, SETTINGS, COLUMN_SETTINGS] {
        run_each(tx, statements, old, new, doing).await?;
    }
    indexes::take_marks(tx, old, new, doing).await
}

/// Leaves the columns of `new` the types of `old` where these take all its values and give them back unchanged: what reads
/// the table goes on as before.
pub(super) async fn take_types(
    tx: &Transaction<'_>,
    old: &Found,
    new: &Found,
    doing: &str,
) -> Result<(), ConnectorError> {
    let columns = texts(tx, &about(WIDER, old, new), doing).await?;
    if columns.is_empty() {
        return Ok(());
    }
    let sql = format!("ALTER TABLE {} {}", new.sql(), columns.join(", "));
    tx.batch_execute(&sql).await.map_err(|e| engine(doing, e))
}

/// Lets the columns of `new` compare and sort as those of `old` do; what indexes it has are made anew.
pub(super) async fn take_collations(
    tx: &Transaction<'_>,
    old: &Found,
    new: &Found,
    doing: &str,
) -> Result<(), ConnectorError> {
    run_each(tx, COLLATIONS, old, new, doing).await
}

/// Lets the columns of `new` refuse NULL where those of `old` do and the rows that it holds allow it.
pub(super) async fn take_not_null(
    tx: &Transaction<'_>,
    old: &Found,
    new: &Found,
    doing: &str,
) -> Result<(), ConnectorError> {
    let sql = about(
        "SELECT quote_ident(n.attname) FROM %BOTH% WHERE o.attnotnull AND NOT n.attnotnull ORDER BY n.attnum",
        old,
        new,
    );
    let columns: Vec<String> = texts(tx, &sql, doing).await?;
    if columns.is_empty() {
        return Ok(());
    }
    let any_null: Vec<String> =
        columns.iter().map(|column| format!("coalesce(bool_or({column} IS NULL), false)")).collect();
    let row = tx.query_one(&format!("SELECT {} FROM {}", any_null.join(", "), new.sql()), &[]).await;
    let row = row.map_err(|e| engine(doing, e))?;
    let whole = columns.iter().enumerate().filter(|(at, _)| !row.get::<_, bool>(*at));
    let each: Vec<String> = whole.map(|(_, column)| format!("ALTER COLUMN {column} SET NOT NULL")).collect();
    if each.is_empty() {
        return Ok(());
    }
    let sql = format!("ALTER TABLE {} {}", new.sql(), each.join(", "));
    tx.batch_execute(&sql).await.map_err(|e| engine(doing, e))
}

/// Runs the statements that the query `statements` gives for these two tables.
async fn run_each(
    tx: &Transaction<'_>,
    statements: &str,
    old: &Found,
    new: &Found,
    doing: &str,
) -> Result<(), ConnectorError> {
    for statement in texts(tx, &about(statements, old, new), doing).await? {
        tx.batch_execute(&statement).await.map_err(|e| engine(doing, e))?;
    }
    Ok(())
}

/// `sql` about these two tables.
pub(super) fn about(sql: &str, old: &Found, new: &Found) -> String {
    let numbered = sql.replace("%BOTH%", BOTH).replace("%GRANTEE%", GRANTEE);
    let numbered = numbered.replace("%OLD%", &old.oid.to_string()).replace("%NEW%", &new.oid.to_string());
    numbered.replace("%TABLE%", &literal(&new.sql()))
}

/// The first column of the answer to `sql`.
pub(super) async fn texts(tx: &Transaction<'_>, sql: &str, doing: &str) -> Result<Vec<String>, ConnectorError> {
    let rows = tx.query(sql, &[]).await.map_err(|e| engine(doing, e))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
