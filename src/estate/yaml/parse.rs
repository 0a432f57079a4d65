//! Text into values. The only file to know the YAML crate.
use std::{cell::Cell, fmt};

use serde::de::{self, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};

use super::{Entry, Node, Shape, place};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::text_file::TextFile,
};

const TOO_MANY: &str = "its aliases stand for more values than the file has room for";

/// What a document begins with.
const MARK: &str = "---";

/// Brackets that may be open at once. The parser's own limit comes only after work that grows with their square.
const MOST_OPEN: usize = 2_000;

/// The one document of `file`. Aliases are followed, `<<` merged, duplicates kept for the reader to tell.
pub(crate) fn document(file: &TextFile) -> Result<Node, Diagnostic> {
    if let Some(at) = too_deep(&file.text) {
        let here = format!("more than {MOST_OPEN} brackets are open here");
        return Err(Diagnostic::new(CodeEntry::E004, file.span(at, at), here));
    }
    let mut documents = serde_yaml::Deserializer::from_str(&file.text);
    let Some(first) = documents.next() else { return Ok(Node::unplaced(Shape::Null)) };
    // Without aliases no document has more values than bytes.
    let budget = Cell::new(file.text.len() + 1_000);
    let mut node = Seed(&budget).deserialize(first).map_err(|error| fault(file, &error))?;
    place::place(&mut node, &file.text);
    merge(&mut node);
    Ok(node)
}

/// Tells of a second document in `file`, of which [`document`] gives the first alone.
pub(crate) fn further_document(file: &TextFile) -> Option<Diagnostic> {
    let at = second_begins(&file.text)?;
    let here = "a second document begins here: carve reads the first of a file and nothing of the others";
    let help = "put it into a file of its own";
    Some(Diagnostic::new(CodeEntry::E028, file.span(at, at + MARK.len()), here).help(help))
}

