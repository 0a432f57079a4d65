//! The tables and queries of a semantic model written as TMDL, which is told by indentation.
use crate::estate::text_file::TextFile;

/// A query of the model: a partition of a table, or a shared expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// The table or the expression.
    pub(super) name: String,
    /// Whether it is a shared expression.
    pub(super) is_shared: bool,
    /// First byte of its declaration.
    pub(super) start: usize,
    /// Where its M stands.
    pub(super) m: (usize, usize),
    /// The schema and the table of a lakehouse that it reads as it is, with the place of the latter.
    pub(super) entity: Option<(Option<String>, String, (usize, usize))>,
}

struct Line<'t> {
    start: usize,
    indent: usize,
    text: &'t str,
}

/// The queries in `file`, in the order in which they stand.
pub(super) fn queries(file: &TextFile) -> Vec<Query> {
    let lines = lines(&file.text);
    let (mut found, mut table) = (Vec::new(), String::new());
    for (number, line) in lines.iter().enumerate() {
        let (word, rest) = line.text.split_once(' ').unwrap_or((line.text, ""));
        match word {
            "table" if line.indent == 0 => table = unquoted(rest),
            "expression" if line.indent == 0 => {
                let name = unquoted(rest.split('=').next().unwrap_or_default());
                let m = value(&lines, number).unwrap_or((line.start, line.start));
                found.push(Query { name, is_shared: true, start: line.start, m, entity: None });
            }
            "partition" => {
                let kind = rest.rsplit('=').next().unwrap_or_default().trim();
                found.extend(partition(&lines, number, &table, kind, file));
            }
            _ => {}
        }
    }
    found
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches(['\t', ' ']).len();
        lines.push(Line { start: start + indent.min(line.trim_end().len()), indent, text: line.trim() });
        start += line.len();
    }
    lines
}

fn unquoted(name: &str) -> String {
    let name = name.trim();
    match name.strip_prefix('\'').and_then(|name| name.strip_suffix('\'')) {
        Some(inner) => inner.replace("''", "'"),
        None => name.to_owned(),
    }
}

/// A table's partition: M, or a table of a lakehouse; formulas over other tables read nothing.
fn partition(lines: &[Line<'_>], number: usize, table: &str, kind: &str, file: &TextFile) -> Option<Query> {
    let head = &lines[number];
    let within = lines[number + 1..].iter().enumerate();
    let within = within.take_while(|(_, line)| line.text.is_empty() || line.indent > head.indent);
    let mut query = Query {
        name: table.to_owned(),
        is_shared: false,
        start: head.start,
        m: (head.start, head.start),
        entity: None,
    };
    let (mut schema, mut entity) = (None, None);
    for (behind, line) in within {
        let property = |name: &str| line.text.strip_prefix(name).map(str::trim_start);
        if kind == "m" && query.m.0 == head.start && property("source").is_some_and(|rest| rest.starts_with('=')) {
            query.m = value(lines, number + 1 + behind)?;
        }
        if let Some(name) = property("schemaName:") {
            schema = Some(unquoted(name));
        }
        if let Some(name) = property("entityName:") {
            let end = line.start + line.text.len();
            entity = Some((unquoted(name), (end - name.len(), end)));
        }
    }
    query.entity = entity.filter(|_| kind == "entity").map(|(name, place)| (schema, name, place));
    let has_m = file.text.get(query.m.0..query.m.1).is_some_and(|text| !text.is_empty());
    (has_m || query.entity.is_some()).then_some(query)
}

/// What stands behind the equals sign: on its line, or on the deeper ones that follow.
fn value(lines: &[Line<'_>], number: usize) -> Option<(usize, usize)> {
    let line = &lines[number];
    let at = line.text.find('=')? + 1;
    let rest = line.text[at..].trim();
    let end_of = |line: &Line<'_>| line.start + line.text.len();
    if !rest.is_empty() && rest != "```" {
        return Some((end_of(line) - rest.len(), end_of(line)));
    }
    let first =
        lines[number + 1..].iter().find(|line| !line.text.is_empty()).filter(|first| first.indent > line.indent)?;
    let within = lines[number + 1..].iter().take_while(|line| line.text.is_empty() || line.indent >= first.indent);
    let last = within.filter(|line| !line.text.is_empty() && line.text != "```").last()?;
    Some((first.start, end_of(last)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str) -> Vec<(String, String)> {
        let file = TextFile::inside("a.tmdl".into(), text.to_owned());
        queries(&file).into_iter().map(|query| (query.name, file.text[query.m.0..query.m.1].to_owned())).collect()
    }

    #[test]
    fn partitions_and_expressions_have_their_m() {
        let text = "table 'My Orders'\n\tcolumn id\n\n\tpartition p = m\n\t\tmode: import\n\t\tsource =\n\t\t\t\tlet\n\t\t\t\t    S = 1\n\t\t\t\tin\n\t\t\t\t    S\n\n\tannotation x = y\n\ntable Calc\n\tpartition c = calculated\n\t\tsource = {1}\n\nexpression Schema = \"raw\" meta [IsParameterQuery=true]\n\tlineageTag: z\n";
        let found = of(text);
        assert_eq!(found[0].0, "My Orders");
        assert_eq!(found[0].1, "let\n\t\t\t\t    S = 1\n\t\t\t\tin\n\t\t\t\t    S");
        assert_eq!(found[1], ("Schema".to_owned(), "\"raw\" meta [IsParameterQuery=true]".to_owned()));
        assert_eq!(found.len(), 2);
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in "(table|partition|source|expression|=|m|\n|\t| |é|```){0,30}") {
            of(&text);
        }
    }
}
