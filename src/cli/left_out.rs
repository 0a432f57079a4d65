//! A folder of the estate that a plan was made with and a command does not name.
use camino::{Utf8Path, Utf8PathBuf};

use super::{
    exit::{ExitCode, Failure},
    workspace::Workspace,
};
use crate::{
    estate::Root,
    plan::{Action, Plan},
    vocab::shell_word,
};

/// Fails where `plan` edits files in a folder that none of `roots` is; `command` (`carve rollback orders`) is
/// told again with it.
pub(super) fn nothing_left_out(
    plan: &Plan,
    workspace: &Workspace,
    roots: &[Root],
    command: &str,
) -> Result<(), Failure> {
    let Some((folder, file)) = files(plan).find_map(|file| Some((left_out(file, roots)?, file))) else {
        return Ok(());
    };
    let place = place(workspace.root(), folder);
    let whole = format!("{command}{} --estate {}", workspace.named(), shell_word(place.as_str()));
    Err(Failure::said(ExitCode::Blocked, format!("the folder `{folder}` of the estate is missing from this command"))
        .details([format!("`{file}` lies in it, which the plan of `{}` edits", plan.service)])
        .hint(format!(
            "name it too, with its own path: `{whole}`; or bring it back, if it was part of `{}`",
            workspace.root()
        )))
}

/// Files of the estate that the plan's steps edit. A file that they make may be in a folder that is yet to be made.
fn files(plan: &Plan) -> impl Iterator<Item = &Utf8Path> {
    plan.steps.iter().flat_map(|step| match &step.action {
        Action::Repoint(repoint) => repoint.files.iter().map(|edit| edit.file.as_path()).collect::<Vec<_>>(),
        _ => Vec::new(),
    })
}

/// The first folder of `file`, where it is neither a root of its own nor a folder of the first root.
fn left_out<'f>(file: &'f Utf8Path, roots: &[Root]) -> Option<&'f str> {
    let (folder, below) = (file.components().next()?.as_str(), file.components().nth(1));
    let is_there = |root: &Root| match root.prefix.as_str() {
        "" => root.path.join(folder).exists(),
        _ => file.starts_with(&root.prefix),
    };
    (below.is_some() && !roots.iter().any(is_there)).then_some(folder)
}

/// Where the folder is: beside the first one, as people lay them; else wherever they know it to be.
fn place(first: &Utf8Path, folder: &str) -> Utf8PathBuf {
    let beside = match first.as_str() {
        "." => Utf8Path::new("..").join(folder),
        _ => first.parent().unwrap_or(first).join(folder),
    };
    if beside.is_dir() { beside } else { Utf8Path::new("path/to").join(folder) }
}
