//! What Python's names stand for, as far as it can be said without running anything.
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};

use camino::Utf8PathBuf;

use super::ast::{ClassDef, FunctionDef};
use crate::{estate::text_file::TextFile, vocab::Span};

/// Lists within lists that are compared.
const MAX_COMPARED: usize = 6;

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    None,
    Bool(bool),
    /// A truth as things stand where nobody says otherwise: no condition is decided by it.
    Likely(bool),
    Int(i64),
    Float(f64),
    Text(Rc<Text>),
    /// A list, tuple or set.
    List(Rc<RefCell<Vec<Value>>>),
    Dict(Rc<RefCell<Vec<(Value, Value)>>>),
    Function(Rc<Function>),
    Class(Rc<Class>),
    /// A module of the estate, by its names.
    Module(Rc<Scope>),
    /// What came of calling something.
    Thing(Rc<Thing>),
    /// A name from outside the estate: `airflow.operators.bash.BashOperator`.
    Outside(Rc<str>),
    /// Nobody knows; the word says what it is called.
    Unknown(Rc<str>),
}

/// A text and where it is written.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    /// What it says; `${name}` stands for what nobody knows.
    pub(crate) text: String,
    /// Whether all of it is known.
    pub(crate) whole: bool,
    /// Whether another text may stand in its place: a default, or one of several ways. It names, but decides nothing.
    pub(crate) assumed: bool,
    pub(crate) origin: Option<Origin>,
}

/// Where a text is written.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) at: Span,
    /// The bytes there, where they say the text once `params` are filled in for `{name}`.
    pub(crate) raw: Option<Arc<str>>,
    pub(crate) params: Vec<(String, String)>,
    /// Whether it is a whole file.
    pub(crate) is_file: bool,
}

/// A function with the names around it.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) def: Arc<FunctionDef>,
    pub(crate) scope: Rc<Scope>,
    /// The object it is a method of.
    pub(crate) owner: Option<Value>,
}

/// A class of the estate.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) def: Arc<ClassDef>,
    pub(crate) bases: Vec<Value>,
    /// Names set in its body.
    pub(crate) scope: Rc<Scope>,
}

/// Names and what they stand for.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) names: RefCell<BTreeMap<Arc<str>, Value>>,
    pub(crate) around: Option<Rc<Scope>>,
    /// The module they are written in.
    pub(crate) file: TextFile,
}

/// What came of a call: an operator, a DAG, a client, or anything else from outside.
#[derive(Debug)]
pub(crate) struct Thing {
    /// A number of its own.
    pub(crate) id: usize,
    /// What was called: `airflow.DAG`, `client.query`.
    pub(crate) path: Rc<str>,
    /// The value a method was called on.
    pub(crate) owner: Option<Value>,
    pub(crate) args: Vec<Value>,
    pub(crate) named: Vec<(Arc<str>, Value)>,
    /// Attributes set later.
    pub(crate) fields: RefCell<BTreeMap<Arc<str>, Value>>,
    /// The class, where it is of the estate.
    pub(crate) class: Option<Rc<Class>>,
    /// The call.
    pub(crate) at: Span,
}

impl Scope {
    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        let own = self.names.borrow().get(name).cloned();
        own.or_else(|| self.around.as_ref()?.get(name))
    }

    pub(crate) fn set(&self, name: &Arc<str>, value: Value) {
        self.names.borrow_mut().insert(name.clone(), value);
    }
}

impl Thing {
    /// A call that stands in no Python: `path` given `named`, written at `at`.
    pub(crate) fn plain(path: &str, named: Vec<(Arc<str>, Value)>, at: Span) -> Thing {
        Thing {
            id: 0,
            path: path.into(),
            owner: None,
            args: Vec::new(),
            named,
            fields: RefCell::default(),
            class: None,
            at,
        }
    }

    /// The argument called `name`.
    pub(crate) fn named(&self, name: &str) -> Option<&Value> {
        self.named.iter().rev().find(|(own, _)| &**own == name).map(|(_, value)| value)
    }

    /// The first of `names` that is given.
    pub(crate) fn any_named(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| self.named(name))
    }

    /// The last word of what was called.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or(&self.path)
    }
}

