//! One job's scripts, statement by statement: temp tables live from one to the next.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    rc::Rc,
};

use super::{
    columns::Origins,
    flow::Flow,
    names::{Meaning, meaning_of},
    query::base_rel,
    scope::{Col, Env, Rel},
};
use crate::{
    diagnostics::{Code, CodeEntry},
    lineage::{
        Access, ColumnEdge, Evidence, StatementLineage,
        sql::{
            ir::{Bytes, Effect, Fill, Name, Stmt},
            script::{Note, ScriptSql},
        },
    },
    vocab::{Column, DatasetId, LogicalType},
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
}

/// A table that lives only in the session.
#[derive(Clone, Debug, Default)]
struct Temp {
    rel: Rc<Rel>,
    tables: BTreeSet<u32>,
}

/// Resolves the scripts of one job, in order.
pub(in crate::lineage) struct JobResolver<'c>(Resolver<'c>);

pub(super) struct Resolver<'c> {
    catalog: &'c Catalog,
    local: Catalog,
    pub(super) origins: Origins,
    bases: HashMap<u32, Rc<Rel>>,
    temps: HashMap<String, Temp>,
    schema: Option<String>,
    pub(super) lateral_aliases: bool,
    pub(super) stmt_at: Bytes,
    pub(super) starred: BTreeSet<u32>,
    sources: BTreeSet<u32>,
    read_temp: bool,
    out: Resolved,
    pub(super) qualifiers: Vec<Qualifier>,
}

impl<'c> JobResolver<'c> {
    /// Nothing read yet; columns come from `catalog`.
    pub(in crate::lineage) fn new(catalog: &'c Catalog) -> Self {
        JobResolver(Resolver {
            catalog,
            local: Catalog::new(),
            origins: Origins::default(),
            bases: HashMap::new(),
            temps: HashMap::new(),
            schema: None,
            lateral_aliases: false,
            stmt_at: 0..0,
            starred: BTreeSet::new(),
            sources: BTreeSet::new(),
            read_temp: false,
            out: Resolved::default(),
            qualifiers: Vec::new(),
        })
    }

    /// Resolves one script, whose unqualified tables lie in `schema`; a bare query's rows go to `target`.
    pub(in crate::lineage) fn script(
        &mut self,
        sql: &ScriptSql,
        schema: Option<&str>,
        target: Option<&DatasetId>,
    ) -> Resolved {
        let resolver = &mut self.0;
        resolver.lateral_aliases = sql.dialect.lateral_aliases();
        resolver.schema = schema.map(str::to_owned);
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
}

impl Resolver<'_> {
    /// Which statement's rows go to the script's target: the last bare query of a script that writes nothing itself.
    fn bare_with_target(&self, sql: &ScriptSql, target: Option<&DatasetId>) -> Option<usize> {
        target?;
        let writes = |fill: &Fill| fill.target.as_ref().is_some_and(|name| !fill.temp && !is_temp_name(name));
        let scanned_write =
            |stmt: &Stmt| stmt.scanned && stmt.touches.iter().any(|(_, access)| *access == Access::Write);
        if sql.stmts.iter().any(|stmt| stmt.fills.iter().any(writes) || scanned_write(stmt)) {
            return None;
        }
        let selects = |stmt: &Stmt| {
            stmt.kind == "select" || (stmt.scanned && stmt.touches.iter().any(|(_, a)| *a == Access::Read))
        };
        sql.stmts.iter().rposition(selects)
    }

    fn statement(&mut self, stmt: &Stmt, number: usize, target: Option<&DatasetId>) {
        self.stmt_at = stmt.at.clone();
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
        self.files(stmt, evidence, &mut written);
        if stmt.scanned || (stmt.fills.is_empty() && written.is_some()) {
            self.finish_touched(stmt, number, written, target);
        } else {
            self.fills(stmt, number, target, written);
        }
        if self.read_temp {
            self.out.on_temp.insert(number);
        }
    }

