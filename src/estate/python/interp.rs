//! Walks statements: assignments, loops over what is known, both ways of what is not.
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use camino::Utf8PathBuf;

use super::{
    ast::{Binary, ClassDef, Expr, ExprKind, FunctionDef, Stmt},
    modules::{self, Modules},
    value::{Class, Function, Scope, Thing, Value},
};
use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{reader::Around, text_file::TextFile},
    vocab::Span,
};

/// Statements and expressions one file may take.
const FUEL: usize = 1_000_000;
/// Those that all functions walked for their own sake may take together, and each of them.
const FUEL_OF_CALLS: usize = 3_000_000;
const FUEL_OF_CALL: usize = 250_000;
/// Turns of one loop.
pub(super) const MAX_TURNS: usize = 1_000;
/// Blocks, calls and expressions within each other.
const MAX_DEPTH: usize = 1_000;
/// Steps that looking for a module's file costs, wherever an `import` stands: in a loop within a loop it is looked for
/// a million times.
const STEPS_OF_IMPORT: usize = 200;
/// Modules that import modules.
const MAX_IMPORTS: usize = 30;

/// Says what calls into the outside mean.
pub(crate) trait Host: Sized {
    /// `thing` was called; a value given here takes its place.
    fn called(interp: &mut Interp<'_, Self>, thing: &Rc<Thing>) -> Option<Value>;
    /// `with value:` begins.
    fn entered(interp: &mut Interp<'_, Self>, value: &Value);
    /// `with value:` ends.
    fn left(interp: &mut Interp<'_, Self>, value: &Value);
    /// `before >> after`.
    fn joined(interp: &mut Interp<'_, Self>, before: &Value, after: &Value);
    /// `function` has `decorator`; a value given here takes its place.
    fn decorated(interp: &mut Interp<'_, Self>, decorator: &Value, function: &Rc<Function>) -> Option<Value>;
}

/// A walk through one file and the modules it imports.
pub(crate) struct Interp<'a, H: Host> {
    pub(crate) host: H,
    pub(crate) around: &'a Around<'a>,
    /// Modules of the estate that were imported.
    pub(crate) imported: BTreeSet<Utf8PathBuf>,
    pub(crate) faults: Vec<Diagnostic>,
    /// How many modules are being imported: what they call is not this file's doing.
    pub(crate) importing: usize,
    /// How many conditions nobody knows are being walked.
    pub(super) maybe: usize,
    pub(super) depth: usize,
    fuel: usize,
    fuel_of_calls: usize,
    /// Where the walk ended before the text did.
    pub(super) stopped: Option<Span>,
    things: usize,
    parsed: &'a Modules,
    modules: BTreeMap<Utf8PathBuf, Rc<Scope>>,
    /// Every scope made, so that circles of them can be broken.
    scopes: Vec<Rc<Scope>>,
    /// Values that functions being walked may return.
    pub(super) returns: Vec<Vec<Value>>,
    /// Values that they yield.
    pub(super) yields: Vec<Vec<Value>>,
}

/// What follows a statement.
pub(super) enum Flow {
    Next,
    Return(Value),
    Break,
    Continue,
    Raise,
}

impl<H: Host> Drop for Interp<'_, H> {
    fn drop(&mut self) {
        for scope in &self.scopes {
            let names = std::mem::take(&mut *scope.names.borrow_mut());
            drop(names);
        }
    }
}

impl<'a, H: Host> Interp<'a, H> {
    pub(crate) fn new(host: H, around: &'a Around<'a>, parsed: &'a Modules) -> Self {
        Interp {
            host,
            around,
            imported: BTreeSet::new(),
            faults: Vec::new(),
            importing: 0,
            maybe: 0,
            depth: 0,
            fuel: FUEL,
            fuel_of_calls: FUEL_OF_CALLS,
            stopped: None,
            things: 0,
            parsed,
            modules: BTreeMap::new(),
            scopes: Vec::new(),
            returns: Vec::new(),
            yields: Vec::new(),
        }
    }

    /// Walks all of `file`; gives the names it sets.
    pub(crate) fn module(&mut self, file: &TextFile) -> Option<Rc<Scope>> {
        let Some(parsed) = self.parsed.parsed(file) else {
            self.faults.push(Diagnostic::new(CodeEntry::E024, file.whole(), "too long to be followed"));
            return None;
        };
        let scope = self.scope(None, file);
        self.modules.insert(file.path.clone(), scope.clone());
        scope.set(&"__file__".into(), Value::text(file.path.as_str()));
        scope.set(&"__name__".into(), Value::text("__main__"));
        for (start, end) in &parsed.malformed {
            let here = "this is no Python that carve knows";
            self.faults.push(Diagnostic::new(CodeEntry::E024, file.span(*start, *end), here));
        }
        for statement in &parsed.statements {
            // One statement takes at most half of what is left, so that what stands behind it is read too.
            let left = self.fuel;
            self.fuel = left.div_ceil(2);
            let granted = self.fuel;
            let flow = self.block(std::slice::from_ref(statement), &scope);
            self.tell_stop("what the rest of this statement does");
            self.fuel += left - granted;
            if matches!(flow, Flow::Raise | Flow::Return(_)) {
                break;
            }
        }
        Some(scope)
    }

    pub(super) fn scope(&mut self, around: Option<Rc<Scope>>, file: &TextFile) -> Rc<Scope> {
        let scope = Rc::new(Scope { names: RefCell::default(), around, file: file.clone() });
        self.scopes.push(scope.clone());
        scope
    }

    /// Tells where a walk ended early, with what is not known for that.
    fn tell_stop(&mut self, unread: &str) {
        if let Some(at) = self.stopped.take() {
            let here = format!("too much happens before this: {unread} was not followed from here on");
            self.faults.push(Diagnostic::new(CodeEntry::E024, at, here));
        }
    }

    /// Takes one step; false where none is left or the walk is too deep.
    pub(super) fn step(&mut self) -> bool {
        self.fuel = self.fuel.saturating_sub(1);
        self.fuel > 0 && self.depth < MAX_DEPTH
    }

    /// Takes `steps` at once.
    pub(super) fn pay(&mut self, steps: usize) {
        self.fuel = self.fuel.saturating_sub(steps);
    }

    /// Whether no step is left.
    pub(super) fn is_spent(&self) -> bool {
        self.fuel == 0
    }

    /// A value for a call of something outside.
    pub(super) fn thing(
        &mut self,
        path: &str,
        owner: Option<Value>,
        args: Vec<Value>,
        named: Vec<(Arc<str>, Value)>,
        class: Option<Rc<Class>>,
        at: Span,
    ) -> Rc<Thing> {
        self.things += 1;
        let fields = RefCell::default();
        Rc::new(Thing { id: self.things, path: path.into(), owner, args, named, fields, class, at })
    }

    pub(super) fn block(&mut self, statements: &[Stmt], scope: &Rc<Scope>) -> Flow {
        self.depth += 1;
        let mut flow = Flow::Next;
        for statement in statements {
            if !self.step() {
                break;
            }
            flow = self.statement(statement, scope);
            if !matches!(flow, Flow::Next) {
                break;
            }
        }
        self.depth -= 1;
        flow
    }

    fn statement(&mut self, statement: &Stmt, scope: &Rc<Scope>) -> Flow {
        match statement {
            Stmt::Expr(value) => drop(self.eval(value, scope)),
            Stmt::Assign(target, value) => {
                let value = self.eval(value, scope);
                self.assign(target, value, scope);
            }
            Stmt::AddTo(target, operator, value) => self.add_to(target, *operator, value, scope),
            Stmt::Return(value) => {
                let value = value.as_ref().map_or(Value::None, |value| self.eval(value, scope));
                return self.returned(value);
            }
            Stmt::If(arms) => return self.choose(arms, scope),
            Stmt::For(target, items, body) => return self.repeat(target, items, body, scope),
            Stmt::While(body) => {
                let _ = self.perhaps(body, scope);
            }
            Stmt::Try(body, handlers) => {
                let flow = self.block(body, scope);
                if handlers.is_empty() || matches!(flow, Flow::Return(_) | Flow::Break | Flow::Continue) {
                    return flow;
                }
                // A handler often only sets what the block could not.
                if matches!(flow, Flow::Raise) {
                    handlers.iter().for_each(|handler| drop(self.perhaps(handler, scope)));
                }
            }
            Stmt::With(items, body) => return self.with(items, body, scope),
            Stmt::Function(def) => self.function(def, scope),
            Stmt::Class(def) => self.class(def, scope),
            Stmt::Import(name, alias) => self.import(name, alias.as_ref(), scope),
            Stmt::ImportFrom(module, level, names) => self.import_from(module, *level, names, scope),
            Stmt::Raise => return if self.maybe > 0 { Flow::Next } else { Flow::Raise },
            Stmt::Break => return Flow::Break,
            Stmt::Continue => return Flow::Continue,
            Stmt::Pass => {}
        }
        Flow::Next
    }

    /// A value returned where nobody knows whether it is: kept, and the walk goes on.
    fn returned(&mut self, value: Value) -> Flow {
        if self.maybe == 0 {
            return Flow::Return(value);
        }
        if let Some(returns) = self.returns.last_mut() {
            returns.push(value);
        }
        Flow::Next
    }

    /// Walks a block that may never run.
    fn perhaps(&mut self, body: &[Stmt], scope: &Rc<Scope>) -> Flow {
        self.maybe += 1;
        let flow = self.block(body, scope);
        self.maybe -= 1;
        flow
    }

    fn choose(&mut self, arms: &[(Option<Expr>, Vec<Stmt>)], scope: &Rc<Scope>) -> Flow {
        // Once one condition is not known, no later arm is certain.
        let mut certain = true;
        // The arm that is taken unless somebody says otherwise: walked last, so that what it sets stays.
        let mut favoured: Option<&Vec<Stmt>> = None;
        for (condition, body) in arms {
            let value = condition.as_ref().map_or(Value::Bool(true), |condition| self.eval(condition, scope));
            match value.truth() {
                // A guard that raises tells what a run needs; the reading goes on without it.
                Some(true) if certain => match self.block(body, scope) {
                    Flow::Raise => return Flow::Next,
                    flow => return flow,
                },
                Some(true) => {
                    let _ = self.perhaps(body, scope);
                    break;
                }
                Some(false) => {}
                None => {
                    certain = false;
                    match value.likely() {
                        Some(true) if favoured.is_none() => favoured = Some(body),
                        _ => drop(self.perhaps(body, scope)),
                    }
                }
            }
        }
        if let Some(body) = favoured {
            let _ = self.perhaps(body, scope);
        }
        Flow::Next
    }

    /// Walks `function` for its own sake: what it takes is bounded apart from the rest of the file.
    pub(crate) fn walk_function(&mut self, function: &Rc<Function>, given: super::Given) -> Value {
        let granted = self.fuel_of_calls.min(FUEL_OF_CALL);
        let before = std::mem::replace(&mut self.fuel, granted);
        let value = self.call_function(function, given);
        self.tell_stop(&format!("what the rest of `{}` does", function.def.name));
        self.fuel_of_calls -= granted - self.fuel;
        self.fuel = before;
        value
    }

    fn repeat(&mut self, target: &Expr, items: &Expr, body: &[Stmt], scope: &Rc<Scope>) -> Flow {
        let value = self.eval(items, scope);
        let Some(items) = value.turns() else {
            // Nobody knows how often: once, with names that say so.
            self.unknown_target(target, scope);
            let _ = self.perhaps(body, scope);
            return Flow::Next;
        };
        if items.len() > MAX_TURNS {
            let here = format!("{} turns: the first {MAX_TURNS} of them were followed", items.len());
            self.faults.push(Diagnostic::new(CodeEntry::E024, scope.file.span(target.start, target.end), here));
        }
        for item in items.into_iter().take(MAX_TURNS) {
            self.assign(target, item, scope);
            match self.block(body, scope) {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
                other => return other,
            }
        }
        Flow::Next
    }

    pub(super) fn unknown_target(&mut self, target: &Expr, scope: &Rc<Scope>) {
        match &target.kind {
            ExprKind::Name(name) => scope.set(name, Value::unknown(name)),
            ExprKind::List(parts) | ExprKind::Tuple(parts) => {
                parts.iter().for_each(|part| self.unknown_target(part, scope));
            }
            _ => {}
        }
    }

    fn with(&mut self, items: &[(Expr, Option<Expr>)], body: &[Stmt], scope: &Rc<Scope>) -> Flow {
        let mut entered = Vec::new();
        for (item, target) in items {
            let value = self.eval(item, scope);
            if self.importing == 0 {
                H::entered(self, &value);
            }
            if let Some(target) = target {
                self.assign(target, value.clone(), scope);
            }
            entered.push(value);
        }
        let flow = self.block(body, scope);
        if self.importing == 0 {
            entered.iter().rev().for_each(|value| H::left(self, value));
        }
        flow
    }

    pub(super) fn assign(&mut self, target: &Expr, value: Value, scope: &Rc<Scope>) {
        match &target.kind {
            ExprKind::Name(name) => {
                // Where nobody knows whether this runs, what says nothing takes no place.
                let says_less = self.maybe > 0 && matches!(value, Value::None | Value::Unknown(_));
                let known = || scope.names.borrow().get(name).is_some_and(|old| !matches!(old, Value::None));
                if !(says_less && known()) {
                    let before = scope.names.borrow().get(name).cloned().filter(|_| self.maybe > 0);
                    let differs = before.is_some_and(|old| old.equals(&value) != Some(true));
                    scope.set(name, if differs { value.assumed() } else { value });
                }
            }
            ExprKind::Tuple(parts) | ExprKind::List(parts) => match value.items() {
                Some(items) if items.len() >= parts.len() => {
                    parts.iter().zip(items).for_each(|(part, item)| self.assign(part, item, scope));
                }
                _ => parts.iter().for_each(|part| self.unknown_target(part, scope)),
            },
            ExprKind::Attribute(owner, name) => match self.eval(owner, scope) {
                Value::Thing(thing) => drop(thing.fields.borrow_mut().insert(name.clone(), value)),
                Value::Module(module) => module.set(name, value),
                _ => {}
            },
            ExprKind::Subscript(owner, key) => {
                let (owner, key) = (self.eval(owner, scope), self.eval(key, scope));
                set_item(&owner, key, value);
            }
            ExprKind::Spread(inner) => self.assign(inner, value, scope),
            _ => {}
        }
    }

    fn add_to(&mut self, target: &Expr, operator: Binary, value: &Expr, scope: &Rc<Scope>) {
        let added = self.eval(value, scope);
        let before = self.eval(target, scope);
        // A list grows in place, so that other names of it see it.
        if let (Value::List(items), Some(more), Binary::Add) = (&before, added.items(), operator) {
            if items.borrow().len() + more.len() < super::methods::MAX_ITEMS {
                items.borrow_mut().extend(more);
            }
            return;
        }
        let sum = self.combine(operator, before, added);
        self.assign(target, sum, scope);
    }

    fn function(&mut self, def: &Arc<FunctionDef>, scope: &Rc<Scope>) {
        let function = Rc::new(Function { def: def.clone(), scope: scope.clone(), owner: None });
        let mut value = Value::Function(function.clone());
        for decorator in def.decorators.iter().rev() {
            let decorator = self.eval(decorator, scope);
            if let Some(other) = H::decorated(self, &decorator, &function) {
                value = other;
            }
        }
        scope.set(&def.name, value);
    }

    fn class(&mut self, def: &Arc<ClassDef>, scope: &Rc<Scope>) {
        let bases = def.bases.iter().map(|base| self.eval(base, scope)).collect();
        let inner = self.scope(Some(scope.clone()), &scope.file);
        self.importing += 1;
        let _ = self.block(&def.body, &inner);
        self.importing -= 1;
        scope.set(&def.name, Value::Class(Rc::new(Class { def: def.clone(), bases, scope: inner })));
    }

    fn import(&mut self, name: &Arc<str>, alias: Option<&Arc<str>>, scope: &Rc<Scope>) {
        let top: Arc<str> = name.split('.').next().unwrap_or(name).into();
        let wanted = if alias.is_some() { name.clone() } else { top.clone() };
        let module = self.module_named(&wanted, 0, scope);
        let value = module.map_or_else(|| Value::Outside((&*wanted).into()), Value::Module);
        scope.set(alias.unwrap_or(&top), value);
    }

    fn import_from(&mut self, module: &str, level: usize, names: &[(Arc<str>, Arc<str>)], scope: &Rc<Scope>) {
        let found = self.module_named(module, level, scope);
        for (name, alias) in names {
            if &**name == "*" {
                let all = found.as_ref().map(|found| found.names.borrow().clone()).unwrap_or_default();
                all.iter()
                    .filter(|(name, _)| !name.starts_with("__"))
                    .for_each(|(name, value)| scope.set(name, value.clone()));
                continue;
            }
            let own = found.as_ref().and_then(|found| found.names.borrow().get(name).cloned());
            let value = own.or_else(|| {
                let inner = if module.is_empty() { name.to_string() } else { format!("{module}.{name}") };
                self.module_named(&inner, level, scope).map(Value::Module)
            });
            let outside = || match found {
                Some(_) => Value::Unknown(name.clone().as_ref().into()),
                None => Value::Outside(format!("{module}.{name}").into()),
            };
            scope.set(alias, value.unwrap_or_else(outside));
        }
    }

    /// The names of a module of the estate, walked once.
    fn module_named(&mut self, name: &str, level: usize, scope: &Rc<Scope>) -> Option<Rc<Scope>> {
        // A folder of the estate called like the tool is no tool: `prefect/flow.py` begins with `from prefect import flow`.
        let top = name.split('.').next().unwrap_or(name);
        if level == 0 && ["prefect", "dagster", "dlt"].contains(&top) {
            return None;
        }
        self.pay(STEPS_OF_IMPORT);
        let path = modules::file_of(name, level, &scope.file.path, self.around)?;
        if let Some(known) = self.modules.get(&path) {
            return Some(known.clone());
        }
        if self.modules.len() >= MAX_IMPORTS * 10 || self.importing >= MAX_IMPORTS {
            return None;
        }
        let file = self.around.text_at(&path)?;
        let parsed = self.parsed.parsed(&file)?;
        let inner = self.scope(None, &file);
        inner.set(&"__file__".into(), Value::text(path.as_str()));
        inner.set(&"__name__".into(), Value::text(name));
        self.modules.insert(path.clone(), inner.clone());
        self.imported.insert(path);
        self.importing += 1;
        let maybe = std::mem::take(&mut self.maybe);
        let _ = self.block(&parsed.statements, &inner);
        self.maybe = maybe;
        self.importing -= 1;
        Some(inner)
    }
}

/// `owner[key] = value`.
fn set_item(owner: &Value, key: Value, value: Value) {
    match owner {
        Value::Dict(pairs) => {
            super::methods::put(&mut pairs.borrow_mut(), key, value);
        }
        Value::List(items) => {
            if let Value::Int(at) = key
                && let Some(item) = usize::try_from(at)
                    .ok()
                    .and_then(|at| items.borrow_mut().get_mut(at).map(|item| std::mem::replace(item, value)))
            {
                drop(item);
            }
        }
        Value::Thing(thing) => {
            if let Some(name) = key.as_known() {
                thing.fields.borrow_mut().insert(name.into(), value);
            }
        }
        _ => {}
    }
}

/// Things that hosts make up.
impl<H: Host> Interp<'_, H> {
    /// A thing that stands for `function` under a decorator.
    pub(crate) fn made(&mut self, path: &str, named: Vec<(Arc<str>, Value)>, function: &Function) -> Rc<Thing> {
        let at = function.scope.file.span(function.def.start, function.def.end);
        self.thing(path, None, Vec::new(), named, None, at)
    }

    /// `thing` again with other arguments.
    pub(crate) fn made_again(&mut self, thing: &Thing, named: Vec<(Arc<str>, Value)>) -> Rc<Thing> {
        let again = self.thing(
            &thing.path,
            thing.owner.clone(),
            thing.args.clone(),
            named,
            thing.class.clone(),
            thing.at.clone(),
        );
        *again.fields.borrow_mut() = thing.fields.borrow().clone();
        again
    }

    /// A call of `path` with `named`, at the place of `thing`.
    pub(crate) fn made_of(&mut self, path: &str, named: Vec<(Arc<str>, Value)>, thing: &Thing) -> Rc<Thing> {
        self.thing(path, None, Vec::new(), named, None, thing.at.clone())
    }
}
