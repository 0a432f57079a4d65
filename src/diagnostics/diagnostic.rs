use serde::Serialize;

use super::{Code, Severity};
use crate::vocab::Span;

/// One fault at one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// Which fault it is.
    pub code: Code,
    /// Where it is.
    pub at: Span,
    /// What is wrong here, in one line.
    pub here: String,
    /// What to do here; the code's own help where it is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Diagnostic {
    /// The fault `code` at `at`; `here` says what is wrong in this place.
    pub fn new(code: Code, at: Span, here: impl Into<String>) -> Self {
        Diagnostic { code, at, here: here.into(), help: None }
    }

    /// The same fault with advice of its own.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What to do.
    pub fn advice(&self) -> &str {
        self.help.as_deref().unwrap_or(self.code.help)
    }
}

/// All the faults of one reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Takes one more.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Takes all of `others`.
    pub fn extend(&mut self, others: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(others);
    }

    /// Puts them in the order of their places, then codes, each once.
    pub fn sort(&mut self) {
        self.0.sort_by(|a, b| (&a.at, a.code.code, &a.here).cmp(&(&b.at, b.code.code, &b.here)));
        self.0.dedup();
    }

    /// Each in turn.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// How many weigh `severity`.
    pub fn count(&self, severity: Severity) -> usize {
        self.0.iter().filter(|d| d.code.severity == severity).count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
