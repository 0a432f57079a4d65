//! The swap tried on an empty table, and taken back: what would be refused later is refused before any work.
use std::collections::BTreeMap;

use super::catalog::qualified;
use super::instance::Session;
use super::place::Place;
use super::staging::create_in;
use super::successor::lacks;
use super::swap::{Change, one_schema};
use super::trouble::said;
use crate::connector::{ConnectorError, shortfall::note};
use crate::vocab::{DatasetId, Schema};

/// Makes `staging` for `schema`, puts it in the place of `live`, and takes all of it back.
pub(super) fn rehearse(
    place: &Place,
    staging: &DatasetId,
    live: &DatasetId,
    previous: &DatasetId,
    schema: &Schema,
) -> Result<Vec<String>, ConnectorError> {
    one_schema(place, &[Some(staging), Some(live), Some(previous)])?;
    let session = place.open()?;
    let _turn = session.turn();
    let change = Change::begin(&session, place, format!("put an import in the place of `{live}`"))?;
    let before = views(&session).map_err(|e| change.failed(e))?;
    create_in(&session, place, staging, schema)?;
    let gone = match (change.find(live)?.filter(|old| !old.is_view), change.find(staging)?) {
        (Some(old), Some(new)) => lacks(&session, &old, &new)?,
        _ => Vec::new(),
    };
    change.swap(staging, live, Some(previous))?;
    let after = views(&session).map_err(|e| change.failed(e))?;
    for (view, why) in after {
        if let (Some(why), Some(None)) = (why, before.get(&view)) {
            return Err(change.refused(format!(
                "the view {view} would break ({why}): publish the columns it reads, or mend the view"
            )));
        }
    }
    // The session takes everything back as it goes.
    Ok(note(live, &gone))
}

/// Every view, and why it cannot be read if it cannot. One that is broken before is nothing of carve's.
fn views(session: &Session) -> ::duckdb::Result<BTreeMap<String, Option<String>>> {
    let sql = "SELECT schema_name, view_name FROM duckdb_views() WHERE database_name = $1 AND NOT internal";
    let mut views = BTreeMap::new();
    for row in session.texts(sql, &[session.catalog()])? {
        let [Some(schema), Some(name)] = row.as_slice() else { continue };
        let view = qualified(session.catalog(), schema, name);
        let tried = session.connection.prepare(&format!("SELECT * FROM {view}"));
        let why = tried.err().map(|error| said(&error));
        views.insert(view, why);
    }
    Ok(views)
}
