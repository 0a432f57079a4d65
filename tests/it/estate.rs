//! Whole folders into an estate: what is found, where it stands, and what is told.
use std::{collections::BTreeMap, fs, io::Write as _, process::Command};

use camino::{Utf8Path, Utf8PathBuf};
use carve::{
    diagnostics::Diagnostics,
    estate::{Declaration, Estate, FileFormat, Job, LoadOptions, Templating, UsedThing, load, starter_settings},
    progress::{ProgressEvent, Recorded, Silent},
    vocab::Span,
};
use pretty_assertions::assert_eq;
use proptest::prelude::*;
use tempfile::TempDir;

/// A folder with `files` in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path().to_str().unwrap().into(), files);
    folder
}

fn write(root: &Utf8Path, files: &[(&str, &str)]) {
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn path(folder: &TempDir) -> Utf8PathBuf {
    folder.path().to_str().unwrap().into()
}

fn read(root: &Utf8Path) -> (Estate, Diagnostics) {
    load(&[root.to_owned()], &LoadOptions::default(), &Silent)
}

/// Codes and places of the faults, but for the missing history of a folder outside git.
fn told(faults: &Diagnostics) -> Vec<String> {
    let lines = faults.iter().map(|fault| format!("{} {}", fault.code.code, fault.at));
    lines.filter(|line| !line.starts_with("E018")).collect()
}

fn job<'e>(estate: &'e Estate, id: &str) -> &'e Job {
    estate.jobs.iter().find(|job| job.id.as_str() == id).unwrap_or_else(|| panic!("no job {id}"))
}

/// The bytes that stand at `span` below `root`.
fn bytes_at(root: &Utf8Path, span: &Span) -> String {
    let bytes = fs::read(root.join(&span.file)).unwrap();
    String::from_utf8(bytes[span.start..span.end].to_vec()).unwrap()
}

const JOBS: &str = "\u{feff}# imports\nformat: carve-jobs/1\nsources:\n  order_db: { kind: sqlite, url: env:ORDER_DB, owner: team-orders, domain: orders }\n\
defaults: { owner: team-lake, schedule: { every: 15m } }\njobs:\n  load_orders:\n    kind: import\n    from: order_db\n    tables:\n      - from: Orders # legacy\n        into: \"raw.order_orders\"\n        watermark: updated_at\n      - { from: 'lines', into: raw.order_lines }\n  orders:\n    schedule: 15 * * * *\n    sql: ../sql/transformed/orders.sql\n    target: transformed.orders\n    params: { region: eu }\n    depends_on: [load_orders]\n  é:\n    query: |\n      select *\n        from raw.order_orders\n    dialect: PostgreSQL\n    enabled: no\n";

fn shop() -> TempDir {
    folder(&[
        ("carve.yaml", "vars: { region: us, env: prod }\nexclude: [old/]\n"),
        ("jobs/orders.yaml", JOBS),
        ("sql/transformed/orders.sql", "select * from raw.order_orders where region = '{{ region }}'\n"),
        ("sql/modelled/sales.sql", "select 1 as a\n"),
        ("old/x.sql", "select 1\n"),
        ("logs/usage.csv", "user,time,table\nann,2026-01-05,modelled.sales\nann,2026-01-05,modelled.sales\n"),
        ("README.md", "read me"),
        (".carve/orders/journal.jsonl", "{}"),
        ("plans/orders.yaml", "format: carve-plan/1\n"),
        ("report/index.html", "<p>"),
        // Copies of files that people edit when they switch; without the overview it is a folder of the team's.
        ("switchover/orders/index.md", "# Switchover\n"),
        ("switchover/orders/files/sql/modelled/sales.sql", "select 2 as a\n"),
        ("switchover/orders/sales.after.json", "{}"),
    ])
}

