//! The real binary, from the demo's estate to its last undo.
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::support::{carve, expect, files, first_service, folder, planned, run, set_bucket};

fn json(at: &Path, arguments: &[&str]) -> serde_json::Value {
    let mut all = arguments.to_vec();
    all.extend(["--format", "json"]);
    serde_json::from_str(&run(at, &all, 0)).unwrap()
}

fn bucket(shop: &Path) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    files(&shop.join("bucket"))
}

/// The estate's own files: what git tracks or could track, without lake, bucket and carve's output.
fn estate_files(shop: &Path) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let own = |path: &std::path::PathBuf| {
        let first = path.components().next().unwrap().as_os_str().to_string_lossy().into_owned();
        !["lake", "bucket", ".carve", "report", "plans", ".git", "catalog", "switchover", "sources"]
            .contains(&first.as_str())
    };
    files(shop).into_iter().filter(|(path, _)| own(path)).collect()
}

fn raw_orders(shop: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(shop.join("lake/raw.db")).unwrap()
}

#[test]
fn a_wrap_ends_proven_and_a_second_apply_moves_no_bytes() {
    let (_keep, shop) = planned();
    let service = first_service(&shop);
    let report = json(&shop, &["apply", &service]);
    assert_eq!(report["complete"], true, "{report}");
    let verdicts: Vec<&str> =
        report["proofs"].as_array().unwrap().iter().map(|proof| proof["verdict"].as_str().unwrap()).collect();
    assert!(!verdicts.is_empty() && verdicts.iter().all(|verdict| *verdict != "different"), "{verdicts:?}");
    let before = (bucket(&shop), estate_files(&shop));
    run(&shop, &["apply", &service], 0);
    assert_eq!((bucket(&shop), estate_files(&shop)), before);
    assert_eq!(json(&shop, &["verify", &service])["equal"], true);
}

#[test]
fn repointed_files_differ_only_where_the_import_is_named() {
    let (_keep, shop) = planned();
    let before = estate_files(&shop);
    let service = first_service(&shop);
    run(&shop, &["apply", &service], 0);
    let after = estate_files(&shop);
    let changed: Vec<_> = before.iter().filter(|(path, bytes)| after.get(*path) != Some(bytes)).collect();
    assert!(changed.len() >= 5, "{} files changed", changed.len());
    for (path, bytes) in changed {
        // Taking the import's name out again gives the file back, but for the case of the table's own name.
        let lower = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().to_lowercase();
        assert_eq!(lower(&after[path]).replace("__import", ""), lower(bytes), "{path:?}");
    }
}

