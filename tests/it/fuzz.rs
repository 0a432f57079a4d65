//! Damaged input of every kind: nothing panics, nothing hangs, nothing eats the memory.
//!
//! The suite runs a small, always equal number of cases. `CARVE_FUZZ_SECONDS=600 cargo test fuzz::` goes on with
//! random ones for that long, test by test.
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{LazyLock, mpsc},
    thread,
    time::{Duration, Instant},
};

use camino::Utf8PathBuf;
use carve::{
    estate::{DIALECTS, LoadOptions, load},
    lineage,
    progress::Silent,
};
use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner},
};

/// How long one case may take: in a debug build, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Cases of each kind in the suite.
const CASES: u32 = 40;
/// Bytes that a mutated text has at most.
const MOST_BYTES: usize = 60_000;
/// Bytes of memory that a long run may come to.
const MOST_MEMORY_KIB: u64 = 3 * 1024 * 1024;

/// What turns parsers over: openings without ends, words that change a splitter's mind, odd characters.
const NASTY: [&str; 58] = [
    "'",
    "\"",
    "`",
    "[",
    "]",
    "(",
    ")",
    "((((((((",
    "{",
    "}",
    "/*",
    "*/",
    "--",
    "#",
    "$$",
    "$x$",
    ";",
    ";;",
    ",",
    "@",
    "$1",
    "\\",
    "\\copy t from stdin;\n",
    "\u{0}",
    "é",
    "😀",
    "\u{202e}",
    "\u{feff}",
    "\u{2028}",
    " begin ",
    " end ",
    " case ",
    " when ",
    " go\n",
    "\ngo\n",
    " union all ",
    " select ",
    " from ",
    " with ",
    " as ",
    " if ",
    " do ",
    " language js ",
    " E'\\",
    " q'[",
    "{{",
    "}}",
    "{% if x %}",
    "{% endif %}",
    "{% for i in range(99999) %}",
    "{% endfor %}",
    "{#",
    "${",
    "${ref(",
    "%(",
    "9999999999999999999999",
    "1e999",
    "-0x7fffffffffffffff",
];

/// One act of damage.
#[derive(Clone, Debug)]
enum Damage {
    Cut(Index, Index),
    Repeat(Index, Index, u8),
    Insert(Index, Index),
    Splice(Index, Index, Index, Index),
    SwapWords(Index, Index),
    Byte(Index, u8),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    prop_oneof![
        1 => (at(), at()).prop_map(|(a, b)| Damage::Cut(a, b)),
        1 => (at(), at(), 1..40u8).prop_map(|(a, b, n)| Damage::Repeat(a, b, n)),
        3 => (at(), at()).prop_map(|(a, b)| Damage::Insert(a, b)),
        2 => (at(), at(), at(), at()).prop_map(|(a, b, c, d)| Damage::Splice(a, b, c, d)),
        2 => (at(), at()).prop_map(|(a, b)| Damage::SwapWords(a, b)),
        1 => (at(), any::<u8>()).prop_map(|(a, b)| Damage::Byte(a, b)),
    ]
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    proptest::collection::vec(damage(), 1..8)
}

