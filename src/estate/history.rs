//! What version control remembers: one pass over `git log` a root, renames followed, offline.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::{
    diagnostics::{CodeEntry, Diagnostic, Diagnostics},
    estate::{Commit, History, Root},
    vocab::Span,
};

/// Nothing of the repository's own configuration may run, ask, or reach out.
const QUIET: &[&str] = &[
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.quotePath=false",
    "log.showSignature=false",
    "protocol.allow=never",
    "safe.directory=*",
];
const PASSED_ON: &[(&str, &str)] = &[
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_CONFIG_NOSYSTEM", "1"),
    ("GIT_CONFIG_GLOBAL", "/dev/null"),
    ("GIT_ASKPASS", "true"),
    ("LC_ALL", "C"),
];
const TAKEN_AWAY: &[&str] = &[
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_EXTERNAL_DIFF",
    "GIT_CONFIG_COUNT",
];

/// What the repositories remember, of files that are gone too.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    newest: Option<Timestamp>,
    /// By path as text: paths themselves compare slowly, and a repository remembers many more files than it has.
    commits: HashMap<String, Vec<Commit>>,
}

/// The history of every root. One without is told; so is one that is cut short.
pub(crate) fn read(roots: &[Root], faults: &mut Diagnostics) -> Remembered {
    let mut history = Remembered::default();
    for root in roots {
        let place = Span::whole(match root.prefix.as_str() {
            "" => Utf8PathBuf::from("."),
            prefix => prefix.trim_end_matches('/').into(),
        });
        match is_shallow(root) {
            Ok(shallow) => {
                if shallow {
                    faults.push(Diagnostic::new(CodeEntry::E019, place.clone(), "only the newest commits are here"));
                }
                faults.extend(commits(root, place, &mut history));
            }
            Err(why) => faults.push(Diagnostic::new(CodeEntry::E018, place, why)),
        }
    }
    history
}

/// Adds the commits of one root; the fault says what of them is missing.
fn commits(root: &Root, place: Span, history: &mut Remembered) -> Option<Diagnostic> {
    // A partial clone lacks the contents that telling renames may need.
    let runs = [&["-M"][..], &["--no-renames"]];
    let mut cut_short = Remembered::default();
    for renames in runs {
        let mut found = Remembered::default();
        let whole = log(root, renames, &mut found).is_some();
        if whole || found.newest > cut_short.newest {
            cut_short = found;
        }
        if whole {
            return take(cut_short, place, history);
        }
    }
    let none = cut_short.newest.is_none();
    let _ = take(cut_short, place.clone(), history);
    Some(match none {
        true => Diagnostic::new(CodeEntry::E018, place, NO_COMMITS),
        false => Diagnostic::new(CodeEntry::E019, place, "git could not read to the first commit: objects are missing"),
    })
}

const NO_COMMITS: &str = "git has no commits to tell of";

fn take(found: Remembered, place: Span, history: &mut Remembered) -> Option<Diagnostic> {
    let none = found.newest.is_none();
    history.newest = history.newest.max(found.newest);
    history.commits.extend(found.commits);
    none.then(|| Diagnostic::new(CodeEntry::E018, place, NO_COMMITS))
}

impl Remembered {
    /// The history of the files in `paths` alone, the newest first. Ages count from the newest commit to one of them, so
    /// that committing a plan or a report does not make the estate older.
    pub(crate) fn of_files(mut self, paths: &BTreeSet<&Utf8Path>) -> History {
        let of = |path: &&Utf8Path| {
            let mut commits = self.commits.remove(path.as_str())?;
            commits.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
            Some((path.to_path_buf(), commits))
        };
        let commits: BTreeMap<Utf8PathBuf, Vec<Commit>> = paths.iter().filter_map(of).collect();
        History { newest: commits.values().flatten().map(|commit| commit.at).max(), commits }
    }
}

fn git(root: &Root) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(root.path.as_std_path());
    for setting in QUIET {
        command.args(["-c", setting]);
    }
    TAKEN_AWAY.iter().for_each(|name| {
        command.env_remove(name);
    });
    command.envs(PASSED_ON.iter().copied()).stdin(Stdio::null()).stderr(Stdio::null());
    command
}

