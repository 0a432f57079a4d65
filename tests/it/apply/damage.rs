//! What was published or imported and then damaged, emptied, changed: noticed, told, made whole, no version reused.
use carve::apply::{self, ApplyError, Needs, RefreshOptions, RunOptions};
use carve::progress::Silent;

use super::{
    memory::Fate,
    shop::{Shop, dataset, row},
};

const LIVE: &str = "raw.orders__import";

async fn wrapped() -> Shop {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    shop
}

/// Versions that contracts commit, oldest first.
fn versions(shop: &Shop) -> Vec<String> {
    let keys = shop.end_state().objects.into_keys();
    keys.filter_map(|key| Some(key.split("schemata/v").nth(1)?.get(..5)?.to_owned())).collect()
}

#[tokio::test]
async fn a_refresh_over_any_damage_in_the_bucket_publishes_anew_under_a_new_version() {
    let keys: Vec<String> = wrapped().await.bucket.objects.lock().unwrap().keys().cloned().collect();
    for key in keys.iter().filter(|key| !key.contains("_carve-lease")) {
        for damage in ["removed", "cut", "emptied", "changed"] {
            let shop = wrapped().await;
            {
                let mut objects = shop.bucket.objects.lock().unwrap();
                match damage {
                    "cut" => drop(objects.get_mut(key).unwrap().pop()),
                    "emptied" => objects.get_mut(key).unwrap().clear(),
                    "changed" => *objects.get_mut(key).unwrap().last_mut().unwrap() ^= 1,
                    _ => drop(objects.remove(key)),
                }
            }
            // A contract that ends otherwise than with a line feed is the same contract.
            if key.ends_with(".odcs.yaml") && (damage == "cut" || damage == "changed") {
                continue;
            }
            let report = shop.refresh().await.unwrap();
            assert_eq!((report.published, report.version.to_string().as_str()), (true, "1.0.1"), "{key} {damage}");
            assert!(report.notes[0].starts_with("publication 1.0.0 is"), "{key} {damage}: {:?}", report.notes);
            assert!(shop.verify().await.equal, "{key} {damage}");
            assert!(!shop.refresh().await.unwrap().published, "{key} {damage}");
        }
    }
}

#[tokio::test]
async fn a_bucket_that_was_emptied_gets_a_version_that_was_never_given_out() {
    let shop = wrapped().await;
    shop.set_orders((1..=6).map(|id| row(id, "2.00")).collect());
    assert_eq!(shop.refresh().await.unwrap().version.to_string(), "1.0.1");
    shop.bucket.objects.lock().unwrap().clear();
    // `apply` has nothing to do, and does not look away.
    let error = shop.apply().await.unwrap_err();
    assert!(matches!(&error, ApplyError::Damaged { what, .. } if what.contains("not in the bucket")), "{error}");
    assert!(error.hint().unwrap().contains("carve refresh orders"));
    let report = shop.refresh().await.unwrap();
    assert_eq!((report.version.to_string().as_str(), report.rows), ("1.0.2", 6));
    assert!(shop.verify().await.equal);
}

#[tokio::test]
async fn a_wrap_after_a_rollback_knows_the_versions_of_the_first() {
    let shop = wrapped().await;
    shop.rollback().await.unwrap();
    shop.bucket.objects.lock().unwrap().clear();
    let report = shop.apply().await.unwrap();
    assert_eq!(report.version.unwrap().to_string(), "1.0.1");
}

#[tokio::test]
async fn a_publication_that_was_damaged_before_its_step_ended_is_not_adopted() {
    // Dies at every call until the contract is there and its journal line is not.
    for at in 1..200 {
        let shop = Shop::beside();
        shop.gate.set(Some(Fate::DiesAfter(at)));
        let died = shop.until_death(shop.apply()).await;
        shop.gate.set(None);
        let told = std::fs::read_to_string(shop.journal()).unwrap_or_default();
        if !died || versions(&shop).is_empty() || told.contains("\"event\":\"done\"") {
            continue;
        }
        // The same size, another digit: only reading it shows.
        {
            let mut objects = shop.bucket.objects.lock().unwrap();
            let (_, part) = objects.iter_mut().find(|(key, _)| key.contains("datapart")).unwrap();
            let at = part.iter().rposition(u8::is_ascii_digit).unwrap();
            part[at] ^= 1;
        }
        let report = shop.apply().await.unwrap();
        assert_eq!(report.version.unwrap().to_string(), "1.0.1");
        assert!(shop.verify().await.equal);
        return;
    }
    panic!("no death left the contract without its line");
}

