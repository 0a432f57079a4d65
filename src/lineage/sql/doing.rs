//! What a statement of a known shape does: names, files and systems out of what its pattern caught.
use std::ops::Range;

use super::{
    address::{file_of, packed_file},
    clickhouse_engines,
    dialect::Dialect,
    ir::{Body, Effect, Ex, Fill, Item, Name, Select, Source, Stmt},
    lexer::{Kind, Token, unquoted},
    lower_query::{alone, plain},
    scan::{name_at, scan},
    shape::{Caught, Shaped, string_of},
    sources,
};
use crate::lineage::Access;

/// What becomes of the rest of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// There is none.
    Nothing,
    /// A statement of its own.
    Statement,
    /// A query whose rows leave.
    Out,
    /// A query in parentheses, whose rows leave or go to a table: its tokens.
    Within(Range<usize>, Option<Box<Target>>),
    /// A query in a string, whose rows go to a table: the tokens of the string.
    Said(Range<usize>, Box<Target>),
    /// A query whose rows go to a table.
    Fill(Box<Target>),
}

/// Where the rows of a rest go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The table.
    pub(super) name: Name,
    /// Its columns, where written.
    pub(super) columns: Vec<String>,
    /// Whether it lives only in the session.
    pub(super) temp: bool,
    /// Whether the rows make it anew.
    pub(super) makes: bool,
    /// Whether columns are matched by name.
    pub(super) by_name: bool,
}

/// A statement of a known shape, and what was caught of it.
pub(super) struct Doing<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: &'a [Token],
    pub(super) dialect: Dialect,
    pub(super) shaped: &'a Shaped,
}

