//! Calls that name tables or files rather than SQL: frames of Spark and pandas, and clients that load and copy.
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        data_calls::named,
        el::{declares, jdbc_system},
        found::Found,
        names::{dataset_named, lives_for_one_run, tables_in},
        python::{Thing, Value},
        reader::Around,
    },
    vocab::{DatasetId, Span},
};

/// Calls in one chain, `spark.read.format(…).option(…).load(…)`.
const MAX_CHAIN: usize = 60;

/// What one call reads and writes; `None` for a name nobody can tell.
#[derive(Default)]
struct Ends {
    reads: Vec<Option<DatasetId>>,
    writes: Vec<Option<DatasetId>>,
}

impl Ends {
    fn reads(one: Option<DatasetId>) -> Option<Ends> {
        Some(Ends { reads: vec![one], ..Ends::default() })
    }

    fn writes(one: Option<DatasetId>) -> Option<Ends> {
        Some(Ends { writes: vec![one], ..Ends::default() })
    }

    fn moves(reads: Vec<Option<DatasetId>>, into: Option<DatasetId>) -> Option<Ends> {
        Some(Ends { reads, writes: vec![into] })
    }
}

/// Takes what a call does with tables or files that it names; false where it is no such call.
pub(super) fn take(thing: &Thing, around: &Around<'_>, found: &mut Found) -> bool {
    let call = Call { thing, around };
    if call.is_view() {
        call.view(found);
        return true;
    }
    let Some(ends) = call.client(found).or_else(|| call.pandas()).or_else(|| call.spark(found)) else { return false };
    found.pieces += 1;
    // A table for one run is a step on the way.
    let is_passing = thing.args.iter().chain(thing.named.iter().map(|(_, value)| value)).any(is_passing);
    if ends.reads.iter().chain(&ends.writes).any(Option::is_none) && !is_passing {
        found.opaque += 1;
        let here = format!("which table `{}` names", thing.name());
        found.faults.push(Diagnostic::new(CodeEntry::E027, thing.at.clone(), here));
    }
    let at = || thing.at.clone();
    let reads: Vec<DatasetId> = ends.reads.into_iter().flatten().collect();
    let writes: Vec<DatasetId> = ends.writes.into_iter().flatten().collect();
    match writes.as_slice() {
        // A call that says both ends is complete in itself.
        [into] if !reads.is_empty() => {
            reads.into_iter().for_each(|from| found.moves((from, at()), (into.clone(), at())));
        }
        _ => {
            found.reads.extend(reads.into_iter().map(|dataset| (dataset, at())));
            found.writes.extend(writes.into_iter().map(|dataset| (dataset, at())));
        }
    }
    true
}

/// One call, with what it is given.
struct Call<'a> {
    thing: &'a Thing,
    around: &'a Around<'a>,
}

