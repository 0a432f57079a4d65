//! SQL read as whole scripts: every case of `fixtures/sql`, and the doors of the lineage room.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on must stop")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    path::PathBuf,
    sync::Arc,
};

use carve::{
    diagnostics::Diagnostics,
    estate::{
        DbtProject, DbtSource, Declaration, Estate, Exposure, Job, JobKind, Script, Templating, Usage, UsedThing,
    },
    lineage::{self, Access, Evidence, JobLineage, RepointProblem, TextEdit},
    progress::Silent,
    vocab::{Column, DatasetId, JobId, LogicalType, Span},
};
use pretty_assertions::assert_eq;
use proptest::prelude::*;
use serde::Deserialize;

/// What a case's SQL means, written by hand from the SQL.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    /// What the case shows.
    #[allow(dead_code, reason = "for people")]
    says: String,
    #[serde(default)]
    reads: Vec<String>,
    #[serde(default)]
    writes: Vec<String>,
    #[serde(default)]
    defines: Vec<String>,
    #[serde(default)]
    drops: Vec<String>,
    /// `t.a <- s.x identity`, behind it `?` where the column is ambiguous; `result` stands for a query without a target. Checked where given, all of them.
    columns: Option<Vec<String>>,
    /// Codes of faults. Checked where given.
    faults: Option<Vec<String>>,
    /// Statements that only a scan understands.
    #[serde(default)]
    unparsed: u32,
    /// Statements built at run time.
    #[serde(default)]
    dynamic: u32,
    /// Columns known beforehand.
    #[serde(default)]
    catalog: BTreeMap<String, Vec<String>>,
}

fn id(text: &str) -> DatasetId {
    text.parse().unwrap()
}

fn column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        logical: LogicalType::Text,
        physical: String::new(),
        nullable: true,
        description: None,
    }
}

fn catalog_of(given: &BTreeMap<String, Vec<String>>) -> BTreeMap<DatasetId, Vec<Column>> {
    given.iter().map(|(name, columns)| (id(name), columns.iter().map(|c| column(c)).collect())).collect()
}

fn names(lineage: &JobLineage, access: Access) -> Vec<String> {
    let mut names: Vec<String> =
        lineage.uses.iter().filter(|one| one.access == access).map(|one| one.dataset.to_string()).collect();
    names.sort();
    names.dedup();
    names
}

fn edges(lineage: &JobLineage) -> Vec<String> {
    let mut edges = Vec::new();
    for statement in &lineage.statements {
        let target = statement.target.as_ref().map_or("result".to_owned(), DatasetId::to_string);
        for edge in &statement.columns {
            let kind = serde_json::to_value(edge.kind).unwrap();
            let kind = kind.as_str().unwrap();
            let maybe = if edge.ambiguous { "?" } else { "" };
            edges.push(format!("{target}.{} <- {}.{} {kind}{maybe}", edge.to_column, edge.from, edge.from_column));
        }
    }
    edges.sort();
    edges.dedup();
    edges
}

fn codes(faults: &Diagnostics) -> Vec<String> {
    let mut codes: Vec<String> = faults.iter().map(|fault| fault.code.code.to_owned()).collect();
    codes.sort();
    codes.dedup();
    codes
}

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sql");
    let mut cases = Vec::new();
    let folders = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    for dialect in folders.filter(|path| path.is_dir()) {
        for file in fs::read_dir(dialect).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|e| e == "sql") {
                cases.push(path);
            }
        }
    }
    cases.sort();
    cases
}

fn compare(differences: &mut Vec<String>, what: &str, mut expected: Vec<String>, found: Vec<String>) {
    expected.sort();
    let missing: Vec<_> = expected.iter().filter(|one| !found.contains(one)).collect();
    let extra: Vec<_> = found.iter().filter(|one| !expected.contains(one)).collect();
    if !missing.is_empty() || !extra.is_empty() {
        differences.push(format!("  {what}\n    missing {missing:#?}\n    extra {extra:#?}"));
    }
}

fn check(path: &Path) -> Result<(), String> {
    let sql = fs::read_to_string(path).unwrap();
    let yaml = fs::read_to_string(path.with_extension("yaml")).map_err(|e| format!("no expectation: {e}"))?;
    let expected: Expected = serde_yaml::from_str(&yaml).map_err(|e| e.to_string())?;
    let dialect = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
    let (lineage, faults) = lineage::read_sql(&sql, Some(dialect), &catalog_of(&expected.catalog));
    let mut differences = Vec::new();
    compare(&mut differences, "reads", expected.reads, names(&lineage, Access::Read));
    compare(&mut differences, "writes", expected.writes, names(&lineage, Access::Write));
    compare(&mut differences, "defines", expected.defines, names(&lineage, Access::Define));
    compare(&mut differences, "drops", expected.drops, names(&lineage, Access::Drop));
    if let Some(columns) = expected.columns {
        compare(&mut differences, "columns", columns, edges(&lineage));
    }
    if let Some(codes_expected) = expected.faults {
        compare(&mut differences, "faults", codes_expected, codes(&faults));
    }
    if (lineage.unparsed, lineage.dynamic) != (expected.unparsed, expected.dynamic) {
        let told: Vec<String> = faults.iter().map(|f| format!("{}: {} {}", f.at, f.code, f.here)).collect();
        differences.push(format!("  unparsed {}, dynamic {}: {told:#?}", lineage.unparsed, lineage.dynamic));
    }
    for one in lineage.uses.iter().filter(|one| one.exact) {
        let written = &sql[one.at.start..one.at.end];
        let bare: String = written.chars().filter(|c| !"\"`[] ".contains(*c)).collect();
        // T-SQL leaves the default schema out: `db..t`.
        let bare = bare.replace("..", if one.dataset.to_string().contains(".dbo.") { ".dbo." } else { ".public." });
        if !one.dataset.to_string().replace(' ', "").ends_with(&bare.to_lowercase()) && !bare.contains('$') {
            differences.push(format!("  {} is said to stand at `{written}`", one.dataset));
        }
    }
    match differences.is_empty() {
        true => Ok(()),
        false => Err(differences.join("\n")),
    }
}

