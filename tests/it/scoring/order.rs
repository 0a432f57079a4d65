//! In which order jobs can run.
use std::collections::BTreeMap;

use carve::{
    graph::DependencyGraph,
    lineage::{Access, Evidence, TableUse},
    vocab::{JobId, Span},
};
use proptest::prelude::*;

use super::estates::{World, id, job};

fn names(graph: &DependencyGraph) -> Vec<String> {
    graph.jobs_in_order().iter().map(ToString::to_string).collect()
}

#[test]
fn what_feeds_runs_before_what_is_fed_and_names_settle_the_rest() {
    let world = World::default()
        .transform("a_last", &["x.b"], &["x.c"])
        .transform("z_first", &["x.a"], &["x.b"])
        .transform("m_free", &["x.a"], &["x.d"]);
    assert_eq!(names(&world.graph()), ["m_free", "z_first", "a_last"]);
}

#[test]
fn depends_on_orders_jobs_and_makes_no_cycle_of_datasets() {
    let world = World::default().transform("a", &["x.a"], &["x.b"]).transform("b", &["x.a"], &["x.c"]);
    let mut late = world.clone();
    late.estate.jobs[0].depends_on.push(JobId::new("b"));
    assert_eq!(names(&world.graph()), ["a", "b"]);
    assert_eq!(names(&late.graph()), ["b", "a"]);
    // A contradiction between data and `depends_on` still runs every job once.
    late.estate.jobs[1].depends_on.push(JobId::new("a"));
    assert_eq!(names(&late.graph()), ["a", "b"]);
    assert!(late.graph().cycles().is_empty());
}

#[test]
fn definitions_run_before_loads_and_loads_before_updates() {
    let mut world = World::default()
        .transform("c_load", &["x.a"], &["x.t"])
        .transform("b_update", &["x.t"], &["x.t"])
        .transform("a_read", &["x.t"], &["x.u"]);
    world.estate.jobs.push(job("z_define"));
    let define = TableUse {
        dataset: id("x.t"),
        access: Access::Define,
        evidence: Evidence::Parsed,
        at: Span::whole("ddl/t.sql"),
        exact: true,
    };
    world.lineage.jobs.entry(JobId::new("z_define")).or_default().uses.push(define);
    assert_eq!(names(&world.graph()), ["z_define", "c_load", "b_update", "a_read"]);
    assert!(world.graph().cycles().is_empty());
}

#[test]
fn two_jobs_that_update_one_table_make_no_circle() {
    let world = World::default()
        .transform("b_update", &["x.t"], &["x.t"])
        .transform("a_update", &["x.t"], &["x.t"])
        .transform("c_load", &["x.a"], &["x.t"]);
    assert_eq!(names(&world.graph()), ["c_load", "a_update", "b_update"]);
    assert!(world.graph().cycles().is_empty());
}

#[test]
fn jobs_of_a_circle_stand_together() {
    let world = World::default()
        .transform("b", &["x.a", "x.c"], &["x.b"])
        .transform("c", &["x.b"], &["x.c"])
        .transform("a_after", &["x.c"], &["x.d"])
        .transform("z_before", &["y.a"], &["x.a"]);
    let graph = world.graph();
    assert_eq!(names(&graph), ["z_before", "b", "c", "a_after"]);
    assert_eq!(graph.cycles()[0].datasets, [id("x.b"), id("x.c")].into());
}

proptest! {
    #[test]
    fn the_order_respects_every_edge_outside_circles(
        jobs in proptest::collection::vec(
            (proptest::collection::vec(0u8..12, 0..4), proptest::collection::vec(0u8..12, 0..3)), 1..14),
    ) {
        let mut world = World::default();
        for (at, (reads, writes)) in jobs.iter().enumerate() {
            let name = |n: &u8| format!("x.t{n}");
            let (reads, writes): (Vec<String>, Vec<String>) = (reads.iter().map(name).collect(), writes.iter().map(name).collect());
            let texts = |all: &[String]| all.iter().map(|text| text.to_string()).collect::<Vec<_>>();
            let (reads, writes) = (texts(&reads), texts(&writes));
            let reads: Vec<&str> = reads.iter().map(String::as_str).collect();
            let writes: Vec<&str> = writes.iter().map(String::as_str).collect();
            world = world.transform(&format!("j{at:02}"), &reads, &writes);
        }
        let graph = world.graph();
        let order = graph.jobs_in_order();
        let place: BTreeMap<&JobId, usize> = order.iter().enumerate().map(|(at, id)| (id, at)).collect();
        prop_assert_eq!(place.len(), world.estate.jobs.len());
        let circle = |job: &JobId| graph.cycles().iter().position(|cycle| cycle.jobs.contains(job));
        for facts in graph.datasets().values() {
            for writer in &facts.written_by {
                for reader in facts.read_by.iter().filter(|reader| !facts.written_by.contains(reader)) {
                    let together = circle(writer).is_some() && circle(writer) == circle(reader);
                    prop_assert!(together || place[writer] < place[reader]);
                }
            }
        }
    }
}
