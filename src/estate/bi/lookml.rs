//! LookML projects: views over tables and SQL, the explores that join them, the dashboards over explores.
use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::{
    BiAround, BiReader, Found, ends,
    found::{self, at, top},
    liquid,
    lkml::{self, Block},
    sql::{OTHER_QUERY, Sql, dialect_in},
};
use crate::{
    estate::{Exposure, FileFormat, names::dataset_named, text_file::TextFile, yaml::Node},
    vocab::DatasetId,
};

const TOOL: &str = "looker";

/// The reader of LookML.
pub(super) struct LookMl;

impl BiReader for LookMl {
    fn format(&self) -> FileFormat {
        FileFormat::LookMl
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        ends(path, &["lkml", "lookml"])
    }

    fn claims(&self, _: &TextFile) -> bool {
        true
    }

    fn read(&self, files: &[&TextFile], _: &BiAround<'_>, found: &mut Found) {
        let (boards, models): (Vec<&TextFile>, Vec<&TextFile>) = files.iter().partition(|file| is_dashboard(file));
        let parsed: Vec<(&TextFile, Block)> = models.into_iter().map(|file| (file, parsed(file, found))).collect();
        let project = Project::of(&parsed, found);
        project.views(found);
        project.explores(found);
        boards.into_iter().for_each(|file| project.dashboards(file, found));
    }
}

/// Dashboards are YAML; all else is LookML.
fn is_dashboard(file: &TextFile) -> bool {
    let name = file.path.file_name().unwrap_or_default();
    name.contains(".dashboard.") || file.text.lines().any(|line| line.starts_with("- dashboard:"))
}

fn parsed(file: &TextFile, found: &mut Found) -> Block {
    let (block, faults) = lkml::parse(file);
    // What follows the first fault is most often its echo.
    if let Some((at, here)) = faults.first() {
        found.malformed(file.span(*at, *at), *here);
    }
    block
}

/// A block with the file it stands in.
#[derive(Clone, Copy)]
struct Placed<'p> {
    file: &'p TextFile,
    block: &'p Block,
}

/// What the files of a project declare, by name; refinements behind what they refine.
struct Project<'p> {
    views: BTreeMap<String, Vec<Placed<'p>>>,
    explores: BTreeMap<String, Vec<Placed<'p>>>,
    constants: BTreeMap<String, String>,
    /// Views that explores join by SQL of their own: they unnest a column, and are no tables.
    unnested: BTreeSet<&'p str>,
    dialect: Option<&'static str>,
    /// View → exposure id.
    view_ids: BTreeMap<String, String>,
    /// Explore → exposure id.
    explore_ids: BTreeMap<String, String>,
}

