use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use crate::{
    apply::model::ProofSummary,
    plan::MadeEdits,
    vocab::{Digest, SchemaVersion, ServiceName},
};

/// What happened, as one line of the journal says it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case", deny_unknown_fields)]
pub enum Event {
    /// A plan was begun.
    Started {
        /// `carve-journal/1`.
        format: String,
        /// Its id.
        plan: Digest,
        /// Its service.
        service: ServiceName,
        /// Ids of its steps, in order.
        steps: Vec<String>,
    },
    /// A step is about to act.
    Began {
        /// The step.
        step: String,
        /// Counted from 1.
        attempt: u32,
    },
    /// A step in progress says something that a later run needs.
    Noted {
        /// The step.
        step: String,
        /// What it says.
        facts: Facts,
    },
    /// A step has done its work.
    Done {
        /// The step.
        step: String,
        /// Whether the result was found rather than made.
        adopted: bool,
        /// What it came to.
        facts: Facts,
    },
    /// A step gave up.
    Failed {
        /// The step.
        step: String,
        /// Why.
        because: String,
    },
    /// A step that was done must be done again.
    Reopened {
        /// The step.
        step: String,
        /// Why.
        because: String,
    },
    /// Every step is done.
    Finished,
    /// Undoing began.
    RollbackStarted {
        /// The plan that is undone.
        plan: Digest,
    },
    /// A step is about to be undone.
    UndoBegan {
        /// The step.
        step: String,
    },
    /// A step is undone.
    Undone {
        /// The step.
        step: String,
        /// What it came to.
        facts: Facts,
    },
    /// Everything is undone.
    RolledBack,
    /// A refresh is about to publish or import.
    RefreshBegan,
    /// A refresh in progress says something that a later run needs.
    RefreshNoted {
        /// What it says.
        facts: Facts,
    },
    /// A refresh has done its work.
    RefreshDone {
        /// What it came to.
        facts: Facts,
    },
}

/// What a step must remember for a later run, a rollback or a report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Facts {
    /// The publication this step made or found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<SchemaVersion>,
    /// Versions under whose names this run may have stored objects that no contract commits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attempted: Vec<SchemaVersion>,
    /// Objects known to be stored, with the digest of their bytes.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stored: BTreeMap<String, Digest>,
    /// Files of the estate → their bytes from before, below carve's folder.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub backups: BTreeMap<Utf8PathBuf, Utf8PathBuf>,
    /// Files of the estate → the edits made in them, where they really stood.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub edited: BTreeMap<Utf8PathBuf, MadeEdits>,
    /// Folders of the estate that carve made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<Utf8PathBuf>,
    /// What was proven.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<ProofSummary>,
    /// What was done, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
}

impl Facts {
    /// Facts that are only words.
    pub(in crate::apply) fn said(line: impl Into<String>) -> Self {
        Facts { lines: vec![line.into()], ..Facts::default() }
    }

    /// These facts with later ones over them.
    pub(in crate::apply) fn and(mut self, later: Facts) -> Self {
        self.version = later.version.or(self.version);
        self.attempted
            .extend(later.attempted.iter().filter(|v| !self.attempted.contains(v)).copied().collect::<Vec<_>>());
        self.stored.extend(later.stored);
        self.backups.extend(later.backups);
        self.edited.extend(later.edited);
        self.folders.extend(later.folders.iter().filter(|f| !self.folders.contains(f)).cloned().collect::<Vec<_>>());
        if !later.proofs.is_empty() {
            self.proofs = later.proofs;
        }
        if !later.lines.is_empty() {
            self.lines = later.lines;
        }
        self
    }
}
