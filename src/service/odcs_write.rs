//! What a contract says, as an ODCS file.
use serde_yaml::{Mapping, Value};

use super::{
    Contract, ContractEndpoint, ContractFacts, ServiceAddress, Sla,
    check::word,
    contract::{FILE, S3},
    decimal, extension,
    odcs::{
        API_VERSION, CARVE_FORMAT, ContractFile, CustomFile, DescriptionFile, KIND, ObjectFile, OptionsFile,
        PropertyFile, QualityFile, ServerFile, SlaFile,
    },
};
use crate::vocab::{Column, LogicalType, PartFormat};

const USAGE: &str = "List the schemata, take the newest version, and read the parts that each endpoint's manifest \
                     names; every part has its SHA-256 there.";

pub(super) fn file_of(contract: &Contract) -> ContractFile {
    let facts = &contract.facts;
    ContractFile {
        api_version: API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        id: contract.id.clone(),
        name: facts.service.to_string(),
        version: facts.version.to_string(),
        status: contract.status.clone(),
        domain: facts.domain.clone(),
        data_product: Some(facts.service.to_string()),
        description: Some(DescriptionFile { purpose: facts.purpose.clone(), usage: Some(USAGE.to_owned()) }),
        contract_created_ts: Some(facts.published.to_string()),
        servers: servers(facts),
        team: facts.owner.as_ref().map_or(Value::Null, |name| team(name)),
        sla_properties: sla(&facts.sla),
        schema: facts.endpoints.iter().map(object).collect(),
        custom_properties: vec![custom("carveFormat", CARVE_FORMAT)],
    }
}

fn team(name: &str) -> Value {
    Value::Mapping(Mapping::from_iter([("name".into(), name.into())]))
}

/// One server a part format, since a server has one; `{model}` stands for the endpoint, as ODCS tools expect.
fn servers(facts: &ContractFacts) -> Vec<ServerFile> {
    let used = |format: &PartFormat| facts.endpoints.iter().any(|it| it.part_format == *format);
    let formats = [PartFormat::Csv, PartFormat::Parquet, PartFormat::Jsonl];
    formats.into_iter().filter(used).map(|format| server(facts, format)).collect()
}

fn server(facts: &ContractFacts, format: PartFormat) -> ServerFile {
    let address = ServiceAddress::new(&facts.service);
    let (prefix, version, ending) = (address.prefix(), facts.version, extension(format));
    let bucket = facts.server.bucket.strip_prefix(FILE).unwrap_or(&facts.server.bucket);
    let parts = format!("{bucket}/{prefix}/{{model}}/v{version}.datapart*.{ending}");
    let s3 = facts.server.kind == S3;
    let lines = s3 && format == PartFormat::Jsonl;
    ServerFile {
        server: ending.to_owned(),
        kind: if s3 { S3 } else { "local" }.to_owned(),
        description: None,
        location: s3.then(|| parts.clone()),
        path: (!s3).then_some(parts),
        format: Some(if format == PartFormat::Jsonl { "json" } else { ending }.to_owned()),
        delimiter: lines.then(|| "new_line".to_owned()),
    }
}

fn sla(sla: &Sla) -> Vec<SlaFile> {
    let promise = |property: &str, value: Value, unit: Option<&str>| SlaFile {
        property: property.to_owned(),
        value,
        unit: unit.map(str::to_owned),
        description: None,
        scheduler: None,
        schedule: None,
    };
    let minutes = sla.frequency_minutes;
    let mut promises = Vec::new();
    if minutes.is_some() || sla.schedule.is_some() {
        // The standard wants a value: where no number is known, the schedule as it is written says it.
        let written = sla.schedule.as_ref().map_or(Value::Null, |schedule| schedule.as_str().into());
        let value = minutes.map_or(written, Value::from);
        let frequency = promise("frequency", value, minutes.map(|_| "minutes"));
        let scheduler = sla.schedule.as_ref().map(|_| "cron".to_owned());
        promises.push(SlaFile { scheduler, schedule: sla.schedule.clone(), ..frequency });
    }
    promises.extend(sla.retention_days.map(|days| promise("retention", days.into(), Some("days"))));
    promises
}

