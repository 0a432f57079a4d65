//! The estate a command is about: where it is, what was read of it, and the world its plans touch.
use std::{collections::BTreeMap, fs, io::ErrorKind};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    args::{EstateFlag, EstatePaths, ServiceArgs},
    exit::{ExitCode, Failure},
    left_out::nothing_left_out,
    signals::interrupt_flag,
};
use crate::{
    apply::{self, RunOptions, World},
    connector::{open_bucket, open_lake, open_origin},
    diagnostics::{Diagnostic, Diagnostics, Severity},
    estate::{self, Estate, LoadOptions, Root},
    graph::DependencyGraph,
    lineage::{self, Lineage, Steps},
    plan::{self, Action, DraftInputs, Plan},
    progress::Progress,
    scoring::{self, Ranking, Scorecard},
    vocab::{ServiceName, nearest, shell_word},
};

/// Where an estate and carve's own files beside it are.
#[derive(Clone, Debug)]
pub(super) struct Workspace {
    roots: Vec<Utf8PathBuf>,
    out: Utf8PathBuf,
    settings: Option<Utf8PathBuf>,
}

/// An estate, read and judged.
pub(super) struct Survey {
    pub(super) estate: Estate,
    pub(super) diagnostics: Diagnostics,
    pub(super) lineage: Lineage,
    pub(super) graph: DependencyGraph,
    pub(super) ranking: Ranking,
    /// With which the refresh jobs of its plans find plan and settings.
    flags: String,
}

impl Survey {
    /// The plan that wraps a candidate.
    pub(super) fn draft(&self, card: &Scorecard) -> Result<Plan, Failure> {
        self.try_draft(card).map_err(|error| Failure::new(ExitCode::Error, &error))
    }

    /// The plan that wraps a candidate, or why there is none.
    pub(super) fn try_draft(&self, card: &Scorecard) -> Result<Plan, plan::DraftError> {
        let read_file = |file: &Utf8Path| Workspace::read_file(&self.estate.roots, file);
        let inputs = DraftInputs {
            estate: &self.estate,
            graph: &self.graph,
            diagnostics: &self.diagnostics,
            card,
            of: self.ranking.cards.len() as u32,
            flags: &self.flags,
            read_file: &read_file,
        };
        plan::draft(&inputs)
    }

    /// The candidates that have something to publish, the best-ranked first.
    pub(super) fn best(&self) -> impl Iterator<Item = &Scorecard> {
        self.ranking.cards.iter().filter(|card| !card.candidate.raw.is_empty())
    }
}

impl Workspace {
    /// The workspace that `paths` names.
    pub(super) fn at(paths: &EstatePaths) -> Result<Self, Failure> {
        Workspace::flagged(&paths.flag())
    }

    /// The workspace that `flag` names.
    pub(super) fn flagged(flag: &EstateFlag) -> Result<Self, Failure> {
        let here = [Utf8PathBuf::from(".")];
        let folders = if flag.folders.is_empty() { &here } else { flag.folders.as_slice() };
        Workspace::new(folders, flag.out.as_ref(), flag.settings.as_ref())
    }

    /// The workspace of `roots`.
    pub(super) fn new(
        roots: &[Utf8PathBuf],
        out: Option<&Utf8PathBuf>,
        settings: Option<&Utf8PathBuf>,
    ) -> Result<Self, Failure> {
        for root in roots {
            if !root.is_dir() {
                return Err(Failure::said(ExitCode::Error, format!("there is no folder `{root}`"))
                    .hint("name the folder that holds the estate's jobs: `carve plan path/to/repository`"));
            }
        }
        if let Some(settings) = settings.filter(|settings| !settings.is_file()) {
            let (what, hint) = match settings.exists() {
                true => (
                    format!("`{settings}` is no file that holds settings"),
                    "name a YAML file; `carve init` writes one",
                ),
                false => (format!("there is no settings file `{settings}`"), "`carve init` writes one"),
            };
            return Err(Failure::said(ExitCode::Error, what).hint(hint));
        }
        let out = out.cloned().unwrap_or_else(|| roots[0].clone());
        Ok(Workspace { roots: roots.to_vec(), out, settings: settings.cloned() })
    }

