//! Plans changed by hand: each is refused with its place, its cause and what to do, and nothing is touched.
use std::{fs, path::Path};

use carve::vocab::Digest;

use crate::support::{carve, expect, files, planned};

/// The id of a plan whose lines are these: what a careful forger would write.
fn sealed(text: &str) -> String {
    let body: Vec<&str> =
        text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("id: sha256:")).collect();
    let id = format!("id: {}", Digest::of(body.join("\n")));
    text.lines()
        .map(|line| if line.starts_with("id: sha256:") { id.as_str() } else { line })
        .collect::<Vec<_>>()
        .join("\n")
        + "\n"
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "the plan has `{from}`");
    text.replacen(from, to, 1)
}

/// The block of the step whose id is `id`, its end marked by the next step.
fn step<'t>(text: &'t str, id: &str) -> &'t str {
    let start = text.find(&format!("- id: {id}\n")).unwrap();
    let length = text[start + 1..].find("\n- id: ").map_or(text.len() - start, |at| at + 2);
    &text[start..start + length]
}

/// Applies what `forge` makes of the plan; gives back the exit code and what was told.
fn refused(shop: &Path, plan: &str, name: &str, forged: &[u8], codes: &[i32]) -> String {
    fs::write(shop.join("plans/orders.yaml"), forged).unwrap();
    let arguments = ["apply", "orders"];
    let output = carve(shop, &arguments).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let code = output.status.code().unwrap_or(-1);
    assert!(codes.contains(&code), "{name}: exit {code}\n{told}");
    assert!(told.contains("error:") && told.contains("to do:") && !told.contains("panicked"), "{name}: {told}");
    fs::write(shop.join("plans/orders.yaml"), plan).unwrap();
    told
}

#[test]
fn a_plan_changed_by_hand_is_refused_and_touches_nothing() {
    let (_keep, shop) = planned();
    let plan = fs::read_to_string(shop.join("plans/orders.yaml")).unwrap();
    let before = files(&shop);
    let publish = step(&plan, "orders.publish").to_owned();
    let schedule = step(&plan, "orders.schedule").to_owned();
    let id = plan.lines().find(|line| line.starts_with("id: ")).unwrap();
    let text = |from: &str, to: &str| replaced(&plan, from, to);
    let cases: Vec<(&str, String)> = vec![
        ("another id", text(id, &format!("id: {}", Digest::of("x")))),
        ("no id", text(&format!("{id}\n"), "")),
        ("an id that is no digest", text(id, "id: latest")),
        ("a changed number", text("rows_per_part: 1000", "rows_per_part: 1001")),
        ("a number too large", text("rows_per_part: 1000", "rows_per_part: 99999999999999999999")),
        ("a number below nothing", text("rows_per_part: 1000", "rows_per_part: -1")),
        ("another order of steps", text(&publish, "") + &publish),
        ("a step left out", text(&schedule, "")),
        ("a step twice", plan.clone() + &publish),
        ("an unknown key", text("summary:", "colour: red\nsummary:")),
        ("a key twice", text("summary:", "service: orders\nsummary:")),
        ("an unknown kind of step", text("    publish:\n", "    shell:\n")),
        ("an alias that is nowhere", text("service: orders", "service: *nowhere")),
        ("an alias of itself", text("facts:", "facts: &a [*a]\nx:")),
        ("a second document", plan.clone() + "---\nformat: carve-plan/1\n"),
        ("another format", text("carve-plan/1", "carve-plan/2")),
        ("a format that is no text", text("format: carve-plan/1", "format: [1]")),
        ("half of it", plan[..plan.len() / 2].to_owned()),
        ("nothing", String::new()),
        ("no YAML", "\t- [".to_owned()),
        ("a file path outside", text("file: jobs/carve/orders.refresh.yaml", "file: ../../etc/passwd")),
    ];
    for (name, forged) in &cases {
        assert_ne!(*forged, plan, "{name}");
        let told = refused(&shop, &plan, name, forged.as_bytes(), &[3]);
        assert!(told.contains("plans/orders.yaml"), "{name}: {told}");
    }
    let other = fs::read_to_string(shop.join("plans/customer.yaml")).unwrap();
    refused(&shop, &plan, "another service's plan", other.as_bytes(), &[3]);
    refused(&shop, &plan, "no text", b"\xff\xfe\x00p\x00l", &[3]);
    assert!(files(&shop) == before);
}

