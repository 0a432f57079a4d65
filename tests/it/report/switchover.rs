//! Moving Superset datasets on files written for the purpose.
use std::{collections::BTreeMap, fs};

use camino::{Utf8Path, Utf8PathBuf};
use carve::{
    estate::{Estate, Exposure, JobKind, Root, Script, Templating},
    lineage::{Access, Evidence, Lineage, TableUse},
    report::{RenderOptions, render_switchover},
    switchover::{Switchover, WrapFacts, draft, readiness},
    vocab::{DatasetId, Digest, Span},
};

use super::{pages::text, shop};

const PHYSICAL: &str =
    "# exported\r\ntable_name: 'order_api_orders'   # the shop's\r\nschema: raw\r\nsql: null\r\nuuid: 1\r\n";

struct Bench {
    _folder: tempfile::TempDir,
    estate: Estate,
    lineage: Lineage,
    plan: carve::plan::Plan,
}

fn bench(files: &[(&str, &str)]) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    for (name, text) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let roots = vec![Root { path: root, prefix: Utf8PathBuf::new() }];
    let jobs = vec![shop::job("load_order_api", JobKind::Import, "15 * * * *", true)];
    let plan = shop::shop().plans[0].clone();
    Bench { _folder: folder, estate: Estate { roots, jobs, ..Estate::default() }, lineage: Lineage::default(), plan }
}

fn exposure(kind: &str, title: &str, file: &str, parts: &[&str]) -> Exposure {
    Exposure {
        id: format!("superset/{kind}/{title}"),
        title: title.to_owned(),
        kind: kind.to_owned(),
        tool: "superset".to_owned(),
        owner: None,
        reads: Vec::new(),
        scripts: Vec::new(),
        parts: parts.iter().map(|p| (*p).to_owned()).collect(),
        at: Span::whole(file),
    }
}

fn dataset(title: &str, file: &str, reads: &[&str]) -> Exposure {
    let read = |name: &&str| (shop::id(name), Span::whole(file));
    Exposure { reads: reads.iter().map(read).collect(), ..exposure("dataset", title, file, &[]) }
}

fn drafted(bench: &Bench) -> Switchover {
    draft(&bench.estate, &bench.lineage, &bench.plan)
}

#[test]
fn a_physical_dataset_moves_and_every_other_byte_stays() {
    let mut bench = bench(&[("bi/datasets/orders.yaml", PHYSICAL)]);
    bench.estate.exposures = vec![
        dataset("orders", "bi/datasets/orders.yaml", &["raw.order_api_orders"]),
        exposure("chart", "Revenue", "bi/charts/r.yaml", &["superset/dataset/orders"]),
        exposure("dashboard", "Sales", "bi/dashboards/s.yaml", &["superset/chart/Revenue"]),
    ];
    let found = drafted(&bench);
    assert_eq!(found.blocked, []);
    let one = &found.moves[0];
    assert_eq!(one.content, PHYSICAL.replace("order_api_orders", "order_api_orders__import"));
    assert_eq!(
        (one.charts.as_slice(), one.dashboards.as_slice()),
        (&["Revenue".to_owned()][..], &["Sales".to_owned()][..])
    );
    assert!(one.window.contains("15 * * * *"));
}

#[test]
fn a_dataset_on_another_table_is_left_alone() {
    let mut bench = bench(&[]);
    bench.estate.exposures = vec![
        dataset("other", "bi/datasets/other.yaml", &["raw.elsewhere"]),
        dataset("sales", "bi/datasets/sales.yaml", &["modelled.sales_daily"]),
    ];
    bench.plan.boundary.exposures = vec!["superset/dataset/sales".to_owned()];
    let found = drafted(&bench);
    assert!(found.moves.is_empty() && found.blocked.is_empty());
    let ids: Vec<&str> = found.untouched.iter().map(|u| u.id.as_str()).collect();
    assert_eq!(ids, ["superset/dataset/sales"]);
}

#[test]
fn what_cannot_be_moved_is_listed_with_its_reason() {
    let mut bench = bench(&[("bi/datasets/b.yaml", "table_name: >\n  order_api_orders\n")]);
    let mut of_dbt = dataset("exposed", "models/x.yml", &["raw.order_api_orders"]);
    of_dbt.tool = "dbt".to_owned();
    bench.estate.exposures = vec![
        dataset("a", "bi/export.zip/datasets/a.yaml", &["raw.order_api_orders"]),
        dataset("b", "bi/datasets/b.yaml", &["raw.order_api_orders"]),
        of_dbt,
    ];
    let found = drafted(&bench);
    assert!(found.moves.is_empty());
    let reasons: Vec<&str> = found.blocked.iter().map(|b| b.because.as_str()).collect();
    assert!(reasons[0].contains("unpack"), "{reasons:?}");
    assert!(reasons[1].contains("table_name"), "{reasons:?}");
    assert!(reasons[2].contains("models"), "{reasons:?}");
}