fn is_shallow(root: &Root) -> Result<bool, &'static str> {
    let asked = git(root).args(["rev-parse", "--is-shallow-repository"]).output();
    let output = asked.map_err(|_| "the git command cannot be run")?;
    match output.status.success() {
        true => Ok(output.stdout.starts_with(b"true")),
        false => Err("the folder lies in no git repository"),
    }
}

fn log(root: &Root, renames: &[&str], history: &mut Remembered) -> Option<()> {
    let mut child = git(root)
        .args(["log", "--no-merges", "--name-status", "-z", "--relative", "--no-ext-diff", "--no-textconv"])
        .args(renames)
        .args(["--no-color", "--no-show-signature", "--format=format:%x1e%h%x1f%at", "HEAD", "--", "."])
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut reading = Reading {
        prefix: &root.prefix,
        history,
        names: HashMap::new(),
        commit: None,
        paths: Vec::new(),
        born: Vec::new(),
    };
    let mut output = BufReader::with_capacity(1 << 16, child.stdout.take()?);
    let mut field = Vec::new();
    let mut pending: Option<Pending> = None;
    while output.read_until(0, &mut field).is_ok_and(|length| length > 0) {
        let text = String::from_utf8_lossy(field.strip_suffix(b"\0").unwrap_or(&field)).into_owned();
        pending = reading.take(&text, pending);
        field.clear();
    }
    reading.close();
    child.wait().ok()?.success().then_some(())
}

/// Fields of one change that are still to come.
enum Pending {
    Path,
    Added,
    Old,
    New { old: String },
}

/// A walk back in time: under which name of today each older name goes.
struct Reading<'h> {
    prefix: &'h Utf8Path,
    history: &'h mut Remembered,
    /// Older name → the name of today.
    names: HashMap<String, String>,
    commit: Option<(String, Timestamp)>,
    paths: Vec<String>,
    /// Names under which files were added in the commit at hand.
    born: Vec<String>,
}

impl Reading<'_> {
    fn take(&mut self, field: &str, pending: Option<Pending>) -> Option<Pending> {
        match pending {
            Some(Pending::Path) => self.touched(field),
            Some(Pending::Added) => {
                self.touched(field);
                // An older file of that name was another one.
                self.born.push(field.to_owned());
            }
            Some(Pending::Old) => return Some(Pending::New { old: field.to_owned() }),
            Some(Pending::New { old }) => {
                self.touched(field);
                let today = self.today(field);
                self.names.insert(old, today);
            }
            None => return self.begin(field),
        }
        None
    }

    /// A commit's header, or the letter of a change; the first change follows its header after a newline.
    fn begin(&mut self, field: &str) -> Option<Pending> {
        let mut status = field;
        if let Some(at) = field.find('\u{1e}') {
            let (header, rest) = field[at + 1..].split_once('\n').unwrap_or((&field[at + 1..], ""));
            self.close();
            self.commit = header.split_once('\u{1f}').and_then(|(id, seconds)| {
                let at = Timestamp::from_second(seconds.trim().parse().ok()?).ok()?;
                Some((id.to_owned(), at))
            });
            status = rest;
        }
        match status.trim_start().chars().next()? {
            // A copy leaves its origin in place, but git only looks for copies when asked.
            'R' => Some(Pending::Old),
            'C' => Some(Pending::Old),
            'A' => Some(Pending::Added),
            _ => Some(Pending::Path),
        }
    }

    fn touched(&mut self, path: &str) {
        let today = self.today(path);
        self.paths.push(today);
    }

    fn today(&self, path: &str) -> String {
        self.names.get(path).cloned().unwrap_or_else(|| path.to_owned())
    }

    /// Ends the commit at hand: every file it touched learns of it.
    fn close(&mut self) {
        let paths = std::mem::take(&mut self.paths);
        for name in self.born.drain(..) {
            self.names.remove(&name);
        }
        let Some((id, at)) = self.commit.take() else { return };
        self.history.newest = self.history.newest.max(Some(at));
        let files = paths.len() as u32;
        for path in paths {
            let path = self.prefix.join(path).into_string();
            self.history.commits.entry(path).or_default().push(Commit { id: id.clone(), at, files });
        }
    }
}
