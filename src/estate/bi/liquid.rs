//! Liquid, Looker's template language, blanked out of SQL byte for byte where carve's engine has no such tag.
use super::sql::Sql;

/// Tags that stand for a value, or around a column they compare.
const ITS_OWN: &[&str] = &[
    "condition",
    "endcondition",
    "parameter",
    "date_start",
    "date_end",
    "table_date_from",
    "assign",
    "capture",
    "endcapture",
    "increment",
    "decrement",
    "case",
    "when",
    "endcase",
    "unless",
    "endunless",
    "comment",
    "endcomment",
    "incrementcondition",
    "endincrementcondition",
];

/// Puts blanks in place of tags that are Liquid's own, and SQL's `NULL` where one stands for a value.
pub(super) fn blank(sql: &mut Sql) {
    let mut from = 0;
    while let Some(open) = sql.text[from..].find("{%").map(|at| from + at) {
        let Some(close) = sql.text[open..].find("%}").map(|at| open + at + 2) else { return };
        from = close;
        let inner = sql.text[open + 2..close - 2].trim_matches(['-', ' ', '\n', '\t', '\r']);
        let word = inner.split_whitespace().next().unwrap_or_default();
        let is_value = matches!(word, "parameter" | "date_start" | "date_end" | "increment" | "decrement");
        if word == "elsif" {
            // The engine calls it `elif`.
            let at = open + sql.text[open..close].find("elsif").unwrap_or_default();
            sql.put(at, "elif ");
        } else if ITS_OWN.contains(&word) {
            let mut with = blanks(&sql.text[open..close]);
            if is_value && with.starts_with("    ") {
                with.replace_range(..4, "NULL");
            }
            sql.put(open, &with);
        }
    }
}

/// Spaces in as many bytes, line ends kept.
fn blanks(text: &str) -> String {
    text.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { char::from(byte) } else { ' ' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Span;

    #[test]
    fn a_condition_s_column_stays_and_every_byte_in_its_place() {
        let text = "where {% condition a.b %} x.c {% endcondition %}\n and d > {% date_start a.e %} {% if f %}g{% elsif h %}i{% endif %}";
        let mut sql = Sql::made(Span::whole("a"), text);
        blank(&mut sql);
        assert_eq!(sql.text.len(), text.len());
        let words: Vec<&str> = sql.text.split_whitespace().collect();
        assert_eq!(words.join(" "), "where x.c and d > NULL {% if f %}g{% elif h %}i{% endif %}");
    }
}
