use async_trait::async_trait;

use crate::{
    apply::{
        differences::{self, TOLD, differences},
        error::StepError,
        journal::Facts,
        model::ProofSummary,
        not_compared::NOT_COMPARED,
        rows::Rows,
        run::told,
        step::{Here, Standing, StepKind},
        upload::Noting,
    },
    connector::Lake,
    plan::{Action, ComparedQuery, ProveDownstream},
    service::{Fingerprint, Fingerprinter},
    vocab::{LogicalType, Schema},
};

/// Runs each repointed query beside the old one and compares what they give.
pub(super) struct DownstreamStep<'p>(pub(super) &'p ProveDownstream);

/// How one query ended.
struct Compared {
    proof: ProofSummary,
    told: Vec<String>,
}

#[async_trait]
impl StepKind for DownstreamStep<'_> {
    fn describe(&self) -> Vec<String> {
        let queries = self.0.queries.iter().map(|query| format!("run {} before and after, compare", name(query)));
        queries.chain(self.0.left_out.iter().map(|why| format!("{NOT_COMPARED}{why}"))).collect()
    }

    /// A proof leaves nothing in the world to look for: it is made again.
    async fn probe(&self, _: &Here<'_>) -> Result<Standing, StepError> {
        Ok(Standing::Before)
    }

    async fn act(&self, here: &Here<'_>, _: &mut Noting<'_>) -> Result<Facts, StepError> {
        let drifted = drifted(here);
        let mut facts = Facts::default();
        for query in &self.0.queries {
            here.context.go_on()?;
            let Compared { mut proof, told: rows } = compare(here, query).await?;
            if proof.verdict == "different" && !drifted {
                return Err(StepError::NotEqual { proof: Box::new(proof), differences: rows });
            }
            if proof.verdict == "different" {
                "explained".clone_into(&mut proof.verdict);
                proof.because += "; the import is not the old table row by row, as the continuity proof says";
            }
            facts.lines.push(format!("{}: {}", name(query), proof.because));
            facts.proofs.push(proof);
        }
        facts.lines.extend(self.0.left_out.iter().map(|why| format!("{NOT_COMPARED}{why}")));
        Ok(facts)
    }

    async fn undo(&self, _: &Here<'_>) -> Result<Facts, StepError> {
        Ok(Facts::said("a proof changes nothing"))
    }
}

/// Whether a continuity proof of this plan found (and its policy allowed) rows that differ: then answers may, too.
fn drifted(here: &Here<'_>) -> bool {
    let proofs = here.context.plan.steps.iter().filter(|step| matches!(step.action, Action::ProveContinuity(_)));
    let found = proofs.filter_map(|step| here.state.of(&step.id)).flat_map(|state| &state.facts.proofs);
    found.into_iter().any(|proof| proof.verdict != "equal")
}

/// Names and types of the columns. A column without an alias is called by the text of its expression on some
/// engines, and that text names the table that was repointed: it is no name.
fn shape(schema: &Schema) -> Vec<(&str, LogicalType)> {
    let named = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
    schema.columns.iter().map(|its| (if named(&its.name) { &*its.name } else { "" }, its.logical)).collect()
}

async fn compare(here: &Here<'_>, query: &ComparedQuery) -> Result<Compared, StepError> {
    let lake = &*here.context.world.lake;
    let before = match answer(here, lake, &query.before).await {
        Ok(answer) => answer,
        Err(StepError::Interrupted) => return Err(StepError::Interrupted),
        // A query that fails today proves nothing about the wrap.
        Err(error) => return Ok(not_comparable(query, format!("the old query does not run: {}", told(&error)))),
    };
    let after = match answer_or_again(here, lake, &query.after).await {
        Ok(answer) => answer,
        Err(StepError::Interrupted) => return Err(StepError::Interrupted),
        Err(error) => {
            return Ok(different(query, before.1.rows, 0, format!("the new query does not run: {}", told(&error))));
        }
    };
    if before.1 == after.1 && shape(&before.0) == shape(&after.0) {
        let because = format!("{} rows, the same before and after", after.1.rows);
        let proof = summary(query, "equal", before.1.rows, after.1.rows, because);
        return Ok(Compared { proof, told: Vec::new() });
    }
    if answer(here, lake, &query.before).await? != before {
        return Ok(not_comparable(query, "the old query gives other rows each time it runs".to_owned()));
    }
    if shape(&before.0) != shape(&after.0) {
        return Ok(different(query, before.1.rows, after.1.rows, "the columns are not the same".to_owned()));
    }
    let (left, right) = (Rows::Query(lake, &query.before), Rows::Query(lake, &query.after));
    let differ = differences(&here.context, &left, &right, &before.0, TOLD).await?;
    let mut compared = different(query, before.1.rows, after.1.rows, differ.counted("the old answer", "the new one"));
    compared.told = differences::told(&differ, &before.0, "the old answer", "the new one");
    compared.proof.differences.clone_from(&compared.told);
    Ok(compared)
}

/// The columns and the fingerprint of what a query gives; where NULL may stand is an accident of the engine.
async fn answer(here: &Here<'_>, lake: &dyn Lake, sql: &str) -> Result<(Schema, Fingerprint), StepError> {
    let (mut schema, mut rows) = lake.query(sql).await?;
    schema.columns.iter_mut().for_each(|column| column.nullable = true);
    let mut all = Fingerprinter::new(&schema);
    while let Some(batch) = rows.recv().await.transpose()? {
        here.context.go_on()?;
        batch.each(|row| all.push(row).map_err(|e| StepError::format("cannot compare a row")(e)))?;
    }
    let all = all.finish();
    Ok((schema, all))
}

/// A connection that failed once is no proof that the query is wrong.
async fn answer_or_again(here: &Here<'_>, lake: &dyn Lake, sql: &str) -> Result<(Schema, Fingerprint), StepError> {
    match answer(here, lake, sql).await {
        Err(StepError::Connector(_)) => answer(here, lake, sql).await,
        ended => ended,
    }
}

fn not_comparable(query: &ComparedQuery, because: String) -> Compared {
    Compared { proof: summary(query, "not_comparable", 0, 0, because), told: Vec::new() }
}

fn different(query: &ComparedQuery, left: u64, right: u64, because: String) -> Compared {
    Compared { told: vec![because.clone()], proof: summary(query, "different", left, right, because) }
}

fn summary(query: &ComparedQuery, verdict: &str, left_rows: u64, right_rows: u64, because: String) -> ProofSummary {
    ProofSummary {
        kind: "downstream".to_owned(),
        what: Some(name(query)),
        endpoint: None,
        verdict: verdict.to_owned(),
        left_rows,
        right_rows,
        because,
        differences: Vec::new(),
    }
}

fn name(query: &ComparedQuery) -> String {
    match &query.target {
        Some(target) => format!("{} ({target})", query.job),
        None => query.job.to_string(),
    }
}