impl Class {
    /// The value of `name` in the class or the first base that has it.
    pub(crate) fn get(&self, name: &str) -> Option<Value> {
        let own = self.scope.names.borrow().get(name).cloned();
        own.or_else(|| self.bases().iter().find_map(|base| base.scope.names.borrow().get(name).cloned()))
    }

    /// The classes of the estate it is made of, each once, nearest first.
    fn bases(&self) -> Vec<Rc<Class>> {
        let mut all: Vec<Rc<Class>> = Vec::new();
        let of = |class: &Class| {
            class
                .bases
                .iter()
                .filter_map(|base| match base {
                    Value::Class(class) => Some(class.clone()),
                    _ => None,
                })
                .collect::<Vec<_>>()
        };
        let mut open = of(self);
        while let Some(next) = open.pop() {
            if !all.iter().any(|known| Rc::ptr_eq(known, &next)) {
                open.extend(of(&next));
                all.push(next);
            }
        }
        all
    }

    /// The names of the classes it is made of, its own first; those from outside by their paths.
    pub(crate) fn lineage(&self) -> Vec<String> {
        let bases = self.bases();
        let own = std::iter::once(self).chain(bases.iter().map(|base| &**base));
        let outside = |class: &Class| {
            class
                .bases
                .iter()
                .filter_map(|base| match base {
                    Value::Outside(path) => Some(path.to_string()),
                    _ => None,
                })
                .collect::<Vec<_>>()
        };
        let names: Vec<String> = own.clone().map(|class| class.def.name.to_string()).collect();
        names.into_iter().chain(own.flat_map(outside)).collect()
    }
}

impl Value {
    /// A known text without a place.
    pub(crate) fn text(text: impl Into<String>) -> Value {
        Value::Text(Rc::new(Text { text: text.into(), whole: true, origin: None, assumed: false }))
    }

    pub(crate) fn unknown(name: &str) -> Value {
        Value::Unknown(name.into())
    }

    pub(crate) fn list(items: Vec<Value>) -> Value {
        Value::List(Rc::new(RefCell::new(items)))
    }

    pub(crate) fn dict(pairs: Vec<(Value, Value)>) -> Value {
        Value::Dict(Rc::new(RefCell::new(pairs)))
    }

    /// The text, where it is one.
    pub(crate) fn as_text(&self) -> Option<&Rc<Text>> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text as it is, where all of it is known.
    pub(crate) fn as_known(&self) -> Option<&str> {
        self.as_text().filter(|text| text.whole).map(|text| text.text.as_str())
    }

    /// The items of a list, or the keys of a map.
    pub(crate) fn items(&self) -> Option<Vec<Value>> {
        match self {
            Value::List(items) => Some(items.borrow().clone()),
            Value::Dict(pairs) => Some(pairs.borrow().iter().map(|(key, _)| key.clone()).collect()),
            _ => None,
        }
    }

    /// The value of key `key` of a map.
    pub(crate) fn key(&self, key: &str) -> Option<Value> {
        let Value::Dict(pairs) = self else { return None };
        let pairs = pairs.borrow();
        pairs.iter().rev().find(|(own, _)| own.as_known() == Some(key)).map(|(_, value)| value.clone())
    }

    /// The value at the end of `keys`.
    pub(crate) fn at(&self, keys: &[&str]) -> Option<Value> {
        keys.iter().try_fold(self.clone(), |value, key| value.key(key))
    }

