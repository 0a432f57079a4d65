//! A browser opens the page: what it builds from it, and whether it asks for anything else.
use std::{env, fs, path::PathBuf, process::Command};

use carve::report::{RenderOptions, build, render};

use super::{pages::text, shop};

/// The browser named by `CARVE_CHROMIUM`, else the first found on `PATH`.
fn chromium() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CARVE_CHROMIUM") {
        return Some(named.into());
    }
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name))).find(|path| path.is_file())
}

#[test]
fn the_page_opens_in_a_browser_with_all_its_sections() {
    let Some(browser) = chromium() else {
        assert!(env::var_os("CARVE_REQUIRE_CHROMIUM").is_none(), "chromium is required and not on PATH");
        eprintln!("skipped: no chromium on PATH (set CARVE_CHROMIUM to its path)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let files = render(&build(&shop::shop().inputs()), &RenderOptions::default()).unwrap();
    let page = folder.path().join("index.html");
    fs::write(&page, text(&files, "index.html")).unwrap();
    let log = folder.path().join("net.json");
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--virtual-time-budget=4000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("--log-net-log={}", log.display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let dom = String::from_utf8(output.stdout).unwrap();
    for section in ["decision", "candidates", "ranking", "sequence", "services", "estate", "coverage", "method"] {
        assert!(dom.contains(&format!("<section id=\"{section}\">")), "{section}");
    }
    // The script ran to its end: it made headings into buttons and names into links.
    assert!(dom.contains("<th class=\"num\"><button>Rank</button></th>"));
    assert!(dom.contains("<button class=\"open\" data-dataset=\"0\">"));
    // The browser speaks to its maker by itself; the page must ask for nothing.
    let log = fs::read_to_string(&log).unwrap_or_default();
    let asked: Vec<&str> = log.lines().filter(|line| line.contains("\"initiator\":\"file://")).collect();
    assert!(asked.is_empty(), "{asked:?}");
}
