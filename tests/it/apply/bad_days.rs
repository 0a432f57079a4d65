//! Dies or fails at every call of the world, loses any tail of the journal: a later run ends as if nothing had happened.
use carve::{
    apply::{self, ApplyError, RefreshOptions},
    progress::Silent,
};
use proptest::{
    prelude::{ProptestConfig, any},
    proptest,
};

use super::{
    memory::Fate,
    shop::{EndState, Shop, row},
};

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// How a wrap ends on a good day, and in how many calls.
async fn good_day(new: fn() -> Shop) -> (EndState, usize) {
    let shop = new();
    shop.gate.set(None);
    shop.apply().await.unwrap();
    (shop.end_state(), shop.gate.calls())
}

async fn ends_well(shop: &Shop, expected: &EndState, what: &str) {
    shop.gate.set(None);
    match shop.apply().await {
        Ok(report) => assert!(report.complete, "{what}"),
        Err(error) => panic!("{what}: {error}: {:?}", std::error::Error::source(&error)),
    }
    assert_eq!(shop.end_state(), *expected, "{what}");
    assert!(shop.verify().await.equal, "{what}");
}

#[tokio::test]
async fn a_wrap_killed_at_any_call_ends_the_same_when_run_again() {
    for new in [Shop::beside, Shop::in_place] {
        let (expected, calls) = good_day(new).await;
        for at in 1..=calls {
            for fate in [Fate::DiesBefore(at), Fate::DiesAfter(at)] {
                let shop = new();
                shop.gate.set(Some(fate));
                shop.until_death(shop.apply()).await;
                ends_well(&shop, &expected, &format!("{fate:?}")).await;
            }
        }
    }
}

#[tokio::test]
async fn a_call_that_fails_stops_the_step_and_the_next_run_goes_on() {
    let (expected, calls) = good_day(Shop::beside).await;
    for at in 1..=calls {
        let shop = Shop::beside();
        shop.gate.set(Some(Fate::Fails(at)));
        if let Err(error) = shop.apply().await {
            assert!(!matches!(error, ApplyError::NotEqual { .. } | ApplyError::Journal(_)), "call {at}: {error}");
        }
        ends_well(&shop, &expected, &format!("call {at} failed")).await;
    }
}

#[tokio::test]
async fn a_rollback_killed_at_any_call_ends_the_same_when_run_again() {
    for new in [Shop::beside, Shop::in_place] {
        let shop = new();
        shop.apply().await.unwrap();
        shop.gate.set(None);
        shop.rollback().await.unwrap();
        let (expected, calls) = (shop.end_state(), shop.gate.calls());
        for fate in (1..=calls).flat_map(|at| [Fate::DiesBefore(at), Fate::DiesAfter(at)]) {
            let shop = new();
            shop.apply().await.unwrap();
            shop.gate.set(Some(fate));
            shop.until_death(shop.rollback()).await;
            shop.gate.set(None);
            shop.rollback().await.unwrap();
            assert_eq!(shop.end_state(), expected, "{fate:?}");
        }
    }
}

#[tokio::test]
async fn a_refresh_killed_at_any_call_ends_the_same_when_run_again() {
    for new in [Shop::beside, Shop::in_place] {
        let wrapped = async || {
            let shop = new();
            shop.apply().await.unwrap();
            shop.set_orders((3..=9).map(|id| row(id, "2.00")).collect());
            shop
        };
        // Killed between swap and note, the import is made once more: then both generations are the new one.
        let ended = async |shop: &Shop| {
            shop.gate.set(None);
            shop.refresh().await.unwrap();
            let mut state = shop.end_state();
            state.tables.retain(|name, _| !name.ends_with("__previous"));
            state
        };
        let shop = wrapped().await;
        let expected = ended(&shop).await;
        for fate in (1..=shop.gate.calls()).flat_map(|at| [Fate::DiesBefore(at), Fate::DiesAfter(at)]) {
            let shop = wrapped().await;
            shop.gate.set(Some(fate));
            shop.until_death(shop.refresh()).await;
            assert_eq!(ended(&shop).await, expected, "{fate:?}");
        }
    }
}

