//! JSON taken apart without a parser's own idea of numbers: every value stays as it is written.
use serde::de::IgnoredAny;

/// The members of a JSON object, each value as it is written: a parser would round long numbers.
pub(in crate::connector) fn members(object: &str) -> Result<Vec<(String, &str)>, String> {
    checked(object)?;
    let mut rest = object.strip_prefix('{').ok_or("no JSON object, which stands in braces")?.trim_start();
    let mut members: Vec<(String, &str)> = Vec::new();
    // What follows relies on the line being JSON, which was just checked.
    while let Some(length) = rest.starts_with('"').then(|| value_length(rest)) {
        let (name, after) = rest.split_at(length);
        let name: String = serde_json::from_str(name).map_err(|e| format!("no name: {e}"))?;
        let after = after.trim_start().trim_start_matches(':').trim_start();
        let (value, after) = after.split_at(value_length(after));
        if members.iter().any(|(other, _)| *other == name) {
            return Err(format!("the name `{name}` occurs twice in one object"));
        }
        members.push((name, value));
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    Ok(members)
}

/// The elements of a JSON array, each as it is written.
#[cfg(feature = "http")]
pub(in crate::connector) fn elements(array: &str) -> Result<Vec<&str>, String> {
    checked(array)?;
    let mut rest = array.strip_prefix('[').ok_or("no JSON array")?.trim_start();
    let mut elements = Vec::new();
    // What follows relies on the text being JSON, which was just checked.
    while !rest.is_empty() && !rest.starts_with(']') {
        let (value, after) = rest.split_at(value_length(rest));
        elements.push(value);
        rest = after.trim_start().trim_start_matches(',').trim_start();
    }
    Ok(elements)
}

/// A JSON value in one spelling: no blanks, the members of each object by name, strings escaped as little as can be.
/// Numbers stay as they are written.
#[cfg(feature = "http")]
pub(in crate::connector) fn canonical(text: &str) -> Result<String, String> {
    match text.as_bytes().first() {
        Some(b'{') => {
            let mut members = members(text)?;
            members.sort_by(|one, other| one.0.cmp(&other.0));
            let each = members.iter().map(|(name, value)| Ok(format!("{}:{}", quoted(name)?, canonical(value)?)));
            Ok(format!("{{{}}}", each.collect::<Result<Vec<_>, String>>()?.join(",")))
        }
        Some(b'[') => {
            let each = elements(text)?.into_iter().map(canonical);
            Ok(format!("[{}]", each.collect::<Result<Vec<_>, String>>()?.join(",")))
        }
        Some(b'"') => quoted(&serde_json::from_str::<String>(text).map_err(|e| format!("no text: {e}"))?),
        _ => Ok(text.to_owned()),
    }
}

/// `text` as a JSON string.
#[cfg(feature = "http")]
pub(in crate::connector) fn quoted(text: &str) -> Result<String, String> {
    serde_json::to_string(text).map_err(|e| format!("no text: {e}"))
}

/// That `text` is JSON, nested no deeper than serde_json goes.
pub(in crate::connector) fn checked(text: &str) -> Result<(), String> {
    serde_json::from_str::<IgnoredAny>(text).map(|_| ()).map_err(|e| format!("no JSON: {e}"))
}

/// Bytes of the JSON value that `text` begins with.
fn value_length(text: &str) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0_u32, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => continue,
            b'{' | b'[' => depth += 1,
            b'}' | b']' if depth > 0 => depth -= 1,
            b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => return at,
            _ => continue,
        }
        // A string, an object or an array ends with its own last byte.
        if depth == 0 && !quoted && !escaped && matches!(byte, b'"' | b'}' | b']') {
            return at + 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn members_stand_as_they_are_written() {
        let members = members(r#"{ "a" : 1.10 , "b\"c":{"x":["}",1]},"d":"\\", "e":null}"#).unwrap();
        let texts: Vec<&str> = members.iter().map(|(_, text)| *text).collect();
        assert_eq!(texts, ["1.10", r#"{"x":["}",1]}"#, r#""\\""#, "null"]);
        assert_eq!(members[1].0, "b\"c");
        assert!(super::members(r#"{"a":1,"a":2}"#).is_err() && super::members("[1]").is_err());
        assert!(super::members("{}").unwrap().is_empty());
    }

    #[cfg(feature = "http")]
    #[test]
    fn elements_stand_as_they_are_written() {
        assert_eq!(elements("[ 1.0, {\"a\": [2]} ,\"x,]\"]").unwrap(), ["1.0", "{\"a\": [2]}", "\"x,]\""]);
        assert!(elements("[ ]").unwrap().is_empty() && elements("{}").is_err() && elements("[1").is_err());
    }

    #[cfg(feature = "http")]
    #[test]
    fn one_value_has_one_spelling_and_its_numbers_keep_theirs() {
        let spelled = r#"{ "b" : [1.10, 1e2, -0] , "a" : { "d" : "\u00e9\/", "c" : null } }"#;
        assert_eq!(canonical(spelled).unwrap(), r#"{"a":{"c":null,"d":"é/"},"b":[1.10,1e2,-0]}"#);
        assert!(canonical(r#"{"a":{"b":1,"b":2}}"#).unwrap_err().contains("`b` occurs twice"));
        assert!(canonical(r#"["\ud800"]"#).is_err());
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in "[{}\\[\\]\":,a1. \\\\-]{0,30}") {
            let _ = members(&line);
        }
    }
}
