//! All that a reviewer wants to know of one planned service.
use serde::Serialize;

use super::{
    Flow, ReportInputs,
    flow::{flows, publishes},
    sequence::stage_words,
    text,
};
use crate::{
    apply::{ProofSummary, ServiceStatus},
    plan::{Action, FileEdit, Plan, PublishEndpoint, Step, Undo},
    vocab::PartFormat,
};

/// One planned service.
#[derive(Clone, Debug, Serialize)]
pub struct Dossier {
    /// The service.
    pub name: String,
    /// Anchor on the page.
    pub anchor: String,
    /// Where its data comes from, in words.
    pub summary: String,
    /// `team-lake → team-orders`, or what is missing.
    pub ownership: String,
    /// Rank, effort, F, I, ρ in one line.
    pub scores: String,
    /// `planned`, `wrapped` …
    pub stage: String,
    /// `7 of 12 steps done`, with where it stopped.
    pub progress: String,
    /// Newest publication in words, or empty.
    pub publication: String,
    /// Endpoints and addresses.
    pub endpoints: Vec<EndpointView>,
    /// The ways before and after.
    pub flows: [Flow; 2],
    /// Steps in order.
    pub steps: Vec<StepView>,
    /// Files that change.
    pub diffs: Vec<FileDiff>,
    /// What people must do.
    pub actions: Vec<String>,
    /// What was proven.
    pub proofs: Vec<ProofView>,
    /// Queries compared and left out, in words.
    pub downstream: String,
    /// Statements that cannot be compared, each with its reason.
    pub left_out: Vec<String>,
    /// What a reviewer should know.
    pub facts: Vec<String>,
    /// What was not understood and touches this plan.
    pub not_understood: Vec<String>,
    /// The plan's id, short.
    pub plan_id: String,
    /// Path of the plan beside carve.yaml.
    pub plan_file: String,
}

