//! `sqoop import`, `sqoop export` and saved jobs of them.
use super::{
    super::run::{Arg, Shared, Shell},
    options::Options,
};
use crate::{
    estate::{
        el::{copies, jdbc_system, opaque},
        names::{dataset_named, tables_in},
    },
    vocab::DatasetId,
};

/// Options without a value; every other one has one.
const FLAGS: &[&str] = &[
    "--hive-import",
    "--hive-overwrite",
    "--create-hive-table",
    "--append",
    "--as-parquetfile",
    "--as-avrodatafile",
    "--as-textfile",
    "--as-sequencefile",
    "--delete-target-dir",
    "--direct",
    "--compress",
    "-z",
    "--verbose",
    "--batch",
    "--create-hcatalog-table",
    "--hive-drop-import-delims",
    "--autoreset-to-one-mapper",
    "--validate",
    "-P",
    "--relaxed-isolation",
];

pub(super) fn run(args: &[Arg], shell: &Shell, shared: &mut Shared<'_>) {
    // `sqoop job --create name -- import …`.
    let begins = args.iter().position(|arg| matches!(arg.text.as_str(), "import" | "export" | "import-all-tables"));
    let Some(at) = begins else { return };
    let options = Options::of(&args[at + 1..], |option| option.starts_with('-') && !FLAGS.contains(&option));
    let value = |names: &[&str]| options.last(names).map(|arg| arg.text.clone());
    let system = jdbc_system(&value(&["--connect"]).unwrap_or_default());
    let place = args[at].at.clone();
    shared.ran.pieces += 1;
    let known = shell.known(args, shared);
    let tables = match (value(&["--table"]), value(&["--query", "-e"])) {
        (Some(table), _) => vec![table],
        (None, Some(query)) => tables_in(&query),
        (None, None) => Vec::new(),
    };
    let mut found = std::mem::take(&mut shared.ran);
    match args[at].text.as_str() {
        "export" => {
            let files = value(&["--export-dir"]).and_then(|path| dataset_named(&address(&path), &known));
            let hive = hive_table(&value, None).and_then(|table| dataset_named(&table, &known));
            found.unloads = true;
            let into = tables.first().map(|table| DatasetId::in_system(&system, table));
            match (hive.or(files), into) {
                (Some(from), Some(into)) => found.moves((from, place.clone()), (into, place.clone())),
                (from, into) => {
                    found.reads.extend(from.map(|from| (from, place.clone())));
                    found.writes.extend(into.map(|into| (into, place.clone())));
                }
            }
            crate::estate::el::declares(&mut found, &system, None, &place);
        }
        "import" if !tables.is_empty() => {
            let is_hive =
                options.given.iter().any(|(name, _)| name == "--hive-import" || name.starts_with("--hcatalog"));
            let table = hive_table(&value, tables.first().map(String::as_str).filter(|_| is_hive));
            let folder =
                value(&["--target-dir"]).or(value(&["--warehouse-dir"]).map(|dir| format!("{dir}/{}", tables[0])));
            let into = table
                .and_then(|table| dataset_named(&table, &known))
                .or_else(|| dataset_named(&address(&folder?), &known));
            match into {
                Some(into) => {
                    for table in &tables {
                        copies(&mut found, &system, table, into.clone(), value(&["--check-column"]), &place);
                    }
                }
                None => opaque_more(&mut found, &place, "where this import goes"),
            }
        }
        _ => opaque_more(&mut found, &place, "which tables this import copies: the source knows"),
    }
    shared.ran = found;
}

fn opaque_more(found: &mut crate::estate::found::Found, at: &crate::vocab::Span, here: &str) {
    let before = found.opaque;
    opaque(found, at.clone(), here.to_owned());
    found.opaque = before + 1;
}

/// The table of Hive that is filled; `default` is its name where only the import is asked for.
fn hive_table(value: &impl Fn(&[&str]) -> Option<String>, default: Option<&str>) -> Option<String> {
    let table = value(&["--hive-table", "--hcatalog-table"])
        .or(default.map(|name| name.rsplit('.').next().unwrap_or(name).to_owned()))?;
    Some(match value(&["--hive-database", "--hcatalog-database"]) {
        Some(database) => format!("{database}.{table}"),
        None => table,
    })
}

/// A path of the cluster as an address.
fn address(path: &str) -> String {
    if path.contains("://") { path.to_owned() } else { format!("hdfs://{path}") }
}
