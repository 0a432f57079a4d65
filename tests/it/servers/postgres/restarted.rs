//! The database is restarted in the middle of a COPY: out of the origin, into the lake.
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use super::{
    Database,
    own::{Own, Stop},
    wrap::{Estate, planned_between, scripts},
};
use crate::support::files;

/// Rows with a note of `width` bytes: enough for a run to last some seconds, as parts are small.
fn more(width: usize) -> String {
    format!(
        "INSERT INTO orders SELECT i, repeat('n', {width}), i, '2024-01-01', true, '1 s' FROM generate_series(3001, 60000) i;"
    )
}

const ROWS: usize = 59_500;

fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !reached() {
        assert!(begun.elapsed() < Duration::from_secs(120), "{what}");
        sleep(Duration::from_millis(5));
    }
}

/// An apply that is met in the middle by `stop`, fails as what passes, and goes on after `again`.
fn broken_off(estate: &Estate, own: &mut Own, how: Stop, begun: impl Fn() -> bool, finished: impl Fn() -> bool) {
    let mut child = estate.start(&["apply", "sales"]);
    until("nothing is under way", || begun() || child.try_wait().unwrap().is_some());
    own.stop(how);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8([&output.stdout[..], &output.stderr[..]].concat()).unwrap();
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(said.contains("because: ") && said.contains("run the same command again"), "{said}");
    // Still gone: nothing is begun, and a scheduler may try again.
    let (code, said) = estate.tried(&["apply", "sales"]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("does not answer") && said.contains("nothing was begun"), "{said}");
    own.again();
    assert!(!finished(), "it was stopped in the middle");
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    let all = |table: &str| format!("SELECT count(*), count(DISTINCT id), sum(hashtext(o::text)) FROM {table} o");
    let (lake, source) = (estate.lake.sql(&all("raw.orders__import")), estate.source.sql(&all("orders")));
    assert_eq!(lake, source);
    assert!(lake.starts_with(&format!("{ROWS}|{ROWS}|")), "{lake}");
}

const WRAPS: &str = "mode: beside, origin: source, continuity: report, rows_per_part: 200";

#[test]
fn an_origin_restarted_while_it_is_copied_out_is_copied_whole_in_the_end() {
    let Some(mut own) = Own::started() else { return };
    let (source, lake) = scripts();
    let source_there = Database::of(&own.url(), "");
    // Much more than sockets and queues hold, so that the origin is still sending when the first parts are stored.
    source_there.sql(&format!("{source} {}", more(2_000)));
    let estate = planned_between(source_there, Database::with(&lake).unwrap(), "file:bucket", WRAPS);
    let parts = || files(&estate.path().join("bucket/data-services/sales/default")).len();
    broken_off(&estate, &mut own, Stop::Immediate, || parts() >= 5, || parts() >= ROWS / 200);
}

#[test]
fn a_lake_restarted_while_it_is_copied_into_holds_each_row_once_in_the_end() {
    let Some(mut own) = Own::started() else { return };
    let (source, lake) = scripts();
    let lake_there = Database::of(&own.url(), "");
    lake_there.sql(&lake);
    let estate =
        planned_between(Database::with(&format!("{source} {}", more(300))).unwrap(), lake_there, "file:bucket", WRAPS);
    let loaded = || {
        let ask = "SELECT CASE WHEN to_regclass('carve_books.ledger') IS NULL THEN '0' ELSE
            (xpath('/row/n/text()', query_to_xml('SELECT count(*) AS n FROM carve_books.ledger', true, true, '')))[1]::text END";
        estate.lake.sql(ask).parse::<usize>().unwrap()
    };
    broken_off(&estate, &mut own, Stop::Fast, || loaded() >= 5, || loaded() >= ROWS / 200);
}
