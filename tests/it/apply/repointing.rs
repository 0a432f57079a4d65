//! Edits of the estate's files: moved by comments, refused through links, in every root, undone byte for byte.
use carve::apply::{self, ApplyError, Concern, RunOptions};

use super::shop::{SQL, Shop};

fn write(shop: &Shop, file: &str, text: &str) {
    let path = shop.root.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// What stops the plan, in preflight's words.
async fn refusals(shop: &Shop) -> Vec<(Concern, String)> {
    let findings = apply::preflight(&shop.plan, &shop.world(), &RunOptions::default()).await;
    findings.into_iter().filter(|f| f.concern != Concern::Warns).map(|f| (f.concern, f.what)).collect()
}

#[tokio::test]
async fn a_comment_added_after_the_plan_stays_through_wrap_and_rollback() {
    let shop = Shop::beside();
    let commented = SQL.replace("select", "-- raw.orders, since 2019\r\n\r\nselect").replace("  total", "\ttotal");
    write(&shop, "sql/orders.sql", &commented);
    shop.apply().await.unwrap();
    let wrapped = commented.replace("from raw.orders", "from raw.orders__import");
    assert_eq!(shop.file("sql/orders.sql"), wrapped);
    assert_eq!(shop.file(".carve/orders/backup/orders.repoint/sql/orders.sql"), commented);
    let patch = shop.file(".carve/orders/patches/orders.repoint.patch");
    assert!(patch.contains("-\ttotal from raw.orders -- orders\r\n+\ttotal from raw.orders__import -- orders\r\n"));
    shop.rollback().await.unwrap();
    assert_eq!(shop.file("sql/orders.sql"), commented);
}

#[tokio::test]
async fn a_comment_added_after_the_wrap_stays_through_the_rollback() {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    write(&shop, "sql/orders.sql", &(shop.file("sql/orders.sql") + "-- a person's line\n"));
    assert!(shop.rollback().await.unwrap().complete);
    assert_eq!(shop.file("sql/orders.sql"), format!("{SQL}-- a person's line\n"));
}

#[tokio::test]
async fn a_query_changed_after_the_wrap_blocks_the_rollback_before_it_undoes_anything() {
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    let edited = shop.file("sql/orders.sql").replace("id,", "id, 1,");
    write(&shop, "sql/orders.sql", &edited);
    let wrapped = shop.end_state();
    let Err(ApplyError::Blocked { findings, .. }) = shop.rollback().await else { panic!("it was undone") };
    assert_eq!(findings[0].step.as_deref(), Some("orders.repoint"));
    assert!(findings[0].what.contains("`sql/orders.sql` was changed after carve edited it"), "{findings:?}");
    assert_eq!(shop.end_state(), wrapped);
    write(&shop, "sql/orders.sql", SQL);
    assert!(shop.rollback().await.unwrap().complete);
}

#[tokio::test]
async fn a_query_changed_after_the_plan_is_stale_and_names_file_and_step() {
    let shop = Shop::beside();
    write(&shop, "sql/orders.sql", &SQL.replace("id,", "id, 1,"));
    let refused = refusals(&shop).await;
    assert_eq!(
        refused,
        [(Concern::Stale, "`sql/orders.sql` was changed since: the plan's edits do not fit it".to_owned())]
    );
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_in_the_place_of_a_file_or_folder_is_refused_and_never_followed() {
    let elsewhere = tempfile::tempdir().unwrap();
    let outside = elsewhere.path().join("orders.sql");
    for (link, what) in [("sql/orders.sql", "sql/orders.sql"), ("sql", "sql")] {
        let shop = Shop::beside();
        std::fs::write(&outside, SQL).unwrap();
        std::fs::remove_dir_all(shop.root.join("sql")).unwrap();
        if link == "sql" {
            std::os::unix::fs::symlink(elsewhere.path(), shop.root.join("sql")).unwrap();
        } else {
            std::fs::create_dir(shop.root.join("sql")).unwrap();
            std::os::unix::fs::symlink(&outside, shop.root.join(link)).unwrap();
        }
        let expected = format!("`sql/orders.sql` is reached through the link `{what}`, which carve does not follow");
        assert_eq!(refusals(&shop).await, [(Concern::Blocks, expected)]);
        assert!(matches!(shop.apply().await, Err(ApplyError::Blocked { .. })));
        assert_eq!(std::fs::read_to_string(&outside).unwrap(), SQL);
    }
}

#[tokio::test]
async fn a_file_of_another_root_is_edited_there_and_backed_up_under_its_own_name() {
    let mut shop = Shop::beside();
    let further = shop.root.with_file_name("bi");
    std::fs::create_dir_all(further.join("sql")).unwrap();
    std::fs::write(further.join("sql/orders.sql"), SQL).unwrap();
    let repoint = shop.plan.steps.iter().position(|step| step.id == "orders.repoint").unwrap();
    let carve::plan::Action::Repoint(edits) = &mut shop.plan.steps[repoint].action else { panic!("it repoints") };
    let there = carve::plan::FileEdit { file: "bi/sql/orders.sql".into(), ..edits.files[0].clone() };
    edits.files.push(there);
    let mut world = shop.world();
    world.further_roots.insert("bi".into(), further.clone());
    apply::run(&shop.plan, &world, &RunOptions::default(), &carve::progress::Silent).await.unwrap();
    let edited = SQL.replacen("raw.orders", "raw.orders__import", 1);
    assert_eq!(std::fs::read_to_string(further.join("sql/orders.sql")).unwrap(), edited);
    assert_eq!(shop.file("sql/orders.sql"), edited);
    assert_eq!(shop.file(".carve/orders/backup/orders.repoint/bi/sql/orders.sql"), SQL);
    apply::rollback(&shop.plan, &world, &RunOptions::default(), &carve::progress::Silent).await.unwrap();
    assert_eq!(std::fs::read_to_string(further.join("sql/orders.sql")).unwrap(), SQL);
    assert_eq!(shop.file("sql/orders.sql"), SQL);
}

#[cfg(unix)]
#[tokio::test]
async fn backups_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let shop = Shop::beside();
    shop.apply().await.unwrap();
    for kept in ["backup/orders.repoint/sql/orders.sql", "patches/orders.repoint.patch", "journal.jsonl"] {
        let mode = std::fs::metadata(shop.root.join(".carve/orders").join(kept)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{kept}");
    }
}
