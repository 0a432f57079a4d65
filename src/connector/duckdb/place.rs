//! Where the file is, and how names are read there.
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use super::instance::{Access, Instance, Session};
use super::trouble::refused;
use crate::connector::{ConnectorError, address::Address};
use crate::vocab::DatasetId;

/// How long a file that another process holds is waited for when the address says nothing else.
const BUSY_MS: u64 = 10_000;

/// One DuckDB file.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) path: Utf8PathBuf,
    /// The address without secrets, for messages.
    pub(super) shown: String,
    pub(super) access: Access,
    /// How long a file that another process holds is waited for.
    pub(super) busy: Duration,
    /// Where tables named without a schema are.
    schema: String,
    /// Held from the first call on: whoever works with the file keeps it until the work is done.
    held: Arc<Mutex<Option<Arc<Instance>>>>,
}

impl Place {
    /// The place that `address` names; nothing is opened.
    pub(super) fn at(address: &Address, base: &Utf8Path, access: Access) -> Result<Self, ConnectorError> {
        address.only(&["busy_timeout_ms", "schema"])?;
        let busy = Duration::from_millis(address.number("busy_timeout_ms")?.unwrap_or(BUSY_MS).min(86_400_000));
        Ok(Place {
            path: address.path(base),
            shown: address.shown.clone(),
            access,
            busy,
            schema: address.options.get("schema").cloned().unwrap_or_else(|| "main".to_owned()),
            held: Arc::default(),
        })
    }

    /// Schema and table that `table` names here.
    pub(super) fn names(&self, table: &DatasetId) -> (String, String) {
        (table.bare_schema().unwrap_or(&self.schema).to_owned(), table.table().to_owned())
    }

    /// A connection of its own to the file, which is opened where this process has not done so yet.
    pub(super) fn open(&self) -> Result<Session, ConnectorError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let instance = match &*held {
            Some(instance) => instance.clone(),
            None => {
                if !self.path.is_file() {
                    return Err(refused(format!("open `{}`", self.shown), "there is no such file"));
                }
                held.insert(Instance::of(self)?).clone()
            }
        };
        drop(held);
        instance.session()
    }
}
