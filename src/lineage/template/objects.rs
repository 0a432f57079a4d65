//! What templates find: names nobody knows, relations, variables, configuration.
use std::{
    cell::Cell,
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use minijinja::{
    Error, State,
    value::{DynObject, Enumerator, Kwargs, Object, ObjectRepr, Value},
};

use super::fill::stub;
pub(super) use crate::estate::shaped;
use crate::{lineage::resolve::INFERRED, vocab::DatasetId};

/// Items of items of something unknown.
const MAX_ITEM_DEPTH: usize = 3;

/// Names that were asked for and that nobody knows.
pub(super) type Missing = Arc<Mutex<BTreeSet<String>>>;

/// Notes a name that nobody knows.
pub(super) fn miss(missing: &Missing, name: &str) {
    missing.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
}

/// Stands for a value nobody knows: it can be printed, called, looked into and walked over.
#[derive(Debug)]
pub(super) struct Stub {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) missing: Missing,
}

impl Stub {
    /// The stub for `name`; it counts as missing once something comes of it.
    pub(super) fn value(name: &str, missing: &Missing) -> Value {
        let text = shaped(name).map_or_else(|| stub(name), str::to_owned);
        if shaped(name).is_none() {
            super::branch::touch();
            miss(missing, name);
        }
        Value::from_object(Stub { path: name.to_owned(), text, missing: missing.clone() })
    }

    fn child(&self, name: &str) -> Value {
        let root = self.path.split('.').next().unwrap_or_default();
        let path = format!("{}.{name}", self.path);
        let text = match shaped(root) {
            Some(value) => value.to_owned(),
            // The name of a thing is told by the thing.
            None if name == "name" => stub(self.path.split('.').rfind(|part| *part != "item").unwrap_or(name)),
            None => stub(name),
        };
        Value::from_object(Stub { path, text, missing: self.missing.clone() })
    }

    /// A call becomes a call in SQL, so that its arguments' columns are seen.
    fn called(&self, args: &[Value]) -> Value {
        let root = self.path.split('.').next().unwrap_or_default();
        if let Some(value) = shaped(root) {
            return Value::from(value);
        }
        let name = self.path.rsplit('.').next().unwrap_or_default();
        match name {
            "star" => return Value::from("*"),
            // dbt's own and dbt_utils': one column of moments, out of nothing.
            "date_spine" => {
                let part = Kwargs::try_from(args.last().cloned().unwrap_or_default());
                let part = part.ok().and_then(|named| named.get::<String>("datepart").ok());
                let part = part.or_else(|| args.first().and_then(Value::as_str).map(str::to_owned));
                let part = part.filter(|part| part.bytes().all(|b| b.is_ascii_alphabetic())).unwrap_or_default();
                return Value::from(format!("(select cast(null as timestamp) as date_{})", part.to_lowercase()));
            }
            _ if !relations(args).is_empty() => {
                // Whatever it makes of them, it reads them.
                let all: Vec<String> = relations(args).iter().map(|one| format!("select * from {one}")).collect();
                let text = format!("({})", all.join(" union all "));
                return Value::from_object(Stub { path: self.path.clone(), text, missing: self.missing.clone() });
            }
            _ if name.starts_with("type_") => return Value::from(name.trim_start_matches("type_").to_owned()),
            _ => {}
        }
        let mut parts = Vec::new();
        args.iter().for_each(|arg| flatten(arg, &mut parts));
        Value::from(format!("{name}({})", parts.join(", ")))
    }
}

/// Jinja's `default`: a name nobody knows takes the value that the template gives it, and is missed no more.
pub(super) fn or_default(value: Value, other: Value, truth: bool) -> Value {
    if let Some(stub) = value.downcast_object_ref::<Stub>() {
        super::branch::untouch();
        stub.missing.lock().unwrap_or_else(PoisonError::into_inner).remove(&stub.path);
        return other;
    }
    let absent = value.is_undefined() || (truth && !value.is_true());
    if absent { other } else { value }
}

/// The relations among `args`, those in lists and behind names too.
fn relations(args: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    args.iter().for_each(|arg| gather(arg, 0, &mut found));
    found
}

fn gather(value: &Value, depth: usize, found: &mut Vec<String>) {
    use minijinja::value::ValueKind::{Iterable, Map, Seq};
    if value.downcast_object_ref::<Relation>().is_some() || value.as_str().is_some_and(|text| text.contains(INFERRED)) {
        return found.push(value.to_string());
    }
    if depth > MAX_ITEM_DEPTH || value.downcast_object_ref::<Stub>().is_some() {
        return;
    }
    let is_map = value.kind() == Map;
    if let (Seq | Iterable | Map, Ok(items)) = (value.kind(), value.try_iter()) {
        for item in items.take(100) {
            let item = if is_map { value.get_item(&item).unwrap_or_default() } else { item };
            gather(&item, depth + 1, found);
        }
    }
}

fn flatten(value: &Value, parts: &mut Vec<String>) {
    use minijinja::value::ValueKind::{Iterable, Map, Seq};
    match value.kind() {
        _ if value.is_kwargs() => {}
        Seq | Iterable if parts.len() < 100 => {
            if let Ok(items) = value.try_iter() {
                items.take(100).for_each(|item| flatten(&item, parts));
            }
        }
        Map => {}
        _ => parts.push(value.to_string()),
    }
}

