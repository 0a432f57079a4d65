//! What the numbers are, worked out by hand.
use carve::{
    lineage::JobLineage,
    scoring::{Parameters, Ranking, Scorecard, compare, explain},
    vocab::JobId,
};

use super::estates::{World, shop};

fn card<'a>(ranking: &'a Ranking, name: &str) -> &'a Scorecard {
    ranking.cards.iter().find(|card| card.candidate.name.as_str() == name).unwrap()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9 * a.abs().max(1.0)
}

fn driver(card: &Scorecard, name: &str) -> u32 {
    card.cost.drivers.iter().find(|driver| driver.name == name).map_or(0, |driver| driver.count)
}

#[test]
fn cost_is_the_sum_of_its_drivers_and_its_range_one_standard_deviation() {
    let ranking = shop().ranking();
    let people = card(&ranking, "customers");
    let counts: Vec<(&str, u32)> = people.cost.drivers.iter().map(|d| (d.name.as_str(), d.count)).collect();
    // One table, one reader, an owner that is not known today.
    let expected = [("fixed", 1), ("source_table", 1), ("endpoint", 1), ("import", 1)];
    assert_eq!(counts, [&expected[..], &[("dependent_repointed", 1), ("new_team", 1)]].concat());
    let hours = Parameters::default().hours;
    let mean: f64 = counts.iter().map(|(name, _)| (hours[name][0] + 4.0 * hours[name][1] + hours[name][2]) / 6.0).sum();
    // Each counts one here.
    let variance: f64 = counts.iter().map(|(name, _)| ((hours[name][2] - hours[name][0]) / 6.0).powi(2)).sum();
    assert!(near(people.cost.likely_days, mean / 8.0));
    assert!(near(people.cost.high_days, (mean + variance.sqrt()) / 8.0));
    assert!(near(people.cost.low_days, (mean - variance.sqrt()) / 8.0));
}

#[test]
fn many_units_of_one_driver_are_misjudged_alike_so_that_their_number_narrows_no_range() {
    let mut world = shop();
    let lineage = JobLineage { unparsed: 1_000_000, ..JobLineage::default() };
    world.lineage.jobs.insert(JobId::new("clean_orders"), lineage);
    let cost = card(&world.ranking(), "orders").cost.clone();
    // Nothing beside a million statements counts: (b − a) / 6 over (a + 4m + b) / 6 is the relative deviation of each.
    let [a, m, b] = Parameters::default().hours["unparsed_sql"];
    let relative = (cost.high_days - cost.likely_days) / cost.likely_days;
    assert!((relative - (b - a) / (a + 4.0 * m + b)).abs() < 1e-3, "{relative}");
}

#[test]
fn a_wrap_in_place_keeps_its_dependents() {
    let mut world = shop();
    world.estate.settings.wraps.entry(String::new()).or_default().mode = Some("in_place".to_owned());
    let ranking = world.ranking();
    let orders = card(&ranking, "orders");
    assert_eq!((driver(orders, "dependent_kept"), driver(orders, "dependent_repointed")), (1, 0));
}

#[test]
fn the_same_team_before_and_after_costs_no_take_over() {
    let mut world = shop();
    world.estate.jobs.iter_mut().for_each(|job| job.owner = Some("team-orders".to_owned()));
    let ranking = world.ranking();
    assert_eq!(driver(card(&ranking, "orders"), "new_team"), 0);
    assert_eq!(driver(card(&ranking, "customers"), "new_team"), 1);
}

#[test]
fn what_was_not_understood_costs_and_lowers_confidence() {
    let mut world = shop();
    let plain = world.ranking();
    let lineage = JobLineage { unparsed: 2, dynamic: 1, ..JobLineage::default() };
    world.lineage.jobs.insert(JobId::new("clean_orders"), lineage);
    let ranking = world.ranking();
    let orders = card(&ranking, "orders");
    assert_eq!(driver(orders, "unparsed_sql"), 3);
    assert!(orders.cost.likely_days > card(&plain, "orders").cost.likely_days);
    assert_eq!(card(&plain, "orders").confidence.grade, "medium", "no git history");
    assert_eq!(orders.confidence.grade, "low");
}

