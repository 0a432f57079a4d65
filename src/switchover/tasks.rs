//! What a person does to move one Superset dataset: each task with the command or query to copy, and what must come of it.
use std::fmt::Write as _;

use super::{ExposureMove, Replaced, SourceKind, Task};
use crate::{
    plan::Plan,
    vocab::{DatasetId, shell_word},
};

/// The two bodies of `PUT /api/v1/dataset/{id}`: as the dataset is, and as it shall be.
pub(super) struct Bodies {
    pub(super) before: String,
    pub(super) after: String,
}

/// Bodies that set the table's name, or the SQL.
pub(super) fn bodies(kind: SourceKind, moved: &[&Replaced], before: &str, after: &str) -> Bodies {
    let named = |table: &DatasetId| serde_json::json!({ "table_name": table.table(), "schema": table.schema() });
    let (before, after) = match (kind, moved) {
        (SourceKind::Physical, [one, ..]) => (named(&one.old), named(&one.new)),
        _ => (serde_json::json!({ "sql": before }), serde_json::json!({ "sql": after })),
    };
    Bodies { before: format!("{before:#}\n"), after: format!("{after:#}\n") }
}

/// A task with what to copy and what must come of it.
pub(super) fn task(
    title: impl Into<String>,
    language: &'static str,
    code: impl Into<String>,
    expect: impl Into<String>,
) -> Task {
    Task { title: title.into(), language, code: code.into(), expect: expect.into() }
}

/// What must hold before the move.
pub(super) fn preconditions(plan: &Plan, moved: &[&Replaced], file: &str) -> Vec<Task> {
    let service = &plan.service;
    let mut all = vec![
        task("The service is wrapped and proven.", "sh", format!("carve verify {service}"), "exit code 0 and `Equal`"),
        task(
            "The new tables hold what the origin holds now.",
            "sh",
            format!("carve refresh {service}"),
            "`published …` or `nothing changed`",
        ),
    ];
    let reads: Vec<String> = moved.iter().map(|pair| format!("SELECT * FROM {} LIMIT 1;", pair.new)).collect();
    all.push(task(
        "The BI tool's own user may read the new tables: run this in SQL Lab on the dataset's database.",
        "sql",
        reads.join("\n"),
        "one row each, and no error",
    ));
    all.push(task(
        "Superset holds the dataset as this export does: export it again, unpack it over the old files, and compare.",
        "sh",
        format!("git diff --exit-code -- {}", shell_word(file)),
        "no difference; else commit the export and run `carve switchover` again",
    ));
    all
}

/// The queries that show both sides to be one, over `before` and `after` with their templates filled.
pub(super) fn proofs(kind: SourceKind, moved: &[&Replaced], before: &str, after: &str) -> Vec<Task> {
    let side = |text: &str, name: &str| match kind {
        SourceKind::Physical => format!("{text} AS {name}"),
        SourceKind::Virtual => format!("(\n{}\n) AS {name}", query(text)),
    };
    let (old, new) = (side(before, "old_source"), side(after, "new_source"));
    let counts =
        format!("SELECT\n(SELECT COUNT(*) FROM {old}) AS old_rows,\n(SELECT COUNT(*) FROM {new}) AS new_rows;");
    let mut proofs = vec![task("The same number of rows.", "sql", counts, "the same number twice")];
    if kind == SourceKind::Virtual {
        proofs.push(task(
            "The dataset's query gives the same rows.",
            "sql",
            both_ways(&format!("SELECT * FROM {old}"), &format!("SELECT * FROM {new}")),
            "no row",
        ));
    }
    proofs.extend(moved.iter().map(|pair| {
        let sides = [&pair.old, &pair.new].map(|table| format!("SELECT * FROM {table}"));
        let title = format!("No row of {} is missing from {}, nor the other way round.", pair.old, pair.new);
        task(title, "sql", both_ways(&sides[0], &sides[1]), "no row")
    }));
    proofs
}

/// Rows that stand on one side only. Each difference is wrapped: not every engine takes a bare chain of set operators.
fn both_ways(old: &str, new: &str) -> String {
    format!(
        "SELECT 'only before' AS side, a.* FROM (\n{old}\nEXCEPT\n{new}\n) AS a\nUNION ALL\n\
         SELECT 'only after' AS side, b.* FROM (\n{new}\nEXCEPT\n{old}\n) AS b;"
    )
}

fn query(text: &str) -> &str {
    text.trim().trim_end_matches(';').trim_end()
}

/// The move itself.
pub(super) fn steps(plan: &Plan, found: &ExposureMove) -> Vec<Task> {
    let folder = format!("switchover/{}", plan.service);
    vec![
        task(
            "Log in to Superset and find the dataset's id.",
            "sh",
            format!("{}{}", login(), dataset_id(found)),
            "one result; keep its `id` in `ID`",
        ),
        task(
            "Change the dataset and read its columns again.",
            "sh",
            put(&format!("{folder}/{}.after.json", found.page)),
            "`OK` twice",
        ),
        task(
            "Change its file in the estate, so that the next export and `carve status` agree.",
            "sh",
            format!(
                "git apply --include={} {folder}/switchover.patch\ngit commit -m {} -- {}",
                shell_word(found.edit.file.as_str()),
                shell_word(&format!("{} reads service {}", found.title, plan.service)),
                shell_word(found.edit.file.as_str())
            ),
            "the diff below, committed",
        ),
        task(
            "Open each chart and compare it with how it looked before.",
            "",
            charts(found),
            "no error, the same numbers",
        ),
    ]
}

