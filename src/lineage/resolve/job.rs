//! One job's scripts, statement by statement: temp tables live from one to the next.
use std::collections::{BTreeMap, BTreeSet};

use super::{
    held::is_temp_name,
    passing::{passing, undoes_itself},
    session::Resolver,
};
use crate::{
    diagnostics::CodeEntry,
    estate::{SameNames, Script},
    lineage::{
        Access, Evidence, StatementLineage,
        sql::{
            ir::{Bytes, Fill, Stmt},
            script::{Note, ScriptSql},
        },
    },
    vocab::{Column, DatasetId},
};

/// Columns of datasets.
pub(in crate::lineage) type Catalog = BTreeMap<DatasetId, Vec<Column>>;

/// A mention of a table, placed in the rendered text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lineage) struct RawUse {
    /// The dataset.
    pub(in crate::lineage) dataset: DatasetId,
    /// Read or written.
    pub(in crate::lineage) access: Access,
    /// How it is known.
    pub(in crate::lineage) evidence: Evidence,
    /// Where.
    pub(in crate::lineage) at: Bytes,
    /// Whether `at` is exactly the name.
    pub(in crate::lineage) exact: bool,
}

/// A column's qualifier that means a table by its own name: where the column is written, how many parts
/// the qualifier has, and where the table is mentioned.
pub(in crate::lineage) type Qualifier = (Bytes, usize, Bytes);

/// What one script means.
#[derive(Clone, Debug, Default)]
pub(in crate::lineage) struct Resolved {
    /// Mentions of tables, in reading order.
    pub(in crate::lineage) uses: Vec<RawUse>,
    /// Statements that move data, each with its place and its number in the script.
    pub(in crate::lineage) statements: Vec<(StatementLineage, Bytes, usize)>,
    /// Faults.
    pub(in crate::lineage) notes: Vec<Note>,
    /// Columns qualified by a table's own name.
    pub(in crate::lineage) qualifiers: Vec<Qualifier>,
    /// Columns that DDL gives.
    pub(in crate::lineage) declared: Vec<(DatasetId, Vec<Column>)>,
    /// Columns that queries give the tables they make or fill.
    pub(in crate::lineage) derived: Vec<(DatasetId, Vec<Column>)>,
    /// Bare queries whose rows go nowhere known.
    pub(in crate::lineage) untargeted: Vec<Bytes>,
    /// Statements (by number) that read a table of this session only.
    pub(in crate::lineage) on_temp: BTreeSet<usize>,
    /// Tables that only pass through the script.
    pub(in crate::lineage) passing: BTreeSet<DatasetId>,
}

/// Resolves the scripts of one job, in order.
pub(in crate::lineage) struct JobResolver<'c>(Resolver<'c>);

impl<'c> JobResolver<'c> {
    /// Nothing read yet; columns come from `catalog`, and `names` say which names mean one dataset.
    pub(in crate::lineage) fn new(catalog: &'c Catalog, names: &'c SameNames) -> Self {
        JobResolver(Resolver::new(catalog, names))
    }

    /// Collapses tables that only pass through a script, but those that are `kept`.
    pub(in crate::lineage) fn collapsing(mut self, kept: &'c BTreeSet<DatasetId>) -> Self {
        self.0.kept = Some(kept);
        self
    }

    /// The estate's `stages` lie where it says.
    pub(in crate::lineage) fn staged(mut self, stages: &'c BTreeMap<String, String>) -> Self {
        self.0.stages = Some(stages);
        self
    }

    /// Shows tables of the session as datasets, each under the name `owner`, and what only passes as it is.
    pub(in crate::lineage) fn showing(mut self, owner: &str) -> Self {
        self.0.shown = Some(owner.to_owned());
        self
    }

    /// Resolves `sql`, the text of `script` in one way through its conditions.
    ///
    /// Unqualified tables lie in the script's schema; a bare query's rows go to its target.
    pub(in crate::lineage) fn script(&mut self, script: &Script, sql: &ScriptSql) -> Resolved {
        let takes_away =
            |stmt: &Stmt| !stmt.moves.is_empty() || stmt.touches.iter().any(|(_, access)| *access == Access::Drop);
        let Some(kept) = self.0.kept.filter(|_| self.0.shown.is_none()) else { return self.0.script(script, sql) };
        if !sql.stmts.iter().any(takes_away) || undoes_itself(&script.text) {
            return self.0.script(script, sql);
        }
        // Only the whole script tells which tables pass; where some do, it is read once more.
        let (local, temps) = (self.0.local.clone(), self.0.temps.clone());
        self.0.log = Some(Vec::new());
        let out = self.0.script(script, sql);
        let mut found = passing(&self.0.log.take().unwrap_or_default());
        found.retain(|one| !kept.contains(one));
        if found.is_empty() {
            return out;
        }
        (self.0.local, self.0.temps) = (local, temps);
        self.0.bases.clear();
        self.0.passing = found;
        let out = self.0.script(script, sql);
        Resolved { passing: std::mem::take(&mut self.0.passing), ..out }
    }
}