/// One endpoint.
#[derive(Clone, Debug, Serialize)]
pub struct EndpointView {
    /// Its name.
    pub endpoint: String,
    /// The table it takes its rows from.
    pub table: String,
    /// `the lake`, `source order_db`.
    pub from: String,
    /// `csv, 1,000 rows a part`.
    pub format: String,
    /// Address pattern of its parts.
    pub parts: String,
    /// The table its publication is imported into, or empty.
    pub live: String,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
pub struct StepView {
    /// From 1.
    pub number: usize,
    /// Its id.
    pub id: String,
    /// What it does.
    pub title: String,
    /// Steps before it.
    pub needs: Vec<String>,
    /// What must hold before.
    pub preconditions: Vec<String>,
    /// What holds after.
    pub postconditions: Vec<String>,
    /// How it is undone, in words.
    pub undo: String,
    /// Whether a person must approve it.
    pub approval: bool,
    /// `done`, `next`, or empty.
    pub state: String,
}

/// One file that changes.
#[derive(Clone, Debug, Serialize)]
pub struct FileDiff {
    /// The file.
    pub file: String,
    /// Whose file, or why it is written.
    pub because: String,
    /// The change as a unified diff; a new file's content has a `+` before each line.
    pub diff: String,
    /// Its lines with their kind.
    pub lines: Vec<DiffLine>,
    /// `+3 −3`.
    pub size: String,
}

/// One line of a diff.
#[derive(Clone, Debug, Serialize)]
pub struct DiffLine {
    /// `add`, `del`, `hunk`, `file`, `same`.
    pub kind: &'static str,
    /// The line.
    pub text: String,
}

/// One proof.
#[derive(Clone, Debug, Serialize)]
pub struct ProofView {
    /// `transport`, `continuity`, `downstream`.
    pub kind: String,
    /// What was compared.
    pub what: String,
    /// `equal`, `different`, `explained`, `not comparable`.
    pub verdict: String,
    /// Rows on both sides: `120,000 = 120,000`.
    pub rows: String,
    /// In words.
    pub because: String,
}

/// A dossier per plan of `inputs`.
pub(super) fn dossiers(inputs: &ReportInputs) -> Vec<Dossier> {
    let status = |plan: &Plan| inputs.statuses.iter().find(|status| status.service == plan.service);
    inputs.plans.iter().map(|plan| dossier(plan, status(plan))).collect()
}

fn dossier(plan: &Plan, status: Option<&ServiceStatus>) -> Dossier {
    let (downstream, left_out) = downstream(plan);
    Dossier {
        name: plan.service.to_string(),
        anchor: text::anchor("service", plan.service.as_str()),
        summary: plan.summary.clone(),
        ownership: ownership(plan),
        scores: scores(plan),
        stage: status.map_or_else(|| "planned".to_owned(), |s| stage_words(&s.stage)),
        progress: progress(plan, status),
        publication: status.map(publication).unwrap_or_default(),
        endpoints: publishes(plan).flat_map(|p| p.endpoints.iter().map(|e| endpoint(plan, &p.into, e))).collect(),
        flows: flows(plan),
        steps: plan.steps.iter().enumerate().map(|(at, s)| step(at, s, status)).collect(),
        diffs: diffs(plan),
        actions: actions(plan, status),
        proofs: status.map(|s| s.proofs.iter().map(proof).collect()).unwrap_or_default(),
        downstream,
        left_out,
        facts: plan.facts.clone(),
        not_understood: plan.not_understood.clone(),
        plan_id: plan.id.short(),
        plan_file: format!("plans/{}.yaml", plan.service),
    }
}

fn ownership(plan: &Plan) -> String {
    let known = |team: &Option<String>| team.clone().unwrap_or_else(|| "not decided".to_owned());
    match (&plan.ownership.now, &plan.ownership.then) {
        (None, None) => "nobody is named yet".to_owned(),
        (now, then) if now == then => known(now),
        (now, then) => format!("{} now, {} after hand-over", now.as_deref().unwrap_or("unknown"), known(then)),
    }
}

fn scores(plan: &Plan) -> String {
    let s = &plan.scores;
    let [low, likely, high] = &s.effort_days;
    format!(
        "Rank {} of {} ({}), {low}–{high} person-days ({likely} most likely), F {}, I {}, priority {}, confidence {}",
        s.rank, s.of, s.robustness, s.change_frequency, s.importance, s.priority, s.confidence
    )
}

fn progress(plan: &Plan, status: Option<&ServiceStatus>) -> String {
    let Some(status) = status else {
        return text::count(plan.steps.len(), "step, none done yet", "steps, none done yet");
    };
    let done = format!("{} of {} done", status.steps_done, text::count(status.steps as usize, "step", "steps"));
    match &status.stopped_at {
        Some(stop) => format!("{done}; stopped at {stop}"),
        None => done,
    }
}

fn publication(status: &ServiceStatus) -> String {
    let Some(version) = status.version else { return String::new() };
    let mut text = format!("v{version}");
    if let Some(rows) = status.rows {
        text.push_str(&format!(", {} rows", text::thousands(rows)));
    }
    if let Some(parts) = status.parts {
        text.push_str(&format!(" in {}", text::count(parts as usize, "part", "parts")));
    }
    if let Some(at) = &status.published_at {
        text.push_str(&format!(", published {at}"));
    }
    text
}

fn endpoint(plan: &Plan, into: &str, endpoint: &PublishEndpoint) -> EndpointView {
    let extension = format_name(endpoint.format);
    let from = match endpoint.from.strip_prefix("source:") {
        Some(system) => format!("source system {system}"),
        None if endpoint.from == "lake" => "the lake".to_owned(),
        None => endpoint.from.clone(),
    };
    EndpointView {
        endpoint: endpoint.endpoint.to_string(),
        table: endpoint.table.to_string(),
        from,
        format: format!("{extension}, {} rows a part at most", text::thousands(u64::from(endpoint.rows_per_part))),
        parts: format!("{into}/{}/v{{X.Y.Z}}.datapart{{NN}}.{extension}", endpoint.endpoint),
        live: live_table(plan, endpoint),
    }
}

/// The table that readers of `endpoint` find in the lake after the wrap.
fn live_table(plan: &Plan, endpoint: &PublishEndpoint) -> String {
    let staging = plan.steps.iter().find_map(|step| match &step.action {
        Action::Import(import) if import.endpoint == endpoint.endpoint => Some(&import.staging),
        _ => None,
    });
    let live = plan.steps.iter().find_map(|step| match &step.action {
        Action::Swap(swap) if Some(&swap.staging) == staging => Some(swap.live.to_string()),
        _ => None,
    });
    live.unwrap_or_default()
}

/// A part format as its file extension.
pub(super) fn format_name(format: PartFormat) -> &'static str {
    match format {
        PartFormat::Csv => "csv",
        PartFormat::Parquet => "parquet",
        PartFormat::Jsonl => "jsonl",
    }
}

fn step(at: usize, step: &Step, status: Option<&ServiceStatus>) -> StepView {
    let state = match status {
        Some(status) if at < status.steps_done as usize => "done",
        Some(status) if at == status.steps_done as usize && status.stage == "applying" => "next",
        _ => "",
    };
    StepView {
        number: at + 1,
        id: step.id.clone(),
        title: step.title.clone(),
        needs: step.needs.clone(),
        preconditions: step.preconditions.clone(),
        postconditions: step.postconditions.clone(),
        undo: match step.undo {
            Undo::Restore => "restored exactly",
            Undo::Compensate => "made up for, never deleted",
            Undo::None => "nothing to undo",
        }
        .to_owned(),
        approval: step.approval,
        state: state.to_owned(),
    }
}