impl<'p> Project<'p> {
    fn of(parsed: &'p [(&'p TextFile, Block)], found: &mut Found) -> Self {
        let mut project = Project {
            views: BTreeMap::new(),
            explores: BTreeMap::new(),
            constants: BTreeMap::new(),
            unnested: BTreeSet::new(),
            dialect: None,
            view_ids: BTreeMap::new(),
            explore_ids: BTreeMap::new(),
        };
        let mut dialects = BTreeSet::new();
        for (file, top) in parsed {
            let placed = |block| Placed { file, block };
            for constant in top.blocks("constant") {
                if let Some(value) = constant.text("value", file) {
                    project.constants.insert(constant.name.clone(), value.to_owned());
                }
            }
            dialects.extend(top.text("connection", file).and_then(dialect_in));
            top.blocks("view").for_each(|block| enter(&mut project.views, placed(block)));
            for explore in top.blocks("explore") {
                enter(&mut project.explores, placed(explore));
                let unnesting = explore.blocks("join").filter(|join| join.place("sql").is_some());
                project.unnested.extend(unnesting.map(|join| join.text("from", file).unwrap_or(&join.name)));
            }
        }
        // A model's connection holds for the views it includes; two kinds of them leave it to detection.
        project.dialect = dialects.first().copied().filter(|_| dialects.len() == 1);
        for (name, blocks) in project.views.iter().filter(|(_, blocks)| is_base(blocks)) {
            project.view_ids.insert(name.clone(), found.id(TOOL, "view", name));
            tell_twice(blocks, found);
        }
        for (name, _) in project.explores.iter().filter(|(_, blocks)| is_base(blocks)) {
            project.explore_ids.insert(name.clone(), found.id(TOOL, "explore", name));
        }
        project
    }

    fn views(&self, found: &mut Found) {
        for (name, id) in &self.view_ids {
            let Some(first) = self.views[name].iter().find(|one| !one.block.name.starts_with('+')) else { continue };
            let mut exposure = exposure(id, name, "dataset", first);
            let is_said = self.source(name, &mut BTreeSet::new(), &mut exposure, found);
            let required = |one: &Placed<'_>| one.block.text("extension", one.file) == Some("required");
            if !is_said && !self.views[name].iter().any(required) && !self.unnested.contains(name.as_str()) {
                // Looker's rule: a view that says nothing is the table of its name.
                exposure.reads.push((DatasetId::from_parts(&[name]), exposure.at.clone()));
            }
            found.exposures.push(exposure);
        }
    }

    /// Enters what view `name` stands on; `false` where neither it nor what it extends says so.
    fn source(&self, name: &str, seen: &mut BTreeSet<String>, exposure: &mut Exposure, found: &mut Found) -> bool {
        if !seen.insert(name.to_owned()) {
            return false;
        }
        let blocks = self.views.get(name).map_or(&[][..], Vec::as_slice);
        // A refinement stands behind what it refines, and wins.
        for one in blocks.iter().rev() {
            if let Some((start, end)) = one.block.place("sql_table_name") {
                self.table(one.file, start, end, exposure, found);
                return true;
            }
            if let Some(derived) = one.block.blocks("derived_table").last() {
                self.derived(one.file, derived, exposure, found);
                return true;
            }
        }
        let bases: Vec<&str> =
            blocks.iter().flat_map(|one| extended(one)).filter(|base| self.views.contains_key(*base)).collect();
        bases.iter().rev().any(|base| self.source(base, seen, exposure, found))
    }

    /// `sql_table_name`: a name, or several in the branches of a template.
    fn table(&self, file: &TextFile, start: usize, end: usize, exposure: &mut Exposure, found: &mut Found) {
        let text = &file.text[start..end];
        let mut from = 0;
        let mut pieces: Vec<(usize, usize)> = Vec::new();
        while let Some(open) = text[from..].find("{%").map(|at| from + at) {
            pieces.push((from, open));
            from = text[open..].find("%}").map_or(text.len(), |at| open + at + 2);
        }
        pieces.push((from, text.len()));
        let mut any = false;
        for (from, to) in pieces {
            let piece = &text[from..to];
            let lead = piece.len() - piece.trim_start().len();
            if piece.trim().is_empty() {
                continue;
            }
            let Some(dataset) = dataset_named(&self.with_constants(piece.trim()), &BTreeMap::new()) else { continue };
            let from = start + from + lead;
            exposure.reads.push((dataset, file.span(from, from + piece.trim().len())));
            any = true;
        }
        if let Some(view) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix(".SQL_TABLE_NAME}")) {
            exposure.reads.clear();
            any = self.part(view, exposure);
        }
        if !any {
            found.opaque(file.span(start, end), format!("`{text}` is no table's name"));
        }
    }

    /// `@{constant}` replaced by its value.
    fn with_constants(&self, text: &str) -> String {
        let mut out = text.replace("@{", "${");
        for (name, value) in &self.constants {
            out = out.replace(&format!("${{{name}}}"), value);
        }
        out
    }

    fn derived(&self, file: &TextFile, derived: &Block, exposure: &mut Exposure, found: &mut Found) {
        if let Some((start, end)) = derived.place("sql").or_else(|| derived.place("sql_create")) {
            let mut sql = Sql::of_bytes(file, start, end);
            liquid::blank(&mut sql);
            self.references(&mut sql, file, (start, end), exposure, found);
            sql.params.extend(self.constants.clone());
            exposure.scripts.push(sql.script(self.dialect));
        }
        for explore in derived.blocks("explore_source") {
            match self.explore_ids.get(&explore.name) {
                Some(id) => exposure.parts.push(id.clone()),
                None => {
                    let here = format!("no explore of the project is named `{}`", explore.name);
                    found.opaque(file.span(explore.start, explore.start), here);
                }
            }
        }
    }

    /// `${view.SQL_TABLE_NAME}` is what another view stands on; `@{constant}` a word of the manifest.
    fn references(
        &self,
        sql: &mut Sql,
        file: &TextFile,
        (start, end): (usize, usize),
        exposure: &mut Exposure,
        found: &mut Found,
    ) {
        sql.text = sql.text.replace("@{", "${");
        let text = sql.text.clone();
        for (at, _) in text.match_indices("${") {
            let Some(inner) = text[at + 2..].split('}').next() else { continue };
            let Some(view) = inner.trim().strip_suffix(".SQL_TABLE_NAME") else { continue };
            sql.params.insert(inner.trim().to_owned(), OTHER_QUERY.to_owned());
            if !self.part(view, exposure) {
                let at = (start + at).min(end);
                found.opaque(file.span(at, at), format!("no view of the project is named `{view}`"));
            }
        }
    }

    fn part(&self, view: &str, exposure: &mut Exposure) -> bool {
        let Some(id) = self.view_ids.get(view) else { return false };
        if *id != exposure.id && !exposure.parts.contains(id) {
            exposure.parts.push(id.clone());
        }
        true
    }

    fn explores(&self, found: &mut Found) {
        for (name, id) in &self.explore_ids {
            let blocks = &self.explores[name];
            let Some(first) = blocks.iter().find(|one| !one.block.name.starts_with('+')) else { continue };
            let mut exposure = exposure(id, name, "explore", first);
            self.joined(name, &mut BTreeSet::new(), &mut exposure, found);
            found.exposures.push(exposure);
        }
    }

    fn joined(&self, name: &str, seen: &mut BTreeSet<String>, exposure: &mut Exposure, found: &mut Found) {
        if !seen.insert(name.to_owned()) {
            return;
        }
        let blocks = self.explores.get(name).map_or(&[][..], Vec::as_slice);
        let own =
            ["from", "view_name"].iter().find_map(|key| blocks.iter().find_map(|one| one.block.text(key, one.file)));
        let bases: Vec<&str> = blocks.iter().flat_map(|one| extended(one)).collect();
        // What extends another explore has its view from there.
        let inherits = own.is_none() && bases.iter().any(|base| self.explores.contains_key(*base));
        if let Some(first) = blocks.first().filter(|_| !inherits) {
            self.view(own.unwrap_or(name), first, exposure, found);
        }
        for base in bases {
            self.joined(base, seen, exposure, found);
        }
        for one in blocks {
            for join in one.block.blocks("join") {
                let view = join.text("from", one.file).unwrap_or(&join.name);
                self.view(view, &Placed { file: one.file, block: join }, exposure, found);
            }
        }
    }

    fn view(&self, view: &str, at: &Placed<'_>, exposure: &mut Exposure, found: &mut Found) {
        // Fields that unnest a column of the base view may be a view without a table.
        if let Some((start, end)) = at.block.place("sql_table_name") {
            self.table(at.file, start, end, exposure, found);
        } else if !self.part(view, exposure) {
            let here = format!("no view of the project is named `{view}`");
            found.opaque(at.file.span(at.block.start, at.block.start), here);
        }
    }

    fn dashboards(&self, file: &TextFile, found: &mut Found) {
        let Some(node) = found.yaml(file) else { return };
        for board in node.items().iter().filter(|item| item.get("dashboard").is_some()) {
            let name = board.text_of("title").or_else(|| board.text_of("dashboard")).unwrap_or_default();
            let place = file.span(board.start, board.start);
            let mut exposure =
                found.exposure(TOOL, "dashboard", &name, if board.start == 0 { top(file) } else { place });
            let elements = ["elements", "filters"].iter().filter_map(|key| board.get(key)).flat_map(Node::items);
            let default = board.get("explore");
            for explore in elements.filter_map(|element| element.get("explore")).chain(default) {
                let Some(name) = explore.scalar() else { continue };
                match self.explore_ids.get(name) {
                    Some(id) if exposure.parts.contains(id) => {}
                    Some(id) => exposure.parts.push(id.clone()),
                    None => found.opaque(at(file, explore), format!("no explore of the project is named `{name}`")),
                }
            }
            found.exposures.push(exposure);
        }
    }
}

