//! Table functions that read from elsewhere: queries and tables of other systems, and files.
use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, ObjectName, Spanned, Statement};

use super::{
    address::file_of,
    dialect::Dialect,
    ir::{Name, Source},
    lower::{Lower, last_part, literal, literal_argument, lower},
    parse::parse,
    sources::whole_table,
    words::is_any,
};
use crate::vocab::plain_address;

impl Lower<'_> {
    /// What the table function `name` reads outside the lake's tables; `None` for any other function.
    pub(super) fn remote(&mut self, name: &ObjectName, args: &[FunctionArg]) -> Option<Source> {
        let last = last_part(name);
        match last.as_str() {
            "external_query" | "dblink" | "openquery" | "postgres_query" | "mysql_query" | "sqlite_query" => {
                self.remote_query(system_name(args.first()?), args.get(1)?)
            }
            // OPENROWSET('provider', 'connection', 'select …') and OPENROWSET(BULK 'file', …).
            "openrowset" if args.len() == 3 && args.get(2).and_then(literal_argument).is_some_and(is_query) => {
                self.remote_query(system_name(&args[1]), &args[2])
            }
            // Trino: TABLE(catalog.system.query(query => 'select …')).
            "query" if name.0.len() == 3 => {
                let system = name.0[0].as_ident().map(lower);
                self.remote_query(system, args.first()?)
            }
            "postgres_scan" | "postgres_scan_pushdown" | "mysql_scan" => self.remote_table(args, 0, &[1, 2]),
            "sqlite_scan" => self.remote_table(args, 0, &[1]),
            "postgresql" | "mysql" | "mongodb" if args.len() >= 3 => self.remote_table(args, 1, &[2]),
            // ClickHouse: odbc('DSN=crm', 'schema', 'table').
            "odbc" | "jdbc" if args.len() >= 2 => self.remote_table(args, 0, &[1, 2]),
            // The first argument names the servers that read.
            "s3cluster"
            | "urlcluster"
            | "hdfscluster"
            | "icebergs3cluster"
            | "icebergcluster"
            | "deltalakecluster"
            | "azureblobstoragecluster"
            | "filecluster"
            | "hudicluster"
                if args.len() >= 2 =>
            {
                self.files_named(&args[1])
            }
            "merge" if self.dialect.name() == "clickhouse" => {
                let at = self.bytes_or_start(name.span());
                self.unnamed.push(("the tables it reads are chosen by a pattern of their names".to_owned(), at));
                None
            }
            // Databricks: STREAM(table) reads the table.
            "stream" if args.len() == 1 => self.table_of_cluster(args),
            "remote" | "remotesecure" if args.len() >= 2 => self.table_of_server(args),
            "cluster" | "clusterallreplicas" if args.len() >= 2 => self.table_of_cluster(&args[1..]),
            _ if is_any("file_function", &last) => self.files_named(args.first()?),
            _ => self.addresses(args),
        }
    }

    /// The query that a string holds, run in `system`.
    fn remote_query(&mut self, system: Option<String>, sql: &FunctionArg) -> Option<Source> {
        let at = self.bytes_or_start(sql.span());
        let (Some(system), Some(text)) = (system, literal_argument(sql)) else {
            self.unnamed.push(("the query that another system runs is put together at run time".to_owned(), at));
            return None;
        };
        for dialect in ["generic", "postgres", "mysql", "tsql"] {
            let dialect = Dialect::named(dialect)?;
            if let Ok(parsed) = parse(text, dialect)
                && let Statement::Query(query) = &parsed.statement
            {
                let mut inner = Lower::quoted(text, at, dialect);
                return Some(Source::Remote(system, Box::new(inner.query(query))));
            }
        }
        self.unnamed.push((format!("the query that `{system}` runs is not understood"), at));
        None
    }

    /// A table of another system: `system` and `parts` say which arguments name them.
    fn remote_table(&mut self, args: &[FunctionArg], system: usize, parts: &[usize]) -> Option<Source> {
        let system = system_name(args.get(system)?)?;
        let named = |at: &usize| word_argument(args.get(*at)?).filter(|word| !word.is_empty());
        let parts: Vec<String> = parts.iter().filter_map(named).collect();
        let at = self.bytes_or_start(args.first()?.span());
        (!parts.is_empty()).then(|| Source::Remote(system, Box::new(whole_table(parts, at))))
    }

    /// ClickHouse's `remote('host:port', db.table)` or `remote('host:port', 'db', 'table')`.
    fn table_of_server(&mut self, args: &[FunctionArg]) -> Option<Source> {
        let server = word_argument(args.first()?)?.to_lowercase();
        let server = server.split([':', ',', '{']).next().unwrap_or_default();
        let first = word_argument(args.get(1)?)?;
        let mut parts: Vec<String> = first.split('.').map(str::to_owned).collect();
        if parts.len() == 1 {
            parts.extend(args.get(2).and_then(word_argument));
        }
        let at = self.bytes_or_start(args.first()?.span());
        (!server.is_empty()).then(|| Source::Remote(server.to_owned(), Box::new(whole_table(parts, at))))
    }

    /// `cluster('name', db.table)` reads the same table on every node.
    fn table_of_cluster(&mut self, args: &[FunctionArg]) -> Option<Source> {
        let words: Vec<String> = args.iter().map_while(word_argument).collect();
        let at = self.bytes_or_start(args.first()?.span());
        let parts: Vec<String> = words.iter().take(2).flat_map(|word| word.split('.').map(str::to_lowercase)).collect();
        (!parts.is_empty()).then_some(Source::Table(Name { parts, at, exact: false }))
    }

    /// The files that a function is told to read: one path or a list of them.
    fn files_named(&mut self, arg: &FunctionArg) -> Option<Source> {
        let at = self.bytes_or_start(arg.span());
        let paths: Vec<String> = match expr_of(arg) {
            Some(Expr::Array(array)) => array.elem.iter().filter_map(literal).filter_map(file_of).collect(),
            Some(expr) => literal(expr).and_then(file_of).into_iter().collect(),
            None => Vec::new(),
        };
        if paths.is_empty() {
            self.unnamed.push(("the files it reads are named at run time".to_owned(), at));
            return None;
        }
        Some(Source::Files(paths, at))
    }

    /// Whatever a function is: an address among its arguments is read.
    fn addresses(&mut self, args: &[FunctionArg]) -> Option<Source> {
        let is_address = |text: &&str| text.contains("://") && !text.contains(char::is_whitespace);
        let arg = args.iter().find(|arg| literal_argument(arg).as_ref().is_some_and(is_address))?;
        let at = self.bytes_or_start(arg.span());
        let files = args.iter().filter_map(literal_argument).filter(is_address).filter_map(file_of).collect();
        Some(Source::Files(files, at))
    }
}

