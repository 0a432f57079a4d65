//! Indexes and keys keep their names: whatever takes a table's place has them under the very names they had there, and the
//! table that makes way carries a suffix. `ON CONFLICT ON CONSTRAINT` and monitoring go by these names.
use tokio_postgres::Transaction;

use super::indexes::{Index, Stands, indexes, paired};
use super::names::{Found, LONGEST_NAME, cut, qualified, quoted};
use super::trouble::{engine, refused};
use crate::connector::ConnectorError;

/// What an index is to be called after the swap.
struct Wish {
    oid: u32,
    name: String,
}

/// What the indexes of two tables are to be called once these have changed places.
pub(super) struct Renaming {
    /// Indexes of the table that makes way whose names the other one's get.
    leaving: Vec<Wish>,
    coming: Vec<Wish>,
}

impl Renaming {
    /// Read while both tables bear their own names. `previous` is what `old` will be called; without it, it will be gone.
    pub(super) async fn between(
        tx: &Transaction<'_>,
        old: &Found,
        new: &Found,
        previous: Option<&str>,
        doing: &str,
    ) -> Result<Self, ConnectorError> {
        let (olds, news) = (indexes(tx, old, doing).await?, indexes(tx, new, doing).await?);
        let pairs = paired(&olds, &news);
        let (mut leaving, mut coming) = (Vec::new(), Vec::new());
        for (index, own) in olds.iter().zip(&pairs) {
            let Some(own) = own.and_then(|at| news.get(at)) else { continue };
            coming.push(Wish { oid: own.oid, name: index.name.clone() });
            if let Some(previous) = previous {
                leaving.push(Wish { oid: index.oid, name: format!("{}{}", index.name, suffix(previous)) });
            }
        }
        let alone = |at: &usize| !pairs.contains(&Some(*at));
        let wishes = (0..news.len()).filter(alone).filter_map(|at| lone_wish(&news[at], &new.name, &old.name));
        coming.extend(wishes);
        Ok(Renaming { leaving, coming })
    }

    /// Read while `new` bears its own name; nothing makes way for it.
    pub(super) async fn of_the_first(
        tx: &Transaction<'_>,
        new: &Found,
        live: &str,
        doing: &str,
    ) -> Result<Self, ConnectorError> {
        let news = indexes(tx, new, doing).await?;
        Ok(Renaming {
            leaving: Vec::new(),
            coming: news.iter().filter_map(|own| lone_wish(own, &new.name, live)).collect(),
        })
    }

    /// Gives the names, those of the table that makes way first.
    pub(super) async fn give(self, tx: &Transaction<'_>, schema: &str, doing: &str) -> Result<(), ConnectorError> {
        for wish in self.leaving.into_iter().chain(self.coming) {
            let row = tx.query_one("SELECT relname::text FROM pg_class WHERE oid = $1", &[&wish.oid]).await;
            let now: String = row.map_err(|e| engine(doing, e))?.get(0);
            if now == wish.name {
                continue;
            }
            let name = free_name(tx, schema, &wish.name, doing).await?;
            let sql = format!("ALTER INDEX {} RENAME TO {}", qualified(schema, &now), quoted(&name));
            tx.batch_execute(&sql).await.map_err(|e| engine(doing, e))?;
        }
        Ok(())
    }
}

/// The wish of an index that has no like in the table whose place its own takes: without the suffix that it got when
/// its table made way, or, for a key that was made with the staged table, as PostgreSQL would have called it there.
fn lone_wish(own: &Index, table: &str, live: &str) -> Option<Wish> {
    let name = match own.name.strip_suffix(suffix(table)) {
        Some(before) if !before.is_empty() => before.to_owned(),
        _ if own.stands == Stands::PrimaryKey && suffix(table) == "__carve_staging" => {
            format!("{}_pkey", cut(live, LONGEST_NAME - "_pkey".len()))
        }
        _ => return None,
    };
    Some(Wish { oid: own.oid, name })
}

/// What carve puts after a table's name: `__carve_staging` of `orders__carve_staging`.
pub(super) fn suffix(table: &str) -> &str {
    table.rfind("__").map_or("__previous", |at| &table[at..])
}

/// `name`, or what fits of it before its own suffix and a number that nothing else in the schema has.
pub(super) async fn free_name(
    tx: &Transaction<'_>,
    schema: &str,
    name: &str,
    doing: &str,
) -> Result<String, ConnectorError> {
    for number in 1_u32.. {
        let free = numbered(name, number);
        let sql = "SELECT to_regclass($1) IS NULL";
        let row = tx.query_one(sql, &[&qualified(schema, &free)]).await.map_err(|e| engine(doing, e))?;
        if row.get(0) {
            return Ok(free);
        }
    }
    Err(refused(doing, format!("no name is free for the index `{name}`")))
}

/// The name to try as the `number`th: as long as PostgreSQL keeps, and with its suffix whole.
fn numbered(name: &str, number: u32) -> String {
    let (base, ending) = match name.rfind("__").filter(|_| name.len() > LONGEST_NAME) {
        Some(at) => name.split_at(at),
        None => (name, ""),
    };
    let ending = if number == 1 { ending.to_owned() } else { format!("{ending}__{number}") };
    format!("{}{ending}", cut(base, LONGEST_NAME.saturating_sub(ending.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_keeps_its_suffix_and_gets_numbers_that_fit() {
        let long = format!("{}__before_carve", "é".repeat(31));
        for (number, expected) in
            [(1, format!("{}__before_carve", "é".repeat(24))), (2, format!("{}__before_carve__2", "é".repeat(23)))]
        {
            let name = numbered(&long, number);
            assert_eq!(name, expected);
            assert!(name.len() <= LONGEST_NAME);
        }
        assert_eq!((numbered("by_cust", 1), numbered("by_cust", 3)), ("by_cust".into(), "by_cust__3".into()));
    }

    #[test]
    fn the_suffix_is_what_stands_after_the_last_pair_of_underscores() {
        assert_eq!(suffix("a__b__before_carve"), "__before_carve");
        assert_eq!(suffix("orders"), "__previous");
    }
}
