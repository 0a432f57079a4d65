//! Expressions into values.
use std::{rc::Rc, sync::Arc};

use super::{
    ast::{Binary, Clause, Comparison, Expr, ExprKind, TextPart},
    interp::{Host, Interp, MAX_TURNS},
    methods::{MAX_ITEMS, put},
    outside,
    value::{Function, Origin, Scope, Text, Value, placeholder},
};

/// Longest text that is put together, in bytes.
const MAX_TEXT: usize = 1_000_000;
/// Letters of a text that a loop goes through one by one.
const MAX_LETTERS: usize = 64;
/// Bytes of text that cost as much as one step: thousands of long texts fill the memory as well as one.
const STEP_BYTES: usize = 128;

impl<H: Host> Interp<'_, H> {
    /// What `expr` is.
    pub(super) fn eval(&mut self, expr: &Expr, scope: &Rc<Scope>) -> Value {
        if !self.step() {
            if self.is_spent() && self.stopped.is_none() {
                self.stopped = Some(scope.file.span(expr.start, expr.end));
            }
            return Value::unknown("unknown");
        }
        self.depth += 1;
        let value = self.eval_here(expr, scope);
        self.depth -= 1;
        // A name gives what is there already; whatever else makes a text pays for its length.
        if let (Value::Text(text), false) = (&value, matches!(expr.kind, ExprKind::Name(_))) {
            self.pay(text.text.len() / STEP_BYTES);
        }
        value
    }

    fn eval_here(&mut self, expr: &Expr, scope: &Rc<Scope>) -> Value {
        match &expr.kind {
            ExprKind::None => Value::None,
            ExprKind::Bool(yes) => Value::Bool(*yes),
            ExprKind::Int(number) => Value::Int(*number),
            ExprKind::Float(number) => Value::Float(*number),
            ExprKind::Text(parts) => self.text(parts, scope),
            ExprKind::Name(name) => scope.get(name).unwrap_or_else(|| match outside::is_builtin(name) {
                true => Value::Outside((&**name).into()),
                false => Value::Unknown(name.as_ref().into()),
            }),
            ExprKind::Attribute(owner, name) => {
                let owner = self.eval(owner, scope);
                self.attribute(owner, name)
            }
            ExprKind::Subscript(owner, key) => {
                let owner = self.eval(owner, scope);
                self.item(owner, key, scope)
            }
            ExprKind::Call(function, args) => self.call_expr(expr, function, args, scope),
            ExprKind::Binary(operator, left, right) => {
                let (left, right) = (self.eval(left, scope), self.eval(right, scope));
                self.combine(*operator, left, right)
            }
            ExprKind::Negative(inner) => match self.eval(inner, scope) {
                Value::Int(number) => Value::Int(number.wrapping_neg()),
                Value::Float(number) => Value::Float(-number),
                other => other,
            },
            ExprKind::Not(inner) => {
                let inner = self.eval(inner, scope);
                match (inner.truth(), inner.likely()) {
                    (Some(truth), _) => Value::Bool(!truth),
                    (None, Some(likely)) => Value::Likely(!likely),
                    (None, None) => Value::unknown("condition"),
                }
            }
            ExprKind::And(left, right) => {
                let left = self.eval(left, scope);
                match left.truth() {
                    Some(false) => left,
                    _ => self.eval(right, scope).and_unless(left),
                }
            }
            ExprKind::Or(left, right) => {
                let left = self.eval(left, scope);
                match left.truth() {
                    Some(true) => left,
                    Some(false) => self.eval(right, scope),
                    // Of two values the one that is known says more.
                    None => match self.eval(right, scope) {
                        right @ (Value::Text(_) | Value::List(_) | Value::Dict(_)) if left.as_text().is_none() => right,
                        _ => left,
                    },
                }
            }
            ExprKind::Compare(left, rest) => self.compare(left, rest, scope),
            ExprKind::Choice(condition, then, other) => match self.eval(condition, scope) {
                sure if sure.truth() == Some(true) => self.eval(then, scope),
                sure if sure.truth() == Some(false) => self.eval(other, scope),
                likely if likely.likely() == Some(true) => self.eval(then, scope).assumed(),
                likely if likely.likely() == Some(false) => self.eval(other, scope).assumed(),
                _ => {
                    let (then, other) = (self.eval(then, scope), self.eval(other, scope));
                    match (&then, &other) {
                        (Value::None, _) => other,
                        (Value::Unknown(_), Value::None | Value::Unknown(_)) => then,
                        (Value::Unknown(_), _) => other,
                        _ => then,
                    }
                }
            },
            ExprKind::List(items) | ExprKind::Tuple(items) => self.list(items, scope),
            ExprKind::Dict(pairs) => self.dict(pairs, scope),
            ExprKind::Comprehension(body, value, clauses) => {
                let mut found = Vec::new();
                let inner = self.scope(Some(scope.clone()), &scope.file);
                let known = self.comprehension(body, value.as_deref(), clauses, &inner, &mut found);
                match (known, value) {
                    (false, _) => Value::unknown("items"),
                    (true, None) => Value::list(found.into_iter().map(|(item, _)| item).collect()),
                    (true, Some(_)) => Value::dict(found),
                }
            }
            ExprKind::Lambda(def) => {
                Value::Function(Rc::new(Function { def: def.clone(), scope: scope.clone(), owner: None }))
            }
            ExprKind::Named(name, value) => {
                let value = self.eval(value, scope);
                scope.set(name, value.clone());
                value
            }
            ExprKind::Yield(inner) => {
                let value = self.eval(inner, scope);
                if let Some(yields) = self.yields.last_mut().filter(|yields| yields.len() < MAX_ITEMS) {
                    yields.push(value);
                }
                Value::None
            }
            ExprKind::Spread(inner) => self.eval(inner, scope),
            ExprKind::Slice(..) | ExprKind::Opaque => Value::unknown("unknown"),
        }
    }

    fn list(&mut self, items: &[Expr], scope: &Rc<Scope>) -> Value {
        let mut found = Vec::new();
        for item in items {
            let value = self.eval(item, scope);
            match &item.kind {
                ExprKind::Spread(_) => found.extend(value.items().unwrap_or_default()),
                _ => found.push(value),
            }
        }
        Value::list(found)
    }

    fn dict(&mut self, pairs: &[(Option<Expr>, Expr)], scope: &Rc<Scope>) -> Value {
        let mut found: Vec<(Value, Value)> = Vec::new();
        for (key, value) in pairs {
            let value = self.eval(value, scope);
            match key {
                Some(key) => put(&mut found, self.eval(key, scope), value),
                None => {
                    if let Value::Dict(other) = value {
                        other.borrow().iter().for_each(|(key, value)| put(&mut found, key.clone(), value.clone()));
                    }
                }
            }
        }
        Value::dict(found)
    }

    /// Whether the items of every clause are known; finds what the body makes of them.
    fn comprehension(
        &mut self,
        body: &Expr,
        value: Option<&Expr>,
        clauses: &[Clause],
        scope: &Rc<Scope>,
        found: &mut Vec<(Value, Value)>,
    ) -> bool {
        match clauses.split_first() {
            None => {
                let item = self.eval(body, scope);
                let value = value.map_or(Value::None, |value| self.eval(value, scope));
                if found.len() < MAX_ITEMS {
                    found.push((item, value));
                }
                true
            }
            Some((Clause::If(condition), rest)) => match self.eval(condition, scope).truth() {
                Some(false) => true,
                _ => self.comprehension(body, value, rest, scope, found),
            },
            Some((Clause::For(target, items), rest)) => {
                let Some(items) = self.eval(items, scope).turns() else {
                    self.unknown_target(target, scope);
                    // What is called within is seen once.
                    self.maybe += 1;
                    self.comprehension(body, value, rest, scope, &mut Vec::new());
                    self.maybe -= 1;
                    return false;
                };
                items.into_iter().take(MAX_TURNS).all(|item| {
                    self.assign(target, item, scope);
                    self.comprehension(body, value, rest, scope, found)
                })
            }
        }
    }

    fn compare(&mut self, left: &Expr, rest: &[(Comparison, Expr)], scope: &Rc<Scope>) -> Value {
        let mut left = self.eval(left, scope);
        let (mut all, mut likely) = (Some(true), Some(true));
        for (comparison, right) in rest {
            let right = self.eval(right, scope);
            let one = compared(*comparison, &left, &right);
            let both = |so_far: Option<bool>, one: Option<bool>| Some(so_far? && one?);
            likely = both(likely, one.or_else(|| compared(*comparison, &left.as_it_stands(), &right.as_it_stands())));
            all = both(all, one);
            left = right;
        }
        match (all, likely) {
            (Some(all), _) => Value::Bool(all),
            (None, Some(likely)) => Value::Likely(likely),
            (None, None) => Value::unknown("condition"),
        }
    }

    fn text(&mut self, parts: &[TextPart], scope: &Rc<Scope>) -> Value {
        let (mut text, mut whole, mut params, mut raw) = (String::new(), true, Vec::new(), String::new());
        let mut place: Option<(usize, usize)> = None;
        let mut is_raw = true;
        for part in parts {
            match part {
                TextPart::Literal { text: literal, start, end, exact } => {
                    text.push_str(literal);
                    raw.push_str(literal);
                    is_raw &= exact;
                    place = Some((place.map_or(*start, |(first, _)| first), *end));
                }
                TextPart::Value(expr) => {
                    let value = self.eval(expr, scope);
                    // A name nobody knows says more than what it stands for.
                    let (shown, known) = match (&value, name_of(expr)) {
                        (Value::Unknown(own), Some(name)) if says_nothing(own) => (placeholder(&name), false),
                        (Value::Outside(_), Some(name)) => (placeholder(&name), false),
                        _ => value.shown(),
                    };
                    text.push_str(&shown);
                    whole &= known;
                    match &expr.kind {
                        ExprKind::Name(name) => {
                            raw += &format!("{{{name}}}");
                            if known {
                                params.push((name.to_string(), shown));
                            }
                        }
                        _ => is_raw = false,
                    }
                    // Braces stand around the expression.
                    let (from, to) = (expr.start.saturating_sub(1), expr.end + 1);
                    place = Some((place.map_or(from, |(first, _)| first), to));
                }
            }
            if text.len() > MAX_TEXT {
                return Value::unknown("text");
            }
        }
        let file = &scope.file;
        let origin = place.map(|(start, end)| {
            let written = file.text.get(start..end).filter(|written| is_raw && file.editable && *written == raw);
            Origin { at: file.span(start, end), raw: written.map(Arc::from), params, is_file: false }
        });
        Value::Text(Rc::new(Text { text, whole, origin, assumed: false }))
    }

    fn item(&mut self, owner: Value, key: &Expr, scope: &Rc<Scope>) -> Value {
        if let ExprKind::Slice(from, to) = &key.kind {
            let mut side = |side: &Option<Box<Expr>>| side.as_ref().map(|expr| self.eval(expr, scope));
            let (from, to) = (side(from), side(to));
            return match &owner {
                Value::Unknown(name) if outside::is_of_the_run(name) => owner.clone(),
                _ => slice(&owner, from.as_ref(), to.as_ref()),
            };
        }
        let key = self.eval(key, scope);
        match (&owner, &key) {
            (Value::List(items), Value::Int(at)) => {
                let items = items.borrow();
                let at = if *at < 0 { items.len() as i64 + at } else { *at };
                usize::try_from(at).ok().and_then(|at| items.get(at).cloned()).unwrap_or_else(|| Value::unknown("item"))
            }
            (Value::Dict(pairs), _) => {
                let pairs = pairs.borrow();
                let found =
                    pairs.iter().rev().find(|(own, _)| own.equals(&key) == Some(true)).map(|(_, value)| value.clone());
                found.unwrap_or_else(|| Value::unknown(key.as_known().unwrap_or("item")))
            }
            (Value::Thing(thing), _) => {
                let field = key.as_known().and_then(|key| thing.fields.borrow().get(key).cloned());
                field.unwrap_or_else(|| self.variable(&owner, key.as_known()))
            }
            (Value::Outside(_), _) => self.variable(&owner, key.as_known()),
            (Value::Unknown(name), _) if outside::is_of_the_run(name) => owner.clone(),
            _ => Value::unknown(key.as_known().unwrap_or("item")),
        }
    }

    /// `os.environ['X']`: what carve.yaml says of it, or its name.
    fn variable(&self, _: &Value, key: Option<&str>) -> Value {
        let name = key.unwrap_or("item");
        match self.around.vars.get(name) {
            Some(value) => Value::text(value.as_str()),
            None => Value::unknown(name),
        }
    }

    pub(super) fn combine(&mut self, operator: Binary, left: Value, right: Value) -> Value {
        match operator {
            Binary::ShiftRight | Binary::ShiftLeft => {
                let (before, after) = if operator == Binary::ShiftRight { (&left, &right) } else { (&right, &left) };
                if self.importing == 0 {
                    H::joined(self, before, after);
                }
                right
            }
            Binary::Add => add(left, right),
            Binary::Remainder => match &left {
                Value::Text(format) => self.percent(format, right),
                _ => number(operator, &left, &right),
            },
            Binary::Divide => match (&left, &right) {
                (Value::Text(a), Value::Text(_)) => {
                    let (b, known) = right.shown();
                    let joined = outside::join_paths(&[a.text.clone(), b]);
                    Value::Text(Rc::new(Text { text: joined, whole: a.whole && known, origin: None, assumed: false }))
                }
                (Value::Unknown(_) | Value::Thing(_) | Value::Outside(_), Value::Text(_)) => {
                    let ((a, _), (b, _)) = (left.shown(), right.shown());
                    Value::Text(Rc::new(Text {
                        text: outside::join_paths(&[a, b]),
                        whole: false,
                        origin: None,
                        assumed: false,
                    }))
                }
                _ => number(operator, &left, &right),
            },
            Binary::Or => match (&left, &right) {
                (Value::Dict(a), Value::Dict(b)) => {
                    let all = a.borrow().iter().chain(b.borrow().iter()).take(MAX_ITEMS).cloned().collect();
                    Value::dict(all)
                }
                _ => Value::unknown("unknown"),
            },
            _ => number(operator, &left, &right),
        }
    }

    /// `'%s.%s' % (a, b)` and `'%(a)s' % {'a': …}`.
    fn percent(&self, format: &Rc<Text>, right: Value) -> Value {
        let mut whole = format.whole;
        let mut out = String::new();
        let mut items = match &right {
            Value::List(items) => items.borrow().clone(),
            other => vec![other.clone()],
        }
        .into_iter();
        let mut params = Vec::new();
        let mut rest = format.text.as_str();
        while let Some(at) = rest.find('%') {
            out.push_str(&rest[..at]);
            let after = &rest[at + 1..];
            if let Some(next) = after.strip_prefix('%') {
                out.push('%');
                rest = next;
            } else if let Some((name, next)) = after.strip_prefix('(').and_then(|inner| inner.split_once(')')) {
                let value = right.key(name).unwrap_or_else(|| Value::unknown(name));
                let (shown, known) = value.shown();
                if known {
                    params.push((name.to_owned(), shown.clone()));
                }
                out.push_str(&shown);
                whole &= known;
                rest = next.get(1..).unwrap_or_default();
            } else if after.starts_with(['s', 'd', 'r', 'i', 'f']) {
                let (shown, known) = items.next().unwrap_or_else(|| Value::unknown("value")).shown();
                out.push_str(&shown);
                whole &= known;
                rest = &after[1..];
            } else {
                out.push('%');
                rest = after;
            }
        }
        out.push_str(rest);
        let raw = format
            .origin
            .clone()
            .filter(|origin| origin.params.is_empty() && !format.text.contains("%s") && !format.text.contains("%%"));
        let origin = match raw {
            Some(origin) => Some(Origin { params, ..origin }),
            None => format.origin.clone().map(|origin| Origin { raw: None, ..origin }),
        };
        Value::Text(Rc::new(Text { text: out, whole, origin, assumed: false }))
    }
}

