//! The swap tried on an empty table, and taken back: what would be refused later is refused before any work.
use super::session::Server;
use super::staging::{Types, create_in};
use super::successor::lacks;
use super::swap::{Change, Path};
use crate::connector::ConnectorError;
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
    let change = Change::begin(&mut client, &server.target, format!("put an import in the place of `{live}`")).await?;
    let gone = match change.find(live).await?.filter(super::names::Found::is_table) {
        Some(old) => lacks(&change.tx, &old, &change.doing).await?,
        None => Vec::new(),
    };
    // The types of the columns are named as the lake's own sessions find them, as when the table is made for real.
    change.look_for_names(Path::OfTheSession).await?;
    create_in(&change.tx, &server.target, staging, schema, &types).await?;
    change.look_for_names(Path::Nowhere).await?;
    change.swap(staging, live, Some(previous)).await?;
    // Dropping the change takes everything back.
    Ok(match gone.is_empty() {
        true => Vec::new(),
        false => vec![format!(
            "the import that takes the place of `{live}` holds its rows, key and indexes, but not {}",
            gone.join(", ")
        )],
    })
}
