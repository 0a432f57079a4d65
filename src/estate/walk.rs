//! Finds the files of an estate, in the order of their paths. The only file to know the `ignore` crate.
use std::{fs, path::Path};

use camino::{Utf8Path, Utf8PathBuf};
use ignore::{
    DirEntry, WalkBuilder,
    overrides::{Override, OverrideBuilder},
};

use crate::{
    diagnostics::{CodeEntry, Diagnostic, Diagnostics},
    estate::roots::RootToRead,
    vocab::Span,
};

/// Folders that never hold what the team wrote.
const NEVER: &[&str] = &["node_modules", "__pycache__", "site-packages"];
/// Hidden folders in which teams keep what runs on a schedule.
const HIDDEN_YET_READ: &[&str] = &[".github"];
/// The folder of a bucket below which data services are published.
const PUBLISHED: &str = "data-services";
/// What carve itself writes into `switchover/SERVICE/`, beside `files/`.
const SWITCHOVER_ENDINGS: &[&str] = &["md", "html", "json", "patch"];
/// What carve itself writes into `report/`.
const REPORT_ENDINGS: &[&str] = &["html", "md", "json", "svg", "css", "js"];

/// A file, not yet opened.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Path as in `Span::file`.
    pub(crate) path: Utf8PathBuf,
    /// Where it is on this machine.
    pub(crate) on_disk: Utf8PathBuf,
    /// Size in bytes.
    pub(crate) bytes: u64,
}

/// What is left out: path globs, and places of carve's own data.
pub(crate) struct Exclude {
    globs: Override,
    own: Vec<Utf8PathBuf>,
}

impl Exclude {
    /// The globs of `exclude` in carve.yaml. One that is no glob is told at `at`.
    pub(crate) fn new(globs: &[String], at: Option<&Utf8PathBuf>, faults: &mut Diagnostics) -> Self {
        let mut builder = OverrideBuilder::new("");
        for glob in globs {
            if let Err(error) = builder.add(&format!("!{}", glob.trim_start_matches('!'))) {
                let place = Span::whole(at.cloned().unwrap_or_default());
                faults.push(Diagnostic::new(CodeEntry::E015, place, format!("`{glob}` is no path glob: {error}")));
            }
        }
        Exclude { globs: builder.build().unwrap_or_else(|_| Override::empty()), own: Vec::new() }
    }

    /// The same, without the folders and files at `own` on this machine.
    pub(crate) fn and_places(self, own: Vec<Utf8PathBuf>) -> Self {
        Exclude { own, ..self }
    }

    fn holds(&self, path: &Utf8Path, is_folder: bool) -> bool {
        self.globs.matched(path, is_folder).is_ignore()
    }
}

