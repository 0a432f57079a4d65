//! The folder, and which file is which table.
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};

use super::pin::Pin;
use super::{csv, parquet};
use crate::connector::{
    ConnectorError, Origin, RowStream, Snapshot, TableDescription, address::Address, batches::Batches,
    batches::blocking, json, system::failed,
};
use crate::vocab::{DatasetId, Schema};

/// A folder of `.csv`, `.jsonl` and `.parquet` files, or one of them; each is the table of its name.
#[derive(Clone, Debug)]
pub struct FilesOrigin {
    folder: Utf8PathBuf,
    shown: String,
}

/// How a file is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Csv,
    Jsonl,
    Parquet,
}

impl Format {
    fn of(path: &Utf8Path) -> Option<Self> {
        match path.extension()?.to_lowercase().as_str() {
            "csv" => Some(Format::Csv),
            "jsonl" => Some(Format::Jsonl),
            "parquet" => Some(Format::Parquet),
            _ => None,
        }
    }

    fn schema(self, pin: &Pin, id: &DatasetId) -> Result<Schema, ConnectorError> {
        match self {
            Format::Csv => csv::schema(pin),
            Format::Jsonl => json::schema(pin),
            Format::Parquet => parquet::schema(pin, id),
        }
    }

    fn count(self, pin: &Pin) -> Result<u64, ConnectorError> {
        match self {
            Format::Csv => csv::count(pin),
            Format::Jsonl => json::count(pin),
            Format::Parquet => parquet::count(pin),
        }
    }

    fn send(self, pin: &Pin, id: &DatasetId, schema: &Schema, batches: &mut Batches) -> Result<(), ConnectorError> {
        match self {
            Format::Csv => csv::send(pin, id, schema, batches),
            Format::Jsonl => json::send(pin, id, schema, batches),
            Format::Parquet => parquet::send(pin, id, schema, batches),
        }
    }
}

impl FilesOrigin {
    pub(in crate::connector) fn at(address: &Address, base: &Utf8Path) -> Result<Self, ConnectorError> {
        address.only(&[])?;
        Ok(FilesOrigin { folder: address.path(base), shown: address.shown.clone() })
    }

    /// Every file that could be a table, in the order of their names.
    fn files(&self) -> Result<Vec<(Utf8PathBuf, Format)>, ConnectorError> {
        // The address may name one file: then it is the only table, whatever lies beside it.
        if let (true, Some(format)) = (self.folder.is_file(), Format::of(&self.folder)) {
            return Ok(vec![(self.folder.clone(), format)]);
        }
        let list = || -> std::io::Result<Vec<(Utf8PathBuf, Format)>> {
            let mut files = Vec::new();
            for entry in self.folder.read_dir_utf8()? {
                let path = entry?.into_path();
                if let (Some(format), true) = (Format::of(&path), path.is_file()) {
                    files.push((path, format));
                }
            }
            files.sort_by(|a, b| a.0.cmp(&b.0));
            Ok(files)
        };
        list().map_err(|e| failed(format!("list the folder `{}`", self.shown), e))
    }

    fn pinned(&self, id: &DatasetId) -> Result<(Pin, Format), ConnectorError> {
        let files = self.files()?;
        let at = one_named(&files, |(path, _)| path, id)?;
        let (path, format) = &files[at];
        Ok((Pin::of(path)?, *format))
    }
}

/// The place of the one file that is the table `id`.
fn one_named<T>(files: &[T], path: impl Fn(&T) -> &Utf8Path, id: &DatasetId) -> Result<usize, ConnectorError> {
    let named = |name: &str| -> Vec<usize> {
        let same = |file: &T| path(file).file_stem().is_some_and(|stem| stem.to_lowercase() == name);
        (0..files.len()).filter(|at| same(&files[*at])).collect()
    };
    // A dot may be part of the file's name, or stand behind a schema that files do not have.
    let mut found = named(id.name());
    if found.is_empty() {
        found = named(id.table());
    }
    match found[..] {
        [] => Err(ConnectorError::NoSuchTable(id.clone())),
        [one] => Ok(one),
        [..] => {
            let names: Vec<&str> = found.iter().filter_map(|at| path(&files[*at]).file_name()).collect();
            let why = format!("several files have that name: {}; keep one of them in the folder", names.join(", "));
            Err(ConnectorError::Refused { doing: format!("read the table `{id}`"), source: why.into() })
        }
    }
}

/// For each column of `schema` its place among the file's `names`.
pub(super) fn places(id: &DatasetId, names: &[String], schema: &Schema) -> Result<Vec<usize>, ConnectorError> {
    let place = |column: &str| names.iter().position(|name| name == column);
    let each = schema.columns.iter().map(|column| {
        place(&column.name).ok_or_else(|| ConnectorError::Refused {
            doing: format!("read the column `{}` of `{id}`", column.name),
            source: "the file has no such column: it changed since it was described".into(),
        })
    });
    each.collect()
}

#[async_trait]
impl Origin for FilesOrigin {
    fn kind(&self) -> &'static str {
        "files"
    }

    async fn probe(&self) -> Result<(), ConnectorError> {
        let origin = self.clone();
        blocking(move || origin.files().map(|_| ())).await
    }

    async fn describe(&self, table: &DatasetId) -> Result<TableDescription, ConnectorError> {
        let (origin, id) = (self.clone(), table.clone());
        blocking(move || {
            let (pin, format) = origin.pinned(&id)?;
            let schema = format.schema(&pin, &id)?;
            pin.check()?;
            Ok(TableDescription { schema, comment: None })
        })
        .await
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>, ConnectorError> {
        let origin = self.clone();
        let files = blocking(move || {
            let files = origin.files()?;
            files.into_iter().map(|(path, format)| Ok((path.clone(), format, Pin::of(&path)?))).collect()
        });
        let files: Vec<(Utf8PathBuf, Format, Pin)> = files.await?;
        let files = files.into_iter().map(|(path, format, pin)| (path, format, Arc::new(Mutex::new(pin))));
        Ok(Box::new(FilesSnapshot { files: files.collect() }))
    }
}

/// All files as they were when the snapshot was taken; whoever writes to one makes its reading fail.
struct FilesSnapshot {
    files: Vec<(Utf8PathBuf, Format, Arc<Mutex<Pin>>)>,
}

impl FilesSnapshot {
    fn file(&self, id: &DatasetId) -> Result<(Format, Arc<Mutex<Pin>>), ConnectorError> {
        let at = one_named(&self.files, |(path, ..)| path, id)?;
        let (_, format, pin) = &self.files[at];
        Ok((*format, pin.clone()))
    }
}

#[async_trait]
impl Snapshot for FilesSnapshot {
    async fn count(&mut self, table: &DatasetId) -> Result<u64, ConnectorError> {
        let (format, pin) = self.file(table)?;
        blocking(move || {
            let pin = pin.lock().unwrap_or_else(PoisonError::into_inner);
            let count = format.count(&pin)?;
            pin.check()?;
            Ok(count)
        })
        .await
    }

    async fn rows(&mut self, table: &DatasetId, schema: &Schema) -> Result<RowStream, ConnectorError> {
        let (format, pin) = self.file(table)?;
        let (id, schema) = (table.clone(), schema.clone());
        let (mut batches, stream) = Batches::stream();
        tokio::task::spawn_blocking(move || {
            let pin = pin.lock().unwrap_or_else(PoisonError::into_inner);
            let outcome = format.send(&pin, &id, &schema, &mut batches).and_then(|()| pin.check());
            batches.finish(outcome);
        });
        Ok(stream)
    }
}