#[test]
fn jobs_tables_and_sources_are_found_where_they_stand() {
    let place = shop();
    let (estate, faults) = read(&path(&place));
    assert_eq!(told(&faults), Vec::<String>::new());
    let ids: Vec<_> = estate.jobs.iter().map(|job| (job.id.as_str(), job.declared_by)).collect();
    let (config, bare) = (Declaration::CarveJobs, Declaration::BareSql);
    assert_eq!(ids, [("load_orders", config), ("orders", config), ("sql/modelled/sales", bare), ("é", config)]);
    let load = job(&estate, "load_orders");
    let tables: Vec<_> = load.imports.iter().map(|table| (table.from.to_string(), table.into.to_string())).collect();
    let expected = [("order_db:orders", "raw.order_orders"), ("order_db:lines", "raw.order_lines")];
    assert_eq!(tables, expected.map(|(from, into)| (from.to_owned(), into.to_owned())));
    let at: Vec<_> = load
        .imports
        .iter()
        .flat_map(|table| [&table.from_at, &table.into_at])
        .map(|at| bytes_at(&path(&place), at))
        .collect();
    assert_eq!(at, ["Orders", "raw.order_orders", "lines", "raw.order_lines"]);
    assert_eq!(load.imports[0].into_at.to_string(), "jobs/orders.yaml:12:16");
    assert_eq!(load.schedule.as_ref().unwrap().runs_per_day, Some(96.0));
    assert_eq!(job(&estate, "orders").schedule.as_ref().unwrap().runs_per_day, Some(24.0));
    assert_eq!(estate.sources["order_db"].owner.as_deref(), Some("team-orders"));
    assert_eq!(estate.usage.iter().map(|usage| usage.count).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_copied_tables_name_is_quoted_as_in_sql() {
    let jobs = "format: carve-jobs/1\nsources: { shop: { kind: postgres } }\njobs:\n  load:\n    kind: import\n    from: shop\n    tables:\n\
        \x20     - { from: '\"a.b\"', into: raw.one }\n      - { from: '\"Sch\"\"ema\".\"Or ders\"', into: raw.two }\n\
        \x20     - { from: '\"a:b\"', into: raw.three }\n      - { from: 'shop:\"A\".b', into: raw.four }\n";
    let place = folder(&[("jobs.yaml", jobs)]);
    let (estate, faults) = read(&path(&place));
    let names: Vec<(Option<&str>, &str)> =
        job(&estate, "load").imports.iter().map(|copied| (copied.from.schema(), copied.from.table())).collect();
    let expected = [(None, "a.b"), (Some("sch\"ema"), "or ders"), (None, "a:b"), (Some("a"), "b")];
    assert_eq!(names, expected, "{:?}", told(&faults));
}

#[test]
fn sql_beside_and_inside_a_config_leads_back_to_its_bytes() {
    let place = shop();
    let (estate, _) = read(&path(&place));
    let script = &job(&estate, "orders").scripts[0];
    assert_eq!((script.verbatim, script.target.as_ref().unwrap().to_string()), (true, "transformed.orders".to_owned()));
    assert_eq!(
        script.params,
        [("env", "prod"), ("region", "eu")].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    );
    let inline = &job(&estate, "é").scripts[0];
    assert_eq!(&*inline.text, "select *\n        from raw.order_orders");
    assert_eq!((inline.verbatim, inline.dialect.as_deref(), inline.target.clone()), (true, Some("postgres"), None));
    for script in [script, inline] {
        assert_eq!(bytes_at(&path(&place), &script.at), *script.text);
    }
    let bare = &job(&estate, "sql/modelled/sales").scripts[0];
    assert_eq!(bare.target.as_ref().unwrap().to_string(), "modelled.sales");
}

#[test]
fn what_stands_before_a_command_holds_for_it_alone() {
    let text = "S=raw\nN=erp\ngo() { Y=mart; psql -c \"insert into $S.a select 1 from $N.t\"; }\n\
        S=stage S=late go\npsql -c \"insert into $S.b select 1 from $Y.t\"\n";
    let place = folder(&[("load.sh", text)]);
    let (estate, _) = read(&path(&place));
    let texts: Vec<&str> = job(&estate, "load.sh").scripts.iter().map(|script| &*script.text).collect();
    assert_eq!(texts, ["insert into late.a select 1 from erp.t", "insert into raw.b select 1 from mart.t"]);
}

#[test]
fn a_shell_variable_that_doubles_without_end_stays_small() {
    let doubled = format!("X=a\n{}psql -c \"select '$X' from raw.t\"\n", "X=$X$X\n".repeat(60));
    let place = folder(&[("load.sh", &doubled)]);
    let (estate, _) = read(&path(&place));
    let length: usize = job(&estate, "load.sh").scripts.iter().map(|script| script.text.len()).sum();
    assert!((20..1024 * 1024).contains(&length), "{length}");
}

#[test]
fn what_carve_writes_and_what_is_excluded_is_not_read() {
    let place = shop();
    let (estate, _) = read(&path(&place));
    let files: Vec<_> = estate.files.iter().map(|file| (file.path.as_str(), file.format)).collect();
    let expected = [
        ("README.md", FileFormat::Other),
        ("carve.yaml", FileFormat::Settings),
        ("jobs/orders.yaml", FileFormat::CarveJobs),
        ("logs/usage.csv", FileFormat::UsageLog),
        ("sql/modelled/sales.sql", FileFormat::Sql),
        ("sql/transformed/orders.sql", FileFormat::Sql),
    ];
    assert_eq!(files, expected);
    std::fs::remove_file(path(&place).join("switchover/orders/index.md")).unwrap();
    let (estate, _) = read(&path(&place));
    assert!(estate.files.iter().any(|file| file.path == "switchover/orders/files/sql/modelled/sales.sql"));
}

#[test]
fn a_second_document_of_a_config_is_told() {
    let place = folder(&[(
        "jobs.yaml",
        "format: carve-jobs/1\njobs:\n  a: { query: insert into m.a select 1 as x }\n---\nformat: carve-jobs/1\njobs:\n  \
         b: { query: insert into m.b select 1 as x }\n",
    )]);
    let (estate, faults) = read(&path(&place));
    assert_eq!(estate.jobs.len(), 1);
    let told: Vec<_> = faults.iter().filter(|fault| fault.code.code == "E028").collect();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].at.to_string().as_str(), told[0].advice()), ("jobs.yaml:4:1", "put it into a file of its own"));
}

#[test]
fn files_written_in_another_order_give_the_same_estate() {
    let files: Vec<(String, String)> =
        (0..40).map(|at| (format!("s{}/t{at}.sql", at % 7), format!("select {at} as a"))).collect();
    let shown = |files: &mut dyn Iterator<Item = &(String, String)>| {
        let place = tempfile::tempdir().unwrap();
        for (path, text) in files {
            write(place.path().to_str().unwrap().into(), &[(path, text)]);
        }
        let (estate, faults) = read(&path(&place));
        format!("{:?} {:?} {:?}", estate.files, estate.jobs, faults)
    };
    assert_eq!(shown(&mut files.iter()), shown(&mut files.iter().rev()));
}

