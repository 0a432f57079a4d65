//! From folders to one checked value: walk, read in parallel, then put together in the order of paths.
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::atomic::{AtomicU64, Ordering},
};

use camino::{Utf8Path, Utf8PathBuf};
use rayon::prelude::*;

use crate::{
    diagnostics::{CodeEntry, Diagnostic, Diagnostics},
    estate::{
        Estate, FileFormat, FormatCoverage, Fragments, Job, Schedule, SourceSystem,
        bi::{self, BiAround},
        dbt, dialect_choice, history,
        openlineage::{self, Events},
        own_places::own_places,
        read_file::{self, Content, ReadFile},
        reader::{self, Around, DbtRun, Reading, TakenJobs},
        roots, settings_file, sql_file,
        superset::{self, Bundle},
        text_file::TextFile,
        unclaimed, usage_comment,
        walk::{self, Exclude, Found},
    },
    progress::Progress,
    vocab::{JobId, Span},
};

/// Files between two words about progress.
const TOLD_EVERY: u64 = 64;

/// What a caller may choose about reading.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// A settings file to use in place of `carve.yaml` in the first root.
    pub settings: Option<Utf8PathBuf>,
}

/// Reads the estate that lies in `roots`, whole: every fault is told, and none stops the rest.
pub fn load(roots: &[Utf8PathBuf], options: &LoadOptions, progress: &dyn Progress) -> (Estate, Diagnostics) {
    let mut faults = Diagnostics::default();
    let to_read = roots::resolve(roots, &mut faults);
    let mut estate = Estate { roots: to_read.iter().map(|root| root.root.clone()).collect(), ..Estate::default() };
    estate.settings = settings_file::of_roots(&to_read, options, &mut faults);
    let own = own_places(&estate.settings, to_read.first().map(|root| root.root.path.as_path()));
    let exclude = Exclude::new(&estate.settings.exclude, estate.settings.at.as_ref(), &mut faults).and_places(own);
    let found = walk::files(&to_read, &exclude, &mut faults);
    let mut no_history = Diagnostics::default();
    let (read, history) = rayon::join(
        || read_all(&found, estate.settings.file_bytes, progress),
        || history::read(&estate.roots, &mut no_history),
    );
    faults.extend(no_history);
    let (mut estate, faults) = Assembly::of(estate, &found, read, &mut faults).put_together(&mut faults);
    // A page for people or an image is none of the estate's work.
    let own = estate.files.iter().filter(|file| file.format != FileFormat::Other);
    let paths: BTreeSet<&Utf8Path> = own.map(|file| file.path.as_path()).collect();
    estate.history = history.of_files(&paths);
    (estate, faults)
}

fn read_all(found: &[Found], limit: u64, progress: &dyn Progress) -> Vec<ReadFile> {
    const NAME: &str = "reading files";
    progress.started(NAME, Some(found.len() as u64), "files");
    let done = AtomicU64::new(0);
    let read_one = |file: &Found| {
        let read = read_file::read(file, limit);
        let count = done.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_multiple_of(TOLD_EVERY) {
            progress.advanced(NAME, count);
        }
        read
    };
    let read = found.par_iter().map(read_one).collect();
    progress.finished(NAME, &format!("{} files", found.len()));
    read
}

/// The pieces of an estate while they are put together.
struct Assembly<'a> {
    estate: Estate,
    found: &'a [Found],
    sql: BTreeMap<Utf8PathBuf, TextFile>,
    yaml: BTreeMap<Utf8PathBuf, TextFile>,
    /// Further texts that readers may claim.
    texts: BTreeMap<Utf8PathBuf, TextFile>,
    exports: Vec<(Utf8PathBuf, Vec<TextFile>)>,
    events: Events,
    formats: BTreeMap<Utf8PathBuf, FileFormat>,
    /// SQL files that a config or a project accounts for.
    claimed: BTreeSet<Utf8PathBuf>,
    /// Jobs whose bare SELECTs fill what their files' places suggest.
    placed: BTreeSet<JobId>,
    /// Names that stand for several jobs.
    groups: BTreeMap<String, Vec<JobId>>,
    dbt_runs: Vec<DbtRun>,
    schedules: Vec<(JobId, Schedule)>,
    /// Names that stand for all jobs of a workflow.
    members: BTreeMap<String, Vec<JobId>>,
    /// Jobs that run one before the other, where a file of its own says so.
    orders: Vec<(JobId, JobId)>,
}

