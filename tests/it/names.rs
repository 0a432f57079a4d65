//! What an estate as a whole says about names: catalogs left out, targets that readers tell, dialects, headless exports.
use std::{collections::BTreeSet, fs};

use camino::{Utf8Path, Utf8PathBuf};
use carve::{
    estate::{DialectBy, Estate, LoadOptions, load},
    graph::DependencyGraph,
    lineage::{self, Access, Editor, Evidence, Lineage},
    progress::Silent,
    vocab::{DatasetId, JobId},
};
use pretty_assertions::assert_eq;

/// The estate of `files`, settled as every command settles it.
fn survey(files: &[(&str, &str)]) -> (Estate, Lineage) {
    let place = tempfile::tempdir().unwrap();
    let root = Utf8PathBuf::from_path_buf(place.path().canonicalize().unwrap()).unwrap();
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap_or(Utf8Path::new("/"))).unwrap();
        fs::write(path, text).unwrap();
    }
    let (mut estate, _) = load(&[root], &LoadOptions::default(), &Silent);
    let (lineage, _) = lineage::read(&estate, &Silent);
    estate.settle(lineage.names.clone(), &lineage.targets);
    (estate, lineage)
}

/// `job reads|writes dataset` of all jobs.
fn edges(estate: &Estate, lineage: &Lineage) -> Vec<String> {
    let (graph, _) = DependencyGraph::build(estate, lineage);
    let told = |access| match access {
        Access::Read => Some("reads"),
        Access::Write => Some("writes"),
        _ => None,
    };
    let edges = graph.edges().iter();
    edges.filter_map(|edge| Some(format!("{} {} {}", edge.job, told(edge.access)?, edge.dataset))).collect()
}

fn edges_of(files: &[(&str, &str)]) -> Vec<String> {
    let (estate, lineage) = survey(files);
    edges(&estate, &lineage)
}

fn id(text: &str) -> DatasetId {
    text.parse().unwrap()
}

const FILL: &str = "create table raw.orders as select 1 as id";

#[test]
fn a_table_named_with_and_without_its_project_is_one_dataset() {
    let found = edges_of(&[
        ("a.sql", FILL),
        ("b.sql", "create table mart.day as select o.id from `my-proj.raw.orders` as o"),
        ("c.sql", "create table mart.week as select raw.orders.id from raw.orders"),
    ]);
    assert_eq!(
        found,
        ["a writes raw.orders", "b writes mart.day", "b reads raw.orders", "c writes mart.week", "c reads raw.orders"]
    );
}

#[test]
fn tables_of_two_catalogs_stay_apart_and_the_folder_of_one_says_which_is_meant() {
    let found = edges_of(&[
        ("one.sql", "create table p.raw.orders as select 1 as id"),
        ("two.sql", "create table q.raw.orders as select 1 as id"),
        ("q/mart.sql", "create table mart.day as select id from raw.orders"),
        ("x/mart.sql", "create table mart.week as select id from raw.orders"),
    ]);
    assert_eq!(
        found,
        [
            "one writes p.raw.orders",
            "q/mart writes mart.day",
            "q/mart reads q.raw.orders",
            "two writes q.raw.orders",
            "x/mart writes mart.week",
            "x/mart reads raw.orders"
        ]
    );
}

#[test]
fn a_federated_table_that_is_copied_under_its_own_name_is_another_table() {
    let found = edges_of(&[("copy.sql", "insert into public.orders select * from crm.public.orders")]);
    assert_eq!(found, ["copy reads crm.public.orders", "copy writes public.orders"]);
}

#[test]
fn columns_are_known_under_either_name() {
    let (_, lineage) = survey(&[
        ("a.sql", "create table raw.orders (id int, day date)"),
        ("b.sql", "create table mart.day as select * from proj.raw.orders"),
    ]);
    let made = &lineage.jobs[&JobId::new("b")].statements[0];
    assert_eq!(made.output, ["id", "day"]);
    assert!(lineage.catalog.keys().all(|name| !name.name().starts_with("proj.")));
}

