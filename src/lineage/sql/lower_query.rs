//! Queries: CTEs, set operations, select lists, relations and joins.
use sqlparser::ast::{
    ConnectByKind, Distinct, ExcludeSelectItem, Expr, GroupByExpr, GroupByWithModifier, Join, JoinConstraint,
    JoinOperator, NamedWindowExpr, ObjectName, ObjectNamePart, OrderByKind, PipeOperator, PivotValueSource,
    Query as Tree, RenameSelectItem, Select as SelectTree, SelectFlavor, SelectItem, SelectItemQualifiedWildcardKind,
    SetExpr, SetOperator, SetQuantifier, TableAlias, TableFactor, TableWithJoins, WildcardAdditionalOptions,
};

use super::{
    address::{file_address, file_of, is_file_or_stage},
    ir::{Body, Cte, Ex, Item, Joined, Keeps, Query, Relation, Select, SetOp, Source},
    lower::{Lower, last_part, lower},
    parse::inner_statement,
};

impl Lower<'_> {
    /// One query.
    pub(super) fn query(&mut self, tree: &Tree) -> Query {
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
        query
    }

    pub(super) fn ctes(&mut self, tree: &Tree) -> (Vec<Cte>, bool) {
        let Some(with) = &tree.with else { return (Vec::new(), false) };
        let cte = |lowering: &mut Self, cte: &sqlparser::ast::Cte| Cte {
            name: lower(&cte.alias.name),
            columns: cte.alias.columns.iter().map(|c| lower(&c.name)).collect(),
            query: lowering.query(&cte.query),
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
            SelectItem::UnnamedExpr(expr) => {
                let name = implied_name(expr);
                vec![Item::One(self.expr(expr), name)]
            }
            SelectItem::ExprWithAlias { expr, alias } => vec![Item::One(self.expr(expr), Some(lower(alias)))],
            SelectItem::ExprWithAliases { expr, aliases } => {
                let value = self.expr(expr);
                aliases.iter().map(|alias| Item::One(value.clone(), Some(lower(alias)))).collect()
            }
            SelectItem::Wildcard(options) => vec![self.star_with(Vec::new(), 0..0, options)],
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

    fn star_with(&mut self, of: Vec<String>, at: super::ir::Bytes, options: &WildcardAdditionalOptions) -> Item {
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
        Item::Star { of, at, except, replace, rename }
    }

    /// A FROM clause, flat.
    pub(super) fn relations(&mut self, from: &[TableWithJoins]) -> Vec<Joined> {
        let mut relations = Vec::new();
        for table in from {
            relations.push(joined(self.relation(&table.relation)));
            relations.extend(table.joins.iter().map(|join| self.join(join)).collect::<Vec<_>>());
        }
        relations
    }

    fn join(&mut self, join: &Join) -> Joined {
        use JoinOperator as J;
        let (constraint, keeps, hidden) = match &join.join_operator {
            J::Join(c) | J::Inner(c) | J::Left(c) | J::LeftOuter(c) | J::CrossJoin(c) | J::StraightJoin(c) => {
                (Some(c), Keeps::Left, false)
            }
            J::Right(c) | J::RightOuter(c) => (Some(c), Keeps::Right, false),
            J::FullOuter(c) => (Some(c), Keeps::Both, false),
            J::Semi(c) | J::LeftSemi(c) | J::Anti(c) | J::LeftAnti(c) => (Some(c), Keeps::Left, true),
            J::RightSemi(c) | J::RightAnti(c) => (Some(c), Keeps::Right, false),
            J::AsOf { constraint, .. } => (Some(constraint), Keeps::Left, false),
            _ => (None, Keeps::Left, false),
        };
        let mut one = joined(self.relation(&join.relation));
        (one.keeps, one.hidden) = (keeps, hidden);
        if let J::AsOf { match_condition, .. } = &join.join_operator {
            one.on.push(self.expr(match_condition));
        }
        match constraint {
            Some(JoinConstraint::On(expr)) => one.on.push(self.expr(expr)),
            Some(JoinConstraint::Using(names)) => one.using = names.iter().map(last_part).collect(),
            Some(JoinConstraint::Natural) => one.natural = true,
            _ => {}
        }
        one
    }

    /// One relation.
    pub(super) fn relation(&mut self, factor: &TableFactor) -> Relation {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => self.table(name, alias.as_ref()),
            TableFactor::Table { name, alias, args: Some(args), .. } => {
                let source = self.table_function(name, &args.args);
                named(source, alias.as_ref())
            }
            TableFactor::Function { name, args, alias, .. } => named(self.table_function(name, args), alias.as_ref()),
            TableFactor::Derived { subquery, alias, .. } => {
                named(Source::Query(Box::new(self.query(subquery))), alias.as_ref())
            }
            TableFactor::TableFunction { expr, alias } => {
                let source = match expr {
                    Expr::Function(function) => self.function_source(function),
                    other => Source::Function(vec![self.expr(other)]),
                };
                named(source, alias.as_ref())
            }
            TableFactor::UNNEST { alias, array_exprs, with_offset_alias, .. } => {
                let args = array_exprs.iter().map(|e| self.expr(e)).collect();
                let mut relation = named(Source::Function(args), alias.as_ref());
                // `UNNEST(xs) AS x` names the column as well as the relation.
                if relation.columns.is_empty() {
                    relation.columns.extend(relation.alias.clone());
                }
                relation.columns.extend(with_offset_alias.iter().map(lower));
                relation
            }
            TableFactor::JsonTable { json_expr, alias, .. } | TableFactor::OpenJsonTable { json_expr, alias, .. } => {
                named(Source::Function(vec![self.expr(json_expr)]), alias.as_ref())
            }
            TableFactor::XmlTable { row_expression, passing, alias, .. } => {
                let mut args = vec![self.expr(row_expression)];
                args.extend(passing.arguments.iter().map(|a| self.expr(&a.expr)).collect::<Vec<_>>());
                named(Source::Function(args), alias.as_ref())
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                named(Source::Joins(self.relations(std::slice::from_ref(table_with_joins))), alias.as_ref())
            }
            TableFactor::Pivot { table, aggregate_functions, value_column, value_source, alias, .. } => {
                let inner = self.relation(table);
                let spread = value_column.iter().map(|e| self.expr(e)).collect();
                let folded = aggregate_functions.iter().map(|f| self.expr(&f.expr)).collect();
                let made = pivot_names(value_source, aggregate_functions);
                named(Source::Pivot(Box::new(inner), folded, spread, made), alias.as_ref())
            }
            TableFactor::Unpivot { table, value, name, columns, alias, .. } => {
                let inner = self.relation(table);
                let folded = columns.iter().map(|c| self.expr(&c.expr)).collect();
                let value = implied_name(value).unwrap_or_default();
                named(Source::Unpivot(Box::new(inner), folded, value, lower(name)), alias.as_ref())
            }
            TableFactor::UnpivotExpr { expression, value_alias, attribute_alias } => Relation {
                source: Source::Function(vec![self.expr(expression)]),
                alias: None,
                columns: std::iter::once(value_alias).chain(attribute_alias).map(lower).collect(),
            },
            TableFactor::MatchRecognize { table, measures, alias, .. } => {
                let inner = self.relation(table);
                let folded = measures.iter().map(|m| self.expr(&m.expr)).collect();
                let made = measures.iter().map(|m| lower(&m.alias)).collect();
                named(Source::Pivot(Box::new(inner), folded, Vec::new(), made), alias.as_ref())
            }
            TableFactor::SemanticView { name, alias, .. } => self.table(name, alias.as_ref()),
        }
    }

    fn table(&mut self, name: &ObjectName, alias: Option<&TableAlias>) -> Relation {
        let Some(table) = self.name(name) else { return named(Source::Function(Vec::new()), alias) };
        let written = table.parts.join(".");
        let quoted_file = matches!(&name.0[..], [ObjectNamePart::Identifier(ident)]
            if ident.quote_style == Some('\'') && is_file_or_stage(&ident.to_string()));
        let stage = written.starts_with('@') && self.dialect.name() == "snowflake";
        let file = file_address(&written).or_else(|| file_of(&written).filter(|_| quoted_file || stage));
        match file {
            Some(file) => named(Source::Files(vec![file], table.at), alias),
            None if written.starts_with('@') => named(Source::Function(Vec::new()), alias),
            None => named(Source::Table(table), alias),
        }
    }

    fn function_source(&mut self, function: &sqlparser::ast::Function) -> Source {
        let args = match &function.args {
            sqlparser::ast::FunctionArguments::List(list) => list.args.as_slice(),
            _ => &[],
        };
        self.table_function(&function.name, args)
    }

    fn table_function(&mut self, name: &ObjectName, args: &[sqlparser::ast::FunctionArg]) -> Source {
        self.remote(name, args).unwrap_or_else(|| Source::Function(args.iter().map(|arg| self.argument(arg)).collect()))
    }

    /// BigQuery's pipe syntax, one step over the query so far.
    fn pipe(&mut self, query: Query, pipe: &PipeOperator) -> Query {
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
                select.items =
                    vec![Item::Star { of: Vec::new(), at: 0..0, except, replace: Vec::new(), rename: Vec::new() }];
            }
            PipeOperator::Rename { mappings } => {
                let rename = mappings.iter().map(|m| (lower(&m.ident), lower(&m.alias))).collect();
                select.items =
                    vec![Item::Star { of: Vec::new(), at: 0..0, except: Vec::new(), replace: Vec::new(), rename }];
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
    Item::Star { of: Vec::new(), at: 0..0, except: Vec::new(), replace: Vec::new(), rename: Vec::new() }
}

/// A relation without alias that joins nothing.
pub(super) fn alone(source: Source) -> Joined {
    joined(Relation { source, alias: None, columns: Vec::new() })
}

pub(super) fn joined(relation: Relation) -> Joined {
    Joined { relation, on: Vec::new(), using: Vec::new(), natural: false, keeps: Keeps::Left, hidden: false }
}

fn named(source: Source, alias: Option<&TableAlias>) -> Relation {
    let columns = alias.map(|a| a.columns.iter().map(|c| lower(&c.name)).collect()).unwrap_or_default();
    Relation { source, alias: alias.map(|a| lower(&a.name)), columns }
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

fn pivot_names(source: &PivotValueSource, folds: &[sqlparser::ast::ExprWithAlias]) -> Vec<String> {
    let PivotValueSource::List(values) = source else { return Vec::new() };
    let one = folds.len() == 1;
    let mut names = Vec::new();
    for value in values {
        let base = match &value.alias {
            Some(alias) => lower(alias),
            None => {
                super::lower::literal(&value.expr).map_or_else(|| value.expr.to_string(), str::to_owned).to_lowercase()
            }
        };
        for fold in folds {
            let alias = fold.alias.as_ref().map(lower);
            names.push(match (one, alias) {
                (true, None) => base.clone(),
                (_, Some(alias)) => format!("{base}_{alias}"),
                (false, None) => format!("{base}_{}", implied_name(&fold.expr).unwrap_or_default()),
            });
        }
    }
    names
}
