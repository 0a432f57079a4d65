//! Scripts: all their statements in one transaction.
use super::session::Server;
use super::trouble::{refused, said};
use crate::connector::ConnectorError;
use crate::connector::statements::{Control, NO_ROLLBACK, control, statements};

/// Runs `script`; nothing of it stays when a statement fails. BEGIN and COMMIT in it mean nothing.
pub(super) async fn execute(server: &Server, script: &str) -> Result<(), ConnectorError> {
    let mut client = server.connect().await?;
    let transaction = client.transaction().await.map_err(|e| super::trouble::engine("run a script", e))?;
    for (number, (at, statement)) in (1..).zip(statements(script)) {
        let line = script[..at].matches('\n').count() + 1;
        let doing = format!("run statement {number} of the script (line {line})");
        match control(statement) {
            Control::None => {
                let done = transaction.batch_execute(statement).await;
                done.map_err(|e| refused(doing, said(&e)))?;
            }
            Control::Bracket => {}
            Control::Rollback => return Err(refused(doing, NO_ROLLBACK)),
        }
    }
    transaction.commit().await.map_err(|e| super::trouble::engine("run a script", e))
    // The connection is not used again: the script may have changed its settings.
}
