//! `carve demo`: an invented company in a folder, and its first service carved out of the lake.
use std::{fs, time::Instant};

use camino::{Utf8Path, Utf8PathBuf};

use super::{apply, catalog, report, status, switchover};
use crate::{
    apply::{ProofSummary, RunReport, ServiceStatus},
    cli::{
        Context, Outcome,
        args::DemoArgs,
        demo_data::{self, DemoDataError, LegacyLake},
        exit::{ExitCode, Failure},
        workspace::{Survey, Workspace, write_file},
    },
    console::{Bars, Style, Table},
    estate::{Declaration, Job, JobKind, Script},
    lineage,
    plan::{self, Plan},
    progress::Progress,
    report::RenderOptions,
    vocab::{JobId, shell_word},
};

/// A file only a demo has: what is in a folder with it may be replaced.
pub(super) const MARKER: &str = ".carve-demo";

pub(crate) async fn run(args: &DemoArgs, context: &Context) -> Outcome {
    if args.late_rows {
        return super::demo_late::run(args, context);
    }
    let began = Instant::now();
    let context = &Context {
        screen: context.screen.clone(),
        json: context.json,
        format: context.format,
        bars: Bars::new(&context.screen).without_lines(),
    };
    let folder = &args.folder;
    prepare(folder)?;
    let rows = estate(args, context)?;
    let workspace = Workspace::new(std::slice::from_ref(folder), None, None)?;
    let survey = workspace.survey(&context.bars);
    let ran = run_jobs(folder, &survey, context)?;
    let plans = plans(&workspace, &survey)?;
    if args.no_apply {
        report::write(&workspace, &survey, &[], None)?;
        let next = plans.first().map(|plan| plan.service.to_string()).unwrap_or_default();
        context.screen.out(format!(
            "Ready in {folder}: {} plans. Next: carve apply {next}{}",
            plans.len(),
            workspace.flags()
        ));
        return Ok(ExitCode::Done);
    }
    let Some(first) = plans.first() else {
        return Err(Failure::said(ExitCode::Error, "the demo's estate has no candidate"));
    };
    let ready = apply::ready(&workspace, &survey.estate, first, false, None).await?;
    let applied = ready.run(&context.bars).await?;
    // From here on a request to end is one to end at once.
    drop(ready);
    // The estate changed: what is shown from here on is read again.
    let after = workspace.survey(&context.bars);
    let options = RenderOptions::default();
    let mut statuses = status::gather(&workspace, &after.estate).await?;
    let moved = switchover::write(&workspace, &after, first, &statuses, &options)?.switchover.moves.len();
    catalog::write(&workspace, &after.estate, &options).await?;
    status::count_switched(&mut statuses, &after, &plans);
    let page = report::write(&workspace, &survey, &statuses, None)?;
    let story = Story {
        folder,
        rows,
        ran,
        survey: &survey,
        plan: first,
        applied: &applied,
        statuses: &statuses,
        moves: moved,
        page: &page,
    };
    match context.json {
        true => context.screen.answer(story.json()),
        false => story.tell(context, began.elapsed().as_secs_f64()),
    }
    Ok(ExitCode::Done)
}

/// What to do about a folder that does not take the demo.
const FOLDER_HINT: &str = "check the folder's permissions and free space, or name another: `carve demo other-folder`";

pub(super) fn demo_failed(error: DemoDataError) -> Failure {
    let code = match &error {
        DemoDataError::File { source, .. } => Failure::io("", source).code(),
        _ => ExitCode::Error,
    };
    Failure::new(code, &error).hint(FOLDER_HINT)
}

/// An earlier demo is replaced; anything else is left alone.
fn prepare(folder: &Utf8Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::io(format!("use `{folder}`"), &error).hint(FOLDER_HINT);
    let empty = folder.read_dir_utf8().map_or(true, |mut entries| entries.next().is_none());
    if folder.join(MARKER).is_file() {
        fs::remove_dir_all(folder).map_err(failed)?;
    } else if !empty || folder.is_file() {
        return Err(Failure::said(ExitCode::Blocked, format!("`{folder}` holds something that is no demo"))
            .hint("name another folder: `carve demo other-folder`"));
    }
    fs::create_dir_all(folder).map_err(failed)?;
    write_file(&folder.join(MARKER), b"carve demo may replace this folder\n").map(|_| ())
}

/// Writes the estate and its sources; gives back the rows there are.
fn estate(args: &DemoArgs, context: &Context) -> Result<u64, Failure> {
    let folder = &args.folder;
    context.screen.note(format!("Inventing a shop in {folder}: its estate, a year of git history, its databases …"));
    demo_data::write_estate(folder).map_err(demo_failed)?;
    if let Err(error) = demo_data::make_history(folder) {
        context.screen.note(format!("no git history: {error}; change frequency will be graded lower"));
    }
    write_file(&folder.join("carve.yaml"), demo_data::SETTINGS.as_bytes())?;
    let bucket = folder.join("bucket");
    fs::create_dir_all(&bucket).map_err(|error| Failure::io(format!("create `{bucket}`"), &error).hint(FOLDER_HINT))?;
    let summary = demo_data::create_sources(folder, args.scale, args.seed, &context.bars).map_err(demo_failed)?;
    Ok(summary.rows())
}

