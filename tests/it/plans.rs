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

#[test]
fn files_of_a_second_root_are_repointed_there_and_restored() {
    let (keep, shop) = planned();
    let file = keep.path().join("finance/sql/monthly.sql");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let sql = "CREATE TABLE modelled.monthly AS\nSELECT order_id, total_cents FROM raw.orders; -- raw.orders\n";
    fs::write(&file, sql).unwrap();
    run(&shop, &["plan", ".", "../finance", "--service", "orders"], 0);
    let roots = ["--estate", ".", "--estate", "../finance"];
    let with_roots = |command: &str| -> Vec<String> {
        [command, "orders"].iter().chain(&roots).map(|part| (*part).to_owned()).collect()
    };
    let said = |command: &str| {
        let arguments = with_roots(command);
        run(&shop, &arguments.iter().map(String::as_str).collect::<Vec<_>>(), 0)
    };
    let misses_finance = |command: &str| {
        let output = crate::support::carve(&shop, &[command, "orders"]).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{told}");
        assert!(told.contains("the folder `finance` of the estate is missing from this command"), "{told}");
        assert!(told.contains(&format!("`carve {command} orders --estate . --estate ../finance`")), "{told}");
        assert!(!told.contains("was changed") && !told.contains("stale"), "nobody touched it: {told}");
    };
    misses_finance("apply");
    said("apply");
    assert_eq!(fs::read_to_string(&file).unwrap(), sql.replacen("raw.orders", "raw.orders__import", 1));
    let backups = files(&shop.join(".carve/orders/backup"));
    let kept: Vec<_> = backups.iter().filter(|(path, _)| path.ends_with("finance/sql/monthly.sql")).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].1, sql.as_bytes());
    misses_finance("rollback");
    said("rollback");
    assert_eq!(fs::read_to_string(&file).unwrap(), sql);
}

#[test]
fn sql_that_names_a_moved_table_where_carve_does_not_edit_is_left_to_you_with_its_line() {
    let (_keep, shop) = planned();
    let write = |file: &str, text: &str| fs::write(shop.join(file), text).unwrap();
    write("sql/modelled/unreadable.sql", "-- raw.orders\nSELEC order_id\nFORM raw.orders;\n");
    write("sql/modelled/bare.sql", "SELECT return_id\nFROM returns\n");
    write(
        "sql/modelled/dynamic.sql",
        "SELECT run_sql('delete from x') AS n,\n  'select 1 from raw.payments' AS text\n",
    );
    run(&shop, &["plan"], 0);
    for command in [&["plan", "--dry-run", "--service", "orders", "--format", "json"][..], &["explain", "orders"]] {
        let told = run(&shop, command, 0);
        for place in ["unreadable.sql:3:6: `raw.orders`", "bare.sql:2:6: job `", "dynamic.sql:2:18: `raw.payments`"] {
            assert!(told.contains(&format!("sql/modelled/{place}")), "{place} in {}:\n{told}", command.join(" "));
        }
    }
    let report = fs::read_to_string(shop.join("report/report.json")).unwrap();
    assert!(report.contains("sql/modelled/unreadable.sql:3:6"), "the report lists them too");
}

#[test]
fn a_plan_made_after_another_wrap_fits_and_every_wrap_is_undone_last_first() {
    let (_keep, shop) = planned();
    let before = estate_files(&shop);
    run(&shop, &["apply", "orders"], 0);
    run(&shop, &["plan"], 0);
    run(&shop, &["apply", "customer"], 0);
    run(&shop, &["apply", "web"], 0);
    for service in ["web", "customer", "orders"] {
        run(&shop, &["rollback", service], 0);
    }
    assert!(estate_files(&shop) == before);
}

#[test]
fn an_apply_that_died_right_after_an_edit_goes_on() {
    let (_keep, shop) = planned();
    let file = "sql/transformed/web/campaign_clicks.sql";
    let before = fs::read_to_string(shop.join(file)).unwrap();
    run(&shop, &["apply", "web", "--stop-after", "web.prove-downstream"], 0);
    // Its lines: began, noted what will be edited, done.
    let mut command = carve(&shop, &["apply", "web"]);
    let died = command.env("CARVE_TEST_CRASH_AT", "3.before").output().unwrap();
    assert_eq!(died.status.code(), None);
    assert_ne!(fs::read_to_string(shop.join(file)).unwrap(), before, "it died after the edit");
    append(&shop, file, "-- and someone wrote a comment meanwhile\n");
    run(&shop, &["apply", "web"], 0);
    let after = fs::read_to_string(shop.join(file)).unwrap();
    assert!(after.ends_with("meanwhile\n") && after.contains("raw.web_events__import"), "{after}");
    run(&shop, &["rollback", "web"], 0);
    assert_eq!(fs::read_to_string(shop.join(file)).unwrap(), before + "-- and someone wrote a comment meanwhile\n");
}
