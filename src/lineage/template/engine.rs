//! The template engine and what it is given. The one file that drives minijinja; bounded in fuel and depth.
use std::{
    cell::Cell,
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError},
};

use minijinja::{
    Environment, Error, ErrorKind, OutputSpanKind, State, UndefinedBehavior,
    value::{Kwargs, Object, Rest, Serde, Value, ValueKind},
};

use super::{
    branch,
    expand::{self, Expanded},
    fill::Filled,
    moment::Moment,
    objects::{Missing, Quiet, Relation, Stub, Values},
    pieces,
    project::{Project, Projects},
};
use crate::{
    estate::{Script, Templating, versioned_name},
    lineage::place::{Origin, Origins},
    vocab::DatasetId,
};

/// Instructions one rendering may take, macros included.
const FUEL: u64 = 400_000;
/// Macros of other files within each other.
const MAX_MACRO_DEPTH: usize = 24;
/// Longest text that is kept of one script, in bytes.
const MAX_OUTPUT: usize = 8 * 1024 * 1024;
/// Unknown filters and tests that are stood in for before rendering gives up.
const MAX_STAND_INS: usize = 16;

thread_local! {
    /// Macros of other files being called on this thread.
    static MACRO_DEPTH: Cell<usize> = const { Cell::new(0) };
}

/// Renders `script`: as a whole, else expression by expression. A condition that nobody can decide is taken both ways.
pub(super) fn render(script: &Script, values: &BTreeMap<String, String>, projects: &Projects) -> Filled {
    let missing = Missing::default();
    let names = Names::of(script, values, projects, &missing);
    let context = Value::from_object(names.clone());
    let mut environment = environment(&context);
    if let Templating::Dbt { project, .. } = &script.templating
        && let Some(project) = projects.get(*project)
    {
        environment.set_loader(move |key| Ok(project.macro_text(key)));
    }
    let whole = expand::expanded(&script.text, &script.at.file, projects.fragments());
    let mut engine = Engine { environment, names, context, missing, stood_in: 0, complete: false, untold: Vec::new() };
    match engine.every_way(&whole) {
        Ok((text, origins, others)) => {
            let gone = whole.missing.iter().map(|name| format!("there is no file `{name}` to include"));
            let found = engine.problems().into_iter().chain(std::mem::take(&mut engine.untold));
            let problems: Vec<String> = found.chain(gone).collect();
            let shaped = super::objects::uses_shaped(&script.text, values);
            let complete = engine.complete && whole.missing.is_empty() && !shaped;
            Filled { text, origins, complete, masked: false, problems, others }
        }
        Err(why) => {
            let (text, origins) = engine.in_pieces(&whole);
            Filled { text, origins, complete: false, masked: true, problems: vec![why], ..Filled::default() }
        }
    }
}

/// A rendered text and where it comes from.
type Way = (String, Origins);

/// The engine, set up for one script.
struct Engine {
    environment: Environment<'static>,
    names: Names,
    context: Value,
    missing: Missing,
    /// Unknown filters and tests that were stood in for.
    stood_in: usize,
    /// Whether the first way knew every value.
    complete: bool,
    /// Why other ways could not be rendered.
    untold: Vec<String>,
}

impl Engine {
    /// The text of `whole`; where conditions are open, those of the other ways too.
    fn every_way(&mut self, whole: &Expanded) -> Result<(String, Origins, Vec<Way>), String> {
        let mut marked = expand::conditions_marked(whole);
        let (mut ways, mut open, mut incremental) = (Vec::<Way>::new(), 0, false);
        for round in 0..branch::ROUNDS {
            let mut made = self.round(round, marked.as_ref().map_or((&whole.text, &whole.origins), |(t, o)| (t, o)));
            // A mark may stand where a condition only looks like one.
            if made.is_err() && ways.is_empty() && marked.take().is_some() {
                made = self.round(round, (&whole.text, &whole.origins));
            }
            match made {
                Ok(way) if ways.iter().all(|(known, _)| *known != way.0) => ways.push(way),
                Ok(_) => {}
                Err(why) if ways.is_empty() => return Err(why),
                Err(why) if incremental => {
                    self.untold.push(format!("where is_incremental() holds: {why}"));
                    ways.push(self.in_pieces(whole));
                    break;
                }
                Err(_) => {}
            }
            if round == 0 {
                self.complete = self.problems().is_empty();
                incremental = branch::asked_incremental();
            }
            open = open.max(branch::open_conditions());
            if open <= round {
                break;
            }
        }
        let (text, origins) = ways.remove(0);
        Ok((text, origins, ways))
    }