impl<'a> Call<'a> {
    fn arg(&self, names: &[&str], at: usize) -> Option<&'a Value> {
        self.thing.any_named(names).or(self.thing.args.get(at))
    }

    fn table(&self, names: &[&str], at: usize) -> Option<DatasetId> {
        named(self.arg(names, at)?, self.around)
    }

    fn files(&self, names: &[&str], at: usize) -> Option<DatasetId> {
        self.table(names, at).filter(DatasetId::is_file_set)
    }

    /// Clients that load, copy and unload.
    fn client(&self, found: &mut Found) -> Option<Ends> {
        match self.thing.name() {
            "load_table_from_uri" => {
                found.loads = true;
                let uris = self.arg(&["source_uris"], 0);
                let uris = uris.map(|value| value.items().unwrap_or_else(|| vec![value.clone()])).unwrap_or_default();
                let uris = uris.iter().map(|uri| named(uri, self.around)).collect();
                Ends::moves(uris, self.table(&["destination"], 1))
            }
            "load_table_from_file" => {
                found.loads = true;
                let file = self.arg(&["file_obj"], 0).and_then(opened_file);
                Ends::moves(file.map(Some).into_iter().collect(), self.table(&["destination"], 1))
            }
            "load_table_from_dataframe" | "load_table_from_json" => Ends::writes(self.table(&["destination"], 1)),
            "insert_rows_json" | "insert_rows" => Ends::writes(self.table(&["destination", "table"], 0)),
            "copy_table" => Ends::moves(vec![self.table(&["sources"], 0)], self.table(&["destination"], 1)),
            "extract_table" => {
                found.unloads = true;
                Ends::moves(vec![self.table(&["source"], 0)], self.table(&["destination_uris"], 1))
            }
            // `hook.bulk_load(table, file)` and psycopg's `cursor.copy_from(file, table)`.
            "bulk_load" => Ends::writes(self.table(&["table"], 0)),
            "copy_from" if self.arg(&["table"], 1).is_some_and(|table| table.as_text().is_some()) => {
                Ends::writes(self.table(&["table"], 1))
            }
            _ => None,
        }
    }

    /// Frames of pandas and of what looks like it.
    fn pandas(&self) -> Option<Ends> {
        match self.thing.name() {
            "to_gbq" => Ends::writes(self.table(&["destination_table"], 0)),
            "to_sql" => Ends::writes(self.schema_table("schema", "name")),
            "write_pandas" => Ends::writes(self.table(&["table_name"], 2)),
            "read_sql_table" => Ends::reads(self.schema_table("schema", "table_name")),
            "read_parquet" | "read_csv" | "read_json" | "read_excel" => {
                Ends::reads(Some(self.files(&["path", "filepath_or_buffer", "path_or_buf", "io"], 0)?))
            }
            "to_parquet" | "to_csv" | "to_json" => {
                let names = ["path", "path_or_buf"];
                Ends::writes(Some(
                    self.glue_table()
                        .or_else(|| self.files(&names, 0))
                        // `wr.s3.to_parquet(df, path)`.
                        .or_else(|| self.files(&names, 1))?,
                ))
            }
            _ => None,
        }
    }

    /// `wr.s3.to_parquet(…, database=…, table=…)`.
    fn glue_table(&self) -> Option<DatasetId> {
        let part = |name| self.thing.named(name).and_then(Value::as_text);
        let (database, table) = (part("database")?, part("table")?);
        dataset_named(&format!("{}.{}", database.text, table.text), self.around.vars)
    }

    fn schema_table(&self, schema: &str, table: &str) -> Option<DatasetId> {
        let table = self.arg(&[table], 0)?.as_text()?;
        match self.thing.named(schema).and_then(Value::as_text) {
            Some(schema) => dataset_named(&format!("{}.{}", schema.text, table.text), self.around.vars),
            None => dataset_named(&table.text, self.around.vars),
        }
    }

    /// Frames of Spark and Snowpark.
    fn spark(&self, found: &mut Found) -> Option<Ends> {
        match self.thing.name() {
            "saveAsTable" | "insertInto" | "writeTo" | "toTable" | "save_as_table" => {
                Ends::writes(self.table(&["name", "tableName", "table", "table_name"], 0))
            }
            "table" | "read_table" if self.says(&["spark", "read", "readStream"]) => {
                Ends::reads(self.table(&["tableName", "name"], 0))
            }
            "jdbc" if self.says(&["read", "write"]) => {
                let address = self.arg(&["url"], 0);
                self.remote(address, self.arg(&["table"], 1), None, found)
            }
            "parquet" | "csv" | "json" | "orc" | "text" | "avro" => {
                self.directed(Some(self.files(&["path", "paths"], 0)?))
            }
            "load" | "save" | "start" => self.stored(found),
            "merge" | "update" | "toDF" => {
                let delta =
                    self.chain().find(|one| one.path.contains("DeltaTable") && one.name().starts_with("for"))?;
                let table = named(delta.any_named(&["tableOrViewName", "path"]).or(delta.args.get(1))?, self.around);
                if self.thing.name() == "toDF" { Ends::reads(table) } else { Ends::writes(table) }
            }
            _ => None,
        }
    }

    /// `format(…).option(…).load()` and its like.
    fn stored(&self, found: &mut Found) -> Option<Ends> {
        let format = self.option(&["format", "source"]).map(|format| format.shown().0.to_ascii_lowercase());
        let table = self.option(&["dbtable", "table"]);
        let query = self.option(&["query"]);
        match format.as_deref().map(|format| format.rsplit('.').next().unwrap_or(format)) {
            Some("jdbc") => {
                let address = self.option(&["url"]);
                self.remote(address.as_ref(), table.as_ref(), query.as_ref(), found)
            }
            Some("bigquery" | "snowflake" | "redshift" | "clickhouse") => match (table, query) {
                (None, Some(query)) => {
                    let tables = tables_in(&query.as_text()?.text);
                    let named = tables.iter().map(|table| dataset_named(table, self.around.vars)).collect();
                    Some(Ends { reads: named, ..Ends::default() })
                }
                (table, _) => {
                    let table = table.or_else(|| self.arg(&["path"], 0).cloned());
                    self.directed(table.and_then(|table| named(&table, self.around)))
                }
            },
            _ if self.thing.name() == "start" && !self.says(&["writeStream"]) => None,
            _ => {
                let files = self.files(&["path"], 0);
                let files = files.or_else(|| named(&self.option(&["path"])?, self.around));
                self.directed(Some(files.filter(DatasetId::is_file_set)?))
            }
        }
    }

    /// Tables of the database at `address`.
    fn remote(
        &self,
        address: Option<&Value>,
        table: Option<&Value>,
        query: Option<&Value>,
        found: &mut Found,
    ) -> Option<Ends> {
        let system = jdbc_system(address.and_then(Value::as_known).unwrap_or_default());
        declares(found, &system, None, &self.thing.at);
        let text = table.or(query).and_then(Value::as_text).map(|text| text.text.trim().to_owned());
        let tables = match text {
            Some(text) if text.contains(char::is_whitespace) => tables_in(&text),
            Some(text) if !text.is_empty() && !text.contains("${") => vec![text],
            _ => return self.directed(None),
        };
        let named: Vec<_> = tables.iter().map(|table| Some(DatasetId::in_system(&system, table))).collect();
        Some(match self.writes() {
            true => Ends { writes: named, ..Ends::default() },
            false => {
                found.loads = true;
                Ends { reads: named, ..Ends::default() }
            }
        })
    }

    fn directed(&self, one: Option<DatasetId>) -> Option<Ends> {
        if self.writes() { Ends::writes(one) } else { Ends::reads(one) }
    }

    fn writes(&self) -> bool {
        self.says(&["write", "writeStream"]) || self.thing.name() == "save"
    }

    /// Whether one of `words` stands in the chain of names that was called.
    fn says(&self, words: &[&str]) -> bool {
        self.thing.path.split('.').any(|word| words.contains(&word))
    }

    /// The calls that this one is called on, itself first.
    fn chain(&self) -> impl Iterator<Item = &'a Thing> {
        chain(self.thing)
    }

    /// The value of an option of the chain: an argument here, or of `format`, `option` and `options` before.
    fn option(&self, names: &[&str]) -> Option<Value> {
        self.chain().find_map(|one| match one.name() {
            "format" if names.contains(&"format") => one.args.first().cloned(),
            "option" => {
                let key = one.args.first().and_then(Value::as_known)?;
                one.args.get(1).filter(|_| names.iter().any(|name| name.eq_ignore_ascii_case(key))).cloned()
            }
            _ => one.any_named(names).cloned(),
        })
    }

    fn is_view(&self) -> bool {
        matches!(
            self.thing.name(),
            "createOrReplaceTempView" | "createTempView" | "createOrReplaceGlobalTempView" | "registerTempTable"
        )
    }

    /// A frame under a name: a view of this session over what the frame was read from.
    fn view(&self, found: &mut Found) {
        let Some(name) = self.arg(&["name", "viewName"], 0).and_then(Value::as_known) else { return };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(plain) {
            return;
        }
        let text = format!("create or replace temporary view {name} as {}", self.query_behind());
        let how = super::given_sql::How { dialect: Some("spark".to_owned()), ..Default::default() };
        let at: Span = self.thing.at.clone();
        found.scripts.push(how.script(at, text.into(), false, self.around));
    }

    /// The query that gives the frame a method is called on, as far as it is one table or one text of SQL.
    fn query_behind(&self) -> String {
        let root = self.chain().skip(1).find_map(|one| match one.name() {
            "sql" => one.args.first()?.as_text().map(|text| text.text.trim().trim_end_matches(';').to_owned()),
            "table" => Some(format!("select * from {}", one.args.first()?.as_known()?)),
            _ => None,
        });
        root.unwrap_or_else(|| "select 1".to_owned())
    }
}

