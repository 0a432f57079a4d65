//! The job any scheduler runs: publish when the origin has changed, import, prove, put in place.
use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;

use crate::{
    apply::{
        breaking::{self, Readers},
        context::{self, Context},
        error::{ApplyError, StepError},
        journal::{Event, Facts, Journal, Stage},
        model::{Concern, PreflightFinding, ProofSummary, RefreshReport, SchemaNews},
        note::{ImportNote, import_note, set_note},
        proofs, prune,
        publication::{self, Committed, Depth},
        publishing::{self, Before, Gate},
        rows::Rows,
        run::told,
        session::{Session, noting},
        step::{put_in_place, stage},
        world::{RunOptions, World},
    },
    plan::{Import, Plan, Swap},
    progress::Progress,
    service::{ContractEndpoint, Manifest, SchemaChange},
    vocab::DatasetId,
};

/// What a refresh keeps.
#[derive(Clone)]
pub struct RefreshOptions {
    /// Cancelling, and publishing anew without a change.
    pub run: RunOptions,
    /// Newest publications kept; never fewer than two.
    pub keep: u32,
    /// Believe the sizes of parts, and the lake's note of what an import holds as long as its rows are as many, instead
    /// of reading both.
    pub trust: bool,
    /// Publish a schema that breaks known readers in the estate all the same.
    pub accept_breaking: bool,
    /// Who in the estate reads what; asked only when a change of schema would break somebody.
    pub readers: Option<Arc<dyn Readers>>,
}

impl Default for RefreshOptions {
    fn default() -> Self {
        let run = RunOptions::default();
        RefreshOptions { run, keep: 10, trust: false, accept_breaking: false, readers: None }
    }
}

/// Refreshes the service of a finished plan: extracts in one snapshot, publishes only when rows or schema changed,
/// stages what the lake does not hold yet and proves it, commits, then puts all endpoints in place. A publication
/// or an import that was damaged since is made anew, and the report says so. A second refresh without changes
/// publishes nothing and moves nothing.
///
/// # Errors
/// `Blocked` before the plan is applied, and when the origin's schema would break known readers; `Locked` while another carve works; `NotEqual` when a proof fails and
/// `Prevented` when the origin's rows break an index of the live table: nothing new is committed then, and readers
/// keep what they have. `Stopped` for what passes: run again.
pub async fn refresh(
    plan: &Plan,
    world: &World,
    options: &RefreshOptions,
    progress: &dyn Progress,
) -> Result<RefreshReport, ApplyError> {
    let mut session = Session::open(world, &plan.service, "refresh")?;
    let may = match applied(plan, &session) {
        Ok(()) => session.take_lease(world, &plan.service).await,
        blocked => blocked,
    };
    let ended = match may {
        Ok(()) => all(plan, world, options, progress, &mut session)
            .await
            .map_err(|error| error.in_step(&plan.service, "refresh")),
        Err(error) => Err(error),
    };
    session.close().await;
    ended
}

/// Only a finished plan is refreshed.
fn applied(plan: &Plan, session: &Session) -> Result<(), ApplyError> {
    let state = session.state();
    match state.plan {
        Some(begun) if begun != plan.id => Err(ApplyError::OtherPlan { service: plan.service.clone(), begun }),
        _ if state.stage == Stage::Finished => Ok(()),
        _ => Err(ApplyError::Blocked {
            service: plan.service.clone(),
            findings: vec![PreflightFinding {
                step: None,
                concern: Concern::Blocks,
                what: format!("`{}` is not wrapped: its plan is not applied to the end", plan.service),
                hint: Some(match state.stage {
                    Stage::RollingBack => format!("it is being undone: `carve rollback {}` goes on", plan.service),
                    _ => format!("`carve apply {}` first", plan.service),
                }),
            }],
        }),
    }
}

