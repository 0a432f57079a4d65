//! Statements that move no rows, so that saying nothing about them is right.
use sqlparser::ast::{AlterSchemaOperation, Statement};

/// Whether `tree` neither moves rows nor changes which table a name means.
pub(super) fn is_harmless(tree: &Statement) -> bool {
    use Statement as S;
    changes_settings(tree)
        || defines_no_table(tree)
        || keeps_schema(tree)
        || matches!(
            tree,
            S::Query(_)
                | S::Insert(_)
                | S::Explain { .. }
                | S::ExplainTable { .. }
                | S::Analyze(_)
                | S::Drop { .. }
                | S::Use(_)
                | S::Call(_)
                | S::Msck(_)
                | S::OptimizeTable { .. }
                | S::Vacuum(_)
                | S::Return(_)
                | S::Print(_)
                | S::List(_)
                | S::Put { .. }
                | S::Remove(_)
                | S::UNCache { .. }
                | S::Declare { .. }
                | S::Open(_)
                | S::Close { .. }
                | S::Fetch { .. }
                | S::Deallocate { .. }
                | S::Prepare { .. }
                | S::Assert { .. }
        )
}

/// Whether `tree` changes a schema's settings, and not its name: that is another name for each of its tables.
fn keeps_schema(tree: &Statement) -> bool {
    let renames = |one: &AlterSchemaOperation| matches!(one, AlterSchemaOperation::Rename { .. });
    matches!(tree, Statement::AlterSchema(alter) if !alter.operations.iter().any(renames))
}

fn changes_settings(tree: &Statement) -> bool {
    use Statement as S;
    matches!(
        tree,
        S::Set(_)
            | S::Reset(_)
            | S::Pragma { .. }
            | S::Install { .. }
            | S::Load { .. }
            | S::StartTransaction { .. }
            | S::Commit { .. }
            | S::Rollback { .. }
            | S::Savepoint { .. }
            | S::ReleaseSavepoint { .. }
            | S::Lock(_)
            | S::LockTables { .. }
            | S::UnlockTables
            | S::Grant(_)
            | S::Revoke(_)
            | S::Deny(_)
            | S::Comment { .. }
            | S::Kill { .. }
            | S::Flush { .. }
            | S::Discard { .. }
            | S::LISTEN { .. }
            | S::UNLISTEN { .. }
            | S::NOTIFY { .. }
            | S::Raise(_)
            | S::RaisError { .. }
            | S::Throw(_)
            | S::WaitFor(_)
            | S::AlterSession { .. }
            | S::ShowFunctions { .. }
            | S::ShowVariable { .. }
            | S::ShowStatus { .. }
            | S::ShowVariables { .. }
            | S::ShowCreate { .. }
            | S::ShowColumns { .. }
            | S::ShowCatalogs { .. }
            | S::ShowDatabases { .. }
            | S::ShowProcessList { .. }
            | S::ShowSchemas { .. }
            | S::ShowCharset(_)
            | S::ShowObjects(_)
            | S::ShowTables { .. }
            | S::ShowViews { .. }
            | S::ShowCollation { .. }
    )
}

fn defines_no_table(tree: &Statement) -> bool {
    use Statement as S;
    matches!(
        tree,
        S::CreateIndex(_)
            | S::CreateRole(_)
            | S::CreateSecret { .. }
            | S::CreateServer(_)
            | S::CreatePolicy(_)
            | S::CreateConnector(_)
            | S::CreateOperator(_)
            | S::CreateOperatorFamily(_)
            | S::CreateOperatorClass(_)
            | S::CreateExtension(_)
            | S::CreateSchema { .. }
            | S::CreateDatabase { .. }
            | S::CreateFunction(_)
            | S::CreateTrigger(_)
            | S::CreateMacro { .. }
            | S::CreateStage { .. }
            | S::CreateFileFormat { .. }
            | S::CreateWarehouse(_)
            | S::CreateSequence { .. }
            | S::CreateDomain(_)
            | S::CreateType { .. }
            | S::CreateUser(_)
            | S::CreateCollation(_)
            | S::AlterIndex { .. }
            | S::AlterFunction(_)
            | S::AlterType(_)
            | S::AlterOperator(_)
            | S::AlterRole { .. }
            | S::AlterPolicy(_)
            | S::AlterConnector { .. }
            | S::AlterUser(_)
            | S::AttachDatabase { .. }
            | S::AttachDuckDBDatabase { .. }
            | S::DetachDuckDBDatabase { .. }
            | S::DropFunction(_)
            | S::DropDomain(_)
            | S::DropProcedure { .. }
            | S::DropSecret { .. }
            | S::DropPolicy(_)
            | S::DropConnector { .. }
            | S::DropExtension(_)
            | S::DropOperator(_)
            | S::DropTrigger(_)
    )
}
