//! The data service's format, pure: addresses, parts, row encoding and fingerprint, version bump, contract.
//!
//! Nothing here reads a disk, a network or a clock: bytes, rows and times come in as arguments. The
//! rules that another program needs are in `docs/FORMAT.md`; the files of this room keep them.
mod address;
mod base64;
mod bump;
mod calendar;
mod check;
mod contract;
mod csv;
mod csv_records;
mod decimal;
mod error;
mod fingerprint;
mod json_line;
mod jsonl;
mod manifest;
mod odcs;
mod odcs_read;
mod odcs_write;
mod parquet;
mod parquet_columns;
mod parquet_types;
mod part;
mod text;
mod yaml_text;

pub use address::{ContractKey, RESERVED_ENDPOINTS, ServiceAddress, extension, pad_width, part_count};
pub use bump::{EndpointSchema, Lost, SchemaChange, bump, changes};
pub use check::{check_schema, conform};
pub use contract::{Contract, ContractEndpoint, ContractFacts, ContractServer, Sla};
pub use csv::each_record;
pub use csv_records::Field;
pub use error::FormatError;
pub use fingerprint::{BadFingerprint, Fingerprint, Fingerprinter, RowHash, RowHasher, row_hash};
pub use manifest::{MANIFEST_FORMAT, Manifest, PartInfo};
pub use part::{PartWriter, decode_part, encode_part};
pub use text::{from_text, not_spelled, to_text};