/// Runs the estate's own jobs in order, as its cron does; gives back how many ran, and those left out.
fn run_jobs(folder: &Utf8Path, survey: &Survey, context: &Context) -> Result<Ran, Failure> {
    let lake = LegacyLake::open(folder).map_err(demo_failed)?;
    let order = survey.graph.jobs_in_order();
    let name = "running the lake's jobs";
    context.bars.started(name, Some(order.len() as u64), "jobs");
    let mut ran = Ran::default();
    for (done, id) in order.iter().enumerate() {
        let Some(job) = survey.estate.jobs.iter().find(|job| job.id == *id) else { continue };
        match run_job(&lake, survey, job) {
            Ok(true) => ran.count += 1,
            Ok(false) => ran.left_out.push(job.id.clone()),
            Err(error) => {
                return Err(Failure::new(ExitCode::Error, &error).details([format!("while running job `{id}`")]));
            }
        }
        context.bars.advanced(name, done as u64 + 1);
    }
    context.bars.finished(name, &format!("{} jobs", ran.count));
    Ok(ran)
}

#[derive(Default)]
struct Ran {
    count: u32,
    /// Jobs that nothing runs, or that are written for another engine.
    left_out: Vec<JobId>,
}

pub(super) fn run_job(lake: &LegacyLake, survey: &Survey, job: &Job) -> Result<bool, DemoDataError> {
    let foreign = job.scripts.iter().any(|script| script.dialect.as_deref().is_some_and(|d| d != "sqlite"));
    // A SQL file that no config names is run by nobody.
    let loose = job.declared_by != Declaration::CarveJobs;
    if !job.enabled
        || loose
        || job.kind == JobKind::Export
        || foreign
        || (job.scripts.is_empty() && job.imports.is_empty())
    {
        return Ok(false);
    }
    for table in &job.imports {
        let system = table.from.system().and_then(|name| survey.estate.sources.get(name));
        let Some(url) = system.and_then(|source| source.url.as_deref()) else { return Ok(false) };
        lake.import(url, table.from.table(), &table.into)?;
    }
    for script in &job.scripts {
        run_script(lake, survey, script)?;
    }
    Ok(true)
}

fn run_script(lake: &LegacyLake, survey: &Survey, script: &Script) -> Result<(), DemoDataError> {
    let text = lineage::render(script, &survey.estate).text;
    let (read, _) = lineage::read_sql(&text, Some("sqlite"), &survey.lineage.catalog);
    let bare = matches!(&read.statements[..], [only] if only.kind == "select");
    match (&script.target, bare) {
        (Some(target), true) if script.materialized.as_deref() == Some("append") => {
            let query = text.trim().trim_end_matches(';');
            lake.run(&format!("INSERT INTO {target} {query}"))
        }
        (Some(target), true) => lake.fill(target, text.trim().trim_end_matches(';')),
        _ => lake.run(&text),
    }
}

/// The three best plans, written.
fn plans(workspace: &Workspace, survey: &Survey) -> Result<Vec<Plan>, Failure> {
    let plans: Vec<Plan> = survey.best().take(3).map(|card| survey.draft(card)).collect::<Result<_, _>>()?;
    for plan in &plans {
        write_file(&workspace.plans().join(format!("{}.yaml", plan.service)), plan::to_text(plan)?.as_bytes())?;
    }
    Ok(plans)
}

/// What happened, in a screenful.
struct Story<'a> {
    folder: &'a Utf8Path,
    rows: u64,
    ran: Ran,
    survey: &'a Survey,
    plan: &'a Plan,
    applied: &'a RunReport,
    statuses: &'a [ServiceStatus],
    moves: usize,
    page: &'a Utf8PathBuf,
}