/// Whether what a value is called says less than where it is asked for.
pub(super) fn says_nothing(name: &str) -> bool {
    const PLAIN: &[&str] =
        &["unknown", "item", "items", "value", "number", "text", "content", "condition", "module", "variable"];
    PLAIN.contains(&name)
}

/// The last word of a name in an f-string: `self.schema` is `schema`.
fn name_of(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Name(name) | ExprKind::Attribute(_, name) => Some(name.to_string()),
        _ => None,
    }
}

fn compared(comparison: Comparison, left: &Value, right: &Value) -> Option<bool> {
    match comparison {
        Comparison::Equal => left.equals(right).or_else(|| productive(left, right)),
        Comparison::NotEqual => left.equals(right).or_else(|| productive(left, right)).map(|same| !same),
        Comparison::Is => left.equals(right),
        Comparison::IsNot => left.equals(right).map(|same| !same),
        Comparison::In | Comparison::NotIn => {
            let found = match (left, right) {
                (Value::Text(part), Value::Text(text)) if part.whole && text.whole => {
                    Some(text.text.contains(&part.text))
                }
                (_, Value::List(_) | Value::Dict(_)) => {
                    let items = right.items().unwrap_or_default();
                    let mut same = items.iter().take(MAX_ITEMS).map(|item| left.equals(item));
                    match same.clone().any(|same| same == Some(true)) {
                        true => Some(true),
                        false if same.any(|same| same.is_none()) => None,
                        false => Some(false),
                    }
                }
                _ => None,
            };
            found.map(|found| found == (comparison == Comparison::In))
        }
        Comparison::Other => match (left, right) {
            // `len(x) > 0` of something known.
            (Value::Int(a), Value::Int(b)) => Some(a > b),
            _ => None,
        },
    }
}

