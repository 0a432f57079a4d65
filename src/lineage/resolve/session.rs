//! What a job's statements have in common: columns known so far, tables of the session, where names lead.
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    rc::Rc,
    sync::Arc,
};

use camino::Utf8PathBuf;

use super::{
    columns::{self, Origins},
    flow::Flow,
    held::Temp,
    job::{Catalog, Qualifier, RawUse, Resolved},
    names::{Meaning, UNKNOWN, files_named, is_version, meaning_of, plain_meaning},
    passing::Event,
    query::base_rel,
    scope::{Env, Rel},
};
use crate::{
    diagnostics::{Code, CodeEntry},
    estate::SameNames,
    lineage::{
        Access, Evidence,
        sql::{
            address::file_address,
            ir::{Bytes, Name},
            script::Note,
            words::is_any,
        },
    },
    vocab::{Column, DatasetId},
};

/// How much was told at some point.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    uses: usize,
    notes: usize,
    qualifiers: usize,
    starred: BTreeSet<u32>,
}

/// Resolves statements one after the other.
pub(super) struct Resolver<'c> {
    pub(super) catalog: &'c Catalog,
    pub(super) names: &'c SameNames,
    /// The file whose text is read: where several catalogs hold a table, its folder may tell which.
    pub(super) file: Utf8PathBuf,
    pub(super) local: Catalog,
    pub(super) origins: Origins,
    pub(super) bases: HashMap<u32, Rc<Rel>>,
    pub(super) temps: HashMap<String, Temp>,
    /// What happens to tables, where somebody asks.
    pub(super) log: Option<Vec<(DatasetId, Event)>>,
    /// Tables that only pass through the script: they are as temp tables are.
    pub(super) passing: BTreeSet<DatasetId>,
    /// Tables that never only pass, because others name them; `None`: none passes.
    pub(super) kept: Option<&'c BTreeSet<DatasetId>>,
    /// Whose tables of the session are shown as datasets, each under this name; `None`: they are not shown.
    pub(super) shown: Option<String>,
    /// Whether the statement at hand makes tables.
    pub(super) creates: bool,
    pub(super) schema: Option<String>,
    /// The database that the script uses.
    pub(super) database: Option<String>,
    pub(super) systems: HashMap<String, String>,
    /// Where the estate's stages lie, by name.
    pub(super) stages: Option<&'c BTreeMap<String, String>>,
    /// The same of stages that the script makes.
    pub(super) own_stages: BTreeMap<String, String>,
    pub(super) lateral_aliases: bool,
    /// Whether an alias of the select list hides columns of that name in the whole query.
    pub(super) aliases_win: bool,
    pub(super) stmt_at: Bytes,
    /// What is declared where the statement at hand stands.
    pub(super) variables: Option<Arc<BTreeSet<String>>>,
    pub(super) starred: BTreeSet<u32>,
    pub(super) sources: BTreeSet<u32>,
    pub(super) read_temp: bool,
    /// Names of CTEs met in FROM clauses since somebody looked.
    pub(super) ctes_read: HashSet<String>,
    /// Recursive queries that are being read, each within the other.
    pub(super) recursing: usize,
    pub(super) out: Resolved,
    pub(super) qualifiers: Vec<Qualifier>,
}

impl<'c> Resolver<'c> {
    /// Nothing read yet; columns come from `catalog`.
    pub(super) fn new(catalog: &'c Catalog, names: &'c SameNames) -> Self {
        Resolver {
            catalog,
            names,
            file: Utf8PathBuf::new(),
            local: Catalog::new(),
            origins: Origins::default(),
            bases: HashMap::new(),
            temps: HashMap::new(),
            log: None,
            passing: BTreeSet::new(),
            kept: None,
            shown: None,
            creates: false,
            schema: None,
            database: None,
            systems: HashMap::new(),
            lateral_aliases: false,
            aliases_win: false,
            stages: None,
            own_stages: BTreeMap::new(),
            stmt_at: 0..0,
            variables: None,
            starred: BTreeSet::new(),
            sources: BTreeSet::new(),
            read_temp: false,
            ctes_read: HashSet::new(),
            recursing: 0,
            out: Resolved::default(),
            qualifiers: Vec::new(),
        }
    }

    /// The datasets that the statement at hand has read so far.
    pub(super) fn source_names(&self) -> Vec<DatasetId> {
        let names: BTreeSet<DatasetId> =
            self.sources.iter().map(|number| self.origins.dataset(*number).clone()).collect();
        names.into_iter().collect()
    }

