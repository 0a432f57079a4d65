//! Conditions that nobody can decide: each is remembered, and later renderings take the other way.
use std::cell::Cell;

use minijinja::{Environment, value::Value};

thread_local! {
    /// Whether something unknown was asked for since the last condition began.
    static TOUCHED: Cell<bool> = const { Cell::new(false) };
    /// Conditions of this rendering that nobody could decide.
    static ASKED: Cell<usize> = const { Cell::new(0) };
    /// Which way this rendering takes.
    static ROUND: Cell<usize> = const { Cell::new(0) };
    /// Whether this rendering asked `is_incremental()`.
    static INCREMENTAL: Cell<bool> = const { Cell::new(false) };
}

/// Renderings that together take every branch of an `if` with one `elif`.
pub(super) const ROUNDS: usize = 3;

/// Begins rendering number `round`: the first takes no open condition, the second all, the third every other one.
pub(super) fn begin(round: usize) {
    TOUCHED.set(false);
    ASKED.set(0);
    INCREMENTAL.set(false);
    ROUND.set(round);
}

/// How many questions of the last rendering were open.
pub(super) fn open_conditions() -> usize {
    ASKED.get() + usize::from(INCREMENTAL.get())
}

/// dbt's `is_incremental()`: a first run says no and later runs yes, so the first rendering is that of a first run and
/// all others are those of later ones. Wherever it is asked, in macros and expressions too, the answer is one.
pub(super) fn is_incremental() -> bool {
    INCREMENTAL.set(true);
    ROUND.get() > 0
}

/// Whether the last rendering asked `is_incremental()`.
pub(super) fn asked_incremental() -> bool {
    INCREMENTAL.get()
}

/// Notes that a value nobody knows was looked at.
pub(super) fn touch() {
    TOUCHED.set(true);
}

/// What was looked at turned out to be known.
pub(super) fn untouch() {
    TOUCHED.set(false);
}

/// Teaches `environment` what marked conditions call.
pub(super) fn teach(environment: &mut Environment<'static>) {
    environment.add_function("carve_begin", || {
        untouch();
        true
    });
    environment.add_function("carve_if", |_: Value, value: Value| {
        if !TOUCHED.get() {
            return value.is_true();
        }
        let before = ASKED.get();
        ASKED.set(before + 1);
        match ROUND.get() {
            0 => false,
            1 => true,
            _ => before % 2 == 1,
        }
    });
}
