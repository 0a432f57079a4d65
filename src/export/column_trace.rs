//! One column, followed up or down through every job.
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::Serialize;

use super::rows::ColumnRow;
use crate::vocab::DatasetId;

/// One step on the way of a column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ColumnStep {
    /// How many statements away from the column asked for, from 1.
    pub distance: u32,
    /// The step.
    #[serde(flatten)]
    pub row: ColumnRow,
}

/// The steps that lead to `column` of `dataset` (`up`) or away from it, at most `depth` statements far.
///
/// Values are followed on; an influence (a filter, a join key) is told and not followed, since it reaches whole rows.
/// A `*` on both sides keeps a column's name.
pub fn trace(rows: &[ColumnRow], dataset: &DatasetId, column: &str, up: bool, depth: Option<u32>) -> Vec<ColumnStep> {
    let mut by_near: BTreeMap<&DatasetId, Vec<&ColumnRow>> = BTreeMap::new();
    for row in rows {
        let near = if up { row.downstream.as_ref() } else { Some(&row.upstream) };
        near.into_iter().for_each(|near| by_near.entry(near).or_default().push(row));
    }
    let mut steps = BTreeSet::new();
    let mut seen = BTreeSet::from([(dataset.clone(), column.to_lowercase())]);
    let mut open = VecDeque::from([(dataset.clone(), column.to_lowercase(), 0)]);
    while let Some((dataset, column, distance)) = open.pop_front() {
        if depth.is_some_and(|depth| distance >= depth) {
            continue;
        }
        for row in by_near.get(&dataset).into_iter().flatten() {
            let Some(far) = far_column(row, &column, up) else { continue };
            steps.insert(ColumnStep { distance: distance + 1, row: (*row).clone() });
            let next = if up { Some(row.upstream.clone()) } else { row.downstream.clone() };
            if let Some(next) = next.filter(|_| row.direct)
                && seen.insert((next.clone(), far.clone()))
            {
                open.push_back((next, far, distance + 1));
            }
        }
    }
    steps.into_iter().collect()
}

/// The column at the other end of `row`, where `column` stands at the near end.
fn far_column(row: &ColumnRow, column: &str, up: bool) -> Option<String> {
    let (near, far) = match up {
        true => (&row.downstream_column, &row.upstream_column),
        false => (&row.upstream_column, &row.downstream_column),
    };
    if !(near == "*" || column == "*" || near.eq_ignore_ascii_case(column)) {
        return None;
    }
    let keeps_its_name = near == "*" && far == "*" && row.direct;
    Some(if keeps_its_name { column.to_owned() } else { far.to_lowercase() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lineage::{EdgeKind, Evidence};

    fn row(from: &str, to: &str, kind: EdgeKind) -> ColumnRow {
        let split = |text: &str| {
            let (dataset, column) = text.rsplit_once('.').unwrap();
            (dataset.parse::<DatasetId>().unwrap(), column.to_owned())
        };
        let ((upstream, upstream_column), (downstream, downstream_column)) = (split(from), split(to));
        ColumnRow {
            upstream,
            upstream_column,
            downstream: Some(downstream),
            downstream_column,
            kind,
            direct: kind.is_direct(),
            ambiguous: false,
            job: crate::vocab::JobId::new("j"),
            file: None,
            line: None,
            known: Evidence::Parsed,
        }
    }

    fn names(steps: &[ColumnStep]) -> Vec<(u32, String)> {
        let name = |step: &ColumnStep| format!("{}.{}", step.row.upstream, step.row.upstream_column);
        steps.iter().map(|step| (step.distance, name(step))).collect()
    }

    #[test]
    fn values_are_followed_and_influence_ends_the_way() {
        let rows = [
            row("s:t.*", "raw.t.*", EdgeKind::Identity),
            row("raw.t.a", "m.t.x", EdgeKind::Transformation),
            row("raw.t.day", "m.t.*", EdgeKind::Filter),
            row("m.t.x", "m.u.y", EdgeKind::Aggregation),
            row("m.t.other", "m.u.z", EdgeKind::Identity),
        ];
        let m_u = "m.u".parse().unwrap();
        let up = trace(&rows, &m_u, "Y", true, None);
        assert_eq!(
            names(&up),
            [(1, "m.t.x"), (2, "raw.t.a"), (2, "raw.t.day"), (3, "s:t.*")].map(|(at, name)| (at, name.to_owned()))
        );
        assert_eq!(trace(&rows, &m_u, "y", true, Some(1)).len(), 1);
        let down = trace(&rows, &"s:t".parse().unwrap(), "a", false, None);
        assert_eq!(down.last().unwrap().row.downstream_column, "y");
        assert!(down.iter().all(|step| step.row.upstream_column != "day"));
    }

    #[test]
    fn a_circle_ends() {
        let rows = [row("a.t.c", "a.u.c", EdgeKind::Identity), row("a.u.c", "a.t.c", EdgeKind::Identity)];
        assert_eq!(trace(&rows, &"a.t".parse().unwrap(), "c", true, None).len(), 2);
    }
}