impl Doing<'_> {
    /// Writes into `stmt` what the statement does; `None` where it is not of this shape after all.
    pub(super) fn run(&self, stmt: &mut Stmt) -> Option<Rest> {
        let mut rest = Rest::Nothing;
        for doing in &self.shaped.shape.doings {
            match doing.as_slice() {
                ["kind", kind] => stmt.kind = kind,
                ["move", from, to] => stmt.moved(self.name(from)?, self.name(to)?),
                ["swap", one, other] => stmt.swap(self.name(one)?, self.name(other)?),
                ["rename", from, to] => stmt.rename(self.name(from)?, self.name(to)?),
                ["schema", from, schema] => stmt.change_schema(self.name(from)?, &self.name(schema)?),
                ["copy", from, to] => stmt.fills.push(Fill::whole(self.name(to)?, self.name(from)?)),
                ["read", table] => stmt.touches.push((self.name(table)?, Access::Read)),
                ["rows", key] => rest = Rest::Within(self.range(key)?, None),
                ["fillby", table, key, columns @ ..] => {
                    rest = Rest::Within(self.range(key)?, Some(Box::new(self.target(stmt, table, columns.first())?)));
                }
                ["fillrun", table, key, columns @ ..] => {
                    rest = Rest::Said(self.range(key)?, Box::new(self.target(stmt, table, columns.first())?));
                }
                ["pass", from, to @ ..] => self.pass(stmt, from, to.first())?,
                ["test", key] => stmt.touches.extend(scan(self.text, self.group(key)?, true, false).touches),
                ["within"] => stmt.touches.extend(scan(self.text, self.tokens, true, false).touches),
                ["define", table] => stmt.touches.push((self.name(table)?, Access::Define)),
                ["columns", table, columns] => sources::declared(self, stmt, table, columns)?,
                ["write", table] => stmt.touches.push((self.name(table)?, Access::Write)),
                ["from", files] => self.files(stmt, files, Access::Read),
                ["program", command, words @ ..] => self.program(stmt, command, words)?,
                ["into", files] => self.files(stmt, files, Access::Write),
                ["do"] => rest = Rest::Statement,
                ["out"] => rest = Rest::Out,
                ["fill", table, columns @ ..] => {
                    rest = Rest::Fill(Box::new(self.target(stmt, table, columns.first())?));
                }
                ["fillname", table] => {
                    let target = Target { by_name: true, ..self.target(stmt, table, None)? };
                    rest = Rest::Fill(Box::new(target));
                }
                ["told", words @ ..] => stmt.unnamed.push((words.join(" "), stmt.at.clone())),
                ["external", table] => sources::external(self, stmt, table)?,
                ["foreign", table, columns, server, options] => {
                    sources::foreign(self, stmt, table, columns, server, options)?;
                }
                ["import", schema, list, server, into] => {
                    sources::import(self, stmt, schema, list, server, into)?;
                }
                ["using", table, columns, format, options] => {
                    sources::using(self, stmt, table, columns, format, options)?;
                }
                ["engine", table, columns, given] => sources::engine(self, stmt, table, columns, given)?,
                ["nodes", table, columns, given] => clickhouse_engines::nodes(self, stmt, table, columns, given)?,
                ["files", table, columns, given] => clickhouse_engines::files(self, stmt, table, columns, given)?,
                ["topic", table, columns] => clickhouse_engines::topic(self, stmt, table, columns)?,
                ["dictionary", table, columns, given] => {
                    clickhouse_engines::dictionary(self, stmt, table, columns, given)?;
                }
                ["federated", table, columns, place] => sources::federated(self, stmt, table, columns, place)?,
                ["like", table, model] => {
                    super::lower_create::like(stmt, self.name(table)?, self.name(model)?, false);
                }
                ["system", alias, database] => {
                    let alias = self.name(alias)?.parts.pop()?;
                    stmt.effects.push(Effect::System(alias, self.string(database)?.to_lowercase()));
                }
                ["attach", place, name, options] => self.attach(stmt, place, name, options)?,
                _ => return None,
            }
        }
        Some(rest)
    }

    /// A program whose rows come in: the file it unpacks, else the words that tell it.
    fn program(&self, stmt: &mut Stmt, key: &str, words: &[&str]) -> Option<()> {
        let command = self.string(key)?;
        match packed_file(&command).and_then(file_of) {
            Some(file) => stmt.files.push((file, Access::Read, stmt.at.clone())),
            None => stmt.unnamed.push((words.join(" "), stmt.at.clone())),
        }
        Some(())
    }

    /// The name caught as `key`; a string may hold one.
    pub(super) fn name(&self, key: &str) -> Option<Name> {
        match self.shaped.caught.get(key)? {
            Caught::Name(name) => Some(name.clone()),
            Caught::Text(at) => {
                let parts: Vec<String> = crate::lineage::rename::split_name(&self.string_at(*at))
                    .into_iter()
                    .map(|part| unquoted(self.string_at(*at)[part].trim()).to_lowercase())
                    .collect();
                let at = self.tokens[*at].at.clone();
                parts.iter().all(|part| !part.is_empty()).then_some(Name { parts, at, exact: false })
            }
            Caught::Group(range) => name_at(self.text, self.tokens, range.start).map(|(name, _)| name),
        }
    }

    /// The numbers of the tokens caught as `key`.
    fn range(&self, key: &str) -> Option<Range<usize>> {
        match self.shaped.caught.get(key)? {
            Caught::Group(range) => Some(range.clone()),
            _ => None,
        }
    }

    /// Rows of one table that go on, changed in ways that nobody can follow here.
    fn pass(&self, stmt: &mut Stmt, from: &str, to: Option<&&str>) -> Option<()> {
        let from = vec![alone(Source::Table(self.name(from)?))];
        let target = to.map(|to| self.name(to)).unwrap_or_default();
        let temp = target.as_ref().is_some_and(|name| self.is_temp(&name.at));
        // Any column that comes out may be made of any that goes in.
        let items = vec![Item::One(Ex::All(Vec::new(), 0..0), Some("*".to_owned()))];
        let query = plain(Body::Select(Box::new(Select { items, from, ..Select::default() })));
        stmt.fills.push(Fill { temp, ..Fill::of(target, query) });
        Some(())
    }

    /// The string caught as `key`.
    pub(super) fn string(&self, key: &str) -> Option<String> {
        match self.shaped.caught.get(key)? {
            Caught::Text(at) => Some(self.string_at(*at)),
            _ => None,
        }
    }

    fn string_at(&self, at: usize) -> String {
        string_of(self.tokens[at].of(self.text))
    }

    /// The tokens caught as `key`.
    pub(super) fn group(&self, key: &str) -> Option<&[Token]> {
        match self.shaped.caught.get(key)? {
            Caught::Group(range) => self.tokens.get(range.clone()),
            _ => None,
        }
    }

    /// The names in the list caught as `key`.
    pub(super) fn names(&self, key: &str) -> Vec<Name> {
        let Some(Caught::Group(range)) = self.shaped.caught.get(key) else { return Vec::new() };
        let mut names = Vec::new();
        let mut at = range.start;
        while at < range.end {
            match name_at(self.text, self.tokens, at) {
                Some((name, next)) => {
                    names.push(name);
                    at = next;
                }
                None => at += 1,
            }
        }
        names
    }

    /// The columns listed in the group caught as `key`: each item's first name, whatever its type.
    fn listed(&self, key: &str) -> Vec<String> {
        const CONSTRAINTS: [&str; 7] = ["constraint", "primary", "unique", "foreign", "check", "index", "key"];
        let Some(tokens) = self.group(key) else { return Vec::new() };
        let named =
            items(tokens).filter(|item| !item.iter().take(1).any(|t| CONSTRAINTS.iter().any(|w| t.is(self.text, w))));
        named.filter_map(|item| name_at(self.text, item, 0)?.0.parts.pop()).collect()
    }

    fn target(&self, stmt: &Stmt, table: &str, columns: Option<&&str>) -> Option<Target> {
        let name = self.name(table)?;
        let columns = columns.map(|key| self.listed(key)).unwrap_or_default();
        let makes = stmt.kind.starts_with("create");
        let temp = makes && self.is_temp(&name.at);
        Some(Target { name, columns, temp, makes, by_name: false })
    }

    /// Whether a word before the name says that it lives only in the session.
    pub(super) fn is_temp(&self, name: &Range<usize>) -> bool {
        let before = self.tokens.iter().take_while(|token| token.at.start < name.start);
        before.into_iter().any(|token| ["temp", "temporary", "volatile"].iter().any(|word| token.is(self.text, word)))
    }

    fn files(&self, stmt: &mut Stmt, key: &str, access: Access) {
        let paths = match self.shaped.caught.get(key) {
            Some(Caught::Text(at)) => vec![(self.string_at(*at), self.tokens[*at].at.clone())],
            Some(Caught::Group(_)) => {
                self.options(key).into_iter().filter(|one| is_place(&one.key)).flat_map(paths).collect()
            }
            _ => Vec::new(),
        };
        if paths.is_empty() {
            stmt.unnamed.push(("no files are named".to_owned(), stmt.at.clone()));
        }
        stmt.files.extend(paths.into_iter().filter_map(|(path, at)| Some((file_of(&path)?, access, at))));
    }

    /// `key value, key = [values]` in the group caught as `key`.
    pub(super) fn options(&self, key: &str) -> Vec<Given> {
        let Some(tokens) = self.group(key) else { return Vec::new() };
        items(tokens).filter_map(|item| self.option(item)).collect()
    }

    fn option(&self, item: &[Token]) -> Option<Given> {
        let is_word = |token: &&Token| matches!(token.kind, Kind::Word | Kind::Quoted | Kind::Text);
        let first = item.first().filter(is_word)?;
        // A dotted key counts by its last part.
        let dots = item[1..].chunks(2).take_while(|pair| pair[0].is_sign('.')).count();
        let last = &item[(dots * 2).min(item.len() - 1)];
        let key = string_of(&unquoted(if dots == 0 { first } else { last }.of(self.text))).to_lowercase();
        let key = key.rsplit('.').next().unwrap_or_default().to_owned();
        let values = item[dots * 2 + 1..].iter().filter(is_word);
        let values = values.map(|t| (string_of(&unquoted(t.of(self.text))), t.at.clone())).collect();
        Some(Given { key, values })
    }

    /// DuckDB's ATTACH: names that begin with the alias are tables of the database behind it.
    fn attach(&self, stmt: &mut Stmt, place: &str, name: &str, options: &str) -> Option<()> {
        stmt.kind = "attach";
        let alias = self.name(name)?.parts.pop()?;
        let place = self.string(place)?;
        let given = self.options(options);
        let kind = given.iter().find(|one| one.key == "type").and_then(|one| one.values.first());
        // The kind may stand before the place: `postgres:dbname=crm`.
        let (before, rest) = place.split_once(':').unwrap_or(("", &place));
        let is_told = ["postgres", "mysql", "sqlite"].iter().any(|kind| before.eq_ignore_ascii_case(kind));
        let place = if is_told && !rest.starts_with("//") { rest } else { &place };
        if is_told || kind.is_some_and(|(kind, _)| !kind.eq_ignore_ascii_case("duckdb")) {
            let system = super::remote::system_of(place).unwrap_or_else(|| alias.clone());
            stmt.effects.push(Effect::System(alias, system));
        }
        Some(())
    }
}

/// One option: its key in lower case and its values.
#[derive(Clone, Debug)]
pub(super) struct Given {
    /// The key.
    pub(super) key: String,
    /// Strings and words behind it, each with its place.
    pub(super) values: Vec<(String, Range<usize>)>,
}

/// The parts between commas outside parentheses and brackets.
pub(super) fn items(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    let mut depth = 0;
    tokens.split(move |token| {
        depth += i32::from(matches!(token.kind, Kind::Sign('(' | '[')));
        depth -= i32::from(matches!(token.kind, Kind::Sign(')' | ']')));
        depth == 0 && token.is_sign(',')
    })
}

fn paths(one: Given) -> Vec<(String, Range<usize>)> {
    one.values
}

/// Whether an option's key says where files lie.
pub(super) fn is_place(key: &str) -> bool {
    matches!(key, "uri" | "uris" | "path" | "location" | "external_location" | "url" | "filename" | "bulk")
}
