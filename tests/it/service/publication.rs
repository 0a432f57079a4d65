//! One small publication with every type and every trap, kept under fixtures/formats as written by
//! the first carve that knew the format. `fixtures/formats/read.py` reads it by other means.
use std::{collections::BTreeMap, env, fs, path::Path};

use carve::{
    service::{
        Contract, ContractEndpoint, ContractFacts, ContractServer, Fingerprint, Manifest, PartInfo, ServiceAddress,
        Sla, decode_part, encode_part, pad_width,
    },
    vocab::{Column, Digest, LogicalType, PartFormat, Row, Schema, SchemaVersion, ServiceName, Value},
};
use pretty_assertions::assert_eq;

use super::rows::{TYPES, same};

const HOME: &str = "fixtures/formats/carve-service-1";

fn service() -> ServiceName {
    "orders".parse().unwrap()
}

/// A column of each type, a key of two columns in another order.
fn schema() -> Schema {
    let names =
        ["paid", "id", "price", "weight", "amount", "note", "photo", "born", "opens", "local_time", "updated_at"];
    let physical = ["", "INTEGER", "DECIMAL(10,2)", "REAL", "NUMERIC", "TEXT", "BLOB", "DATE", "", "", "TIMESTAMPTZ"];
    let column = |((name, logical), physical): ((&str, &LogicalType), &str)| Column {
        name: name.to_owned(),
        logical: *logical,
        physical: physical.to_owned(),
        nullable: !["id", "note"].contains(&name),
        description: (name == "note").then(|| "What the customer wrote: yes, \"quotes\" too.".to_owned()),
    };
    let columns = names.into_iter().zip(&TYPES).zip(physical).map(column).collect();
    Schema { columns, key: vec!["note".into(), "id".into()] }
}

fn rows() -> Vec<Row> {
    let full = |id: i64, price: &str, weight: f64, amount: Value, note: &str| {
        vec![
            Value::Boolean(id % 2 == 0),
            Value::Integer(id),
            Value::Decimal(price.into()),
            Value::Double(weight),
            amount,
            Value::Text(note.into()),
            Value::Bytes(note.bytes().take(5).collect()),
            Value::DateDays(19_782),
            Value::TimeMicros(86_399_999_999),
            Value::TimestampMicros(1_709_164_800_500_000),
            Value::InstantMicros(-1),
        ]
    };
    let mut bare = vec![Value::Null; 11];
    bare[1] = Value::Integer(i64::MIN);
    bare[5] = Value::Text(String::new());
    let mut far = full(i64::MAX, "-0.01", f64::MIN_POSITIVE, Value::Double(1e300), "a\0b");
    far[7] = Value::DateDays(i32::MAX);
    far[9] = Value::TimestampMicros(i64::MIN);
    far[10] = Value::InstantMicros(i64::MAX);
    vec![
        full(1, "12.50", 0.1, Value::Integer(10), "plain"),
        full(2, "0.00", f64::NAN, Value::Double(0.5), "a,\"b\"\r\nc"),
        full(3, "99999999.99", -0.0, Value::Integer(-9_007_199_254_740_992), "😀 e\u{301}"),
        full(4, "-1.00", f64::NEG_INFINITY, Value::Double(f64::INFINITY), " NULL "),
        far,
        bare,
    ]
}

