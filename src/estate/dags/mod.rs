//! DAGs in Python: files of Apache Airflow, tasks of Gusty, flows of Prefect, jobs and assets of Dagster: their tasks,
//! what runs before what, and what each does with data.
//!
//! `host` gathers DAGs and tasks while Python is walked, `operators` reads what an operator is given, `transfers`
//! knows the two sides of copies, and `jobs` makes jobs of what was gathered.
mod decorated;
mod flows;
mod gusty;
mod host;
mod jobs;
mod operators;
mod runs;
mod schedules;
mod transfers;

pub(crate) use flows::{Dagster, Prefect};
pub(crate) use gusty::Gusty;

use camino::Utf8Path;

use self::host::Gathered;
use crate::estate::{
    FileFormat,
    python::{self, Interp, Modules},
    reader::{Around, Reader, Reading},
    text_file::TextFile,
};

/// DAG files.
pub(crate) struct Airflow;

impl Reader for Airflow {
    fn format(&self) -> FileFormat {
        FileFormat::Airflow
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        path.extension() == Some("py")
    }

    /// As Airflow's own safe mode: both words stand in it.
    fn claims(&self, file: &TextFile) -> bool {
        let lower = file.text.to_ascii_lowercase();
        lower.contains("airflow") && lower.contains("dag")
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        self.read_all(&[file], around).pop().unwrap_or_default()
    }

    fn read_all(&self, files: &[&TextFile], around: &Around<'_>) -> Vec<Reading> {
        let modules = Modules::default();
        python::each(files, |file| read(file, around, &modules))
    }
}

fn read(file: &TextFile, around: &Around<'_>, modules: &Modules) -> Reading {
    let mut interp = Interp::new(Gathered::default(), around, modules);
    interp.module(file);
    let mut gathered = std::mem::take(&mut interp.host);
    let mut reading = Reading::default();
    if gathered.dags.is_empty() {
        return reading;
    }
    reading.faults.append(&mut interp.faults);
    reading.also_read = interp.imported.clone();
    // What a DAG file imports is no DAG of its own.
    reading.claimed.extend(interp.imported.iter().cloned());
    jobs::enter(&mut gathered, file, &mut reading);
    reading
}