async fn all(
    plan: &Plan,
    world: &World,
    options: &RefreshOptions,
    progress: &dyn Progress,
    session: &mut Session,
) -> Result<RefreshReport, StepError> {
    let state = session.state().clone();
    let mut open = state.refreshing.is_some();
    let known = state.refreshing.clone().unwrap_or_default();
    let Session { journal, lease, .. } = session;
    let context = Context { plan, world, options: &options.run, progress, lease: lease.as_ref(), readings: None };
    let wanted = context::publish(plan).ok_or_else(|| StepError::Broken("the plan publishes nothing".to_owned()))?;
    let mut staged = Staged { options, tables: BTreeMap::new(), accepted: Vec::new() };
    let published = {
        // The journal hears of a refresh only once there is something to store.
        let (journal, open) = (&mut *journal, &mut open);
        let mut note = move |facts| {
            begin(journal, open)?;
            Ok(journal.append(Event::RefreshNoted { facts })?)
        };
        let depth = if options.trust { Depth::Sizes } else { Depth::Bytes };
        let before = Before::of(&context, &state, &known, depth).await?;
        publishing::publish(&context, wanted, &before, &mut staged, &mut note).await?
    };
    let newest = publication::of_version(&*world.bucket, &plan.service, published.version).await?;
    let mut notes = published.lines;
    let behind = behind(&context, &newest, options.trust, &mut notes).await?;
    if !behind.is_empty() {
        begin(journal, &mut open)?;
    }
    let accepted = std::mem::take(&mut staged.accepted);
    let imported: Vec<DatasetId> = behind.iter().map(|(_, swap)| swap.live.clone()).collect();
    let proven = import(&context, &newest, &behind, staged).await?;
    let pruned = {
        let (journal, open) = (&mut *journal, &mut open);
        let mut begin = move || begin(journal, open);
        prune::prune(&context, wanted, options.keep, state.refreshing.is_some(), &mut begin).await?
    };
    freshen(&context, &newest).await?;
    proofs::keep(&world.folder(&plan.service), &proven)?;
    if !options.trust {
        proofs::forget_verified(&world.folder(&plan.service));
    }
    if open {
        let facts = Facts { version: Some(published.version), proofs: proven.clone(), ..Facts::default() };
        noting(journal, |facts| Event::RefreshDone { facts })(facts)?;
    }
    let endpoints = &newest.contract.facts.endpoints;
    let mut bytes = 0;
    for its in endpoints {
        let manifest = newest.manifest(&*world.bucket, &its.endpoint).await?;
        bytes += manifest.parts.iter().map(|part| part.bytes).sum::<u64>();
    }
    Ok(RefreshReport {
        service: plan.service.clone(),
        version: published.version,
        published: published.made,
        imported,
        rows: endpoints.iter().map(|its| its.fingerprint.rows).sum(),
        parts: endpoints.iter().map(|its| its.parts).sum(),
        bytes,
        pruned,
        changes: published.changes.iter().map(SchemaNews::of).collect(),
        broken_readers: accepted,
        notes,
        proofs: proven,
    })
}

/// Tells the journal that a refresh began, unless it is `open` already.
fn begin(journal: &mut Journal, open: &mut bool) -> Result<(), StepError> {
    if !*open {
        journal.append(Event::RefreshBegan)?;
        *open = true;
    }
    Ok(())
}

/// Imports whose live table does not hold `newest`; what was changed behind carve's back is noted in words.
async fn behind<'p>(
    context: &Context<'p>,
    newest: &Committed,
    trust: bool,
    notes: &mut Vec<String>,
) -> Result<Vec<(&'p Import, &'p Swap)>, StepError> {
    let mut behind = Vec::new();
    for import in context::imports(context.plan) {
        let Some(swap) = context::swap_of(context.plan, &import.staging) else { continue };
        let its = newest.endpoint(&import.endpoint)?;
        let current = |note: ImportNote| note.version == newest.version() && note.fingerprint == its.fingerprint;
        let noted = import_note(&*context.world.lake, &swap.live).await?;
        if !noted.is_some_and(current) {
            behind.push((import, swap));
        } else if let Some(how) = changed(context, &swap.live, its, trust).await? {
            let line = format!("`{}` {how} since it was imported: it is imported anew", swap.live);
            context.progress.say(&line);
            notes.push(line);
            behind.push((import, swap));
        }
    }
    Ok(behind)
}

/// How the live table differs from what its note says it holds; nothing when it does not.
async fn changed(
    context: &Context<'_>,
    live: &DatasetId,
    its: &ContractEndpoint,
    trust: bool,
) -> Result<Option<String>, StepError> {
    let lake = &*context.world.lake;
    if !lake.exists(live).await? {
        return Ok(Some("was removed".to_owned()));
    }
    let rows = lake.snapshot().await?.count(live).await?;
    if rows != its.fingerprint.rows {
        return Ok(Some(format!("was changed ({rows} rows instead of {})", its.fingerprint.rows)));
    }
    if trust {
        return Ok(None);
    }
    match Rows::Table(lake, live, &its.schema).fingerprint(&its.schema, &|| context.go_on()).await {
        Ok(found) if found == its.fingerprint => Ok(None),
        Ok(_) => Ok(Some("was changed".to_owned())),
        Err(error) if error.may_pass() => Err(error),
        // What cannot be read as what it was is no longer that.
        Err(error) => Ok(Some(format!("was changed ({})", told(&error)))),
    }
}