impl<'a> Assembly<'a> {
    fn of(estate: Estate, found: &'a [Found], read: Vec<ReadFile>, faults: &mut Diagnostics) -> Self {
        let mut all = Assembly {
            estate,
            found,
            sql: BTreeMap::new(),
            yaml: BTreeMap::new(),
            texts: BTreeMap::new(),
            exports: Vec::new(),
            events: Events::default(),
            formats: BTreeMap::new(),
            claimed: BTreeSet::new(),
            placed: BTreeSet::new(),
            groups: BTreeMap::new(),
            dbt_runs: Vec::new(),
            schedules: Vec::new(),
            members: BTreeMap::new(),
            orders: Vec::new(),
        };
        // Files come in the order of their paths: maps that are made of whole lists compare each with its neighbour only.
        let (mut sql, mut yaml, mut texts) = (Vec::new(), Vec::new(), Vec::new());
        for ReadFile { file, content, faults: told } in read {
            faults.extend(told);
            match content {
                Content::Sql(text) => sql.push((file.path.clone(), text)),
                Content::Yaml(text) => yaml.push((file.path.clone(), text)),
                Content::Text(text) => texts.push((file.path.clone(), text)),
                Content::Export(files) => all.exports.push((file.path.clone(), files)),
                Content::Log(usage) => all.estate.usage.extend(usage),
                Content::Events(events) => all.events.merge(events),
                Content::Nothing => {}
            }
            all.estate.files.push(file);
        }
        [all.sql, all.yaml, all.texts] = [sql, yaml, texts].map(|files| files.into_iter().collect());
        all
    }

    fn put_together(mut self, faults: &mut Diagnostics) -> (Estate, Diagnostics) {
        self.estate.sources = self.estate.settings.sources.clone();
        if let Some(at) = self.estate.settings.at.clone() {
            self.formats.insert(at, FileFormat::Settings);
        }
        let named = self.job_files(faults);
        self.dbt_projects(faults);
        self.superset_exports(faults);
        self.bi_files(faults);
        self.bare_sql();
        self.schedules();
        for (before, after) in &self.orders {
            for job in self.estate.jobs.iter_mut().filter(|job| job.id == *after && !job.depends_on.contains(before)) {
                job.depends_on.push(before.clone());
            }
        }
        reader::expand(&mut self.estate.jobs, &self.groups);
        self.sources_in_use(named, faults);
        openlineage::place(std::mem::take(&mut self.events), &mut self.estate);
        dialect_choice::choose(&mut self.estate);
        faults.extend(unclaimed::malformed_yaml(&self.yaml, &self.formats));
        self.estate.jobs.sort_by(|a, b| a.id.cmp(&b.id));
        self.estate.files.sort_by(|a, b| a.path.cmp(&b.path));
        for file in &mut self.estate.files {
            file.format = self.formats.get(&file.path).copied().unwrap_or(file.format);
        }
        let mut told = unclaimed::but_once(faults);
        told.sort();
        (self.estate, told)
    }

    /// Every file that a reader claims, entered in the order of formats and paths. Gives the systems they name.
    fn job_files(&mut self, faults: &mut Diagnostics) -> Vec<(String, Span)> {
        let settings = &self.estate.settings;
        let open = vec![&self.sql, &self.yaml, &self.texts];
        let around = Around::new(self.found, open, settings.file_bytes, &settings.vars, settings.dialect.as_deref());
        let mut files: Vec<&TextFile> =
            [&self.sql, &self.yaml, &self.texts].into_iter().flat_map(BTreeMap::values).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let (taken, told) = reader::read_all(&files, &around);
        faults.extend(told);
        let taken = TakenJobs::of(taken);
        self.formats.extend(taken.formats);
        self.estate.coverage = taken.coverage;
        let (mut ids, mut named) = (BTreeMap::new(), Vec::new());
        for reading in taken.readings {
            self.enter(reading, &mut ids, &mut named, faults);
        }
        named
    }

