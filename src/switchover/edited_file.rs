use camino::Utf8Path;

use crate::plan::{FileEdit, SpanEdit, apply_edits, file_edit};

/// `text` with `edits` made in it, and the record of the change.
///
/// # Errors
/// In words: edits that overlap, or that do not find what they replace.
pub(super) fn edited(file: &Utf8Path, text: &str, mut edits: Vec<SpanEdit>) -> Result<(FileEdit, String), String> {
    edits.sort_by_key(|edit| (edit.start, edit.end));
    edits.dedup();
    if edits.windows(2).any(|pair| pair[1].start < pair[0].end) {
        return Err("two tables are named in one place of its SQL".to_owned());
    }
    let gone = edits.iter().find(|edit| text.get(edit.start..edit.end) != Some(edit.old.as_str()));
    let missing =
        gone.map_or_else(String::new, |edit| format!("`{}` is not where it was read: read the estate again", edit.old));
    let content = apply_edits(text, &edits).ok_or_else(|| missing.clone())?;
    let record = file_edit(file, text, edits).ok_or(missing)?;
    Ok((record, content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Digest;

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
