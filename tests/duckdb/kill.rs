//! The real binary, killed at each journal boundary and at random moments of an import, then run again.
use std::{process::Stdio, time::Duration};

use super::one;
use super::support::{carve, copy_all, folder};
use super::wrap::{Estate, planned};

/// The same estate with a lake of its own.
fn copy(of: &Estate) -> Estate {
    let folder = folder();
    copy_all(of.path(), folder.path());
    Estate { folder }
}

fn proven_in_the_end(estate: &Estate) {
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    assert_eq!(estate.all("raw.orders"), estate.all("orders"));
    assert_eq!(one(&estate.lake(), "SELECT count(*) FROM mart.paid"), "1250");
    let staging = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'orders__carve_staging'";
    assert_eq!(one(&estate.lake(), staging), "0");
    indexes_find_what_is_there(estate);
}

/// By index and by looking at every row: a log that was replayed wrongly would tell two numbers.
fn indexes_find_what_is_there(estate: &Estate) {
    for table in ["raw.orders", "raw.orders__before_carve"] {
        for condition in ["note = 'n1'", "note || '' = 'n1'"] {
            let found = one(&estate.lake(), &format!("SELECT count(*) FROM {table} WHERE {condition}"));
            assert_eq!(found, "358", "{table} {condition}");
        }
        assert_eq!(one(&estate.lake(), &format!("SELECT note FROM {table} WHERE id = 8")), "n1");
    }
}

#[test]
fn killed_at_each_journal_boundary_it_still_ends_proven_and_comes_back() {
    let pristine = planned("mode: in_place");
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
            estate.run(&["rollback", "sales"], 0);
            assert_eq!(estate.all("raw.orders"), estate.all("orders"));
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
    let pristine = planned("mode: in_place, rows_per_part: 50");
    for seed in 0..3_u64 {
        let estate = copy(&pristine);
        let mut random = 0x5eed_u64 + seed;
        for _ in 0..6 {
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
