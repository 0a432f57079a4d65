//! Scripts by the line: JSON lines in, JSON lines out in the same order.
//!
//! Lines are read in blocks of bounded size and each block is worked on by every processor, so that memory does not grow
//! with the input. A line that cannot be read gives an error object in its place, and the rest goes on.
use std::{
    collections::BTreeMap,
    io::{self, BufRead, Read as _},
};

use rayon::prelude::*;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value, json};

use super::{Catalog, WrittenCatalog, catalog_of, script_answer};
use crate::{
    estate::{DIALECTS, dialect_named},
    lineage::{Steps, deep_pool, read_sql_steps},
};

/// The name of an answer's shape.
const FORMAT: &str = "carve-batch/1";
/// The longest line taken, in bytes.
const LINE_BYTES: u64 = 16 * 1024 * 1024;
/// Lines and bytes worked on at a time.
const BLOCK_LINES: usize = 512;
const BLOCK_BYTES: usize = 32 * 1024 * 1024;

/// What holds for lines that say nothing else.
#[derive(Clone, Debug, Default)]
pub struct BatchDefaults {
    /// The dialect.
    pub dialect: Option<String>,
    /// Columns of tables.
    pub catalog: Catalog,
    /// Which steps of scripts are told, of every line.
    pub steps: Steps,
}

/// How a batch went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchCount {
    /// Lines answered.
    pub lines: u64,
    /// Lines that could not be read.
    pub failed: u64,
}

/// One line of input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ask {
    sql: String,
    dialect: Option<String>,
    catalog: Option<WrittenCatalog>,
    /// Read as [`Asker`] does.
    #[serde(default, rename = "id")]
    _id: IgnoredAny,
}

/// A line whose other fields are wrong may still say who asks.
#[derive(Deserialize)]
struct Asker {
    #[serde(default)]
    id: Value,
}

/// Answers every line of `input`, in its order, to `tell`, which says whether to go on. Blank lines are passed over.
///
/// # Errors
/// Only where `input` cannot be read on.
pub fn run(
    mut input: impl BufRead,
    defaults: &BatchDefaults,
    mut tell: impl FnMut(Value) -> bool,
) -> io::Result<BatchCount> {
    let pool = deep_pool();
    let (mut count, mut number) = (BatchCount::default(), 0);
    loop {
        let block = read_block(&mut input, &mut number)?;
        if block.is_empty() {
            return Ok(count);
        }
        let work =
            || -> Vec<Value> { block.par_iter().map(|(number, line)| answer(*number, line, defaults)).collect() };
        let answers = match &pool {
            Some(pool) => pool.install(work),
            None => block.iter().map(|(number, line)| answer(*number, line, defaults)).collect(),
        };
        for value in answers {
            count.lines += 1;
            count.failed += u64::from(value.get("error").is_some());
            if !tell(value) {
                return Ok(count);
            }
        }
    }
}

/// A line's bytes, or that it was too long to keep.
type Line = Option<Vec<u8>>;

fn read_block(input: &mut impl BufRead, number: &mut u64) -> io::Result<Vec<(u64, Line)>> {
    let (mut block, mut bytes) = (Vec::new(), 0);
    while block.len() < BLOCK_LINES && bytes < BLOCK_BYTES {
        let mut line = Vec::new();
        if input.by_ref().take(LINE_BYTES).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        *number += 1;
        let cut = line.len() as u64 == LINE_BYTES && line.last() != Some(&b'\n');
        if cut {
            skip_line(input)?;
        }
        bytes += line.len();
        if cut {
            block.push((*number, None));
        } else if !line.trim_ascii().is_empty() {
            block.push((*number, Some(line)));
        }
    }
    Ok(block)
}

/// Passes over the rest of a line without keeping it.
fn skip_line(input: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let (used, done) = (end.map_or(buffer.len(), |at| at + 1), end.is_some() || buffer.is_empty());
        input.consume(used);
        if done {
            return Ok(());
        }
    }
}

fn answer(number: u64, line: &Line, defaults: &BatchDefaults) -> Value {
    let mut said = Map::from_iter([("format".to_owned(), FORMAT.into()), ("line".to_owned(), number.into())]);
    match asked(line, &mut said).and_then(|ask| read(&ask, defaults)) {
        Ok(fields) => said.extend(fields),
        Err((message, hint)) => drop(said.insert("error".to_owned(), json!({ "message": message, "hint": hint }))),
    }
    Value::Object(said)
}

/// What is wrong, and what to do.
type Fault = (String, String);