impl Resolver<'_> {
    fn script(&mut self, script: &Script, sql: &ScriptSql) -> Resolved {
        let resolver = self;
        resolver.file.clone_from(&script.at.file);
        let (schema, target) = (script.schema.as_deref(), script.target.as_ref());
        let target = target.map(|target| resolver.names.own(target, &script.at.file));
        let target = target.as_ref();
        resolver.lateral_aliases = sql.dialect.lateral_aliases();
        resolver.aliases_win = sql.dialect.aliases_win();
        resolver.schema = schema.map(str::to_owned);
        resolver.database = None;
        resolver.systems.clear();
        let bare = resolver.bare_with_target(sql, target);
        for (number, stmt) in sql.stmts.iter().enumerate() {
            let target = target.filter(|_| bare == Some(number));
            resolver.statement(stmt, number, target);
        }
        let mut out = std::mem::take(&mut resolver.out);
        out.qualifiers = std::mem::take(&mut resolver.qualifiers);
        out.uses.sort_by(|a, b| {
            (a.at.start, a.at.end, a.access, &a.dataset).cmp(&(b.at.start, b.at.end, b.access, &b.dataset))
        });
        out.uses.dedup();
        out
    }

    /// Which statement's rows go to the script's target: the last bare query of a script that writes nothing itself.
    fn bare_with_target(&self, sql: &ScriptSql, target: Option<&DatasetId>) -> Option<usize> {
        target?;
        let writes = |fill: &Fill| fill.target.as_ref().is_some_and(|name| !fill.temp && !is_temp_name(name));
        let scanned_write =
            |stmt: &Stmt| stmt.scanned && stmt.touches.iter().any(|(_, access)| *access == Access::Write);
        if sql.stmts.iter().any(|stmt| !stmt.moves.is_empty() || stmt.fills.iter().any(writes) || scanned_write(stmt)) {
            return None;
        }
        let selects = |stmt: &Stmt| {
            stmt.kind == "select"
                || (stmt.scanned && stmt.kind != "query" && stmt.touches.iter().any(|(_, a)| *a == Access::Read))
        };
        sql.stmts.iter().rposition(selects)
    }

    fn statement(&mut self, stmt: &Stmt, number: usize, target: Option<&DatasetId>) {
        self.stmt_at = stmt.at.clone();
        self.variables.clone_from(&stmt.variables);
        self.creates = stmt.kind.starts_with("create");
        self.sources.clear();
        self.starred.clear();
        self.read_temp = false;
        for effect in &stmt.effects {
            self.effect(effect);
        }
        let evidence = if stmt.scanned { Evidence::Inferred } else { Evidence::Parsed };
        let mut written = None;
        for (name, access) in &stmt.touches {
            let dataset = self.touch(name, *access, evidence);
            if *access == Access::Write {
                written = written.or(dataset);
            }
        }
        self.moved_files(stmt, evidence, &mut written);
        self.through_temps(stmt);
        self.moves(stmt, number);
        if stmt.scanned || (stmt.fills.is_empty() && written.is_some()) {
            self.finish_touched(stmt, number, written, target);
        } else {
            self.fills(stmt, number, target, written);
        }
        for (what, at) in &stmt.unnamed {
            self.note(CodeEntry::E037, at.clone(), what.clone());
        }
        if self.read_temp {
            self.out.on_temp.insert(number);
        }
    }

    fn moved_files(&mut self, stmt: &Stmt, evidence: Evidence, written: &mut Option<DatasetId>) {
        for (address, access, at) in &stmt.files {
            let Some(dataset) = self.files(address) else {
                self.note(CodeEntry::E031, at.clone(), "which file it is, a template computes".to_owned());
                continue;
            };
            match access {
                Access::Read => {
                    let number = self.origins.number(&dataset);
                    self.sources.insert(number);
                }
                _ => *written = written.take().or(Some(dataset.clone())),
            }
            self.push_use(dataset, *access, evidence, at.clone(), false);
        }
    }
}
