//! A client that is handed SQL: by file, by option, by argument or on its input.
use std::collections::BTreeMap;

use super::{
    super::{
        include::named,
        run::{Arg, Input, Shared, Shell, is_sql_path},
    },
    options::Options,
    table::Client,
};
use crate::{
    diagnostics::CodeEntry,
    estate::{given_sql::How, reader::Sought},
};

pub(super) fn run(client: &Client, args: &[Arg], input: Option<&Input>, shell: &mut Shell, shared: &mut Shared<'_>) {
    let options = Options::of(args, |option| client.takes_value(option));
    let first = options.rest.first().and_then(|first| client.schema_argument(&first.text));
    let schema = options.last(client.schema).map(|arg| arg.text.clone()).or_else(|| said(client, &options, shell));
    let schema = schema.filter(|name| !name.is_empty() && !name.contains(['$', '{']));
    let how = How {
        dialect: client.dialect.map(str::to_owned),
        schema: schema.or(first),
        params: params(client, &options),
        ..How::default()
    };
    let mut asked = false;
    let mut understood = true;
    for (name, value) in &options.given {
        if client.files.contains(&name.as_str()) && value.text != "-" && value.text != "/dev/stdin" {
            // sqlcmd takes several, with commas between.
            for one in value.text.split(',').filter(|one| !one.is_empty()) {
                asked = true;
                understood &= shell.sql_file(&Arg { text: one.to_owned(), ..value.clone() }, &how, shared);
            }
        } else if client.texts.contains(&name.as_str()) {
            asked = true;
            understood &= text(value, &how, shell, shared);
        }
    }
    if let Some(argument) = client.sql_at.and_then(|at| options.rest.get(at)) {
        asked = true;
        understood &= text(argument, &how, shell, shared);
    }
    for script in options.rest.iter().filter(|arg| arg.text.starts_with('@') && client.dialect == Some("oracle")) {
        asked = true;
        let path = script.text.trim_start_matches('@');
        let path = if path.rsplit('/').next().is_some_and(|name| name.contains('.')) {
            path.to_owned()
        } else {
            format!("{path}.sql")
        };
        understood &= shell.sql_file(&Arg { text: path, ..script.clone() }, &how, shared);
    }
    match input.filter(|_| client.reads_input) {
        Some(Input::Text(arg)) => {
            asked = true;
            understood &= text(arg, &how, shell, shared);
        }
        Some(Input::File(arg)) => {
            asked = true;
            understood &= shell.sql_file(arg, &how, shared);
        }
        None => {}
    }
    if asked {
        shared.ran.pieces += 1;
        shared.ran.opaque += u64::from(!understood);
    }
}

/// The schema that an address, a context or the environment says rather than an option of its own.
fn said(client: &Client, options: &Options, shell: &Shell) -> Option<String> {
    let name = match (client.names.first(), client.dialect) {
        // `jdbc:hive2://host:10000/name;principal=…`
        (_, Some("hive")) => {
            let address = &options.last(&["-u"])?.text;
            address.split_once("://")?.1.split_once('/')?.1.split([';', '?', '#']).next()
        }
        // `Database=name,Catalog=…`, or the same as JSON.
        (Some(&"aws-athena"), _) => {
            let context = &options.last(&["--query-execution-context"])?.text;
            let behind = context.split_once("Database")?.1;
            behind.split(|c: char| !(c.is_alphanumeric() || "_-$".contains(c))).find(|word| !word.is_empty())
        }
        (_, Some("postgres")) => {
            let behind = shell.vars.get("PGOPTIONS")?.split_once("search_path")?.1;
            behind.trim_start_matches([' ', '=']).split([',', ' ']).next()
        }
        _ => None,
    };
    name.map(|name| name.trim_matches(['"', '\'']).to_owned())
}

/// SQL, or a client's own command that names a file of it.
fn text(arg: &Arg, how: &How, shell: &mut Shell, shared: &mut Shared<'_>) -> bool {
    let trimmed = arg.text.trim();
    let file =
        ["\\i ", "\\ir ", ".read ", "source ", "\\. ", "!source "].iter().find_map(|mark| trimmed.strip_prefix(mark));
    let file = file.or_else(|| trimmed.strip_prefix("file://"));
    match file.filter(|file| !file.trim().contains('\n')) {
        Some(file) => {
            let path = file.trim().trim_end_matches(';').trim_matches(['\'', '"']).to_owned();
            shell.sql_file(&Arg { text: path, verbatim: None, ..arg.clone() }, how, shared)
        }
        None if trimmed.contains('\n') => lines(arg, how, shell, shared),
        // `\copy`, `\d`, `.import` and their like run no SQL that could be read here, but `\copy` does.
        None if trimmed.starts_with('.') || (trimmed.starts_with('\\') && !is_copy(trimmed)) => true,
        None => shell.sql_text(arg, how, shared),
    }
}

/// Lines of SQL and of the client's own commands: the files they include run as well, then the text itself.
fn lines(arg: &Arg, how: &How, shell: &mut Shell, shared: &mut Shared<'_>) -> bool {
    let mut understood = true;
    for (_, _, path) in named(&arg.text) {
        let file = Arg { text: path.to_owned(), verbatim: None, file: None, ..arg.clone() };
        // Where it is no file of the estate, the word may have been something else.
        if matches!(shell.seek(&file, shared), Sought::File(_)) || is_sql_path(path) {
            understood &= shell.sql_file(&file, how, shared);
        }
    }
    let is_command = |line: &str| {
        let line = line.trim_start();
        line.is_empty() || line.starts_with('.') || (line.starts_with('\\') && !is_copy(line))
    };
    match arg.file.is_none() && arg.text.lines().all(is_command) {
        true => understood,
        false => shell.sql_text(arg, how, shared) && understood,
    }
}

/// psql takes `\COPY` for `\copy`.
fn is_copy(text: &str) -> bool {
    text.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("\\copy"))
}

/// `-v name=value` and its like.
fn params(client: &Client, options: &Options) -> BTreeMap<String, String> {
    let mut params = BTreeMap::new();
    let pairs = options.all(client.params).flat_map(|value| value.text.split_once('='));
    params.extend(pairs.map(|(name, value)| (name.trim().to_owned(), unquoted(value).to_owned())));
    for (name, value) in &options.given {
        if let Some(name) = name.strip_prefix("--param_") {
            params.insert(name.to_owned(), value.text.clone());
        }
    }
    // sqlcmd: `-v a=1 b=2`.
    if client.dialect == Some("tsql") {
        let more = options.rest.iter().filter_map(|arg| arg.text.split_once('='));
        params.extend(more.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    params
}

/// `value` without the one pair of quotes around it: those of `"a", "b"` belong to two names.
fn unquoted(value: &str) -> &str {
    let within = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote));
    within('\'').or_else(|| within('"')).unwrap_or(value)
}

/// The fault of a piece that cannot be told before it runs.
pub(super) fn opaque(arg: &Arg, what: &str, shell: &Shell, shared: &mut Shared<'_>) {
    shared.ran.opaque += 1;
    shell.fault(CodeEntry::E027, arg, what.to_owned(), shared);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_loses_the_quotes_that_are_around_all_of_it() {
        assert_eq!(unquoted("'2024-01-01'"), "2024-01-01");
        assert_eq!(unquoted("\"a\""), "a");
        assert_eq!(unquoted("\"a\", \"b\""), "\"a\", \"b\"");
        assert_eq!(unquoted("\""), "\"");
    }
}
