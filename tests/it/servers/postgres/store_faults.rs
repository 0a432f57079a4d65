//! The store answers with 500, 503, 412, slowly, halves, or not at all, at random: what it keeps is whole, each run
//! says what to do, and running again comes to the end.
//!
//! `CARVE_STORE_SEEDS=20` tries so many sequences of faults instead of one.
use std::{sync::Mutex, time::Duration};

use super::{
    Database,
    wrap::{Estate, planned_between, scripts},
};
use crate::servers::store::{self, Fault, Proxy, Random, published};

/// One of all, with an eye to what may be answered to which request.
fn fault(random: &mut Random, method: &str) -> Fault {
    let some = [
        Fault::Status(500),
        Fault::Status(503),
        Fault::DoneAndRefused(500),
        Fault::DoneAndRefused(503),
        Fault::DoneAndLost,
        Fault::Closed,
        Fault::Half,
        Fault::Slow(Duration::from_millis(300)),
        // Beyond the patience of the address.
        Fault::Silent(Duration::from_millis(1_500)),
        // Only what stands under a condition is answered like this.
        Fault::Status(412),
        Fault::DoneAndRefused(412),
    ];
    let all = if method == "PUT" { some.len() } else { some.len() - 2 };
    some[random.below(all as u64) as usize]
}

/// Runs a command until it is done: each run that is not says that the same command goes on.
fn in_the_end(estate: &Estate, arguments: &[&str]) -> usize {
    for run in 1..=30 {
        let (code, said) = estate.tried(arguments);
        match code {
            Some(0) => return run,
            Some(5) => assert!(said.contains("again"), "{said}"),
            // A lease whose taking was answered with nothing is the run's own until it expires.
            other => panic!("exit {other:?} is no word for a store that fails\n{said}"),
        }
    }
    panic!("carve {arguments:?} came to no end");
}

fn estate(url: &str) -> Estate {
    let (source, lake) = scripts();
    let (source, lake) = (Database::with(&source).unwrap(), Database::with(&lake).unwrap());
    planned_between(source, lake, url, "mode: beside, origin: source, rows_per_part: 100")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_at_random_keeps_every_row_once() {
    let seeds = std::env::var("CARVE_STORE_SEEDS").map_or(1, |seeds| seeds.parse().unwrap());
    for seed in 0..seeds {
        let Some(direct) = store::own() else { return };
        if super::server().is_none() {
            return;
        }
        survives(&direct, seed).await;
    }
}

/// Apply, refreshes, verify and rollback before a store with the faults of `seed`.
async fn survives(direct: &str, seed: u64) {
    let random = Mutex::new(Random::of(seed));
    let proxy = Proxy::before(direct, move |method, _, _| {
        let mut random = random.lock().unwrap();
        (random.below(100) < 15).then(|| fault(&mut random, method))
    });
    let estate = estate(&format!("{}&timeout_ms=1000", proxy.url(direct)));
    let reader = store::open(direct).await;
    in_the_end(&estate, &["apply", "sales"]);
    let (_, rows) = published(&*reader).await.unwrap();
    assert_eq!(rows.len(), 2_500);
    for number in 0..2 {
        estate.source.sql(&format!("INSERT INTO orders (id) VALUES ({})", 5_000 + number));
        in_the_end(&estate, &["refresh", "sales"]);
        let (_, rows) = published(&*reader).await.unwrap();
        assert_eq!(rows.len(), 2_501 + number);
    }
    in_the_end(&estate, &["verify", "sales"]);
    let all = |table: &str| format!("SELECT * FROM {table} ORDER BY id");
    assert_eq!(estate.lake.sql(&all("raw.orders__import")), estate.source.sql(&all("orders")));
    let faults = proxy.faults();
    assert!(faults.len() > 20, "{faults:?}");
    in_the_end(&estate, &["rollback", "sales"]);
    assert_eq!(estate.lake.sql("SELECT to_regclass('raw.orders__import') IS NULL"), "t");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_never_answers_leaves_nothing_begun_and_says_so() {
    let Some(direct) = store::own() else { return };
    if super::server().is_none() {
        return;
    }
    let proxy = Proxy::before(&direct, |_, _, _| Some(Fault::Status(503)));
    let estate = estate(&format!("{}&timeout_ms=1000", proxy.url(&direct)));
    let (code, said) = estate.tried(&["apply", "sales"]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("the store answered SlowDown") && said.contains("run the same command again"), "{said}");
    assert_eq!(estate.lake.sql("SELECT to_regnamespace('carve_books') IS NULL"), "t");
    assert!(published(&*store::open(&direct).await).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_is_lost_is_found_and_not_made_twice() {
    let Some(direct) = store::own() else { return };
    if super::server().is_none() {
        return;
    }
    // Every answer to the commit gets lost, and so does every look at whether it was made.
    let contract = |target: &str| target.contains(".odcs.yaml");
    let proxy = Proxy::before(&direct, move |method, target, _| {
        contract(target).then(|| if method == "PUT" { Fault::DoneAndLost } else { Fault::Status(500) })
    });
    let estate = estate(&format!("{}&timeout_ms=1000", proxy.url(&direct)));
    let (code, said) = estate.tried(&["apply", "sales"]);
    assert_eq!(code, Some(5), "{said}");
    // A reader sees it already, whole; the run that goes on takes it for its own.
    let reader = store::open(&direct).await;
    let (version, rows) = published(&*reader).await.unwrap();
    assert_eq!((version.to_string().as_str(), rows.len()), ("1.0.0", 2_500));
    estate.set(&proxy.url(&direct), &direct);
    estate.run(&["apply", "sales"], 0);
    estate.verified();
    assert_eq!(published(&*reader).await.unwrap().0, version);
    assert_eq!(reader.list("data-services/sales/schemata/").await.unwrap().len(), 1);
}