#[test]
fn a_service_in_place_moves_nobody() {
    let mut bench = bench(&[("bi/datasets/orders.yaml", PHYSICAL)]);
    for step in &mut bench.plan.steps {
        if let carve::plan::Action::Swap(swap) = &mut step.action {
            let name = swap.live.table().replace("__import", "");
            swap.live = swap.live.sibling(&name);
        }
    }
    bench.estate.exposures = vec![dataset("orders", "bi/datasets/orders.yaml", &["raw.order_api_orders"])];
    let found = drafted(&bench);
    assert!(found.moves.is_empty());
    assert_eq!(found.untouched[0].because, "the table it reads keeps its name");
}

/// Script and lineage of a virtual dataset whose `sql` is a block.
fn virtual_dataset(file: &str, content: &str, sql: &str) -> (Exposure, Vec<TableUse>) {
    let start = content.find(sql).unwrap();
    let script = Script {
        at: Span::of(file, content, start, start + sql.len()),
        text: sql.into(),
        verbatim: true,
        templating: Templating::Generic,
        dialect: Some("sqlite".to_owned()),
        schema: None,
        target: None,
        materialized: None,
        params: BTreeMap::new(),
    };
    let at = Span::of(file, content, start, start);
    let dataset: DatasetId = shop::id("raw.order_api_orders");
    let uses = vec![TableUse { dataset, access: Access::Read, evidence: Evidence::Parsed, at, exact: false }];
    (Exposure { scripts: vec![script], ..exposure("dataset", "big orders", file, &[]) }, uses)
}

#[test]
fn the_sql_of_a_virtual_dataset_is_edited_inside_its_file() {
    let sql = "SELECT o.id\n  FROM raw.order_api_orders AS o\n  WHERE o.total > 100\n";
    let content = format!("table_name: big orders\nsql: |\n  {sql}metrics: []\n");
    let mut bench = bench(&[("bi/datasets/big.yaml", &content)]);
    let (exposure, uses) = virtual_dataset("bi/datasets/big.yaml", &content, sql);
    bench.lineage.exposures.insert(exposure.id.clone(), uses);
    bench.estate.exposures = vec![exposure];
    let found = drafted(&bench);
    assert_eq!(found.blocked, []);
    assert_eq!(found.moves[0].content, content.replace("raw.order_api_orders", "raw.order_api_orders__import"));
    assert_eq!(found.moves[0].after, sql.replace("raw.order_api_orders", "raw.order_api_orders__import"));
}

#[test]
fn a_template_is_filled_in_the_proofs_and_said_to_be() {
    let sql = "SELECT o.id\n  FROM raw.order_api_orders AS o\n  WHERE o.at > '{{ from_dttm }}'\n";
    let content = format!("table_name: big orders\nsql: |\n  {sql}metrics: []\n");
    let mut bench = bench(&[("bi/datasets/big.yaml", &content)]);
    let (exposure, uses) = virtual_dataset("bi/datasets/big.yaml", &content, sql);
    bench.lineage.exposures.insert(exposure.id.clone(), uses);
    bench.estate.exposures = vec![exposure];
    let found = drafted(&bench);
    assert!(found.moves[0].before.contains("{{ from_dttm }}") && found.moves[0].after.contains("{{ from_dttm }}"));
    for proof in &found.moves[0].proofs {
        assert!(!proof.code.contains("{{"), "{}", proof.code);
    }
    assert!(found.moves[0].stand_ins.iter().any(|said| said.contains("from_dttm")), "{:?}", found.moves[0].stand_ins);
    let page = text(
        &render_switchover(&found, &readiness(&found, &WrapFacts::default()), &RenderOptions::default()).unwrap(),
        "order-api/big-orders.md",
    );
    let proof = page.split("## Proof").nth(1).unwrap().split("## Move").next().unwrap();
    assert!(proof.contains("stand-ins") && !proof.contains("{{"), "{proof}");
}

