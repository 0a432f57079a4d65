//! The steps of a wrap, in order: publish, import, prove, swap, prove downstream, repoint, schedule.
use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use rayon::prelude::*;

use super::{
    Action, ContinuityPolicy, DraftInputs, FileEdit, Import, ProveContinuity, ProveDownstream, Publish,
    PublishEndpoint, Repoint, Step, Swap, Undo,
    endpoints::Lane,
    left::left,
    repoint::{Gathered, JobEdits, edited, editor, job_edits, moving, reroute_import},
    schedule::refresh_job,
};
use crate::{estate::Job, vocab::JobId};

/// Steps, and what a person has to do by hand.
pub(super) struct Wrap {
    pub(super) steps: Vec<Step>,
    pub(super) by_hand: Vec<String>,
}

/// All steps of the wrap of `lanes`.
pub(super) fn wrap(
    inputs: &DraftInputs<'_>,
    lanes: &[Lane],
    endpoints: Vec<PublishEndpoint>,
    policy: ContinuityPolicy,
) -> Wrap {
    let service = inputs.card.candidate.name.as_str();
    let mut wrap = Wrap { steps: vec![publish(inputs, lanes, endpoints)], by_hand: Vec::new() };
    // Nothing is switched before all is proven: a proof that fails leaves every table as it was.
    let (mut proofs, mut swaps) = (Vec::new(), Vec::new());
    for lane in lanes {
        let [import, proof, swap] = lane_steps(service, lane, policy);
        wrap.steps.push(import);
        proofs.push(proof);
        swaps.push(swap);
    }
    let proven: Vec<String> = proofs.iter().map(|step| step.id.clone()).collect();
    swaps.iter_mut().for_each(|step| step.needs.clone_from(&proven));
    let swapped: Vec<String> = swaps.iter().map(|step| step.id.clone()).collect();
    wrap.steps.extend(proofs.into_iter().chain(swaps));
    reroute_steps(inputs, lanes, &mut wrap);
    dependent_steps(inputs, lanes, &swapped, &mut wrap);
    wrap.steps.push(schedule_step(inputs, lanes, swapped));
    wrap
}

fn publish(inputs: &DraftInputs<'_>, lanes: &[Lane], endpoints: Vec<PublishEndpoint>) -> Step {
    let service = &inputs.card.candidate.name;
    Step {
        id: format!("{service}.publish"),
        title: format!("Publish {} of {service} in one snapshot", count(endpoints.len(), "endpoint")),
        needs: Vec::new(),
        relies_on: import_files(inputs, lanes),
        preconditions: vec![
            "every origin table is there with the columns the plan expects".into(),
            "the bucket takes conditional writes".into(),
        ],
        action: Action::Publish(Publish { into: format!("data-services/{service}"), endpoints }),
        postconditions: vec!["the contract is the newest under schemata/ and names every part".into()],
        undo: Undo::Compensate,
        approval: false,
    }
}

fn import_files(inputs: &DraftInputs<'_>, lanes: &[Lane]) -> Vec<Utf8PathBuf> {
    let configured = lanes.iter().filter_map(|lane| lane.import.as_ref()).map(|import| import.into_at.file.clone());
    let jobs = inputs.jobs_named(&inputs.card.candidate.import_jobs);
    let files: BTreeSet<Utf8PathBuf> = configured.chain(jobs.map(|job| job.at.file.clone())).collect();
    files.into_iter().collect()
}

