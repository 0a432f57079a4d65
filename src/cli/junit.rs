//! Results as JUnit XML, which every build server shows. The same result, the same bytes: no times, no host.
use camino::Utf8Path;

use super::{exit::Failure, workspace};

/// A suite of cases: one comparison, or the proofs of one service.
pub(super) struct Suite {
    name: String,
    cases: Vec<Case>,
}

/// One thing that was to hold.
struct Case {
    class: String,
    name: String,
    outcome: Outcome,
}

/// How it came out.
enum Outcome {
    Holds,
    /// What is wrong, and the lines that show it.
    Fails(String, Vec<String>),
    Skipped(String),
}

impl Suite {
    /// An empty suite.
    pub(super) fn new(name: impl Into<String>) -> Self {
        Suite { name: name.into(), cases: Vec::new() }
    }

    /// A case that holds.
    pub(super) fn holds(&mut self, class: &str, name: impl Into<String>) {
        self.push(class, name, Outcome::Holds);
    }

    /// A case that fails: `why` in a line, then what shows it.
    pub(super) fn fails(&mut self, class: &str, name: impl Into<String>, why: impl Into<String>, lines: Vec<String>) {
        self.push(class, name, Outcome::Fails(why.into(), lines));
    }

    /// A case that could not be tried.
    pub(super) fn skipped(&mut self, class: &str, name: impl Into<String>, why: impl Into<String>) {
        self.push(class, name, Outcome::Skipped(why.into()));
    }

    fn push(&mut self, class: &str, name: impl Into<String>, outcome: Outcome) {
        self.cases.push(Case { class: class.to_owned(), name: name.into(), outcome });
    }

    /// Writes the suite to `file`, whole or not at all.
    pub(super) fn write(&self, file: &Utf8Path) -> Result<(), Failure> {
        workspace::write_file(file, self.xml().as_bytes()).map(|_| ())
    }

    fn xml(&self) -> String {
        let count = |which: fn(&Outcome) -> bool| self.cases.iter().filter(|case| which(&case.outcome)).count();
        let counts = format!(
            "tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\"",
            self.cases.len(),
            count(|outcome| matches!(outcome, Outcome::Fails(..))),
            count(|outcome| matches!(outcome, Outcome::Skipped(_)))
        );
        let mut text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"carve verify\" {counts}>\n  \
             <testsuite name=\"{}\" {counts}>\n",
            escaped(&self.name)
        );
        self.cases.iter().for_each(|case| text.push_str(&case.xml()));
        text + "  </testsuite>\n</testsuites>\n"
    }
}

impl Case {
    fn xml(&self) -> String {
        let open = format!("    <testcase classname=\"{}\" name=\"{}\"", escaped(&self.class), escaped(&self.name));
        match &self.outcome {
            Outcome::Holds => format!("{open}/>\n"),
            Outcome::Skipped(why) => {
                format!("{open}>\n      <skipped message=\"{}\"/>\n    </testcase>\n", escaped(why))
            }
            Outcome::Fails(why, lines) => format!(
                "{open}>\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                escaped(why),
                escaped(&lines.join("\n"))
            ),
        }
    }
}

/// Text for attributes and elements; characters that XML has no way to write become `\u{fffd}`.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suite_counts_its_cases_and_keeps_xml_whole() {
        let mut suite = Suite::new("a & b");
        suite.holds("rows", "same count");
        suite.fails("columns", "note", "\"x\" < 1", vec!["one\u{1}".to_owned(), "two".to_owned()]);
        suite.skipped("proof", "origin", "moved on");
        let xml = suite.xml();
        assert!(
            xml.contains("<testsuite name=\"a &amp; b\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\">"),
            "{xml}"
        );
        assert!(xml.contains("<failure message=\"&quot;x&quot; &lt; 1\">one\u{fffd}&#10;two</failure>"), "{xml}");
    }
}
