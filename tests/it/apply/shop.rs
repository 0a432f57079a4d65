//! A tiny estate: one raw table, one job that reads it, and the plan that wraps it.
use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
};

use camino::Utf8PathBuf;
use carve::{
    apply::{self, ApplyError, RefreshOptions, RefreshReport, RunOptions, RunReport, VerifyReport, World},
    lineage,
    plan::*,
    progress::Silent,
    vocab::{Column, DatasetId, Digest, JobId, LogicalType, PartFormat, Row, Schema, Value},
};

use super::memory::{Gate, MemoryBucket, MemoryLake, Table, sorted};

pub(super) const SQL: &str = "\u{feff}select id,\r\n  total from raw.orders -- orders\r\n";

/// The estate, and the world around it.
pub(super) struct Shop {
    _keep: tempfile::TempDir,
    pub(super) root: Utf8PathBuf,
    pub(super) gate: Arc<Gate>,
    pub(super) lake: Arc<MemoryLake>,
    pub(super) bucket: Arc<MemoryBucket>,
    pub(super) plan: Plan,
}

/// Everything that counts at the end: tables, publications, files.
#[derive(Debug, PartialEq)]
pub(super) struct EndState {
    pub(super) tables: BTreeMap<String, Vec<String>>,
    pub(super) objects: BTreeMap<String, Digest>,
    pub(super) files: BTreeMap<String, String>,
}

pub(super) fn dataset(name: &str) -> DatasetId {
    name.parse().unwrap()
}

pub(super) fn row(id: i64, total: &str) -> Row {
    vec![Value::Integer(id), Value::Text(total.to_owned())]
}

fn schema() -> Schema {
    let column = |name: &str, logical, nullable| Column {
        name: name.to_owned(),
        logical,
        physical: String::new(),
        nullable,
        description: None,
    };
    let columns = vec![column("id", LogicalType::Integer, false), column("total", LogicalType::Text, true)];
    Schema { columns, key: vec!["id".to_owned()] }
}

impl Shop {
    /// Dependents are repointed to a new table.
    pub(super) fn beside() -> Shop {
        Shop::new(plan(None))
    }

    /// The import takes the raw table's name.
    pub(super) fn in_place() -> Shop {
        Shop::new(plan(Some("raw.orders__before_carve")))
    }

    fn new(plan: Plan) -> Shop {
        let keep = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(keep.path().join("estate")).unwrap();
        std::fs::create_dir_all(root.join("sql")).unwrap();
        std::fs::write(root.join("sql/orders.sql"), SQL).unwrap();
        let gate = Arc::new(Gate::default());
        let lake = Arc::new(MemoryLake { gate: gate.clone(), ..MemoryLake::default() });
        let bucket = Arc::new(MemoryBucket { gate: gate.clone(), ..MemoryBucket::default() });
        let shop = Shop { _keep: keep, root, gate, lake, bucket, plan };
        shop.set_orders((1..=5).map(|id| row(id, "1.50")).collect());
        shop
    }

    /// What the legacy job loads.
    pub(super) fn set_orders(&self, rows: Vec<Row>) {
        let raw = Table { schema: schema(), rows, made_by_carve: false, ledger: vec![] };
        let mut tables = self.lake.tables.lock().unwrap();
        let moved = dataset("raw.orders__before_carve");
        let name = if tables.contains_key(&moved) { moved } else { dataset("raw.orders") };
        tables.insert(name, raw);
    }

    /// The staged import loses its last row.
    pub(super) fn lose_a_staged_row(&self) {
        let mut tables = self.lake.tables.lock().unwrap();
        tables.get_mut(&dataset("raw.orders__carve_staging")).unwrap().rows.pop().unwrap();
    }

    /// The origin loses the column `total`.
    pub(super) fn drop_total(&self) {
        let mut tables = self.lake.tables.lock().unwrap();
        let raw = tables.get_mut(&dataset("raw.orders")).unwrap();
        raw.schema.columns.retain(|column| column.name != "total");
        raw.rows.iter_mut().for_each(|row| row.truncate(1));
    }

    pub(super) fn world(&self) -> World {
        World {
            root: self.root.clone(),
            further_roots: BTreeMap::new(),
            state: self.root.join(".carve"),
            lake: self.lake.clone(),
            bucket: self.bucket.clone(),
            origins: BTreeMap::new(),
            clock: || "2026-01-02T03:04:05Z".parse().unwrap(),
        }
    }

    pub(super) async fn apply(&self) -> Result<RunReport, ApplyError> {
        self.apply_with(&RunOptions::default()).await
    }

    pub(super) async fn apply_with(&self, options: &RunOptions) -> Result<RunReport, ApplyError> {
        apply::run(&self.plan, &self.world(), options, &Silent).await
    }

    pub(super) async fn rollback(&self) -> Result<RunReport, ApplyError> {
        apply::rollback(&self.plan, &self.world(), &RunOptions::default(), &Silent).await
    }

    pub(super) async fn refresh(&self) -> Result<RefreshReport, ApplyError> {
        apply::refresh(&self.plan, &self.world(), &RefreshOptions::default(), &Silent).await
    }

    pub(super) async fn verify(&self) -> VerifyReport {
        apply::verify(&self.plan, &self.world(), &RunOptions::default(), &Silent).await.unwrap()
    }

    /// Works until the world dies or the work ends by itself; true when it died.
    pub(super) async fn until_death<T>(&self, work: impl Future<Output = T>) -> bool {
        tokio::select! {
            _ = work => false,
            () = self.gate.death() => true,
        }
    }

    pub(super) fn journal(&self) -> Utf8PathBuf {
        self.root.join(".carve/orders/journal.jsonl")
    }

