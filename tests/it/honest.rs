//! What carve says when the world is not as it was: never that all is well.
use std::{
    fs,
    path::Path,
    process::{Output, Stdio},
    time::{Duration, Instant},
};

use crate::support::{carve, planned, run};
#[cfg(feature = "s3")]
use crate::support::{copy_all, set_bucket};

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs carve, expects this code and every one of these words; gives back all it said.
fn says(shop: &Path, arguments: &[&str], code: i32, words: &[&str]) -> String {
    let output = carve(shop, arguments).env("COLUMNS", "300").output().unwrap();
    let told = said(&output);
    assert_eq!(output.status.code(), Some(code), "carve {arguments:?}: {told}");
    for word in words {
        assert!(told.contains(word), "`{word}` is not in what carve {arguments:?} says: {told}");
    }
    told
}

fn lake(shop: &Path, sql: &str) {
    rusqlite::Connection::open(shop.join("lake/raw.db")).unwrap().execute_batch(sql).unwrap();
}

fn append(file: &Path, text: &str) {
    let old = fs::read_to_string(file).unwrap();
    fs::write(file, old + text).unwrap();
}

#[test]
fn a_refresh_that_would_break_a_job_is_blocked_and_names_it_by_file_and_line() {
    let (_keep, shop) = planned();
    run(&shop, &["apply", "orders"], 0);
    lake(&shop, "ALTER TABLE orders DROP COLUMN currency");
    let words = ["orders_clean", "sql/transformed/orders/orders_clean.sql:", "`currency` is gone", "--accept-breaking"];
    let told = says(&shop, &["refresh", "orders"], 4, &words);
    assert!(!told.contains("web_"), "jobs that do not read the table are not named: {told}");
    let contracts = || fs::read_dir(shop.join("bucket/data-services/orders/schemata")).unwrap().count();
    assert_eq!(contracts(), 1, "nothing is published");
    let has = "SELECT currency FROM orders__import LIMIT 1";
    rusqlite::Connection::open(shop.join("lake/raw.db")).unwrap().prepare(has).unwrap();
    says(&shop, &["refresh", "orders", "--accept-breaking"], 0, &["v2.0.0"]);
    assert_eq!(contracts(), 2);
}

#[test]
fn without_its_bucket_nothing_is_done_proven_or_unpublished() {
    let (_keep, shop) = planned();
    fs::rename(shop.join("bucket"), shop.join("gone")).unwrap();
    says(&shop, &["apply", "orders", "--dry-run"], 4, &["no such folder"]);
    says(&shop, &["apply", "orders"], 4, &["no such folder"]);
    // It was blocked before its first step, and still knows how many there are.
    let status: serde_json::Value = serde_json::from_str(&run(&shop, &["status", "--format", "json"], 0)).unwrap();
    let services = status["services"].as_array().unwrap();
    let orders = services.iter().find(|its| its["service"] == "orders").unwrap();
    assert!(orders["steps"].as_u64().unwrap() > 0, "{orders}");
    fs::rename(shop.join("gone"), shop.join("bucket")).unwrap();
    run(&shop, &["apply", "orders"], 0);
    fs::rename(shop.join("bucket"), shop.join("gone")).unwrap();
    for arguments in [&["apply", "orders"][..], &["apply", "orders", "--dry-run"], &["verify", "orders"]] {
        let told = says(&shop, arguments, 4, &["no such folder"]);
        assert!(!told.contains("Done"), "{told}");
    }
    says(&shop, &["catalog"], 4, &["no such folder"]);
    assert!(!shop.join("catalog").exists(), "no page says that nothing is published");
    says(&shop, &["status"], 0, &["no such folder", "what the journal knows", "v1.0.0?", "then"]);
    assert!(!shop.join("bucket").exists());
}

#[cfg(feature = "s3")]
#[test]
fn a_finished_plan_whose_store_is_down_is_not_called_done() {
    let (_keep, shop) = planned();
    run(&shop, &["apply", "web"], 0);
    let nowhere = "s3://mesh?endpoint=http://127.0.0.1:9&path_style=true&region=us-east-1";
    set_bucket(&shop, nowhere);
    let output = carve(&shop, &["apply", "web"])
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output()
        .unwrap();
    let told = said(&output);
    assert!(matches!(output.status.code(), Some(4 | 5 | 7)) && !told.contains("Done"), "{told}");
}

