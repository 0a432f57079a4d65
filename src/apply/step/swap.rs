use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{
    apply::{
        context::{self, Context},
        error::StepError,
        journal::Facts,
        step::{Here, Standing, StepKind},
        upload::Noting,
    },
    connector::{ConnectorError, Lake},
    plan::Swap,
    service::Fingerprint,
    vocab::{DatasetId, Endpoint, SchemaVersion, ServiceName},
};

/// Puts the staged table under the name that dependents read.
pub(super) struct SwapStep<'p>(pub(super) &'p Swap);

/// What the lake remembers of an import, beside the table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::apply) struct ImportNote {
    pub(in crate::apply) service: ServiceName,
    pub(in crate::apply) endpoint: Endpoint,
    pub(in crate::apply) version: SchemaVersion,
    pub(in crate::apply) fingerprint: Fingerprint,
    pub(in crate::apply) rows: u64,
    /// When the origin was last compared with it.
    pub(in crate::apply) fresh_at: String,
}

#[async_trait]
impl StepKind for SwapStep<'_> {
    fn describe(&self) -> Vec<String> {
        let Swap { staging, live, previous } = self.0;
        match previous {
            None => vec![format!("`{staging}` becomes `{live}`")],
            Some(previous) => {
                vec![format!("in one transaction: `{live}` becomes `{previous}`, `{staging}` becomes `{live}`")]
            }
        }
    }

    async fn probe(&self, here: &Here<'_>) -> Result<Standing, StepError> {
        let lake = &here.context.world.lake;
        let Swap { staging, live, previous } = self.0;
        let (staged, lives) = (lake.exists(staging).await?, lake.exists(live).await?);
        let noted = import_note(&**lake, live).await?.filter(|note| note.service == here.context.plan.service);
        if !staged && !lives {
            let because = format!("neither `{staging}` nor `{live}` is there");
            let hint = "if the import can be made again, `carve rollback` and apply anew".to_owned();
            return Ok(Standing::Neither { because, hint });
        }
        let kept = match previous {
            Some(previous) => lake.exists(previous).await?,
            None => false,
        };
        if staged && kept {
            let because = format!("`{live}`, its staged successor and an older `{}` are all there", told(previous));
            let hint = format!("rename or drop `{}` if nobody needs it, then run again", told(previous));
            return Ok(Standing::Neither { because, hint });
        }
        if staged && lives && previous.is_none() && noted.is_none() {
            let because = format!("a table `{live}` is there that carve did not make");
            let hint = format!("rename or drop `{live}`, then run again");
            return Ok(Standing::Neither { because, hint });
        }
        match !staged && noted.is_some_and(|note| Some(note.version) == here.version()) {
            true => Ok(Standing::After(Facts::said(format!("`{live}` is in its place")))),
            false => Ok(Standing::Before),
        }
    }

    async fn act(&self, here: &Here<'_>, _: &mut Noting<'_>) -> Result<Facts, StepError> {
        let Swap { staging, live, previous } = self.0;
        let lake = &here.context.world.lake;
        if lake.exists(staging).await? {
            match previous {
                Some(previous) => lake.swap(staging, live, Some(previous)).await?,
                None => put_in_place(&**lake, staging, live).await?,
            }
        }
        let (plan, bucket) = (here.context.plan, &*here.context.world.bucket);
        let version = here.version().ok_or_else(|| StepError::Broken("nothing is published yet".to_owned()))?;
        let committed = crate::apply::publication::of_version(bucket, &plan.service, version).await?;
        let endpoint = context::endpoint_of(plan, staging)
            .ok_or_else(|| StepError::Broken(format!("no import fills `{staging}`")))?;
        let fingerprint = committed.endpoint(endpoint)?.fingerprint;
        set_note(&here.context, live, endpoint, version, fingerprint).await?;
        Ok(Facts::said(format!("`{live}` is in its place with {} rows", fingerprint.rows)))
    }

    async fn undo(&self, here: &Here<'_>) -> Result<Facts, StepError> {
        let Swap { staging, live, previous } = self.0;
        let lake = &here.context.world.lake;
        let ours = import_note(&**lake, live).await?.is_some_and(|note| note.service == here.context.plan.service);
        match previous {
            None if ours => lake.drop_table(live).await?,
            // Swapped, but not noted before carve stopped: the table was not there when preflight looked.
            None if !lake.exists(staging).await? && lake.exists(live).await? => lake.drop_table(live).await?,
            None => {}
            Some(previous) if lake.exists(previous).await? => {
                lake.drop_table(staging).await?;
                lake.swap(previous, live, Some(staging)).await?;
                lake.drop_table(staging).await?;
            }
            Some(_) => {}
        }
        lake.drop_table(&previous_generation(live)).await?;
        lake.set_note(&note_key(live), "").await?;
        Ok(Facts::said(match previous {
            None => format!("`{live}` is gone"),
            Some(_) => format!("`{live}` is the table it was before"),
        }))
    }
}

/// Puts `staging` under the name `live`, which is carve's own; the table that had it is kept one generation.
pub(in crate::apply) async fn put_in_place(
    lake: &dyn Lake,
    staging: &DatasetId,
    live: &DatasetId,
) -> Result<(), ConnectorError> {
    let previous = previous_generation(live);
    lake.drop_table(&previous).await?;
    lake.swap(staging, live, Some(&previous)).await
}

/// Where a refresh keeps the import it replaced.
fn previous_generation(live: &DatasetId) -> DatasetId {
    live.sibling(&format!("{}__previous", live.table()))
}

/// The lake's note on the import `live`.
fn note_key(live: &DatasetId) -> String {
    format!("carve.import.{live}")
}

/// What the lake remembers of `live`; nothing when it is no import of carve's.
pub(in crate::apply) async fn import_note(
    lake: &dyn Lake,
    live: &DatasetId,
) -> Result<Option<ImportNote>, ConnectorError> {
    let text = lake.note(&note_key(live)).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Notes which publication `live` holds, and that it is fresh now.
pub(in crate::apply) async fn set_note(
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

fn told(previous: &Option<DatasetId>) -> String {
    previous.as_ref().map(DatasetId::to_string).unwrap_or_default()
}
