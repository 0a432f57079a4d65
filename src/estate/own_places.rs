//! Where carve's own data lies inside the estate: its bucket and the lake are no files of the team's.
use camino::{Utf8Path, Utf8PathBuf};

use crate::estate::EstateSettings;

/// Folders and files of the configured bucket and lake on this machine. Relative ones count from `first`, the first
/// root; `env:NAME` counts where the variable is set. An address elsewhere (`s3:`) is no place here.
pub(crate) fn own_places(settings: &EstateSettings, first: Option<&Utf8Path>) -> Vec<Utf8PathBuf> {
    let urls = ["bucket", "lake"].iter().filter_map(|role| settings.connections.get(*role));
    urls.filter_map(|url| place(&resolved(url)?, first?)).collect()
}

fn resolved(url: &str) -> Option<String> {
    match url.trim().strip_prefix("env:") {
        Some(name) => std::env::var(name).ok(),
        None => Some(url.to_owned()),
    }
}

fn place(url: &str, first: &Utf8Path) -> Option<Utf8PathBuf> {
    let (scheme, rest) = url.trim().split_once(':')?;
    if !["file", "sqlite"].iter().any(|local| scheme.eq_ignore_ascii_case(local)) {
        return None;
    }
    let path = rest.split('?').next().unwrap_or_default();
    let path = first.join(path.strip_prefix("//").unwrap_or(path));
    // What is not there yet cannot be walked into.
    path.canonicalize_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_lies_on_this_machine_is_a_place() {
        let keep = tempfile::tempdir().unwrap();
        let base = Utf8PathBuf::from_path_buf(keep.path().canonicalize().unwrap()).unwrap();
        std::fs::create_dir_all(base.join("bucket")).unwrap();
        std::fs::write(base.join("lake.db"), "").unwrap();
        let of = |url: &str| {
            let mut settings = EstateSettings::default();
            settings.connections.insert("bucket".to_owned(), url.to_owned());
            own_places(&settings, Some(&base))
        };
        assert_eq!(of("file:bucket"), [base.join("bucket")]);
        assert_eq!(of("file://bucket"), [base.join("bucket")]);
        assert_eq!(of("sqlite:lake.db?x=1"), [base.join("lake.db")]);
        assert_eq!(of(&format!("file:{base}/bucket")), [base.join("bucket")]);
        for none in ["s3://bucket/x", "file:gone", "env:CARVE_NO_SUCH_VARIABLE"] {
            assert!(of(none).is_empty(), "{none}");
        }
    }
}
