//! Lineage as text and JSON.
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    cli::workspace::Survey,
    console::{Screen, Style, Table},
    diagnostics::Diagnostics,
    export::{ColumnRow, Direction},
    graph::{Edge, Neighbourhood},
    lineage::{Access, ColumnEdge, EdgeKind, JobLineage},
    vocab::DatasetId,
};

/// What is around one dataset.
pub(super) struct View<'a> {
    dataset: &'a DatasetId,
    up: Option<Neighbourhood>,
    down: Option<Neighbourhood>,
    edges: Vec<&'a Edge>,
    columns: Option<Vec<(DatasetId, &'a ColumnEdge)>>,
}

/// Looks around `dataset`, `depth` jobs far at most.
pub(super) fn view<'a>(
    survey: &'a Survey,
    dataset: &'a DatasetId,
    direction: Direction,
    depth: Option<u32>,
    columns: bool,
) -> View<'a> {
    let up = (direction != Direction::Down).then(|| survey.graph.upstream(dataset, depth));
    let down = (direction != Direction::Up).then(|| survey.graph.downstream(dataset, depth));
    let near = |edge: &&Edge| {
        let sides = [&up, &down];
        let mut sides = sides.iter().filter_map(|side| side.as_ref());
        sides.any(|side| {
            side.jobs.contains_key(&edge.job) && (side.datasets.contains_key(&edge.dataset) || edge.dataset == *dataset)
        })
    };
    let edges = survey.graph.edges().iter().filter(near).collect();
    let columns = columns.then(|| column_edges(survey, dataset));
    View { dataset, up, down, edges, columns }
}

fn column_edges<'a>(survey: &'a Survey, dataset: &DatasetId) -> Vec<(DatasetId, &'a ColumnEdge)> {
    let statements = survey.lineage.jobs.values().flat_map(|job| &job.statements);
    let touching = statements.filter_map(|statement| Some((statement.target.as_ref()?, statement)));
    let edges = touching.flat_map(|(target, statement)| {
        let here = target == dataset;
        let wanted = statement.columns.iter().filter(move |edge| here || edge.from == *dataset);
        wanted.map(move |edge| (target.clone(), edge))
    });
    let mut edges: Vec<_> = edges.collect();
    edges.sort();
    edges.dedup();
    edges
}

impl View<'_> {
    /// For people.
    pub(super) fn text(&self, screen: &Screen) -> String {
        let mut text = String::new();
        for (title, side) in [("Upstream of", &self.up), ("Downstream of", &self.down)] {
            let Some(side) = side else { continue };
            let _ = writeln!(text, "{} {}", screen.paint(Style::Strong, title), self.dataset);
            let _ = writeln!(text, "{}", side_text(side));
        }
        let mut table = Table::new(&["Job", "Does", "Dataset", "Known", "Where"]);
        for edge in &self.edges {
            let place = edge.places.first().map(ToString::to_string).unwrap_or_default();
            table.row([edge.job.to_string(), word(edge.access), edge.dataset.to_string(), word(edge.evidence), place]);
        }
        let _ = writeln!(text, "{}", table.text(screen.width()));
        if let Some(columns) = &self.columns {
            let mut table = Table::new(&["Column", "Comes from", "How"]);
            for (target, edge) in columns {
                let (to, from) =
                    (format!("{target}.{}", edge.to_column), format!("{}.{}", edge.from, edge.from_column));
                table.row([to, from, how(edge.kind, edge.ambiguous)]);
            }
            let _ = writeln!(text, "\n{}", table.text(screen.width()));
        }
        text.trim_end().to_owned()
    }

    /// For programs.
    pub(super) fn json(&self) -> Value {
        let columns = self.columns.as_ref().map(|columns| {
            columns.iter().map(|(target, edge)| json!({ "dataset": target, "edge": edge })).collect::<Vec<_>>()
        });
        json!({
            "format": "carve-lineage/1", "dataset": self.dataset, "upstream": self.up, "downstream": self.down,
            "edges": self.edges, "columns": columns,
        })
    }
}

fn side_text(side: &Neighbourhood) -> String {
    let mut rows: Vec<(u32, String)> = Vec::new();
    rows.extend(side.datasets.iter().map(|(dataset, distance)| (*distance, format!("dataset   {dataset}"))));
    rows.extend(side.jobs.iter().map(|(job, distance)| (*distance, format!("job       {job}"))));
    rows.extend(side.exposures.iter().map(|(exposure, distance)| (*distance, format!("exposure  {exposure}"))));
    rows.sort();
    if rows.is_empty() {
        return "  nothing\n".to_owned();
    }
    rows.into_iter().fold(String::new(), |mut text, (distance, row)| {
        let _ = writeln!(text, "  {distance:>2}  {row}");
        text
    })
}

/// A unit variant by its serde name.
pub(super) fn word(value: impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text,
        _ => String::new(),
    }
}

/// What is done with a value.
fn how(kind: EdgeKind, ambiguous: bool) -> String {
    format!("{}{}", word(kind), if ambiguous { " (ambiguous)" } else { "" })
}

/// Column edges, for people.
pub(super) fn column_table(rows: &[ColumnRow], width: usize) -> String {
    let mut table = Table::new(&["Column", "Comes from", "How", "Job", "Where"]);
    for row in rows {
        table.row(column_cells(row));
    }
    table.text(width)
}

/// Column, where it comes from, how, job, place.
pub(super) fn column_cells(row: &ColumnRow) -> [String; 5] {
    let target = row.downstream.as_ref().map(|target| format!("{target}.")).unwrap_or_default();
    let place = match (&row.file, row.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        _ => String::new(),
    };
    let from = format!("{}.{}", row.upstream, row.upstream_column);
    let how = how(row.kind, row.ambiguous);
    [format!("{target}{}", row.downstream_column), from, how, row.job.to_string(), place]
}

/// One script, for people.
pub(super) fn script_text(lineage: &JobLineage, width: usize) -> String {
    let mut table = Table::new(&["Does", "Dataset", "Known", "Where"]);
    for mention in &lineage.uses {
        let does = if mention.access == Access::Define { "define".into() } else { word(mention.access) };
        let place = format!("{}:{}", mention.at.line, mention.at.column);
        table.row([does, mention.dataset.to_string(), word(mention.evidence), place]);
    }
    let mut text = table.text(width);
    let mut columns = Table::new(&["Column", "Comes from", "How"]);
    for statement in &lineage.statements {
        let target = statement.target.as_ref().map(|target| format!("{target}.")).unwrap_or_default();
        for edge in &statement.columns {
            columns.row([
                format!("{target}{}", edge.to_column),
                format!("{}.{}", edge.from, edge.from_column),
                how(edge.kind, edge.ambiguous),
            ]);
        }
    }
    if !columns.is_empty() {
        let _ = write!(text, "\n\n{}", columns.text(width));
    }
    text
}

/// One script, for programs.
pub(super) fn script_json(lineage: &JobLineage, diagnostics: &Diagnostics) -> Value {
    json!({
        "format": "carve-script-lineage/1", "uses": lineage.uses, "statements": lineage.statements,
        "unparsed": lineage.unparsed, "dynamic": lineage.dynamic, "diagnostics": diagnostics,
    })
}