fn editor(estate: &Estate) -> lineage::Editor<'_> {
    lineage::Editor::new(estate, [])
}

/// What carve reads otherwise than it is meant, by case, each with the reason.
fn known_differences() -> BTreeMap<String, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sql/known_differences.yaml");
    serde_yaml::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn every_case_means_what_its_yaml_says() {
    let cases = cases();
    let mut known = known_differences();
    assert!(cases.len() >= 500, "{} cases", cases.len());
    let mut faults = Vec::new();
    for path in &cases {
        let name = path.with_extension("");
        let name: Vec<_> = name.iter().rev().take(2).map(|part| part.to_str().unwrap()).collect();
        match (check(path), known.remove(&format!("{}/{}", name[1], name[0]))) {
            (Err(why), None) => faults.push(format!("{}\n{why}", path.display())),
            (Ok(()), Some(_)) => faults.push(format!("{}\n  it is no difference any more", path.display())),
            _ => {}
        }
    }
    faults.extend(known.keys().map(|name| format!("{name} is no case")));
    assert!(faults.is_empty(), "{} of {} cases differ\n{}", faults.len(), cases.len(), faults.join("\n"));
}

fn script(text: &str) -> Script {
    Script {
        at: Span::of("job.sql", text, 0, text.len()),
        text: Arc::from(text),
        verbatim: true,
        templating: Templating::Generic,
        dialect: None,
        schema: None,
        target: None,
        materialized: None,
        params: BTreeMap::new(),
    }
}

fn job(name: &str, text: &str) -> Job {
    Job {
        id: JobId::new(name),
        kind: JobKind::Transform,
        at: Span::whole("job.sql"),
        declared_by: Declaration::BareSql,
        scripts: vec![script(text)],
        imports: Vec::new(),
        moves: Vec::new(),
        reads: Vec::new(),
        writes: Vec::new(),
        depends_on: Vec::new(),
        schedule: None,
        owner: None,
        domain: None,
        enabled: true,
    }
}

fn estate(jobs: &[(&str, &str)]) -> Estate {
    Estate { jobs: jobs.iter().map(|(name, text)| job(name, text)).collect(), ..Estate::default() }
}

#[test]
fn a_star_is_expanded_through_the_jobs_before_it() {
    let estate = estate(&[
        ("a_mart", "create table mart.m as select * from stage.s"),
        ("b_stage", "create table stage.s as select t.*, t.v + 1 as w from raw.t t"),
        ("c_ddl", "create table raw.t (id int, v int)"),
    ]);
    let (lineage, faults) = lineage::read(&estate, &Silent);
    assert_eq!(codes(&faults), Vec::<String>::new());
    let mart = &lineage.jobs[&JobId::new("a_mart")];
    let expected = ["id", "v", "w"].map(|c| format!("mart.m.{c} <- stage.s.{c} identity"));
    assert_eq!(edges(mart), expected);
    assert_eq!(lineage.catalog[&id("mart.m")][0].logical, LogicalType::Integer);
}

#[test]
fn reading_twice_gives_the_same_value() {
    let jobs: Vec<(String, String)> = (0..40)
        .map(|n| (format!("j{n:02}"), format!("insert into t{} select * from t{n} join t{} using (id)", n + 1, n / 2)))
        .collect();
    let jobs: Vec<(&str, &str)> = jobs.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let read = || format!("{:?}", lineage::read(&estate(&jobs), &Silent));
    assert_eq!(read(), read());
}

#[test]
fn a_bare_query_without_a_target_is_told_and_with_one_is_a_write() {
    let (_, faults) = lineage::read(&estate(&[("q", "select a from raw.t")]), &Silent);
    assert_eq!(codes(&faults), ["E033"]);
    let mut with = estate(&[("q", "select a from raw.t")]);
    with.jobs[0].scripts[0].target = Some(id("mart.q"));
    let (lineage, faults) = lineage::read(&with, &Silent);
    assert!(faults.is_empty());
    let job = &lineage.jobs[&JobId::new("q")];
    assert_eq!(names(job, Access::Write), ["mart.q"]);
    assert_eq!(edges(job), ["mart.q.a <- raw.t.a identity"]);
}

