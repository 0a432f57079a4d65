//! Drafts the plan of one wrap: a pure function of what was gathered.
use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use super::{
    Action, Boundary, ContinuityPolicy, FileEdit, Ownership, Plan, PlanScores, Step, apply_edits,
    endpoints::{Lane, Unusable, lanes, published, said_by, tables_are_known, wrap_settings},
    inputs::{inputs as plan_inputs, meaning},
    plan_file::{FORMAT, PlanFileError, id_of},
    wrap::wrap,
};
use crate::{
    diagnostics::{Diagnostics, Severity},
    estate::{Estate, Job, WrapSettings},
    graph::DependencyGraph,
    lineage,
    scoring::Scorecard,
    vocab::{Digest, JobId, ServiceName, masked},
};

/// Everything a draft is made of.
pub struct DraftInputs<'a> {
    /// The estate.
    pub estate: &'a Estate,
    /// Who feeds whom in it.
    pub graph: &'a DependencyGraph,
    /// What was not understood.
    pub diagnostics: &'a Diagnostics,
    /// The candidate.
    pub card: &'a Scorecard,
    /// How many were ranked.
    pub of: u32,
    /// Flags, each with a blank before it, with which carve finds the plan and the settings from the estate's first
    /// folder; nothing where they lie in it.
    pub flags: &'a str,
    /// The text of a file of the estate as it was read; `None` when it cannot be read as text.
    pub read_file: &'a (dyn Fn(&Utf8Path) -> Option<String> + Sync),
}

impl<'a> DraftInputs<'a> {
    /// The estate's jobs that `names` names, in the estate's order.
    pub(super) fn jobs_named(&self, names: &[JobId]) -> impl Iterator<Item = &'a Job> + use<'a> {
        let names: BTreeSet<JobId> = names.iter().cloned().collect();
        self.estate.jobs.iter().filter(move |job| names.contains(&job.id))
    }
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// Nothing to publish.
    #[error("`{service}` has no raw dataset in the lake, so there is nothing to publish")]
    NothingToPublish {
        /// The candidate.
        service: ServiceName,
    },
    /// carve.yaml asks for something that does not exist.
    #[error("`wraps.{key}` in carve.yaml cannot be followed for `{service}`: {reason}")]
    Settings {
        /// Where the setting stands under `wraps`: `default.origin`.
        key: String,
        /// The candidate.
        service: ServiceName,
        /// What is wrong.
        reason: String,
    },
    /// The plan cannot be written down.
    #[error("cannot write the plan of `{service}`")]
    PlanFile {
        /// The candidate.
        service: ServiceName,
        /// Why.
        #[source]
        source: PlanFileError,
    },
}

/// The plan that wraps `inputs.card`'s candidate.
///
/// # Errors
/// See [`DraftError`].
pub fn draft(inputs: &DraftInputs<'_>) -> Result<Plan, DraftError> {
    match lineage::deep_pool() {
        Some(pool) => pool.install(|| draft_here(inputs)),
        None => lineage::on_deep_stack(|| draft_here(inputs)),
    }
}

