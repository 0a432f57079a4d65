//! BigQuery's pipe syntax: one step after the other over a query.
use sqlparser::ast::PipeOperator;

use super::{
    ir::{Body, Item, Query, Select, SetOp, Source, Star},
    lower::{Lower, lower},
    lower_query::{alone, implied_name, plain, star},
};

impl Lower<'_> {
    /// BigQuery's pipe syntax, one step over the query so far.
    pub(super) fn pipe(&mut self, query: Query, pipe: &PipeOperator) -> Query {
        let mut select =
            Select { items: vec![star()], from: vec![alone(Source::Query(Box::new(query)))], ..Select::default() };
        match pipe {
            PipeOperator::Where { expr } => select.filters.push(self.expr(expr)),
            PipeOperator::OrderBy { exprs } => select.sorts = self.orders(exprs),
            PipeOperator::Select { exprs } => select.items = exprs.iter().flat_map(|item| self.item(item)).collect(),
            PipeOperator::Extend { exprs } => {
                select.items.extend(exprs.iter().flat_map(|item| self.item(item)).collect::<Vec<_>>())
            }
            PipeOperator::Aggregate { full_table_exprs, group_by_expr } => {
                let list: Vec<_> = group_by_expr.iter().chain(full_table_exprs).collect();
                select.groups = group_by_expr.iter().map(|e| self.expr(&e.expr.expr)).collect();
                let name =
                    |e: &sqlparser::ast::ExprWithAlias| e.alias.as_ref().map(lower).or_else(|| implied_name(&e.expr));
                select.items = list.iter().map(|e| Item::One(self.expr(&e.expr.expr), name(&e.expr))).collect();
            }
            PipeOperator::Join(join) => select.from.push(self.join(join)),
            PipeOperator::As { alias } => select.from[0].relation.alias = Some(lower(alias)),
            PipeOperator::Drop { columns } => {
                let except = columns.iter().map(lower).collect();
                select.items = vec![Item::Star(Star { except, ..Star::default() })];
            }
            PipeOperator::Rename { mappings } => {
                let rename = mappings.iter().map(|m| (lower(&m.ident), lower(&m.alias))).collect();
                select.items = vec![Item::Star(Star { rename, ..Star::default() })];
            }
            PipeOperator::Union { queries, .. } | PipeOperator::Intersect { queries, .. } => {
                let first = (SetOp::Flow, Body::Select(Box::new(select)));
                let arms =
                    queries.iter().map(|q| (SetOp::Flow, Body::Query(Box::new(self.query(q))))).collect::<Vec<_>>();
                return plain(Body::Arms(std::iter::once(first).chain(arms).collect()));
            }
            _ => {}
        }
        plain(Body::Select(Box::new(select)))
    }
}
