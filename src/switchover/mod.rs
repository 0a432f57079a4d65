//! Moving the readers: which BI sources read a wrapped table, how each is moved, proven and moved back.
//!
//! [`draft`] finds every exposure that reads a table the plan replaces, by name or inside its SQL, and
//! drafts its move with the edited file; what cannot be moved is listed with its reason. [`readiness`]
//! says whether each may move now. Pages and the patch are rendered by the report room.
mod below;
mod bi_edits;
mod draft;
mod edited_file;
mod escaped;
mod file_tasks;
mod model;
mod readiness;
mod replaced;
mod superset;
mod tasks;
mod yaml_scalar;

pub use draft::draft;
pub use model::{
    BlockedExposure, CarriedExposure, Change, ExposureMove, SourceKind, Switchover, Task, UntouchedExposure,
};
pub use readiness::{Readiness, WrapFacts, readiness};
pub use replaced::{Replaced, replaced};
