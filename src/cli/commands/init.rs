//! `carve init`: a commented carve.yaml from what was detected.
use crate::{
    cli::{
        Context, Outcome,
        args::InitArgs,
        exit::{ExitCode, Failure},
        workspace::{Workspace, write_file},
    },
    estate,
};

pub(crate) fn run(args: &InitArgs, context: &Context) -> Outcome {
    let workspace = Workspace::at(&args.estate)?;
    let path = workspace.root().join("carve.yaml");
    if path.exists() && !args.dry_run {
        return Err(Failure::said(ExitCode::Blocked, format!("`{path}` is there already"))
            .hint("edit it, or see what carve would write with `carve init --dry-run`"));
    }
    let (estate, _) = workspace.load(&context.bars);
    let text = estate::starter_settings(&estate);
    if args.dry_run {
        match context.json {
            true => context.answer("carve-settings/1", &serde_json::json!({ "text": text }))?,
            false => context.screen.out(text.trim_end()),
        }
        return Ok(ExitCode::Done);
    }
    write_file(&path, text.as_bytes())?;
    if context.json {
        context.answer("carve-written/1", &serde_json::json!({ "written": path }))?;
    } else {
        context
            .screen
            .out(format!("Wrote {path}: every key is explained in it. Next: carve plan{}", workspace.folders()));
    }
    Ok(ExitCode::Done)
}