#[test]
fn a_repointed_name_keeps_the_catalog_that_is_written_there() {
    let (estate, _) = survey(&[
        ("a.sql", FILL),
        ("b.sql", "create table mart.day as select o.id from `my-proj.raw.orders` as o join raw.orders using (id)"),
    ]);
    let (old, new) = (id("raw.orders"), id("raw.orders__import"));
    let script = &estate.jobs.iter().find(|job| job.id.as_str() == "b").unwrap().scripts[0];
    let edits = Editor::new(&estate, [(&old, &new)]).repoint(script, &old, &new).unwrap();
    let told: Vec<(&str, &str)> = edits.iter().map(|edit| (edit.old.as_str(), edit.new.as_str())).collect();
    assert_eq!(told, [("`my-proj.raw.orders`", "`my-proj.raw.orders__import`"), ("raw.orders", "raw.orders__import")]);
    for edit in &edits {
        assert_eq!(&script.text[edit.start..edit.end], edit.old);
    }
}

#[test]
fn a_name_without_its_catalog_is_repointed_as_it_is_written() {
    let (estate, _) = survey(&[
        ("one.sql", "create table p.raw.orders as select 1 as id"),
        ("two.sql", "create table q.raw.orders as select 1 as id"),
        ("q/mart.sql", "create table mart.day as select id from raw.orders"),
    ]);
    let (old, new) = (id("q.raw.orders"), id("q.raw.orders__import"));
    let script = &estate.jobs.iter().find(|job| job.id.as_str() == "q/mart").unwrap().scripts[0];
    let edits = Editor::new(&estate, [(&old, &new)]).repoint(script, &old, &new).unwrap();
    assert_eq!((edits[0].old.as_str(), edits[0].new.as_str()), ("raw.orders", "raw.orders__import"));
}

#[test]
fn a_dashboard_s_table_with_a_catalog_is_the_lake_s_table() {
    let dataset = "table_name: orders\ncatalog: lake\nschema: raw\nsql: null\nuuid: d1\ndatabase_uuid: b1\n";
    let (estate, lineage) = survey(&[("a.sql", FILL), ("bi/datasets/lake/orders.yaml", dataset)]);
    let (graph, _) = DependencyGraph::build(&estate, &lineage);
    assert_eq!(graph.datasets().keys().map(ToString::to_string).collect::<Vec<_>>(), ["raw.orders"]);
}

#[test]
fn a_bare_query_fills_the_one_unwritten_table_of_its_file_s_name() {
    let files = [
        ("concepts/age/age.sql", "select subject_id from hosp.patients"),
        (
            "concepts/score/sofa.sql",
            "select a.subject_id from derived.age as a join derived.bg as b using (subject_id)",
        ),
        ("concepts/measure/bg.sql", "select subject_id from hosp.lab"),
    ];
    let (estate, lineage) = survey(&files);
    let written: Vec<String> = edges(&estate, &lineage).into_iter().filter(|edge| edge.contains("writes")).collect();
    assert_eq!(
        written,
        [
            "concepts/age/age writes derived.age",
            "concepts/measure/bg writes derived.bg",
            "concepts/score/sofa writes score.sofa"
        ]
    );
    let uses = &lineage.jobs[&JobId::new("concepts/age/age")].uses;
    let write = uses.iter().find(|one| one.access == Access::Write).unwrap();
    assert_eq!((write.dataset.to_string().as_str(), write.evidence), ("derived.age", Evidence::Inferred));
    let script = &estate.jobs.iter().find(|job| job.id.as_str() == "concepts/age/age").unwrap().scripts[0];
    assert_eq!(script.target, Some(id("derived.age")));
}

#[test]
fn a_query_whose_result_nobody_reads_fills_the_schema_that_those_beside_it_fill() {
    let found = edges_of(&[
        ("concepts/a.sql", "select 1 as x from hosp.one"),
        ("concepts/b.sql", "select x from derived.a"),
        ("concepts/c.sql", "select x from derived.b"),
    ]);
    assert!(found.contains(&"concepts/c writes derived.c".to_owned()), "{found:?}");
}

