//! How a dataset is called on the server, and what its name stands for.
use mysql_async::Conn;

use super::session::{ask, text};
use super::target::Target;
use super::trouble::refused;
use crate::connector::ConnectorError;
use crate::vocab::DatasetId;

/// A table or view as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) database: String,
    pub(super) name: String,
    /// `BASE TABLE`, `VIEW`, `SYSTEM VERSIONED`.
    kind: String,
    /// `InnoDB`, `MyISAM`; none for a view.
    engine: Option<String>,
    pub(super) comment: Option<String>,
}

impl Found {
    /// Its name for SQL.
    pub(super) fn sql(&self) -> String {
        format!("{}.{}", quoted(&self.database), quoted(&self.name))
    }

    fn is_view(&self) -> bool {
        self.kind == "VIEW"
    }

    /// Whether a snapshot covers it, as far as it alone can tell.
    fn has_snapshots(&self) -> bool {
        self.is_view() || self.engine.as_deref().is_some_and(|engine| engine.eq_ignore_ascii_case("innodb"))
    }
}

const LISTED: &str = "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COMMENT FROM information_schema.TABLES
    WHERE BINARY LOWER(TABLE_SCHEMA) = BINARY ? AND BINARY LOWER(TABLE_NAME) = BINARY ? AND TABLE_TYPE <> 'SEQUENCE'
    ORDER BY BINARY TABLE_SCHEMA, BINARY TABLE_NAME";

/// What `id` stands for, or the error that there is nothing of that name. A name in other letters of case fits
/// where there is none in these and only one.
pub(super) async fn found(connection: &mut Conn, target: &Target, id: &DatasetId) -> Result<Found, ConnectorError> {
    let (database, table) = names(target, id);
    let (lower, doing) = (database.to_lowercase(), || format!("look for `{id}`"));
    let rows = ask(connection, LISTED, vec![&lower, id.table()], doing).await?;
    let mut all: Vec<Found> = rows.iter().map(listed).collect();
    // The address spells its database as it is; an estate's names are in lower case.
    if all.iter().any(|one| one.database == database) {
        all.retain(|one| one.database == database);
    }
    let exact = all.iter().position(|one| one.name == table);
    let found = match (exact, all.len()) {
        (Some(at), _) => all.swap_remove(at),
        (None, 0) => return Err(ConnectorError::NoSuchTable(id.clone())),
        (None, 1) => all.swap_remove(0),
        (None, _) => {
            let why = format!("{} and {} differ by case only: rename one", all[0].sql(), all[1].sql());
            return Err(refused(format!("read `{id}`"), why));
        }
    };
    if !target.any_engine {
        covered(connection, id, &found).await?;
    }
    Ok(found)
}

fn listed(row: &mysql_async::Row) -> Found {
    let word = |at| text(row, at).unwrap_or_default();
    let kind = word(2);
    // A view's comment is the word VIEW.
    let comment = text(row, 4).filter(|comment| !comment.is_empty() && kind != "VIEW");
    Found { database: word(0), name: word(1), engine: text(row, 3), comment, kind }
}

/// Database and table of `id`.
fn names(target: &Target, id: &DatasetId) -> (String, String) {
    // A catalog before the database is none that MariaDB knows.
    (id.bare_schema().unwrap_or(&target.database).to_owned(), id.table().to_owned())
}

/// Refuses what one consistent state cannot be read of.
async fn covered(connection: &mut Conn, id: &DatasetId, found: &Found) -> Result<(), ConnectorError> {
    let cure =
        "read it all the same with `?engines=any` in the address: then its rows may be those of different moments";
    if !found.has_snapshots() {
        let engine = found.engine.as_deref().unwrap_or("unknown");
        let why = format!(
            "its engine is {engine}, which takes no part in a snapshot: convert it (`ALTER TABLE {} ENGINE = InnoDB`), or {cure}",
            found.sql()
        );
        return Err(refused(format!("read one state of `{id}`"), why));
    }
    if found.is_view()
        && let Some(table) = outside_snapshots(connection, id).await?
    {
        let why = format!(
            "it is a view, which may read {table}, and that takes no part in a snapshot: read the view's tables, or {cure}"
        );
        return Err(refused(format!("read one state of `{id}`"), why));
    }
    Ok(())
}

/// A table that no snapshot covers and that the view `id` may read: one that any view names, or any such table where
/// this user may not see what a view reads.
async fn outside_snapshots(connection: &mut Conn, id: &DatasetId) -> Result<Option<String>, ConnectorError> {
    let sql = "SELECT CONCAT('`', t.TABLE_SCHEMA, '.', t.TABLE_NAME, '` (', COALESCE(t.ENGINE, 'no engine'), ')')
        FROM information_schema.TABLES t WHERE t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
          AND COALESCE(t.ENGINE, '') <> 'InnoDB'
          AND t.TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')
          AND EXISTS (SELECT 1 FROM information_schema.VIEWS v WHERE v.TABLE_SCHEMA <> 'sys'
            AND (COALESCE(v.VIEW_DEFINITION, '') = ''
              OR LOCATE(CONCAT('`', t.TABLE_SCHEMA, '`.`', t.TABLE_NAME, '`'), v.VIEW_DEFINITION) > 0))
        ORDER BY BINARY t.TABLE_SCHEMA, BINARY t.TABLE_NAME LIMIT 1";
    let rows = ask(connection, sql, Vec::new(), || format!("look at what `{id}` reads")).await?;
    Ok(rows.first().and_then(|row| text(row, 0)))
}

/// `name` as an identifier in SQL, whatever characters it has.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}
