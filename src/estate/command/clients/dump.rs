//! Copies between databases and stores on a command line: dumps into a client, `bcp`, and copies of objects.
use super::{
    super::run::{Arg, Shared, Shell},
    el_tools::Tap,
    options::Options,
};
use crate::{
    estate::{
        el::{copies, declares, opaque, system_name},
        names::dataset_named,
    },
    vocab::DatasetId,
};

/// Options of `mysqldump` and `pg_dump` that have a value behind them.
const VALUES: &[&str] = &[
    "-h",
    "--host",
    "-u",
    "--user",
    "-U",
    "--username",
    "-P",
    "--port",
    "-S",
    "--socket",
    "-w",
    "--where",
    "-r",
    "-t",
    "--table",
    "-n",
    "--schema",
    "-d",
    "--dbname",
    "-f",
    "--file",
    "-F",
    "--format",
    "-T",
    "--exclude-table",
    "-j",
];

/// `mysqldump database table …` and `pg_dump -t table database`: what it hands to the client behind it.
pub(super) fn dump(name: &str, args: &[Arg]) -> Option<Tap> {
    let is_postgres = name == "pg_dump";
    // `-p` is PostgreSQL's port and MySQL's password; `-t` and `-d` have no value with MySQL.
    let with_value = |option: &str| match option {
        "-p" => is_postgres,
        "-t" | "-d" | "-n" | "-f" | "-T" => is_postgres,
        "-w" => !is_postgres,
        other => VALUES.contains(&other),
    };
    let options = Options::of(args, with_value);
    let (database, tables): (&Arg, Vec<String>) = if is_postgres {
        let named = options.all(&["-t", "--table"]).map(|arg| arg.text.clone()).collect();
        (options.last(&["-d", "--dbname"]).or(options.rest.first())?, named)
    } else {
        let (database, tables) = options.rest.split_first()?;
        let several = options.given.iter().any(|(name, _)| matches!(name.as_str(), "--databases" | "-B"));
        (database, if several { Vec::new() } else { tables.iter().map(|arg| arg.text.clone()).collect() })
    };
    let known = tables.iter().all(|table| !table.contains(['$', '{', '*', '?']));
    let streams = (known && !tables.is_empty()).then(|| tables.into_iter().map(|table| (table, None)).collect());
    let system = database.text.rsplit('/').next().unwrap_or_default();
    Some(Tap::new(system_name(system), streams, args.first()?.at.clone()))
}

/// A client that takes a dump: its tables become tables of `schema`, or of the schemas they had.
pub(super) fn restore(tap: Tap, schema: Option<&str>, shared: &mut Shared<'_>) {
    let (system, streams, at) = tap.into_parts();
    shared.ran.pieces += 1;
    let mut found = std::mem::take(&mut shared.ran);
    declares(&mut found, &system, None, &at);
    match streams {
        Some(streams) => {
            for (table, _) in streams {
                let written = schema.map_or(table.clone(), |schema| format!("{schema}.{table}"));
                if let Some(into) = dataset_named(&written, shared.around.vars) {
                    copies(&mut found, &system, &table, into, None, &at);
                }
            }
        }
        None => {
            let before = found.opaque;
            opaque(&mut found, at, format!("which tables of `{system}` are copied: the dump names none"));
            found.opaque = before + 1;
        }
    }
    shared.ran = found;
}

/// `bcp table out file`, `bcp table in file`.
pub(super) fn bcp(args: &[Arg], shell: &Shell, shared: &mut Shared<'_>) {
    let [table, way, file, ..] = args else { return };
    let loads = way.text == "in";
    if !loads && way.text != "out" {
        return;
    }
    shared.ran.pieces += 1;
    let known = shell.known(args, shared);
    let name = file.text.rsplit(['/', '\\']).next().unwrap_or_default();
    let files = (!name.contains("${")).then(|| format!("file:{name}").parse::<DatasetId>().ok()).flatten();
    match (dataset_named(&table.text, &known), files) {
        (Some(table_id), Some(files)) => {
            shared.ran.loads |= loads;
            shared.ran.unloads |= !loads;
            let (table, file) = ((table_id, table.at.clone()), (files, file.at.clone()));
            let (from, into) = if loads { (file, table) } else { (table, file) };
            shared.ran.moves(from, into);
        }
        _ => super::sql_client::opaque(table, "which table or file this copies", shell, shared),
    }
}

/// `aws s3 cp from into`, `gsutil cp from into`: between stores; a file of the machine is nobody's data yet.
pub(super) fn objects(args: &[Arg], shell: &Shell, shared: &mut Shared<'_>) {
    let Some(at) = args.iter().position(|arg| matches!(arg.text.as_str(), "cp" | "mv" | "sync" | "rsync")) else {
        return;
    };
    let known = shell.known(args, shared);
    let mut remote = args[at + 1..].iter().filter(|arg| !arg.text.starts_with('-'));
    let (Some(from), Some(into)) = (remote.next(), remote.next()) else { return };
    if !(from.text.contains("://") && into.text.contains("://")) {
        return;
    }
    if let (Some(read), Some(written)) = (dataset_named(&from.text, &known), dataset_named(&into.text, &known)) {
        shared.ran.pieces += 1;
        shared.ran.moves((read, from.at.clone()), (written, into.at.clone()));
    }
}
