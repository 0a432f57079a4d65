use crate::{
    apply::{
        journal::JournalError,
        model::{Concern, PreflightFinding, ProofSummary},
        world::OutsideError,
    },
    connector::ConnectorError,
    vocab::{Digest, ServiceName},
};

/// Why a plan did not run to its end. What was done is in the journal; every variant but `NotEqual` leaves
/// the estate in a state from which the same command goes on.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// What the plan was made from is no longer what is there.
    #[error("the plan of `{service}` is stale: {}", told(.findings, Concern::Stale))]
    Stale {
        /// The plan's service.
        service: ServiceName,
        /// Everything preflight found, the stale ones among it.
        findings: Vec<PreflightFinding>,
    },
    /// Something must be put right first; nothing was begun.
    #[error("the plan of `{service}` is blocked: {}", told(.findings, Concern::Blocks))]
    Blocked {
        /// The plan's service.
        service: ServiceName,
        /// Everything preflight found.
        findings: Vec<PreflightFinding>,
    },
    /// Another plan for this service was begun and is neither finished nor rolled back.
    #[error("`{service}` is in the middle of another plan, {begun}")]
    OtherPlan {
        /// The service.
        service: ServiceName,
        /// The plan that was begun.
        begun: Digest,
    },
    /// A step failed midway; running again goes on from it.
    #[error("step `{step}` stopped")]
    Stopped {
        /// The step, or what was being done outside of any step.
        step: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Neither what must hold before a step nor what holds after it is the case.
    #[error("step `{step}` cannot go on by itself: {because}")]
    Undecided {
        /// The step.
        step: String,
        /// What was found.
        because: String,
        /// What a person can do about it.
        hint: String,
    },
    /// Another carve is at work.
    #[error("locked: {holder}")]
    Locked {
        /// Who holds it, as far as can be told.
        holder: String,
    },
    /// A proof failed. Nothing that readers use was changed by the step that found it.
    #[error("step `{step}`: {} of {} is {}: {}", .proof.kind, .proof.what.as_deref().unwrap_or("the data"), .proof.verdict, .proof.because)]
    NotEqual {
        /// The step.
        step: String,
        /// The proof that failed.
        proof: Box<ProofSummary>,
        /// The first rows that differ, in words.
        differences: Vec<String>,
    },
    /// A person asked carve to stop; the journal is flushed.
    #[error("interrupted during `{step}`")]
    Interrupted {
        /// The step it was in.
        step: String,
    },
    /// The journal cannot be read or written.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl ApplyError {
    /// What a person can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            ApplyError::Stale { .. } => "make the plan again with `carve plan`, review it, then apply",
            ApplyError::Blocked { .. } => "mend what is listed, then run the same command again",
            ApplyError::OtherPlan { service, .. } => {
                return Some(format!(
                    "finish that plan with its own file, or undo it: `carve rollback {service}`; then apply this one"
                ));
            }
            ApplyError::Stopped { .. } => "run the same command again: finished steps are kept",
            ApplyError::Undecided { hint, .. } => hint,
            ApplyError::Locked { .. } => "wait for it to end, then run the same command again",
            ApplyError::NotEqual { .. } => {
                "look at the rows that differ; nothing was switched by this step, and `carve rollback` undoes the rest"
            }
            ApplyError::Interrupted { .. } => "run the same command again to go on",
            ApplyError::Journal(error) => return Some(error.hint().to_owned()),
        };
        Some(text.to_owned())
    }
}

fn told(findings: &[PreflightFinding], concern: Concern) -> String {
    let wanted: Vec<&str> = findings.iter().filter(|f| f.concern == concern).map(|f| f.what.as_str()).collect();
    match wanted.split_first() {
        None => "see the findings".to_owned(),
        Some((first, [])) => (*first).to_owned(),
        Some((first, rest)) => format!("{first} (and {} more)", rest.len()),
    }
}

/// Why one step did not come to its end; the executor adds which step.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    #[error("{} is {}", .proof.kind, .proof.verdict)]
    NotEqual { proof: Box<ProofSummary>, differences: Vec<String> },
    #[error("interrupted")]
    Interrupted,
    #[error("the lease on the bucket was lost to {0}")]
    LeaseLost(String),
    #[error("{because}")]
    Undecided { because: String, hint: String },
    #[error("cannot {doing}")]
    Io {
        doing: String,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Connector(#[from] ConnectorError),
    #[error("{what}")]
    Format {
        what: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("{0}")]
    Broken(String),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl StepError {
    pub(super) fn io(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> StepError {
        let doing = doing.into();
        move |source| StepError::Io { doing, source }
    }

    pub(super) fn format<E>(what: impl Into<String>) -> impl FnOnce(E) -> StepError
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let what = what.into();
        move |source| StepError::Format { what, source: Box::new(source) }
    }

    pub(super) fn outside(error: OutsideError) -> StepError {
        let hint = error.hint().to_owned();
        StepError::Undecided { because: error.to_string(), hint }
    }

    /// The failure as callers see it, with the step it happened in.
    pub(super) fn in_step(self, step: &str) -> ApplyError {
        let step = step.to_owned();
        match self {
            StepError::NotEqual { proof, differences } => ApplyError::NotEqual { step, proof, differences },
            StepError::Interrupted => ApplyError::Interrupted { step },
            StepError::LeaseLost(holder) => ApplyError::Locked { holder },
            StepError::Undecided { because, hint } => ApplyError::Undecided { step, because, hint },
            StepError::Journal(error) => ApplyError::Journal(error),
            other => ApplyError::Stopped { step, source: Box::new(other) },
        }
    }
}
