//! Documents that must not drift from the program.
use std::{fs, path::Path};

use carve::diagnostics::{CODES, Severity};

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

#[test]
fn every_fault_stands_in_the_docs_as_it_is_told() {
    let text = document("docs/DIAGNOSTICS.md");
    for entry in CODES {
        let severity = match entry.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let row = format!("| {} | {severity} | {} | {} |", entry.code, entry.summary, entry.help);
        assert!(text.contains(&row), "docs/DIAGNOSTICS.md lacks the row\n{row}");
    }
    let rows = text.lines().filter(|line| line.starts_with("| E")).count();
    assert_eq!(rows, CODES.len(), "docs/DIAGNOSTICS.md tells of faults there are not");
}

#[test]
fn every_command_stands_in_the_docs() {
    let help = crate::support::run(Path::new("."), &["--help"], 0);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let text = document("docs/COMMANDS.md");
    for command in commands.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next()) {
        if !["help", "completions", "man"].contains(&command) {
            assert!(text.contains(&format!("| `{command}")), "docs/COMMANDS.md lacks `{command}`");
        }
    }
}

#[test]
fn links_between_the_documents_lead_somewhere() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    for name in ["README.md", "docs/APPLY.md", "docs/FORMAT.md", "docs/JOBS.md", "docs/REPORT.md", "docs/SCORING.md"] {
        let text = document(name);
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split(')').next().unwrap().split('#').next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = top.join(name).parent().unwrap().join(target);
            assert!(path.exists(), "{name} links to {target}");
        }
    }
}

/// What the README quotes of the demo, but for what depends on how many rows there are and how fast the machine is.
fn steady(told: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in told.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let kept = match words.first().copied() {
            None => continue,
            Some("Next") => break,
            // The README folds long lines.
            Some(_) if line.starts_with(' ') => {
                lines.last_mut().unwrap().push_str(&format!(" {}", words.join(" ")));
                continue;
            }
            Some("transport" | "continuity" | "downstream") => &words[..4],
            Some("Published") => &words[words.iter().position(|word| *word == "under").unwrap()..],
            Some("Report") => &words[..2],
            Some("The") => &words[3..],
            Some(_) => &words[..],
        };
        lines.push(kept.join(" "));
    }
    lines
}

#[test]
fn the_readme_quotes_the_demo_as_it_is() {
    let text = document("README.md");
    let quoted = text.split("```").find(|block| block.starts_with("text\nThe estate")).unwrap();
    let quoted = quoted.strip_prefix("text\n").unwrap();
    let here = crate::support::folder();
    let told = crate::support::run(here.path(), &["demo", "--scale", "0.004"], 0);
    pretty_assertions::assert_eq!(steady(quoted), steady(&told));
    // Before its apply: that adds a refresh job of its own.
    let (_keep, shop) = crate::support::planned();
    let scanned = crate::support::run(&shop, &["scan", "--format", "json"], 0);
    let jobs = serde_json::from_str::<serde_json::Value>(&scanned).unwrap()["jobs"].clone();
    let said = text.split(" untidy jobs").next().unwrap().rsplit(' ').next().unwrap();
    assert_eq!(jobs.to_string(), said, "the README counts the jobs");
}
