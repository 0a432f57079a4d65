//! What Python's own functions and modules give, as far as it can be said without running them.
use std::{rc::Rc, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    calls::Given,
    interp::{Host, Interp, MAX_TURNS},
    methods::MAX_ITEMS,
    value::{Origin, Scope, Text, Thing, Value, placeholder},
};
use crate::estate::{
    paths,
    reader::Sought,
    text_file::TextFile,
    yaml::{self, Node, Shape},
};

/// What a clock or a new id says: no two runs have the same.
const ONCE: &str = "run_unique";
/// The moment at which the code runs.
const NOW: &str = "now";
/// Times one list of a product is repeated.
const MAX_REPEAT: usize = 8;

/// Built-in functions that are named without a module.
const BUILTINS: &[&str] = &[
    "str",
    "int",
    "len",
    "range",
    "enumerate",
    "zip",
    "list",
    "tuple",
    "set",
    "dict",
    "sorted",
    "reversed",
    "open",
    "print",
    "super",
    "isinstance",
    "getattr",
    "map",
    "filter",
    "min",
    "max",
    "sum",
    "any",
    "all",
    "bool",
    "float",
    "repr",
    "frozenset",
    "round",
    "abs",
];

pub(super) fn is_builtin(name: &str) -> bool {
    BUILTINS.contains(&name)
}

impl<H: Host> Interp<'_, H> {
    /// What the function `path` gives; `None` where nothing is known of it.
    pub(super) fn call_outside(&mut self, path: &str, given: &Given) -> Option<Value> {
        let first = given.args.first();
        match path {
            "str" | "repr" => Some(match first {
                Some(value @ Value::Text(_)) => value.clone(),
                Some(Value::Unknown(name)) if !super::expr::says_nothing(name) => Value::unknown(name),
                Some(value) => {
                    let (text, whole) = value.shown();
                    Value::Text(Rc::new(Text { text, whole, origin: None, assumed: false }))
                }
                None => Value::text(""),
            }),
            "int" => match first {
                Some(value @ Value::Int(_)) => Some(value.clone()),
                Some(Value::Float(number)) => Some(Value::Int(*number as i64)),
                Some(Value::Unknown(name)) => Some(Value::unknown(name)),
                Some(Value::Text(text)) => text.text.trim().parse().ok().map(Value::Int),
                _ => None,
            },
            "round" | "abs" | "float" => first.filter(|value| !matches!(value, Value::Thing(_))).cloned(),
            "bool" => match first? {
                likely @ (Value::Likely(_) | Value::Unknown(_)) => Some(likely.clone()),
                sure => sure.truth().map(Value::Bool),
            },
            "len" => match first? {
                Value::Text(text) if text.whole => Some(Value::Int(text.text.len() as i64)),
                value => Some(Value::Int(value.items()?.len() as i64)),
            },
            "range" => range(given),
            "enumerate" => numbered(given),
            "zip" => zipped(&given.args),
            "itertools.chain" => chained(&given.args),
            "itertools.chain.from_iterable" => chained(&first?.items()?),
            "itertools.product" => Some(product(given)),
            "dict.fromkeys" => {
                let value = given.args.get(1).cloned().unwrap_or(Value::None);
                Some(Value::dict(first?.turns()?.into_iter().map(|key| (key, value.clone())).collect()))
            }
            "list" | "tuple" | "set" | "sorted" | "reversed" | "frozenset" => listed(path, first),
            "dict" => Some(dict(given)),
            "os.path.join" => Some(joined(given)),
            "os.path.dirname" => Some(on_path(first?, |path| paths::folder_of(path).to_string())),
            "os.path.basename" => Some(on_path(first?, |path| path.file_name().unwrap_or_default().to_owned())),
            "os.path.abspath" | "os.path.realpath" | "os.path.expanduser" | "os.path.normpath"
            | "os.path.expandvars" | "pathlib.Path" | "pathlib.PurePath" | "textwrap.dedent" | "inspect.cleandoc"
            | "sqlalchemy.text" => Some(first?.clone()),
            "os.getcwd" | "pathlib.Path.cwd" => Some(Value::text("")),
            "os.environ.get" | "os.getenv" => Some(self.environment(given)),
            "copy.copy" | "copy.deepcopy" => Some(copied(first?)),
            "glob.glob" => self.glob(first?),
            "os.listdir" => self.listed(first?),
            "json.loads" | "yaml.safe_load" | "yaml.load" | "json.load" | "yaml.full_load" => self.parsed(first?),
            "datetime.timedelta" => Some(duration(given)),
            _ => of_the_run(path).map(Value::unknown),
        }
    }

    /// An environment variable: what carve.yaml says, else its default, else its name.
    fn environment(&self, given: &Given) -> Value {
        let name = given.args.first().and_then(Value::as_known).unwrap_or("variable");
        if let Some(value) = self.around.vars.get(name) {
            return Value::text(value.as_str());
        }
        let default =
            given.args.get(1).or_else(|| given.named.iter().find(|(key, _)| &**key == "default").map(|(_, v)| v));
        match default {
            // An empty default says only that the variable may be missing.
            Some(value) if !matches!(value, Value::None) && value.as_known() != Some("") => value.clone().assumed(),
            _ => Value::unknown(name),
        }
    }

    /// The methods of an opened file.
    pub(super) fn read_method(&mut self, thing: &Rc<Thing>, name: &str, scope: &Rc<Scope>) -> Option<Value> {
        if &*thing.path != "open" || !matches!(name, "read" | "readlines") {
            return None;
        }
        self.content(thing.args.first()?, &scope.file)
    }

    /// The text of the file that `path` names.
    pub(crate) fn content(&mut self, path: &Value, from: &TextFile) -> Option<Value> {
        let path = path.as_text()?;
        let folders = [Utf8Path::new(""), paths::folder_of(&from.path)];
        let Sought::File(file) = self.around.find(&folders, &path.text) else {
            return Some(Value::unknown("content"));
        };
        Some(file_value(&file))
    }

    fn parsed(&mut self, source: &Value) -> Option<Value> {
        let text = match source {
            Value::Thing(thing) if &*thing.path == "open" => self.content(thing.args.first()?, &nowhere())?,
            other => other.clone(),
        };
        let text = text.as_text()?.clone();
        if !text.whole || text.text.len() > 500_000 {
            return None;
        }
        // JSON is YAML but for tabs, which stand in no name.
        let file = TextFile::inside("data".into(), text.text.replace('\t', " "));
        yaml::document(&file).ok().map(|node| of_node(&node))
    }

    fn glob(&mut self, pattern: &Value) -> Option<Value> {
        let pattern = pattern.as_known()?;
        // A path of the machine that runs it: its end lies in the estate.
        let mut rest = pattern.trim_start_matches('/');
        loop {
            let found = self.around.glob_all(Utf8Path::new(""), rest);
            if !found.is_empty() {
                return Some(Value::list(found.iter().take(MAX_TURNS).map(super::value::path_value).collect()));
            }
            rest = rest.split_once('/')?.1;
        }
    }

    fn listed(&mut self, folder: &Value) -> Option<Value> {
        let folder = Utf8PathBuf::from(folder.as_known()?);
        let found = self.around.glob_all(&folder, "*");
        let names = found.iter().filter_map(|path| path.file_name()).take(MAX_TURNS);
        Some(Value::list(names.map(Value::text).collect()))
    }
}

