//! What the lake remembers of an import, in a note beside the table: it tells carve's tables from other people's.
use serde::{Deserialize, Serialize};

use crate::{
    apply::{context::Context, error::StepError},
    connector::{ConnectorError, Lake},
    service::Fingerprint,
    vocab::{DatasetId, Endpoint, SchemaVersion, ServiceName},
};

/// What the lake remembers of an import, beside the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ImportNote {
    pub(super) service: ServiceName,
    pub(super) endpoint: Endpoint,
    pub(super) version: SchemaVersion,
    pub(super) fingerprint: Fingerprint,
    pub(super) rows: u64,
    /// When the origin was last compared with it.
    pub(super) fresh_at: String,
}

/// The lake's note on the import `live`.
pub(super) fn note_key(live: &DatasetId) -> String {
    format!("carve.import.{live}")
}

/// What the lake remembers of `live`; nothing when it is no import of carve's.
pub(super) async fn import_note(lake: &dyn Lake, live: &DatasetId) -> Result<Option<ImportNote>, ConnectorError> {
    let text = lake.note(&note_key(live)).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Notes which publication `live` holds, and that it is fresh now.
pub(super) async fn set_note(
    context: &Context<'_>,
    live: &DatasetId,
    endpoint: &Endpoint,
    version: SchemaVersion,
    fingerprint: Fingerprint,
) -> Result<(), StepError> {
    let note = ImportNote {
        service: context.plan.service.clone(),
        endpoint: endpoint.clone(),
        version,
        fingerprint,
        rows: fingerprint.rows,
        fresh_at: (context.world.clock)().to_string(),
    };
    let text = serde_json::to_string(&note).expect("a few fields of text and numbers");
    Ok(context.world.lake.set_note(&note_key(live), &text).await?)
}