    fn enter(
        &mut self,
        reading: Reading,
        ids: &mut BTreeMap<JobId, Span>,
        named: &mut Vec<(String, Span)>,
        faults: &mut Diagnostics,
    ) {
        faults.extend(reading.faults);
        self.claimed.extend(reading.claimed);
        self.placed.extend(reading.placed);
        self.estate.suggested.extend(reading.suggested);
        self.dbt_runs.extend(reading.dbt_runs);
        self.schedules.extend(reading.schedules);
        for (name, jobs) in reading.members {
            self.members.entry(name).or_default().extend(jobs);
        }
        self.orders.extend(reading.orders);
        for (name, jobs) in reading.groups {
            self.groups.entry(name).or_default().extend(jobs);
        }
        named.extend(reading.named);
        for (name, system) in reading.sources {
            self.estate.sources.entry(name).or_insert(system);
        }
        for (dataset, declared) in reading.declared {
            self.estate.declared.entry(dataset).or_insert(declared);
        }
        for job in reading.jobs {
            enter(job, ids, &mut self.estate.jobs, faults);
        }
    }

    /// Jobs that another tool runs on a schedule, where they say none of their own.
    fn schedules(&mut self) {
        for run in &self.dbt_runs {
            let Some(schedule) = &run.schedule else { continue };
            let folder = run.folder.clone().unwrap_or_default();
            let projects = self.estate.dbt_projects.iter().map(|project| &project.folder);
            let project =
                projects.filter(|own| **own == folder).chain(self.estate.dbt_projects.iter().map(|p| &p.folder)).next();
            let Some(project) = project.cloned() else { continue };
            let models =
                self.estate.jobs.iter_mut().filter(|job| job.declared_by == crate::estate::Declaration::DbtModel);
            for model in models.filter(|job| job.schedule.is_none() && job.at.file.starts_with(&project)) {
                model.schedule = Some(schedule.clone());
            }
        }
        for (id, schedule) in &self.schedules {
            // The name may stand for several jobs, all of which have the schedule: a workflow's.
            let members = self.members.get(id.as_str());
            let is_one = |job: &Job| job.id == *id || members.is_some_and(|members| members.contains(&job.id));
            for job in self.estate.jobs.iter_mut().filter(|job| is_one(job) && job.schedule.is_none()) {
                job.schedule = Some(schedule.clone());
            }
        }
    }

    fn dbt_projects(&mut self, faults: &mut Diagnostics) {
        let files =
            dbt::Files { found: self.found, sql: &self.sql, yaml: &self.yaml, limit: self.estate.settings.file_bytes };
        for project in dbt::read_all(&files, &self.estate.settings) {
            faults.extend(project.faults);
            self.estate.jobs.extend(project.jobs);
            self.estate.exposures.extend(project.exposures);
            self.claimed.extend(project.claimed);
            self.formats.extend(project.formats);
            self.estate.files.extend(project.files);
            for (name, system) in project.systems {
                self.estate.sources.entry(name).or_insert(system);
            }
            for (dataset, declared) in project.declared {
                self.estate.declared.entry(dataset).or_insert(declared);
            }
            self.estate.dbt_projects.push(project.project);
        }
    }

    fn superset_exports(&mut self, faults: &mut Diagnostics) {
        let mut taken: BTreeSet<String> = self.estate.exposures.iter().map(|exposure| exposure.id.clone()).collect();
        let mut bundles: BTreeMap<Utf8PathBuf, Bundle<'_>> = superset::bundles(self.yaml.values());
        for (path, files) in &self.exports {
            for (folder, bundle) in superset::bundles(files.iter()) {
                bundles.insert(path.join(folder), bundle);
            }
        }
        for (folder, bundle) in &bundles {
            let inside = self.yaml.keys().filter(|path| path.starts_with(folder));
            self.formats.extend(inside.map(|path| (path.clone(), FileFormat::Superset)));
            let export = superset::read(bundle, &self.estate.settings.vars, &mut taken);
            faults.extend(export.faults);
            self.estate.exposures.extend(export.exposures);
        }
    }

