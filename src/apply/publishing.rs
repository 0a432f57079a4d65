//! Publishes a service from its origins, or finds that nothing has changed since the newest publication.
use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;

use crate::{
    apply::{
        context::{self, Context},
        error::StepError,
        extract::{Extract, Source},
        journal::{Facts, RunState},
        note::import_note,
        publication::{self, Committed, Depth, Shelf},
        rows::fingerprint,
        upload::{Noting, Upload, Uploaded, parts_at_once},
    },
    plan::{Action, Plan, Publish},
    service::{
        Contract, ContractEndpoint, ContractFacts, ContractServer, EndpointSchema, Fingerprint, Manifest, SchemaChange,
        ServiceAddress, Sla, bump, changes,
    },
    vocab::{Bump, Digest, SchemaVersion, counted, longest_gap_minutes},
};

/// Version numbers tried before giving up: each one that is taken was spent by an attempt that never committed.
const TRIES: u32 = 100;

/// What publishing came to.
pub(super) struct Published {
    pub(super) version: SchemaVersion,
    /// Whether it was made now.
    pub(super) made: bool,
    pub(super) lines: Vec<String>,
    /// How its schema differs from the publication before it.
    pub(super) changes: Vec<SchemaChange>,
}

/// What is known before publishing begins, and how carefully it is done.
pub(super) struct Before<'a> {
    /// What earlier attempts noted.
    pub(super) known: &'a Facts,
    /// Versions that journal or lake have seen: none of them is given out again.
    pub(super) used: BTreeSet<SchemaVersion>,
    /// How closely a publication is looked at before it is taken for whole.
    pub(super) depth: Depth,
}

impl<'a> Before<'a> {
    /// With all that journal and lake remember.
    pub(super) async fn of(
        context: &Context<'_>,
        state: &RunState,
        known: &'a Facts,
        depth: Depth,
    ) -> Result<Before<'a>, StepError> {
        let mut used = state.used.clone();
        for swap in context::swaps(context.plan) {
            let note = import_note(&*context.world.lake, &swap.live).await?;
            used.extend(note.filter(|note| note.service == context.plan.service).map(|note| note.version));
        }
        // The attempt that is under way goes on under its own name.
        used.retain(|version| !known.attempted.contains(version));
        Ok(Before { known, used, depth })
    }
}

/// Looks at what is stored before it is committed, and may refuse it.
#[async_trait]
pub(super) trait Gate: Send {
    /// Fails when a publication with these changes of schema must not be made; asked before anything is stored.
    fn schema(&mut self, _: &Context<'_>, _: &[SchemaChange]) -> Result<(), StepError> {
        Ok(())
    }

