//! A folder of files as a place data comes from: a table is a `.csv`, `.jsonl` or `.parquet` file.
mod csv;
mod origin;
mod parquet;
mod pin;

pub use origin::FilesOrigin;