fn chain(thing: &Thing) -> impl Iterator<Item = &Thing> {
    fn before(one: &Thing) -> Option<&Thing> {
        match &one.owner {
            Some(Value::Thing(owner)) => Some(owner),
            _ => None,
        }
    }
    std::iter::successors(Some(thing), |one| before(one)).take(MAX_CHAIN)
}

/// Whether a value names a table for one run.
fn is_passing(value: &Value) -> bool {
    match value {
        Value::Text(text) => lives_for_one_run(&text.text),
        Value::Thing(thing) if thing.name() == "Table" => thing.args.first().is_some_and(is_passing),
        _ => false,
    }
}

/// The file that `open(path)` opens.
fn opened_file(value: &Value) -> Option<DatasetId> {
    let path = match value {
        Value::Thing(opened) if &*opened.path == "open" => opened.args.first()?.as_text()?.clone(),
        _ => return None,
    };
    let name = path.text.rsplit('/').next().filter(|name| !name.is_empty() && !name.contains("${"))?;
    format!("file:{name}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_calls_is_bounded_and_begins_with_the_call_itself() {
        let at = Span::of("a.py", "", 0, 0);
        let mut one = Thing::plain("spark.read", Vec::new(), at.clone());
        for _ in 0..100 {
            let owner = Some(Value::Thing(std::rc::Rc::new(one)));
            one = Thing { owner, ..Thing::plain("spark.read.option", Vec::new(), at.clone()) };
        }
        assert_eq!(chain(&one).count(), MAX_CHAIN);
        assert_eq!(chain(&one).next().map(Thing::name), Some("option"));
    }
}
