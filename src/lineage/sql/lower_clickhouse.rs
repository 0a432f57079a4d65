//! ClickHouse's own functions: aggregates with combinators, dictionaries that are looked up.
use sqlparser::ast::{Function, FunctionArguments, Ident, Spanned};

use super::{
    ir::{Body, Cte, Ex, Item, Name, Select, Source},
    lower::{Lower, literal_argument, lower},
    lower_query::{alone, plain},
    words::is_any,
};

impl Lower<'_> {
    /// Whether `sumIf`, `uniqMerge` and their like are aggregates, and then whether their last argument decides which
    /// rows they see.
    pub(super) fn combined_aggregate(&self, name: &str) -> Option<bool> {
        // What ClickHouse's own grammar refuses is read by the generic one.
        if matches!(self.dialect.name(), "clickhouse" | "generic") { combined(name) } else { None }
    }

    /// The value that the query of `cte` is, where it reads nothing: `WITH a + 1 AS b` gives an expression a name.
    pub(super) fn value_of(&self, cte: &Cte) -> Option<(String, Ex)> {
        let Body::Select(select) = &cte.query.body else { return None };
        let alone = cte.query.ctes.is_empty() && cte.columns.is_empty() && select.from.is_empty();
        match select.items.as_slice() {
            [Item::One(value, _)] if alone && self.dialect.name() == "clickhouse" => {
                (weight(value) < MAX_WEIGHT).then(|| (cte.name.clone(), value.clone()))
            }
            _ => None,
        }
    }

    /// What the WITH around calls `ident`.
    pub(super) fn named_expression(&self, ident: &Ident) -> Option<Ex> {
        if self.named.is_empty() {
            return None;
        }
        let name = lower(ident);
        self.named.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
    }

    /// `dictGet('dictionary', 'attribute', key)`: a value of the dictionary, chosen by the key.
    pub(super) fn dictionary(&mut self, name: &str, function: &Function, args: &[Ex]) -> Option<Ex> {
        let FunctionArguments::List(list) = &function.args else { return None };
        let said = |at: usize| list.args.get(at).and_then(literal_argument);
        if !(name.starts_with("dictget") && matches!(self.dialect.name(), "clickhouse" | "generic")) {
            return None;
        }
        let parts: Vec<String> = said(0)?.split('.').map(str::to_lowercase).collect();
        let attribute = said(1)?.to_lowercase();
        let at = self.bytes_or_start(list.args.first()?.span());
        let table = Name { parts, at: at.clone(), exact: false };
        let items = vec![Item::One(Ex::Column { parts: vec![attribute.clone()], at }, Some(attribute))];
        let from = vec![alone(Source::Table(table))];
        let rows = plain(Body::Select(Box::new(Select { items, from, ..Select::default() })));
        let by = args.get(2..).unwrap_or_default().to_vec();
        Some(Ex::Choose { by, of: vec![Ex::Rows(Box::new(rows))], both: Vec::new() })
    }
}

/// Parts of an expression beyond which it stays a name: those made of each other double each time.
const MAX_WEIGHT: usize = 1_000;

/// How many parts an expression has.
fn weight(ex: &Ex) -> usize {
    let all = |list: &[Ex]| list.iter().map(weight).sum::<usize>();
    1 + match ex {
        Ex::Change(list) | Ex::Aggregate(list) | Ex::Test(_, list) => all(list),
        Ex::Choose { by, of, both } => all(by) + all(of) + all(both),
        Ex::Over { value, by } | Ex::Kept { value, by, .. } => weight(value) + all(by),
        _ => 0,
    }
}

fn combined(name: &str) -> Option<bool> {
    const COMBINATORS: [&str; 10] =
        ["array", "map", "simplestate", "mergestate", "state", "merge", "foreach", "distinct", "ordefault", "ornull"];
    if name.strip_suffix("if").and_then(combined).is_some() {
        return Some(true);
    }
    match is_any("aggregate", name) {
        true => Some(false),
        false => COMBINATORS.iter().find_map(|end| name.strip_suffix(end).and_then(combined)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::sql::dialect::Dialect;

    #[test]
    fn combinators_come_off_until_an_aggregate_is_left() {
        let decides =
            |name: &str| Lower::new("", 0, Dialect::named("clickhouse").unwrap(), false).combined_aggregate(name);
        assert_eq!(decides("sumarrayif"), Some(true));
        assert_eq!(decides("countif"), Some(true));
        assert_eq!(decides("uniqmerge"), Some(false));
        assert_eq!(decides("tostate"), None);
        assert_eq!(decides("if"), None);
    }
}
