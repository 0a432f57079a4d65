//! Views that read a table: PostgreSQL binds them to the table itself, so they are led to its successor.
use tokio_postgres::Transaction;

use super::names::{Found, literal, qualified};
use super::trouble::{engine, refused, said};
use crate::connector::ConnectorError;

/// A view as it can be made again.
#[derive(Debug)]
pub(super) struct View {
    pub(super) name: String,
    materialised: bool,
    sql: String,
}

/// The views that read `table` directly. Those that read them keep reading them.
pub(super) async fn reading(transaction: &Transaction<'_>, table: &Found) -> Result<Vec<View>, ConnectorError> {
    let sql = "SELECT DISTINCT n.nspname::text, v.relname::text, v.relkind = 'm', pg_catalog.pg_get_viewdef(v.oid), v.reloptions
        FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
        JOIN pg_catalog.pg_class v ON v.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = v.relnamespace
        WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
          AND d.refobjid = $1 AND v.oid <> $1 AND r.rulename = '_RETURN' AND v.relkind IN ('v', 'm')
        ORDER BY 1, 2";
    let rows = transaction.query(sql, &[&table.oid]).await;
    let rows = rows.map_err(|e| engine(format!("find the views that read {}", table.sql()), e))?;
    let each = rows.iter().map(|row| {
        let name = qualified(row.get(0), row.get(1));
        let options: Vec<String> = row.get::<_, Option<Vec<String>>>(4).unwrap_or_default();
        let definition: String = row.get(3);
        View { sql: made_again(&name, &options, &definition), materialised: row.get(2), name }
    });
    Ok(each.collect())
}

fn made_again(name: &str, options: &[String], definition: &str) -> String {
    let each = options.iter().filter_map(|option| option.split_once('='));
    let each: Vec<String> = each.map(|(option, value)| format!("{option} = {}", literal(value))).collect();
    let with = if each.is_empty() { String::new() } else { format!(" WITH ({})", each.join(", ")) };
    format!("CREATE OR REPLACE VIEW {name}{with} AS {definition}")
}

impl View {
    /// Refuses a view that cannot be led anywhere.
    pub(super) fn must_be_movable(&self, doing: &str) -> Result<(), ConnectorError> {
        match self.materialised {
            false => Ok(()),
            true => Err(refused(
                doing,
                format!(
                    "the materialised view {} reads it, and PostgreSQL cannot lead one to another table: let it read a plain \
                     view of the table, which carve leads to each new one",
                    self.name
                ),
            )),
        }
    }

    /// Makes it again, so that the names in it mean the tables that bear them now.
    pub(super) async fn make_again(&self, transaction: &Transaction<'_>, doing: &str) -> Result<(), ConnectorError> {
        let made = transaction.batch_execute(&self.sql).await;
        made.map_err(|error| match error.code() {
            Some(_) => refused(
                doing,
                format!(
                    "the view {} would break ({}): publish the columns it reads in the types they have (`columns` under `wraps` \
                     in carve.yaml: a column declared `text` is text in the lake too), or make the view again on the new ones",
                    self.name,
                    said(&error)
                ),
            ),
            None => engine(doing, error),
        })
    }
}
