//! Files of other tools into jobs: every folder of `fixtures/readers` holds a small estate and, beside it, what
//! a person reads in it.
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use camino::{Utf8Path, Utf8PathBuf};
use carve::{
    diagnostics::Diagnostics,
    estate::{Estate, Job, LoadOptions, Script, load},
    progress::Silent,
};
use pretty_assertions::assert_eq;
use proptest::prelude::*;

#[test]
fn each_format_gives_the_jobs_a_person_reads_in_it() {
    let home = std::env::var("CARVE_READERS").map_or_else(|_| home(), PathBuf::from);
    let mut folders: Vec<_> = fs::read_dir(home).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let only = std::env::var("CARVE_READER").unwrap_or_default();
    assert!(!folders.is_empty());
    let mut wrong = Vec::new();
    for folder in folders.iter().filter(|folder| folder.to_string_lossy().ends_with(&only)) {
        let root = Utf8PathBuf::from_path_buf(folder.join("estate")).unwrap();
        let (estate, faults) = read(&root);
        let found = shown(&estate, &faults);
        let expected = fs::read_to_string(folder.join("jobs.txt")).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{}:\n{}", folder.display(), pretty_assertions::StrComparison::new(&found, &expected)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn sql_of_every_reader_leads_back_to_its_bytes() {
    let mut checked = 0;
    for folder in fs::read_dir(home()).unwrap() {
        let root = Utf8PathBuf::from_path_buf(folder.unwrap().path().join("estate")).unwrap();
        let (estate, _) = read(&root);
        for script in estate.jobs.iter().flat_map(|job| &job.scripts).filter(|script| script.verbatim) {
            let bytes = fs::read(root.join(&script.at.file)).unwrap();
            // What a program fills when it runs stands as an empty value, each byte for one.
            let written = std::str::from_utf8(&bytes[script.at.start..script.at.end]).unwrap().replace("%s", "''");
            assert_eq!(written, &*script.text);
            checked += 1;
        }
    }
    assert!(checked > 10);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Files cut short, doubled and with pieces swapped are told or passed over, and nothing stops the rest.
    #[test]
    fn damaged_files_stop_nothing(which in any::<prop::sample::Index>(), cut in 0.0..1.0f64, end in 0.0..1.0f64, kind in 0..4u8) {
        let all = files_below(&home());
        let path = &all[which.index(all.len())];
        let place = tempfile::tempdir().unwrap();
        let estate = path.ancestors().find(|folder| folder.ends_with("estate")).unwrap();
        for file in files_below(estate) {
            let target = place.path().join(file.strip_prefix(estate).unwrap());
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            let bytes = fs::read(&file).unwrap();
            let bytes = if file == *path { damaged(&bytes, cut, end, kind) } else { bytes };
            fs::write(target, bytes).unwrap();
        }
        let root = Utf8PathBuf::from_path_buf(place.path().to_owned()).unwrap();
        let (estate, _) = read(&root);
        for script in estate.jobs.iter().flat_map(|job| &job.scripts).filter(|script| script.verbatim) {
            let bytes = fs::read(root.join(&script.at.file)).unwrap();
            let written = String::from_utf8_lossy(&bytes[script.at.start..script.at.end]).into_owned();
            let as_written = |(own, shown): (u8, u8)| own == shown || b"'() _".contains(&shown);
            prop_assert_eq!(written.len(), script.text.len());
            prop_assert!(written.bytes().zip(script.text.bytes()).all(as_written), "{}", written);
        }
    }
}

/// Every file below `folder` that lies in an estate.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files_below(&path)),
            false if path.ancestors().any(|folder| folder.ends_with("estate")) => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

fn damaged(bytes: &[u8], cut: f64, end: f64, kind: u8) -> Vec<u8> {
    let at = |share: f64| (share * bytes.len() as f64) as usize;
    let (from, to) = (at(cut).min(at(end)), at(cut).max(at(end)));
    match kind {
        0 => bytes[..from].to_vec(),
        1 => [&bytes[..from], &bytes[to..]].concat(),
        2 => [&bytes[..to], &bytes[from..]].concat(),
        _ => [&bytes[..from], b"\x00{{ $( ' \" ((([[[ \t- : & * |", &bytes[from..]].concat(),
    }
}

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/readers")
}

fn read(root: &Utf8Path) -> (Estate, Diagnostics) {
    load(&[root.to_owned()], &LoadOptions::default(), &Silent)
}

/// The jobs, the faults and the counts, one line each.
fn shown(estate: &Estate, faults: &Diagnostics) -> String {
    let mut text = String::new();
    for job in &estate.jobs {
        show_job(job, &mut text);
    }
    for fault in faults.iter().filter(|fault| !matches!(fault.code.code, "E018" | "E019")) {
        writeln!(text, "{} {} {}", fault.code.code, fault.at, fault.here).unwrap();
    }
    for (format, c) in &estate.coverage {
        writeln!(text, "{format:?}: {} files, {} jobs, {} pieces, {} opaque", c.files, c.jobs, c.pieces, c.opaque)
            .unwrap();
    }
    text
}

fn show_job(job: &Job, text: &mut String) {
    write!(text, "{} ({:?}) at {}", job.id, job.kind, job.at).unwrap();
    if let Some(schedule) = &job.schedule {
        let runs = schedule.runs_per_day.map_or("?".to_owned(), |runs| format!("{runs:.2}"));
        write!(text, ", {} = {runs} a day", schedule.text).unwrap();
    }
    for (what, name) in [("owner", &job.owner), ("domain", &job.domain)] {
        write!(text, "{}", name.as_ref().map(|name| format!(", {what} {name}")).unwrap_or_default()).unwrap();
    }
    if !job.enabled {
        text.push_str(", disabled");
    }
    if !job.depends_on.is_empty() {
        let names: Vec<_> = job.depends_on.iter().map(|id| id.as_str()).collect();
        write!(text, ", after {}", names.join(" + ")).unwrap();
    }
    text.push('\n');
    job.scripts.iter().for_each(|script| show_script(script, text));
    for import in &job.imports {
        writeln!(text, "  copies {} into {}", import.from, import.into).unwrap();
    }
    for one in &job.moves {
        writeln!(text, "  moves {} into {}", one.from, one.into).unwrap();
    }
    for (what, datasets) in [("reads", &job.reads), ("writes", &job.writes)] {
        for (dataset, at) in datasets {
            writeln!(text, "  {what} {dataset} at {at}").unwrap();
        }
    }
}

fn show_script(script: &Script, text: &mut String) {
    let first: Vec<&str> = script.text.split_whitespace().take(6).collect();
    let dialect = script.dialect.as_deref().unwrap_or("?");
    let own = if script.verbatim { "" } else { " (made)" };
    write!(text, "  {dialect} at {}{own}: {}", script.at, first.join(" ")).unwrap();
    if let Some(schema) = &script.schema {
        write!(text, " in {schema}").unwrap();
    }
    if let Some(target) = &script.target {
        write!(text, " => {target}").unwrap();
    }
    if let Some(materialized) = &script.materialized {
        write!(text, " as {materialized}").unwrap();
    }
    for (name, value) in &script.params {
        write!(text, " {name}={value}").unwrap();
    }
    text.push('\n');
}
