//! What a table's successor takes over: indexes, rights, owner, comments; and what it cannot.
use tokio_postgres::Transaction;

use super::names::{Found, qualified, quoted};
use super::trouble::{engine, refused, said};
use crate::connector::ConnectorError;

/// Bytes of a name that PostgreSQL keeps.
const LONGEST_NAME: usize = 63;

/// Refuses to replace a table that something clings to which would stay with it.
pub(super) async fn must_be_free(tx: &Transaction<'_>, old: &Found, doing: &str) -> Result<(), ConnectorError> {
    if !old.is_table() {
        let what = match old.kind {
            'v' | 'm' => "a view",
            'f' => "a foreign table",
            _ => "a partitioned table",
        };
        return Err(refused(doing, format!("{} is {what}, which an import cannot replace", old.sql())));
    }
    let facts = [
        ("the trigger", "SELECT quote_ident(tgname) FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal"),
        ("the rule", "SELECT quote_ident(rulename) FROM pg_rewrite WHERE ev_class = $1"),
        ("the row security policy", "SELECT quote_ident(polname) FROM pg_policy WHERE polrelid = $1"),
        ("the parent table", "SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = $1"),
        ("the child table", "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1"),
        (
            "the publication",
            "SELECT quote_ident(p.pubname) FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = $1",
        ),
        (
            "a dependent that would stay with the old table,",
            "SELECT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d
             WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND d.deptype = 'n'
               AND d.classid <> 'pg_rewrite'::regclass
               AND NOT EXISTS (SELECT FROM pg_constraint c WHERE d.classid = 'pg_constraint'::regclass AND c.oid = d.objid AND c.conrelid = $1)",
        ),
    ];
    for (what, sql) in facts {
        if let Some(first) = texts(tx, &format!("{sql} ORDER BY 1 LIMIT 1"), old, doing).await?.first() {
            let why = format!(
                "{} has {what} {first}, which would stay with the old table: drop it first, create it again afterwards",
                old.sql()
            );
            return Err(refused(doing, why));
        }
    }
    Ok(())
}

/// What belongs to `old` itself and stays with it, in words.
pub(super) async fn lacks(tx: &Transaction<'_>, old: &Found, doing: &str) -> Result<Vec<String>, ConnectorError> {
    let sql = "SELECT DISTINCT CASE contype WHEN 'u' THEN 'its UNIQUE constraints (their indexes it has)' WHEN 'f' THEN 'its foreign keys'
          WHEN 'c' THEN 'its CHECK constraints' WHEN 'x' THEN 'its EXCLUDE constraints' END
        FROM pg_constraint WHERE conrelid = $1 AND contype IN ('u', 'f', 'c', 'x')
        UNION SELECT 'its defaults and formulas of generated columns' FROM pg_attribute WHERE attrelid = $1 AND atthasdef
        UNION SELECT 'its identity columns' FROM pg_attribute WHERE attrelid = $1 AND attidentity <> ''
        UNION SELECT 'its extended statistics' FROM pg_statistic_ext WHERE stxrelid = $1 ORDER BY 1";
    texts(tx, sql, old, doing).await
}

/// Gives `new` the owner, rights and comments of `old`.
pub(super) async fn take_over(
    tx: &Transaction<'_>,
    old: &Found,
    new: &Found,
    doing: &str,
) -> Result<(), ConnectorError> {
    let sql = "SELECT 'ALTER TABLE ' || $2 || ' OWNER TO ' || quote_ident(pg_get_userbyid(o.relowner))
          FROM pg_class o JOIN pg_class n ON n.oid = $3 WHERE o.oid = $1 AND o.relowner <> n.relowner
        UNION ALL SELECT DISTINCT 'REVOKE ALL ON ' || $2 || ' FROM ' || CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
          FROM pg_class n, aclexplode(n.relacl) a WHERE n.oid = $3 AND a.grantee <> n.relowner
        UNION ALL SELECT 'GRANT ' || a.privilege_type || ' ON ' || $2 || ' TO ' || CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
            || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
          FROM pg_class o, aclexplode(o.relacl) a WHERE o.oid = $1 AND a.grantee <> o.relowner
        UNION ALL SELECT 'GRANT ' || a.privilege_type || ' (' || quote_ident(c.attname) || ') ON ' || $2 || ' TO '
            || CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END
            || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
          FROM pg_attribute c, aclexplode(c.attacl) a
          WHERE c.attrelid = $1 AND EXISTS (SELECT FROM pg_attribute x WHERE x.attrelid = $3 AND x.attname = c.attname)
        UNION ALL SELECT 'COMMENT ON TABLE ' || $2 || ' IS ' || quote_literal(obj_description($1, 'pg_class'))
          WHERE obj_description($1, 'pg_class') IS NOT NULL
        UNION ALL SELECT 'COMMENT ON COLUMN ' || $2 || '.' || quote_ident(c.attname) || ' IS ' || quote_literal(col_description($1, c.attnum))
          FROM pg_attribute c WHERE c.attrelid = $1 AND col_description($1, c.attnum) IS NOT NULL
            AND EXISTS (SELECT FROM pg_attribute x WHERE x.attrelid = $3 AND x.attname = c.attname AND NOT x.attisdropped)";
    let rows = tx.query(sql, &[&old.oid, &new.sql(), &new.oid]).await.map_err(|e| engine(doing, e))?;
    for row in rows {
        tx.batch_execute(row.get(0)).await.map_err(|e| engine(doing, e))?;
    }
    Ok(())
}