    fn round(&mut self, round: usize, (text, origins): (&String, &Origins)) -> Result<Way, String> {
        branch::begin(round);
        self.rendered(text, origins).map(|(text, runs)| (text, Origins::of(runs)))
    }

    /// `whole` filled expression by expression.
    fn in_pieces(&mut self, whole: &Expanded) -> Way {
        let (text, pieces) = pieces::filled(&whole.text, self);
        let mut runs = Vec::new();
        for run in pieces.runs() {
            expand::enter(&whole.origins, run.out.clone(), run.source.clone(), run.same, &mut runs);
        }
        (text, Origins::of(runs))
    }

    fn rendered(&mut self, text: &str, origins: &Origins) -> Result<(String, Vec<Origin>), String> {
        let (out, spans) = loop {
            let template = self.environment.template_from_named_str("script", text).map_err(|e| told(&e))?;
            match template.render_with_spans(self.context.clone()) {
                Ok(done) => break done,
                Err(error) => {
                    let name = unknown_name(&error).filter(|_| self.stood_in < MAX_STAND_INS);
                    let name = name.ok_or_else(|| told(&error))?;
                    self.stood_in += 1;
                    super::objects::miss(&self.missing, &name.1);
                    stand_in(&mut self.environment, name);
                }
            }
        };
        if out.len() > MAX_OUTPUT {
            return Err(format!("the rendered text is longer than {MAX_OUTPUT} bytes"));
        }
        let mut runs = Vec::new();
        for span in &spans {
            let same = span.kind() == OutputSpanKind::Raw;
            let from = if same { span.source_range() } else { widened(text, span.source_range()) };
            expand::enter(origins, span.output_range(), from, same, &mut runs);
        }
        Ok((out, runs))
    }

    fn problems(&self) -> Vec<String> {
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.iter().map(|name| format!("nobody says what `{name}` is")).collect()
    }
}

impl pieces::Evaluate for Engine {
    fn text(&mut self, expression: &str) -> Option<String> {
        let compiled = self.environment.compile_expression_owned(expression.to_owned()).ok()?;
        let value = compiled.eval(self.context.clone()).ok().filter(|value| !value.is_undefined())?;
        Some(value.to_string())
    }

    fn set(&mut self, name: &str, expression: &str) {
        let Ok(compiled) = self.environment.compile_expression_owned(expression.to_owned()) else { return };
        if let Ok(value) = compiled.eval(self.context.clone()) {
            self.names.own.insert(name.to_owned(), value);
            self.context = Value::from_object(self.names.clone());
        }
    }
}

fn environment(names: &Value) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(120);
    environment.add_global("carve_names", names.clone());
    environment.add_filter("as_native", |value: Value| value);
    environment.add_filter("as_text", |value: Value| value);
    environment.add_filter("as_bool", |value: Value| value);
    environment.add_filter("as_number", |value: Value| value);
    for name in ["default", "d"] {
        environment.add_filter(name, |value: Value, other: Option<Value>, truth: Option<bool>| {
            super::objects::or_default(value, other.unwrap_or_else(|| Value::from("")), truth.unwrap_or(false))
        });
    }
    environment.add_filter("ds", |_: Value| super::objects::shaped("ds"));
    environment.add_filter("ds_nodash", |_: Value| super::objects::shaped("ds_nodash"));
    branch::teach(&mut environment);
    environment.set_unknown_method_callback(python_method);
    environment
}

/// `{{ x }}` rather than `x`.
fn widened(text: &str, inner: std::ops::Range<usize>) -> std::ops::Range<usize> {
    let start = text.get(..inner.start).and_then(|before| before.rfind("{{"));
    let end = text.get(inner.end..).and_then(|after| after.find("}}"));
    match (start, end) {
        (Some(start), Some(end)) => start..inner.end + end + 2,
        _ => inner,
    }
}

fn told(error: &Error) -> String {
    let line = error.line().map(|line| format!(" (line {line})")).unwrap_or_default();
    match error.detail() {
        Some(detail) => format!("{}: {detail}{line}", error.kind()),
        None => format!("{}{line}", error.kind()),
    }
}