#[test]
fn what_stands_on_a_moved_dataset_moves_with_it_and_its_owner_is_asked() {
    let mut bench = bench(&[("bi/datasets/orders.yaml", PHYSICAL)]);
    let mut dashboard = exposure("dashboard", "Sales", "bi/dashboards/s.yaml", &["superset/chart/Revenue"]);
    dashboard.owner = Some("team-bi".to_owned());
    bench.estate.exposures = vec![
        dataset("orders", "bi/datasets/orders.yaml", &["raw.order_api_orders"]),
        dataset("other", "bi/datasets/other.yaml", &["modelled.sales_daily"]),
        exposure("chart", "Revenue", "bi/charts/r.yaml", &["superset/dataset/orders"]),
        exposure("chart", "Elsewhere", "bi/charts/e.yaml", &["superset/dataset/other"]),
        dashboard,
    ];
    bench.plan.boundary.exposures = bench.estate.exposures.iter().map(|exposure| exposure.id.clone()).collect();
    let found = drafted(&bench);
    let titles: Vec<&str> = found.carried.iter().map(|one| one.title.as_str()).collect();
    assert_eq!(titles, ["Revenue", "Sales"]);
    assert!(found.carried.iter().all(|one| one.with == ["orders"]));
    let untouched: Vec<&str> = found.untouched.iter().map(|one| one.title.as_str()).collect();
    assert_eq!(untouched, ["Elsewhere", "other"]);
    assert_eq!(found.moves[0].ask, ["team-bi (dashboard Sales)"]);
}

#[test]
fn the_steps_of_a_page_count_up_and_each_has_something_to_copy() {
    let mut bench = bench(&[("bi/datasets/orders.yaml", PHYSICAL)]);
    bench.estate.exposures = vec![dataset("orders", "bi/datasets/orders.yaml", &["raw.order_api_orders"])];
    let found = drafted(&bench);
    let files = render_switchover(&found, &BTreeMap::new(), &RenderOptions::default()).unwrap();
    let page = text(&files, "order-api/orders.md");
    let back = page.split("## Way back").nth(1).unwrap();
    for part in ["**1. ", "**2. ", "**3. ", "orders.before.json", "git apply -R"] {
        assert!(back.contains(part), "{part}\n{back}");
    }
    let body: serde_json::Value = serde_json::from_str(&text(&files, "order-api/orders.after.json")).unwrap();
    assert_eq!(body, serde_json::json!({ "schema": "raw", "table_name": "order_api_orders__import" }));
    let all = found.moves[0].preconditions.iter().chain(&found.moves[0].steps).chain(&found.moves[0].way_back);
    assert!(all.clone().count() >= 10 && all.into_iter().all(|task| !task.code.is_empty() && !task.expect.is_empty()));
}

#[test]
fn readiness_follows_the_wrap_and_the_file() {
    let mut bench = bench(&[("bi/datasets/orders.yaml", PHYSICAL)]);
    bench.estate.exposures = vec![dataset("orders", "bi/datasets/orders.yaml", &["raw.order_api_orders"])];
    let found = drafted(&bench);
    let state = |facts: WrapFacts| readiness(&found, &facts)["superset/dataset/orders"].state;
    let now = |digest: Digest| [("superset/dataset/orders".to_owned(), digest)].into();
    assert_eq!(state(WrapFacts::default()), "waiting");
    assert_eq!(state(WrapFacts { wrapped: true, ..WrapFacts::default() }), "waiting");
    assert_eq!(state(WrapFacts { wrapped: true, proven: true, ..WrapFacts::default() }), "ready");
    assert_eq!(state(WrapFacts { files_now: now(found.moves[0].edit.after), ..WrapFacts::default() }), "moved");
    assert_eq!(state(WrapFacts { files_now: now(Digest::of("x")), ..WrapFacts::default() }), "changed");
}

#[test]
fn the_plan_of_a_move_shows_old_new_proof_and_way_back() {
    let mut bench = bench(&[("bi/datasets/orders.yaml", PHYSICAL)]);
    bench.estate.exposures = vec![dataset("orders", "bi/datasets/orders.yaml", &["raw.order_api_orders"])];
    let found = drafted(&bench);
    let ready = readiness(&found, &WrapFacts { wrapped: true, proven: true, ..WrapFacts::default() });
    let files = render_switchover(&found, &ready, &RenderOptions::default()).unwrap();
    let names: Vec<&str> = files.keys().map(|p| p.as_str()).collect();
    let expected = [
        "files/bi/datasets/orders.yaml",
        "index.md",
        "orders.after.json",
        "orders.before.json",
        "orders.md",
        "switchover.patch",
    ];
    assert_eq!(names, expected.map(|name| format!("order-api/{name}")));
    let page = text(&files, "order-api/orders.md");
    for part in ["**ready**", "raw.order_api_orders__import", "EXCEPT", "## Way back", "15 * * * *", "```diff"] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    if let Ok(out) = std::env::var("CARVE_REPORT_OUT") {
        fs::write(Utf8Path::new(&out).join("switchover.md"), &page).unwrap();
        fs::write(Utf8Path::new(&out).join("switchover_index.md"), text(&files, "order-api/index.md")).unwrap();
    }
}

