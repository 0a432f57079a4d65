//! The one file that knows handlebars: built-in templates, their replacements from a folder, escaping.
use std::{collections::BTreeMap, fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use handlebars::{Handlebars, handlebars_helper, html_escape};
use serde::Serialize;

use crate::vocab::masked_json;

/// How pages are rendered.
#[derive(Clone, Debug, Default)]
pub struct RenderOptions {
    /// Folder whose files replace built-in templates of the same name; further files in it whose
    /// name starts with `_` are partials.
    pub templates: Option<Utf8PathBuf>,
}

/// Why a page could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The folder of templates cannot be read.
    #[error("cannot read template `{path}`")]
    Read {
        /// The folder or file.
        path: Utf8PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file in the folder replaces nothing.
    #[error("`{name}` replaces no template: expected one of {known}, or a partial whose name starts with `_`")]
    UnknownTemplate {
        /// The file's name.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A template cannot be read as one.
    #[error("cannot read template `{name}` as handlebars")]
    Syntax {
        /// The template.
        name: String,
        /// With line and column.
        #[source]
        source: Box<handlebars::TemplateError>,
    },
    /// A template asks for what is not there.
    #[error("cannot fill template `{name}`")]
    Fill {
        /// The template.
        name: String,
        /// With line and column.
        #[source]
        source: Box<handlebars::RenderError>,
    },
    /// A page cannot be written as JSON.
    #[error("cannot write {what} as JSON")]
    Json {
        /// What.
        what: &'static str,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

macro_rules! built_in {
    ($($name:literal)+) => {
        const BUILT_IN: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../templates/", $name)))),+];
    };
}

built_in! {
    "report.html.hbs" "report.css" "report.js" "report.md.hbs"
    "catalog_index.html.hbs" "catalog_service.html.hbs" "catalog_service.md.hbs"
    "switchover.md.hbs" "switchover_index.md.hbs"
}

/// Templates, ready to be filled.
pub(super) struct Templates {
    html: Handlebars<'static>,
    markdown: Handlebars<'static>,
    assets: BTreeMap<String, String>,
}

// Escapes by itself: use it in triple braces.
handlebars_helper!(ticks_html: |text: str| ticks(text, html_escape, |code| format!("<code>{}</code>", html_escape(code))));
handlebars_helper!(ticks_markdown: |text: str| ticks(text, markdown_escape, |code| format!("`{code}`")));
handlebars_helper!(mono_html: |text: str| format!("<code>{}</code>", html_escape(text)));
handlebars_helper!(mono_markdown: |text: str| code_span(text));
// Lists are numbered from 1.
handlebars_helper!(ordinal: |index: u64| index + 1);
handlebars_helper!(fence: |language: str, text: str| fenced(language, text));

impl Templates {
    /// The built-in templates, replaced where the folder of `options` has files of the same name.
    pub(super) fn load(options: &RenderOptions) -> Result<Self, ReportError> {
        let mut texts: BTreeMap<String, String> =
            BUILT_IN.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        if let Some(folder) = &options.templates {
            texts.extend(replacements(folder)?);
        }
        let mut html = registry(html_escape);
        html.register_helper("ticks", Box::new(ticks_html));
        html.register_helper("mono", Box::new(mono_html));
        let mut markdown = registry(markdown_escape);
        markdown.register_helper("ticks", Box::new(ticks_markdown));
        markdown.register_helper("mono", Box::new(mono_markdown));
        let mut templates = Templates { html, markdown, assets: BTreeMap::new() };
        for (name, text) in texts {
            templates.add(name, text)?;
        }
        Ok(templates)
    }

    fn add(&mut self, name: String, text: String) -> Result<(), ReportError> {
        let Some(stem) = name.strip_suffix(".hbs") else {
            self.assets.insert(name, text);
            return Ok(());
        };
        let registry = if stem.ends_with(".html") { &mut self.html } else { &mut self.markdown };
        registry
            .register_template_string(stem, text)
            .map_err(|source| ReportError::Syntax { name: name.clone(), source: Box::new(source) })
    }

    /// The file `name` that is no template: a style sheet or script.
    pub(super) fn asset(&self, name: &str) -> &str {
        self.assets.get(name).map_or("", String::as_str)
    }

    /// Fills template `name` (without `.hbs`) with `data`.
    pub(super) fn fill(&self, name: &str, data: &impl Serialize) -> Result<Vec<u8>, ReportError> {
        let registry = if name.ends_with(".html") { &self.html } else { &self.markdown };
        let data = covered("a page", data)?;
        let text = registry
            .render(name, &data)
            .map_err(|source| ReportError::Fill { name: format!("{name}.hbs"), source: Box::new(source) })?;
        Ok(text.into_bytes())
    }
}

fn registry(escape: fn(&str) -> String) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.set_prevent_indent(true);
    registry.register_escape_fn(escape);
    registry.register_helper("fence", Box::new(fence));
    registry.register_helper("ordinal", Box::new(ordinal));
    registry
}

fn replacements(folder: &Utf8Path) -> Result<BTreeMap<String, String>, ReportError> {
    let failed = |path: &Utf8Path| {
        let path = path.to_owned();
        move |source| ReportError::Read { path, source }
    };
    let mut found = BTreeMap::new();
    for entry in folder.read_dir_utf8().map_err(failed(folder))? {
        let entry = entry.map_err(failed(folder))?;
        let name = entry.file_name().to_owned();
        // What an editor or the system leaves behind is none of a template's business.
        if name.starts_with('.') || !["hbs", "css", "js"].contains(&entry.path().extension().unwrap_or("")) {
            continue;
        }
        if !name.starts_with('_') && !BUILT_IN.iter().any(|(known, _)| *known == name) {
            let known = BUILT_IN.iter().map(|(known, _)| format!("`{known}`")).collect::<Vec<_>>().join(", ");
            return Err(ReportError::UnknownTemplate { name, known });
        }
        let text = fs::read_to_string(entry.path()).map_err(failed(entry.path()))?;
        found.insert(name, text);
    }
    Ok(found)
}

/// `text` so that Markdown shows it as it is, in a table cell too.
fn markdown_escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        let rest = &text[at + c.len_utf8()..];
        match c {
            '\\' | '`' | '*' | '[' | ']' | '|' | '~' => escaped.extend(['\\', c]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' if starts_entity(rest) => escaped.push_str("&amp;"),
            '\n' | '\r' | '\t' => escaped.push(' '),
            _ => escaped.push(c),
        }
    }
    // Within a word an underscore is one; at a word's edge it would start emphasis.
    match escaped.starts_with('_') {
        true => format!("\\{escaped}"),
        false => escaped,
    }
}

/// Whether an ampersand before `rest` would be read as the start of `&lt;` or its like.
fn starts_entity(rest: &str) -> bool {
    let name = rest.find(';').map_or("", |end| &rest[..end]);
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'#')
}

/// `text` escaped, with what stands between backticks as code. A backtick without a partner stays one.
fn ticks(text: &str, escape: fn(&str) -> String, code: fn(&str) -> String) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let mut shown = String::new();
    for (at, part) in parts.iter().enumerate() {
        let closed = at + 1 < parts.len();
        match (at % 2 == 1, closed) {
            (true, true) if !part.is_empty() && !part.contains(['\n', '|']) => shown.push_str(&code(part)),
            (true, true) => shown.push_str(&escape(&format!("`{part}`"))),
            (true, false) => shown.push_str(&escape(&format!("`{part}"))),
            (false, _) => shown.push_str(&escape(part)),
        }
    }
    shown
}

