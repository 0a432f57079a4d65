//! `carve verify --left … --right …`: whether any two tables hold the same rows, and which differ.
use std::{
    ops::ControlFlow,
    sync::{Arc, atomic::Ordering},
};

use camino::Utf8Path;
use serde_json::{Value as Json, json};

use crate::{
    cli::{
        Context, Outcome,
        args::VerifyArgs,
        exit::{ExitCode, Failure},
        junit::Suite,
        signals::interrupt_flag,
    },
    connector::{ConnectorError, Origin, open_origin},
    console::{Style, Table},
    progress::Progress,
    reconcile::{self, Aligned, Comparison, Difference, Limits, TableSide, Wanted},
    service::to_text,
    vocab::{DatasetId, Row, Schema, Value},
};

/// A table as it was named.
struct Named {
    origin: Arc<dyn Origin>,
    table: DatasetId,
    shown: String,
}

pub(super) async fn run(left: &str, right: &str, args: &VerifyArgs, context: &Context) -> Outcome {
    let (left, right) = (named("left", left).await?, named("right", right).await?);
    let (l, r) = tokio::join!(left.origin.describe(&left.table), right.origin.describe(&right.table));
    let described = |side: &Named, found: Result<crate::connector::TableDescription, ConnectorError>| {
        found.map_err(|error| unreadable(&error, side))
    };
    let (l, r) = (described(&left, l)?.schema, described(&right, r)?.schema);
    let wanted = Wanted { key: args.key.clone(), columns: args.columns.clone(), except: args.except.clone() };
    let aligned = reconcile::align(&l, &r, &wanted).map_err(|error| {
        let columns =
            |schema: &Schema| schema.columns.iter().map(|its| its.name.as_str()).collect::<Vec<_>>().join(", ");
        let sides = [format!("left has {}", columns(&l)), format!("right has {}", columns(&r))];
        Failure::new(ExitCode::Blocked, &error).details(sides).hint("`--key`, `--columns`, `--except` choose columns")
    })?;
    let found = compared(&left, &right, &aligned, args.limit, context).await?;
    if let Some(file) = &args.junit {
        suite(&left, &right, &aligned, &found).write(file)?;
    }
    match context.json {
        true => context.answer("carve-comparison/1", &answer(&left, &right, &aligned, &found))?,
        false => show(&left, &right, &aligned, &found, context),
    }
    Ok(if found.equal() && aligned.unlike.is_empty() { ExitCode::Done } else { ExitCode::Different })
}

/// Opens what `text` names: `URL#TABLE`, or a file by its path.
async fn named(side: &str, text: &str) -> Result<Named, Failure> {
    let usage = |why: String| {
        Failure::said(ExitCode::Usage, format!("`--{side}` names no table: {why}")).hint(
            "write `URL#TABLE`, as in `sqlite:lake.db#raw.orders`, or the path of a .csv, .parquet or .jsonl file",
        )
    };
    let plain = Utf8Path::new(text.strip_prefix("file:").unwrap_or(text));
    let is_file = matches!(plain.extension(), Some("csv" | "parquet" | "jsonl")) && !text.contains('#');
    let (url, table) = match (is_file, text.rsplit_once('#')) {
        (true, _) => (format!("file:{plain}"), plain.file_stem().unwrap_or_default().to_owned()),
        (false, Some((url, table))) if !table.trim().is_empty() => (url.to_owned(), table.to_owned()),
        _ => return Err(usage("`#` and the table are missing".to_owned())),
    };
    let table = match is_file {
        true => DatasetId::from_parts(&[&table]),
        false => DatasetId::as_its_engine_names_it(&table).map_err(|error| usage(error.to_string()))?,
    };
    let origin = open_origin(side, &url, Utf8Path::new(".")).await.map_err(|error| address(&error, side))?;
    // The address may hold a password: what is shown is what the engine and the table are called.
    let shown = if is_file { plain.to_string() } else { format!("{} {table}", origin.kind()) };
    Ok(Named { origin, table, shown })
}

fn address(error: &ConnectorError, side: &str) -> Failure {
    let hint = format!("correct `--{side}`: docs/CONNECTIONS.md lists the forms of an address");
    Failure::new(ExitCode::Blocked, error).hint(hint)
}

