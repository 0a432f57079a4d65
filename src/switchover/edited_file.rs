use camino::Utf8Path;

use crate::{
    plan::{FileEdit, SpanEdit, unified_diff},
    vocab::Digest,
};

/// `text` with `edits` made in it, and the record of the change.
///
/// # Errors
/// In words: edits that overlap, or that do not find what they replace.
pub(super) fn edited(file: &Utf8Path, text: &str, mut edits: Vec<SpanEdit>) -> Result<(FileEdit, String), String> {
    edits.sort_by_key(|edit| (edit.start, edit.end));
    edits.dedup();
    let mut content = String::with_capacity(text.len());
    let mut at = 0;
    for edit in &edits {
        if edit.start < at {
            return Err("two tables are named in one place of its SQL".to_owned());
        }
        if text.get(edit.start..edit.end) != Some(edit.old.as_str()) {
            return Err(format!("`{}` is not where it was read: read the estate again", edit.old));
        }
        content.push_str(&text[at..edit.start]);
        content.push_str(&edit.new);
        at = edit.end;
    }
    content.push_str(&text[at..]);
    let diff = unified_diff(file, text, &content);
    let (before, after) = (Digest::of(text), Digest::of(&content));
    Ok((FileEdit { file: file.to_owned(), before, after, edits, diff }, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, old: &str, new: &str) -> SpanEdit {
        SpanEdit { start, end: start + old.len(), old: old.into(), new: new.into() }
    }

    #[test]
    fn every_byte_outside_the_edits_stays() {
        let text = "a: x\r\nb: 'x'  # é\n";
        let (record, content) = edited("f.yaml".into(), text, vec![edit(10, "x", "yy"), edit(3, "x", "yy")]).unwrap();
        assert_eq!(content, "a: yy\r\nb: 'yy'  # é\n");
        assert_eq!(record.after, Digest::of(&content));
    }

    #[test]
    fn an_edit_that_does_not_find_its_text_is_refused() {
        assert!(edited("f".into(), "abc", vec![edit(1, "x", "y")]).is_err());
        assert!(edited("f".into(), "abc", vec![edit(9, "x", "y")]).is_err());
        assert!(edited("f".into(), "abc", vec![edit(0, "ab", "y"), edit(1, "b", "z")]).is_err());
    }
}
