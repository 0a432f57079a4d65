//! How much was read and understood, per format and dialect, and every fault with its place and cure.
use std::collections::BTreeMap;

use serde::Serialize;

use super::{ReportInputs, text};
use crate::{
    diagnostics::{Code, Diagnostic, Severity},
    estate::FileFormat,
};

/// How much was read.
#[derive(Clone, Debug, Serialize)]
pub struct CoverageView {
    /// Files per format.
    pub formats: Vec<FormatRow>,
    /// SQL per dialect.
    pub dialects: Vec<DialectRow>,
    /// Faults, by code.
    pub codes: Vec<CodeGroup>,
    /// `3 errors, 12 warnings, 40 notes`.
    pub summary: String,
}

/// Files of one format.
#[derive(Clone, Debug, Serialize)]
pub struct FormatRow {
    /// `SQL`.
    pub format: String,
    /// Files.
    pub files: String,
    /// Size in words.
    pub size: String,
}

/// SQL of one dialect.
#[derive(Clone, Debug, Serialize)]
pub struct DialectRow {
    /// The dialect.
    pub dialect: String,
    /// Scripts.
    pub scripts: String,
    /// Statements.
    pub statements: String,
    /// Accepted as they stand.
    pub parsed: String,
    /// Accepted after a rewrite.
    pub helped: String,
    /// Tables from a token scan.
    pub scanned: String,
    /// Nothing found.
    pub not_understood: String,
    /// Parsed or helped, in per cent.
    pub share: String,
    /// Widths of the four parts of a bar, in per cent: parsed, helped, scanned, not understood.
    pub bar: [String; 4],
}

/// All faults of one code.
#[derive(Clone, Debug, Serialize)]
pub struct CodeGroup {
    /// `E030`.
    pub code: String,
    /// `error`, `warning`, `note`.
    pub severity: String,
    /// What it is.
    pub summary: String,
    /// How many.
    pub count: u64,
    /// Count as text.
    pub count_text: String,
    /// What to do.
    pub help: String,
    /// Each of them.
    pub places: Vec<Place>,
}

/// One fault.
#[derive(Clone, Debug, Serialize)]
pub struct Place {
    /// `file:line:column`.
    pub at: String,
    /// What is wrong here.
    pub here: String,
    /// What to do here, where it differs from the group's advice; else empty.
    pub help: String,
}

/// The coverage page of `inputs`.
pub(super) fn coverage(inputs: &ReportInputs) -> CoverageView {
    CoverageView {
        formats: formats(inputs),
        dialects: dialects(inputs),
        codes: codes(inputs),
        summary: summary(inputs),
    }
}

fn formats(inputs: &ReportInputs) -> Vec<FormatRow> {
    let mut sums: BTreeMap<FileFormat, (u64, u64)> = BTreeMap::new();
    for file in inputs.files {
        let sum = sums.entry(file.format).or_default();
        sum.0 += 1;
        sum.1 = sum.1.saturating_add(file.bytes);
    }
    let row = |(format, (files, bytes))| FormatRow {
        format: format_name(format).to_owned(),
        files: text::thousands(files),
        size: size(bytes),
    };
    sums.into_iter().map(row).collect()
}

