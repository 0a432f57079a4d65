//! What reading one file needs of the rest of the estate.
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::estate::{paths, read_file, text_file::TextFile, walk::Found};

/// The rest of the estate, as a reader sees it.
pub(crate) struct Around<'a> {
    /// `vars` of carve.yaml.
    pub(crate) vars: &'a BTreeMap<String, String>,
    /// `dialect` of carve.yaml.
    pub(crate) dialect: Option<&'a str>,
    texts: Vec<&'a BTreeMap<Utf8PathBuf, TextFile>>,
    found: BTreeMap<&'a Utf8Path, &'a Found>,
    /// Files by the last part of their paths.
    by_name: BTreeMap<&'a str, Vec<&'a Utf8Path>>,
    limit: u64,
}

/// A file that was looked for.
#[derive(Debug)]
pub(crate) enum Sought {
    /// There it is.
    File(TextFile),
    /// It would be here, and is not.
    Missing(Utf8PathBuf),
    /// Its path leads out of the estate.
    Outside,
    /// Its path is known only when the job runs.
    Computed,
}

impl<'a> Around<'a> {
    /// The estate whose files are `found`, those of `texts` open already; no file over `limit` bytes is opened.
    pub(crate) fn new(
        found: &'a [Found],
        texts: Vec<&'a BTreeMap<Utf8PathBuf, TextFile>>,
        limit: u64,
        vars: &'a BTreeMap<String, String>,
        dialect: Option<&'a str>,
    ) -> Self {
        let mut by_name: BTreeMap<&str, Vec<&Utf8Path>> = BTreeMap::new();
        for file in found {
            by_name.entry(file.path.file_name().unwrap_or_default()).or_default().push(&file.path);
        }
        let found = found.iter().map(|file| (file.path.as_path(), file)).collect();
        Around { vars, dialect, texts, found, by_name, limit }
    }

    /// The text of the file at `path`, as far as it can be read.
    pub(crate) fn text_at(&self, path: &Utf8Path) -> Option<TextFile> {
        let open = self.texts.iter().find_map(|texts| texts.get(path)).cloned();
        open.or_else(|| read_file::text_of(self.found.get(path)?, self.limit))
    }

    /// Whether there is a file at `path`.
    pub(crate) fn is_file(&self, path: &Utf8Path) -> bool {
        self.found.contains_key(path)
    }

    /// Files directly in `folder` whose names fit the glob `pattern` (`*` and `?`), in order.
    pub(crate) fn glob(&self, folder: &Utf8Path, pattern: &str) -> Vec<Utf8PathBuf> {
        let Some(full) = paths::beside(folder, pattern) else { return Vec::new() };
        let wanted: Vec<&str> = full.components().map(|part| part.as_str()).collect();
        let fits = |path: &Utf8Path| {
            let parts: Vec<&str> = path.components().map(|part| part.as_str()).collect();
            parts.len() == wanted.len() && parts.iter().zip(&wanted).all(|(part, glob)| fits_glob(part, glob))
        };
        let fixed: Utf8PathBuf = full.components().take_while(|part| !part.as_str().contains(['*', '?'])).collect();
        let below = self.found.range(fixed.as_path()..).take_while(|(path, _)| path.starts_with(&fixed));
        below.filter(|(path, _)| fits(path)).map(|(path, _)| (*path).to_owned()).collect()
    }

    /// Files and folders whose paths from `folder` fit the glob `pattern`, in order.
    pub(crate) fn glob_all(&self, folder: &Utf8Path, pattern: &str) -> Vec<Utf8PathBuf> {
        let Some(full) = paths::beside(folder, pattern) else { return Vec::new() };
        let wanted: Vec<&str> = full.components().map(|part| part.as_str()).collect();
        let fixed: Utf8PathBuf = full.components().take_while(|part| !part.as_str().contains(['*', '?'])).collect();
        let mut found: Vec<Utf8PathBuf> = Vec::new();
        for (path, _) in self.found.range(fixed.as_path()..).take_while(|(path, _)| path.starts_with(&fixed)) {
            let parts: Vec<&str> = path.components().take(wanted.len()).map(|part| part.as_str()).collect();
            let fits =
                parts.len() == wanted.len() && parts.iter().zip(&wanted).all(|(part, glob)| fits_glob(part, glob));
            let whole = Utf8PathBuf::from(parts.join("/"));
            if fits && found.last() != Some(&whole) {
                found.push(whole);
            }
        }
        found
    }

