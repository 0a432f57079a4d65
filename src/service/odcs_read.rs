//! What an ODCS file says, as far as the format needs it.
use std::str::FromStr;

use jiff::Timestamp;
use serde_yaml::Value;

use super::{
    Contract, ContractEndpoint, ContractFacts, ContractServer, FormatError, ServiceAddress, Sla,
    check::type_named,
    contract::{FILE, S3, whole_second},
    extension,
    odcs::{CARVE_FORMAT, ContractFile, CustomFile, KIND, ObjectFile, PropertyFile, ServerFile, SlaFile},
};
use crate::vocab::{Column, LogicalType, PartFormat, Schema, ServiceName};

pub(super) fn contract_of(file: ContractFile) -> Result<Contract, FormatError> {
    check_versions(&file)?;
    let service: ServiceName = parsed("name", &file.name)?;
    let stamp = file.contract_created_ts.as_deref().ok_or_else(|| missing("contractCreatedTs", "the contract"))?;
    let facts = ContractFacts {
        version: parsed("version", &file.version)?,
        published: whole_second(parsed::<Timestamp>("contractCreatedTs", stamp)?),
        domain: file.domain,
        owner: file.team.get("name").and_then(Value::as_str).map(str::to_owned),
        purpose: file.description.and_then(|it| it.purpose),
        endpoints: file.schema.iter().map(endpoint).collect::<Result<_, _>>()?,
        server: file.servers.iter().find_map(|it| server(&service, it)).ok_or_else(|| nowhere(&service))?,
        sla: sla(&file.sla_properties),
        service,
    };
    Ok(Contract { id: file.id, status: file.status, facts })
}

fn check_versions(file: &ContractFile) -> Result<(), FormatError> {
    if file.kind != KIND || !file.api_version.starts_with("v3.") {
        let (kind, version) = (&file.kind, &file.api_version);
        return Err(wrong(format!("is a `{kind}` of version `{version}`: carve reads `{KIND}` of version v3")));
    }
    let found = text_of(&file.custom_properties, "carveFormat", "the contract")?;
    match found == CARVE_FORMAT {
        true => Ok(()),
        false => Err(wrong(format!("is of format `{found}`: this carve reads `{CARVE_FORMAT}`"))),
    }
}

/// The bucket that a server's address lies in; `None` for a server that is no address of this service.
fn server(service: &ServiceName, file: &ServerFile) -> Option<ContractServer> {
    let below = format!("/{}/", ServiceAddress::new(service).prefix());
    let at = |address: &Option<String>| Some(address.as_ref()?.split_once(&below)?.0.to_owned());
    match file.kind.as_str() {
        S3 => Some(ContractServer { kind: S3.to_owned(), bucket: at(&file.location)? }),
        "local" => Some(ContractServer { kind: "folder".to_owned(), bucket: format!("{FILE}{}", at(&file.path)?) }),
        _ => None,
    }
}

fn sla(promises: &[SlaFile]) -> Sla {
    let of = |property: &str| promises.iter().find(|promise| promise.property == property);
    let number = |property: &str, unit: &str| {
        let promise = of(property).filter(|promise| promise.unit.as_deref() == Some(unit))?;
        promise.value.as_u64()
    };
    Sla {
        frequency_minutes: number("frequency", "minutes"),
        schedule: of("frequency").and_then(|promise| promise.schedule.clone()),
        retention_days: number("retention", "days"),
    }
}

fn endpoint(file: &ObjectFile) -> Result<ContractEndpoint, FormatError> {
    let whose = format!("the endpoint `{}`", file.name);
    let text = |property| text_of(&file.custom_properties, property, &whose);
    let parts = value_of(&file.custom_properties, "parts", &whose)?;
    Ok(ContractEndpoint {
        endpoint: parsed("name", &file.name)?,
        description: file.description.clone(),
        schema: schema(file)?,
        part_format: part_format(text("partFormat")?)?,
        parts: parts.as_u64().ok_or_else(|| wrong(format!("has no count in `parts` of {whose}")))?,
        fingerprint: parsed("fingerprint", text("fingerprint")?)?,
        manifest: text("manifest")?.to_owned(),
        manifest_digest: parsed("manifestDigest", text("manifestDigest")?)?,
    })
}

fn part_format(text: &str) -> Result<PartFormat, FormatError> {
    let formats = [PartFormat::Csv, PartFormat::Parquet, PartFormat::Jsonl];
    let found = formats.into_iter().find(|format| extension(*format) == text);
    found.ok_or_else(|| wrong(format!("has the part format `{text}`: the format has csv, parquet and jsonl")))
}

fn schema(file: &ObjectFile) -> Result<Schema, FormatError> {
    let mut key: Vec<_> = file.properties.iter().filter(|property| property.primary_key).collect();
    key.sort_by_key(|property| property.primary_key_position.unwrap_or(i64::MAX));
    Ok(Schema {
        columns: file.properties.iter().map(column).collect::<Result<_, _>>()?,
        key: key.into_iter().map(|property| property.name.clone()).collect(),
    })
}

fn column(file: &PropertyFile) -> Result<Column, FormatError> {
    let origin = file.custom_properties.iter().find(|it| it.property == "originType");
    Ok(Column {
        name: file.name.clone(),
        logical: logical(file)?,
        physical: origin.and_then(|it| it.value.as_str()).unwrap_or_default().to_owned(),
        nullable: !file.required,
        description: file.description.clone(),
    })
}

/// The type that `carveType` names; without it the standard's own, where that leaves no doubt.
fn logical(file: &PropertyFile) -> Result<LogicalType, FormatError> {
    let whose = format!("the column `{}`", file.name);
    if file.custom_properties.iter().any(|it| it.property == "carveType") {
        let name = text_of(&file.custom_properties, "carveType", &whose)?;
        return type_named(name).ok_or_else(|| wrong(format!("has the unknown type `{name}` in {whose}")));
    }
    match file.logical_type.as_deref() {
        Some("boolean") => Ok(LogicalType::Boolean),
        Some("integer") => Ok(LogicalType::Integer),
        Some("string") => Ok(LogicalType::Text),
        Some("date") => Ok(LogicalType::Date),
        Some("time") => Ok(LogicalType::Time),
        _ => Err(missing("carveType", &whose)),
    }
}

fn value_of<'f>(custom: &'f [CustomFile], property: &str, whose: &str) -> Result<&'f Value, FormatError> {
    let found = custom.iter().find(|it| it.property == property);
    found.map(|it| &it.value).ok_or_else(|| missing(property, whose))
}

fn text_of<'f>(custom: &'f [CustomFile], property: &str, whose: &str) -> Result<&'f str, FormatError> {
    let value = value_of(custom, property, whose)?;
    value.as_str().ok_or_else(|| wrong(format!("has no text in `{property}` of {whose}")))
}

fn parsed<T: FromStr<Err: std::fmt::Display>>(key: &str, text: &str) -> Result<T, FormatError> {
    text.parse().map_err(|error| wrong(format!("has a bad `{key}`: {error}")))
}

fn missing(property: &str, whose: &str) -> FormatError {
    wrong(format!("lacks `{property}` of {whose}: see docs/FORMAT.md"))
}

fn nowhere(service: &ServiceName) -> FormatError {
    wrong(format!("names no server of type s3 or local below `/{}/`", ServiceAddress::new(service).prefix()))
}

fn wrong(reason: String) -> FormatError {
    FormatError::Document { document: "contract", reason }
}
