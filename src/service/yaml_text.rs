//! A value as YAML whose bytes are carve's own to keep, and whose texts stay texts for readers of YAML
//! 1.1 too: they take `no`, `on`, `1:30` and `2024-01-01` for something else unless quotes stand around.
use serde_yaml::{Mapping, Value};

/// Words that one version of YAML or another reads as no text.
const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];

/// `value` in block style, two spaces a level, texts plain where nobody can mistake them.
pub(super) fn yaml_text(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Mapping(mapping) => push_mapping(&mut out, mapping, 0),
        other => push_scalar(&mut out, other),
    }
    out
}

/// The first key stands where the cursor is, the others at `indent`.
fn push_mapping(out: &mut String, mapping: &Mapping, indent: usize) {
    for (at, (key, value)) in mapping.iter().enumerate() {
        if at > 0 {
            push_spaces(out, indent);
        }
        push_text(out, key.as_str().unwrap_or_default());
        out.push(':');
        match value {
            Value::Mapping(inner) if !inner.is_empty() => {
                out.push('\n');
                push_spaces(out, indent + 2);
                push_mapping(out, inner, indent + 2);
            }
            Value::Sequence(items) if !items.is_empty() => push_items(out, items, indent),
            scalar => {
                out.push(' ');
                push_scalar(out, scalar);
            }
        }
    }
}

fn push_items(out: &mut String, items: &[Value], indent: usize) {
    out.push('\n');
    for item in items {
        push_spaces(out, indent);
        out.push_str("- ");
        match item {
            Value::Mapping(inner) if !inner.is_empty() => push_mapping(out, inner, indent + 2),
            scalar => push_scalar(out, scalar),
        }
    }
}

fn push_scalar(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => push_text(out, text),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number.to_string()),
        Value::Sequence(_) => out.push_str("[]"),
        Value::Mapping(_) => out.push_str("{}"),
        Value::Null | Value::Tagged(_) => out.push_str("null"),
    }
    out.push('\n');
}

fn push_text(out: &mut String, text: &str) {
    if is_plain(text) {
        return out.push_str(text);
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            // Line ends of Unicode and the byte order mark would be folded or dropped.
            '\u{2028}' | '\u{2029}' | '\u{feff}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A letter first, nothing that has a meaning in YAML, and no word that has one.
fn is_plain(text: &str) -> bool {
    let harmless = |b: u8| b.is_ascii_alphanumeric() || b" _-./,;()".contains(&b);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !text.ends_with(' ')
        && text.bytes().all(harmless)
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn push_spaces(out: &mut String, count: usize) {
    out.extend(std::iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[a-zA-Z0-9 #:.,-]{0,6}".prop_map(Value::from),
        ];
        let list = prop::collection::vec(scalar.clone(), 0..3).prop_map(Value::Sequence);
        let flat = prop::collection::vec((any::<String>(), prop_oneof![scalar, list]), 0..4).prop_map(mapping);
        let lists = prop::collection::vec(flat.clone(), 0..3).prop_map(Value::Sequence);
        prop::collection::vec((any::<String>(), prop_oneof![flat, lists]), 0..4).prop_map(mapping)
    }

    fn mapping(entries: Vec<(String, Value)>) -> Value {
        Value::Mapping(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in value()) {
            let text = yaml_text(&value);
            let back: Value = serde_yaml::from_str(&text).unwrap();
            prop_assert!(back == value || matches!(&value, Value::Mapping(m) if m.is_empty()), "{text}");
        }
    }
}
