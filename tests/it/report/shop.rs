//! A shop of realistic size, built by hand: 12 source systems, their tables, jobs, boards and scores.
use std::collections::{BTreeMap, BTreeSet};

use carve::{
    apply::{ProofSummary, ServiceStatus},
    diagnostics::{CODES, Diagnostic, Diagnostics},
    estate::{Declaration, EstateFile, Exposure, FileFormat, Job, JobKind, Schedule},
    graph::{Cycle, DatasetFacts, DatasetIndex, Edge, Layer},
    lineage::{Access, Coverage, Evidence},
    plan::{
        Action, Boundary, ComparedQuery, ContinuityPolicy, FileEdit, Import, Ownership, Plan, PlanScores,
        ProveContinuity, ProveDownstream, Publish, PublishEndpoint, Repoint, SpanEdit, Step, Swap, Undo, WriteFile,
    },
    report::ReportInputs,
    scoring::{
        Candidate, Confidence, Cost, CostDriver, Criterion, EvidenceRow, Flip, Robustness, Scorecard, Sequence, Term,
        Wave,
    },
    vocab::{DatasetId, Digest, Endpoint, JobId, PartFormat, Span},
};

/// Owns what `ReportInputs` borrows.
pub(super) struct Shop {
    pub(super) title: String,
    pub(super) files: Vec<EstateFile>,
    pub(super) jobs: Vec<Job>,
    pub(super) exposures: Vec<Exposure>,
    pub(super) coverage: BTreeMap<String, Coverage>,
    pub(super) datasets: DatasetIndex,
    pub(super) edges: Vec<Edge>,
    pub(super) cycles: Vec<Cycle>,
    pub(super) cards: Vec<Scorecard>,
    pub(super) sequence: Sequence,
    pub(super) plans: Vec<Plan>,
    pub(super) statuses: Vec<ServiceStatus>,
    pub(super) diagnostics: Diagnostics,
}

impl Shop {
    pub(super) fn inputs(&self) -> ReportInputs<'_> {
        ReportInputs {
            title: &self.title,
            files: &self.files,
            jobs: &self.jobs,
            exposures: &self.exposures,
            coverage: &self.coverage,
            datasets: &self.datasets,
            edges: &self.edges,
            cycles: &self.cycles,
            scorecards: &self.cards,
            sequence: &self.sequence,
            plans: &self.plans,
            statuses: &self.statuses,
            diagnostics: &self.diagnostics,
            lambda: 0.5,
            alpha: 1.0,
        }
    }
}

/// A shop without anything.
pub(super) fn empty(title: &str) -> Shop {
    Shop {
        title: title.to_owned(),
        files: Vec::new(),
        jobs: Vec::new(),
        exposures: Vec::new(),
        coverage: BTreeMap::new(),
        datasets: DatasetIndex::new(),
        edges: Vec::new(),
        cycles: Vec::new(),
        cards: Vec::new(),
        sequence: Sequence { waves: Vec::new() },
        plans: Vec::new(),
        statuses: Vec::new(),
        diagnostics: Diagnostics::default(),
    }
}

