//! A contract as it lies on disk: the Open Data Contract Standard, version 3.1, as far as carve writes it.
//! Keys that others add are passed over in reading.
use serde::{Deserialize, Serialize};
use serde_yaml::Value;

use super::{FormatError, yaml_text::yaml_text};

pub(super) const API_VERSION: &str = "v3.1.0";
pub(super) const KIND: &str = "DataContract";
/// What the custom property `carveFormat` says: the version of docs/FORMAT.md.
pub(super) const CARVE_FORMAT: &str = "carve-service/1";

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ContractFile {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) domain: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) data_product: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<DescriptionFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) contract_created_ts: Option<String>,
    #[serde(default)]
    pub(super) servers: Vec<ServerFile>,
    /// An object since 3.1, a list of members before.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub(super) team: Value,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) sla_properties: Vec<SlaFile>,
    #[serde(default)]
    pub(super) schema: Vec<ObjectFile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) custom_properties: Vec<CustomFile>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct DescriptionFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) purpose: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) usage: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ServerFile {
    pub(super) server: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    /// Of a store behind the S3 API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) location: Option<String>,
    /// Of a folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) path: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) delimiter: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct SlaFile {
    pub(super) property: String,
    #[serde(default)]
    pub(super) value: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) scheduler: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) schedule: Option<String>,
}

/// One endpoint.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ObjectFile {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) logical_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) physical_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) properties: Vec<PropertyFile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) quality: Vec<QualityFile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) custom_properties: Vec<CustomFile>,
}

/// One column.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PropertyFile {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) logical_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) logical_type_options: Option<OptionsFile>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) physical_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(default)]
    pub(super) required: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) primary_key: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) primary_key_position: Option<i64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) custom_properties: Vec<CustomFile>,
}

/// What tells other tools more about a column; carve itself reads `carveType`.
#[derive(Serialize, Deserialize)]
pub(super) struct OptionsFile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) format: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timezone: Option<bool>,
}

/// Written for tools that test contracts, never relied on: the fingerprint says how many rows there are.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QualityFile {
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) metric: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) must_be: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct CustomFile {
    pub(super) property: String,
    #[serde(default)]
    pub(super) value: Value,
}

pub(super) fn to_yaml(file: &ContractFile) -> Result<Vec<u8>, FormatError> {
    Ok(yaml_text(&serde_yaml::to_value(file).map_err(syntax)?).into_bytes())
}

pub(super) fn from_yaml(bytes: &[u8]) -> Result<ContractFile, FormatError> {
    serde_yaml::from_slice(bytes).map_err(syntax)
}

fn syntax(source: serde_yaml::Error) -> FormatError {
    FormatError::Syntax { document: "contract", source: Box::new(source) }
}