#[test]
fn a_table_that_is_read_is_no_target_where_anything_says_otherwise() {
    // The file reads the raw table of its name; its own is a layer that others name.
    let through =
        [("staging/orders.sql", "select id from raw.orders"), ("mart/orders.sql", "select id from staging.orders")];
    let found = edges_of(&through);
    assert!(found.contains(&"mart/orders writes mart.orders".to_owned()), "{found:?}");
    assert!(found.contains(&"staging/orders writes staging.orders".to_owned()), "{found:?}");
    // Two files of the name: nobody knows which of them fills it.
    let two = [("x/age.sql", "select 1"), ("y/age.sql", "select 2"), ("z/top.sql", "select a from derived.age")];
    assert!(!edges_of(&two).iter().any(|edge| edge.contains("writes derived")), "{:?}", edges_of(&two));
    // Most tables of the schema come from elsewhere: the names agree by chance.
    let chance = [
        ("report/customers.sql", "select id from shop.sales"),
        ("report/top.sql", "select 1 from crm.customers, crm.accounts, crm.leads"),
    ];
    assert!(edges_of(&chance).contains(&"report/customers writes report.customers".to_owned()));
    // A schema that others write to by name is a schema.
    let layer = [
        ("mart/age.sql", "select id from shop.sales"),
        ("mart/all.sql", "insert into mart.everything select id from derived.age"),
    ];
    assert!(edges_of(&layer).contains(&"mart/age writes mart.age".to_owned()), "{:?}", edges_of(&layer));
}

#[test]
fn a_config_s_unfilled_schema_gives_way_to_what_readers_say() {
    let settings = "bq_independent_objects:\n  - sql_file: ddls/Accounts.sql\n    type: view\n\
                    bq_dependent_objects:\n  - sql_file: ddls/Sales.sql\n    type: view\n";
    let found = edges_of(&[
        ("config/reporting_settings.yaml", settings),
        ("ddls/Accounts.sql", "select Id from `{{ project_id_src }}.{{ crm_datasets_cdc }}.accounts`"),
        ("ddls/Sales.sql", "select Id from `{{ project_id_tgt }}.{{ crm_datasets_reporting }}.Accounts`"),
    ]);
    assert!(found.contains(&"config/reporting_settings/Accounts writes crm_datasets_reporting.accounts".to_owned()));
    assert_eq!(found.len(), 4, "{found:?}");
}

#[test]
fn of_two_files_of_a_table_s_name_the_one_that_a_config_runs_fills_it() {
    let settings = "bq_independent_objects:\n  - sql_file: ddls/Ads.sql\n    type: view\n";
    let found = edges_of(&[
        ("config/reporting_settings.yaml", settings),
        ("ddls/Ads.sql", "select 1 as Id from crm.src"),
        ("samples/Ads.sql", "select 2 as Id from crm.src"),
        ("other/Top.sql", "select Id from `{{ project }}.{{ meta_reporting }}.Ads`"),
    ]);
    assert!(found.contains(&"config/reporting_settings/Ads writes meta_reporting.ads".to_owned()), "{found:?}");
    assert!(found.contains(&"samples/Ads writes samples.ads".to_owned()), "{found:?}");
}

#[test]
fn a_config_s_parents_are_the_entries_of_their_files_and_a_template_s_cases_are_one_job() {
    let settings = "bq_independent_objects:\n  - sql_file: A.sql\n    type: table\n  - sql_file: B.sql\n    type: table\n    \
                    table_setting:\n      dag_setting:\n        parents: [\"A.sql\"]\n";
    let (estate, _) = survey(&[
        ("sap/reporting_settings_ecc.yaml", settings),
        ("sap/ecc/A.sql", "select 1 as x from raw.a"),
        ("sap/A.sql", "{% if flavour == 'ecc' %}{% include 'ecc/A.sql' %}{% endif %}"),
        ("sap/B.sql", "select x from reporting.a"),
    ]);
    let jobs: Vec<&str> = estate.jobs.iter().map(|job| job.id.as_str()).collect();
    assert_eq!(jobs, ["sap/reporting_settings_ecc/A", "sap/reporting_settings_ecc/B"]);
    assert_eq!(estate.jobs[1].depends_on, [JobId::new("sap/reporting_settings_ecc/A")]);
}

#[test]
fn files_without_signs_take_the_dialect_of_the_files_around_them() {
    let many: Vec<String> = (0..4).map(|n| format!("bq/t{n}.sql")).collect();
    let mut files: Vec<(&str, &str)> =
        many.iter().map(|path| (path.as_str(), "select safe_cast(a as int64) as a from raw.x")).collect();
    files.push(("bq/plain.sql", "select a from raw.x"));
    let (estate, _) = survey(&files);
    let dialects: BTreeSet<&str> = estate.jobs.iter().filter_map(|job| estate.dialect_of(&job.scripts[0])).collect();
    assert_eq!(dialects, BTreeSet::from(["bigquery"]));
    assert_eq!(estate.dialects.get(&(DialectBy::Folder, "bigquery".to_owned())), Some(&1));
    assert_eq!(estate.dialects.get(&(DialectBy::Signs, "bigquery".to_owned())), Some(&4));
}