/// A place of `text` between two characters.
fn place(text: &str, at: &Index) -> usize {
    let mut at = at.index(text.len() + 1);
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn range(text: &str, a: &Index, b: &Index, most: usize) -> std::ops::Range<usize> {
    let (a, b) = (place(text, a), place(text, b));
    let (start, end) = (a.min(b), a.max(b));
    let mut end = end.min(start + most);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    start..end
}

fn damaged(mut text: String, damages: &[Damage], others: &[(String, String)]) -> String {
    for one in damages {
        match one {
            Damage::Cut(a, b) => drop(text.drain(range(&text, a, b, 400))),
            Damage::Repeat(a, b, times) => {
                let range = range(&text, a, b, 300);
                let piece = text[range.clone()].repeat(usize::from(*times));
                text.insert_str(range.end, &piece);
            }
            Damage::Insert(at, what) => text.insert_str(place(&text, at), NASTY[what.index(NASTY.len())]),
            Damage::Splice(at, other, a, b) => {
                let other = &others[other.index(others.len())].1;
                text.insert_str(place(&text, at), &other[range(other, a, b, 600)]);
            }
            Damage::SwapWords(a, b) => text = swapped(&text, a, b),
            Damage::Byte(at, byte) => {
                let mut bytes = text.into_bytes();
                if !bytes.is_empty() {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
                text = String::from_utf8_lossy(&bytes).into_owned();
            }
        }
        if text.len() > MOST_BYTES {
            let end = (0..=MOST_BYTES).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            text.truncate(end);
        }
    }
    text
}

fn swapped(text: &str, a: &Index, b: &Index) -> String {
    let mut words: Vec<&str> = text.split_inclusive(char::is_whitespace).collect();
    if words.len() > 1 {
        let (a, b) = (a.index(words.len()), b.index(words.len()));
        words.swap(a, b);
    }
    words.concat()
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Text files below `folder`, each with its path there, in order of their paths.
fn texts(folder: &Path) -> Vec<(String, String)> {
    fn walk(root: &Path, folder: &Path, into: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (kind, path) = (entry.file_type().unwrap(), entry.path());
            // Links are not followed: one of the faults leads out of its estate.
            if kind.is_dir() {
                walk(root, &path, into);
            } else if kind.is_file()
                && let Ok(text) = fs::read_to_string(&path)
            {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                into.push((name, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.retain(|(_, text)| text.len() < MOST_BYTES);
    found.sort();
    found
}

static SQL: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let mut all = texts(&fixtures().join("sql"));
    all.retain(|(name, _)| name.ends_with(".sql"));
    all
});

static TEMPLATES: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let mut all = texts(&fixtures().join("estates"));
    all.retain(|(_, text)| text.contains("{{") || text.contains("{%"));
    all
});

/// Whole small estates: each is one list of files.
static ESTATES: LazyLock<Vec<Vec<(String, String)>>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for group in ["estates", "readers", "faults", "bi"] {
        let mut folders: Vec<PathBuf> =
            fs::read_dir(fixtures().join(group)).unwrap().map(|entry| entry.unwrap().path()).collect();
        folders.sort();
        all.extend(folders.iter().filter(|path| path.is_dir()).map(|path| texts(path)));
    }
    // The large ones cost seconds each: they are for the long run.
    all.retain(|files| std::env::var("CARVE_FUZZ_SECONDS").is_ok() || files.len() < 40);
    all.retain(|files| !files.is_empty());
    all
});

/// Runs `body` over cases of `strategy`: a few that are always the same, or random ones for as long as asked.
fn fuzz<S>(strategy: S, cases: u32, body: fn(&S::Value))
where
    S: Strategy,
    S::Value: Clone + Send + std::fmt::Debug + 'static,
{
    let config = || Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() };
    let run = |mut runner: TestRunner| {
        let outcome = runner.run(&strategy, |input| in_time(input, body));
        outcome.unwrap_or_else(|why| panic!("{why}"));
    };
    match std::env::var("CARVE_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok()) {
        None => run(TestRunner::new_with_rng(config(), TestRng::deterministic_rng(RngAlgorithm::ChaCha))),
        Some(seconds) => {
            let end = Instant::now() + Duration::from_secs(seconds);
            while Instant::now() < end {
                run(TestRunner::new(config()));
            }
            let peak = peak_memory_kib();
            assert!(peak.is_none_or(|peak| peak < MOST_MEMORY_KIB), "{peak:?} KiB of memory at most");
        }
    }
}

/// A case in a thread of its own: a panic is a failure, and so is taking too long.
fn in_time<T: Clone + Send + 'static>(input: T, body: fn(&T)) -> Result<(), TestCaseError> {
    let (done, told) = mpsc::channel();
    let worker = thread::spawn(move || {
        body(&input);
        // Nobody listens any more where it came too late.
        let _ = done.send(());
    });
    match told.recv_timeout(PATIENCE) {
        Err(mpsc::RecvTimeoutError::Timeout) => Err(TestCaseError::fail(format!("not done after {PATIENCE:?}"))),
        _ => worker.join().map_err(|_| TestCaseError::fail("it panicked")),
    }
}

fn peak_memory_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Reads SQL in a dialect, and checks that what is told stands in the text.
fn read_sql(text: &str, dialect: Option<&str>) {
    let (lineage, faults) = lineage::read_sql(text, dialect, &Default::default());
    for one in &lineage.uses {
        assert!(text.get(one.at.start..one.at.end).is_some(), "{} stands outside the text", one.dataset);
    }
    for fault in faults.iter() {
        assert!(text.get(fault.at.start..fault.at.end).is_some(), "{} stands outside the text", fault.code.code);
    }
}