#[test]
fn a_dry_run_says_of_each_step_what_it_did_not_try() {
    let (_keep, shop) = planned();
    let words =
        ["not tried in a dry run: whether the bucket can be written (web.publish)", "whether the lake can be written"];
    says(&shop, &["apply", "web", "--dry-run"], 0, &words);
}

#[test]
fn what_a_verification_found_is_in_the_status_until_a_refresh_mends_it() {
    let (_keep, shop) = planned();
    run(&shop, &["apply", "orders"], 0);
    lake(
        &shop,
        "UPDATE orders__import SET currency = 'XXX' WHERE order_id = (SELECT min(order_id) FROM orders__import)",
    );
    says(&shop, &["verify", "orders"], 7, &[]);
    says(&shop, &["status"], 0, &["not any more", "the last `carve verify` found", "currency"]);
    says(&shop, &["refresh", "orders"], 0, &[]);
    let told = says(&shop, &["status"], 0, &[]);
    assert!(!told.contains("not any more"), "{told}");
}

#[test]
fn what_was_never_proven_is_not_called_proven_no_more() {
    let (_keep, shop) = planned();
    let told_no_more = |because: &str| {
        let told = says(&shop, &["status"], 0, &[]);
        assert!(!told.contains("not any more") && !told.contains("not equal"), "{because}: {told}");
    };
    run(&shop, &["refresh", "customer"], 4);
    run(&shop, &["verify", "customer"], 4);
    told_no_more("it was never wrapped");
    run(&shop, &["apply", "orders", "--stop-after", "orders.publish"], 0);
    run(&shop, &["verify", "orders"], 4);
    told_no_more("its wrap is under way");
    // As an earlier carve left it.
    let left = shop.join(".carve/orders/verified.json");
    fs::write(&left, "[\"there is no table\"]").unwrap();
    told_no_more("its wrap is under way still");
    run(&shop, &["apply", "orders"], 0);
    told_no_more("all of its proofs are equal");
    assert!(!left.exists());
}

#[test]
fn an_origin_that_moved_on_while_apply_was_stopped_is_published_anew() {
    for stop in ["orders.payments.import", "orders.shipments.swap"] {
        let (_keep, shop) = planned();
        run(&shop, &["apply", "orders", "--stop-after", stop], 0);
        run(&shop, &["demo", "--late-rows", "."], 0);
        says(&shop, &["apply", "orders"], 0, &["Done"]);
        says(&shop, &["status"], 0, &["v1.0.1"]);
        says(&shop, &["verify", "orders"], 0, &["holds the published rows"]);
        assert!(run(&shop, &["refresh", "orders"], 0).contains("nothing changed"), "after {stop}");
        run(&shop, &["rollback", "orders"], 0);
    }
}

#[test]
fn an_origin_that_never_stands_still_is_no_difference_to_look_at() {
    let (_keep, shop) = planned();
    lake(
        &shop,
        "ALTER TABLE products RENAME TO products_kept;
         CREATE VIEW products AS SELECT *, random() AS noise FROM products_kept",
    );
    let words = ["the origin `raw.products` has moved on since v1.0.3", "run the same command again"];
    let told = says(&shop, &["apply", "orders"], 5, &words);
    assert!(!told.contains("look at the rows"), "{told}");
}

#[test]
fn a_plan_that_was_altered_is_no_missing_plan() {
    let (_keep, shop) = planned();
    for entry in fs::read_dir(shop.join("plans")).unwrap() {
        append(&entry.unwrap().path(), "x: 1\n");
    }
    let told = says(&shop, &["status"], 0, &["not read:"]);
    assert!(!told.contains("No service is planned yet"), "{told}");
}

