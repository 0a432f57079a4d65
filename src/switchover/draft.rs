use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    BlockedExposure, ExposureMove, ProofQuery, Replaced, SourceKind, Switchover, UntouchedExposure,
    edited_file::edited, replaced, superset,
};
use crate::{
    estate::{Estate, Exposure},
    lineage::{Access, Lineage},
    plan::{Plan, SpanEdit},
    vocab::{DatasetId, holds_secret},
};

/// How every BI source that reads a table of `plan` moves. Reads the files of those sources from the
/// folders of `estate`, and writes nothing.
pub fn draft(estate: &Estate, lineage: &Lineage, plan: &Plan) -> Switchover {
    let pairs = replaced(plan);
    let mut switchover =
        Switchover { service: plan.service.clone(), moves: Vec::new(), blocked: Vec::new(), untouched: Vec::new() };
    let mut exposures: Vec<&Exposure> = estate.exposures.iter().collect();
    exposures.sort_by(|a, b| a.id.cmp(&b.id));
    let mut pages = BTreeSet::new();
    for exposure in exposures {
        let read = tables_read(exposure, lineage);
        let moved: Vec<&Replaced> = pairs.iter().filter(|pair| read.contains(&pair.old)).collect();
        if moved.is_empty() {
            switchover.untouched.extend(untouched(exposure, &read, plan));
            continue;
        }
        match one_move(estate, plan, exposure, &moved) {
            Ok(mut found) => {
                found.page = free_page(&found.page, &mut pages);
                switchover.moves.push(found);
            }
            Err(because) => switchover.blocked.push(blocked(exposure, because)),
        }
    }
    switchover
}

/// Tables that `exposure` itself names, not those of its parts.
fn tables_read(exposure: &Exposure, lineage: &Lineage) -> BTreeSet<DatasetId> {
    let declared = exposure.reads.iter().map(|(dataset, _)| dataset.clone());
    let in_sql = lineage.exposures.get(&exposure.id).into_iter().flatten();
    declared.chain(in_sql.filter(|u| u.access == Access::Read).map(|u| u.dataset.clone())).collect()
}

fn untouched(exposure: &Exposure, read: &BTreeSet<DatasetId>, plan: &Plan) -> Option<UntouchedExposure> {
    let reads_raw = plan.boundary.raw.iter().any(|table| read.contains(table));
    if !reads_raw && !plan.boundary.exposures.contains(&exposure.id) {
        return None;
    }
    let because = match (reads_raw, exposure.parts.is_empty()) {
        (true, _) => "the table it reads keeps its name",
        (false, false) => "it names no table itself: it moves with its datasets",
        (false, true) => "it reads tables that are built on the service and keep their names",
    };
    Some(UntouchedExposure { id: exposure.id.clone(), title: exposure.title.clone(), because: because.to_owned() })
}

fn blocked(exposure: &Exposure, because: String) -> BlockedExposure {
    BlockedExposure {
        id: exposure.id.clone(),
        title: exposure.title.clone(),
        tool: exposure.tool.clone(),
        at: format!("{}:{}", exposure.at.file, exposure.at.line),
        because,
    }
}

fn one_move(estate: &Estate, plan: &Plan, exposure: &Exposure, moved: &[&Replaced]) -> Result<ExposureMove, String> {
    match exposure.tool.as_str() {
        "superset" => {}
        "dbt" => return Err("a dbt exposure names models: it moves when its models are repointed".to_owned()),
        other => return Err(format!("carve edits Superset files only so far: repoint it in {other} by hand")),
    }
    let text = read_file(estate, &exposure.at.file)?;
    let (edits, kind, before, after) = edits(estate, exposure, moved, &text)?;
    let (edit, content) = edited(&exposure.at.file, &text, edits)?;
    if holds_secret(&content) {
        return Err("its file holds a secret, which carve does not copy: repoint it by hand".to_owned());
    }
    let (charts, dashboards) = readers(estate, &exposure.id);
    Ok(ExposureMove {
        id: exposure.id.clone(),
        title: exposure.title.clone(),
        tool: exposure.tool.clone(),
        owner: exposure.owner.clone(),
        kind,
        replaces: moved.iter().map(|pair| (*pair).clone()).collect(),
        proofs: proofs(kind, moved, &before, &after),
        before,
        after,
        edit,
        content,
        charts,
        dashboards,
        preconditions: preconditions(plan, moved),
        window: window(estate, plan),
        way_back: way_back(exposure),
        page: Utf8PathBuf::from(page_name(&exposure.title)),
    })
}

type Edits = (Vec<SpanEdit>, SourceKind, String, String);

fn edits(estate: &Estate, exposure: &Exposure, moved: &[&Replaced], text: &str) -> Result<Edits, String> {
    match (exposure.scripts.as_slice(), moved) {
        ([], [one]) => {
            let edits = superset::repoint_physical(text, one)?;
            Ok((edits, SourceKind::Physical, one.old.to_string(), one.new.to_string()))
        }
        ([script], _) => {
            let (edits, after) = superset::repoint_virtual(text, script, estate, moved)?;
            Ok((edits, SourceKind::Virtual, script.text.to_string(), after))
        }
        _ => Err("it names more than one table without SQL of its own: repoint it by hand".to_owned()),
    }
}

