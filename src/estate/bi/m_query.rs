//! What a query in Power Query's language reads: the tables it navigates to, the SQL it sends.
use std::collections::BTreeMap;

use super::m_tokens::{Shape, Token, tokens};

/// What one query was found to read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reads {
    /// Tables by their parts, each with the bytes of its last one.
    pub(super) tables: Vec<(Vec<String>, (usize, usize))>,
    /// SQL it sends.
    pub(super) queries: Vec<Query>,
    /// Other queries of the model that it names.
    pub(super) others: Vec<String>,
    /// What cannot be followed, with the bytes of it.
    pub(super) opaque: Vec<(String, (usize, usize))>,
}

/// SQL with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) text: String,
    /// Bytes of the one text it is; of the first where it is put together.
    pub(super) at: (usize, usize),
    pub(super) dialect: Option<&'static str>,
}

/// Where a step of the query stands: in a database, at some depth of its folders.
#[derive(Clone, Debug, Default)]
struct At {
    function: String,
    path: Vec<String>,
    is_table: bool,
}

/// Reads `text`; `shared` are the model's other queries, with the value of those that are a parameter.
pub(super) fn read(text: &str, shared: &BTreeMap<String, Option<String>>) -> Reads {
    let tokens = tokens(text);
    let mut reading =
        Reading { tokens: &tokens, shared, steps: BTreeMap::new(), texts: BTreeMap::new(), reads: Reads::default() };
    let mut at = 0;
    while at < tokens.len() {
        at = reading.step(at);
    }
    let Reads { tables, queries, others, .. } = &reading.reads;
    if tables.is_empty() && queries.is_empty() && others.is_empty() && reading.reads.opaque.is_empty() {
        let from = tokens.iter().find(|token| token.name().and_then(dialect_of).is_some());
        let told = from.map(|token| ("no table and no SQL is named behind this".to_owned(), (token.start, token.end)));
        reading.reads.opaque.extend(told);
    }
    reading.reads
}

/// The value of a query that is a parameter: one text, and what describes it.
pub(super) fn parameter(text: &str) -> Option<String> {
    let tokens = tokens(text);
    match tokens.as_slice() {
        [value] => value.text().map(str::to_owned),
        [value, meta, ..] if meta.name() == Some("meta") => value.text().map(str::to_owned),
        _ => None,
    }
}

struct Reading<'a> {
    tokens: &'a [Token],
    shared: &'a BTreeMap<String, Option<String>>,
    /// Where each named step stands.
    steps: BTreeMap<String, At>,
    /// Steps that are texts.
    texts: BTreeMap<String, String>,
    reads: Reads,
}

