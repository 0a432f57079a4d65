//! What a task of Digdag does: `td>`, `pg>`, `bq>`, `td_load>`, `embulk>`, `sh>` and their like.
use std::collections::BTreeMap;

use camino::Utf8Path;

use super::tasks::Workflow;
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        command, embulk,
        found::Found,
        given_sql::{How, shown, take_file, take_node},
        names::{dataset_named, fill},
        paths::folder_of,
        reader::Sought,
        script_py,
        yaml::{Entry, Node},
    },
    vocab::DatasetId,
};

/// Operators that do nothing with data, or only change what tables there are.
const CONTROL: &[&str] = &[
    "echo",
    "mail",
    "http",
    "http_call",
    "fail",
    "wait",
    "notify",
    "td_ddl",
    "s3_wait",
    "gcs_wait",
    "td_wait",
    "td_wait_table",
    "slack",
    "notify_slack",
    "param_get",
    "param_set",
    "bq_ddl",
    "s3_delete",
    "sh_echo",
];

pub(super) fn is_control(name: &str) -> bool {
    CONTROL.contains(&name)
}

/// One task with the values around it.
struct Task<'a> {
    map: &'a Node,
    operator: &'a Entry,
    vars: &'a BTreeMap<String, String>,
    workflow: &'a Workflow<'a>,
}

/// Reads what the operator `name` of `map` does into `found`.
pub(super) fn read(
    name: &str,
    map: &Node,
    operator: &Entry,
    vars: &BTreeMap<String, String>,
    workflow: &Workflow<'_>,
    found: &mut Found,
) {
    let task = Task { map, operator, vars, workflow };
    match name {
        "td" => task.query("td", if task.text("engine").as_deref() == Some("hive") { "hive" } else { "trino" }, found),
        "pg" => task.query("pg", "postgres", found),
        "redshift" => task.query("redshift", "redshift", found),
        "bq" => task.query("bq", "bigquery", found),
        "snowflake" => task.query("snowflake", "snowflake", found),
        "athena" => task.query("athena", "trino", found),
        "mysql" => task.query("mysql", "mysql", found),
        "presto" | "trino" => task.query(name, "trino", found),
        "td_load" | "embulk" => task.load(found),
        "bq_load" => task.copy("destination_table", true, found),
        "bq_extract" => task.copy("destination", false, found),
        "td_table_export" => task.export(found),
        "redshift_load" | "redshift_unload" => task.redshift(name == "redshift_load", found),
        "sh" => task.shell(found),
        "py" => task.python(found),
        _ => task.unknown(name, found),
    }
}

