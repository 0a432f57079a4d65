//! What tests of the real binary share: a demo estate built once, copies of it, and runs of carve.
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
};

/// Enough rows for several parts a table, few enough to copy in a moment.
const SCALE: &str = "0.004";

/// A folder that ends with the test.
pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// The real binary with these arguments, in `at`, away from the user's own settings.
pub(crate) fn carve(at: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_carve"));
    command.current_dir(at).args(arguments).env("NO_COLOR", "1").env_remove("CARVE_TEST_CRASH_AT");
    command
}

/// Runs carve and expects this exit code; gives back standard output.
pub(crate) fn run(at: &Path, arguments: &[&str], code: i32) -> String {
    let output = carve(at, arguments).output().unwrap();
    expect(&output, arguments, code);
    String::from_utf8(output.stdout).unwrap()
}

/// Fails with everything that was said when the exit code is another.
pub(crate) fn expect(output: &Output, arguments: &[&str], code: i32) {
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (said(&output.stdout), said(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "carve {}\n{out}\n{err}", arguments.join(" "));
}

/// A demo before its apply, in a folder of the test's own.
pub(crate) fn planned() -> (tempfile::TempDir, PathBuf) {
    static DEMO: OnceLock<tempfile::TempDir> = OnceLock::new();
    let demo = DEMO.get_or_init(|| {
        let folder = folder();
        run(folder.path(), &["demo", "shop", "--scale", SCALE, "--no-apply"], 0);
        folder
    });
    let copy = folder();
    let target = copy.path().join("shop");
    copy_all(&demo.path().join("shop"), &target);
    (copy, target)
}

/// Points the bucket in carve.yaml of a demo's `shop` elsewhere.
pub(crate) fn set_bucket(shop: &Path, url: &str) {
    let file = shop.join("carve.yaml");
    let settings = fs::read_to_string(&file).unwrap();
    assert!(settings.contains("file:bucket"), "{settings}");
    fs::write(file, settings.replace("file:bucket", url)).unwrap();
}

/// The service that the demo's ranking puts first.
pub(crate) fn first_service(shop: &Path) -> String {
    let ranking: serde_json::Value =
        serde_json::from_str(&run(shop, &["plan", "--dry-run", "--format", "json"], 0)).unwrap();
    ranking["candidates"][0]["candidate"]["name"].as_str().unwrap().to_owned()
}

pub(crate) fn copy_all(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_all(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Every file below `folder`, by its path from there.
pub(crate) fn files(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => drop(found.insert(path.strip_prefix(folder).unwrap().to_owned(), fs::read(&path).unwrap())),
            }
        }
    }
    found
}

/// Whether this user may mount within namespaces of their own.
pub(crate) fn may_mount() -> bool {
    let tried = Command::new("unshare").args(["-rm", "sh", "-c", "mount -t tmpfs tmpfs /mnt"]).output();
    let may = tried.is_ok_and(|output| output.status.success());
    if !may {
        eprintln!("SKIPPED: no small file system can be mounted here, so this was not tried");
    }
    may
}

/// A shell script with `carve` as a function, in mount and user namespaces of its own.
pub(crate) fn in_namespace(shop: &Path, script: &str) -> Output {
    let carve = env!("CARGO_BIN_EXE_carve");
    let script = format!("set -u; cd {shop:?}; carve() {{ {carve:?} \"$@\"; }}\n{script}");
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", &script]).env("NO_COLOR", "1").env_remove("CARVE_TEST_CRASH_AT");
    command.output().unwrap()
}