#[tokio::test]
async fn old_publications_go_whole_though_their_removal_is_killed_at_any_call() {
    let options = RefreshOptions { keep: 0, ..RefreshOptions::default() };
    let aged = async || {
        let shop = Shop::beside();
        shop.apply().await.unwrap();
        for count in 6..=7 {
            shop.set_orders((1..=count).map(|id| row(id, "2.00")).collect());
            shop.refresh().await.unwrap();
        }
        shop
    };
    let pruned = async |shop: &Shop| {
        shop.gate.set(None);
        apply::refresh(&shop.plan, &shop.world(), &options, &Silent).await.unwrap();
        shop.end_state()
    };
    let shop = aged().await;
    let expected = pruned(&shop).await;
    assert!(expected.objects.keys().all(|key| !key.contains("v1.0.0")), "{:?}", expected.objects.keys());
    for fate in (1..=shop.gate.calls()).flat_map(|at| [Fate::DiesBefore(at), Fate::DiesAfter(at)]) {
        let shop = aged().await;
        shop.gate.set(Some(fate));
        shop.until_death(apply::refresh(&shop.plan, &shop.world(), &options, &Silent)).await;
        assert_eq!(pruned(&shop).await, expected, "{fate:?}");
    }
}

#[tokio::test]
async fn data_that_changes_between_two_attempts_skips_the_version_and_leaves_no_orphan() {
    let (_, calls) = good_day(Shop::beside).await;
    for at in 1..=calls {
        let shop = Shop::beside();
        shop.gate.set(Some(Fate::DiesAfter(at)));
        shop.until_death(shop.apply()).await;
        shop.gate.set(None);
        if shop.table("raw.orders__import").is_some() {
            break;
        }
        // Fewer rows, some changed: shorter and other parts under the same names.
        shop.set_orders(vec![row(1, "1.50"), row(2, "1.50"), row(3, "9.99")]);
        if let Err(error) = shop.apply().await {
            // Published already, so that the proof finds what changed since.
            assert!(matches!(error, ApplyError::NotEqual { .. }), "call {at}: {error}");
            shop.apply().await.unwrap();
        }
        let report = shop.verify().await;
        assert!(report.equal, "call {at}: {:?}", report.problems);
        let state = shop.end_state();
        let contracts: Vec<_> =
            state.objects.keys().filter_map(|key| key.split("schemata/").nth(1)).map(|name| &name[..7]).collect();
        let orphans: Vec<_> = state
            .objects
            .keys()
            .filter(|key| key.contains("/default/") && !contracts.iter().any(|version| key.contains(version)))
            .collect();
        assert!(orphans.is_empty(), "call {at}: {orphans:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// The journal is the one thing that may lag behind the world by any number of bytes.
    #[test]
    fn any_cut_of_a_journal_resumes_to_the_same_end(cut in any::<proptest::sample::Index>(), beside in any::<bool>()) {
        block_on(async {
            let new = if beside { Shop::beside } else { Shop::in_place };
            let shop = new();
            shop.apply().await.unwrap();
            let expected = shop.end_state();
            let bytes = std::fs::read(shop.journal()).unwrap();
            std::fs::write(shop.journal(), &bytes[..cut.index(bytes.len() + 1)]).unwrap();
            ends_well(&shop, &expected, "cut").await;
        });
    }

    #[test]
    fn a_death_and_a_cut_together_resume_to_the_same_end(
        at in 1_usize..150,
        cut in any::<proptest::sample::Index>(),
        beside in any::<bool>(),
    ) {
        block_on(async {
            let new = if beside { Shop::beside } else { Shop::in_place };
            let (expected, _) = good_day(new).await;
            let shop = new();
            shop.gate.set(Some(Fate::DiesAfter(at)));
            shop.until_death(shop.apply()).await;
            if let Ok(bytes) = std::fs::read(shop.journal()) {
                std::fs::write(shop.journal(), &bytes[..cut.index(bytes.len() + 1)]).unwrap();
            }
            ends_well(&shop, &expected, &format!("died at {at}")).await;
        });
    }
}
