//! Everything that can be tried before step one, all of it told at once.
use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    apply::{
        context::{self, Context},
        error::StepError,
        extract, files,
        journal::{self, RunState, Stage},
        known_edits::KnownEdits,
        model::{Concern, PreflightFinding},
        run::told,
        step::previous_generation,
        world::{RunOptions, World},
    },
    connector::{ConnectorError, Origin},
    plan::{self, Action, FileEdit, Fit, FitKnown, Plan, PublishEndpoint, Step, Swap},
    progress::Silent,
    service::PartWriter,
    vocab::{Column, Schema},
};

/// Tries connections, permissions, tables, files and the plan itself; gives every fault found, worst first. An
/// empty list means that step one can begin. Steps that the journal knows as done are not asked again.
///
/// In a dry run nothing is written, so permissions to write are not tried: each step of a dry run says which.
pub async fn preflight(plan: &Plan, world: &World, options: &RunOptions) -> Vec<PreflightFinding> {
    let mut found = Findings(Vec::new());
    let state = match journal::read(&world.folder(&plan.service)) {
        Ok(read) => read.state,
        Err(error) => {
            found.blocks(None, error.to_string(), error.hint());
            return found.0;
        }
    };
    let context = Context { plan, world, options, progress: &Silent, lease: None, readings: None };
    order(plan, &mut found);
    connections(&context, &mut found).await;
    let mut tried = match KnownEdits::read(&world.state) {
        Ok(known) => Tried { known, texts: BTreeMap::new() },
        Err(error) => {
            found.blocks(None, error.to_string(), error.hint());
            return found.0;
        }
    };
    for step in plan.steps.iter().filter(|step| !done(&state, plan, step)) {
        promises(step, options, &mut found);
        match &step.action {
            Action::Publish(publish) => {
                let address = format!("data-services/{}", plan.service);
                if publish.into != address {
                    let what =
                        format!("the plan says that it publishes into `{}`, which is not `{address}`", publish.into);
                    found.blocks(Some(step), what, "make the plan again with `carve plan`");
                }
                for endpoint in &publish.endpoints {
                    if endpoint.rows_per_part == 0 {
                        let what = format!("a part of `{}` would hold no rows", endpoint.endpoint);
                        found.blocks(Some(step), what, "set `rows_per_part` in carve.yaml and plan again");
                    }
                    origin(&context, step, endpoint, &mut found).await;
                }
            }
            Action::Swap(swap) => {
                names(&context, step, swap, &mut found).await;
                rehearsal(&context, step, swap, &mut found).await;
            }
            Action::Repoint(repoint) => {
                for edit in &repoint.files {
                    file_edit(&context, &state, step, edit, &mut tried, &mut found);
                }
            }
            Action::Schedule(file) => new_file(world, step, &file.file, &file.content, &mut found),
            Action::ProveContinuity(proof) => old_table(&context, step, proof, &mut found).await,
            Action::Import(_) | Action::ProveDownstream(_) => {}
        }
    }
    found.0.sort_by_key(|finding| finding.concern);
    found.0
}

fn done(state: &RunState, plan: &Plan, step: &Step) -> bool {
    state.plan == Some(plan.id) && matches!(state.stage, Stage::Applying | Stage::Finished) && state.is_done(&step.id)
}

/// What was found so far.
struct Findings(Vec<PreflightFinding>);

impl Findings {
    fn add(&mut self, concern: Concern, step: Option<&Step>, what: impl Into<String>, hint: &str) {
        let step = step.map(|step| step.id.clone());
        let hint = Some(hint.to_owned()).filter(|hint| !hint.is_empty());
        self.0.push(PreflightFinding { step, concern, what: what.into(), hint });
    }

    /// Something that did not answer: whoever holds it is waited for, what may pass is tried again, anything else must
    /// be put right.
    fn failed(&mut self, step: Option<&Step>, what: &str, error: &StepError, hint: &str) {
        let what = format!("{what}: {}", told(error));
        match error {
            StepError::Connector(error) if error.is_busy() => self.add(Concern::Waits, step, what, ""),
            error if error.may_pass() => self.add(Concern::Passes, step, what, hint),
            _ => self.blocks(step, what, hint),
        }
    }

    fn blocks(&mut self, step: Option<&Step>, what: impl Into<String>, hint: &str) {
        self.add(Concern::Blocks, step, what, hint);
    }

    fn stale(&mut self, step: Option<&Step>, what: impl Into<String>) {
        self.add(Concern::Stale, step, what, "make the plan again with `carve plan`");
    }
}

