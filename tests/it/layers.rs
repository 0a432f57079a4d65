//! The flow between the rooms is one way, and this list keeps it. Its picture is docs/ARCHITECTURE.md.
use std::{collections::BTreeSet, fs, path::Path};

const MAY_USE: &[(&str, &[&str])] = &[
    ("vocab", &[]),
    ("diagnostics", &["vocab"]),
    ("progress", &["vocab"]),
    ("estate", &["vocab", "diagnostics", "progress"]),
    ("lineage", &["vocab", "diagnostics", "progress", "estate"]),
    ("graph", &["vocab", "diagnostics", "estate", "lineage"]),
    ("export", &["vocab", "diagnostics", "estate", "lineage", "graph"]),
    ("scoring", &["vocab", "estate", "lineage", "graph"]),
    ("plan", &["vocab", "diagnostics", "estate", "lineage", "graph", "scoring"]),
    ("service", &["vocab"]),
    ("connector", &["vocab", "service"]),
    ("reconcile", &["vocab", "service", "connector"]),
    ("apply", &["vocab", "progress", "plan", "service", "connector", "reconcile"]),
    ("switchover", &["vocab", "estate", "lineage", "plan", "connector"]),
    ("catalog", &["vocab", "plan", "service", "apply"]),
    (
        "report",
        &["vocab", "diagnostics", "estate", "lineage", "graph", "scoring", "plan", "apply", "switchover", "catalog"],
    ),
    ("console", &["vocab", "diagnostics", "progress", "report"]),
];

#[test]
fn every_room_imports_only_rooms_below_it() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let rooms: BTreeSet<String> = fs::read_dir(&src)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    let mut faults = Vec::new();
    for room in rooms.iter().filter(|room| *room != "cli") {
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| name == room) else {
            faults.push(format!("{room}: a room without an entry in this list"));
            continue;
        };
        for (file, text) in rust_files(&src.join(room)) {
            for used in rooms_used(&text, &rooms) {
                if used != *room && !allowed.contains(&used.as_str()) {
                    faults.push(format!("{file}: {room} may not use {used}"));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Rooms named after `crate::`, one by one or in a brace list.
fn rooms_used(text: &str, rooms: &BTreeSet<String>) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let scope = match rest.starts_with('{') {
            true => &rest[..rest.find(';').unwrap_or(rest.len())],
            false => &rest[..rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len())],
        };
        let mut depth = 0;
        let mut word = String::new();
        for c in scope.chars().chain([' ']) {
            match c {
                c if c.is_alphanumeric() || c == '_' => word.push(c),
                _ => {
                    let top = depth <= 1;
                    if top && rooms.contains(&word) {
                        used.insert(word.clone());
                    }
                    word.clear();
                    depth += i32::from(c == '{') - i32::from(c == '}');
                }
            }
        }
    }
    used
}

fn rust_files(folder: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
        }
    }
    files
}

#[test]
fn a_brace_list_is_seen_through() {
    let rooms = ["vocab", "plan", "apply"].map(String::from).into();
    let used = rooms_used("use crate::{\n    plan::{Plan, apply},\n    vocab::X,\n};\nuse crate::apply::Y;", &rooms);
    assert_eq!(used, ["apply", "plan", "vocab"].map(String::from).into());
    let used = rooms_used("use crate::{plan::{Plan, apply}, vocab::X};", &rooms);
    assert_eq!(used, ["plan", "vocab"].map(String::from).into());
}
