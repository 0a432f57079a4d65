use carve::{
    service::{Fingerprint, Manifest, PartInfo, ServiceAddress},
    vocab::{Digest, Endpoint, LogicalType, PartFormat, SchemaVersion, ServiceName},
};
use pretty_assertions::assert_eq;

use super::rows::schema;

fn manifest() -> Manifest {
    let service: ServiceName = "orders".parse().unwrap();
    let endpoint = Endpoint::default();
    let parts = [1_u64, 2].map(|number| PartInfo {
        key: ServiceAddress::new(&service).part_key(&endpoint, SchemaVersion::FIRST, number, 2, PartFormat::Csv),
        rows: number,
        bytes: 10,
        digest: Digest::of([]),
        fingerprint: Fingerprint { rows: number, sum: u128::MAX, second: 5 },
    });
    let schema = schema(&[("a", LogicalType::Text)]);
    Manifest::new(service, endpoint, SchemaVersion::FIRST, PartFormat::Csv, schema, parts.into())
}

#[test]
fn a_manifest_reads_back_and_adds_its_parts_up() {
    let manifest = manifest();
    assert_eq!(manifest.fingerprint, Fingerprint { rows: 3, sum: u128::MAX - 1, second: 10 });
    let bytes = manifest.to_json().unwrap();
    assert_eq!(Manifest::from_json(&bytes).unwrap(), manifest);
    let more = String::from_utf8(bytes).unwrap().replacen('{', "{\"later\": [1],", 1);
    assert_eq!(Manifest::from_json(more.as_bytes()).unwrap(), manifest);
}

#[test]
fn a_manifest_that_contradicts_itself_is_refused() {
    type Change = fn(&mut Manifest);
    let changes: [(Change, &str); 8] = [
        (|m| m.format = "carve-manifest/2".into(), "is of format `carve-manifest/2`"),
        (|m| m.parts[0].rows = 7, "says 7 rows of"),
        (|m| m.parts.swap(0, 1), "names the part `data-services/orders/default/v1.0.0.datapart02.csv` where"),
        (|m| m.parts.clear(), "names no part"),
        (|m| drop(m.parts.pop()), "not the sum of its parts'"),
        (|m| m.fingerprint.sum = 1, "not the sum of its parts'"),
        (|m| m.endpoint = "schemata".parse().unwrap(), "`schemata`"),
        (|m| m.schema.key = vec!["b".into()], "key column `b`"),
    ];
    for (change, wanted) in changes {
        let mut changed = manifest();
        change(&mut changed);
        let told = changed.to_json().unwrap_err().to_string();
        assert!(told.contains(wanted), "{told:?} lacks {wanted:?}");
        let bytes = serde_json::to_vec(&changed).unwrap();
        assert_eq!(Manifest::from_json(&bytes).unwrap_err().to_string(), told);
    }
    assert!(Manifest::from_json(b"{").is_err() && Manifest::from_json(b"{}").is_err());
}