fn draft_here(inputs: &DraftInputs<'_>) -> Result<Plan, DraftError> {
    let service = &inputs.card.candidate.name;
    let wrong = |unusable: Unusable| DraftError::Settings {
        key: format!("{}.{}", said_by(inputs, unusable.key), unusable.key),
        service: service.clone(),
        reason: unusable.reason,
    };
    let settings = wrap_settings(inputs);
    let in_place = in_place(&settings).map_err(wrong)?;
    let lanes = lanes(inputs, in_place);
    if lanes.is_empty() {
        return Err(DraftError::NothingToPublish { service: service.clone() });
    }
    tables_are_known(inputs, &lanes).map_err(|reason| wrong(Unusable::new("columns", reason)))?;
    let endpoints = lanes.iter().map(|lane| published(inputs, lane, &settings)).collect::<Result<_, _>>();
    let wrap = wrap(inputs, &lanes, endpoints.map_err(wrong)?, policy(&settings).map_err(wrong)?);
    let files = files_behind(inputs, &wrap.steps);
    let mut plan = Plan {
        format: FORMAT.to_owned(),
        id: Digest::of(""),
        service: service.clone(),
        summary: summary(inputs, &lanes, in_place),
        scores: PlanScores::of(inputs.card, inputs.of),
        boundary: boundary(inputs),
        ownership: ownership(inputs),
        inputs: Vec::new(),
        facts: facts(inputs, &lanes).iter().map(|fact| masked(fact).into_owned()).collect(),
        not_understood: not_understood(inputs, &files, wrap.by_hand),
        steps: wrap.steps,
    };
    plan.inputs = plan_inputs(files, inputs.read_file, &plan.jobs());
    say_what_edits_mean(&mut plan, inputs.read_file);
    plan.id = id_of(&plan).map_err(|source| DraftError::PlanFile { service: service.clone(), source })?;
    Ok(plan)
}

/// What each edited file means before and after: by this its edit survives a comment.
fn say_what_edits_mean(plan: &mut Plan, read: &(dyn Fn(&Utf8Path) -> Option<String> + Sync)) {
    let jobs: Vec<JobId> = plan.jobs().into_iter().cloned().collect();
    let jobs: BTreeSet<&JobId> = jobs.iter().collect();
    let edits = plan.steps.iter_mut().filter_map(|step| match &mut step.action {
        Action::Repoint(repoint) => Some(&mut repoint.files),
        _ => None,
    });
    let edits: Vec<&mut FileEdit> = edits.flatten().collect();
    edits.into_par_iter().for_each(|edit| {
        let text = read(&edit.file).filter(|text| Digest::of(text) == edit.before);
        let after = text.as_ref().and_then(|text| apply_edits(text, &edit.edits));
        let means = |text: &str| meaning(&edit.file, text, &jobs);
        edit.meaning = text.zip(after).map(|(text, after)| [means(&text), means(&after)]);
    });
}

fn ownership(inputs: &DraftInputs<'_>) -> Ownership {
    let candidate = &inputs.card.candidate;
    let then = inputs.estate.team_to_be(candidate.name.as_str(), &candidate.system);
    Ownership { now: candidate.owner.clone(), then: then.map(str::to_owned) }
}

fn in_place(settings: &WrapSettings) -> Result<bool, Unusable> {
    match settings.mode.as_deref() {
        None | Some("beside") => Ok(false),
        Some("in_place") => Ok(true),
        Some(other) => Err(Unusable::new("mode", format!("`mode: {other}` is neither `beside` nor `in_place`"))),
    }
}

fn policy(settings: &WrapSettings) -> Result<ContinuityPolicy, Unusable> {
    match settings.continuity.as_deref() {
        None | Some("exact") => Ok(ContinuityPolicy::Exact),
        Some("superset") => Ok(ContinuityPolicy::Superset),
        Some("report") => Ok(ContinuityPolicy::Report),
        Some(other) => {
            let reason = format!("`continuity: {other}` is none of `exact`, `superset`, `report`");
            Err(Unusable::new("continuity", reason))
        }
    }
}

fn summary(inputs: &DraftInputs<'_>, lanes: &[Lane], in_place: bool) -> String {
    let candidate = &inputs.card.candidate;
    let tables: Vec<&str> = lanes.iter().map(|lane| lane.raw.name()).collect();
    let then = match in_place {
        true => "the import takes over their names",
        false => "dependents are repointed to the import",
    };
    format!("{} of {} become the data service {}; {then}", tables.join(", "), candidate.system, candidate.name)
}