fn lane_steps(service: &str, lane: &Lane, policy: ContinuityPolicy) -> [Step; 3] {
    let id = |verb: &str| format!("{service}.{}.{verb}", lane.endpoint);
    let import = Step {
        id: id("import"),
        title: format!("Import `{}` into `{}` and prove it equal to what was published", lane.endpoint, lane.staging),
        needs: vec![format!("{service}.publish")],
        relies_on: Vec::new(),
        preconditions: vec![format!("`{}` is free or was made by carve", lane.staging)],
        action: Action::Import(Import { endpoint: lane.endpoint.clone(), staging: lane.staging.clone() }),
        postconditions: vec!["origin, parts and staged table have one fingerprint".into()],
        undo: Undo::Restore,
        approval: false,
    };
    let continuity = Step {
        id: id("prove-continuity"),
        title: format!("Compare `{}` with the import, row by row", lane.raw),
        needs: vec![id("import")],
        relies_on: Vec::new(),
        preconditions: vec![format!("`{}` can be read", lane.raw)],
        action: Action::ProveContinuity(ProveContinuity {
            old: lane.raw.clone(),
            new: lane.staging.clone(),
            policy,
            watermark: lane.import.as_ref().and_then(|import| import.watermark.clone()),
        }),
        postconditions: vec![policy_in_words(policy).into()],
        undo: Undo::None,
        approval: false,
    };
    let swap = Step {
        id: id("swap"),
        title: format!("Put the import in place as `{}`", lane.live),
        needs: vec![id("prove-continuity")],
        relies_on: Vec::new(),
        preconditions: vec![match &lane.previous {
            Some(previous) => format!("`{}` is there and `{previous}` is not", lane.live),
            None => format!("`{}` is not there", lane.live),
        }],
        action: Action::Swap(Swap {
            staging: lane.staging.clone(),
            live: lane.live.clone(),
            previous: lane.previous.clone(),
        }),
        postconditions: vec![format!("`{}` holds the proven rows", lane.live)],
        undo: Undo::Restore,
        approval: false,
    };
    [import, continuity, swap]
}

fn policy_in_words(policy: ContinuityPolicy) -> &'static str {
    match policy {
        ContinuityPolicy::Exact => "both hold the same rows",
        ContinuityPolicy::Superset => "every old row is there; what is more is newer by the watermark",
        ContinuityPolicy::Report => "every difference is reported",
    }
}

/// In place, the legacy import must no longer fill the name that the import took over.
fn reroute_steps(inputs: &DraftInputs<'_>, lanes: &[Lane], wrap: &mut Wrap) {
    let service = &inputs.card.candidate.name;
    for lane in lanes {
        let Some(previous) = &lane.previous else { continue };
        let owner = inputs.estate.jobs.iter().find(|job| job.imports.iter().any(|import| import.into == lane.raw));
        let Some((job, edit)) = owner.and_then(|job| Some((job, reroute_import(inputs, lane, previous)?))) else {
            wrap.by_hand
                .push(format!("send whatever fills `{}` into `{previous}` instead: no import job is known", lane.raw));
            continue;
        };
        wrap.steps.push(Step {
            id: format!("{service}.{}.reroute", lane.endpoint),
            title: format!("Send the legacy import `{}` into `{previous}`", job.id),
            needs: vec![format!("{service}.{}.swap", lane.endpoint)],
            relies_on: vec![edit.file.clone()],
            preconditions: vec!["the file means what it did when the plan was drafted".into()],
            action: Action::Repoint(Repoint { job: job.id.clone(), files: vec![edit] }),
            postconditions: vec!["every byte outside the edit stayed".into()],
            undo: Undo::Restore,
            approval: false,
        });
    }
}