    /// Whether the path of any file fits `glob`.
    pub(crate) fn any_fits(&self, glob: &str) -> bool {
        self.found.keys().any(|path| fits_path(path, glob))
    }

    /// Files whose paths fit `glob`, in order.
    pub(crate) fn all_that_fit(&self, glob: &str) -> Vec<Utf8PathBuf> {
        self.found.keys().filter(|path| fits_path(path, glob)).map(|path| (*path).to_owned()).collect()
    }

    /// The file that `written` names, counted from each of `folders` in turn; else the only file of the estate
    /// whose path ends so, because configs name paths of the machine they run on.
    pub(crate) fn find(&self, folders: &[&Utf8Path], written: &str) -> Sought {
        let written = written.trim();
        // What a variable stands for is not known; what comes behind it may be enough.
        let known = written.rsplit(['}', '$']).next().unwrap_or_default();
        let is_computed = known.len() < written.len();
        let known = if is_computed { known.split_once('/').map_or("", |(_, rest)| rest) } else { known };
        if known.is_empty() || known.contains(['*', '?', '{', '\n']) {
            return Sought::Computed;
        }
        let beside = folders.iter().filter_map(|folder| paths::beside(folder, known));
        if let Some(file) = beside.filter(|path| self.is_file(path)).find_map(|path| self.text_at(&path)) {
            return Sought::File(file);
        }
        if let Some(file) = self.ends_with(known).and_then(|path| self.text_at(path)) {
            return Sought::File(file);
        }
        if is_computed {
            return Sought::Computed;
        }
        let first = folders.first().copied().unwrap_or(Utf8Path::new(""));
        match paths::beside(first, known) {
            Some(path) => Sought::Missing(path),
            None if known.starts_with('/') => Sought::Missing(known.into()),
            None => Sought::Outside,
        }
    }

    /// The one file whose path ends with the most parts of `written`.
    fn ends_with(&self, written: &str) -> Option<&'a Utf8Path> {
        let parts: Vec<&str> = written.split(['/', '\\']).filter(|part| !matches!(*part, "" | "." | "..")).collect();
        let candidates = self.by_name.get(parts.last()?)?;
        let shared = |path: &Utf8Path| {
            let own = path.components().rev().map(|part| part.as_str().to_owned());
            own.zip(parts.iter().rev()).take_while(|(own, part)| own == *part).count()
        };
        let most = candidates.iter().map(|path| shared(path)).max()?;
        let mut best = candidates.iter().filter(|path| shared(path) == most);
        let (first, second) = (best.next()?, best.next());
        second.is_none().then_some(*first)
    }
}

/// Whether `path` fits a glob in which `**` stands for any number of folders.
pub(crate) fn fits_path(path: &Utf8Path, glob: &str) -> bool {
    // Most files fall at the first look at their names.
    let last = glob.rsplit('/').find(|part| !part.is_empty()).unwrap_or_default();
    if last != "**" && !fits_glob(path.file_name().unwrap_or_default(), last) {
        return false;
    }
    let parts: Vec<&str> = path.components().map(|part| part.as_str()).collect();
    let globs: Vec<&str> = glob.trim_start_matches("./").split('/').filter(|part| !part.is_empty()).collect();
    // Which of the first globs fit the parts so far.
    let mut open = vec![false; globs.len() + 1];
    open[0] = true;
    for at in 0..globs.len() {
        open[at + 1] = open[at] && globs[at] == "**";
    }
    for part in parts {
        let mut next = vec![false; globs.len() + 1];
        for (at, glob) in globs.iter().enumerate() {
            match *glob {
                "**" => next[at + 1] |= open[at] || open[at + 1],
                glob => next[at + 1] |= open[at] && fits_glob(part, glob),
            }
            if *glob == "**" && next[at] {
                next[at + 1] = true;
            }
        }
        open = next;
    }
    open[globs.len()]
}

/// Whether `text` fits a glob of `*` and `?`.
pub(crate) fn fits_glob(text: &str, glob: &str) -> bool {
    if text.is_ascii() && glob.is_ascii() {
        return fits(text.as_bytes(), glob.as_bytes(), [b'*', b'?']);
    }
    let (text, glob): (Vec<char>, Vec<char>) = (text.chars().collect(), glob.chars().collect());
    fits(&text, &glob, ['*', '?'])
}

