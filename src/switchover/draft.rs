use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    BlockedExposure, Change, ExposureMove, Replaced, SourceKind, Switchover, UntouchedExposure, below::Below, bi_edits,
    edited_file::edited, file_tasks, replaced, superset, tasks,
};
use crate::{
    estate::{Estate, Exposure, Job, Script},
    lineage::{self, Access, Lineage},
    plan::{Plan, SpanEdit},
    vocab::{DatasetId, holds_secret},
};

/// How every BI source that reads a table of `plan` moves. Reads the files of those sources from the
/// folders of `estate`, and writes nothing.
pub fn draft(estate: &Estate, lineage: &Lineage, plan: &Plan) -> Switchover {
    let pairs = replaced(plan);
    let mut switchover = Switchover {
        service: plan.service.clone(),
        moves: Vec::new(),
        blocked: Vec::new(),
        carried: Vec::new(),
        untouched: Vec::new(),
    };
    let mut exposures: Vec<&Exposure> = estate.exposures.iter().collect();
    exposures.sort_by(|a, b| a.id.cmp(&b.id));
    let mut pages = BTreeSet::new();
    let mut others = Vec::new();
    for exposure in exposures {
        let read = tables_read(exposure, lineage);
        let moved: Vec<&Replaced> = pairs.iter().filter(|pair| read.contains(&pair.old)).collect();
        if moved.is_empty() {
            others.push((exposure, read));
            continue;
        }
        let page = free_page(&page_name(&exposure.title), &pages);
        match one_move(estate, plan, exposure, &moved, &page) {
            Ok(found) => {
                pages.insert(page);
                switchover.moves.push(found);
            }
            Err((because, changes)) => {
                switchover.blocked.push(BlockedExposure { changes, ..blocked(exposure, because) })
            }
        }
    }
    shared(estate, &mut switchover.moves);
    let below = Below::of(estate, &switchover);
    for (exposure, read) in others {
        match below.carried(exposure) {
            Some(carried) => switchover.carried.push(carried),
            None => switchover.untouched.extend(untouched(exposure, &read, plan, &below)),
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

fn untouched(
    exposure: &Exposure,
    read: &BTreeSet<DatasetId>,
    plan: &Plan,
    below: &Below<'_>,
) -> Option<UntouchedExposure> {
    let reads_raw = plan.boundary.raw.iter().any(|table| read.contains(table));
    if !reads_raw && !plan.boundary.exposures.contains(&exposure.id) {
        return None;
    }
    let because = match (reads_raw, exposure.parts.is_empty(), below.blocked(exposure)) {
        (true, _, _) => "the table it reads keeps its name".to_owned(),
        (false, _, by_hand) if !by_hand.is_empty() => {
            format!("it follows {}, which is moved by hand", by_hand.join(", "))
        }
        (false, false, _) => "what it stands on reads tables that keep their names".to_owned(),
        (false, true, _) => "it reads tables that are built on the service and keep their names".to_owned(),
    };
    let (id, title, kind) = (exposure.id.clone(), exposure.title.clone(), exposure.kind.clone());
    Some(UntouchedExposure { id, title, kind, because })
}

fn blocked(exposure: &Exposure, because: String) -> BlockedExposure {
    BlockedExposure {
        id: exposure.id.clone(),
        title: exposure.title.clone(),
        tool: exposure.tool.clone(),
        at: format!("{}:{}", exposure.at.file, exposure.at.line),
        because,
        changes: Vec::new(),
    }
}

fn one_move(
    estate: &Estate,
    plan: &Plan,
    exposure: &Exposure,
    moved: &[&Replaced],
    page: &Utf8Path,
) -> Result<ExposureMove, (String, Vec<Change>)> {
    match exposure.tool.as_str() {
        "superset" => {}
        "dbt" => return Err(by_hand("a dbt exposure names models: it moves when its models are repointed")),
        _ => return file_move(estate, plan, exposure, moved, page),
    }
    superset_move(estate, plan, exposure, moved, page).map_err(by_hand)
}

fn by_hand(because: impl Into<String>) -> (String, Vec<Change>) {
    (because.into(), Vec::new())
}

/// A move by an edit of the source's own file.
fn file_move(
    estate: &Estate,
    plan: &Plan,
    exposure: &Exposure,
    moved: &[&Replaced],
    page: &Utf8Path,
) -> Result<ExposureMove, (String, Vec<Change>)> {
    let found = bi_edits::changes(estate, exposure, moved, |file| editable(estate, exposure, file));
    let refused = |because: String| (because, found.places.clone());
    let mut by_file = found.edits.clone().map_err(refused)?.into_iter();
    let (file, edits) = by_file.next().ok_or_else(|| refused("where it names its table was not found".to_owned()))?;
    if by_file.next().is_some() {
        return Err(refused("its tables are named in several files: repoint them by hand".to_owned()));
    }
    let text = read_file(estate, &file).map_err(refused)?;
    let (edit, content) = edited(&file, &text, edits).map_err(refused)?;
    if holds_secret(&content) {
        return Err(refused("its file holds a secret, which carve does not copy: repoint it by hand".to_owned()));
    }
    let (charts, dashboards, ask) = readers(estate, &exposure.id);
    let join =
        |of: fn(&Change) -> &String| found.places.iter().map(|one| of(one).as_str()).collect::<Vec<_>>().join("\n\n");
    let (kind, old, new, stand_ins) = proven(estate, moved, &found);
    let mut one = ExposureMove {
        id: exposure.id.clone(),
        title: exposure.title.clone(),
        tool: exposure.tool.clone(),
        owner: exposure.owner.clone(),
        ask,
        kind: found.kind,
        replaces: moved.iter().map(|pair| (*pair).clone()).collect(),
        proofs: tasks::proofs(kind, moved, &old, &new),
        stand_ins,
        bodies: None,
        queries_in: "where the source's own connection leads",
        before: join(|one| &one.before),
        after: join(|one| &one.after),
        preconditions: Vec::new(),
        edit,
        content,
        charts,
        dashboards,
        window: window(estate, plan, moved),
        steps: Vec::new(),
        way_back: Vec::new(),
        page: page.to_owned(),
    };
    one.preconditions = file_tasks::preconditions(plan, &one);
    one.steps = file_tasks::steps(plan, &one);
    one.way_back = file_tasks::way_back(plan, &one);
    Ok(one)
}

/// The two sides of the proofs. SQL over other queries of the tool runs only there: then the tables alone are compared.
fn proven(
    estate: &Estate,
    moved: &[&Replaced],
    found: &bi_edits::Changes,
) -> (SourceKind, String, String, Vec<String>) {
    let alone =
        found.sql.as_ref().filter(|(before, _)| !before.params.values().any(|value| value.starts_with("(SELECT")));
    match alone {
        Some((before, after)) => {
            let (old, new) = (lineage::render(before, estate), lineage::render(after, estate));
            (SourceKind::Virtual, old.text, new.text, old.problems)
        }
        None => {
            let side =
                |of: fn(&Replaced) -> &DatasetId| moved.first().map(|pair| of(pair).to_string()).unwrap_or_default();
            (SourceKind::Physical, side(|pair| &pair.old), side(|pair| &pair.new), Vec::new())
        }
    }
}

/// The text of a file whose form carve edits.
fn editable(estate: &Estate, exposure: &Exposure, file: &Utf8Path) -> Result<String, String> {
    match (exposure.tool.as_str(), file.extension().unwrap_or_default()) {
        ("tableau", _) => {
            Err("a workbook is edited in Tableau: change the data source there, and publish it".to_owned())
        }
        ("redash", _) => Err("Redash takes no file: change the query there".to_owned()),
        ("powerbi", "bim") => Err("a model as one JSON is written by tools: change the query in Power BI".to_owned()),
        _ => read_file(estate, file),
    }
}

/// Sources in one file have one edit: that of all of them.
fn shared(estate: &Estate, moves: &mut [ExposureMove]) {
    let mut by_file: BTreeMap<Utf8PathBuf, Vec<usize>> = BTreeMap::new();
    for (at, one) in moves.iter().enumerate() {
        by_file.entry(one.edit.file.clone()).or_default().push(at);
    }
    for (file, group) in by_file.into_iter().filter(|(_, group)| group.len() > 1) {
        let edits = group.iter().flat_map(|at| moves[*at].edit.edits.clone()).collect();
        let Ok((edit, content)) = read_file(estate, &file).and_then(|text| edited(&file, &text, edits)) else {
            continue;
        };
        for at in group {
            moves[at].edit = edit.clone();
            moves[at].content = content.clone();
        }
    }
}

fn superset_move(
    estate: &Estate,
    plan: &Plan,
    exposure: &Exposure,
    moved: &[&Replaced],
    page: &Utf8Path,
) -> Result<ExposureMove, String> {
    let text = read_file(estate, &exposure.at.file)?;
    let (edits, kind, before, after) = edits(estate, exposure, moved, &text)?;
    let (edit, content) = edited(&exposure.at.file, &text, edits)?;
    if holds_secret(&content) {
        return Err("its file holds a secret, which carve does not copy: repoint it by hand".to_owned());
    }
    let (charts, dashboards, ask) = readers(estate, &exposure.id);
    let (old, new, stand_ins) = filled(estate, exposure, &before, &after);
    let tasks::Bodies { before: body_before, after: body_after } = tasks::bodies(kind, moved, &before, &after);
    let mut found = ExposureMove {
        id: exposure.id.clone(),
        title: exposure.title.clone(),
        tool: exposure.tool.clone(),
        owner: exposure.owner.clone(),
        ask,
        kind,
        replaces: moved.iter().map(|pair| (*pair).clone()).collect(),
        proofs: tasks::proofs(kind, moved, &old, &new),
        stand_ins,
        bodies: Some([body_after, body_before]),
        queries_in: "in SQL Lab on the dataset's database",
        before,
        after,
        preconditions: tasks::preconditions(plan, moved, edit.file.as_str()),
        edit,
        content,
        charts,
        dashboards,
        window: window(estate, plan, moved),
        steps: Vec::new(),
        way_back: Vec::new(),
        page: page.to_owned(),
    };
    found.steps = tasks::steps(plan, &found);
    found.way_back = tasks::way_back(plan, &found);
    Ok(found)
}

/// Both sides as they run: with the templates of its SQL filled, and what was filled with a stand-in.
fn filled(estate: &Estate, exposure: &Exposure, before: &str, after: &str) -> (String, String, Vec<String>) {
    let Some(script) = exposure.scripts.first() else {
        return (before.to_owned(), after.to_owned(), Vec::new());
    };
    let old = lineage::render(&Script { text: before.into(), ..script.clone() }, estate);
    let new = lineage::render(&Script { text: after.into(), ..script.clone() }, estate);
    (old.text, new.text, old.problems)
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

/// Titles of the charts and of the dashboards that stand on `id`, directly or through others, and who answers
/// for them.
fn readers(estate: &Estate, id: &str) -> (Vec<String>, Vec<String>, Vec<String>) {
    let mut parents: BTreeMap<&str, Vec<&Exposure>> = BTreeMap::new();
    for exposure in &estate.exposures {
        for part in &exposure.parts {
            parents.entry(part).or_default().push(exposure);
        }
    }
    let (mut charts, mut dashboards, mut ask) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let (mut seen, mut open) = (BTreeSet::from([id]), vec![id]);
    while let Some(part) = open.pop() {
        for parent in parents.get(part).into_iter().flatten().filter(|p| seen.insert(&p.id)) {
            match parent.kind.as_str() {
                "dashboard" => dashboards.insert(parent.title.clone()),
                _ => charts.insert(parent.title.clone()),
            };
            ask.extend(parent.owner.iter().map(|owner| format!("{owner} ({} {})", parent.kind, parent.title)));
            open.push(&parent.id);
        }
    }
    let list = |set: BTreeSet<String>| set.into_iter().collect();
    (list(charts), list(dashboards), list(ask))
}

/// When to move: between two loads of the tables that move, where their schedules are known.
fn window(estate: &Estate, plan: &Plan, moved: &[&Replaced]) -> String {
    let loads = |job: &Job| {
        let fills = |table: &DatasetId| moved.iter().any(|pair| pair.old == *table);
        job.imports.iter().any(|import| fills(&import.into)) || job.writes.iter().any(|(table, _)| fills(table))
    };
    let imports = || estate.jobs.iter().filter(|job| plan.boundary.import_jobs.contains(&job.id));
    let mut schedules: BTreeSet<&str> = imports().filter(|job| loads(job)).filter_map(schedule).collect();
    if schedules.is_empty() {
        schedules = imports().filter_map(schedule).collect();
    }
    let schedules: Vec<String> = schedules.into_iter().map(|schedule| format!("`{schedule}`")).collect();
    match schedules.is_empty() {
        true => "No schedule is known: move right after a refresh, so that both sides hold the same rows.".to_owned(),
        false => format!(
            "Right after a refresh and before the next load (schedule {}), so that both sides hold the same rows.",
            schedules.join(", ")
        ),
    }
}

fn schedule(job: &Job) -> Option<&str> {
    job.schedule.as_ref().map(|schedule| schedule.text.as_str())
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

fn free_page(wanted: &str, taken: &BTreeSet<Utf8PathBuf>) -> Utf8PathBuf {
    let numbered = (2..).map(|number| Utf8PathBuf::from(format!("{wanted}-{number}")));
    let mut pages = std::iter::once(Utf8PathBuf::from(wanted)).chain(numbered);
    pages.find(|page| !taken.contains(page)).expect("the numbers never end")
}
