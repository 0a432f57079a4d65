use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Serialize;

use super::{
    ReportModel,
    charts::{self, Charts},
    templates::{RenderOptions, ReportError, Templates, pretty_json, script_json},
};

/// What `report.html.hbs` is filled with.
#[derive(Serialize)]
struct Page<'a> {
    model: &'a ReportModel,
    charts: Charts,
    css: &'a str,
    js: &'a str,
    data: String,
}

/// What `report.md.hbs` is filled with.
#[derive(Serialize)]
struct MarkdownPage<'a> {
    model: &'a ReportModel,
}

/// The report's files by their paths in its folder: `index.html`, `report.md`, `report.json`.
///
/// The same model and templates give the same bytes. `index.html` needs no other file and no network.
///
/// # Errors
///
/// When a template of `options` cannot be read, or asks for a field that is not there.
pub fn render(model: &ReportModel, options: &RenderOptions) -> Result<BTreeMap<Utf8PathBuf, Vec<u8>>, ReportError> {
    let templates = Templates::load(options)?;
    let page = Page {
        model,
        charts: charts::draw(model),
        css: templates.asset("report.css"),
        js: templates.asset("report.js"),
        data: script_json("the graph", &model.links)?,
    };
    Ok(BTreeMap::from([
        ("index.html".into(), templates.fill("report.html", &page)?),
        ("report.md".into(), templates.fill("report.md", &MarkdownPage { model })?),
        ("report.json".into(), pretty_json("the report", model)?),
    ]))
}
