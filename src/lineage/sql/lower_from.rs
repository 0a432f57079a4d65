//! FROM: tables, subqueries, functions, joins, pivots.
use sqlparser::ast::{
    Expr, ExprWithAlias, Join, JoinConstraint, JoinOperator, MatchRecognizePattern, MatchRecognizeSymbol, ObjectName,
    ObjectNamePart, PivotValueSource, RowsPerMatch, TableAlias, TableFactor, TableWithJoins,
};

use super::{
    address::{file_address, file_of, is_file_or_stage},
    ir::{Ex, Joined, Keeps, Matches, Relation, Source},
    lower::{Lower, last_part, lower},
    lower_expr::unqualify,
    lower_query::{implied_name, joined},
};

impl Lower<'_> {
    /// A FROM clause, flat.
    pub(super) fn relations(&mut self, from: &[TableWithJoins]) -> Vec<Joined> {
        let mut relations = Vec::new();
        for table in from {
            relations.push(joined(self.relation(&table.relation)));
            relations.extend(table.joins.iter().map(|join| self.join(join)).collect::<Vec<_>>());
        }
        // What follows ARRAY JOIN behind commas are arrays too.
        let spreads =
            |table: &TableWithJoins| table.joins.last().is_some_and(|join| is_array_join(&join.join_operator));
        if let Some(at) = from.iter().position(spreads) {
            let behind = from[at + 1..].iter().map(|table| 1 + table.joins.len()).sum::<usize>();
            let first = relations.len() - behind;
            relations[first..].iter_mut().for_each(|one| one.relation = spread(one.relation.clone()));
        }
        relations
    }

    pub(super) fn join(&mut self, join: &Join) -> Joined {
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
        if is_array_join(&join.join_operator) {
            one.relation = spread(one.relation);
        }
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
            TableFactor::Table { name, alias, args: Some(_), .. } if name.to_string().starts_with('@') => {
                self.table(name, alias.as_ref())
            }
            TableFactor::Table { name, alias, args: Some(args), .. } => {
                let source = self.table_function(name, &args.args);
                self.with_outputs(named(source, alias.as_ref()), name)
            }
            TableFactor::Function { name, args, alias, .. } => {
                let source = self.table_function(name, args);
                self.with_outputs(named(source, alias.as_ref()), name)
            }
            TableFactor::Derived { subquery, alias, .. } => {
                named(Source::Query(Box::new(self.query(subquery))), alias.as_ref())
            }
            TableFactor::TableFunction { expr: Expr::Function(function), alias } => {
                let source = self.function_source(function);
                self.with_outputs(named(source, alias.as_ref()), &function.name)
            }
            TableFactor::TableFunction { expr, alias } => {
                named(Source::Function(vec![self.expr(expr)]), alias.as_ref())
            }
            TableFactor::UNNEST { alias, array_exprs, with_offset_alias, .. } => {
                let args: Vec<Ex> = array_exprs.iter().map(|e| self.expr(e)).collect();
                let source = if args.len() > 1 { Source::Unnest(args) } else { Source::Function(args) };
                let mut relation = named(source, alias.as_ref());
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
                let made = pivot_names(value_source, aggregate_functions, self.dialect.name());
                named(Source::Pivot(Box::new(inner), folded, spread, made), alias.as_ref())
            }
            TableFactor::Unpivot { table, value, name, columns, alias, .. } => {
                let inner = self.relation(table);
                let values = self.folded(value, columns);
                named(Source::Unpivot(Box::new(inner), values, lower(name)), alias.as_ref())
            }
            TableFactor::UnpivotExpr { expression, value_alias, attribute_alias } => Relation {
                source: Source::Function(vec![self.expr(expression)]),
                alias: None,
                columns: std::iter::once(value_alias).chain(attribute_alias).map(lower).collect(),
            },
            TableFactor::MatchRecognize { .. } => self.matches(factor),
            TableFactor::SemanticView { name, alias, .. } => self.table(name, alias.as_ref()),
        }
    }

    /// What an UNPIVOT folds into each of its value columns: BigQuery's `(x, y) FOR q IN ((a, b), (c, d))` has several.
    fn folded(&mut self, value: &Expr, columns: &[ExprWithAlias]) -> Vec<(Vec<Ex>, String)> {
        let values = match value {
            Expr::Tuple(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        let mut folded = Vec::with_capacity(values.len());
        for (at, value) in values.iter().enumerate() {
            let parts = columns.iter().filter_map(|column| match &column.expr {
                Expr::Tuple(list) if values.len() > 1 => list.get(at),
                one => Some(one),
            });
            folded.push((parts.map(|e| self.expr(e)).collect(), implied_name(value).unwrap_or_default()));
        }
        folded
    }

    fn matches(&mut self, factor: &TableFactor) -> Relation {
        let TableFactor::MatchRecognize {
            table,
            partition_by,
            order_by,
            measures,
            rows_per_match,
            pattern,
            symbols,
            alias,
            ..
        } = factor
        else {
            return named(Source::Function(Vec::new()), None);
        };
        let mut names: Vec<String> = symbols.iter().map(|one| lower(&one.symbol)).collect();
        symbols_of(pattern, &mut names);
        // `b.price` is the price of the row that is called b.
        let plain = |mut ex: Ex| {
            unqualify(&mut ex, &names);
            ex
        };
        let matches = Matches {
            table: self.relation(table),
            parts: partition_by.iter().map(|e| self.expr(e)).collect(),
            sorts: self.orders(order_by),
            tests: symbols.iter().map(|one| plain(self.expr(&one.definition))).collect(),
            measures: measures.iter().map(|one| (plain(self.expr(&one.expr)), lower(&one.alias))).collect(),
            all_rows: matches!(rows_per_match, Some(RowsPerMatch::AllRows(_))),
        };
        named(Source::Matches(Box::new(matches)), alias.as_ref())
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
            None if written.starts_with('@') && self.dialect.name() != "tsql" => {
                named(Source::Function(Vec::new()), alias)
            }
            None => named(Source::Table(table), alias),
        }
    }

    /// The columns that Snowflake's own table functions yield, which need no qualifier.
    fn with_outputs(&self, relation: Relation, function: &ObjectName) -> Relation {
        let outputs: &[&str] = match last_part(function).as_str() {
            "flatten" => &["seq", "key", "path", "index", "value", "this"],
            "split_to_table" | "strtok_split_to_table" => &["seq", "index", "value"],
            _ => &[],
        };
        let unnamed = relation.columns.is_empty() && matches!(relation.source, Source::Function(_));
        match unnamed && self.dialect.name() == "snowflake" {
            true => Relation { columns: outputs.iter().map(|name| (*name).to_owned()).collect(), ..relation },
            false => relation,
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
        if let Some(remote) = self.remote(name, args) {
            return remote;
        }
        let args = args.iter().map(|arg| self.argument(arg)).collect();
        match self.name(name).filter(|name| name.parts.len() > 1) {
            Some(name) => Source::Call(name, args),
            None => Source::Function(args),
        }
    }
}

/// The names that a pattern gives to rows.
fn symbols_of(pattern: &MatchRecognizePattern, names: &mut Vec<String>) {
    use MatchRecognizePattern::{Alternation, Concat, Exclude, Group, Permute, Repetition, Symbol};
    let mut name = |symbol: &MatchRecognizeSymbol| {
        if let MatchRecognizeSymbol::Named(ident) = symbol {
            names.push(lower(ident));
        }
    };
    match pattern {
        Symbol(symbol) | Exclude(symbol) => name(symbol),
        Permute(symbols) => symbols.iter().for_each(name),
        Concat(list) | Alternation(list) => list.iter().for_each(|one| symbols_of(one, names)),
        Group(inner) | Repetition(inner, _) => symbols_of(inner, names),
    }
}

fn is_array_join(operator: &JoinOperator) -> bool {
    matches!(operator, JoinOperator::ArrayJoin | JoinOperator::LeftArrayJoin | JoinOperator::InnerArrayJoin)
}

/// The array that ARRAY JOIN spreads, which the grammar takes for a table.
fn spread(relation: Relation) -> Relation {
    match relation.source {
        Source::Table(name) => {
            let column = relation.alias.clone().or_else(|| name.parts.last().cloned());
            let array = Ex::Column { parts: name.parts, at: name.at };
            Relation { source: Source::Function(vec![array]), columns: column.into_iter().collect(), ..relation }
        }
        source => Relation { source, ..relation },
    }
}

fn named(source: Source, alias: Option<&TableAlias>) -> Relation {
    let columns = alias.map(|a| a.columns.iter().map(|c| lower(&c.name)).collect()).unwrap_or_default();
    Relation { source, alias: alias.map(|a| lower(&a.name)), columns }
}

/// The columns a pivot makes, for each value those of all aggregates: value and aggregate, or BigQuery's aggregate and
/// value.
fn pivot_names(source: &PivotValueSource, folds: &[sqlparser::ast::ExprWithAlias], dialect: &str) -> Vec<String> {
    let PivotValueSource::List(values) = source else { return Vec::new() };
    let aggregate_first = dialect == "bigquery";
    let one = folds.len() == 1;
    let mut names = Vec::new();
    for value in values {
        let base = match &value.alias {
            Some(alias) => lower(alias),
            None => value_name(&value.expr, dialect),
        };
        for fold in folds {
            let alias = fold.alias.as_ref().map(lower);
            names.push(match (one, alias) {
                (true, None) => base.clone(),
                (_, Some(alias)) if aggregate_first => format!("{alias}_{base}"),
                (_, Some(alias)) => format!("{base}_{alias}"),
                (false, None) => format!("{base}_{}", implied_name(&fold.expr).unwrap_or_default()),
            });
        }
    }
    names
}

/// What the column of a pivot's value is called that has no alias.
fn value_name(value: &Expr, dialect: &str) -> String {
    let written = value.to_string().to_lowercase();
    match (value, super::lower::literal(value)) {
        // T-SQL's values are names: `[1]`.
        (Expr::Identifier(name), _) => lower(name),
        // Snowflake's quotes belong to the name.
        (_, Some(_)) if dialect == "snowflake" => written,
        (_, Some(text)) => text.to_lowercase(),
        _ if dialect == "bigquery" && written.starts_with(|c: char| c.is_ascii_digit()) => format!("_{written}"),
        _ => written,
    }
}
