//! What a hostile or unlucky user meets at the terminal: each time the code, the cause and the cure.
use std::{
    fs::{self, File, OpenOptions},
    io::Read,
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use crate::support::{carve, in_namespace, may_mount, planned};

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Runs carve, expects this code, and every one of these words somewhere in what it says.
fn says(shop: &Path, arguments: &[&str], code: i32, words: &[&str]) {
    let output = carve(shop, arguments).env_remove("CARVE_TEST_NOT_SET").output().unwrap();
    let told = said(&output);
    assert_eq!(output.status.code(), Some(code), "carve {arguments:?}: {told}");
    for word in words {
        assert!(told.contains(word), "`{word}` is not in: {told}");
    }
}

fn settings(shop: &Path, from: &str, to: &str) {
    let path = shop.join("carve.yaml");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error_and_a_closed_pipe_is_none() {
    let (_keep, shop) = planned();
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    for arguments in [
        &["scan"][..],
        &["scan", "--format", "json"],
        &["plan", "--dry-run"],
        &["status"],
        &["explain", "orders"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["--version"],
    ] {
        let output = carve(&shop, arguments).stdout(full()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", said(&output));
        assert!(said(&output).contains("could not be written"), "{arguments:?}: {}", said(&output));
    }
    let mut child = carve(&shop, &["scan"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut told = String::new();
    child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{told}");
    assert!(!told.contains("error"), "{told}");
}

#[test]
fn one_candidate_that_cannot_be_wrapped_as_asked_keeps_no_other_from_its_plan() {
    let keep = crate::support::folder();
    let estate = keep.path().join("estate");
    fs::create_dir_all(estate.join("jobs")).unwrap();
    fs::write(estate.join("carve.yaml"), "wraps: { default: { origin: source } }\n").unwrap();
    let imports = "format: carve-jobs/1\njobs:\n  load_orders:\n    kind: import\n    from: order_db\n    tables:\n      - { from: orders, into: raw.orders }\n";
    fs::write(estate.join("jobs/load.yaml"), imports).unwrap();
    fs::write(estate.join("copy.sql"), "create table drop_zone.crm as select * from read_csv('s3://crm/x.csv');\n")
        .unwrap();
    says(&estate, &["plan"], 0, &["left out:", "wraps.default.origin", "`crm`"]);
    assert!(!estate.join("plans/crm.yaml").exists());
    says(&estate, &["plan", "--service", "crm"], 1, &["wraps.default.origin", "needs an import job"]);
}

#[test]
fn what_carve_published_is_no_usage_log_and_no_file_of_the_estate() {
    let keep = crate::support::folder();
    let estate = keep.path().join("estate");
    let log = "user,time,query\nada,2026-01-02T10:00:00Z,select * from raw.orders\n";
    for folder in ["bucket/data-services/log/default", "elsewhere/data-services/log/schemata", "logs"] {
        fs::create_dir_all(estate.join(folder)).unwrap();
        fs::write(estate.join(folder).join("v1.0.0.datapart01.csv"), log).unwrap();
    }
    fs::write(estate.join("carve.yaml"), "bucket: { url: \"file:bucket\" }\nlake: { url: \"sqlite:lake.db\" }\n")
        .unwrap();
    fs::write(estate.join("lake.db"), "").unwrap();
    fs::write(estate.join("a.sql"), "create table mart.a as select * from raw.orders;\n").unwrap();
    let roots = [camino::Utf8PathBuf::from_path_buf(estate).unwrap()];
    let (estate, _) = carve::estate::load(&roots, &carve::estate::LoadOptions::default(), &carve::progress::Silent);
    let read: Vec<&str> = estate.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(read, ["a.sql", "carve.yaml", "logs/v1.0.0.datapart01.csv"]);
    assert_eq!(estate.usage.len(), 1);
}

#[test]
fn an_address_that_cannot_be_used_is_told_with_its_key_and_what_would_be_right() {
    for (from, to, words) in [
        (
            "\"sqlite:lake\"",
            "\"env:CARVE_TEST_NOT_SET\"",
            &["CARVE_TEST_NOT_SET is not set", "export CARVE_TEST_NOT_SET=", "`lake.url` in carve.yaml"][..],
        ),
        ("\"sqlite:lake\"", "\"sqllite:lake\"", &["carve reads `sqlite:`", "did you mean `sqlite:`?", "`lake.url`"]),
        ("\"file:bucket\"", "\"fil:bucket\"", &["`file:` and `s3:`", "did you mean `file:`?", "`bucket.url`"]),
        ("\"file:bucket\"", "\"gs://bucket\"", &["carve reads `file:` and `s3:` for a bucket, not `gs:`"]),
    ] {
        let (_keep, shop) = planned();
        settings(&shop, from, to);
        for command in ["apply", "refresh", "verify", "rollback"] {
            says(&shop, &[command, "orders"], 4, words);
        }
    }
}

#[test]
fn a_journal_that_was_edited_is_refused_by_its_line_and_a_lock_left_behind_is_not() {
    let (_keep, shop) = planned();
    says(&shop, &["apply", "orders", "--stop-after", "orders.publish"], 0, &[]);
    let journal = shop.join(".carve/orders/journal.jsonl");
    let whole = fs::read_to_string(&journal).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    for damaged in [
        [&lines[..1], &lines[2..]].concat().join("\n") + "\n",
        whole.replacen("\"event\":\"began\"", "\"event\":\"finished\"", 1),
        whole.replacen("\"n\":2", "\"n\":x", 1),
        format!("\0\0\0\n{whole}"),
    ] {
        fs::write(&journal, &damaged).unwrap();
        says(&shop, &["apply", "orders"], 4, &["of the journal", "is damaged", "delete the damaged line"]);
        assert_eq!(fs::read_to_string(&journal).unwrap(), damaged, "it is left as it was");
    }
    fs::write(&journal, whole).unwrap();
    // A dead process holds no lock, whatever its file says.
    fs::write(
        shop.join(".carve/lock"),
        "{\"pid\":1,\"host\":\"gone\",\"since\":\"2020-01-01T00:00:00Z\",\"doing\":\"x\"}",
    )
    .unwrap();
    says(&shop, &["apply", "orders"], 0, &[]);
}

#[test]
fn a_second_apply_names_the_holder_and_an_interrupt_leaves_a_journal_that_goes_on() {
    let (_keep, shop) = planned();
    let state = shop.join(".carve");
    fs::create_dir_all(&state).unwrap();
    let lock = File::create(state.join("lock")).unwrap();
    lock.lock().unwrap();
    fs::write(
        state.join("lock"),
        "{\"pid\":7,\"host\":\"h\",\"since\":\"2020-01-01T00:00:00Z\",\"doing\":\"apply of `crm`\"}",
    )
    .unwrap();
    says(&shop, &["apply", "orders"], 6, &["process 7 on `h`", "apply of `crm`", "wait"]);
    drop(lock);
    for wait in [5, 40, 120, 300] {
        let mut child = carve(&shop, &["apply", "orders"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(wait));
        let told = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
        drop(told);
        let code = child.wait().unwrap().code();
        // Before carve listens the system ends it; after its end there is nothing to interrupt.
        assert!(matches!(code, None | Some(0 | 130)), "after {wait} ms: {code:?}");
    }
    says(&shop, &["apply", "orders"], 0, &[]);
    says(&shop, &["verify", "orders"], 0, &[]);
}

#[test]
fn several_services_are_applied_in_one_run_and_one_that_fails_holds_no_other_back() {
    let (_keep, shop) = planned();
    says(&shop, &["apply", "web", "orders", "--stop-after", "web.publish"], 64, &["names a step of one plan"]);
    says(&shop, &["apply"], 64, &["SERVICE"]);
    says(&shop, &["apply", "web", "--all"], 64, &["cannot be used with"]);
    // One of them cannot run: its plan was altered.
    let plans: Vec<_> = fs::read_dir(shop.join("plans")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let altered = plans.iter().find(|path| path.ends_with("web.yaml")).unwrap();
    let text = fs::read_to_string(altered).unwrap();
    fs::write(altered, text.replacen("rows_per_part: 1000", "rows_per_part: 999", 1)).unwrap();
    let output = carve(&shop, &["apply", "--all", "--format", "json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let services = answer["services"].as_array().unwrap();
    assert_eq!(services.len(), plans.len(), "{answer}");
    let complete = services.iter().filter(|its| its["run"]["complete"] == true).count();
    let stale = services.iter().filter(|its| its["error"]["exit_code"] == 3).count();
    assert!(complete >= 1 && complete + stale == plans.len(), "{answer}");
    fs::write(altered, text).unwrap();
    says(&shop, &["apply", "web", "web"], 0, &["web", "applied"]);
    says(&shop, &["apply", "web", "nothing-like-it"], 1, &["nothing-like-it", "carve plan"]);
}

#[test]
fn names_with_odd_characters_are_refused_where_they_are_typed() {
    let (_keep, shop) = planned();
    for name in ["../orders", "a b", "Ünïcode", "", "orders/../x", "a'b", "--", "_carve-lease"] {
        let output = carve(&shop, &["apply", "--", name]).output().unwrap();
        let code = output.status.code();
        assert!(matches!(code, Some(64 | 1)), "{name}: {code:?} {}", said(&output));
        assert!(!shop.join(".carve").exists(), "{name}: nothing is written");
    }
}

#[test]
fn a_place_that_may_not_be_written_is_told_before_step_one() {
    if !may_mount() {
        return;
    }
    for place in ["bucket", ".carve", "lake"] {
        let (_keep, shop) = planned();
        let script = format!(
            "mkdir -p {place}; mount --bind {place} {place} || exit 90; mount -o remount,ro,bind {place} || exit 91
             carve apply orders"
        );
        let output = in_namespace(&shop, &script);
        let told = said(&output);
        assert_eq!(output.status.code(), Some(4), "{place}: {told}");
        assert!(told.contains("ead-only") || told.contains("may not be written"), "{place}: {told}");
        assert!(!shop.join("bucket/data-services/orders").exists(), "{place}");
        says(&shop, &["apply", "orders"], 0, &[]);
    }
}

#[test]
fn a_command_line_not_understood_answers_a_program_in_json() {
    let here = tempfile::tempdir().unwrap();
    for arguments in [["scan", "--bogus", "--format", "json"], ["demo", "--scale", "nan", "--format=json"]] {
        let output = carve(here.path(), &arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&answer["format"], &answer["error"]["exit_code"]), (&"carve-failure/1".into(), &64.into()));
    }
}

#[test]
fn a_settings_file_of_aliases_that_go_round_does_nothing() {
    let here = tempfile::tempdir().unwrap();
    std::fs::write(here.path().join("carve.yaml"), "dialect: sqlite\nx: &a [*a]\n").unwrap();
    let output = carve(here.path(), &["plan"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("carve.yaml has faults, so nothing was done"), "{}", said(&output));
}