#[test]
fn temp_tables_live_from_script_to_script_of_a_job() {
    let mut two = estate(&[("j", "create temp table t as select id from raw.a")]);
    two.jobs[0].scripts.push(script("insert into mart.b select id from t"));
    let (lineage, _) = lineage::read(&two, &Silent);
    let job = &lineage.jobs[&JobId::new("j")];
    assert_eq!(
        (names(job, Access::Read), names(job, Access::Write)),
        (vec!["raw.a".to_owned()], vec!["mart.b".to_owned()])
    );
    assert_eq!(job.statements[0].sources, [id("raw.a")]);
}

#[test]
fn places_lead_back_into_the_file() {
    let file = "jobs:\n  x:\n    query: \"select é, a from raw.orders\"\n";
    let text = "select é, a from raw.orders";
    let start = file.find(text).unwrap();
    let mut one = script(text);
    one.at = Span::of("jobs.yaml", file, start, start + text.len());
    let mut estate = estate(&[("x", "")]);
    estate.jobs[0].scripts = vec![one];
    let (lineage, _) = lineage::read(&estate, &Silent);
    let read = &lineage.jobs[&JobId::new("x")].uses[0];
    assert_eq!(&file[read.at.start..read.at.end], "raw.orders");
    let at = file.find("raw.orders").unwrap();
    assert_eq!((read.exact, &read.at), (true, &Span::of("jobs.yaml", file, at, at + "raw.orders".len())));
}

#[test]
fn places_stay_true_through_templates() {
    let text = "{% set t = 'x' %}\n{# note #}select '{{ ds }}' as d, a from raw.orders {% if false %}join raw.no on 1=1{% endif %} where b = {{ params.p }}";
    let (lineage, faults) = lineage::read_sql(text, None, &BTreeMap::new());
    assert_eq!(names(&lineage, Access::Read), ["raw.orders"]);
    let read = &lineage.uses[0];
    assert!(read.exact);
    assert_eq!(&text[read.at.start..read.at.end], "raw.orders");
    assert_eq!(codes(&faults), ["E031"]);
}

#[test]
fn a_star_that_is_not_expanded_is_told_where_it_stands() {
    let text = "select a,\n  b.*\nfrom raw.b b;\nselect 1,\n {{ x }} as d, *\nfrom raw.c";
    let (_, faults) = lineage::read_sql(text, None, &BTreeMap::new());
    let stars = faults.iter().filter(|fault| fault.code.code == "E034");
    let told: Vec<_> =
        stars.map(|fault| (&text[fault.at.start..fault.at.end], fault.at.line, fault.at.column)).collect();
    assert_eq!(told, [("b", 2, 3), ("*", 5, 16)]);
}

#[test]
fn what_a_template_computes_is_not_guessed() {
    let (lineage, faults) =
        lineage::read_sql("insert into mart.x select a from {{ params.table }}", None, &BTreeMap::new());
    assert_eq!(names(&lineage, Access::Read), Vec::<String>::new());
    assert_eq!(codes(&faults), ["E031"]);
}

#[test]
fn a_template_that_cannot_be_rendered_is_masked_and_inferred() {
    let (lineage, faults) =
        lineage::read_sql("insert into mart.x select {{ a b c }} from raw.t", None, &BTreeMap::new());
    assert_eq!(names(&lineage, Access::Read), ["raw.t"]);
    assert!(lineage.uses.iter().all(|one| one.evidence == Evidence::Inferred));
    assert!(codes(&faults).contains(&"E031".to_owned()));
}

#[test]
fn what_can_be_told_of_a_template_that_cannot_be_rendered_is_read_and_a_mask_is_no_table() {
    let (estate, model) = dbt_estate(
        "{% set o = ref('stg_orders') %}select {{ a b c }} from {{ o }} join {{ source('lake', 'orders') }} using (id) join {{ x y }}.f using (id)",
    );
    let job = Job { scripts: vec![model], ..job("j", "") };
    let (lineage, faults) = lineage::read(&Estate { jobs: vec![job], ..estate }, &Silent);
    assert_eq!(names(&lineage.jobs[&JobId::new("j")], Access::Read), ["raw.orders", "stage.stg_orders"]);
    assert!(codes(&faults).contains(&"E031".to_owned()));
}

#[test]
fn a_condition_nobody_can_decide_is_taken_both_ways() {
    let text = "insert into mart.x select id from {% if flag == 'a' %}raw.a{% elif flag == 'b' %}raw.b{% else %}raw.c{% endif %}";
    let reads = |params: BTreeMap<String, String>| {
        let script = Script { params, ..script(text) };
        let estate = Estate { jobs: vec![Job { scripts: vec![script], ..job("j", "") }], ..Estate::default() };
        let (lineage, _) = lineage::read(&estate, &Silent);
        names(&lineage.jobs[&JobId::new("j")], Access::Read)
    };
    assert_eq!(reads(BTreeMap::new()), ["raw.a", "raw.b", "raw.c"]);
    // Here somebody says what it is.
    assert_eq!(reads(BTreeMap::from([("flag".to_owned(), "b".to_owned())])), ["raw.b"]);
}

