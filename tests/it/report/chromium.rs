//! A browser opens the page: what it builds from it, and whether it asks for anything else.
use std::{env, fs, path::PathBuf, process::Command};

use carve::report::{RenderOptions, build, render};

use super::{pages::text, shop};

/// The browser named by `CARVE_CHROMIUM`, else the first found on `PATH`; `None`, said aloud, where
/// there is none.
fn chromium() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CARVE_CHROMIUM") {
        return Some(named.into());
    }
    let names = ["chromium", "chromium-browser", "google-chrome", "chrome"];
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name))).find(|p| p.is_file());
    if found.is_none() {
        assert!(env::var_os("CARVE_REQUIRE_CHROMIUM").is_none(), "chromium is required and not on PATH");
        eprintln!("skipped: no chromium on PATH (set CARVE_CHROMIUM to its path)");
    }
    found
}

/// What a page became in the browser, and the requests that it made over a network.
struct Opened {
    dom: String,
    requests: Vec<String>,
}

fn open(browser: PathBuf, html: &str) -> Opened {
    let folder = tempfile::tempdir().unwrap();
    let (page, log) = (folder.path().join("index.html"), folder.path().join("net.json"));
    fs::write(&page, html).unwrap();
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
    // The browser speaks to its maker by itself; what a page from disk asks for bears the page's own key.
    let log = fs::read_to_string(&log).unwrap();
    let of_page = |line: &&str| line.contains("\"network_isolation_key\":\"file://") && line.contains("\"url\":\"http");
    let requests = log.lines().filter(of_page).map(str::to_owned).collect();
    Opened { dom: String::from_utf8(output.stdout).unwrap(), requests }
}

#[test]
fn the_page_opens_in_a_browser_with_all_its_sections_and_asks_for_nothing() {
    let Some(browser) = chromium() else { return };
    let files = render(&build(&shop::shop().inputs()), &RenderOptions::default()).unwrap();
    let opened = open(browser, &text(&files, "index.html"));
    for section in ["decision", "candidates", "ranking", "sequence", "services", "estate", "coverage", "method"] {
        assert!(opened.dom.contains(&format!("<section id=\"{section}\">")), "{section}");
    }
    // The script ran to its end: it made headings into buttons and names into links.
    assert!(opened.dom.contains("<th class=\"num\"><button>Rank</button></th>"));
    assert!(opened.dom.contains("<button class=\"open\" data-dataset=\"0\">"));
    assert_eq!(opened.requests, Vec::<String>::new());
}

#[test]
fn a_page_that_asks_for_a_picture_is_caught() {
    let Some(browser) = chromium() else { return };
    // Port 9 (discard) answers nobody: the request is what counts.
    let opened = open(browser, "<!DOCTYPE html><title>x</title><img src=\"http://127.0.0.1:9/x.png\">");
    assert!(!opened.requests.is_empty());
}
