//! Where a table is cut so that several connections read it side by side. Every row fulfils exactly one of the
//! conditions, wherever the cuts fall: how even they are decides the speed alone.
use tokio_postgres::{Client, GenericClient};

use super::describe::RawColumn;
use super::names::{Found, literal, quoted};
use super::trouble::engine;
use super::types::PgType;
use crate::connector::{ConnectorError, KeyRanges};

/// Blocks a range has at least: less is read by one connection before another is there.
const LEAST_BLOCKS: i64 = 64;
/// The first version that finds the rows of a range of blocks without reading all others.
const FINDS_BLOCKS: i32 = 140_000;

/// How many ranges `table` is worth, at most `at_most`; 1 for what has no blocks of its own, such as a view.
pub(super) async fn worth(client: &Client, table: &Found, at_most: usize) -> Result<usize, ConnectorError> {
    if at_most < 2 || !matches!(table.kind, 'r' | 'p' | 'm') {
        return Ok(1);
    }
    let blocks = blocks(client, table).await?;
    Ok(usize::try_from(blocks / LEAST_BLOCKS).unwrap_or(1).clamp(1, at_most))
}

/// Blocks of the table and of its partitions.
async fn blocks(client: &impl GenericClient, table: &Found) -> Result<i64, ConnectorError> {
    let sql = "SELECT (GREATEST(pg_catalog.pg_relation_size($1::oid),
          (SELECT pg_catalog.sum(pg_catalog.pg_relation_size(relid)) FROM pg_catalog.pg_partition_tree($1::oid)))
        / pg_catalog.current_setting('block_size')::int8)::int8";
    let row = client.query_one(sql, &[&table.oid]).await.map_err(|e| measuring(table, e))?;
    Ok(row.get::<_, Option<i64>>(0).unwrap_or(0))
}

/// Conditions that cut `table` into `wanted` ranges or fewer that follow one another in the order of its key. One
/// condition or none means that it is read as one.
pub(super) async fn by_key(
    client: &Client,
    table: &Found,
    leading: Option<&RawColumn>,
    wanted: usize,
) -> Result<Vec<String>, ConnectorError> {
    if wanted < 2 {
        return Ok(Vec::new());
    }
    let Some((column, of)) = leading.and_then(|column| Some((column, ordered_natively(&column.of)?))) else {
        return Ok(Vec::new());
    };
    let mut bounds = from_statistics(client, table, &column.name, wanted).await?;
    if bounds.is_empty() && of.starts_with("int") {
        bounds = between_ends(client, table, &column.name, wanted).await?;
    }
    let bound = |text: &String| format!("{}::pg_catalog.{of}", literal(text));
    Ok(conditions(&quoted(&column.name), &bounds.iter().map(bound).collect::<Vec<_>>()))
}

/// Conditions that cut `table` by its blocks, in no order of values; none where the server would read all blocks for
/// every range.
pub(super) async fn by_place(client: &Client, table: &Found, wanted: usize) -> Result<Vec<String>, ConnectorError> {
    if wanted < 2 {
        return Ok(Vec::new());
    }
    let sql = "SELECT pg_catalog.current_setting('server_version_num')::int4 >= $2 AND EXISTS (
          SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_am m ON m.oid = c.relam
          WHERE c.oid = $1 AND c.relkind IN ('r', 'm') AND m.amname = 'heap'
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhparent = c.oid))";
    let row = client.query_one(sql, &[&table.oid, &FINDS_BLOCKS]).await.map_err(|e| measuring(table, e))?;
    if !row.get::<_, bool>(0) {
        return Ok(Vec::new());
    }
    let (blocks, wanted) = (blocks(client, table).await?, i64::try_from(wanted).unwrap_or(1));
    let bounds: Vec<String> =
        (1..wanted).map(|nth| format!("'({},0)'::pg_catalog.tid", blocks * nth / wanted)).collect();
    Ok(conditions("ctid", &bounds))
}

/// The condition that a row's key lies in `only`; `None` where its `leading` column is another, or no whole number.
pub(super) fn within_key(leading: Option<(&str, &PgType)>, only: &KeyRanges) -> Option<String> {
    let (name, of) = leading.filter(|(name, _)| name.eq_ignore_ascii_case(&only.column))?;
    ordered_natively(of).filter(|of| of.starts_with("int"))?;
    let name = quoted(name);
    let one = |keys: &std::ops::RangeInclusive<i64>| {
        format!("{name} BETWEEN '{}'::pg_catalog.int8 AND '{}'::pg_catalog.int8", keys.start(), keys.end())
    };
    Some(only.keys.iter().map(one).collect::<Vec<_>>().join(" OR "))
}

/// The name of a type whose key's index has the order that carve reads in.
fn ordered_natively(of: &PgType) -> Option<&str> {
    let native = ["int2", "int4", "int8", "oid", "date", "time", "timestamp", "timestamptz", "uuid", "numeric"];
    (of.built_in && native.contains(&of.base.as_str())).then_some(of.base.as_str())
}

