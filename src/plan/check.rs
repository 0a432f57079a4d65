//! Is a plan still true of the estate it was made from? Judged per step.
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Action, Plan, Step, inputs::meaning};
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
}

/// The steps of `plan` that no longer fit, `read` giving the estate's files as they are now.
/// A file that a step itself has already edited is not stale.
pub fn check(plan: &Plan, read: &dyn Fn(&Utf8Path) -> Option<String>) -> Vec<StaleStep> {
    let edited = edited_files(plan);
    let changed: BTreeMap<&Utf8Path, Change> = plan
        .inputs
        .iter()
        .filter_map(|input| {
            let after = edited.get(input.file.as_path());
            let change = match read(&input.file) {
                None => Change::Gone,
                Some(text) if Digest::of(&text) == input.bytes => return None,
                Some(text) if after == Some(&Digest::of(&text)) => return None,
                Some(text) if meaning(&input.file, &text) == input.meaning => Change::Spelling,
                Some(_) => Change::Meaning,
            };
            Some((input.file.as_path(), change))
        })
        .collect();
    plan.steps.iter().flat_map(|step| stale_files(step, &changed)).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Gone,
    Meaning,
    /// Comments or spacing only: harmless but to edits by span.
    Spelling,
}

fn edited_files(plan: &Plan) -> BTreeMap<&Utf8Path, Digest> {
    let edits = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Repoint(repoint) => Some(&repoint.files),
        _ => None,
    });
    edits.flatten().map(|edit| (edit.file.as_path(), edit.after)).collect()
}

fn stale_files(step: &Step, changed: &BTreeMap<&Utf8Path, Change>) -> Vec<StaleStep> {
    let edits: Vec<&Utf8Path> = match &step.action {
        Action::Repoint(repoint) => repoint.files.iter().map(|edit| edit.file.as_path()).collect(),
        _ => Vec::new(),
    };
    let stale = |file: &Utf8Path| {
        let because = match changed.get(file)? {
            Change::Gone => "the file is gone",
            Change::Meaning => "the file means something else now",
            Change::Spelling if edits.contains(&file) => "the file's text moved, so the edit no longer fits",
            Change::Spelling => return None,
        };
        Some(StaleStep { step: step.id.clone(), file: file.to_owned(), because: because.to_owned() })
    };
    step.relies_on.iter().filter_map(|file| stale(file)).collect()
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
    fn a_comment_stales_only_the_edit_of_that_file() {
        assert_eq!(stale_with(Some(&format!("-- hello\n{SQL}"))), ["orders.repoint"]);
    }

    #[test]
    fn a_changed_query_stales_every_step_that_relies_on_it() {
        assert_eq!(stale_with(Some("select 2 from raw.orders")), ["orders.publish", "orders.repoint"]);
        assert_eq!(stale_with(None), ["orders.publish", "orders.repoint"]);
    }

    #[test]
    fn an_edit_already_made_is_not_stale() {
        assert!(stale_with(Some(SQL_AFTER)).is_empty());
    }
}