    /// The first folder.
    pub(super) fn root(&self) -> &Utf8Path {
        &self.roots[0]
    }

    /// What people call the estate.
    pub(super) fn title(&self) -> String {
        let root = self.root().canonicalize_utf8().unwrap_or_else(|_| self.root().to_owned());
        root.file_name().unwrap_or("estate").to_owned()
    }

    /// The flags that name this workspace again, each with a blank before it.
    pub(super) fn flags(&self) -> String {
        let estate = self.roots.iter().filter(|root| *root != ".").map(|root| flag("--estate", root));
        estate.chain(self.places(Utf8Path::to_owned)).collect()
    }

    /// The flags that name this workspace from the estate's first folder, where a scheduler runs what carve wrote. What
    /// was named by an absolute path stays so.
    pub(super) fn flags_from_root(&self) -> String {
        let called = |path: &Utf8Path| from(self.root(), path);
        let others: Vec<String> = self.roots[1..].iter().map(|root| flag("--estate", &called(root))).collect();
        let first = (!others.is_empty()).then(|| flag("--estate", ".".into()));
        first.into_iter().chain(others).chain(self.places(called)).collect()
    }

    /// The flags that name where carve's own files and the settings are, where they are not in the estate; `called` is
    /// what a path is called.
    fn places(&self, called: impl Fn(&Utf8Path) -> Utf8PathBuf) -> impl Iterator<Item = String> {
        let out = (self.out != self.roots[0]).then(|| flag("--out", &called(&self.out)));
        let settings = self.settings.as_ref().map(|settings| flag("--settings", &called(settings)));
        out.into_iter().chain(settings)
    }

    /// The flags that name this workspace, its first folder too where it is the one people are in: as [`Workspace::flags`]
    /// for a command that another folder is added to.
    pub(super) fn named(&self) -> String {
        let first = if self.root() == "." { " --estate ." } else { "" };
        format!("{first}{}", self.flags())
    }

    /// The estate's folders as arguments, each with a blank before it; nothing for the folder one is in.
    pub(super) fn folders(&self) -> String {
        self.roots.iter().filter(|root| *root != ".").map(|root| format!(" {}", shell_word(root.as_str()))).collect()
    }

    /// A place in the folder where plans, report and state go; without a dot and slash before it.
    pub(super) fn below(&self, name: &str) -> Utf8PathBuf {
        if self.out == "." { name.into() } else { self.out.join(name) }
    }

    /// `plans/`.
    pub(super) fn plans(&self) -> Utf8PathBuf {
        self.below("plans")
    }

    /// `.carve/`.
    pub(super) fn state(&self) -> Utf8PathBuf {
        self.below(".carve")
    }

    /// The estate alone.
    pub(super) fn load(&self, progress: &dyn Progress) -> (Estate, Diagnostics) {
        let options = LoadOptions { settings: self.settings.clone() };
        estate::load(&self.roots, &options, progress)
    }

    /// The estate, unless its settings have faults: what carve.yaml asks for must not be left out in silence.
    pub(super) fn load_checked(&self, progress: &dyn Progress) -> Result<Estate, Failure> {
        let (estate, diagnostics) = self.load(progress);
        self.settings_hold(&estate, &diagnostics)?;
        Ok(estate)
    }

    /// Fails with every fault of the settings file.
    pub(super) fn settings_hold(&self, estate: &Estate, diagnostics: &Diagnostics) -> Result<(), Failure> {
        let file = estate.settings.at.clone().unwrap_or_else(|| "carve.yaml".into());
        let named = self.settings.clone();
        let own =
            |d: &&Diagnostic| d.at.file == file || d.at.file == "carve.yaml" || Some(&d.at.file) == named.as_ref();
        let faults = diagnostics.iter().filter(own).filter(|d| d.code.severity == Severity::Error);
        let lines: Vec<String> =
            faults.map(|d| format!("{}: {}: {} ({})", d.at, d.code.summary, d.here, d.advice())).collect();
        match lines.is_empty() {
            true => Ok(()),
            false => Err(Failure::said(ExitCode::Error, "carve.yaml has faults, so nothing was done")
                .details(lines)
                .hint("mend the file at the places shown: docs/JOBS.md lists its keys")),
        }
    }

