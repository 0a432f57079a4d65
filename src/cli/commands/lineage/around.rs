//! `carve lineage DATASET`: what is around one dataset.
use super::{direction, drawn, lines, tell_events, views};
use crate::{
    cli::{
        Context, Outcome,
        args::{Format, LineageArgs},
        exit::ExitCode,
        workspace::Survey,
    },
    export::Picture,
    vocab::DatasetId,
};

pub(super) fn run(survey: &Survey, dataset: &DatasetId, args: &LineageArgs, context: &Context) -> Outcome {
    let way = direction(args);
    let picture = || {
        let all = Picture::of(&survey.estate, &survey.lineage, &survey.graph);
        all.around(&survey.graph, dataset, way, args.depth)
    };
    match context.format {
        Format::Text => {
            let view = views::view(survey, dataset, way, args.depth, args.columns);
            context.screen.out(view.text(&context.screen));
        }
        Format::Json => context.screen.answer(views::view(survey, dataset, way, args.depth, args.columns).json()),
        Format::Jsonl => lines(&picture(), args, context)?,
        Format::Openlineage => tell_events(survey, Some(&picture()), args, context)?,
        Format::Dot | Format::Mermaid => context.screen.out(drawn(&picture(), args, context).unwrap_or_default()),
    }
    Ok(ExitCode::Done)
}