/// What was staged and proven before the contract was committed, by staging table.
struct Staged<'o> {
    options: &'o RefreshOptions,
    tables: BTreeMap<DatasetId, ProofSummary>,
    /// Readers that a change breaks, as a person accepted.
    accepted: Vec<String>,
}

#[async_trait]
impl Gate for Staged<'_> {
    /// A schema that breaks a known reader is not published unless a person accepts that; then the report names them.
    fn schema(&mut self, context: &Context<'_>, changes: &[SchemaChange]) -> Result<(), StepError> {
        let broken = breaking::broken(context, changes, self.options.readers.as_deref());
        match self.options.accept_breaking || broken.is_empty() {
            true => {
                self.accepted = broken.into_iter().map(|finding| finding.what).collect();
                Ok(())
            }
            false => Err(StepError::Blocked(broken)),
        }
    }

    /// Rows that the lake cannot take in are not published, nor a table that its readers' views or a trigger keep from
    /// its place: import and publication would part ways.
    async fn pass(&mut self, context: &Context<'_>, manifests: &[Arc<Manifest>]) -> Result<(), StepError> {
        let mut pairs: Vec<(&Import, &Arc<Manifest>)> = Vec::new();
        for import in context::imports(context.plan) {
            pairs.extend(manifests.iter().find(|its| its.endpoint == import.endpoint).map(|its| (import, its)));
        }
        for (import, manifest) in &pairs {
            rehearse(context, import, manifest).await?;
        }
        for (import, manifest) in pairs {
            self.tables.insert(import.staging.clone(), stage(context, manifest, &import.staging).await?);
        }
        Ok(())
    }
}

/// Tries the swap on an empty table, under names that nothing else has, and takes it back.
async fn rehearse(context: &Context<'_>, import: &Import, manifest: &Manifest) -> Result<(), StepError> {
    let Some(swap) = context::swap_of(context.plan, &import.staging) else { return Ok(()) };
    let beside = |word: &str| swap.live.sibling(&format!("{}__carve_{word}", swap.live.table()));
    let lake = &*context.world.lake;
    lake.rehearse(&beside("try"), &swap.live, &beside("was"), &manifest.schema).await?;
    Ok(())
}

/// Stages and proves what is not staged yet, then puts all in place: readers see old endpoints or new ones, hardly
/// ever both.
async fn import(
    context: &Context<'_>,
    newest: &Committed,
    behind: &[(&Import, &Swap)],
    mut staged: Staged<'_>,
) -> Result<Vec<ProofSummary>, StepError> {
    let mut proven = Vec::new();
    for (import, _) in behind {
        proven.push(match staged.tables.remove(&import.staging) {
            Some(proof) => proof,
            None => {
                let manifest = Arc::new(newest.manifest(&*context.world.bucket, &import.endpoint).await?);
                stage(context, &manifest, &import.staging).await?
            }
        });
    }
    context.go_on()?;
    for (import, swap) in behind {
        put_in_place(&*context.world.lake, &import.staging, &swap.live).await?;
        let fingerprint = newest.endpoint(&import.endpoint)?.fingerprint;
        set_note(context, &swap.live, &import.endpoint, newest.version(), fingerprint).await?;
    }
    for (proof, (_, swap)) in proven.iter_mut().zip(behind) {
        // The staged table is the live one now, and that is the name people know.
        proof.what = Some(swap.live.to_string());
    }
    Ok(proven)
}

/// Notes in the lake that every import was compared with its origin now.
async fn freshen(context: &Context<'_>, newest: &Committed) -> Result<(), StepError> {
    for import in context::imports(context.plan) {
        if let Some(swap) = context::swap_of(context.plan, &import.staging) {
            let fingerprint = newest.endpoint(&import.endpoint)?.fingerprint;
            set_note(context, &swap.live, &import.endpoint, newest.version(), fingerprint).await?;
        }
    }
    Ok(())
}
