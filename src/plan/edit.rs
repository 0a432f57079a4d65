//! Edits by span: every byte outside a span stays.
use camino::Utf8Path;

use super::{FileEdit, SpanEdit, mention, unified_diff};
use crate::vocab::Digest;

/// `text` after `edits`; `None` when an edit is out of order, out of range, or does not find its `old` text.
pub fn apply_edits(text: &str, edits: &[SpanEdit]) -> Option<String> {
    let mut after = String::with_capacity(text.len());
    let mut at = 0;
    for edit in edits {
        if edit.start < at || text.get(edit.start..edit.end)? != edit.old {
            return None;
        }
        after.push_str(&text[at..edit.start]);
        after.push_str(&edit.new);
        at = edit.end;
    }
    after.push_str(text.get(at..)?);
    Some(after)
}

/// The edit of one whole file, with both digests and its diff; `None` when the edits do not fit the text.
pub fn file_edit(file: &Utf8Path, text: &str, edits: Vec<SpanEdit>) -> Option<FileEdit> {
    let after = apply_edits(text, &edits)?;
    Some(FileEdit {
        file: file.to_owned(),
        before: Digest::of(text),
        after: Digest::of(&after),
        diff: unified_diff(file, text, &after),
        mentions: edits.iter().map(|edit| mention::number(text, &edit.old, edit.start)).collect(),
        meaning: None,
        edits,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, old: &str, new: &str) -> SpanEdit {
        SpanEdit { start, end: start + old.len(), old: old.into(), new: new.into() }
    }

    #[test]
    fn bytes_outside_the_spans_stay() {
        let text = "from a join b\r\n-- a\n";
        let after = apply_edits(text, &[edit(5, "a", "a__import"), edit(12, "b", "c")]).unwrap();
        assert_eq!(after, "from a__import join c\r\n-- a\n");
    }

    #[test]
    fn an_edit_that_does_not_find_its_text_changes_nothing() {
        for edits in [vec![edit(5, "x", "y")], vec![edit(5, "a", "y"), edit(0, "f", "g")], vec![edit(90, "a", "b")]] {
            assert_eq!(apply_edits("from a", &edits), None);
        }
    }

    #[test]
    fn a_diff_names_the_file_and_both_lines() {
        let edit = file_edit("jobs/a.sql".into(), "select 1\nfrom a\n", vec![edit(14, "a", "b")]).unwrap();
        assert!(edit.diff.starts_with("--- a/jobs/a.sql\n+++ b/jobs/a.sql\n@@"), "{}", edit.diff);
        assert!(edit.diff.contains("-from a\n+from b\n"));
    }
}
