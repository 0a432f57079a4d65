//! Requests to end: Ctrl-C, SIGTERM and, when the terminal goes away, SIGHUP.
//!
//! A command that can stop by itself takes [`interrupt_flag`]; while it holds it, a request only sets the flag, and a
//! second Ctrl-C or SIGTERM ends the process at once. Everything else ends at once, with the same exit code.
use std::{
    process,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use super::exit::ExitCode;
use crate::console::Screen;

/// The flag of whoever stops by itself now.
static STOPPING: Mutex<Weak<AtomicBool>> = Mutex::new(Weak::new());

/// A request to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    /// Ctrl-C, or the system's polite request.
    End,
    /// The terminal is gone. Shells and systems send it more than once.
    HangUp,
}

/// The flag that a request to end sets, as long as somebody holds it.
pub(super) fn interrupt_flag() -> Arc<AtomicBool> {
    let mut stopping = STOPPING.lock().unwrap_or_else(PoisonError::into_inner);
    stopping.upgrade().unwrap_or_else(|| {
        let flag = Arc::new(AtomicBool::new(false));
        *stopping = Arc::downgrade(&flag);
        flag
    })
}

/// Listens for requests to end, for as long as the runtime lives.
pub(super) fn listen(screen: Screen) {
    tokio::spawn(async move {
        let mut requests = Requests::new();
        while let Some(request) = requests.next().await {
            let flag = STOPPING.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
            let graceful = flag.is_some_and(|flag| waits(request, flag.swap(true, Ordering::Relaxed)));
            if !graceful {
                screen.error("interrupted");
                process::exit(ExitCode::Interrupted as i32);
            }
        }
    });
}

/// Whether the one who holds the flag is waited for, after `request` came and the flag was `set` before.
fn waits(request: Request, set: bool) -> bool {
    !set || request == Request::HangUp
}

#[cfg(unix)]
struct Requests {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Requests {
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        // Whoever started carve with a signal ignored (`nohup`, a script's `&`) wants it ignored.
        let ignored = std::fs::read_to_string("/proc/self/status").map(|text| ignored(&text)).unwrap_or_default();
        let heard = |kind: SignalKind| {
            let bit = u32::try_from(kind.as_raw_value() - 1).unwrap_or_default();
            (ignored >> bit & 1 == 0).then(|| signal(kind).ok()).flatten()
        };
        Requests {
            interrupt: heard(SignalKind::interrupt()),
            terminate: heard(SignalKind::terminate()),
            hang_up: heard(SignalKind::hangup()),
        }
    }

    async fn next(&mut self) -> Option<Request> {
        async fn heard(signal: &mut Option<tokio::signal::unix::Signal>) -> Option<()> {
            match signal {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            came = heard(&mut self.interrupt) => came.map(|()| Request::End),
            came = heard(&mut self.terminate) => came.map(|()| Request::End),
            came = heard(&mut self.hang_up) => came.map(|()| Request::HangUp),
        }
    }
}

/// The set of signals that a process ignores, a bit each, as Linux tells it in `/proc/self/status`.
#[cfg(unix)]
fn ignored(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(not(unix))]
struct Requests;

#[cfg(not(unix))]
impl Requests {
    fn new() -> Self {
        Requests
    }

    async fn next(&mut self) -> Option<Request> {
        tokio::signal::ctrl_c().await.ok().map(|()| Request::End)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_is_waited_for_and_a_second_one_only_where_the_terminal_went_away() {
        assert!(waits(Request::End, false) && waits(Request::HangUp, false) && waits(Request::HangUp, true));
        assert!(!waits(Request::End, true));
    }

    #[cfg(unix)]
    #[test]
    fn what_the_process_ignores_is_read_from_the_system() {
        assert_eq!(ignored("Name:\tcarve\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"), 0x1001);
        assert_eq!(ignored("no such line"), 0);
    }
}