#[test]
fn a_rollback_gives_every_file_and_table_back() {
    let (_keep, shop) = planned();
    let service = first_service(&shop);
    let before = estate_files(&shop);
    let tables = |shop: &Path| -> Vec<String> {
        let lake = raw_orders(shop);
        let mut names = lake.prepare("SELECT name FROM sqlite_schema ORDER BY 1").unwrap();
        names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let tables_before = tables(&shop);
    run(&shop, &["apply", &service], 0);
    assert_ne!(tables(&shop), tables_before);
    run(&shop, &["rollback", &service], 0);
    assert_eq!(estate_files(&shop), before);
    assert_eq!(tables(&shop), tables_before);
    run(&shop, &["rollback", &service], 0);
    run(&shop, &["apply", &service], 0);
}

#[test]
fn a_refresh_follows_the_raw_table_and_then_publishes_nothing() {
    let (_keep, shop) = planned();
    let service = first_service(&shop);
    run(&shop, &["apply", &service], 0);
    assert_eq!(json(&shop, &["refresh", &service])["published"], false);
    let lake = raw_orders(&shop);
    let changed = lake.execute("UPDATE orders SET status = 'refreshed' WHERE rowid % 10 = 0", []).unwrap();
    assert!(changed > 0);
    drop(lake);
    let report = json(&shop, &["refresh", &service]);
    assert_eq!(report["published"], true, "{report}");
    let seen: i64 = raw_orders(&shop)
        .query_row("SELECT COUNT(*) FROM orders__import WHERE status = 'refreshed'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(seen, changed as i64);
    let published = bucket(&shop);
    assert_eq!(json(&shop, &["refresh", &service])["published"], false);
    assert_eq!(bucket(&shop), published);
}

#[test]
fn a_dry_run_writes_nothing() {
    let (_keep, shop) = planned();
    let service = first_service(&shop);
    let before = files(&shop);
    let said = run(&shop, &["apply", &service, "--dry-run"], 0);
    assert!(said.contains("Nothing was written"), "{said}");
    let after = files(&shop);
    let new: Vec<_> =
        after.iter().filter(|(path, bytes)| before.get(*path) != Some(bytes)).map(|(path, _)| path).collect();
    assert!(new.iter().all(|path| path.ends_with("lock")), "{new:?}");
}

#[test]
fn an_altered_plan_is_refused_and_so_is_one_whose_query_changed() {
    let (_keep, shop) = planned();
    let service = first_service(&shop);
    let path = shop.join(format!("plans/{service}.yaml"));
    let plan = fs::read_to_string(&path).unwrap();
    fs::write(&path, plan.replace("rows_per_part: 1000", "rows_per_part: 7")).unwrap();
    run(&shop, &["apply", &service], 3);
    fs::write(&path, &plan).unwrap();
    let edited = plan.lines().find_map(|line| line.trim().strip_prefix("- file: ")).unwrap();
    let edited = shop.join(edited);
    let text = fs::read_to_string(&edited).unwrap();
    fs::write(&edited, format!("{text}\nSELECT 1 FROM raw.new_table;\n")).unwrap();
    run(&shop, &["apply", &service], 3);
}

#[test]
fn two_applies_at_once_and_the_second_names_the_holder() {
    let (_keep, shop) = planned();
    let service = first_service(&shop);
    run(&shop, &["apply", &service, "--stop-after", &format!("{service}.publish")], 0);
    let own = shop.join(format!(".carve/{service}/lock"));
    let lock = fs::File::options().create(true).write(true).truncate(false).open(own).unwrap();
    lock.try_lock().unwrap();
    let output = carve(&shop, &["apply", &service]).output().unwrap();
    expect(&output, &["apply"], 6);
    assert!(String::from_utf8_lossy(&output.stderr).contains("locked"), "{output:?}");
    drop(lock);
    run(&shop, &["apply", &service], 0);
}

#[test]
fn the_same_estate_gives_the_same_plan_and_json_in_any_place() {
    let (_one, first) = planned();
    let (_two, second) = planned();
    for shop in [&first, &second] {
        run(shop, &["plan"], 0);
    }
    assert_eq!(files(&first.join("plans")), files(&second.join("plans")));
    assert_eq!(files(&first.join("report")), files(&second.join("report")));
    for command in ["scan", "plan"] {
        let of = |shop: &Path| run(shop, &[command, "--format", "json"], 0);
        assert_eq!(of(&first), of(&second));
    }
    assert_eq!(carve(&first, &["plan", "--detailed-exitcode"]).output().unwrap().status.code(), Some(0));
}

#[test]
fn a_command_line_not_understood_exits_64_and_a_missing_folder_1() {
    let here = folder();
    run(here.path(), &["pln"], 64);
    run(here.path(), &["plan", "no-such-folder"], 1);
    run(here.path(), &["apply", "Not A Name"], 64);
    run(here.path(), &["--help"], 0);
    run(here.path(), &["completions", "bash"], 0);
    run(here.path(), &["man"], 0);
}

#[test]
fn an_empty_folder_is_an_answer_not_a_failure() {
    let here = folder();
    let said = run(here.path(), &["plan", "."], 0);
    assert!(said.contains("No candidate was found"), "{said}");
}

#[test]
fn a_secret_in_an_address_reaches_no_file_and_no_screen() {
    let (_keep, shop) = planned();
    let service = first_service(&shop);
    let secret = "s3cr3t-planted";
    let bucket = format!("s3://user:{secret}@nowhere/x?region=us-east-1&endpoint=http://127.0.0.1:9&secret={secret}");
    set_bucket(&shop, &bucket);
    for arguments in
        [vec!["plan"], vec!["report"], vec!["status"], vec!["apply", &service, "--dry-run"], vec!["init", "--dry-run"]]
    {
        let output = carve(&shop, &arguments).env("AWS_EC2_METADATA_DISABLED", "true").output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        assert!(!String::from_utf8_lossy(&said).contains(secret), "carve {arguments:?} shows the secret");
    }
    for (path, bytes) in files(&shop).into_iter().filter(|(path, _)| !path.ends_with("carve.yaml")) {
        assert!(!String::from_utf8_lossy(&bytes).contains(secret), "{path:?} holds the secret");
    }
}

/// `carve.yaml` of a demo with these keys added, planned again.
fn wrapped_by(shop: &Path, service: &str, options: &str) {
    let path = shop.join("carve.yaml");
    let settings = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{settings}wraps: {{ {service}: {{ {options} }} }}\n")).unwrap();
    run(shop, &["plan", "--service", service], 0);
    run(shop, &["apply", service], 0);
}

#[test]
fn what_was_begun_is_undone_by_its_own_plan_whatever_the_plans_folder_holds_by_now() {
    let (_keep, shop) = planned();
    let before = files(&shop);
    run(&shop, &["apply", "web"], 0);
    let crashed = carve(&shop, &["rollback", "web"]).env("CARVE_TEST_CRASH_AT", "4.after").output().unwrap();
    assert_ne!(crashed.status.code(), Some(0), "it was to be killed midway");
    let status = json(&shop, &["status"]);
    let web = status["services"].as_array().unwrap().iter().find(|one| one["service"] == "web").unwrap();
    assert_eq!(web["stage"], "rolling_back");
    // Planned anew with other settings meanwhile, and then gone.
    let settings = fs::read_to_string(shop.join("carve.yaml")).unwrap();
    fs::write(shop.join("carve.yaml"), format!("{settings}wraps: {{ web: {{ format: jsonl }} }}\n")).unwrap();
    let plan = fs::read(shop.join("plans/web.yaml")).unwrap();
    let _ = carve(&shop, &["plan", "--service", "web"]).output().unwrap();
    fs::remove_file(shop.join("plans/web.yaml")).unwrap();
    assert_eq!(carve(&shop, &["apply", "web"]).output().unwrap().status.code(), Some(1), "there is no plan to apply");
    let undone = run(&shop, &["rollback", "web"], 0);
    assert!(undone.contains("web is as it was before"), "{undone}");
    fs::write(shop.join("carve.yaml"), settings).unwrap();
    fs::write(shop.join("plans/web.yaml"), plan).unwrap();
    let jobs = |files: &BTreeMap<PathBuf, Vec<u8>>| -> BTreeMap<PathBuf, Vec<u8>> {
        files.clone().into_iter().filter(|(path, _)| path.starts_with("sql") || path.starts_with("jobs")).collect()
    };
    assert_eq!(jobs(&files(&shop)), jobs(&before));
}

#[test]
fn a_service_that_takes_its_data_from_the_source_follows_it() {
    let (_keep, shop) = planned();
    wrapped_by(&shop, "orders", "origin: source, format: parquet, rows_per_part: 500");
    let root = camino::Utf8Path::from_path(&shop).unwrap();
    let late = carve::cli::demo_data::late_rows(root).unwrap();
    let orders = |shop: &Path, table: &str| -> i64 {
        raw_orders(shop).query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    let before = orders(&shop, "orders__import");
    assert_eq!(json(&shop, &["refresh", "orders"])["published"], true, "{late:?}");
    // The lake's own raw table waits for the legacy job; the import has followed the source.
    assert_eq!(orders(&shop, "orders"), before);
    let source = rusqlite::Connection::open(shop.join("sources/order_api.db")).unwrap();
    let at_source: i64 = source.query_row("SELECT COUNT(*) FROM orders", [], |row| row.get(0)).unwrap();
    assert_ne!(at_source, before);
    assert_eq!(orders(&shop, "orders__import"), at_source);
    assert_eq!(json(&shop, &["refresh", "orders"])["published"], false);
}

#[test]
fn in_place_the_import_takes_over_the_name_and_no_dependent_is_edited() {
    let (_keep, shop) = planned();
    let before = estate_files(&shop);
    wrapped_by(&shop, "web", "mode: in_place, format: jsonl");
    let after = estate_files(&shop);
    let changed: Vec<String> = before
        .iter()
        .filter(|(path, bytes)| after.get(*path) != Some(bytes))
        .map(|(path, _)| path.display().to_string())
        .collect();
    // The legacy import's `into` alone, and the settings this test wrote.
    assert_eq!(changed, ["carve.yaml", "jobs/imports.yaml"]);
    assert_eq!(json(&shop, &["verify", "web"])["equal"], true);
    run(&shop, &["rollback", "web"], 0);
    let back = estate_files(&shop);
    assert!(before.iter().filter(|(path, _)| !path.ends_with("carve.yaml")).all(|(path, bytes)| back[path] == *bytes));
}

#[test]
fn verify_finds_damage_and_never_calls_nothing_equal() {
    let (_keep, shop) = planned();
    run(&shop, &["verify", "web"], 4);
    run(&shop, &["apply", "web"], 0);
    run(&shop, &["verify", "web"], 0);
    let part =
        files(&shop.join("bucket")).into_keys().find(|path| path.to_string_lossy().contains("datapart")).unwrap();
    let part = shop.join("bucket").join(part);
    let bytes = fs::read(&part).unwrap();
    fs::write(&part, [&bytes[..], b"1,evil\r\n"].concat()).unwrap();
    run(&shop, &["verify", "web"], 7);
    fs::remove_file(&part).unwrap();
    run(&shop, &["verify", "web"], 7);
    run(&shop, &["refresh", "web", "--republish"], 0);
    run(&shop, &["verify", "web"], 0);
}

#[test]
fn every_job_in_one_yaml_file_is_repointed() {
    let here = folder();
    let write = |name: &str, text: &str| {
        let path = here.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    fs::create_dir_all(here.path().join("bucket")).unwrap();
    fs::create_dir_all(here.path().join("lake")).unwrap();
    let lake = rusqlite::Connection::open(here.path().join("lake/raw.db")).unwrap();
    lake.execute_batch("CREATE TABLE orders (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO orders VALUES (1, 'a');")
        .unwrap();
    write("carve.yaml", "lake: { url: 'sqlite:lake' }\nbucket: { url: 'file:bucket' }\ndialect: sqlite\n");
    write(
        "jobs/load.yaml",
        "format: carve-jobs/1\nsources: { shop: { kind: sqlite, domain: orders } }\njobs:\n  load:\n    kind: import\n    from: shop\n    tables: [{ from: orders, into: raw.orders }]\n",
    );
    let jobs = "format: carve-jobs/1\njobs:\n  a:\n    target: t.a\n    query: |\n      SELECT id FROM raw.orders\n  b:\n    target: t.b\n    query: |\n      SELECT v FROM raw.orders\n";
    write("jobs/inline.yaml", jobs);
    run(here.path(), &["plan"], 0);
    run(here.path(), &["apply", "orders"], 0);
    let after = fs::read_to_string(here.path().join("jobs/inline.yaml")).unwrap();
    assert_eq!(after, jobs.replace("raw.orders", "raw.orders__import"));
}

#[test]
fn a_fault_in_the_settings_stops_what_would_follow_them() {
    let (_keep, shop) = planned();
    let path = shop.join("carve.yaml");
    let settings = fs::read_to_string(&path).unwrap();
    for fault in ["bukcet: { url: 'file:x' }\n", "wraps: { web: { mode: [ } }\n"] {
        fs::write(&path, format!("{settings}{fault}")).unwrap();
        for command in [vec!["plan"], vec!["apply", "web"], vec!["refresh", "web"]] {
            let output = carve(&shop, &command).output().unwrap();
            expect(&output, &command, 1);
            assert!(String::from_utf8_lossy(&output.stderr).contains("carve.yaml:"), "{output:?}");
        }
    }
}

#[test]
fn every_answer_for_programs_names_its_shape() {
    let (_keep, shop) = planned();
    let mut shapes = std::collections::BTreeSet::new();
    for command in [
        "init --dry-run",
        "scan",
        "plan",
        "explain orders",
        "explain orders --vs web",
        "explain web",
        "lineage raw.orders",
        "apply web --dry-run",
        "apply web",
        "refresh web",
        "verify web",
        "status",
        "switchover web",
        "catalog",
        "report",
        "rollback web",
    ] {
        let words: Vec<&str> = command.split(' ').collect();
        let answer = json(&shop, &words);
        shapes.insert(answer["format"].as_str().unwrap_or_else(|| panic!("{command}: {answer}")).to_owned());
    }
    assert_eq!(shapes.len(), 12, "{shapes:?}");
    let failure = run(&shop, &["apply", "nothing", "--format", "json"], 1);
    assert!(failure.contains("carve-failure/1"), "{failure}");
}

/// The commands a demo says to type next, in its order, without what stands behind `#`.
fn next_commands(said: &str) -> Vec<Vec<String>> {
    let lines = said.lines().skip_while(|line| *line != "Next").skip(1);
    lines.map(|line| line.split('#').next().unwrap().split_whitespace().map(str::to_owned).collect()).collect()
}

#[test]
fn every_line_the_demo_says_to_type_works_in_that_order() {
    let here = folder();
    let said = run(here.path(), &["demo", "shop", "--scale", "0.004"], 0);
    let commands = next_commands(&said);
    assert!(commands.len() >= 8, "{said}");
    let mut refreshed = Vec::new();
    for command in commands {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["git", rest @ ..] => {
                let output = std::process::Command::new("git").current_dir(here.path()).args(rest).output().unwrap();
                assert!(output.status.success() && !output.stdout.is_empty(), "{words:?}");
            }
            // `carve` where a shell finds it, else the path of this very binary.
            [program, rest @ ..] if program.ends_with("carve") => {
                let said = run(here.path(), rest, 0);
                assert!(!said.is_empty(), "{words:?}");
                if rest[0] == "refresh" {
                    refreshed.push(said);
                }
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(refreshed[0].contains("published v1.0.1"), "{refreshed:?}");
    assert!(refreshed[1].contains("nothing changed, v1.0.1 stays"), "{refreshed:?}");
}

#[test]
fn time_goes_by_only_in_a_demo() {
    let here = folder();
    fs::create_dir_all(here.path().join("mine")).unwrap();
    run(here.path(), &["demo", "--late-rows", "mine"], 1);
    assert_eq!(fs::read_dir(here.path().join("mine")).unwrap().count(), 0);
}

#[test]
fn a_wrapped_service_is_explained_by_what_was_scored_when_it_was_planned() {
    let (_keep, shop) = planned();
    let before = json(&shop, &["explain", "web"]);
    run(&shop, &["apply", "web"], 0);
    let said = run(&shop, &["explain", "web"], 0);
    assert!(said.contains("is a data service") && said.contains("When it was planned it ranked"), "{said}");
    let after = json(&shop, &["explain", "web"]);
    assert_ne!(after["format"], before["format"]);
    assert_eq!(after["status"]["stage"], "wrapped");
    let plan = fs::read_to_string(shop.join("plans/web.yaml")).unwrap();
    assert!(plan.contains(&format!("priority: '{}'", after["scores_when_planned"]["priority"].as_str().unwrap())));
    let compared = json(&shop, &["explain", "web", "--vs", "orders"]);
    assert_eq!(compared["web"]["scores"], after["scores_when_planned"]);
    assert_eq!(compared["orders"]["scored"], "now");
}

#[test]
fn an_estate_is_named_in_one_way_everywhere_and_by_plain_words_where_nothing_else_is() {
    let (keep, shop) = planned();
    let here = keep.path();
    for command in ["init --dry-run", "scan", "plan --dry-run", "status", "catalog", "report"] {
        let words: Vec<&str> = command.split(' ').collect();
        let by_word = run(here, &[&words[..], &["shop"]].concat(), 0);
        let by_flag = run(here, &[&words[..], &["--estate", "shop"]].concat(), 0);
        assert_eq!(by_word, by_flag, "{command}");
        assert_eq!(run(&shop, &words, 0).lines().count(), by_flag.lines().count(), "{command}");
    }
    for command in ["explain web", "lineage raw.orders", "apply web --dry-run", "switchover web"] {
        let words: Vec<&str> = command.split(' ').collect();
        run(here, &[&words[..], &["--estate", "shop"]].concat(), 0);
    }
}

#[test]
fn a_flag_that_a_command_does_not_use_is_not_taken() {
    let here = folder();
    for command in ["refresh", "verify", "rollback", "apply"] {
        run(here.path(), &[command, "x", "--templates", "."], 64);
        assert!(!run(here.path(), &[command, "--help"], 0).contains("--templates"), "{command}");
    }
    for command in ["plan", "switchover", "catalog", "report"] {
        assert!(run(here.path(), &[command, "--help"], 0).contains("--templates"), "{command}");
    }
}
