//! Queries that run in another system: `EXTERNAL_QUERY`, `dblink`, `OPENQUERY` and their like.
use sqlparser::ast::{Expr, FunctionArg, FunctionArgExpr, Spanned, Statement};

use super::{
    dialect::Dialect,
    ir::Source,
    lower::{Lower, literal_argument, lower},
    parse::parse,
};
use crate::lineage::Access;

impl Lower<'_> {
    /// The remote query that the table function `name` runs; `None` for any other function.
    pub(super) fn remote(&mut self, name: &str, args: &[FunctionArg]) -> Option<Source> {
        self.note_files(args);
        let (connection, sql) = match name {
            "external_query" | "dblink" | "openquery" | "postgres_query" | "mysql_query" | "sqlite_query" => {
                (args.first()?, args.get(1)?)
            }
            _ => return None,
        };
        let system = system_name(connection)?;
        let text = literal_argument(sql)?;
        let at = self.bytes_or_start(sql.span());
        for dialect in ["generic", "postgres", "mysql"] {
            let dialect = Dialect::named(dialect)?;
            if let Ok(parsed) = parse(text, dialect)
                && let Statement::Query(query) = &parsed.statement
            {
                let mut inner = Lower::quoted(text, at, dialect);
                return Some(Source::Remote(system, Box::new(inner.query(query))));
            }
        }
        None
    }

    /// `read_parquet('s3://…')` reads files.
    fn note_files(&mut self, args: &[FunctionArg]) {
        for arg in args {
            if let Some(address) =
                literal_argument(arg).filter(|text| text.contains("://") && !text.contains(char::is_whitespace))
            {
                let at = self.bytes_or_start(arg.span());
                self.files.push((address.to_owned(), Access::Read, at));
            }
        }
    }
}

/// The name of the system behind a connection: the last part of `project.region.name`, `dbname=name`, or the name itself.
fn system_name(arg: &FunctionArg) -> Option<String> {
    let text = match literal_argument(arg) {
        Some(text) => text.to_owned(),
        None => match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::Identifier(ident))) => lower(ident),
            _ => return None,
        },
    };
    let key = |key: &str| text.split_whitespace().find_map(|pair| pair.strip_prefix(key).map(str::to_owned));
    let named = key("dbname=").or_else(|| key("host=")).unwrap_or(text);
    let last = named
        .rsplit(['.', '/'])
        .next()
        .unwrap_or_default()
        .trim_matches(|c: char| c == '\'' || c == '"')
        .to_lowercase();
    (!last.is_empty() && !last.contains(':')).then_some(last)
}
