//! A fault with its line of source. The one file that knows annotate-snippets.
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, renderer::DecorStyle};

use crate::{
    diagnostics::{Diagnostic, Severity},
    vocab::{Span, masked},
};

/// The fault as text: code, summary, the lines around its place where `source` is known, and what to do.
pub fn frame(diagnostic: &Diagnostic, source: Option<&str>, color: bool, width: usize) -> String {
    let code = diagnostic.code;
    let level = match code.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(code.summary).id(code.code);
    let path = format!("{}", diagnostic.at.file);
    let excerpt = source.and_then(|text| excerpt(text, diagnostic.at.start, diagnostic.at.end, width));
    let group = match &excerpt {
        Some(excerpt) => title.element(
            Snippet::source(excerpt.text.as_str())
                .line_start(diagnostic.at.line as usize)
                .path(&path)
                .annotation(AnnotationKind::Primary.span(excerpt.start..excerpt.end).label(diagnostic.here.as_str())),
        ),
        None => title.element(Level::NOTE.message(format!("{}: {}", diagnostic.at, diagnostic.here))),
    };
    let group = group.element(Level::HELP.message(diagnostic.advice()));
    let renderer = if color { Renderer::styled() } else { Renderer::plain() }.term_width(width);
    let framed = renderer.decor_style(DecorStyle::Ascii).render(&[group]);
    match excerpt {
        // Of a line that is shown from its middle, the columns of what is shown were counted.
        Some(Excerpt { whole: false, .. }) => {
            let Span { line, column, .. } = diagnostic.at;
            framed.replacen(&format!("{path}:{line}:1"), &format!("{path}:{line}:{column}"), 1)
        }
        _ => framed,
    }
}

/// Line number and frame beside a line of source.
const MARGIN: usize = 10;
/// Characters that are underlined at most, so that what is said of them stands beside.
const MARKED: usize = 24;

struct Excerpt {
    text: String,
    start: usize,
    end: usize,
    /// Whether the line is shown from its beginning.
    whole: bool,
}

/// The line that holds `start`, cut to `width` so that it stays one line; long ones are underlined only where they start.
fn excerpt(text: &str, start: usize, end: usize, width: usize) -> Option<Excerpt> {
    if end <= start || end > text.len() || !text.is_char_boundary(start) || !text.is_char_boundary(end) {
        return None;
    }
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
    let room = width.saturating_sub(MARGIN).max(40);
    // What is wrong may stand far out on its line: then the line is shown from there.
    let ahead = text[line_start..start].chars().count();
    let shown_from = if ahead > room / 2 { start } else { line_start };
    let line: String = covered(text, shown_from, line_end).chars().take(room).collect::<String>().replace('\r', " ");
    let from = (start - shown_from).min(line.len());
    let marked = text[start..end.min(line_end)].chars().take(MARKED).map(char::len_utf8).sum::<usize>();
    let to = (from + marked).min(line.len()).max(from);
    let (start, end, whole) = (from, to, shown_from == line_start);
    (line.is_char_boundary(from) && line.is_char_boundary(to)).then_some(Excerpt { text: line, start, end, whole })
}

/// Bytes `from..to` of `text`, secrets masked. What makes a text a secret may stand some lines before it.
fn covered(text: &str, from: usize, to: usize) -> String {
    const BEFORE: usize = 4096;
    let begin = (from.saturating_sub(BEFORE)..=from).find(|at| text.is_char_boundary(*at)).unwrap_or(from);
    masked(&text[begin..to])[from - begin..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostics::CodeEntry;

    #[test]
    fn a_fault_shows_its_place_its_cause_and_its_cure() {
        let text = "a: 1\ndialect: sparc\n";
        let at = text.find("sparc").unwrap();
        let span = Span::of("jobs/orders.yaml", text, at, at + 5);
        let fault = Diagnostic::new(CodeEntry::E014, span, "`sparc` is no dialect").help("did you mean `spark`?");
        let shown = frame(&fault, Some(text), false, 100);
        for part in [
            "error[E014]: Unknown dialect",
            "jobs/orders.yaml:2:10",
            "^^^^^ `sparc` is no dialect",
            "did you mean `spark`?",
        ] {
            assert!(shown.contains(part), "{part} in\n{shown}");
        }
    }

    #[test]
    fn a_secret_in_the_line_is_masked_and_the_mark_stays_true() {
        let text = "db:\n  password: |\n    hunter2-SECRET\n";
        let at = text.find("hunter2").unwrap();
        let fault = Diagnostic::new(CodeEntry::E005, Span::of("x.yaml", text, at, at + 14), "no such key");
        let shown = frame(&fault, Some(text), false, 100);
        assert!(shown.contains("**************") && !shown.contains("SECRET"), "{shown}");
    }

    #[test]
    fn a_line_of_source_keeps_to_the_screen_and_starts_where_the_fault_is() {
        let text = format!("SELECT {} FROM x WHERE broken(", "a_column, ".repeat(40));
        let at = text.find("broken").unwrap();
        let fault = Diagnostic::new(CodeEntry::E030, Span::of("x.sql", &text, at, text.len()), "no closing bracket");
        let shown = frame(&fault, Some(&text), false, 80);
        assert!(shown.contains("broken("), "{shown}");
        assert!(shown.contains(&format!(" x.sql:1:{}\n", at + 1)), "the column is that of the file: {shown}");
        assert!(!shown.contains(":::"), "{shown}");
        assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
    }

    #[test]
    fn a_place_beyond_the_text_still_names_its_line() {
        let fault = Diagnostic::new(CodeEntry::E001, Span::whole("x.sql"), "permission denied");
        assert!(frame(&fault, Some(""), false, 100).contains("x.sql:1:1"));
    }
}