#[test]
fn a_model_reads_what_it_hands_to_a_package_nobody_has_and_always_writes_its_table() {
    let (estate, model) =
        dbt_estate("{{ dbt_utils.union_relations(relations=[ref('stg_orders'), source('lake', 'orders')]) }}");
    let spine = Script { text: "{{ dbt_utils.date_spine(datepart='day') }}".into(), ..model.clone() };
    let estate = Estate {
        jobs: vec![Job { scripts: vec![model], ..job("a", "") }, Job { scripts: vec![spine], ..job("b", "") }],
        ..estate
    };
    let (lineage, _) = lineage::read(&estate, &Silent);
    let union = &lineage.jobs[&JobId::new("a")];
    assert_eq!(names(union, Access::Read), ["raw.orders", "stage.stg_orders"]);
    assert_eq!(names(union, Access::Write), ["mart.m"]);
    assert_eq!(names(&lineage.jobs[&JobId::new("b")], Access::Write), ["mart.m"]);
}

#[test]
fn a_procedure_that_returns_rows_fills_nothing() {
    let text = "CREATE PROCEDURE dbo.report AS BEGIN SELECT id FROM raw.a END\nGO\n";
    let target = |text: &str| {
        let script = Script { dialect: Some("tsql".to_owned()), target: Some(id("mart.report")), ..script(text) };
        let estate = Estate { jobs: vec![Job { scripts: vec![script], ..job("j", "") }], ..Estate::default() };
        let (lineage, _) = lineage::read(&estate, &Silent);
        let job = &lineage.jobs[&JobId::new("j")];
        (names(job, Access::Read), names(job, Access::Write))
    };
    assert_eq!(target(text), (vec!["raw.a".to_owned()], vec![]));
    assert_eq!(target("SELECT id FROM raw.a"), (vec!["raw.a".to_owned()], vec!["mart.report".to_owned()]));
}

#[test]
fn the_time_of_a_run_can_be_counted_with() {
    let (estate, model) = dbt_estate(
        "select 1 as a from {{ ref('stg_orders') }} where y >= {{ run_started_at.year - 1 }} and d > '{{ (run_started_at - modules.datetime.timedelta(days=3)).strftime(\"%Y%m%d\") }}'",
    );
    let rendered = lineage::render(&model, &estate);
    assert_eq!(rendered.text, "select 1 as a from stage.stg_orders where y >= 2023 and d > '20240101'");
}

fn dbt_estate(model: &str) -> (Estate, Script) {
    let macros = "{% macro cents(c) %}({{ c }} / 100.0){% endmacro %}{% macro limit_dev() %}{{ adapter.dispatch('lim')() }}{% endmacro %}{% macro default__lim() %}{% endmacro %}";
    let project = DbtProject {
        name: "shop".to_owned(),
        folder: "".into(),
        nodes: [("stg_orders", "stage.stg_orders"), ("m", "mart.m")].map(|(n, d)| (n.to_owned(), id(d))).into(),
        sources: [(
            ("lake".to_owned(), "orders".to_owned()),
            DbtSource { relation: id("raw.orders"), at: Span::whole("models/sources.yml") },
        )]
        .into(),
        vars: [("region".to_owned(), serde_json::json!("eu"))].into(),
        macros: vec![("shop".to_owned(), "macros/m.sql".into(), Arc::from(macros))],
        adapter: Some("postgres".to_owned()),
        neighbours: Arc::default(),
    };
    let templating = Templating::Dbt { project: 0, model: "m".to_owned() };
    let script = Script { templating, target: Some(id("mart.m")), ..script(model) };
    (Estate { dbt_projects: vec![project], ..Estate::default() }, script)
}

#[test]
fn a_dbt_model_is_rendered_with_its_projects_names() {
    let (estate, model) = dbt_estate(
        "{{ config(materialized='table') }}\nselect o.id, {{ cents('o.total') }} as total from {{ ref('stg_orders') }} o join {{ source('lake', 'orders') }} r using (id) where region = '{{ var(\"region\") }}' {% if is_incremental() %} and o.id > (select max(id) from {{ this }}) {% endif %} {{ limit_dev() }}",
    );
    let rendered = lineage::render(&model, &estate);
    assert_eq!((rendered.complete, rendered.problems), (true, vec![]));
    assert_eq!(
        rendered.text.trim(),
        "select o.id, (o.total / 100.0) as total from stage.stg_orders o join raw.orders r using (id) where region = 'eu'"
    );
    let (queries, left_out) = editor(&estate).comparable_queries(&model);
    assert_eq!((queries[0].0.clone(), queries.len(), left_out), (Some(id("mart.m")), 1, vec![]));
}

#[test]
fn a_variable_whose_value_is_a_template_is_rendered() {
    let vars = [
        ("since", "{{ '2024-01-01' if target.name == 'prod' else run_started_at }}"),
        ("again", "{{ var('again') }}{{ var('since') }}"),
    ];
    let (mut estate, model) =
        dbt_estate("select a from raw.b where c > '{{ var(\"since\") }}' and d = '{{ var(\"again\") }}'");
    estate.dbt_projects[0].vars = vars.map(|(name, value)| (name.to_owned(), serde_json::json!(value))).into();
    let rendered = lineage::render(&model, &estate);
    assert!(
        rendered.text.starts_with("select a from raw.b where c > '2024-01-01' and d = '{{ var('again') }}"),
        "{}",
        rendered.text
    );
}