/// An index, without its name and table.
struct Index {
    name: String,
    unique: bool,
    /// `USING btree (a, b) WHERE …`.
    tail: String,
}

async fn indexes(tx: &Transaction<'_>, table: &Found, doing: &str) -> Result<Vec<Index>, ConnectorError> {
    let sql = "SELECT i.relname::text, x.indisunique, pg_get_indexdef(x.indexrelid),
          quote_ident(n.nspname) || '.' || quote_ident(t.relname)
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
        JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE x.indrelid = $1 AND x.indisvalid AND NOT x.indisprimary AND NOT x.indisexclusion ORDER BY 1";
    let rows = tx.query(sql, &[&table.oid]).await.map_err(|e| engine(doing, e))?;
    let each = rows.iter().map(|row| {
        let (text, on): (String, String) = (row.get(2), row.get(3));
        let (_, tail) = text
            .split_once(&format!(" ON {on} USING "))
            .ok_or_else(|| refused(doing, format!("an index of {} is not understood: {text}", table.sql())))?;
        Ok(Index { name: row.get(0), unique: row.get(1), tail: format!("USING {tail}") })
    });
    each.collect()
}

/// Creates the indexes of `old` that `new` lacks, under names that are free.
pub(super) async fn take_indexes(
    tx: &Transaction<'_>,
    old: &Found,
    new: &Found,
    doing: &str,
) -> Result<(), ConnectorError> {
    let has = indexes(tx, new, doing).await?;
    for index in indexes(tx, old, doing).await? {
        if has.iter().any(|other| other.unique == index.unique && other.tail == index.tail) {
            continue;
        }
        let name = free_name(tx, new, &index.name, doing).await?;
        let unique = if index.unique { "UNIQUE " } else { "" };
        let sql = format!("CREATE {unique}INDEX {} ON {} {}", quoted(&name), new.sql(), index.tail);
        tx.batch_execute(&sql).await.map_err(|error| match error.code().map(|code| code.code()) {
            Some("23505") => refused(
                doing,
                format!(
                    "the new rows break the unique index `{}` of the table they replace ({}): mend the doubled rows at \
                     their origin, or drop the index",
                    index.name,
                    said(&error)
                ),
            ),
            Some(code) if code.starts_with("42") => refused(
                doing,
                format!(
                    "the index `{}` cannot be made on the new table ({}): publish the columns it needs, or drop the index",
                    index.name,
                    said(&error)
                ),
            ),
            _ => engine(doing, error),
        })?;
    }
    Ok(())
}

/// `name`, or with the first number after it that nothing else in the schema has.
async fn free_name(tx: &Transaction<'_>, table: &Found, name: &str, doing: &str) -> Result<String, ConnectorError> {
    let base = match name.rsplit_once("__") {
        Some((base, number)) if !base.is_empty() && number.parse::<u32>().is_ok() => base,
        _ => name,
    };
    for number in 1_u32.. {
        let ending = if number == 1 { String::new() } else { format!("__{number}") };
        let mut cut = base.len().min(LONGEST_NAME - ending.len());
        while !base.is_char_boundary(cut) {
            cut -= 1;
        }
        let free = format!("{}{ending}", &base[..cut]);
        let sql = "SELECT to_regclass($1) IS NULL";
        let row = tx.query_one(sql, &[&qualified(&table.schema, &free)]).await.map_err(|e| engine(doing, e))?;
        if row.get(0) {
            return Ok(free);
        }
    }
    Err(refused(doing, format!("no name is free for the index `{name}`")))
}

/// The first column of what `sql` finds of `table`.
async fn texts(tx: &Transaction<'_>, sql: &str, table: &Found, doing: &str) -> Result<Vec<String>, ConnectorError> {
    let rows = tx.query(sql, &[&table.oid]).await.map_err(|e| engine(doing, e))?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}
