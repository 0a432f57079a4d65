//! carve's dataset names as OpenLineage writes them.
use crate::vocab::DatasetId;

/// Namespace and name: the lake's own tables under `lake`, those of a source system under its name, files under their
/// store.
pub(super) fn named(dataset: &DatasetId, lake: &str) -> (String, String) {
    if let Some(system) = dataset.system() {
        return (system.to_owned(), dataset.name().to_owned());
    }
    if !dataset.is_file_set() {
        return (lake.to_owned(), dataset.name().to_owned());
    }
    match dataset.name().split_once("://") {
        Some((scheme, rest)) => {
            let (store, path) = rest.split_once('/').unwrap_or((rest, ""));
            let path = if path.is_empty() { "/" } else { path };
            (format!("{scheme}://{store}"), path.to_owned())
        }
        // `file:/path`, `dbfs:/path`.
        None => {
            let (scheme, path) = dataset.name().split_once(':').unwrap_or(("file", dataset.name()));
            (scheme.to_owned(), path.to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_dataset_has_a_namespace_and_a_name() {
        for (dataset, namespace, name) in [
            ("raw.orders", "lake", "raw.orders"),
            ("crm:public.accounts", "crm", "public.accounts"),
            ("s3://bucket/in/orders", "s3://bucket", "in/orders"),
            ("gs://bucket", "gs://bucket", "/"),
            ("file:/data/x.csv", "file", "/data/x.csv"),
        ] {
            let said = named(&dataset.parse().unwrap(), "lake");
            assert_eq!(said, (namespace.to_owned(), name.to_owned()));
        }
    }
}
