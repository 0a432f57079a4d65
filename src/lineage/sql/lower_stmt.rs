//! Statements: what each fills, touches and does to names.
use sqlparser::ast::{
    AlterTableOperation, Expr, FunctionArguments, Insert, ObjectName, ObjectType, OutputClause, RenameTableNameKind,
    SelectInto, Set, SetExpr, Statement, TableObject, Use,
};

use super::{
    address::file_of,
    ir::{Body, Effect, Ex, Fill, Item, Name, Query, Relation, Select, Source, Stmt},
    lower::{Lower, last_part, literal, lower},
    lower_query::{alone, joined, plain, star},
    parse::inner_statement,
    types::column,
};
use crate::lineage::Access;

impl Lower<'_> {
    /// One statement, which stands at `at`.
    pub(in crate::lineage) fn statement(mut self, tree: &Statement, at: super::ir::Bytes) -> Stmt {
        let mut stmt = Stmt::new(kind_of(tree), at);
        self.fill_in(&mut stmt, tree);
        for inner in std::mem::take(&mut self.inner) {
            stmt.fills.extend(inner.fills);
            stmt.touches.extend(inner.touches);
            stmt.unnamed.extend(inner.unnamed);
        }
        stmt.unnamed.append(&mut self.unnamed);
        stmt
    }

    /// A statement inside a query does its work there; the query sees the rows it returns.
    pub(super) fn returning(&mut self, tree: &Statement) -> Body {
        let mut inner = Stmt::new(kind_of(tree), 0..0);
        self.fill_in(&mut inner, tree);
        let target = inner.fills.iter().find_map(|fill| fill.target.clone());
        self.inner.push(inner);
        let Some(target) = target else { return Body::Values(Vec::new()) };
        let (returned, output) = match tree {
            Statement::Insert(insert) => (insert.returning.as_deref(), insert.output.as_ref()),
            Statement::Update(update) => (update.returning.as_deref(), update.output.as_ref()),
            Statement::Delete(delete) => (delete.returning.as_deref(), delete.output.as_ref()),
            Statement::Merge(merge) => (None, merge.output.as_ref()),
            _ => (None, None),
        };
        if let Some(OutputClause::Output { select_items, .. } | OutputClause::Returning { select_items, .. }) = output {
            let mut from = changed_rows(&target);
            if let Statement::Merge(merge) = tree {
                from.push(joined(self.relation(&merge.source)));
            }
            let items = select_items.iter().flat_map(|item| self.item(item)).collect();
            return Body::Select(Box::new(Select { items, from, ..Select::default() }));
        }
        let Some(returned) = returned else { return Body::Values(Vec::new()) };
        let items = returned.iter().flat_map(|item| self.item(item)).collect();
        Body::Select(Box::new(Select { items, from: vec![alone(Source::Table(target))], ..Select::default() }))
    }

    fn fill_in(&mut self, stmt: &mut Stmt, tree: &Statement) {
        match tree {
            Statement::Query(query) => self.bare_query(stmt, query),
            Statement::Insert(insert) => self.insert(stmt, insert),
            Statement::CreateTable(create) => self.create_table(stmt, create),
            Statement::CreateView(create) => self.create_view(stmt, create),
            Statement::AlterView { name, columns, query, .. } => {
                let columns = columns.iter().map(lower).collect();
                self.makes(stmt, name, columns, query, false);
            }
            Statement::CreateStage { name, stage_params, .. } => {
                let place = stage_params.url.as_deref().and_then(file_of);
                let stage = self.name(name).map(|name| name.parts.join("."));
                stmt.effects.extend(stage.zip(place).map(|(stage, place)| Effect::Stage(stage, place)));
            }
            Statement::Merge(merge) => self.merge(stmt, merge),
            Statement::Update(update) => self.update(stmt, update),
            Statement::Delete(delete) => self.delete(stmt, delete),
            Statement::AlterTable(alter) => {
                for operation in &alter.operations {
                    self.alter(stmt, &alter.name, operation);
                }
            }
            Statement::RenameTable(renames) => {
                for rename in renames {
                    if let (Some(from), Some(to)) = (self.name(&rename.old_name), self.name(&rename.new_name)) {
                        stmt.rename(from, to);
                    }
                }
            }
            Statement::Drop { object_type, names, .. } => {
                if matches!(object_type, ObjectType::Table | ObjectType::View | ObjectType::MaterializedView) {
                    names.iter().for_each(|name| self.touch(stmt, name, Access::Drop));
                }
            }
            Statement::Truncate(truncate) => {
                truncate.table_names.iter().for_each(|table| self.touch(stmt, &table.name, Access::Define));
            }
            Statement::Cache { table_name, query: Some(query), .. } => {
                self.makes(stmt, table_name, Vec::new(), query, true)
            }
            Statement::Explain { .. } => {}
            Statement::Use(to) => self.use_schema(stmt, to),
            Statement::Set(set) => self.search_path(stmt, set),
            Statement::Prepare { statement, .. } => self.fill_in(stmt, statement),
            other => {
                self.files_and_tables(stmt, other);
            }
        }
    }

    pub(super) fn touch(&mut self, stmt: &mut Stmt, name: &ObjectName, access: Access) {
        stmt.touches.extend(self.name(name).map(|name| (name, access)));
    }

    fn bare_query(&mut self, stmt: &mut Stmt, tree: &sqlparser::ast::Query) {
        if let Some(inner) = inner_statement(tree) {
            stmt.kind = kind_of(inner);
            self.fill_in(stmt, inner);
            for fill in &mut stmt.fills {
                let query = std::mem::replace(&mut fill.query, plain(Body::Values(Vec::new())));
                fill.query = self.with_outer(tree, query);
                through_cte(fill);
            }
            return;
        }
        let query = self.query(tree);
        let into = select_into(&tree.body).filter(|_| !self.in_body);
        let (target, temp) = match into {
            Some(into) => (self.name_of_into(into), into.temporary),
            None => (None, false),
        };
        if target.is_some() {
            stmt.kind = "select_into";
        }
        stmt.fills.push(Fill { temp, makes: true, ..Fill::of(target, query) });
    }

    fn name_of_into(&self, into: &SelectInto) -> Option<Name> {
        match into.targets.as_slice() {
            [Expr::Identifier(ident)] if !ident.value.starts_with('@') && !ident.value.starts_with(':') => {
                self.ident_name(ident)
            }
            [Expr::CompoundIdentifier(idents)] => {
                let name = ObjectName(idents.iter().cloned().map(sqlparser::ast::ObjectNamePart::Identifier).collect());
                self.name(&name)
            }
            _ => None,
        }
    }

    fn insert(&mut self, stmt: &mut Stmt, insert: &Insert) {
        if insert.multi_table_insert_type.is_some() {
            return self.insert_many(stmt, insert);
        }
        let name = match &insert.table {
            TableObject::TableName(name) => name,
            other => return self.insert_elsewhere(stmt, insert, other),
        };
        // A target whose name is computed is told by whoever saw that; the rows are read all the same.
        let target = self.name(name);
        let mut columns: Vec<String> = insert.columns.iter().map(last_part).collect();
        columns.extend(insert.after_columns.iter().map(lower));
        let query = match &insert.source {
            Some(source) => self.query(source),
            None => self.assigned(&insert.assignments, Vec::new(), Vec::new()),
        };
        let by_name = insert.source.is_none();
        stmt.fills.push(Fill { columns, by_name, ..Fill::of(target.clone(), query) });
        if let Some(target) = target {
            self.output(stmt, &target, insert.output.as_ref());
        }
    }

    /// ClickHouse's `INSERT INTO FUNCTION s3(…)` writes what the function would read.
    fn insert_elsewhere(&mut self, stmt: &mut Stmt, insert: &Insert, place: &TableObject) {
        if let Some(source) = &insert.source {
            let query = self.query(source);
            stmt.fills.push(Fill::of(None, query));
        }
        let source = match place {
            TableObject::TableFunction(function) => match &function.args {
                FunctionArguments::List(list) => self.remote(&function.name, &list.args),
                _ => None,
            },
            _ => None,
        };
        match source {
            Some(Source::Files(files, at)) => {
                stmt.files.extend(files.into_iter().map(|file| (file, Access::Write, at.clone())));
            }
            _ => stmt.unnamed.push(("what it fills is no table".to_owned(), stmt.at.clone())),
        }
    }

    /// T-SQL's `OUTPUT deleted.* INTO archive`: rows of the changed table go on into another.
    pub(super) fn output(&mut self, stmt: &mut Stmt, changed: &Name, output: Option<&OutputClause>) {
        let Some(OutputClause::Output { select_items, into_table: Some(into), .. }) = output else { return };
        let Some((target, columns)) = self.output_target(into) else { return };
        let items = select_items.iter().flat_map(|item| self.item(item)).collect();
        let from = changed_rows(changed);
        let query = plain(Body::Select(Box::new(Select { items, from, ..Select::default() })));
        stmt.fills.push(Fill { columns, ..Fill::of(Some(target), query) });
    }

    /// A table with a list of columns looks like a call to the grammar.
    fn output_target(&mut self, into: &SelectInto) -> Option<(Name, Vec<String>)> {
        match into.targets.as_slice() {
            [Expr::Function(function)] => {
                let FunctionArguments::List(list) = &function.args else { return None };
                let columns = list.args.iter().filter_map(super::remote::word_argument).collect();
                Some((self.name(&function.name)?, columns))
            }
            _ => Some((self.name_of_into(into)?, Vec::new())),
        }
    }

    /// Snowflake's INSERT ALL and INSERT FIRST.
    fn insert_many(&mut self, stmt: &mut Stmt, insert: &Insert) {
        let Some(source) = &insert.source else { return };
        let source = self.query(source);
        let clauses = insert.multi_table_when_clauses.iter().flat_map(|when| &when.into_clauses);
        for clause in
            insert.multi_table_into_clauses.iter().chain(clauses).chain(insert.multi_table_else_clause.iter().flatten())
        {
            let Some(target) = self.name(&clause.table_name) else { continue };
            let items = match &clause.values {
                None => vec![star()],
                Some(values) => values
                    .values
                    .iter()
                    .map(|value| match value {
                        sqlparser::ast::MultiTableInsertValue::Expr(e) => Item::One(self.expr(e), None),
                        sqlparser::ast::MultiTableInsertValue::Default => Item::One(Ex::Nothing, None),
                    })
                    .collect(),
            };
            let from = vec![alone(Source::Query(Box::new(source.clone())))];
            let query = plain(Body::Select(Box::new(Select { items, from, ..Select::default() })));
            let columns = clause.columns.iter().map(lower).collect();
            stmt.fills.push(Fill { columns, ..Fill::of(Some(target), query) });
        }
    }

    fn alter(&mut self, stmt: &mut Stmt, table: &ObjectName, operation: &AlterTableOperation) {
        match operation {
            AlterTableOperation::RenameTable {
                table_name: RenameTableNameKind::As(to) | RenameTableNameKind::To(to),
            } => {
                if let (Some(from), Some(to)) = (self.name(table), self.name(to)) {
                    stmt.rename(from, to);
                }
            }
            AlterTableOperation::SwapWith { table_name } => {
                if let (Some(one), Some(other)) = (self.name(table), self.name(table_name)) {
                    stmt.swap(one, other);
                }
            }
            AlterTableOperation::AddColumn { column_def, .. } => {
                self.touch(stmt, table, Access::Define);
                let columns = vec![column(column_def)];
                stmt.effects.extend(self.name(table).map(|name| Effect::AddColumns(name, columns)));
            }
            _ => self.touch(stmt, table, Access::Define),
        }
    }

    fn use_schema(&mut self, stmt: &mut Stmt, to: &Use) {
        let (Use::Object(name) | Use::Schema(name) | Use::Database(name) | Use::Catalog(name)) = to else { return };
        let holds_schemas = match to {
            // T-SQL's USE names a database, which stands before the schema.
            _ if self.dialect.name() == "tsql" => true,
            // Snowflake's databases hold schemas; Hive's and MySQL's are schemas.
            Use::Database(_) => self.dialect.name() == "snowflake",
            Use::Catalog(_) => true,
            _ => false,
        };
        if holds_schemas {
            return stmt.effects.push(Effect::Database(last_part(name)));
        }
        stmt.effects.push(Effect::Schema(last_part(name)));
        if let Some(Name { parts, .. }) = self.name(name).filter(|name| name.parts.len() > 1) {
            stmt.effects.push(Effect::Database(parts[0].clone()));
        }
    }

    /// `SET search_path = raw, public`: unqualified names lie in its first schema, as far as a text can tell.
    fn search_path(&self, stmt: &mut Stmt, set: &Set) {
        let Set::SingleAssignment { variable, values, .. } = set else { return };
        let is_path = matches!(last_part(variable).as_str(), "search_path" | "current_schema");
        let named = |value: &Expr| match value {
            Expr::Identifier(ident) => Some(lower(ident)),
            other => literal(other).map(str::to_lowercase),
        };
        let engine = |schema: &String| matches!(schema.as_str(), "$user" | "pg_catalog" | "" | "default");
        let first = values
            .iter()
            .filter_map(named)
            .flat_map(|list| list.split(',').map(|one| one.trim().trim_matches('"').to_owned()).collect::<Vec<_>>());
        if let (true, Some(schema)) = (is_path, first.into_iter().find(|schema| !engine(schema))) {
            stmt.effects.push(Effect::Schema(schema));
        }
    }

    /// The values of a row of `width` columns: of a list, or of a subquery, each column by itself.
    fn row(&mut self, value: &Expr, width: usize) -> Vec<Ex> {
        if let Expr::Tuple(list) = value
            && list.len() == width
        {
            return list.iter().map(|one| self.expr(one)).collect();
        }
        let whole = self.expr(value);
        let of_column = |at: usize| match &whole {
            Ex::Rows(query) => Ex::Rows(Box::new(only_item(query, at, width))),
            other => other.clone(),
        };
        (0..width).map(of_column).collect()
    }

    /// A query over `from` that yields assigned columns by name.
    pub(super) fn assigned(
        &mut self,
        set: &[sqlparser::ast::Assignment],
        from: Vec<super::ir::Joined>,
        filters: Vec<Ex>,
    ) -> Query {
        use sqlparser::ast::AssignmentTarget::{ColumnName, Tuple};
        let mut items = Vec::new();
        for assignment in set {
            match &assignment.target {
                ColumnName(name) => {
                    let column = self.assigned_column(name, &from);
                    items.push(Item::One(self.expr(&assignment.value), Some(column)));
                }
                Tuple(names) => {
                    let values = self.row(&assignment.value, names.len());
                    for (name, value) in names.iter().zip(values) {
                        items.push(Item::One(value, Some(self.assigned_column(name, &from))));
                    }
                }
            }
        }
        plain(Body::Select(Box::new(Select { items, from, filters, ..Select::default() })))
    }
}