fn object(it: &ContractEndpoint) -> ObjectFile {
    ObjectFile {
        name: it.endpoint.to_string(),
        logical_type: Some("object".to_owned()),
        physical_type: Some("file".to_owned()),
        description: it.description.clone(),
        properties: it.schema.columns.iter().map(|column| property(it, column)).collect(),
        quality: vec![row_count(it.fingerprint.rows)],
        custom_properties: vec![
            custom("partFormat", extension(it.part_format)),
            custom("parts", it.parts),
            custom("fingerprint", it.fingerprint.to_string()),
            custom("manifest", it.manifest.clone()),
            custom("manifestDigest", it.manifest_digest.to_string()),
        ],
    }
}

fn row_count(rows: u64) -> QualityFile {
    QualityFile {
        kind: Some("library".to_owned()),
        metric: Some("rowCount".to_owned()),
        must_be: Some(rows.into()),
        unit: Some("rows".to_owned()),
        description: Some("The publication holds exactly these rows.".to_owned()),
    }
}

fn property(it: &ContractEndpoint, column: &Column) -> PropertyFile {
    let position = it.schema.key.iter().position(|key| *key == column.name);
    let mut custom_properties = vec![custom("carveType", word(column.logical))];
    if !column.physical.is_empty() {
        custom_properties.push(custom("originType", column.physical.clone()));
    }
    PropertyFile {
        name: column.name.clone(),
        logical_type: Some(standard_type(column.logical).to_owned()),
        logical_type_options: options(column.logical),
        physical_type: Some(part_type(it.part_format, column)),
        description: column.description.clone(),
        required: !column.nullable,
        primary_key: position.is_some(),
        primary_key_position: position.map(|at| at as i64 + 1),
        custom_properties,
    }
}

/// What the column is in the parts, in the words that SQL engines share. Tools that test contracts cast
/// by it; carve itself reads `carveType` and `originType`.
fn part_type(format: PartFormat, column: &Column) -> String {
    let word = match column.logical {
        LogicalType::Boolean => "BOOLEAN",
        LogicalType::Integer => "BIGINT",
        LogicalType::Decimal => match decimal::declared(column) {
            Some((precision, scale)) => return format!("DECIMAL({precision},{scale})"),
            None => "VARCHAR",
        },
        LogicalType::Double | LogicalType::Number => "DOUBLE",
        LogicalType::Bytes if format == PartFormat::Parquet => "BLOB",
        LogicalType::Text | LogicalType::Bytes => "VARCHAR",
        LogicalType::Date => "DATE",
        LogicalType::Time => "TIME",
        LogicalType::Timestamp => "TIMESTAMP_NTZ",
        LogicalType::TimestampTz => "TIMESTAMP_TZ",
    };
    word.to_owned()
}

/// The nearest of the standard's types, which are fewer than carve's.
fn standard_type(logical: LogicalType) -> &'static str {
    match logical {
        LogicalType::Boolean => "boolean",
        LogicalType::Integer => "integer",
        LogicalType::Decimal | LogicalType::Double | LogicalType::Number => "number",
        LogicalType::Text | LogicalType::Bytes => "string",
        LogicalType::Date => "date",
        LogicalType::Time => "time",
        LogicalType::Timestamp | LogicalType::TimestampTz => "timestamp",
    }
}

fn options(logical: LogicalType) -> Option<OptionsFile> {
    match logical {
        // The name that JSON Schema and OpenAPI have for base64.
        LogicalType::Bytes => Some(OptionsFile { format: Some("byte".to_owned()), timezone: None }),
        LogicalType::Timestamp => Some(OptionsFile { format: None, timezone: Some(false) }),
        LogicalType::TimestampTz => Some(OptionsFile { format: None, timezone: Some(true) }),
        _ => None,
    }
}

fn custom(property: &str, value: impl Into<Value>) -> CustomFile {
    CustomFile { property: property.to_owned(), value: value.into() }
}