fn diffs(plan: &Plan) -> Vec<FileDiff> {
    let mut diffs = Vec::new();
    for step in &plan.steps {
        match &step.action {
            Action::Repoint(repoint) => {
                let because = format!("repoints {}", repoint.job);
                diffs.extend(repoint.files.iter().map(|file| edited(file, &because)));
            }
            Action::Schedule(file) => {
                let diff = file.content.lines().map(|line| format!("+{line}\n")).collect();
                diffs.push(file_diff(file.file.as_str(), "new: keeps the service fresh on the legacy schedule", diff));
            }
            _ => {}
        }
    }
    diffs
}

fn edited(file: &FileEdit, because: &str) -> FileDiff {
    file_diff(file.file.as_str(), because, file.diff.clone())
}

fn file_diff(file: &str, because: &str, diff: String) -> FileDiff {
    let lines: Vec<DiffLine> = diff.lines().map(|l| DiffLine { kind: kind(l), text: l.to_owned() }).collect();
    let of = |kind: &str| lines.iter().filter(|line| line.kind == kind).count();
    let size = format!("+{} −{}", of("add"), of("del"));
    FileDiff { file: file.to_owned(), because: because.to_owned(), diff, lines, size }
}

fn kind(line: &str) -> &'static str {
    match line.as_bytes() {
        [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => "file",
        [b'@', b'@', ..] => "hunk",
        [b'+', ..] => "add",
        [b'-', ..] => "del",
        _ => "same",
    }
}

fn downstream(plan: &Plan) -> (String, Vec<String>) {
    let proofs = plan.steps.iter().filter_map(|step| match &step.action {
        Action::ProveDownstream(prove) => Some(prove),
        _ => None,
    });
    let queries = proofs.map(|prove| prove.queries.len()).sum();
    let left_out: Vec<String> = plan.unproven().map(str::to_owned).collect();
    let words = format!(
        "{} before and after; {}.",
        text::count(queries, "query is run", "queries are run"),
        text::count(left_out.len(), "statement cannot be compared", "statements cannot be compared")
    );
    (words, left_out)
}

/// What is left for people: nothing here is done by `carve apply`.
fn actions(plan: &Plan, status: Option<&ServiceStatus>) -> Vec<String> {
    let mut actions = Vec::new();
    let stage = status.map_or("planned", |s| s.stage.as_str());
    if stage != "wrapped" {
        actions.push(format!("Review plans/{0}.yaml, then run `carve apply {0}`.", plan.service));
    }
    if plan.ownership.now.is_none() && plan.ownership.then.is_none() {
        actions.push("Name an owner: set `wraps` → `owner` in carve.yaml; the contract carries it.".to_owned());
    }
    for step in plan.steps.iter().filter(|step| step.approval) {
        actions.push(format!("Approve step {}: {}.", step.id, step.title));
    }
    for place in &plan.not_understood {
        actions.push(format!("Read by hand: {}", place.trim_start_matches("by hand: ")));
    }
    let files = plan.steps.iter().filter(|s| matches!(s.action, Action::Repoint(_) | Action::Schedule(_))).count();
    if files > 0 {
        actions.push("Commit the files that apply edits, with the patch as the message's body.".to_owned());
    }
    if !plan.boundary.exposures.is_empty() && status.is_none_or(|s| s.switched[0] < s.switched[1].max(1)) {
        actions.push(format!("Move the BI sources: `carve switchover {}`.", plan.service));
    }
    if status.is_some_and(|s| !s.in_catalog) {
        actions.push(format!("Make it findable: `carve catalog`, then announce {}.", plan.service));
    }
    actions
}

fn proof(proof: &ProofSummary) -> ProofView {
    let sign = if proof.left_rows == proof.right_rows { "=" } else { "≠" };
    // The staging table of a transport proof is gone by now: what stays is the endpoint.
    let what = match (&proof.what, &proof.endpoint) {
        (what, Some(endpoint)) if proof.kind == "transport" || what.is_none() => format!("endpoint {endpoint}"),
        (Some(what), _) => what.clone(),
        (None, _) => String::new(),
    };
    // The fingerprint is for programs: proofs.json has it.
    let because = proof.because.split(", rows1:").next().unwrap_or_default();
    ProofView {
        kind: proof.kind.clone(),
        what,
        verdict: stage_words(&proof.verdict),
        rows: format!("{} {sign} {}", text::thousands(proof.left_rows), text::thousands(proof.right_rows)),
        because: because.to_owned(),
    }
}