fn format_name(format: FileFormat) -> &'static str {
    match format {
        FileFormat::Sql => "SQL",
        FileFormat::CarveJobs => "carve job files",
        FileFormat::Settings => "carve.yaml",
        FileFormat::Dbt => "dbt project files",
        FileFormat::Superset => "Superset export",
        FileFormat::Metabase => "Metabase serialization",
        FileFormat::LookMl => "LookML",
        FileFormat::Grafana => "Grafana dashboards",
        FileFormat::Tableau => "Tableau workbooks and data sources",
        FileFormat::PowerBi => "Power BI models and reports",
        FileFormat::Redash => "Redash queries and dashboards",
        FileFormat::Evidence => "Evidence pages and queries",
        FileFormat::Lightdash => "Lightdash charts and dashboards",
        FileFormat::UsageLog => "usage logs",
        FileFormat::Airflow => "Airflow DAG files",
        FileFormat::Crontab => "crontabs",
        FileFormat::Digdag => "Digdag workflows",
        FileFormat::Embulk => "Embulk settings",
        FileFormat::Gusty => "Gusty tasks",
        FileFormat::TableMetadata => "metadata.yaml of tables",
        FileFormat::Mapped => "configs read by a mapping",
        FileFormat::GithubActions => "GitHub Actions workflows",
        FileFormat::Shell => "shell scripts that run SQL",
        FileFormat::Other => "other files, not read",
        FileFormat::Unreadable => "unreadable files",
        #[allow(unreachable_patterns, reason = "formats are added by the estate room; the page must not break then")]
        _ => "further formats",
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", text::one_decimal(bytes as f64 / 1e3)),
        1_000_000..1_000_000_000 => format!("{} MB", text::one_decimal(bytes as f64 / 1e6)),
        _ => format!("{} GB", text::one_decimal(bytes as f64 / 1e9)),
    }
}

fn dialects(inputs: &ReportInputs) -> Vec<DialectRow> {
    let width = |part: u64, whole: u64| match whole {
        0 => "0".to_owned(),
        _ => text::decimal(part as f64 * 100.0 / whole as f64, 2),
    };
    let row = |(dialect, c): (&String, &crate::lineage::Coverage)| DialectRow {
        dialect: dialect.clone(),
        scripts: text::thousands(c.scripts),
        statements: text::thousands(c.statements),
        parsed: text::thousands(c.parsed),
        helped: text::thousands(c.helped),
        scanned: text::thousands(c.scanned),
        not_understood: text::thousands(c.not_understood),
        share: text::percent(c.parsed + c.helped, c.statements),
        bar: [c.parsed, c.helped, c.scanned, c.not_understood].map(|part| width(part, c.statements)),
    };
    inputs.coverage.iter().map(row).collect()
}

fn codes(inputs: &ReportInputs) -> Vec<CodeGroup> {
    let mut groups: BTreeMap<&str, (Code, Vec<&Diagnostic>)> = BTreeMap::new();
    for diagnostic in inputs.diagnostics.iter() {
        groups.entry(diagnostic.code.code).or_insert((diagnostic.code, Vec::new())).1.push(diagnostic);
    }
    let mut groups: Vec<(Code, Vec<&Diagnostic>)> = groups.into_values().collect();
    groups.sort_by_key(|(code, _)| (std::cmp::Reverse(code.severity), code.code));
    groups.into_iter().map(|(code, found)| group(code, found)).collect()
}

fn group(code: Code, mut found: Vec<&Diagnostic>) -> CodeGroup {
    found.sort_by(|a, b| (&a.at, &a.here).cmp(&(&b.at, &b.here)));
    let place = |d: &&Diagnostic| Place {
        at: d.at.to_string(),
        here: d.here.clone(),
        help: if d.advice() == code.help { String::new() } else { d.advice().to_owned() },
    };
    CodeGroup {
        code: code.code.to_owned(),
        severity: severity(code.severity).to_owned(),
        summary: code.summary.to_owned(),
        count: found.len() as u64,
        count_text: text::thousands(found.len() as u64),
        help: code.help.to_owned(),
        places: found.iter().map(place).collect(),
    }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn summary(inputs: &ReportInputs) -> String {
    let found = inputs.diagnostics;
    let counts = [
        (found.count(Severity::Error), "error", "errors"),
        (found.count(Severity::Warning), "warning", "warnings"),
        (found.count(Severity::Note), "note", "notes"),
    ];
    let parts: Vec<String> =
        counts.iter().filter(|(n, ..)| *n > 0).map(|(n, one, many)| text::count(*n, one, many)).collect();
    if parts.is_empty() { "no faults found".to_owned() } else { text::prose(&parts) }
}
