//! The demo's shop, its lake moved into DuckDB: whole services wrapped beside and in place.
use std::{fs, path::Path};

use camino::Utf8Path;
use carve::connector::open_lake;

use super::one_part::OnePart;
use super::support::{planned, run};
use super::{drained, id, one, sql};

/// Copies the lake's raw tables into a DuckDB file that carve has not made, and names it as the lake.
async fn moved(shop: &Path, wraps: &str) {
    let base = Utf8Path::from_path(shop).unwrap();
    let file = shop.join("lake.duckdb");
    sql(&file, "CREATE SCHEMA raw");
    let (from, to) = (
        open_lake("lake", "sqlite:lake", base).await.unwrap(),
        open_lake("lake", "duckdb:lake.duckdb", base).await.unwrap(),
    );
    let sqlite = rusqlite::Connection::open(shop.join("lake/raw.db")).unwrap();
    let mut tables = sqlite.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for table in tables {
        let table = id(&format!("raw.{table}"));
        let schema = from.describe(&table).await.unwrap().schema;
        let rows = drained(from.snapshot().await.unwrap().rows(&table, &schema).await.unwrap()).await.unwrap();
        to.create_staging(&table, &schema).await.unwrap();
        to.load_part(&table, "all", &schema, rows).await.unwrap();
    }
    drop(to);
    sql(&file, "DROP SCHEMA carve CASCADE");
    let settings = fs::read_to_string(shop.join("carve.yaml")).unwrap().replace("sqlite:lake", "duckdb:lake.duckdb");
    fs::write(shop.join("carve.yaml"), format!("{settings}\nwraps: {{ default: {{ {wraps} }} }}\n")).unwrap();
    run(shop, &["plan"], 0);
}

async fn wrapped_and_back(wraps: &str) {
    let (_keep, shop) = planned();
    moved(&shop, wraps).await;
    let counted = "SELECT string_agg(table_name || estimated_size, ' ' ORDER BY table_name) FROM duckdb_tables() WHERE schema_name = 'raw'";
    let before = one(&shop.join("lake.duckdb"), counted);
    for service in ["web", "orders"] {
        run(&shop, &["apply", service], 0);
        let verified: serde_json::Value =
            serde_json::from_str(&run(&shop, &["verify", service, "--format", "json"], 0)).unwrap();
        assert_eq!(verified["equal"], true, "{verified}");
        assert!(run(&shop, &["refresh", service], 0).contains("nothing changed"));
    }
    for service in ["orders", "web"] {
        run(&shop, &["rollback", service], 0);
    }
    assert_eq!(one(&shop.join("lake.duckdb"), counted), before);
}

#[tokio::test]
async fn services_of_the_shop_are_wrapped_beside_and_rolled_back() {
    wrapped_and_back("mode: beside").await;
}

#[tokio::test]
async fn services_of_the_shop_are_wrapped_in_place_and_rolled_back() {
    wrapped_and_back("mode: in_place").await;
}
