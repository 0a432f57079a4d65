use async_trait::async_trait;

use crate::{
    apply::{
        context,
        error::StepError,
        journal::Facts,
        note::{import_note, note_key, set_note},
        publication,
        step::{Here, Standing, StepKind},
        upload::Noting,
    },
    connector::{ConnectorError, Lake},
    plan::Swap,
    vocab::DatasetId,
};

/// Puts the staged table under the name that dependents read.
pub(super) struct SwapStep<'p>(pub(super) &'p Swap);

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

    fn untried(&self) -> Option<&'static str> {
        Some("whether the lake can be written")
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
        let (plan, bucket, lake) = (here.context.plan, &*here.context.world.bucket, &*here.context.world.lake);
        let version = here.version().ok_or_else(|| StepError::Broken("nothing is published yet".to_owned()))?;
        let committed = publication::of_version(bucket, &plan.service, version).await?;
        let endpoint = context::endpoint_of(plan, staging)
            .ok_or_else(|| StepError::Broken(format!("no import fills `{staging}`")))?;
        let fingerprint = committed.endpoint(endpoint)?.fingerprint;
        // Noted before it is swapped: whatever happens after, carve knows the table under this name for its own.
        set_note(&here.context, live, endpoint, version, fingerprint).await?;
        match previous {
            _ if !lake.exists(staging).await? => {}
            Some(previous) => lake.swap(staging, live, Some(previous)).await?,
            None => put_in_place(lake, staging, live).await?,
        }
        Ok(Facts::said(format!("`{live}` is in its place with {} rows", fingerprint.rows)))
    }

    async fn undo(&self, here: &Here<'_>) -> Result<Facts, StepError> {
        let Swap { staging, live, previous } = self.0;
        let lake = &here.context.world.lake;
        match previous {
            None if here.context.is_ours(live).await? => lake.drop_table(live).await?,
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
pub(in crate::apply) fn previous_generation(live: &DatasetId) -> DatasetId {
    live.derived("previous")
}

fn told(previous: &Option<DatasetId>) -> String {
    previous.as_ref().map(DatasetId::to_string).unwrap_or_default()
}