    /// Files of the other BI tools, all of one tool together.
    fn bi_files(&mut self, faults: &mut Diagnostics) {
        let inside = self.exports.iter().flat_map(|(_, files)| files);
        let mut files: Vec<&TextFile> = self.yaml.values().chain(self.texts.values()).chain(inside).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let claims: Vec<Option<usize>> = files.par_iter().map(|file| bi::claimed_by(file)).collect();
        let around = BiAround { dbt: &self.estate.dbt_projects, sql: &self.sql };
        for (at, reader) in bi::READERS.iter().enumerate() {
            let own = files.iter().zip(&claims).filter(|(_, claim)| **claim == Some(at)).map(|(file, _)| *file);
            let own: Vec<&TextFile> = own.collect();
            if own.is_empty() {
                continue;
            }
            let taken = self.estate.exposures.iter().map(|exposure| exposure.id.clone()).collect();
            let mut found = bi::Found::new(taken);
            reader.read(&own, &around, &mut found);
            let paths = own.iter().map(|file| &file.path).chain(&found.claimed);
            self.formats.extend(paths.map(|path| (path.clone(), reader.format())));
            let coverage = FormatCoverage {
                files: (own.len() + found.claimed.len()) as u64,
                jobs: 0,
                pieces: found.exposures.len() as u64,
                opaque: found.opaque,
            };
            self.estate.coverage.insert(reader.format(), coverage);
            faults.extend(found.faults);
            self.claimed.extend(found.claimed);
            self.estate.exposures.extend(found.exposures);
        }
    }

    /// SQL files that nothing accounts for, and targets by place for jobs that name none.
    fn bare_sql(&mut self) {
        let schemas = sql_file::schemas(&self.estate.jobs, self.estate.declared.keys());
        for job in self.estate.jobs.iter_mut().filter(|job| self.placed.contains(&job.id)) {
            sql_file::suggest_targets(job, &schemas);
        }
        let taken: BTreeSet<JobId> = self.estate.jobs.iter().map(|job| job.id.clone()).collect();
        // What a template includes is a piece of it; what runs it in its own right made a job of it above.
        let shown = self.estate.exposures.iter().flat_map(|exposure| &exposure.scripts);
        let scripts = self.estate.jobs.iter().flat_map(|job| &job.scripts).chain(shown);
        let texts = scripts.map(|script| (script.at.file.as_path(), &*script.text));
        self.estate.fragments = Fragments::among(&self.sql, texts);
        self.claimed.extend(self.estate.fragments.paths().cloned());
        let bare = self.sql.iter().filter(|(path, _)| !self.claimed.contains(*path)).map(|(_, file)| file);
        let mut jobs = sql_file::jobs(bare, &self.estate.settings, &schemas, &taken);
        jobs.par_iter_mut().for_each(|job| {
            if let Some(file) = self.sql.get(&job.at.file) {
                usage_comment::bind(job, file, self.found, &self.sql);
            }
        });
        self.estate.suggested.extend(jobs.iter().map(|job| job.id.clone()));
        self.estate.jobs.extend(jobs);
    }

    /// Systems that are named and nowhere declared are told at their first mention, and kept.
    fn sources_in_use(&mut self, named: Vec<(String, Span)>, faults: &mut Diagnostics) {
        let beyond = |job: &Job| job.reads.iter().chain(&job.writes).cloned().collect::<Vec<_>>();
        let mentions = self.estate.jobs.iter().flat_map(beyond);
        let systems = mentions.filter_map(|(dataset, at)| Some((dataset.system()?.to_owned(), at)));
        for (name, at) in named.into_iter().chain(systems) {
            if let Entry::Vacant(free) = self.estate.sources.entry(name) {
                let name = free.key().clone();
                faults.push(Diagnostic::new(CodeEntry::E012, at, format!("`{name}` is declared nowhere")));
                free.insert(SourceSystem { name, kind: None, url: None, owner: None, domain: None, at: None });
            }
        }
    }
}

/// Enters `job` unless its name is taken.
fn enter(job: Job, ids: &mut BTreeMap<JobId, Span>, jobs: &mut Vec<Job>, faults: &mut Diagnostics) {
    match ids.get(&job.id) {
        Some(first) => {
            let here = format!("job `{}` stands at {first} too; this one is left out", job.id);
            faults.push(Diagnostic::new(CodeEntry::E011, job.at, here));
        }
        None => {
            ids.insert(job.id.clone(), job.at.clone());
            jobs.push(job);
        }
    }
}
