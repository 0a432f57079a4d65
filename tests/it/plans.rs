//! The plans of the fixture estates, checked in under `plans/` and drafted again here. After a change that
//! is meant, `CARVE_UPDATE_PLANS=1 cargo test plans::` writes them; read the difference before committing it.
use std::{fs, path::Path};

use crate::support::{carve, copy_all, expect, files, folder, planned, run};

fn compare(estate: &str, drafted: &Path) {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans").join(estate);
    if std::env::var_os("CARVE_UPDATE_PLANS").is_some() {
        let _ = fs::remove_dir_all(&kept);
        copy_all(drafted, &kept);
    }
    let (kept, drafted) = (files(&kept), files(drafted));
    assert_eq!(kept.keys().collect::<Vec<_>>(), drafted.keys().collect::<Vec<_>>(), "{estate}");
    for (name, bytes) in kept {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        pretty_assertions::assert_eq!(text(&bytes), text(&drafted[&name]), "{estate}/{}", name.display());
    }
}

#[test]
fn the_shop_is_planned_as_it_was() {
    let (_keep, shop) = planned();
    compare("shop", &shop.join("plans"));
}

#[test]
fn estates_without_any_configuration_are_planned_as_they_were() {
    for estate in ["dbt-mini", "sql-folder"] {
        // Out of carve's own repository, whose history is none of theirs.
        let copy = folder();
        let target = copy.path().join(estate);
        copy_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/estates").join(estate), &target);
        run(copy.path(), &["plan", estate], 0);
        compare(estate, &target.join("plans"));
    }
}

/// Files of the estate as the wraps may leave them: without what carve keeps for itself and the data.
fn estate_files(shop: &Path) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let mut all = files(shop);
    all.retain(|path, _| {
        !["lake", "bucket", ".carve", "report", "plans", ".git"].iter().any(|own| path.starts_with(own))
    });
    all
}

/// Appends to a file of the estate.
fn append(shop: &Path, file: &str, text: &str) {
    let before = fs::read_to_string(shop.join(file)).unwrap();
    fs::write(shop.join(file), before + text).unwrap();
}

#[test]
fn two_services_planned_together_are_applied_and_rolled_back_in_either_order() {
    // Orders and customer are read together by five SQL files, and both plans edit them.
    let (_keep, shop) = planned();
    let before = estate_files(&shop);
    run(&shop, &["apply", "orders"], 0);
    let with_orders = estate_files(&shop);
    run(&shop, &["apply", "customer"], 0);
    let shared = "sql/modelled/kpi_hourly.sql";
    let text = fs::read_to_string(shop.join(shared)).unwrap();
    assert!(text.contains("raw.orders__import") && text.contains("raw.customers__import"), "{text}");
    run(&shop, &["rollback", "orders"], 0);
    let text = fs::read_to_string(shop.join(shared)).unwrap();
    assert!(!text.contains("raw.orders__import") && text.contains("raw.customers__import"), "{text}");
    run(&shop, &["rollback", "customer"], 0);
    assert!(estate_files(&shop) == before);
    run(&shop, &["apply", "orders"], 0);
    run(&shop, &["apply", "customer"], 0);
    run(&shop, &["rollback", "customer"], 0);
    assert!(estate_files(&shop) == with_orders);
}

#[test]
fn two_plans_that_take_over_names_edit_one_job_file() {
    let (_keep, shop) = planned();
    append(&shop, "carve.yaml", "\nwraps: { default: { mode: in_place } }\n");
    run(&shop, &["plan"], 0);
    let before = estate_files(&shop);
    run(&shop, &["apply", "orders"], 0);
    run(&shop, &["apply", "customer"], 0);
    let imports = fs::read_to_string(shop.join("jobs/imports.yaml")).unwrap();
    for moved in ["raw.orders__before_carve", "raw.order_lines__before_carve", "raw.customers__before_carve"] {
        assert!(imports.contains(moved), "{moved} in\n{imports}");
    }
    run(&shop, &["rollback", "orders"], 0);
    run(&shop, &["rollback", "customer"], 0);
    assert!(estate_files(&shop) == before);
}

#[test]
fn a_plan_is_stale_only_by_what_its_steps_read() {
    let (_keep, shop) = planned();
    append(&shop, "sql/crm/accounts_clean.sql", "\n, and this is no SQL");
    append(&shop, "sql/transformed/orders/shipments_sla.sql", "\n-- raw.shipments: since 2019\n");
    append(&shop, "jobs/imports.yaml", "  # the end\n");
    run(&shop, &["apply", "orders", "--dry-run"], 0);
    append(&shop, "sql/transformed/orders/shipments_sla.sql", "\nUNION ALL SELECT 1");
    let output = carve(&shop, &["apply", "orders"]).output().unwrap();
    expect(&output, &["apply", "orders"], 3);
    let told = String::from_utf8(output.stderr).unwrap();
    let file = "sql/transformed/orders/shipments_sla.sql: the file means something else now";
    assert!(told.contains(file) && told.contains("`carve plan`"), "{told}");
    let steps: std::collections::BTreeSet<&str> =
        told.lines().filter_map(|line| line.trim().strip_prefix("- step `")?.split('`').next()).collect();
    assert_eq!(steps, ["orders.prove-downstream", "orders.repoint.shipments_sla"].into());
}
