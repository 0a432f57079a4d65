//! The programs on a command line that do something with data, and what their arguments say.
mod bq;
mod dump;
mod el_tools;
mod options;
mod sql_client;
mod sqoop;
mod table;

pub(super) use el_tools::Tap;

use super::run::{Arg, Input, Shared, Shell};
use crate::estate::{data_calls, script_py};

/// Programs that run the command behind them.
const WRAPPERS: &[&str] = &[
    "sudo",
    "time",
    "nohup",
    "nice",
    "ionice",
    "exec",
    "env",
    "timeout",
    "flock",
    "xargs",
    "command",
    "stdbuf",
    "chronic",
    "setsid",
    "then",
    "else",
    "do",
    "docker",
    "docker-compose",
    "podman",
    "kubectl",
    "ssh",
    "winpty",
    "unbuffer",
    "cronic",
    "eval",
    "poetry",
    "uv",
    "pipenv",
    "gosu",
    "su-exec",
    "retry",
    "find",
];
const SHELLS: &[&str] = &["bash", "sh", "zsh", "ksh", "dash", "ash"];

/// Words that show that a text may run SQL: a cheap look before it is read.
pub(crate) fn mentions_client(text: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    text.split(|c: char| !is_word(c)).any(is_program)
}

/// `text` from each word on that is a client's name.
pub(crate) fn from_clients(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let starts = text.char_indices().filter(move |(at, c)| is_part(*c) && !text[..*at].ends_with(is_part));
    starts
        .map(|(at, _)| &text[at..])
        .filter(move |rest| table::client(rest.split(|c: char| !is_part(c)).next().unwrap_or_default()).is_some())
}

/// `args` without what only runs the rest: `sudo -u etl psql …` is `psql …`.
pub(super) fn unwrapped(mut args: Vec<Arg>) -> Vec<Arg> {
    while let Some(first) = args.first() {
        let name = first.text.rsplit('/').next().unwrap_or_default();
        if !WRAPPERS.contains(&name) {
            break;
        }
        let runs = |arg: &Arg| {
            let name = arg.text.rsplit('/').next().unwrap_or_default();
            is_program(name) || arg.text.ends_with(".sh")
        };
        // What stands between are the wrapper's own options, an image or a host.
        match args.iter().skip(1).position(runs) {
            Some(at) => drop(args.drain(..=at)),
            None => {
                // `ssh host 'psql …'` and `eval "psql …"`: the command is one word.
                match args.iter().skip(1).find(|arg| arg.text.contains(' ') && mentions_client(&arg.text)).cloned() {
                    Some(text) => {
                        let shell = Arg { text: "sh".to_owned(), ..text.clone() };
                        let flag = Arg { text: "-c".to_owned(), ..text.clone() };
                        args = vec![shell, flag, text];
                    }
                    None => return Vec::new(),
                }
            }
        }
    }
    args
}

fn is_program(name: &str) -> bool {
    let others = [
        "bq",
        "dbt",
        "snow",
        "aws",
        "sqoop",
        "sling",
        "meltano",
        "make",
        "python",
        "python3",
        "spark-submit",
        "gcloud",
        "gsutil",
        "bcp",
        "mysqldump",
        "pg_dump",
    ];
    table::client(name).is_some()
        || others.contains(&name)
        || SHELLS.contains(&name)
        || (name.starts_with("tap-") && name.len() > 4)
        || (name.starts_with("target-") && name.len() > 7)
}

/// Runs program `name` with `args` (its own name first) and `input`.
pub(super) fn run(
    name: &str,
    args: &[Arg],
    input: Option<&Input>,
    shell: &mut Shell,
    shared: &mut Shared<'_>,
    depth: usize,
) {
    let rest = args.get(1..).unwrap_or_default();
    match name {
        "bq" => bq::run(rest, input, shell, shared),
        "snow" if rest.first().is_some_and(|arg| arg.text == "sql") => {
            named_client("snowsql", &rest[1..], input, shell, shared)
        }
        "clickhouse" => named_client("clickhouse-client", rest, input, shell, shared),
        "dbt" | "dbtf" => dbt(rest, shell, shared),
        "python" | "python3" | "python2" | "ipython" => python(rest, shell, shared),
        "spark-submit" | "spark3-submit" => submitted(rest, shell, shared),
        "gcloud" if rest.iter().any(|arg| arg.text == "pyspark") => submitted(rest, shell, shared),
        "mysqldump" | "pg_dump" => shell.tap = dump::dump(name, rest),
        "bcp" => dump::bcp(rest, shell, shared),
        "gsutil" => dump::objects(rest, shell, shared),
        "aws" if rest.first().is_some_and(|arg| arg.text == "s3") => dump::objects(rest, shell, shared),
        "aws" => aws(rest, shell, shared),
        "source" | "." => {
            if let Some(path) = rest.first() {
                shell.script(path, &rest[1..], true, shared, depth);
            }
        }
        "make" => make(rest, shell, shared),
        "sqoop" | "sqoop-import" => sqoop::run(rest, shell, shared),
        "sling" => el_tools::sling(rest, shell, shared),
        "meltano" => el_tools::meltano(rest, shared),
        _ if name.starts_with("tap-") => shell.tap = el_tools::tap(name, args, shell, shared),
        _ if name.starts_with("target-") => el_tools::target(shell.tap.take(), args, shell, shared),
        _ if SHELLS.contains(&name) => nested_shell(rest, shell, shared, depth),
        _ if args[0].text.ends_with(".sh") || args[0].text.ends_with(".bash") => {
            shell.script(&args[0], rest, false, shared, depth);
        }
        _ => named_client(name, rest, input, shell, shared),
    }
}

