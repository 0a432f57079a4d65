use std::sync::{Arc, atomic::AtomicBool};

use carve::{
    apply::{self, ApplyError, Concern, Outcome, RunOptions, World},
    connector::{Fault, FaultyBucket, FaultyLake, Rule},
    progress::Silent,
};

use super::shop::{SQL, Shop, row};

#[tokio::test]
async fn a_wrap_publishes_imports_proves_and_repoints() {
    let shop = Shop::beside();
    let raw = shop.table("raw.orders");
    let report = shop.apply().await.unwrap();
    assert!(report.complete);
    assert_eq!(report.version.unwrap().to_string(), "1.0.0");
    assert_eq!(shop.table("raw.orders__import"), raw);
    assert_eq!(shop.table("raw.orders__carve_staging"), None);
    assert_eq!(shop.file("sql/orders.sql"), SQL.replacen("raw.orders", "raw.orders__import", 1));
    let kinds: Vec<_> = report.proofs.iter().map(|proof| (proof.kind.as_str(), proof.verdict.as_str())).collect();
    assert_eq!(kinds, [("transport", "equal"), ("continuity", "equal"), ("downstream", "equal")]);
    // Five rows, two a part, then manifest and contract.
    assert_eq!(shop.stored(), 3 + 1 + 1);
}

#[tokio::test]
async fn a_second_apply_moves_no_bytes() {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    let (state, stored) = (shop.end_state(), shop.stored());
    let report = shop.apply().await.unwrap();
    assert!(report.complete && report.steps.iter().all(|step| step.outcome == Outcome::Kept));
    assert_eq!((shop.end_state(), shop.stored()), (state, stored));
}

#[tokio::test]
async fn an_in_place_import_takes_the_raw_tables_name() {
    let shop = Shop::in_place();
    let raw = shop.table("raw.orders");
    shop.apply().await.unwrap();
    assert_eq!(shop.table("raw.orders"), raw);
    assert_eq!(shop.table("raw.orders__before_carve"), raw);
    assert_eq!(shop.file("sql/orders.sql"), SQL);
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let shop = Shop::beside();
    let before = shop.end_state();
    let options = RunOptions { dry_run: true, ..RunOptions::default() };
    let report = shop.apply_with(&options).await.unwrap();
    assert!(report.steps.iter().all(|step| step.outcome == Outcome::Described && !step.lines.is_empty()));
    assert_eq!(shop.end_state(), before);
    assert!(!shop.root.join(".carve").exists());
}

#[tokio::test]
async fn a_rollback_puts_everything_back_and_withdraws_the_publication() {
    for shop in [Shop::beside(), Shop::in_place()] {
        let before = shop.end_state();
        shop.apply().await.unwrap();
        let report = shop.rollback().await.unwrap();
        assert!(report.complete);
        let after = shop.end_state();
        assert_eq!((after.tables, after.files), (before.tables, before.files));
        let contracts = after.objects.keys().filter(|key| key.ends_with(".odcs.yaml")).count();
        assert_eq!(contracts, 2, "the second one says retired");
        assert!(!shop.root.join("jobs").exists(), "folders that carve made are gone");
        assert!(shop.rollback().await.unwrap().steps.is_empty(), "a second rollback does nothing");
    }
}

#[tokio::test]
async fn a_rollback_looks_first_whether_what_it_needs_can_be_reached() {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    let wrapped = shop.end_state();
    let fails = |down: &'static str| -> Rule {
        Arc::new(move |call| if call.name == down { Fault::Before } else { Fault::None })
    };
    let without_lake = |down| World { lake: Arc::new(FaultyLake::new(shop.lake.clone(), fails(down))), ..shop.world() };
    let without_bucket =
        World { bucket: Arc::new(FaultyBucket::new(shop.bucket.clone(), fails("probe"))), ..shop.world() };
    let worlds = [without_lake("probe"), without_lake("probe_write"), without_bucket];
    for (world, what) in worlds.iter().zip(["the lake does not answer", "the lake cannot be written", "the bucket"]) {
        let journal = std::fs::read(shop.journal()).unwrap();
        let ended = apply::rollback(&shop.plan, world, &RunOptions::default(), &Silent).await;
        let Err(ApplyError::Unanswered { findings, .. }) = ended else { panic!("{what}: {ended:?}") };
        assert!(findings[0].what.contains(what), "{findings:?}");
        assert_eq!(shop.end_state(), wrapped, "nothing is undone");
        assert_eq!(std::fs::read(shop.journal()).unwrap(), journal, "nothing was begun");
    }
    shop.rollback().await.unwrap();
}

