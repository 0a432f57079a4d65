//! Which files make up one export.
use camino::{Utf8Path, Utf8PathBuf};
use std::collections::{BTreeMap, BTreeSet};

use crate::estate::{paths::folder_of, text_file::TextFile};

const KINDS: &[&str] = &["databases", "datasets", "charts", "dashboards"];

/// The files of one export by what they hold, each kind in the order of paths.
#[derive(Debug, Default)]
pub(crate) struct Bundle<'f> {
    pub(crate) databases: Vec<&'f TextFile>,
    pub(crate) datasets: Vec<&'f TextFile>,
    pub(crate) charts: Vec<&'f TextFile>,
    pub(crate) dashboards: Vec<&'f TextFile>,
}

/// Whether `file` is the head of a Superset export (`metadata.yaml` with version, type and timestamp).
pub(crate) fn is_export(file: &TextFile) -> bool {
    let has = |key: &str| file.text.lines().any(|line| line.starts_with(key));
    file.path.file_name() == Some("metadata.yaml") && has("version:") && has("type:") && has("timestamp:")
}

/// The exports among `files` by their folder, in the order of folders.
///
/// Teams that keep their assets in version control often drop the head: then a dataset, chart or dashboard in the
/// folder of its kind tells.
pub(crate) fn bundles<'f>(files: impl Iterator<Item = &'f TextFile> + Clone) -> BTreeMap<Utf8PathBuf, Bundle<'f>> {
    let heads = files.clone().filter(|file| is_export(file)).map(|file| folder_of(&file.path).to_owned());
    let mut bundles: BTreeMap<Utf8PathBuf, Bundle<'f>> = heads.map(|folder| (folder, Bundle::default())).collect();
    let headless: BTreeSet<Utf8PathBuf> = files
        .clone()
        .filter(|file| place(&file.path, |folder| bundles.contains_key(folder)).is_none())
        .filter_map(headless)
        .collect();
    bundles.extend(headless.into_iter().map(|folder| (folder, Bundle::default())));
    for file in files {
        let Some((folder, kind)) = place(&file.path, |folder| bundles.contains_key(folder)) else { continue };
        let Some(bundle) = bundles.get_mut(&folder) else { continue };
        match kind {
            "databases" => bundle.databases.push(file),
            "datasets" => bundle.datasets.push(file),
            "charts" => bundle.charts.push(file),
            _ => bundle.dashboards.push(file),
        }
    }
    bundles
}

/// The folder of an export without a head that `file` lies in: the file has the keys of what its folder's name says.
fn headless(file: &TextFile) -> Option<Utf8PathBuf> {
    let has = |key: &str| file.text.lines().any(|line| line.starts_with(key));
    let (folder, kind) = place(&file.path, |_| true)?;
    let is_kind = match kind {
        "datasets" => has("table_name:") && (has("database_uuid:") || has("uuid:")),
        "charts" => has("slice_name:") && has("viz_type:"),
        "dashboards" => has("dashboard_title:") && has("position:"),
        // A database is none of an export's without something that reads it.
        _ => false,
    };
    is_kind.then_some(folder)
}

/// The export's folder above `path` and the kind of file, by the folder in between.
fn place(path: &Utf8Path, is_head: impl Fn(&Utf8Path) -> bool) -> Option<(Utf8PathBuf, &str)> {
    path.ancestors().skip(1).find_map(|folder| {
        let kind = folder.file_name().filter(|name| KINDS.contains(name))?;
        is_head(folder_of(folder)).then(|| (folder_of(folder).to_owned(), kind))
    })
}