#[test]
fn a_date_spine_of_a_package_that_is_not_there_is_a_query_all_the_same() {
    for text in [
        "{{ dbt_utils.date_spine(datepart=\"day\", start_date=\"cast('2024-01-01' as date)\", end_date=\"x\") }}",
        "with days as ({{ dbt_utils.date_spine('day', 'a', 'b') }}) select date_day from days join {{ ref('stg_orders') }} on true",
    ] {
        let (estate, model) = dbt_estate(text);
        let rendered = lineage::render(&model, &estate);
        assert!(rendered.text.contains("as date_day"), "{}", rendered.text);
        let (_, faults) = reads_of_the_model(&estate, &model);
        assert!(!faults.iter().any(|fault| fault.contains("xpected")), "{faults:?}");
    }
}

#[test]
fn every_statement_that_no_grammar_took_is_kept_however_many_one_macro_makes() {
    let (mut estate, model) = dbt_estate("{{ odd() }}");
    let odd = "{% macro odd() %}{% for n in range(3) %}frobnicate {{ n }} from raw.x;{% endfor %}{% endmacro %}";
    estate.dbt_projects[0].macros.push(("shop".to_owned(), "macros/odd.sql".into(), Arc::from(odd)));
    estate.jobs = vec![Job { scripts: vec![model], ..job("m", "") }];
    let (read, faults) = lineage::read(&estate, &Silent);
    let counted: u64 = read.coverage.values().map(|c| c.scanned + c.not_understood).sum();
    assert_eq!((counted, read.refused.len()), (3, 3));
    // They stand at one place: the fault is told once.
    assert_eq!(codes(&faults).iter().filter(|code| *code == "E030").count(), 1);
    assert!(read.refused.iter().all(|one| one.begins.starts_with("frobnicate")));
}

fn reads_of_the_model(estate: &Estate, model: &Script) -> (BTreeSet<String>, Vec<String>) {
    let mut estate = estate.clone();
    estate.jobs = vec![Job { scripts: vec![model.clone()], ..job("m", "") }];
    let (read, faults) = lineage::read(&estate, &Silent);
    let uses = read.jobs.values().flat_map(|one| &one.uses).filter(|one| one.access == Access::Read);
    (uses.map(|one| one.dataset.to_string()).collect(), faults.iter().map(|fault| fault.here.clone()).collect())
}

#[test]
fn both_runs_of_an_incremental_model_count() {
    let cases = [
        "select a from {{ ref('stg_orders') }} {% if is_incremental() %} where a in (select a from raw.late) {% endif %}",
        "select a from {% if is_incremental() %} raw.late {% else %} {{ ref('stg_orders') }} {% endif %}",
        "select a from {% if not is_incremental() %}{{ ref('stg_orders') }}{% else %}raw.late{% endif %}",
        "{% set later = is_incremental() %}select a from {{ 'raw.late' if later else ref('stg_orders') }}",
        "select a from {{ ref('stg_orders') }} {{ only_late() }}",
        "select a from {{ ref('stg_orders') }} {% if is_incremental() and m() %} join raw.late using (a) {% endif %}",
    ];
    for text in cases {
        let (mut estate, model) = dbt_estate(text);
        let helper = "{% macro only_late() %}{% if is_incremental() %}where a in (select a from raw.late){% endif %}{% endmacro %}{% macro m() %}1{% endmacro %}";
        estate.dbt_projects[0].macros.push(("shop".to_owned(), "macros/late.sql".into(), Arc::from(helper)));
        let (reads, _) = reads_of_the_model(&estate, &model);
        assert_eq!(reads.into_iter().collect::<Vec<_>>(), ["raw.late", "stage.stg_orders"], "{text}");
    }
}

#[test]
fn an_incremental_run_that_cannot_be_rendered_is_told_and_read_in_pieces() {
    let (estate, model) = dbt_estate(
        "select a from raw.b {% if is_incremental() %}{{ run_query('x').go() }} where a > (select max(a) from raw.late) {% endif %}",
    );
    let (reads, faults) = reads_of_the_model(&estate, &model);
    assert!(reads.contains("raw.b") && reads.contains("raw.late"), "{reads:?}");
    assert!(faults.iter().any(|fault| fault.contains("where is_incremental() holds")), "{faults:?}");
}

#[test]
fn both_runs_of_an_incremental_model_are_repointed() {
    let text = "select a from raw.orders{% if is_incremental() %} where a > (select max(a) from raw.orders){% else %} join raw.orders o using (a){% endif %}";
    let (estate, model) = dbt_estate(text);
    let edits = editor(&estate).repoint(&model, &id("raw.orders"), &id("raw.orders__import")).unwrap();
    assert_eq!(made(text, &edits), text.replace("raw.orders", "raw.orders__import"));

    let only_later = "select a from raw.b{% if is_incremental() %} join raw.orders using (a){% endif %}";
    let (estate, model) = dbt_estate(only_later);
    let edits = editor(&estate).repoint(&model, &id("raw.orders"), &id("raw.orders__import")).unwrap();
    assert_eq!(made(only_later, &edits), only_later.replace("raw.orders", "raw.orders__import"));

    let unreachable =
        "select a from raw.orders{% if is_incremental() %} join {{ 'raw.' ~ 'orders' }} using (a){% endif %}";
    let (estate, model) = dbt_estate(unreachable);
    let problem = editor(&estate).repoint(&model, &id("raw.orders"), &id("raw.orders__import")).unwrap_err();
    assert!(matches!(problem, RepointProblem::InTemplate { .. }), "{problem}");
}