fn fits<C: Copy + PartialEq>(text: &[C], glob: &[C], [any, one]: [C; 2]) -> bool {
    let (mut at, mut in_glob, mut star) = (0, 0, None);
    while at < text.len() {
        match glob.get(in_glob) {
            Some(c) if *c == any => {
                star = Some((in_glob, at));
                in_glob += 1;
            }
            Some(c) if *c == one || *c == text[at] => {
                at += 1;
                in_glob += 1;
            }
            _ => {
                let Some((star_at, matched)) = star else { return false };
                star = Some((star_at, matched + 1));
                at = matched + 1;
                in_glob = star_at + 1;
            }
        }
    }
    glob[in_glob..].iter().all(|c| *c == any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[&str]) -> (tempfile::TempDir, Vec<Found>) {
        let place = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(place.path()).unwrap().to_owned();
        let of = |path: &&str| {
            let on_disk = root.join(path);
            std::fs::create_dir_all(on_disk.parent().unwrap()).unwrap();
            std::fs::write(&on_disk, "select 1").unwrap();
            Found { path: (*path).into(), on_disk, bytes: 8 }
        };
        let found = paths.iter().map(of).collect();
        (place, found)
    }

    fn sought(around: &Around<'_>, from: &str, written: &str) -> String {
        match around.find(&[from.as_ref()], written) {
            Sought::File(file) => file.path.into_string(),
            Sought::Missing(path) => format!("missing {path}"),
            Sought::Outside => "outside".to_owned(),
            Sought::Computed => "computed".to_owned(),
        }
    }

    #[test]
    fn a_file_is_found_beside_or_by_the_end_of_its_path() {
        let (_place, found) = found(&["dags/sql/a.sql", "dags/sql/b.sql", "old/sql/b.sql", "x/c.sql"]);
        let vars = BTreeMap::new();
        let around = Around::new(&found, Vec::new(), 1_000, &vars, None);
        let sought = |written: &str| sought(&around, "dags", written);
        assert_eq!(sought("sql/a.sql"), "dags/sql/a.sql");
        assert_eq!(sought("/opt/airflow/dags/sql/b.sql"), "dags/sql/b.sql");
        assert_eq!(sought("${AIRFLOW_HOME}/old/sql/b.sql"), "old/sql/b.sql");
        assert_eq!(sought("{{ var.value.home }}/sql/a.sql"), "dags/sql/a.sql");
        assert_eq!(sought("${HOME}/other/b.sql"), "computed", "two files end so");
        assert_eq!(sought("${DIR}/c.sql"), "x/c.sql");
        assert_eq!(sought("sql/${name}.sql"), "computed");
        assert_eq!(sought("d.sql"), "missing dags/d.sql");
        assert_eq!(sought("../../d.sql"), "outside");
    }

    #[test]
    fn two_stars_stand_for_any_number_of_folders() {
        for (path, glob, fits) in [
            ("a.yaml", "**/*.yaml", true),
            ("x/y/a.yaml", "**/*.yaml", true),
            ("x/y/a.yaml", "x/**/a.yaml", true),
            ("x/a.yaml", "x/**/a.yaml", true),
            ("x/y/a.yaml", "x/*.yaml", false),
            ("x/y", "x/**", true),
            ("y/a.yaml", "x/**", false),
        ] {
            assert_eq!(fits_path(path.as_ref(), glob), fits, "{path} {glob}");
        }
    }

    #[test]
    fn a_glob_lists_files_in_order() {
        let (_place, found) = found(&["a/1.sql", "a/2.sql", "a/b/3.sql", "a/x.txt", "ab/4.sql"]);
        let vars = BTreeMap::new();
        let around = Around::new(&found, Vec::new(), 1_000, &vars, None);
        assert_eq!(around.glob("a".as_ref(), "*.sql"), ["a/1.sql", "a/2.sql"]);
        assert_eq!(around.glob("".as_ref(), "a/*/?.sql"), ["a/b/3.sql"]);
        assert_eq!(around.glob_all("".as_ref(), "a/*"), ["a/1.sql", "a/2.sql", "a/b", "a/x.txt"]);
        assert!(fits_glob("abc", "a*c*") && !fits_glob("abc", "a*b"));
    }
}
