//! The text that `carve init` writes: every key with a line that says what it is for.
use std::{collections::BTreeMap, fmt::Write as _};

use crate::estate::{DIALECTS, Estate, EstateSettings, WrapSettings};

/// A `carve.yaml` for `estate`: what is set stays set, what was detected is filled in, the rest is shown as comment.
pub fn starter_settings(estate: &Estate) -> String {
    let settings = &estate.settings;
    let mut text = Text("# What carve should know of this estate. Every key may be left out.\n".to_owned());
    let dialect = settings.dialect.clone().or_else(|| detected_dialect(estate));
    let known = DIALECTS.join(", ");
    text.key(
        &format!("The SQL dialect where nothing nearer says one: {known}."),
        "dialect: postgres",
        dialect.map(|name| scalar_line("dialect", &name)),
    );
    connections(&mut text, settings);
    sources(&mut text, estate);
    text.key(
        "Values for names in SQL templates.",
        "vars: { region: eu }",
        map("vars", &settings.vars, |value| quoted(value)),
    );
    text.key(
        "Namespaces of OpenLineage events: a source system, or `lake`.",
        "namespaces: { \"postgres://crm.example:5432\": crm }",
        map("namespaces", &settings.namespaces, |value| quoted(value)),
    );
    text.key(
        "Domains: globs of datasets or jobs that belong to each.",
        "domains: { sales: [\"raw.order*\"] }",
        map("domains", &settings.domains, |globs| list(globs)),
    );
    text.key(
        "Candidates you name yourself: globs of raw datasets.",
        "candidates: { orders: [\"raw.order*\"] }",
        map("candidates", &settings.candidates, |globs| list(globs)),
    );
    text.key(
        "How much the business hangs on a candidate, 0 to 1.",
        "criticality: { orders: 0.9 }",
        map("criticality", &settings.criticality, f64::to_string),
    );
    text.key(
        "Scoring: lambda weighs change against importance, alpha the effort.",
        "scoring: { lambda: 0.5, alpha: 1 }",
        map("scoring", &settings.scoring, f64::to_string),
    );
    text.key(
        "How services are wrapped: the default, then each by its name.",
        "wraps: { default: { mode: beside, origin: lake, format: csv, rows_per_part: 1000, continuity: exact } }",
        wraps(settings),
    );
    text.key(
        "Paths that are left out.",
        "exclude: [\"archive/**\"]",
        (!settings.exclude.is_empty()).then(|| format!("exclude: {}", list(&settings.exclude))),
    );
    let limit = EstateSettings::default().file_bytes;
    let set = (settings.file_bytes != limit).then(|| format!("limits: {{ file_bytes: {} }}", settings.file_bytes));
    text.key("The largest file read, in bytes.", &format!("limits: {{ file_bytes: {limit} }}"), set);
    text.0
}

struct Text(String);

impl Text {
    /// A key below the line that says what it is for: as it is set, else an example that is a comment.
    fn key(&mut self, what: &str, example: &str, set: Option<String>) {
        let line = set.unwrap_or_else(|| format!("# {example}"));
        let _ = write!(self.0, "\n# {what}\n{line}\n");
    }
}

/// The dialect that most scripts declare; a tie goes to the first by name.
fn detected_dialect(estate: &Estate) -> Option<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let scripts = estate.jobs.iter().flat_map(|job| &job.scripts);
    scripts.filter_map(|script| script.dialect.as_deref()).for_each(|dialect| *counts.entry(dialect).or_default() += 1);
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(name, _)| name.to_owned())
}

/// Whether an address may be shown: it carries no user, and no parameter that sounds like a secret.
fn holds_no_secret(url: &str) -> bool {
    let query = url.split_once('?').map(|(_, query)| query.to_lowercase()).unwrap_or_default();
    let keys = query.split('&').filter_map(|pair| pair.split('=').next());
    let secret = |key: &str| ["secret", "password", "pwd", "token", "key", "sig"].iter().any(|word| key.contains(word));
    !url.contains('@') && !keys.into_iter().any(secret)
}

fn connections(text: &mut Text, settings: &EstateSettings) {
    let open = |role: &str| settings.connections.get(role).filter(|url| holds_no_secret(url));
    let url = |role: &str| open(role).map(|url| format!("{role}: {{ url: {} }}", quoted(url)));
    text.key(
        "The lake, for apply: sqlite:FOLDER, postgres://USER@HOST/DATABASE, duckdb:FILE, or env:NAME to take the address from the environment.",
        "lake: { url: \"env:CARVE_LAKE\" }",
        url("lake"),
    );
    text.key(
        "Where data services are published: file:FOLDER or s3://BUCKET.",
        "bucket: { url: \"env:CARVE_BUCKET\" }",
        url("bucket"),
    );
}

/// Declared systems stay; systems that are only seen in use are listed to be filled in.
fn sources(text: &mut Text, estate: &Estate) {
    let declared = &estate.settings.sources;
    let seen = estate.sources.values().filter(|system| system.at.is_none());
    let all: BTreeMap<&str, _> = declared.values().chain(seen).map(|system| (system.name.as_str(), system)).collect();
    let mut lines = String::from("sources:");
    for (name, system) in &all {
        let url = system.url.clone().filter(|url| holds_no_secret(url));
        let keys = [("kind", &system.kind), ("url", &url), ("owner", &system.owner), ("domain", &system.domain)];
        let set: Vec<String> =
            keys.iter().filter_map(|(key, value)| Some(scalar_line(key, value.as_deref()?))).collect();
        let _ = match set.is_empty() {
            true => write!(lines, "\n  {}: {{}}", quoted(name)),
            false => write!(lines, "\n  {}: {{ {} }}", quoted(name), set.join(", ")),
        };
    }
    let example = "sources: { order_db: { kind: sqlite, url: \"env:ORDER_DB\", owner: team-orders, domain: orders } }";
    text.key(
        "Systems the lake's data comes from: kind, url, owner, domain.",
        example,
        (!all.is_empty()).then_some(lines),
    );
}