#[test]
fn progress_tells_how_many_files_there_are() {
    let place = shop();
    let heard = Recorded::default();
    load(&[path(&place)], &LoadOptions::default(), &heard);
    let started = ProgressEvent::Started { name: "reading files".to_owned(), total: Some(6), unit: "files" };
    assert_eq!(heard.events()[0], started);
}

#[test]
fn every_fault_has_an_estate_that_shows_it() {
    let faults = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/faults");
    let mut seen = Vec::new();
    for entry in fs::read_dir(&faults).unwrap() {
        let code = entry.unwrap().file_name().into_string().unwrap();
        // E030 to E049 are for the rooms that read SQL and build the graph.
        if code.as_str() >= "E030" && code.as_str() < "E050" {
            continue;
        }
        let expected = fs::read_to_string(faults.join(&code).join("expected.txt")).unwrap();
        let (_, found) = read(&faults.join(&code));
        let mut expected: Vec<_> = expected.lines().map(str::to_owned).collect();
        let mut found = told(&found);
        expected.sort();
        found.sort();
        assert_eq!(found, expected, "{code}");
        assert!(expected.iter().any(|line| line.starts_with(&code)), "{code}");
        seen.push(code);
    }
    assert!(seen.len() >= 24, "{seen:?}");
}

#[test]
fn several_roots_are_one_estate() {
    let (etl, logs) = (
        folder(&[("raw/a.sql", "select 1 as a")]),
        folder(&[("log.jsonl", "{\"user\":\"ann\",\"time\":0,\"sql\":\"select 1\"}")]),
    );
    let given = [path(&etl), path(&logs), path(&etl).join("raw")];
    let (estate, _) = load(&given, &LoadOptions::default(), &Silent);
    let name = logs.path().canonicalize().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
    let files: Vec<_> = estate.files.iter().map(|file| file.path.to_string()).collect();
    // `raw` is a root of its own, so the first leaves it to that, and each file is read once.
    assert_eq!(files.len(), 2);
    assert!(files.contains(&format!("{name}/log.jsonl")) && files.contains(&"raw/a.sql".to_owned()), "{files:?}");
    assert!(matches!(&estate.usage[0].what, UsedThing::Sql(script) if &*script.text == "select 1"));
}

fn dbt() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "dbt_project.yml",
            "name: shop\nprofile: shop\nvars: { raw: lake_raw, shop: { start: 2020 } }\nmodels:\n  shop:\n    +materialized: table\n    staging: { +schema: stg, +materialized: view }\n",
        ),
        (
            "profiles.yml",
            "shop: { target: dev, outputs: { dev: { type: postgres, schema: \"{{ env_var('S', 'dw') }}\" } } }\n",
        ),
        ("models/staging/stg_orders.sql", "select * from {{ source('shop_db', 'orders') }}"),
        ("models/orders.sql", "{{ config(alias='orders_v2') }} select * from {{ ref('stg_orders') }}"),
        ("models/py.py", "def model(dbt, session):\n    return dbt.ref(\"orders\")\n"),
        (
            "models/schema.yml",
            "sources:\n  - name: shop_db\n    schema: \"{{ var('raw') }}\"\n    meta: { owner: team-orders }\n    tables:\n      - name: orders\n        identifier: order_orders\n        columns: [{ name: id, data_type: bigint, tests: [not_null] }]\nmodels:\n  - name: orders\n    description: All orders.\n    config: { group: sales, meta: { domain: sales } }\ngroups: [{ name: sales, owner: { name: Team Sales } }]\nexposures:\n  - name: weekly\n    label: Weekly sales\n    type: dashboard\n    owner: { email: ann@example.invalid }\n    depends_on: [ref('orders'), \"source('shop_db', 'orders')\"]\n",
        ),
        ("seeds/countries.csv", "code,name\nDE,Germany\n"),
        (
            "snapshots/s.sql",
            "{% snapshot orders_history %}{{ config(target_schema='history') }} select * from {{ ref('orders') }}{% endsnapshot %}",
        ),
        ("macros/m.sql", "{% macro m() %}1{% endmacro %}"),
        ("dbt_packages/util/dbt_project.yml", "name: util\n"),
        ("dbt_packages/util/macros/u.sql", "{% macro u() %}1{% endmacro %}"),
        ("dbt_packages/util/integration_tests/models/x.sql", "select 1"),
        ("tests/t.sql", "select 1"),
        ("scripts/load.sql", "select 1 as a"),
    ]
}

fn reads_of(place: &TempDir, job: &str) -> Vec<String> {
    let (estate, _) = read(&path(place));
    let (lineage, _) = carve::lineage::read(&estate, &carve::progress::Silent);
    let uses = &lineage.jobs[&carve::vocab::JobId::new(job)].uses;
    let reads = uses.iter().filter(|one| one.access == carve::lineage::Access::Read);
    reads.map(|one| one.dataset.to_string()).collect()
}