    /// The estate, its lineage, graph and ranking.
    pub(super) fn survey(&self, progress: &dyn Progress) -> Survey {
        self.survey_steps(Steps::Collapsed, progress)
    }

    /// The same, with every step of scripts where `steps` says so.
    pub(super) fn survey_steps(&self, steps: Steps, progress: &dyn Progress) -> Survey {
        let (mut estate, mut diagnostics) = self.load(progress);
        let (lineage, faults) = lineage::read_steps(&estate, steps, progress);
        estate.settle(lineage.names.clone(), &lineage.targets);
        diagnostics.extend(faults);
        let (graph, faults) = DependencyGraph::build(&estate, &lineage);
        diagnostics.extend(faults);
        let ranking = scoring::score(&estate, &lineage, &graph);
        diagnostics.sort();
        Survey { estate, diagnostics, lineage, graph, ranking, flags: self.flags_from_root() }
    }

    /// Reads the plan of a service, or the plan file of that path.
    pub(super) fn plan(&self, name: &str) -> Result<Plan, Failure> {
        let path = match name.ends_with(".yaml") {
            true => Utf8PathBuf::from(name),
            false => {
                let service: ServiceName =
                    name.parse().map_err(|error| Failure::new(ExitCode::Usage, &error as &dyn std::error::Error))?;
                self.plans().join(format!("{service}.yaml"))
            }
        };
        let text = fs::read_to_string(&path).map_err(|error| {
            let failure = |code| Failure::said(code, format!("cannot read the plan `{path}`: {error}"));
            match error.kind() {
                // Bytes that are no text are no plan that carve wrote.
                ErrorKind::InvalidData => failure(ExitCode::Stale)
                    .hint(format!("`carve plan{}` drafts it anew, or restore the file from git", self.plan_flags())),
                ErrorKind::NotFound => failure(ExitCode::Error).hint(self.no_plan(name)),
                _ => Failure::io(format!("read the plan `{path}`"), &error).hint("give carve permission to read it"),
            }
        })?;
        let plan =
            plan::from_text(&text).map_err(|error| Failure::from(error).details([format!("the plan is `{path}`")]))?;
        match name.ends_with(".yaml") || plan.service.as_str() == name {
            true => Ok(plan),
            false => Err(Failure::said(ExitCode::Stale, format!("`{path}` holds the plan of `{}`", plan.service))
                .hint(format!("`carve plan{} --service {name}` writes that of `{name}`", self.plan_flags()))),
        }
    }

    /// The plan of a service that was begun, else the one whose file is called `name`: what was begun is followed and
    /// undone by its own plan, whatever `plans/` holds by now.
    fn begun_or_named(&self, name: &str, progress: &dyn Progress) -> Result<Plan, Failure> {
        let named = self.plan(name);
        let service = named.as_ref().map_or_else(|_| name.parse().ok(), |plan| Some(plan.service.clone()));
        let Some(begun) = service.and_then(|service| apply::begun(&self.state(), &service)) else { return named };
        if named.as_ref().map_or(true, |named| named.id != begun.id) {
            let service = &begun.service;
            progress.say(&format!("`{service}` was begun by another plan than its file holds now: that one is used"));
        }
        Ok(begun)
    }

    /// What to do where there is no plan called `name`: nothing that would fail.
    fn no_plan(&self, name: &str) -> String {
        let (plans, _) = self.all_plans();
        let names: Vec<&str> = plans.iter().map(|plan| plan.service.as_str()).collect();
        let drafts = format!("`carve plan{}` ranks what there is and drafts plans", self.plan_flags());
        match (names.is_empty(), nearest(name, &names)) {
            (true, _) => drafts,
            (false, Some(near)) => format!("did you mean `{near}`? {drafts}"),
            (false, None) => format!("the plans there are of {}; {drafts}", names.join(", ")),
        }
    }

