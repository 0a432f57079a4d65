//! Edits by which a script reads another table, proven by reading the edited text.
use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
    sync::LazyLock,
};

use camino::Utf8PathBuf;
use regex::Regex;

use crate::{
    estate::{Estate, Script, Templating},
    lineage::{
        Access, ColumnEdge, Editor, Evidence,
        analysis::{Prepared, on_deep_stack},
        rename::{renamed, split_name},
        resolve::{RawUse, Resolved},
    },
    vocab::DatasetId,
};

/// One replacement in a script's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEdit {
    /// First byte in `Script::text`.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// What stands there.
    pub old: String,
    /// What shall stand there.
    pub new: String,
}

/// Why a script cannot be repointed by editing it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepointProblem {
    /// The script does not read the dataset.
    #[error("the script does not read `{0}`")]
    NotRead(DatasetId),
    /// `{{ source('x', 'y') }}`: the table's name stands in a sources file.
    #[error("`{from}` is dbt source `{source_name}.{table}`: edit {file} instead")]
    DbtSource {
        /// The dataset.
        from: DatasetId,
        /// The source's name.
        source_name: String,
        /// The table's name in it.
        table: String,
        /// File that declares it, as in `Span::file`.
        file: Utf8PathBuf,
    },
    /// `{{ ref('x') }}`: the name comes from the model.
    #[error("`{0}` is read through a dbt ref: rename the model instead")]
    DbtRef(DatasetId),
    /// The name is put together by a template.
    #[error("`{from}` is written by a template: {template}")]
    InTemplate {
        /// The dataset.
        from: DatasetId,
        /// The template's text.
        template: String,
    },
    /// The statement that reads it was not understood.
    #[error("a statement that names `{0}` is not understood by the grammar")]
    NotUnderstood(DatasetId),
    /// The target is no table of the lake.
    #[error("`{0}` is no table of the lake")]
    NoTable(DatasetId),
    /// The edited text would mean something else.
    #[error("the edited script would not mean the same: {0}")]
    ChangesMeaning(String),
}

/// A dataset that is read, and the one to read instead.
pub type Move<'a> = (&'a DatasetId, &'a DatasetId);

impl Editor<'_> {
    /// The edits that make every read of `from` in `script` a read of `to`, in order and apart from each other.
    ///
    /// Only reads are edited, and columns qualified by the table's own name; writes, strings and comments stay.
    /// The edited text is read again: its reads must be the old ones with `from` replaced, and nothing else may differ.
    ///
    /// # Errors
    /// A [`RepointProblem`] where editing cannot do it; nothing is edited in part.
    pub fn repoint(&self, script: &Script, from: &DatasetId, to: &DatasetId) -> Result<Vec<TextEdit>, RepointProblem> {
        self.repoint_all(script, &[(from, to)]).pop().expect("one answer to one move")
    }

    /// The same for several moves, an answer to each in their order. The edits of all moves that can be made are proven
    /// together; no two moves may have the same `from`.
    pub fn repoint_all(&self, script: &Script, moves: &[Move<'_>]) -> Vec<Result<Vec<TextEdit>, RepointProblem>> {
        on_deep_stack(|| repoint_here(self, script, moves))
    }
}

