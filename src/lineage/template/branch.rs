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
}

/// Renderings that together take every branch of an `if` with one `elif`.
pub(super) const ROUNDS: usize = 3;

/// Begins rendering number `round`: the first takes no open condition, the second all, the third every other one.
pub(super) fn begin(round: usize) {
    TOUCHED.set(false);
    ASKED.set(0);
    ROUND.set(round);
}

/// How many conditions of the last rendering were open.
pub(super) fn open_conditions() -> usize {
    ASKED.get()
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