/// System, domain, owner, raw tables, F, I, person-days, label.
type Sketch = (&'static str, &'static str, Option<&'static str>, &'static [&'static str], f64, f64, f64, &'static str);

const SKETCHES: [Sketch; 12] = [
    (
        "order_api",
        "orders",
        Some("team-orders"),
        &["orders", "order_lines", "payments", "refunds"],
        0.86,
        0.91,
        6.2,
        "robust",
    ),
    (
        "customer_api",
        "customers",
        Some("team-customer"),
        &["customers", "addresses", "consents"],
        0.62,
        0.88,
        5.4,
        "robust",
    ),
    (
        "crm",
        "customers",
        None,
        &["contacts", "campaigns", "tickets", "ticket_events", "segments"],
        0.41,
        0.63,
        8.9,
        "sensitive",
    ),
    (
        "product_catalogue",
        "products",
        Some("team-catalogue"),
        &["products", "prices", "categories"],
        0.47,
        0.66,
        9.4,
        "toss-up",
    ),
    (
        "warehouse_management",
        "logistics",
        Some("team-logistics"),
        &["stock", "movements", "bins", "pickings", "shipments", "carriers"],
        0.71,
        0.52,
        11.8,
        "sensitive",
    ),
    ("billing", "finance", Some("team-finance"), &["invoices", "invoice_lines", "ledger"], 0.33, 0.79, 13.1, "robust"),
    ("web_tracking", "marketing", None, &["page_views", "sessions"], 0.93, 0.44, 14.6, "sensitive"),
    (
        "supplier_portal",
        "purchasing",
        Some("team-purchasing"),
        &["suppliers", "purchase_orders"],
        0.22,
        0.31,
        7.3,
        "robust",
    ),
    ("loyalty_and_vouchers", "marketing", Some("team-loyalty"), &["vouchers", "points"], 0.35, 0.33, 9.9, "toss-up"),
    ("hr_time_sheets", "people", Some("team-people"), &["shifts", "absences"], 0.12, 0.18, 6.8, "robust"),
    ("store_cash_registers", "stores", None, &["receipts", "receipt_lines", "tills"], 0.55, 0.28, 21.5, "robust"),
    (
        "a-very-long-legacy-mainframe-extract-service-name-v2",
        "legacy",
        None,
        &["master_file", "movement_file"],
        0.05,
        0.22,
        34.0,
        "robust",
    ),
];

/// The shop with 12 candidates, two plans, one of them applied.
pub(super) fn shop() -> Shop {
    let mut shop = empty("shop");
    for (at, sketch) in SKETCHES.iter().enumerate() {
        add_system(&mut shop, at, sketch);
    }
    add_modelled(&mut shop);
    add_files(&mut shop);
    shop.cycles.push(Cycle {
        jobs: [JobId::new("model_customer_segments"), JobId::new("score_customers")].into(),
        datasets: [id("modelled.customer_segments"), id("modelled.customer_scores")].into(),
    });
    shop.sequence = Sequence {
        waves: vec![
            wave(1, "pilot", &[0]),
            wave(2, "", &[1, 2, 3]),
            wave(3, "", &[4, 5, 6]),
            wave(4, "", &[7, 8, 9, 10, 11]),
        ],
    };
    shop.plans = vec![plan(&shop.cards[0]), plan(&shop.cards[1])];
    shop.statuses = vec![applied(&shop.cards[0])];
    shop
}

pub(super) fn id(name: &str) -> DatasetId {
    name.parse().unwrap()
}

fn span(file: &str, line: u32) -> Span {
    Span { file: file.into(), start: 0, end: 0, line, column: 1 }
}

fn facts(layer: Layer, systems: &[&str], domain: Option<&str>) -> DatasetFacts {
    DatasetFacts {
        layer,
        systems: systems.iter().map(|s| (*s).to_owned()).collect(),
        system: (systems.len() == 1).then(|| systems[0].to_owned()),
        domain: domain.map(str::to_owned),
        owner: None,
        written_by: BTreeSet::new(),
        read_by: BTreeSet::new(),
        exposed_by: BTreeSet::new(),
        queries: 0,
        users: BTreeSet::new(),
    }
}

fn edge(shop: &mut Shop, job: &str, dataset: &DatasetId, access: Access) {
    let job = JobId::new(job);
    let facts = shop.datasets.get_mut(dataset).unwrap();
    match access {
        Access::Read => facts.read_by.insert(job.clone()),
        _ => facts.written_by.insert(job.clone()),
    };
    let places = vec![span("sql/jobs.sql", shop.edges.len() as u32 + 1)];
    shop.edges.push(Edge { job, dataset: dataset.clone(), access, evidence: Evidence::Parsed, places });
}

pub(super) fn job(name: &str, kind: JobKind, schedule: &str, enabled: bool) -> Job {
    Job {
        id: JobId::new(name),
        kind,
        at: span("jobs/jobs.yaml", 1),
        declared_by: Declaration::CarveJobs,
        scripts: Vec::new(),
        imports: Vec::new(),
        moves: Vec::new(),
        reads: Vec::new(),
        writes: Vec::new(),
        depends_on: Vec::new(),
        schedule: Some(Schedule { text: schedule.to_owned(), runs_per_day: Some(24.0) }),
        owner: None,
        domain: None,
        enabled,
    }
}

fn add_system(shop: &mut Shop, at: usize, sketch: &Sketch) {
    let (system, domain, ..) = *sketch;
    let import = format!("load_{system}");
    let clean = format!("clean_{system}");
    shop.jobs.push(job(&import, JobKind::Import, "15 * * * *", true));
    shop.jobs.push(job(&clean, JobKind::Transform, "@daily", at != 9));
    for table in sketch.3 {
        let source = DatasetId::in_system(system, table);
        let raw = id(&format!("raw.{}_{table}", system.replace('-', "_")));
        let clean_table = id(&format!("transformed.{}_{table}", system.replace('-', "_")));
        shop.datasets.insert(source.clone(), facts(Layer::Source, &[system], Some(domain)));
        shop.datasets.insert(raw.clone(), facts(Layer::Raw, &[system], Some(domain)));
        shop.datasets.insert(clean_table.clone(), facts(Layer::Transformed, &[system], Some(domain)));
        edge(shop, &import, &source, Access::Read);
        edge(shop, &import, &raw, Access::Write);
        edge(shop, &clean, &raw, Access::Read);
        edge(shop, &clean, &clean_table, Access::Write);
    }
    let card = card(at, sketch);
    shop.cards.push(card);
}

fn exposure(id: &str, title: &str, kind: &str) -> Exposure {
    Exposure {
        id: id.to_owned(),
        title: title.to_owned(),
        kind: kind.to_owned(),
        tool: "superset".to_owned(),
        owner: Some("team-analytics".to_owned()),
        reads: Vec::new(),
        scripts: Vec::new(),
        parts: Vec::new(),
        at: span("bi/datasets/x.yaml", 1),
    }
}

fn add_modelled(shop: &mut Shop) {
    let models: [(&str, &str, &[&str]); 7] = [
        ("sales_daily", "sales", &["order_api_orders", "product_catalogue_products", "store_cash_registers_receipts"]),
        (
            "customer_360",
            "customers",
            &["customer_api_customers", "crm_contacts", "order_api_orders", "web_tracking_sessions"],
        ),
        (
            "margin",
            "finance",
            &[
                "order_api_order_lines",
                "product_catalogue_prices",
                "billing_invoices",
                "supplier_portal_purchase_orders",
            ],
        ),
        ("delivery_times", "logistics", &["warehouse_management_shipments", "order_api_orders"]),
        ("customer_segments", "marketing", &["crm_segments", "loyalty_and_vouchers_points", "customer_api_consents"]),
        ("customer_scores", "marketing", &["crm_tickets", "web_tracking_page_views"]),
        ("forgotten_experiment_2019", "marketing", &["web_tracking_page_views"]),
    ];
    for (name, domain, reads) in models {
        let target = id(&format!("modelled.{name}"));
        shop.datasets.insert(target.clone(), facts(Layer::Modelled, &["order_api", "crm"], Some(domain)));
        let job_name = format!("model_{name}");
        shop.jobs.push(job(&job_name, JobKind::Transform, "0 5 * * *", true));
        edge(shop, &job_name, &target, Access::Write);
        for table in reads {
            edge(shop, &job_name, &id(&format!("transformed.{table}")), Access::Read);
        }
    }
    edge(shop, "score_customers", &id("modelled.customer_segments"), Access::Read);
    edge(shop, "score_customers", &id("modelled.customer_scores"), Access::Write);
    edge(shop, "model_customer_segments", &id("modelled.customer_scores"), Access::Read);
    shop.datasets.insert(id("tmp.exchange_rates"), facts(Layer::Unknown, &[], None));
    edge(shop, "model_margin", &id("tmp.exchange_rates"), Access::Read);
    for (title, table) in [("Sales", "sales_daily"), ("Customers", "customer_360"), ("Margin", "margin")] {
        let name = format!("superset/dashboard/{title}");
        shop.exposures.push(exposure(&name, title, "dashboard"));
        shop.datasets.get_mut(&id(&format!("modelled.{table}"))).unwrap().exposed_by.insert(name);
    }
    shop.exposures.push(exposure("superset/dataset/orders", "orders", "dataset"));
    shop.datasets.get_mut(&id("raw.order_api_orders")).unwrap().exposed_by.insert("superset/dataset/orders".to_owned());
}

fn add_files(shop: &mut Shop) {
    let kinds = [
        (FileFormat::Sql, 212),
        (FileFormat::CarveJobs, 14),
        (FileFormat::Superset, 38),
        (FileFormat::UsageLog, 1),
        (FileFormat::Other, 55),
    ];
    for (format, count) in kinds {
        for at in 0..count {
            let path = format!("{format:?}/{at}").into();
            shop.files.push(EstateFile { path, format, digest: Digest::of(""), bytes: 2_400 });
        }
    }
    let coverage = |statements, helped, scanned, not_understood| Coverage {
        scripts: statements / 3,
        statements,
        parsed: statements - helped - scanned - not_understood,
        helped,
        scanned,
        not_understood,
    };
    shop.coverage.insert("sqlite".into(), coverage(612, 41, 12, 3));
    shop.coverage.insert("bigquery".into(), coverage(88, 9, 14, 0));
    for at in 0..15 {
        let file = format!("sql/transformed/{}.sql", ["orders", "crm_tickets", "stock"][at % 3]);
        shop.diagnostics.push(diagnostic(
            "E030",
            span(&file, at as u32 * 7 + 3),
            "expected an expression, found `QUALIFY`",
        ));
    }
    shop.diagnostics.push(diagnostic(
        "E032",
        span("sql/scripts/rebuild.sql", 44),
        "the table's name is put together at run time",
    ));
    shop.diagnostics.push(
        diagnostic("E041", span("sql/modelled/margin.sql", 9), "`tmp.exchange_rates`")
            .help("declare `tmp` under `sources`"),
    );
    shop.diagnostics.push(diagnostic("E004", span("jobs/broken.yaml", 3), "expected `:`"));
}

pub(super) fn diagnostic(code: &str, at: Span, here: &str) -> Diagnostic {
    Diagnostic::new(CODES.iter().find(|entry| entry.code == code).unwrap(), at, here)
}

fn evidence(what: &str, because: &str, line: u32) -> EvidenceRow {
    EvidenceRow {
        what: what.to_owned(),
        because: because.to_owned(),
        at: Some(span("sql/transformed/orders.sql", line)),
    }
}

fn term(name: &str, because: &str, normalised: f64, weight: f64) -> Term {
    let rows =
        (1..4).map(|line| evidence("commit 9f2c31a", "touched the job's SQL 12 days before the newest commit", line));
    Term {
        name: name.to_owned(),
        because: because.to_owned(),
        raw: Some(normalised * 40.0),
        reference: 40.0,
        normalised,
        weight,
        evidence: rows.collect(),
    }
}

fn driver(name: &str, title: &str, count: u32, days: f64) -> CostDriver {
    CostDriver {
        name: name.to_owned(),
        title: title.to_owned(),
        count,
        hours: [1.0, 2.0, 5.0],
        days,
        evidence: (0..count.min(6))
            .map(|n| evidence(&format!("raw.table_{n}"), "becomes an endpoint", n + 10))
            .collect(),
    }
}

fn card(at: usize, sketch: &Sketch) -> Scorecard {
    let (system, domain, owner, tables, f, i, days, label) = *sketch;
    let raw: Vec<DatasetId> = tables.iter().map(|t| id(&format!("raw.{}_{t}", system.replace('-', "_")))).collect();
    let aligned = tables.iter().map(|t| id(&format!("transformed.{}_{t}", system.replace('-', "_")))).collect();
    let value = 0.5 * f + 0.5 * i;
    let next = SKETCHES.get(at + 1).map(|s| s.0.replace('_', "-").parse().unwrap());
    Scorecard {
        candidate: Candidate {
            name: system.replace('_', "-").parse().unwrap(),
            system: system.to_owned(),
            domain: domain.to_owned(),
            owner: owner.map(str::to_owned),
            declared: at == 0,
            raw,
            aligned,
            modelled: vec![id("modelled.sales_daily"), id("modelled.customer_360")],
            import_jobs: vec![JobId::new(format!("load_{system}"))],
            dependents: (0..(14 - at)).map(|n| JobId::new(format!("clean_{system}_{n}"))).collect(),
            exposures: (0..(9_usize.saturating_sub(at))).map(|n| format!("superset/dashboard/Board {n}")).collect(),
            bundled_with: if at == 2 { ["customer-api".parse().unwrap()].into() } else { BTreeSet::new() },
        },
        rank: at as u32 + 1,
        cost: Cost {
            low_days: days * 0.72,
            likely_days: days,
            high_days: days * 1.45,
            drivers: vec![
                driver("source_table", "source tables to understand", tables.len() as u32, days * 0.3),
                driver("endpoint", "endpoints with a contract", tables.len() as u32, days * 0.4),
                driver("dependent_repointed", "jobs repointed", 14 - at as u32, days * 0.2),
                driver("fixed", "fixed effort of one wrap", 1, days * 0.1),
            ],
        },
        frequency: Criterion {
            points: f,
            terms: vec![
                term("structural", "31 commits to its jobs, 12.4 after decay", f, 0.5),
                term("content", "24 loads a day", f, 0.5),
            ],
            grade: 'A',
            overridden: false,
        },
        importance: Criterion {
            points: i,
            terms: vec![
                term("teams", "7 teams use it", i, 0.5),
                term("use_cases", "11 dashboards and apps", i, 0.3),
                term("reach", "reached by 18 % of all queries", i, 0.2),
            ],
            grade: if at > 6 { 'B' } else { 'A' },
            overridden: false,
        },
        value,
        priority: value / days,
        confidence: Confidence {
            grade: ["high", "medium", "high", "low"][at % 4].to_owned(),
            because: if at % 2 == 1 { vec!["3 statements were taken from a token scan".into()] } else { vec![] },
        },
        robustness: Robustness {
            label: label.to_owned(),
            flip_below: next.map(|with| Flip {
                with,
                lambda: (label != "robust").then_some(0.31 + at as f64 * 0.05),
                alpha: Some(1.4),
                kept: 0.75,
            }),
            acceptability: acceptability(at, label),
            rank_low_effort: at as u32 + 1,
            rank_high_effort: at as u32 + 1 + u32::from(label == "toss-up"),
        },
    }
}

/// Shares that add up to 1 around the rank `at`.
fn acceptability(at: usize, label: &str) -> Vec<f64> {
    let own = match label {
        "robust" => 0.86,
        "sensitive" => 0.58,
        _ => 0.44,
    };
    let mut shares = vec![0.0; SKETCHES.len()];
    shares[at] = own;
    let sides: Vec<usize> =
        [at.checked_sub(1), (at + 1 < SKETCHES.len()).then_some(at + 1)].into_iter().flatten().collect();
    for side in &sides {
        shares[*side] += (1.0 - own) / sides.len() as f64;
    }
    shares
}

fn wave(number: u32, title: &str, services: &[usize]) -> Wave {
    Wave {
        number,
        title: title.to_owned(),
        services: services.iter().map(|at| SKETCHES[*at].0.replace('_', "-").parse().unwrap()).collect(),
        days: services.iter().map(|at| SKETCHES[*at].6).sum(),
    }
}

fn step(name: &str, title: &str, needs: &[String], action: Action, undo: Undo) -> Step {
    Step {
        id: name.to_owned(),
        title: title.to_owned(),
        needs: needs.to_vec(),
        relies_on: Vec::new(),
        preconditions: vec!["the origin table exists and has the expected columns".into()],
        action,
        postconditions: vec!["the newest contract names every part".into()],
        undo,
        approval: false,
    }
}

/// A wrap of `card` beside, with one repointed file.
pub(super) fn plan(card: &Scorecard) -> Plan {
    let c = &card.candidate;
    let name = c.name.as_str();
    let endpoint = |at: usize, table: &DatasetId| -> Endpoint {
        if at == 0 { Endpoint::default() } else { Endpoint::suggested_by(table.table()) }
    };
    let staging = |table: &DatasetId| table.sibling(&format!("{}__carve_staging", table.table()));
    let live = |table: &DatasetId| table.sibling(&format!("{}__import", table.table()));
    let endpoints = c
        .raw
        .iter()
        .enumerate()
        .map(|(at, table)| PublishEndpoint {
            endpoint: endpoint(at, table),
            from: "lake".into(),
            table: table.clone(),
            format: PartFormat::Csv,
            rows_per_part: 1000,
            expect: None,
            types: BTreeMap::new(),
            omit: Vec::new(),
        })
        .collect();
    let publish = format!("{name}.publish");
    let into = format!("data-services/{name}");
    let action = Action::Publish(Publish { into, endpoints });
    let mut steps = vec![step(&publish, "Publish all endpoints from one snapshot", &[], action, Undo::Compensate)];
    for (at, table) in c.raw.iter().enumerate() {
        let base = format!("{name}.{}", endpoint(at, table));
        let import = Action::Import(Import { endpoint: endpoint(at, table), staging: staging(table) });
        steps.push(step(
            &format!("{base}.import"),
            &format!("Import {table} into staging"),
            std::slice::from_ref(&publish),
            import,
            Undo::Restore,
        ));
        let prove = Action::ProveContinuity(ProveContinuity {
            old: table.clone(),
            new: staging(table),
            policy: ContinuityPolicy::Exact,
            watermark: Some("updated_at".into()),
        });
        steps.push(step(
            &format!("{base}.continuity"),
            &format!("Prove that {table} and its import hold the same rows"),
            &[],
            prove,
            Undo::None,
        ));
        let swap = Action::Swap(Swap { staging: staging(table), live: live(table), previous: None });
        steps.push(step(&format!("{base}.swap"), &format!("Put {} in place", live(table)), &[], swap, Undo::Restore));
    }
    let (old, new) = (c.raw[0].to_string(), live(&c.raw[0]).to_string());
    let diff = format!(
        "--- a/sql/transformed/{name}.sql
+++ b/sql/transformed/{name}.sql
@@ -3,4 +3,4 @@
 SELECT order_id, SUM(amount) AS amount
-FROM {old} AS o
+FROM {new} AS o
 GROUP BY order_id
"
    );
    let edit = FileEdit {
        file: format!("sql/transformed/{name}.sql").into(),
        before: Digest::of("a"),
        after: Digest::of("b"),
        edits: vec![SpanEdit { start: 1, end: 2, old: old.clone(), new: new.clone() }],
        mentions: vec![1],
        meaning: None,
        diff,
    };
    let repoint = Action::Repoint(Repoint { job: c.dependents[0].clone(), files: vec![edit] });
    steps.push(step(
        &format!("{name}.repoint"),
        "Repoint the jobs that read the raw tables",
        &[],
        repoint,
        Undo::Restore,
    ));
    let query = ComparedQuery {
        job: c.dependents[0].clone(),
        target: Some(c.aligned[0].clone()),
        before: format!("SELECT * FROM {old}"),
        after: format!("SELECT * FROM {new}"),
    };
    let downstream = Action::ProveDownstream(ProveDownstream {
        queries: vec![query],
        left_out: vec!["sql/scripts/rebuild.sql:44: its table's name is known only when it runs".into()],
    });
    steps.push(step(
        &format!("{name}.downstream"),
        "Compare what the jobs make of old and new",
        &[],
        downstream,
        Undo::None,
    ));
    let file = WriteFile {
        file: format!("jobs/carve/{name}.refresh.yaml").into(),
        content: format!(
            "format: carve-jobs/1
jobs:
  refresh_{name}:
    run: carve refresh {name}
"
        ),
    };
    steps.push(step(&format!("{name}.schedule"), "Write the refresh job", &[], Action::Schedule(file), Undo::Restore));
    Plan {
        format: "carve-plan/1".into(),
        id: Digest::of(name),
        service: c.name.clone(),
        summary: format!(
            "{} of {} become data service {name}, at first from the lake's raw tables.",
            c.raw.len(),
            c.system
        ),
        scores: PlanScores {
            rank: card.rank,
            of: 12,
            effort_days: [card.cost.low_days, card.cost.likely_days, card.cost.high_days].map(|d| format!("{d:.1}")),
            change_frequency: format!("{:.3}", card.frequency.points),
            importance: format!("{:.3}", card.importance.points),
            priority: format!("{:.4}", card.priority),
            robustness: card.robustness.label.clone(),
            confidence: card.confidence.grade.clone(),
        },
        boundary: Boundary {
            system: c.system.clone(),
            domain: c.domain.clone(),
            raw: c.raw.clone(),
            aligned: c.aligned.clone(),
            modelled: c.modelled.clone(),
            import_jobs: c.import_jobs.clone(),
            dependents: c.dependents.clone(),
            exposures: c.exposures.clone(),
        },
        ownership: Ownership { now: Some("team-lake".into()), then: c.owner.clone() },
        inputs: Vec::new(),
        facts: vec![format!("{old} is loaded every hour at minute 15 (jobs/jobs.yaml:12)")],
        not_understood: vec!["sql/scripts/rebuild.sql:44: the table's name is put together at run time".into()],
        steps,
    }
}

fn applied(card: &Scorecard) -> ServiceStatus {
    let proof = |kind: &str, endpoint: Option<&str>, verdict: &str, because: &str| ProofSummary {
        kind: kind.into(),
        what: None,
        endpoint: endpoint.map(|e| e.parse().unwrap()),
        verdict: verdict.into(),
        left_rows: 120_000,
        right_rows: 120_000,
        because: because.into(),
        differences: Vec::new(),
    };
    ServiceStatus {
        service: card.candidate.name.clone(),
        stage: "wrapped".into(),
        steps_done: 16,
        steps: 16,
        stopped_at: None,
        running: None,
        bucket_problem: None,
        verify_problems: Vec::new(),
        version: Some("1.0.0".parse().unwrap()),
        published_at: Some("2026-11-23T12:00:00Z".into()),
        rows: Some(361_204),
        parts: Some(363),
        proofs: vec![
            proof("transport", Some("default"), "equal", "origin, parts and import hold the same rows"),
            proof("continuity", Some("default"), "explained", "4 rows are newer than the last legacy load"),
            proof("downstream", None, "equal", "1 query gives the same rows"),
        ],
        not_compared: Vec::new(),
        switched: [0, 1],
        in_catalog: false,
    }
}
