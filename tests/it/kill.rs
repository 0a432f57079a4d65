//! The real binary, killed at each journal boundary and at random moments, then run again.
use std::{fs, path::Path, process::Stdio, time::Duration};

use crate::support::{carve, files, first_service, planned, run};

/// Nothing under `schemata/` names a part that is not there with the bytes it says, and no part lies
/// about that no contract names.
fn only_whole_publications(shop: &Path, service: &str) {
    let base = shop.join("bucket/data-services").join(service);
    let objects = files(&base);
    let contracts: Vec<_> = objects.keys().filter(|path| path.starts_with("schemata")).collect();
    assert_eq!(contracts.len(), 1, "{contracts:?}");
    let name = contracts[0].file_name().unwrap().to_str().unwrap();
    let version = name.split('.').take(3).collect::<Vec<_>>().join(".");
    for path in objects.keys().filter(|path| !path.starts_with("schemata")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(&format!("{version}.")), "{path:?} is an orphan beside {version}");
    }
}

fn proven_in_the_end(shop: &Path, service: &str) {
    run(shop, &["apply", service], 0);
    let verified: serde_json::Value =
        serde_json::from_str(&run(shop, &["verify", service, "--format", "json"], 0)).unwrap();
    assert_eq!(verified["equal"], true, "{verified}");
    only_whole_publications(shop, service);
}

#[test]
fn killed_at_each_journal_boundary_it_still_ends_proven() {
    let (_keep, pristine) = planned();
    // The smallest service, so that every boundary can be tried; the random kills take the largest.
    let service = "web".to_owned();
    let (mut at, mut killed) = (1, 0);
    loop {
        let mut finished = false;
        for side in ["before", "after"] {
            let shop = tempfile::tempdir().unwrap();
            crate::support::copy_all(&pristine, shop.path());
            let mut command = carve(shop.path(), &["apply", &service]);
            let status =
                command.env("CARVE_TEST_CRASH_AT", format!("{at}.{side}")).stdout(Stdio::null()).stderr(Stdio::null());
            match status.status().unwrap().code() {
                Some(0) => finished = true,
                Some(code) => panic!("crash at {at}.{side}: exit {code}, not a crash"),
                None => killed += 1,
            }
            proven_in_the_end(shop.path(), &service);
        }
        if finished {
            break;
        }
        at += 1;
    }
    // Every step writes at least two lines, and each was a boundary.
    let plan = fs::read_to_string(pristine.join(format!("plans/{service}.yaml"))).unwrap();
    let steps = plan.lines().filter(|line| line.starts_with("- id: ")).count();
    assert!(killed >= 4 * steps, "{killed} kills for {steps} steps");
}

#[test]
fn killed_at_random_moments_again_and_again_it_still_ends_proven() {
    let (_keep, pristine) = planned();
    let service = first_service(&pristine);
    let mut random = 0x5eed_u64;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    for _ in 0..3 {
        let shop = tempfile::tempdir().unwrap();
        crate::support::copy_all(&pristine, shop.path());
        for _ in 0..6 {
            let mut child =
                carve(shop.path(), &["apply", &service]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(next(400)));
            // Already ended is as good: the next round starts from wherever this one came to.
            let _ = child.kill();
            child.wait().unwrap();
        }
        proven_in_the_end(shop.path(), &service);
    }
}
