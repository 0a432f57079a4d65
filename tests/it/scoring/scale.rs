//! Large estates stay near linear. Not timed here: a quadratic step would not end.
use super::estates::{World, id, job};

/// `jobs` jobs: imports of `systems` systems, then chains and joins over them.
fn estate(jobs: usize, systems: usize) -> World {
    let mut world = World::default();
    for at in 0..jobs {
        let mut one = job(&format!("job_{at:06}"));
        let place = one.at.clone();
        let name = |at: usize| id(&format!("lake.t{at}"));
        if at < systems {
            one.reads.push((id(&format!("sys{at}:t")), place.clone()));
        } else {
            // The one before and one far away: depth and mixtures both grow.
            one.reads.push((name(at - systems), place.clone()));
            one.reads.push((name(at / 2), place.clone()));
        }
        one.writes.push((name(at), place));
        world.estate.jobs.push(one);
    }
    world
}

#[test]
fn thirty_thousand_jobs_are_ordered_and_ranked() {
    let world = estate(30_000, 500);
    let graph = world.graph();
    assert_eq!(graph.jobs_in_order().len(), 30_000);
    assert!(graph.cycles().is_empty());
    let ranking = carve::scoring::score(&world.estate, &world.lineage, &graph);
    assert_eq!(ranking.cards.len(), 500);
}
