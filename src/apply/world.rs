use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::{
    connector::{Bucket, Lake, Origin},
    vocab::ServiceName,
};

/// Why a path of a plan is not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutsideError {
    /// Its words lead elsewhere.
    #[error("`{0}` leads out of the estate")]
    Path(Utf8PathBuf),
    /// A link stands on the way, or in the file's place.
    #[error("`{file}` is reached through the link `{link}`, which carve does not follow")]
    Link {
        /// The path.
        file: Utf8PathBuf,
        /// The link, from its root.
        link: Utf8PathBuf,
    },
}

impl OutsideError {
    /// What a person can do about it.
    pub(super) fn hint(&self) -> &'static str {
        match self {
            OutsideError::Path(_) => {
                "plans name files by their path from the estate's root: make the plan again with `carve plan`"
            }
            OutsideError::Link { .. } => "put the file or folder itself in the link's place, then run again",
        }
    }
}

/// Everything outside carve that a plan touches, by the roles the plan names.
#[derive(Clone)]
pub struct World {
    /// The estate's first root: file paths of a plan count from here.
    pub root: Utf8PathBuf,
    /// Its further roots: what stands before their files in a plan → where they are.
    pub further_roots: BTreeMap<Utf8PathBuf, Utf8PathBuf>,
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

    /// Where a file of the estate is.
    ///
    /// # Errors
    /// A path that leads out of the estate, by its words or by a link.
    pub fn estate_file(&self, file: &Utf8Path) -> Result<Utf8PathBuf, OutsideError> {
        let inside = file.components().all(|part| matches!(part, Utf8Component::Normal(_)));
        if !inside || file.as_str().is_empty() {
            return Err(OutsideError::Path(file.to_owned()));
        }
        let (root, below) = self.root_of(file);
        let path = root.join(below);
        let mut parts = path.ancestors().take_while(|part| *part != root);
        match parts.find(|part| part.symlink_metadata().is_ok_and(|found| found.is_symlink())) {
            None => Ok(path),
            Some(link) => Err(OutsideError::Link {
                file: file.to_owned(),
                link: link.strip_prefix(root).unwrap_or(link).to_owned(),
            }),
        }
    }

    /// The root a file lies in, and its path there. No root's prefix is a folder of the first root.
    fn root_of<'f>(&self, file: &'f Utf8Path) -> (&Utf8Path, &'f Utf8Path) {
        let mut further = self.further_roots.iter();
        let found = further.find_map(|(prefix, root)| Some((root.as_path(), file.strip_prefix(prefix).ok()?)));
        found.unwrap_or((&self.root, file))
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
