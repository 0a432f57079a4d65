//! Whom in the estate a change of schema would break: asked before anything is published.
use crate::{
    apply::{
        context::{self, Context},
        model::{Concern, PreflightFinding},
    },
    service::{Lost, SchemaChange},
    vocab::DatasetId,
};

/// One reader of a table, as the estate shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// A job or an exposure, in words.
    pub who: String,
    /// `file:line` where it reads, as far as known.
    pub at: String,
    /// Whether it surely reads what is lost; false where nobody knows which columns it reads.
    pub surely: bool,
}

/// Knows who reads which columns. Asking may take as long as reading the estate does.
pub trait Readers: Send + Sync {
    /// Those who read `column` of `table`, or may do; all readers of the table without a column.
    fn of(&self, table: &DatasetId, column: Option<&str>) -> Vec<Reader>;
}

/// What the lake's own readers would miss: a finding each, with the cure.
pub(super) fn broken(
    context: &Context<'_>,
    changes: &[SchemaChange],
    readers: Option<&dyn Readers>,
) -> Vec<PreflightFinding> {
    let mut findings = Vec::new();
    for (change, lost) in changes.iter().filter_map(|change| Some((change, change.lost.as_ref()?))) {
        for table in live_tables(context, change) {
            let broken = match readers {
                Some(readers) => of_lost(readers, table, lost),
                None => recorded(context),
            };
            findings.extend(broken.iter().map(|reader| finding(context, change, table, reader)));
        }
    }
    findings
}

/// Those who read what is lost. Who reads a column of a key may rely on its being one, or not.
fn of_lost(readers: &dyn Readers, table: &DatasetId, lost: &Lost) -> Vec<Reader> {
    match lost {
        Lost::Endpoint => readers.of(table, None),
        Lost::Column(name) => readers.of(table, Some(name)),
        Lost::Key(names) => {
            let mut all: Vec<Reader> = names.iter().flat_map(|name| readers.of(table, Some(name))).collect();
            all.iter_mut().for_each(|reader| reader.surely = false);
            all.sort_by(|a, b| (&a.who, &a.at).cmp(&(&b.who, &b.at)));
            all.dedup_by(|a, b| a.who == b.who);
            all
        }
    }
}

/// The tables of the lake that the changed endpoint is imported into.
fn live_tables<'p>(context: &Context<'p>, change: &SchemaChange) -> impl Iterator<Item = &'p DatasetId> {
    let plan = context.plan;
    let imports = context::imports(plan).filter(|import| import.endpoint == change.endpoint).collect::<Vec<_>>();
    imports.into_iter().filter_map(move |import| context::swap_of(plan, &import.staging)).map(|swap| &swap.live)
}

/// Without the estate only the plan says who reads it, and not which columns.
fn recorded(context: &Context<'_>) -> Vec<Reader> {
    let jobs = context.plan.boundary.dependents.iter();
    jobs.map(|job| Reader { who: format!("job `{job}`"), at: "by the plan".to_owned(), surely: false }).collect()
}

fn finding(context: &Context<'_>, change: &SchemaChange, table: &DatasetId, reader: &Reader) -> PreflightFinding {
    let unclear = if reader.surely { "" } else { "; whether it reads that is not known" };
    let what = format!("{} ({}) reads `{table}`: {}{unclear}", reader.who, reader.at, change.text);
    let service = &context.plan.service;
    let hint = format!(
        "change it so that it does without, or undo the change at the origin; \
         `carve refresh {service} --accept-breaking` publishes it all the same, as a new breaking version"
    );
    PreflightFinding { step: None, concern: Concern::Blocks, what, hint: Some(hint) }
}