/// The text of `file`, which counts from the folder of the estate whose prefix it bears.
fn read_file(estate: &Estate, file: &Utf8Path) -> Result<String, String> {
    let mut roots: Vec<_> = estate.roots.iter().collect();
    // The longest prefix wins: the first root's is empty and fits everything.
    roots.sort_by_key(|root| std::cmp::Reverse(root.prefix.as_str().len()));
    let path = roots
        .iter()
        .find_map(|root| file.strip_prefix(&root.prefix).ok().map(|below| root.path.join(below)))
        .unwrap_or_else(|| file.to_owned());
    fs::read_to_string(&path).map_err(|error| match archive_of(file) {
        Some(archive) => format!("it lies inside {archive}: unpack the export, so that its files can be edited"),
        None => format!("{file} cannot be read: {error}"),
    })
}

fn archive_of(file: &Utf8Path) -> Option<&Utf8Path> {
    file.ancestors().find(|part| part.extension().is_some_and(|e| e.eq_ignore_ascii_case("zip")))
}

/// Titles of the charts and of the dashboards that stand on `id`, directly or through others.
fn readers(estate: &Estate, id: &str) -> (Vec<String>, Vec<String>) {
    let mut parents: BTreeMap<&str, Vec<&Exposure>> = BTreeMap::new();
    for exposure in &estate.exposures {
        for part in &exposure.parts {
            parents.entry(part).or_default().push(exposure);
        }
    }
    let (mut charts, mut dashboards) = (BTreeSet::new(), BTreeSet::new());
    let (mut seen, mut open) = (BTreeSet::from([id]), vec![id]);
    while let Some(part) = open.pop() {
        for parent in parents.get(part).into_iter().flatten().filter(|p| seen.insert(&p.id)) {
            match parent.kind.as_str() {
                "dashboard" => dashboards.insert(parent.title.clone()),
                _ => charts.insert(parent.title.clone()),
            };
            open.push(&parent.id);
        }
    }
    (charts.into_iter().collect(), dashboards.into_iter().collect())
}

fn preconditions(plan: &Plan, moved: &[&Replaced]) -> Vec<String> {
    let mut all = vec![format!("{} is wrapped and its continuity proven: `carve status` says so", plan.service)];
    for pair in moved {
        all.push(format!("{} is there and no staler than {}", pair.new, pair.old));
        all.push(format!("the BI tool's role may read {}", pair.new));
    }
    all.push("the BI tool holds the dataset as this export does; else export again first".to_owned());
    all
}

fn window(estate: &Estate, plan: &Plan) -> String {
    let schedules: BTreeSet<&str> = plan
        .boundary
        .import_jobs
        .iter()
        .filter_map(|id| estate.jobs.iter().find(|job| job.id == *id))
        .filter_map(|job| job.schedule.as_ref().map(|s| s.text.as_str()))
        .collect();
    let schedules: Vec<&str> = schedules.into_iter().collect();
    match schedules.as_slice() {
        [] => "No schedule is known: move right after a refresh, so that both sides hold the same rows.".to_owned(),
        all => format!(
            "Right after a refresh and before the next load (schedule {}), so that both sides hold the same rows.",
            all.iter().map(|s| format!("`{s}`")).collect::<Vec<_>>().join(", ")
        ),
    }
}

fn proofs(kind: SourceKind, moved: &[&Replaced], before: &str, after: &str) -> Vec<ProofQuery> {
    let side = |text: &str| match kind {
        SourceKind::Physical => text.to_owned(),
        SourceKind::Virtual => format!("(\n{}\n) AS source", text.trim().trim_end_matches(';')),
    };
    let mut proofs = vec![ProofQuery {
        title: "The same number of rows".to_owned(),
        old: format!("SELECT COUNT(*) FROM {}", side(before)),
        new: format!("SELECT COUNT(*) FROM {}", side(after)),
        expect: "the same number twice".to_owned(),
    }];
    for pair in moved {
        for (from, to) in [(&pair.old, &pair.new), (&pair.new, &pair.old)] {
            proofs.push(ProofQuery {
                title: format!("No row of {from} is missing from {to}"),
                old: format!("SELECT * FROM {from} EXCEPT SELECT * FROM {to}"),
                new: String::new(),
                expect: "no row".to_owned(),
            });
        }
    }
    proofs
}

fn way_back(exposure: &Exposure) -> Vec<String> {
    vec![
        "Import the export from before the move, or undo the patch: `git apply -R switchover.patch`.".to_owned(),
        format!("Refresh the columns of dataset {} in the BI tool.", exposure.title),
        "Open each chart below once; the old table is kept until the service is retired.".to_owned(),
    ]
}

/// A title as a file name.
fn page_name(title: &str) -> String {
    let name: String = title
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '_' { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let name = name.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    if name.is_empty() || name == "index" { "dataset".to_owned() } else { name.chars().take(80).collect() }
}

fn free_page(wanted: &Utf8Path, taken: &mut BTreeSet<Utf8PathBuf>) -> Utf8PathBuf {
    let mut page = wanted.to_owned();
    let mut number = 2;
    while !taken.insert(page.clone()) {
        page = Utf8PathBuf::from(format!("{wanted}-{number}"));
        number += 1;
    }
    page
}
