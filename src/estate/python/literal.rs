//! What the characters of a string literal say.

/// The text of the characters `raw` between quotes.
pub(super) fn decoded(raw: &str, is_raw: bool, is_format: bool) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' if !is_raw => escape(&mut rest, &mut out),
            '{' | '}' if is_format && rest.peek() == Some(&c) => {
                rest.next();
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    match rest.next() {
        Some('n') => out.push('\n'),
        Some('t') => out.push('\t'),
        Some('r') => out.push('\r'),
        Some('\n') => {}
        Some(c @ ('\\' | '\'' | '"')) => out.push(c),
        Some('x') => number(rest, 2, out),
        Some('u') => number(rest, 4, out),
        Some('U') => number(rest, 8, out),
        Some('0') => out.push(' '),
        Some(other) => out.extend(['\\', other]),
        None => out.push('\\'),
    }
}

fn number(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, digits: usize, out: &mut String) {
    let mut value = 0u32;
    for _ in 0..digits {
        let Some(digit) = rest.peek().and_then(|c| c.to_digit(16)) else { break };
        value = value.wrapping_mul(16).wrapping_add(digit);
        rest.next();
    }
    out.push(char::from_u32(value).filter(|c| *c != '\0').unwrap_or('\u{FFFD}'));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_say_what_python_says() {
        assert_eq!(decoded("a\\n\\'\\x41\\u00e9\\d", false, false), "a\n'Aé\\d");
        assert_eq!(decoded("a\\n", true, false), "a\\n");
        assert_eq!(decoded("{{ ds }}", false, true), "{ ds }");
        assert_eq!(decoded("\\", false, false), "\\");
    }
}