fn repoint_here(
    editor: &Editor<'_>,
    script: &Script,
    moves: &[Move<'_>],
) -> Vec<Result<Vec<TextEdit>, RepointProblem>> {
    let before = editor.every_way(script);
    let mut found: Vec<_> = moves.iter().map(|one| edits_of(editor, script, &before, *one)).collect();
    let prove = |made: &[(Move<'_>, &[TextEdit])]| {
        let moves: BTreeMap<&DatasetId, &DatasetId> = made.iter().map(|(one, _)| *one).collect();
        let mut edits: Vec<TextEdit> = made.iter().flat_map(|(_, edits)| edits.iter().cloned()).collect();
        edits.sort_by_key(|edit| edit.start);
        let edited = Script { text: applied(&script.text, &edits).into(), ..script.clone() };
        let after = editor.every_way(&edited);
        if before.len() != after.len() {
            return Err(RepointProblem::ChangesMeaning("its templates make other texts".to_owned()));
        }
        before.iter().zip(&after).try_for_each(|(before, after)| same_but(&moves, before, after))
    };

    let all: Vec<(Move<'_>, &[TextEdit])> =
        moves.iter().zip(&found).filter_map(|(one, edits)| Some((*one, edits.as_deref().ok()?))).collect();
    if all.is_empty() || prove(&all).is_ok() {
        return found;
    }
    // One of them is at fault: each joins those that went well before it, or is told.
    for at in 0..found.len() {
        let so_far = moves.iter().zip(&found).take(at + 1);
        let so_far: Vec<_> = so_far.filter_map(|(one, edits)| Some((*one, edits.as_deref().ok()?))).collect();
        let fault = found[at].is_ok().then(|| prove(&so_far).err()).flatten();
        if let Some(problem) = fault {
            found[at] = Err(problem);
        }
    }
    found
}

/// The edits of one move, in order, not proven yet: those of every way through the script's conditions.
fn edits_of(
    editor: &Editor<'_>,
    script: &Script,
    ways: &[(Prepared, Resolved)],
    (from, to): Move<'_>,
) -> Result<Vec<TextEdit>, RepointProblem> {
    if to.system().is_some() || to.is_file_set() {
        return Err(RepointProblem::NoTable(to.clone()));
    }
    let mut edits = BTreeMap::new();
    let mut is_read = false;
    for (prepared, resolved) in ways {
        let job = Repointing { script, estate: editor.estate, from, to, prepared };
        is_read |= job.edit_way(resolved, &mut edits)?;
    }
    if !is_read {
        return Err(RepointProblem::NotRead(from.clone()));
    }
    Ok(edits.into_values().filter(|edit| edit.old != edit.new).collect())
}

struct Repointing<'a> {
    script: &'a Script,
    estate: &'a Estate,
    from: &'a DatasetId,
    to: &'a DatasetId,
    prepared: &'a Prepared,
}

impl Repointing<'_> {
    /// Adds the edits of one way; whether it reads the dataset.
    fn edit_way(&self, resolved: &Resolved, edits: &mut BTreeMap<usize, TextEdit>) -> Result<bool, RepointProblem> {
        let is_meant = |one: &&RawUse| one.access == Access::Read && one.dataset == *self.from;
        let reads: Vec<&RawUse> = resolved.uses.iter().filter(is_meant).collect();
        for read in &reads {
            self.edit_mention(read, edits)?;
        }
        let read_at: HashSet<&Range<usize>> = reads.iter().map(|read| &read.at).collect();
        for (column, length, _) in resolved.qualifiers.iter().filter(|(_, _, mention)| read_at.contains(mention)) {
            self.edit_qualifier(column, *length, edits)?;
        }
        Ok(!reads.is_empty())
    }

    fn edit_mention(&self, read: &RawUse, edits: &mut BTreeMap<usize, TextEdit>) -> Result<(), RepointProblem> {
        let (source, same) = self.prepared.filled.origins.source(&read.at);
        if read.evidence == Evidence::Inferred || self.prepared.filled.masked {
            return Err(RepointProblem::NotUnderstood(self.from.clone()));
        }
        if !(same && read.exact) {
            return Err(self.why_not(&source));
        }
        let old = self.script.text[source.clone()].to_owned();
        let new = renamed(&old, self.from, self.to, self.prepared.sql.dialect);
        edits.insert(source.start, TextEdit { start: source.start, end: source.end, old, new });
        Ok(())
    }

    /// `orders.id` behind `FROM raw.orders`: the qualifier follows the table's name.
    fn edit_qualifier(
        &self,
        column: &Range<usize>,
        length: usize,
        edits: &mut BTreeMap<usize, TextEdit>,
    ) -> Result<(), RepointProblem> {
        let (source, same) = self.prepared.filled.origins.source(column);
        if !same {
            return Err(self.why_not(&source));
        }
        let written = &self.script.text[source.clone()];
        let Some(end) = split_name(written).get(length.saturating_sub(1)).map(|part| part.end) else {
            return Err(RepointProblem::NotUnderstood(self.from.clone()));
        };
        let old = written[..end].to_owned();
        let new = renamed_tail(&old, self.from, self.to, self.prepared.sql.dialect);
        edits.insert(source.start, TextEdit { start: source.start, end: source.start + end, old, new });
        Ok(())
    }

    fn why_not(&self, source: &Range<usize>) -> RepointProblem {
        static CALL: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r#"\b(source|ref)\s*\(\s*['"]([^'"]+)['"]\s*(?:,\s*['"]([^'"]+)['"])?"#)
                .expect("the pattern is written here and a test runs it")
        });
        let template = self.script.text.get(source.clone()).unwrap_or_default().to_owned();
        if let (Some(call), Templating::Dbt { project, .. }) = (CALL.captures(&template), &self.script.templating) {
            if &call[1] == "ref" {
                return RepointProblem::DbtRef(self.from.clone());
            }
            let table = call.get(3).map_or(String::new(), |m| m.as_str().to_owned());
            let key = (call[2].to_owned(), table);
            let declared = self.estate.dbt_projects.get(*project).and_then(|project| project.sources.get(&key));
            if let Some(declared) = declared {
                let (source_name, table) = key;
                return RepointProblem::DbtSource {
                    from: self.from.clone(),
                    source_name,
                    table,
                    file: declared.at.file.clone(),
                };
            }
        }
        match template.contains('{') || template.contains('$') || template.contains('%') {
            true => RepointProblem::InTemplate { from: self.from.clone(), template },
            false => RepointProblem::NotUnderstood(self.from.clone()),
        }
    }
}

