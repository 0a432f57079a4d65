//! Failures become exit codes and advice here, and nowhere else.
use std::{collections::BTreeSet, process};

use crate::{
    apply::{ApplyError, Concern, Needs, PreflightFinding},
    connector::{ConnectorError, may_pass},
    console::Screen,
    console::Style,
    plan::PlanFileError,
};

/// What carve's process says when it ends. The numbers are part of its interface: docs/COMMANDS.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ExitCode {
    /// Done, or nothing to do.
    Done = 0,
    /// An error.
    Error = 1,
    /// Changes are present; only with `--detailed-exitcode`.
    Changes = 2,
    /// The plan is stale or was altered.
    Stale = 3,
    /// A precondition, an approval or a policy is in the way.
    Blocked = 4,
    /// Stopped midway; the same command goes on.
    Stopped = 5,
    /// Another carve is at work.
    Locked = 6,
    /// Two sides that must be equal are not.
    Different = 7,
    /// The command line was not understood.
    Usage = 64,
    /// A person asked carve to stop.
    Interrupted = 130,
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        process::ExitCode::from(code as u8)
    }
}

/// Why a command did not do what was asked.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    code: ExitCode,
    message: String,
    causes: Vec<String>,
    details: Vec<String>,
    hint: Option<String>,
}

impl Failure {
    /// A failure with its chain of causes.
    pub(super) fn new(code: ExitCode, error: &dyn std::error::Error) -> Self {
        let mut causes = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            let text = cause.to_string();
            if causes.last() != Some(&text) {
                causes.push(text);
            }
            source = cause.source();
        }
        Failure { code, message: error.to_string(), causes, details: Vec::new(), hint: None }
    }

    /// A failure in words.
    pub(super) fn said(code: ExitCode, message: impl Into<String>) -> Self {
        Failure { code, message: message.into(), causes: Vec::new(), details: Vec::new(), hint: None }
    }

    /// What the system says of a file or folder: something a person must change first (a permission, a name), or
    /// something that passes (a full disk).
    pub(super) fn io(doing: impl std::fmt::Display, error: &std::io::Error) -> Self {
        let code = if may_pass(error) { ExitCode::Stopped } else { ExitCode::Blocked };
        Failure::said(code, format!("cannot {doing}: {error}"))
    }

    /// A file named on the command line that cannot be read. One that is not there is an error of that line.
    pub(super) fn read(file: &camino::Utf8Path, error: &std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::InvalidData => {
                Failure::said(ExitCode::Error, format!("cannot read `{file}`: {error}"))
            }
            _ => Failure::io(format!("read `{file}`"), error),
        }
    }

    /// What to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// More lines about it.
    pub(super) fn details(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(lines);
        self
    }

    /// The exit code it stands for.
    pub(super) fn code(&self) -> ExitCode {
        self.code
    }

    /// What failed, and its last cause.
    pub(super) fn in_short(&self) -> String {
        match self.causes.last() {
            Some(cause) => format!("{}: {cause}", self.message),
            None => self.message.clone(),
        }
    }

    /// As programs read it.
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::json!({ "exit_code": self.code as u8, "message": self.message, "causes": self.causes,
                            "details": self.details, "hint": self.hint })
    }

    /// Shows it, once, and gives the process's exit code.
    pub(super) fn show(&self, screen: &Screen, json: bool) -> ExitCode {
        if json {
            screen.answer(serde_json::json!({ "format": "carve-failure/1", "error": self.json() }));
        }
        screen.error(format!("{} {}", screen.paint(Style::Bad, "error:"), self.message));
        for cause in &self.causes {
            screen.error(format!("  because: {cause}"));
        }
        for line in &self.details {
            screen.error(format!("  - {line}"));
        }
        if let Some(hint) = &self.hint {
            screen.error(format!("{} {hint}", screen.paint(Style::Strong, "  to do:")));
        }
        self.code
    }
}

impl From<ApplyError> for Failure {
    fn from(error: ApplyError) -> Self {
        let code = match (&error, error.needs()) {
            (ApplyError::Interrupted { .. }, _) => ExitCode::Interrupted,
            (_, Needs::Again) => ExitCode::Stopped,
            (_, Needs::Waiting) => ExitCode::Locked,
            (_, Needs::Change) => ExitCode::Blocked,
            (_, Needs::Replanning) => ExitCode::Stale,
            (_, Needs::Looking) => ExitCode::Different,
            (_, Needs::Mending) => ExitCode::Error,
        };
        let mut failure = Failure::new(code, &error);
        match &error {
            ApplyError::Stale { findings, .. }
            | ApplyError::Blocked { findings, .. }
            | ApplyError::Unanswered { findings, .. } => {
                failure.details = folded(findings);
            }
            ApplyError::NotEqual { differences, .. } => failure.details.clone_from(differences),
            _ => {}
        }
        failure.hint = error.hint();
        failure
    }
}

