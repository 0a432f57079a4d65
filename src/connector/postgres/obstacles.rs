//! What keeps a table from being replaced: whatever clings to the table itself would stay with the old one.
use tokio_postgres::Transaction;

use super::names::Found;
use super::trouble::{engine, refused};
use crate::connector::ConnectorError;

/// Something that clings to a table: what it is, how it is found, what to do.
struct Obstacle {
    what: &'static str,
    sql: &'static str,
    cure: &'static str,
}

/// What was created again on the new table would stand in the way of the next refresh.
const FOR_GOOD: &str = "each refresh puts a new table there, so drop it for good, or let the import stand beside the table \
    (`mode: beside` under `wraps` in carve.yaml)";

const OBSTACLES: [Obstacle; 8] = [
    Obstacle {
        what: "the trigger",
        sql: "SELECT quote_ident(tgname) FROM pg_trigger WHERE tgrelid = $1 AND NOT tgisinternal",
        cure: FOR_GOOD,
    },
    Obstacle {
        what: "the rule",
        sql: "SELECT quote_ident(rulename) FROM pg_rewrite WHERE ev_class = $1",
        cure: FOR_GOOD,
    },
    Obstacle {
        what: "the parent table",
        sql: "SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = $1",
        cure: FOR_GOOD,
    },
    Obstacle {
        what: "the child table",
        sql: "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = $1",
        cure: FOR_GOOD,
    },
    Obstacle {
        what: "the publication",
        sql: "SELECT quote_ident(p.pubname) FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
             WHERE r.prrelid = $1",
        cure: "publish the whole schema (FOR TABLES IN SCHEMA), or let the import stand beside the table (`mode: beside` under \
            `wraps` in carve.yaml)",
    },
    Obstacle {
        what: "a security label of the provider",
        sql: "SELECT provider FROM pg_seclabel WHERE classoid = 'pg_class'::regclass AND objoid = $1",
        cure: "what it hides would be seen in the new one",
    },
    Obstacle {
        what: "a dependent that would stay with the old table,",
        // The table's own constraints, defaults and policies depend on it too; views are led to the new table.
        sql: "SELECT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_depend d
             WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = $1 AND d.deptype = 'n'
               AND NOT EXISTS (SELECT FROM pg_constraint c WHERE d.classid = 'pg_constraint'::regclass AND c.oid = d.objid AND c.conrelid = $1)
               AND NOT EXISTS (SELECT FROM pg_attrdef f WHERE d.classid = 'pg_attrdef'::regclass AND f.oid = d.objid AND f.adrelid = $1)
               AND NOT EXISTS (SELECT FROM pg_policy p WHERE d.classid = 'pg_policy'::regclass AND p.oid = d.objid AND p.polrelid = $1)
               AND NOT EXISTS (SELECT FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class WHERE d.classid = 'pg_rewrite'::regclass
                 AND r.oid = d.objid AND r.rulename = '_RETURN' AND v.relkind IN ('v', 'm'))",
        cure: FOR_GOOD,
    },
    Obstacle {
        what: "a row type that is used elsewhere, by",
        sql: "SELECT pg_describe_object(d.classid, d.objid, d.objsubid) FROM pg_type t
             JOIN pg_depend d ON d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray)
             WHERE t.typrelid = $1 AND d.deptype = 'n'
               AND NOT EXISTS (SELECT FROM pg_constraint c WHERE d.classid = 'pg_constraint'::regclass AND c.oid = d.objid AND c.conrelid = $1)",
        cure: "let that use a composite type of its own (CREATE TYPE), or drop it",
    },
];

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
    for Obstacle { what, sql, cure } in OBSTACLES {
        let first = tx.query_opt(&format!("{sql} ORDER BY 1 LIMIT 1"), &[&old.oid]).await;
        if let Some(row) = first.map_err(|e| engine(doing, e))? {
            let first: String = row.get(0);
            let why = format!("{} has {what} {first}, which would stay with the old table: {cure}", old.sql());
            return Err(refused(doing, why));
        }
    }
    every_row_is_seen(tx, old, doing).await
}

/// The successor hides what the old table hides, and a user from whom rows are hidden could not prove them.
async fn every_row_is_seen(tx: &Transaction<'_>, old: &Found, doing: &str) -> Result<(), ConnectorError> {
    let sql = "SELECT row_security_active($1::oid), quote_ident(current_user)";
    let row = tx.query_one(sql, &[&old.oid]).await.map_err(|e| engine(doing, e))?;
    match row.get(0) {
        false => Ok(()),
        true => {
            let user: String = row.get(1);
            let why = format!(
                "the row level security of {}, which the new table will have as well, hides rows from carve's own \
                 user, who could not prove them: ALTER ROLE {user} BYPASSRLS",
                old.sql()
            );
            Err(refused(doing, why))
        }
    }
}
