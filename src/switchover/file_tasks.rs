//! What a person does to move a BI source that is a file: edit it, bring it to the tool, look, and the way back.
use super::{
    ExposureMove, Task,
    tasks::{charts, task},
};
use crate::{plan::Plan, vocab::shell_word};

/// How an edited file comes to its tool, and what must come of it.
fn bring(tool: &str) -> (&'static str, &'static str, &'static str) {
    match tool {
        "metabase" => (
            "sh",
            "# Metabase's serialization: from the server that holds its database, on the folder of the export\n\
             java -jar metabase.jar import EXPORT_FOLDER",
            "the import ends without an error; the question shows the new SQL",
        ),
        "looker" => (
            "",
            "push the commit to the LookML project's repository\nrun the LookML validator, then the content validator\ndeploy to production",
            "no error in either validator",
        ),
        "grafana" => (
            "sh",
            "# Provisioned dashboards are read again by themselves; others:\n\
             curl -fsS -X POST \"$GRAFANA/api/dashboards/db\" -H \"Authorization: Bearer $TOKEN\" \\\n\
             \x20 -H 'Content-Type: application/json' -d \"{\\\"dashboard\\\": $(cat FILE), \\\"overwrite\\\": true}\"",
            "`\"status\":\"success\"`; each panel shows rows",
        ),
        "powerbi" => (
            "",
            "commit, and let the workspace's Git integration update it; or open the project in Power BI Desktop and publish\nrefresh the semantic model",
            "the refresh ends without an error",
        ),
        "evidence" => ("sh", "npm run sources\nnpm run build:strict", "both end without an error"),
        "lightdash" => ("sh", "lightdash upload", "the chart is listed as changed"),
        "redash" => ("", "paste the new SQL into the query in Redash and save it", "the query runs"),
        _ => ("", "bring the edited file to the tool", "it shows the new source"),
    }
}

/// What must hold before the move.
pub(super) fn preconditions(plan: &Plan, found: &ExposureMove) -> Vec<Task> {
    let service = &plan.service;
    let reads: Vec<String> = found.replaces.iter().map(|pair| format!("SELECT * FROM {} LIMIT 1;", pair.new)).collect();
    vec![
        task("The service is wrapped and proven.", "sh", format!("carve verify {service}"), "exit code 0 and `Equal`"),
        task(
            "The new tables hold what the origin holds now.",
            "sh",
            format!("carve refresh {service}"),
            "`published …` or `nothing changed`",
        ),
        task(
            "The BI tool's own user may read the new tables: run this as that user.",
            "sql",
            reads.join("\n"),
            "one row each, and no error",
        ),
        task(
            format!(
                "{} holds this source as the file does: export it again over the old file, and compare.",
                found.tool
            ),
            "sh",
            format!("git diff --exit-code -- {}", shell_word(found.edit.file.as_str())),
            "no difference; else commit the export and run `carve switchover` again",
        ),
    ]
}

/// The move itself.
pub(super) fn steps(plan: &Plan, found: &ExposureMove) -> Vec<Task> {
    let (language, how, expect) = bring(&found.tool);
    vec![
        task(
            "Change its file in the estate. Other sources in the same file move with it.",
            "sh",
            apply(plan, found, ""),
            "the diff below, committed",
        ),
        task(format!("Bring it to {}.", found.tool), language, how, expect),
        look(found),
    ]
}

/// How to undo the move.
pub(super) fn way_back(plan: &Plan, found: &ExposureMove) -> Vec<Task> {
    let (language, how, expect) = bring(&found.tool);
    vec![
        task(
            "Put its file back.",
            "sh",
            apply(plan, found, "-R "),
            "the file is as it was; the old tables are kept until the service is retired",
        ),
        task(format!("Bring it to {}.", found.tool), language, how, expect),
        look(found),
    ]
}

fn look(found: &ExposureMove) -> Task {
    task(
        "Open what stands on it and compare it with how it looked before.",
        "",
        charts(found),
        "no error, the same numbers",
    )
}

fn apply(plan: &Plan, found: &ExposureMove, flag: &str) -> String {
    let file = shell_word(found.edit.file.as_str());
    let what = if flag.is_empty() { "reads service" } else { "reads the old tables, not service" };
    let message = shell_word(&format!("{} {what} {}", found.title, plan.service));
    format!(
        "git apply {flag}--include={file} switchover/{}/switchover.patch\ngit commit -m {message} -- {file}",
        plan.service
    )
}
