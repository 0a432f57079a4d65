//! A plan's canonical bytes: YAML in the order of the model's fields, sealed by its own hash.
use super::Plan;
use crate::vocab::Digest;

/// The one format this version writes and reads.
pub(super) const FORMAT: &str = "carve-plan/1";

const HEADER: &str = "\
# Drafted by `carve plan`. Review it; change it by changing carve.yaml and planning again: `carve apply`
# refuses a plan whose lines do not match its id.
";

/// Why a plan file is not used.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// It cannot be read, or is no text.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[source] std::io::Error),
    /// It is no plan.
    #[error("the text is no plan")]
    Malformed(#[source] serde_yaml::Error),
    /// It was written by another version.
    #[error("the plan's format is `{found}`; this carve reads `{FORMAT}`")]
    Format {
        /// What it says.
        found: String,
    },
    /// It was changed by hand.
    #[error("the plan was altered: it says {said}, its lines make {found}")]
    Altered {
        /// The id it carries.
        said: Digest,
        /// The id its lines make.
        found: Digest,
    },
    /// A plan cannot be written down.
    #[error("the plan cannot be written as YAML")]
    Unwritable(#[source] serde_yaml::Error),
}

/// The plan's bytes. The same plan gives the same bytes on every machine.
///
/// # Errors
/// [`PlanFileError::Unwritable`] when the YAML writer refuses a value.
pub fn to_text(plan: &Plan) -> Result<String, PlanFileError> {
    Ok(format!("{HEADER}{}", body(plan)?))
}

/// Reads a plan and holds it against its id. Comments and spacing may differ; values may not.
///
/// # Errors
/// Every variant but [`PlanFileError::Unwritable`].
pub fn from_text(text: &str) -> Result<Plan, PlanFileError> {
    let found = format_of(text)?;
    if found != FORMAT {
        return Err(PlanFileError::Format { found });
    }
    let plan: Plan = serde_yaml::from_str(text).map_err(PlanFileError::Malformed)?;
    let id = id_of(&plan)?;
    match id == plan.id {
        true => Ok(plan),
        false => Err(PlanFileError::Altered { said: plan.id, found: id }),
    }
}

/// The hash of everything but the id.
pub(super) fn id_of(plan: &Plan) -> Result<Digest, PlanFileError> {
    let own_line = format!("id: {}", plan.id);
    let body = body(plan)?;
    let rest: Vec<&str> = body.lines().filter(|line| *line != own_line).collect();
    Ok(Digest::of(rest.join("\n")))
}

fn body(plan: &Plan) -> Result<String, PlanFileError> {
    serde_yaml::to_string(plan).map_err(PlanFileError::Unwritable)
}

// The format is looked at first: a newer plan may have keys that this version would call malformed.
fn format_of(text: &str) -> Result<String, PlanFileError> {
    #[derive(serde::Deserialize)]
    struct Head {
        format: String,
    }
    serde_yaml::from_str::<Head>(text).map(|head| head.format).map_err(PlanFileError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests_support::small_plan;

    #[test]
    fn a_plan_reads_back_as_it_was() {
        let plan = small_plan();
        assert_eq!(from_text(&to_text(&plan).unwrap()).unwrap(), plan);
    }

    #[test]
    fn a_comment_leaves_a_plan_whole_and_a_changed_value_does_not() {
        let text = to_text(&small_plan()).unwrap();
        assert!(from_text(&format!("# seen by Ana\n{text}")).is_ok());
        let altered = text.replace("rows_per_part: 1000", "rows_per_part: 9");
        assert_ne!(altered, text);
        assert!(matches!(from_text(&altered), Err(PlanFileError::Altered { .. })));
        let unknown = text.replace("summary:", "sumary:");
        assert!(matches!(from_text(&unknown), Err(PlanFileError::Malformed(_))));
    }

    #[test]
    fn a_plan_of_another_format_is_named_not_guessed() {
        let text = to_text(&small_plan()).unwrap().replace(FORMAT, "carve-plan/9");
        assert!(matches!(from_text(&text), Err(PlanFileError::Format { found }) if found == "carve-plan/9"));
    }
}
