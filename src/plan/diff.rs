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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_far_apart_stand_in_hunks_of_their_own() {
        let old: String = (0..20).map(|n| format!("l{n}\n")).collect();
        let new = old.replace("l1\n", "X\n").replace("l18\n", "Y\n");
        let diff = unified_diff("f".into(), &old, &new);
        assert_eq!(diff.matches("@@ -").count(), 2);
        assert!(diff.starts_with("--- a/f\n+++ b/f\n@@ -1,5 +1,5 @@\n l0\n-l1\n+X\n l2\n"), "{diff}");
    }

    #[test]
    fn a_missing_last_newline_is_said() {
        assert!(
            unified_diff("f".into(), "a", "b")
                .ends_with("-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n")
        );
        assert_eq!(unified_diff("f".into(), "a", "a"), "");
    }
}
