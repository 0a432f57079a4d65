//! Expressions: which columns they take and what they do with them.
use sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentClause,
    FunctionArguments, Ident, OrderByExpr, Spanned, Subscript, Value, WindowSpec, WindowType,
};

use super::{
    ir::{Body, Ex},
    lower::{Lower, last_part, lower},
    words::is_any,
};
use crate::lineage::EdgeKind;

impl Lower<'_> {
    /// One expression.
    pub(super) fn expr(&mut self, expr: &Expr) -> Ex {
        match expr {
            Expr::Identifier(ident) if self.counts_rows(ident) => Ex::Nothing,
            Expr::Identifier(ident) => match ident.value.starts_with('@') && ident.quote_style.is_none() {
                true => Ex::Nothing,
                false => self
                    .named_expression(ident)
                    .unwrap_or_else(|| Ex::Column { parts: vec![lower(ident)], at: self.bytes_or_start(ident.span) }),
            },
            Expr::CompoundIdentifier(idents) if self.is_sequence(idents) => Ex::Nothing,
            Expr::CompoundIdentifier(idents) => {
                let parts = idents.iter().map(lower).collect();
                Ex::Column { parts, at: self.bytes_or_start(expr.span()) }
            }
            Expr::Nested(inner) | Expr::Collate { expr: inner, .. } | Expr::Prior(inner) | Expr::OuterJoin(inner) => {
                self.expr(inner)
            }
            Expr::Named { expr, .. } | Expr::Prefixed { value: expr, .. } => self.expr(expr),
            Expr::Value(value) => ordinal(&value.value),
            Expr::TypedString(_) | Expr::Wildcard(_) => Ex::Nothing,
            Expr::QualifiedWildcard(name, _) => self.all_of(name),
            Expr::BinaryOp { .. } => self.chain(expr),
            Expr::Function(function) => self.function(function),
            Expr::Case { operand, conditions, else_result, .. } => {
                let operand = operand.iter().map(|e| self.expr(e)).collect::<Vec<_>>();
                let by = operand.into_iter().chain(conditions.iter().map(|c| self.expr(&c.condition))).collect();
                let of = conditions.iter().map(|c| &c.result).chain(else_result.as_deref());
                Ex::Choose { by, of: of.map(|e| self.expr(e)).collect(), both: Vec::new() }
            }
            Expr::Subquery(query) => Ex::Rows(Box::new(self.query(query))),
            Expr::Exists { subquery, .. } => {
                let mut query = self.query(subquery);
                // Whether there is a row does not hang on what of it is selected.
                if let Body::Select(select) = &mut query.body {
                    select.items.clear();
                }
                Ex::Test(Box::new(query), Vec::new())
            }
            Expr::InSubquery { expr, subquery, .. } => {
                let sought = vec![self.expr(expr)];
                Ex::Test(Box::new(self.query(subquery)), sought)
            }
            other => self.parts(other),
        }
    }

    /// `orders_seq.NEXTVAL`: a number that comes from no table.
    fn is_sequence(&self, idents: &[Ident]) -> bool {
        let last = idents.last().filter(|last| last.quote_style.is_none()).map(lower);
        let named = matches!(last.as_deref(), Some("nextval" | "currval"));
        named && matches!(self.dialect.name(), "oracle" | "snowflake" | "generic")
    }

    /// Oracle's ROWNUM belongs to no table.
    fn counts_rows(&self, ident: &Ident) -> bool {
        self.dialect.name() == "oracle" && ident.quote_style.is_none() && ident.value.eq_ignore_ascii_case("rownum")
    }

    /// Operator chains lean to the left and may be very long: they are walked, not recursed into.
    fn chain(&mut self, expr: &Expr) -> Ex {
        let mut parts = Vec::new();
        let mut parameters = Vec::new();
        let mut at = expr;
        while let Expr::BinaryOp { left, right, op } = at {
            if *op == BinaryOperator::Arrow && self.dialect.name() == "trino" {
                parameters.extend(lambda_parameters(left));
            }
            parts.push(self.expr(right));
            at = left;
        }
        parts.push(self.expr(at));
        parts.reverse();
        let mut chain = Ex::Change(parts);
        if !parameters.is_empty() {
            forget(&mut chain, &parameters);
        }
        chain
    }

    /// Everything that is only a function of its parts.
    fn parts(&mut self, expr: &Expr) -> Ex {
        let parts: Vec<&Expr> = match expr {
            Expr::IsFalse(e)
            | Expr::IsNotFalse(e)
            | Expr::IsTrue(e)
            | Expr::IsNotTrue(e)
            | Expr::IsNull(e)
            | Expr::IsNotNull(e)
            | Expr::IsUnknown(e)
            | Expr::IsNotUnknown(e) => vec![e],
            Expr::IsDistinctFrom(a, b) | Expr::IsNotDistinctFrom(a, b) => vec![a, b],
            Expr::IsJson { expr, .. }
            | Expr::IsNormalized { expr, .. }
            | Expr::UnaryOp { expr, .. }
            | Expr::Cast { expr, .. }
            | Expr::Extract { expr, .. }
            | Expr::Ceil { expr, .. }
            | Expr::Floor { expr, .. } => vec![expr],
            Expr::InList { expr, list, .. } => std::iter::once(&**expr).chain(list).collect(),
            Expr::InUnnest { expr, array_expr, .. } => vec![expr, array_expr],
            Expr::Between { expr, low, high, .. } => vec![expr, low, high],
            Expr::Like { expr, pattern, .. }
            | Expr::ILike { expr, pattern, .. }
            | Expr::SimilarTo { expr, pattern, .. }
            | Expr::RLike { expr, pattern, .. } => vec![expr, pattern],
            Expr::AnyOp { left, right, .. } | Expr::AllOp { left, right, .. } => vec![left, right],
            Expr::Convert { expr, styles, .. } => std::iter::once(&**expr).chain(styles).collect(),
            Expr::AtTimeZone { timestamp, time_zone } => vec![timestamp, time_zone],
            Expr::Position { expr, r#in } => vec![expr, r#in],
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                std::iter::once(&**expr).chain(substring_from.as_deref()).chain(substring_for.as_deref()).collect()
            }
            Expr::Trim { trim_what, expr, trim_characters, .. } => {
                std::iter::once(&**expr).chain(trim_what.as_deref()).chain(trim_characters.iter().flatten()).collect()
            }
            Expr::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                [&**expr, overlay_what, overlay_from].into_iter().chain(overlay_for.as_deref()).collect()
            }
            Expr::GroupingSets(sets) | Expr::Cube(sets) | Expr::Rollup(sets) => sets.iter().flatten().collect(),
            Expr::Tuple(list) => list.iter().collect(),
            Expr::Struct { values, .. } => values.iter().collect(),
            Expr::Dictionary(fields) => fields.iter().map(|f| &*f.value).collect(),
            Expr::Map(map) => map.entries.iter().flat_map(|e| [&*e.key, &*e.value]).collect(),
            Expr::Array(array) => array.elem.iter().collect(),
            Expr::Interval(interval) => vec![&interval.value],
            Expr::Lambda(lambda) => return self.lambda(lambda),
            Expr::MemberOf(member) => vec![&member.value, &member.array],
            Expr::JsonAccess { value, .. } => vec![value],
            Expr::CompoundFieldAccess { root, access_chain } => return self.access(root, access_chain),
            Expr::MatchAgainst { columns, .. } => {
                let column = |lower: &Self, name| Some(Ex::Column { parts: lower.name(name)?.parts, at: 0..0 });
                return Ex::Change(columns.iter().filter_map(|name| column(self, name)).collect());
            }
            _ => Vec::new(),
        };
        match parts.is_empty() {
            true => Ex::Nothing,
            false => Ex::Change(parts.into_iter().map(|e| self.expr(e)).collect()),
        }
    }

    /// A lambda's parameters are no columns.
    fn lambda(&mut self, lambda: &sqlparser::ast::LambdaFunction) -> Ex {
        use sqlparser::ast::OneOrManyWithParens::{Many, One};
        let parameters: Vec<String> = match &lambda.params {
            One(one) => vec![lower(&one.name)],
            Many(many) => many.iter().map(|p| lower(&p.name)).collect(),
        };
        let mut body = self.expr(&lambda.body);
        forget(&mut body, &parameters);
        body
    }

    fn access(&mut self, root: &Expr, chain: &[AccessExpr]) -> Ex {
        let mut parts = vec![self.expr(root)];
        // `table.column.field` may come as an access chain: leading plain names belong to the column.
        if let [Ex::Column { parts: names, .. }] = parts.as_mut_slice() {
            for step in chain {
                match step {
                    AccessExpr::Dot(Expr::Identifier(ident)) => names.push(lower(ident)),
                    _ => break,
                }
            }
        }
        for step in chain {
            match step {
                AccessExpr::Subscript(Subscript::Index { index }) => parts.push(self.expr(index)),
                AccessExpr::Dot(Expr::Function(function)) => parts.push(self.function(function)),
                _ => {}
            }
        }
        Ex::Change(parts)
    }

    fn all_of(&mut self, name: &sqlparser::ast::ObjectName) -> Ex {
        match self.name(name) {
            Some(name) => Ex::All(name.parts, name.at),
            None => Ex::Nothing,
        }
    }

    /// A function call: aggregate, window, choice or plain.
    pub(super) fn function(&mut self, function: &Function) -> Ex {
        let name = last_part(&function.name);
        if name == "columns" && self.names_columns() {
            return Ex::All(Vec::new(), 0..0);
        }
        if name == "dblink_exec" {
            let at = self.bytes_or_start(function.name.span());
            self.unnamed.push(("a statement runs in another database".to_owned(), at));
        }
        let mut args = self.arguments(&function.parameters);
        args.extend(self.arguments(&function.args));
        let within = self.orders(&function.within_group);
        let mut sorted = self.argument_orders(&function.args);
        match is_any("ordered_aggregate", &name) {
            true => sorted.extend(within),
            false => args.extend(within),
        }
        let mut kept: Vec<Ex> = function.filter.iter().map(|e| self.expr(e)).collect();
        if let ([Ex::Column { parts, at }], true) = (args.as_slice(), is_any("row_function", &name))
            && let [name] = parts.as_slice()
        {
            args = vec![Ex::Row(name.clone(), at.clone())];
        }
        let value = if let Some(looked_up) = self.dictionary(&name, function, &args) {
            looked_up
        } else if let Some(last_decides) = self.combined_aggregate(&name) {
            if last_decides {
                kept.extend(args.pop());
            }
            Ex::Aggregate(args)
        } else if is_any("aggregate", &name) {
            Ex::Aggregate(args)
        } else if is_any("choice", &name) {
            choice(&name, args)
        } else {
            Ex::Change(args)
        };
        let value =
            [(kept, EdgeKind::Filter), (sorted, EdgeKind::Sort)].into_iter().fold(value, |value, (by, kind)| {
                if by.is_empty() { value } else { Ex::Kept { value: Box::new(value), by, kind } }
            });
        match &function.over {
            None => value,
            Some(window) => Ex::Over { value: Box::new(value), by: self.window(window) },
        }
    }

    pub(super) fn arguments(&mut self, arguments: &FunctionArguments) -> Vec<Ex> {
        match arguments {
            FunctionArguments::None => Vec::new(),
            FunctionArguments::Subquery(query) => vec![Ex::Rows(Box::new(self.query(query)))],
            FunctionArguments::List(list) => {
                let mut args: Vec<Ex> = list.args.iter().map(|arg| self.argument(arg)).collect();
                for clause in &list.clauses {
                    match clause {
                        FunctionArgumentClause::Where(e) | FunctionArgumentClause::Limit(e) => args.push(self.expr(e)),
                        _ => {}
                    }
                }
                args
            }
        }
    }

    /// What an ORDER BY among the arguments sorts by.
    fn argument_orders(&mut self, arguments: &FunctionArguments) -> Vec<Ex> {
        let FunctionArguments::List(list) = arguments else { return Vec::new() };
        let mut sorted = Vec::new();
        for clause in &list.clauses {
            if let FunctionArgumentClause::OrderBy(orders) = clause {
                sorted.extend(self.orders(orders));
            }
        }
        sorted
    }

    pub(super) fn argument(&mut self, arg: &FunctionArg) -> Ex {
        let (FunctionArg::Named { arg, .. } | FunctionArg::ExprNamed { arg, .. } | FunctionArg::Unnamed(arg)) = arg;
        match arg {
            FunctionArgExpr::Expr(expr) => self.expr(expr),
            FunctionArgExpr::QualifiedWildcard(name) => self.all_of(name),
            FunctionArgExpr::Wildcard | FunctionArgExpr::WildcardWithOptions(_) => Ex::Nothing,
        }
    }

    pub(super) fn orders(&mut self, orders: &[OrderByExpr]) -> Vec<Ex> {
        orders.iter().map(|order| self.expr(&order.expr)).collect()
    }

    fn window(&mut self, window: &WindowType) -> Vec<Ex> {
        match window {
            WindowType::NamedWindow(name) => self.named_window(&lower(name)),
            WindowType::WindowSpec(spec) => self.window_spec(spec),
        }
    }

    pub(super) fn window_spec(&mut self, spec: &WindowSpec) -> Vec<Ex> {
        let mut by = spec.window_name.as_ref().map(|name| self.named_window(&lower(name))).unwrap_or_default();
        by.extend(spec.partition_by.iter().map(|e| self.expr(e)).collect::<Vec<_>>());
        by.extend(self.orders(&spec.order_by));
        by
    }

    pub(super) fn named_window(&self, name: &str) -> Vec<Ex> {
        let named = self.windows.iter().rev().flatten().find(|(known, _)| known == name);
        named.map(|(_, by)| by.clone()).unwrap_or_default()
    }
}

