//! Changes as people read them. The one file that knows `similar`.
use camino::Utf8Path;
use similar::TextDiff;

use crate::vocab::masked;

/// The change of one file as a unified diff that `git apply` and `patch -p1` take; empty when nothing changed.
///
/// No secret is in it: there is less context where that is enough to leave the secret's line out; else the line is
/// masked, and a line before the diff says that it cannot be applied by hand.
pub fn unified_diff(file: &Utf8Path, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let (covered_before, covered_after) = (masked(before), masked(after));
    let whole = (1..=CONTEXT_LINES).rev().map(|context| diff(file, before, after, context));
    let covered = (1..=CONTEXT_LINES).rev().map(|context| diff(file, &covered_before, &covered_after, context));
    if let Some((whole, _)) = whole.zip(covered).find(|(whole, covered)| whole == covered) {
        return whole;
    }
    let covered = diff(file, &covered_before, &covered_after, CONTEXT_LINES);
    format!("# {file}: a line with a secret is masked below, so only `carve apply` can make this change\n{covered}")
}

const CONTEXT_LINES: usize = 3;

fn diff(file: &Utf8Path, before: &str, after: &str, context: usize) -> String {
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(context)
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
    fn a_secret_near_an_edit_costs_context_and_one_beside_it_is_masked() {
        let old = "-- password=hunter2-SECRET\nselect 1\nfrom a\n";
        let near = unified_diff("f".into(), old, &old.replace("from a", "from b"));
        assert_eq!(near, "--- a/f\n+++ b/f\n@@ -2,2 +2,2 @@\n select 1\n-from a\n+from b\n");
        let beside = unified_diff("f".into(), old, &old.replace("select 1", "select 2"));
        assert!(beside.starts_with("# f: a line with a secret is masked below"), "{beside}");
        assert!(!beside.contains("SECRET") && beside.contains("-select 1\n+select 2\n"), "{beside}");
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