/// Files of other tools, each with the old table once or more in places that carve edits.
const OF_OTHER_TOOLS: &[(&str, &str)] = &[
    (
        "floor.json",
        r#"{"title": "Floor", "schemaVersion": 39, "panels": [
  {"title": "A", "targets": [{"rawSql": "SELECT \"x\", 'é'\nFROM \"raw\".\"order_api_orders\" o WHERE $__timeFilter(o.at)"}]},
  {"title": "B", "targets": [{"rawSql": "SELECT count(*) FROM raw.order_api_orders"}]}]}"#,
    ),
    (
        "looker/orders.view.lkml",
        "view: orders {\n  sql_table_name: `raw.order_api_orders` ;; # old\n}\nview: big {\n  derived_table: { sql: SELECT 1 FROM raw.order_api_orders WHERE {% condition a %} b {% endcondition %} ;; }\n}\n",
    ),
    (
        "metabase/card.yaml",
        "name: Card\nentity_id: aaaaaaaaaaaaaaaaaaaaa\ndataset_query:\n  database: Lake\n  type: native\n  native:\n    query: \"SELECT \\\"a\\\"\\nFROM raw.order_api_orders\\n[[WHERE a = {{b}}]]\"\nserdes/meta:\n- model: Card\n",
    ),
    (
        "M.SemanticModel/definition/tables/T.tmdl",
        "table T\n\n\tpartition T = m\n\t\tsource =\n\t\t\t\tlet\n\t\t\t\t\tS = Sql.Database(\"s\", \"d\"),\n\t\t\t\t\tT = S{[Schema=\"raw\",Item=\"order_api_orders\"]}[Data],\n\t\t\t\t\tN = Value.NativeQuery(S, \"SELECT \"\"a\"\" FROM raw.order_api_orders\")\n\t\t\t\tin\n\t\t\t\t\tT\n",
    ),
    ("pages/index.md", "# Orders\n\n```sql all_orders\nSELECT * FROM raw.order_api_orders\n```\n"),
];

#[test]
fn files_of_other_tools_are_edited_where_they_name_the_table_and_nowhere_else() {
    let bench = read_bench(OF_OTHER_TOOLS);
    let found = drafted(&bench);
    assert_eq!(found.blocked, []);
    for (file, text) in OF_OTHER_TOOLS {
        let moves: Vec<_> = found.moves.iter().filter(|one| one.edit.file == *file).collect();
        assert!(!moves.is_empty(), "{file}");
        for one in moves {
            assert_eq!(one.content, text.replace("order_api_orders", "order_api_orders__import"), "{file}");
            assert!(one.before.contains("order_api_orders") && one.after.contains("order_api_orders__import"));
        }
    }
    let pages =
        render_switchover(&found, &readiness(&found, &WrapFacts::default()), &RenderOptions::default()).unwrap();
    let patch = text(&pages, "order-api/switchover.patch");
    assert_eq!(patch.matches("+++ ").count(), OF_OTHER_TOOLS.len(), "a file stands in the patch once: {patch}");
    let page = text(&pages, "order-api/floor-a.md");
    assert!(!page.contains("Superset") && !page.contains("SQL Lab") && page.contains("grafana"), "{page}");
}

#[test]
fn what_a_tool_alone_can_change_is_listed_with_both_texts() {
    let workbook = "<workbook><datasources><datasource caption='D' name='d'><connection class='postgres' schema='raw'>\
        <relation name='q' type='text'>SELECT 1 FROM raw.order_api_orders</relation></connection></datasource></datasources></workbook>";
    let bench = read_bench(&[("w.twb", workbook)]);
    let found = drafted(&bench);
    assert!(found.moves.is_empty());
    let blocked = &found.blocked[0];
    assert!(blocked.because.contains("Tableau"), "{}", blocked.because);
    let change = &blocked.changes[0];
    assert_eq!(
        (change.at.as_str(), change.before.as_str(), change.after.as_str()),
        ("w.twb:1", "SELECT 1 FROM raw.order_api_orders", "SELECT 1 FROM raw.order_api_orders__import")
    );
    let pages =
        render_switchover(&found, &readiness(&found, &WrapFacts::default()), &RenderOptions::default()).unwrap();
    assert!(text(&pages, "order-api/index.md").contains("SELECT 1 FROM raw.order_api_orders__import"));
}

/// A bench whose estate and lineage are read from its files.
fn read_bench(files: &[(&str, &str)]) -> Bench {
    let mut bench = bench(files);
    let root = bench.estate.roots[0].path.clone();
    let (estate, _) = carve::estate::load(&[root], &carve::estate::LoadOptions::default(), &carve::progress::Silent);
    (bench.lineage, _) = carve::lineage::read(&estate, &carve::progress::Silent);
    bench.estate = estate;
    bench
}