    /// What makes `carve plan` see this workspace, each with a blank before it.
    fn plan_flags(&self) -> String {
        std::iter::once(self.folders()).chain(self.places(Utf8Path::to_owned)).collect()
    }

    /// Every plan under `plans/`, in the order of names; broken ones come back as failures.
    pub(super) fn all_plans(&self) -> (Vec<Plan>, Vec<(Utf8PathBuf, plan::PlanFileError)>) {
        let (mut plans, mut broken) = (Vec::new(), Vec::new());
        let Ok(entries) = self.plans().read_dir_utf8() else { return (plans, broken) };
        let mut files: Vec<Utf8PathBuf> = entries.flatten().map(|entry| entry.into_path()).collect();
        files.retain(|file| file.extension() == Some("yaml"));
        files.sort();
        for file in files {
            let text = fs::read_to_string(&file).map_err(plan::PlanFileError::Unreadable);
            match text.and_then(|text| plan::from_text(&text)) {
                Ok(plan) => plans.push(plan),
                Err(error) => broken.push((file, error)),
            }
        }
        (plans, broken)
    }

    /// The world that `plan` touches, opened by the estate's settings. Nothing is tried yet: preflight does.
    pub(super) async fn world(&self, estate: &Estate, plans: &[Plan]) -> Result<World, Failure> {
        let connections = &estate.settings.connections;
        let url = |role: &str| {
            connections.get(role).cloned().ok_or_else(|| {
                Failure::said(ExitCode::Blocked, format!("carve.yaml does not say where the {role} is"))
                    .hint(format!("add `{role}: {{ url: … }}` to carve.yaml: docs/CONNECTIONS.md lists the forms"))
            })
        };
        let base = self.root();
        let mut origins = BTreeMap::new();
        for role in plans.iter().flat_map(source_roles) {
            let name = role.trim_start_matches("source:");
            let url = estate.sources.get(name).and_then(|source| source.url.clone()).ok_or_else(|| {
                Failure::said(ExitCode::Blocked, format!("nothing says where the source system `{name}` is"))
                    .hint("add its `url` under `sources` in carve.yaml")
            })?;
            origins.insert(role.clone(), open_origin(&role, &url, base).await?);
        }
        Ok(World {
            root: base.to_owned(),
            further_roots: further_roots(estate),
            state: self.state(),
            lake: open_lake("lake", &url("lake")?, base).await?,
            bucket: open_bucket("bucket", &url("bucket")?, base).await?,
            origins,
            clock: jiff::Timestamp::now,
        })
    }

    /// A file of the estate by its place in `Span::file`; `None` when it is not text.
    pub(super) fn read_file(roots: &[Root], file: &Utf8Path) -> Option<String> {
        let inside = |root: &&Root| !root.prefix.as_str().is_empty() && file.starts_with(&root.prefix);
        let root = roots.iter().find(inside).or_else(|| roots.iter().find(|root| root.prefix.as_str().is_empty()))?;
        let below = file.strip_prefix(&root.prefix).unwrap_or(file);
        fs::read_to_string(root.path.join(below)).ok()
    }
}

fn further_roots(estate: &Estate) -> BTreeMap<Utf8PathBuf, Utf8PathBuf> {
    let further = estate.roots.iter().filter(|root| !root.prefix.as_str().is_empty());
    further.map(|root| (root.prefix.clone(), root.path.clone())).collect()
}

fn source_roles(plan: &Plan) -> Vec<String> {
    let published = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Publish(publish) => Some(publish.endpoints.iter().map(|endpoint| endpoint.from.clone())),
        _ => None,
    });
    published.flatten().filter(|from| from.starts_with("source:")).collect()
}