#[tokio::test]
async fn a_part_damaged_before_the_import_is_published_anew_by_the_next_run() {
    let shop = Shop::beside();
    let stop = RunOptions { stop_after: Some("orders.publish".to_owned()), ..RunOptions::default() };
    shop.apply_with(&stop).await.unwrap();
    shop.bucket.objects.lock().unwrap().retain(|key, _| !key.contains("datapart02"));
    let error = shop.apply().await.unwrap_err();
    assert!(matches!(&error, ApplyError::Damaged { what, .. } if what.contains("datapart02")), "{error}");
    assert_eq!(shop.apply().await.unwrap().version.unwrap().to_string(), "1.0.1");
    assert!(shop.verify().await.equal);
}

#[tokio::test]
async fn an_import_that_was_changed_behind_carves_back_is_noticed_and_made_anew() {
    for (what, trust, noticed) in [
        ("a value", false, true),
        ("a value", true, false),
        ("a row less", true, true),
        ("the table", true, true),
        ("the table", false, true),
    ] {
        let shop = wrapped().await;
        {
            let mut tables = shop.lake.tables.lock().unwrap();
            let rows = &mut tables.get_mut(&dataset(LIVE)).unwrap().rows;
            match what {
                "a value" => rows[0] = row(1, "9.99"),
                "a row less" => drop(rows.pop()),
                _ => drop(tables.remove(&dataset(LIVE))),
            }
        }
        let options = RefreshOptions { trust, ..RefreshOptions::default() };
        let report = apply::refresh(&shop.plan, &shop.world(), &options, &Silent).await.unwrap();
        assert_eq!(report.imported.len(), usize::from(noticed), "{what} {trust}");
        assert!(!report.published);
        assert_eq!(report.notes.iter().any(|note| note.contains("is imported anew")), noticed, "{:?}", report.notes);
        assert_eq!(shop.verify().await.equal, noticed, "{what} {trust}");
    }
}

#[tokio::test]
async fn rows_that_break_an_index_of_the_import_are_not_published_and_the_mended_ones_are() {
    for shop in [Shop::beside(), Shop::in_place()] {
        shop.set_orders((1..=5).map(|id| row(id, &format!("{id}.50"))).collect());
        shop.apply().await.unwrap();
        let live = if shop.table(LIVE).is_some() { LIVE } else { "raw.orders" };
        shop.lake.unique.lock().unwrap().push(dataset(live));
        let (before, published) = (shop.table(live), versions(&shop));
        shop.set_orders((1..=5).map(|id| row(id, "2.00")).collect());
        for _ in 0..2 {
            let error = shop.refresh().await.unwrap_err();
            assert_eq!(error.needs(), Needs::Change, "{error}");
            assert_eq!((shop.table(live), versions(&shop)), (before.clone(), published.clone()));
        }
        shop.set_orders((1..=4).map(|id| row(id, &format!("{id}.00"))).collect());
        let report = shop.refresh().await.unwrap();
        assert_eq!((report.published, report.rows), (true, 4));
        assert!(shop.verify().await.equal);
        let newest = format!("v{}.", report.version);
        let orphans: Vec<String> = shop.end_state().objects.into_keys().collect();
        let orphans = orphans.iter().filter(|key| key.contains("/default/") && !key.contains("v1.0.0."));
        assert!(orphans.clone().all(|key| key.contains(&newest)), "{:?}", orphans.collect::<Vec<_>>());
        assert!(!shop.refresh().await.unwrap().published);
    }
}

#[tokio::test]
async fn a_staging_table_left_by_a_refused_refresh_is_never_taken_for_a_later_one() {
    let shop = Shop::beside();
    shop.set_orders((1..=5).map(|id| row(id, &format!("{id}.50"))).collect());
    shop.apply().await.unwrap();
    shop.lake.unique.lock().unwrap().push(dataset(LIVE));
    shop.set_orders((1..=5).map(|id| row(id, "2.00")).collect());
    shop.refresh().await.unwrap_err();
    // Back to what was published, so that the attempt is swept; then on to other rows.
    shop.set_orders((1..=5).map(|id| row(id, &format!("{id}.50"))).collect());
    assert!(!shop.refresh().await.unwrap().published);
    shop.set_orders((1..=5).map(|id| row(id, &format!("{id}.75"))).collect());
    let report = shop.refresh().await.unwrap();
    assert_eq!(report.version.to_string(), "1.0.2", "1.0.1 was tried, and is never reused");
    assert!(shop.verify().await.equal);
}
