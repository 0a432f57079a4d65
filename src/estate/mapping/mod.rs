//! Job configs in a house's own YAML or JSON, read by a mapping that says which key means what.
//!
//! A mapping is a file `format: carve-mapping/1` of the estate, or a preset that ships with carve (`presets.yaml`). `rules`
//! reads mappings, `pick` finds values of an entry, and `entries` makes jobs of them. docs/READERS.md describes the format.
mod entries;
mod pick;
mod rules;

use camino::Utf8Path;
use rayon::prelude::*;

use self::rules::Rule;
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        FileFormat,
        reader::{Around, Reader, Reading},
        text_file::TextFile,
        yaml,
    },
};

const FORMAT: &str = "carve-mapping/1";

/// Configs that some mappings fit.
pub(crate) struct Mapped {
    rules: Vec<Rule>,
}

impl Mapped {
    /// The presets that ship with carve.
    pub(crate) fn presets() -> Mapped {
        let file = TextFile::inside("presets.yaml".into(), include_str!("presets.yaml").to_owned());
        let (rules, _) = rules::read(&file);
        Mapped { rules }
    }

    /// The mappings of the estate's own files, and what is wrong with them.
    pub(crate) fn of(files: &[&TextFile], around: &Around<'_>) -> (Mapped, Vec<Diagnostic>) {
        let (mut rules, mut faults) = (Vec::new(), Vec::new());
        for file in files.iter().filter(|file| is_mapping(file)) {
            let (own, told) = rules::read(file);
            for rule in own.iter().filter(|rule| !rule.files.iter().any(|glob| around.any_fits(glob))) {
                let here = format!("mapping `{}` fits no file", rule.name);
                faults.push(Diagnostic::new(CodeEntry::E028, rule.at.clone(), here));
            }
            rules.extend(own);
            faults.extend(told);
        }
        (Mapped { rules }, faults)
    }

    /// Paths that its mappings name and that are opened for no other reader: JSON.
    pub(crate) fn further(&self, around: &Around<'_>) -> Vec<TextFile> {
        let globs = self.rules.iter().flat_map(|rule| &rule.files).filter(|glob| !glob.ends_with("ml"));
        globs.flat_map(|glob| around.all_that_fit(glob)).filter_map(|path| around.text_at(&path)).collect()
    }
}

/// Whether `file` says that it is a mapping.
pub(crate) fn is_mapping(file: &TextFile) -> bool {
    file.text.contains(FORMAT) && file.text.lines().any(|line| line.starts_with("format:") && line.contains(FORMAT))
}

/// A config with template statements in it, both of whose branches count: they become blanks, and places stay true.
fn unbranched(file: &TextFile) -> TextFile {
    if !file.text.contains("{%") {
        return file.clone();
    }
    let mut text = file.text.to_string();
    let mut from = 0;
    while let Some(start) = text[from..].find("{%").map(|at| from + at) {
        let end = text[start..].find("%}").map_or(text.len(), |at| start + at + 2);
        let blank: String = text[start..end].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
        text.replace_range(start..end, &blank);
        from = end;
    }
    file.with_text(text)
}

impl Reader for Mapped {
    fn format(&self) -> FileFormat {
        FileFormat::Mapped
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        self.rules.iter().any(|rule| rule.fits(path))
    }

    fn claims(&self, file: &TextFile) -> bool {
        self.rules.iter().any(|rule| rule.fits(&file.path) && rule.looks_right(&file.text))
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        match yaml::document(&unbranched(file)) {
            Ok(root) => {
                let fitting = self.rules.iter().filter(|rule| rule.fits(&file.path) && rule.looks_right(&file.text));
                fitting.for_each(|rule| entries::read(rule, &root, file, around, &mut reading));
            }
            Err(fault) => reading.faults.push(fault),
        }
        reading
    }

    fn read_all(&self, files: &[&TextFile], around: &Around<'_>) -> Vec<Reading> {
        files.par_iter().map(|file| self.read(file, around)).collect()
    }
}
