//! Paths as spans write them: from the first root, `/` between the parts, no `.` or `..` left.
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

/// `path` as written in a file of folder `from`; `None` where it leads out of the estate.
pub(crate) fn beside(from: &Utf8Path, path: &str) -> Option<Utf8PathBuf> {
    let mut parts: Vec<&str> = Vec::new();
    let written = path.replace('\\', "/");
    for part in from.components().chain(Utf8Path::new(&written).components()) {
        match part {
            Utf8Component::Normal(part) => parts.push(part),
            Utf8Component::CurDir => {}
            Utf8Component::ParentDir => {
                parts.pop()?;
            }
            Utf8Component::RootDir | Utf8Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/").into())
}

/// The folder of `path`; empty at the top.
pub(crate) fn folder_of(path: &Utf8Path) -> &Utf8Path {
    path.parent().unwrap_or(Utf8Path::new(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_counts_from_the_file_that_names_it() {
        let beside = |from: &str, path: &str| super::beside(from.as_ref(), path).map(Utf8PathBuf::into_string);
        assert_eq!(beside("jobs", "../sql/./a.sql"), Some("sql/a.sql".to_owned()));
        assert_eq!(beside("", "a.sql"), Some("a.sql".to_owned()));
        assert_eq!(beside("jobs", "../../a.sql"), None);
        assert_eq!(beside("jobs", "/etc/passwd"), None);
    }
}