/// Values that cut the column's into even ranges, as far as the server remembers them.
async fn from_statistics(
    client: &Client,
    table: &Found,
    column: &str,
    wanted: usize,
) -> Result<Vec<String>, ConnectorError> {
    let sql = "SELECT histogram_bounds::text::text[] FROM pg_catalog.pg_stats
        WHERE schemaname = $1 AND tablename = $2 AND attname = $3 AND histogram_bounds IS NOT NULL
        ORDER BY inherited = $4 DESC LIMIT 1";
    let partitioned = table.kind == 'p';
    let rows = client.query(sql, &[&table.schema, &table.name, &column, &partitioned]).await;
    let rows = rows.map_err(|e| measuring(table, e))?;
    let known: Vec<String> = rows.first().and_then(|row| row.get(0)).unwrap_or_default();
    // The first and the last are the ends.
    let inner = known.len().saturating_sub(1);
    let mut bounds: Vec<String> = (1..wanted)
        .filter_map(|nth| known.get(inner * nth / wanted))
        .skip_while(|its| known.first() == Some(*its))
        .cloned()
        .collect();
    bounds.dedup();
    Ok(bounds)
}

/// Whole numbers that cut the space between the least and the greatest into even ranges.
async fn between_ends(
    client: &Client,
    table: &Found,
    column: &str,
    wanted: usize,
) -> Result<Vec<String>, ConnectorError> {
    let name = quoted(column);
    let sql = format!("SELECT pg_catalog.min({name})::int8, pg_catalog.max({name})::int8 FROM {}", table.sql());
    let row = client.query_one(&sql, &[]).await.map_err(|e| measuring(table, e))?;
    let (Some(least), Some(greatest)) = (row.get::<_, Option<i64>>(0), row.get::<_, Option<i64>>(1)) else {
        return Ok(Vec::new());
    };
    Ok(even_cuts(least, greatest, wanted))
}

fn even_cuts(least: i64, greatest: i64, wanted: usize) -> Vec<String> {
    let (least, wanted) = (i128::from(least), wanted as i128);
    let width = i128::from(greatest) - least + 1;
    let mut cuts: Vec<i128> = (1..wanted).map(|nth| least + width * nth / wanted).collect();
    cuts.dedup();
    cuts.into_iter().filter(|cut| *cut > least).map(|cut| cut.to_string()).collect()
}

/// `x < a`, `x >= a AND x < b`, `x >= b`.
fn conditions(column: &str, bounds: &[String]) -> Vec<String> {
    let from = std::iter::once(None).chain(bounds.iter().map(Some));
    let to = bounds.iter().map(Some).chain(std::iter::once(None));
    let each = from.zip(to).filter_map(|ends| match ends {
        (None, None) => None,
        (None, Some(to)) => Some(format!("{column} < {to}")),
        (Some(from), None) => Some(format!("{column} >= {from}")),
        (Some(from), Some(to)) => Some(format!("{column} >= {from} AND {column} < {to}")),
    });
    each.collect()
}

fn measuring(table: &Found, error: tokio_postgres::Error) -> ConnectorError {
    engine(format!("measure {}", table.sql()), error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_fulfils_one_condition() {
        let bounds = ["3".to_owned(), "5".to_owned()];
        assert_eq!(conditions("x", &bounds), ["x < 3", "x >= 3 AND x < 5", "x >= 5"]);
        assert!(conditions("x", &[]).is_empty());
    }

    #[test]
    fn a_key_is_asked_for_by_its_ranges_where_it_is_a_whole_number() {
        let [whole, numeric] = ["int4", "numeric"].map(|of| PgType { base: of.to_owned(), built_in: true });
        let only = KeyRanges { column: "id".to_owned(), keys: [-8..=-1, 4..=i64::MAX].into() };
        let expected = "\"Id\" BETWEEN '-8'::pg_catalog.int8 AND '-1'::pg_catalog.int8 OR \
                        \"Id\" BETWEEN '4'::pg_catalog.int8 AND '9223372036854775807'::pg_catalog.int8";
        assert_eq!(within_key(Some(("Id", &whole)), &only).as_deref(), Some(expected));
        assert!(within_key(Some(("Id", &numeric)), &only).is_none());
        let other = KeyRanges { column: "other".to_owned(), ..only.clone() };
        assert!(within_key(Some(("Id", &whole)), &other).is_none() && within_key(None, &only).is_none());
    }

    #[test]
    fn cuts_lie_between_the_ends_however_far_apart_those_are() {
        assert_eq!(even_cuts(1, 8, 4), ["3", "5", "7"]);
        assert_eq!(even_cuts(i64::MIN, i64::MAX, 2), ["0"]);
        assert_eq!(even_cuts(7, 8, 4), ["8"], "two values make two ranges");
        assert!(even_cuts(7, 7, 4).is_empty());
    }
}