/// A qualifier has only some of the name's parts: the last ones.
fn renamed_tail(
    written: &str,
    from: &DatasetId,
    to: &DatasetId,
    dialect: crate::lineage::sql::dialect::Dialect,
) -> String {
    let length = split_name(written).len();
    let tail = |id: &DatasetId| {
        let parts: Vec<&str> = id.name().split('.').collect();
        DatasetId::from_parts(&parts[parts.len().saturating_sub(length)..])
    };
    renamed(written, &tail(from), &tail(to), dialect)
}

/// `text` with `edits` made; they are in order and apart.
fn applied(text: &str, edits: &[TextEdit]) -> String {
    let mut out = String::with_capacity(text.len() + 64);
    let mut done = 0;
    for edit in edits {
        out.push_str(&text[done..edit.start]);
        out.push_str(&edit.new);
        done = edit.end;
    }
    out.push_str(&text[done..]);
    out
}

/// Whether the edited script means the old one with every table of `moves` replaced where it is read.
fn same_but(
    moves: &BTreeMap<&DatasetId, &DatasetId>,
    before: &(Prepared, Resolved),
    after: &(Prepared, Resolved),
) -> Result<(), RepointProblem> {
    let changed = |what: &str| Err(RepointProblem::ChangesMeaning(what.to_owned()));
    let swap = |id: &DatasetId| moves.get(id).map_or_else(|| id.clone(), |to| (*to).clone());
    let uses = |resolved: &Resolved, swapped: bool| -> Vec<(DatasetId, Access, Evidence)> {
        let one = |one: &RawUse| {
            let id = if swapped && one.access == Access::Read { swap(&one.dataset) } else { one.dataset.clone() };
            (id, one.access, one.evidence)
        };
        resolved.uses.iter().map(one).collect()
    };
    if uses(&before.1, true) != uses(&after.1, false) {
        return changed("its reads and writes differ in more than the table");
    }
    if before.0.sql.coverage != after.0.sql.coverage || before.1.statements.len() != after.1.statements.len() {
        return changed("its statements are not the same");
    }
    for ((old, _, _), (new, _, _)) in before.1.statements.iter().zip(&after.1.statements) {
        let mut columns: Vec<ColumnEdge> =
            old.columns.iter().map(|edge| ColumnEdge { from: swap(&edge.from), ..edge.clone() }).collect();
        columns.sort();
        columns.dedup();
        if old.kind != new.kind || old.target != new.target || old.output != new.output {
            return changed("a statement fills something else");
        }
        if columns != new.columns {
            return changed("columns come from elsewhere");
        }
    }
    Ok(())
}
