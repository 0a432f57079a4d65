//! Methods of texts, lists and maps.
use std::rc::Rc;

use super::{
    calls::Given,
    interp::{Host, Interp},
    value::{Origin, Text, Value},
};

/// Items of one list or map.
pub(super) const MAX_ITEMS: usize = 20_000;

impl<H: Host> Interp<'_, H> {
    /// What the method `name` of a value of Python's own gives; `None` where there is no such method.
    pub(super) fn builtin_method(&mut self, owner: &Value, name: &str, given: &Given) -> Option<Value> {
        match owner {
            Value::Text(text) => text_method(text, name, given),
            Value::List(_) => list_method(owner, name, given),
            Value::Dict(_) => dict_method(owner, name, given),
            _ => None,
        }
    }
}

fn text_method(text: &Rc<Text>, name: &str, given: &Given) -> Option<Value> {
    let argument = |at: usize| given.args.get(at);
    let known = |at: usize| argument(at).and_then(Value::as_known);
    let with = |new: String| {
        Some(Value::Text(Rc::new(Text { text: new, whole: text.whole, origin: cut(text), assumed: text.assumed })))
    };
    match name {
        "format" | "format_map" => Some(format(text, given)),
        "strip" | "rstrip" | "lstrip" => {
            let chars: Vec<char> = known(0).map_or_else(|| vec![' ', '\n', '\t', '\r'], |set| set.chars().collect());
            let is = |c: char| chars.contains(&c);
            let new = match name {
                "strip" => text.text.trim_matches(is),
                "rstrip" => text.text.trim_end_matches(is),
                _ => text.text.trim_start_matches(is),
            };
            // Without its outer blanks it is the same SQL.
            Some(Value::Text(Rc::new(Text {
                text: new.to_owned(),
                whole: text.whole,
                origin: text.origin.clone(),
                assumed: text.assumed,
            })))
        }
        "upper" if text.whole => with(text.text.to_uppercase()),
        "lower" if text.whole => with(text.text.to_lowercase()),
        "title" | "capitalize" | "encode" | "decode" | "expanduser" | "resolve" | "absolute" | "as_posix" | "lower"
        | "upper" => with(text.text.clone()),
        "replace" => {
            let (from, to) = (known(0)?, argument(1)?.shown());
            let whole = text.whole && to.1;
            let raw = text.origin.clone().filter(|_| !text.text.contains(from));
            let origin = raw.or_else(|| cut(text));
            Some(Value::Text(Rc::new(Text {
                text: text.text.replace(from, &to.0),
                whole,
                origin,
                assumed: text.assumed,
            })))
        }
        "split" if text.whole => {
            let parts: Vec<Value> = match known(0) {
                Some(by) if !by.is_empty() => text.text.split(by).map(Value::text).collect(),
                _ => text.text.split_whitespace().map(Value::text).collect(),
            };
            Some(Value::list(parts))
        }
        "splitlines" if text.whole => Some(Value::list(text.text.lines().map(Value::text).collect())),
        "join" => join(text, argument(0)?),
        "startswith" if text.whole => Some(truth(text, text.text.starts_with(known(0)?))),
        "endswith" if text.whole => Some(truth(text, text.text.ends_with(known(0)?))),
        "removesuffix" => with(text.text.strip_suffix(known(0)?).unwrap_or(&text.text).to_owned()),
        "removeprefix" => with(text.text.strip_prefix(known(0)?).unwrap_or(&text.text).to_owned()),
        "joinpath" => {
            let parts: Vec<String> =
                std::iter::once(text.text.clone()).chain(given.args.iter().map(|arg| arg.shown().0)).collect();
            Some(Value::text(super::outside::join_paths(&parts)))
        }
        _ => None,
    }
}

/// What is asked of `text` is answered as surely as the text is known.
fn truth(text: &Text, yes: bool) -> Value {
    if text.assumed { Value::Likely(yes) } else { Value::Bool(yes) }
}

/// The place of a text of which only a piece is left.
fn cut(text: &Text) -> Option<Origin> {
    text.origin.clone().map(|origin| Origin { raw: None, params: Vec::new(), is_file: false, ..origin })
}

fn join(by: &Text, items: &Value) -> Option<Value> {
    let items = items.items()?;
    let mut whole = by.whole;
    let shown: Vec<String> = items
        .iter()
        .take(MAX_ITEMS)
        .map(|item| {
            let (text, known) = item.shown();
            whole &= known;
            text
        })
        .collect();
    let made = Text::made(shown.join(&by.text), whole, &items.iter().collect::<Vec<_>>());
    Some(Value::Text(Rc::new(made)))
}

