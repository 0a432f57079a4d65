//! docs/SCORING.md says what the code does.
use std::collections::BTreeMap;

use carve::scoring::Parameters;

const PAGE: &str = include_str!("../../../docs/SCORING.md");

fn tables() -> BTreeMap<&'static str, Vec<&'static str>> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = rows.map(|row| row.split('|').map(|cell| cell.trim().trim_end_matches('`')).collect::<Vec<_>>());
    cells.map(|cells| (cells[0], cells)).collect()
}

#[test]
fn the_page_lists_every_default() {
    let (parameters, tables) = (Parameters::default(), tables());
    for (driver, hours) in &parameters.hours {
        let written: Vec<f64> = tables[driver][2..5].iter().map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(written, hours, "{driver}");
    }
    for (term, reference) in &parameters.references {
        assert_eq!(tables[term][2].parse::<f64>().unwrap(), *reference, "{term}");
    }
}

#[test]
fn every_knob_of_the_example_can_be_turned() {
    let example = PAGE.split("```yaml\nscoring:\n").nth(1).unwrap().split("```").next().unwrap();
    let knobs = example.lines().map(|line| {
        let (name, value) = line.split('#').next().unwrap().split_once(':').unwrap();
        (name.trim().to_owned(), value.trim().parse().unwrap())
    });
    let knobs: BTreeMap<String, f64> = knobs.collect();
    let (parameters, problems) = Parameters::with(&knobs);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(knobs.len(), 12);
    assert_ne!(parameters, Parameters::default());
}