/// `text` as code in Markdown, in a table cell too; as plain text where a backtick would end it.
fn code_span(text: &str) -> String {
    match text.contains(['`', '\n']) || text.trim().is_empty() {
        true => markdown_escape(text),
        false => format!("`{}`", text.replace('|', "\\|")),
    }
}

/// `text` between fences longer than any in it.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(longest.max(2) + 1);
    format!("{ticks}{language}\n{}\n{ticks}", text.trim_end_matches('\n'))
}

/// `data` with every secret in its texts masked.
fn covered(what: &'static str, data: &impl Serialize) -> Result<serde_json::Value, ReportError> {
    serde_json::to_value(data).map(masked_json).map_err(|source| ReportError::Json { what, source })
}

/// `data` as JSON that cannot end the script element it stands in.
pub(super) fn script_json(what: &'static str, data: &impl Serialize) -> Result<String, ReportError> {
    let json = serde_json::to_string(&covered(what, data)?).map_err(|source| ReportError::Json { what, source })?;
    Ok(json.replace('<', "\\u003c"))
}

/// `data` as indented JSON with a last newline.
pub(super) fn pretty_json(what: &'static str, data: &impl Serialize) -> Result<Vec<u8>, ReportError> {
    let failed = |source| ReportError::Json { what, source };
    let plain = serde_json::to_value(data).map_err(failed)?;
    let covered = masked_json(plain.clone());
    // A value of its own would lose the order of its fields: only where it must be.
    let mut json = match covered == plain {
        true => serde_json::to_vec_pretty(data),
        false => serde_json::to_vec_pretty(&covered),
    }
    .map_err(failed)?;
    json.push(b'\n');
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_json_cannot_end_its_script() {
        let json = script_json("x", &"</script><!--").unwrap();
        assert!(!json.contains('<'), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), "</script><!--");
    }

    #[test]
    fn a_fence_is_longer_than_any_inside() {
        assert_eq!(fenced("sql", "a ```` b\n"), "`````sql\na ```` b\n`````");
    }

    #[test]
    fn markdown_shows_a_name_as_it_is() {
        assert_eq!(markdown_escape("a|b <i>*x*\nraw.orders__import"), "a\\|b &lt;i&gt;\\*x\\* raw.orders__import");
    }

    #[test]
    fn what_stands_between_backticks_is_code_and_nothing_else_is_markup() {
        let html = |text| ticks(text, html_escape, |code| format!("<code>{}</code>", html_escape(code)));
        assert_eq!(html("use `a<b` or <c>"), "use <code>a&lt;b</code> or &lt;c&gt;");
        assert_eq!(html("one ` alone"), "one &#x60; alone");
        let markdown = |text| ticks(text, markdown_escape, |code| format!("`{code}`"));
        assert_eq!(markdown("`a_b*` *x*"), "`a_b*` \\*x\\*");
    }

    #[test]
    fn a_file_of_the_same_name_replaces_a_template_and_a_misspelt_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap();
        fs::write(path.join("report.css"), "body{}").unwrap();
        fs::write(path.join(".report.css.swp"), "x").unwrap();
        let options = RenderOptions { templates: Some(path.to_owned()) };
        assert_eq!(Templates::load(&options).unwrap().asset("report.css"), "body{}");
        fs::write(path.join("raport.html.hbs"), "x").unwrap();
        assert!(matches!(Templates::load(&options), Err(ReportError::UnknownTemplate { .. })));
    }

    #[test]
    fn asking_for_a_field_that_is_not_there_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8Path::from_path(folder.path()).unwrap();
        fs::write(path.join("report.md.hbs"), "{{nowhere}}").unwrap();
        let templates = Templates::load(&RenderOptions { templates: Some(path.to_owned()) }).unwrap();
        assert!(matches!(templates.fill("report.md", &serde_json::json!({})), Err(ReportError::Fill { .. })));
    }
}
