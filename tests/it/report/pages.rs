use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use carve::{
    diagnostics::Diagnostics,
    report::{RenderOptions, ReportInputs, build, render},
    vocab::Span,
};

use super::shop::{self, diagnostic, empty};

fn rendered(inputs: &ReportInputs<'_>) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
    render(&build(inputs), &RenderOptions::default()).unwrap()
}

pub(super) fn text(files: &BTreeMap<Utf8PathBuf, Vec<u8>>, name: &str) -> String {
    String::from_utf8(files[Utf8Path::new(name)].clone()).unwrap()
}

/// Written where `CARVE_REPORT_OUT` says, for eyes.
#[test]
fn the_shop_renders_to_three_files() {
    let shop = shop::shop();
    let templates = std::env::var("CARVE_REPORT_TEMPLATES").ok().map(Utf8PathBuf::from);
    let files = render(&build(&shop.inputs()), &RenderOptions { templates }).unwrap();
    let names: Vec<&str> = files.keys().map(|path| path.as_str()).collect();
    assert_eq!(names, ["index.html", "report.json", "report.md"]);
    if let Ok(out) = std::env::var("CARVE_REPORT_OUT") {
        for (path, bytes) in &files {
            std::fs::write(Utf8Path::new(&out).join(path), bytes).unwrap();
        }
    }
}

#[test]
fn the_same_shop_gives_the_same_bytes() {
    assert_eq!(rendered(&shop::shop().inputs()), rendered(&shop::shop().inputs()));
}

#[test]
fn the_page_needs_no_other_address() {
    let html = text(&rendered(&shop::shop().inputs()), "index.html");
    for outside in ["http:", "https:", "src=", "url(", "@import", "<link"] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn an_estate_without_candidates_says_so_and_draws_nothing() {
    let shop = empty("nothing");
    let files = rendered(&shop.inputs());
    let html = text(&files, "index.html");
    assert!(html.contains("Nothing to carve yet") && html.contains("There is no candidate"));
    assert!(!html.contains("<svg class=\"chart ") && !html.contains("NaN"));
    assert!(text(&files, "report.md").contains("There is no candidate"));
}

#[test]
fn one_candidate_alone_is_named_without_a_ranking() {
    let mut shop = shop::shop();
    shop.cards.truncate(1);
    shop.cards[0].robustness.flip_below = None;
    let html = text(&rendered(&shop.inputs()), "index.html");
    assert!(html.contains("it is the only candidate"));
}

#[test]
fn the_plan_of_what_is_wrapped_is_no_candidate_s() {
    let mut shop = shop::shop();
    let plans = |shop: &shop::Shop| {
        let figures = build(&shop.inputs()).decision.figures;
        figures.into_iter().find(|figure| figure.label.starts_with("candidate")).unwrap().note
    };
    shop.plans = vec![shop::plan(&shop.cards[0]), shop::plan(&shop.cards[1])];
    assert_eq!(plans(&shop), "2 have a plan");
    shop.cards.remove(0);
    assert_eq!(plans(&shop), "1 has a plan");
}

#[test]
fn a_risk_names_the_neighbour_that_the_label_rests_on() {
    let mut shop = shop::shop();
    let above = shop.cards[0].candidate.name.clone();
    let flip = shop.cards[0].robustness.flip_below.as_mut().unwrap();
    (flip.lambda, flip.alpha, flip.kept) = (Some(0.4), None, 0.5);
    let robustness = &mut shop.cards[1].robustness;
    robustness.label = "toss-up".to_owned();
    let flip = robustness.flip_below.as_mut().unwrap();
    (flip.lambda, flip.alpha, flip.kept) = (None, None, 0.9);
    let what = format!("The rank of {} is a toss-up", shop.cards[1].candidate.name);
    let risks = build(&shop.inputs()).decision.risks;
    let risk = risks.iter().find(|risk| risk.what == what).unwrap();
    assert_eq!(risk.because, format!("It would pass {above}: at λ = 0.40."));
}

#[test]
fn names_are_text_and_never_markup() {
    let evil = "</script><script>alert(1)</script>|`*";
    let mut shop = shop::shop();
    shop.title = evil.to_owned();
    shop.cards[0].candidate.system = evil.to_owned();
    shop.cards[0].frequency.terms[0].because = evil.to_owned();
    shop.exposures[0].title = evil.to_owned();
    shop.exposures[0].owner = Some(evil.to_owned());
    shop.plans[0].boundary.exposures.push(evil.to_owned());
    shop.diagnostics.push(diagnostic("E030", Span::whole(evil), evil));
    let files = rendered(&shop.inputs());
    let html = text(&files, "index.html");
    assert!(!html.contains("<script>alert"));
    assert_eq!(html.matches("</script>").count(), 2);
    assert!(!text(&files, "report.md").contains("<script>"));
}

#[test]
fn numbers_that_are_none_are_dashes() {
    let mut shop = shop::shop();
    for card in &mut shop.cards {
        card.cost.likely_days = f64::NAN;
        card.cost.high_days = f64::INFINITY;
        card.value = f64::NAN;
        card.priority = f64::INFINITY;
        card.frequency.points = f64::NAN;
    }
    let html = text(&rendered(&shop.inputs()), "index.html");
    assert!(!html.contains("NaN") && !html.contains("inf\""));
}

#[test]
fn three_thousand_faults_are_all_on_the_page_and_counted_in_markdown() {
    let mut shop = shop::shop();
    shop.diagnostics = Diagnostics::default();
    for line in 1..=3000 {
        let at = Span { line, ..Span::whole(format!("sql/{}.sql", line % 70)) };
        shop.diagnostics.push(diagnostic("E030", at, "expected an expression"));
    }
    let files = rendered(&shop.inputs());
    assert_eq!(text(&files, "index.html").matches("expected an expression").count(), 3000);
    let markdown = text(&files, "report.md");
    assert!(markdown.contains("3,000") && !markdown.contains("expected an expression"));
}

#[test]
fn an_overview_of_a_thousand_systems_stays_below_150_boxes() {
    let mut shop = shop::shop();
    let raw = shop.datasets[&shop::id("raw.order_api_orders")].clone();
    for n in 0..1000 {
        let mut facts = raw.clone();
        facts.system = Some(format!("system_{n}"));
        shop.datasets.insert(shop::id(&format!("raw.t{n}")), facts);
    }
    let overview = build(&shop.inputs()).overview;
    assert!(overview.clusters.len() <= 150, "{}", overview.clusters.len());
    let tables: u64 = overview.clusters.iter().filter(|c| c.layer == "raw").map(|c| c.count).sum();
    assert_eq!(tables as usize, shop.datasets.values().filter(|f| f.layer == raw.layer).count());
}

#[test]
fn a_template_from_a_folder_takes_the_place_of_the_built_in_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(folder.path()).unwrap();
    std::fs::write(path.join("report.md.hbs"), "{{model.title}} of ours").unwrap();
    let options = RenderOptions { templates: Some(path.to_owned()) };
    let files = render(&build(&shop::shop().inputs()), &options).unwrap();
    assert_eq!(text(&files, "report.md"), "shop of ours");
}