#[tokio::test]
async fn what_a_verification_found_between_a_rollback_and_an_apply_is_forgotten() {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    shop.rollback().await.unwrap();
    assert!(!shop.verify().await.equal);
    let verified = shop.root.join(".carve/orders/verified.json");
    assert!(!verified.exists(), "nothing is wrapped, so nothing is proven no more");
    // As an earlier carve left it.
    std::fs::write(&verified, "[\"it was withdrawn\"]").unwrap();
    shop.apply().await.unwrap();
    assert!(!verified.exists(), "all is proven anew");
}

#[tokio::test]
async fn a_wrap_after_a_rollback_moves_no_rows_again() {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    let wrapped = shop.end_state();
    shop.rollback().await.unwrap();
    let stored = shop.stored();
    let report = shop.apply().await.unwrap();
    assert_eq!(report.version.unwrap().to_string(), "1.0.0");
    assert_eq!(shop.stored(), stored + 1, "only a contract that makes it active again");
    assert_eq!(shop.end_state().tables, wrapped.tables);
}

#[tokio::test]
async fn preflight_tells_everything_at_once() {
    let shop = Shop::beside();
    std::fs::write(shop.root.join("sql/orders.sql"), "select 1").unwrap();
    std::fs::create_dir_all(shop.root.join("jobs/carve")).unwrap();
    std::fs::write(shop.root.join("jobs/carve/orders.refresh.yaml"), "mine").unwrap();
    shop.lake.tables.lock().unwrap().clear();
    let findings = apply::preflight(&shop.plan, &shop.world(), &RunOptions::default()).await;
    let told: Vec<_> = findings.iter().map(|f| (f.concern, f.step.as_deref().unwrap())).collect();
    assert_eq!(
        told,
        [
            (Concern::Stale, "orders.repoint"),
            (Concern::Blocks, "orders.publish"),
            (Concern::Blocks, "orders.prove"),
            (Concern::Blocks, "orders.schedule"),
        ]
    );
    assert!(matches!(shop.apply().await, Err(ApplyError::Stale { .. })));
    assert!(!shop.journal().exists() || std::fs::read(shop.journal()).unwrap().is_empty());
}

#[tokio::test]
async fn an_approval_is_asked_for_before_step_one() {
    let mut shop = Shop::beside();
    shop.plan.steps[3].approval = true;
    let Err(ApplyError::Blocked { findings, .. }) = shop.apply().await else { panic!("it ran") };
    assert_eq!(findings[0].what, "step `orders.swap` needs approval");
    let options = RunOptions { approved: ["orders.swap".to_owned()].into(), ..RunOptions::default() };
    shop.apply_with(&options).await.unwrap();
}

#[tokio::test]
async fn a_table_of_the_imports_name_that_carve_did_not_make_is_never_touched() {
    let shop = Shop::beside();
    let raw = shop.lake.tables.lock().unwrap()[&super::shop::dataset("raw.orders")].clone();
    shop.lake.tables.lock().unwrap().insert(super::shop::dataset("raw.orders__import"), raw);
    let before = shop.end_state();
    assert!(matches!(shop.apply().await, Err(ApplyError::Blocked { .. })));
    assert_eq!(shop.end_state(), before);
}

#[tokio::test]
async fn another_plan_waits_until_the_first_is_finished_or_undone() {
    let mut shop = Shop::beside();
    let stop = RunOptions { stop_after: Some("orders.import".to_owned()), ..RunOptions::default() };
    shop.apply_with(&stop).await.unwrap();
    let first = std::mem::replace(&mut shop.plan.id, carve::vocab::Digest::of("another"));
    let error = shop.apply().await.unwrap_err();
    assert!(matches!(error, ApplyError::OtherPlan { begun, .. } if begun == first), "{error}");
    shop.plan.id = first;
    shop.rollback().await.unwrap();
    shop.plan.id = carve::vocab::Digest::of("another");
    assert!(shop.apply().await.unwrap().complete);
}

