//! Pictures as text: Graphviz DOT and Mermaid.
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use super::{Picture, rows::ColumnRow};
use crate::lineage::Evidence;

/// Boxes and arrows, ready to be written down.
struct Drawing {
    boxes: BTreeMap<String, Shape>,
    arrows: BTreeSet<Arrow>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Dataset,
    Exposure,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Arrow {
    from: String,
    to: String,
    label: String,
    /// Known only by a scan, an influence rather than a value, or one of several possibilities.
    dashed: bool,
}

impl Drawing {
    fn of(picture: &Picture, columns: bool) -> Self {
        match columns {
            true => Drawing::of_columns(&picture.columns),
            false => Drawing::of_datasets(picture),
        }
    }

    fn of_datasets(picture: &Picture) -> Self {
        let mut drawing = Drawing { boxes: BTreeMap::new(), arrows: BTreeSet::new() };
        for row in &picture.feeds {
            let shape = if row.downstream_kind == "exposure" { Shape::Exposure } else { Shape::Dataset };
            let from = row.upstream.as_ref().map(ToString::to_string);
            drawing.boxes.extend(from.clone().map(|name| (name, Shape::Dataset)));
            drawing.boxes.extend(row.downstream.clone().map(|name| (name, shape)));
            if let (Some(from), Some(to)) = (from, row.downstream.clone()) {
                let label = row.job.as_ref().map(ToString::to_string).unwrap_or_default();
                drawing.arrows.insert(Arrow { from, to, label, dashed: row.known == Evidence::Inferred });
            }
        }
        drawing
    }

    fn of_columns(rows: &[ColumnRow]) -> Self {
        let mut drawing = Drawing { boxes: BTreeMap::new(), arrows: BTreeSet::new() };
        for row in rows {
            let Some(downstream) = &row.downstream else { continue };
            let from = format!("{}.{}", row.upstream, row.upstream_column);
            let to = format!("{downstream}.{}", row.downstream_column);
            drawing.boxes.extend([(from.clone(), Shape::Dataset), (to.clone(), Shape::Dataset)]);
            let label = serde_json::to_value(row.kind).ok();
            let label = label.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
            drawing.arrows.insert(Arrow { from, to, label, dashed: !row.direct || row.ambiguous });
        }
        drawing
    }
}

/// The picture in Graphviz' language, left to right. With `columns`, column by column.
pub fn dot(picture: &Picture, columns: bool) -> String {
    let drawing = Drawing::of(picture, columns);
    let mut text = "digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n".to_owned();
    for (name, shape) in &drawing.boxes {
        let style = if *shape == Shape::Exposure { " [shape=note]" } else { "" };
        let _ = writeln!(text, "  {}{style};", dot_string(name));
    }
    for arrow in &drawing.arrows {
        let style = if arrow.dashed { ", style=dashed" } else { "" };
        let (from, to, label) = (dot_string(&arrow.from), dot_string(&arrow.to), dot_string(&arrow.label));
        let _ = writeln!(text, "  {from} -> {to} [label={label}{style}];");
    }
    text.push('}');
    text
}

fn dot_string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " "))
}

/// The picture as a Mermaid flowchart, left to right. With `columns`, column by column.
pub fn mermaid(picture: &Picture, columns: bool) -> String {
    let drawing = Drawing::of(picture, columns);
    let number: BTreeMap<&str, usize> =
        drawing.boxes.keys().enumerate().map(|(at, name)| (name.as_str(), at)).collect();
    let mut text = "flowchart LR\n".to_owned();
    for ((name, shape), at) in drawing.boxes.iter().zip(0..) {
        let label = mermaid_text(name);
        let _ = match shape {
            Shape::Dataset => writeln!(text, "  n{at}[\"{label}\"]"),
            Shape::Exposure => writeln!(text, "  n{at}([\"{label}\"])"),
        };
    }
    for arrow in &drawing.arrows {
        let line = if arrow.dashed { "-.->" } else { "-->" };
        let label = match arrow.label.is_empty() {
            true => String::new(),
            false => format!("|\"{}\"|", mermaid_text(&arrow.label)),
        };
        let _ = writeln!(text, "  n{} {line}{label} n{}", number[arrow.from.as_str()], number[arrow.to.as_str()]);
    }
    text.trim_end().to_owned()
}

/// Mermaid ends a text at a quote and reads `#…;` as a character.
fn mermaid_text(text: &str) -> String {
    text.replace('#', "#35;").replace('"', "#quot;").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::FeedRow;

    fn picture(from: &str, to: &str, known: Evidence) -> Picture {
        let row = FeedRow {
            upstream: Some(from.parse().unwrap()),
            downstream: Some(to.to_owned()),
            downstream_kind: "dataset",
            job: Some(crate::vocab::JobId::new("load")),
            file: None,
            line: None,
            known,
        };
        Picture { feeds: vec![row], columns: Vec::new() }
    }

    #[test]
    fn an_edge_is_an_arrow_named_after_its_job_and_dashed_where_only_scanned() {
        let said = dot(&picture("raw.a", "mart.b", Evidence::Inferred), false);
        assert!(said.contains("\"raw.a\" -> \"mart.b\" [label=\"load\", style=dashed];"), "{said}");
        let said = mermaid(&picture("raw.a", "mart.b", Evidence::Parsed), false);
        assert_eq!(said, "flowchart LR\n  n0[\"mart.b\"]\n  n1[\"raw.a\"]\n  n1 -->|\"load\"| n0");
    }

    #[test]
    fn no_name_breaks_out_of_its_quotes() {
        assert_eq!(dot_string("a\"b\\c\nd"), "\"a\\\"b\\\\c d\"");
        assert_eq!(mermaid_text("a\"#1;"), "a#quot;#35;1;");
    }
}
