//! Finished pages: flat view rows of ready text; one file knows handlebars; charts as SVG.
//!
//! [`build`] turns the values of the rooms below into a [`ReportModel`]; [`render`] turns that into
//! `index.html` (self-contained), `report.md` and `report.json`. [`render_catalog`] and
//! [`render_switchover`] do the same for the pages of those two rooms. Every template may be replaced
//! by a file of the same name in a folder: docs/REPORT.md lists them with their fields.
mod assemble;
mod candidates;
mod catalog_pages;
mod charts;
mod coupling;
mod coverage;
mod decision;
mod dossier;
mod flow;
mod inputs;
mod inventory;
mod links;
mod overview;
mod ownership;
mod page;
mod ranking;
mod sequence;
mod switchover_pages;
mod templates;
mod text;
mod unknown;

pub use assemble::{ReportModel, build};
pub use candidates::{CandidateRow, CriterionView, DriverView, EvidenceView, NamedList, TermView, WaterfallStep};
pub use catalog_pages::render_catalog;
pub use coupling::{Coupling, CouplingCell, CouplingRow};
pub use coverage::{CodeGroup, CoverageView, DialectRow, FormatRow, Place};
pub use decision::{Decision, Figure, FirstService, Risk};
pub use dossier::{DiffLine, Dossier, EndpointView, FileDiff, ProofView, StepView};
pub use flow::{Flow, FlowBand, FlowBox, FlowLink};
pub use inputs::ReportInputs;
pub use inventory::{CycleView, DatasetRow, Inventory, LayerRow};
pub use links::LinkData;
pub use overview::{Cluster, ClusterLink, Overview};
pub use ownership::{Ownership, OwnershipRow};
pub use page::render;
pub use ranking::{FlipRow, RankShare, Ranking};
pub use sequence::{BurnPoint, SequenceView, StageCount, WaveRow, WaveService};
pub use switchover_pages::render_switchover;
pub use templates::{RenderOptions, ReportError};
pub use unknown::UnknownRow;
