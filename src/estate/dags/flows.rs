//! Flows of Prefect and jobs and assets of Dagster: Python files whose decorators say what runs.
use camino::Utf8Path;

use super::{
    host::{Flavour, Gathered},
    jobs,
};
use crate::estate::{
    FileFormat,
    python::{self, Interp, Modules},
    reader::{Around, Reader, Reading},
    text_file::TextFile,
};

/// Files with flows of Prefect.
pub(crate) struct Prefect;
/// Files with jobs, ops and assets of Dagster.
pub(crate) struct Dagster;

impl Reader for Prefect {
    fn format(&self) -> FileFormat {
        FileFormat::Prefect
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        path.extension() == Some("py")
    }

    fn claims(&self, file: &TextFile) -> bool {
        file.text.contains("prefect") && file.text.contains("@flow")
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        self.read_all(&[file], around).pop().unwrap_or_default()
    }

    fn read_all(&self, files: &[&TextFile], around: &Around<'_>) -> Vec<Reading> {
        read_all(Flavour::Prefect, files, around)
    }
}

impl Reader for Dagster {
    fn format(&self) -> FileFormat {
        FileFormat::Dagster
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        path.extension() == Some("py")
    }

    fn claims(&self, file: &TextFile) -> bool {
        let marks = ["@asset", "@op", "@job", "@graph", "@dg.", "@dagster.", "ScheduleDefinition"];
        file.text.contains("dagster") && marks.iter().any(|mark| file.text.contains(mark))
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        self.read_all(&[file], around).pop().unwrap_or_default()
    }

    fn read_all(&self, files: &[&TextFile], around: &Around<'_>) -> Vec<Reading> {
        read_all(Flavour::Dagster, files, around)
    }
}

fn read_all(flavour: Flavour, files: &[&TextFile], around: &Around<'_>) -> Vec<Reading> {
    let modules = Modules::default();
    python::each(files, |file| read(flavour, file, around, &modules))
}

fn read(flavour: Flavour, file: &TextFile, around: &Around<'_>, modules: &Modules) -> Reading {
    let mut interp = Interp::new(Gathered::new(flavour), around, modules);
    interp.module(file);
    super::decorated::run_waiting(&mut interp);
    let mut gathered = std::mem::take(&mut interp.host);
    let mut reading = Reading::default();
    if gathered.tasks.is_empty() {
        return reading;
    }
    reading.faults.append(&mut interp.faults);
    jobs::enter(&mut gathered, file, &mut reading);
    reading
}
