//! What every step is given, and the few questions about a plan that several steps ask.
use crate::{
    apply::{
        error::StepError,
        lock::Lease,
        note::import_note,
        readings::Readings,
        rows::Rows,
        world::{RunOptions, World},
    },
    connector::{ConnectorError, Origin},
    plan::{Action, Import, Plan, Publish, PublishEndpoint, Swap},
    progress::Progress,
    service::Fingerprint,
    vocab::{DatasetId, Endpoint, Schema},
};

/// What every step is given.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) plan: &'a Plan,
    pub(super) world: &'a World,
    pub(super) options: &'a RunOptions,
    pub(super) progress: &'a dyn Progress,
    /// `None` while nothing is written: in a dry run, in preflight, in verify.
    pub(super) lease: Option<&'a Lease>,
    /// Whole readings of the lake's tables in this run; `None` where none is of use later.
    pub(super) readings: Option<&'a Readings>,
}

impl Context<'_> {
    /// Asked between units of work: may it go on?
    pub(super) fn go_on(&self) -> Result<(), StepError> {
        if self.options.cancelled() {
            return Err(StepError::Interrupted);
        }
        self.lease.map_or(Ok(()), Lease::check)
    }

    /// The fingerprint of all rows of `table` as it is now.
    pub(super) async fn fingerprint(
        &self,
        origin: &dyn Origin,
        table: &DatasetId,
        schema: &Schema,
    ) -> Result<Fingerprint, StepError> {
        let watch = || self.go_on();
        match self.readings {
            Some(readings) => readings.fingerprint(origin, table, schema, &watch).await,
            None => Rows::Table(origin, table, schema).fingerprint(schema, &watch).await,
        }
    }

    /// The table an endpoint reads now: after an in-place swap a raw table of the lake lives on under its old-table name.
    pub(super) async fn origin_table(&self, endpoint: &PublishEndpoint) -> Result<DatasetId, ConnectorError> {
        let moved = swaps(self.plan).find(|swap| endpoint.from == "lake" && swap.live == endpoint.table);
        match moved.and_then(|swap| swap.previous.as_ref().map(|previous| (swap, previous))) {
            Some((swap, previous)) if self.in_place_done(swap, previous).await? => Ok(previous.clone()),
            _ => Ok(endpoint.table.clone()),
        }
    }

    /// Whether an in-place swap has happened: the old table has its new name, and the lake notes that carve did it.
    pub(super) async fn in_place_done(&self, swap: &Swap, previous: &DatasetId) -> Result<bool, ConnectorError> {
        let lake = &*self.world.lake;
        Ok(lake.exists(previous).await? && lake.exists(&swap.live).await? && self.is_ours(&swap.live).await?)
    }

    /// Whether the lake notes that `live` is an import of this service.
    pub(super) async fn is_ours(&self, live: &DatasetId) -> Result<bool, ConnectorError> {
        let note = import_note(&*self.world.lake, live).await?;
        Ok(note.is_some_and(|note| note.service == self.plan.service))
    }
}

/// The plan's publish action; a plan has one.
pub(super) fn publish(plan: &Plan) -> Option<&Publish> {
    plan.steps.iter().find_map(|step| match &step.action {
        Action::Publish(publish) => Some(publish),
        _ => None,
    })
}

/// The id of the publish step.
pub(super) fn publish_step(plan: &Plan) -> Option<&str> {
    plan.steps.iter().find(|step| matches!(step.action, Action::Publish(_))).map(|step| step.id.as_str())
}

/// All imports of the plan.
pub(super) fn imports(plan: &Plan) -> impl Iterator<Item = &Import> {
    plan.steps.iter().filter_map(|step| match &step.action {
        Action::Import(import) => Some(import),
        _ => None,
    })
}

/// All swaps of the plan.
pub(super) fn swaps(plan: &Plan) -> impl Iterator<Item = &Swap> {
    plan.steps.iter().filter_map(|step| match &step.action {
        Action::Swap(swap) => Some(swap),
        _ => None,
    })
}

/// The swap that puts `staging` in its place.
pub(super) fn swap_of<'p>(plan: &'p Plan, staging: &DatasetId) -> Option<&'p Swap> {
    swaps(plan).find(|swap| swap.staging == *staging)
}

/// The endpoint that is imported into `staging`.
pub(super) fn endpoint_of<'p>(plan: &'p Plan, staging: &DatasetId) -> Option<&'p Endpoint> {
    imports(plan).find(|import| import.staging == *staging).map(|import| &import.endpoint)
}

/// Names of all endpoints.
pub(super) fn endpoints(publish: &Publish) -> Vec<Endpoint> {
    publish.endpoints.iter().map(|endpoint| endpoint.endpoint.clone()).collect()
}