#[test]
fn a_superset_folder_without_its_head_is_read() {
    let files = [
        ("assets/datasets/orders.yaml", "table_name: orders\nschema: '{{ LAKE_SCHEMA }}'\nsql: null\nuuid: d1\n"),
        ("assets/charts/day.yaml", "slice_name: A day\nviz_type: line\ndataset_uuid: d1\nuuid: c1\n"),
        (
            "assets/dashboards/sales.yaml",
            "dashboard_title: Sales\nposition:\n  C1:\n    type: CHART\n    meta:\n      uuid: c1\nuuid: b1\n",
        ),
        ("other/charts/values.yaml", "replicas: 2\n"),
    ];
    let (estate, _) = survey(&files);
    let titles: Vec<&str> = estate.exposures.iter().map(|exposure| exposure.id.as_str()).collect();
    assert_eq!(titles, ["superset/dataset/orders", "superset/chart/A day", "superset/dashboard/Sales"]);
    assert_eq!(estate.exposures[0].reads[0].0, id("lake_schema.orders"));
    assert_eq!(estate.exposures[2].parts, ["superset/chart/A day"]);
}

#[test]
fn a_command_in_a_comment_binds_the_parameters_of_its_own_file() {
    let hive = "-- usage: hive -d table=mart.hd \\\n--   -d source=raw.s -f /srv/loads/hd.hql\nINSERT INTO ${table} SELECT a FROM ${source}";
    let found = edges_of(&[
        ("loads/hd.hql", hive),
        ("form.hql", "-- hive -d table=<table> -f form.hql\nINSERT INTO ${table} SELECT a FROM raw.u"),
        ("other.hql", "-- hive -d table=mart.x -f third.hql\nINSERT INTO ${table} SELECT a FROM raw.v"),
        (
            "both.sql",
            "/* psql -v t=mart.one -f both.sql\n * psql -v t=mart.two -f both.sql\n */\ninsert into :t select a from raw.w",
        ),
    ]);
    let expected = [
        "both writes mart.one",
        "both writes mart.two",
        "both reads raw.w",
        "form reads raw.u",
        "loads/hd writes mart.hd",
        "loads/hd reads raw.s",
        "other reads raw.v",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_stage_made_in_one_file_is_where_it_lies_in_all() {
    let found = edges_of(&[
        ("stages.sql", "create stage ops.landing url = 's3://bkt/load/'"),
        ("load.sql", "copy into raw.t from @ops.landing/day"),
    ]);
    assert_eq!(found, ["load writes raw.t", "load reads s3://bkt/load/day"]);
}

#[test]
fn a_table_that_is_made_and_dropped_is_kept_where_another_job_names_it() {
    let stage =
        "create table m.stage as select a from raw.s;\ninsert into m.t select a from m.stage;\ndrop table m.stage";
    assert_eq!(edges_of(&[("one.sql", stage)]), ["one writes m.t", "one reads raw.s"]);
    let found = edges_of(&[("one.sql", stage), ("two.sql", "insert into m.u select a from m.stage")]);
    assert!(found.contains(&"one writes m.stage".to_owned()), "{found:?}");
}

#[test]
fn a_name_in_other_letters_is_one_dataset_and_is_told_where_the_engine_has_two() {
    let told = |files: &[(&str, &str)]| {
        let (estate, _) = survey(files);
        let (_, faults) = lineage::read(&estate, &Silent);
        faults.iter().filter(|fault| fault.code.code == "E038").count()
    };
    let yaml = ("carve.yaml", "dialect: bigquery\n");
    let two =
        [("a.sql", "create table d.Orders as select 1 as x"), ("b.sql", "create table d.y as select x from d.orders")];
    assert_eq!(told(&[yaml, two[0], two[1]]), 1);
    assert_eq!(told(&[("carve.yaml", "dialect: tsql\n"), two[0], two[1]]), 0);
    let quoted = [
        ("a.sql", "create table d.\"Orders\" as select 1 as x"),
        ("b.sql", "create table d.y as select x from d.ORDERS"),
    ];
    assert_eq!(told(&[("carve.yaml", "dialect: postgres\n"), quoted[0], quoted[1]]), 1);
    assert_eq!(edges_of(&[yaml, two[0], two[1]]), ["a writes d.orders", "b reads d.orders", "b writes d.y"]);
}

#[test]
fn a_chart_without_a_known_database_asks_the_lake() {
    let dataset = |uuid: &str, sql: &str| {
        format!("table_name: q{uuid}\nschema: null\nsql: {sql}\nuuid: {uuid}\ndatabase_uuid: {uuid}\n")
    };
    let (one, two) = (dataset("d1", "select `a` from event_sink.x"), dataset("d2", "select `a` from event_sink.x"));
    let jobs: Vec<String> = (0..4).map(|n| format!("ch/t{n}.sql")).collect();
    let mut files: Vec<(&str, &str)> = jobs
        .iter()
        .map(|path| {
            (path.as_str(), "create table a.b engine = MergeTree order by x as select argMax(x, y) as x from a.c")
        })
        .collect();
    files.extend([
        ("assets/databases/a.yaml", "database_name: A\nsqlalchemy_uri: '{{ MYSQL_REPORT_URI }}'\nuuid: d1\n"),
        ("assets/databases/b.yaml", "database_name: B\nsqlalchemy_uri: '{{ REPORT_URI }}'\nuuid: d2\n"),
        ("assets/datasets/a.yaml", &one),
        ("assets/datasets/b.yaml", &two),
        ("assets/charts/c.yaml", "slice_name: C\nviz_type: line\ndataset_uuid: d1\nuuid: c1\n"),
        ("assets/dashboards/e.yaml", "dashboard_title: E\nposition: {}\nuuid: b1\n"),
    ]);
    let (estate, _) = survey(&files);
    let dialect = |id: &str| {
        let exposure = estate.exposures.iter().find(|one| one.id == id).unwrap();
        estate.dialect_of(&exposure.scripts[0])
    };
    assert_eq!(dialect("superset/dataset/qd1"), Some("mysql"), "the address is called after its database");
    assert_eq!(dialect("superset/dataset/qd2"), Some("clickhouse"), "a backtick alone makes it no MySQL");
}

#[test]
fn the_order_of_files_changes_no_name() {
    let mut files =
        vec![("a.sql", FILL), ("b/age.sql", "select id from proj.raw.orders"), ("c/top.sql", "select id from d.age")];
    let one = edges_of(&files);
    files.reverse();
    assert_eq!(edges_of(&files), one);
}

#[test]
fn what_one_command_of_a_script_moves_is_fed_by_nothing_that_its_others_read() {
    let script = "bq query --destination_table=mart.daily 'select day from raw.orders'\n\
                  for t in fx rates; do bq load raw.$t gs://drop/$t/*.csv; done\n\
                  bq cp raw.fx kept.fx\n";
    let (estate, lineage) = survey(&[("run.sh", script)]);
    let (graph, _) = DependencyGraph::build(&estate, &lineage);
    let pairs = |(_, from, into): (&JobId, Vec<&DatasetId>, Vec<&DatasetId>)| -> Vec<String> {
        from.iter().flat_map(|from| into.iter().map(move |into| format!("{from} feeds {into}"))).collect()
    };
    let mut all: Vec<String> = graph.flows().flat_map(pairs).collect();
    all.sort();
    assert_eq!(
        all,
        [
            "gs://drop/fx feeds raw.fx",
            "gs://drop/rates feeds raw.rates",
            "raw.fx feeds kept.fx",
            "raw.orders feeds mart.daily",
        ]
    );
}

#[test]
fn a_query_that_a_dashboard_includes_is_a_piece_of_it_and_no_job() {
    let dataset = "table_name: late\ncatalog: lake\nschema: mart\nuuid: d1\ndatabase_uuid: b1\n\
                   sql: |-\n  {% filter indent(width=2) %}{% include 'queries/late.sql' %}{% endfilter %}\n";
    let (estate, lineage) = survey(&[
        ("bi/datasets/lake/late.yaml", dataset),
        ("templates/queries/late.sql", "with late as (\n  select id from raw.orders\n)\nselect id from late"),
    ]);
    let (graph, _) = DependencyGraph::build(&estate, &lineage);
    assert!(estate.jobs.is_empty(), "{:?}", estate.jobs);
    assert_eq!(graph.datasets().keys().map(ToString::to_string).collect::<Vec<_>>(), ["raw.orders"]);
    assert!(!graph.datasets()[&id("raw.orders")].exposed_by.is_empty());
}