impl Story<'_> {
    fn status(&self) -> Option<&ServiceStatus> {
        self.statuses.iter().find(|status| status.service == self.plan.service)
    }

    fn tell(&self, context: &Context, seconds: f64) {
        let screen = &context.screen;
        let title = |text: &str| screen.paint(Style::Strong, text);
        screen.prose(12, format!(
            "{}  {} rows in {} source systems; {} jobs built the lake ({} left out: disabled or for another engine)",
            title("The estate"),
            self.rows,
            self.survey.estate.sources.len(),
            self.ran.count,
            self.ran.left_out.len(),
        ));
        screen.out(format!("\n{}", title("What to carve out first")));
        screen.out(self.ranking(screen.width()));
        screen.prose(9, format!("\n{}  {}", title("Applied"), self.plan.summary));
        screen.out(super::proofs::table(&self.shown_proofs(), screen.width()));
        super::proofs::tell_not_compared("", &self.applied.not_compared, context);
        if let Some(status) = self.status() {
            screen.prose(11, format!(
                "{}  v{} with {} rows in {} parts under bucket/data-services/{}; {} BI sources have their switchover plan",
                title("Published"),
                status.version.map(|v| v.to_string()).unwrap_or_default(),
                status.rows.unwrap_or_default(),
                status.parts.unwrap_or_default(),
                status.service,
                self.moves,
            ));
        }
        screen.out(format!(
            "\n{}  {}   {}",
            title("Report"),
            self.page,
            screen.paint(Style::Faint, &format!("({seconds:.0} s in all)"))
        ));
        screen.out(title("Next"));
        let lines = self.next_lines();
        let width = lines.iter().map(|(command, _)| command.chars().count()).max().unwrap_or_default();
        for (command, why) in lines {
            // Behind a `#`, so that a line can be copied whole.
            screen.out(format!("  {command:<width$}  {}", screen.paint(Style::Faint, &format!("# {why}"))));
        }
    }

    /// What to type next, each line as it is, and why.
    fn next_lines(&self) -> Vec<(String, &'static str)> {
        let (carve, folder, service) = (program(), shell_word(self.folder.as_str()), &self.plan.service);
        let mut lines = Vec::new();
        // Without git there is nothing to compare with.
        if self.folder.join(".git").exists() {
            lines.push((format!("git -C {folder} diff"), "what apply changed in the estate"));
        }
        lines.extend([
            (format!("{carve} status {folder}"), "how far each service is"),
            (format!("{carve} demo --late-rows {folder}"), "time goes by: new, changed and deleted orders"),
            (format!("{carve} refresh {service} --estate {folder}"), "what the scheduler runs: it follows them"),
            (format!("{carve} refresh {service} --estate {folder}"), "nothing changed: nothing is published"),
            (format!("{carve} switchover {service} --estate {folder}"), "how each dashboard moves"),
            (format!("{carve} rollback {service} --estate {folder}"), "and back again"),
        ]);
        let next = self.survey.ranking.cards.iter().find(|card| card.candidate.name != *service);
        lines.extend(next.map(|card| {
            (format!("{carve} explain {} --estate {folder}", card.candidate.name), "why that one is next")
        }));
        lines
    }

    /// One row a kind of proof where all agree; each that does not in a row of its own.
    fn shown_proofs(&self) -> Vec<ProofSummary> {
        let (equal, others): (Vec<_>, Vec<_>) =
            self.applied.proofs.iter().cloned().partition(|proof| proof.verdict == "equal");
        let kinds = [
            ("transport", "tables", "origin, parts and import have one fingerprint"),
            ("continuity", "tables", "the raw table and the import hold the same rows"),
            ("downstream", "queries", "each gives the rows it gave before"),
        ];
        let sum = |(kind, noun, because): (&str, &str, &str)| {
            let of_kind: Vec<&ProofSummary> = equal.iter().filter(|proof| proof.kind == kind).collect();
            (!of_kind.is_empty()).then(|| ProofSummary {
                kind: kind.to_owned(),
                what: Some(format!("{} {noun}", of_kind.len())),
                endpoint: None,
                verdict: "equal".to_owned(),
                left_rows: of_kind.iter().map(|proof| proof.left_rows).sum(),
                right_rows: of_kind.iter().map(|proof| proof.right_rows).sum(),
                because: because.to_owned(),
                differences: Vec::new(),
            })
        };
        kinds.into_iter().filter_map(sum).chain(others).collect()
    }

    fn ranking(&self, width: usize) -> String {
        let mut table =
            Table::new(&[">#", "Candidate", ">Person-days", ">Changes", ">Importance", ">Priority", "Rank is"]);
        for card in self.survey.ranking.cards.iter().take(5) {
            table.row([
                card.rank.to_string(),
                card.candidate.name.to_string(),
                format!("{:.0}–{:.0}", card.cost.low_days, card.cost.high_days),
                format!("{:.2}", card.frequency.points),
                format!("{:.2}", card.importance.points),
                format!("{:.4}", card.priority),
                card.robustness.label.clone(),
            ]);
        }
        table.text(width)
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "format": "carve-demo/1", "source_rows": self.rows, "jobs_run": self.ran.count,
            "jobs_left_out": self.ran.left_out, "service": self.plan.service, "plan": self.plan.id,
            "proofs": self.applied.proofs, "not_compared": self.applied.not_compared, "status": self.status(), "moves": self.moves,
        })
    }
}

/// How this program is called: by its name where a shell finds it, else as it was called now (`cargo run` calls it
/// `target/debug/carve`).
fn program() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).any(|folder| folder.join("carve").is_file());
    match (on_path, std::env::args().next()) {
        (false, Some(called)) => shell_word(&called),
        _ => "carve".to_owned(),
    }
}
