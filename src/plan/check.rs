//! Is a plan still true of the estate it was made from? Judged per step, by what the step reads.
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Action, Fit, FitKnown, Plan, Step, fit};
use crate::vocab::Digest;

/// A step that no longer fits the estate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaleStep {
    /// Its id.
    pub step: String,
    /// The file that changed.
    pub file: Utf8PathBuf,
    /// What happened to it.
    pub because: String,
    /// Ids of the steps that cannot be done without it, in the plan's order.
    pub needed_by: Vec<String>,
}

/// The steps of `plan` that no longer fit, `read` giving the estate's files as they are now, but for the edits that
/// carve itself has made since (see [`without_edits`](super::without_edits)). A file that a step itself has already
/// edited is not stale, and neither is one in which comments, spacing or the jobs of others changed.
pub fn check(plan: &Plan, read: &dyn Fn(&Utf8Path) -> Option<String>) -> Vec<StaleStep> {
    let edited = edited_files(plan);
    let changed: BTreeMap<&Utf8Path, &'static str> = plan
        .inputs
        .iter()
        .filter_map(|input| {
            let because = match read(&input.file) {
                None => "the file is gone",
                Some(text) if Digest::of(&text) == input.bytes => return None,
                Some(text) if edited.get(input.file.as_path()) == Some(&Digest::of(&text)) => return None,
                Some(text) if plan.meaning_of(&input.file, &text) == input.meaning => return None,
                Some(_) => "the file means something else now",
            };
            Some((input.file.as_path(), because))
        })
        .collect();
    plan.steps.iter().flat_map(|step| stale_files(plan, step, &changed, read)).collect()
}

fn edited_files(plan: &Plan) -> BTreeMap<&Utf8Path, Digest> {
    let edits = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Repoint(repoint) => Some(&repoint.files),
        _ => None,
    });
    edits.flatten().map(|edit| (edit.file.as_path(), edit.after)).collect()
}

fn stale_files(
    plan: &Plan,
    step: &Step,
    changed: &BTreeMap<&Utf8Path, &'static str>,
    read: &dyn Fn(&Utf8Path) -> Option<String>,
) -> Vec<StaleStep> {
    let stale = |file: &Utf8Path, because: &str| StaleStep {
        step: step.id.clone(),
        file: file.to_owned(),
        because: because.to_owned(),
        needed_by: needed_by(plan, &step.id),
    };
    let meant = step.relies_on.iter().filter_map(|file| Some(stale(file, changed.get(file.as_path())?)));
    let moved = edits_that_moved_too_far(plan, step, read).into_iter();
    let moved = moved.filter(|(file, _)| !changed.contains_key(file)).map(|(file, because)| stale(file, &because));
    meant.chain(moved).collect()
}

/// Edits whose file means the same, but whose place in it is not found again.
fn edits_that_moved_too_far<'p>(
    plan: &'p Plan,
    step: &'p Step,
    read: &dyn Fn(&Utf8Path) -> Option<String>,
) -> Vec<(&'p Utf8Path, String)> {
    let Action::Repoint(repoint) = &step.action else { return Vec::new() };
    let misfit = |edit: &'p super::FileEdit| {
        let text = read(&edit.file)?;
        let meaning = |text: &str| plan.meaning_of(&edit.file, text);
        match fit(edit, &text, &FitKnown { others: &[], own: None, meaning: &meaning }) {
            Fit::Neither(because) => Some((edit.file.as_path(), format!("the file {because}"))),
            Fit::Before { .. } | Fit::After { .. } => None,
        }
    };
    repoint.files.iter().filter_map(misfit).collect()
}

/// Steps that need `stale`, directly or through others.
fn needed_by(plan: &Plan, stale: &str) -> Vec<String> {
    let mut found: Vec<&str> = vec![stale];
    for step in &plan.steps {
        if step.needs.iter().any(|need| found.contains(&need.as_str())) && !found.contains(&step.id.as_str()) {
            found.push(&step.id);
        }
    }
    found[1..].iter().map(|id| (*id).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests_support::{SQL, SQL_AFTER, small_plan};

    fn stale_with(text: Option<&str>) -> Vec<String> {
        let stale = check(&small_plan(), &|_| text.map(str::to_owned));
        stale.into_iter().map(|stale| stale.step).collect()
    }

    #[test]
    fn an_unchanged_estate_is_not_stale() {
        assert!(stale_with(Some(SQL)).is_empty());
    }

    #[test]
    fn a_comment_stales_nothing() {
        assert!(stale_with(Some(&format!("-- hello from raw.orders\n{SQL}"))).is_empty());
    }

    #[test]
    fn an_edit_whose_place_is_not_found_again_is_stale_alone() {
        // The same meaning, but nowhere the name that is to be replaced.
        assert_eq!(stale_with(Some("select 1 from RAW.orders")), ["orders.repoint"]);
    }

    #[test]
    fn a_changed_query_stales_every_step_that_relies_on_it_and_names_those_that_need_it() {
        assert_eq!(stale_with(Some("select 2 from raw.orders")), ["orders.publish", "orders.repoint"]);
        assert_eq!(stale_with(None), ["orders.publish", "orders.repoint"]);
        let stale = check(&small_plan(), &|_| None);
        assert_eq!((&stale[0].needed_by[..], stale[1].needed_by.len()), (&["orders.repoint".to_owned()][..], 0));
    }

    #[test]
    fn a_changed_file_that_no_step_reads_stales_nothing() {
        let stale = check(&small_plan(), &|file| Some(if file == "a.sql" { SQL } else { "changed" }.to_owned()));
        assert!(stale.is_empty());
    }

    #[test]
    fn an_edit_already_made_is_not_stale() {
        assert!(stale_with(Some(SQL_AFTER)).is_empty());
    }
}
