use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::{
    connector::{Bucket, Lake, Origin},
    vocab::ServiceName,
};

/// Everything outside carve that a plan touches, by the roles the plan names.
#[derive(Clone)]
pub struct World {
    /// The estate's first root: file paths of a plan count from here.
    pub root: Utf8PathBuf,
    /// carve's own folder beside the estate (`.carve`): journals, backups, proofs, the lock.
    pub state: Utf8PathBuf,
    /// The central lake.
    pub lake: Arc<dyn Lake>,
    /// Where publications lie.
    pub bucket: Arc<dyn Bucket>,
    /// Source systems by the name plans use: `source:NAME`.
    pub origins: BTreeMap<String, Arc<dyn Origin>>,
    /// The time now; tests stop it.
    pub clock: fn() -> Timestamp,
}

impl World {
    /// The origin that a plan calls `from`: `lake`, or `source:NAME`. `None` when nothing is connected under that name.
    pub fn origin(&self, from: &str) -> Option<&dyn Origin> {
        match from {
            "lake" => Some(&*self.lake),
            name => self.origins.get(name).map(|origin| &**origin),
        }
    }

    /// Where carve keeps what it knows of `service`.
    pub(super) fn folder(&self, service: &ServiceName) -> Utf8PathBuf {
        self.state.join(service.as_str())
    }

    /// Where a file of the estate is; `None` for a path that leads out of the estate, by its words or by a link.
    pub(super) fn estate_file(&self, file: &Utf8Path) -> Option<Utf8PathBuf> {
        let inside = file.components().all(|part| matches!(part, camino::Utf8Component::Normal(_)));
        let path = (inside && !file.as_str().is_empty()).then(|| self.root.join(file))?;
        let below = path.ancestors().take_while(|folder| *folder != self.root);
        let linked = below.into_iter().any(|part| part.symlink_metadata().is_ok_and(|found| found.is_symlink()));
        (!linked).then_some(path)
    }
}

/// How a plan is run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// Walk the same steps and every precondition, and write nothing.
    pub dry_run: bool,
    /// Stop cleanly after the step with this id; a later run goes on from there.
    pub stop_after: Option<String>,
    /// Ids of steps a person has approved for exactly this plan.
    pub approved: BTreeSet<String>,
    /// Steps the plan's check found stale (their inputs mean something else now): step id → why.
    pub stale: BTreeMap<String, String>,
    /// Publish anew even when nothing has changed: the way out when a publication was damaged.
    pub republish: bool,
    /// Set from outside (Ctrl-C): work stops at the next unit, with the journal flushed.
    pub cancel: Arc<AtomicBool>,
}

impl RunOptions {
    pub(super) fn cancelled(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }
}
