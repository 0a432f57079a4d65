//! The room's signatures, first of all so that other rooms can be written against them.
use std::{collections::BTreeMap, ops::Range};

use crate::{
    diagnostics::Diagnostics,
    estate::{Estate, Script},
    lineage::{JobLineage, Lineage},
    progress::Progress,
    vocab::{Column, DatasetId, Digest},
};

/// SQL text with its templates filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Ready for an engine where `complete`.
    pub text: String,
    /// Whether every template was filled with a known value; stubs and masks make it false.
    pub complete: bool,
    /// What was not filled, each in a few words: `unknown name `env``.
    pub problems: Vec<String>,
}

/// One replacement in a script's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextEdit {
    /// First byte in `Script::text`.
    pub start: usize,
    /// One past the last.
    pub end: usize,
    /// What stands there.
    pub old: String,
    /// What shall stand there.
    pub new: String,
}

/// Why a script cannot be repointed by editing it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RepointProblem {
    /// The script does not read the dataset.
    #[error("the script does not read `{0}`")]
    NotRead(DatasetId),
    /// `{{ source('x', 'y') }}`: the table's name stands in a sources file.
    #[error("`{from}` is dbt source `{source_name}.{table}`: edit {file} instead")]
    DbtSource {
        /// The dataset.
        from: DatasetId,
        /// The source's name.
        source_name: String,
        /// The table's name in it.
        table: String,
        /// File that declares it, as in `Span::file`.
        file: camino::Utf8PathBuf,
    },
    /// `{{ ref('x') }}`: the name comes from the model.
    #[error("`{0}` is read through a dbt ref: rename the model instead")]
    DbtRef(DatasetId),
    /// The name is put together by a template.
    #[error("`{from}` is written by a template: {template}")]
    InTemplate {
        /// The dataset.
        from: DatasetId,
        /// The template's text.
        template: String,
    },
    /// The statement that reads it was not understood.
    #[error("a statement that names `{0}` is not understood by the grammar")]
    NotUnderstood(DatasetId),
    /// The target is no table of the lake.
    #[error("`{0}` is no table of the lake")]
    NoTable(DatasetId),
    /// The edited text would mean something else.
    #[error("the edited script would not mean the same: {0}")]
    ChangesMeaning(String),
}

/// Reads every job's, exposure's and usage's SQL, in parallel; the same estate gives the same value.
pub fn read(_estate: &Estate, _progress: &dyn Progress) -> (Lineage, Diagnostics) {
    Default::default()
}

/// Reads one script by itself.
pub fn read_sql(
    _text: &str,
    _dialect: Option<&str>,
    _catalog: &BTreeMap<DatasetId, Vec<Column>>,
) -> (JobLineage, Diagnostics) {
    Default::default()
}

/// SHA-256 of what SQL means: comments, layout and the case of unquoted words do not count.
pub fn meaning(text: &str, _dialect: Option<&str>) -> Digest {
    Digest::of(text)
}

/// SHA-256 of what YAML means: its parsed value as canonical JSON.
pub fn config_meaning(yaml_text: &str) -> Digest {
    Digest::of(yaml_text)
}

/// Fills a script's templates.
pub fn render(script: &Script, _estate: &Estate) -> Rendered {
    Rendered { text: script.text.to_string(), complete: true, problems: Vec::new() }
}

/// The edits that make every read of `from` in `script` a read of `to`, proven by reading the edited text.
pub fn repoint(
    _script: &Script,
    _estate: &Estate,
    from: &DatasetId,
    _to: &DatasetId,
) -> Result<Vec<TextEdit>, RepointProblem> {
    Err(RepointProblem::NotRead(from.clone()))
}

/// The queries by which `script` fills tables, as runnable SELECT text, and the statements left out, each with its reason.
pub fn comparable_queries(_script: &Script, _estate: &Estate) -> (Vec<(Option<DatasetId>, String)>, Vec<String>) {
    let _: Range<usize> = 0..0;
    Default::default()
}
