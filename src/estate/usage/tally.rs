//! Adds up reads per user, day and thing, so that a log of any length fits.
use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{Script, Templating, Usage, UsedThing},
    vocab::{DatasetId, Span},
};

/// Bytes of SQL and names kept per log; reads of further things are left out and told.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// One line of a log, as its format gives it.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) user: String,
    pub(super) team: Option<String>,
    pub(super) time: Option<String>,
    /// Whether the line may do without a time: it sums up.
    pub(super) timeless: bool,
    pub(super) count: Option<String>,
    pub(super) things: Vec<Thing>,
    /// The dialect of its SQL, where the log says whose it is.
    pub(super) dialect: Option<&'static str>,
    /// The schema of tables that its SQL names without one.
    pub(super) schema: Option<String>,
}

/// What a line names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Thing {
    Table(String),
    Sql(String),
    /// A chart or dashboard by its number in the tool.
    Exposure(&'static str, u64),
}

/// What is counted apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    user: Arc<str>,
    team: Option<Arc<str>>,
    day: Option<i64>,
    used: Used,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Used {
    Table(DatasetId),
    Sql { text: Arc<str>, schema: Option<Arc<str>>, dialect: Option<&'static str> },
    Exposure(&'static str, u64),
}

struct Count {
    at: Option<Timestamp>,
    count: u64,
    line: Span,
}

/// The reads of one log so far.
#[derive(Default)]
pub(super) struct Tally {
    counts: BTreeMap<Key, Count>,
    names: std::collections::BTreeSet<Arc<str>>,
    bytes: usize,
    full: Option<Span>,
}

impl Tally {
    /// Adds `line`, which stands at `at`.
    pub(super) fn add(&mut self, line: Line, at: Span) -> Result<(), Diagnostic> {
        let bad = |here: String| Diagnostic::new(CodeEntry::E050, at.clone(), here);
        let when = match line.time.as_deref() {
            None if line.timeless => None,
            time => {
                let time = time.unwrap_or_default();
                Some(super::time::instant(time).ok_or_else(|| bad(format!("`{time}` is no time")))?)
            }
        };
        let count = match line.count.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => text.parse().map_err(|_| bad(format!("`{text}` is no count")))?,
            None => 1,
        };
        if line.things.is_empty() {
            return Err(bad("neither SQL nor a table stands here".to_owned()));
        }
        let team = line.team.filter(|team| !team.trim().is_empty()).map(|team| self.shared(team.trim()));
        let schema = line.schema.map(|schema| self.shared(schema.trim()));
        // Days are days of UTC.
        let day = when.map(|when| when.as_second().div_euclid(86_400));
        let user = self.shared(line.user.trim());
        for thing in line.things {
            let used = match thing {
                Thing::Table(table) => {
                    Used::Table(table.parse().map_err(|_| bad(format!("`{table}` names no table")))?)
                }
                Thing::Sql(sql) => Used::Sql { text: self.shared(&sql), schema: schema.clone(), dialect: line.dialect },
                Thing::Exposure(kind, number) => Used::Exposure(kind, number),
            };
            let key = Key { user: user.clone(), team: team.clone(), day, used };
            self.count(key, when, count, at.clone());
        }
        Ok(())
    }

    fn count(&mut self, key: Key, at: Option<Timestamp>, count: u64, line: Span) {
        let known = self.counts.contains_key(&key);
        if !known && self.bytes > MOST_BYTES {
            self.full.get_or_insert(line);
            return;
        }
        if !known {
            self.bytes += size_of::<Key>() + size_of::<Count>();
        }
        let entry = self.counts.entry(key).or_insert(Count { at, count: 0, line });
        entry.count = entry.count.saturating_add(count);
        entry.at = entry.at.min(at);
    }

    /// One copy of each text.
    fn shared(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.names.get(text) {
            return known.clone();
        }
        let text: Arc<str> = text.into();
        self.bytes += text.len();
        if self.bytes <= MOST_BYTES {
            self.names.insert(text.clone());
        }
        text
    }

    /// The reads, in the order of the log's lines, and what did not fit.
    pub(super) fn finish(self) -> (Vec<Usage>, Option<Diagnostic>) {
        let mut usage: Vec<Usage> = self.counts.into_iter().map(|(key, count)| usage(key, count)).collect();
        usage.sort_by_key(|usage| usage.line.start);
        let full = self.full.map(|at| {
            Diagnostic::new(
                CodeEntry::E003,
                at,
                "the log names more different queries than fit; new ones from here on are left out",
            )
        });
        (usage, full)
    }
}

fn usage(key: Key, count: Count) -> Usage {
    let what = match key.used {
        Used::Table(table) => UsedThing::Table(table),
        Used::Exposure(kind, number) => UsedThing::Exposure { kind, number },
        Used::Sql { text, schema, dialect } => UsedThing::Sql(Script {
            at: count.line.clone(),
            text,
            verbatim: false,
            templating: Templating::Generic,
            dialect: dialect.map(str::to_owned),
            schema: schema.map(|schema| schema.to_string()),
            target: None,
            materialized: None,
            params: BTreeMap::new(),
        }),
    };
    Usage {
        user: key.user.to_string(),
        team: key.team.map(|team| team.to_string()),
        at: count.at,
        count: count.count,
        what,
        line: count.line,
    }
}