#[test]
fn a_plan_forged_with_a_new_id_cannot_leave_the_estate_or_break_its_own_order() {
    let (_keep, shop) = planned();
    let plan = fs::read_to_string(shop.join("plans/orders.yaml")).unwrap();
    assert_eq!(sealed(&plan), plan, "the forger knows how ids are made");
    let before = files(&shop);
    let publish = step(&plan, "orders.publish").to_owned();
    let repoint = step(&plan, "orders.repoint.shipments_sla").to_owned();
    let text = |from: &str, to: &str| replaced(&plan, from, to);
    let in_repoint = |from: &str, to: &str| text(&repoint, &replaced(&repoint, from, to));
    let edited = "file: sql/transformed/orders/shipments_sla.sql";
    let start: &str =
        repoint.lines().find(|line| line.trim_start().trim_start_matches("- ").starts_with("start:")).unwrap();
    let cases: Vec<(&str, String)> = vec![
        ("a new file above the estate", text("file: jobs/carve/orders.refresh.yaml", "file: ../../etc/passwd")),
        ("a new file from the root", text("file: jobs/carve/orders.refresh.yaml", "file: /tmp/passwd")),
        ("an edit above the estate", in_repoint(edited, "file: ../../etc/passwd")),
        ("an edit from the root", in_repoint(edited, "file: /etc/passwd")),
        ("an edit of nothing", in_repoint(edited, "file: ''")),
        ("an edit of a folder", in_repoint(edited, "file: sql")),
        (
            "an edit far behind the end",
            in_repoint(start, &replaced(start, start.split(' ').next_back().unwrap(), "18446744073709551615")),
        ),
        (
            "other bytes promised",
            in_repoint(
                "    after: sha256:",
                "    after: sha256:0000000000000000000000000000000000000000000000000000000000000000 #",
            ),
        ),
        ("a step twice", plan.clone() + &publish),
        (
            "a step that needs itself",
            text(&publish, &replaced(&publish, "  relies_on:", "  needs:\n  - orders.publish\n  relies_on:")),
        ),
        (
            "steps that need each other",
            text(&publish, &replaced(&publish, "  relies_on:", "  needs:\n  - orders.schedule\n  relies_on:")),
        ),
        (
            "a step that needs nothing known",
            text(&publish, &replaced(&publish, "  relies_on:", "  needs:\n  - nowhere\n  relies_on:")),
        ),
        ("parts without rows", text("rows_per_part: 1000", "rows_per_part: 0")),
        ("a publication elsewhere", text("into: data-services/orders", "into: ../elsewhere")),
    ];
    for (name, forged) in &cases {
        assert_ne!(*forged, plan, "{name}");
        refused(&shop, &plan, name, sealed(forged).as_bytes(), &[3, 4]);
    }
    // Preflight may have tried whether the lake takes writes: what it tried is gone, its file's bytes may differ.
    let untried = |path: &std::path::PathBuf| ![".carve", "lake", "bucket"].iter().any(|own| path.starts_with(own));
    let (mut before, mut after) = (before, files(&shop));
    before.retain(|path, _| untried(path));
    after.retain(|path, _| untried(path));
    assert!(after == before);
    assert!(!files(&shop.join("bucket")).keys().any(|path| path.starts_with("data-services/orders")));
}

#[test]
fn how_a_plan_is_spelt_does_not_count() {
    let (_keep, shop) = planned();
    let plan = fs::read_to_string(shop.join("plans/orders.yaml")).unwrap();
    let spelt = [
        plan.replace('\n', "\r\n"),
        format!("\u{feff}{plan}"),
        format!("---\n{plan}"),
        format!("# seen by Ana\n{plan}"),
    ];
    for text in spelt {
        fs::write(shop.join("plans/orders.yaml"), text).unwrap();
        let output = carve(&shop, &["apply", "orders", "--dry-run"]).output().unwrap();
        expect(&output, &["apply", "orders", "--dry-run"], 0);
    }
}
