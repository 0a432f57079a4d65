//! Calls with literal arguments in templates and Python: `config(materialized='table')`, `ref("orders")`.
//! A tolerant scan: what is no literal is passed over, and nothing is run.

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call {
    /// Arguments in their order.
    pub(super) arguments: Vec<Argument>,
    /// First byte of the function's name.
    pub(super) start: usize,
    /// One past the closing parenthesis.
    pub(super) end: usize,
}

/// One argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Argument {
    /// The keyword, where it has one.
    pub(super) name: Option<String>,
    /// The value, where it is a text, a number or a bare word.
    pub(super) literal: Option<String>,
    /// The bytes of the value.
    pub(super) place: (usize, usize),
}

impl Call {
    /// The literal behind keyword `name`.
    pub(super) fn named(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find(|argument| argument.name.as_deref() == Some(name))?.literal.as_deref()
    }

    /// The bytes of the value behind keyword `name`.
    pub(super) fn place_of(&self, name: &str) -> Option<(usize, usize)> {
        self.arguments.iter().find(|argument| argument.name.as_deref() == Some(name)).map(|argument| argument.place)
    }

    /// The literals without a keyword.
    pub(super) fn positional(&self) -> Vec<&str> {
        self.arguments
            .iter()
            .filter(|argument| argument.name.is_none())
            .filter_map(|argument| argument.literal.as_deref())
            .collect()
    }
}

/// Every call of `function` in `text`, in order.
pub(super) fn calls(text: &str, function: &str) -> Vec<Call> {
    let bytes = text.as_bytes();
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut found = Vec::new();
    for (start, _) in text.match_indices(function) {
        let after = start + function.len();
        let open = after + bytes[after..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let alone = start == 0 || !is_word(bytes[start - 1]);
        if alone && bytes.get(open) == Some(&b'(') {
            found.extend(arguments(text, open + 1).map(|(arguments, end)| Call { arguments, start, end }));
        }
    }
    found
}

/// The arguments from byte `at` on, and one past the parenthesis that closes them.
fn arguments(text: &str, mut at: usize) -> Option<(Vec<Argument>, usize)> {
    let mut found = Vec::new();
    loop {
        let end = argument_end(text, at)?;
        let piece = &text[at..end];
        if !piece.trim().is_empty() {
            found.push(argument(piece, at));
        }
        at = end + 1;
        if text.as_bytes()[end] == b')' {
            return Some((found, at));
        }
    }
}

/// Where the comma or parenthesis stands that ends the argument at `at`.
fn argument_end(text: &str, at: usize) -> Option<usize> {
    let (mut depth, mut quote) = (0u32, None);
    let mut bytes = text.as_bytes()[at..].iter().enumerate();
    while let Some((offset, byte)) = bytes.next() {
        match (quote, byte) {
            (Some(_), b'\\') => drop(bytes.next()),
            (Some(open), byte) if open == *byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(*byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b',' | b')') if depth == 0 => return Some(at + offset),
            (None, b')' | b']' | b'}') => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

fn argument(piece: &str, at: usize) -> Argument {
    let end = at + piece.len();
    let named = piece.split_once('=').filter(|(name, value)| is_name(name.trim()) && !value.starts_with('='));
    match named {
        Some((name, value)) => {
            let place = (end - value.len(), end);
            Argument { name: Some(name.trim().to_owned()), literal: literal(value), place }
        }
        None => Argument { name: None, literal: literal(piece), place: (at, end) },
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn literal(text: &str) -> Option<String> {
    let text = text.trim();
    let quoted = ['\'', '"'].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote));
    match quoted {
        // Two texts joined by an operator are no literal.
        Some(inner) => (!inner.contains(['\'', '"'])).then(|| inner.to_owned()),
        None => is_name(&text.replace(['.', '-'], "_")).then(|| text.to_owned()).filter(|text| !text.contains('.')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_taken_and_the_rest_passed_over() {
        let text = "{{ config(materialized = 'table', tags=['a', 'b)'], schema=\"stg\", enabled=true, x=var('y'), post_hook=\"grant (\") }}";
        let call = &calls(text, "config")[0];
        assert_eq!(call.named("materialized"), Some("table"));
        assert_eq!((call.named("schema"), call.named("enabled"), call.named("x")), (Some("stg"), Some("true"), None));
        assert_eq!(call.arguments.len(), 6);
    }

    #[test]
    fn only_the_whole_name_is_a_call() {
        assert_eq!(
            calls("my_ref('a') ref ( 'b' , \"c\")", "ref")
                .iter()
                .map(|call| call.positional().join("."))
                .collect::<Vec<_>>(),
            ["b.c"]
        );
        assert!(calls("ref('never closed", "ref").is_empty());
        assert!(calls("ref(a])", "ref").is_empty());
    }
}
