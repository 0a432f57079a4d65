//! Python read without running it: names are followed to constants, loops over literal lists are unrolled, and
//! calls into the outside become values that say what was called with what.
//!
//! `parse` makes syntax, `interp` walks it, and a [`Host`] says what calls mean: the Airflow reader is one. The
//! walk is bounded in steps, depth and size, and both ways of a condition nobody knows are walked.
mod ast;
mod calls;
mod expr;
mod interp;
mod literal;
mod methods;
mod modules;
mod outside;
mod parse;
mod value;

pub(crate) use ast::Param;
pub(crate) use calls::Given;
pub(crate) use interp::{Host, Interp};
pub(crate) use modules::Modules;
pub(crate) use value::{Function, Origin, Text, Thing, Value};

/// Stack of a thread that walks Python, in bytes.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// Does `work` for each of `items` on threads whose stacks are deep enough; results in the order of `items`.
pub(crate) fn each<I: Sync, R: Send>(items: &[I], work: impl Fn(&I) -> R + Sync) -> Vec<R> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(items.len().max(1));
    let strided = |first: usize| {
        let work = &work;
        move || (first..items.len()).step_by(threads).map(|at| (at, work(&items[at]))).collect::<Vec<_>>()
    };
    let mut all: Vec<(usize, R)> = std::thread::scope(|scope| {
        let start = |first| {
            let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, strided(first)).ok();
            (first, thread)
        };
        let started: Vec<_> = (0..threads).map(start).collect();
        let mut all = Vec::new();
        for (first, thread) in started {
            all.extend(match thread {
                Some(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                None => strided(first)(),
            });
        }
        all
    });
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, result)| result).collect()
}
