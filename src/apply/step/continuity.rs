use async_trait::async_trait;

use crate::{
    apply::{
        context,
        differences::{self, differences},
        error::StepError,
        journal::Facts,
        model::ProofSummary,
        publication,
        rows::Rows,
        step::{Here, Standing, StepKind},
        upload::Noting,
    },
    plan::{ContinuityPolicy, ProveContinuity},
    reconcile::{Comparison, key_of, shown},
    vocab::{DatasetId, Row, Schema, Value},
};

/// Rows of the differing ones that drift is explained from; beyond it the rest counts as unexplained.
const EXPLAINED: usize = 100_000;

/// Compares today's raw table with the staged import, before anything reads the import.
pub(super) struct ContinuityStep<'p>(pub(super) &'p ProveContinuity);

#[async_trait]
impl StepKind for ContinuityStep<'_> {
    fn describe(&self) -> Vec<String> {
        let ProveContinuity { old, new, policy, watermark } = self.0;
        let by = watermark.as_ref().map(|column| format!(", drift explained by `{column}`")).unwrap_or_default();
        vec![format!("prove `{new}` against `{old}`, policy {}{by}", word(*policy))]
    }

    /// A proof leaves nothing in the world to look for: it is made again.
    async fn probe(&self, _: &Here<'_>) -> Result<Standing, StepError> {
        Ok(Standing::Before)
    }

    async fn act(&self, here: &Here<'_>, _: &mut Noting<'_>) -> Result<Facts, StepError> {
        let (old, new) = self.tables(here).await?;
        let (proof, told, holds) = self.prove(here, &old, &new).await?;
        match holds {
            true => Ok(Facts { proofs: vec![proof.clone()], ..Facts::said(proof.because) }),
            false => Err(StepError::NotEqual { proof: Box::new(proof), differences: told }),
        }
    }

    async fn undo(&self, _: &Here<'_>) -> Result<Facts, StepError> {
        Ok(Facts::said("a proof changes nothing"))
    }
}

