use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

use super::contract::whole_second;
use crate::vocab::{Endpoint, PartFormat, SchemaVersion, ServiceName};

/// Names no endpoint may have: the format keeps its own files there.
pub const RESERVED_ENDPOINTS: &[&str] = &["schemata"];

const CONTRACT_SUFFIX: &str = ".odcs.yaml";
const STAMP: &str = "%Y%m%dT%H%M%SZ";

/// Where one data service lies below the bucket: every key of the format is made and read here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAddress {
    prefix: String,
}

/// The key of one contract and what it says: each is one committed publication.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ContractKey {
    /// The publication's version.
    pub version: SchemaVersion,
    /// When it was committed, whole seconds.
    pub published: Timestamp,
    /// The whole key.
    pub key: String,
}

impl ServiceAddress {
    /// The address of the service `name`.
    pub fn new(name: &ServiceName) -> Self {
        ServiceAddress { prefix: format!("data-services/{name}") }
    }

    /// `data-services/orders`: everything of the service, without a slash at the end.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// `data-services/orders/default/`: all parts and manifests of one endpoint.
    pub fn endpoint_prefix(&self, endpoint: &Endpoint) -> String {
        format!("{}/{endpoint}/", self.prefix)
    }

    /// `data-services/orders/schemata/`: all contracts.
    pub fn schemata_prefix(&self) -> String {
        format!("{}/schemata/", self.prefix)
    }

    /// `data-services/orders/default/v1.0.0.datapart01.csv`. `number` counts from 1, so that the last
    /// part's number is how many there are; `width` is [`pad_width`] of that.
    pub fn part_key(
        &self,
        endpoint: &Endpoint,
        version: SchemaVersion,
        number: u64,
        width: usize,
        format: PartFormat,
    ) -> String {
        format!("{}/{endpoint}/v{version}.datapart{number:0width$}.{}", self.prefix, extension(format))
    }

    /// `data-services/orders/default/v1.0.0.manifest.json`.
    pub fn manifest_key(&self, endpoint: &Endpoint, version: SchemaVersion) -> String {
        format!("{}/{endpoint}/v{version}.manifest.json", self.prefix)
    }

    /// `data-services/orders/schemata/v1.0.0.20260102T030405Z.odcs.yaml`; parts of a second are dropped.
    pub fn contract_key(&self, version: SchemaVersion, published: Timestamp) -> String {
        format!("{}/schemata/v{version}.{}{CONTRACT_SUFFIX}", self.prefix, whole_second(published).strftime(STAMP))
    }

    /// The version under whose name a part or manifest of `endpoint` lies; `None` for every other key.
    pub fn object_version(&self, endpoint: &Endpoint, key: &str) -> Option<SchemaVersion> {
        let name = key.strip_prefix(&self.endpoint_prefix(endpoint))?.strip_prefix('v')?;
        let part = || name.split_once(".datapart").map(|(version, _)| version);
        name.strip_suffix(".manifest.json").or_else(part)?.parse().ok()
    }

    /// What a contract's key says; `None` for every other key, another service's too.
    pub fn parse_contract_key(&self, key: &str) -> Option<(SchemaVersion, Timestamp)> {
        let name = key.strip_prefix(&self.schemata_prefix())?;
        let (version, stamp) = name.strip_prefix('v')?.strip_suffix(CONTRACT_SUFFIX)?.rsplit_once('.')?;
        let version = version.parse().ok()?;
        let civil = DateTime::strptime(STAMP, stamp).ok()?;
        let published = TimeZone::UTC.to_timestamp(civil).ok()?;
        // One spelling only, so that a key and what it says name each other.
        (self.contract_key(version, published) == key).then_some((version, published))
    }

    /// The newest publication among `keys`: the highest version, then the latest time. The version
    /// decides because each writer takes the one after the last it saw, and two writers of one version
    /// collide on its parts; their clocks may disagree.
    pub fn newest_contract<S: AsRef<str>>(&self, keys: impl IntoIterator<Item = S>) -> Option<ContractKey> {
        self.contracts(keys).pop()
    }

    /// Every publication among `keys`, oldest first, in the order of [`newest_contract`](Self::newest_contract).
    pub fn contracts<S: AsRef<str>>(&self, keys: impl IntoIterator<Item = S>) -> Vec<ContractKey> {
        let mut found: Vec<_> = keys
            .into_iter()
            .filter_map(|key| {
                let (version, published) = self.parse_contract_key(key.as_ref())?;
                Some(ContractKey { version, published, key: key.as_ref().to_owned() })
            })
            .collect();
        found.sort();
        found
    }
}