fn wraps(settings: &EstateSettings) -> Option<String> {
    let mut lines = String::from("wraps:");
    for (service, wrap) in &settings.wraps {
        let name = if service.is_empty() { "default" } else { service };
        let _ = write!(lines, "\n  {}: {{ {} }}", quoted(name), wrap_keys(wrap).join(", "));
    }
    (!settings.wraps.is_empty()).then_some(lines)
}

fn wrap_keys(wrap: &WrapSettings) -> Vec<String> {
    let rows = wrap.rows_per_part.map(|rows| rows.to_string());
    let texts = [
        ("mode", &wrap.mode),
        ("origin", &wrap.origin),
        ("format", &wrap.format),
        ("rows_per_part", &rows),
        ("continuity", &wrap.continuity),
        ("owner", &wrap.owner),
    ];
    let mut keys: Vec<String> =
        texts.iter().filter_map(|(key, value)| Some(scalar_line(key, value.as_deref()?))).collect();
    if !wrap.columns.is_empty() {
        let pairs: Vec<String> =
            wrap.columns.iter().map(|(name, to)| format!("{}: {}", quoted(name), quoted(to))).collect();
        keys.push(format!("columns: {{ {} }}", pairs.join(", ")));
    }
    keys
}

fn scalar_line(key: &str, value: &str) -> String {
    format!("{key}: {}", quoted(value))
}

fn map<V>(key: &str, values: &BTreeMap<String, V>, shown: fn(&V) -> String) -> Option<String> {
    let lines: String = values.iter().map(|(name, value)| format!("\n  {}: {}", quoted(name), shown(value))).collect();
    (!values.is_empty()).then(|| format!("{key}:{lines}"))
}

fn list(values: &[String]) -> String {
    format!("[{}]", values.iter().map(quoted).collect::<Vec<_>>().join(", "))
}

/// `text` plain where YAML reads it as that very text, else in double quotes.
fn quoted(text: impl AsRef<str>) -> String {
    let text = text.as_ref();
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let word = text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(safe);
    // Words that YAML, of whatever version, takes for something else.
    let other =
        ["true", "false", "yes", "no", "on", "off", "null", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    if word && !other {
        return text.to_owned();
    }
    let escaped = text.chars().fold(String::new(), |mut escaped, c| {
        let _ = match c {
            '"' | '\\' => write!(escaped, "\\{c}"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}') => {
                write!(escaped, "\\U{:08x}", c as u32)
            }
            c => write!(escaped, "{c}"),
        };
        escaped
    });
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::estate::{SourceSystem, settings_file, text_file::TextFile};

    fn read_back(text: &str) -> EstateSettings {
        let (settings, faults) = settings_file::read(&TextFile::inside("carve.yaml".into(), text.to_owned()));
        assert_eq!(faults, Vec::new(), "{text}");
        settings
    }

    #[test]
    fn of_an_empty_estate_every_key_is_a_comment() {
        let text = starter_settings(&Estate::default());
        assert_eq!(read_back(&text), EstateSettings { at: Some("carve.yaml".into()), ..EstateSettings::default() });
        let uncommented: String = text
            .lines()
            .map(|line| {
                line.strip_prefix("# ")
                    .filter(|key| key.contains(": ") && !key.contains(". ") && key.starts_with(char::is_lowercase))
                    .unwrap_or("")
            })
            .fold(String::new(), |all, line| all + line + "\n");
        let examples = read_back(&uncommented);
        assert_eq!(
            (examples.dialect.as_deref(), examples.sources.len(), examples.wraps.len()),
            (Some("postgres"), 1, 1)
        );
    }

    #[test]
    fn what_is_set_loads_back_to_the_same_meaning() {
        let text = "dialect: sqlite\nlake: { url: 'sqlite:la\"ke' }\nbucket: { url: 's3://b?x=1&y=\u{e9}' }\nvars: { 'yes': 'no', a: '1.10', b: \"x\\ty\" }\n\
            namespaces: { 'postgres://h:1': crm }\ndomains: { sales: ['raw.*', '*: #'] }\ncandidates: { orders: [raw.orders] }\ncriticality: { orders: 0.25 }\nscoring: { lambda: 0.1, cost: { x: 3 } }\n\
            wraps: { default: { mode: in_place, rows_per_part: 7, columns: { 'orders.id': omit } }, orders: { owner: '@team' } }\nexclude: ['**/old']\nlimits: { file_bytes: 5 }\n";
        let settings = read_back(text);
        let written = starter_settings(&Estate { settings: settings.clone(), ..Estate::default() });
        assert_eq!(read_back(&written), settings);
    }

    #[test]
    fn a_system_seen_in_use_is_listed() {
        let system =
            SourceSystem { name: "order_db".into(), kind: None, url: None, owner: None, domain: None, at: None };
        let estate = Estate { sources: [("order_db".to_owned(), system)].into(), ..Estate::default() };
        assert_eq!(read_back(&starter_settings(&estate)).sources.keys().collect::<Vec<_>>(), ["order_db"]);
    }
}
