//! Where datasets stand, and what belongs to a candidate.
use carve::{
    diagnostics::Diagnostics,
    estate::DeclaredDataset,
    graph::{DependencyGraph, Layer, SystemSet},
};

use super::estates::{World, id, shop};

fn layer(graph: &DependencyGraph, dataset: &str) -> Layer {
    graph.datasets()[&id(dataset)].layer
}

fn systems(names: &[&str]) -> SystemSet {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn codes(diagnostics: &Diagnostics) -> Vec<&str> {
    diagnostics.iter().map(|diagnostic| diagnostic.code.code).collect()
}

#[test]
fn a_dataset_of_one_system_is_aligned_and_one_of_two_is_modelled() {
    let graph = shop().graph();
    assert_eq!(layer(&graph, "order_db:orders"), Layer::Source);
    assert_eq!(layer(&graph, "raw.orders"), Layer::Raw);
    assert_eq!(layer(&graph, "stage.orders"), Layer::Transformed);
    assert_eq!(layer(&graph, "mart.sales"), Layer::Modelled);
    let sales = &graph.datasets()[&id("mart.sales")];
    assert_eq!(sales.systems, systems(&["crm", "order_db"]));
    assert_eq!((sales.system.as_deref(), sales.domain.as_deref()), (None, None));
    assert_eq!(graph.datasets()[&id("stage.orders")].domain.as_deref(), Some("orders"));
}

#[test]
fn statements_of_one_script_do_not_mix_their_origins() {
    let world = World::default().script("nightly", &[("stage.a", &["a_db:t"]), ("stage.b", &["b_db:t"])]);
    let graph = world.graph();
    assert_eq!(graph.datasets()[&id("stage.a")].systems, systems(&["a_db"]));
    assert_eq!(graph.datasets()[&id("stage.b")].systems, systems(&["b_db"]));
    assert_eq!(graph.downstream(&id("a_db:t"), None).datasets.len(), 1);
}

#[test]
fn a_read_no_statement_explains_may_feed_every_target() {
    let mut world = World::default().script("nightly", &[("stage.a", &["a_db:t"]), ("stage.b", &["b_db:t"])]);
    world = world.last_job(|job| job.reads.push((id("c_db:t"), job.at.clone())));
    let graph = world.graph();
    assert_eq!(layer(&graph, "stage.a"), Layer::Modelled);
    assert_eq!(layer(&graph, "stage.b"), Layer::Modelled);
}

#[test]
fn reading_its_own_target_makes_a_job_no_circle_and_its_target_no_intermediate() {
    let world = World::default().script("append", &[("raw.log", &["app:log", "raw.log"])]);
    let graph = world.graph();
    assert_eq!(layer(&graph, "raw.log"), Layer::Raw);
    assert!(graph.cycles().is_empty());
}

#[test]
fn a_raw_table_that_is_written_back_to_stays_raw() {
    let world = World::default()
        .import("load", "app:log", "raw.log", 1.0)
        .transform("enrich", &["raw.log"], &["stage.log"])
        .transform("write_back", &["stage.log"], &["raw.log"]);
    let graph = world.graph();
    assert_eq!(layer(&graph, "raw.log"), Layer::Raw);
    assert_eq!(layer(&graph, "stage.log"), Layer::Transformed);
    assert_eq!(graph.cycles().len(), 1);
    assert_eq!(graph.cycles()[0].jobs.len(), 2);
}

#[test]
fn a_root_of_the_lake_is_raw_and_named_after_declaration_or_place() {
    let mut world = World::default().transform("t", &["shop.a", "pay.b", "bare"], &["mart.c"]);
    let declared = DeclaredDataset { source: Some("stripe".to_owned()), ..DeclaredDataset::default() };
    world.estate.declared.insert(id("pay.b"), declared);
    let graph = world.graph();
    let system = |dataset: &str| graph.datasets()[&id(dataset)].system.clone().unwrap();
    assert_eq!(["shop.a", "pay.b", "bare"].map(system), ["shop", "stripe", "bare"]);
    assert_eq!(layer(&graph, "shop.a"), Layer::Raw);
    let (_, diagnostics) = DependencyGraph::build(&world.estate, &world.lineage);
    // `pay.b` is declared as data from outside: no fault.
    assert_eq!(codes(&diagnostics).iter().filter(|code| **code == "E041").count(), 2);
}

#[test]
fn a_path_that_names_no_place_belongs_to_the_folder_that_reads_it() {
    let files = ["file:../concepts/x.csv.gz", "file:c:/land/x.csv", "file:/landing/crm.csv", "s3://drop/x/a.csv"];
    let mut world = World::default();
    for (at, file) in files.iter().enumerate() {
        world = world.transform(&format!("t{at}"), &[*file], &[format!("raw.t{at}").as_str()]);
    }
    let reads = world.estate.jobs.iter_mut().flat_map(|job| &mut job.reads);
    reads.for_each(|(_, at)| at.file = "concepts/etl/postgres/load.sql".into());
    let graph = world.graph();
    let system = |dataset: &str| graph.datasets()[&id(dataset)].system.clone().unwrap();
    assert_eq!(files.map(system), ["concepts", "concepts", "landing", "drop"]);
}

#[test]
fn files_that_name_no_place_are_called_after_the_schema_they_land_in() {
    let world = World::default()
        .transform("a", &["file:items.csv"], &["hosp_icu.items"])
        .transform("b", &["file:notes.csv"], &["staging.notes"])
        .transform("c", &["file:both.csv"], &["one.t"])
        .transform("d", &["file:both.csv"], &["two.t"]);
    let graph = world.graph();
    let system = |dataset: &str| graph.datasets()[&id(dataset)].system.clone().unwrap();
    // `staging` says how far the data has come, and nothing else is known of the others.
    assert_eq!(["file:items.csv", "file:notes.csv", "file:both.csv"].map(system), ["hosp_icu", "files", "files"]);
}

#[test]
fn tables_without_a_schema_belong_to_the_folder_that_all_who_read_them_share() {
    let mut world = World::default()
        .transform("a", &["patients", "shared"], &["x.a"])
        .transform("b", &["stays", "shared"], &["x.b"])
        .transform("c", &["land"], &["x.c"]);
    let folders = ["care/iii/sql/a.sql", "care/iv/postgres/b.sql", "gis/iv/c.sql"];
    for (job, file) in world.estate.jobs.iter_mut().zip(folders) {
        job.reads.iter_mut().for_each(|(_, at)| at.file = file.into());
    }
    let graph = world.graph();
    let system = |dataset: &str| graph.datasets()[&id(dataset)].system.clone().unwrap();
    // Two folders are called `iv`, so the one above tells them apart.
    assert_eq!(["patients", "shared", "stays", "land"].map(system), ["iii", "care", "care-iv", "gis-iv"]);
}

#[test]
fn a_place_whose_name_says_nothing_is_no_candidate() {
    let world = World::default().transform("t", &["shop.a", "____.b", "dataset_name.c"], &["mart.d"]);
    let ranking = world.ranking();
    let names: Vec<&str> = ranking.cards.iter().map(|card| card.candidate.name.as_str()).collect();
    assert_eq!(names, ["shop"]);
    assert_eq!(ranking.strays, ["____.b", "dataset_name.c"].map(id));
}

#[test]
fn two_catalogs_with_one_schema_name_are_two_systems() {
    let graph = World::default().transform("t", &["eu.shop.a", "us.shop.a", "eu.pay.b"], &["mart.c"]).graph();
    let system = |dataset: &str| graph.datasets()[&id(dataset)].system.clone().unwrap();
    assert_eq!(["eu.shop.a", "us.shop.a", "eu.pay.b"].map(system), ["eu.shop", "us.shop", "pay"]);
}

#[test]
fn a_generated_table_gives_no_origin_to_what_joins_it() {
    let graph =
        shop().transform("days", &[], &["mart.days"]).transform("daily", &["raw.orders", "mart.days"], &["x.d"]);
    let graph = graph.graph();
    assert_eq!(layer(&graph, "mart.days"), Layer::Unknown);
    assert_eq!(layer(&graph, "x.d"), Layer::Transformed);
}

#[test]
fn data_sent_back_to_a_source_system_does_not_mix_systems() {
    let graph = shop().transform("push", &["mart.sales"], &["crm:people"]).graph();
    assert_eq!(layer(&graph, "raw.people"), Layer::Raw);
    assert_eq!(layer(&graph, "stage.people"), Layer::Transformed);
}

#[test]
fn settings_win_over_declared_domains() {
    let mut world = shop();
    world.estate.settings.domains.insert("logistics".to_owned(), vec!["raw.l*".to_owned()]);
    let graph = world.graph();
    assert_eq!(graph.datasets()[&id("raw.lines")].domain.as_deref(), Some("logistics"));
    assert_eq!(graph.datasets()[&id("raw.orders")].domain.as_deref(), Some("orders"));
    let names: Vec<String> = world.ranking().cards.iter().map(|card| card.candidate.name.to_string()).collect();
    assert!(names.contains(&"logistics".to_owned()), "{names:?}");
}

#[test]
fn unread_and_unwritten_tables_are_told_where_they_stand() {
    let world = World::default().import("load", "app:t", "raw.t", 1.0).exposure(
        "board",
        "dashboard",
        "team",
        &["mart.gone"],
        &[],
    );
    let (_, diagnostics) = DependencyGraph::build(&world.estate, &world.lineage);
    assert_eq!(codes(&diagnostics), ["E052", "E042"]);
    assert_eq!(diagnostics.iter().next().unwrap().at.file, "bi/board.yaml");
}

#[test]
fn neighbourhoods_count_jobs_and_see_exposures_through_their_parts() {
    let graph = shop().graph();
    let near = graph.downstream(&id("raw.people"), Some(1));
    assert_eq!(near.datasets.into_keys().collect::<Vec<_>>(), [id("stage.people")]);
    assert!(near.exposures.is_empty());
    let all = graph.downstream(&id("raw.people"), None);
    assert_eq!(all.datasets[&id("mart.sales")], 2);
    assert_eq!(all.exposures["sales_board"], 3);
    let up = graph.upstream(&id("mart.sales"), None);
    assert_eq!(up.datasets[&id("order_db:lines")], 3);
    assert_eq!(graph.downstream(&id("raw.lines"), None).exposures.len(), 3);
    assert!(graph.upstream(&id("no.such"), None).datasets.is_empty());
}

#[test]
fn coupling_counts_reads_and_joins_across_domains() {
    let world = shop().last_job(|job| job.domain = Some("sales".to_owned()));
    let graph = world.graph();
    let cells: Vec<String> =
        graph.coupling().iter().map(|c| format!("{}→{} {} {}", c.from, c.to, c.reads, c.joins)).collect();
    let expected =
        ["customers→orders 0 1", "customers→sales 1 0", "orders→customers 0 1", "orders→sales 1 0"].map(String::from);
    assert_eq!(cells, expected);
}

#[test]
fn a_candidate_holds_its_closure_and_leaves_the_joins() {
    let ranking = shop().ranking();
    let orders = &ranking.cards.iter().find(|card| card.candidate.name.as_str() == "orders").unwrap().candidate;
    assert_eq!(orders.raw, [id("raw.lines"), id("raw.orders")]);
    assert_eq!(orders.aligned, [id("stage.orders")]);
    assert_eq!(orders.modelled, [id("mart.sales")]);
    assert_eq!(orders.import_jobs.iter().map(|j| j.as_str()).collect::<Vec<_>>(), ["load_lines", "load_orders"]);
    assert_eq!(orders.dependents.iter().map(|j| j.as_str()).collect::<Vec<_>>(), ["clean_orders"]);
    assert_eq!(orders.exposures, ["sales_board", "sales_chart", "sales_source"]);
}

#[test]
fn what_is_imported_from_a_data_service_is_no_candidate_again() {
    let world = shop().import("refresh_orders", "orders-data-service:default", "raw.orders__import", 24.0);
    let ranking = world.ranking();
    assert_eq!(ranking.services.iter().map(|s| s.as_str()).collect::<Vec<_>>(), ["orders"]);
    let names: Vec<&str> = ranking.cards.iter().map(|card| card.candidate.name.as_str()).collect();
    assert_eq!(names, ["customers"]);
}

#[test]
fn a_stray_name_among_written_tables_is_no_candidate_but_still_an_origin() {
    let stray = shop().transform("old", &["raw.orders_v1", "raw.people"], &["stage.old"]);
    let ranking = stray.ranking();
    assert_eq!(ranking.strays, [id("raw.orders_v1")]);
    assert_eq!(ranking.cards.len(), 2);
    assert_eq!(layer(&stray.graph(), "stage.old"), Layer::Modelled);
    // In a schema of its own it is a source that nobody declared.
    let sheets = shop().transform("plan", &["sheets.targets"], &["stage.plan"]).ranking();
    assert!(sheets.strays.is_empty());
    assert!(sheets.cards.iter().any(|card| card.candidate.name.as_str() == "sheets"));
    // Where no table shows a source, every root is one.
    let bare = World::default().transform("t", &["lake.a"], &["lake.b"]).ranking();
    assert_eq!((bare.cards.len(), bare.strays.len()), (1, 0));
}
