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
