//! The real binary, killed at each journal boundary and at random moments of an import, then run again.
use std::{fs, process::Stdio, time::Duration};

use super::wrap::{Estate, planned};
use crate::support::{carve, copy_all, folder};

/// The same estate with a lake of its own.
fn copy(of: &Estate) -> Estate {
    let (folder, source, lake) = (folder(), of.source.copy(), of.lake.copy());
    copy_all(of.path(), folder.path());
    let settings = folder.path().join("carve.yaml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text.replace(&of.source.url(""), &source.url("")).replace(&of.lake.url(""), &lake.url("")))
        .unwrap();
    Estate { folder, source, lake }
}

fn proven_in_the_end(estate: &Estate) {
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    let all = |table: &str| format!("SELECT * FROM {table} ORDER BY id");
    assert_eq!(estate.lake.sql(&all("raw.orders")), estate.source.sql(&all("orders")));
    assert_eq!(estate.lake.sql("SELECT count(*) FROM mart.paid"), "1250");
    assert_eq!(estate.lake.sql("SELECT count(*) FROM pg_class WHERE relname = 'orders__carve_staging'"), "0");
}

#[test]
fn killed_at_each_journal_boundary_it_still_ends_proven() {
    let Some(pristine) = planned("mode: in_place") else { return };
    let (mut at, mut killed) = (1, 0);
    loop {
        let mut finished = false;
        for side in ["before", "after"] {
            let estate = copy(&pristine);
            let mut command = carve(estate.path(), &["apply", "sales"]);
            command.env("CARVE_TEST_CRASH_AT", format!("{at}.{side}")).stdout(Stdio::null()).stderr(Stdio::null());
            match command.status().unwrap().code() {
                Some(0) => finished = true,
                Some(code) => panic!("crash at {at}.{side}: exit {code}, not a crash"),
                None => killed += 1,
            }
            proven_in_the_end(&estate);
        }
        if finished {
            break;
        }
        at += 1;
    }
    // Six steps, each with two lines at least, and two sides of a line.
    assert!(killed >= 24, "{killed} kills");
}

#[test]
fn killed_at_random_moments_again_and_again_it_still_ends_proven() {
    let Some(pristine) = planned("mode: in_place, rows_per_part: 50") else { return };
    for seed in 0..3_u64 {
        let estate = copy(&pristine);
        let mut random = 0x5eed_u64 + seed;
        for _ in 0..5 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let mut child =
                carve(estate.path(), &["apply", "sales"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(50 + (random >> 33) % 700));
            // Already ended is as good: the next round starts from wherever this one came to.
            let _ = child.kill();
            child.wait().unwrap();
        }
        proven_in_the_end(&estate);
    }
}