/// Proof first, then the edits: a file changes only after its queries gave the same answers.
fn dependent_steps(inputs: &DraftInputs<'_>, lanes: &[Lane], swaps: &[String], wrap: &mut Wrap) {
    let service = &inputs.card.candidate.name;
    let (mut queries, mut left_out, mut gathered) = (Vec::new(), Vec::new(), Gathered::new());
    let mut told = BTreeSet::new();
    // A file belongs to the first job that needs it edited; its one edit serves every job in it.
    let mut owners: BTreeMap<Utf8PathBuf, &Job> = BTreeMap::new();
    let editor = editor(inputs, lanes);
    let jobs: Vec<&Job> = inputs.jobs_named(&inputs.card.candidate.dependents).collect();
    let moving = moving(lanes);
    let of_jobs: Vec<JobEdits> = jobs.par_iter().map(|job| job_edits(inputs, &editor, job, &moving)).collect();
    for (job, edits) in jobs.into_iter().zip(of_jobs) {
        queries.extend(edits.queries);
        left_out.extend(edits.left_out);
        wrap.by_hand.extend(edits.by_hand);
        told.extend(edits.told);
        for (file, spans) in edits.files {
            owners.entry(file.clone()).or_insert(job);
            gathered.entry(file).or_default().extend(spans);
        }
    }
    wrap.by_hand.extend(left(inputs, lanes, &gathered, &told));
    let mut of_job: BTreeMap<&JobId, (&Job, Vec<FileEdit>)> = BTreeMap::new();
    let files: Vec<(&Job, Result<FileEdit, String>)> =
        gathered.into_par_iter().map(|(file, spans)| (owners[&file], edited(inputs, &file, spans))).collect();
    for (job, edit) in files {
        match edit {
            Ok(edit) => of_job.entry(&job.id).or_insert_with(|| (job, Vec::new())).1.push(edit),
            Err(because) => wrap.by_hand.push(because),
        }
    }
    let repoints: Vec<Step> =
        of_job.into_values().map(|(job, files)| repoint_step(service.as_str(), job, files)).collect();
    if repoints.is_empty() {
        return;
    }
    let proof = format!("{service}.prove-downstream");
    wrap.steps.push(Step {
        id: proof.clone(),
        title: match queries.len() {
            0 => "Compare answers: none of the repointed queries can be run alone".to_owned(),
            n => format!("Run {} over the import and compare the answers", count(n, "repointed query")),
        },
        needs: swaps.to_vec(),
        relies_on: repoints.iter().flat_map(|step| step.relies_on.clone()).collect(),
        preconditions: vec!["the lake can run the queries".into()],
        action: Action::ProveDownstream(ProveDownstream { queries, left_out }),
        postconditions: vec!["every query gives the same rows as before".into()],
        undo: Undo::None,
        approval: false,
    });
    for mut step in repoints {
        step.needs = vec![proof.clone()];
        wrap.steps.push(step);
    }
}

fn repoint_step(service: &str, job: &Job, files: Vec<FileEdit>) -> Step {
    let edits: usize = files.iter().map(|file| file.edits.len()).sum();
    Step {
        id: format!("{service}.repoint.{}", job.id),
        title: format!("Repoint `{}`: {}", job.id, count(edits, "edit")),
        needs: Vec::new(),
        relies_on: files.iter().map(|file| file.file.clone()).collect(),
        preconditions: vec!["each file means what it did when the plan was drafted".into()],
        action: Action::Repoint(Repoint { job: job.id.clone(), files }),
        postconditions: vec!["every byte outside the edits stayed".into()],
        undo: Undo::Restore,
        approval: false,
    }
}

fn schedule_step(inputs: &DraftInputs<'_>, lanes: &[Lane], swaps: Vec<String>) -> Step {
    let service = &inputs.card.candidate.name;
    let file = refresh_job(inputs, lanes);
    Step {
        id: format!("{service}.schedule"),
        title: format!("Write the refresh job `{}`", file.file),
        needs: swaps,
        relies_on: Vec::new(),
        preconditions: vec![format!("`{}` is not there", file.file)],
        action: Action::Schedule(file),
        postconditions: vec!["the estate refreshes the import on the legacy schedule".into()],
        undo: Undo::Restore,
        approval: false,
    }
}

/// `1 endpoint`, `3 endpoints`, `2 queries`.
fn count(n: usize, noun: &str) -> String {
    match (n, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{n} {stem}ies"),
        _ => format!("{n} {noun}s"),
    }
}