/// The whole of a file as a text.
pub(super) fn file_value(file: &TextFile) -> Value {
    let raw: Option<Arc<str>> = file.editable.then(|| file.text.clone());
    let origin = Origin { at: file.whole(), raw, params: Vec::new(), is_file: true };
    Value::Text(Rc::new(Text { text: file.text.to_string(), whole: true, origin: Some(origin), assumed: false }))
}

fn nowhere() -> TextFile {
    TextFile::inside(Utf8PathBuf::new(), String::new())
}

fn of_node(node: &Node) -> Value {
    match &node.shape {
        Shape::Null => Value::None,
        Shape::Bool(yes) => Value::Bool(*yes),
        Shape::Number(text) => match text.parse::<i64>() {
            Ok(number) => Value::Int(number),
            Err(_) => text.parse().map_or_else(|_| Value::text(text.as_str()), Value::Float),
        },
        Shape::Text(text) => Value::text(text.as_str()),
        Shape::List(items) => Value::list(items.iter().map(of_node).collect()),
        Shape::Map(entries) => {
            Value::dict(entries.iter().map(|entry| (of_node(&entry.key), of_node(&entry.value))).collect())
        }
    }
}

fn range(given: &Given) -> Option<Value> {
    let number = |at: usize| match given.args.get(at) {
        Some(Value::Int(number)) => Some(*number),
        _ => None,
    };
    let (from, to, step) = match given.args.len() {
        1 => (0, number(0)?, 1),
        2 => (number(0)?, number(1)?, 1),
        _ => (number(0)?, number(1)?, number(2)?),
    };
    let by = usize::try_from(step.unsigned_abs()).ok().filter(|by| *by > 0)?;
    let numbers: Vec<Value> = match step > 0 {
        true => (from..to).step_by(by).take(MAX_TURNS + 1).map(Value::Int).collect(),
        false => {
            (to.checked_add(1)?..from.checked_add(1)?).rev().step_by(by).take(MAX_TURNS + 1).map(Value::Int).collect()
        }
    };
    Some(Value::list(numbers))
}

