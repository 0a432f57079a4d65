//! Which rows differ between two sides that apply compares: `reconcile` finds them, here is where the rows come from.
use async_trait::async_trait;

use crate::{
    apply::{context::Context, error::StepError, rows::Rows},
    reconcile::{self, Comparison, Limits, Side, Taker, Within},
    vocab::Schema,
};

/// Differences told in full at most.
pub(super) const TOLD: usize = 10;

/// Rows that stop being read when a person asks carve to stop.
struct Watched<'r> {
    rows: &'r Rows<'r>,
    context: &'r Context<'r>,
}

#[async_trait]
impl Side for Watched<'_> {
    type Error = StepError;

    async fn each<T: Taker>(&self, _: Option<&Within>, make: &(dyn Fn() -> T + Sync)) -> Result<Vec<T>, StepError> {
        let (mut opened, mut taker) = (self.rows.open().await?, make());
        while let Some(mut batch) = opened.next().await? {
            self.context.go_on()?;
            if batch.iter_mut().try_for_each(|row| taker.take(row)).is_break() {
                break;
            }
        }
        Ok(vec![taker])
    }
}

/// Finds the rows that differ, with at most `keep` of them in full; memory is bounded whatever the size of both.
pub(super) async fn differences(
    context: &Context<'_>,
    left: &Rows<'_>,
    right: &Rows<'_>,
    schema: &Schema,
    keep: usize,
) -> Result<Comparison, StepError> {
    let (left, right) = (Watched { rows: left, context }, Watched { rows: right, context });
    reconcile::compare(&left, &right, schema, Limits { shown: keep, ..Limits::default() }).await
}

/// The first differences in words: rows with one key on both sides are told column by column.
pub(super) fn told(found: &Comparison, schema: &Schema, left: &str, right: &str) -> Vec<String> {
    let mut lines = found.told(schema, left, right);
    lines.truncate(TOLD);
    lines
}
