//! Scripts: all their statements in one transaction.
use super::place::Place;
use super::trouble::{engine, refused};
use crate::connector::ConnectorError;
use crate::connector::statements::{Control, NO_ROLLBACK, control, statements};

/// Runs `script`; nothing of it stays when a statement fails. BEGIN and COMMIT in it mean nothing.
pub(super) fn execute(place: &Place, script: &str) -> Result<(), ConnectorError> {
    let session = place.open()?;
    let _turn = session.turn();
    session.run("BEGIN TRANSACTION").map_err(|e| engine("run a script", e))?;
    for (number, (at, statement)) in (1..).zip(statements(script)) {
        let line = script[..at].matches('\n').count() + 1;
        let doing = format!("run statement {number} of the script (line {line})");
        match control(statement) {
            Control::None => session.run(statement).map_err(|e| engine(doing, e))?,
            Control::Bracket => {}
            Control::Rollback => return Err(refused(doing, NO_ROLLBACK)),
        }
    }
    session.run("COMMIT").map_err(|e| engine("run a script", e))
}