    /// Records a touch; the dataset where it is one.
    pub(super) fn touch(&mut self, name: &Name, access: Access, evidence: Evidence) -> Option<DatasetId> {
        let key = self.held_key(name);
        if let Some(temp) = self.held(&key).cloned() {
            match access {
                Access::Read => drop(self.read_held(temp)),
                Access::Drop => drop(self.temps.remove(&*key)),
                _ => {}
            }
            return None;
        }
        if self.passes(name) {
            if access == Access::Define {
                self.temps.insert(key.into_owned(), Temp::empty(&[]));
            }
            return None;
        }
        let dataset = self.record(name, access, evidence)?;
        if access == Access::Drop {
            self.temps.remove(&*key);
        }
        if access == Access::Read {
            let number = self.origins.number(&dataset);
            self.sources.insert(number);
        }
        Some(dataset)
    }

    /// Records a write; the dataset where the name is one.
    pub(super) fn write(&mut self, name: &Name) -> Option<DatasetId> {
        self.record(name, Access::Write, Evidence::Parsed)
    }

    /// Records a mention; the dataset where the name is one.
    pub(super) fn record(&mut self, name: &Name, access: Access, evidence: Evidence) -> Option<DatasetId> {
        match self.meaning(name) {
            Meaning::Dataset(dataset, stubbed) => {
                let evidence = if stubbed { Evidence::Inferred } else { evidence };
                self.log_use(&dataset, access);
                self.push_use(
                    dataset.clone(),
                    access,
                    evidence,
                    name.at.clone(),
                    name.exact && !stubbed && dataset.system().is_none() && !says_version(name),
                );
                Some(dataset)
            }
            Meaning::Computed => {
                self.note(CodeEntry::E031, name.at.clone(), "a table's name is computed by the template".to_owned());
                None
            }
            Meaning::Nothing => None,
        }
    }

    /// Records a mention of a dataset.
    pub(super) fn push_use(&mut self, dataset: DatasetId, access: Access, evidence: Evidence, at: Bytes, exact: bool) {
        let one = RawUse { dataset, access, evidence, at, exact };
        self.out.uses.push(one);
    }

