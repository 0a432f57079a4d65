//! What holds for every estate.
use carve::scoring::Ranking;
use proptest::prelude::*;

use super::estates::World;

/// One source system: tables, loads a day, teams that read, readers in the lake.
#[derive(Clone, Debug)]
struct Shape {
    tables: usize,
    loads: f64,
    teams: usize,
    readers: usize,
    commits: usize,
}

fn shape() -> impl Strategy<Value = Shape> {
    (1usize..4, 1u32..300, 0usize..6, 0usize..5, 0usize..6).prop_map(|(tables, loads, teams, readers, commits)| Shape {
        tables,
        loads: f64::from(loads),
        teams,
        readers,
        commits,
    })
}

fn with(mut world: World, name: &str, shape: &Shape) -> World {
    for table in 0..shape.tables {
        let (from, into) = (format!("{name}:t{table}"), format!("raw.{name}_{table}"));
        world = world.import(&format!("load_{name}_{table}"), &from, &into, shape.loads);
    }
    let raw = format!("raw.{name}_0");
    for reader in 0..shape.readers {
        world = world.transform(&format!("{name}_reader_{reader}"), &[&raw], &[&format!("stage.{name}_{reader}")]);
    }
    for team in 0..shape.teams {
        world = world.usage(&format!("team-{team}"), &raw, 3);
    }
    for commit in 0..shape.commits {
        let (file, commit) = (format!("jobs/load_{name}_0.yaml"), format!("{name}{commit}"));
        world = world.commit(&file, &commit, "2026-01-01T00:00:00Z", 1);
    }
    world.commit("README.md", "newest", "2026-02-01T00:00:00Z", 1).exposure("board", "dashboard", "x", &[], &[])
}

fn world(shapes: &[Shape]) -> World {
    shapes.iter().enumerate().fold(World::default(), |world, (at, shape)| with(world, &format!("s{at}"), shape))
}

fn names(ranking: &Ranking) -> Vec<String> {
    ranking.cards.iter().map(|card| card.candidate.name.to_string()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn shuffled_input_gives_the_same_bytes(shapes in proptest::collection::vec(shape(), 1..6), seed in any::<u64>()) {
        let world = world(&shapes);
        let mut shuffled = world.clone();
        let turn = |length: usize| seed as usize % length.max(1);
        shuffled.estate.jobs.reverse();
        let at = turn(shuffled.estate.jobs.len());
        shuffled.estate.jobs.rotate_left(at);
        shuffled.estate.usage.reverse();
        let at = turn(shuffled.estate.usage.len());
        shuffled.estate.usage.rotate_left(at);
        shuffled.estate.exposures.reverse();
        let bytes = |world: &World| serde_json::to_string(&world.ranking()).unwrap();
        prop_assert_eq!(bytes(&world), bytes(&shuffled));
        let facts = |world: &World| serde_json::to_string(world.graph().datasets()).unwrap();
        prop_assert_eq!(facts(&world), facts(&shuffled));
    }

    #[test]
    fn one_candidate_more_never_reorders_the_others(
        shapes in proptest::collection::vec(shape(), 1..6), more in shape(),
    ) {
        let before = world(&shapes);
        let after = with(before.clone(), "other", &more);
        let mut left = names(&after.ranking());
        left.retain(|name| name != "other");
        prop_assert_eq!(names(&before.ranking()), left);
    }

    #[test]
    fn neighbours_change_places_exactly_where_a_flip_says(shapes in proptest::collection::vec(shape(), 2..6)) {
        let world = world(&shapes);
        let ranking = world.ranking();
        for pair in ranking.cards.windows(2) {
            let flip = pair[0].robustness.flip_below.as_ref().unwrap();
            prop_assert_eq!(&flip.with, &pair[1].candidate.name);
            let flips = [("lambda", flip.lambda, 1.0), ("alpha", flip.alpha, 3.0)];
            for (knob, at, most) in flips {
                let Some(at) = at.filter(|at| *at > 0.001 && *at < most - 0.001) else { continue };
                let first = |weight: f64| {
                    let order = names(&world.clone().knob(knob, weight).ranking());
                    let place = |card: &carve::scoring::Scorecard| {
                        order.iter().position(|name| name == card.candidate.name.as_str())
                    };
                    place(&pair[0]) < place(&pair[1])
                };
                prop_assert_ne!(first(at - 1e-4), first(at + 1e-4), "{} flips at {}", knob, at);
            }
        }
    }

    #[test]
    fn every_number_is_finite_and_in_range(shapes in proptest::collection::vec(shape(), 1..6)) {
        for card in world(&shapes).ranking().cards {
            let range = 0.0..=1.0;
            prop_assert!(range.contains(&card.frequency.points) && range.contains(&card.importance.points));
            prop_assert!(range.contains(&card.value) && card.priority.is_finite());
            let cost = &card.cost;
            prop_assert!(0.0 < cost.low_days && cost.low_days <= cost.likely_days && cost.likely_days <= cost.high_days);
            let held: f64 = card.robustness.acceptability.iter().sum();
            prop_assert!((held - 1.0).abs() < 1e-9);
        }
    }
}