#[test]
fn an_apply_at_work_is_running_and_a_polite_request_to_end_is_heard() {
    let (_keep, shop) = planned();
    // A raw table of many rows keeps it at work for a while.
    lake(
        &shop,
        "WITH RECURSIVE n(i) AS (SELECT 10000000 UNION ALL SELECT i + 1 FROM n LIMIT 200000)
         INSERT INTO orders (order_id, customer_id, status, ordered_at, updated_at)
         SELECT i, 1, 'new', '2025-01-01 00:00:00', '2025-01-01 00:00:00' FROM n",
    );
    let mut child = carve(&shop, &["apply", "orders"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let journal = shop.join(".carve/orders/journal.jsonl");
    let begun = Instant::now();
    while !fs::read_to_string(&journal).unwrap_or_default().contains("\"began\"") {
        assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    let told = says(&shop, &["status"], 0, &[]);
    let still = child.try_wait().unwrap().is_none();
    assert!(!still || told.contains(&format!("process {}", child.id())) && !told.contains("failed"), "{told}");
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let told = said(&output);
    assert!(matches!(output.status.code(), Some(0 | 130)), "{:?} {told}", output.status);
    assert!(output.status.code() == Some(0) || told.contains("interrupted"), "{told}");
}

#[test]
fn a_name_under_wraps_that_means_nothing_stops_the_plan() {
    for (wraps, words) in [
        (
            "orders: { columns: { ordres.comment: omit } }",
            ["`columns: ordres.comment`", "did you mean `orders.comment`?"],
        ),
        ("orders: { columns: { nowhere.comment: omit } }", ["`columns: nowhere.comment`", "orders"]),
        ("ordesr: { columns: { orders.comment: omit } }", ["`wraps.ordesr`", "did you mean `orders`?"]),
    ] {
        let (_keep, shop) = planned();
        let before = fs::read(shop.join("plans/orders.yaml")).unwrap();
        append(&shop.join("carve.yaml"), &format!("wraps: {{ {wraps} }}\n"));
        says(&shop, &["plan", "--service", "orders"], 1, &words);
        assert_eq!(fs::read(shop.join("plans/orders.yaml")).unwrap(), before, "{wraps}");
    }
}

#[test]
fn a_misspelt_table_among_those_of_a_candidate_is_told_as_an_error() {
    let (_keep, shop) = planned();
    append(&shop.join("carve.yaml"), "candidates: { basket: ['raw.orders', 'raw.ordr_lines'] }\n");
    says(&shop, &["plan", "--dry-run"], 1, &["error: setting not used:", "`raw.ordr_lines` fits no dataset"]);
}

#[test]
fn a_wrapped_service_is_compared_by_what_its_plan_recorded() {
    let (_keep, shop) = planned();
    run(&shop, &["apply", "web"], 0);
    says(&shop, &["explain", "web", "--vs", "orders"], 0, &["when it was planned", "now", "cannot be said"]);
    fs::remove_file(shop.join("plans/web.yaml")).unwrap();
    says(&shop, &["explain", "orders", "--vs", "web"], 4, &["`web` is a data service", "its scores are not known"]);
}

#[test]
fn a_script_in_the_place_of_a_dataset_is_told_the_way_to_read_scripts() {
    let (_keep, shop) = planned();
    let script = "sql/transformed/orders/orders_clean.sql";
    says(&shop, &["lineage", script], 64, &["carve lineage --sql sql/transformed/orders/orders_clean.sql"]);
}

#[test]
fn where_nothing_is_to_be_switched_no_page_is_said_to_be_there() {
    let (_keep, shop) = planned();
    fs::remove_dir_all(shop.join("superset")).unwrap();
    let told = says(&shop, &["switchover", "web"], 0, &["nothing to switch"]);
    assert!(!told.contains("A page for each"), "{told}");
}

#[test]
fn a_repointed_job_that_cannot_be_compared_is_told_by_every_summary() {
    // `payments_settled` deletes rows and reads a temp table of its own: its answer before and after is not compared.
    let (_keep, shop) = planned();
    let words = ["not compared:", "payments_settled", "DELETE removes rows where they are (and 1 more statement)"];
    says(&shop, &["apply", "orders"], 0, &words);
    says(&shop, &["verify", "orders"], 0, &words);
    says(&shop, &["status"], 0, &[&words[..], &["27 of 27, 1 job not compared"]].concat());
    for command in [&["apply", "orders"][..], &["verify", "orders"]] {
        let answer = run(&shop, &[command, &["--format", "json"]].concat(), 0);
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        let told = &answer["not_compared"];
        assert_eq!(told[0]["job"], "payments_settled", "{answer}");
        assert_eq!((told.as_array().unwrap().len(), told[0]["reasons"].as_array().unwrap().len()), (1, 2), "{told}");
    }
    run(&shop, &["rollback", "orders"], 0);
    let after = says(&shop, &["status"], 0, &["rolled_back"]);
    assert!(!after.contains("not compared"), "nothing is repointed any more: {after}");
}

#[test]
fn after_a_rollback_nothing_can_be_verified_whatever_mode_the_wrap_had() {
    for mode in ["beside", "in_place"] {
        let (_keep, shop) = planned();
        append(&shop.join("carve.yaml"), &format!("\nwraps: {{ default: {{ mode: {mode} }} }}\n"));
        run(&shop, &["plan", "--service", "web"], 0);
        run(&shop, &["apply", "web"], 0);
        run(&shop, &["rollback", "web"], 0);
        let told = says(&shop, &["verify", "web"], 4, &["withdrawn by a rollback", "Nothing could be verified"]);
        assert!(!told.contains("damaged"), "{mode}: {told}");
        let status = says(&shop, &["status"], 0, &[]);
        assert!(!status.contains("not equal"), "{mode}: {status}");
    }
}

#[test]
fn a_lake_that_is_no_database_is_told_once_and_not_for_each_table() {
    let (_keep, shop) = planned();
    fs::write(shop.join("lake/raw.db"), [0xfe; 20_000]).unwrap();
    let told = says(&shop, &["apply", "orders"], 4, &["is no SQLite database", "and 18 more by the same cause"]);
    let times = told.lines().filter(|line| line.starts_with("  - ") && line.contains("no SQLite database")).count();
    assert_eq!(times, 1, "{told}");
}

#[cfg(feature = "s3")]
#[test]
fn a_store_that_does_not_answer_is_one_cause_with_one_exit_code() {
    let (keep, shop) = planned();
    run(&shop, &["apply", "web"], 0);
    set_bucket(&shop, "s3://mesh?region=us-east-1&endpoint=http://127.0.0.1:9");
    let ends = |shop: &Path, arguments: &[&str], keys: bool, code: i32| {
        let mut command = carve(shop, arguments);
        command.env("AWS_EC2_METADATA_DISABLED", "true").env_remove("AWS_PROFILE").env("HOME", "/nowhere");
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
            match keys {
                true => command.env(name, "x"),
                false => command.env_remove(name),
            };
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(code), "carve {arguments:?}: {}", said(&output));
        assert!(said(&output).contains("to do:"), "{}", said(&output));
        said(&output)
    };
    let commands: [&[&str]; 4] = [&["catalog"], &["refresh", "web"], &["apply", "orders"], &["rollback", "web"]];
    // Each waits for the store most of the time, so they wait side by side.
    std::thread::scope(|scope| {
        for command in commands {
            let copy = keep.path().join(command[0]);
            copy_all(&shop, &copy);
            scope.spawn(move || {
                ends(&copy, command, true, 5);
                let told = ends(&copy, command, false, 4);
                assert!(told.contains("no credentials were found") && !told.contains("***"), "{told}");
            });
        }
    });
}

#[test]
fn a_folder_that_cannot_be_written_is_one_cause_with_one_exit_code() {
    if !crate::support::may_mount() {
        return;
    }
    let (_keep, shop) = planned();
    run(&shop, &["apply", "web"], 0);
    // A file system that only reads stops even the superuser.
    for command in [
        "plan --service orders",
        "report",
        "catalog",
        "switchover orders",
        "apply orders",
        "refresh web",
        "rollback web",
        "verify web --junit proofs.xml",
        "demo inner",
    ] {
        let script = format!(
            "mount --bind . . && mount -o remount,ro,bind . && cd \"$PWD\" && touch x 2>/dev/null && exit 99; carve {command}"
        );
        let output = crate::support::in_namespace(&shop, &script);
        assert_eq!(output.status.code(), Some(4), "carve {command}: {}", said(&output));
        assert!(said(&output).contains("to do:"), "carve {command}: {}", said(&output));
    }
}

#[cfg(unix)]
#[test]
fn a_terminal_that_goes_away_ends_an_apply_as_ctrl_c_does() {
    for signal in ["-HUP", "-INT"] {
        let (_keep, shop) = planned();
        // A raw table of many rows keeps it at work for a while.
        lake(
            &shop,
            "WITH RECURSIVE n(i) AS (SELECT 10000000 UNION ALL SELECT i + 1 FROM n LIMIT 200000)
             INSERT INTO orders (order_id, customer_id, status, ordered_at, updated_at)
             SELECT i, 1, 'new', '2025-01-01 00:00:00', '2025-01-01 00:00:00' FROM n",
        );
        let child = carve(&shop, &["apply", "orders"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let journal = shop.join(".carve/orders/journal.jsonl");
        let begun = Instant::now();
        while !fs::read_to_string(&journal).unwrap_or_default().contains("\"began\"") {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(5));
        }
        // Shells and systems tell more than once that the terminal is gone.
        let times = if signal == "-HUP" { 2 } else { 1 };
        for _ in 0..times {
            std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{signal}: {}", said(&output));
        assert!(said(&output).contains("to do: run the same command again to go on"), "{signal}: {}", said(&output));
        let lines = fs::read_to_string(&journal).unwrap();
        assert!(lines.lines().last().unwrap().contains("\"because\":\"interrupted\""), "{signal}: {lines}");
        run(&shop, &["apply", "orders"], 0);
        run(&shop, &["verify", "orders"], 0);
    }
}

#[cfg(unix)]
#[test]
fn planning_that_is_interrupted_ends_with_130() {
    let estate = crate::support::folder();
    // Reading this takes a while: a script of many statements.
    let statement =
        "insert into mart.t select a.x, b.y, c.z from raw.a a join raw.b b on a.i = b.i join raw.c c using (j);\n";
    fs::write(estate.path().join("long.sql"), statement.repeat(80_000)).unwrap();
    for (command, signal) in [("plan", "-INT"), ("scan", "-INT"), ("plan", "-TERM"), ("plan", "-HUP")] {
        let child =
            carve(estate.path(), &[command, "."]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Until it catches signals, as the system tells.
        let status = format!("/proc/{}/status", child.id());
        let begun = Instant::now();
        while !fs::read_to_string(&status).unwrap_or_default().lines().any(|line| {
            let caught = line.strip_prefix("SigCgt:").and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
            caught.is_some_and(|mask| mask & 0x4003 == 0x4003)
        }) {
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not listen");
            std::thread::sleep(Duration::from_millis(2));
        }
        std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{command} {signal}: {}", said(&output));
        assert!(said(&output).contains("interrupted"), "{}", said(&output));
    }
    assert!(!estate.path().join("plans").exists());
}

#[test]
fn a_plan_that_is_not_there_is_told_with_a_command_that_works() {
    let (_keep, shop) = planned();
    let above = shop.parent().unwrap();
    let told = says(above, &["apply", "nope", "--estate", "shop"], 1, &["`carve plan shop`", "orders"]);
    assert!(!told.contains("--service"), "`carve plan --service nope` would fail: {told}");
    says(above, &["apply", "order", "--estate", "shop"], 1, &["did you mean `orders`?"]);
    run(above, &["plan", "shop"], 0);
    let empty = crate::support::folder();
    says(empty.path(), &["explain", "x"], 1, &["the estate has none"]);
    says(empty.path(), &["lineage", "--sql", "nofile"], 1, &["to do: name a text file"]);
    says(empty.path(), &["plan", ".", "--settings", "/dev/full"], 1, &["is no file that holds settings"]);
}

#[test]
fn templates_are_tried_by_a_dry_run_too() {
    let (_keep, shop) = planned();
    says(&shop, &["plan", "--dry-run", "--templates", "nofolder"], 1, &["nofolder", "to do:"]);
    fs::create_dir(shop.join("own")).unwrap();
    fs::write(shop.join("own/report.md.hbs"), "{{#if}").unwrap();
    says(&shop, &["plan", "--dry-run", "--templates", "own"], 1, &["report.md"]);
    fs::write(shop.join("own/report.md.hbs"), "# mine").unwrap();
    says(&shop, &["plan", "--dry-run", "--templates", "own"], 0, &[]);
}

#[test]
fn a_raw_table_that_moves_on_before_its_proof_is_no_difference_and_nothing_is_switched_before_all_is_proven() {
    for mode in ["beside", "in_place"] {
        let (_keep, shop) = planned();
        append(&shop.join("carve.yaml"), &format!("\nwraps: {{ default: {{ mode: {mode} }} }}\n"));
        run(&shop, &["plan", "--service", "orders"], 0);
        run(&shop, &["apply", "orders", "--stop-after", "orders.publish"], 0);
        // The last of six tables is loaded between the publication and its proof.
        lake(&shop, "DELETE FROM shipments WHERE rowid = (SELECT max(rowid) FROM shipments)");
        run(&shop, &["apply", "orders", "--stop-after", "orders.shipments.prove-continuity"], 0);
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name LIKE '%\\_\\_import' ESCAPE '\\'
            OR name LIKE '%before_carve'";
        let count = |sql: &str| -> i64 {
            let lake = rusqlite::Connection::open(shop.join("lake/raw.db")).unwrap();
            lake.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        assert_eq!(count(tables), 0, "{mode}: nothing is switched before all is proven");
        run(&shop, &["apply", "orders"], 0);
        says(&shop, &["verify", "orders"], 0, &["Equal."]);
        assert_eq!(count(tables), 6, "{mode}");
    }
}

#[test]
fn the_job_that_keeps_a_wrap_fresh_runs_from_the_estate_wherever_plan_and_settings_lie() {
    let (_keep, shop) = planned();
    let here = shop.parent().unwrap();
    fs::rename(shop.join("carve.yaml"), here.join("conf.yaml")).unwrap();
    fs::remove_dir_all(shop.join("plans")).unwrap();
    let named = ["--out", "the out", "--settings", "conf.yaml"];
    run(here, &[&["plan", "shop"], &named[..]].concat(), 0);
    run(here, &[&["apply", "orders", "--estate", "shop"], &named[..]].concat(), 0);
    let job = fs::read_to_string(shop.join("jobs/carve/orders.refresh.yaml")).unwrap();
    let line = "    run: \"carve refresh orders --out '../the out' --settings ../conf.yaml\"\n";
    assert!(job.contains(line), "{job}");
    says(&shop, &["refresh", "orders", "--out", "../the out", "--settings", "../conf.yaml"], 0, &["nothing changed"]);
}

#[test]
fn what_a_switchover_prepares_is_not_taken_for_switched() {
    let (_keep, shop) = planned();
    run(&shop, &["apply", "orders"], 0);
    run(&shop, &["switchover", "orders"], 0);
    let switched = || {
        let status: serde_json::Value = serde_json::from_str(&run(&shop, &["status", "--format", "json"], 0)).unwrap();
        let services = status["services"].as_array().unwrap().clone();
        let orders = services.into_iter().find(|its| its["service"] == "orders").unwrap();
        orders["switched"].clone()
    };
    assert_eq!(switched(), serde_json::json!([0, 3]));
}

#[test]
fn rows_that_an_import_lost_are_a_difference_and_the_next_run_imports_them_anew() {
    let (_keep, shop) = planned();
    run(&shop, &["apply", "orders", "--stop-after", "orders.shipments.import"], 0);
    lake(&shop, "DELETE FROM shipments__carve_staging WHERE rowid = (SELECT max(rowid) FROM shipments__carve_staging)");
    says(&shop, &["apply", "orders"], 7, &["continuity of raw.shipments is different"]);
    run(&shop, &["apply", "orders"], 0);
    says(&shop, &["verify", "orders"], 0, &["Equal."]);
}

#[test]
fn a_plan_that_is_no_text_is_told_and_not_called_new() {
    let (_keep, shop) = planned();
    fs::write(shop.join("plans/orders.yaml"), [0xff, 0x00, 0xfe]).unwrap();
    says(&shop, &["status"], 0, &["not read: ", "plans/orders.yaml: the file cannot be read"]);
    let drafted: serde_json::Value =
        serde_json::from_str(&run(&shop, &["plan", "--dry-run", "--format", "json"], 0)).unwrap();
    for plan in drafted["plans"].as_array().unwrap() {
        let wanted = if plan["service"] == "orders" { "changed" } else { "unchanged" };
        assert_eq!(plan["state"], wanted, "{plan}");
    }
}