    pub(super) fn stored(&self) -> usize {
        self.bucket.stored.load(Ordering::SeqCst)
    }

    pub(super) fn table(&self, name: &str) -> Option<Vec<String>> {
        self.lake.tables.lock().unwrap().get(&dataset(name)).map(|table| sorted(&table.rows))
    }

    pub(super) fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.root.join(name)).unwrap()
    }

    pub(super) fn end_state(&self) -> EndState {
        let tables = self.lake.tables.lock().unwrap();
        let objects = self.bucket.objects.lock().unwrap();
        let mut files = BTreeMap::new();
        gather(&self.root, &self.root, &mut files);
        EndState {
            tables: tables.iter().map(|(name, table)| (name.to_string(), sorted(&table.rows))).collect(),
            // A lease that a dead run left expires by itself.
            objects: objects
                .iter()
                .filter(|(key, _)| !key.contains("/_carve-lease/"))
                .map(|(key, bytes)| (key.clone(), Digest::of(bytes)))
                .collect(),
            files,
        }
    }
}

fn gather(root: &Utf8PathBuf, folder: &Utf8PathBuf, files: &mut BTreeMap<String, String>) {
    for entry in folder.read_dir_utf8().unwrap().map(Result::unwrap) {
        let path = entry.path().to_owned();
        if path.file_name() == Some(".carve") {
            continue;
        }
        match path.is_dir() {
            true => gather(root, &path, files),
            false => {
                let name = path.strip_prefix(root).unwrap().to_string();
                files.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
}

fn step(id: &str, needs: &[&str], action: Action, undo: Undo) -> Step {
    Step {
        id: id.to_owned(),
        title: id.to_owned(),
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        relies_on: vec![],
        preconditions: vec![],
        action,
        postconditions: vec![],
        undo,
        approval: false,
    }
}

fn publish() -> Action {
    let endpoint = PublishEndpoint {
        endpoint: "default".parse().unwrap(),
        from: "lake".to_owned(),
        table: dataset("raw.orders"),
        format: PartFormat::Csv,
        rows_per_part: 2,
        expect: None,
        types: BTreeMap::new(),
        omit: vec![],
    };
    Action::Publish(Publish { into: "data-services/orders".to_owned(), endpoints: vec![endpoint] })
}

fn repoint() -> Action {
    let start = SQL.find("raw.orders").unwrap();
    let edit = SpanEdit { start, end: start + 10, old: "raw.orders".into(), new: "raw.orders__import".into() };
    let after = SQL.replacen("raw.orders", "raw.orders__import", 1);
    let meaning = Some([lineage::meaning(SQL, None), lineage::meaning(&after, None)]);
    let file = FileEdit { meaning, ..file_edit("sql/orders.sql".into(), SQL, vec![edit]).unwrap() };
    Action::Repoint(Repoint { job: JobId::new("orders"), files: vec![file] })
}

/// The wrap of `raw.orders`; with `previous`, in place.
pub(super) fn plan(previous: Option<&str>) -> Plan {
    let staging = dataset("raw.orders__carve_staging");
    let live = dataset(if previous.is_some() { "raw.orders" } else { "raw.orders__import" });
    let import = Import { endpoint: "default".parse().unwrap(), staging: staging.clone() };
    let prove = ProveContinuity {
        old: dataset("raw.orders"),
        new: staging.clone(),
        policy: ContinuityPolicy::Exact,
        watermark: None,
    };
    let swap = Swap { staging, live, previous: previous.map(dataset) };
    let mut steps = vec![
        step("orders.publish", &[], publish(), Undo::Compensate),
        step("orders.import", &["orders.publish"], Action::Import(import), Undo::Restore),
        step("orders.prove", &["orders.import"], Action::ProveContinuity(prove), Undo::None),
        step("orders.swap", &["orders.prove"], Action::Swap(swap), Undo::Restore),
    ];
    if previous.is_none() {
        let query = ComparedQuery {
            job: JobId::new("orders"),
            target: None,
            before: "select * from raw.orders".to_owned(),
            after: "select * from raw.orders__import".to_owned(),
        };
        let downstream = ProveDownstream { queries: vec![query], left_out: vec![] };
        steps.push(step("orders.repoint", &["orders.swap"], repoint(), Undo::Restore));
        steps.push(step("orders.answers", &["orders.swap"], Action::ProveDownstream(downstream), Undo::None));
    }
    let content = "format: carve-jobs/1\njobs:\n  refresh_orders: { schedule: '15 * * * *', service: orders }\n";
    let schedule = WriteFile { file: "jobs/carve/orders.refresh.yaml".into(), content: content.to_owned() };
    steps.push(step("orders.schedule", &["orders.swap"], Action::Schedule(schedule), Undo::Restore));
    Plan {
        format: "carve-plan/1".to_owned(),
        id: Digest::of(format!("{previous:?}")),
        service: "orders".parse().unwrap(),
        summary: "orders, from the lake".to_owned(),
        scores: PlanScores {
            rank: 1,
            of: 1,
            effort_days: ["1.0".into(), "2.0".into(), "3.0".into()],
            change_frequency: "0.500".into(),
            importance: "0.500".into(),
            priority: "0.2500".into(),
            robustness: "robust".into(),
            confidence: "high".into(),
        },
        boundary: Boundary {
            system: "order_db".into(),
            domain: "orders".into(),
            raw: vec![dataset("raw.orders")],
            aligned: vec![],
            modelled: vec![],
            import_jobs: vec![],
            dependents: vec![],
            exposures: vec![],
        },
        ownership: Ownership { now: Some("team-lake".into()), then: None },
        inputs: vec![],
        facts: vec![],
        not_understood: vec![],
        steps,
    }
}