fn ordinal(value: &Value) -> Ex {
    match value {
        Value::Number(digits, _) => digits.to_string().parse().map_or(Ex::Nothing, Ex::Ordinal),
        _ => Ex::Nothing,
    }
}

/// What decides and what comes out of a choosing function.
fn choice(name: &str, mut args: Vec<Ex>) -> Ex {
    if args.is_empty() {
        return Ex::Nothing;
    }
    match name {
        "if" | "iff" | "iif" | "nvl2" => {
            let of = args.split_off(1);
            Ex::Choose { by: args, of, both: Vec::new() }
        }
        "nullif" => {
            let by = args.split_off(1);
            Ex::Choose { by, of: Vec::new(), both: args }
        }
        "decode" => {
            let is_result = |at: usize, len: usize| at >= 2 && (at.is_multiple_of(2) || at == len - 1);
            let len = args.len();
            let (of, by) = args.into_iter().enumerate().partition::<Vec<_>, _>(|(at, _)| is_result(*at, len));
            let bare = |list: Vec<(usize, Ex)>| list.into_iter().map(|(_, e)| e).collect();
            Ex::Choose { by: bare(by), of: bare(of), both: Vec::new() }
        }
        _ => {
            let of = args.split_off(args.len() - 1);
            Ex::Choose { by: Vec::new(), of, both: args }
        }
    }
}

