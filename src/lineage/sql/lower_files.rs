//! COPY, LOAD, UNLOAD and EXPORT: tables on one side, files on the other.
use sqlparser::ast::{CopySource, CopyTarget, ObjectName, Query, SqlOption, Statement};

use super::{
    address::{file_of, is_file_or_stage, packed_file},
    ir::{Fill, Stmt},
    lower::{Lower, literal},
    parse::parse,
};
use crate::lineage::Access;

impl Lower<'_> {
    /// A statement that moves rows between tables and files; `false` for any other.
    pub(super) fn files_and_tables(&mut self, stmt: &mut Stmt, tree: &Statement) -> bool {
        match tree {
            Statement::Copy { source, to, target, .. } => self.copy(stmt, source, *to, target),
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
            _ => return false,
        }
        true
    }

    fn copy(&mut self, stmt: &mut Stmt, source: &CopySource, to: bool, target: &CopyTarget) {
        let file_access = if to { Access::Write } else { Access::Read };
        match target {
            CopyTarget::File { filename } => self.file(stmt, filename, file_access),
            CopyTarget::Program { command } => match packed_file(command) {
                Some(path) => self.file(stmt, path, file_access),
                None => {
                    stmt.unnamed.push((format!("rows pass through the program `{command}`"), stmt.at.clone()));
                }
            },
            CopyTarget::Stdin | CopyTarget::Stdout => {}
        }
        match source {
            CopySource::Table { table_name, .. } => {
                self.touch(stmt, table_name, if to { Access::Read } else { Access::Write });
            }
            CopySource::Query(query) => self.rows_out(stmt, query),
        }
    }

    fn file(&mut self, stmt: &mut Stmt, path: &str, access: Access) {
        if let Some(address) = file_of(path) {
            stmt.files.push((address, access, stmt.at.clone()));
        }
    }

    /// A Snowflake stage or location; `false` where the name is a table.
    fn stage(&mut self, stmt: &mut Stmt, name: &ObjectName, access: Access) -> bool {
        let written = name.to_string();
        let is_file = is_file_or_stage(&written);
        if is_file {
            self.file(stmt, written.trim_matches('\''), access);
        }
        is_file
    }

    /// Rows that leave the lake: what they read counts.
    fn rows_out(&mut self, stmt: &mut Stmt, query: &Query) {
        let query = self.query(query);
        stmt.fills.push(Fill::of(None, query));
    }

    /// The same for a query in a string.
    fn quoted_rows_out(&mut self, stmt: &mut Stmt, text: &str) {
        match parse(text, self.dialect) {
            Ok(parsed) => {
                if let Statement::Query(query) = &parsed.statement {
                    let query = Lower::quoted(text, stmt.at.clone(), self.dialect).query(query);
                    stmt.fills.push(Fill::of(None, query));
                }
            }
            Err(why) => {
                stmt.unnamed.push((format!("the query in the string is not understood: {why}"), stmt.at.clone()))
            }
        }
    }
}
