//! How to read a publication with what people have at hand. Names carry the version: a reader takes
//! one publication whole, never parts of two.
use super::Snippet;
use crate::vocab::PartFormat;

/// Where the parts of one publication lie.
pub(super) struct Parts<'a> {
    /// The bucket as people see it.
    pub(super) bucket: &'a str,
    /// Key of the endpoint's folder with a slash at its end.
    pub(super) folder: &'a str,
    /// `v1.0.0`.
    pub(super) version: String,
    /// How they are written.
    pub(super) format: PartFormat,
    /// The table they are imported into, or empty.
    pub(super) table: &'a str,
}

/// Snippets for one endpoint.
pub(super) fn snippets(parts: &Parts<'_>) -> Vec<Snippet> {
    let mut all = vec![duckdb(parts), pandas(parts)];
    all.extend(copy(parts));
    if !parts.table.is_empty() {
        all.push(snippet("In the lake", "sql", format!("SELECT * FROM {};", parts.table)));
    }
    all
}

fn snippet(title: &str, language: &str, code: String) -> Snippet {
    Snippet { title: title.to_owned(), language: language.to_owned(), code }
}

/// Address of the parts with a star for their numbers, as tools on this machine take it.
fn glob(parts: &Parts<'_>) -> String {
    let extension = extension(parts.format);
    let name = format!("{}{}.datapart*.{extension}", parts.folder, parts.version);
    join(parts.bucket.strip_prefix("file:").unwrap_or(parts.bucket), &name)
}

/// An address below a bucket. A query string (an endpoint, a region) is none of a reader's business.
pub(super) fn join(bucket: &str, key: &str) -> String {
    let plain = bucket.split('?').next().unwrap_or(bucket).trim_end_matches('/');
    format!("{plain}/{key}")
}

fn extension(format: PartFormat) -> &'static str {
    crate::service::extension(format)
}

fn duckdb(parts: &Parts<'_>) -> Snippet {
    let glob = glob(parts).replace('\'', "''");
    let code = match parts.format {
        // NULL is an unquoted empty field, the empty string a quoted one.
        PartFormat::Csv => {
            format!("SELECT *\nFROM read_csv('{glob}', header = true, nullstr = '', allow_quoted_nulls = false);")
        }
        PartFormat::Parquet => format!("SELECT *\nFROM read_parquet('{glob}');"),
        PartFormat::Jsonl => format!("SELECT *\nFROM read_json('{glob}', format = 'newline_delimited');"),
    };
    snippet("DuckDB", "sql", code)
}

fn pandas(parts: &Parts<'_>) -> Snippet {
    let glob = python(&glob(parts));
    let read = match parts.format {
        // Only an empty field is no value: the text NA is one.
        PartFormat::Csv => "pd.read_csv(part, keep_default_na=False, na_values=[\"\"])",
        PartFormat::Parquet => "pd.read_parquet(part)",
        PartFormat::Jsonl => "pd.read_json(part, lines=True)",
    };
    let code = match parts.bucket.starts_with("s3://") {
        true => format!(
            "import pandas as pd, s3fs\n\nfs = s3fs.S3FileSystem()\nparts = sorted(fs.glob({glob}))\nrows = pd.concat({} for part in parts)",
            read.replace("(part", "(f\"s3://{part}\"")
        ),
        false => format!(
            "import glob\nimport pandas as pd\n\nparts = sorted(glob.glob({glob}))\nrows = pd.concat({read} for part in parts)"
        ),
    };
    snippet("pandas", "python", code)
}

fn python(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn copy(parts: &Parts<'_>) -> Option<Snippet> {
    let extension = extension(parts.format);
    let folder = join(parts.bucket, parts.folder);
    if parts.bucket.starts_with("s3://") {
        let code = format!(
            "aws s3 cp {} . --recursive --exclude '*' --include '{}.datapart*.{extension}'",
            shell(&folder),
            parts.version
        );
        return Some(snippet("AWS CLI", "sh", code));
    }
    if parts.bucket.starts_with("http") {
        let code = format!("curl -fsSO {}", shell(&format!("{folder}{}.manifest.json", parts.version)));
        return Some(snippet("curl: the manifest names every part", "sh", code));
    }
    let code =
        format!("ls {}/{}.datapart*", shell(folder.trim_start_matches("file:").trim_end_matches('/')), parts.version);
    Some(snippet("Shell", "sh", code))
}

fn shell(text: &str) -> String {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/:._-".contains(&b));
    if plain { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(bucket: &str, format: PartFormat) -> Parts<'_> {
        let folder = "data-services/orders/default/";
        Parts { bucket, folder, version: "v1.0.2".into(), format, table: "raw.orders__import" }
    }

    #[test]
    fn every_snippet_names_one_version() {
        for format in [PartFormat::Csv, PartFormat::Parquet, PartFormat::Jsonl] {
            for bucket in ["s3://mesh?endpoint=x", "file:./mesh", "https://mesh.example"] {
                for snippet in snippets(&parts(bucket, format)).iter().filter(|s| s.title != "In the lake") {
                    assert!(snippet.code.contains("v1.0.2"), "{}", snippet.code);
                    assert!(!snippet.code.contains("endpoint="), "{}", snippet.code);
                }
            }
        }
    }

    #[test]
    fn a_quote_in_a_folder_stays_inside_its_string() {
        let all = snippets(&parts("file:./it's", PartFormat::Csv));
        assert!(all[0].code.contains("'./it''s/"), "{}", all[0].code);
        assert!(all[2].code.contains("'./it'\\''s/"), "{}", all[2].code);
    }
}
