use carve::{
    apply::{self, ApplyError, RefreshOptions},
    progress::Silent,
};

use super::shop::{Shop, dataset, row};

#[tokio::test]
async fn a_refresh_follows_the_source_and_a_second_one_moves_nothing() {
    for shop in [Shop::beside(), Shop::in_place()] {
        shop.apply().await.unwrap();
        let live = if shop.table("raw.orders__import").is_some() { "raw.orders__import" } else { "raw.orders" };
        shop.set_orders((1..=7).map(|id| row(id, "2.00")).collect());
        let report = shop.refresh().await.unwrap();
        assert_eq!((report.version.to_string().as_str(), report.published, report.rows), ("1.0.1", true, 7));
        assert_eq!(report.imported, [dataset(live)]);
        assert_eq!(shop.table(live).unwrap().len(), 7);
        let (state, stored) = (shop.end_state(), shop.stored());
        let journal = std::fs::read(shop.journal()).unwrap();
        let again = shop.refresh().await.unwrap();
        assert_eq!((again.published, again.imported.len()), (false, 0));
        assert_eq!((shop.end_state(), shop.stored()), (state, stored));
        assert_eq!(std::fs::read(shop.journal()).unwrap(), journal);
    }
}

#[tokio::test]
async fn a_refresh_without_a_change_since_the_wrap_publishes_nothing() {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    let stored = shop.stored();
    assert!(!shop.refresh().await.unwrap().published);
    assert_eq!(shop.stored(), stored);
}

#[tokio::test]
async fn a_refresh_before_the_wrap_is_blocked() {
    let shop = Shop::beside();
    assert!(matches!(shop.refresh().await, Err(ApplyError::Blocked { .. })));
}

#[tokio::test]
async fn old_publications_go_but_never_the_newest_two() {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    let options = RefreshOptions { keep: 0, ..RefreshOptions::default() };
    for count in 6..=9 {
        shop.set_orders((1..=count).map(|id| row(id, "2.00")).collect());
        apply::refresh(&shop.plan, &shop.world(), &options, &Silent).await.unwrap();
    }
    let state = shop.end_state();
    let versions: Vec<_> =
        state.objects.keys().filter_map(|key| key.split("schemata/v").nth(1)).map(|v| &v[..5]).collect();
    assert_eq!(versions, ["1.0.3", "1.0.4"]);
    assert!(state.objects.keys().all(|key| key.contains("v1.0.3") || key.contains("v1.0.4")), "{:?}", state.objects);
}

#[tokio::test]
async fn a_rollback_after_refreshes_withdraws_the_newest_publication() {
    let shop = Shop::in_place();
    shop.apply().await.unwrap();
    shop.set_orders(vec![row(9, "9.00")]);
    shop.refresh().await.unwrap();
    shop.rollback().await.unwrap();
    assert_eq!(shop.table("raw.orders").unwrap().len(), 1, "the raw table with what was loaded since");
    assert_eq!(shop.end_state().tables.len(), 1);
    let report = shop.verify().await;
    assert_eq!(report.version.unwrap().to_string(), "1.0.1");
    assert!(!report.equal);
}

#[tokio::test]
async fn verify_finds_every_damaged_part_and_every_changed_row() {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    assert!(shop.verify().await.equal);
    let whole = shop.bucket.objects.lock().unwrap().clone();
    for key in whole.keys() {
        for damage in ["removed", "cut", "changed", "emptied"] {
            let mut objects = whole.clone();
            let bytes = objects.get_mut(key).unwrap();
            match damage {
                "cut" => bytes.truncate(bytes.len() - 1),
                // A digit, so that the part stays well-formed.
                "changed" => match bytes.iter().rposition(u8::is_ascii_digit) {
                    Some(at) => bytes[at] = if bytes[at] == b'7' { b'8' } else { b'7' },
                    None => continue,
                },
                "emptied" => bytes.clear(),
                _ => drop(objects.remove(key)),
            }
            *shop.bucket.objects.lock().unwrap() = objects;
            let report = shop.verify().await;
            // A contract is found by its name and read for its facts: its last byte or digit may be either's.
            let contract = key.ends_with(".odcs.yaml") && matches!(damage, "cut" | "changed");
            assert!(!report.equal || contract, "{key} {damage}");
        }
    }
    *shop.bucket.objects.lock().unwrap() = whole;
    shop.lake.tables.lock().unwrap().get_mut(&dataset("raw.orders__import")).unwrap().rows[0] = row(1, "1.5");
    let report = shop.verify().await;
    assert!(report.problems[0].contains("`total` is \"1.50\" in the parts and \"1.5\""), "{:?}", report.problems);
}

#[tokio::test]
async fn a_source_that_moved_on_is_told_and_is_no_damage() {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    shop.set_orders(vec![row(1, "3.00")]);
    let report = shop.verify().await;
    assert!(report.equal);
    assert_eq!(report.proofs.last().unwrap().verdict, "explained");
}

#[tokio::test]
async fn a_clock_that_goes_backwards_hides_no_publication() {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    shop.set_orders(vec![row(9, "9.00")]);
    let mut world = shop.world();
    world.clock = || "2020-01-01T00:00:00Z".parse().unwrap();
    let options = RefreshOptions::default();
    let report = apply::refresh(&shop.plan, &world, &options, &Silent).await.unwrap();
    assert_eq!((report.published, report.version.to_string().as_str()), (true, "1.0.1"));
    let verified = apply::verify(&shop.plan, &world, &options.run, &Silent).await.unwrap();
    assert_eq!((verified.equal, verified.version), (true, Some(report.version)));
    // Withdrawn in 2020 too, and still seen to be.
    apply::rollback(&shop.plan, &world, &options.run, &Silent).await.unwrap();
    assert!(!shop.verify().await.equal);
}