#[test]
fn damaged_sql_is_read_or_told() {
    fuzz((any::<Index>(), any::<Index>(), damages()), 4 * CASES, |(file, dialect, damages)| {
        let (name, text) = &SQL[file.index(SQL.len())];
        let own = name.split('/').next().unwrap();
        // Mostly its own dialect, sometimes another, sometimes none.
        let dialect = match dialect.index(8) {
            0 => None,
            1 => Some(DIALECTS[dialect.index(DIALECTS.len())]),
            _ => Some(own),
        };
        read_sql(&damaged(text.clone(), damages, &SQL), dialect);
    });
}

#[test]
fn damaged_templates_are_read_or_told() {
    fuzz((any::<Index>(), damages()), 2 * CASES, |(file, damages)| {
        let (_, text) = &TEMPLATES[file.index(TEMPLATES.len())];
        read_sql(&damaged(text.clone(), damages, &TEMPLATES), None);
    });
}

/// Reads an estate some of whose files are damaged; without `only`, any of them.
fn read_damaged(estate: &[(String, String)], harm: &[(Index, Vec<Damage>)], only: Option<&[&str]>) {
    let mut files = estate.to_vec();
    let open: Vec<usize> = (0..files.len()).filter(|at| only.is_none_or(|kind| is_of(kind, &files[*at].0))).collect();
    for (file, damages) in harm {
        let at = open[file.index(open.len())];
        files[at].1 = damaged(std::mem::take(&mut files[at].1), damages, estate);
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in &files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    read_folder(folder.path());
}

fn is_of(kind: &[&str], name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| kind.contains(&ending))
}

/// Estates that hold files of `kind`, which alone are damaged: nobody's harm is hidden behind another's.
fn fuzz_kind(kind: &'static [&'static str]) {
    let holders: Vec<Vec<(String, String)>> =
        ESTATES.iter().filter(|files| files.iter().any(|(name, _)| is_of(kind, name))).cloned().collect();
    assert!(!holders.is_empty(), "no estate holds a file of {kind:?}");
    let harm = proptest::collection::vec((any::<Index>(), damages()), 1..4);
    let estate = any::<Index>().prop_map(move |at| holders[at.index(holders.len())].clone());
    fuzz((estate, harm, Just(kind)), CASES / 4, |(files, harm, kind)| read_damaged(files, harm, Some(kind)));
}

#[test]
fn damaged_estates_are_read_or_told() {
    let harm = proptest::collection::vec((any::<Index>(), damages()), 1..6);
    fuzz((any::<Index>(), harm), CASES / 2, |(estate, harm)| {
        read_damaged(&ESTATES[estate.index(ESTATES.len())], harm, None);
    });
}

#[test]
fn damaged_yaml_is_read_or_told() {
    fuzz_kind(&["yaml", "yml", "dig", "lkml", "lookml"]);
}

#[test]
fn damaged_python_is_read_or_told() {
    fuzz_kind(&["py"]);
}

#[test]
fn damaged_xml_is_read_or_told() {
    fuzz_kind(&["xml", "twb", "tds"]);
}

#[test]
fn damaged_json_is_read_or_told() {
    fuzz_kind(&["json", "jsonl", "pbir", "bim"]);
}

#[test]
fn damaged_scripts_of_shells_are_read_or_told() {
    fuzz_kind(&["sh", "job", "jobnet", "tf", "tmdl", "properties"]);
}

fn read_folder(folder: &Path) {
    let root = Utf8PathBuf::from_path_buf(folder.to_owned()).unwrap();
    let (estate, _) = load(&[root], &LoadOptions::default(), &Silent);
    lineage::read(&estate, &Silent);
}

