//! Files of BI tools into exposures: every folder of `fixtures/bi` holds a small estate and, beside it, what a
//! person reads in it.
use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use camino::{Utf8Path, Utf8PathBuf};
use carve::{
    diagnostics::Diagnostics,
    estate::{Estate, Exposure, LoadOptions, load},
    lineage::{self, Access, Lineage},
    progress::Silent,
};
use pretty_assertions::assert_eq;

#[test]
fn each_tool_s_files_give_the_exposures_a_person_reads_in_them() {
    let only = std::env::var("CARVE_BI").unwrap_or_default();
    let mut wrong = Vec::new();
    for folder in folders().iter().filter(|folder| folder.as_str().ends_with(&only)) {
        let (estate, faults) = load(&[folder.join("estate")], &LoadOptions::default(), &Silent);
        let found = shown(&estate, faults);
        let expected = fs::read_to_string(folder.join("exposures.txt")).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{folder}:\n{}", pretty_assertions::StrComparison::new(&found, &expected)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sql_of_every_tool_leads_back_to_its_bytes() {
    let mut checked = 0;
    for folder in folders() {
        let (estate, _) = load(&[folder.join("estate")], &LoadOptions::default(), &Silent);
        for script in estate.exposures.iter().flat_map(|one| &one.scripts).filter(|script| script.verbatim) {
            let bytes = fs::read(folder.join("estate").join(&script.at.file)).unwrap();
            let there = &bytes[script.at.start..script.at.end];
            // Marks of the tool's own templates are blanked or renamed, each byte for one.
            assert_eq!(there.len(), script.text.len(), "{}", script.at);
            let lines = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(lines(there), lines(script.text.as_bytes()), "{}", script.at);
            checked += 1;
        }
    }
    assert!(checked > 0);
}

#[test]
fn a_file_cut_anywhere_is_told_and_never_stops_the_rest() {
    for folder in folders() {
        let place = tempfile::tempdir().unwrap();
        let root = Utf8Path::from_path(place.path()).unwrap();
        let files = files_below(&folder.join("estate"));
        for file in &files {
            let copy = root.join(file.strip_prefix(folder.join("estate")).unwrap());
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(file, copy).unwrap();
        }
        for file in &files {
            let copy = root.join(file.strip_prefix(folder.join("estate")).unwrap());
            let whole = fs::read(file).unwrap();
            for cut in [1, 2, 3].map(|part| whole.len() * part / 4) {
                fs::write(&copy, &whole[..cut]).unwrap();
                let (estate, faults) = load(&[root.to_owned()], &LoadOptions::default(), &Silent);
                shown(&estate, faults);
            }
            fs::write(&copy, whole).unwrap();
        }
    }
}

fn files_below(folder: &Utf8Path) -> Vec<Utf8PathBuf> {
    let mut files = Vec::new();
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        match path.is_dir() {
            true => files.extend(files_below(&path)),
            false => files.push(path),
        }
    }
    files
}

fn folders() -> Vec<Utf8PathBuf> {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bi");
    let mut folders: Vec<_> =
        fs::read_dir(home).unwrap().map(|entry| Utf8PathBuf::from_path_buf(entry.unwrap().path()).unwrap()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    folders
}

/// The exposures with what they read, the faults and the counts, one line each.
fn shown(estate: &Estate, mut faults: Diagnostics) -> String {
    let (lineage, told) = lineage::read(estate, &Silent);
    faults.extend(told);
    let mut text = String::new();
    for exposure in &estate.exposures {
        show(exposure, &lineage, &mut text);
    }
    for job in &estate.jobs {
        writeln!(text, "job {}", job.id).unwrap();
    }
    // That stars are not expanded and columns unknown is no matter of these files.
    for fault in faults.iter().filter(|fault| !matches!(fault.code.code, "E018" | "E019" | "E034" | "E035")) {
        writeln!(text, "{} {} {}", fault.code.code, fault.at, fault.here).unwrap();
    }
    for (format, c) in &estate.coverage {
        writeln!(text, "{format:?}: {} files, {} pieces, {} opaque", c.files, c.pieces, c.opaque).unwrap();
    }
    text
}

fn show(exposure: &Exposure, lineage: &Lineage, text: &mut String) {
    write!(text, "{} ({}) at {}", exposure.id, exposure.kind, exposure.at).unwrap();
    writeln!(text, "{}", exposure.owner.as_ref().map(|owner| format!(", owner {owner}")).unwrap_or_default()).unwrap();
    for part in &exposure.parts {
        writeln!(text, "  part {part}").unwrap();
    }
    for script in &exposure.scripts {
        writeln!(text, "  {}", script.dialect.as_deref().unwrap_or("?")).unwrap();
    }
    let uses = lineage.exposures.get(&exposure.id).into_iter().flatten().filter(|one| one.access == Access::Read);
    let reads: BTreeSet<String> = uses.map(|one| format!("  reads {} at {}\n", one.dataset, one.at)).collect();
    text.extend(reads);
}
