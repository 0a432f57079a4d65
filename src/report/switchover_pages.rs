use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;

use super::templates::{RenderOptions, ReportError, Templates};
use crate::switchover::{ExposureMove, Readiness, SourceKind, Switchover};

/// What `switchover.md.hbs` is filled with.
#[derive(Serialize)]
struct MovePage<'a> {
    service: &'a str,
    #[serde(rename = "move")]
    found: &'a ExposureMove,
    kind: &'static str,
    owner: &'a str,
    language: &'static str,
    state: &'a str,
    because: &'a str,
}

/// What `switchover_index.md.hbs` is filled with.
#[derive(Serialize)]
struct Index<'a> {
    switchover: &'a Switchover,
    moves: Vec<MovePage<'a>>,
}

/// The switchover's files by their paths in its folder: `<service>/index.md`, `<service>/<dataset>.md`,
/// `<dataset>.after.json` and `<dataset>.before.json` (what its tool is sent) for each BI source, the edited files under `<service>/files/`, and `<service>/switchover.patch`
/// with all edits. `readiness` is that of [`crate::switchover::readiness`].
///
/// # Errors
///
/// When a template of `options` cannot be read, or asks for a field that is not there.
pub fn render_switchover(
    switchover: &Switchover,
    readiness: &BTreeMap<String, Readiness>,
    options: &RenderOptions,
) -> Result<BTreeMap<Utf8PathBuf, Vec<u8>>, ReportError> {
    let templates = Templates::load(options)?;
    let folder = Utf8Path::new(switchover.service.as_str());
    let mut files = BTreeMap::new();
    let (mut patch, mut edited) = (String::new(), BTreeSet::new());
    for found in &switchover.moves {
        let page = move_page(switchover, found, readiness);
        files.insert(folder.join(format!("{}.md", found.page)), templates.fill("switchover.md", &page)?);
        files.insert(folder.join("files").join(&found.edit.file), found.content.clone().into_bytes());
        if let Some([after, before]) = &found.bodies {
            files.insert(folder.join(format!("{}.after.json", found.page)), after.clone().into_bytes());
            files.insert(folder.join(format!("{}.before.json", found.page)), before.clone().into_bytes());
        }
        // Sources of one file share its edit.
        if edited.insert(&found.edit.file) {
            patch.push_str(&found.edit.diff);
        }
    }
    if !patch.is_empty() {
        files.insert(folder.join("switchover.patch"), patch.into_bytes());
    }
    let moves = switchover.moves.iter().map(|found| move_page(switchover, found, readiness)).collect();
    files.insert(folder.join("index.md"), templates.fill("switchover_index.md", &Index { switchover, moves })?);
    Ok(files)
}

fn move_page<'a>(
    switchover: &'a Switchover,
    found: &'a ExposureMove,
    readiness: &'a BTreeMap<String, Readiness>,
) -> MovePage<'a> {
    let ready = readiness.get(&found.id);
    let (kind, language) = match found.kind {
        SourceKind::Physical => ("reads a table by its name", ""),
        SourceKind::Virtual => ("has SQL of its own", "sql"),
    };
    MovePage {
        service: switchover.service.as_str(),
        found,
        kind,
        owner: found.owner.as_deref().unwrap_or("not said of the dataset itself"),
        language,
        state: ready.map_or("drafted", |r| r.state),
        because: ready.map_or("Its readiness was not asked.", |r| &r.because),
    }
}
