//! Is a plan still true of the estate it was made from? Judged per step, by what the step reads.
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    Action, FileEdit, Fit, FitKnown, Plan, StandingEdits, Step,
    fit::{fit, is_as_planned},
};
use crate::vocab::Digest;

/// What a check may ask of the estate.
pub struct CheckInputs<'a> {
    /// The text of a file as it is now; `None` when it cannot be read as text.
    pub read: &'a dyn Fn(&Utf8Path) -> Option<String>,
    /// The edits that carve has made in a file and not undone, but for those of a step of the plan.
    pub edits: &'a dyn Fn(&Utf8Path, Option<&str>) -> StandingEdits<'a>,
}

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

/// The steps of `plan` that no longer fit. A file that a step itself has already edited is not stale, and neither is
/// one in which only comments, spacing, the jobs of others or other edits of carve came and went.
pub fn check(plan: &Plan, inputs: &CheckInputs<'_>) -> Vec<StaleStep> {
    let edited = edited_files(plan);
    let changed: BTreeMap<&Utf8Path, &'static str> = plan
        .inputs
        .iter()
        .filter_map(|input| {
            let file = input.file.as_path();
            let Some(text) = (inputs.read)(file) else { return Some((file, "the file is gone")) };
            let meaning = |text: &str| plan.meaning_of(file, text);
            let as_planned = edited.get(file) == Some(&Digest::of(&text))
                || is_as_planned(&text, input.bytes, input.meaning, &(inputs.edits)(file, None), &meaning);
            (!as_planned).then_some((file, "the file means something else now"))
        })
        .collect();
    plan.steps.iter().flat_map(|step| stale_files(plan, step, &changed, inputs)).collect()
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
    inputs: &CheckInputs<'_>,
) -> Vec<StaleStep> {
    let stale = |file: &Utf8Path, because: &str| StaleStep {
        step: step.id.clone(),
        file: file.to_owned(),
        because: because.to_owned(),
        needed_by: needed_by(plan, &step.id),
    };
    let meant = step.relies_on.iter().filter_map(|file| Some(stale(file, changed.get(file.as_path())?)));
    let moved = edits_that_moved_too_far(plan, step, inputs).into_iter();
    let moved = moved.filter(|(file, _)| !changed.contains_key(file)).map(|(file, because)| stale(file, &because));
    meant.chain(moved).collect()
}

/// Edits whose file means the same, but whose place in it is not found again.
fn edits_that_moved_too_far<'p>(
    plan: &'p Plan,
    step: &'p Step,
    inputs: &CheckInputs<'_>,
) -> Vec<(&'p Utf8Path, String)> {
    let Action::Repoint(repoint) = &step.action else { return Vec::new() };
    let misfit = |edit: &'p FileEdit| {
        let text = (inputs.read)(&edit.file)?;
        let meaning = |text: &str| plan.meaning_of(&edit.file, text);
        let standing = (inputs.edits)(&edit.file, Some(&step.id));
        match fit(edit, &text, &FitKnown { standing: &standing, own: None, meaning: &meaning }) {
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

    fn checked(read: &dyn Fn(&Utf8Path) -> Option<String>) -> Vec<StaleStep> {
        check(&small_plan(), &CheckInputs { read, edits: &|_, _| StandingEdits::default() })
    }

    fn stale_with(text: Option<&str>) -> Vec<String> {
        let stale = checked(&|_| text.map(str::to_owned));
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
        let stale = checked(&|_| None);
        assert_eq!((&stale[0].needed_by[..], stale[1].needed_by.len()), (&["orders.repoint".to_owned()][..], 0));
    }

    #[test]
    fn a_changed_file_that_no_step_reads_stales_nothing() {
        let stale = checked(&|file| Some(if file == "a.sql" { SQL } else { "changed" }.to_owned()));
        assert!(stale.is_empty());
    }

    #[test]
    fn an_edit_already_made_is_not_stale() {
        assert!(stale_with(Some(SQL_AFTER)).is_empty());
    }
}
