//! The last resort: a template that cannot be rendered as one is filled expression by expression.
use super::tags::{next_tag, tag_end};
use crate::lineage::{
    place::{Origin, Origins},
    resolve::MASK,
};

/// What pieces are evaluated by.
pub(super) trait Evaluate {
    /// The text that `expression` gives; `None` where it cannot be told.
    fn text(&mut self, expression: &str) -> Option<String>;
    /// `{% set name = expression %}`.
    fn set(&mut self, name: &str, expression: &str);
}

/// `text` with every expression evaluated alone, or by a mark where it cannot be, and without its tags.
///
/// Of the branches of an `if` only the first is kept, of a loop its body once, of a macro nothing.
pub(super) fn filled(text: &str, by: &mut impl Evaluate) -> (String, Origins) {
    let mut made = Made::default();
    let (mut at, mut skipping) = (0, None);
    while let Some((start, open)) = next_tag(text, at) {
        let end = tag_end(text, start, open);
        if skipping.is_none() {
            made.keep(text, at..start);
        }
        let inner = text[(start + 2).min(end)..end].trim_end_matches([open, '}']);
        let inner = inner.trim_matches(['-', '+']).trim();
        match open {
            '%' => skipping = tag(inner, skipping, by),
            '{' if skipping.is_none() => {
                let value = by.text(inner).unwrap_or_else(|| MASK.to_owned());
                made.put(&value, start..end);
            }
            _ => {}
        }
        at = end;
    }
    made.keep(text, at..text.len());
    (made.text, Origins::of(made.runs))
}

/// The tag that ends what is being skipped, after the tag `inner`.
fn tag(inner: &str, skipping: Option<&'static str>, by: &mut impl Evaluate) -> Option<&'static str> {
    let (word, rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
    match (word, skipping) {
        (word, Some(until)) if word == until => None,
        (_, Some(until)) => Some(until),
        ("else" | "elif", None) => Some("endif"),
        ("macro", None) => Some("endmacro"),
        ("set", None) => {
            let Some((name, expression)) = rest.split_once('=') else { return Some("endset") };
            by.set(name.trim(), expression.trim());
            None
        }
        _ => None,
    }
}

#[derive(Default)]
struct Made {
    text: String,
    runs: Vec<Origin>,
}

impl Made {
    fn keep(&mut self, from: &str, source: std::ops::Range<usize>) {
        let out = self.text.len()..self.text.len() + source.len();
        self.text.push_str(&from[source.clone()]);
        self.runs.push(Origin { out, source, same: true });
    }

    fn put(&mut self, value: &str, source: std::ops::Range<usize>) {
        let out = self.text.len()..self.text.len() + value.len();
        self.text.push_str(value);
        self.runs.push(Origin { out, source, same: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Known(Vec<String>);

    impl Evaluate for Known {
        fn text(&mut self, expression: &str) -> Option<String> {
            (expression == "t" || self.0.iter().any(|name| name == expression)).then(|| format!("raw_{expression}"))
        }

        fn set(&mut self, name: &str, _: &str) {
            self.0.push(name.to_owned());
        }
    }

    #[test]
    fn what_can_be_told_is_filled_and_the_rest_is_marked() {
        let text = "{% set s = 1 %}a {% if x %}{{ t }}{% else %}c{% endif %} {{ s }} {{ d -}} e";
        let (made, origins) = filled(text, &mut Known(Vec::new()));
        assert_eq!(made, format!("a raw_t raw_s {MASK} e"));
        let e = made.len() - 1;
        assert_eq!(origins.source(&(e..e + 1)), (text.len() - 1..text.len(), true));
    }

    proptest! {
        #[test]
        fn any_text_is_filled(text in "[a-z{}%# \n\u{e9}-]{0,60}") {
            let _ = filled(&text, &mut Known(Vec::new()));
        }
    }
}
