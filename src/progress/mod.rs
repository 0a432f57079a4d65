//! What the library tells while it works. The console shows it; tests record it; nobody prints here.
use std::sync::{Mutex, PoisonError};

/// Something that happened during long work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgressEvent {
    /// Work called `name` began; `total` units are expected where that is known.
    Started {
        /// What is being done, in a few words: `reading files`.
        name: String,
        /// Units expected.
        total: Option<u64>,
        /// What a unit is: `files`, `rows`, `steps`.
        unit: &'static str,
    },
    /// `done` units of `name` are done so far.
    Advanced {
        /// The work's name.
        name: String,
        /// Units done since the start.
        done: u64,
    },
    /// The work called `name` ended; `summary` says how, in a few words.
    Finished {
        /// The work's name.
        name: String,
        /// `1,204 files`.
        summary: String,
    },
    /// A line a person should see now.
    Said(String),
}

/// Hears what happens. Called from any thread; must be quick.
pub trait Progress: Send + Sync {
    /// Hears one event.
    fn on(&self, event: &ProgressEvent);

    /// Tells that work began.
    fn started(&self, name: &str, total: Option<u64>, unit: &'static str) {
        self.on(&ProgressEvent::Started { name: name.to_owned(), total, unit });
    }

    /// Tells how far work is.
    fn advanced(&self, name: &str, done: u64) {
        self.on(&ProgressEvent::Advanced { name: name.to_owned(), done });
    }

    /// Tells that work ended.
    fn finished(&self, name: &str, summary: &str) {
        self.on(&ProgressEvent::Finished { name: name.to_owned(), summary: summary.to_owned() });
    }

    /// Tells a line.
    fn say(&self, line: &str) {
        self.on(&ProgressEvent::Said(line.to_owned()));
    }
}

/// Tells another what it hears, under a name of its own: where several services are at work at a time.
pub struct Named<P> {
    name: String,
    inner: P,
}

impl<P: Progress> Named<P> {
    /// Tells `inner`, with `name` before every piece of work and every line.
    pub fn new(name: impl Into<String>, inner: P) -> Self {
        Named { name: name.into(), inner }
    }
}

impl<P: Progress> Progress for Named<P> {
    fn on(&self, event: &ProgressEvent) {
        let named = |text: &str| format!("{}: {text}", self.name);
        self.inner.on(&match event {
            ProgressEvent::Started { name, total, unit } => {
                ProgressEvent::Started { name: named(name), total: *total, unit }
            }
            ProgressEvent::Advanced { name, done } => ProgressEvent::Advanced { name: named(name), done: *done },
            ProgressEvent::Finished { name, summary } => {
                ProgressEvent::Finished { name: named(name), summary: summary.clone() }
            }
            ProgressEvent::Said(line) => ProgressEvent::Said(named(line)),
        });
    }
}

/// Hears and keeps quiet.
#[derive(Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn on(&self, _: &ProgressEvent) {}
}

/// Hears and remembers, for tests.
#[derive(Debug, Default)]
pub struct Recorded(Mutex<Vec<ProgressEvent>>);

impl Recorded {
    /// Everything heard so far.
    pub fn events(&self) -> Vec<ProgressEvent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Progress for Recorded {
    fn on(&self, event: &ProgressEvent) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
    }
}
