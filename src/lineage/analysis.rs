//! One script from its text to what it means, and what surrounds that: big stacks and file places.
use std::cell::Cell;

use crate::{
    diagnostics::{CodeEntry, Diagnostic, Diagnostics},
    estate::{Estate, SameNames, Script},
    lineage::{
        Access, Evidence, Refused, StatementLineage, TableUse,
        place::span_in,
        resolve::{Catalog, JobResolver, RawUse, Resolved},
        sql::{
            dialect::Dialect,
            script::{Note, ScriptSql, read_text},
        },
        template::{Filled, Projects, fill},
    },
};

/// Stack of a thread that reads SQL, in bytes: deep trees are walked and dropped by recursion.
pub(in crate::lineage) const STACK_BYTES: usize = 256 * 1024 * 1024;

/// A script, filled and read, not yet resolved.
#[derive(Clone, Debug)]
pub(in crate::lineage) struct Prepared {
    /// Its text with templates filled.
    pub(in crate::lineage) filled: Filled,
    /// Its statements.
    pub(in crate::lineage) sql: ScriptSql,
    /// The same for each other way through conditions that nobody can decide.
    pub(in crate::lineage) others: Vec<Prepared>,
}

/// Fills and reads `script`.
pub(in crate::lineage) fn prepare(script: &Script, estate: &Estate, projects: &Projects) -> Prepared {
    let dialect = dialect_of(script, estate);
    let mut filled = fill(script, estate, projects);
    let of = |filled: Filled| {
        let sql = read_text(&filled.text, dialect);
        Prepared { filled, sql, others: Vec::new() }
    };
    let others = filled.ways().into_iter().map(of).collect();
    Prepared { others, ..of(filled) }
}

/// The dialect a script is said to be in; `None` means its signs must tell.
pub(in crate::lineage) fn dialect_of(script: &Script, estate: &Estate) -> Option<Dialect> {
    estate.dialect_of(script).and_then(Dialect::named)
}

/// What is declared about columns.
pub(in crate::lineage) fn declared_catalog(estate: &Estate) -> Catalog {
    let declared = estate.declared.iter().filter(|(_, declared)| !declared.columns.is_empty());
    declared.map(|(dataset, declared)| (dataset.clone(), declared.columns.clone())).collect()
}

/// One script by itself: filled, read, resolved.
pub(in crate::lineage) fn analyse(
    script: &Script,
    estate: &Estate,
    projects: &Projects,
    catalog: &Catalog,
    names: &SameNames,
) -> (Prepared, Resolved) {
    let prepared = prepare(script, estate, projects);
    let resolved = JobResolver::new(catalog, names).script(script, &prepared.sql);
    (prepared, resolved)
}