    /// Whether it counts as true; `None` where nobody knows.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self {
            Value::None => Some(false),
            Value::Bool(yes) => Some(*yes),
            Value::Int(number) => Some(*number != 0),
            Value::Float(number) => Some(*number != 0.0),
            Value::Text(text) if text.whole && !text.assumed => Some(!text.text.is_empty()),
            Value::List(items) => Some(!items.borrow().is_empty()),
            Value::Dict(pairs) => Some(!pairs.borrow().is_empty()),
            Value::Text(_) | Value::Likely(_) | Value::Unknown(_) | Value::Outside(_) | Value::Thing(_) => None,
            Value::Function(_) | Value::Class(_) | Value::Module(_) => Some(true),
        }
    }

    /// Whether it counts as true unless somebody says otherwise; `None` where even that is not known.
    pub(crate) fn likely(&self) -> Option<bool> {
        match self {
            Value::Likely(yes) => Some(*yes),
            Value::Text(text) if text.whole && text.assumed => Some(!text.text.is_empty()),
            other => other.truth(),
        }
    }

    /// The same value where another may stand in its place.
    pub(crate) fn assumed(self) -> Value {
        match self {
            Value::Bool(yes) => Value::Likely(yes),
            Value::Text(text) if text.whole => Value::Text(Rc::new(Text { assumed: true, ..(*text).clone() })),
            other => other,
        }
    }

    /// What it is as a piece of a text, and whether that is known.
    pub(crate) fn shown(&self) -> (String, bool) {
        match self {
            Value::None => ("None".to_owned(), true),
            Value::Bool(true) | Value::Likely(true) => ("True".to_owned(), true),
            Value::Bool(false) | Value::Likely(false) => ("False".to_owned(), true),
            Value::Int(number) => (number.to_string(), true),
            Value::Float(number) => (number.to_string(), true),
            Value::Text(text) => (text.text.clone(), text.whole),
            Value::Unknown(name) => (placeholder(name), false),
            Value::Outside(path) => (placeholder(path.rsplit('.').next().unwrap_or(path)), false),
            Value::Thing(thing) => (placeholder(thing.name()), false),
            Value::Function(function) => (placeholder(&function.def.name), false),
            Value::Class(class) => (placeholder(&class.def.name), false),
            Value::List(_) | Value::Dict(_) => (placeholder("items"), false),
            Value::Module(_) => (placeholder("module"), false),
        }
    }

    /// Whether two values are the same; `None` where nobody knows.
    pub(crate) fn equals(&self, other: &Value) -> Option<bool> {
        self.same(other, MAX_COMPARED)
    }

    fn same(&self, other: &Value, levels: usize) -> Option<bool> {
        match (self, other) {
            (Value::List(_), Value::List(_)) if levels == 0 => None,
            (Value::Text(text), _) | (_, Value::Text(text)) if text.assumed => None,
            (Value::Text(a), Value::Text(b)) if a.whole && b.whole => Some(a.text == b.text),
            (Value::Int(a), Value::Int(b)) => Some(a == b),
            (Value::Float(a), Value::Float(b)) => Some(a == b),
            (Value::Bool(a), Value::Bool(b)) => Some(a == b),
            (Value::None, Value::None) => Some(true),
            (Value::Likely(_) | Value::Unknown(_) | Value::Outside(_) | Value::Thing(_), _)
            | (_, Value::Likely(_) | Value::Unknown(_) | Value::Outside(_) | Value::Thing(_)) => None,
            (Value::Text(text), _) | (_, Value::Text(text)) if !text.whole => None,
            (Value::List(a), Value::List(b)) => {
                let (a, b) = (a.borrow(), b.borrow());
                match a.len() == b.len() && a.len() < 100 {
                    true => a.iter().zip(b.iter()).try_fold(true, |all, (a, b)| Some(all && a.same(b, levels - 1)?)),
                    false => Some(false),
                }
            }
            _ => Some(false),
        }
    }
}

/// What stands for a value called `name` that nobody knows: templates fill it.
pub(crate) fn placeholder(name: &str) -> String {
    let word: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
    match word.starts_with(|c: char| c.is_ascii_digit()) || word.is_empty() {
        true => format!("${{value{word}}}"),
        false => format!("${{{word}}}"),
    }
}

impl Text {
    /// A text made of others: it stands where the first of them that is written somewhere stands.
    pub(crate) fn made(text: String, whole: bool, of: &[&Value]) -> Text {
        let places = of.iter().filter_map(|value| value.as_text()?.origin.as_ref());
        let origin = places.max_by_key(|origin| origin.at.end - origin.at.start).cloned();
        Text {
            text,
            whole,
            assumed: of.iter().any(|value| value.as_text().is_some_and(|text| text.assumed)),
            origin: origin.map(|origin| Origin { raw: None, params: Vec::new(), is_file: false, ..origin }),
        }
    }
}

/// A path of the estate.
pub(crate) fn path_value(path: &Utf8PathBuf) -> Value {
    Value::text(path.as_str())
}
