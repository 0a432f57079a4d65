//! How much SQL was understood, added up by dialect and by the format of the files it stands in.
use std::collections::{HashMap, HashSet};

use camino::Utf8Path;

use crate::{
    estate::{Estate, FileFormat},
    lineage::{Coverage, Lineage},
};

/// Adds up coverage; each file counts once a dialect.
pub(in crate::lineage) struct Covered<'a> {
    formats: HashMap<&'a Utf8Path, FileFormat>,
    counted: HashSet<(&'a Utf8Path, &'static str)>,
}

impl<'a> Covered<'a> {
    /// Nothing added yet.
    pub(in crate::lineage) fn of(estate: &'a Estate) -> Self {
        let formats = estate.files.iter().map(|file| (file.path.as_path(), file.format)).collect();
        Covered { formats, counted: HashSet::new() }
    }

    /// Adds the script of `file` that was read in `dialect`.
    pub(in crate::lineage) fn add(
        &mut self,
        lineage: &mut Lineage,
        file: &'a Utf8Path,
        dialect: &'static str,
        one: &Coverage,
    ) {
        // A file within an archive has the archive's format.
        let format = file.ancestors().find_map(|path| self.formats.get(path)).copied().unwrap_or(FileFormat::Other);
        let of_format = lineage.formats.entry((format, dialect.to_owned())).or_default();
        of_format.files += u64::from(self.counted.insert((file, dialect)));
        sum(&mut of_format.coverage, one);
        sum(lineage.coverage.entry(dialect.to_owned()).or_default(), one);
    }
}

fn sum(sum: &mut Coverage, one: &Coverage) {
    sum.scripts += one.scripts;
    sum.statements += one.statements;
    sum.parsed += one.parsed;
    sum.helped += one.helped;
    sum.scanned += one.scanned;
    sum.not_understood += one.not_understood;
}
