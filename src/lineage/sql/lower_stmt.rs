//! Statements: what each fills, touches and does to names.
use sqlparser::ast::{
    AlterTableOperation, CopySource, CopyTarget, CreateTable, CreateTableLikeKind, CreateView, DataType, Expr, Insert,
    ObjectName, ObjectType, RenameTableNameKind, SelectInto, SetExpr, SqlOption, Statement, TableObject, Use,
};

use super::{
    ir::{Body, Effect, Ex, Fill, Item, Name, Query, Select, Source, Stmt},
    lower::{Lower, last_part, literal, lower},
    lower_query::{alone, file_address, plain, star},
    parse::{inner_statement, parse},
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
        }
        stmt.files.append(&mut self.files);
        stmt
    }

    /// A statement inside a query does its work there; the query sees the rows it returns.
    pub(super) fn returning(&mut self, tree: &Statement) -> Body {
        let mut inner = Stmt::new(kind_of(tree), 0..0);
        self.fill_in(&mut inner, tree);
        let target = inner.fills.iter().find_map(|fill| fill.target.clone());
        self.inner.push(inner);
        let returned = match tree {
            Statement::Insert(insert) => insert.returning.as_deref(),
            Statement::Update(update) => update.returning.as_deref(),
            Statement::Delete(delete) => delete.returning.as_deref(),
            _ => None,
        };
        let (Some(returned), Some(target)) = (returned, target) else { return Body::Values(Vec::new()) };
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
                    self.rename(stmt, &rename.old_name, &rename.new_name);
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
            Statement::Set(_) => {}
            Statement::Prepare { statement, .. } => self.fill_in(stmt, statement),
            other => self.files_and_tables(stmt, other),
        }
    }

    /// COPY, LOAD, UNLOAD and EXPORT: tables on one side, files on the other.
    fn files_and_tables(&mut self, stmt: &mut Stmt, tree: &Statement) {
        match tree {
            Statement::Copy { source, to, target, .. } => {
                let file_access = if *to { Access::Write } else { Access::Read };
                if let CopyTarget::File { filename } = target {
                    self.file(stmt, filename, file_access);
                }
                match source {
                    CopySource::Table { table_name, .. } => {
                        self.touch(stmt, table_name, if *to { Access::Read } else { Access::Write });
                    }
                    CopySource::Query(query) => self.rows_out(stmt, query),
                }
            }
            Statement::CopyIntoSnowflake { into, from_obj, from_query, .. } => {
                if self.stage(stmt, into, Access::Write) {
                    from_obj.iter().for_each(|name| self.touch(stmt, name, Access::Read));
                    from_query.iter().for_each(|query| self.rows_out(stmt, query));
                } else {
                    self.touch(stmt, into, Access::Write);
                    from_obj.iter().for_each(|name| {
                        self.stage(stmt, name, Access::Read);
                    });
                }
            }
            Statement::LoadData { inpath, table_name, .. } => {
                self.file(stmt, inpath, Access::Read);
                self.touch(stmt, table_name, Access::Write);
            }
            Statement::Unload { query, query_text, to, .. } => {
                query.iter().for_each(|query| self.rows_out(stmt, query));
                query_text.iter().for_each(|text| self.quoted_rows_out(stmt, text));
                self.file(stmt, &to.value, Access::Write);
            }
            Statement::Directory { path, source, .. } => {
                self.rows_out(stmt, source);
                self.file(stmt, path, Access::Write);
            }
            Statement::ExportData(export) => {
                self.rows_out(stmt, &export.query);
                for option in &export.options {
                    if let SqlOption::KeyValue { key, value } = option
                        && key.value.eq_ignore_ascii_case("uri")
                        && let Some(address) = literal(value)
                    {
                        self.file(stmt, address, Access::Write);
                    }
                }
            }
            _ => {}
        }
    }

    fn file(&mut self, stmt: &mut Stmt, address: &str, access: Access) {
        if let Some(address) = file_address(address) {
            stmt.files.push((address, access, stmt.at.clone()));
        }
    }

    /// A Snowflake stage or location; `false` where the name is a table.
    fn stage(&mut self, stmt: &mut Stmt, name: &ObjectName, access: Access) -> bool {
        let written = name.to_string();
        let bare = written.trim_matches('\'');
        if let Some(address) = file_address(bare) {
            stmt.files.push((address, access, stmt.at.clone()));
            return true;
        }
        if let Some(stage) = bare.strip_prefix('@') {
            stmt.files.push((format!("stage://{}", stage.to_lowercase()), access, stmt.at.clone()));
            return true;
        }
        false
    }

    pub(super) fn touch(&mut self, stmt: &mut Stmt, name: &ObjectName, access: Access) {
        stmt.touches.extend(self.name(name).map(|name| (name, access)));
    }

    /// Rows that leave the lake: what they read counts.
    fn rows_out(&mut self, stmt: &mut Stmt, query: &sqlparser::ast::Query) {
        let query = self.query(query);
        stmt.fills.push(Fill::of(None, query));
    }

    /// The same for a query in a string.
    fn quoted_rows_out(&mut self, stmt: &mut Stmt, text: &str) {
        if let Ok(parsed) = parse(text, self.dialect)
            && let Statement::Query(query) = &parsed.statement
        {
            let query = Lower::quoted(text, stmt.at.clone(), self.dialect).query(query);
            stmt.fills.push(Fill::of(None, query));
        }
    }

    fn bare_query(&mut self, stmt: &mut Stmt, tree: &sqlparser::ast::Query) {
        if let Some(inner) = inner_statement(tree) {
            stmt.kind = kind_of(inner);
            self.fill_in(stmt, inner);
            for fill in &mut stmt.fills {
                let query = std::mem::replace(&mut fill.query, plain(Body::Values(Vec::new())));
                fill.query = self.with_outer(tree, query);
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
        let TableObject::TableName(name) = &insert.table else { return };
        let Some(target) = self.name(name) else { return };
        let mut columns: Vec<String> = insert.columns.iter().map(last_part).collect();
        columns.extend(insert.after_columns.iter().map(lower));
        let query = match &insert.source {
            Some(source) => self.query(source),
            None => self.assigned(&insert.assignments, Vec::new(), Vec::new()),
        };
        let by_name = insert.source.is_none();
        stmt.fills.push(Fill { columns, by_name, ..Fill::of(Some(target), query) });
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

    fn create_table(&mut self, stmt: &mut Stmt, create: &CreateTable) {
        let Some(target) = self.name(&create.name) else { return };
        let temp = create.temporary || create.volatile;
        let declared: Vec<_> = create.columns.iter().map(column).collect();
        self.place(stmt, create);
        if let Some(query) = &create.query {
            stmt.kind = "create_table_as";
            let columns = declared.into_iter().map(|c| c.name).collect();
            return self.makes(stmt, &create.name, columns, query, temp);
        }
        let model = match &create.like {
            Some(CreateTableLikeKind::Parenthesized(like) | CreateTableLikeKind::Plain(like)) => self.name(&like.name),
            None => self.like_as_column(create),
        };
        let declared = if model.is_some() { Vec::new() } else { declared };
        if let Some(clone) = &create.clone {
            return self.clone_table(stmt, target, clone, temp);
        }
        if temp {
            stmt.effects.push(Effect::Temp(target.clone(), declared));
        } else {
            stmt.touches.push((target.clone(), Access::Define));
            stmt.effects.push(Effect::Columns(target.clone(), declared));
        }
        if let Some(model) = model {
            stmt.kind = "create_table_like";
            stmt.touches.push((model.clone(), Access::Read));
            stmt.effects.push(Effect::Like(target, model));
        }
    }

    /// Some grammars take `(LIKE model)` for a column called LIKE.
    fn like_as_column(&self, create: &CreateTable) -> Option<Name> {
        match create.columns.as_slice() {
            [only] if only.name.quote_style.is_none() && only.name.value.eq_ignore_ascii_case("like") => {
                match &only.data_type {
                    DataType::Custom(name, _) => self.name(name),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// An external table's files are where its rows come from.
    fn place(&mut self, stmt: &mut Stmt, create: &CreateTable) {
        if let (true, Some(address)) = (create.external, create.location.as_deref().and_then(file_address)) {
            stmt.files.push((address, Access::Read, stmt.at.clone()));
        }
    }

    fn clone_table(&mut self, stmt: &mut Stmt, target: Name, from: &ObjectName, temp: bool) {
        stmt.kind = "clone";
        let Some(from) = self.name(from) else { return };
        let select = Select { items: vec![star()], from: vec![alone(Source::Table(from))], ..Select::default() };
        let query = plain(Body::Select(Box::new(select)));
        stmt.fills.push(Fill { temp, makes: true, ..Fill::of(Some(target), query) });
    }

    fn create_view(&mut self, stmt: &mut Stmt, create: &CreateView) {
        let columns = create.columns.iter().map(|c| lower(&c.name)).collect();
        if create.materialized {
            stmt.kind = "create_materialized_view";
        }
        let name = create.to.as_ref().unwrap_or(&create.name);
        self.makes(stmt, name, columns, &create.query, create.temporary);
    }

    /// A name that a query gives its rows.
    fn makes(
        &mut self,
        stmt: &mut Stmt,
        name: &ObjectName,
        columns: Vec<String>,
        query: &sqlparser::ast::Query,
        temp: bool,
    ) {
        let Some(target) = self.name(name) else { return };
        let query = self.query(query);
        stmt.fills.push(Fill { columns, temp, makes: true, ..Fill::of(Some(target), query) });
    }

    fn alter(&mut self, stmt: &mut Stmt, table: &ObjectName, operation: &AlterTableOperation) {
        match operation {
            AlterTableOperation::RenameTable {
                table_name: RenameTableNameKind::As(to) | RenameTableNameKind::To(to),
            } => {
                stmt.kind = "rename";
                self.rename(stmt, table, to);
            }
            AlterTableOperation::SwapWith { table_name } => {
                stmt.kind = "swap";
                for name in [table, table_name] {
                    self.touch(stmt, name, Access::Read);
                    self.touch(stmt, name, Access::Write);
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

    /// The rows move: the old name is read and gone, the new one is written.
    fn rename(&mut self, stmt: &mut Stmt, from: &ObjectName, to: &ObjectName) {
        let (Some(from), Some(mut to)) = (self.name(from), self.name(to)) else { return };
        // `ALTER TABLE a.b RENAME TO c` stays in schema a.
        if to.parts.len() == 1 && from.parts.len() > 1 {
            let schema = &from.parts[..from.parts.len() - 1];
            to.parts.splice(0..0, schema.iter().cloned());
            to.exact = false;
        }
        stmt.touches.push((from.clone(), Access::Read));
        stmt.touches.push((from, Access::Drop));
        stmt.touches.push((to, Access::Write));
    }

    fn use_schema(&mut self, stmt: &mut Stmt, to: &Use) {
        // T-SQL's USE names a database, which stands before the schema: it changes no dataset's name here.
        if self.dialect.name() == "tsql" {
            return;
        }
        if let Use::Object(name) | Use::Schema(name) | Use::Database(name) = to {
            stmt.effects.push(Effect::Schema(last_part(name)));
        }
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
                ColumnName(name) => items.push(Item::One(self.expr(&assignment.value), Some(last_part(name)))),
                Tuple(names) => {
                    let value = self.expr(&assignment.value);
                    items.extend(names.iter().map(|name| Item::One(value.clone(), Some(last_part(name)))));
                }
            }
        }
        plain(Body::Select(Box::new(Select { items, from, filters, ..Select::default() })))
    }
}

impl Stmt {
    /// A statement that does nothing yet.
    pub(in crate::lineage) fn new(kind: &'static str, at: super::ir::Bytes) -> Self {
        Stmt {
            kind,
            at,
            scanned: false,
            touches: Vec::new(),
            fills: Vec::new(),
            effects: Vec::new(),
            files: Vec::new(),
        }
    }
}

impl Fill {
    /// Rows of `query` into `target`, by position.
    pub(super) fn of(target: Option<Name>, query: Query) -> Self {
        Fill { target, temp: false, makes: false, columns: Vec::new(), by_name: false, query }
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
