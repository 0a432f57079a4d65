//! The disk fills up under the lake's server, and under the bucket beside a lake in PostgreSQL: a fault that passes, told
//! as one, and no row lost or doubled once there is room.
use std::process::Command;

use super::{
    Database,
    own::{Own, done, is_root},
    wrap::{Estate, planned, planned_between, scripts},
};
use crate::support::{in_namespace, may_mount};

const MORE: &str =
    "INSERT INTO orders SELECT i, repeat('n', 300), i, '2024-01-01', true, '1 s' FROM generate_series(3001, 60000) i;";

fn same_rows(estate: &Estate) {
    let all = |table: &str| format!("SELECT count(*), count(DISTINCT id), sum(hashtext(o::text)) FROM {table} o");
    assert_eq!(estate.lake.sql(&all("raw.orders__import")), estate.source.sql(&all("orders")));
}

#[test]
fn a_lake_whose_disk_is_full_takes_the_import_once_there_is_room() {
    if !is_root() || !may_mount() {
        eprintln!("SKIPPED: only root can give a server a small disk");
        return;
    }
    let small = "mkdir -p small && mount -t tmpfs -o size=22m tmpfs small && chown postgres small";
    let Some(own) = Own::after(small) else { return };
    let (source, lake) = scripts();
    // The tablespace is the server's, made by a database that is not in it.
    let first = Database::of(&own.url(), "");
    first.sql(&format!("CREATE TABLESPACE small LOCATION '{}'", own.folder().join("small").display()));
    let there = Database::of(&own.url(), " TABLESPACE small");
    there.sql(&lake);
    let source = Database::with(&format!("{source} {MORE}")).unwrap();
    let estate = planned_between(source, there, "file:bucket", "mode: beside, origin: source, continuity: report");
    for _ in 0..2 {
        let (code, said) = estate.tried(&["apply", "sales"]);
        assert_eq!(code, Some(5), "{said}");
        assert!(said.contains("the server's disk is full: free some space"), "{said}");
        assert!(said.contains("run the same command again"), "{said}");
        assert_eq!(estate.lake.sql("SELECT to_regclass('raw.orders__import') IS NULL"), "t");
    }
    let place = own.folder().join("small");
    let inside = ["-t", &own.id().to_string(), "-m", "mount", "-o", "remount,size=200m"].map(str::to_owned);
    done(Command::new("nsenter").args(inside).arg(place));
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    same_rows(&estate);
}

#[test]
fn a_bucket_whose_disk_is_full_goes_on_once_there_is_room() {
    if !may_mount() {
        return;
    }
    let Some(estate) = planned("mode: beside, origin: source, rows_per_part: 100") else { return };
    let script = "mount -t tmpfs -o size=64k tmpfs bucket || exit 90
         carve apply sales; first=$?
         carve apply sales; again=$?
         mount -o remount,size=200m bucket || exit 92
         carve apply sales >/dev/null || exit 93
         carve verify sales >/dev/null || exit 94
         [ $first = 5 ] || exit 95
         exit $again";
    let output = in_namespace(estate.path(), script);
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("the disk is full") && said.contains("run the same command again"), "{said}");
    same_rows(&estate);
}