/// The unknown filter or test that stopped rendering.
fn unknown_name(error: &Error) -> Option<(ErrorKind, String)> {
    let kind = error.kind();
    let detail = error.detail()?;
    let name = match kind {
        ErrorKind::UnknownFilter => detail.strip_prefix("filter ")?.strip_suffix(" is unknown")?,
        ErrorKind::UnknownTest => detail.strip_prefix("test ")?.strip_suffix(" is unknown")?,
        _ => return None,
    };
    Some((kind, name.to_owned()))
}

/// An unknown filter passes its value on; an unknown test fails.
fn stand_in(environment: &mut Environment<'static>, (kind, name): (ErrorKind, String)) {
    match kind {
        ErrorKind::UnknownFilter => environment.add_filter(name, |value: Value, _: Rest<Value>| value),
        _ => environment.add_test(name, |_: Value, _: Rest<Value>| false),
    }
}

/// Methods that Python's own values have and templates use.
fn python_method(_: &mut State<'_, '_>, value: &Value, method: &str, args: &[Value]) -> Result<Value, Error> {
    let unknown = || Error::new(ErrorKind::UnknownMethod, format!("no method `{method}`"));
    let argument = |at: usize| args.get(at).and_then(Value::as_str).map(str::to_owned);
    if let Some(text) = value.as_str() {
        return Ok(match method {
            "upper" => Value::from(text.to_uppercase()),
            "lower" => Value::from(text.to_lowercase()),
            "strip" => Value::from(text.trim()),
            "replace" => {
                Value::from(text.replace(&argument(0).ok_or_else(unknown)?, &argument(1).ok_or_else(unknown)?))
            }
            "split" => match argument(0) {
                Some(by) if !by.is_empty() => text.split(by.as_str()).collect(),
                _ => text.split_whitespace().collect(),
            },
            "startswith" => Value::from(text.starts_with(&argument(0).ok_or_else(unknown)?)),
            "endswith" => Value::from(text.ends_with(&argument(0).ok_or_else(unknown)?)),
            "format" => {
                Value::from(args.iter().fold(text.to_owned(), |text, arg| text.replacen("{}", &arg.to_string(), 1)))
            }
            "join" => {
                let parts = args.first().ok_or_else(unknown)?.try_iter()?.take(1000).map(|v| v.to_string());
                Value::from(parts.collect::<Vec<_>>().join(text))
            }
            _ => return Err(unknown()),
        });
    }
    if value.kind() == ValueKind::Map {
        let keys: Vec<Value> = value.try_iter()?.collect();
        return Ok(match method {
            "keys" => keys.into_iter().collect(),
            "values" => keys.iter().filter_map(|key| value.get_item(key).ok()).collect(),
            "items" => {
                keys.iter().filter_map(|key| Some(Value::from_iter([key.clone(), value.get_item(key).ok()?]))).collect()
            }
            "get" => {
                let found = args.first().and_then(|key| value.get_item(key).ok()).filter(|value| !value.is_undefined());
                found.or_else(|| args.get(1).cloned()).unwrap_or_else(|| Value::from(()))
            }
            _ => return Err(unknown()),
        });
    }
    Err(unknown())
}

/// Every name a template may ask for.
#[derive(Clone, Debug)]
struct Names {
    own: BTreeMap<String, Value>,
    project: Option<Arc<Project>>,
    missing: Missing,
}

/// Names that the engine itself knows.
const ENGINES_OWN: &[&str] = &[
    "range",
    "dict",
    "namespace",
    "debug",
    "carve_names",
    "carve_begin",
    "carve_if",
    "loop",
    "caller",
    "varargs",
    "kwargs",
    "true",
    "false",
    "none",
];