impl ContinuityStep<'_> {
    /// Where the two tables are now: when the swap was done already and only the journal lost it, under other names.
    async fn tables(&self, here: &Here<'_>) -> Result<(DatasetId, DatasetId), StepError> {
        let ProveContinuity { old, new, .. } = self.0;
        let lake = &here.context.world.lake;
        let swap = context::swap_of(here.context.plan, new);
        match swap.filter(|swap| swap.live != *new) {
            Some(swap) if !lake.exists(new).await? => {
                let moved = swap.previous.clone().filter(|_| swap.live == *old);
                Ok((moved.unwrap_or_else(|| old.clone()), swap.live.clone()))
            }
            _ => Ok((old.clone(), new.clone())),
        }
    }

    async fn prove(
        &self,
        here: &Here<'_>,
        old: &DatasetId,
        new: &DatasetId,
    ) -> Result<(ProofSummary, Vec<String>, bool), StepError> {
        let lake = &here.context.world.lake;
        let (old_schema, new_schema) = (lake.describe(old).await?.schema, self.published(here).await?);
        let gone = self.gone(here, &old_schema, &new_schema);
        let schema = common(&old_schema, &new_schema);
        let (left, right) = (Rows::Table(&**lake, old, &schema), Rows::Table(&**lake, new, &schema));
        let before = left.fingerprint(&schema, &|| here.context.go_on()).await?;
        let after = here.context.fingerprint(&**lake, new, &schema).await?;
        let summary = |verdict: &str, because: String| ProofSummary {
            kind: "continuity".to_owned(),
            what: Some(self.0.old.to_string()),
            endpoint: context::endpoint_of(here.context.plan, &self.0.new).cloned(),
            verdict: verdict.to_owned(),
            left_rows: before.rows,
            right_rows: after.rows,
            because,
            differences: Vec::new(),
        };
        let report = self.0.policy == ContinuityPolicy::Report;
        if !gone.is_empty() {
            let because = format!("the import lacks {} of `{old}`", gone.join(", "));
            return Ok((summary("different", because.clone()), vec![because], report));
        }
        if before == after {
            let because = format!(
                "`{old}` and the import hold the same {} rows{}",
                before.rows,
                uncompared(&schema, &old_schema)
            );
            return Ok((summary("equal", because), Vec::new(), true));
        }
        let differ = differences(&here.context, &left, &right, &schema, EXPLAINED).await?;
        let newest = self.newest(here, old, &schema).await?;
        let drift = Drift::explain(&Differing::of(&differ), &schema, newest, self.0.watermark.as_deref());
        let told = differences::told(&differ, &schema, &format!("`{old}`"), "the import");
        let because = format!("{}: {}", differ.counted(&format!("`{old}`"), "the import"), drift.because);
        let (verdict, holds) = match self.0.policy {
            ContinuityPolicy::Exact => ("different", false),
            ContinuityPolicy::Superset if drift.superset => ("explained", true),
            ContinuityPolicy::Superset => ("different", false),
            ContinuityPolicy::Report if drift.explained => ("explained", true),
            ContinuityPolicy::Report => ("different", true),
        };
        Ok((ProofSummary { differences: told.clone(), ..summary(verdict, because) }, told, holds))
    }

    /// The import's columns as they were published: what a table of the lake says of itself may be less exact.
    async fn published(&self, here: &Here<'_>) -> Result<Schema, StepError> {
        let plan = here.context.plan;
        let endpoint = context::endpoint_of(plan, &self.0.new)
            .ok_or_else(|| StepError::Broken(format!("no import fills `{}`", self.0.new)))?;
        let version = here.version().ok_or_else(|| StepError::Broken("nothing is published yet".to_owned()))?;
        let committed = publication::of_version(&*here.context.world.bucket, &plan.service, version).await?;
        Ok(committed.endpoint(endpoint)?.schema.clone())
    }

    /// Columns that dependents could read and the import lacks, unless the plan left them out on purpose.
    fn gone(&self, here: &Here<'_>, old: &Schema, new: &Schema) -> Vec<String> {
        let omitted: Vec<&String> = context::publish(here.context.plan)
            .into_iter()
            .flat_map(|publish| &publish.endpoints)
            .flat_map(|its| &its.omit)
            .collect();
        let missing = old.columns.iter().filter(|column| position(new, &column.name).is_none());
        missing
            .filter(|column| !omitted.contains(&&column.name))
            .map(|column| format!("column `{}`", column.name))
            .collect()
    }

    /// The newest watermark of the old table: what the last legacy load had seen.
    async fn newest(&self, here: &Here<'_>, old: &DatasetId, schema: &Schema) -> Result<Option<Value>, StepError> {
        let Some(at) = self.0.watermark.as_ref().and_then(|name| position(schema, name)) else { return Ok(None) };
        let mut newest: Option<Value> = None;
        let mut rows = Rows::Table(&*here.context.world.lake, old, schema).open().await?;
        while let Some(batch) = rows.next().await? {
            for row in batch {
                let value = row.into_iter().nth(at).filter(|value| *value != Value::Null);
                if let Some(value) = value.filter(|value| newest.as_ref().is_none_or(|seen| later(value, seen))) {
                    newest = Some(value);
                }
            }
        }
        Ok(newest)
    }
}

/// Rows that differ, changed ones on both sides, and how many there are of each.
struct Differing<'c> {
    left: Vec<&'c Row>,
    right: Vec<&'c Row>,
    left_count: u64,
    right_count: u64,
}

impl<'c> Differing<'c> {
    fn of(found: &'c Comparison) -> Self {
        let (left, right) = found.rows();
        // What was not counted is not explained either.
        let rest = u64::from(!found.complete);
        let [left_count, right_count] = [found.only_left, found.only_right].map(|rows| rows + found.changed + rest);
        Differing { left, right, left_count, right_count }
    }
}

/// What differing rows come from.
struct Drift {
    /// Everything is explained by rows newer than the last legacy load.
    explained: bool,
    /// Every old row is still there or was replaced by a newer one, and what is more may be.
    superset: bool,
    because: String,
}