#[test]
fn a_dbt_source_is_repointed_in_its_sources_file() {
    let (estate, model) = dbt_estate("select id from {{ source('lake', 'orders') }}");
    let problem = editor(&estate).repoint(&model, &id("raw.orders"), &id("raw.orders__import")).unwrap_err();
    let RepointProblem::DbtSource { source_name, table, file, .. } = problem else { panic!("{problem}") };
    assert_eq!((source_name.as_str(), table.as_str(), file.as_str()), ("lake", "orders", "models/sources.yml"));
    let (estate, model) = dbt_estate("select id from {{ ref('stg_orders') }}");
    let problem = editor(&estate).repoint(&model, &id("stage.stg_orders"), &id("stage.x")).unwrap_err();
    assert_eq!(problem, RepointProblem::DbtRef(id("stage.stg_orders")));
}

fn made(text: &str, edits: &[TextEdit]) -> String {
    edits.iter().rev().fold(text.to_owned(), |mut text, edit| {
        assert_eq!(text[edit.start..edit.end], edit.old);
        text.replace_range(edit.start..edit.end, &edit.new);
        text
    })
}

fn repointed(text: &str) -> Result<String, RepointProblem> {
    let edits = editor(&Estate::default()).repoint(&script(text), &id("raw.orders"), &id("raw.orders__import"))?;
    Ok(made(text, &edits))
}

