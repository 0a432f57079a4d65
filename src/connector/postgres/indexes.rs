//! Indexes and keys that a table's successor is to have as well.
use tokio_postgres::{Error, Transaction};

use super::index_names::{free_name, suffix};
use super::names::{Found, literal, qualified, quoted};
use super::successor::{take_collations, take_types};
use super::trouble::{engine, refused, said};
use crate::connector::ConnectorError;
use crate::vocab::Schema;

/// What an index stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    PrimaryKey,
    UniqueConstraint,
    Itself,
}

/// An index, without its table.
pub(super) struct Index {
    pub(super) oid: u32,
    pub(super) name: String,
    unique: bool,
    /// `USING btree (a, b) WHERE …`.
    tail: String,
    pub(super) stands: Stands,
    /// Whether CLUSTER goes by it.
    clustered: bool,
    /// Whether its columns tell subscribers which row is meant, and whether they could.
    identity: bool,
    may_be_identity: bool,
    comment: Option<String>,
}

impl Index {
    fn is_like(&self, other: &Index) -> bool {
        self.unique == other.unique && self.tail == other.tail
    }
}

/// For each of `olds`, where its like stands in `news`: each of these is the like of one at most, and stands for the same
/// where there is a choice.
pub(super) fn paired(olds: &[Index], news: &[Index]) -> Vec<Option<usize>> {
    let mut pairs = vec![None; olds.len()];
    for same in [true, false] {
        for (at, old) in olds.iter().enumerate() {
            if pairs[at].is_none() {
                let fits = |(new, own): &(usize, &Index)| {
                    own.is_like(old) && (!same || own.stands == old.stands) && !pairs.contains(&Some(*new))
                };
                pairs[at] = news.iter().enumerate().find(fits).map(|(new, _)| new);
            }
        }
    }
    pairs
}

/// The valid indexes of `table`, that of its primary key first.
pub(super) async fn indexes(tx: &Transaction<'_>, table: &Found, doing: &str) -> Result<Vec<Index>, ConnectorError> {
    // A constraint that can be deferred is another promise than its index could keep.
    let sql = "SELECT i.relname::text, x.indisunique, pg_get_indexdef(x.indexrelid),
          quote_ident(n.nspname) || '.' || quote_ident(t.relname), x.indisprimary,
          EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.oid AND c.conrelid = t.oid AND c.contype = 'u' AND NOT c.condeferrable),
          x.indisclustered, x.indisreplident,
          x.indisunique AND x.indimmediate AND x.indpred IS NULL AND x.indexprs IS NULL AND NOT EXISTS
            (SELECT FROM pg_attribute a WHERE a.attrelid = t.oid AND a.attnum = ANY (x.indkey::int2[]) AND NOT a.attnotnull),
          obj_description(i.oid, 'pg_class'), i.oid
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
        JOIN pg_namespace n ON n.oid = t.relnamespace
        WHERE x.indrelid = $1 AND x.indisvalid AND NOT x.indisexclusion ORDER BY x.indisprimary DESC, 1";
    let rows = tx.query(sql, &[&table.oid]).await.map_err(|e| engine(doing, e))?;
    let each = rows.iter().map(|row| {
        let (text, on): (String, String) = (row.get(2), row.get(3));
        let (_, tail) = text
            .split_once(&format!(" ON {on} USING "))
            .ok_or_else(|| refused(doing, format!("an index of {} is not understood: {text}", table.sql())))?;
        let stands = match (row.get(4), row.get(5)) {
            (true, _) => Stands::PrimaryKey,
            (_, true) => Stands::UniqueConstraint,
            _ => Stands::Itself,
        };
        let [clustered, identity, may_be_identity] = [6, 7, 8].map(|at| row.get(at));
        let tail = format!("USING {tail}");
        Ok(Index {
            oid: row.get(10),
            name: row.get(0),
            unique: row.get(1),
            tail,
            stands,
            clustered,
            identity,
            may_be_identity,
            comment: row.get(9),
        })
    });
    each.collect()
}

/// Creates the indexes and keys of `old` that `new` lacks, under names that are free until the two change places
/// ([`Renaming`](super::index_names::Renaming)). A primary key becomes a unique index where `new` has another one.
pub(super) async fn take_indexes(
    tx: &Transaction<'_>,
    old: &Found,
    new: &Found,
    doing: &str,
) -> Result<(), ConnectorError> {
    take_types(tx, old, new, doing).await?;
    take_collations(tx, old, new, doing).await?;
    let (wanted, has) = (indexes(tx, old, doing).await?, indexes(tx, new, doing).await?);
    let keyed = has.iter().any(|own| own.stands == Stands::PrimaryKey);
    let lacking = wanted.iter().zip(paired(&wanted, &has)).filter(|(_, own)| own.is_none());
    for (index, _) in lacking {
        let name = format!("{}{}", index.name, suffix(&new.name));
        let name = free_name(tx, &new.schema, &name, doing).await?;
        let sql = create_sql(index, &quoted(&name), &new.sql(), keyed);
        tx.batch_execute(&sql).await.map_err(|error| not_made(index, doing, error))?;
    }
    Ok(())
}