impl Names {
    fn of(script: &Script, values: &BTreeMap<String, String>, projects: &Projects, missing: &Missing) -> Self {
        let mut own: BTreeMap<String, Value> =
            values.iter().map(|(name, value)| (name.clone(), Value::from(value))).collect();
        let given = own.clone();
        let mut project = None;
        if let Templating::Dbt { project: index, model } = &script.templating {
            project = projects.get(*index);
            if let Some(project) = &project {
                own = dbt_names(project, model, script, given, missing);
            }
        } else {
            for name in ["params", "var", "vars", "conn"] {
                let values = Values { given: given.clone(), missing: missing.clone() };
                own.entry(name.to_owned()).or_insert_with(|| Value::from_object(values));
            }
            for (name, value) in super::outside::names(&script.text, projects, missing) {
                own.entry(name.to_owned()).or_insert(value);
            }
        }
        Names { own, project, missing: missing.clone() }
    }
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if ENGINES_OWN.contains(&key) {
            return None;
        }
        if let Some(value) = self.own.get(key) {
            return Some(value.clone());
        }
        if let Some(project) = &self.project {
            if let Some(file) = project.macros.get(key) {
                return Some(Value::from_object(Macro { name: key.to_owned(), file: *file }));
            }
            if project.packages.contains_key(key) {
                return Some(Value::from_object(Package {
                    project: project.clone(),
                    name: key.to_owned(),
                    missing: self.missing.clone(),
                }));
            }
        }
        Some(Stub::value(key, &self.missing))
    }
}

/// A macro of another file.
#[derive(Debug)]
struct Macro {
    name: String,
    file: usize,
}

impl Object for Macro {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let depth = MACRO_DEPTH.get();
        if depth >= MAX_MACRO_DEPTH {
            return Err(Error::new(ErrorKind::InvalidOperation, "macros call each other too deeply"));
        }
        MACRO_DEPTH.set(depth + 1);
        let called = self.call_in_file(state, args);
        MACRO_DEPTH.set(depth);
        called
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Macro {
    fn call_in_file(&self, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let names = state.lookup("carve_names").unwrap_or_default();
        let template = state.env().get_template(&format!("macros/{}", self.file))?;
        let mut module = template.render_captured(names)?;
        let (value, used) = module.with_state_mut(|inner| {
            let function = inner.lookup(&self.name).unwrap_or_default();
            let value = function.call(inner, args);
            (value, inner.fuel_levels().map_or(0, |(used, _)| used))
        });
        state.consume_fuel(used)?;
        value
    }
}

/// A package of macros: `dbt_utils.star(…)`.
#[derive(Debug)]
struct Package {
    project: Arc<Project>,
    name: String,
    missing: Missing,
}

impl Object for Package {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let name = key.as_str()?;
        let file = self.project.packages.get(&self.name)?.get(name);
        Some(match file {
            Some(file) => Value::from_object(Macro { name: name.to_owned(), file: *file }),
            None => Stub::value(&format!("{}.{name}", self.name), &self.missing),
        })
    }
}

/// dbt's `adapter`: it hands out the variant of a macro that fits.
#[derive(Debug)]
struct Adapter {
    project: Arc<Project>,
    missing: Missing,
}

impl Object for Adapter {
    fn call_method(self: &Arc<Self>, _: &mut State<'_, '_>, method: &str, args: &[Value]) -> Result<Value, Error> {
        let name = args.first().and_then(Value::as_str).unwrap_or_default();
        match method {
            "dispatch" => {
                let adapter = self.project.facts.adapter.as_deref().unwrap_or("default");
                let variants = [format!("{adapter}__{name}"), format!("default__{name}"), name.to_owned()];
                let found =
                    variants.into_iter().find_map(|name| self.project.macros.get(&name).map(|file| (name, *file)));
                Ok(match found {
                    Some((name, file)) => Value::from_object(Macro { name, file }),
                    None => Stub::value(name, &self.missing),
                })
            }
            "quote" => Ok(Value::from(format!("\"{name}\""))),
            _ => Ok(Value::from_iter(Vec::<Value>::new())),
        }
    }
}

/// What `ref(…)` asks for.
pub(super) struct Reference {
    pub(super) package: Option<String>,
    pub(super) name: String,
    pub(super) version: Option<String>,
}

impl Reference {
    /// `ref('name')`, `ref('package', 'name')`, each with `v=` or `version=` or without.
    pub(super) fn of(args: &[Value], named: &Kwargs) -> Self {
        let mut names = args.iter().filter_map(Value::as_str).map(str::to_owned).rev();
        let name = names.next().unwrap_or_default();
        let given = ["v", "version"].into_iter().find_map(|key| named.get::<Option<Value>>(key).ok().flatten());
        let version = given.filter(|value| !value.is_none()).map(|value| value.to_string());
        Reference { package: names.next(), name, version }
    }
}

