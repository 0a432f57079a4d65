//! Faults of an estate on the terminal.
use std::collections::BTreeMap;

use crate::{
    cli::{Context, workspace::Workspace},
    console::frame,
    diagnostics::{Diagnostic, Diagnostics, Severity},
    estate::Root,
};

/// Every fault in its frame; with `all` false, the first of each code and how many more there are.
pub(super) fn show(context: &Context, roots: &[Root], diagnostics: &Diagnostics, all: bool) {
    let mut by_code: BTreeMap<(std::cmp::Reverse<Severity>, &str), Vec<&Diagnostic>> = BTreeMap::new();
    for diagnostic in diagnostics.iter() {
        let key = (std::cmp::Reverse(diagnostic.code.severity), diagnostic.code.code);
        by_code.entry(key).or_default().push(diagnostic);
    }
    for faults in by_code.values() {
        let shown = if all { faults.len() } else { 1 };
        for diagnostic in faults.iter().take(shown) {
            let text = Workspace::read_file(roots, &diagnostic.at.file);
            context.screen.out(frame(diagnostic, text.as_deref(), context.screen.color(), context.screen.width()));
        }
        if faults.len() > shown {
            let more = faults.len() - shown;
            context.screen.out(format!("   … and {more} more {}: `carve scan --all` lists them\n", faults[0].code));
        } else {
            context.screen.out("");
        }
    }
}

/// `3 errors, 12 warnings, 40 notes`.
pub(super) fn counts(diagnostics: &Diagnostics) -> String {
    let part = |severity, noun: &str| match diagnostics.count(severity) {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    };
    [part(Severity::Error, "error"), part(Severity::Warning, "warning"), part(Severity::Note, "note")].join(", ")
}