/// The last part of a part's name: `csv`, `parquet`, `jsonl`.
pub fn extension(format: PartFormat) -> &'static str {
    match format {
        PartFormat::Csv => "csv",
        PartFormat::Parquet => "parquet",
        PartFormat::Jsonl => "jsonl",
    }
}

/// Digits in the part numbers of a publication of `parts` parts: at least two, so that names sort.
pub fn pad_width(parts: u64) -> usize {
    let digits = parts.checked_ilog10().map_or(1, |log| log as usize + 1);
    digits.max(2)
}

/// Parts that `rows` rows make. At least one: an empty table publishes one part without rows, so that
/// a reader who lists parts finds its columns.
pub fn part_count(rows: u64, rows_per_part: u32) -> u64 {
    rows.div_ceil(u64::from(rows_per_part.max(1))).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders() -> ServiceAddress {
        ServiceAddress::new(&"orders".parse().unwrap())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn keys_are_those_of_the_format() {
        let version = "1.2.3".parse().unwrap();
        let endpoint = Endpoint::default();
        let part = orders().part_key(&endpoint, version, 7, pad_width(120), PartFormat::Parquet);
        assert_eq!(part, "data-services/orders/default/v1.2.3.datapart007.parquet");
        let manifest = orders().manifest_key(&endpoint, version);
        assert_eq!(manifest, "data-services/orders/default/v1.2.3.manifest.json");
        for key in [&part, &manifest] {
            assert_eq!(orders().object_version(&endpoint, key), Some(version), "{key}");
        }
        assert_eq!(orders().object_version(&endpoint, "data-services/orders/default/v1.2.3.notes"), None);
        let contract = orders().contract_key(version, at("2026-01-02T03:04:05.999Z"));
        assert_eq!(contract, "data-services/orders/schemata/v1.2.3.20260102T030405Z.odcs.yaml");
        assert_eq!(orders().parse_contract_key(&contract), Some((version, at("2026-01-02T03:04:05Z"))));
    }

    #[test]
    fn part_names_sort_as_their_numbers_do() {
        for parts in [1, 9, 10, 99, 100, 1000] {
            let width = pad_width(parts);
            let key = |n| orders().part_key(&Endpoint::default(), SchemaVersion::FIRST, n, width, PartFormat::Csv);
            assert!((1..parts).all(|n| key(n) < key(n + 1)), "{parts}");
        }
        assert_eq!((pad_width(0), pad_width(99), pad_width(100), pad_width(u64::MAX)), (2, 2, 3, 20));
    }

    #[test]
    fn an_empty_table_still_has_a_part() {
        let counts = [0, 1, 1000, 1001].map(|rows| part_count(rows, 1000));
        assert_eq!((counts, part_count(3, 0)), ([1, 1, 1, 2], 3));
    }

    #[test]
    fn what_is_no_contract_of_this_service_is_passed_over() {
        let base = "data-services/orders/schemata/";
        for name in [
            "v1.0.0.odcs.yaml",
            "v1.0.20260102T030405Z.odcs.yaml",
            "v01.0.0.20260102T030405Z.odcs.yaml",
            "v1.0.0.20260102T030405.odcs.yaml",
            "v1.0.0.20261302T030405Z.odcs.yaml",
            "v1.0.0.20260102T030405Z.odcs.yaml.tmp",
            "1.0.0.20260102T030405Z.odcs.yaml",
        ] {
            assert_eq!(orders().parse_contract_key(&format!("{base}{name}")), None, "{name}");
        }
        let other = "data-services/orders2/schemata/v1.0.0.20260102T030405Z.odcs.yaml";
        assert_eq!(orders().parse_contract_key(other), None);
    }

    #[test]
    fn the_version_decides_before_the_clock() {
        let keys = [
            orders().contract_key("1.9.0".parse().unwrap(), at("2026-06-01T00:00:00Z")),
            orders().contract_key("1.10.0".parse().unwrap(), at("2026-01-01T00:00:00Z")),
            orders().contract_key("1.10.0".parse().unwrap(), at("2026-01-01T00:00:01Z")),
            "data-services/orders/default/v2.0.0.manifest.json".to_owned(),
        ];
        assert_eq!(orders().newest_contract(&keys).unwrap().key, keys[2]);
        assert_eq!(orders().newest_contract(["x"]), None);
    }
}