#[test]
fn versions_of_a_dbt_model_are_nodes_of_their_own() {
    let schema = "models:\n  - name: ver\n    latest_version: 2\n    config: { materialized: table }\n    columns: [{ name: a }, { name: b }]\n    versions:\n      - v: 1\n      - { v: 2, defined_in: ver_two, columns: [{ include: all, exclude: [b] }] }\n      - { v: 3, config: { alias: third } }\n  - name: new\n    versions: [{ v: 9 }, { v: 10 }]\nexposures:\n  - { name: e, type: dashboard, owner: { name: x }, depends_on: [\"ref('ver', v=1)\"] }\n";
    let place = folder(&[
        ("dbt_project.yml", "name: shop\n"),
        ("models/schema.yml", schema),
        ("models/ver_v1.sql", "select a, b from raw.one"),
        ("models/ver_two.sql", "select a from raw.two"),
        ("models/ver_v3.sql", "select a from raw.three"),
        ("models/new_v9.sql", "select 1 as a"),
        ("models/new_v10.sql", "select 1 as a"),
        (
            "models/use.sql",
            "select * from {{ ref('ver') }} join {{ ref('ver', v=1) }} using (a) join {{ ref('ver', version=3) }} using (a) join {{ ref('shop', 'new') }} using (a)",
        ),
    ]);
    let (estate, faults) = read(&path(&place));
    assert_eq!(told(&faults), Vec::<String>::new());
    let jobs: Vec<_> = estate.jobs.iter().map(|job| job.id.to_string()).filter(|id| id.contains("ver")).collect();
    assert_eq!(jobs, ["model.shop.ver.v1", "model.shop.ver.v2", "model.shop.ver.v3"]);
    assert_eq!(estate.exposures[0].reads[0].0.to_string(), "analytics.ver_v1");
    let columns = |name: &str| estate.declared[&name.parse().unwrap()].columns.len();
    assert_eq!((columns("analytics.ver_v1"), columns("analytics.ver_v2"), columns("analytics.third")), (2, 1, 2));
    let expected = ["analytics.ver_v2", "analytics.ver_v1", "analytics.third", "analytics.new_v10"];
    assert_eq!(reads_of(&place, "model.shop.use"), expected);
}

#[test]
fn a_dbt_model_may_read_a_model_of_the_project_beside_it() {
    let place = folder(&[
        ("aa/dbt_project.yml", "name: aa\nmodels: { aa: { +schema: first } }\n"),
        ("aa/models/l1.sql", "select a from raw.x"),
        ("bb/dbt_project.yml", "name: bb\nmodels: { bb: { +schema: second } }\n"),
        ("bb/models/l1.sql", "select a from raw.y"),
        ("bb/models/l2.sql", "select a from {{ ref('aa', 'l1') }} join {{ ref('l1') }} using (a)"),
        (
            "bb/models/e.yml",
            "exposures:\n  - { name: e, type: dashboard, owner: { name: x }, depends_on: [\"ref('aa', 'l1')\"] }\n",
        ),
    ]);
    assert_eq!(reads_of(&place, "model.bb.l2"), ["first.l1", "second.l1"]);
    let (estate, faults) = read(&path(&place));
    assert_eq!(told(&faults), Vec::<String>::new());
    assert_eq!(estate.exposures[0].reads[0].0.to_string(), "first.l1");
}

#[test]
fn hooks_of_a_dbt_model_are_sql_of_it() {
    let model = "{{ config(materialized='table', pre_hook=\"delete from mart.log where a in (select a from raw.old)\",\n  post_hook=['insert into mart.audit select a from raw.hook', {'sql': 'insert into mart.second select a from {{ this }}'}]) }}\nselect a from raw.x";
    let place = folder(&[
        (
            "dbt_project.yml",
            "name: shop\nmodels:\n  +post-hook: insert into mart.every select a from raw.of_project\n  shop:\n    +pre-hook: [{ sql: insert into mart.more select a from raw.of_shop }]\n",
        ),
        ("models/m.sql", model),
    ]);
    let (estate, _) = read(&path(&place));
    let model = job(&estate, "model.shop.m");
    assert_eq!(model.scripts.len(), 6);
    for script in model.scripts.iter().filter(|script| script.verbatim) {
        assert_eq!(bytes_at(&path(&place), &script.at), *script.text);
    }
    let (lineage, _) = carve::lineage::read(&estate, &Silent);
    let of = |access| {
        let uses = lineage.jobs[&model.id].uses.iter().filter(move |one| one.access == access);
        uses.map(|one| one.dataset.to_string()).collect::<std::collections::BTreeSet<_>>()
    };
    let expected = ["analytics.m", "raw.hook", "raw.of_project", "raw.of_shop", "raw.old", "raw.x"];
    assert!(expected.iter().all(|name| of(carve::lineage::Access::Read).contains(*name)));
    let written = ["analytics.m", "mart.audit", "mart.every", "mart.log", "mart.more", "mart.second"];
    assert_eq!(of(carve::lineage::Access::Write).iter().map(String::as_str).collect::<Vec<_>>(), written);
}

