//! The plans of the fixture estates, checked in under `plans/` and drafted again here. After a change that
//! is meant, `CARVE_UPDATE_PLANS=1 cargo test plans::` writes them; read the difference before committing it.
use std::{fs, path::Path};

use crate::support::{copy_all, files, folder, planned, run};

fn compare(estate: &str, drafted: &Path) {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("plans").join(estate);
    if std::env::var_os("CARVE_UPDATE_PLANS").is_some() {
        let _ = fs::remove_dir_all(&kept);
        copy_all(drafted, &kept);
    }
    let (kept, drafted) = (files(&kept), files(drafted));
    assert_eq!(kept.keys().collect::<Vec<_>>(), drafted.keys().collect::<Vec<_>>(), "{estate}");
    for (name, bytes) in kept {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        pretty_assertions::assert_eq!(text(&bytes), text(&drafted[&name]), "{estate}/{}", name.display());
    }
}

#[test]
fn the_shop_is_planned_as_it_was() {
    let (_keep, shop) = planned();
    compare("shop", &shop.join("plans"));
}

#[test]
fn estates_without_any_configuration_are_planned_as_they_were() {
    for estate in ["dbt-mini", "sql-folder"] {
        // Out of carve's own repository, whose history is none of theirs.
        let copy = folder();
        let target = copy.path().join(estate);
        copy_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/estates").join(estate), &target);
        run(copy.path(), &["plan", estate], 0);
        compare(estate, &target.join("plans"));
    }
}