/// `'{a}.{b}'.format(a=1, b=2)` and `'{}.{}'.format(1, 2)`.
fn format(text: &Rc<Text>, given: &Given) -> Value {
    let mut out = String::new();
    let mut whole = text.whole;
    let mut params = Vec::new();
    let mut is_raw = text.origin.as_ref().is_some_and(|origin| origin.params.is_empty());
    let mut next = 0;
    let mut rest = text.text.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        let doubled = rest[at..].starts_with("{{") || rest[at..].starts_with("}}");
        // What stands for something unknown is left alone.
        let is_stub = out.ends_with('$') && rest[at..].starts_with('{');
        if doubled {
            out.push_str(&rest[at..at + 1]);
            is_raw = false;
            rest = &rest[at + 2..];
            continue;
        }
        let Some(end) = rest[at..].find('}').filter(|_| rest[at..].starts_with('{') && !is_stub) else {
            out.push_str(&rest[at..at + 1]);
            rest = &rest[at + 1..];
            continue;
        };
        let field = &rest[at + 1..at + end];
        let name = field.split([':', '!']).next().unwrap_or_default();
        let head = name.split(['.', '[']).next().unwrap_or_default();
        let value = match head.parse::<usize>() {
            Ok(number) => given.args.get(number).cloned(),
            Err(_) if head.is_empty() => {
                next += 1;
                given.args.get(next - 1).cloned()
            }
            Err(_) => given.named.iter().rev().find(|(own, _)| **own == *head).map(|(_, value)| value.clone()),
        };
        let value = value.or_else(|| given.args.first().and_then(|map| map.key(head)));
        let value = match name.split_once('[') {
            Some((_, key)) => value.and_then(|value| value.key(key.trim_end_matches(']').trim_matches(['\'', '"']))),
            None => value,
        };
        let value = value.unwrap_or_else(|| Value::unknown(name));
        let (shown, known) = match (&value, head.parse::<usize>().is_err() && !head.is_empty()) {
            (Value::Unknown(own), true) if super::expr::says_nothing(own) => (super::value::placeholder(head), false),
            (Value::Outside(_), true) => (super::value::placeholder(head), false),
            _ => value.shown(),
        };
        let is_name = !name.is_empty()
            && name == field
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        is_raw &= is_name;
        if known && is_name {
            params.push((name.to_owned(), shown.clone()));
        }
        out.push_str(&shown);
        whole &= known;
        rest = &rest[at + end + 1..];
    }
    out.push_str(rest);
    let origin = text.origin.clone().map(|origin| match is_raw {
        true => Origin { params, ..origin },
        false => Origin { raw: None, params: Vec::new(), is_file: false, ..origin },
    });
    Value::Text(Rc::new(Text { text: out, whole, origin, assumed: false }))
}

fn list_method(owner: &Value, name: &str, given: &Given) -> Option<Value> {
    let Value::List(items) = owner else { return None };
    match name {
        "append" | "add" => {
            if items.borrow().len() < MAX_ITEMS {
                items.borrow_mut().push(given.args.first()?.clone());
            }
            Some(Value::None)
        }
        "extend" | "update" => {
            let more = given.args.first().and_then(Value::items).unwrap_or_default();
            if items.borrow().len() + more.len() < MAX_ITEMS {
                items.borrow_mut().extend(more);
            }
            Some(Value::None)
        }
        "insert" => {
            if items.borrow().len() < MAX_ITEMS {
                let at = match given.args.first() {
                    Some(Value::Int(at)) => usize::try_from(*at).unwrap_or(0).min(items.borrow().len()),
                    _ => 0,
                };
                items.borrow_mut().insert(at, given.args.get(1)?.clone());
            }
            Some(Value::None)
        }
        "pop" => Some(items.borrow_mut().pop().unwrap_or_else(|| Value::unknown("item"))),
        "copy" => Some(Value::list(items.borrow().clone())),
        "sort" | "reverse" | "remove" | "clear" => Some(Value::None),
        _ => None,
    }
}

/// Sets the value of `key` of a map.
pub(super) fn put(pairs: &mut Vec<(Value, Value)>, key: Value, value: Value) {
    match pairs.iter().position(|(own, _)| own.equals(&key) == Some(true)) {
        Some(at) => pairs[at].1 = value,
        None if pairs.len() < MAX_ITEMS => pairs.push((key, value)),
        None => {}
    }
}

fn dict_method(owner: &Value, name: &str, given: &Given) -> Option<Value> {
    let Value::Dict(pairs) = owner else { return None };
    let find = |key: &Value| {
        pairs.borrow().iter().rev().find(|(own, _)| own.equals(key) == Some(true)).map(|(_, value)| value.clone())
    };
    match name {
        "get" | "pop" | "setdefault" => {
            let key = given.args.first()?;
            let default = given.args.get(1).cloned();
            Some(find(key).or(default).unwrap_or(match key.as_known() {
                Some(_) => Value::None,
                None => Value::unknown("item"),
            }))
        }
        "keys" => Some(Value::list(owner.items()?)),
        "values" => Some(Value::list(pairs.borrow().iter().map(|(_, value)| value.clone()).collect())),
        "items" => {
            let item = |(key, value): &(Value, Value)| Value::list(vec![key.clone(), value.clone()]);
            Some(Value::list(pairs.borrow().iter().map(item).collect()))
        }
        "copy" => Some(Value::dict(pairs.borrow().clone())),
        "update" => {
            let more: Vec<(Value, Value)> = match given.args.first() {
                Some(Value::Dict(other)) => other.borrow().clone(),
                _ => Vec::new(),
            };
            let named = given.named.iter().map(|(name, value)| (Value::text(&**name), value.clone()));
            for (key, value) in more.into_iter().chain(named) {
                put(&mut pairs.borrow_mut(), key, value);
            }
            Some(Value::None)
        }
        _ => None,
    }
}
