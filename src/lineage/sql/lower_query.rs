//! Queries: CTEs, set operations, select lists.
use sqlparser::ast::{
    ConnectByKind, Distinct, ExcludeSelectItem, Expr, GroupByExpr, GroupByWithModifier, NamedWindowExpr, OrderByKind,
    Query as Tree, RenameSelectItem, Select as SelectTree, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind,
    SetExpr, SetOperator, SetQuantifier, WildcardAdditionalOptions,
};

use super::{
    ir::{Body, Cte, Ex, Item, Joined, Keeps, Query, Relation, Select, SetOp, Source, Star},
    lower::{Lower, last_part, lower},
    parse::inner_statement,
};

impl Lower<'_> {
    /// One query.
    pub(super) fn query(&mut self, tree: &Tree) -> Query {
        let outer = self.named.len();
        let (ctes, recursive) = self.ctes(tree);
        let order = tree.order_by.as_ref().map(|order| match &order.kind {
            OrderByKind::Expressions(list) => self.orders(list),
            OrderByKind::All(_) => Vec::new(),
        });
        let mut body = self.body(&tree.body);
        let mut rest = order.unwrap_or_default();
        if let Body::Select(select) = &mut body {
            select.sorts.append(&mut rest);
        }
        let mut query = Query { ctes, recursive, body, order: rest };
        for pipe in &tree.pipe_operators {
            query = self.pipe(query, pipe);
        }
        self.named.truncate(outer);
        query
    }

    pub(super) fn ctes(&mut self, tree: &Tree) -> (Vec<Cte>, bool) {
        let Some(with) = &tree.with else { return (Vec::new(), false) };
        let cte = |lowering: &mut Self, cte: &sqlparser::ast::Cte| Cte {
            name: lower(&cte.alias.name),
            columns: cte.alias.columns.iter().map(|c| lower(&c.name)).collect(),
            query: lowering.query(&cte.query),
        };
        let cte = |lowering: &mut Self, tree: &sqlparser::ast::Cte| {
            let cte = cte(lowering, tree);
            lowering.named.extend(lowering.value_of(&cte));
            cte
        };
        let ctes = with.cte_tables.iter().map(|tree| cte(self, tree)).collect();
        (ctes, with.recursive || self.dialect.recursive_unsaid())
    }

    fn body(&mut self, body: &SetExpr) -> Body {
        match body {
            SetExpr::Select(select) => Body::Select(Box::new(self.select(select))),
            SetExpr::Query(query) => Body::Query(Box::new(self.query(query))),
            SetExpr::SetOperation { .. } => self.arms(body),
            SetExpr::Values(values) => {
                let width = values.rows.first().map_or(0, |row| row.content.len());
                let mut columns = vec![Vec::new(); width];
                // Rows of plain constants carry nothing; a very long list of them costs nothing.
                for row in &values.rows {
                    for (column, expr) in columns.iter_mut().zip(&row.content) {
                        if !matches!(expr, Expr::Value(_)) {
                            column.push(self.expr(expr));
                        }
                    }
                }
                Body::Values(columns)
            }
            SetExpr::Table(table) => {
                let parts: Vec<String> =
                    [&table.schema_name, &table.table_name].into_iter().flatten().map(|s| s.to_lowercase()).collect();
                let at = self.bytes_or_start(sqlparser::tokenizer::Span::empty());
                let name = super::ir::Name { parts, at, exact: false };
                Body::Select(Box::new(Select {
                    items: vec![star()],
                    from: vec![alone(Source::Table(name))],
                    ..Select::default()
                }))
            }
            SetExpr::Insert(inner) | SetExpr::Update(inner) | SetExpr::Delete(inner) | SetExpr::Merge(inner) => {
                self.returning(inner)
            }
        }
    }

    /// Set operations lean to the left and may be many: they are walked, not recursed into.
    fn arms(&mut self, body: &SetExpr) -> Body {
        let mut arms = Vec::new();
        let mut at = body;
        while let SetExpr::SetOperation { left, op, set_quantifier, right } = at {
            let by_name = matches!(
                set_quantifier,
                SetQuantifier::ByName | SetQuantifier::AllByName | SetQuantifier::DistinctByName
            );
            let op = match op {
                SetOperator::Except | SetOperator::Minus => SetOp::Remove,
                _ if by_name => SetOp::ByName,
                _ => SetOp::Flow,
            };
            arms.push((op, self.body(right)));
            at = left;
        }
        arms.push((SetOp::Flow, self.body(at)));
        arms.reverse();
        Body::Arms(arms)
    }

    fn select(&mut self, tree: &SelectTree) -> Select {
        let windows = self.windows.len();
        self.windows.push(Vec::new());
        for window in &tree.named_window {
            let by = match &window.1 {
                NamedWindowExpr::NamedWindow(name) => self.named_window(&lower(name)),
                NamedWindowExpr::WindowSpec(spec) => self.window_spec(spec),
            };
            if let Some(own) = self.windows.last_mut() {
                own.push((lower(&window.0), by));
            }
        }
        let mut from = self.relations(&tree.from);
        for view in &tree.lateral_views {
            let source = Source::Function(vec![self.expr(&view.lateral_view)]);
            let alias = (!view.lateral_view_name.0.is_empty()).then(|| last_part(&view.lateral_view_name));
            let columns = view.lateral_col_alias.iter().map(lower).collect();
            from.push(joined(Relation { source, alias, columns }));
        }
        let select = Select {
            items: self.items(tree),
            from,
            filters: self.filters(tree),
            groups: self.groups(tree),
            sorts: self.sorts(tree),
        };
        self.windows.truncate(windows);
        select
    }

    fn filters(&mut self, tree: &SelectTree) -> Vec<Ex> {
        let mut filters: Vec<Ex> = [&tree.prewhere, &tree.selection, &tree.having, &tree.qualify]
            .into_iter()
            .flatten()
            .map(|e| self.expr(e))
            .collect();
        for connect in &tree.connect_by {
            match connect {
                ConnectByKind::ConnectBy { relationships, .. } => {
                    filters.extend(relationships.iter().map(|e| self.expr(e)).collect::<Vec<_>>());
                }
                ConnectByKind::StartWith { condition, .. } => filters.push(self.expr(condition)),
            }
        }
        filters
    }

    fn groups(&mut self, tree: &SelectTree) -> Vec<Ex> {
        let (exprs, modifiers): (&[Expr], _) = match &tree.group_by {
            GroupByExpr::All(modifiers) => (&[], modifiers),
            GroupByExpr::Expressions(exprs, modifiers) => (exprs, modifiers),
        };
        let sets = modifiers.iter().filter_map(|modifier| match modifier {
            GroupByWithModifier::GroupingSets(expr) => Some(expr),
            _ => None,
        });
        let on = match &tree.distinct {
            Some(Distinct::On(exprs)) => exprs.as_slice(),
            _ => &[],
        };
        exprs.iter().chain(sets).chain(on).map(|e| self.expr(e)).collect()
    }

    fn sorts(&mut self, tree: &SelectTree) -> Vec<Ex> {
        let mut sorts = self.orders(&tree.sort_by);
        sorts.extend(tree.cluster_by.iter().chain(&tree.distribute_by).map(|e| self.expr(e)).collect::<Vec<_>>());
        sorts
    }

    fn items(&mut self, tree: &SelectTree) -> Vec<Item> {
        if tree.projection.is_empty() && matches!(tree.flavor, SelectFlavor::FromFirstNoSelect) {
            return vec![star()];
        }
        tree.projection.iter().flat_map(|item| self.item(item)).collect()
    }

    /// One item of a select list; several where one expression has several names.
    pub(super) fn item(&mut self, item: &SelectItem) -> Vec<Item> {
        match item {
            SelectItem::UnnamedExpr(expr) => vec![self.unnamed_item(expr)],
            SelectItem::ExprWithAlias { expr, alias } => vec![Item::One(self.expr(expr), Some(lower(alias)))],
            SelectItem::ExprWithAliases { expr, aliases } => {
                let value = self.expr(expr);
                aliases.iter().map(|alias| Item::One(value.clone(), Some(lower(alias)))).collect()
            }
            SelectItem::Wildcard(options) => {
                let at = self.bytes(options.wildcard_token.0.span).unwrap_or_default();
                vec![self.star_with(Vec::new(), at, options)]
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                match self.name(name) {
                    Some(name) => vec![self.star_with(name.parts, name.at, options)],
                    None => Vec::new(),
                }
            }
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::Expr(expr), _) => {
                vec![Item::One(self.expr(expr), Some("*".to_owned()))]
            }
        }
    }

    pub(super) fn star_with(
        &mut self,
        of: Vec<String>,
        at: super::ir::Bytes,
        options: &WildcardAdditionalOptions,
    ) -> Item {
        let mut except: Vec<String> = Vec::new();
        if let Some(list) = &options.opt_except {
            except.extend(std::iter::once(&list.first_element).chain(&list.additional_elements).map(lower));
        }
        match &options.opt_exclude {
            Some(ExcludeSelectItem::Single(name)) => except.push(last_part(name)),
            Some(ExcludeSelectItem::Multiple(names)) => except.extend(names.iter().map(last_part)),
            None => {}
        }
        let replaced = options.opt_replace.iter().flat_map(|list| &list.items);
        let replace = replaced.map(|item| (lower(&item.column_name), self.expr(&item.expr))).collect();
        let rename = match &options.opt_rename {
            Some(RenameSelectItem::Single(one)) => vec![(lower(&one.ident), lower(&one.alias))],
            Some(RenameSelectItem::Multiple(many)) => {
                many.iter().map(|one| (lower(&one.ident), lower(&one.alias))).collect()
            }
            None => Vec::new(),
        };
        let like = options.opt_ilike.as_ref().map(|like| like.pattern.to_lowercase());
        Item::Star(Star { of, at, like, matching: None, except, replace, rename })
    }

    /// The select of an `INSERT` that stands behind a WITH: its CTEs come first.
    pub(super) fn with_outer(&mut self, outer: &Tree, mut query: Query) -> Query {
        debug_assert!(inner_statement(outer).is_some());
        let (mut ctes, recursive) = self.ctes(outer);
        ctes.append(&mut query.ctes);
        Query { ctes, recursive: recursive || query.recursive, ..query }
    }
}

/// A query of a body and nothing else.
pub(super) fn plain(body: Body) -> Query {
    Query { ctes: Vec::new(), recursive: false, body, order: Vec::new() }
}

/// `*`.
pub(super) fn star() -> Item {
    Item::Star(Star::default())
}

/// A relation without alias that joins nothing.
pub(super) fn alone(source: Source) -> Joined {
    joined(Relation { source, alias: None, columns: Vec::new() })
}

pub(super) fn joined(relation: Relation) -> Joined {
    Joined { relation, on: Vec::new(), using: Vec::new(), natural: false, keeps: Keeps::Left, hidden: false }
}

/// The name an engine gives an unnamed item.
pub(super) fn implied_name(expr: &Expr) -> Option<String> {
    match expr {
        Expr::Identifier(ident) => Some(lower(ident)),
        Expr::CompoundIdentifier(idents) => idents.last().map(lower),
        Expr::CompoundFieldAccess { access_chain, root } => match access_chain.last() {
            Some(sqlparser::ast::AccessExpr::Dot(inner)) => implied_name(inner),
            _ => implied_name(root),
        },
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } | Expr::Named { expr: inner, .. } => implied_name(inner),
        Expr::Function(function) => Some(last_part(&function.name)),
        _ => None,
    }
}