fn asked(line: &Line, said: &mut Map<String, Value>) -> Result<Ask, Fault> {
    let shape = || "write one JSON object a line: {\"sql\": …, \"dialect\": …, \"catalog\": …, \"id\": …}".to_owned();
    let Some(line) = line else {
        return Err((format!("the line is longer than {LINE_BYTES} bytes"), "split the script".to_owned()));
    };
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    let id = serde_json::from_slice::<Asker>(line).map(|asker| asker.id).unwrap_or_default();
    if !id.is_null() {
        said.insert("id".to_owned(), id);
    }
    serde_json::from_slice(line).map_err(|error| (format!("the line cannot be read: {error}"), shape()))
}

fn read(ask: &Ask, defaults: &BatchDefaults) -> Result<Map<String, Value>, Fault> {
    let dialect = ask.dialect.as_deref().or(defaults.dialect.as_deref());
    let known = |name: &str| {
        let fault = || (format!("unknown dialect `{name}`"), format!("carve reads {}", DIALECTS.join(", ")));
        dialect_named(name).ok_or_else(fault)
    };
    let dialect = dialect.map(known).transpose()?;
    let own = ask.catalog.as_ref().map(catalog_of).transpose();
    let own = own.map_err(|error| (error.to_string(), "docs/COMMANDS.md shows the forms of a catalog".to_owned()))?;
    let read = |catalog: &Catalog| read_sql_steps(&ask.sql, dialect, catalog, defaults.steps);
    let (lineage, diagnostics) = match own {
        None => read(&defaults.catalog),
        Some(own) if defaults.catalog.is_empty() => read(&own),
        // The line's own tables win.
        Some(own) => read(&merged(&defaults.catalog, own)),
    };
    Ok(script_answer(&lineage, &diagnostics))
}

fn merged(all: &Catalog, own: Catalog) -> Catalog {
    let mut merged: BTreeMap<_, _> = all.clone();
    merged.extend(own);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(input: &[u8]) -> (BatchCount, Vec<Value>) {
        let mut told = Vec::new();
        let count = run(input, &BatchDefaults::default(), |value| {
            told.push(value);
            true
        });
        (count.unwrap(), told)
    }

    #[test]
    fn a_bad_line_is_an_error_in_its_place_and_the_rest_goes_on() {
        let input = b"{\"sql\":\"insert into m.t select a from raw.s\",\"id\":7}\n\nnot json\n{\"sql\":\"select 1\",\"dialct\":\"x\",\"id\":\"q\"}\n{\"sql\":\"select 1\",\"dialect\":\"sparc\"}\n\xFF\n{\"sql\":\"select b from raw.u\"}";
        let (count, told) = answers(input);
        assert_eq!(count, BatchCount { lines: 6, failed: 4 });
        let lines: Vec<u64> = told.iter().map(|value| value["line"].as_u64().unwrap()).collect();
        assert_eq!(lines, [1, 3, 4, 5, 6, 7]);
        assert_eq!((&told[0]["id"], &told[0]["reads"]), (&json!(7), &json!(["raw.s"])));
        assert_eq!((&told[0]["writes"], told[0]["columns"][0]["kind"].as_str()), (&json!(["m.t"]), Some("identity")));
        assert!(told[2]["error"]["message"].as_str().unwrap().contains("dialct"), "{}", told[2]);
        assert_eq!(told[2]["id"], "q");
        assert!(told[3]["error"]["hint"].as_str().unwrap().contains("postgres"), "{}", told[3]);
        assert_eq!(told[5]["reads"], json!(["raw.u"]));
    }

    #[test]
    fn a_catalog_of_the_line_says_what_a_star_is() {
        let (_, told) =
            answers(b"{\"sql\":\"insert into m.t select * from raw.s\",\"catalog\":{\"raw.s\":[\"x\",\"y\"]}}");
        let columns = told[0]["columns"].as_array().unwrap();
        let pairs: Vec<_> = columns.iter().map(|one| one["upstream_column"].as_str().unwrap()).collect();
        assert_eq!(pairs, ["x", "y"]);
    }

    #[test]
    fn more_lines_than_a_block_keep_their_order() {
        let input: String = (0..2000).map(|at| format!("{{\"sql\":\"select 1 from t{at}\",\"id\":{at}}}\n")).collect();
        let (count, told) = answers(input.as_bytes());
        assert_eq!(count.lines, 2000);
        assert!(told.iter().enumerate().all(|(at, value)| value["id"] == at as u64));
    }

    #[test]
    fn whoever_stops_listening_ends_it() {
        let input = b"{\"sql\":\"select 1\"}\n{\"sql\":\"select 1\"}\n";
        assert_eq!(run(&input[..], &BatchDefaults::default(), |_| false).unwrap().lines, 1);
    }
}
