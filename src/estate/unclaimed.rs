//! Configs that no reader claims: one that does not parse may hide jobs, so it is told.
use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use crate::{
    diagnostics::{CodeEntry, Diagnostic, Diagnostics},
    estate::{FileFormat, text_file::TextFile, yaml},
    vocab::Span,
};

/// The faults of YAML files that are in none of `claimed`, in the order of paths.
pub(super) fn malformed_yaml(
    files: &BTreeMap<Utf8PathBuf, TextFile>,
    claimed: &BTreeMap<Utf8PathBuf, FileFormat>,
) -> Vec<Diagnostic> {
    let unclaimed: Vec<&TextFile> = files.values().filter(|file| !claimed.contains_key(&file.path)).collect();
    unclaimed.par_iter().filter_map(|file| yaml::document(file).err().map(|fault| of_config(file, fault))).collect()
}

fn of_config(file: &TextFile, fault: Diagnostic) -> Diagnostic {
    // A chart or playbook is no YAML before it is rendered: say so, rather than show what the parser tripped over.
    let templated = ["{{", "{%", "<%"].iter().any(|tag| file.text.contains(tag));
    let here = match templated {
        true => "it is a template, and no YAML before something renders it".to_owned(),
        false => format!("no YAML: {}", fault.here),
    };
    Diagnostic::new(CodeEntry::E029, fault.at, here)
}

/// The fault of a JSON file that does not parse. Comments, which many tools allow, are no fault.
pub(super) fn malformed_json(path: &Utf8Path, bytes: &[u8]) -> Option<Diagnostic> {
    let text = std::str::from_utf8(bytes).ok()?;
    let text = text.trim_start_matches('\u{feff}');
    let commented = text.lines().any(|line| line.contains("//") || line.contains("/*"));
    if !text.trim_start().starts_with(['{', '[']) || commented {
        return None;
    }
    let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
    // A stream of values is JSON lines under another name.
    let stream = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>().all(|one| one.is_ok());
    (!stream).then(|| {
        let start = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
        let at = (start + error.column().saturating_sub(1)).min(text.len());
        let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        Diagnostic::new(CodeEntry::E029, Span::of(path, text, at, at), format!("no JSON: {error}"))
    })
}

/// `faults` without those of this file where a reader that claims the config told its fault in its own words.
pub(super) fn but_once(faults: &Diagnostics) -> Diagnostics {
    let malformed = [CodeEntry::E004, CodeEntry::E007].map(|code| code.code);
    let told: BTreeSet<&Utf8PathBuf> =
        faults.iter().filter(|fault| malformed.contains(&fault.code.code)).map(|fault| &fault.at.file).collect();
    let mut once = Diagnostics::default();
    let twice = |fault: &&Diagnostic| fault.code == CodeEntry::E029 && told.contains(&fault.at.file);
    once.extend(faults.iter().filter(|fault| !twice(fault)).cloned());
    once
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_json_file_that_breaks_off_is_told_where() {
        let fault = malformed_json("jobs/a.json".into(), b"{\n  \"sql\": \"x\",\n").unwrap();
        assert_eq!((fault.code.code, fault.at.line), ("E029", 3));
    }

    #[test]
    fn json_with_comments_json_lines_and_other_text_are_no_fault() {
        for text in ["{ // why\n \"a\": 1 }", "{\"a\":1}\n{\"a\":2}\n", "not json at all", "", "\u{feff}[1]"] {
            assert!(malformed_json("x.json".into(), text.as_bytes()).is_none(), "{text}");
        }
    }
}