impl Lower<'_> {
    /// The column that an assignment to `name` fills: the part behind the table it is qualified by. Where a column has
    /// fields and no relation of `from` is called so, the first part is the column.
    fn assigned_column(&self, name: &sqlparser::ast::ObjectName, from: &[super::ir::Joined]) -> String {
        let parts: Vec<String> = name.0.iter().filter_map(|part| part.as_ident()).map(lower).collect();
        let called = |one: &super::ir::Joined, by: &[String]| match (&one.relation.alias, &one.relation.source) {
            (Some(alias), _) => *by == [alias.clone()],
            (None, Source::Table(table) | Source::Target(table)) => table.parts.ends_with(by),
            _ => false,
        };
        let qualifier = (1..parts.len()).rev().find(|count| from.iter().any(|one| called(one, &parts[..*count])));
        let has_fields = matches!(self.dialect.name(), "bigquery" | "databricks" | "spark" | "postgres" | "duckdb");
        let at = qualifier.unwrap_or(if has_fields { 0 } else { parts.len().saturating_sub(1) });
        parts.get(at).cloned().unwrap_or_else(|| last_part(name))
    }
}

/// T-SQL's `deleted` and `inserted`: rows of the table that a statement changes.
fn changed_rows(table: &Name) -> Vec<super::ir::Joined> {
    let rows = |alias: &str| Relation {
        source: Source::Table(table.clone()),
        alias: Some(alias.to_owned()),
        columns: Vec::new(),
    };
    ["deleted", "inserted"].map(|alias| joined(rows(alias))).into()
}

