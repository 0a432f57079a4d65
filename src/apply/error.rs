use crate::{
    apply::{
        journal::JournalError,
        model::{Concern, PreflightFinding, ProofSummary},
        world::OutsideError,
    },
    connector::ConnectorError,
    vocab::{DatasetId, Digest, SchemaVersion, ServiceName},
};

/// What the journal says of a step in which a person asked carve to stop.
pub(super) const INTERRUPTED: &str = "interrupted";

/// Why a plan did not run to its end. What was done is in the journal, and every variant leaves the estate in a
/// state from which the same command goes on: at once, after waiting, or after somebody has changed what its hint
/// names. [`ApplyError::needs`] tells which.
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
    /// Something did not answer that may answer later; nothing was begun.
    #[error("the plan of `{service}` cannot begin now: {}", told(.findings, Concern::Passes))]
    Unanswered {
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
    /// A step failed midway for a cause that passes; running again goes on from it.
    #[error("step `{step}` stopped")]
    Stopped {
        /// The step, or what was being done outside of any step.
        step: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A step failed midway, and will fail again until somebody changes something.
    #[error("step `{step}` cannot be done")]
    Prevented {
        /// The step, or what was being done outside of any step.
        step: String,
        /// What is in the way.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
        /// What to change, and what to run then.
        hint: String,
    },
    /// A publication is not whole: a part, a manifest or a contract is missing or was changed.
    #[error("step `{step}`: {what}")]
    Damaged {
        /// The step.
        step: String,
        /// Which object, and how.
        what: String,
        /// How it is made whole.
        hint: String,
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

/// What it takes for the same command to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Another run, at once or when the world answers again.
    Again,
    /// The end of another carve's work.
    Waiting,
    /// A person who changes data, settings, files or permissions first.
    Change,
    /// A new plan: this one no longer fits.
    Replanning,
    /// A person who looks at what is not equal.
    Looking,
    /// Somebody who mends carve.
    Mending,
}

impl ApplyError {
    /// What it takes for the same command to go on.
    pub fn needs(&self) -> Needs {
        match self {
            ApplyError::Stopped { .. } | ApplyError::Unanswered { .. } | ApplyError::Interrupted { .. } => Needs::Again,
            ApplyError::Locked { .. } => Needs::Waiting,
            ApplyError::Blocked { .. }
            | ApplyError::OtherPlan { .. }
            | ApplyError::Prevented { .. }
            | ApplyError::Undecided { .. } => Needs::Change,
            ApplyError::Stale { .. } => Needs::Replanning,
            ApplyError::NotEqual { .. } | ApplyError::Damaged { .. } => Needs::Looking,
            ApplyError::Journal(error) => error.needs(),
        }
    }

    /// What a person can do about it, where that is known.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            ApplyError::Stale { .. } => "make the plan again with `carve plan`, review it, then apply",
            ApplyError::Blocked { .. } => "mend what is listed, then run the same command again",
            ApplyError::Unanswered { .. } => {
                "nothing was begun: run the same command again once what is listed answers, or correct its address"
            }
            ApplyError::OtherPlan { service, .. } => {
                return Some(format!(
                    "`carve rollback {service}` undoes that plan, which carve kept; then apply this one"
                ));
            }
            ApplyError::Stopped { .. } => "run the same command again: finished steps are kept",
            ApplyError::Prevented { hint, .. }
            | ApplyError::Damaged { hint, .. }
            | ApplyError::Undecided { hint, .. } => hint,
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
    #[error("{}", INTERRUPTED)]
    Interrupted,
    /// A proof compared with rows that were not there yet when it was published.
    #[error("the origin `{table}` has moved on since v{published}")]
    Overtaken { table: DatasetId, published: SchemaVersion },
    #[error("the lease on the bucket was lost to {0}")]
    LeaseLost(String),
    #[error("{because}")]
    Undecided { because: String, hint: String },
    /// Something must be put right first.
    #[error("{}", told(.0, Concern::Blocks))]
    Blocked(Vec<PreflightFinding>),
    #[error("cannot {doing}")]
    Io {
        doing: String,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Connector(#[from] ConnectorError),
    /// Data that the format cannot keep exactly.
    #[error("{what}")]
    Format {
        what: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was published is not what it was.
    #[error("{0}")]
    Damaged(String),
    /// The plan cannot be done as it stands.
    #[error("{0}")]
    Broken(String),
    /// It failed for a cause that another run may not meet.
    #[error("{what}")]
    Passing {
        what: String,
        #[source]
        source: Option<Box<dyn std::error::Error + Send + Sync>>,
    },
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

    /// Work in the background that ended early.
    pub(super) fn task<E>(what: impl Into<String>) -> impl FnOnce(E) -> StepError
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let what = what.into();
        move |source| StepError::Passing { what, source: Some(Box::new(source)) }
    }

    /// A document of a publication that cannot be read.
    pub(super) fn damaged<E>(what: impl std::fmt::Display) -> impl FnOnce(E) -> StepError
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        move |source| StepError::Damaged(format!("{what}: {}", crate::apply::run::told(&source)))
    }

    pub(super) fn outside(error: OutsideError) -> StepError {
        let hint = error.hint().to_owned();
        StepError::Undecided { because: error.to_string(), hint }
    }

    /// Whether another run may come further without anybody changing anything.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            StepError::Connector(error) => error.may_pass(),
            StepError::Io { source, .. } => crate::connector::may_pass(source),
            StepError::Passing { .. }
            | StepError::Interrupted
            | StepError::LeaseLost(_)
            | StepError::Overtaken { .. } => true,
            StepError::Journal(error) => error.needs() == Needs::Again,
            StepError::NotEqual { .. }
            | StepError::Undecided { .. }
            | StepError::Blocked(_)
            | StepError::Format { .. }
            | StepError::Damaged(_)
            | StepError::Broken(_) => false,
        }
    }

    /// The failure as callers see it, with the service and the step it happened in.
    pub(super) fn in_step(self, service: &ServiceName, step: &str) -> ApplyError {
        let (passes, hint, step) = (self.may_pass(), self.cure(service), step.to_owned());
        match self {
            StepError::NotEqual { proof, differences } => ApplyError::NotEqual { step, proof, differences },
            StepError::Interrupted => ApplyError::Interrupted { step },
            StepError::LeaseLost(holder) => ApplyError::Locked { holder },
            StepError::Undecided { because, hint } => ApplyError::Undecided { step, because, hint },
            StepError::Blocked(findings) => ApplyError::Blocked { service: service.clone(), findings },
            StepError::Damaged(what) => ApplyError::Damaged { step, what, hint },
            StepError::Journal(error) => ApplyError::Journal(error),
            other if passes => ApplyError::Stopped { step, source: Box::new(other) },
            other => ApplyError::Prevented { step, source: Box::new(other), hint },
        }
    }

    /// What to change, where running again alone does not help.
    fn cure(&self, service: &ServiceName) -> String {
        let again = "then run the same command again";
        let replan = format!("`carve rollback {service}`, `carve plan --service {service}`, `carve apply {service}`");
        match self {
            StepError::Format { .. } | StepError::Connector(ConnectorError::Inexact { .. }) => format!(
                "mend the value at its origin, {again}; or change `columns` (a type, or `omit`) or `format` under \
                 `wraps.{service}` in carve.yaml, then {replan}"
            ),
            StepError::Connector(ConnectorError::NoSuchTable(table)) => {
                format!("bring `{table}` back, {again}; or if it is gone for good: {replan}")
            }
            StepError::Connector(error) => match error.cure() {
                Some(cure) => format!("{cure}; {again}"),
                None => format!("change what is named above, {again}"),
            },
            StepError::Io { .. } => format!("give carve permission there, or make what is missing, {again}"),
            StepError::Damaged(_) => format!(
                "run the same command again, which publishes anew; for a service that is wrapped: \
                 `carve refresh {service} --republish`"
            ),
            _ => format!("the plan does not fit what is there: {replan}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;

    fn connector(passing: bool) -> StepError {
        let (doing, source) = ("store".to_owned(), "no".into());
        StepError::Connector(match passing {
            true => ConnectorError::Engine { doing, source },
            false => ConnectorError::Refused { doing, source },
        })
    }

    fn io(kind: ErrorKind) -> StepError {
        StepError::io("write the patch")(kind.into())
    }

    fn inexact() -> StepError {
        let (table, column) = ("raw.orders".parse().unwrap(), "total".to_owned());
        StepError::Connector(ConnectorError::Inexact { table, column, row: 3, reason: "holds NaN".to_owned() })
    }

    #[test]
    fn every_failure_says_honestly_what_it_takes_to_go_on() {
        let format = || StepError::format("cannot encode part `p`")(std::fmt::Error);
        let journal = |kind: ErrorKind| {
            let (path, source) = ("orders/journal.jsonl".into(), kind.into());
            StepError::Journal(JournalError::Io { doing: "write", path, source })
        };
        let undecided = StepError::Undecided { because: "x".to_owned(), hint: "rename it".to_owned() };
        let no_table = StepError::Connector(ConnectorError::NoSuchTable("raw.orders".parse().unwrap()));
        let cases: Vec<(StepError, Needs, &str)> = vec![
            (connector(true), Needs::Again, "run the same command again"),
            (connector(false), Needs::Change, "change what is named above"),
            (inexact(), Needs::Change, "`wraps.orders`"),
            (format(), Needs::Change, "`wraps.orders`"),
            (no_table, Needs::Change, "bring `raw.orders` back"),
            (io(ErrorKind::StorageFull), Needs::Again, "run the same command again"),
            (io(ErrorKind::PermissionDenied), Needs::Change, "give carve permission"),
            (journal(ErrorKind::StorageFull), Needs::Again, "make room"),
            (journal(ErrorKind::PermissionDenied), Needs::Change, "give permission"),
            (StepError::Broken("x".to_owned()), Needs::Change, "carve plan --service orders"),
            (StepError::Damaged("x".to_owned()), Needs::Looking, "carve refresh orders --republish"),
            (StepError::task("store a part")(std::fmt::Error), Needs::Again, "run the same command again"),
            (undecided, Needs::Change, "rename it"),
            (StepError::LeaseLost("a".to_owned()), Needs::Waiting, "wait"),
            (StepError::Interrupted, Needs::Again, "run the same command again"),
        ];
        for (error, needs, hint) in cases {
            let shown = format!("{error:?}");
            let error = error.in_step(&"orders".parse().unwrap(), "orders.publish");
            assert_eq!(error.needs(), needs, "{shown}");
            let told = error.hint().unwrap();
            assert!(told.contains(hint), "{shown}: {told}");
            let only_again = told.starts_with("run the same command again") && needs == Needs::Change;
            assert!(!only_again, "{shown}: advice that cannot help");
        }
    }
}