/// The name that stands most often among `names`, the first of several.
fn most_common(names: impl Iterator<Item = String>) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    names.for_each(|name| *counts.entry(name).or_default() += 1);
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(name, _)| name)
}

/// dbt's own names, as seen from one model.
fn dbt_names(
    project: &Arc<Project>,
    model: &str,
    script: &Script,
    given: BTreeMap<String, Value>,
    missing: &Missing,
) -> BTreeMap<String, Value> {
    let facts = &project.facts;
    let quote = match facts.adapter.as_deref() {
        Some("bigquery" | "databricks" | "spark" | "mysql") => '`',
        _ => '"',
    };
    let this = facts.nodes.get(model).cloned().or_else(|| script.target.clone());
    let this = this.unwrap_or_else(|| DatasetId::from_parts(&[model]));
    let own = |id: &DatasetId| id.schema().and_then(|schema| schema.rsplit('.').next()).map(str::to_owned);
    let schema = own(&this).or_else(|| most_common(facts.nodes.values().filter_map(own)));
    let schema = schema.unwrap_or_else(|| "public".to_owned());
    let relation = move |id: &DatasetId| Value::from_object(Relation { id: id.clone(), quote });

    let mut vars: BTreeMap<String, Value> =
        facts.vars.iter().map(|(name, value)| (name.clone(), Value::from(Serde(value)))).collect();
    vars.extend(given);

    let (refs, refs_missing) = (project.clone(), missing.clone());
    let reference = Value::from_function(move |args: Rest<Value>, named: Kwargs| {
        let Reference { package, name, version } = Reference::of(&args, &named);
        match refs.facts.referred(package.as_deref(), &name, version.as_deref()) {
            Some(id) => relation(id),
            None => {
                super::objects::miss(&refs_missing, &format!("ref('{name}')"));
                relation(&DatasetId::from_parts(&[version.map_or(name.clone(), |v| versioned_name(&name, &v))]))
            }
        }
    });
    let (sources, sources_missing) = (project.clone(), missing.clone());
    let source = Value::from_function(move |schema: String, table: String, _: Rest<Value>| {
        match sources.facts.sources.get(&(schema.clone(), table.clone())) {
            Some(source) => relation(&source.relation),
            None => {
                super::objects::miss(&sources_missing, &format!("source('{schema}', '{table}')"));
                relation(&DatasetId::from_parts(&[schema, table]))
            }
        }
    });
    let env_missing = missing.clone();
    let env_var = Value::from_function(move |name: String, default: Option<Value>| {
        default.unwrap_or_else(|| Stub::value(&name, &env_missing))
    });
    let nothing = || Value::from_function(|_: Rest<Value>, _: Kwargs| "");
    let target = [
        ("name", "prod"),
        ("schema", &schema),
        ("dataset", &schema),
        ("type", facts.adapter.as_deref().unwrap_or("default")),
        ("profile_name", "default"),
    ];
    let mut names: BTreeMap<String, Value> = BTreeMap::new();
    let mut put = |name: &str, value: Value| {
        names.insert(name.to_owned(), value);
    };
    put("ref", reference);
    put("source", source);
    put("var", Value::from_object(Values { given: vars, missing: missing.clone() }));
    put("env_var", env_var);
    put("this", relation(&this));
    put("config", Value::from_object(Quiet));
    put("exceptions", Value::from_object(Quiet));
    put("execute", Value::from(false));
    put("is_incremental", Value::from_function(branch::is_incremental));
    put("should_full_refresh", Value::from_function(|| false));
    put("target", Value::from_pairs(target));
    put("model", Value::from_pairs([("name", model), ("alias", this.table()), ("schema", &schema)]));
    put("adapter", Value::from_object(Adapter { project: project.clone(), missing: missing.clone() }));
    put("project_name", Value::from(facts.name.clone()));
    put("return", Value::from_function(|value: Value| value));
    put("run_started_at", Value::from_object(Moment));
    put("modules", Value::from_object(Moment));
    put("flags", Value::from_pairs([("WHICH", "run")]));
    for name in ["log", "print", "run_query", "statement", "set_sql_header", "store_result", "doc"] {
        put(name, nothing());
    }
    names
}