#[test]
fn commits_count_half_after_ninety_days_and_once_however_many_files_they_touch() {
    let world = shop()
        .commit("jobs/load_orders.yaml", "c1", "2026-03-31T00:00:00Z", 2)
        .commit("jobs/load_lines.yaml", "c1", "2026-03-31T00:00:00Z", 2)
        .commit("jobs/load_orders.yaml", "c0", "2025-12-31T00:00:00Z", 1)
        .commit("jobs/load_orders.yaml", "bulk", "2026-03-31T00:00:00Z", 100)
        .commit("jobs/sales.yaml", "elsewhere", "2026-03-31T00:00:00Z", 1);
    let ranking = world.ranking();
    let structural = &card(&ranking, "orders").frequency.terms[0];
    // c1 today: 1. c0 90 days before: 1/2. A commit over 100 files: 50/100. `sales` is modelled: none.
    assert!(near(structural.raw.unwrap(), 2.0), "{structural:?}");
    assert_eq!(structural.evidence.len(), 3);
    assert_eq!(card(&ranking, "customers").frequency.terms[0].raw, Some(0.0));
}

#[test]
fn loads_add_up_over_tables_and_not_over_jobs() {
    let world = shop().import("again", "order_db:orders", "raw.orders", 2.0);
    let ranking = world.ranking();
    let content = &card(&ranking, "orders").frequency.terms[1];
    assert_eq!(content.raw, Some(48.0));
    let stopped = shop().last_job(|_| ()).ranking();
    assert_eq!(card(&stopped, "orders").frequency.grade, 'B');
    // Without history the half that is known counts alone.
    assert!(near(card(&stopped, "orders").frequency.points, 49f64.ln() / 289f64.ln()));
}

#[test]
fn a_disabled_import_loads_nothing() {
    let mut world = shop();
    world.estate.jobs[2].enabled = false;
    let ranking = world.ranking();
    assert_eq!(card(&ranking, "customers").frequency.terms[1].raw, Some(0.0));
}

#[test]
fn importance_counts_teams_use_cases_and_reach() {
    let world = shop().usage("finance", "mart.sales", 7).usage("finance", "raw.people", 1);
    let ranking = world.ranking();
    let terms = |name: &str| card(&ranking, name).importance.terms.iter().map(|t| t.raw.unwrap()).collect::<Vec<_>>();
    // Teams: bi and sales own exposures, finance reads. One dashboard, whose chart and dataset do not count.
    assert_eq!(terms("orders")[..2], [3.0, 1.0]);
    // On mart.sales rest the dashboard and one user: 2. Past one job 0.85 of it, half to each source;
    // past the next 0.85 again, and for orders all of it to both of its raw tables together.
    let stage = 2.0 * 0.85 / 2.0;
    assert!(near(terms("orders")[2], stage * 0.85));
    // One user reads raw.people itself.
    assert!(near(terms("customers")[2], stage * 0.85 + 1.0));
    let finance = &card(&ranking, "orders").importance.terms[0].evidence[0];
    assert_eq!((finance.what.as_str(), finance.because.as_str()), ("finance", "7 reads in the log"));
    assert_eq!(finance.at.as_ref().unwrap().to_string(), "usage.csv:1:1");
}

#[test]
fn bare_sql_is_ranked_by_what_ends_in_the_lake() {
    let world = World::default()
        .transform("a", &["pay.bills"], &["mart.bills"])
        .transform("b", &["web.hits"], &["mart.hits"])
        .transform("c", &["web.hits"], &["mart.pages"]);
    let ranking = world.ranking();
    let names: Vec<&str> = ranking.cards.iter().map(|card| card.candidate.name.as_str()).collect();
    assert_eq!(names, ["web", "pay"]);
    let importance = &card(&ranking, "web").importance;
    assert_eq!((importance.grade, importance.terms[2].raw), ('B', Some(1.7)));
    assert_eq!(card(&ranking, "web").confidence.grade, "low");
}

#[test]
fn declared_criticality_overrides_and_shows() {
    let mut world = shop();
    world.estate.settings.criticality.insert("orders".to_owned(), 0.9);
    world.estate.settings.criticality.insert("nothing".to_owned(), 2.0);
    let ranking = world.ranking();
    let orders = card(&ranking, "orders");
    assert!(orders.importance.overridden && orders.importance.points == 0.9);
    assert_eq!(orders.importance.terms.len(), 3);
    assert_eq!(ranking.problems.len(), 2, "{:?}", ranking.problems);
    let rows = explain(orders, &ranking.parameters).rows;
    assert!(rows.iter().any(|row| row.name == "criticality" && near(row.number, 0.45)));
}