impl PlanScores {
    /// The numbers of `card`, one of `of` that were ranked.
    pub fn of(card: &Scorecard, of: u32) -> Self {
        // Fixed decimals as text: floating point must not decide the bytes of a plan.
        let days = |days: f64| format!("{days:.1}");
        PlanScores {
            rank: card.rank,
            of,
            effort_days: [days(card.cost.low_days), days(card.cost.likely_days), days(card.cost.high_days)],
            change_frequency: format!("{:.3}", card.frequency.points),
            importance: format!("{:.3}", card.importance.points),
            priority: format!("{:.4}", card.priority),
            robustness: card.robustness.label.clone(),
            confidence: card.confidence.grade.clone(),
        }
    }
}

fn boundary(inputs: &DraftInputs<'_>) -> Boundary {
    let candidate = inputs.card.candidate.clone();
    Boundary {
        system: candidate.system,
        domain: candidate.domain,
        raw: candidate.raw,
        aligned: candidate.aligned,
        modelled: candidate.modelled,
        import_jobs: candidate.import_jobs,
        dependents: candidate.dependents,
        exposures: candidate.exposures,
    }
}

/// Files of the steps, and those of the jobs inside the boundary.
fn files_behind(inputs: &DraftInputs<'_>, steps: &[Step]) -> BTreeSet<Utf8PathBuf> {
    let candidate = &inputs.card.candidate;
    let of_steps = steps.iter().flat_map(|step| step.relies_on.iter().cloned());
    let jobs = inputs.jobs_named(&candidate.import_jobs).chain(inputs.jobs_named(&candidate.dependents));
    let of_jobs = jobs.flat_map(|job| job.scripts.iter().map(|script| &script.at).chain([&job.at]));
    of_steps.chain(of_jobs.map(|at| at.file.clone())).collect()
}

const BY_HAND: &str = "by hand: ";

impl Plan {
    /// What the plan leaves to people, each a sentence with its place: nothing here is done by applying it.
    pub fn left_to_people(&self) -> impl Iterator<Item = &str> {
        self.not_understood.iter().filter_map(|line| line.strip_prefix(BY_HAND))
    }

    /// Statements of repointed jobs that no comparison before and after can prove, each with its reason.
    pub fn unproven(&self) -> impl Iterator<Item = &str> {
        let proofs = self.steps.iter().filter_map(|step| match &step.action {
            Action::ProveDownstream(prove) => Some(prove),
            _ => None,
        });
        proofs.flat_map(|prove| prove.left_out.iter().map(String::as_str))
    }
}

fn facts(inputs: &DraftInputs<'_>, lanes: &[Lane]) -> Vec<String> {
    let mut facts = Vec::new();
    for lane in lanes {
        match &lane.import {
            Some(import) => facts.push(format!(
                "`{}` is filled from `{}` ({}), {}",
                lane.raw,
                import.from,
                import.from_at,
                match &import.watermark {
                    Some(column) => format!("newer rows known by `{column}`"),
                    None => "whole".to_owned(),
                }
            )),
            None => facts.push(format!("nothing in the estate is known to fill `{}`", lane.raw)),
        }
    }
    let idle = inputs.jobs_named(&inputs.card.candidate.dependents).filter(|job| !job.enabled);
    facts.extend(idle.map(|job| format!("job `{}` reads it but is not enabled ({})", job.id, job.at)));
    facts
}

fn not_understood(inputs: &DraftInputs<'_>, files: &BTreeSet<Utf8PathBuf>, by_hand: Vec<String>) -> Vec<String> {
    let touching = inputs.diagnostics.iter().filter(|d| d.code.severity > Severity::Note && files.contains(&d.at.file));
    let lines = touching.map(|d| format!("{}: {}: {}: {}", d.at, d.code, d.code.summary, d.here));
    let by_hand = by_hand.into_iter().map(|line| format!("{BY_HAND}{line}"));
    lines.chain(by_hand).map(|line| masked(&line).into_owned()).collect::<BTreeSet<_>>().into_iter().collect()
}