fn named_client(name: &str, args: &[Arg], input: Option<&Input>, shell: &mut Shell, shared: &mut Shared<'_>) {
    if let Some(client) = table::client(name) {
        sql_client::run(client, args, input, shell, shared);
    }
}

fn nested_shell(args: &[Arg], shell: &mut Shell, shared: &mut Shared<'_>, depth: usize) {
    let is_command = |arg: &Arg| arg.text.starts_with('-') && !arg.text.starts_with("--") && arg.text.ends_with('c');
    if let Some(at) = args.iter().position(is_command) {
        if let Some(text) = args.get(at + 1) {
            shell.nested_text(text, shared, depth);
        }
        return;
    }
    if let Some(at) = args.iter().position(|arg| !arg.text.starts_with('-')) {
        shell.script(&args[at], &args[at + 1..], false, shared, depth);
    }
}

/// `aws athena start-query-execution --query-string …`, `aws redshift-data execute-statement --sql …`.
fn aws(args: &[Arg], shell: &mut Shell, shared: &mut Shared<'_>) {
    let words: Vec<&str> = args.iter().map(|arg| arg.text.as_str()).collect();
    let name = match (words.contains(&"athena"), words.contains(&"redshift-data")) {
        (true, _) => "aws-athena",
        (_, true) => "aws-redshift-data",
        _ => return,
    };
    named_client(name, args, None, shell, shared);
}

/// `make target`: the target's job runs when this does.
fn make(args: &[Arg], shell: &Shell, shared: &mut Shared<'_>) {
    let options = options::Options::of(args, |option| matches!(option, "-C" | "-f" | "--directory" | "--file" | "-j"));
    let inside =
        options.last(&["-C", "--directory"]).and_then(|arg| crate::estate::paths::beside(&shell.folder, &arg.text));
    let folder = inside.unwrap_or_else(|| shell.folder.clone());
    let name = options.last(&["-f", "--file"]).map_or("Makefile", |arg| arg.text.as_str());
    let path = folder.join(name);
    let targets = options.rest.iter().filter(|arg| !arg.text.contains('='));
    shared.ran.runs.extend(targets.map(|arg| crate::vocab::JobId::new(format!("{path}:{}", arg.text))));
}

/// `python script.py` and `python -m package.module`.
fn python(args: &[Arg], shell: &mut Shell, shared: &mut Shared<'_>) {
    let module = args.iter().position(|arg| arg.text == "-m").and_then(|at| args.get(at + 1));
    let script = match module {
        Some(module) => Some(Arg { text: format!("{}.py", module.text.replace('.', "/")), ..module.clone() }),
        None => args.iter().find(|arg| arg.text.ends_with(".py")).cloned(),
    };
    let Some(script) = script else { return };
    if let crate::estate::reader::Sought::File(file) = shell.seek(&script, shared)
        && data_calls::may_hold_sql(&file.text)
    {
        let found = script_py::read(&file, None, &script.at, shared.around);
        shared.ran.add(found);
    }
}

/// `spark-submit job.py` and its like: the script, wherever it was uploaded.
fn submitted(args: &[Arg], shell: &Shell, shared: &mut Shared<'_>) {
    let options = options::Options::of(args, |option| {
        option.starts_with("--") && option != "--verbose" && option != "--supervise"
    });
    let Some(script) = options.rest.iter().find(|arg| arg.text.ends_with(".py")) else { return };
    let place = Arg { text: script_py::path_within(&script.text).to_owned(), ..script.clone() };
    if let crate::estate::reader::Sought::File(file) = shell.seek(&place, shared) {
        let found = script_py::read(&file, None, &script.at, shared.around);
        shared.ran.add(found);
    }
}

/// `dbt run` and its like: the models it runs have this schedule.
fn dbt(args: &[Arg], shell: &mut Shell, shared: &mut Shared<'_>) {
    let runs = args.iter().any(|arg| matches!(arg.text.as_str(), "run" | "build" | "snapshot" | "seed"));
    if !runs {
        return;
    }
    let at = args.iter().position(|arg| arg.text == "--project-dir");
    let folder = at.and_then(|at| args.get(at + 1)).map_or(shell.folder.clone(), |arg| {
        crate::estate::paths::beside(&shell.folder, &arg.text).unwrap_or_else(|| arg.text.as_str().into())
    });
    shared.ran.pieces += 1;
    shared.ran.dbt_runs.push(crate::estate::reader::DbtRun { folder: Some(folder), schedule: None });
}
