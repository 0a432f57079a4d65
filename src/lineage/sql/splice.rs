//! Text put together from pieces of a script, which remembers where each piece stands there.
use std::ops::Range;

/// Text made of pieces of another text and of words between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::lineage) struct Splice {
    /// The text.
    pub(in crate::lineage) text: String,
    runs: Vec<(Range<usize>, usize)>,
}

impl Splice {
    /// Adds the bytes `range` of `script`.
    pub(super) fn keep(&mut self, script: &str, range: Range<usize>) {
        let start = self.text.len();
        self.text.push_str(&script[range.clone()]);
        self.runs.push((start..self.text.len(), range.start));
    }

    /// Adds words that stand nowhere.
    pub(super) fn add(&mut self, words: &str) {
        self.text.push_str(words);
    }

    /// The same pieces under `text`, which is as long: clauses may have become blanks.
    pub(super) fn with_text(&self, text: String) -> Self {
        debug_assert_eq!(text.len(), self.text.len());
        Splice { text, runs: self.runs.clone() }
    }

    /// Where the bytes `at` of the text stand in the script, and whether they stand there in one piece.
    pub(super) fn place(&self, at: &Range<usize>) -> (Range<usize>, bool) {
        let run = |byte: usize| self.runs.iter().rfind(|(run, _)| run.start <= byte).or(self.runs.first());
        let place = |byte: usize, (run, from): &(Range<usize>, usize)| {
            from + byte.saturating_sub(run.start).min(run.end - run.start)
        };
        let Some(first) = run(at.start) else { return (0..0, false) };
        let start = place(at.start, first);
        if at.start >= first.0.start && at.end <= first.0.end {
            return (start..place(at.end, first), true);
        }
        let end = run(at.end).map_or(start, |last| place(at.end, last));
        (start..end.max(start), false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_knows_where_it_stands() {
        let script = "from a insert into b select c";
        let mut splice = Splice::default();
        splice.keep(script, 7..29);
        splice.add(" ");
        splice.keep(script, 0..6);
        assert_eq!(splice.text, "insert into b select c from a");
        let at = splice.text.rfind('a').unwrap();
        assert_eq!(splice.place(&(at..at + 1)), (5..6, true));
        assert_eq!(splice.place(&(12..13)), (19..20, true));
        assert!(!splice.place(&(20..27)).1);
    }
}
