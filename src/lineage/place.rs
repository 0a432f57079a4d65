//! From places in rendered text to places in a script's text and in its file.
use std::{cell::RefCell, ops::Range, sync::Arc};

use crate::{estate::Script, vocab::Span};

/// One run of rendered text and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::lineage) struct Origin {
    /// Bytes of the rendered text.
    pub(in crate::lineage) out: Range<usize>,
    /// Bytes of the script's text.
    pub(in crate::lineage) source: Range<usize>,
    /// Whether both are the same, byte for byte.
    pub(in crate::lineage) same: bool,
}

/// Where rendered text comes from: runs in the order of the output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::lineage) struct Origins(Vec<Origin>);

impl Origins {
    /// Text of `length` bytes that nothing was done to.
    pub(in crate::lineage) fn same(length: usize) -> Self {
        Origins(vec![Origin { out: 0..length, source: 0..length, same: true }])
    }

    /// Runs in the order of the output.
    pub(in crate::lineage) fn of(runs: Vec<Origin>) -> Self {
        Origins(runs)
    }

    /// The runs.
    pub(in crate::lineage) fn runs(&self) -> &[Origin] {
        &self.0
    }

    /// The same for text that was made of a text which itself comes from `first`.
    pub(in crate::lineage) fn behind(&self, first: &Origins) -> Self {
        let place = |run: &Origin| {
            let (source, same) = first.source(&run.source);
            Origin { out: run.out.clone(), source, same: run.same && same }
        };
        Origins(self.0.iter().flat_map(|run| first.cut(run)).map(|run| place(&run)).collect())
    }

    /// `run` in pieces, each of which comes from one run of these where it is the same byte for byte.
    fn cut(&self, run: &Origin) -> Vec<Origin> {
        if !run.same {
            return vec![run.clone()];
        }
        let from = self.0.partition_point(|own| own.out.end <= run.source.start);
        let touched = self.0[from..].iter().take_while(|own| own.out.start < run.source.end);
        let piece = |own: &Origin| {
            let source = own.out.start.max(run.source.start)..own.out.end.min(run.source.end);
            let shift = |at: usize| run.out.start + at - run.source.start;
            Origin { out: shift(source.start)..shift(source.end), source, same: true }
        };
        touched.map(piece).collect()
    }

    /// Where rendered bytes `at` come from, and whether they stand there byte for byte.
    pub(in crate::lineage) fn source(&self, at: &Range<usize>) -> (Range<usize>, bool) {
        let first = self.0.partition_point(|run| run.out.end <= at.start);
        let touched = self.0[first..].iter().take_while(|run| run.out.start < at.end.max(at.start + 1));
        let mut source: Option<Range<usize>> = None;
        let mut exact = true;
        let mut runs = 0;
        for run in touched {
            let part = match run.same {
                true => {
                    let shift = |out: usize| run.source.start + out.clamp(run.out.start, run.out.end) - run.out.start;
                    shift(at.start)..shift(at.end)
                }
                false => run.source.clone(),
            };
            exact &= run.same && (run.out.start <= at.start && at.end <= run.out.end);
            runs += 1;
            source = Some(match source {
                Some(so_far) => so_far.start.min(part.start)..so_far.end.max(part.end),
                None => part,
            });
        }
        let end = self.0.last().map_or(0, |run| run.source.end);
        (source.unwrap_or(end..end), exact && runs == 1)
    }
}

/// Bytes of `script.text` as a place in its file.
pub(in crate::lineage) fn span_in(script: &Script, at: &Range<usize>) -> Span {
    if !script.verbatim {
        return script.at.clone();
    }
    let (line, column) = line_and_column(&script.text, at.start);
    Span {
        start: script.at.start + at.start,
        end: script.at.start + at.end,
        line: script.at.line + line,
        column: if line == 0 { script.at.column + column } else { column + 1 },
        file: script.at.file.clone(),
    }
}

thread_local! {
    /// The text whose places were asked for last, where its lines start, and whether a byte is a character in it: a
    /// script is asked for thousands, all of them on one line at times.
    static LAST: RefCell<(Arc<str>, Vec<usize>, bool)> = RefCell::new((Arc::from(""), vec![0], true));
}

/// Line and column of byte `at`, both counted from 0, the column in characters.
fn line_and_column(text: &Arc<str>, at: usize) -> (u32, u32) {
    LAST.with_borrow_mut(|(last, starts, plain)| {
        if !Arc::ptr_eq(last, text) {
            *starts = [0].into_iter().chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
            *last = Arc::clone(text);
            *plain = text.is_ascii();
        }
        let line = starts.partition_point(|start| *start <= at).saturating_sub(1);
        let before = &text.as_bytes()[starts[line].min(text.len())..at.min(text.len())];
        if *plain {
            return (line as u32, before.len() as u32);
        }
        // A continuation byte (0b10xxxxxx) starts no character.
        (line as u32, before.iter().filter(|byte| (**byte & 0xC0) != 0x80).count() as u32)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Origins {
        // `a {{ x }} b` rendered as `a XYZ b`
        Origins::of(vec![
            Origin { out: 0..2, source: 0..2, same: true },
            Origin { out: 2..5, source: 2..9, same: false },
            Origin { out: 5..7, source: 9..11, same: true },
        ])
    }

    #[test]
    fn lines_and_columns_are_those_of_a_span() {
        let text: Arc<str> = Arc::from("ab\r\ncdé x\n\ny");
        for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
            let span = Span::of("f", &text, at, at);
            assert_eq!(line_and_column(&text, at), (span.line - 1, span.column - 1), "at {at}");
        }
    }

    #[test]
    fn text_made_of_made_text_comes_from_the_first() {
        // `a XYZ b` with a word put before it
        let second = Origins::of(vec![
            Origin { out: 0..4, source: 0..0, same: false },
            Origin { out: 4..11, source: 0..7, same: true },
        ]);
        let both = second.behind(&sample());
        assert_eq!(both.source(&(4..5)), (0..1, true));
        assert_eq!(both.source(&(10..11)), (10..11, true));
        assert_eq!(both.source(&(6..8)), (2..9, false));
        assert_eq!(both.source(&(0..2)), (0..0, false));
    }

    #[test]
    fn literal_text_keeps_its_place_and_templates_give_theirs() {
        assert_eq!(sample().source(&(0..1)), (0..1, true));
        assert_eq!(sample().source(&(6..7)), (10..11, true));
        assert_eq!(sample().source(&(3..4)), (2..9, false));
        assert_eq!(sample().source(&(0..7)), (0..11, false));
    }
}