/// A line a finding. What only says again, of another table, why something did not answer is counted, not repeated.
fn folded(findings: &[PreflightFinding]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut told = BTreeSet::new();
    for (at, finding) in findings.iter().enumerate() {
        let cause = what_and_cause(finding).map(|(_, cause)| cause);
        let is_first = cause.is_none_or(|cause| told.insert(cause));
        // Whatever has a cure of its own is told.
        if is_first || finding.hint.is_some() {
            lines.push(finding_line(finding));
        }
        if let Some(cause) = cause.filter(|_| is_first) {
            lines.extend(by_the_same(cause, &findings[at + 1..]));
        }
    }
    lines
}

/// What is the matter, and why; `None` where the words have no such parts, or are of a step that is stale: each is told.
fn what_and_cause(finding: &PreflightFinding) -> Option<(&str, &str)> {
    finding.what.split_once(": ").filter(|_| finding.concern != Concern::Stale)
}

/// A line for those of `findings` that have this cause and no cure of their own.
fn by_the_same(cause: &str, findings: &[PreflightFinding]) -> Option<String> {
    let parts = findings.iter().filter(|other| other.hint.is_none()).filter_map(what_and_cause);
    let what: Vec<&str> = parts.filter(|(_, why)| *why == cause).map(|(what, _)| what).collect();
    match what[..] {
        [] => None,
        [only] => Some(format!("by the same cause: {only}")),
        [first, ..] => Some(format!("and {} more by the same cause, the first: {first}", what.len())),
    }
}

fn finding_line(finding: &PreflightFinding) -> String {
    match &finding.hint {
        Some(hint) => format!("{} ({hint})", finding.what),
        None => finding.what.clone(),
    }
}

impl From<PlanFileError> for Failure {
    fn from(error: PlanFileError) -> Self {
        let (code, hint) = match &error {
            PlanFileError::Altered { .. } => {
                (ExitCode::Stale, "change carve.yaml and run `carve plan` again, or restore the file from git")
            }
            PlanFileError::Format { .. } => (ExitCode::Stale, "run `carve plan` again with this carve"),
            PlanFileError::Malformed(_) => (
                ExitCode::Stale,
                "run `carve plan` again, or restore the file from git; carve.yaml is the place for changes",
            ),
            PlanFileError::Unreadable(_) => {
                (ExitCode::Error, "give carve permission to read it; or `carve plan` drafts it anew")
            }
            PlanFileError::Unwritable(_) => (ExitCode::Error, "run `carve plan` again"),
        };
        Failure::new(code, &error).hint(hint)
    }
}

impl From<ConnectorError> for Failure {
    fn from(error: ConnectorError) -> Self {
        let (code, cure) = match &error {
            busy if busy.is_busy() => (ExitCode::Locked, "wait for it to end, then run the same command again"),
            passes if passes.may_pass() => (ExitCode::Stopped, "run the same command again when it answers"),
            ConnectorError::NoSuchObject(_) => {
                (ExitCode::Different, "`carve verify SERVICE` tells all that is damaged, `carve refresh` mends it")
            }
            _ => (ExitCode::Blocked, "change what is named above, then run the same command again"),
        };
        let failure = Failure::new(code, &error);
        match error.cure() {
            Some(cure) => failure.hint(cure),
            None => failure.hint(cure),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_cause_in_many_places_is_told_once() {
        let finding = |concern, what: &str| PreflightFinding { step: None, concern, what: what.to_owned(), hint: None };
        let blocks = |what: &str| finding(Concern::Blocks, what);
        let stale = |what: &str| finding(Concern::Stale, what);
        let found = [
            stale("step `a`: it changed"),
            stale("step `b`: it changed"),
            blocks("the lake does not answer: no database"),
            blocks("cannot read `x`: no database"),
            blocks("cannot read `y`: no database"),
            blocks("cannot read `z`: no permission"),
            blocks("`q` is not connected"),
            PreflightFinding { hint: Some("change it".to_owned()), ..blocks("job `j`: no database") },
        ];
        let expected = [
            "step `a`: it changed",
            "step `b`: it changed",
            "the lake does not answer: no database",
            "and 2 more by the same cause, the first: cannot read `x`",
            "cannot read `z`: no permission",
            "`q` is not connected",
            "job `j`: no database (change it)",
        ];
        assert_eq!(folded(&found), expected);
    }
}