/// A table that cannot be read is neither equal nor different.
fn unreadable(error: &ConnectorError, side: &Named) -> Failure {
    let (code, hint) = match error {
        busy if busy.is_busy() => (ExitCode::Locked, "wait for it to end, then run the same command again"),
        passes if passes.may_pass() => (ExitCode::Stopped, "nothing was compared: run the same command again"),
        _ => (ExitCode::Blocked, "nothing was compared: change what is named above, then run the same command again"),
    };
    Failure::new(code, error).details([format!("while reading {}", side.shown)]).hint(hint)
}

async fn compared(
    left: &Named,
    right: &Named,
    aligned: &Aligned,
    limit: usize,
    context: &Context,
) -> Result<Comparison, Failure> {
    let cancel = interrupt_flag();
    let watched = cancel.clone();
    let watch: Arc<dyn Fn() -> ControlFlow<()> + Send + Sync> =
        Arc::new(move || match watched.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        });
    let sides = tokio::join!(
        TableSide::left(&*left.origin, &left.table, aligned, watch.clone()),
        TableSide::right(&*right.origin, &right.table, aligned, watch)
    );
    let l = sides.0.map_err(|error| unreadable(&error, left))?;
    let r = sides.1.map_err(|error| unreadable(&error, right))?;
    context.bars.started("comparing", None, "readings");
    let limits = Limits { shown: limit, ..Limits::default() };
    let found = reconcile::compare(&l, &r, &aligned.schema, limits).await;
    context.bars.finished("comparing", "");
    if cancel.load(Ordering::Relaxed) {
        return Err(Failure::said(ExitCode::Interrupted, "interrupted: nothing is known of the two tables"));
    }
    found.map_err(|error| {
        Failure::new(unreadable(&error, left).code(), &error)
            .details([format!("while comparing {} with {}", left.shown, right.shown)])
    })
}

fn answer(left: &Named, right: &Named, aligned: &Aligned, found: &Comparison) -> Json {
    let columns: Vec<&str> = aligned.schema.columns.iter().map(|column| column.name.as_str()).collect();
    let side = |named: &Named, fingerprint: &crate::service::Fingerprint| json!({ "engine": named.origin.kind(), "table": named.table, "rows": fingerprint.rows, "fingerprint": fingerprint });
    let by_column: Vec<Json> =
        found.columns.iter().map(|its| json!({ "column": its.column, "rows": its.rows })).collect();
    let differences: Vec<Json> = found.differences.iter().map(|its| difference(its, &aligned.schema)).collect();
    json!({
        "equal": found.equal() && aligned.unlike.is_empty(),
        "left": side(left, &found.left),
        "right": side(right, &found.right),
        "key": aligned.schema.key,
        "columns": columns,
        "unlike_columns": aligned.unlike,
        "ranges": found.ranges,
        "ranges_different": found.ranges_different,
        "only_left": found.only_left,
        "only_right": found.only_right,
        "changed": found.changed,
        "changed_by_column": by_column,
        "complete": found.complete,
        "differences": differences,
        "notes": notes(aligned, found),
    })
}

fn difference(difference: &Difference, schema: &Schema) -> Json {
    match difference {
        Difference::OnlyLeft(values, times) => {
            json!({ "kind": "only_left", "row": row(schema, values), "times": times })
        }
        Difference::OnlyRight(values, times) => {
            json!({ "kind": "only_right", "row": row(schema, values), "times": times })
        }
        Difference::Changed { left, right, cells } => {
            let cells: Vec<Json> = cells
                .iter()
                .map(|cell| {
                    let column = &schema.columns[cell.at].name;
                    json!({ "column": column, "left": value(&left[cell.at]), "right": value(&right[cell.at]), "how": cell.how })
                })
                .collect();
            let key: serde_json::Map<String, Json> =
                row(schema, left).into_iter().filter(|(name, _)| schema.key.contains(name)).collect();
            json!({ "kind": "changed", "key": key, "cells": cells })
        }
    }
}

fn row(schema: &Schema, values: &Row) -> serde_json::Map<String, Json> {
    schema.columns.iter().zip(values).map(|(column, its)| (column.name.clone(), value(its))).collect()
}

/// Exact: NULL is null, everything else the text that docs/FORMAT.md writes for it.
fn value(value: &Value) -> Json {
    to_text(value).map_or(Json::Null, |text| Json::String(text.into_owned()))
}

