//! `bq`: queries with a destination, loads, extracts, copies and views.
use super::{
    super::run::{Arg, Input, Shared, Shell},
    options::Options,
    sql_client::opaque,
};
use crate::{
    estate::{given_sql::How, names::dataset_named},
    vocab::DatasetId,
};

const COMMANDS: &[&str] = &["query", "load", "extract", "cp", "mk", "update"];
const VALUES: &[&str] = &[
    "--destination_table",
    "--project_id",
    "--location",
    "--dataset_id",
    "--source_format",
    "--schema",
    "-n",
    "--max_rows",
    "--field_delimiter",
    "-F",
    "--skip_leading_rows",
    "--view",
    "--materialized_view",
    "--write_disposition",
    "--view_udf_resource",
    "--time_partitioning_field",
    "--time_partitioning_type",
    "--parameter",
    "--display_name",
    "--schedule",
    "--target_dataset",
    "--external_table_definition",
    "--format",
    "--label",
    "--description",
    "--expiration",
    "--clustering_fields",
    "--job_id",
    "-j",
    "--destination_format",
    "--compression",
    "--encoding",
    "--quote",
    "--null_marker",
    "--bigqueryrc",
    "--credential_file",
    "--range_partitioning",
    "--params",
    "--transfer_config",
];

pub(super) fn run(args: &[Arg], input: Option<&Input>, shell: &mut Shell, shared: &mut Shared<'_>) {
    let options = Options::of(args, |option| VALUES.contains(&option));
    let Some(at) = options.rest.iter().position(|arg| COMMANDS.contains(&arg.text.as_str())) else { return };
    let rest = &options.rest[at + 1..];
    match options.rest[at].text.as_str() {
        "query" => query(&options, rest, input, shell, shared),
        "load" => load(rest, shell, shared),
        "extract" => copy(rest, false, shell, shared),
        "cp" => copy(rest, true, shell, shared),
        _ => make(&options, rest, shell, shared),
    }
}

fn dataset(arg: &Arg, shell: &Shell, shared: &Shared<'_>) -> Option<DatasetId> {
    dataset_named(&arg.text, &shell.known(std::slice::from_ref(arg), shared))
}

fn query(options: &Options, rest: &[Arg], input: Option<&Input>, shell: &mut Shell, shared: &mut Shared<'_>) {
    let destination = options.last(&["--destination_table"]);
    let mut how = How { dialect: Some("bigquery".to_owned()), schema: default_dataset(options), ..How::default() };
    // `--parameter=name:type:value` fills values, never names: nothing to bind.
    how.target = destination.and_then(|arg| dataset(arg, shell, shared));
    let appends = options.given.iter().any(|(name, value)| {
        name.starts_with("--append") || name == "--write_disposition" && value.text.eq_ignore_ascii_case("write_append")
    });
    how.materialized = how.target.as_ref().map(|_| if appends { "append" } else { "table" }.to_owned());
    shared.ran.pieces += 1;
    let understood = match (rest.first(), input) {
        (Some(sql), _) => shell.sql_text(sql, &how, shared),
        (None, Some(Input::Text(arg))) => shell.sql_text(arg, &how, shared),
        (None, Some(Input::File(arg))) => shell.sql_file(arg, &how, shared),
        (None, None) => true,
    };
    let lost = destination.filter(|_| how.target.is_none());
    if let Some(arg) = lost {
        opaque(arg, &format!("which table `{}` is", arg.text), shell, shared);
    } else if !understood {
        shared.ran.opaque += 1;
    }
}

/// `--dataset_id=project:dataset`: where tables without a dataset lie.
fn default_dataset(options: &Options) -> Option<String> {
    let written = &options.last(&["--dataset_id"])?.text;
    let name = written.rsplit([':', '.']).next()?;
    (!name.is_empty() && !name.contains(['$', '{', '}'])).then(|| name.to_owned())
}

/// `bq load dataset.table uri[,uri] [schema]`.
fn load(rest: &[Arg], shell: &mut Shell, shared: &mut Shared<'_>) {
    let [table, from, ..] = rest else { return };
    shared.ran.pieces += 1;
    let Some(into) = dataset(table, shell, shared) else {
        return opaque(table, &format!("which table `{}` is", table.text), shell, shared);
    };
    shared.ran.loads = true;
    let files: Vec<DatasetId> =
        from.text.split(',').filter_map(|address| files_at(address, from, shell, shared)).collect();
    if files.is_empty() {
        shared.ran.writes.push((into, table.at.clone()));
    } else {
        for files in files {
            shared.ran.moves((files, from.at.clone()), (into.clone(), table.at.clone()));
        }
    }
}

/// The files at `address`, one of those in `arg`: of a bucket, or of the machine that runs the command.
fn files_at(address: &str, arg: &Arg, shell: &Shell, shared: &Shared<'_>) -> Option<DatasetId> {
    let known = !address.is_empty() && !address.contains("${");
    match address.contains("://") {
        true => dataset(&Arg { text: address.to_owned(), ..arg.clone() }, shell, shared).filter(DatasetId::is_file_set),
        false => format!("file:{address}").parse().ok().filter(|_| known),
    }
}

/// `bq cp from into` and `bq extract from uri`.
fn copy(rest: &[Arg], stays: bool, shell: &mut Shell, shared: &mut Shared<'_>) {
    let [from, into, ..] = rest else { return };
    shared.ran.pieces += 1;
    match (dataset(from, shell, shared), dataset(into, shell, shared)) {
        (Some(read), Some(written)) => {
            shared.ran.unloads |= !stays;
            shared.ran.moves((read, from.at.clone()), (written, into.at.clone()));
        }
        (None, _) => opaque(from, &format!("which table `{}` is", from.text), shell, shared),
        (_, None) => opaque(into, &format!("what `{}` is", into.text), shell, shared),
    }
}

/// `bq mk --view 'SQL' dataset.view`, `bq mk --external_table_definition=…`.
fn make(options: &Options, rest: &[Arg], shell: &mut Shell, shared: &mut Shared<'_>) {
    let view = options.last(&["--view", "--materialized_view"]).cloned();
    let external = options.last(&["--external_table_definition"]).cloned();
    let Some(table) = rest.last() else { return };
    let target = dataset(table, shell, shared);
    if let Some(sql) = view.filter(|sql| !sql.text.is_empty() || sql.file.is_some()) {
        shared.ran.pieces += 1;
        let how = How {
            dialect: Some("bigquery".to_owned()),
            materialized: Some("view".to_owned()),
            target: target.clone(),
            ..How::default()
        };
        if target.is_none() {
            opaque(table, &format!("which view `{}` is", table.text), shell, shared);
        } else if !shell.sql_text(&sql, &how, shared) {
            shared.ran.opaque += 1;
        }
    } else if let (Some(definition), Some(into)) = (external, target) {
        shared.ran.pieces += 1;
        let address = definition.text.find("gs://").map(|at| definition.text[at..].to_owned());
        let files = address.and_then(|text| dataset(&Arg { text, ..definition.clone() }, shell, shared));
        shared.ran.loads = true;
        match files {
            Some(files) => shared.ran.moves((files, definition.at), (into, table.at.clone())),
            None => shared.ran.writes.push((into, table.at.clone())),
        }
    }
}
