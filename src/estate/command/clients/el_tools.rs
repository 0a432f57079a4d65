//! Extract-and-load tools on a command line: `sling`, `meltano`, and Singer's taps and targets joined by a pipe.
use super::{
    super::run::{Arg, Shared, Shell},
    options::Options,
};
use crate::{
    diagnostics::CodeEntry,
    estate::{
        el::{copies, database_name, declares, opaque, system_name},
        json,
        names::dataset_named,
        reader::Sought,
        text_file::TextFile,
        yaml::Node,
    },
    vocab::{JobId, Span},
};

/// What a tap hands to the target behind it.
#[derive(Clone, Debug)]
pub(in crate::estate::command) struct Tap {
    system: String,
    /// Streams with their replication keys; none where no catalog says.
    streams: Option<Vec<(String, Option<String>)>>,
    at: Span,
}

/// `sling run -r file` runs a replication, `sling run --src-conn …` one stream.
pub(super) fn sling(args: &[Arg], shell: &Shell, shared: &mut Shared<'_>) {
    let options = Options::of(args, |option| option.starts_with('-') && option != "-d" && option != "--debug");
    if let Some(path) = options.last(&["-r", "--replication", "-p", "--pipeline"]) {
        if let Sought::File(file) = shell.seek(path, shared) {
            shared.ran.runs.insert(JobId::new(file.path.with_extension("").as_str()));
        }
        return;
    }
    let text = |names: &[&str]| options.last(names).map(|arg| arg.text.clone());
    let (Some(stream), Some(object)) = (text(&["--src-stream", "--src-table"]), text(&["--tgt-object", "--tgt-table"]))
    else {
        return;
    };
    let Some(at) = args.first().map(|arg| arg.at.clone()) else { return };
    let known = shell.known(args, shared);
    shared.ran.pieces += 1;
    let system = system_name(&text(&["--src-conn"]).unwrap_or_else(|| "source".to_owned()));
    match dataset_named(&object, &known) {
        Some(into) if stream.contains("://") => {
            shared.ran.loads = true;
            match dataset_named(&stream, &known) {
                Some(files) => shared.ran.moves((files, at.clone()), (into, at)),
                None => shared.ran.writes.push((into, at)),
            }
        }
        Some(into) => copies(&mut shared.ran, &system, &stream, into, text(&["--update-key"]), &at),
        None => {
            shared.ran.opaque += 1;
            shell.fault(CodeEntry::E027, &args[0], format!("which table `{object}` is"), shared);
        }
    }
}

/// `meltano run job` and `meltano schedule run name`.
pub(super) fn meltano(args: &[Arg], shared: &mut Shared<'_>) {
    let Some(at) = args.iter().position(|arg| matches!(arg.text.as_str(), "run" | "elt" | "el")) else { return };
    let names = args[at + 1..].iter().filter(|arg| !arg.text.starts_with('-'));
    shared.ran.runs.extend(names.map(|arg| JobId::new(format!("meltano.{}", arg.text))));
}

/// A tap: its catalog says what it hands on.
pub(super) fn tap(name: &str, args: &[Arg], shell: &Shell, shared: &Shared<'_>) -> Option<Tap> {
    let options = Options::of(args, |option| option.starts_with('-') && !matches!(option, "--discover" | "-d"));
    let at = args.first()?.at.clone();
    let path = options.last(&["--catalog", "--properties", "-p"]);
    let catalog = path.and_then(|path| match shell.seek(path, shared) {
        Sought::File(file) => Some(file),
        _ => None,
    });
    let streams = catalog.and_then(|file| streams(&file));
    let config = options.last(&["--config", "-c"]).and_then(|path| match shell.seek(path, shared) {
        Sought::File(file) => json::document(&file, CodeEntry::E007).ok(),
        _ => None,
    });
    let keys = ["dbname", "database", "db_name", "sqlalchemy_url"];
    let database = config.and_then(|node| keys.iter().find_map(|key| node.text_of(key)));
    let system = database.as_deref().and_then(database_name);
    Some(Tap { system: system.unwrap_or_else(|| system_name(name.trim_start_matches("tap-"))), streams, at })
}

/// The selected streams of a catalog.
fn streams(file: &TextFile) -> Option<Vec<(String, Option<String>)>> {
    let root = json::document(file, CodeEntry::E007).ok()?;
    let one = |stream: &Node| {
        let top = stream
            .get("metadata")
            .map(Node::items)
            .unwrap_or_default()
            .iter()
            .find(|item| item.get("breadcrumb").is_some_and(|crumb| crumb.items().is_empty()));
        let top = top.and_then(|item| item.get("metadata"));
        let selected =
            top.and_then(|node| node.get("selected")).or(stream.get("selected")).or(stream.at(&["schema", "selected"]));
        if selected.and_then(Node::boolean) != Some(true) {
            return None;
        }
        let name = stream.text_of("table_name").or(stream.text_of("stream")).or(stream.text_of("tap_stream_id"))?;
        let schema = top.and_then(|node| node.text_of("schema-name"));
        let key = top.and_then(|node| node.text_of("replication-key")).or(stream.text_of("replication_key"));
        Some((schema.map_or(name.clone(), |schema| format!("{schema}.{name}")), key))
    };
    Some(root.get("streams")?.items().iter().filter_map(one).collect())
}

/// A target: what the tap before it hands on becomes tables.
pub(super) fn target(tap: Option<Tap>, args: &[Arg], shell: &Shell, shared: &mut Shared<'_>) {
    let Some(tap) = tap else { return };
    let options = Options::of(args, |option| option.starts_with('-'));
    let config = options.last(&["--config", "-c"]).and_then(|path| match shell.seek(path, shared) {
        Sought::File(file) => json::document(&file, CodeEntry::E007).ok(),
        _ => None,
    });
    let keys =
        ["default_target_schema", "schema", "target_schema", "dataset_id", "postgres_schema", "snowflake_schema"];
    let schema = config.as_ref().and_then(|node| keys.iter().find_map(|key| node.text_of(key)));
    shared.ran.pieces += 1;
    let mut found = std::mem::take(&mut shared.ran);
    declares(&mut found, &tap.system, None, &tap.at);
    match &tap.streams {
        Some(streams) => {
            for (stream, key) in streams {
                let table = stream.rsplit('.').next().unwrap_or(stream);
                let written = schema.as_ref().map_or(table.to_owned(), |schema| format!("{schema}.{table}"));
                if let Some(into) = dataset_named(&written, shared.around.vars) {
                    copies(&mut found, &tap.system, stream, into, key.clone(), &tap.at);
                }
            }
        }
        None => {
            let before = found.opaque;
            opaque(
                &mut found,
                tap.at.clone(),
                format!("which streams of `{}` are copied: no catalog says", tap.system),
            );
            found.opaque = before + 1;
        }
    }
    shared.ran = found;
}
