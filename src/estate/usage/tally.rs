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
    pub(super) time: String,
    pub(super) sql: Option<String>,
    pub(super) table: Option<String>,
    pub(super) count: Option<String>,
}

/// What is counted apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    user: Arc<str>,
    team: Option<Arc<str>>,
    day: i64,
    thing: Thing,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Table(DatasetId),
    Sql(Arc<str>),
}

struct Count {
    at: Timestamp,
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
        let when = super::time::instant(&line.time).ok_or_else(|| bad(format!("`{}` is no time", line.time)))?;
        let count = match line.count.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => text.parse().map_err(|_| bad(format!("`{text}` is no count")))?,
            None => 1,
        };
        let sql = line.sql.filter(|sql| !sql.trim().is_empty());
        let table = line.table.filter(|table| !table.trim().is_empty());
        let thing = match (table, sql) {
            (Some(table), _) => Thing::Table(table.parse().map_err(|_| bad(format!("`{table}` names no table")))?),
            (None, Some(sql)) => Thing::Sql(self.shared(&sql)),
            (None, None) => return Err(bad("neither SQL nor a table stands here".to_owned())),
        };
        let team = line.team.filter(|team| !team.trim().is_empty()).map(|team| self.shared(team.trim()));
        // Days are days of UTC.
        let day = when.as_second().div_euclid(86_400);
        let key = Key { user: self.shared(line.user.trim()), team, day, thing };
        self.count(key, when, count, at);
        Ok(())
    }

    fn count(&mut self, key: Key, at: Timestamp, count: u64, line: Span) {
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
    let what = match key.thing {
        Thing::Table(table) => UsedThing::Table(table),
        Thing::Sql(text) => UsedThing::Sql(Script {
            at: count.line.clone(),
            text,
            verbatim: false,
            templating: Templating::Generic,
            dialect: None,
            schema: None,
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
