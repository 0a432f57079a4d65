//! SQL files that templates of other files include: pieces of those, no jobs of their own.
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::{Arc, LazyLock},
};

use camino::{Utf8Path, Utf8PathBuf};
use regex::Regex;

use super::{
    paths::{beside, folder_of},
    text_file::TextFile,
};

static INCLUDE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\{%[-+]?\s*include\s+(?:'([^'\n]+)'|"([^"\n]+)")[^%]*%\}"#)
        .expect("the pattern is written here and a test runs it")
});

/// The tags of `text` that include a file by its name: their bytes, and the name.
pub(crate) fn included_names(text: &str) -> Vec<(Range<usize>, &str)> {
    let found = INCLUDE.captures_iter(text).filter_map(|captures| {
        let name = captures.get(1).or(captures.get(2))?.as_str();
        Some((captures.get(0)?.range(), name))
    });
    found.collect()
}

/// Texts that templates include, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fragments(BTreeMap<Utf8PathBuf, Arc<str>>);

impl Fragments {
    /// The fragments `texts`.
    #[cfg(test)]
    pub(crate) fn of(texts: BTreeMap<Utf8PathBuf, Arc<str>>) -> Self {
        Fragments(texts)
    }

    /// The files of `all` that a template among them includes, or one of `texts`, each with the file it stands in.
    pub(crate) fn among<'t>(
        all: &'t BTreeMap<Utf8PathBuf, TextFile>,
        texts: impl Iterator<Item = (&'t Utf8Path, &'t str)>,
    ) -> Self {
        let mut found = BTreeSet::new();
        let own = all.values().map(|file| (file.path.as_path(), &*file.text));
        for (path, text) in own.chain(texts).filter(|(_, text)| text.contains("include")) {
            let named = included_names(text);
            found.extend(named.into_iter().filter_map(|(_, name)| resolved(path, name, all)));
        }
        Fragments(found.into_iter().filter_map(|path| Some((path.clone(), all.get(path)?.text.clone()))).collect())
    }

    /// The paths.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Utf8PathBuf> {
        self.0.keys()
    }

    /// The text that `file` means by `name`, and its path.
    pub(crate) fn find(&self, file: &Utf8Path, name: &str) -> Option<(Utf8PathBuf, Arc<str>)> {
        let path = resolved(file, name, &self.0)?;
        Some((path.clone(), self.0.get(path)?.clone()))
    }
}

/// The path that `file` means by `name`: beside it, else from the nearest folder above, else the only one that ends so.
fn resolved<'a, V>(file: &Utf8Path, name: &str, all: &'a BTreeMap<Utf8PathBuf, V>) -> Option<&'a Utf8PathBuf> {
    let mut folder = folder_of(file);
    loop {
        let path = beside(folder, name);
        if let Some((path, _)) = path.and_then(|path| all.get_key_value(&path)).filter(|(path, _)| *path != file) {
            return Some(path);
        }
        if folder.as_str().is_empty() {
            break;
        }
        folder = folder_of(folder);
    }
    let ending = beside(Utf8Path::new(""), name.trim_start_matches(['.', '/']))?;
    let mut fitting = all.keys().filter(|path| path.ends_with(&ending) && *path != file);
    fitting.next().filter(|_| fitting.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_for_beside_above_and_by_its_ending() {
        let all = ["a/b/x.sql", "a/y.sql", "z/parts/w.sql", "z/v.sql", "u/v.sql"];
        let all: BTreeMap<Utf8PathBuf, ()> = all.map(|path| (path.into(), ())).into();
        let found = |name: &str| resolved("a/b/m.sql".as_ref(), name, &all).map(|path| path.as_str());
        assert_eq!(found("./x.sql"), Some("a/b/x.sql"));
        assert_eq!(found("y.sql"), Some("a/y.sql"));
        assert_eq!(found("parts/w.sql"), Some("z/parts/w.sql"));
        // Two end so: nobody can say which.
        assert_eq!(found("v.sql"), None);
        let text = "{%- include \"q.sql\" -%} {% include name %}";
        assert_eq!(included_names(text), [(0..23, "q.sql")]);
    }
}