/// Steps have names of their own and come after what they need.
fn order(plan: &Plan, found: &mut Findings) {
    let mut seen = BTreeSet::new();
    for step in &plan.steps {
        for need in step.needs.iter().filter(|need| !seen.contains(need.as_str())) {
            let what = format!("step `{}` needs `{need}`, which does not come before it", step.id);
            found.blocks(Some(step), what, "make the plan again with `carve plan`");
        }
        if !seen.insert(step.id.as_str()) {
            found.blocks(Some(step), format!("two steps are called `{}`", step.id), "");
        }
    }
}

/// Staleness and approvals, as the caller knows them.
fn promises(step: &Step, options: &RunOptions, found: &mut Findings) {
    if let Some(why) = options.stale.get(&step.id) {
        found.stale(Some(step), format!("step `{}`: {why}", step.id));
    }
    if step.approval && !options.approved.contains(&step.id) {
        let what = format!("step `{}` needs approval", step.id);
        found.blocks(Some(step), what, "have a person approve this plan id");
    }
}

/// Whether what a rollback will need answers and can be written: the lake where it undoes an import, the bucket where it
/// withdraws a publication.
pub(super) async fn before_undoing(context: &Context<'_>, steps: &[&Step]) -> Vec<PreflightFinding> {
    let mut found = Findings(Vec::new());
    if steps.iter().any(|step| matches!(step.action, Action::Import(_) | Action::Swap(_))) {
        lake(context, &mut found).await;
    }
    if steps.iter().any(|step| matches!(step.action, Action::Publish(_))) {
        bucket(context, &mut found).await;
    }
    found.0.sort_by_key(|finding| finding.concern);
    found.0
}

async fn lake(context: &Context<'_>, found: &mut Findings) {
    let lake = &context.world.lake;
    if let Err(error) = lake.probe().await {
        found.failed(None, "the lake does not answer", &error.into(), "look at its address in carve.yaml");
    } else if !context.options.dry_run
        && let Err(error) = lake.probe_write().await
    {
        found.failed(None, "the lake cannot be written", &error.into(), "give carve permission and room");
    }
}

async fn bucket(context: &Context<'_>, found: &mut Findings) {
    let bucket = &context.world.bucket;
    let tried = match context.options.dry_run {
        true => bucket.list(&format!("data-services/{}/schemata/", context.plan.service)).await.map(|_| Vec::new()),
        false => bucket.probe().await,
    };
    match tried {
        Err(error) => {
            let what = format!("the bucket {} does not answer", bucket.shown());
            found.failed(None, &what, &error.into(), "look at its address and credentials");
        }
        Ok(notes) => notes.iter().for_each(|note| found.add(Concern::Warns, None, note, "")),
    }
}

async fn connections(context: &Context<'_>, found: &mut Findings) {
    let world = context.world;
    lake(context, found).await;
    bucket(context, found).await;
    let sources: BTreeSet<&str> = context::publish(context.plan)
        .into_iter()
        .flat_map(|its| &its.endpoints)
        .map(|its| its.from.as_str())
        .collect();
    for name in sources.into_iter().filter(|name| *name != "lake") {
        match world.origin(name) {
            None => found.blocks(
                None,
                format!("`{name}` is not connected"),
                "give its address under `sources` in carve.yaml",
            ),
            Some(origin) => {
                if let Err(error) = origin.probe().await {
                    found.failed(None, &format!("`{name}` does not answer"), &error.into(), "look at its address");
                }
            }
        }
    }
    if !context.options.dry_run
        && let Err(error) = own_folder(&world.folder(&context.plan.service))
    {
        found.failed(None, "carve's folder", &error, "carve keeps its journal there");
    }
}

fn own_folder(state: &Utf8Path) -> Result<(), StepError> {
    let tried = files::make_folders(state).and_then(|_| files::replace(&state.join("probe"), b"carve"));
    let _ = std::fs::remove_file(state.join("probe"));
    tried.map_err(StepError::io("write to it"))
}

async fn origin(context: &Context<'_>, step: &Step, wanted: &PublishEndpoint, found: &mut Findings) {
    let Some(origin) = context.world.origin(&wanted.from) else { return };
    let described = match context.origin_table(wanted).await {
        Ok(table) => origin.describe(&table).await,
        Err(error) => Err(error),
    };
    match described {
        Err(error) => {
            let cure = error.cure().unwrap_or_default().to_owned();
            found.failed(Some(step), &format!("cannot read `{}`", wanted.table), &error.into(), &cure);
        }
        Ok(described) => {
            if let Some(expected) = &wanted.expect {
                expectations(context.plan, step, wanted, expected, &described.schema, found);
            }
            match extract::published_schema(wanted, described.schema) {
                Err(error) => {
                    found.blocks(Some(step), told(&error), "correct `columns` of this service's wrap in carve.yaml");
                }
                Ok(schema) => sample(context, step, wanted, origin, &schema, found).await,
            }
        }
    }
}