/// What is asked of an environment nobody knows is answered for production.
fn productive(left: &Value, right: &Value) -> Option<bool> {
    let sure = |value: &Value| value.as_text().filter(|text| text.whole && !text.assumed).map(|text| text.text.clone());
    let known = sure(left).or(sure(right))?.to_ascii_lowercase();
    match known.as_str() {
        "prod" | "production" | "prd" | "live" => Some(true),
        "dev" | "development" | "test" | "local" | "staging" | "stage" | "stg" | "uat" | "qa" => Some(false),
        _ => None,
    }
}

fn add(left: Value, right: Value) -> Value {
    match (&left, &right) {
        (Value::Int(a), Value::Int(b)) => Value::Int(a.wrapping_add(*b)),
        (Value::List(a), Value::List(b)) if a.borrow().len() + b.borrow().len() < MAX_ITEMS => {
            Value::list(a.borrow().iter().chain(b.borrow().iter()).cloned().collect())
        }
        (Value::Text(_), _) | (_, Value::Text(_)) => {
            let ((a, a_known), (b, b_known)) = (left.shown(), right.shown());
            if a.len() + b.len() > MAX_TEXT {
                return Value::unknown("text");
            }
            Value::Text(Rc::new(Text::made(a + &b, a_known && b_known, &[&left, &right])))
        }
        _ => Value::unknown("unknown"),
    }
}