    fn files(&mut self, stmt: &Stmt, evidence: Evidence, written: &mut Option<DatasetId>) {
        for (address, access, at) in &stmt.files {
            let Ok(dataset) = address.parse::<DatasetId>() else { continue };
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

    fn effect(&mut self, effect: &Effect) {
        match effect {
            Effect::Schema(schema) => self.schema = Some(schema.clone()),
            Effect::Temp(name, columns) => {
                let columns = columns.iter().map(|c| Col { name: c.name.clone(), flow: Flow::default() }).collect();
                let rel = Rel { columns, any: Some(Flow::default()), ..Rel::default() };
                self.temps.insert(temp_key(name), Temp { rel: Rc::new(rel), tables: BTreeSet::new() });
            }
            Effect::Columns(name, columns) if !columns.is_empty() => self.declare(name, columns.clone()),
            Effect::Columns(..) => {}
            Effect::AddColumns(name, added) => {
                let known = self.dataset(name).and_then(|dataset| self.columns_of(&dataset).map(<[Column]>::to_vec));
                if let Some(mut columns) = known {
                    columns.retain(|c| added.iter().all(|a| a.name != c.name));
                    columns.extend(added.iter().cloned());
                    self.declare(name, columns);
                }
            }
            Effect::Like(name, model) => {
                let known = self.dataset(model).and_then(|dataset| self.columns_of(&dataset).map(<[Column]>::to_vec));
                if let Some(columns) = known {
                    self.declare(name, columns);
                }
            }
        }
    }

    fn declare(&mut self, name: &Name, columns: Vec<Column>) {
        let Some(dataset) = self.dataset(name).filter(|_| !is_temp_name(name)) else { return };
        let number = self.origins.number(&dataset);
        self.bases.remove(&number);
        self.out.declared.push((dataset.clone(), columns.clone()));
        self.local.insert(dataset, columns);
    }

    /// A statement of which only the tables are known.
    fn finish_touched(&mut self, stmt: &Stmt, number: usize, written: Option<DatasetId>, target: Option<&DatasetId>) {
        let bare = written.is_none() && !self.sources.is_empty();
        let target = written.or_else(|| target.filter(|_| bare).cloned());
        if let (true, Some(target)) = (bare, &target) {
            self.push_use(target.clone(), Access::Write, Evidence::Declared, stmt.at.clone(), false);
        }
        // Rows put into a temp table by a statement that was only scanned still pass through it.
        for (name, access) in &stmt.touches {
            if let (Access::Write, Some(temp)) = (access, self.temps.get_mut(&temp_key(name))) {
                temp.tables.extend(&self.sources);
            }
        }
        if target.is_none() && self.sources.is_empty() {
            return;
        }
        let lineage =
            StatementLineage { kind: stmt.kind.to_owned(), target, sources: self.source_names(), ..Default::default() };
        self.out.statements.push((lineage, stmt.at.clone(), number));
    }

    fn fills(&mut self, stmt: &Stmt, number: usize, target: Option<&DatasetId>, written: Option<DatasetId>) {
        let mut made: Vec<StatementLineage> = Vec::new();
        for fill in &stmt.fills {
            let root = Env::default();
            let mut rel = self.query(&fill.query, &root);
            let into = match &fill.target {
                Some(name) if fill.temp || is_temp_name(name) || self.temps.contains_key(&temp_key(name)) => {
                    self.keep_temp(name, rel, fill);
                    continue;
                }
                Some(name) => match self.write(name) {
                    Some(dataset) => Some(dataset),
                    None => continue,
                },
                None => written.clone().or_else(|| self.bare_target(stmt, target)),
            };
            self.name_columns(&mut rel, fill, into.as_ref());
            self.remember(&rel, fill, into.as_ref());
            let sources = self.source_names();
            match made.iter_mut().find(|one| one.target == into) {
                Some(one) => self.add_rel(one, &rel, sources),
                None => {
                    let mut one = StatementLineage { kind: stmt.kind.to_owned(), target: into, ..Default::default() };
                    self.add_rel(&mut one, &rel, sources);
                    made.push(one);
                }
            }
        }
        self.out.statements.extend(made.into_iter().map(|one| (one, stmt.at.clone(), number)));
    }

    fn bare_target(&mut self, stmt: &Stmt, target: Option<&DatasetId>) -> Option<DatasetId> {
        match target {
            Some(target) => {
                self.push_use(target.clone(), Access::Write, Evidence::Declared, stmt.at.clone(), false);
                Some(target.clone())
            }
            None => {
                if stmt.kind == "select" {
                    self.out.untargeted.push(stmt.at.clone());
                }
                None
            }
        }
    }

    fn keep_temp(&mut self, name: &Name, mut rel: Rel, fill: &Fill) {
        rel.rename(&fill.columns);
        rel.base = None;
        let key = temp_key(name);
        let old = self.temps.remove(&key).filter(|_| !fill.makes);
        let mut tables = self.sources.clone();
        if let Some(old) = old {
            let mut grown = (*old.rel).clone();
            match fill.by_name || !fill.columns.is_empty() {
                true => super::columns::merge_by_name(&mut grown, &rel),
                false => super::columns::merge_by_place(&mut grown, &rel),
            }
            grown.rows.merge(&rel.rows);
            tables.extend(&old.tables);
            rel = grown;
        }
        self.temps.insert(key, Temp { rel: Rc::new(rel), tables });
    }

    /// Gives the columns of a query the names they get in the target.
    fn name_columns(&mut self, rel: &mut Rel, fill: &Fill, into: Option<&DatasetId>) {
        if fill.by_name {
            return;
        }
        if !fill.columns.is_empty() {
            return rel.rename(&fill.columns);
        }
        let known =
            into.filter(|_| !fill.makes && fill.target.is_some()).and_then(|dataset| self.known_columns(dataset));
        if let Some(names) = known.filter(|names| names.len() >= rel.columns.len()) {
            rel.rename(&names);
        }
    }

    /// The query says what columns a table has, where nothing else does.
    fn remember(&mut self, rel: &Rel, fill: &Fill, into: Option<&DatasetId>) {
        let Some(dataset) = into.filter(|_| !rel.columns.is_empty() && !fill.by_name) else { return };
        if rel.columns.iter().any(|col| col.name == "*") {
            return;
        }
        let columns: Vec<Column> = rel.columns.iter().map(|col| self.typed(col)).collect();
        if self.known_columns(dataset).is_none() {
            let number = self.origins.number(dataset);
            self.bases.remove(&number);
            self.local.insert(dataset.clone(), columns.clone());
        }
        self.out.derived.push((dataset.clone(), columns));
    }

    /// A derived column has the type of the one column it copies.
    fn typed(&self, col: &Col) -> Column {
        let origin = col.flow.only().map(|number| self.origins.named(number));
        let same = origin.and_then(|(dataset, name)| self.columns_of(dataset)?.iter().find(|c| c.name == name));
        let (logical, physical) = same.map_or((LogicalType::Text, String::new()), |c| (c.logical, c.physical.clone()));
        Column { name: col.name.clone(), logical, physical, nullable: true, description: None }
    }

    fn add_rel(&self, one: &mut StatementLineage, rel: &Rel, sources: Vec<DatasetId>) {
        for col in &rel.columns {
            if !one.output.contains(&col.name) {
                one.output.push(col.name.clone());
            }
        }
        let mut edges: BTreeSet<ColumnEdge> = one.columns.drain(..).collect();
        for col in &rel.columns {
            edges.extend(self.edges(&col.flow, &col.name));
        }
        edges.extend(self.edges(&rel.rows, "*"));
        one.columns = edges.into_iter().collect();
        let all: BTreeSet<DatasetId> = one.sources.drain(..).chain(sources).collect();
        one.sources = all.into_iter().collect();
    }

    fn edges(&self, flow: &Flow, to: &str) -> Vec<ColumnEdge> {
        let edge = |(origin, kind)| {
            let (dataset, column) = self.origins.named(origin);
            ColumnEdge { from: dataset.clone(), from_column: column.to_owned(), to_column: to.to_owned(), kind }
        };
        flow.each().map(edge).collect()
    }

    fn source_names(&self) -> Vec<DatasetId> {
        let names: BTreeSet<DatasetId> =
            self.sources.iter().map(|number| self.origins.dataset(*number).clone()).collect();
        names.into_iter().collect()
    }

    /// Records a touch; the dataset where it is one.
    fn touch(&mut self, name: &Name, access: Access, evidence: Evidence) -> Option<DatasetId> {
        let key = temp_key(name);
        if let Some(temp) = self.temps.get(&key) {
            match access {
                Access::Read => {
                    let tables = temp.tables.clone();
                    self.sources.extend(tables);
                    self.read_temp = true;
                }
                Access::Drop => {
                    self.temps.remove(&key);
                }
                _ => {}
            }
            return None;
        }
        let dataset = self.record(name, access, evidence)?;
        if access == Access::Read {
            let number = self.origins.number(&dataset);
            self.sources.insert(number);
        }
        Some(dataset)
    }

    fn write(&mut self, name: &Name) -> Option<DatasetId> {
        self.record(name, Access::Write, Evidence::Parsed)
    }

    fn record(&mut self, name: &Name, access: Access, evidence: Evidence) -> Option<DatasetId> {
        match meaning_of(name, self.schema.as_deref()) {
            Meaning::Dataset(dataset, stubbed) => {
                let evidence = if stubbed { Evidence::Inferred } else { evidence };
                self.push_use(dataset.clone(), access, evidence, name.at.clone(), name.exact && !stubbed);
                Some(dataset)
            }
            Meaning::Computed => {
                self.note(CodeEntry::E031, name.at.clone(), "a table's name is computed by the template".to_owned());
                None
            }
            Meaning::Nothing => None,
        }
    }

    fn push_use(&mut self, dataset: DatasetId, access: Access, evidence: Evidence, at: Bytes, exact: bool) {
        let one = RawUse { dataset, access, evidence, at, exact };
        self.out.uses.push(one);
    }

    /// A table in a FROM clause: CTE, temp table or dataset; the last is recorded as read.
    pub(super) fn table(&mut self, name: &Name, env: &Env<'_>) -> Rc<Rel> {
        if let [only] = name.parts.as_slice()
            && let Some(rel) = env.cte(only)
        {
            return rel;
        }
        if let Some(temp) = self.temps.get(&temp_key(name)) {
            let (rel, tables) = (temp.rel.clone(), temp.tables.clone());
            self.sources.extend(tables);
            self.read_temp = true;
            return rel;
        }
        if let Some(system) = env.system() {
            let dataset = DatasetId::in_system(system, &name.parts.join("."));
            self.push_use(dataset.clone(), Access::Read, Evidence::Parsed, name.at.clone(), false);
            return self.base(&dataset);
        }
        match self.record(name, Access::Read, Evidence::Parsed) {
            Some(dataset) => self.base(&dataset),
            None => Rc::new(Rel { any: Some(Flow::default()), ..Rel::default() }),
        }
    }

    fn base(&mut self, dataset: &DatasetId) -> Rc<Rel> {
        let number = self.origins.number(dataset);
        self.sources.insert(number);
        if let Some(rel) = self.bases.get(&number) {
            return rel.clone();
        }
        let names = self.known_columns(dataset);
        let rel = Rc::new(base_rel(number, names, &mut self.origins));
        self.bases.insert(number, rel.clone());
        rel
    }

    /// The dataset that `name` means.
    pub(super) fn dataset(&self, name: &Name) -> Option<DatasetId> {
        match meaning_of(name, self.schema.as_deref()) {
            Meaning::Dataset(dataset, _) => Some(dataset),
            _ => None,
        }
    }

    /// The columns of `dataset`, where they are known.
    pub(super) fn known_columns(&self, dataset: &DatasetId) -> Option<Vec<String>> {
        let columns = self.columns_of(dataset)?;
        Some(columns.iter().map(|c| c.name.to_lowercase()).collect())
    }

    fn columns_of(&self, dataset: &DatasetId) -> Option<&[Column]> {
        let columns = self.local.get(dataset).or_else(|| self.catalog.get(dataset))?;
        (!columns.is_empty()).then_some(columns.as_slice())
    }

    /// Notes a fault.
    pub(super) fn note(&mut self, code: Code, at: Bytes, here: String) {
        self.out.notes.push(Note { code, at, here });
    }
}

fn is_temp_name(name: &Name) -> bool {
    name.parts.last().is_some_and(|part| part.starts_with(['#', '@']))
}

/// How a temp table is called: `tempdb..#t` is `#t`.
fn temp_key(name: &Name) -> String {
    match name.parts.last() {
        Some(last) if last.starts_with(['#', '@']) => last.clone(),
        _ => name.parts.join("."),
    }
}
