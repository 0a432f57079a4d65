//! A YAML value that knows where it is written.

/// One value of a document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) shape: Shape,
    /// First byte in the text.
    pub(crate) start: usize,
    /// One past the last byte.
    pub(crate) end: usize,
    /// How the bytes at its place relate to its value.
    pub(crate) written: Written,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    Null,
    Bool(bool),
    /// As written where its place is known.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a map with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: Node,
    pub(crate) value: Node,
}

/// How a value's bytes relate to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The bytes are the value.
    AsIs,
    /// The bytes are the lines of a literal block, indented.
    Block,
    /// The bytes say the value in another way: escapes, folding.
    Otherwise,
    /// Its own place is not known: the place is that of the nearest thing around it.
    Nearby,
}

impl Node {
    /// The value of `shape`, not placed yet.
    pub(crate) fn unplaced(shape: Shape) -> Self {
        Node { shape, start: 0, end: 0, written: Written::Nearby }
    }

    /// The value of key `key`, where this is a map that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key.is_text(key)).map(|entry| &entry.value)
    }

    /// The value at the end of `keys`.
    pub(crate) fn at(&self, keys: &[&str]) -> Option<&Node> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The keys of a map; none for anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.shape {
            Shape::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none for anything else.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.shape {
            Shape::List(items) => items,
            _ => &[],
        }
    }

    /// The value of a scalar as text; `None` for null, lists and maps.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.shape {
            Shape::Text(text) | Shape::Number(text) => Some(text),
            Shape::Bool(true) => Some("true"),
            Shape::Bool(false) => Some("false"),
            Shape::Null | Shape::List(_) | Shape::Map(_) => None,
        }
    }

    /// The scalar of key `key`, as text that owns itself.
    pub(crate) fn text_of(&self, key: &str) -> Option<String> {
        self.get(key)?.scalar().map(str::to_owned)
    }

    /// Whether this is a yes or a no, as YAML 1.1 spelled them too.
    pub(crate) fn boolean(&self) -> Option<bool> {
        match self.scalar()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    /// What kind of value this is, in a person's words.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.shape {
            Shape::Null => "nothing",
            Shape::Bool(_) => "yes or no",
            Shape::Number(_) => "a number",
            Shape::Text(_) => "text",
            Shape::List(_) => "a list",
            Shape::Map(_) => "a map",
        }
    }

    /// The same value as JSON.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.shape {
            Shape::Null => Value::Null,
            Shape::Bool(yes) => Value::Bool(*yes),
            Shape::Number(text) => text.parse().map_or_else(|_| Value::String(text.clone()), Value::Number),
            Shape::Text(text) => Value::String(text.clone()),
            Shape::List(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            Shape::Map(entries) => entries
                .iter()
                .filter_map(|entry| Some((entry.key.scalar()?.to_owned(), entry.value.to_json())))
                .collect(),
        }
    }

    fn is_text(&self, text: &str) -> bool {
        self.scalar() == Some(text)
    }
}
