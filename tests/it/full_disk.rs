//! The disk fills up in the middle of a wrap: the error is clear, nothing is lost, and the same command goes on.
//!
//! Each place — bucket, carve's own folder, lake — is put on a file system too small for it, in a mount namespace of
//! the test's own. Where that is not permitted, limits on the size of files do a part of the same.
use std::{fs, process::Command};

use crate::support::{folder, in_namespace, may_mount, planned, run};

const SERVICE: &str = "orders";

/// Fills `place` of `shop`, a file system of `kib` KiB: the wrap stops with the disk's name for it and code 5, goes
/// on once there is room, and ends proven.
fn fills(place: &str, kib: u32) {
    if !may_mount() {
        return;
    }
    let (_keep, shop) = planned();
    let script = format!(
        "mkdir -p {place}; cp -a {place} kept
         mount -t tmpfs -o size={kib}k tmpfs {place} || exit 90; cp -a kept/. {place}/ || exit 91
         carve apply {SERVICE}; first=$?
         mount -o remount,size=200m {place} || exit 92
         carve apply {SERVICE} >/dev/null || exit 93
         carve verify {SERVICE} >/dev/null || exit 94
         exit $first"
    );
    let output = in_namespace(&shop, &script);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(5), "{place}: {said}");
    assert!(said.contains("full") || said.contains("No space left"), "{place}: {said}");
    assert!(said.contains("run the same command again"), "{place}: {said}");
}

#[test]
fn a_full_bucket_stops_the_wrap_and_room_lets_it_go_on() {
    fills("bucket", 64);
}

#[test]
fn a_full_disk_under_the_journal_stops_the_wrap_and_room_lets_it_go_on() {
    fills(".carve", 16);
}

#[test]
fn a_full_lake_stops_the_wrap_and_room_lets_it_go_on() {
    if !may_mount() {
        return;
    }
    let keep = folder();
    run(keep.path(), &["demo", "shop", "--scale", "0.05", "--no-apply"], 0);
    let shop = keep.path().join("shop");
    let bytes: u64 = fs::read_dir(shop.join("lake")).unwrap().map(|file| file.unwrap().metadata().unwrap().len()).sum();
    // Preflight wants a mebibyte free; the import needs more than that.
    let kib = bytes / 1024 + 1400;
    let script = format!(
        "cp -a lake kept; mount -t tmpfs -o size={kib}k tmpfs lake || exit 90; cp -a kept/. lake/ || exit 91
         carve apply {SERVICE}; first=$?
         mount -o remount,size=900m lake || exit 92
         carve apply {SERVICE} >/dev/null || exit 93
         carve verify {SERVICE} >/dev/null || exit 94
         exit $first"
    );
    let output = in_namespace(&shop, &script);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("the disk is full"), "{said}");
}

#[test]
fn a_limit_on_the_size_of_files_is_an_error_that_passes_and_no_death() {
    let (_keep, shop) = planned();
    let carve = env!("CARGO_BIN_EXE_carve");
    // An ignored signal stays ignored over exec: then the write fails instead of killing the writer.
    let script = format!("cd {shop:?}; trap '' XFSZ; ulimit -f 8; exec {carve:?} apply {SERVICE}");
    let output = Command::new("bash").args(["-c", &script]).env("NO_COLOR", "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(4 | 5)), "{:?}: {said}", output.status);
    run(&shop, &["apply", SERVICE], 0);
    run(&shop, &["verify", SERVICE], 0);
}
