//! The header `Link` (RFC 8288): where an answer's next page is.

/// The target of the link whose relation is `next`.
pub(super) fn next(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        let (parameters, following) = after.split_at(end_of_parameters(after));
        if parameters.split(';').any(is_next) {
            return Some(target);
        }
        rest = following;
    }
    None
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
    name.trim().eq_ignore_ascii_case("rel") && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
}

/// Where the comma before the next link is.
fn end_of_parameters(text: &str) -> usize {
    let mut quoted = false;
    let comma = text.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b',' && !quoted
    });
    comma.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        for (header, target) in [
            (r#"<https://a/x?page=1>; rel="prev", <https://a/x?page=3>; rel="next""#, Some("https://a/x?page=3")),
            (r#"</x?a=1,2>; title="a, b <c>"; REL=next"#, Some("/x?a=1,2")),
            (r#"<?p=2>; rel="last next""#, Some("?p=2")),
            (r#"<?p=2>; rel="nextish", <?p=9>; rel=last"#, None),
            ("nonsense <", None),
            ("", None),
        ] {
            assert_eq!(next(header), target, "{header}");
        }
    }
}
