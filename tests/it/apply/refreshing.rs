use std::sync::Arc;

use carve::{
    apply::{self, ApplyError, Reader, Readers, RefreshOptions},
    progress::Silent,
    vocab::{DatasetId, JobId},
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

struct Knows(Vec<Reader>);

impl Readers for Knows {
    fn of(&self, table: &DatasetId, column: Option<&str>) -> Vec<Reader> {
        assert_eq!((table, column), (&dataset("raw.orders__import"), Some("total")));
        self.0.clone()
    }
}

fn with_readers(who: &[bool], accept_breaking: bool) -> RefreshOptions {
    let reader = |surely: &bool| Reader { who: "job `a`".to_owned(), at: "sql/a.sql:2:3".to_owned(), surely: *surely };
    let readers: Option<Arc<dyn Readers>> = Some(Arc::new(Knows(who.iter().map(reader).collect())));
    RefreshOptions { accept_breaking, readers, ..RefreshOptions::default() }
}

#[tokio::test]
async fn a_column_that_is_read_is_not_taken_from_its_readers_unless_a_person_accepts_that() {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    shop.drop_total();
    let before = (shop.end_state(), shop.stored());
    for surely in [true, false] {
        let refreshed = apply::refresh(&shop.plan, &shop.world(), &with_readers(&[surely], false), &Silent).await;
        let Err(ApplyError::Blocked { findings, .. }) = refreshed else { panic!("{refreshed:?}") };
        let what = &findings[0].what;
        assert!(what.contains("job `a` (sql/a.sql:2:3)") && what.contains("column `total` is gone"), "{what}");
        assert_eq!(what.contains("is not known"), !surely, "{what}");
        assert!(findings[0].hint.as_ref().unwrap().contains("carve refresh orders --accept-breaking"));
        assert_eq!((shop.end_state(), shop.stored()), before, "nothing is published, nothing swapped");
    }
    let accepted = apply::refresh(&shop.plan, &shop.world(), &with_readers(&[true], true), &Silent).await.unwrap();
    assert_eq!((accepted.published, accepted.version.to_string().as_str()), (true, "2.0.0"));
}

#[tokio::test]
async fn a_column_that_nobody_reads_goes_and_the_version_says_so() {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    shop.drop_total();
    let report = apply::refresh(&shop.plan, &shop.world(), &with_readers(&[], false), &Silent).await.unwrap();
    assert_eq!(report.version.to_string(), "2.0.0");
}

#[tokio::test]
async fn without_the_estate_the_dependents_of_the_plan_may_all_be_broken() {
    let mut shop = Shop::beside();
    shop.plan.boundary.dependents = vec![JobId::new("nightly")];
    shop.apply().await.unwrap();
    shop.drop_total();
    let error = shop.refresh().await.unwrap_err();
    assert!(matches!(&error, ApplyError::Blocked { findings, .. } if findings[0].what.contains("job `nightly`")));
}

#[tokio::test]
async fn null_where_there_was_none_and_another_key_block_as_a_lost_column_does() {
    type Change = fn(&mut carve::vocab::Schema);
    let cases: [(Change, &str); 3] = [
        (|schema| schema.columns[0].nullable = true, "column `id` may now be NULL"),
        (|schema| schema.key.clear(), "the key (id) is gone"),
        (|schema| schema.key = vec!["total".to_owned()], "the key is (total) instead of (id)"),
    ];
    for (change, said) in cases {
        let shop = Shop::beside();
        shop.apply().await.unwrap();
        change(&mut shop.lake.tables.lock().unwrap().get_mut(&dataset("raw.orders")).unwrap().schema);
        let stored = shop.stored();
        let reads_id = || Some(Arc::new(ReadsId) as Arc<dyn Readers>);
        let options = RefreshOptions { readers: reads_id(), ..RefreshOptions::default() };
        let refreshed = apply::refresh(&shop.plan, &shop.world(), &options, &Silent).await;
        let Err(ApplyError::Blocked { findings, .. }) = refreshed else { panic!("{said}: {refreshed:?}") };
        assert!(findings[0].what.contains(said) && findings[0].what.contains("job `a`"), "{findings:?}");
        assert_eq!(shop.stored(), stored);
        let options = RefreshOptions { accept_breaking: true, readers: reads_id(), ..RefreshOptions::default() };
        let report = apply::refresh(&shop.plan, &shop.world(), &options, &Silent).await.unwrap();
        assert_eq!(report.version.to_string(), "2.0.0");
        assert!(report.changes.iter().any(|change| change.kind == "breaking" && change.what == said), "{report:?}");
        assert!(report.broken_readers[0].contains("job `a`"), "{report:?}");
    }
}

struct ReadsId;

impl Readers for ReadsId {
    fn of(&self, _: &DatasetId, column: Option<&str>) -> Vec<Reader> {
        let reader = Reader { who: "job `a`".to_owned(), at: "sql/a.sql:2:3".to_owned(), surely: true };
        if column == Some("id") { vec![reader] } else { Vec::new() }
    }
}

#[tokio::test]
async fn a_new_column_is_additive_and_breaks_nobody() {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    {
        let mut tables = shop.lake.tables.lock().unwrap();
        let raw = tables.get_mut(&dataset("raw.orders")).unwrap();
        let added = carve::vocab::Column { name: "more".to_owned(), ..raw.schema.columns[1].clone() };
        raw.schema.columns.push(added);
        raw.rows.iter_mut().for_each(|row| row.push(carve::vocab::Value::Null));
    }
    let report = shop.refresh().await.unwrap();
    assert_eq!((report.version.to_string().as_str(), report.broken_readers.len()), ("1.1.0", 0));
    assert_eq!(report.changes[0].kind, "additive");
}
