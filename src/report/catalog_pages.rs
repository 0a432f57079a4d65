use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Serialize;

use super::templates::{RenderOptions, ReportError, Templates};
use crate::catalog::CatalogPage;

/// What `catalog_index.html.hbs` is filled with.
#[derive(Serialize)]
struct Index<'a> {
    services: &'a [CatalogPage],
    css: &'a str,
}

/// What `catalog_service.html.hbs` and `catalog_service.md.hbs` are filled with.
#[derive(Serialize)]
struct Service<'a> {
    service: &'a CatalogPage,
    css: &'a str,
}

/// The catalog's files by their paths in its folder: `index.html`, and `<service>.html` and
/// `<service>.md` for each page. The Markdown can be pasted into GitHub or Confluence.
///
/// # Errors
///
/// When a template of `options` cannot be read, or asks for a field that is not there.
pub fn render_catalog(
    pages: &[CatalogPage],
    options: &RenderOptions,
) -> Result<BTreeMap<Utf8PathBuf, Vec<u8>>, ReportError> {
    let templates = Templates::load(options)?;
    let css = templates.asset("report.css");
    let mut files = BTreeMap::new();
    files.insert("index.html".into(), templates.fill("catalog_index.html", &Index { services: pages, css })?);
    for page in pages {
        let filled = Service { service: page, css };
        files.insert(format!("{}.html", page.name).into(), templates.fill("catalog_service.html", &filled)?);
        files.insert(format!("{}.md", page.name).into(), templates.fill("catalog_service.md", &filled)?);
    }
    Ok(files)
}
