//! Who in the estate reads a column: by its lineage, surveyed only when somebody asks.
use std::sync::OnceLock;

use crate::{
    apply::{Reader, Readers},
    cli::workspace::{Survey, Workspace},
    lineage::{Access, JobLineage, StatementLineage, TableUse},
    progress::Silent,
    vocab::DatasetId,
};

/// The readers that the estate's own files show.
pub(super) struct EstateReaders {
    workspace: Workspace,
    survey: OnceLock<Survey>,
}

impl EstateReaders {
    pub(super) fn of(workspace: Workspace) -> Self {
        EstateReaders { workspace, survey: OnceLock::new() }
    }
}

impl Readers for EstateReaders {
    fn of(&self, table: &DatasetId, column: Option<&str>) -> Vec<Reader> {
        let survey = self.survey.get_or_init(|| self.workspace.survey(&Silent));
        let jobs = survey.lineage.jobs.iter().filter_map(|(id, job)| {
            let read = first_read(&job.uses, table)?;
            let surely = reads(job, table, column)?;
            let at = place(job, table, column).unwrap_or_else(|| read.at.to_string());
            Some(Reader { who: format!("job `{id}`"), at, surely })
        });
        // Of a dashboard nobody knows the columns.
        let exposures = survey.lineage.exposures.iter().filter_map(|(id, uses)| {
            let read = first_read(uses, table)?;
            Some(Reader { who: format!("exposure `{id}`"), at: read.at.to_string(), surely: column.is_none() })
        });
        jobs.chain(exposures).collect()
    }
}

fn first_read<'u>(uses: &'u [TableUse], table: &DatasetId) -> Option<&'u TableUse> {
    uses.iter().find(|its| its.access == Access::Read && its.dataset == *table)
}

/// Whether the job surely reads the column; `None` when it surely does not.
fn reads(job: &JobLineage, table: &DatasetId, column: Option<&str>) -> Option<bool> {
    let Some(column) = column else { return Some(true) };
    let reading: Vec<_> = job.statements.iter().filter(|its| its.sources.contains(table)).collect();
    let judged = |its: &&StatementLineage| statement_reads(its, table, column);
    if reading.iter().any(|its| judged(its) == Some(true)) {
        return Some(true);
    }
    // A read that no statement tells of, or a statement that could not be read, may need the column.
    let unclear = reading.is_empty() || job.unparsed > 0 || job.dynamic > 0;
    (unclear || reading.iter().any(|its| judged(its) == Some(false))).then_some(false)
}

/// Whether a statement reads the column: surely, perhaps (`Some(false)`), or surely not.
fn statement_reads(statement: &StatementLineage, table: &DatasetId, column: &str) -> Option<bool> {
    let mut from = statement.columns.iter().filter(|edge| edge.from == *table).peekable();
    if from.peek().is_none() {
        return Some(false);
    }
    let edges: Vec<_> = from.collect();
    let named = edges.iter().any(|edge| edge.from_column.eq_ignore_ascii_case(column));
    let starred = edges.iter().any(|edge| edge.from_column == "*");
    if named { Some(true) } else { starred.then_some(false) }
}

/// Where the statement stands that reads the column.
fn place(job: &JobLineage, table: &DatasetId, column: Option<&str>) -> Option<String> {
    let column = column?;
    let found = job.statements.iter().find(|its| statement_reads(its, table, column) == Some(true))?;
    found.at.as_ref().map(ToString::to_string)
}
