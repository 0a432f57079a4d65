//! `carve lineage DATASET.COLUMN`: one column, followed through every job.
use serde_json::json;

use super::{direction, drawn, lines, no_such_form, views};
use crate::{
    cli::{
        Context, Outcome,
        args::{Format, LineageArgs},
        exit::{ExitCode, Failure},
        workspace::Survey,
    },
    console::{Style, Table},
    export::{ColumnStep, Direction, Picture, trace},
    vocab::DatasetId,
};

/// The dataset and the column that `name` means, where its last part is no table.
pub(super) fn named(survey: &Survey, name: &str) -> Option<(DatasetId, String)> {
    let (table, column) = name.rsplit_once('.')?;
    let dataset: DatasetId = table.parse().ok()?;
    survey.graph.datasets().contains_key(&dataset).then(|| (dataset, column.to_lowercase()))
}

/// Steps up and down from one column.
struct Ways {
    up: Option<Vec<ColumnStep>>,
    down: Option<Vec<ColumnStep>>,
}

pub(super) fn run(
    survey: &Survey,
    dataset: &DatasetId,
    column: &str,
    args: &LineageArgs,
    context: &Context,
) -> Outcome {
    let all = Picture::of(&survey.estate, &survey.lineage, &survey.graph);
    let follow = |up: bool| trace(&all.columns, dataset, column, up, args.depth);
    let way = direction(args);
    let ways = Ways {
        up: (way != Direction::Down).then(|| follow(true)),
        down: (way != Direction::Up).then(|| follow(false)),
    };
    known(survey, dataset, column, &follow)?;
    match context.format {
        Format::Text => ways.show(dataset, column, context),
        Format::Json => {
            let answer = json!({ "dataset": dataset, "column": column, "upstream": ways.up, "downstream": ways.down });
            context.answer("carve-column-lineage/1", &answer)?;
        }
        Format::Openlineage => {
            return Err(no_such_form(context.format, "a column", "text|json|jsonl|dot|mermaid"));
        }
        Format::Jsonl | Format::Dot | Format::Mermaid => {
            let steps = [&ways.up, &ways.down].into_iter().flatten().flatten();
            let picture = Picture { feeds: Vec::new(), columns: steps.map(|step| step.row.clone()).collect() };
            let args = LineageArgs { columns: true, ..args.clone() };
            match drawn(&picture, &args, context) {
                Some(drawing) => context.screen.out(drawing),
                None => lines(&picture, &args, context)?,
            }
        }
    }
    Ok(ExitCode::Done)
}

/// Fails where the dataset's columns are known and this is none of them.
fn known(
    survey: &Survey,
    dataset: &DatasetId,
    column: &str,
    follow: &impl Fn(bool) -> Vec<ColumnStep>,
) -> Result<(), Failure> {
    let columns = survey.lineage.catalog.get(dataset).map_or(&[][..], Vec::as_slice);
    let listed = columns.iter().any(|one| one.name.eq_ignore_ascii_case(column));
    let used = |step: &ColumnStep| {
        let names = [&step.row.upstream_column, &step.row.downstream_column];
        names.iter().any(|name| name.eq_ignore_ascii_case(column))
    };
    if listed || follow(true).iter().chain(&follow(false)).any(used) {
        return Ok(());
    }
    let names: Vec<&str> = columns.iter().map(|one| one.name.as_str()).collect();
    let failure =
        Failure::said(ExitCode::Error, format!("nothing in the estate mentions a column `{column}` of `{dataset}`"));
    Err(match names.is_empty() {
        true => failure.hint(format!("`carve lineage {dataset} --columns` shows the columns that are known")),
        false => failure.hint(format!("its columns are {}", names.join(", "))),
    })
}

impl Ways {
    fn show(&self, dataset: &DatasetId, column: &str, context: &Context) {
        for (title, steps) in [("Upstream of", &self.up), ("Downstream of", &self.down)] {
            let Some(steps) = steps else { continue };
            context.screen.out(format!("{} {dataset}.{column}", context.screen.paint(Style::Strong, title)));
            let mut table = Table::new(&[">Steps", "Column", "Comes from", "How", "Job", "Where"]);
            for step in steps {
                let [to, from, how, job, place] = views::column_cells(&step.row);
                table.row([step.distance.to_string(), to, from, how, job, place]);
            }
            let text = if table.is_empty() { "  nothing".to_owned() } else { table.text(context.screen.width()) };
            context.screen.out(format!("{text}\n"));
        }
    }
}