/// Gives `new` the primary key of `schema`, unless it has one.
pub(super) async fn take_key(
    tx: &Transaction<'_>,
    new: &Found,
    schema: &Schema,
    doing: &str,
) -> Result<(), ConnectorError> {
    let keyed = indexes(tx, new, doing).await?.iter().any(|own| own.stands == Stands::PrimaryKey);
    if keyed || schema.key.is_empty() {
        return Ok(());
    }
    let key: Vec<String> = schema.key.iter().map(|name| quoted(name)).collect();
    let sql = format!("ALTER TABLE {} ADD PRIMARY KEY ({})", new.sql(), key.join(", "));
    tx.batch_execute(&sql).await.map_err(|e| engine(doing, e))
}

fn create_sql(index: &Index, name: &str, table: &str, keyed: bool) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let promise = match index.stands {
        Stands::PrimaryKey if !keyed => "PRIMARY KEY",
        Stands::UniqueConstraint => "UNIQUE",
        _ => return format!("CREATE {unique}INDEX {name} ON {table} {}", index.tail),
    };
    format!(
        "CREATE {unique}INDEX {name} ON {table} {}; ALTER TABLE {table} ADD CONSTRAINT {name} {promise} USING INDEX {name}",
        index.tail
    )
}

fn not_made(index: &Index, doing: &str, error: Error) -> ConnectorError {
    let what = match index.stands {
        Stands::PrimaryKey => "primary key",
        _ if index.unique => "unique index",
        _ => "index",
    };
    let (name, told) = (&index.name, said(&error));
    match error.code().map(|code| code.code()) {
        Some("23505" | "23502") => refused(
            doing,
            format!(
                "the new rows break the {what} `{name}` of the table they replace ({told}): mend the doubled or missing \
                 values at their origin, or drop the {what}"
            ),
        ),
        Some(code) if code.starts_with("42") => refused(
            doing,
            format!(
                "the {what} `{name}` cannot be made on the new table ({told}): publish the columns it needs, or drop \
                 the {what}"
            ),
        ),
        _ => engine(doing, error),
    }
}

/// Gives the indexes of `new` the comments and marks of their likes in `old`.
pub(super) async fn take_marks(
    tx: &Transaction<'_>,
    old: &Found,
    new: &Found,
    doing: &str,
) -> Result<(), ConnectorError> {
    let (marked, own) = (indexes(tx, old, doing).await?, indexes(tx, new, doing).await?);
    for (index, like) in marked.iter().zip(paired(&marked, &own)) {
        let Some(like) = like.and_then(|at| own.get(at)) else { continue };
        for sql in marks(index, like, new) {
            tx.batch_execute(&sql).await.map_err(|e| engine(doing, e))?;
        }
    }
    Ok(())
}

/// Statements that mark `like`, an index of `table`, as `index` is.
fn marks(index: &Index, like: &Index, table: &Found) -> Vec<String> {
    let mut statements = Vec::new();
    if let Some(comment) = index.comment.as_ref().filter(|comment| like.comment.as_ref() != Some(comment)) {
        let name = qualified(&table.schema, &like.name);
        statements.push(format!("COMMENT ON INDEX {name} IS {}", literal(comment)));
    }
    if index.clustered && !like.clustered {
        statements.push(format!("ALTER TABLE {} CLUSTER ON {}", table.sql(), quoted(&like.name)));
    }
    if index.identity && !like.identity && like.may_be_identity {
        statements.push(format!("ALTER TABLE {} REPLICA IDENTITY USING INDEX {}", table.sql(), quoted(&like.name)));
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(tail: &str, stands: Stands) -> Index {
        Index {
            oid: 0,
            name: String::new(),
            unique: stands != Stands::Itself,
            tail: tail.to_owned(),
            stands,
            clustered: false,
            identity: false,
            may_be_identity: false,
            comment: None,
        }
    }

    #[test]
    fn an_index_is_the_like_of_one_other_and_a_key_that_of_a_key() {
        let (key, unique) = (Stands::PrimaryKey, Stands::UniqueConstraint);
        let olds =
            [index("(a)", unique), index("(a)", key), index("(b)", Stands::Itself), index("(b)", Stands::Itself)];
        assert_eq!(paired(&olds, &[index("(b)", Stands::Itself), index("(a)", key)]), [None, Some(1), Some(0), None]);
        assert_eq!(paired(&olds[..1], &[index("(a)", key)]), [Some(0)], "where there is no choice, any like will do");
    }
}
