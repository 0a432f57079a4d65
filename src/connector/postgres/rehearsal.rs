//! The swap tried on an empty table, and taken back: what would be refused later is refused before any work.
use super::indexes;
use super::names::Found;
use super::session::Server;
use super::shortfall::lacks;
use super::staging::{Types, create_in};
use super::swap::{Change, Path, Turns};
use crate::connector::{ConnectorError, shortfall::note};
use crate::vocab::{DatasetId, Schema};

/// Makes `staging` for `schema`, puts it in the place of `live`, and takes all of it back.
pub(super) async fn rehearse(
    server: &Server,
    staging: &DatasetId,
    live: &DatasetId,
    previous: &DatasetId,
    schema: &Schema,
) -> Result<Vec<String>, ConnectorError> {
    let mut client = server.connect().await?;
    let types = Types::of(&client, schema).await;
    let doing = format!("put an import in the place of `{live}`");
    let turns = Turns::of(server, &doing);
    loop {
        let change = Change::begin(&mut client, &server.target, doing.clone()).await?;
        // As the swap takes them: views before the table, or a reader of a view and carve would wait for each other.
        if change.lock(&[Some(live)]).await? {
            return tried(change, server, [staging, live, previous], schema, &types).await;
        }
        drop(change);
        turns.pause().await?;
    }
}

async fn tried(
    change: Change<'_>,
    server: &Server,
    [staging, live, previous]: [&DatasetId; 3],
    schema: &Schema,
    types: &Types,
) -> Result<Vec<String>, ConnectorError> {
    let old = change.find(live).await?.filter(Found::is_table);
    // The types of the columns are named as the lake's own sessions find them, as when the table is made for real.
    change.look_for_names(Path::OfTheSession).await?;
    create_in(&change.tx, &server.target, staging, schema, types).await?;
    change.look_for_names(Path::Nowhere).await?;
    let new = change.found(staging).await?;
    indexes::take_key(&change.tx, &new, schema, &change.doing).await?;
    change.swap(staging, live, Some(previous)).await?;
    let gone = match old {
        Some(old) => lacks(&change.tx, &old, &new, &change.doing).await?,
        None => Vec::new(),
    };
    // Dropping the change takes everything back.
    Ok(note(live, &gone))
}