fn exposure(id: &str, name: &str, kind: &str, first: &Placed<'_>) -> Exposure {
    found::exposure(id.to_owned(), TOOL, kind, name, first.file.span(first.block.start, first.block.start))
}

fn enter<'p>(into: &mut BTreeMap<String, Vec<Placed<'p>>>, one: Placed<'p>) {
    let name = one.block.name.trim_start_matches('+').to_owned();
    let is_refinement = one.block.name.starts_with('+');
    let blocks = into.entry(name).or_default();
    match is_refinement {
        true => blocks.push(one),
        false => {
            let at = blocks.iter().position(|other| other.block.name.starts_with('+')).unwrap_or(blocks.len());
            blocks.insert(at, one);
        }
    }
}

/// Whether it is declared here, and not only refined.
fn is_base(blocks: &[Placed<'_>]) -> bool {
    blocks.iter().any(|one| !one.block.name.starts_with('+'))
}

/// Two views of one name in a project: Looker takes the last, and so does carve, which says so.
fn tell_twice(blocks: &[Placed<'_>], found: &mut Found) {
    let mut bases = blocks.iter().filter(|one| !one.block.name.starts_with('+'));
    let Some(first) = bases.next() else { return };
    for other in bases {
        let first = first.file.span(first.block.start, first.block.start);
        let here = format!("view `{}` stands at {first} too; the last one counts", other.block.name);
        found.opaque(other.file.span(other.block.start, other.block.start), here);
    }
}

/// The names that a block extends.
fn extended<'p>(one: &Placed<'p>) -> Vec<&'p str> {
    ["extends", "extends__all"].iter().flat_map(|key| one.block.words(key, one.file)).collect()
}
