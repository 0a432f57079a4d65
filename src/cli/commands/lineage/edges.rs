//! `carve lineage --edges`: every edge of the estate.
use serde_json::json;

use super::{drawn, feed_table, lines, tell_events, views};
use crate::{
    cli::{
        Context, Outcome,
        args::{Format, LineageArgs},
        exit::ExitCode,
        workspace::Survey,
    },
    export::Picture,
};

pub(super) fn run(survey: &Survey, args: &LineageArgs, context: &Context) -> Outcome {
    let picture = Picture::of(&survey.estate, &survey.lineage, &survey.graph);
    match context.format {
        Format::Text => {
            context.screen.out(feed_table(&picture.feeds, context.screen.width()));
            if args.columns {
                context.screen.out(format!("\n{}", views::column_table(&picture.columns, context.screen.width())));
            }
        }
        Format::Json => {
            let columns = args.columns.then_some(&picture.columns);
            context.answer("carve-edges/1", &json!({ "edges": picture.feeds, "columns": columns }))?;
        }
        Format::Jsonl => lines(&picture, args, context)?,
        Format::Openlineage => tell_events(survey, None, args, context)?,
        Format::Dot | Format::Mermaid => context.screen.out(drawn(&picture, args, context).unwrap_or_default()),
    }
    Ok(ExitCode::Done)
}