impl Drift {
    fn explain(differ: &Differing<'_>, schema: &Schema, newest: Option<Value>, watermark: Option<&str>) -> Drift {
        let at = watermark.and_then(|name| position(schema, name));
        let Some((at, newest)) = at.zip(newest) else {
            let because = match watermark {
                Some(name) => format!("`{name}` explains nothing: one side has no value in it"),
                None => "no watermark explains it".to_owned(),
            };
            return Drift { explained: false, superset: differ.left_count == 0, because };
        };
        let is_newer = |row: &&Row| row.get(at).is_some_and(|value| later(value, &newest));
        let newer: Vec<&Row> = differ.right.iter().copied().filter(is_newer).collect();
        let keys: std::collections::BTreeSet<String> = newer.iter().map(|row| key_of(schema, row)).collect();
        let replaced = match schema.key.is_empty() {
            true => 0,
            false => differ.left.iter().filter(|row| keys.contains(&key_of(schema, row))).count() as u64,
        };
        let late = differ.right_count == newer.len() as u64;
        let kept = differ.left_count == replaced;
        let because = format!(
            "the last load saw `{}` up to {}; {} rows of the import are newer, {replaced} of them replace an old row",
            watermark.unwrap_or_default(),
            shown(&newest),
            newer.len()
        );
        Drift { explained: late && kept, superset: late && kept, because }
    }
}

/// Columns both tables have, typed as the import has them.
fn common(old: &Schema, new: &Schema) -> Schema {
    let mut schema = new.clone();
    schema.columns.retain(|column| position(old, &column.name).is_some());
    // What the old table allows must not fail the comparison: it is the values that are compared.
    schema.columns.iter_mut().for_each(|column| column.nullable = true);
    if schema.key.iter().any(|name| position(&schema, name).is_none()) {
        schema.key.clear();
    }
    schema
}

fn position(schema: &Schema, name: &str) -> Option<usize> {
    schema.columns.iter().position(|column| column.name == name)
}

fn uncompared(compared: &Schema, old: &Schema) -> String {
    let left_out = old.columns.iter().filter(|column| position(compared, &column.name).is_none());
    let names: Vec<String> = left_out.map(|column| format!("`{}`", column.name)).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!(", without {} which the plan leaves out", names.join(", ")),
    }
}

/// Whether `a` is later than `b`; values of different kinds have no order.
fn later(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => a > b,
        (Value::Double(a), Value::Double(b)) => a > b,
        (Value::Text(a), Value::Text(b)) => a > b,
        (Value::DateDays(a), Value::DateDays(b)) => a > b,
        (Value::TimestampMicros(a), Value::TimestampMicros(b)) => a > b,
        (Value::InstantMicros(a), Value::InstantMicros(b)) => a > b,
        _ => false,
    }
}

fn word(policy: ContinuityPolicy) -> &'static str {
    match policy {
        ContinuityPolicy::Exact => "exact",
        ContinuityPolicy::Superset => "superset",
        ContinuityPolicy::Report => "report",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::{Column, LogicalType};

    fn schema() -> Schema {
        let column = |name: &str| Column {
            name: name.to_owned(),
            logical: LogicalType::Integer,
            physical: String::new(),
            nullable: true,
            description: None,
        };
        Schema { columns: vec![column("id"), column("seen")], key: vec!["id".to_owned()] }
    }

    fn row(id: i64, seen: i64) -> Row {
        vec![Value::Integer(id), Value::Integer(seen)]
    }

    fn drift(left: Vec<Row>, right: Vec<Row>) -> Drift {
        let (left_count, right_count) = (left.len() as u64, right.len() as u64);
        let differ = Differing { left: left.iter().collect(), right: right.iter().collect(), left_count, right_count };
        Drift::explain(&differ, &schema(), Some(Value::Integer(10)), Some("seen"))
    }

    #[test]
    fn rows_newer_than_the_last_load_are_drift() {
        assert!(drift(vec![], vec![row(5, 11)]).explained);
        assert!(!drift(vec![], vec![row(5, 10)]).explained, "as old as the last load: it should have been loaded");
    }

    #[test]
    fn a_row_replaced_by_a_newer_one_of_its_key_is_drift() {
        assert!(drift(vec![row(5, 9)], vec![row(5, 11)]).superset);
    }

    #[test]
    fn a_lost_row_is_never_explained() {
        assert!(!drift(vec![row(5, 9)], vec![]).superset);
        assert!(!drift(vec![row(5, 9)], vec![row(6, 11)]).superset);
    }
}