#[test]
fn sql_around_the_runs_of_a_dbt_project_is_read() {
    let place = folder(&[
        (
            "dbt_project.yml",
            "name: shop\non-run-start: \"insert into {{ target.schema }}.audit select a from raw.before\"\non-run-end:\n  - \"{{ log_it() }}\"\n  - insert into mart.done select a from {{ ref('m') }}\n  - \"{{ elementary.upload(results) }}\"\n",
        ),
        ("macros/log.sql", "{% macro log_it() %}insert into mart.log select b from raw.after{% endmacro %}"),
        ("models/m.sql", "select a from raw.x"),
    ]);
    let (estate, _) = read(&path(&place));
    let (lineage, _) = carve::lineage::read(&estate, &Silent);
    let told: BTreeMap<String, Vec<String>> = lineage
        .jobs
        .iter()
        .filter(|(id, _)| id.as_str().starts_with("operation."))
        .map(|(id, job)| {
            let mut uses: Vec<String> = job.uses.iter().map(|one| one.dataset.to_string()).collect();
            uses.sort();
            (id.to_string(), uses)
        })
        .collect();
    let expected = [
        ("operation.shop.shop-on-run-end-0", ["mart.log", "raw.after"]),
        ("operation.shop.shop-on-run-end-1", ["analytics.m", "mart.done"]),
        ("operation.shop.shop-on-run-start-0", ["analytics.audit", "raw.before"]),
    ];
    let expected: BTreeMap<String, Vec<String>> =
        expected.into_iter().map(|(id, uses)| (id.to_owned(), uses.map(str::to_owned).to_vec())).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_power_bi_file_that_is_not_read_is_told() {
    let place = folder(&[("bi/sales.pbix", "PK")]);
    let (_, faults) = read(&path(&place));
    assert_eq!(told(&faults), ["E053 bi/sales.pbix:1:1"]);
}

#[test]
fn a_dbt_project_is_read_without_running_it() {
    let place = folder(&dbt());
    let (estate, faults) = read(&path(&place));
    assert_eq!(told(&faults), Vec::<String>::new());
    let project = &estate.dbt_projects[0];
    let nodes: Vec<_> = project.nodes.iter().map(|(name, relation)| format!("{name}={relation}")).collect();
    let expected = [
        "countries=dw.countries",
        "orders=dw.orders_v2",
        "orders_history=history.orders_history",
        "py=dw.py",
        "stg_orders=dw_stg.stg_orders",
    ];
    assert_eq!(nodes, expected);
    assert_eq!(project.macros.iter().map(|(package, ..)| package.as_str()).collect::<Vec<_>>(), ["util", "shop"]);
    assert_eq!((project.adapter.as_deref(), project.vars["start"].as_i64()), (Some("postgres"), Some(2020)));
    let source = &project.sources[&("shop_db".to_owned(), "orders".to_owned())];
    assert_eq!(source.relation.to_string(), "lake_raw.order_orders");
    let declared = &estate.declared[&source.relation];
    assert_eq!(
        (declared.source.as_deref(), declared.owner.as_deref(), declared.columns[0].nullable),
        (Some("shop_db"), Some("team-orders"), false)
    );
    let orders = job(&estate, "model.shop.orders");
    assert_eq!((orders.owner.as_deref(), orders.domain.as_deref()), (Some("Team Sales"), Some("sales")));
    assert_eq!(orders.scripts[0].materialized.as_deref(), Some("table"));
    assert_eq!(job(&estate, "model.shop.stg_orders").scripts[0].materialized.as_deref(), Some("view"));
    assert_eq!(job(&estate, "model.shop.py").reads[0].0.to_string(), "dw.orders_v2");
    let snapshot = &job(&estate, "snapshot.shop.orders_history").scripts[0];
    assert_eq!(bytes_at(&path(&place), &snapshot.at), *snapshot.text);
    assert_eq!(snapshot.templating, Templating::Dbt { project: 0, model: "orders_history".to_owned() });
    let exposure = &estate.exposures[0];
    assert_eq!(
        (exposure.id.as_str(), exposure.owner.as_deref()),
        ("dbt/dashboard/weekly", Some("ann@example.invalid"))
    );
    assert_eq!(
        exposure.reads.iter().map(|(dataset, _)| dataset.to_string()).collect::<Vec<_>>(),
        ["dw.orders_v2", "lake_raw.order_orders"]
    );
    let bare: Vec<_> =
        estate.jobs.iter().filter(|job| job.declared_by == Declaration::BareSql).map(|job| job.id.as_str()).collect();
    assert_eq!(bare, ["scripts/load"]);
}

#[test]
fn a_manifest_counts_only_while_it_is_of_these_files() {
    let sql = "select * from {{ source('shop_db', 'orders') }}";
    let manifest = serde_json::json!({
        "metadata": { "adapter_type": "snowflake", "project_name": "shop" },
        "nodes": { "model.shop.a": {
            "resource_type": "model", "name": "a", "package_name": "shop", "original_file_path": "models/a.sql", "schema": "MART", "alias": "A",
            "checksum": { "name": "sha256", "checksum": carve::vocab::Digest::of(sql).hex() }, "compiled_code": "select * from raw.orders",
            "config": { "materialized": "incremental" } } },
    });
    let manifest = manifest.to_string();
    let files = [
        ("dbt_project.yml", "name: shop\n"),
        ("models/a.sql", sql),
        ("target/manifest.json", manifest.as_str()),
        ("target/run/b.sql", "select 1"),
    ];
    let place = folder(&files);
    let (estate, faults) = read(&path(&place));
    assert_eq!(told(&faults), Vec::<String>::new());
    let script = &job(&estate, "model.shop.a").scripts[0];
    assert_eq!(
        (&*script.text, script.verbatim, &script.templating),
        ("select * from raw.orders", false, &Templating::Compiled)
    );
    assert_eq!(
        (script.target.as_ref().unwrap().to_string(), script.dialect.as_deref()),
        ("mart.a".to_owned(), Some("snowflake"))
    );
    assert_eq!(script.materialized.as_deref(), Some("incremental"));
    assert!(estate.files.iter().any(|file| file.path == "target/manifest.json" && file.format == FileFormat::Dbt));
    write(&path(&place), &[("models/a.sql", "select 2 as b")]);
    let (estate, faults) = read(&path(&place));
    assert_eq!(told(&faults), ["E020 target/manifest.json:1:1"]);
    assert_eq!(&*job(&estate, "model.shop.a").scripts[0].text, "select 2 as b");
}

const EXPORT: &[(&str, &str)] = &[
    ("metadata.yaml", "version: 1.0.0\ntype: Dashboard\ntimestamp: '2026-01-01T00:00:00+00:00'\n"),
    ("databases/lake.yaml", "database_name: lake\nsqlalchemy_uri: postgresql+psycopg2://x\nuuid: b1\n"),
    ("datasets/lake/sales.yaml", "table_name: Sales\nschema: modelled\nsql: null\nuuid: s1\ndatabase_uuid: b1\n"),
    (
        "datasets/lake/virtual.yaml",
        "table_name: virtual\nschema: modelled\nsql: |-\n  select *\n  from modelled.sales\nuuid: s2\ndatabase_uuid: b1\n",
    ),
    ("charts/a.yaml", "slice_name: Sales a day\nuuid: c1\ndataset_uuid: s1\n"),
    ("charts/b.yaml", "slice_name: Sales a day\nuuid: c2\ndataset_uuid: s2\n"),
    (
        "dashboards/d.yaml",
        "dashboard_title: Sales\nuuid: d1\nowners: [{ first_name: Ann, last_name: B }]\nposition:\n  ROOT_ID: { type: ROOT }\n  CHART-1: { type: CHART, meta: { uuid: c1 } }\n  CHART-2: { type: CHART, meta: { uuid: c2 } }\n",
    ),
];

/// Reads, scripts, parts and owner of an exposure.
type Said = (Vec<String>, Vec<String>, Vec<String>, Option<String>);

/// What an export says, without its places.
fn exposures(estate: &Estate) -> BTreeMap<String, Said> {
    let shown = |exposure: &carve::estate::Exposure| {
        let reads = exposure.reads.iter().map(|(dataset, _)| dataset.to_string()).collect();
        let scripts = exposure
            .scripts
            .iter()
            .map(|script| format!("{} {}", script.dialect.as_deref().unwrap_or("-"), script.text))
            .collect();
        (exposure.id.clone(), (reads, scripts, exposure.parts.clone(), exposure.owner.clone()))
    };
    estate.exposures.iter().map(shown).collect()
}

#[test]
fn a_superset_export_says_the_same_as_folder_and_as_zip() {
    let below: Vec<(String, &str)> = EXPORT.iter().map(|(path, text)| (format!("bi/export/{path}"), *text)).collect();
    let below: Vec<(&str, &str)> = below.iter().map(|(path, text)| (path.as_str(), *text)).collect();
    let unpacked = folder(&below);
    let packed = folder(&[]);
    let mut zip = zip::ZipWriter::new(fs::File::create(packed.path().join("bi.zip")).unwrap());
    for (path, text) in EXPORT {
        zip.start_file(format!("export/{path}"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    let (from_folder, faults) = read(&path(&unpacked));
    assert_eq!(told(&faults), Vec::<String>::new());
    let (from_zip, faults) = read(&path(&packed));
    assert_eq!(told(&faults), Vec::<String>::new());
    let found = exposures(&from_folder);
    assert_eq!(found, exposures(&from_zip));
    assert_eq!(found["superset/dataset/Sales"].0, ["modelled.sales"]);
    assert_eq!(found["superset/dataset/virtual"].1, ["postgres select *\n  from modelled.sales"]);
    assert_eq!(found["superset/chart/Sales a day (2)"].2, ["superset/dataset/virtual"]);
    let dashboard = &found["superset/dashboard/Sales"];
    assert_eq!((dashboard.2.len(), dashboard.3.as_deref()), (2, Some("Ann B")));
    let dataset = from_folder.exposures.iter().find(|exposure| exposure.id == "superset/dataset/Sales").unwrap();
    assert_eq!(bytes_at(&path(&unpacked), &dataset.reads[0].1), "Sales");
    let zipped = from_zip.exposures.iter().find(|exposure| exposure.id == "superset/dataset/virtual").unwrap();
    assert_eq!(
        (zipped.scripts[0].verbatim, zipped.at.file.as_str()),
        (false, "bi.zip!/export/datasets/lake/virtual.yaml")
    );
}

/// Runs git in `folder` at a fixed time.
fn git(folder: &Utf8Path, seconds: u32, arguments: &[&str]) {
    let date = format!("@{seconds} +0000");
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@example.invalid",
            "-c",
            "commit.gpgsign=false",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(arguments)
        .env("GIT_AUTHOR_DATE", &date)
        .env("GIT_COMMITTER_DATE", &date)
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn history_follows_renames_and_counts_from_the_folder_asked_for() {
    let place = folder(&[
        ("etl/raw/a.sql", "select 1 as a, 2 as b, 3 as c\n"),
        ("etl/raw/b.sql", "select 2 as b\n"),
        ("other.txt", "x"),
    ]);
    let root = path(&place);
    git(&root, 0, &["init", "-q"]);
    git(&root, 1_000, &["add", "-A"]);
    git(&root, 1_000, &["commit", "-qm", "first"]);
    git(&root, 2_000, &["mv", "etl/raw/a.sql", "etl/raw/ä c.sql"]);
    git(&root, 2_000, &["commit", "-qm", "rename"]);
    write(&root, &[("other.txt", "y")]);
    git(&root, 9_000, &["commit", "-qam", "elsewhere"]);
    // A hook or a monitor of the repository must not run.
    git(&root, 0, &["config", "core.fsmonitor", "touch ran; false"]);
    let (estate, faults) = read(&root.join("etl"));
    assert_eq!(faults.iter().count(), 0);
    let commits: Vec<_> = estate
        .history
        .commits
        .iter()
        .map(|(path, commits)| {
            (path.as_str(), commits.iter().map(|commit| (commit.at.as_second(), commit.files)).collect::<Vec<_>>())
        })
        .collect();
    assert_eq!(commits, [("raw/b.sql", vec![(1_000, 2)]), ("raw/ä c.sql", vec![(2_000, 1), (1_000, 2)])]);
    assert_eq!(estate.history.newest.unwrap().as_second(), 2_000);
    assert!(!root.join("ran").exists() && !root.join("etl/ran").exists());
}

/// (file, when it was touched) of every commit that counts.
fn touched(estate: &Estate) -> Vec<(String, i64)> {
    let commits = estate.history.commits.iter();
    commits.flat_map(|(path, all)| all.iter().map(|commit| (path.to_string(), commit.at.as_second()))).collect()
}

#[test]
fn only_commits_that_touch_files_of_the_estate_count() {
    let place = folder(&[("etl/a.sql", "select 1 as a\n")]);
    let root = path(&place);
    let commit = |seconds: u32, file: &str| {
        git(&root, seconds, &["add", "-A"]);
        git(&root, seconds, &["commit", "-qm", file]);
    };
    git(&root, 0, &["init", "-q"]);
    commit(1_000, "first");
    // A page for people, a plan, a report and a file that carve does not read: none of them makes the estate older.
    for (seconds, file) in
        [(2_000, "README.md"), (3_000, "plans/a.yaml"), (4_000, "report/index.html"), (5_000, "logo.png")]
    {
        write(&root, &[(file, "format: carve-plan/1\n")]);
        commit(seconds, file);
    }
    let (estate, _) = read(&root);
    assert_eq!(touched(&estate), [("etl/a.sql".to_owned(), 1_000)]);
    assert_eq!(estate.history.newest.unwrap().as_second(), 1_000);
}

#[test]
fn merges_are_skipped_and_what_they_merge_counts_once() {
    let place = folder(&[("a.sql", "select 1 as a\n")]);
    let root = path(&place);
    git(&root, 0, &["init", "-q", "-b", "main"]);
    git(&root, 1_000, &["add", "-A"]);
    git(&root, 1_000, &["commit", "-qm", "first"]);
    git(&root, 1_000, &["checkout", "-qb", "side"]);
    write(&root, &[("b.sql", "select 2 as b\n")]);
    git(&root, 2_000, &["add", "-A"]);
    git(&root, 2_000, &["commit", "-qm", "on the side"]);
    git(&root, 2_000, &["checkout", "-q", "main"]);
    git(&root, 3_000, &["merge", "-q", "--no-ff", "-m", "merge", "side"]);
    let (estate, _) = read(&root);
    assert_eq!(touched(&estate), [("a.sql".to_owned(), 1_000), ("b.sql".to_owned(), 2_000)]);
}

#[test]
fn a_name_used_again_does_not_inherit_the_past_of_another_file() {
    let place = folder(&[("a.sql", "select 1 as a, 2 as b, 3 as c\n")]);
    let root = path(&place);
    let commit = |seconds: u32| {
        git(&root, seconds, &["add", "-A"]);
        git(&root, seconds, &["commit", "-qm", "c"]);
    };
    git(&root, 0, &["init", "-q"]);
    commit(1_000);
    git(&root, 2_000, &["mv", "a.sql", "b.sql"]);
    commit(2_000);
    write(&root, &[("a.sql", "insert into x.y select quite, another from raw.thing\n")]);
    commit(3_000);
    git(&root, 4_000, &["mv", "a.sql", "c.sql"]);
    commit(4_000);
    let (estate, _) = read(&root);
    let said = [("b.sql", 2_000), ("b.sql", 1_000), ("c.sql", 4_000), ("c.sql", 3_000)];
    assert_eq!(touched(&estate), said.map(|(file, at)| (file.to_owned(), at)));
}

#[test]
fn a_folder_without_history_and_a_shallow_clone_say_so() {
    let place = folder(&[("repo/a.sql", "select 1 as a\n")]);
    let codes = |root: &Utf8Path| read(root).1.iter().map(|fault| fault.code.code).collect::<Vec<_>>();
    assert_eq!(codes(&path(&place)), ["E018"]);
    let repo = path(&place).join("repo");
    git(&repo, 0, &["init", "-q"]);
    assert_eq!(codes(&repo), ["E018"]);
    for seconds in [1_000, 2_000] {
        write(&repo, &[("a.sql", &format!("select {seconds} as a\n"))]);
        git(&repo, seconds, &["add", "-A"]);
        git(&repo, seconds, &["commit", "-qm", "c"]);
    }
    git(&path(&place), 0, &["clone", "-q", "--depth", "1", &format!("file://{repo}"), "shallow"]);
    assert_eq!(codes(&path(&place).join("shallow")), ["E019"]);
}

#[test]
fn a_usage_log_may_be_larger_than_any_other_file() {
    let rows: String = (0..5_000).map(|at| format!("ann,2026-01-0{}T00:00:00Z,raw.t\n", 1 + at % 9)).collect();
    let place =
        folder(&[("carve.yaml", "limits: { file_bytes: 100 }"), ("log.csv", &format!("user,time,table\n{rows}"))]);
    let (estate, faults) = read(&path(&place));
    assert_eq!(told(&faults), Vec::<String>::new());
    assert_eq!((estate.usage.len(), estate.usage.iter().map(|usage| usage.count).sum::<u64>()), (9, 5_000));
}

/// Files of every format, to be spoilt.
fn all_formats() -> Vec<(&'static str, Vec<u8>)> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, text) in EXPORT {
        zip.start_file(*path, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    let zip = zip.finish().unwrap().into_inner();
    let mut files: Vec<(&str, Vec<u8>)> = vec![
        ("jobs/orders.yaml", JOBS.into()),
        ("carve.yaml", "vars: { a: b }\nwraps: { default: { mode: beside } }\nscoring: { cost: { x: 1 } }\n".into()),
        ("log.csv", "user,time,sql,count\nann,2026-01-05,\"select 1\",3\n".into()),
        ("log.jsonl", "{\"user\":\"a\",\"time\":\"2026-01-05\",\"table\":\"a.b\"}\n".into()),
        ("bi.zip", zip),
        ("target/manifest.json", "{\"metadata\":{},\"nodes\":{\"model.shop.a\":{\"relation_name\":\"a.b.c\"}}}".into()),
    ];
    files.extend(dbt().into_iter().map(|(path, text)| (path, text.as_bytes().to_vec())));
    files.extend(EXPORT.iter().map(|(path, text)| (*path, text.as_bytes().to_vec())));
    files
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_make_reading_panic(spoils in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0..6u8, any::<u8>()), 1..40)) {
        let mut files = all_formats();
        for (file, at, how, byte) in spoils {
            let index = file.index(files.len());
            let bytes = &mut files[index].1;
            if bytes.is_empty() {
                continue;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                2 => drop(bytes.remove(at)),
                3 => bytes.truncate(at),
                4 => { let piece = bytes[at..].to_vec(); bytes.extend(piece); }
                _ => bytes.insert(at, b"{}[]:,&*|>'\"#-?%\n\t"[usize::from(byte) % 18]),
            }
        }
        let place = tempfile::tempdir().unwrap();
        for (name, bytes) in &files {
            let target = place.path().join(name);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::write(target, bytes).unwrap();
        }
        let (estate, faults) = read(&path(&place));
        for script in estate.jobs.iter().flat_map(|job| &job.scripts).filter(|script| script.verbatim) {
            prop_assert_eq!(bytes_at(&path(&place), &script.at), script.text.to_string());
        }
        prop_assert!(faults.iter().all(|fault| fault.at.line > 0 && fault.at.column > 0));
    }
}

/// The YAML blocks of docs/JOBS.md.
fn documented() -> Vec<String> {
    let text = fs::read_to_string(Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/JOBS.md")).unwrap();
    text.split("```yaml\n").skip(1).map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_documented_examples_load_without_a_fault() {
    let [jobs, settings] = &documented()[..] else { panic!("two examples") };
    let place =
        folder(&[("jobs.yaml", jobs), ("carve.yaml", settings), ("sql/transformed/orders.sql", "select 1 as a")]);
    let (estate, faults) = read(&path(&place));
    assert_eq!(told(&faults), Vec::<String>::new());
    assert_eq!((estate.jobs.len(), estate.sources.len(), estate.settings.wraps.len()), (3, 2, 2));
    let daily = &job(&estate, "orders_daily").scripts[0];
    assert_eq!(bytes_at(&path(&place), &daily.at), *daily.text);
}

#[test]
fn starter_settings_change_nothing_about_the_estate() {
    let [jobs, settings] = &documented()[..] else { panic!("two examples") };
    let place =
        folder(&[("jobs.yaml", jobs), ("carve.yaml", settings), ("sql/transformed/orders.sql", "select 1 as a")]);
    let (first, _) = read(&path(&place));
    let text = starter_settings(&first);
    write(&path(&place), &[("carve.yaml", &text)]);
    let (second, faults) = read(&path(&place));
    assert_eq!(told(&faults), Vec::<String>::new());
    let meaning = |estate: &Estate| {
        let mut settings = estate.settings.clone();
        settings.sources.values_mut().for_each(|system| system.at = None);
        (settings, format!("{:?}", estate.jobs))
    };
    assert_eq!(meaning(&second), meaning(&first));
    assert_eq!(starter_settings(&second), text);
}
