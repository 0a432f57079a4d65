//! What a refresh came to, in the text format that Prometheus reads: a file for node_exporter's textfile collector.
//!
//! The one place where the clock is told: whoever watches a job must know when it last succeeded.
use std::{collections::BTreeMap, fmt::Write as _, fs};

use camino::Utf8Path;

use super::{
    exit::{ExitCode, Failure},
    workspace,
};
use crate::{apply::RefreshReport, vocab::ServiceName};

/// One run of a refresh.
pub(super) struct Run<'r> {
    pub(super) service: &'r ServiceName,
    /// Unix time of its end, in seconds.
    pub(super) ended_seconds: i64,
    /// How long it took, in seconds.
    pub(super) took_seconds: f64,
    pub(super) exit: u8,
    /// Runs it took, retries counted.
    pub(super) attempts: u32,
    /// What it did, when it succeeded.
    pub(super) report: Option<&'r RefreshReport>,
}

/// Name, help and type of every metric, in the order they are written.
const METRICS: [(&str, &str, &str); 13] = [
    ("carve_refresh_last_run_timestamp_seconds", "When the last refresh ended.", "gauge"),
    ("carve_refresh_last_success_timestamp_seconds", "When a refresh last ended with code 0.", "gauge"),
    ("carve_refresh_last_publication_timestamp_seconds", "When a refresh last published something.", "gauge"),
    ("carve_refresh_exit_code", "Exit code of the last refresh.", "gauge"),
    ("carve_refresh_duration_seconds", "How long the last refresh took.", "gauge"),
    ("carve_refresh_attempts", "Runs the last refresh took, retries counted.", "gauge"),
    ("carve_refresh_published", "Whether the last successful refresh published something.", "gauge"),
    ("carve_refresh_imported_tables", "Tables the last successful refresh replaced.", "gauge"),
    ("carve_refresh_pruned_publications", "Old publications the last successful refresh removed.", "gauge"),
    ("carve_service_rows", "Rows of the newest publication.", "gauge"),
    ("carve_service_parts", "Parts of the newest publication.", "gauge"),
    ("carve_service_bytes", "Bytes of the newest publication's parts.", "gauge"),
    ("carve_service_version_info", "The newest publication's version.", "gauge"),
];

/// Writes the metrics of `run` to `file`, whole or not at all. What a failed run does not know stays as the file had it.
pub(super) fn write(file: &Utf8Path, run: &Run<'_>) -> Result<(), Failure> {
    let before = fs::read_to_string(file).map(|text| read(&text, run.service)).unwrap_or_default();
    let written = workspace::write_file(file, text(run, before).as_bytes());
    written.map(|_| ()).map_err(|failure| failure.hint("let carve write there, or name another file with `--metrics`"))
}

/// Asked before the refresh: a misspelt path makes no folder, and is told before anything is done.
pub(super) fn folder_is_there(file: &Utf8Path) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => {
            let text = format!("cannot write `{file}`: there is no folder `{folder}`");
            Err(Failure::said(ExitCode::Usage, text).hint("correct `--metrics`, or make the folder"))
        }
        _ => Ok(()),
    }
}

/// Samples by metric: what stands behind its name, labels and value.
type Samples = BTreeMap<&'static str, String>;

fn text(run: &Run<'_>, before: Samples) -> String {
    let label = format!("{{service=\"{}\"}}", run.service);
    let mut samples = before;
    let mut set = |name: &'static str, value: String| drop(samples.insert(name, format!("{label} {value}")));
    set("carve_refresh_last_run_timestamp_seconds", run.ended_seconds.to_string());
    set("carve_refresh_exit_code", run.exit.to_string());
    set("carve_refresh_duration_seconds", format!("{:.3}", run.took_seconds));
    set("carve_refresh_attempts", run.attempts.to_string());
    if let Some(report) = run.report {
        set("carve_refresh_last_success_timestamp_seconds", run.ended_seconds.to_string());
        if report.published {
            set("carve_refresh_last_publication_timestamp_seconds", run.ended_seconds.to_string());
        }
        set("carve_refresh_published", u8::from(report.published).to_string());
        set("carve_refresh_imported_tables", report.imported.len().to_string());
        set("carve_refresh_pruned_publications", report.pruned.len().to_string());
        set("carve_service_rows", report.rows.to_string());
        set("carve_service_parts", report.parts.to_string());
        set("carve_service_bytes", report.bytes.to_string());
        let version = format!("{{service=\"{}\",version=\"{}\"}} 1", run.service, report.version);
        samples.insert("carve_service_version_info", version);
    }
    let mut text = String::new();
    for (name, help, kind) in METRICS {
        if let Some(sample) = samples.get(name) {
            // Writing to a string cannot fail.
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{sample}\n");
        }
    }
    text
}

/// What an earlier run of the same service left in the file.
fn read(text: &str, service: &ServiceName) -> Samples {
    let own = format!("{{service=\"{service}\"");
    let of = |name: &'static str| {
        let sample = text.lines().find_map(|line| line.strip_prefix(name).filter(|rest| rest.starts_with(&own)));
        sample.map(|sample| (name, sample.to_owned()))
    };
    METRICS.into_iter().filter_map(|(name, ..)| of(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> RefreshReport {
        RefreshReport {
            service: "orders".parse().unwrap(),
            version: "1.0.1".parse().unwrap(),
            published: true,
            imported: Vec::new(),
            rows: 7,
            parts: 2,
            bytes: 99,
            pruned: Vec::new(),
            changes: Vec::new(),
            broken_readers: Vec::new(),
            notes: Vec::new(),
            proofs: Vec::new(),
        }
    }

    fn run<'r>(service: &'r ServiceName, at: i64, exit: u8, report: Option<&'r RefreshReport>) -> Run<'r> {
        Run { service, ended_seconds: at, took_seconds: 1.5, exit, attempts: 1, report }
    }

    #[test]
    fn a_failed_run_keeps_the_time_of_the_last_success() {
        let service: ServiceName = "orders".parse().unwrap();
        let good = text(&run(&service, 100, 0, Some(&report())), Samples::new());
        let bad = text(&run(&service, 200, 5, None), read(&good, &service));
        let has = |line: &str| assert!(bad.lines().any(|its| its == line), "{line}\n{bad}");
        has("carve_refresh_last_run_timestamp_seconds{service=\"orders\"} 200");
        has("carve_refresh_last_success_timestamp_seconds{service=\"orders\"} 100");
        has("carve_refresh_exit_code{service=\"orders\"} 5");
        has("carve_service_rows{service=\"orders\"} 7");
        has("carve_service_version_info{service=\"orders\",version=\"1.0.1\"} 1");
        has("# TYPE carve_service_rows gauge");
    }

    #[test]
    fn what_another_service_left_is_not_taken_over() {
        let [orders, other]: [ServiceName; 2] = ["orders".parse().unwrap(), "orders-eu".parse().unwrap()];
        let good = text(&run(&orders, 100, 0, Some(&report())), Samples::new());
        assert!(read(&good, &other).is_empty());
    }
}