fn number(operator: Binary, left: &Value, right: &Value) -> Value {
    match (operator, left, right) {
        (Binary::Subtract, Value::Int(a), Value::Int(b)) => Value::Int(a.wrapping_sub(*b)),
        (_, Value::Unknown(name), _) | (_, _, Value::Unknown(name)) if outside::is_of_the_run(name) => {
            Value::unknown(name)
        }
        (Binary::Multiply, Value::Int(a), Value::Int(b)) => Value::Int(a.wrapping_mul(*b)),
        (Binary::Remainder, Value::Int(a), Value::Int(b)) if *b != 0 => Value::Int(a.wrapping_rem(*b)),
        _ => Value::unknown("number"),
    }
}

fn slice(owner: &Value, from: Option<&Value>, to: Option<&Value>) -> Value {
    let bounds = |length: usize| {
        let bound = |side: Option<&Value>, default: usize| match side {
            None | Some(Value::None) => Some(default),
            Some(Value::Int(at)) if *at < 0 => Some(length.saturating_sub(at.unsigned_abs() as usize)),
            Some(Value::Int(at)) => Some((*at as usize).min(length)),
            Some(_) => None,
        };
        Some((bound(from, 0)?, bound(to, length)?))
    };
    match owner {
        Value::List(items) => {
            let items = items.borrow();
            match bounds(items.len()) {
                Some((from, to)) if from <= to => Value::list(items[from..to].to_vec()),
                _ => Value::unknown("items"),
            }
        }
        Value::Text(text) if text.whole => {
            let chars: Vec<char> = text.text.chars().collect();
            match bounds(chars.len()) {
                Some((from, to)) if from <= to => Value::text(chars[from..to].iter().collect::<String>()),
                _ => Value::unknown("text"),
            }
        }
        _ => Value::unknown("items"),
    }
}

impl Value {
    /// What a loop over it gives, turn by turn: items, keys, or the letters of a short text.
    pub(super) fn turns(&self) -> Option<Vec<Value>> {
        match self {
            Value::Text(text) if text.whole && !text.assumed && text.text.len() <= MAX_LETTERS => {
                Some(text.text.chars().map(|letter| Value::text(letter.to_string())).collect())
            }
            other => other.items(),
        }
    }

    /// The value as if nobody said otherwise.
    fn as_it_stands(&self) -> Value {
        match self {
            Value::Likely(yes) => Value::Bool(*yes),
            Value::Text(text) if text.assumed => Value::Text(Rc::new(Text { assumed: false, ..(**text).clone() })),
            other => other.clone(),
        }
    }

    /// `left and self`, where `left` may be unknown.
    fn and_unless(self, left: Value) -> Value {
        match (left.truth(), self.truth()) {
            (Some(true), _) => self,
            (_, Some(false)) => Value::Bool(false),
            _ => Value::unknown("condition"),
        }
    }
}