fn is_query(text: &str) -> bool {
    let first = text.trim_start().split(char::is_whitespace).next().unwrap_or_default();
    first.eq_ignore_ascii_case("select") || first.eq_ignore_ascii_case("with")
}

fn expr_of(arg: &FunctionArg) -> Option<&Expr> {
    let (FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. } | FunctionArg::Unnamed(arg)) = arg;
    match arg {
        FunctionArgExpr::Expr(expr) => Some(expr),
        _ => None,
    }
}

/// A string, or a name that stands for itself.
pub(super) fn word_argument(arg: &FunctionArg) -> Option<String> {
    match expr_of(arg)? {
        Expr::Identifier(ident) => Some(lower(ident)),
        Expr::CompoundIdentifier(idents) => Some(idents.iter().map(lower).collect::<Vec<_>>().join(".")),
        other => literal(other).map(str::to_owned),
    }
}

/// The name of the system behind a connection that an argument gives.
fn system_name(arg: &FunctionArg) -> Option<String> {
    system_of(&word_argument(arg)?)
}

/// Endings of files that are databases.
const FILES: [&str; 6] = [".db", ".sqlite", ".sqlite3", ".db3", ".duckdb", ".mdb"];

/// The name of the system behind a connection: the last part of `project.region.name`, the database of a URL or of
/// `dbname=name`, or the name itself.
pub(super) fn system_of(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let plain = plain_address(&lower);
    let pairs = || lower.split([' ', ';', '?', '&', '\t', '\n']);
    let key = |key: &str| pairs().find_map(|pair| pair.trim().strip_prefix(key).map(str::to_owned));
    let keys = ["dbname=", "database=", "databasename=", "initial catalog=", "dsn=", "host=", "server="];
    let named = keys.iter().find_map(|one| key(one));
    let named = named.unwrap_or_else(|| plain.split('?').next().unwrap_or_default().to_owned());
    let path = named.trim_end_matches('/');
    // A database that is a file is called as its file is.
    let path = FILES.iter().find_map(|ending| path.strip_suffix(ending)).unwrap_or(path);
    let last = path.rsplit(['.', '/', '\\']).next().unwrap_or_default();
    let last = last.trim_matches(|c: char| c == '\'' || c == '"').to_owned();
    (!last.is_empty() && !last.contains(':')).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_called_after_its_database() {
        let system = |text| system_of(text).unwrap();
        assert_eq!(system("my-project.eu.Order_DB"), "order_db");
        assert_eq!(system("host=h dbname=crm user=u"), "crm");
        assert_eq!(system("jdbc:postgresql://db.example:5432/orders?user=x"), "orders");
        assert_eq!(system("jdbc:sqlserver://h:1433;databaseName=Sales;encrypt=true"), "sales");
        assert_eq!(system("warehouse"), "warehouse");
        assert_eq!(system("data/crm.db"), "crm");
        assert_eq!(system_of("h:5432"), None);
        assert_eq!(system("postgres://u:hunter2.pass@db"), "db");
    }
}