/// The first rows as they would be published: a type that the format cannot keep shows before anything is stored. Only
/// where a key gives their order at once; a table without one would have to be sorted first.
async fn sample(
    context: &Context<'_>,
    step: &Step,
    wanted: &PublishEndpoint,
    origin: &dyn Origin,
    schema: &Schema,
    found: &mut Findings,
) {
    let read = async {
        let table = context.origin_table(wanted).await?;
        let mut snapshot = origin.snapshot().await?;
        let mut rows = snapshot.rows(&table, schema).await?;
        let first = rows.recv().await.transpose()?;
        drop((rows, snapshot));
        let failed = |error| StepError::format(format!("cannot publish `{}`", wanted.table))(error);
        let mut part = PartWriter::new(wanted.format, schema).map_err(failed)?;
        first.map_or(Ok(()), |first| first.each(|row| part.push(row).map_err(failed)))
    };
    let sampled = if schema.key.is_empty() { Ok(()) } else { read.await };
    // Whatever else is wrong is told by those who have to do with it.
    if let Err(error @ (StepError::Format { .. } | StepError::Connector(ConnectorError::Inexact { .. }))) = sampled {
        let hint = format!(
            "mend the value at its origin; or change `columns` (a type, or `omit`) or `format` under `wraps.{}` in \
             carve.yaml and plan again",
            context.plan.service
        );
        found.blocks(Some(step), told(&error), &hint);
    }
}

/// Columns that the plan saw and the origin has otherwise.
fn expectations(
    plan: &Plan,
    step: &Step,
    wanted: &PublishEndpoint,
    expected: &Schema,
    real: &Schema,
    found: &mut Findings,
) {
    let of = |schema: &Schema, name: &str| schema.columns.iter().find(|column| column.name == name).cloned();
    for column in &expected.columns {
        match of(real, &column.name) {
            None => found.stale(Some(step), format!("`{}` has no column `{}`", wanted.table, column.name)),
            // What is declared in carve.yaml is what it will be.
            Some(is) if differs(column, &is) && !wanted.types.contains_key(&column.name) => {
                let what = format!(
                    "column `{}` of `{}` is `{}`, the plan saw `{}`",
                    column.name, wanted.table, is.physical, column.physical
                );
                found.add(Concern::Stale, Some(step), what, &other_type(plan, wanted));
            }
            Some(_) => {}
        }
    }
    let new = real
        .columns
        .iter()
        .filter(|column| of(expected, &column.name).is_none() && !wanted.omit.contains(&column.name));
    for column in new {
        let what = format!(
            "`{}` has a column `{}` that the plan did not see; it will be published",
            wanted.table, column.name
        );
        found.add(Concern::Warns, Some(step), what, "leave it out with `columns: {table.column: omit}`");
    }
}

/// What to do where an origin's type is not the raw table's. A source that is not the lake goes on having its own.
fn other_type(plan: &Plan, wanted: &PublishEndpoint) -> String {
    match wanted.from.as_str() {
        "lake" => "make the plan again with `carve plan`".to_owned(),
        _ => format!(
            "declare the type under `columns` (`TABLE.COLUMN: integer`, the table as the lake calls it) of `wraps.{}` in \
             carve.yaml, then make the plan again with `carve plan`",
            plan.service
        ),
    }
}

/// Declared types are compared first: what two readers make of one declaration is no change of the table.
fn differs(expected: &Column, real: &Column) -> bool {
    expected.logical != real.logical && !expected.physical.eq_ignore_ascii_case(&real.physical)
}

async fn names(context: &Context<'_>, step: &Step, swap: &Swap, found: &mut Findings) {
    match taken(context, swap).await {
        Ok(None) => {}
        Ok(Some(what)) => found.blocks(Some(step), what, "rename or drop it, or give the import another name"),
        Err(error) => found.failed(Some(step), &format!("cannot look for `{}`", swap.live), &error, ""),
    }
}

/// The swap tried with an empty table, and taken back.
async fn rehearsal(context: &Context<'_>, step: &Step, swap: &Swap, found: &mut Findings) {
    let rehearsed = async {
        let previous = match &swap.previous {
            Some(previous) if context.in_place_done(swap, previous).await? => return Ok(Vec::new()),
            Some(previous) => previous.clone(),
            None => previous_generation(&swap.live),
        };
        // What cannot be described is told by the step that publishes it.
        let Some(schema) = imported_schema(context, swap).await else { return Ok(Vec::new()) };
        context.world.lake.rehearse(&swap.staging, &swap.live, &previous, &schema).await
    };
    match rehearsed.await {
        Ok(notes) => notes.iter().for_each(|note| found.add(Concern::Warns, Some(step), note, "")),
        Err(error) => {
            let hint =
                "change that first, or set `mode: beside` for this service under `wraps` in carve.yaml and plan again";
            let hint = if swap.previous.is_some() { hint } else { "change that first" };
            found.failed(Some(step), "the import cannot take its place", &error.into(), hint);
        }
    }
}