/// The names before a lambda's arrow, where the grammar takes that for an operator.
fn lambda_parameters(left: &Expr) -> Vec<String> {
    let named = |expr: &Expr| match expr {
        Expr::Identifier(ident) => Some(lower(ident)),
        _ => None,
    };
    match left {
        Expr::Tuple(list) => list.iter().filter_map(named).collect(),
        Expr::Nested(inner) => named(inner).into_iter().collect(),
        one => named(one).into_iter().collect(),
    }
}

/// Takes the qualifiers `names` off the columns of an expression.
pub(super) fn unqualify(ex: &mut Ex, names: &[String]) {
    match ex {
        Ex::Column { parts, .. } if parts.len() > 1 && names.contains(&parts[0]) => drop(parts.remove(0)),
        Ex::Change(list) | Ex::Aggregate(list) => list.iter_mut().for_each(|e| unqualify(e, names)),
        Ex::Choose { by, of, both } => by.iter_mut().chain(of).chain(both).for_each(|e| unqualify(e, names)),
        Ex::Over { value, by } | Ex::Kept { value, by, .. } => {
            unqualify(value, names);
            by.iter_mut().for_each(|e| unqualify(e, names));
        }
        _ => {}
    }
}

/// Takes unqualified uses of `names` out of an expression.
fn forget(ex: &mut Ex, names: &[String]) {
    match ex {
        Ex::Column { parts, .. } if names.contains(&parts[0]) => *ex = Ex::Nothing,
        Ex::Row(name, _) if names.contains(name) => *ex = Ex::Nothing,
        Ex::Change(list) | Ex::Aggregate(list) | Ex::Test(_, list) => list.iter_mut().for_each(|e| forget(e, names)),
        Ex::Choose { by, of, both } => by.iter_mut().chain(of).chain(both).for_each(|e| forget(e, names)),
        Ex::Over { value, by } | Ex::Kept { value, by, .. } => {
            forget(value, names);
            by.iter_mut().for_each(|e| forget(e, names));
        }
        _ => {}
    }
}
