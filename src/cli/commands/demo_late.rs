//! `carve demo --late-rows`: time goes by in a demo that is there, so that a refresh has something to follow.
use super::demo::{MARKER, demo_failed, run_job};
use crate::{
    cli::{
        Context, Outcome,
        args::DemoArgs,
        demo_data::{self, LegacyLake},
        exit::{ExitCode, Failure},
        workspace::Workspace,
    },
    estate::Job,
    vocab::shell_word,
};

/// The source in which time goes by.
const SOURCE: &str = "order_api";

pub(super) fn run(args: &DemoArgs, context: &Context) -> Outcome {
    let folder = &args.folder;
    if !folder.join(MARKER).is_file() {
        return Err(Failure::said(ExitCode::Error, format!("there is no demo in `{folder}`"))
            .hint(format!("`carve demo {}` makes one", shell_word(folder.as_str()))));
    }
    let late = demo_data::late_rows(folder).map_err(demo_failed)?;
    let survey = Workspace::new(std::slice::from_ref(folder), None, None)?.survey(&context.bars);
    let lake = LegacyLake::open(folder).map_err(demo_failed)?;
    let order = survey.graph.jobs_in_order();
    let jobs = order.iter().filter_map(|id| survey.estate.jobs.iter().find(|job| job.id == *id));
    let mut ran = Vec::new();
    for job in jobs.filter(|job| imports_from_source(job)) {
        if run_job(&lake, &survey, job).map_err(demo_failed)? {
            ran.push(job.id.to_string());
        }
    }
    if context.json {
        let value = serde_json::json!({
            "inserted": late.inserted, "updated": late.updated, "deleted": late.deleted, "jobs_run": ran,
        });
        context.answer("carve-demo-late-rows/1", &value)?;
        return Ok(ExitCode::Done);
    }
    context.screen.out(format!(
        "{SOURCE}: {} orders came in, {} changed, {} are gone; the shop's own imports ran: {}.",
        late.inserted,
        late.updated,
        late.deleted,
        ran.join(", ")
    ));
    Ok(ExitCode::Done)
}

fn imports_from_source(job: &Job) -> bool {
    job.imports.iter().any(|table| table.from.system() == Some(SOURCE))
}
