//! Changes as people read them. The one file that knows `similar`.
use camino::Utf8Path;
use similar::TextDiff;

/// The change of one file as a unified diff that `git apply` and `patch -p1` take; empty when nothing changed.
pub fn unified_diff(file: &Utf8Path, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{file}"), &format!("b/{file}"))
        .to_string()
}
