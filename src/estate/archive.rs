//! Text files inside a ZIP, bounded in number and size. The estate's only file to know the `zip` crate.
use std::io::{Cursor, Read as _};

use camino::Utf8Path;
use zip::ZipArchive;

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::text_file::TextFile,
    vocab::Span,
};

/// Entries an archive may hold.
const MOST_ENTRIES: usize = 20_000;
/// Bytes one entry may unpack to.
const MOST_ENTRY_BYTES: u64 = 16 * 1024 * 1024;
/// Bytes all entries together may unpack to.
const MOST_BYTES: u64 = 256 * 1024 * 1024;

/// The files in the archive `bytes` at `path` whose names have one of `endings`, in the order of their names.
/// Nothing is unpacked to disk.
pub(crate) fn text_files(path: &Utf8Path, bytes: &[u8], endings: &[&str]) -> Result<Vec<TextFile>, Diagnostic> {
    let bad = |here: String| Diagnostic::new(CodeEntry::E009, Span::whole(path.to_owned()), here);
    let mut archive = ZipArchive::new(Cursor::new(bytes))
        .map_err(|_| bad("the file is no ZIP archive, or it is cut short".to_owned()))?;
    if archive.len() > MOST_ENTRIES {
        return Err(bad(format!("it holds {} entries; carve reads at most {MOST_ENTRIES}", archive.len())));
    }
    let (mut files, mut left) = (Vec::new(), MOST_BYTES);
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|_| bad(format!("entry {} cannot be read", index + 1)))?;
        let name =
            entry.name().map_err(|_| bad(format!("entry {} has a name that is no text", index + 1)))?.into_owned();
        if entry.is_dir() || !endings.iter().any(|ending| name.ends_with(ending)) {
            continue;
        }
        if leads_out(&name) {
            return Err(bad(format!("entry `{name}` leads out of the archive")));
        }
        // The size in the header is a claim; reading stops by itself.
        let most = MOST_ENTRY_BYTES.min(left);
        let mut content = Vec::new();
        let read = entry.take(most + 1).read_to_end(&mut content);
        read.map_err(|_| bad(format!("entry `{name}` is damaged")))?;
        if content.len() as u64 > most {
            return Err(bad(format!("entry `{name}` unpacks to more than {most} bytes")));
        }
        left -= content.len() as u64;
        let text = String::from_utf8(content).map_err(|_| bad(format!("entry `{name}` is not UTF-8")))?;
        files.push(TextFile::inside(format!("{path}!/{name}").into(), text));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

fn leads_out(name: &str) -> bool {
    name.starts_with(['/', '\\']) || name.split(['/', '\\']).any(|part| part == "..") || name.contains(':')
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    pub(crate) fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in entries {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    #[test]
    fn entries_are_read_in_the_order_of_names() {
        let bytes = zip(&[("e/b.yaml", b"b: 1"), ("e/a.yaml", b"a: 1"), ("e/c.png", b"\xFF")]);
        let files = text_files("x.zip".as_ref(), &bytes, &[".yaml"]).unwrap();
        assert_eq!(
            files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(),
            ["x.zip!/e/a.yaml", "x.zip!/e/b.yaml"]
        );
    }

    #[test]
    fn a_bomb_and_a_way_out_are_refused() {
        let big = vec![b' '; MOST_ENTRY_BYTES as usize + 1];
        for bytes in [zip(&[("a.yaml", &big)]), zip(&[("../a.yaml", b"a: 1")]), b"PK\x03\x04 cut".to_vec(), Vec::new()]
        {
            assert_eq!(text_files("x.zip".as_ref(), &bytes, &[".yaml"]).unwrap_err().code.code, "E009");
        }
    }
}
