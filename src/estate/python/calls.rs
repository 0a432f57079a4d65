//! Calls: of functions and classes of the estate, of methods, and of what lies outside.
use std::{rc::Rc, sync::Arc};

use super::{
    ast::{Arg, ArgKind, Expr, ExprKind},
    interp::{Flow, Host, Interp},
    outside,
    value::{Class, Function, Scope, Thing, Value},
};
use crate::vocab::Span;

/// Calls within each other.
const MAX_CALLS: usize = 48;

/// What a call is given.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) args: Vec<Value>,
    pub(crate) named: Vec<(Arc<str>, Value)>,
}

impl<H: Host> Interp<'_, H> {
    pub(super) fn attribute(&mut self, owner: Value, name: &Arc<str>) -> Value {
        match &owner {
            Value::Outside(path) => Value::Outside(format!("{path}.{name}").into()),
            Value::Module(scope) => scope.get(name).unwrap_or_else(|| Value::unknown(name)),
            Value::Thing(thing) => {
                if let Some(value) = thing.fields.borrow().get(name) {
                    return value.clone();
                }
                let of_class = thing.class.as_ref().and_then(|class| class.get(name));
                of_class.map(|value| bound(value, &owner)).unwrap_or_else(|| Value::unknown(name))
            }
            Value::Class(class) => class.get(name).unwrap_or_else(|| Value::unknown(name)),
            Value::Text(text) => outside::path_attribute(text, name).unwrap_or_else(|| Value::unknown(name)),
            Value::Unknown(hint) if outside::is_once(hint) => owner.clone(),
            Value::Function(function) if &**name == "__name__" => Value::text(&*function.def.name),
            _ => Value::unknown(name),
        }
    }

    pub(super) fn call_expr(&mut self, expr: &Expr, function: &Expr, args: &[Arg], scope: &Rc<Scope>) -> Value {
        let at = scope.file.span(expr.start, expr.end);
        if let ExprKind::Attribute(owner, name) = &function.kind {
            let owner = self.eval(owner, scope);
            let given = self.given(args, scope);
            return self.call_method(owner, name, given, at, scope);
        }
        let called = self.eval(function, scope);
        if matches!(&called, Value::Outside(path) if &**path == "super") {
            return scope.get("self").unwrap_or(Value::None);
        }
        let given = self.given(args, scope);
        self.call(called, given, at)
    }

    fn given(&mut self, args: &[Arg], scope: &Rc<Scope>) -> Given {
        let mut given = Given::default();
        for arg in args {
            let value = self.eval(&arg.value, scope);
            match &arg.kind {
                ArgKind::Positional => given.args.push(value),
                ArgKind::Named(name) => given.named.push((name.clone(), value)),
                ArgKind::Spread => given.args.extend(value.items().unwrap_or_default()),
                ArgKind::SpreadMap => {
                    if let Value::Dict(pairs) = &value {
                        let named = pairs.borrow();
                        let known =
                            named.iter().filter_map(|(key, value)| Some((key.as_known()?.into(), value.clone())));
                        given.named.extend(known);
                    }
                }
            }
        }
        given
    }

    /// Calls `called` with what is `given`.
    pub(crate) fn call(&mut self, called: Value, given: Given, at: Span) -> Value {
        match called {
            Value::Function(function) => self.call_function(&function, given),
            Value::Class(class) => self.make(&class, given, at),
            Value::Outside(path) if matches!(&*path, "map" | "filter") && given.args.len() == 2 => {
                self.each_of(&path, &given, at)
            }
            Value::Outside(path) => match self.call_outside(&path, &given) {
                Some(value) => value,
                None => self.thing_called(&path, None, given, at),
            },
            Value::Thing(thing) => self.thing_called(&thing.path.clone(), Some(Value::Thing(thing)), given, at),
            Value::Unknown(name) => self.thing_called(&name, None, given, at),
            _ => Value::unknown("unknown"),
        }
    }

    /// `map(f, items)` and `filter(f, items)`.
    fn each_of(&mut self, how: &str, given: &Given, at: Span) -> Value {
        let (function, Some(items)) = (&given.args[0], given.args[1].turns()) else { return Value::unknown("items") };
        let mut found = Vec::new();
        for item in items.into_iter().take(super::interp::MAX_TURNS) {
            let one = Given { args: vec![item.clone()], named: Vec::new() };
            let answer = match function {
                Value::None => item.clone(),
                function => self.call(function.clone(), one, at.clone()),
            };
            match how {
                "map" => found.push(answer),
                _ if answer.truth() != Some(false) => found.push(item),
                _ => {}
            }
        }
        Value::list(found)
    }

    fn thing_called(&mut self, path: &str, owner: Option<Value>, given: Given, at: Span) -> Value {
        let thing = self.thing(path, owner, given.args, given.named, None, at);
        self.tell(thing)
    }

    fn tell(&mut self, thing: Rc<Thing>) -> Value {
        let replaced = if self.importing == 0 { H::called(self, &thing) } else { None };
        replaced.unwrap_or(Value::Thing(thing))
    }

    fn call_method(&mut self, owner: Value, name: &Arc<str>, given: Given, at: Span, scope: &Rc<Scope>) -> Value {
        // `super().__init__(…)` sets nothing that is looked at here.
        if &**name == "__init__" {
            return Value::None;
        }
        if matches!(&**name, "read_text" | "read_bytes") && owner.as_text().is_some() {
            return self.content(&owner, &scope.file.clone()).unwrap_or_else(|| Value::unknown("content"));
        }
        if let Some(value) = self.builtin_method(&owner, name, &given) {
            return value;
        }
        match &owner {
            Value::Module(_) | Value::Class(_) => {
                let called = self.attribute(owner, name);
                self.call(called, given, at)
            }
            Value::Outside(path) => {
                let path = format!("{path}.{name}");
                match self.call_outside(&path, &given) {
                    Some(value) => value,
                    None => self.thing_called(&path, Some(owner), given, at),
                }
            }
            Value::Thing(thing) => {
                let method = thing.fields.borrow().get(name).cloned();
                let method = method.or_else(|| thing.class.as_ref().and_then(|class| class.get(name)));
                match method {
                    Some(method @ (Value::Function(_) | Value::Class(_))) => {
                        let method = bound(method, &owner);
                        self.call(method, given, at)
                    }
                    _ => {
                        let read = self.read_method(thing, name, scope);
                        let path = format!("{}.{name}", thing.path);
                        read.unwrap_or_else(|| self.thing_called(&path, Some(owner.clone()), given, at))
                    }
                }
            }
            Value::Unknown(hint) if let Some(value) = outside::of_unknown(hint, name, &given) => value,
            other => {
                let hint = match other {
                    Value::Unknown(hint) => hint.to_string(),
                    Value::Function(function) => function.def.name.to_string(),
                    _ => "value".to_owned(),
                };
                self.thing_called(&format!("{hint}.{name}"), Some(owner.clone()), given, at)
            }
        }
    }

    /// Makes an object of a class of the estate.
    fn make(&mut self, class: &Rc<Class>, given: Given, at: Span) -> Value {
        let thing = self.thing(&class.def.name, None, given.args.clone(), given.named.clone(), Some(class.clone()), at);
        for (name, value) in &given.named {
            thing.fields.borrow_mut().insert(name.clone(), value.clone());
        }
        let is_outside = class.lineage().iter().any(|base| base.contains('.'));
        if let (Some(Value::Function(init)), false) = (class.get("__init__"), is_outside) {
            let method =
                Function { def: init.def.clone(), scope: init.scope.clone(), owner: Some(Value::Thing(thing.clone())) };
            self.call_function(&Rc::new(method), given);
        }
        self.tell(thing)
    }

    /// Walks `function` with what is `given`.
    pub(crate) fn call_function(&mut self, function: &Rc<Function>, given: Given) -> Value {
        if self.returns.len() >= MAX_CALLS || !self.step() {
            return Value::unknown(&function.def.name);
        }
        let file = function.scope.file.clone();
        let scope = self.scope(Some(function.scope.clone()), &file);
        self.bind(function, given, &scope);
        self.returns.push(Vec::new());
        self.yields.push(Vec::new());
        let maybe = std::mem::take(&mut self.maybe);
        let def = function.def.clone();
        let flow = self.block(&def.body, &scope);
        self.maybe = maybe;
        let yields = self.yields.pop().unwrap_or_default();
        let mut perhaps = self.returns.pop().unwrap_or_default();
        if !yields.is_empty() {
            return Value::list(yields);
        }
        if let Flow::Return(value) = flow {
            perhaps.push(value);
        }
        // Of several answers the last that says something counts: guards answer first.
        let says = |value: &&Value| !matches!(value, Value::None | Value::Unknown(_));
        let unknown = || perhaps.iter().rev().find(|value| matches!(value, Value::Unknown(_)));
        let best = perhaps.iter().rev().find(says).or_else(unknown).or(perhaps.last()).cloned().unwrap_or(Value::None);
        // Where another way answers otherwise, the answer decides nothing.
        let is_sure = perhaps.iter().all(|other| other.equals(&best) == Some(true));
        if is_sure { best } else { best.assumed() }
    }

    fn bind(&mut self, function: &Rc<Function>, given: Given, scope: &Rc<Scope>) {
        let mut args = function.owner.iter().cloned().chain(given.args).collect::<Vec<_>>().into_iter();
        let mut named = given.named;
        for param in &function.def.params {
            let value = match param.kind {
                ArgKind::Spread => Value::list(args.by_ref().collect()),
                ArgKind::SpreadMap => {
                    let rest = std::mem::take(&mut named);
                    Value::dict(rest.into_iter().map(|(name, value)| (Value::text(&*name), value)).collect())
                }
                _ => {
                    let by_name = named.iter().position(|(name, _)| *name == param.name).map(|at| named.remove(at).1);
                    match by_name.or_else(|| args.next()) {
                        Some(value) => value,
                        None => match &param.default {
                            Some(default) => self.eval(default, &function.scope.clone()),
                            None => Value::Unknown(param.name.as_ref().into()),
                        },
                    }
                }
            };
            scope.set(&param.name, value);
        }
    }
}

/// A function of a class, bound to the object it is called on.
fn bound(value: Value, owner: &Value) -> Value {
    match value {
        Value::Function(function) => {
            let is_static = function
                .def
                .decorators
                .iter()
                .any(|decorator| matches!(&decorator.kind, ExprKind::Name(name) if &**name == "staticmethod"));
            let owner = (!is_static).then(|| owner.clone());
            Value::Function(Rc::new(Function { def: function.def.clone(), scope: function.scope.clone(), owner }))
        }
        other => other,
    }
}