fn notes(aligned: &Aligned, found: &Comparison) -> Vec<String> {
    let mut notes: Vec<String> = aligned.notes.iter().chain(&found.notes).cloned().collect();
    if !found.complete {
        notes.push("so much differs that not all of it was counted: the numbers are a lower bound".to_owned());
    }
    notes
}

fn suite(left: &Named, right: &Named, aligned: &Aligned, found: &Comparison) -> Suite {
    let mut suite = Suite::new(format!("{} = {}", left.shown, right.shown));
    match aligned.unlike.is_empty() {
        true => suite.holds("schema", "the same columns"),
        false => suite.fails("schema", "the same columns", aligned.unlike.join("; "), aligned.unlike.clone()),
    }
    let (l, r) = (found.left.rows, found.right.rows);
    match l == r {
        true => suite.holds("rows", "as many rows"),
        false => suite.fails("rows", "as many rows", format!("{l} on the left, {r} on the right"), Vec::new()),
    }
    let lines = found.told(&aligned.schema, "left", "right");
    match found.equal() {
        true => suite.holds("rows", "the same rows"),
        false => suite.fails("rows", "the same rows", found.counted("left", "right"), lines),
    }
    for column in &aligned.schema.columns {
        match found.columns.iter().find(|its| its.column == column.name) {
            None => suite.holds("columns", column.name.clone()),
            Some(its) => {
                suite.fails("columns", column.name.clone(), format!("differs in {} rows", its.rows), Vec::new());
            }
        }
    }
    suite
}

fn show(left: &Named, right: &Named, aligned: &Aligned, found: &Comparison, context: &Context) {
    let screen = &context.screen;
    let mut sides = Table::new(&["", "Table", ">Rows", ">Only here", ">Changed"]);
    for (side, named, rows, only) in
        [("left", left, found.left.rows, found.only_left), ("right", right, found.right.rows, found.only_right)]
    {
        let cells =
            [side.to_owned(), named.shown.clone(), rows.to_string(), only.to_string(), found.changed.to_string()];
        sides.row(cells);
    }
    screen.out(sides.text(screen.width()));
    let key = match aligned.schema.key.is_empty() {
        true => String::new(),
        false => format!(" by ({})", aligned.schema.key.join(", ")),
    };
    let (columns, ranges, different) = (aligned.schema.columns.len(), found.ranges, found.ranges_different);
    screen.out(format!("\n{columns} columns compared{key}; {different} of {ranges} ranges differ."));
    for note in notes(aligned, found) {
        screen.out(format!("{} {note}", screen.paint(Style::Warn, "note:")));
    }
    for unlike in &aligned.unlike {
        screen.out(format!("{} {unlike}", screen.paint(Style::Bad, "differs:")));
    }
    differences(aligned, found, context);
    let (style, word) = match found.equal() && aligned.unlike.is_empty() {
        true => (Style::Good, "Equal."),
        false => (Style::Bad, "Different."),
    };
    screen.out(format!("\n{}", screen.paint(style, word)));
}

fn differences(aligned: &Aligned, found: &Comparison, context: &Context) {
    let screen = &context.screen;
    if !found.columns.is_empty() {
        let counted = found.columns.iter().map(|its| format!("`{}` in {}", its.column, its.rows));
        screen.out(format!("Changed rows by column: {}", counted.collect::<Vec<_>>().join(", ")));
    }
    if found.differences.is_empty() {
        return;
    }
    let mut table =
        Table::new(&[if aligned.schema.key.is_empty() { "Row" } else { "Key" }, "Column", "Left", "Right", "What"]);
    for cells in found.differences.iter().flat_map(|difference| difference.cells(&aligned.schema)) {
        table.row(cells);
    }
    screen.out(format!("\n{}", table.text(screen.width())));
    let all = found.only_left + found.only_right + found.changed;
    let shown: u64 = found.differences.iter().map(times).sum();
    if shown < all {
        screen.out(format!("… and {} more: `--limit` shows more", all - shown));
    }
}

fn times(difference: &Difference) -> u64 {
    match difference {
        Difference::OnlyLeft(_, times) | Difference::OnlyRight(_, times) => *times,
        Difference::Changed { .. } => 1,
    }
}
