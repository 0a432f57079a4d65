//! A unified diff of two texts with the same number of lines, which is all that renaming a table makes.

const CONTEXT: usize = 3;

/// The diff of `file` from `old` to `new`; empty where they are equal.
pub(super) fn unified(file: &str, old: &str, new: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let changed: Vec<usize> = (0..old.len().max(new.len())).filter(|at| old.get(*at) != new.get(*at)).collect();
    let mut diff = String::new();
    if changed.is_empty() {
        return diff;
    }
    diff.push_str(&format!("--- a/{file}\n+++ b/{file}\n"));
    for (first, last) in hunks(&changed) {
        hunk(&mut diff, &old, &new, first, last);
    }
    diff
}

/// First and last changed line of each hunk: changes whose contexts touch stand together.
fn hunks(changed: &[usize]) -> Vec<(usize, usize)> {
    let mut hunks: Vec<(usize, usize)> = Vec::new();
    for at in changed {
        match hunks.last_mut() {
            Some((_, last)) if *at <= *last + 2 * CONTEXT => *last = *at,
            _ => hunks.push((*at, *at)),
        }
    }
    hunks
}

fn hunk(diff: &mut String, old: &[&str], new: &[&str], first: usize, last: usize) {
    let from = first.saturating_sub(CONTEXT);
    let to = (last + 1 + CONTEXT).min(old.len());
    let size = to - from;
    diff.push_str(&format!("@@ -{},{size} +{},{size} @@\n", from + 1, from + 1));
    let mut at = from;
    while at < to {
        if old[at] == new[at] {
            line(diff, ' ', old[at]);
            at += 1;
            continue;
        }
        let end = (at..to).find(|n| old[*n] == new[*n]).unwrap_or(to);
        old[at..end].iter().for_each(|text| line(diff, '-', text));
        new[at..end].iter().for_each(|text| line(diff, '+', text));
        at = end;
    }
}

fn line(diff: &mut String, sign: char, text: &str) {
    diff.push(sign);
    diff.push_str(text);
    if !text.ends_with('\n') {
        diff.push_str("\n\\ No newline at end of file\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_far_apart_stand_in_hunks_of_their_own() {
        let old: String = (0..20).map(|n| format!("l{n}\n")).collect();
        let new = old.replace("l1\n", "X\n").replace("l18\n", "Y\n");
        let diff = unified("f", &old, &new);
        assert_eq!(diff.matches("@@ -").count(), 2);
        assert!(diff.starts_with("--- a/f\n+++ b/f\n@@ -1,5 +1,5 @@\n l0\n-l1\n+X\n l2\n"), "{diff}");
    }

    #[test]
    fn a_missing_last_newline_is_said() {
        assert!(
            unified("f", "a", "b").ends_with("-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n")
        );
        assert_eq!(unified("f", "a", "a"), "");
    }
}