thread_local! {
    /// Whether this thread's stack is deep already: starting a thread for each of thousands of scripts costs more
    /// than reading them.
    static DEEP: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` where the stack is deep enough for deep SQL: here, if it is so already.
pub fn on_deep_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if DEEP.get() {
        return work();
    }
    let mut work = Some(work);
    let done = std::thread::scope(|scope| {
        let run = || {
            DEEP.set(true);
            work.take().map(|work| work())
        };
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, run).ok()?;
        Some(thread.join())
    });
    match done {
        Some(Ok(Some(value))) => value,
        Some(Err(panic)) => std::panic::resume_unwind(panic),
        // No thread could be started: the work is still here.
        Some(Ok(None)) | None => {
            work.take().map(|work| work()).expect("work is taken only by a thread that returned it")
        }
    }
}

/// Threads whose stacks are deep enough for deep SQL; `None` where none can be started.
pub fn deep_pool() -> Option<rayon::ThreadPool> {
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK_BYTES);
    pool.start_handler(|_| DEEP.set(true)).build().ok()
}

/// Mentions of tables as places in the script's file, each once.
pub(in crate::lineage) fn table_uses(script: &Script, prepared: &Prepared, uses: &[RawUse]) -> Vec<TableUse> {
    let mut placed: Vec<TableUse> = Vec::new();
    for one in uses {
        let (source, same) = prepared.filled.origins.source(&one.at);
        let evidence = evidence_of(prepared, one);
        let at = if one.evidence == Evidence::Declared { script.at.clone() } else { span_in(script, &source) };
        let exact = one.exact && same && script.verbatim && one.evidence != Evidence::Declared;
        placed.push(TableUse { dataset: one.dataset.clone(), access: one.access, evidence, at, exact });
    }
    placed.sort_by(|a, b| {
        (a.at.start, a.at.end, a.access, &a.dataset).cmp(&(b.at.start, b.at.end, b.access, &b.dataset))
    });
    placed.dedup();
    placed
}

/// How a mention is known: what was rewritten or masked before it was read is known less well.
fn evidence_of(prepared: &Prepared, one: &RawUse) -> Evidence {
    let helped = || prepared.sql.helped.iter().any(|at| at.start <= one.at.start && one.at.start < at.end);
    match one.evidence {
        _ if prepared.filled.masked => Evidence::Inferred,
        Evidence::Parsed if helped() => Evidence::Helped,
        as_read => as_read,
    }
}

/// Statements, taken out of `resolved`, with places in the script's file.
pub(in crate::lineage) fn placed_statements(
    script: &Script,
    prepared: &Prepared,
    resolved: &mut Resolved,
) -> Vec<StatementLineage> {
    let place = |(lineage, at, _): (StatementLineage, std::ops::Range<usize>, usize)| {
        let (source, _) = prepared.filled.origins.source(&at);
        StatementLineage { at: Some(span_in(script, &source)), ..lineage }
    };
    std::mem::take(&mut resolved.statements).into_iter().map(place).collect()
}

/// Faults with places in the script's file.
pub(in crate::lineage) fn faults(script: &Script, prepared: &Prepared, resolved: &Resolved) -> Diagnostics {
    let mut faults = Diagnostics::default();
    if !prepared.filled.problems.is_empty() {
        let mut here = prepared.filled.problems.iter().take(5).cloned().collect::<Vec<_>>().join("; ");
        if prepared.filled.problems.len() > 5 {
            here.push_str(&format!("; and {} more", prepared.filled.problems.len() - 5));
        }
        faults.push(Diagnostic::new(CodeEntry::E031, script.at.clone(), here));
    }
    for note in prepared.sql.notes.iter().chain(&resolved.notes) {
        let (source, _) = prepared.filled.origins.source(&note.at);
        faults.push(Diagnostic::new(note.code, span_in(script, &source), note.here.clone()));
    }
    faults
}

/// Characters that are kept of how a refused statement begins: its kind is told by its first words.
const BEGINS: usize = 200;

/// The statements of `prepared` that no grammar took.
pub(in crate::lineage) fn refused(script: &Script, prepared: &Prepared) -> Vec<Refused> {
    let codes = [CodeEntry::E030, CodeEntry::E036];
    let notes = prepared.sql.notes.iter().filter(|note| codes.contains(&note.code));
    let told = |note: &Note| Refused {
        at: span_of(script, prepared, &note.at),
        begins: prepared.filled.text.get(note.at.clone()).unwrap_or_default().chars().take(BEGINS).collect(),
        why: note.here.clone(),
    };
    notes.map(told).collect()
}

/// Whether any mention writes.
pub(in crate::lineage) fn writes(uses: &[TableUse]) -> bool {
    uses.iter().any(|one| one.access == Access::Write)
}

/// Bytes of the rendered text as a place in the script's file.
pub(in crate::lineage) fn span_of(
    script: &Script,
    prepared: &Prepared,
    at: &std::ops::Range<usize>,
) -> crate::vocab::Span {
    let (source, _) = prepared.filled.origins.source(at);
    span_in(script, &source)
}
