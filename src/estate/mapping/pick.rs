//! Values of an entry: by a path of keys, or by a pattern of several.
use crate::estate::{
    text_file::TextFile,
    yaml::{Node, Shape},
};

/// Values that one path may lead to.
const MAX_VALUES: usize = 10_000;

/// Where a field is taken from: a path of keys, or a text with paths in braces.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Value { path: String, filters: Vec<String> },
}

/// What a pattern is filled from.
#[derive(Clone, Copy)]
pub(super) struct Entry<'n> {
    /// The key or number under which the entry stands.
    pub(super) key: &'n str,
    pub(super) node: &'n Node,
    pub(super) root: &'n Node,
    pub(super) file: &'n TextFile,
}

impl Pattern {
    /// `a.b` is a path; with braces it is a text.
    pub(super) fn of(text: &str) -> Pattern {
        if !text.contains('{') {
            return Pattern(vec![value(text)]);
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (inner, behind) = after.split_once('}').unwrap_or((after, ""));
            // `${name}` is filled later, as in SQL.
            match before.ends_with('$') {
                true => pieces.push(Piece::Text(format!("{before}{{{inner}}}"))),
                false => {
                    pieces.extend((!before.is_empty()).then(|| Piece::Text(before.to_owned())));
                    pieces.push(value(inner));
                }
            }
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Pattern(pieces)
    }

    /// The text it makes of `entry`; `None` where a value it needs is not there.
    pub(super) fn text(&self, entry: Entry<'_>) -> Option<String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Value { path, filters } => text.push_str(&filtered(scalar(path, entry)?, filters)),
            }
        }
        (!text.trim().is_empty()).then_some(text)
    }

    /// The value it is, where it is one path of the entry and nothing else.
    pub(super) fn node<'n>(&self, entry: Entry<'n>) -> Option<&'n Node> {
        self.nodes(entry).into_iter().next()
    }

    /// The values that its path leads to; none where it is a text.
    pub(super) fn nodes<'n>(&self, entry: Entry<'n>) -> Vec<&'n Node> {
        match self.0.as_slice() {
            [Piece::Value { path, filters }] if filters.is_empty() => nodes(path, entry),
            _ => Vec::new(),
        }
    }

    /// The texts that its path leads to, a list counting as its items.
    pub(super) fn texts(&self, entry: Entry<'_>) -> Vec<String> {
        let nodes = self.nodes(entry);
        if nodes.is_empty() {
            return self.text(entry).into_iter().collect();
        }
        let of = |node: &&Node| match &node.shape {
            Shape::List(items) => items.iter().filter_map(Node::scalar).map(str::to_owned).collect::<Vec<_>>(),
            _ => node.scalar().map(str::to_owned).into_iter().collect(),
        };
        nodes.iter().flat_map(of).collect()
    }
}

fn value(text: &str) -> Piece {
    let mut parts = text.split('|').map(str::trim);
    let path = parts.next().unwrap_or_default().to_owned();
    Piece::Value { path, filters: parts.map(str::to_owned).collect() }
}

fn nodes<'n>(path: &str, entry: Entry<'n>) -> Vec<&'n Node> {
    match path.strip_prefix("root.") {
        Some(path) => below(path, entry.root),
        None => below(path, entry.node),
    }
}

/// The values at the end of `path` below `node`; `*` is every value of a map or list.
pub(super) fn below<'n>(path: &str, node: &'n Node) -> Vec<&'n Node> {
    with_keys(path, node).into_iter().map(|(_, node)| node).collect()
}

/// The same, each with the key or number under which it stands.
pub(super) fn with_keys<'n>(path: &str, node: &'n Node) -> Vec<(String, &'n Node)> {
    let mut found = vec![(String::new(), node)];
    for part in path.split('.').filter(|part| !part.is_empty()) {
        let step = |(_, node): (String, &'n Node)| -> Vec<(String, &'n Node)> {
            match (&node.shape, part) {
                (Shape::List(items), "*") => {
                    items.iter().enumerate().map(|(at, item)| ((at + 1).to_string(), item)).collect()
                }
                (Shape::Map(entries), "*") => entries
                    .iter()
                    .map(|entry| (entry.key.scalar().unwrap_or_default().to_owned(), &entry.value))
                    .collect(),
                _ => node.get(part).map(|value| (part.to_owned(), value)).into_iter().collect(),
            }
        };
        found = found.into_iter().flat_map(step).take(MAX_VALUES).collect();
    }
    found
}

/// The text at the end of `path`: of the entry, of the file's top, or of the file's own name.
fn scalar(path: &str, entry: Entry<'_>) -> Option<String> {
    let file = &entry.file.path;
    let folder = |up: usize| file.ancestors().nth(up).and_then(|folder| folder.file_name());
    let own = match path {
        "key" => Some(entry.key.to_owned()),
        "file.stem" => file.file_stem().map(str::to_owned),
        "file.folder" => folder(1).map(str::to_owned),
        "file.parent_folder" => folder(2).map(str::to_owned),
        "file.path" => Some(file.with_extension("").into_string()),
        _ => None,
    };
    own.or_else(|| nodes(path, entry).first().and_then(|node| node.scalar()).map(str::to_owned))
}

fn filtered(text: String, filters: &[String]) -> String {
    filters.iter().fold(text, |text, filter| match filter.split_once(':') {
        Some(("after", mark)) => text.split_once(mark).map_or(text.clone(), |(_, rest)| rest.to_owned()),
        Some(("before", mark)) => text.split_once(mark).map_or(text.clone(), |(first, _)| first.to_owned()),
        _ => match filter.as_str() {
            "stem" => {
                let name = text.rsplit('/').next().unwrap_or_default();
                name.split_once('.').map_or(name, |(stem, _)| stem).to_owned()
            }
            "lower" => text.to_lowercase(),
            "last" => text.rsplit('.').next().unwrap_or_default().to_owned(),
            _ => text,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::yaml;

    #[test]
    fn a_pattern_is_a_path_or_a_text_with_paths() {
        let file = TextFile::inside(
            "conf/shop/orders.yaml".into(),
            "out: { table: orders }\nsql: a/Orders.sql.j2\nlist: [x, y]\nm: { k: { v: 1 } }\n".to_owned(),
        );
        let root = yaml::document(&file).unwrap();
        let entry = Entry { key: "k", node: &root, root: &root, file: &file };
        let text = |pattern: &str| Pattern::of(pattern).text(entry);
        assert_eq!(text("out.table").as_deref(), Some("orders"));
        assert_eq!(text("{file.folder}.{out.table}").as_deref(), Some("shop.orders"));
        assert_eq!(text("raw.{sql|stem|lower}").as_deref(), Some("raw.orders"));
        assert_eq!(text("{file.path}/{key}").as_deref(), Some("conf/shop/orders/k"));
        assert_eq!(text("x_{gone}"), None);
        assert_eq!(text("${lake}.{out.table}").as_deref(), Some("${lake}.orders"));
        assert_eq!(Pattern::of("list").texts(entry), ["x", "y"]);
        assert_eq!(with_keys("m.*", &root)[0].0, "k");
        assert_eq!(Pattern::of("m.*.v").texts(entry), ["1"]);
    }
}