/// The schema that the import of `swap` will have.
async fn imported_schema(context: &Context<'_>, swap: &Swap) -> Option<Schema> {
    let endpoint = context::endpoint_of(context.plan, &swap.staging)?;
    let wanted = context::publish(context.plan)?.endpoints.iter().find(|its| its.endpoint == *endpoint)?;
    let table = context.origin_table(wanted).await.ok()?;
    let origin = context.world.origin(&wanted.from)?;
    extract::described(origin, &table, wanted, None).await.ok().map(|(schema, _)| schema)
}

/// A table that stands where the swap needs room.
async fn taken(context: &Context<'_>, swap: &Swap) -> Result<Option<String>, StepError> {
    let lake = &*context.world.lake;
    let lives = lake.exists(&swap.live).await?;
    match &swap.previous {
        None if lives && !context.is_ours(&swap.live).await? => {
            Ok(Some(format!("a table `{}` is there that carve did not make", swap.live)))
        }
        None => Ok(None),
        Some(previous) if context.in_place_done(swap, previous).await? => Ok(None),
        Some(previous) if lake.exists(previous).await? => Ok(Some(format!("a table `{previous}` is there already"))),
        Some(_) if !lives => Ok(Some(format!("there is no table `{}` to take the place of", swap.live))),
        Some(_) => Ok(None),
    }
}

async fn old_table(context: &Context<'_>, step: &Step, proof: &crate::plan::ProveContinuity, found: &mut Findings) {
    match context.world.lake.exists(&proof.old).await {
        Ok(true) => {}
        Ok(false) => found.blocks(Some(step), format!("there is no table `{}` to compare with", proof.old), ""),
        Err(error) => found.failed(Some(step), &format!("cannot look for `{}`", proof.old), &error.into(), ""),
    }
}

/// Files of the estate while a plan's edits are tried in thought, one after the other.
struct Tried {
    known: KnownEdits,
    texts: BTreeMap<Utf8PathBuf, Option<String>>,
}

/// A file takes the edit: as the plan saw it, moved by comments or by other edits of carve, or edited already.
fn file_edit(
    context: &Context<'_>,
    state: &RunState,
    step: &Step,
    edit: &FileEdit,
    tried: &mut Tried,
    found: &mut Findings,
) {
    let path = match context.world.estate_file(&edit.file) {
        Ok(path) => path,
        Err(error) => return found.blocks(Some(step), error.to_string(), error.hint()),
    };
    let read = || files::read(&path).ok().flatten().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = tried.texts.entry(edit.file.clone()).or_insert_with(read);
    let Some(now) = text else {
        return found.stale(Some(step), format!("`{}` is not there, or is no text", edit.file));
    };
    let plan = context.plan;
    let own = Some(state).filter(|state| state.plan == Some(plan.id)).and_then(|state| state.of(&step.id));
    let known = FitKnown {
        standing: &tried.known.standing(&edit.file, plan, Some(&step.id)),
        own: own.and_then(|own| own.facts.edited.get(&edit.file)),
        meaning: &|text: &str| plan.meaning_of(&edit.file, text),
    };
    match plan::fit(edit, now, &known) {
        Fit::After { .. } => {}
        Fit::Before { made, after } => {
            *text = Some(after);
            tried.known.add(&edit.file, plan, &step.id, made);
        }
        // The plan's check has said so, and why.
        Fit::Neither(_) if context.options.stale.contains_key(&step.id) => {}
        Fit::Neither(why) => found.stale(Some(step), format!("`{}` {why}", edit.file)),
    }
}

fn new_file(world: &World, step: &Step, file: &Utf8Path, content: &str, found: &mut Findings) {
    let path = match world.estate_file(file) {
        Ok(path) => path,
        Err(error) => return found.blocks(Some(step), error.to_string(), error.hint()),
    };
    match files::read(&path) {
        Ok(None) => {}
        Ok(Some(bytes)) if bytes == content.as_bytes() => {}
        Ok(Some(_)) => found.blocks(Some(step), format!("a file `{file}` is there already"), "rename or remove it"),
        Err(error) => found.blocks(Some(step), format!("cannot look for `{file}`: {error}"), ""),
    }
}
