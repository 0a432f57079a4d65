//! A small plan for the tests of this room.
use super::*;
use crate::{
    lineage,
    vocab::{Digest, Endpoint, PartFormat},
};

pub(super) const SQL: &str = "select 1 from raw.orders";
pub(super) const SQL_AFTER: &str = "select 1 from raw.orders__import";

pub(super) fn small_plan() -> Plan {
    let edit = SpanEdit { start: 14, end: 24, old: "raw.orders".into(), new: "raw.orders__import".into() };
    let meaning = Some([lineage::meaning(SQL, None), lineage::meaning(SQL_AFTER, None)]);
    let edit = FileEdit { meaning, ..file_edit("a.sql".into(), SQL, vec![edit]).expect("the edit fits") };
    assert_eq!(edit.after, Digest::of(SQL_AFTER));
    let publish = Publish {
        into: "data-services/orders".into(),
        endpoints: vec![PublishEndpoint {
            endpoint: Endpoint::default(),
            from: "lake".into(),
            table: "raw.orders".parse().expect("a name"),
            format: PartFormat::Csv,
            rows_per_part: 1000,
            expect: None,
            types: Default::default(),
            omit: Vec::new(),
        }],
    };
    let repoint = Repoint { job: crate::vocab::JobId::new("a"), files: vec![edit] };
    let mut plan = Plan {
        format: plan_file::FORMAT.into(),
        id: Digest::of(""),
        service: "orders".parse().expect("a name"),
        summary: "a test".into(),
        scores: PlanScores {
            rank: 1,
            of: 1,
            effort_days: ["1.0".into(), "2.0".into(), "3.0".into()],
            change_frequency: "0.500".into(),
            importance: "0.500".into(),
            priority: "0.2500".into(),
            robustness: "robust".into(),
            confidence: "high".into(),
        },
        boundary: Boundary {
            system: "order_db".into(),
            domain: "orders".into(),
            raw: Vec::new(),
            aligned: Vec::new(),
            modelled: Vec::new(),
            import_jobs: Vec::new(),
            dependents: Vec::new(),
            exposures: Vec::new(),
        },
        ownership: Ownership { now: None, then: None },
        inputs: vec![PlanInput { file: "a.sql".into(), bytes: Digest::of(SQL), meaning: lineage::meaning(SQL, None) }],
        facts: Vec::new(),
        not_understood: Vec::new(),
        steps: vec![step("orders.publish", Action::Publish(publish)), step("orders.repoint", Action::Repoint(repoint))],
    };
    plan.steps[1].needs = vec!["orders.publish".into()];
    plan.id = plan_file::id_of(&plan).expect("a plan is YAML");
    plan
}

fn step(id: &str, action: Action) -> Step {
    Step {
        id: id.into(),
        title: id.into(),
        needs: Vec::new(),
        relies_on: vec!["a.sql".into()],
        preconditions: Vec::new(),
        action,
        postconditions: Vec::new(),
        undo: Undo::None,
        approval: false,
    }
}