    /// A table in a FROM clause: CTE, temp table or dataset; the last is recorded as read.
    pub(super) fn table(&mut self, name: &Name, env: &Env<'_>) -> Rc<Rel> {
        if let [only] = name.parts.as_slice()
            && let Some(rel) = env.cte(only)
        {
            self.ctes_read.insert(only.clone());
            return rel;
        }
        let key = self.held_key(name);
        // `CREATE TEMP TABLE t` is SQLite's `temp.t`.
        if let Some(temp) = self.held(&key).or_else(|| self.held(key.strip_prefix('#')?)).cloned() {
            return self.read_held(temp);
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

    /// Files read as a table: each is a dataset of its own.
    pub(super) fn files_rel(&mut self, files: &[String], at: &Bytes) -> Rc<Rel> {
        let mut all = Rel { any: Some(Flow::default()), ..Rel::default() };
        let named: Vec<DatasetId> = files.iter().filter_map(|file| self.files(file)).collect();
        for (number, dataset) in named.into_iter().enumerate() {
            self.push_use(dataset.clone(), Access::Read, Evidence::Parsed, at.clone(), false);
            let rel = self.base(&dataset);
            match number {
                0 => all = (*rel).clone(),
                _ => columns::merge_by_name(&mut all, &rel),
            }
        }
        Rc::new(all)
    }

    /// The files at `address`, where a stage's own address is known there.
    pub(super) fn files(&self, address: &str) -> Option<DatasetId> {
        let Some(staged) = address.strip_prefix("stage://") else { return files_named(address) };
        let (stage, path) = staged.split_once('/').unwrap_or((staged, ""));
        let stages = [Some(&self.own_stages), self.stages];
        let at = |name: &str| stages.iter().flatten().find_map(|all| all.get(name));
        let last = stage.rsplit('.').next().unwrap_or_default();
        match at(stage).or_else(|| at(last)) {
            Some(place) => files_named(format!("{}/{path}", place.trim_end_matches('/')).trim_end_matches('/')),
            None => files_named(address),
        }
    }

    /// The relation of a dataset, which counts as read.
    pub(super) fn base(&mut self, dataset: &DatasetId) -> Rc<Rel> {
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

    /// The one name of a dataset that the estate writes with and without its catalog.
    fn own(&self, meaning: Meaning) -> Meaning {
        match meaning {
            Meaning::Dataset(dataset, stubbed) if !self.names.is_empty() => {
                Meaning::Dataset(self.names.own_in(&dataset, &self.file, self.database.as_deref()), stubbed)
            }
            as_written => as_written,
        }
    }

    fn meaning(&self, name: &Name) -> Meaning {
        if let Some(table) = self.shown_temp(name) {
            return Meaning::Dataset(table, false);
        }
        if self.systems.is_empty()
            && let Some(plain) = plain_meaning(name, self.schema.as_deref())
        {
            return self.own(plain);
        }
        if let [alias, rest @ ..] = name.parts.as_slice()
            && !rest.is_empty()
            && let Some(system) = self.systems.get(alias)
        {
            return Meaning::Dataset(DatasetId::in_system(system, &rest.join(".")), false);
        }
        if let Some(dataset) = linked(&name.parts) {
            return Meaning::Dataset(dataset, false);
        }
        match file_address(&name.parts.join(".")) {
            Some(address) => self.files(&address).map_or(Meaning::Computed, |files| Meaning::Dataset(files, false)),
            None => self.own(meaning_of(name, self.schema.as_deref())),
        }
    }

    /// The dataset that `name` means.
    pub(super) fn dataset(&self, name: &Name) -> Option<DatasetId> {
        match self.meaning(name) {
            Meaning::Dataset(dataset, _) => Some(dataset),
            _ => None,
        }
    }

    /// Whether something gives the columns of what `name` means.
    pub(super) fn is_known(&self, name: &Name) -> bool {
        self.dataset(name).is_some_and(|dataset| self.columns_of(&dataset).is_some())
    }

    /// The columns of `dataset`, where they are known.
    pub(super) fn known_columns(&self, dataset: &DatasetId) -> Option<Vec<Rc<str>>> {
        let lower = |name: &str| match name.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase()) {
            true => name.into(),
            false => name.to_lowercase().into(),
        };
        let columns = self.columns_of(dataset)?;
        Some(columns.iter().map(|c| lower(&c.name)).collect())
    }

    /// The columns of `dataset` with their types, where they are known.
    pub(super) fn columns_of(&self, dataset: &DatasetId) -> Option<&[Column]> {
        let columns = self.local.get(dataset).or_else(|| self.catalog.get(dataset))?;
        (!columns.is_empty()).then_some(columns.as_slice())
    }

    /// How much was told so far.
    pub(super) fn mark(&self) -> Mark {
        Mark {
            uses: self.out.uses.len(),
            notes: self.out.notes.len(),
            qualifiers: self.qualifiers.len(),
            starred: self.starred.clone(),
        }
    }

    /// Takes back what was told since, because it will be told again.
    pub(super) fn forget_since(&mut self, mark: &Mark) {
        self.out.uses.truncate(mark.uses);
        self.out.notes.truncate(mark.notes);
        self.qualifiers.truncate(mark.qualifiers);
        self.starred.clone_from(&mark.starred);
    }

    /// Notes a fault.
    pub(super) fn note(&mut self, code: Code, at: Bytes, here: String) {
        self.out.notes.push(Note { code, at, here });
    }
}

/// A table behind a link: Oracle's `owner.table@link`, T-SQL's `server.database.schema.table`.
fn linked(parts: &[String]) -> Option<DatasetId> {
    if let [server, rest @ ..] = parts
        && rest.len() == 3
        && !server.starts_with(UNKNOWN)
        && !rest.iter().any(|part| is_any("not_a_schema", part))
    {
        return Some(DatasetId::in_system(server, &rest.join(".")));
    }
    // A link's own name may have dots: `t@crm.world`.
    let at = parts.iter().position(|part| part.contains('@'))?;
    let (table, link) = parts[at].split_once('@').filter(|(table, link)| !table.is_empty() && !link.is_empty())?;
    if is_version(link) {
        return None;
    }
    let named: Vec<&str> = parts[..at].iter().map(String::as_str).chain([table]).collect();
    let link: Vec<&str> = std::iter::once(link).chain(parts[at + 1..].iter().map(String::as_str)).collect();
    Some(DatasetId::in_system(&link.join("."), &named.join(".")))
}

/// Whether a version is written behind the name.
fn says_version(name: &Name) -> bool {
    name.parts.last().and_then(|last| last.split_once('@')).is_some_and(|(_, version)| is_version(version))
}
