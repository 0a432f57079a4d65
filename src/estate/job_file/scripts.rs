//! `sql` and `query` of a job: the SQL it runs.
use std::{collections::BTreeSet, sync::Arc};

use camino::Utf8PathBuf;

use super::job::ForScripts;
use crate::{
    diagnostics::CodeEntry,
    estate::{
        Script, Templating,
        given_sql::text_of,
        paths::{beside, folder_of},
        reader::Around,
        text_file::TextFile,
        yaml::{Fields, Node},
    },
    vocab::Span,
};

pub(super) fn read(
    map: &Node,
    job: &ForScripts,
    around: &Around<'_>,
    fields: &mut Fields<'_>,
    claimed: &mut BTreeSet<Utf8PathBuf>,
) -> Vec<Script> {
    let mut scripts = Vec::new();
    for node in fields.texts(map, "sql") {
        scripts.extend(named_file(node, around, fields, claimed).map(|file| {
            // Its own mark aside, the file is the text.
            script(file.whole(), file.text.clone(), file.editable, job)
        }));
    }
    for node in fields.texts(map, "query") {
        let (text, written_here) = text_of(node, fields.file);
        scripts.push(script(fields.span(node), text, written_here, job));
    }
    scripts
}

fn script(at: Span, text: Arc<str>, verbatim: bool, job: &ForScripts) -> Script {
    Script {
        at,
        text,
        verbatim,
        templating: Templating::Generic,
        dialect: job.dialect.clone(),
        schema: None,
        target: job.target.clone(),
        materialized: job.materialized.clone(),
        params: job.params.clone(),
    }
}

fn named_file(
    node: &Node,
    around: &Around<'_>,
    fields: &mut Fields<'_>,
    claimed: &mut BTreeSet<Utf8PathBuf>,
) -> Option<TextFile> {
    let written = node.scalar().unwrap_or_default().trim();
    let Some(path) = beside(folder_of(&fields.file.path), written) else {
        fields.fault(CodeEntry::E023, node, format!("`{written}` leads outside the estate"));
        return None;
    };
    let found = around.text_at(&path);
    if found.is_none() {
        fields.fault(CodeEntry::E010, node, format!("there is no readable file `{path}`"));
    }
    claimed.insert(path);
    found
}
