//! How to read a publication with what people have at hand. Names carry the version: a reader takes
//! one publication whole, never parts of two.
use super::Snippet;
use crate::vocab::{LogicalType, PartFormat, Schema, shell_word};

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
    /// Their columns.
    pub(super) schema: &'a Schema,
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

/// Values as they were published: whole numbers stay whole, NULL is no empty text, digits are digits.
fn pandas(parts: &Parts<'_>) -> Snippet {
    let s3 = parts.bucket.starts_with("s3://");
    let (import, find, open) = match s3 {
        true => ("import s3fs\n", "fs = s3fs.S3FileSystem()\nparts = sorted(fs.glob(", "fs.open(part, \"rb\")"),
        false => ("import glob\n", "parts = sorted(glob.glob(", "open(part, \"rb\")"),
    };
    let find = format!("{find}{}))", python(&glob(parts)));
    let code = match parts.format {
        PartFormat::Csv => format!(
            "{import}import pandas as pd, pyarrow as pa, pyarrow.csv as csv\n\n{}\n\n{find}\n\
             table = pa.concat_tables(\n    csv.read_csv({open}, parse_options=lines, convert_options=exact) for part in parts)\n\
             rows = table.to_pandas(types_mapper=pd.ArrowDtype)",
            csv_options(parts.schema)
        ),
        PartFormat::Parquet => format!(
            "{import}import pandas as pd, pyarrow as pa, pyarrow.parquet as pq\n\n{find}\n\
             table = pa.concat_tables(pq.read_table({open}) for part in parts)\n\
             rows = table.to_pandas(types_mapper=pd.ArrowDtype)"
        ),
        PartFormat::Jsonl => format!(
            "{import}import json\nimport pandas as pd\n\n{find}\n\
             rows = pd.DataFrame([json.loads(line) for part in parts for line in {open}], dtype=object)"
        ),
    };
    snippet("pandas", "python", code)
}

/// How the contract's columns are read from CSV; what pandas has no exact type for stays text as it is written.
fn csv_options(schema: &Schema) -> String {
    let kind = |logical| match logical {
        LogicalType::Integer => "pa.int64()",
        LogicalType::Double => "pa.float64()",
        LogicalType::Boolean => "pa.bool_()",
        _ => "pa.string()",
    };
    let types = schema.columns.iter().map(|its| format!("    {}: {},\n", python(&its.name), kind(its.logical)));
    format!(
        "types = {{\n{}}}\nlines = csv.ParseOptions(newlines_in_values=True)\n\
         # NULL is an unquoted empty field, the empty text a quoted one.\n\
         exact = csv.ConvertOptions(column_types=types, null_values=[\"\"],\n    \
         strings_can_be_null=True, quoted_strings_can_be_null=False)",
        types.collect::<String>()
    )
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
            shell_word(&folder),
            parts.version
        );
        return Some(snippet("AWS CLI", "sh", code));
    }
    if parts.bucket.starts_with("http") {
        let code = format!("curl -fsSO {}", shell_word(&format!("{folder}{}.manifest.json", parts.version)));
        return Some(snippet("curl: the manifest names every part", "sh", code));
    }
    let code = format!(
        "ls {}/{}.datapart*",
        shell_word(folder.trim_start_matches("file:").trim_end_matches('/')),
        parts.version
    );
    Some(snippet("Shell", "sh", code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::Column;
    use std::sync::LazyLock;

    fn parts(bucket: &str, format: PartFormat) -> Parts<'_> {
        static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
            let kinds = [("id", LogicalType::Integer), ("note", LogicalType::Text), ("total", LogicalType::Decimal)];
            let columns = kinds.map(|(name, logical)| Column {
                name: name.to_owned(),
                logical,
                physical: String::new(),
                nullable: true,
                description: None,
            });
            Schema { columns: columns.into(), key: Vec::new() }
        });
        let folder = "data-services/orders/default/";
        Parts { bucket, folder, version: "v1.0.2".into(), format, schema: &SCHEMA, table: "raw.orders__import" }
    }

    #[test]
    fn reading_with_pandas_changes_no_value() {
        let code = |format| snippets(&parts("file:./mesh", format)).remove(1).code;
        let csv = code(PartFormat::Csv);
        for exact in [
            // pandas alone makes doubles of whole numbers once one is NULL, and NULL of the empty text.
            "\"id\": pa.int64()",
            "\"note\": pa.string()",
            "\"total\": pa.string()",
            "null_values=[\"\"]",
            "strings_can_be_null=True, quoted_strings_can_be_null=False",
            "newlines_in_values=True",
            "types_mapper=pd.ArrowDtype",
        ] {
            assert!(csv.contains(exact), "{exact} in {csv}");
        }
        assert!(code(PartFormat::Parquet).contains("types_mapper=pd.ArrowDtype"));
        assert!(code(PartFormat::Jsonl).contains("dtype=object"));
        for format in [PartFormat::Csv, PartFormat::Parquet, PartFormat::Jsonl] {
            assert!(!code(format).contains("pd.read_"), "pandas' own readers guess types");
        }
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
