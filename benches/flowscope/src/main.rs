//! Column edges of TPC-DS by FlowScope: `flowscope-edges FOLDER`, for benches/peers.py.
//!
//! A JSON line a query: its pairs (column of a table of the catalog → column of the answer), or `null` where it is not
//! read; then a line with the least milliseconds of processor time in which all queries are analysed.
use std::{collections::{BTreeSet, HashMap}, fs, hint::black_box, time::Instant};

use flowscope_core::{
    AnalysisOptions, AnalyzeRequest, AnalyzeResult, ColumnSchema, Dialect, EdgeType, NodeType, SchemaMetadata,
    SchemaTable, Severity, analyze,
};

/// Seconds that a turn takes at least: kernels count processor time in ticks.
const TURN_S: f64 = 0.25;

fn main() {
    let folder = std::env::args().nth(1).expect("a folder of queries");
    let told = fs::read_to_string(format!("{folder}/catalog.json")).expect("a catalog");
    let catalog: HashMap<String, HashMap<String, String>> = serde_json::from_str(&told).expect("tables and columns");
    let requests: Vec<AnalyzeRequest> = texts(&folder).into_iter().map(|text| request(text, &catalog)).collect();
    for request in &requests {
        let result = analyze(request);
        let failed = result.issues.iter().any(|issue| issue.severity == Severity::Error);
        match failed && result.edges.is_empty() {
            true => println!("null"),
            false => println!("{}", serde_json::to_string(&edges(&result, &catalog)).expect("pairs")),
        }
    }
    let least = (0..5).map(|_| turn_s(&requests)).fold(f64::MAX, f64::min);
    println!("{{\"ms\": {}}}", least * 1e3);
}

fn turn_s(requests: &[AnalyzeRequest]) -> f64 {
    let (began, before, mut times) = (Instant::now(), scheduled_s(), 0);
    while times == 0 || began.elapsed().as_secs_f64() < TURN_S {
        requests.iter().for_each(|request| drop(black_box(analyze(request))));
        times += 1;
    }
    (scheduled_s() - before) / f64::from(times)
}

fn scheduled_s() -> f64 {
    let told = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    told.split(' ').next().and_then(|ns| ns.parse::<f64>().ok()).expect("nanoseconds") / 1e9
}

fn texts(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let is_query = |path: &std::path::PathBuf| {
        path.extension().is_some_and(|e| e == "sql") && path.file_stem().is_some_and(|name| name != "schema")
    };
    let mut paths: Vec<_> = entries.filter(is_query).collect();
    paths.sort();
    paths.iter().map(|path| fs::read_to_string(path).expect("a query")).collect()
}

fn request(sql: String, catalog: &HashMap<String, HashMap<String, String>>) -> AnalyzeRequest {
    let column = |(name, kind): (&String, &String)| ColumnSchema {
        name: name.clone(),
        data_type: Some(kind.clone()),
        is_primary_key: None,
        foreign_key: None,
    };
    let table = |(name, columns): (&String, &HashMap<String, String>)| SchemaTable {
        catalog: None,
        schema: None,
        name: name.clone(),
        columns: columns.iter().map(column).collect(),
    };
    AnalyzeRequest {
        sql,
        files: None,
        dialect: Dialect::Generic,
        source_name: None,
        options: Some(AnalysisOptions { enable_column_lineage: Some(true), ..AnalysisOptions::default() }),
        schema: Some(SchemaMetadata {
            tables: catalog.iter().map(table).collect(),
            allow_implied: true,
            ..SchemaMetadata::default()
        }),
    }
}

/// Walks from each column of the answer to the columns of tables that feed it.
fn edges(result: &AnalyzeResult, catalog: &HashMap<String, HashMap<String, String>>) -> BTreeSet<(String, String)> {
    let mut above: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut owner: HashMap<&str, &str> = HashMap::new();
    for edge in &result.edges {
        match edge.edge_type {
            EdgeType::DataFlow | EdgeType::Derivation => above.entry(&edge.to).or_default().push(&edge.from),
            EdgeType::Ownership => drop(owner.insert(&edge.to, &edge.from)),
            _ => {}
        }
    }
    let nodes: HashMap<&str, _> = result.nodes.iter().map(|node| (&*node.id, node)).collect();
    let table_of = |id: &str| owner.get(id).and_then(|owner| nodes.get(owner)).map(|node| node.label.to_lowercase());
    let mut found = BTreeSet::new();
    let columns = result.nodes.iter().filter(|node| node.node_type == NodeType::Column);
    for answer in columns.filter(|node| table_of(&node.id).is_some_and(|table| table.starts_with("answer_"))) {
        let (mut seen, mut open) = (BTreeSet::new(), vec![&*answer.id]);
        while let Some(id) = open.pop() {
            if !seen.insert(id) {
                continue;
            }
            if let Some(table) = table_of(id).filter(|table| catalog.contains_key(table)) {
                let column = nodes.get(id).map(|node| node.label.to_lowercase()).unwrap_or_default();
                found.insert((format!("{table}.{column}"), answer.label.to_lowercase()));
            }
            open.extend(above.get(id).into_iter().flatten());
        }
    }
    found
}