    /// Fails when these rows must not be published.
    async fn pass(&mut self, context: &Context<'_>, manifests: &[Arc<Manifest>]) -> Result<(), StepError>;
}

/// Lets everything pass: a first publication has no readers to protect.
pub(super) struct Open;

#[async_trait]
impl Gate for Open {
    async fn pass(&mut self, _: &Context<'_>, _: &[Arc<Manifest>]) -> Result<(), StepError> {
        Ok(())
    }
}

/// Publishes all endpoints, unless the newest publication is whole and holds these very rows.
pub(super) async fn publish(
    context: &Context<'_>,
    wanted: &Publish,
    before: &Before<'_>,
    gate: &mut dyn Gate,
    note: &mut Noting<'_>,
) -> Result<Published, StepError> {
    let bucket = &context.world.bucket;
    let known = before.known;
    let Shelf { newest, highest, mut damage } = publication::shelf(&**bucket, &context.plan.service).await?;
    let mut extract = Extract::open(context, wanted, newest.as_ref()).await?;
    let new: Vec<EndpointSchema> = extract.sources.iter().map(endpoint_schema).collect();
    let change = newest.as_ref().and_then(|newest| bump(&endpoint_schemas(newest), &new));
    if let Some(newest) =
        newest.as_ref().filter(|_| change.is_none() && damage.is_empty() && !context.options.republish)
        && unchanged(context, &mut extract, newest).await?
    {
        damage = publication::damage(bucket, newest, before.depth, &|| context.go_on()).await?;
        if damage.is_empty() {
            return adopt(context, wanted, known, newest.version()).await;
        }
    }
    let mut lines = damaged_lines(newest.as_ref(), highest, &before.used, &damage);
    lines.iter().for_each(|line| context.progress.say(line));
    let mut changed = Vec::new();
    if let Some(newest) = &newest {
        // Readers hear of a change of schema before it is published.
        changed = changes(&endpoint_schemas(newest), &new);
        changed
            .iter()
            .for_each(|change| context.progress.say(&format!("endpoint `{}`: {}", change.endpoint, change.text)));
        gate.schema(context, &changed)?;
    }
    let mut version = first_version(newest.as_ref(), change, highest, before);
    let mut spent = Vec::new();
    for _ in 0..TRIES {
        note(Facts { attempted: vec![version], ..Facts::default() })?;
        match store(context, &mut extract, version, known, note).await? {
            Ok(manifests) => {
                let (manifests, digests): (Vec<_>, Vec<_>) =
                    manifests.into_iter().map(|(manifest, digest)| (Arc::new(manifest), digest)).unzip();
                // The lake may be an origin: it cannot be written while a snapshot holds it still.
                extract.release();
                gate.pass(context, &manifests).await?;
                let stored = manifests.iter().zip(digests).collect();
                lines.extend(finish(context, wanted, &extract.sources, version, stored, known, &spent).await?);
                return Ok(Published { version, made: true, lines, changes: changed });
            }
            Err(key) => {
                context.progress.say(&format!(
                    "`{key}` has other bytes from an attempt that never committed: version {version} is skipped"
                ));
                spent.push(version);
                version = version.next(Bump::Publication);
            }
        }
    }
    Err(StepError::Broken(format!("{TRIES} version numbers up to {version} are taken by objects no contract commits")))
}

/// Says what is wrong with what was published, and what becomes of it.
fn damaged_lines(
    newest: Option<&Committed>,
    highest: Option<SchemaVersion>,
    used: &BTreeSet<SchemaVersion>,
    damage: &[String],
) -> Vec<String> {
    let spoken_of = newest.map(Committed::version).max(highest).or(used.last().copied());
    match (damage, spoken_of) {
        ([], Some(version)) if newest.is_none() => {
            vec![format!("publication {version} is known here and is not in the bucket any more: it is published anew")]
        }
        ([], _) | (_, None) => Vec::new(),
        (_, Some(version)) => {
            vec![format!("publication {version} is damaged, so it is published anew: {}", publication::told(damage))]
        }
    }
}

/// The version to begin with: after the newest by the kind of change, after every other that was ever given out,
/// and that of an attempt under way where it has not been overtaken.
fn first_version(
    newest: Option<&Committed>,
    change: Option<Bump>,
    highest: Option<SchemaVersion>,
    before: &Before<'_>,
) -> SchemaVersion {
    let bump = change.unwrap_or(Bump::Publication);
    let mut first = newest.map_or(SchemaVersion::FIRST, |newest| newest.version().next(bump));
    if let Some(last) = before.used.last().copied().max(highest).filter(|last| *last >= first) {
        first = last.next(bump);
    }
    let attempted = before.known.attempted.iter().copied().filter(|tried| same_schema(*tried, first));
    attempted.max().unwrap_or(first).max(first)
}

/// Nothing has changed: the newest publication stands; one that a rollback withdrew is made active again.
async fn adopt(
    context: &Context<'_>,
    wanted: &Publish,
    known: &Facts,
    version: SchemaVersion,
) -> Result<Published, StepError> {
    let bucket = &*context.world.bucket;
    let service = &context.plan.service;
    let mut lines = vec![format!("publication {version} holds exactly these rows already: nothing was published")];
    let newest = publication::of_version(bucket, service, version).await?;
    if newest.is_withdrawn() {
        publication::mark(bucket, newest, "active", (context.world.clock)()).await?;
        lines.push(format!("publication {version} had been withdrawn and is active again"));
    }
    publication::sweep(bucket, service, &context::endpoints(wanted), &known.attempted).await?;
    Ok(Published { version, made: false, lines, changes: Vec::new() })
}

/// Stores parts and manifests of all endpoints; the key of a name that is taken otherwise.
async fn store(
    context: &Context<'_>,
    extract: &mut Extract<'_>,
    version: SchemaVersion,
    known: &Facts,
    note: &mut Noting<'_>,
) -> Result<Result<Vec<(Manifest, Digest)>, String>, StepError> {
    let service = &context.plan.service;
    let mut manifests = Vec::new();
    for at in 0..extract.sources.len() {
        let (from, table, schema) = {
            let source = &extract.sources[at];
            (&source.wanted.from, source.table.clone(), source.schema.clone())
        };
        let at_most = parts_at_once(extract.sources[at].wanted.rows_per_part);
        let rows = extract.sources[at].rows;
        let snapshot = extract.snapshot(from)?;
        let ranges = snapshot.ranges(&table, &schema, rows, at_most).await?;
        snapshot.notes().iter().for_each(|note| context.progress.say(note));
        let upload = Upload { service, version, stored: &known.stored };
        match upload.run(context, &extract.sources[at], ranges, note).await? {
            Uploaded::Taken(key) => return Ok(Err(key)),
            Uploaded::All(manifest) => manifests.push(manifest),
        }
    }
    // Manifests go up after all parts, so whoever sees a manifest can fetch every part it names.
    let mut stored = Vec::new();
    for manifest in manifests {
        match store_manifest(context, &manifest).await? {
            Ok(digest) => stored.push((manifest, digest)),
            Err(key) => return Ok(Err(key)),
        }
    }
    context.world.bucket.settle().await?;
    Ok(stray(context, &stored).await?.map_or(Ok(stored), Err))
}

/// An object under this version's names that no manifest names: an earlier attempt cut the rows otherwise. A
/// reader who lists parts must never see it as part of this publication.
async fn stray(context: &Context<'_>, stored: &[(Manifest, Digest)]) -> Result<Option<String>, StepError> {
    for (manifest, _) in stored {
        let address = ServiceAddress::new(&manifest.service);
        let own = address.manifest_key(&manifest.endpoint, manifest.version);
        let named: BTreeSet<&str> = manifest.parts.iter().map(|part| part.key.as_str()).chain([own.as_str()]).collect();
        let prefix = format!("{}v{}.", address.endpoint_prefix(&manifest.endpoint), manifest.version);
        let listed = context.world.bucket.list(&prefix).await?;
        if let Some(info) = listed.into_iter().find(|info| !named.contains(info.key.as_str())) {
            return Ok(Some(info.key));
        }
    }
    Ok(None)
}

async fn store_manifest(context: &Context<'_>, manifest: &Manifest) -> Result<Result<Digest, String>, StepError> {
    let address = ServiceAddress::new(&manifest.service);
    let key = address.manifest_key(&manifest.endpoint, manifest.version);
    let bytes = manifest.to_json().map_err(StepError::format(format!("cannot write manifest `{key}`")))?;
    let digest = Digest::of(&bytes);
    match context.world.bucket.put_new(&key, bytes, &digest).await {
        Ok(_) => Ok(Ok(digest)),
        Err(crate::connector::ConnectorError::Taken { key }) => Ok(Err(key)),
        Err(error) => Err(error.into()),
    }
}

/// Commits, then clears away what spent attempts left.
async fn finish(
    context: &Context<'_>,
    wanted: &Publish,
    sources: &[Source<'_>],
    version: SchemaVersion,
    manifests: Vec<(&Arc<Manifest>, Digest)>,
    known: &Facts,
    spent: &[SchemaVersion],
) -> Result<Vec<String>, StepError> {
    context.go_on()?;
    let bucket = &*context.world.bucket;
    let (parts, rows) = manifests
        .iter()
        .fold((0, 0), |(parts, rows), (manifest, _)| (parts + manifest.parts.len() as u64, rows + manifest.rows()));
    let facts = contract_facts(context, sources, version, manifests);
    let contract = Contract::draft(facts).map_err(StepError::format("cannot write the contract"))?;
    publication::commit(bucket, &contract).await?;
    let attempted: Vec<SchemaVersion> = known.attempted.iter().chain(spent).copied().collect();
    let swept = publication::sweep(bucket, &context.plan.service, &context::endpoints(wanted), &attempted).await?;
    let mut lines = vec![format!("published {version}: {} in {}", counted(rows, "row"), counted(parts, "part"))];
    if swept > 0 {
        lines.push(format!("removed {} of attempts that never committed", counted(swept as u64, "object")));
    }
    Ok(lines)
}

fn contract_facts(
    context: &Context<'_>,
    sources: &[Source<'_>],
    version: SchemaVersion,
    manifests: Vec<(&Arc<Manifest>, Digest)>,
) -> ContractFacts {
    let plan = context.plan;
    let bucket = &context.world.bucket;
    let address = ServiceAddress::new(&plan.service);
    let endpoints = sources.iter().zip(manifests).map(|(source, (manifest, manifest_digest))| ContractEndpoint {
        endpoint: manifest.endpoint.clone(),
        description: source.comment.clone(),
        schema: source.schema.clone(),
        part_format: manifest.part_format,
        parts: manifest.parts.len() as u64,
        fingerprint: manifest.fingerprint,
        manifest: address.manifest_key(&manifest.endpoint, version),
        manifest_digest,
    });
    ContractFacts {
        service: plan.service.clone(),
        version,
        published: (context.world.clock)(),
        domain: Some(plan.boundary.domain.clone()).filter(|domain| !domain.is_empty()),
        owner: plan.ownership.then.clone().or_else(|| plan.ownership.now.clone()),
        purpose: purpose(sources, &plan.boundary.system),
        endpoints: endpoints.collect(),
        server: ContractServer { kind: bucket.kind().to_owned(), bucket: bucket.shown() },
        sla: sla(plan),
    }
}

/// What a reader finds in it: how it came to be is the plan's business.
fn purpose(sources: &[Source<'_>], system: &str) -> Option<String> {
    let tables: Vec<&str> = sources.iter().map(|source| source.wanted.table.table()).collect();
    (!tables.is_empty()).then(|| format!("{} of {system}, read-only and as they are there.", tables.join(", ")))
}

/// What the refresh job's schedule promises.
fn sla(plan: &Plan) -> Sla {
    let schedule = schedule(plan);
    Sla { frequency_minutes: schedule.as_deref().and_then(longest_gap_minutes), schedule, ..Sla::default() }
}

/// The refresh job's schedule, from the file that the plan writes.
fn schedule(plan: &Plan) -> Option<String> {
    let content = plan.steps.iter().find_map(|step| match &step.action {
        Action::Schedule(file) => Some(&file.content),
        _ => None,
    })?;
    let file: serde_yaml::Value = serde_yaml::from_str(content).ok()?;
    let jobs = file.get("jobs")?.as_mapping()?;
    jobs.iter().find_map(|(_, job)| Some(job.get("schedule")?.as_str()?.to_owned()))
}

/// Whether the newest publication holds exactly the rows that are at the origins now.
async fn unchanged(context: &Context<'_>, extract: &mut Extract<'_>, newest: &Committed) -> Result<bool, StepError> {
    for source in &extract.sources {
        if newest.endpoint(&source.wanted.endpoint)?.fingerprint.rows != source.rows {
            return Ok(false);
        }
    }
    for at in 0..extract.sources.len() {
        let expected = newest.endpoint(&extract.sources[at].wanted.endpoint)?.fingerprint;
        if read_fingerprint(context, extract, at).await? != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Fingerprint of one endpoint's rows in the open snapshot.
async fn read_fingerprint(
    context: &Context<'_>,
    extract: &mut Extract<'_>,
    at: usize,
) -> Result<Fingerprint, StepError> {
    let source = &extract.sources[at];
    let (from, table, schema) = (&source.wanted.from, source.table.clone(), source.schema.clone());
    let streams = extract.snapshot(from)?.scattered(&table, &schema).await?;
    fingerprint(streams, &schema, &format!("cannot publish `{table}`"), &|| context.go_on()).await
}

fn endpoint_schema(source: &Source<'_>) -> EndpointSchema {
    let (endpoint, part_format) = (source.wanted.endpoint.clone(), source.wanted.format);
    EndpointSchema { endpoint, part_format, schema: source.schema.clone() }
}

fn endpoint_schemas(committed: &Committed) -> Vec<EndpointSchema> {
    let endpoints = committed.contract.facts.endpoints.iter();
    endpoints
        .map(|its| EndpointSchema {
            endpoint: its.endpoint.clone(),
            part_format: its.part_format,
            schema: its.schema.clone(),
        })
        .collect()
}

fn same_schema(a: SchemaVersion, b: SchemaVersion) -> bool {
    (a.breaking, a.additive) == (b.breaking, b.additive)
}