/// Where the mark stands behind which a second document says something.
fn second_begins(text: &str) -> Option<usize> {
    let says =
        |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with(['#', '%']) && line.trim() != "...";
    let (mut at, mut begun, mut mark) = (0, false, None);
    for line in text.split_inclusive('\n') {
        let behind = line.strip_prefix(MARK).filter(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
        if behind.is_some() && begun {
            mark = mark.or(Some(at));
        }
        if says(behind.unwrap_or(line)) {
            if mark.is_some() {
                return mark;
            }
            begun = true;
        }
        at += line.len();
    }
    None
}

/// Where more brackets are open than any config has.
fn too_deep(text: &str) -> Option<usize> {
    let mut open = 0usize;
    text.bytes().position(|byte| {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MOST_OPEN
    })
}

fn fault(file: &TextFile, error: &serde_yaml::Error) -> Diagnostic {
    let text = error.to_string();
    let nested = text.contains("recursion limit") && file.text.contains('*');
    let repeated = text.contains("repetition limit") || text.contains(TOO_MANY);
    let code = if nested || repeated { CodeEntry::E016 } else { CodeEntry::E004 };
    let at = error.location().map_or(0, |location| location.index());
    let at = (0..=at.min(file.text.len())).rev().find(|at| file.text.is_char_boundary(*at)).unwrap_or(0);
    let message = match text.rsplit_once(" at line ") {
        Some((message, _)) => message.to_owned(),
        None => text,
    };
    Diagnostic::new(code, file.span(at, at), message)
}

/// `<<: *base` puts the keys of `base` behind the map's own, which win.
fn merge(node: &mut Node) {
    match &mut node.shape {
        Shape::List(items) => items.iter_mut().for_each(merge),
        Shape::Map(entries) => {
            entries.iter_mut().for_each(|entry| merge(&mut entry.value));
            let is_merge = |entry: &Entry| entry.key.scalar() == Some("<<");
            let (merged, mut own): (Vec<Entry>, Vec<Entry>) = entries.drain(..).partition(is_merge);
            for base in merged {
                let bases = match base.value.shape {
                    Shape::List(items) => items,
                    shape => vec![Node { shape, ..base.value }],
                };
                for entry in bases.iter().flat_map(Node::entries) {
                    if !own.iter().any(|known| known.key.scalar() == entry.key.scalar()) {
                        own.push(entry.clone());
                    }
                }
            }
            *entries = own;
        }
        _ => {}
    }
}

struct Seed<'a>(&'a Cell<usize>);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let left = self.0.get().checked_sub(1).ok_or_else(|| de::Error::custom(TOO_MANY))?;
        self.0.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_bool<E>(self, yes: bool) -> Result<Node, E> {
        Ok(Node::unplaced(Shape::Bool(yes)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Node, E> {
        Ok(Node::unplaced(Shape::Number(number.to_string())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Node, E> {
        Ok(Node::unplaced(Shape::Number(number.to_string())))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Node, E> {
        Ok(Node::unplaced(Shape::Number(number.to_string())))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Node, E> {
        Ok(Node::unplaced(Shape::Number(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Node, E> {
        Ok(Node::unplaced(Shape::Number(number.to_string())))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::unplaced(Shape::Text(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::unplaced(Shape::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node::unplaced(Shape::Null))
    }

    fn visit_some<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Seed(self.0))? {
            items.push(item);
        }
        Ok(Node::unplaced(Shape::List(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key_seed(Seed(self.0))? {
            entries.push(Entry { key, value: access.next_value_seed(Seed(self.0))? });
        }
        Ok(Node::unplaced(Shape::Map(entries)))
    }

    // A tagged value is its content.
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Node, A::Error> {
        let (_, content) = access.variant_seed(std::marker::PhantomData::<String>)?;
        content.newtype_variant_seed(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::estate::yaml::Written;

    fn read(text: &str) -> Result<Node, Diagnostic> {
        document(&TextFile::inside("f.yaml".into(), text.to_owned()))
    }

    #[test]
    fn keys_of_a_merged_map_stand_behind_its_own() {
        let node = read("base: &b { owner: a, domain: d }\njob:\n  <<: *b\n  owner: c\n").unwrap();
        let job = node.get("job").unwrap();
        assert_eq!((job.text_of("owner").as_deref(), job.text_of("domain").as_deref()), (Some("c"), Some("d")));
    }

    #[test]
    fn an_alias_bomb_is_refused_and_a_cycle_too() {
        let mut bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n".to_owned();
        for level in 1..9 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(",");
            bomb += &format!("a{level}: &a{level} [{aliases}]\n");
        }
        assert_eq!(read(&bomb).unwrap_err().code.code, "E016");
        assert_eq!(read("a: &a [*a]").unwrap_err().code.code, "E016");
    }

    #[test]
    fn malformed_yaml_is_told_at_its_place() {
        let fault = read("a: 1\n b: 2\n").unwrap_err();
        assert_eq!((fault.code.code, fault.at.line, fault.at.column), ("E004", 2, 3));
    }

    #[test]
    fn a_tower_of_brackets_is_refused_at_once() {
        for text in ["[".repeat(200_000), "{a: ".repeat(200_000), "? ".repeat(20_000)] {
            assert_eq!(read(&text).unwrap_err().code.code, "E004");
        }
    }

    #[test]
    fn duplicates_are_kept_for_the_reader() {
        assert_eq!(read("a: 1\na: 2").unwrap().entries().len(), 2);
    }

    #[test]
    fn numbers_stay_as_written() {
        let node = read("a: 1.10\nb: 0x1F\nc: [1e3, 007]").unwrap();
        assert_eq!(node.text_of("a").as_deref(), Some("1.10"));
        assert_eq!(node.text_of("b").as_deref(), Some("0x1F"));
        assert_eq!(node.get("c").unwrap().items()[0].written, Written::AsIs);
    }
}