impl Object for Stub {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(self.child(key.as_str().unwrap_or("item")))
    }

    /// One item, itself unknown; but not for ever: whoever compares or prints walks all the way down.
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        match self.path.matches(".item").count() {
            0..MAX_ITEM_DEPTH => Enumerator::Iter(Box::new(std::iter::once(self.child("item")))),
            _ => Enumerator::Empty,
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        super::branch::touch();
        other.downcast_ref::<Stub>().map(|other| self.path.cmp(&other.path))
    }

    fn is_true(self: &Arc<Self>) -> bool {
        super::branch::touch();
        false
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        Ok(self.called(args))
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let path = format!("{}.{method}", self.path);
        Ok(Stub { path, text: stub(method), missing: self.missing.clone() }.called(args))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A relation as dbt hands it out.
#[derive(Debug)]
pub(super) struct Relation {
    pub(super) id: DatasetId,
    pub(super) quote: char,
}

impl Object for Relation {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let parts: Vec<&str> = self.id.name().split('.').collect();
        let from_end = |at: usize| parts.len().checked_sub(at).and_then(|at| parts.get(at)).copied();
        match key.as_str()? {
            "identifier" | "name" | "table" | "alias" => from_end(1).map(Value::from),
            "schema" | "dataset" => from_end(2).map(Value::from),
            "database" | "project" => Some(Value::from(from_end(3).unwrap_or_default())),
            "is_view" | "is_cte" => Some(Value::from(false)),
            "is_table" => Some(Value::from(true)),
            _ => None,
        }
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, _: &str, _: &[Value]) -> Result<Value, Error> {
        Ok(Value::from_dyn_object(self.clone()))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |part: &str| {
            part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                && !part.starts_with(|c: char| c.is_ascii_digit())
        };
        let quoted = |part: &str| if plain(part) { part.to_owned() } else { format!("{0}{part}{0}", self.quote) };
        f.write_str(&self.id.name().split('.').map(quoted).collect::<Vec<_>>().join("."))
    }
}

/// Values given by name; a name that is not among them is a stub. Callable as dbt's `var(name, default)`.
#[derive(Debug)]
pub(super) struct Values {
    pub(super) given: BTreeMap<String, Value>,
    pub(super) missing: Missing,
}

impl Values {
    fn get(&self, name: &str) -> Option<Value> {
        self.given.get(name).cloned()
    }
}

impl Object for Values {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        match name {
            // Airflow: `var.value.name`, `var.json.name`.
            "value" | "json" if !self.given.contains_key(name) => Some(Value::from_dyn_object(self.clone())),
            _ => Some(self.get(name).unwrap_or_else(|| Stub::value(name, &self.missing))),
        }
    }

    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let name = args.first().and_then(Value::as_str).unwrap_or_default().to_owned();
        let default = args.get(1).filter(|value| !value.is_kwargs()).cloned();
        let given = self.get(&name).map(|value| value_of(&value, state).unwrap_or(value));
        Ok(given.or(default).unwrap_or_else(|| Stub::value(&name, &self.missing)))
    }

    fn call_method(self: &Arc<Self>, state: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "get" => self.call(state, args),
            "has_var" => {
                Ok(Value::from(args.first().and_then(Value::as_str).is_some_and(|name| self.given.contains_key(name))))
            }
            _ => Ok(Value::from("")),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&stub("values"))
    }
}

/// Longest value of a variable that is rendered, in bytes: without loops, it takes no longer than it is long.
const MAX_VALUE: usize = 1_000;

/// What a variable's value gives that is a template itself; `None` for any other, and within another variable's value.
fn value_of(value: &Value, state: &State<'_, '_>) -> Option<Value> {
    let text = value.as_str().filter(|text| text.contains("{{") && !text.contains("{%") && text.len() <= MAX_VALUE)?;
    let names = state.lookup("carve_names")?;
    let outermost = !IN_VALUE.replace(true);
    let rendered = outermost.then(|| state.env().render_str(text, names).ok()).flatten();
    IN_VALUE.set(!outermost);
    rendered.map(Value::from)
}

thread_local! {
    /// Whether a variable's value is being rendered on this thread: one may name itself.
    static IN_VALUE: Cell<bool> = const { Cell::new(false) };
}

/// Something whose calls leave no text: `config`, `exceptions`.
#[derive(Debug)]
pub(super) struct Quiet;

impl Object for Quiet {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        Ok(Value::from(""))
    }

    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        match method {
            "get" => Ok(args.get(1).filter(|value| !value.is_kwargs()).cloned().unwrap_or_else(|| Value::from(()))),
            _ => Ok(Value::from("")),
        }
    }

    fn render(self: &Arc<Self>, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// Whether `text` asks for a value that is known only when a job runs and that nothing `given` says.
pub(super) fn uses_shaped(text: &str, given: &BTreeMap<String, String>) -> bool {
    let open = |word: &str| shaped(word).is_some() && !given.contains_key(word);
    let mut inside = text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
    inside.any(|expression| expression.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(open))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_thing_nobody_knows_is_told_by_the_thing() {
        let missing = Missing::default();
        let list = Stub::value("raw_datasets", &missing);
        let item = list.try_iter().unwrap().next().unwrap();
        assert_eq!(item.get_attr("name").unwrap().to_string(), stub("raw_datasets"));
        assert_eq!(list.get_attr("name").unwrap().to_string(), stub("raw_datasets"));
        assert_eq!(list.get_attr("region").unwrap().to_string(), stub("region"));
    }
}
