use async_trait::async_trait;

use crate::{
    apply::{
        context,
        error::StepError,
        journal::Facts,
        publication::{self, Committed, Depth, WITHDRAWN},
        publishing::{self, Before, Open},
        step::{Here, Standing, StepKind},
        upload::Noting,
    },
    plan::Publish,
};

/// Publishes all endpoints in one snapshot; the contract commits.
pub(super) struct PublishStep<'p>(pub(super) &'p Publish);

#[async_trait]
impl StepKind for PublishStep<'_> {
    fn describe(&self) -> Vec<String> {
        let endpoints = self.0.endpoints.iter().map(|its| {
            format!(
                "publish `{}` of {} as {} parts of at most {} rows under `{}/{}`",
                its.table,
                its.from,
                crate::service::extension(its.format),
                its.rows_per_part,
                self.0.into,
                its.endpoint
            )
        });
        endpoints.chain(["commit with a contract, written last".to_owned()]).collect()
    }

    fn untried(&self) -> Option<&'static str> {
        Some("whether the bucket can be written")
    }

    async fn probe(&self, here: &Here<'_>) -> Result<Standing, StepError> {
        // Only a contract under a version that this very step noted shows that it was committed by us; anything
        // else is decided by reading the origin, which publishing does first.
        let facts = here.facts();
        let in_doubt = here.state.of(&here.step.id).is_some_and(|state| state.in_doubt);
        let newest = publication::shelf(&*here.context.world.bucket, &here.context.plan.service).await?.newest;
        let ours = |newest: &Committed| facts.attempted.last() == Some(&newest.version()) && !newest.is_withdrawn();
        let Some(newest) = newest.filter(|newest| in_doubt && ours(newest)) else { return Ok(Standing::Before) };
        let bucket = &here.context.world.bucket;
        let damage = publication::damage(bucket, &newest, Depth::Bytes, &|| here.context.go_on()).await?;
        Ok(match damage.is_empty() {
            true => Standing::After(Facts {
                version: Some(newest.version()),
                ..Facts::said(format!("publication {} was committed before carve stopped", newest.version()))
            }),
            // Publishing tells what is damaged, and publishes anew.
            false => Standing::Before,
        })
    }

    async fn act(&self, here: &Here<'_>, note: &mut Noting<'_>) -> Result<Facts, StepError> {
        let known = here.facts();
        let before = Before::of(&here.context, here.state, &known, Depth::Bytes).await?;
        let published = publishing::publish(&here.context, self.0, &before, &mut Open, note).await?;
        Ok(Facts { version: Some(published.version), lines: published.lines, ..Facts::default() })
    }

    /// Compensates: a publication is never deleted, its contract is marked `retired`; what was never committed is removed.
    async fn undo(&self, here: &Here<'_>) -> Result<Facts, StepError> {
        let world = here.context.world;
        let service = &here.context.plan.service;
        let mut ours = here.facts().attempted;
        ours.extend(here.state.refreshed.iter().copied());
        publication::sweep(&*world.bucket, service, &context::endpoints(self.0), &ours).await?;
        let newest = publication::shelf(&*world.bucket, service).await?.newest;
        let Some(newest) = newest.filter(|newest| ours.contains(&newest.version()) && !newest.is_withdrawn()) else {
            return Ok(Facts::said("no publication of this wrap to withdraw"));
        };
        let version = newest.version();
        publication::mark(&*world.bucket, newest, WITHDRAWN, (world.clock)()).await?;
        Ok(Facts::said(format!("publication {version} is kept and marked `{WITHDRAWN}`")))
    }
}