/// One service's plan and the world it touches, for commands about one service.
pub(super) struct Opened {
    pub(super) plan: Plan,
    pub(super) world: World,
    pub(super) run: RunOptions,
}

impl Opened {
    /// The world that `plan` touches, and a run that Ctrl-C stops.
    pub(super) async fn of(workspace: &Workspace, estate: &Estate, plan: Plan) -> Result<Self, Failure> {
        let world = workspace.world(estate, std::slice::from_ref(&plan)).await?;
        Ok(Opened { plan, world, run: RunOptions { cancel: interrupt_flag(), ..RunOptions::default() } })
    }
}

/// Opens what the arguments of such a command name.
pub(super) async fn open(args: &ServiceArgs, progress: &dyn Progress) -> Result<Opened, Failure> {
    opened(args, None, progress).await
}

/// The same for a command (`carve rollback`) that edits files of the estate: all folders they lie in must be named.
pub(super) async fn open_whole(args: &ServiceArgs, command: &str, progress: &dyn Progress) -> Result<Opened, Failure> {
    opened(args, Some(command), progress).await
}

async fn opened(args: &ServiceArgs, edits: Option<&str>, progress: &dyn Progress) -> Result<Opened, Failure> {
    let workspace = Workspace::flagged(&args.estate)?;
    let plan = workspace.begun_or_named(&args.service, progress)?;
    let estate = workspace.load_checked(progress)?;
    if let Some(command) = edits {
        nothing_left_out(&plan, &workspace, &estate.roots, &format!("{command} {}", args.service))?;
    }
    Opened::of(&workspace, &estate, plan).await
}

/// Writes files below `folder`, each whole or not at all; gives back how many were new or changed.
pub(super) fn write_files(folder: &Utf8Path, files: &BTreeMap<Utf8PathBuf, Vec<u8>>) -> Result<usize, Failure> {
    let mut changed = 0;
    for (name, bytes) in files {
        changed += usize::from(write_file(&folder.join(name), bytes)?);
    }
    Ok(changed)
}

/// Writes one file, whole or not at all; false when the same bytes were there already.
pub(super) fn write_file(path: &Utf8Path, bytes: &[u8]) -> Result<bool, Failure> {
    if fs::read(path).is_ok_and(|there| there == bytes) {
        return Ok(false);
    }
    let failed = |error: std::io::Error| {
        Failure::io(format!("write `{path}`"), &error)
            .hint("check the folder's permissions and free space, or choose another with `--out`")
    };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let scratch = path.with_extension("carve-tmp");
    fs::write(&scratch, bytes).and_then(|()| fs::rename(&scratch, path)).map_err(|error| {
        let _ = fs::remove_file(&scratch);
        failed(error)
    })?;
    Ok(true)
}

/// ` --name path`, as a shell takes it.
fn flag(name: &str, path: &Utf8Path) -> String {
    format!(" {name} {}", shell_word(path.as_str()))
}

/// `path` as it is called within `folder`; both count from where one is.
fn from(folder: &Utf8Path, path: &Utf8Path) -> Utf8PathBuf {
    if path.is_absolute() {
        return path.to_owned();
    }
    let (base, path) = (whole(folder), whole(path));
    let common = base.components().zip(path.components()).take_while(|(a, b)| a == b).count();
    let up = base.components().skip(common).map(|_| "..");
    let down = path.components().skip(common).map(|part| part.as_str());
    let parts: Vec<&str> = up.chain(down).collect();
    if parts.is_empty() { ".".into() } else { parts.join("/").into() }
}

/// `path` from the top, as far as it is there without links and dots.
fn whole(path: &Utf8Path) -> Utf8PathBuf {
    let there = path.ancestors().find_map(|above| {
        let named = if above.as_str().is_empty() { Utf8Path::new(".") } else { above };
        named.canonicalize_utf8().ok().map(|real| (above, real))
    });
    match there {
        Some((above, real)) => path.strip_prefix(above).map_or_else(|_| real.clone(), |rest| real.join(rest)),
        None => path.to_owned(),
    }
}
