//! Addresses of files: what a written path becomes.

/// The address of the files at `path`, with a scheme: `s3://…` stays, `@stage/x` is `stage://stage/x`, `/x.csv` is
/// `file:/x.csv`. `None` where nothing is written.
pub(in crate::lineage) fn file_of(path: &str) -> Option<String> {
    let path = path.trim();
    if path.is_empty() {
        return None;
    }
    if let Some(stage) = path.strip_prefix('@') {
        return Some(format!("stage://{}", stage.replace('"', "").to_lowercase()));
    }
    Some(with_scheme(path).map_or_else(|| format!("file:{}", path.replace('\\', "/")), str::to_owned))
}

/// Whether a written name is files rather than a table: an address, a stage, or a path in single quotes.
pub(in crate::lineage) fn is_file_or_stage(written: &str) -> bool {
    let bare = written.trim_matches('\'');
    bare.starts_with('@')
        || with_scheme(bare).is_some()
        || (written.starts_with('\'') && bare.contains(['.', '/', '*']))
}

/// The address that a written name is or ends in: Spark writes parquet.`s3://…` and csv.`/mnt/x`.
pub(in crate::lineage) fn file_address(written: &str) -> Option<String> {
    if let Some(scheme) = written.find("://") {
        let start = written[..scheme].rfind('.').map_or(0, |dot| dot + 1);
        return Some(written[start..].to_owned());
    }
    const FORMATS: [&str; 8] = ["parquet", "csv", "json", "orc", "avro", "delta", "text", "binaryfile"];
    let (format, path) = written.split_once('.')?;
    (FORMATS.contains(&format) && path.starts_with('/')).then(|| format!("file:{path}"))
}

/// `path` where it has a scheme already.
fn with_scheme(path: &str) -> Option<&str> {
    let (scheme, rest) = path.split_once(':')?;
    let is_scheme = scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric() || c == '+');
    (is_scheme && (rest.starts_with('/') || scheme.eq_ignore_ascii_case("file"))).then_some(path)
}

/// The file that a program only packs or unpacks: `gzip -dc FILE`, `zcat < FILE`, `gzip > FILE`.
pub(in crate::lineage) fn packed_file(command: &str) -> Option<&str> {
    const PACKERS: [&str; 12] =
        ["gzip", "gunzip", "zcat", "cat", "bzip2", "bzcat", "xz", "xzcat", "zstd", "zstdcat", "lz4", "unzip"];
    let mut words = command.split_whitespace();
    let program = words.next()?;
    let program = program.rsplit('/').next().filter(|program| PACKERS.contains(program));
    let files = words.map(|word| word.trim_start_matches(['<', '>']));
    let mut files = files.filter(|word| !word.is_empty() && !word.starts_with('-'));
    let file = program.and(files.next())?;
    (files.next().is_none() && !file.contains(['|', ';', '&', '$', '`', '*'])).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_a_scheme_is_a_local_file() {
        let made = |path| file_of(path).unwrap();
        assert_eq!(made("/x.csv"), "file:/x.csv");
        assert_eq!(made("land/x.csv"), "file:land/x.csv");
        assert_eq!(made("C:\\land\\x.csv"), "file:C:/land/x.csv");
        assert_eq!(made("@Raw/2024/"), "stage://raw/2024/");
        for kept in ["s3://b/x", "dbfs:/mnt/x", "file:/x"] {
            assert_eq!(made(kept), kept);
        }
        assert_eq!(file_of(" "), None);
    }

    #[test]
    fn a_path_in_quotes_is_a_file_and_a_word_is_a_table() {
        assert!(is_file_or_stage("'x.parquet'") && is_file_or_stage("@s") && is_file_or_stage("s3://b"));
        assert!(!is_file_or_stage("raw.orders") && !is_file_or_stage("'orders'"));
        assert_eq!(file_address("parquet./mnt/x").as_deref(), Some("file:/mnt/x"));
        assert_eq!(file_address("csv.orders"), None);
    }

    #[test]
    fn a_program_that_only_unpacks_reads_one_file() {
        assert_eq!(packed_file("gzip -dc land/x.csv.gz"), Some("land/x.csv.gz"));
        assert_eq!(packed_file("/bin/zcat < x.gz"), Some("x.gz"));
        for unknown in ["curl https://example.org/x.csv", "zcat a.gz b.gz", "cat x | sort", "cat $FILE", "gzip"] {
            assert_eq!(packed_file(unknown), None, "{unknown}");
        }
    }
}
