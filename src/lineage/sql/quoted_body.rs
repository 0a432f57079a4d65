//! The body of a routine between plain quotes, in which quotes are doubled: `AS 'BEGIN … WHERE b = ''x''; END'`.

/// `inner`, which stands between the quotes, with single quotes for the doubled ones and every other byte where it was.
/// `None` where it escapes anything in another way.
pub(super) fn undoubled(inner: &str) -> Option<String> {
    if inner.contains('\\') {
        return None;
    }
    let (mut out, mut rest, mut within) = (String::with_capacity(inner.len()), inner, Within::Code);
    while let Some(c) = rest.chars().next() {
        let quotes = rest.bytes().take_while(|b| *b == b'\'').count();
        if quotes % 2 == 1 {
            return None;
        }
        let width = if quotes > 0 { quotes } else { c.len_utf8() };
        within = match (within, quotes / 2) {
            (Within::Code, 0) if rest.starts_with("--") => Within::Line,
            (Within::Code, 0) if rest.starts_with("/*") => Within::Comment,
            (Within::Line, 0) if c == '\n' => Within::Code,
            (Within::Comment, 0) if rest.starts_with('/') && out.ends_with('*') => Within::Code,
            (Within::Code, one) if one % 2 == 1 => Within::Text,
            (Within::Text, one) if one % 2 == 1 => Within::Code,
            (same, _) => same,
        };
        // What opens a text stands before it, what closes one behind it: blanks within would change it.
        let (quoted, blanks) = ("'".repeat(quotes / 2), " ".repeat(quotes / 2));
        match (quotes, within) {
            (0, _) => out.push(c),
            (_, Within::Text) if quotes % 4 == 2 => out.extend([blanks, quoted]),
            _ => out.extend([quoted, blanks]),
        }
        rest = &rest[width..];
    }
    Some(out)
}

/// Where a byte of the body stands.
#[derive(Clone, Copy)]
enum Within {
    Code,
    Text,
    Line,
    Comment,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(inner: &str) -> String {
        let out = undoubled(inner).unwrap();
        assert_eq!(out.len(), inner.len());
        out
    }

    #[test]
    fn a_doubled_quote_is_one_and_what_stands_behind_it_stays_where_it_was() {
        assert_eq!(read("where b = ''x'' and c"), "where b =  'x'  and c");
        assert_eq!(read("select '''' , 1"), "select ''   , 1");
        assert_eq!(read("b = ''it''''s'' c"), "b =  'it''  s'  c");
        assert_eq!(read("b = ''''''x'' c"), "b =    '''x'  c");
    }

    #[test]
    fn quotes_in_comments_open_nothing() {
        assert_eq!(read("-- don''t\nb = ''x''"), "-- don' t\nb =  'x' ");
        assert_eq!(read("/* it''s */ b = ''x''"), "/* it' s */ b =  'x' ");
    }

    #[test]
    fn what_is_escaped_otherwise_is_left_alone() {
        assert!(undoubled(r"b = \'x\'").is_none() && undoubled("b = 'x").is_none());
    }
}
