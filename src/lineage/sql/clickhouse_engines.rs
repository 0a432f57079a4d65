//! ClickHouse tables whose engine reads elsewhere: other nodes, files, topics, dictionaries' sources.
use super::{
    address::file_of,
    doing::Doing,
    ir::{Fill, Name, Source, Stmt},
    lexer::{Kind, Token, unquoted},
    lower_create::{of_columns, over_files},
    shape::string_of,
    sources::{group_columns, remote_table},
};

/// `ENGINE = Distributed(cluster, database, table, …)`: the rows of that table on every node.
pub(super) fn nodes(doing: &Doing<'_>, stmt: &mut Stmt, table: &str, columns: &str, given: &str) -> Option<()> {
    stmt.kind = "create_table";
    let words: Vec<&Token> = arguments(doing.group(given)?).take(3).filter_map(|argument| argument.first()).collect();
    let [_, database, name] = words.as_slice() else { return None };
    let parts: Vec<String> =
        [database, name].map(|token| word(doing, token)).into_iter().filter(|word| !word.is_empty()).collect();
    let from = Name { parts, at: database.at.start..name.at.end, exact: false };
    let columns = group_columns(doing, columns);
    let query = of_columns(&columns, Source::Table(from));
    stmt.fills.push(Fill { makes: true, ..Fill::of(Some(doing.name(table)?), query) });
    Some(())
}

/// `ENGINE = S3('address', …)` and its like: the rows of files.
pub(super) fn files(doing: &Doing<'_>, stmt: &mut Stmt, table: &str, columns: &str, given: &str) -> Option<()> {
    let texts = doing.group(given)?.iter().filter(|token| token.kind == Kind::Text);
    let file = texts.map(|token| string_of(token.of(doing.text))).find(|text| text.contains(['/', '.']))?;
    over_files(stmt, doing.name(table)?, group_columns(doing, columns), vec![file_of(&file)?]);
    Some(())
}

/// `ENGINE = Kafka('brokers', 'topics', …)`, or with the topics among the settings.
pub(super) fn topic(doing: &Doing<'_>, stmt: &mut Stmt, table: &str, columns: &str) -> Option<()> {
    stmt.kind = "create_foreign_table";
    let target = doing.name(table)?;
    let behind = doing.tokens.iter().position(|token| token.is(doing.text, "kafka"))?;
    let tokens = &doing.tokens[behind..];
    let setting = tokens.iter().position(|token| token.is(doing.text, "kafka_topic_list"));
    let said = match setting {
        Some(at) => tokens[at..].iter().find(|token| token.kind == Kind::Text)?,
        None => tokens.iter().filter(|token| token.kind == Kind::Text).nth(1)?,
    };
    let topics = string_of(said.of(doing.text));
    let columns = group_columns(doing, columns);
    for topic in topics.split(',').map(str::trim).filter(|topic| !topic.is_empty()) {
        let source = remote_table("kafka".to_owned(), vec![topic.to_owned()], stmt);
        let query = of_columns(&columns, source);
        stmt.fills.push(Fill { makes: true, ..Fill::of(Some(target.clone()), query) });
    }
    Some(())
}

/// `CREATE DICTIONARY … SOURCE(CLICKHOUSE(TABLE 't' DB 'd'))`: filled from a table, of here or of another system.
pub(super) fn dictionary(doing: &Doing<'_>, stmt: &mut Stmt, table: &str, columns: &str, given: &str) -> Option<()> {
    stmt.kind = "create_dictionary";
    let tokens = doing.group(given)?;
    let value = |keys: &[&str]| {
        let at = tokens.iter().position(|token| keys.iter().any(|key| token.is(doing.text, key)))?;
        tokens.get(at + 1).map(|token| word(doing, token))
    };
    let (database, name) = (value(&["db", "database"]), value(&["table"]));
    let columns = group_columns(doing, columns);
    let kind = word(doing, tokens.first()?);
    let source = match (kind.as_str(), name) {
        ("clickhouse", Some(name)) => {
            let parts = database.into_iter().chain([name]).collect();
            Source::Table(Name { parts, at: stmt.at.clone(), exact: false })
        }
        (_, Some(name)) => remote_table(database.unwrap_or(kind), vec![name], stmt),
        ("http" | "file", None) => {
            let place = value(&["url", "path"])?;
            over_files(stmt, doing.name(table)?, columns, vec![file_of(&place)?]);
            return Some(());
        }
        _ => return None,
    };
    stmt.fills.push(Fill { makes: true, ..Fill::of(Some(doing.name(table)?), of_columns(&columns, source)) });
    Some(())
}

fn arguments(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens.split(|token| token.is_sign(','))
}

/// What an argument says: a word, a quoted name or a string. `currentDatabase()` and macros say nothing.
fn word(doing: &Doing<'_>, token: &Token) -> String {
    let said = string_of(&unquoted(token.of(doing.text))).to_lowercase();
    if said == "currentdatabase" || said.contains('{') { String::new() } else { said }
}
