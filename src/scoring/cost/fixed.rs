use crate::scoring::{
    EvidenceRow,
    cost::{Counted, Driver},
    survey::{Piece, Survey},
};

/// What every service costs, however small: review, alignment, the first run.
pub(super) struct Fixed;

impl Driver for Fixed {
    fn name(&self) -> &'static str {
        "fixed"
    }

    fn title(&self) -> &'static str {
        "review, alignment and first run of a service"
    }

    fn count(&self, _: &Survey<'_>, piece: &Piece) -> Counted {
        let because = "once for every service".to_owned();
        vec![EvidenceRow { what: piece.candidate.name.to_string(), because, at: None }].into()
    }
}