/// Every object of the publication by its key; one endpoint a part format, two parts each, one empty.
fn objects() -> BTreeMap<String, Vec<u8>> {
    let version = SchemaVersion::FIRST;
    let mut objects = BTreeMap::new();
    let mut endpoints = Vec::new();
    let formats = [("default", PartFormat::Csv), ("archive", PartFormat::Parquet), ("lines", PartFormat::Jsonl)];
    for (name, format) in formats {
        let endpoint = name.parse().unwrap();
        let address = ServiceAddress::new(&service());
        let all = rows();
        let parts = all.chunks(4).zip(1..).map(|(rows, number)| {
            let key = address.part_key(&endpoint, version, number, pad_width(2), format);
            let bytes = encode_part(format, &schema(), rows).unwrap();
            let part = PartInfo {
                key: key.clone(),
                rows: rows.len() as u64,
                bytes: bytes.len() as u64,
                digest: Digest::of(&bytes),
                fingerprint: Fingerprint::of(&schema(), rows).unwrap(),
            };
            objects.insert(key, bytes);
            part
        });
        let manifest = Manifest::new(service(), endpoint.clone(), version, format, schema(), parts.collect());
        let bytes = manifest.to_json().unwrap();
        endpoints.push(ContractEndpoint {
            endpoint: endpoint.clone(),
            description: Some("One row an order.".into()),
            schema: schema(),
            part_format: format,
            parts: manifest.parts.len() as u64,
            fingerprint: manifest.fingerprint,
            manifest: address.manifest_key(&endpoint, version),
            manifest_digest: Digest::of(&bytes),
        });
        objects.insert(address.manifest_key(&endpoint, version), bytes);
    }
    let contract = Contract::draft(facts(endpoints)).unwrap();
    objects.insert(contract.key(), contract.to_yaml().unwrap());
    objects
}

pub(super) fn facts(endpoints: Vec<ContractEndpoint>) -> ContractFacts {
    ContractFacts {
        service: service(),
        version: SchemaVersion::FIRST,
        published: "2026-01-02T03:04:05.6Z".parse().unwrap(),
        domain: Some("orders".into()),
        owner: Some("team-orders".into()),
        purpose: Some("Orders as the shop takes them.".into()),
        endpoints,
        server: ContractServer { kind: "folder".into(), bucket: "file:.".into() },
        sla: Sla { frequency_minutes: Some(60), schedule: Some("15 * * * *".into()), retention_days: Some(30) },
    }
}

/// The contract of [`objects`].
pub(super) fn contract() -> Contract {
    let objects = objects();
    let (_, bytes) = objects.iter().find(|(key, _)| key.ends_with(".odcs.yaml")).unwrap();
    Contract::from_yaml(bytes).unwrap()
}

/// Run with `CARVE_WRITE_FIXTURES=1` for a format version that was not released yet; never after.
#[test]
fn every_object_of_the_format_is_written_as_it_was() {
    let home = Path::new(env!("CARGO_MANIFEST_DIR")).join(HOME);
    for (key, bytes) in objects() {
        let file = home.join(&key);
        if env::var_os("CARVE_WRITE_FIXTURES").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(&file, &bytes).unwrap();
        }
        let kept = fs::read(&file).unwrap_or_default();
        match (std::str::from_utf8(&kept), std::str::from_utf8(&bytes)) {
            (Ok(kept), Ok(bytes)) => assert_eq!(kept, bytes, "{key}"),
            _ => assert!(kept == bytes, "{key}"),
        }
    }
}

#[test]
fn a_publication_is_read_from_its_contract_alone() {
    let objects = objects();
    let address = ServiceAddress::new(&service());
    let newest = address.newest_contract(objects.keys()).unwrap();
    let contract = Contract::from_yaml(&objects[&newest.key]).unwrap();
    assert_eq!((contract.facts.version, contract.facts.published), (newest.version, newest.published));
    for endpoint in &contract.facts.endpoints {
        let bytes = &objects[&endpoint.manifest];
        assert_eq!(Digest::of(bytes), endpoint.manifest_digest);
        let manifest = Manifest::from_json(bytes).unwrap();
        assert_eq!((&manifest.schema, manifest.fingerprint), (&endpoint.schema, endpoint.fingerprint));
        let mut read = Vec::new();
        for part in &manifest.parts {
            let bytes = &objects[&part.key];
            assert_eq!((Digest::of(bytes), bytes.len() as u64), (part.digest, part.bytes));
            let rows = decode_part(manifest.part_format, &manifest.schema, bytes).unwrap();
            assert_eq!(Fingerprint::of(&manifest.schema, &rows).unwrap(), part.fingerprint);
            read.extend(rows);
        }
        assert!(same(&read, &rows()), "{}: {read:?}", endpoint.endpoint);
    }
}