/// Every file below `roots`, in the order of paths. Links are not followed: one that leads out is told.
pub(crate) fn files(roots: &[RootToRead], exclude: &Exclude, faults: &mut Diagnostics) -> Vec<Found> {
    let mut found = Vec::new();
    for at in 0..roots.len() {
        walk_root(roots, at, exclude, &mut found, faults);
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn walk_root(roots: &[RootToRead], at: usize, exclude: &Exclude, found: &mut Vec<Found>, faults: &mut Diagnostics) {
    let here = &roots[at];
    if let Some(name) = &here.only {
        let on_disk = here.root.path.join(name);
        let bytes = fs::metadata(&on_disk).map_or(0, |meta| meta.len());
        found.push(Found { path: here.root.prefix.join(name), on_disk, bytes });
        return;
    }
    let further = roots.iter().enumerate().filter(|(other, root)| *other != at && root.only.is_none());
    let others: Vec<Utf8PathBuf> =
        further.map(|(_, root)| root.root.path.clone()).chain(exclude.own.iter().cloned()).collect();
    let mut builder = WalkBuilder::new(&here.root.path);
    builder.standard_filters(false).follow_links(false);
    // What lies in a root of its own is read there; what carve published or imported is read nowhere.
    builder.filter_entry(move |entry| !is_passed_over(entry, &others));
    for entry in builder.build() {
        match entry {
            Ok(entry) => take(&entry, here, roots, exclude, found, faults),
            Err(error) => faults.push(unreadable(&error, here)),
        }
    }
}

fn take(
    entry: &DirEntry,
    here: &RootToRead,
    roots: &[RootToRead],
    exclude: &Exclude,
    found: &mut Vec<Found>,
    faults: &mut Diagnostics,
) {
    let Some(kind) = entry.file_type().filter(|kind| !kind.is_dir()) else { return };
    let Some(on_disk) = Utf8Path::from_path(entry.path()) else {
        let shown = Utf8PathBuf::from(entry.file_name().to_string_lossy().into_owned());
        faults.push(Diagnostic::new(CodeEntry::E001, Span::whole(shown), "its name is not UTF-8"));
        return;
    };
    let Ok(inside) = on_disk.strip_prefix(&here.root.path) else { return };
    let path = spelled(&here.root.prefix, inside);
    if is_excluded(&path, exclude) || (here.root.prefix.as_str().is_empty() && is_carve_s_own(inside, on_disk)) {
        return;
    }
    if kind.is_symlink() {
        faults.extend(link_fault(on_disk, path, roots));
        return;
    }
    if kind.is_file() {
        let bytes = entry.metadata().map_or(0, |meta| meta.len());
        found.push(Found { path, on_disk: on_disk.to_owned(), bytes });
    }
}

fn spelled(prefix: &Utf8Path, inside: &Utf8Path) -> Utf8PathBuf {
    let parts = prefix.components().chain(inside.components()).map(|part| part.as_str());
    parts.collect::<Vec<_>>().join("/").into()
}

/// Whether a glob names the file or a folder above it.
fn is_excluded(path: &Utf8Path, exclude: &Exclude) -> bool {
    exclude.holds(path, false)
        || path.ancestors().skip(1).any(|folder| !folder.as_str().is_empty() && exclude.holds(folder, true))
}

fn is_passed_over(entry: &DirEntry, others: &[Utf8PathBuf]) -> bool {
    if entry.depth() == 0 {
        return false;
    }
    let (path, name) = (entry.path(), entry.file_name().to_string_lossy());
    if name.starts_with('.') && !HIDDEN_YET_READ.contains(&&*name) {
        return true;
    }
    if others.iter().any(|other| other.as_std_path() == path) {
        return true;
    }
    if !entry.file_type().is_some_and(|kind| kind.is_dir()) {
        return false;
    }
    let built = name == "target" && is_build_output(path);
    let python = path.join("pyvenv.cfg").exists();
    NEVER.contains(&&*name) || built || python || (name == PUBLISHED && holds_publications(path))
}

/// A folder of the published format, in whatever bucket: services with their `schemata`.
fn holds_publications(folder: &Path) -> bool {
    let services = fs::read_dir(folder).into_iter().flatten().flatten();
    services.map(|service| service.path()).any(|service| service.join("schemata").is_dir())
}

/// A `target` that a tool builds (cargo, dbt), as against a schema that bears the name.
fn is_build_output(folder: &Path) -> bool {
    let beside = |name: &str| folder.parent().is_some_and(|parent| parent.join(name).exists());
    folder.join("CACHEDIR.TAG").exists() || beside("Cargo.toml") || beside("dbt_project.yml") || beside("pom.xml")
}

/// Plans, reports and switchovers that carve wrote into the first root are its output, not the estate. Read as jobs and
/// dashboards, the edited copies of a switchover would say that people have switched who have not.
fn is_carve_s_own(inside: &Utf8Path, on_disk: &Utf8Path) -> bool {
    let ending = inside.extension().unwrap_or_default();
    let parts: Vec<&str> = inside.components().map(|part| part.as_str()).collect();
    match parts[..] {
        ["report", _, ..] => REPORT_ENDINGS.contains(&ending),
        ["plans", _, ..] => begins_as_plan(on_disk),
        ["switchover", _, "files", _, ..] => has_index(on_disk.ancestors().nth(parts.len() - 2)),
        ["switchover", _, _] => SWITCHOVER_ENDINGS.contains(&ending) && has_index(on_disk.parent()),
        _ => false,
    }
}

/// Every folder of a switchover has its overview.
fn has_index(folder: Option<&Utf8Path>) -> bool {
    folder.is_some_and(|folder| folder.join("index.md").is_file())
}

fn begins_as_plan(path: &Utf8Path) -> bool {
    use std::io::Read as _;
    let mut head = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(4_096).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).lines().any(|line| line.starts_with("format: carve-"))
}

fn link_fault(on_disk: &Utf8Path, path: Utf8PathBuf, roots: &[RootToRead]) -> Option<Diagnostic> {
    match on_disk.canonicalize_utf8() {
        // What it leads to is read where it lies.
        Ok(real) if roots.iter().any(|root| real.starts_with(&root.root.path)) => None,
        Ok(_) => Some(Diagnostic::new(CodeEntry::E017, Span::whole(path), "the link was not followed")),
        Err(_) => Some(Diagnostic::new(CodeEntry::E001, Span::whole(path), "the link leads nowhere")),
    }
}

fn unreadable(error: &ignore::Error, here: &RootToRead) -> Diagnostic {
    let path = path_of(error).and_then(|path| path.strip_prefix(&here.root.path).ok());
    let inside = path.and_then(Utf8Path::from_path).unwrap_or(Utf8Path::new("."));
    let why = error.io_error().map_or_else(|| "cannot be read".to_owned(), |error| error.kind().to_string());
    Diagnostic::new(CodeEntry::E001, Span::whole(spelled(&here.root.prefix, inside)), why)
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } => path_of(err),
        _ => None,
    }
}