#[test]
fn report_json_is_one_document_with_its_format() {
    let files = rendered(&shop::shop().inputs());
    let value: serde_json::Value = serde_json::from_slice(&files[Utf8Path::new("report.json")]).unwrap();
    assert_eq!(value["format"], "carve-report/1");
    assert_eq!(value["candidates"].as_array().unwrap().len(), 12);
}

#[test]
fn a_crowd_of_candidates_draws_no_name_over_another() {
    let mut shop = shop::shop();
    let one = shop.cards[0].clone();
    shop.cards = (0..46u32)
        .map(|n| {
            let mut card = one.clone();
            let name =
                format!("{}-{n:02}", "a-service-with-a-very-long-name-that-goes-on-and-on".repeat(1 + n as usize % 2));
            card.candidate.name = name.chars().take(60).collect::<String>().trim_end_matches('-').parse().unwrap();
            card.rank = n + 1;
            card
        })
        .collect();
    let html = text(&rendered(&shop.inputs()), "index.html");
    let bubbles = &html[html.find("<svg class=\"chart bubbles\"").unwrap()..];
    let bubbles = &bubbles[..bubbles.find("</svg>").unwrap()];
    // All stand on one spot: every rank is drawn, and only as many names as there is room for.
    assert_eq!(bubbles.matches("<text class=\"rank").count(), 46);
    assert!((1..=8).contains(&bubbles.matches("<text class=\"label\"").count()), "{bubbles}");
    assert!(!bubbles.contains("leader"));
}

#[test]
fn wrapped_tables_count_as_decentral_and_still_stood_in_the_lake_at_the_start() {
    let mut shop = shop::shop();
    let plan = shop.plans[0].clone();
    shop.cards.retain(|card| card.candidate.name != plan.service);
    shop.statuses.iter_mut().for_each(|status| status.stage = "planned".to_owned());
    let before = build(&shop.inputs());
    let mut status = carve::apply::ServiceStatus::planned(plan.service.clone(), 1);
    status.stage = "wrapped".to_owned();
    shop.statuses.retain(|status| status.service != plan.service);
    shop.statuses.push(status);
    let after = build(&shop.inputs());
    let behind =
        |model: &carve::report::ReportModel| model.ownership.rows.iter().map(|row| row.decentral_now).sum::<u64>();
    assert_eq!(behind(&before), 0);
    assert!(behind(&after) > 0 && behind(&after) <= (plan.boundary.raw.len() + plan.boundary.aligned.len()) as u64);
    let left: Vec<u64> = after.sequence.burn_down.iter().map(|point| point.left).collect();
    let ranked: u64 = shop.cards.iter().map(|card| card.candidate.raw.len() as u64).sum();
    assert_eq!(left, [ranked + plan.boundary.raw.len() as u64, ranked]);
}