impl Task<'_> {
    /// The text of a key, its variables filled as far as they are known.
    fn text(&self, key: &str) -> Option<String> {
        self.map.get(key).and_then(Node::scalar).map(str::to_owned)
    }

    /// A value of the task, or of `_export` under the operator's own name (`td.database`).
    fn setting(&self, operator: &str, key: &str) -> Option<String> {
        self.text(key).or_else(|| self.vars.get(&format!("{operator}.{key}")).cloned())
    }

    fn dataset(&self, table: &str, schema: Option<&str>) -> Option<DatasetId> {
        let table = fill(table, self.vars);
        match schema {
            Some(schema) if !table.contains('.') && !table.contains("://") => {
                dataset_named(&format!("{}.{table}", fill(schema, self.vars)), self.vars)
            }
            _ => dataset_named(&table, self.vars),
        }
    }

    fn opaque(&self, node: &Node, code: &'static crate::diagnostics::CodeEntry, here: String, found: &mut Found) {
        found.opaque = 1;
        found.faults.push(Diagnostic::new(code, self.workflow.file.span(node.start, node.end), here));
    }

    /// A file or a text of SQL, with the table its rows go to.
    fn query(&self, operator: &str, dialect: &str, found: &mut Found) {
        let schema = self.setting(operator, if operator == "bq" { "dataset" } else { "database" });
        let schema = schema.map(|name| fill(&name, self.vars)).filter(|name| !name.contains('\u{1}'));
        // A database of Postgres holds schemas; a database of the others is one.
        let schema = if matches!(operator, "pg" | "redshift") { self.setting(operator, "schema") } else { schema };
        let keys = [
            ("create_table", "table"),
            ("insert_into", "append"),
            ("destination_table", "table"),
            ("update_table", "append"),
        ];
        let given = keys.iter().find_map(|(key, how)| Some((self.map.get(key)?, *how)));
        let target = given.and_then(|(node, _)| self.dataset(node.scalar()?, schema.as_deref()));
        if let (Some((node, _)), None) = (given, &target) {
            self.opaque(
                node,
                CodeEntry::E027,
                format!("which table `{}` is", shown(node.scalar().unwrap_or_default())),
                found,
            );
        }
        let how = How {
            dialect: Some(dialect.to_owned()),
            schema,
            materialized: given.filter(|_| target.is_some()).map(|(_, how)| how.to_owned()),
            target,
            params: self.vars.clone(),
        };
        let written = self.operator.value.scalar().map(str::trim).unwrap_or_default();
        let inline = self.map.get("query").filter(|_| written.is_empty());
        if let Some(node) = inline {
            take_node(node, self.workflow.file, &how, self.workflow.around, found);
        } else if written.is_empty() {
            self.unknown(operator, found);
        } else {
            let at = self.workflow.file.span(self.operator.value.start, self.operator.value.end);
            let path = fill(written, self.vars).replace('\u{1}', "");
            let path = if fill(written, self.vars).contains('\u{1}') { written.to_owned() } else { path };
            let understood = take_file(&path, &how, &[], &at, self.workflow.around, found);
            found.opaque |= u64::from(!understood);
        }
    }

    /// A bulk load: its settings stand in a file of their own.
    fn load(&self, found: &mut Found) {
        let written = self.operator.value.scalar().unwrap_or_default();
        let schema = self.setting("td", "database");
        let target = self.text("table").and_then(|table| self.dataset(&table, schema.as_deref()));
        let at = self.workflow.file.span(self.operator.value.start, self.operator.value.end);
        match self.workflow.around.find(&[folder_of(&self.workflow.file.path)], &fill(written, self.vars)) {
            Sought::File(file) => {
                found.claimed.insert(file.path.clone());
                embulk::load(&file, target.map(|target| (target, at)), self.vars, found);
            }
            _ => {
                self.opaque(&self.operator.value, CodeEntry::E027, format!("which file `{}` is", shown(written)), found)
            }
        }
    }

    /// From the operator's value to what `key` names.
    fn copy(&self, key: &str, loads: bool, found: &mut Found) {
        let (from, into) = (&self.operator.value, self.map.get(key));
        let schema = self.setting("bq", "dataset");
        let name = |node: &Node| self.dataset(node.scalar()?, schema.as_deref());
        match (name(from), into.and_then(name)) {
            (Some(read), Some(written)) => {
                let span = |node: &Node| self.workflow.file.span(node.start, node.end);
                found.loads |= loads;
                found.unloads |= !loads;
                found.reads.push((read, span(from)));
                found.writes.push((written, span(into.unwrap_or(from))));
            }
            _ => self.opaque(from, CodeEntry::E027, "what is copied here".to_owned(), found),
        }
    }

    /// `td_table_export>`: a table into files of S3.
    fn export(&self, found: &mut Found) {
        let table =
            self.text("table").and_then(|table| self.dataset(&table, self.setting("td", "database").as_deref()));
        let bucket = self.text("s3_bucket").or(self.text("bucket"));
        let files = bucket.and_then(|bucket| {
            self.dataset(
                &format!(
                    "s3://{bucket}/{}",
                    self.text("s3_path_prefix").or(self.text("path_prefix")).unwrap_or_default()
                ),
                None,
            )
        });
        match (table, files) {
            (Some(table), Some(files)) => {
                let at = self.workflow.file.span(self.operator.key.start, self.operator.key.end);
                found.unloads = true;
                found.reads.push((table, at.clone()));
                found.writes.push((files, at));
            }
            _ => self.unknown("td_table_export", found),
        }
    }

    fn redshift(&self, loads: bool, found: &mut Found) {
        let at = self.workflow.file.span(self.operator.key.start, self.operator.key.end);
        let schema = self.setting("redshift", "schema");
        let table = self.text("table").and_then(|table| self.dataset(&table, schema.as_deref()));
        let files = self.text(if loads { "from" } else { "to" }).and_then(|address| self.dataset(&address, None));
        match (loads, table, files, self.map.get("query")) {
            (true, Some(table), Some(files), _) => {
                found.loads = true;
                found.reads.push((files, at.clone()));
                found.writes.push((table, at));
            }
            (false, _, Some(files), Some(query)) => {
                let how = How { dialect: Some("redshift".to_owned()), params: self.vars.clone(), ..How::default() };
                take_node(query, self.workflow.file, &how, self.workflow.around, found);
                found.writes.push((files, at));
            }
            _ => self.unknown("redshift", found),
        }
    }

    fn shell(&self, found: &mut Found) {
        let file = self.workflow.file;
        let folder = folder_of(&file.path);
        let vars: BTreeMap<String, String> =
            self.vars.iter().filter(|(name, _)| !name.contains('.')).map(|(n, v)| (n.clone(), v.clone())).collect();
        let mut ran = command::of_node(&self.operator.value, file, Utf8Path::new(folder), vars, self.workflow.around);
        ran.pieces = 0;
        let nothing = ran.is_idle() && ran.opaque == 0 && ran.dbt_runs.is_empty();
        found.add(ran);
        if nothing {
            self.unknown("sh", found);
        }
    }

    /// `py>: package.module.function`, counted from the workflow's folder.
    fn python(&self, found: &mut Found) {
        let written = self.operator.value.scalar().unwrap_or_default();
        let file = self.workflow.file;
        let at = file.span(self.operator.value.start, self.operator.value.end);
        let mut parts: Vec<&str> = written.split('.').collect();
        let function = parts.pop().unwrap_or_default();
        // The last but one may be a class.
        for length in [parts.len(), parts.len().saturating_sub(1)] {
            let path = format!("{}.py", parts[..length].join("/"));
            if let Sought::File(module) = self.workflow.around.find(&[folder_of(&file.path)], &path) {
                found.pieces = 0;
                return found.add(script_py::read(&module, Some(function), &at, self.workflow.around));
            }
        }
        self.unknown("py", found);
    }

    fn unknown(&self, name: &str, found: &mut Found) {
        let what = self.operator.value.scalar().map(shown).unwrap_or_default();
        self.opaque(&self.operator.key, CodeEntry::E026, format!("what `{name}> {what}` does with data"), found);
    }
}