/// The query with its item `at` alone, where it has `width` of them and no star among them.
fn only_item(query: &Query, at: usize, width: usize) -> Query {
    let mut query = query.clone();
    if let Body::Select(select) = &mut query.body
        && select.items.len() == width
        && select.items.iter().all(|item| matches!(item, Item::One(..)))
    {
        select.items = vec![select.items[at].clone()];
    }
    query
}

/// T-SQL changes the table behind a CTE: the fill's target becomes that table.
fn through_cte(fill: &mut Fill) {
    let Some([name]) = fill.target.as_ref().map(|target| target.parts.as_slice()) else { return };
    let Some(cte) = fill.query.ctes.iter_mut().find(|cte| cte.name == *name) else { return };
    if let Body::Select(select) = &mut cte.query.body
        && let [one] = select.from.as_mut_slice()
        && let Source::Table(table) = one.relation.source.clone()
    {
        one.relation.source = Source::Target(table.clone());
        fill.target = Some(table);
    }
}

impl Stmt {
    /// Whether it writes a table it names.
    pub(in crate::lineage) fn writes(&self) -> bool {
        self.touches.iter().any(|(_, access)| *access == Access::Write)
    }

    /// Whether nothing of it is known.
    pub(in crate::lineage) fn is_empty(&self) -> bool {
        self.touches.is_empty()
            && self.fills.is_empty()
            && self.moves.is_empty()
            && self.effects.is_empty()
            && self.files.is_empty()
            && self.unnamed.is_empty()
    }