fn zipped(files: &[(String, String)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        // A name that is there already is no entry of its own.
        if zip.start_file(name, zip::write::SimpleFileOptions::default()).is_ok() {
            zip.write_all(text.as_bytes()).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

static SUPERSET: LazyLock<Vec<(String, String)>> = LazyLock::new(|| texts(&fixtures().join("estates/shop/superset")));

#[test]
fn damaged_archives_are_read_or_told() {
    let harm = proptest::collection::vec((any::<Index>(), damages()), 0..4);
    let bytes = proptest::collection::vec((any::<Index>(), any::<u8>()), 0..6);
    fuzz((harm, bytes, any::<bool>()), CASES / 2, |(harm, bytes, cut)| {
        let mut files: Vec<(String, String)> =
            SUPERSET.iter().map(|(name, text)| (format!("export/{name}"), text.clone())).collect();
        for (file, damages) in harm {
            let at = file.index(files.len());
            files[at].1 = damaged(std::mem::take(&mut files[at].1), damages, &SUPERSET);
        }
        let mut packed = zipped(&files);
        for (at, byte) in bytes {
            let at = at.index(packed.len());
            packed[at] = *byte;
        }
        if *cut {
            packed.truncate(bytes.first().map_or(packed.len(), |(at, _)| at.index(packed.len())));
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("bi.zip"), packed).unwrap();
        read_folder(folder.path());
    });
}

/// Codes told of a folder that holds nothing but one archive.
fn told_of(files: &[(String, String)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bi.zip"), zipped(files)).unwrap();
    let root = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
    let (estate, faults) = load(&[root], &LoadOptions::default(), &Silent);
    assert!(estate.exposures.is_empty());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is unpacked to disk");
    faults.iter().map(|fault| fault.code.code.to_owned()).filter(|code| code != "E018").collect()
}

#[test]
fn an_archive_that_unpacks_to_very_much_or_leads_out_is_refused() {
    let metadata = ("export/metadata.yaml".to_owned(), "version: 1.0.0\ntype: assets\n".to_owned());
    let bomb = ("export/charts/a.yaml".to_owned(), " ".repeat(17 * 1024 * 1024));
    assert_eq!(told_of(&[metadata.clone(), bomb]), ["E009"]);
    for name in ["../out.yaml", "/etc/out.yaml", "export/../../out.yaml", "C:\\out.yaml"] {
        assert_eq!(told_of(&[metadata.clone(), (name.to_owned(), "a: 1\n".to_owned())]), ["E009"], "{name}");
    }
}

#[test]
fn loops_of_templates_end() {
    for text in [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}x{% endfor %}{% endfor %}{% endfor %}",
        "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}",
        "{{ 'x' * 9999999999 }}",
        "{% set x = 'aaaaaaaaaa' %}{% for i in range(60) %}{% set x = x ~ x %}{% endfor %}{{ x }}",
        "{% set ns = namespace(x='aaaaaaaaaa') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
    ] {
        let text = format!("select a from raw.t {text}");
        let started = Instant::now();
        lineage::read_sql(&text, None, &Default::default());
        assert!(started.elapsed() < PATIENCE, "{text}");
    }
}

#[test]
fn depth_of_every_kind_does_not_overflow_the_stack() {
    const DEPTH: usize = 1_500;
    let deep = |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(DEPTH), close.repeat(DEPTH));
    let texts = [
        format!("select {}", deep("(", "1", ")")),
        format!("select * from {}", deep("(select * from ", "t", ")")),
        format!("select {}", deep("case when a then ", "1", " end")),
        format!("select {}1", "not ".repeat(DEPTH)),
        format!("select {}1", "- ".repeat(DEPTH)),
        format!("select a{}", "[1]".repeat(DEPTH)),
        format!("select {}", vec!["a"; DEPTH].join(" || ")),
        format!("select a{}", "::text".repeat(DEPTH)),
        format!("select 1 {}", "union all select 1 ".repeat(DEPTH)),
        format!("select * from t {}", "join t using (a) ".repeat(DEPTH)),
        deep("begin ", "select 1", "; end"),
        deep("if a then ", "select 1;", " end if;"),
        deep("{% if a %}", "select 1", "{% endif %}"),
        format!("select {{{{ {} }}}}", deep("(", "1", ")")),
        format!("select {}", deep("array<", "int", ">")),
        format!("create table t (a {})", deep("struct<a ", "int", ">")),
        "execute immediate ".repeat(DEPTH),
        "with a as (".repeat(DEPTH),
    ];
    for text in &texts {
        for dialect in ["generic", "tsql", "bigquery", "snowflake"] {
            let started = Instant::now();
            read_sql(text, Some(dialect));
            assert!(started.elapsed() < PATIENCE, "{dialect}: {:?} for {}…", started.elapsed(), &text[..12]);
        }
    }
}
