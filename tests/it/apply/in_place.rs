//! What an in-place swap would break is told before step one; what it replaced comes back as it was.
use carve::{
    apply::{self, ApplyError, Concern, RunOptions},
    plan::Action,
    progress::Silent,
    vocab::PartFormat,
};

use super::engines::Town;

/// Applies, expects preflight to block, and gives what it found.
async fn blocked(town: &Town) -> String {
    let before = town.schema();
    for dry_run in [true, false] {
        let options = RunOptions { dry_run, ..RunOptions::default() };
        let error = apply::run(&town.plan, &town.world().await, &options, &Silent).await.unwrap_err();
        let ApplyError::Blocked { findings, .. } = &error else { panic!("{error}") };
        let blocks = findings.iter().filter(|finding| finding.concern == Concern::Blocks);
        assert!(blocks.clone().count() > 0 && blocks.clone().all(|finding| finding.hint.is_some()), "{findings:?}");
        assert_eq!(town.schema(), before, "nothing stays of the rehearsal");
        assert!(!town.path("bucket/data-services/orders").exists());
    }
    let error = town.apply(&town.world().await).await.unwrap_err();
    let ApplyError::Blocked { findings, .. } = error else { panic!("{error}") };
    findings.into_iter().map(|finding| finding.what).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn what_an_in_place_swap_would_break_is_told_before_step_one() {
    let cases = [
        ("a trigger", "CREATE TRIGGER t AFTER INSERT ON orders BEGIN SELECT 1; END", "has the trigger `t`"),
        (
            "a view instead of a table",
            "ALTER TABLE orders RENAME TO base; CREATE VIEW orders AS SELECT * FROM base",
            "`raw.orders` is a view",
        ),
        ("an index on a column left out", "CREATE INDEX by_note ON orders (note)", "the index `by_note`"),
        ("an index on an expression of it", "CREATE INDEX e ON orders (lower(note))", "the index `e`"),
        ("a view that reads it", "CREATE VIEW notes AS SELECT note FROM orders", "the view `notes` would break"),
        (
            "a foreign key to a column that is not the key",
            "ALTER TABLE orders RENAME TO o; CREATE TABLE orders (id INTEGER PRIMARY KEY, code TEXT UNIQUE, note TEXT);
             CREATE TABLE child (code TEXT REFERENCES orders (code))",
            "a foreign key of `child`",
        ),
        (
            "another program's table under the staging name",
            "CREATE TABLE orders__carve_staging (a)",
            "that carve did not make",
        ),
    ];
    for (what, sql, expected) in cases {
        let mut town = Town::new(true, false, PartFormat::Csv);
        town.sql("lake/raw.db", sql);
        let Action::Publish(publish) = &mut town.plan.steps[0].action else { panic!("publish comes first") };
        publish.endpoints[0].omit = vec!["note".to_owned()];
        let found = blocked(&town).await;
        assert!(found.contains(expected), "{what}: {found}");
    }
}

#[tokio::test]
async fn what_the_import_will_lack_is_told_and_does_not_stop() {
    let town = Town::new(true, false, PartFormat::Csv);
    town.sql(
        "lake/raw.db",
        "CREATE TABLE kinds (kind TEXT PRIMARY KEY); INSERT INTO kinds VALUES ('a'); DROP TABLE orders;
         CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER DEFAULT 1, note TEXT UNIQUE REFERENCES kinds (kind),
           seen TEXT, paid TEXT, raw BLOB, ratio REAL); INSERT INTO orders (id, note) VALUES (1, 'a');
         CREATE TABLE child (id INTEGER REFERENCES orders (id)); CREATE VIEW broken AS SELECT a FROM nowhere",
    );
    let report = town.apply(&town.world().await).await.unwrap();
    let told: Vec<&str> = report.findings.iter().map(|finding| finding.what.as_str()).collect();
    assert_eq!(
        told,
        ["the import that takes the place of `raw.orders` holds its rows, key and indexes, but not its UNIQUE \
          constraints, its foreign keys, its defaults"]
    );
}

#[tokio::test]
async fn a_table_comes_back_from_a_rollback_with_its_own_spelling() {
    let town = Town::new(true, false, PartFormat::Csv);
    town.sql("lake/raw.db", "ALTER TABLE orders RENAME TO o; ALTER TABLE o RENAME TO \"ORDERS\"");
    let (world, before) = (town.world().await, town.schema());
    town.apply(&world).await.unwrap();
    assert!(town.schema().iter().any(|sql| sql.contains("\"ORDERS\"")), "{:?}", town.schema());
    apply::refresh(&town.plan, &world, &apply::RefreshOptions::default(), &Silent).await.unwrap();
    apply::rollback(&town.plan, &world, &RunOptions::default(), &Silent).await.unwrap();
    assert_eq!(town.schema(), before);
}

#[tokio::test]
async fn a_unique_index_that_the_source_breaks_stops_before_the_swap_and_says_which() {
    let town = Town::new(true, true, PartFormat::Csv);
    town.sql("lake/raw.db", "UPDATE orders SET note = id; CREATE UNIQUE INDEX by_note ON orders (note)");
    town.sql("source.db", "UPDATE orders SET note = 'same'");
    let world = town.world().await;
    let mut plan = town.plan.clone();
    plan.steps.retain(|step| !matches!(step.action, Action::ProveContinuity(_)));
    plan.steps[2].needs = vec!["orders.import".to_owned()];
    let run = async || apply::run(&plan, &world, &RunOptions::default(), &Silent).await;
    let error = run().await.unwrap_err();
    let ApplyError::Prevented { step, source, .. } = &error else { panic!("{error}") };
    let told = std::error::Error::source(&**source).map(ToString::to_string).unwrap_or_default();
    assert_eq!(step, "orders.import");
    assert!(told.contains("unique index `by_note`"), "{source}: {told}");
    // Mended at the source, the same command goes on and publishes what is there now.
    town.sql("source.db", "UPDATE orders SET note = id");
    let report = run().await.unwrap();
    assert!(report.complete);
    assert_eq!(report.version.unwrap().to_string(), "1.0.1");
}

#[tokio::test]
async fn what_keeps_an_import_from_its_place_since_the_wrap_stops_a_refresh_before_it_publishes() {
    let town = Town::new(true, true, PartFormat::Csv);
    let world = town.world().await;
    town.apply(&world).await.unwrap();
    town.sql("lake/raw.db", "CREATE TRIGGER since AFTER INSERT ON orders BEGIN SELECT 1; END");
    town.sql("source.db", "UPDATE orders SET note = 'another'");
    let refresh = async || apply::refresh(&town.plan, &world, &apply::RefreshOptions::default(), &Silent).await;
    let error = refresh().await.unwrap_err();
    let ApplyError::Prevented { source, .. } = &error else { panic!("{error}") };
    let told = std::error::Error::source(&**source).map(ToString::to_string).unwrap_or_default();
    assert!(format!("{source}: {told}").contains("trigger `since`"), "{source}: {told}");
    let published = || {
        let folder = std::fs::read_dir(town.path("bucket/data-services/orders/schemata")).unwrap();
        folder.count()
    };
    assert_eq!(published(), 1, "nothing new is published");
    town.sql("lake/raw.db", "DROP TRIGGER since");
    assert!(refresh().await.unwrap().published);
    assert_eq!(published(), 2);
}