    /// A statement that does nothing yet.
    pub(in crate::lineage) fn new(kind: &'static str, at: super::ir::Bytes) -> Self {
        Stmt {
            kind,
            at,
            scanned: false,
            touches: Vec::new(),
            fills: Vec::new(),
            moves: Vec::new(),
            effects: Vec::new(),
            files: Vec::new(),
            unnamed: Vec::new(),
            trigger: None,
            variables: None,
        }
    }
}

impl Fill {
    /// Rows of `query` into `target`, by position.
    pub(super) fn of(target: Option<Name>, query: Query) -> Self {
        Fill { target, temp: false, makes: false, columns: Vec::new(), by_name: false, only_known: false, query }
    }

    /// `target` made as a copy of `from`.
    pub(super) fn whole(target: Name, from: Name) -> Self {
        Fill { makes: true, ..Fill::of(Some(target), plain(Body::Whole(from))) }
    }
}

/// The INTO of a SELECT; the leftmost arm of set operations may carry it.
pub(in crate::lineage) fn select_into(body: &SetExpr) -> Option<&SelectInto> {
    match body {
        SetExpr::Select(select) => select.into.as_ref(),
        SetExpr::SetOperation { left, .. } => select_into(left),
        SetExpr::Query(query) => select_into(&query.body),
        _ => None,
    }
}

fn kind_of(tree: &Statement) -> &'static str {
    match tree {
        Statement::Query(_) => "select",
        Statement::Insert(insert) if insert.overwrite => "insert_overwrite",
        Statement::Insert(_) => "insert",
        Statement::CreateTable(_) => "create_table",
        Statement::CreateView(_) | Statement::AlterView { .. } => "create_view",
        Statement::Merge(_) => "merge",
        Statement::Update(_) => "update",
        Statement::Delete(_) => "delete",
        Statement::AlterTable(_) => "alter_table",
        Statement::RenameTable(_) => "rename",
        Statement::Drop { .. } => "drop",
        Statement::Truncate(_) => "truncate",
        Statement::Copy { .. } | Statement::CopyIntoSnowflake { .. } => "copy",
        Statement::LoadData { .. } => "load",
        Statement::Unload { .. } | Statement::ExportData(_) | Statement::Directory { .. } => "unload",
        Statement::Cache { .. } => "create_table_as",
        _ => "other",
    }
}