/// `enumerate(items, start)`.
fn numbered(given: &Given) -> Option<Value> {
    let start = given.args.get(1).or_else(|| given.named.iter().find(|(name, _)| &**name == "start").map(|(_, v)| v));
    let start = match start {
        Some(Value::Int(start)) => *start,
        _ => 0,
    };
    let items = given.args.first()?.turns()?.into_iter().zip(start..);
    Some(Value::list(items.map(|(item, at)| Value::list(vec![Value::Int(at), item])).collect()))
}

/// The items of all lists, one after the other.
fn chained(lists: &[Value]) -> Option<Value> {
    let all: Vec<Vec<Value>> = lists.iter().map(Value::turns).collect::<Option<_>>()?;
    Some(Value::list(all.into_iter().flatten().take(MAX_ITEMS).collect()))
}

/// `itertools.product(a, b, repeat=2)`.
fn product(given: &Given) -> Value {
    let Some(lists) = given.args.iter().map(Value::turns).collect::<Option<Vec<_>>>() else {
        return Value::unknown("items");
    };
    let repeat = match given.named.iter().find(|(name, _)| &**name == "repeat") {
        Some((_, Value::Int(times))) => usize::try_from(*times).unwrap_or(0).min(MAX_REPEAT),
        Some(_) => return Value::unknown("items"),
        None => 1,
    };
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in (0..repeat).flat_map(|_| &lists) {
        let grown = rows
            .iter()
            .flat_map(|row| list.iter().map(move |item| [row.as_slice(), std::slice::from_ref(item)].concat()));
        rows = grown.take(MAX_ITEMS).collect();
    }
    Value::list(rows.into_iter().map(Value::list).collect())
}

/// What of `path` is another each time it is asked: a clock, a random number, a new id.
fn of_the_run(path: &str) -> Option<&'static str> {
    let last = path.rsplit('.').next().unwrap_or_default();
    let is_moment = ["datetime.", "date.", "pendulum.", "timezone.", "Timestamp."].iter().any(|of| path.contains(of));
    match last {
        "now" | "utcnow" | "today" | "now_" if is_moment => Some(NOW),
        _ if path.starts_with("uuid.uuid") || path.starts_with("secrets.token") => Some(ONCE),
        "time" | "time_ns" | "monotonic" | "perf_counter" if path.starts_with("time.") => Some(ONCE),
        "random" | "randint" | "randrange" | "getrandbits" if path.starts_with("random.") => Some(ONCE),
        _ => None,
    }
}

/// Whether `name` stands for what no two runs share.
pub(super) fn is_once(name: &str) -> bool {
    matches!(name, ONCE | "run_id")
}

/// Whether `name` stands for what is another each time it is asked.
pub(super) fn is_of_the_run(name: &str) -> bool {
    name == NOW || is_once(name)
}

/// What a method of a value nobody knows gives, where it is still that value: its text, or a moment's.
pub(super) fn of_unknown(hint: &str, method: &str, given: &Given) -> Option<Value> {
    let first = given.args.first().and_then(Value::as_known);
    match method {
        "strftime" | "format" if method == "strftime" || hint == NOW => Some(Value::unknown(moment(hint, first?))),
        "replace" if hint == "ds" && first == Some("-") => Some(Value::unknown("ds_nodash")),
        "replace" | "strip" | "lower" | "upper" | "rstrip" | "lstrip" | "date" | "astimezone" | "add" | "subtract" => {
            Some(Value::unknown(hint))
        }
        "timestamp" | "isoformat" | "int_timestamp" | "hex" | "to_iso8601_string" if is_of_the_run(hint) => {
            Some(Value::unknown(ONCE))
        }
        _ => None,
    }
}

/// What a moment written as `format` is called: by the day it is a partition, finer it is the run's own.
fn moment(hint: &str, format: &str) -> &'static str {
    let is_fine = ["%H", "%I", "%M", "%S", "%s", "%f", "%X", "%T", "HH", "mm"].iter().any(|mark| format.contains(mark));
    match is_fine {
        true if hint == NOW => ONCE,
        _ if format.contains('-') => "ds",
        _ => "ds_nodash",
    }
}

