//! Items of a select list without an alias: the names that dialects give them, and what stands for several columns.
use regex::Regex;
use sqlparser::ast::{BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArguments, SelectItem, SetExpr};

use super::{
    ir::{Item, Star},
    lower::{Lower, last_part, literal, literal_argument, lower},
    lower_query::implied_name,
};

impl Lower<'_> {
    /// An item without an alias: what the dialect makes of it.
    pub(super) fn unnamed_item(&mut self, expr: &Expr) -> Item {
        if let Some(item) = self.columns_item(expr) {
            return item;
        }
        match expr {
            // T-SQL's `'name' = value`; `name = value` is read by the grammar.
            Expr::BinaryOp { left, op: BinaryOperator::Eq, right } if self.dialect.name() == "tsql" => {
                match literal(left) {
                    Some(name) => Item::One(self.expr(right), Some(name.to_lowercase())),
                    None => Item::One(self.expr(expr), None),
                }
            }
            _ => Item::One(self.expr(expr), self.item_name(expr)),
        }
    }

    /// What stands for several columns: DuckDB's and ClickHouse's `COLUMNS(…)`, Hive's expressions in backticks.
    fn columns_item(&mut self, expr: &Expr) -> Option<Item> {
        match expr {
            Expr::Function(function) if self.names_columns() && last_part(&function.name) == "columns" => {
                let FunctionArguments::List(list) = &function.args else { return None };
                let star = match list.args.as_slice() {
                    [FunctionArg::Unnamed(FunctionArgExpr::WildcardWithOptions(options))] => {
                        self.star_with(Vec::new(), 0..0, options)
                    }
                    [only] => matching(literal_argument(only).and_then(|pattern| regex_of(pattern, false))),
                    _ => return None,
                };
                Some(star)
            }
            Expr::Identifier(ident) if ident.quote_style == Some('`') && self.has_expressions() => {
                hive_columns(&ident.value)
            }
            _ => None,
        }
    }

    /// Whether `COLUMNS(…)` stands for several columns.
    pub(super) fn names_columns(&self) -> bool {
        matches!(self.dialect.name(), "duckdb" | "clickhouse")
    }

    fn has_expressions(&self) -> bool {
        matches!(self.dialect.name(), "hive" | "spark")
    }

    /// The name the dialect gives an item without an alias.
    fn item_name(&self, expr: &Expr) -> Option<String> {
        match self.dialect.name() {
            "postgres" | "redshift" => postgres_name(expr).or_else(|| implied_name(expr)),
            "mysql" | "sqlite" | "spark" | "databricks" | "snowflake" | "clickhouse" => match expr {
                Expr::Function(function) if function.over.is_none() => Some(function.to_string().to_lowercase()),
                _ => implied_name(expr),
            },
            _ => implied_name(expr),
        }
    }
}

/// Every column whose name `pattern` matches; every one where there is none.
fn matching(pattern: Option<Regex>) -> Item {
    Item::Star(Star { matching: pattern, ..Star::default() })
}

/// Largest program of an expression, in bytes.
const REGEX_BYTES: usize = 1 << 16;

fn regex_of(pattern: &str, whole: bool) -> Option<Regex> {
    let pattern = if whole { format!("^(?:{pattern})$") } else { pattern.to_owned() };
    regex::RegexBuilder::new(&pattern).case_insensitive(true).size_limit(REGEX_BYTES).build().ok()
}

/// Hive's columns by expression: `` `(a|b)?+.+` `` is all but a and b. `None` for a plain name.
fn hive_columns(name: &str) -> Option<Item> {
    let (is_plain, is_number) = (|c: char| c.is_alphanumeric() || "_ .-".contains(c), |c: char| c.is_ascii_digit());
    if name.chars().all(is_plain) || !name.contains(['*', '+', '|', '?']) || name.chars().all(is_number) {
        return None;
    }
    let all_but = name.strip_prefix('(').and_then(|rest| rest.strip_suffix(")?+.+"));
    match all_but.filter(|names| !names.contains(['(', '*', '+', '?'])) {
        Some(names) => {
            let except = names.split('|').map(str::to_lowercase).collect();
            Some(Item::Star(Star { except, ..Star::default() }))
        }
        None => regex_of(name, true).map(|pattern| matching(Some(pattern))),
    }
}

/// What PostgreSQL calls an unnamed item, where it is no column and no call.
fn postgres_name(expr: &Expr) -> Option<String> {
    let name = match expr {
        Expr::Subquery(query) => {
            let SetExpr::Select(select) = &*query.body else { return None };
            return match select.projection.as_slice() {
                [SelectItem::UnnamedExpr(inner)] => postgres_name(inner).or_else(|| implied_name(inner)),
                [SelectItem::ExprWithAlias { alias, .. }] => Some(lower(alias)),
                _ => None,
            };
        }
        // What comes out otherwise gives the name, where it has one of its own.
        Expr::Case { else_result, .. } => match else_result.as_deref().and_then(implied_name) {
            Some(name) => return Some(name),
            None => "case",
        },
        Expr::Nested(inner) => return postgres_name(inner),
        Expr::Array(_) => "array",
        Expr::Exists { .. } => "exists",
        Expr::Extract { .. } => "extract",
        Expr::Substring { .. } => "substring",
        Expr::Position { .. } => "position",
        Expr::Overlay { .. } => "overlay",
        Expr::AtTimeZone { .. } => "timezone",
        Expr::Ceil { .. } => "ceil",
        Expr::Floor { .. } => "floor",
        Expr::Trim { .. } => "btrim",
        _ => return None,
    };
    Some(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_in_backticks_stands_for_columns_and_a_name_for_one() {
        let Some(Item::Star(Star { except, matching: None, .. })) = hive_columns("(b|c)?+.+") else {
            panic!("all but two")
        };
        assert_eq!(except, ["b", "c"]);
        let Some(Item::Star(Star { matching: Some(pattern), .. })) = hive_columns("a.*") else { panic!("a pattern") };
        assert!(pattern.is_match("ab") && !pattern.is_match("ba"));
        assert!(hive_columns("order id").is_none() && hive_columns("a.b").is_none());
    }
}