#[test]
fn the_rows_of_a_waterfall_add_up() {
    let ranking = shop().usage("finance", "mart.sales", 7).ranking();
    for card in &ranking.cards {
        let rows = explain(card, &ranking.parameters).rows;
        for (part, whole) in [("value", card.value), ("effort", card.cost.likely_days)] {
            let rows = rows.iter().filter(|row| row.part == part && row.name != "sum");
            assert!(near(rows.map(|row| row.number).sum(), whole), "{part}");
        }
        assert!(near(card.priority, card.value / card.cost.likely_days));
    }
}

#[test]
fn a_comparison_adds_up_and_names_what_decides() {
    let ranking = shop().usage("finance", "raw.people", 7).ranking();
    let found = compare(card(&ranking, "customers"), card(&ranking, "orders"), &ranking.parameters);
    assert_eq!(found.ahead, ranking.cards[0].candidate.name);
    let sum: f64 = found.terms.iter().map(|term| term.contribution).sum();
    assert!(near(sum, found.log_ratio.unwrap()));
    let swapped = compare(card(&ranking, "orders"), card(&ranking, "customers"), &ranking.parameters);
    assert_eq!(serde_json::to_string(&swapped).unwrap(), serde_json::to_string(&found).unwrap());
    // Loads differ most in value (48 to 1 a day) but speak for orders.
    let decides = found.terms.iter().find(|term| term.name == found.deciding).unwrap();
    assert!(decides.contribution > 0.0);
}

#[test]
fn declared_candidates_claim_their_datasets_and_derived_ones_wait_for_their_parts() {
    let world =
        shop().candidate("sales", &["mart.sales"]).candidate("odd name", &["raw.lines"]).candidate("none", &["q*"]);
    let ranking = world.ranking();
    let names: Vec<&str> = ranking.cards.iter().map(|card| card.candidate.name.as_str()).collect();
    assert_eq!(names.len(), 4, "{names:?}");
    assert_eq!(card(&ranking, "odd-name").candidate.raw.len(), 1);
    assert!(card(&ranking, "sales").candidate.declared);
    assert_eq!(ranking.problems.len(), 2, "{:?}", ranking.problems);
    let order: Vec<&str> = ranking.sequence.waves.iter().flat_map(|w| &w.services).map(|s| s.as_str()).collect();
    assert_eq!(order.last(), Some(&"sales"), "{order:?}");
    // `stage.orders` is made of two candidates now: it stays in the lake.
    assert!(card(&ranking, "orders").candidate.aligned.is_empty());
}

#[test]
fn candidates_that_feed_each_other_are_one_bundle() {
    let world = World::default()
        .import("load_a", "a:t", "raw.a", 1.0)
        .import("load_b", "b:t", "raw.b", 1.0)
        .import("load_c", "c:t", "raw.c", 1.0)
        .transform("a_to_b", &["raw.a"], &["raw.b"])
        .transform("b_to_a", &["raw.b"], &["raw.a"]);
    let ranking = world.ranking();
    assert_eq!(card(&ranking, "a").candidate.bundled_with.iter().map(|n| n.as_str()).collect::<Vec<_>>(), ["b"]);
    assert!(card(&ranking, "c").candidate.bundled_with.is_empty());
    let wave = ranking.sequence.waves.iter().find(|wave| wave.services.iter().any(|s| s.as_str() == "a")).unwrap();
    assert!(wave.services.iter().any(|s| s.as_str() == "b"));
}

#[test]
fn the_pilot_is_one_service_and_waves_fit_the_team() {
    let mut world = World::default().knob("sequence.wave_days", 15.0);
    for at in 0..6 {
        world = world.import(&format!("load_{at}"), &format!("s{at}:t"), &format!("raw.t{at}"), 1.0);
    }
    let waves = world.ranking().sequence.waves;
    assert_eq!((waves[0].title.as_str(), waves[0].services.len()), ("pilot", 1));
    assert!(waves[1..].iter().all(|wave| wave.days <= 15.0 && wave.title.is_empty()));
    assert_eq!(waves.iter().map(|wave| wave.services.len()).sum::<usize>(), 6);
}

#[test]
fn an_empty_estate_has_an_empty_ranking() {
    let ranking = World::default().ranking();
    assert!(ranking.cards.is_empty() && ranking.sequence.waves.is_empty());
}