#[tokio::test]
async fn cancelling_leaves_a_journal_that_goes_on() {
    let shop = Shop::beside();
    let options = RunOptions { cancel: Arc::new(AtomicBool::new(true)), ..RunOptions::default() };
    let error = shop.apply_with(&options).await.unwrap_err();
    assert!(matches!(error, ApplyError::Interrupted { .. }), "{error}");
    assert!(shop.apply().await.unwrap().complete);
}

#[tokio::test]
async fn rows_lost_on_the_way_stop_the_wrap_with_the_rows() {
    let shop = Shop::beside();
    let stop = RunOptions { stop_after: Some("orders.import".to_owned()), ..RunOptions::default() };
    shop.apply_with(&stop).await.unwrap();
    shop.lose_a_staged_row();
    let Err(ApplyError::NotEqual { proof, differences, .. }) = shop.apply().await else { panic!("it went on") };
    assert_eq!((proof.left_rows, proof.right_rows, proof.verdict.as_str()), (5, 4, "different"));
    assert_eq!(differences, ["only in `raw.orders`: id=5, total=\"1.50\""]);
    assert_eq!(shop.table("raw.orders__import"), None, "nothing was switched");
    // Running again imports anew, and the proof holds.
    let report = shop.apply().await.unwrap();
    assert_eq!(report.version.unwrap().to_string(), "1.0.0");
    assert_eq!(shop.table("raw.orders__import").unwrap().len(), 5);
}

#[tokio::test]
async fn a_load_between_import_and_proof_is_published_anew_by_the_run_that_meets_it() {
    let shop = Shop::beside();
    let stop = RunOptions { stop_after: Some("orders.import".to_owned()), ..RunOptions::default() };
    shop.apply_with(&stop).await.unwrap();
    shop.set_orders((1..=6).map(|id| row(id, "1.50")).collect());
    let report = shop.apply().await.unwrap();
    assert_eq!(report.version.unwrap().to_string(), "1.0.1");
    assert_eq!(shop.table("raw.orders__import").unwrap().len(), 6);
}

#[tokio::test]
async fn an_empty_table_is_wrapped_like_any_other() {
    let shop = Shop::beside();
    shop.set_orders(vec![]);
    shop.apply().await.unwrap();
    assert_eq!(shop.table("raw.orders__import"), Some(vec![]));
}

#[tokio::test]
async fn status_tells_where_a_wrap_stands() {
    let shop = Shop::beside();
    let status = async || apply::status(&shop.root.join(".carve"), Some(&*shop.world().bucket)).await.unwrap();
    assert_eq!(status().await.len(), 0);
    let stop = RunOptions { stop_after: Some("orders.publish".to_owned()), ..RunOptions::default() };
    shop.apply_with(&stop).await.unwrap();
    assert_eq!((status().await[0].stage.as_str(), status().await[0].steps_done), ("applying", 1));
    shop.apply().await.unwrap();
    let wrapped = &status().await[0];
    assert_eq!((wrapped.stage.as_str(), wrapped.rows, wrapped.parts), ("wrapped", Some(5), Some(3)));
    shop.rollback().await.unwrap();
    assert_eq!(status().await[0].stage, "rolled_back");
}

#[tokio::test]
async fn two_applies_at_once_end_as_one_and_a_named_holder() {
    let shop = Shop::beside();
    let world = shop.world();
    let options = RunOptions::default();
    let run = || apply::run(&shop.plan, &world, &options, &Silent);
    let (one, two) = tokio::join!(run(), run());
    let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
    assert!(won.unwrap().complete);
    let Err(ApplyError::Locked { holder }) = lost else { panic!("both ran") };
    assert!(holder.contains(&format!("process {}", std::process::id())) && holder.contains("apply of `orders`"));
}

#[tokio::test]
async fn a_bucket_leased_by_another_estate_is_left_alone() {
    let (shop, other) = (Shop::beside(), Shop::beside());
    let mut world = other.world();
    world.bucket = shop.bucket.clone();
    let alive = shop.until_death(async {
        // The first stops for ever in the middle of its work, and its lease still lives.
        shop.gate.set(Some(super::memory::Fate::DiesBefore(30)));
        shop.apply().await
    });
    assert!(alive.await);
    shop.gate.set(None);
    let error = apply::run(&other.plan, &world, &RunOptions::default(), &Silent).await.unwrap_err();
    assert!(matches!(&error, ApplyError::Locked { holder } if holder.contains("lease")), "{error}");
    assert!(shop.apply().await.unwrap().complete, "its own folder takes the lease of its dead run");
}