#[test]
fn repointing_edits_reads_and_nothing_else() {
    let cases = [
        ("select a from raw.orders", "select a from raw.orders__import"),
        ("select \"a\" from \"raw\".\"orders\" o", "select \"a\" from \"raw\".\"orders__import\" o"),
        ("SELECT A FROM RAW.ORDERS", "SELECT A FROM RAW.ORDERS__IMPORT"),
        (
            "select raw.orders.id, orders.total from raw.orders where orders.ok",
            "select raw.orders__import.id, orders__import.total from raw.orders__import where orders__import.ok",
        ),
        ("select orders.* from raw.orders", "select orders__import.* from raw.orders__import"),
        ("select orders.id from raw.orders as orders", "select orders.id from raw.orders__import as orders"),
        (
            "-- raw.orders\nselect 'raw.orders' as s, x.a /* raw.orders */ from raw.orders x",
            "-- raw.orders\nselect 'raw.orders' as s, x.a /* raw.orders */ from raw.orders__import x",
        ),
        (
            "insert into raw.orders select * from raw.orders where a > (select max(b) from raw.orders)",
            "insert into raw.orders select * from raw.orders__import where a > (select max(b) from raw.orders__import)",
        ),
        (
            "with orders as (select * from raw.orders) select orders.id from orders",
            "with orders as (select * from raw.orders__import) select orders.id from orders",
        ),
        (
            "create temp table t as select * from raw.orders; insert into mart.x select * from t join raw.orders_old o using (id)",
            "create temp table t as select * from raw.orders__import; insert into mart.x select * from t join raw.orders_old o using (id)",
        ),
        (
            "{% if true %}select a from raw.orders where d > '{{ ds }}'{% endif %}",
            "{% if true %}select a from raw.orders__import where d > '{{ ds }}'{% endif %}",
        ),
        ("select é, a from raw.orders, raw.items", "select é, a from raw.orders__import, raw.items"),
        (
            "update mart.x set v = o.v from raw.orders o where o.id = x.id",
            "update mart.x set v = o.v from raw.orders__import o where o.id = x.id",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(repointed(text).unwrap_or_else(|problem| format!("{text}: {problem}")), expected);
    }
}

#[test]
fn what_cannot_be_repointed_says_why() {
    assert_eq!(repointed("select a from raw.items"), Err(RepointProblem::NotRead(id("raw.orders"))));
    assert_eq!(repointed("insert into raw.orders select 1"), Err(RepointProblem::NotRead(id("raw.orders"))));
    assert_eq!(repointed("select ?!? from raw.orders where (("), Err(RepointProblem::NotUnderstood(id("raw.orders"))));
    let templated =
        Script { params: [("s".to_owned(), "raw".to_owned())].into(), ..script("select a from {{ s }}.orders") };
    let problem = editor(&Estate::default()).repoint(&templated, &id("raw.orders"), &id("raw.x")).unwrap_err();
    assert!(matches!(problem, RepointProblem::InTemplate { .. }), "{problem}");
    let clash = "with orders__import as (select 1 as id) select o.id from orders o join orders__import using (id)";
    let problem = editor(&Estate::default()).repoint(&script(clash), &id("orders"), &id("orders__import")).unwrap_err();
    assert!(matches!(problem, RepointProblem::ChangesMeaning(_)), "{problem}");
}

#[test]
fn queries_that_fill_tables_can_be_compared_and_the_rest_is_named() {
    let text = "create table a.x as\n select id from raw.t;\ninsert into a.y (id) select id from raw.u;\n\
                create temp table w as select 1 as id;\ninsert into a.z select id from w;\nupdate a.x set id = 2 where id = 1;\ndrop table a.old";
    let (queries, left_out) = editor(&Estate::default()).comparable_queries(&script(text));
    let expected = [("a.x", "select id from raw.t"), ("a.y", "select id from raw.u")];
    assert_eq!(queries, expected.map(|(target, query)| (Some(id(target)), query.to_owned())));
    assert_eq!(
        left_out,
        ["job.sql:5:1: it reads a temp table of the script", "job.sql:6:1: UPDATE changes rows where they are"]
    );
}

#[test]
fn a_query_whose_template_is_not_filled_is_not_compared() {
    let (queries, left_out) =
        editor(&Estate::default()).comparable_queries(&script("create table a.x as select {{ who }} as v from raw.t"));
    assert!(queries.is_empty());
    assert_eq!(left_out, ["job.sql:1:1: its template has values that are known only when it runs"]);
}

#[test]
fn deep_nesting_is_scanned_and_told() {
    let deep = format!("select {}1{} from raw.t", "(".repeat(20_000), ")".repeat(20_000));
    let (lineage, faults) = lineage::read_sql(&deep, None, &BTreeMap::new());
    assert_eq!(names(&lineage, Access::Read), ["raw.t"]);
    assert_eq!(codes(&faults), ["E036"]);
}

#[test]
fn a_chain_without_end_is_scanned_and_told() {
    for link in ["::int", "[1]::int", " is null", " collate x", " at time zone 'utc'", " like a", "~a"] {
        let chain = format!("insert into mart.o select a{} from raw.t", link.repeat(100_000));
        let (lineage, faults) = lineage::read_sql(&chain, Some("postgres"), &BTreeMap::new());
        assert_eq!(names(&lineage, Access::Read), ["raw.t"], "{link}");
        assert_eq!(names(&lineage, Access::Write), ["mart.o"], "{link}");
        assert_eq!(codes(&faults), ["E036"], "{link}");
    }
}

#[test]
fn a_string_that_doubles_without_end_is_told_as_dynamic() {
    let tsql = format!("declare @s nvarchar(max) = N'x'; {} exec(@s)", "set @s = @s + @s; ".repeat(40));
    let plpgsql = format!("do $$ declare s text := 'x'; begin {} execute s; end $$", "s := s || s; ".repeat(40));
    for (dialect, text) in [("tsql", tsql), ("postgres", plpgsql)] {
        let (lineage, faults) = lineage::read_sql(&text, Some(dialect), &BTreeMap::new());
        assert_eq!(lineage.dynamic, 1, "{dialect}");
        assert_eq!(codes(&faults), ["E032"], "{dialect}");
    }
}

#[test]
fn nesting_within_the_limit_is_read_in_every_dialect() {
    for dialect in carve::estate::DIALECTS {
        for open in ["(", "(select * from (", "coalesce(1, ", "case when a then "] {
            let close = match open {
                "(select * from (" => " ) x)",
                "case when a then " => " end",
                _ => ")",
            };
            let depth = 240;
            let inner = if open.starts_with("(select") { "select * from raw.t" } else { "1" };
            let text = match open.starts_with("(select") {
                true => format!("select * from {}{inner}{}", "(select * from ".repeat(depth), ") x".repeat(depth))
                    .replacen(inner, "raw.t", 1),
                false => format!("select {}{inner}{} from raw.t", open.repeat(depth), close.repeat(depth)),
            };
            let (lineage, _) = lineage::read_sql(&text, Some(dialect), &BTreeMap::new());
            assert_eq!(
                (names(&lineage, Access::Read), lineage.unparsed),
                (vec!["raw.t".to_owned()], 0),
                "{dialect} {open}"
            );
        }
    }
}

#[test]
fn long_chains_overflow_nothing() {
    for (joint, unit) in [(" + ", "a"), (" or ", "b = 1"), (" || ", "c")] {
        let text = format!("select {} from raw.t", vec![unit; 9_000].join(joint));
        let (lineage, _) = lineage::read_sql(&text, None, &BTreeMap::new());
        assert_eq!(names(&lineage, Access::Read), ["raw.t"]);
    }
    let text = vec!["select a from raw.t"; 3_000].join(" union all ");
    let (lineage, _) = lineage::read_sql(&text, None, &BTreeMap::new());
    assert_eq!((names(&lineage, Access::Read), lineage.unparsed), (vec!["raw.t".to_owned()], 0));
}

#[test]
fn macros_that_call_themselves_end() {
    let (mut estate, model) = dbt_estate("select {{ a() }} from {{ ref('stg_orders') }}");
    estate.dbt_projects[0].macros = vec![(
        "shop".to_owned(),
        "m.sql".into(),
        Arc::from("{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}"),
    )];
    let rendered = lineage::render(&model, &estate);
    assert!(!rendered.complete);
    let endless =
        script("{% for i in range(100000000) %}{% for j in range(100000000) %}x{% endfor %}{% endfor %}select 1");
    assert!(!lineage::render(&endless, &Estate::default()).complete);
}

#[test]
fn unknown_values_can_be_compared_and_printed() {
    let text =
        "{% for a in [x, y] %}{% if a != z and a == a %}{{ a | tojson }}{% endif %}{% endfor %}select 1 from raw.t";
    let rendered = lineage::render(&script(text), &Estate::default());
    assert!(!rendered.complete && rendered.text.ends_with("select 1 from raw.t"));
}

#[test]
fn a_byte_order_mark_is_no_sql() {
    let (lineage, faults) =
        lineage::read_sql("\u{feff}insert into a.b select c from d.e", Some("tsql"), &BTreeMap::new());
    assert_eq!((names(&lineage, Access::Read), codes(&faults)), (vec!["d.e".to_owned()], vec![]));
}

#[test]
fn an_exposures_and_a_logs_sql_are_read() {
    let mut estate = estate(&[]);
    estate.usage = ["select a from raw.t", "select a from raw.t", "select 1 from mart.x join raw.t using (id)"]
        .map(|sql| Usage {
            user: "ann".to_owned(),
            team: None,
            at: Some("2024-01-01T00:00:00Z".parse().unwrap()),
            count: 1,
            what: UsedThing::Sql(script(sql)),
            line: Span::whole("log.csv"),
        })
        .into();
    estate.exposures = vec![Exposure {
        id: "superset/dataset/x".to_owned(),
        title: "x".to_owned(),
        kind: "dataset".to_owned(),
        tool: "superset".to_owned(),
        owner: None,
        reads: vec![(id("mart.named"), Span::whole("x.yaml"))],
        scripts: vec![script("select * from mart.x {% if org %} where org in (select org from mart.y) {% endif %}")],
        parts: Vec::new(),
        at: Span::whole("x.yaml"),
    }];
    let (lineage, _) = lineage::read(&estate, &Silent);
    assert_eq!(lineage.usage[&1], [id("raw.t")]);
    assert_eq!(lineage.usage[&2], [id("mart.x"), id("raw.t")]);
    let read: Vec<String> = lineage.exposures["superset/dataset/x"].iter().map(|one| one.dataset.to_string()).collect();
    assert_eq!(read, ["mart.named", "mart.x", "mart.y"], "both ways through an open condition count");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_sql_never_panics(case in 0usize..1000, cuts in proptest::collection::vec((0usize..4000, 0usize..60, 0u8..4), 1..6), other in 0usize..1000, dialect in 0usize..100) {
        let cases = cases();
        let mut text: Vec<char> = fs::read_to_string(&cases[case % cases.len()]).unwrap().chars().collect();
        let donor: Vec<char> = fs::read_to_string(&cases[other % cases.len()]).unwrap().chars().collect();
        for (at, length, what) in cuts {
            let at = at % (text.len() + 1);
            let end = (at + length).min(text.len());
            match what {
                0 => { text.drain(at..end); }
                1 => { let copy: Vec<char> = text[at..end].to_vec(); text.splice(at..at, copy); }
                2 => { let from = at % donor.len(); text.splice(at..end, donor[from..(from + length).min(donor.len())].to_vec()); }
                _ => { text.splice(at..at, "'\"`(é;{{%}$".chars().skip(length % 11).take(2)); }
            }
        }
        let text: String = text.into_iter().collect();
        let dialect = carve::estate::DIALECTS[dialect % carve::estate::DIALECTS.len()];
        let (lineage, faults) = lineage::read_sql(&text, Some(dialect), &BTreeMap::new());
        for one in &lineage.uses {
            prop_assert!(text.get(one.at.start..one.at.end).is_some());
        }
        prop_assert!(faults.iter().all(|fault| text.get(fault.at.start..fault.at.end).is_some()));
        let _ = lineage::meaning(&text, Some(dialect));
        let _ = editor(&Estate::default()).comparable_queries(&script(&text));
        if let Some(one) = lineage.uses.iter().find(|one| one.access == Access::Read) {
            let _ = editor(&Estate::default()).repoint(&script(&text), &one.dataset, &id("new.table"));
        }
    }
}

#[test]
fn ref_outside_a_project_finds_the_model_of_a_project_and_is_inferred() {
    let (estate, _) = dbt_estate("");
    let outside =
        script("insert into mart.x select id from {{ ref('stg_orders') }} join {{ ref('nobodys') }} using (id)");
    let estate = Estate { jobs: vec![Job { scripts: vec![outside], ..job("j", "") }], ..estate };
    let (lineage, _) = lineage::read(&estate, &Silent);
    let job = &lineage.jobs[&JobId::new("j")];
    let reads = job.uses.iter().filter(|one| one.access == Access::Read);
    let found: Vec<_> = reads.map(|one| (one.dataset.clone(), one.evidence, one.exact)).collect();
    let expected = ["stage.stg_orders", "nobodys"].map(|name| (id(name), Evidence::Inferred, false));
    assert_eq!(found, expected);
}