/// How to undo the move.
pub(super) fn way_back(plan: &Plan, found: &ExposureMove) -> Vec<Task> {
    let folder = format!("switchover/{}", plan.service);
    vec![
        task(
            "Put the dataset back and read its columns again (log in and find `ID` as above).",
            "sh",
            put(&format!("{folder}/{}.before.json", found.page)),
            "`OK` twice",
        ),
        task(
            "Put its file back.",
            "sh",
            format!(
                "git apply -R --include={} {folder}/switchover.patch\ngit commit -m {} -- {}",
                shell_word(found.edit.file.as_str()),
                shell_word(&format!("{} reads the old tables again", found.title)),
                shell_word(found.edit.file.as_str())
            ),
            "the file is as it was; the old tables are kept until the service is retired",
        ),
        task("Open each chart once.", "", charts(found), "no error"),
    ]
}

/// What stands on it, a line each.
pub(super) fn charts(found: &ExposureMove) -> String {
    let mut lines = String::new();
    for (kind, titles) in [("chart", &found.charts), ("dashboard", &found.dashboards)] {
        for title in titles {
            let _ = writeln!(lines, "{kind}  {title}");
        }
    }
    match lines.is_empty() {
        true => format!("dataset  {}", found.title),
        false => lines.trim_end().to_owned(),
    }
}

fn login() -> &'static str {
    "SUPERSET=https://superset.example.com      # yours\n\
     curl -fsS \"$SUPERSET/api/v1/security/login\" -H 'Content-Type: application/json' \\\n\
     \x20 -d '{\"username\": \"…\", \"password\": \"…\", \"provider\": \"db\"}'\n\
     TOKEN=…                                    # the access_token of that answer\n"
}

fn dataset_id(found: &ExposureMove) -> String {
    // A physical dataset bears its table's name, a virtual one its title.
    let name = match (found.kind, found.replaces.first()) {
        (SourceKind::Physical, Some(pair)) => pair.old.table().to_owned(),
        _ => found.title.clone(),
    };
    let rison =
        format!("q=(filters:!((col:table_name,opr:eq,value:'{}')))", name.replace('!', "!!").replace('\'', "!'"));
    format!(
        "curl -fsSG \"$SUPERSET/api/v1/dataset/\" -H \"Authorization: Bearer $TOKEN\" \\\n  --data-urlencode {}\nID=…",
        shell_word(&rison)
    )
}

fn put(body: &str) -> String {
    format!(
        "curl -fsS -X PUT \"$SUPERSET/api/v1/dataset/$ID\" -H \"Authorization: Bearer $TOKEN\" \\\n\
         \x20 -H 'Content-Type: application/json' -d @{body}\n\
         curl -fsS -X PUT \"$SUPERSET/api/v1/dataset/$ID/refresh\" -H \"Authorization: Bearer $TOKEN\""
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced() -> Replaced {
        Replaced { old: "raw.orders".parse().unwrap(), new: "raw.orders__import".parse().unwrap() }
    }

    #[test]
    fn the_proofs_of_a_table_run_and_find_what_is_on_one_side_only() {
        let pair = replaced();
        let proofs = proofs(SourceKind::Physical, &[&pair], "raw.orders", "raw.orders__import");
        let lake = rusqlite::Connection::open_in_memory().unwrap();
        lake.execute_batch(
            "ATTACH ':memory:' AS raw; CREATE TABLE raw.orders AS SELECT 1 AS id UNION SELECT 2;
             CREATE TABLE raw.orders__import AS SELECT 2 AS id UNION SELECT 3;",
        )
        .unwrap();
        let counts: (i64, i64) = lake.query_row(&proofs[0].code, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        assert_eq!(counts, (2, 2));
        let mut query = lake.prepare(&proofs[1].code).unwrap();
        let rows: Vec<(String, i64)> =
            query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
        assert_eq!(rows, [("only before".to_owned(), 1), ("only after".to_owned(), 3)]);
    }

    #[test]
    fn the_proofs_of_a_query_run_though_it_ends_in_a_semicolon() {
        let pair = replaced();
        let (before, after) = ("SELECT id FROM raw.orders;\n", "SELECT id FROM raw.orders__import ;");
        let proofs = proofs(SourceKind::Virtual, &[&pair], before, after);
        let lake = rusqlite::Connection::open_in_memory().unwrap();
        lake.execute_batch(
            "ATTACH ':memory:' AS raw; CREATE TABLE raw.orders (id); CREATE TABLE raw.orders__import (id);",
        )
        .unwrap();
        for proof in &proofs {
            lake.prepare(&proof.code).unwrap();
        }
        assert_eq!(proofs.len(), 3);
    }

    #[test]
    fn a_title_with_a_quote_stays_one_word_for_shell_and_superset() {
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        let pair = replaced();
        let bodies = bodies(SourceKind::Virtual, &[&pair], "SELECT 'a\"b'", "SELECT 2");
        let read: serde_json::Value = serde_json::from_str(&bodies.before).unwrap();
        assert_eq!(read["sql"], "SELECT 'a\"b'");
    }
}
