use serde::Serialize;

/// One service's page as ready text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogPage {
    /// The service.
    pub name: String,
    /// What it is, in a sentence.
    pub summary: String,
    /// Domain, or `not said`.
    pub domain: String,
    /// Team that answers for it, or `not said`.
    pub owner: String,
    /// `published`, `planned` …
    pub state: String,
    /// Newest version, or empty.
    pub version: String,
    /// When it was published, or empty.
    pub published: String,
    /// How fresh it is kept, in words.
    pub freshness: String,
    /// Rows of all endpoints, or empty.
    pub rows: String,
    /// Address of the service: `s3://mesh/data-services/orders`.
    pub address: String,
    /// Address of the newest contract, or empty.
    pub contract: String,
    /// Its endpoints.
    pub endpoints: Vec<CatalogEndpoint>,
    /// Its publications, newest first.
    pub history: Vec<HistoryRow>,
    /// `and 9 older ones`, or empty.
    pub older: String,
    /// What was proven when it was wrapped, each a sentence.
    pub proofs: Vec<String>,
}

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogEndpoint {
    /// Its name.
    pub name: String,
    /// What its rows are, or empty.
    pub description: String,
    /// `csv`.
    pub format: String,
    /// Rows, or empty.
    pub rows: String,
    /// Parts, or empty.
    pub parts: String,
    /// Address of its newest parts, or the pattern of those to come.
    pub address: String,
    /// Address of its newest manifest, or empty.
    pub manifest: String,
    /// The table it is imported into, or empty.
    pub table: String,
    /// Key columns in words, or empty.
    pub key: String,
    /// Whether something says what at least one column means.
    pub described: bool,
    /// Its columns; empty before they are known.
    pub columns: Vec<CatalogColumn>,
    /// How to read it.
    pub snippets: Vec<Snippet>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogColumn {
    /// Its name.
    pub name: String,
    /// What its values mean: `integer`.
    pub kind: String,
    /// The origin's own type, or empty.
    pub physical: String,
    /// `yes`, `no`.
    pub nullable: String,
    /// Whether it belongs to the key.
    pub in_key: bool,
    /// What it means, or empty.
    pub description: String,
}

/// Text to copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Snippet {
    /// `DuckDB`.
    pub title: String,
    /// For colouring: `sql`, `python`, `sh`.
    pub language: String,
    /// The text.
    pub code: String,
}

/// One publication.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HistoryRow {
    /// Its version.
    pub version: String,
    /// When.
    pub published: String,
    /// Rows of all endpoints.
    pub rows: String,
    /// What its version says: `new rows`, `columns added`, `breaks readers`.
    pub change: String,
    /// Key of its contract.
    pub contract: String,
}