fn zipped(all: &[Value]) -> Option<Value> {
    let lists: Vec<Vec<Value>> = all.iter().map(Value::turns).collect::<Option<_>>()?;
    let length = lists.iter().map(Vec::len).min()?;
    let row = |at: usize| Value::list(lists.iter().map(|list| list[at].clone()).collect());
    Some(Value::list((0..length).map(row).collect()))
}

fn listed(how: &str, items: Option<&Value>) -> Option<Value> {
    let Some(items) = items else { return Some(Value::list(Vec::new())) };
    let mut items = items.turns()?;
    match how {
        "reversed" => items.reverse(),
        "sorted" if items.iter().all(|item| item.as_known().is_some()) => {
            items.sort_by(|a, b| a.as_known().cmp(&b.as_known()));
        }
        _ => {}
    }
    Some(Value::list(items))
}

fn dict(given: &Given) -> Value {
    let mut pairs = match given.args.first() {
        Some(Value::Dict(pairs)) => pairs.borrow().clone(),
        Some(Value::List(items)) => {
            let pair = |item: &Value| match item.items()?.as_slice() {
                [key, value] => Some((key.clone(), value.clone())),
                _ => None,
            };
            items.borrow().iter().filter_map(pair).collect()
        }
        _ => Vec::new(),
    };
    pairs.extend(given.named.iter().map(|(name, value)| (Value::text(&**name), value.clone())));
    Value::dict(pairs)
}

fn copied(value: &Value) -> Value {
    match value {
        Value::List(items) => Value::list(items.borrow().clone()),
        Value::Dict(pairs) => Value::dict(pairs.borrow().clone()),
        other => other.clone(),
    }
}

fn joined(given: &Given) -> Value {
    let mut whole = true;
    let parts: Vec<String> = given
        .args
        .iter()
        .map(|arg| {
            let (text, known) = arg.shown();
            whole &= known;
            text
        })
        .collect();
    Value::Text(Rc::new(Text { text: join_paths(&parts), whole, origin: None, assumed: false }))
}

/// The parts of a path as one; a part that begins at the root starts it anew.
pub(super) fn join_paths(parts: &[String]) -> String {
    parts.iter().fold(String::new(), |path, part| match part.starts_with('/') || path.is_empty() {
        true => part.clone(),
        false => format!("{}/{part}", path.trim_end_matches('/')),
    })
}

fn on_path(value: &Value, change: impl Fn(&Utf8Path) -> String) -> Value {
    match value {
        Value::Text(text) => Value::Text(Rc::new(Text {
            text: change(text.text.as_str().into()),
            whole: text.whole,
            origin: None,
            assumed: false,
        })),
        other => Value::Text(Rc::new(Text { text: other.shown().0, whole: false, origin: None, assumed: false })),
    }
}

/// `parent`, `name` and the like of a path.
pub(super) fn path_attribute(text: &Rc<Text>, name: &str) -> Option<Value> {
    let path = Utf8Path::new(&text.text);
    let part = match name {
        "parent" => paths::folder_of(path).to_string(),
        "name" => path.file_name().unwrap_or_default().to_owned(),
        "stem" => path.file_stem().unwrap_or_default().to_owned(),
        "suffix" => path.extension().map(|ending| format!(".{ending}")).unwrap_or_default(),
        _ => return None,
    };
    Some(Value::Text(Rc::new(Text { text: part, whole: text.whole, origin: None, assumed: false })))
}

/// A span of time as `every 1d2h`.
fn duration(given: &Given) -> Value {
    const UNITS: &[(&str, i64)] =
        &[("weeks", 604_800), ("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1)];
    let number = |value: &Value| match value {
        Value::Int(number) => Some(*number as f64),
        Value::Float(number) => Some(*number),
        _ => None,
    };
    let mut seconds = given.args.first().and_then(number).unwrap_or(0.0) * 86_400.0;
    for (name, value) in &given.named {
        let unit = UNITS.iter().find(|(unit, _)| *unit == &**name).map(|(_, seconds)| *seconds as f64);
        match (unit, number(value)) {
            (Some(unit), Some(number)) => seconds += unit * number,
            _ => {
                return Value::Text(Rc::new(Text {
                    text: placeholder("timedelta"),
                    whole: false,
                    origin: None,
                    assumed: false,
                }));
            }
        }
    }
    let seconds = seconds.max(0.0) as u64;
    let units = [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    let (unit, length) = units.into_iter().find(|(_, length)| seconds.is_multiple_of(*length)).unwrap_or(("s", 1));
    Value::text(format!("every {}{unit}", seconds / length))
}
