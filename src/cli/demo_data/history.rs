//! The repository's history, told to `git fast-import` in one stream: quick, and the same hashes always.
use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Child, Command, Stdio},
};

use camino::Utf8Path;

use crate::cli::demo_data::{
    DemoDataError,
    changelog::{Change, REFORMAT_AT, RENAMED, changelog, has_drafts},
    estate_files::{estate_files, is_script},
};

/// Makes `target` a git repository in which the shop's estate came to be: about 150 commits over 14
/// months, whose last one holds the files that [`write_estate`](super::write_estate) writes. Returns
/// the newest commit's hash, which is always the same. Needs the git command; the user's own git
/// configuration has no say.
pub fn make_history(target: &Utf8Path) -> Result<String, DemoDataError> {
    std::fs::create_dir_all(target).map_err(DemoDataError::file("create folder", target))?;
    git(target, "init", &["--quiet", "--initial-branch=main", "--object-format=sha1"])?;
    import(target, &stream())?;
    git(target, "reset", &["--quiet"])?;
    Ok(git(target, "rev-parse", &["HEAD"])?.trim().to_owned())
}

fn command(target: &Utf8Path, subcommand: &'static str) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(target).arg(subcommand);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_CONFIG_GLOBAL", if cfg!(windows) { "NUL" } else { "/dev/null" });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn git(target: &Utf8Path, subcommand: &'static str, arguments: &[&str]) -> Result<String, DemoDataError> {
    let started = command(target, subcommand).args(arguments).stdin(Stdio::null()).spawn();
    finish(subcommand, started.map_err(|source| DemoDataError::NoGit { command: subcommand, source })?)
}

fn import(target: &Utf8Path, stream: &[u8]) -> Result<(), DemoDataError> {
    let started = command(target, "fast-import").args(["--quiet", "--force"]).stdin(Stdio::piped()).spawn();
    let mut child = started.map_err(|source| DemoDataError::NoGit { command: "fast-import", source })?;
    // A broken pipe means that git gave up: what it says on stderr is the better message.
    let written = child.stdin.take().map(|mut stdin| stdin.write_all(stream));
    finish("fast-import", child)?;
    match written {
        Some(Err(source)) => Err(DemoDataError::NoGit { command: "fast-import", source }),
        _ => Ok(()),
    }
}

fn finish(command: &'static str, child: Child) -> Result<String, DemoDataError> {
    let output = child.wait_with_output().map_err(|source| DemoDataError::NoGit { command, source })?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(DemoDataError::Git { command, said })
        }
    }
}

/// The whole history in fast-import's words.
fn stream() -> Vec<u8> {
    let finals: BTreeMap<&str, &[u8]> = estate_files().iter().copied().collect();
    let paths: Vec<&'static str> = estate_files().iter().map(|(path, _)| *path).collect();
    let changes = changelog(&paths);
    let mut to_come: BTreeMap<&str, usize> = BTreeMap::new();
    for path in changes.iter().flat_map(|change| &change.files) {
        *to_come.entry(path).or_default() += 1;
    }
    let renamed_at = changes.iter().position(|change| change.renames).unwrap_or(0);
    let mut out = Vec::new();
    for (number, change) in changes.iter().enumerate() {
        write_head(&mut out, change);
        for path in &change.files {
            let left = to_come.get_mut(path).map_or(0, |left| {
                *left -= 1;
                *left
            });
            let content = version(path, finals.get(path).copied().unwrap_or_default(), left, number);
            let name = if *path == RENAMED.0 && number < renamed_at { RENAMED.1 } else { path };
            write_file(&mut out, name, &content);
        }
        if change.renames {
            out.extend_from_slice(format!("R {} {}\n", RENAMED.1, RENAMED.0).as_bytes());
        }
        out.push(b'\n');
    }
    out
}

fn write_head(out: &mut Vec<u8>, change: &Change) {
    let Change { at, author, message, .. } = change;
    let length = message.len() + 1;
    let head = format!(
        "commit refs/heads/main\nauthor {author} {at} +0000\ncommitter {author} {at} +0000\ndata {length}\n{message}\n\n"
    );
    out.extend_from_slice(head.as_bytes());
}

fn write_file(out: &mut Vec<u8>, path: &str, content: &[u8]) {
    let mode = if is_script(path) { "100755" } else { "100644" };
    out.extend_from_slice(format!("M {mode} inline {path}\ndata {}\n", content.len()).as_bytes());
    out.extend_from_slice(content);
    out.push(b'\n');
}

/// What a file held when `left` more changes were to come: the last version is the estate's own file;
/// before that stands a remark of the day, and before the great reformat tabs.
fn version(path: &str, last: &[u8], left: usize, commit: usize) -> Vec<u8> {
    let mut content = last.to_vec();
    if left == 0 || !has_drafts(path) {
        return content;
    }
    if path.ends_with(".sql") && commit < REFORMAT_AT {
        content = String::from_utf8_lossy(&content).replace("    ", "\t").into_bytes();
    }
    let mark = if path.ends_with(".sql") { "--" } else { "#" };
    content.extend_from_slice(format!("{mark} TODO {left}: ask again after commit {commit}\n").as_bytes());
    content
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_change_often_and_crm_rarely() {
        let paths: Vec<&'static str> = estate_files().iter().map(|(path, _)| *path).collect();
        let changes = changelog(&paths);
        let touching = |prefix: &str| {
            changes.iter().filter(|change| change.files.iter().any(|file| file.starts_with(prefix))).count()
        };
        let (orders, customer, crm) =
            (touching("sql/transformed/orders/"), touching("sql/transformed/customer"), touching("sql/crm/"));
        assert!(orders > 2 * customer && customer > 2 * crm, "orders {orders}, customer {customer}, crm {crm}");
    }

    #[test]
    fn times_only_go_forward() {
        let paths: Vec<&'static str> = estate_files().iter().map(|(path, _)| *path).collect();
        let changes = changelog(&paths);
        assert!(changes.windows(2).all(|pair| pair[0].at <= pair[1].at));
    }
}