impl Reading<'_> {
    /// Reads one step, `name = …`, or what stands behind `in`; gives the token behind it.
    fn step(&mut self, from: usize) -> usize {
        let (name, start) = match (&self.tokens[from].shape, self.tokens.get(from + 1)) {
            (Shape::Name(word), _) if word == "let" || word == "in" => return from + 1,
            (Shape::Name(name), Some(next)) if next.is('=') => (Some(name.clone()), from + 2),
            _ => (None, from),
        };
        let end = self.end_of_step(start);
        if let (Some(name), Some(text)) = (&name, self.joined(start, end).filter(|(_, _, known)| *known)) {
            self.texts.insert(name.clone(), text.0);
        }
        let at = self.expression(start, end);
        if let (Some(name), Some(at)) = (name, at) {
            self.steps.insert(name, at);
        }
        // A comma stands behind each step but the last.
        end + usize::from(self.tokens.get(end).is_some_and(|token| token.is(',') || end == from))
    }

    fn end_of_step(&self, start: usize) -> usize {
        let (mut depth, mut nested) = (0usize, 0usize);
        for (at, token) in self.tokens.iter().enumerate().skip(start) {
            match &token.shape {
                Shape::Sign('(' | '[' | '{') => depth += 1,
                Shape::Sign(')' | ']' | '}') => depth = depth.saturating_sub(1),
                Shape::Sign(',') if depth == 0 && nested == 0 => return at,
                Shape::Name(word) if word == "let" => nested += 1,
                Shape::Name(word) if word == "in" && depth == 0 => match nested {
                    0 => return at,
                    _ => nested -= 1,
                },
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// Follows one expression from name to name; gives where it ends up.
    fn expression(&mut self, start: usize, end: usize) -> Option<At> {
        let mut here: Option<At> = None;
        let mut at = start;
        while at < end {
            let token = &self.tokens[at];
            match &token.shape {
                Shape::Name(name)
                    if self.tokens.get(at + 1).is_some_and(|next| next.is('(')) && dialect_of(name).is_some() =>
                {
                    here = Some(At { function: name.clone(), ..At::default() });
                    self.sent_by_query(name, at + 1, end);
                }
                Shape::Name(name) if name == "Value.NativeQuery" => self.native(at + 1, end),
                Shape::Name(name) if name == "Query" && self.tokens.get(at + 1).is_some_and(|next| next.is('=')) => {
                    let to = self.end_of_argument(at + 2, end);
                    let function = here.as_ref().map(|at| at.function.clone()).unwrap_or_default();
                    self.send(at + 2, to, dialect_of(&function));
                }
                Shape::Name(name) if self.steps.contains_key(name) => here = self.steps.get(name).cloned(),
                // A record's key is no reference.
                Shape::Name(name) if !self.tokens.get(at + 1).is_some_and(|next| next.is('=')) => self.shared(name),
                Shape::Sign('{') if self.tokens.get(at + 1).is_some_and(|next| next.is('[')) => {
                    let close = self.close_of(at, end);
                    if let Some(here) = &mut here {
                        navigate(&mut self.reads, self.shared, &self.tokens[at + 2..close], here);
                    }
                    at = close;
                }
                _ => {}
            }
            at += 1;
        }
        here
    }

    fn shared(&mut self, name: &str) {
        if self.shared.get(name).is_some_and(Option::is_none) && !self.reads.others.iter().any(|other| other == name) {
            self.reads.others.push(name.to_owned());
        }
    }

    /// `Odbc.Query("dsn", "SELECT …")` and its like.
    fn sent_by_query(&mut self, function: &str, open: usize, end: usize) {
        if function.ends_with(".Query") {
            let second = self.end_of_argument(open + 1, end) + 1;
            self.send(second, self.end_of_argument(second, end), dialect_of(function).filter(|one| !one.is_empty()));
        }
    }

    fn native(&mut self, open: usize, end: usize) {
        let first_end = self.end_of_argument(open + 1, end);
        let at = self.expression(open + 1, first_end);
        let to = self.end_of_argument(first_end + 1, end);
        self.send(first_end + 1, to, at.and_then(|at| dialect_of(&at.function)));
    }

    fn end_of_argument(&self, start: usize, end: usize) -> usize {
        let mut depth = 0usize;
        for at in start..end {
            match self.tokens[at].shape {
                Shape::Sign('(' | '[' | '{') => depth += 1,
                Shape::Sign(',' | ')' | ']' | '}') if depth == 0 => return at,
                Shape::Sign(')' | ']' | '}') => depth -= 1,
                _ => {}
            }
        }
        end
    }

    fn close_of(&self, open: usize, end: usize) -> usize {
        self.end_of_argument(open + 1, end)
    }

    fn send(&mut self, start: usize, end: usize, dialect: Option<&'static str>) {
        let dialect = dialect.filter(|one| !one.is_empty());
        let Some(first) = self.tokens.get(start).filter(|_| start < end) else { return };
        match self.joined(start, end) {
            Some((text, at, known)) => {
                if !known {
                    let here = "this SQL is put together from what only a run knows".to_owned();
                    self.reads.opaque.push((here, at));
                }
                self.reads.queries.push(Query { text, at, dialect });
            }
            None => self.reads.opaque.push(("this SQL is made by a function".to_owned(), (first.start, first.end))),
        }
    }

    /// Texts and names joined by `&`, where it is first written, and whether all of it is known.
    fn joined(&self, start: usize, end: usize) -> Option<(String, (usize, usize), bool)> {
        let (mut text, mut place, mut known) = (String::new(), None, true);
        for (number, token) in self.tokens.get(start..end)?.iter().enumerate() {
            match &token.shape {
                Shape::Sign('&') if number % 2 == 1 => continue,
                _ if number % 2 == 1 => return None,
                Shape::Text(value) => {
                    text.push_str(value);
                    place.get_or_insert((token.start, token.end));
                }
                Shape::Name(name) => match self.texts.get(name).or_else(|| self.shared.get(name)?.as_ref()) {
                    Some(value) => text.push_str(value),
                    None => {
                        known = false;
                        text.push_str(&format!("{{{{ {} }}}}", word_of(name)));
                    }
                },
                Shape::Sign(_) => return None,
            }
            place.get_or_insert((token.start, token.end));
        }
        place.filter(|_| text.contains(char::is_whitespace) || known).map(|place| (text, place, known))
    }
}

fn word_of(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect()
}

/// One step into a database: `{[Schema="x", Item="y"]}`, `{[Name="x", Kind="Schema"]}`.
fn navigate(reads: &mut Reads, shared: &BTreeMap<String, Option<String>>, tokens: &[Token], here: &mut At) {
    let mut keys: BTreeMap<&str, (String, (usize, usize))> = BTreeMap::new();
    for three in tokens.windows(3) {
        let [key, sign, value] = three else { continue };
        let (Some(key), true) = (key.name(), sign.is('=')) else { continue };
        let known = match &value.shape {
            Shape::Text(text) => Some(text.clone()),
            Shape::Name(name) => shared.get(name).cloned().flatten(),
            Shape::Sign(_) => None,
        };
        match known {
            Some(text) => drop(keys.insert(key, (text, (value.start, value.end)))),
            None => reads.opaque.push((format!("what `{key}` is, only a run knows"), (value.start, value.end))),
        }
    }
    if here.is_table {
        return;
    }
    let kind = keys.get("Kind").or_else(|| keys.get("ItemKind")).map_or("", |(kind, _)| kind.as_str()).to_owned();
    let is_table = keys.contains_key("Item") || matches!(kind.as_str(), "Table" | "View" | "MaterializedView");
    let names = ["Schema", "Item", "Name", "Id"].iter().filter_map(|key| keys.get(key));
    let names: Vec<(String, (usize, usize))> = names.cloned().collect();
    let Some(last) = names.last().cloned() else { return };
    // A database that a connection names is no part of its tables' names.
    let counts =
        is_table || matches!(kind.as_str(), "Database" | "Schema") || here.function.starts_with("GoogleBigQuery");
    if counts {
        here.path.extend(names.into_iter().map(|(name, _)| name));
    }
    if is_table {
        here.is_table = true;
        reads.tables.push((here.path.clone(), last.1));
    }
}

/// The dialect of the database that a function of M opens; empty where that is not said.
fn dialect_of(function: &str) -> Option<&'static str> {
    let (library, verb) = function.split_once('.')?;
    let opens = ["Database", "Databases", "Catalogs", "Query", "DataSource", "Contents", "Tables", "Warehouses"];
    if !opens.iter().any(|one| verb == *one || verb.starts_with(one)) {
        return None;
    }
    Some(match library {
        "Sql" | "Fabric" | "Lakehouse" | "PowerPlatform" => "tsql",
        "PostgreSQL" => "postgres",
        "Snowflake" => "snowflake",
        "GoogleBigQuery" => "bigquery",
        "MySQL" | "MariaDB" => "mysql",
        "AmazonRedshift" => "redshift",
        "Oracle" => "oracle",
        "Databricks" | "DatabricksMultiCloud" => "databricks",
        "Spark" | "ApacheSpark" | "AzureSpark" => "spark",
        "AmazonAthena" | "Trino" | "Starburst" => "trino",
        "Teradata" => "teradata",
        "Hive" | "ApacheHiveLLAP" | "Impala" => "hive",
        "ClickHouse" => "clickhouse",
        "Odbc" | "OleDb" | "Vertica" | "Sybase" | "DB2" | "SapHana" => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Reads {
        let shared = [("Schema".to_owned(), Some("raw".to_owned())), ("Base".to_owned(), None)].into();
        read(text, &shared)
    }

    fn tables(text: &str) -> Vec<String> {
        of(text).tables.into_iter().map(|(parts, _)| parts.join(".")).collect()
    }

    #[test]
    fn navigation_leads_to_tables() {
        let sql =
            "let Source = Sql.Database(\"srv\", \"lake\"), t = Source{[Schema=\"raw\",Item=\"Orders\"]}[Data] in t";
        assert_eq!(tables(sql), ["raw.Orders"]);
        let snowflake = "let S = Snowflake.Databases(\"a\",\"w\"), d = S{[Name=\"LAKE\",Kind=\"Database\"]}[Data], s = d{[Name=\"RAW\",Kind=\"Schema\"]}[Data], t = s{[Name=\"T\",Kind=\"View\"]}[Data], u = Table.SelectRows(t, each [a] = 1) in u";
        assert_eq!(tables(snowflake), ["LAKE.RAW.T"]);
        assert_eq!(
            tables(
                "let S = Sql.Databases(\"s\"), l = S{[Name=\"lake\"]}[Data], t = l{[Schema=Schema,Item=\"o\"]}[Data] in t"
            ),
            ["raw.o"]
        );
        assert_eq!(
            tables(
                "GoogleBigQuery.Database(){[Name=\"p\"]}[Data]{[Name=\"d\",Kind=\"Schema\"]}[Data]{[Name=\"t\",Kind=\"Table\"]}[Data]"
            ),
            ["p.d.t"]
        );
    }

    #[test]
    fn sql_is_found_whole_joined_and_by_name() {
        let query = |text: &str| {
            let found = of(text);
            (found.queries.first().map(|q| (q.text.clone(), q.dialect)), found.opaque.len())
        };
        let expect = |text: &str, dialect| Some((text.to_owned(), dialect));
        let native = "let S = PostgreSQL.Database(\"s\",\"d\"), r = Value.NativeQuery(S, \"SELECT 1#(lf)FROM raw.a\", null) in r";
        assert_eq!(query(native), (expect("SELECT 1\nFROM raw.a", Some("postgres")), 0));
        let option = "Sql.Database(\"s\",\"d\",[Query=\"SELECT a FROM \" & Schema & \".t\"])";
        assert_eq!(query(option), (expect("SELECT a FROM raw.t", Some("tsql")), 0));
        let unknown = "let q = \"SELECT 1 FROM t WHERE a = \" & Text.From(x) in Odbc.Query(\"dsn\", q)";
        assert_eq!(query(unknown).1, 1);
        assert_eq!(
            query("let q = \"SELECT 1 FROM t\" in Odbc.Query(\"dsn\", q)"),
            (expect("SELECT 1 FROM t", None), 0)
        );
    }

    #[test]
    fn other_queries_and_what_leads_nowhere_are_told() {
        assert_eq!(of("Table.SelectRows(Base, each true)").others, ["Base"]);
        assert_eq!(of("let S = Sql.Database(\"s\",\"d\") in S").opaque.len(), 1);
        assert_eq!(of("Excel.Workbook(File.Contents(\"a.xlsx\"))"), Reads::default());
        assert_eq!(parameter("\"raw\" meta [IsParameterQuery=true]").as_deref(), Some("raw"));
        for text in ["let", "let x =", "let x = {[", "Value.NativeQuery(", "a{[b=", ",,,", "in in"] {
            of(text);
        }
    }
}
