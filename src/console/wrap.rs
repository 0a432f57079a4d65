//! Text in lines.

/// `text` in lines of at most `width` characters where its words allow it. Colour codes have no width.
pub(super) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let lead: String = text.chars().take_while(|c| *c == ' ').collect();
    let (mut lines, mut line, mut column) = (String::new(), lead.clone(), lead.len());
    let mut is_first = true;
    for word in text.trim_start_matches(' ').split(' ') {
        let room = shown_width(word);
        if !is_first && column + 1 + room > width {
            lines.push_str(&line);
            lines.push('\n');
            (line, column) = (" ".repeat(indent), indent);
        } else if !is_first {
            line.push(' ');
            column += 1;
        }
        line.push_str(word);
        column += room;
        is_first = false;
    }
    lines + &line
}

/// `text` in lines of at most `width` characters; a word that is longer is broken.
pub(super) fn in_lines(text: &str, width: usize) -> String {
    let width = width.max(1);
    let mut broken = String::new();
    for (at, word) in text.split(' ').enumerate() {
        broken.push_str(if at > 0 { " " } else { "" });
        for (place, c) in word.chars().enumerate() {
            // A blank lets the wrapping below break there; where it does, no blank is left.
            if place > 0 && place.is_multiple_of(width) {
                broken.push(' ');
            }
            broken.push(c);
        }
    }
    wrapped(&broken, width, 0)
}

fn shown_width(word: &str) -> usize {
    let mut in_code = false;
    let visible = |c: &char| {
        let starts = *c == '\u{1b}';
        let hidden = in_code || starts;
        in_code = if in_code { *c != 'm' } else { starts };
        !hidden
    };
    word.chars().filter(visible).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_wraps_between_words_and_hangs() {
        assert_eq!(wrapped("  - one two three", 10, 4), "  - one\n    two\n    three");
        assert_eq!(wrapped("short", 10, 4), "short");
        assert_eq!(wrapped("aword-longer-than-all b", 10, 2), "aword-longer-than-all\n  b");
    }

    #[test]
    fn a_word_longer_than_its_column_is_broken_and_nothing_is_lost() {
        assert_eq!(in_lines("abcdefgh ij", 3), "abc\ndef\ngh\nij");
        assert_eq!(in_lines("the same rows", 8), "the same\nrows");
        assert_eq!(in_lines("", 0), "");
    }

    #[test]
    fn colour_takes_no_room() {
        assert_eq!(wrapped("\u{1b}[1mone\u{1b}[0m two", 7, 0), "\u{1b}[1mone\u{1b}[0m two");
    }

    #[test]
    fn a_sentence_keeps_its_own_double_blanks() {
        assert_eq!(wrapped("a  b", 80, 0), "a  b");
    }
}
