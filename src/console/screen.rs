//! Where text goes, and whether it may have colour.
use std::{
    io::{IsTerminal, Write},
    sync::{Arc, OnceLock},
};

use crate::vocab::{masked, masked_json};

use super::wrap::wrapped;

/// Width of text that goes into a file or another program.
const PIPED: usize = 140;

/// When text has colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The terminal, or what stands in for it.
#[derive(Clone, Debug)]
pub struct Screen {
    color: bool,
    /// Whether standard error is a terminal: bars and prompts make sense.
    interactive: bool,
    quiet: bool,
    /// Why a line of the answer could not be written, the first time it happened.
    lost: Arc<OnceLock<String>>,
}

/// How a word stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Bold.
    Strong,
    /// Dimmed.
    Faint,
    /// Something went well.
    Good,
    /// Something needs a look.
    Warn,
    /// Something failed.
    Bad,
}

impl Screen {
    /// The process's own terminal. `NO_COLOR` (any value but empty) counts as the standard says; see no-color.org.
    pub fn detect(choice: ColorChoice, quiet: bool) -> Self {
        // A dumb terminal shows escape sequences as they are.
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let forbidden = dumb || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let color = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => !forbidden && std::io::stdout().is_terminal(),
        };
        let interactive = std::io::stderr().is_terminal() && !quiet && !dumb;
        Screen { color, interactive, quiet, lost: Arc::default() }
    }

    /// Whether text has colour.
    pub fn color(&self) -> bool {
        self.color
    }

    /// Characters in a line: the terminal's now, or [`PIPED`] where standard output is none.
    pub fn width(&self) -> usize {
        let terminal = terminal_size::terminal_size_of(std::io::stdout());
        terminal.map_or(PIPED, |(columns, _)| usize::from(columns.0).clamp(40, 200))
    }

    /// Whether bars make sense.
    pub fn interactive(&self) -> bool {
        self.interactive
    }

    /// A line of the answer, on standard output, secrets masked. A closed pipe (`carve scan | head`) is no failure;
    /// anything else that keeps the answer from its reader is remembered for [`Screen::lost`].
    pub fn out(&self, line: impl AsRef<str>) {
        self.say(&masked(line.as_ref()));
    }

    /// The answer for a program, on standard output: secrets are masked text by text, so its shape stays.
    pub fn answer(&self, value: serde_json::Value) {
        self.say(&masked_json(value).to_string());
    }

    fn say(&self, line: &str) {
        let mut out = std::io::stdout().lock();
        self.remember(writeln!(out, "{line}"));
    }

    /// Why the answer did not reach its reader, if it did not. Asked once all is said.
    pub fn lost(&self) -> Option<&str> {
        self.remember(std::io::stdout().lock().flush());
        self.lost.get().map(String::as_str)
    }

    fn remember(&self, written: std::io::Result<()>) {
        if let Err(error) = written
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            // The first cause is the one to tell.
            let _ = self.lost.set(error.to_string());
        }
    }

    /// A sentence of the answer: on a terminal it wraps between words, and what follows its first line stands
    /// `indent` characters in. Where nobody looks at a screen it stays one line, for grep.
    pub fn prose(&self, indent: usize, text: impl AsRef<str>) {
        match std::io::stdout().is_terminal() {
            true => self.out(wrapped(text.as_ref(), self.width(), indent)),
            false => self.out(text),
        }
    }

    /// A line beside the answer, on standard error; nothing when quiet.
    pub fn note(&self, line: impl AsRef<str>) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "{}", masked(line.as_ref()));
        }
    }

    /// A failure, on standard error, quiet or not.
    pub fn error(&self, line: impl AsRef<str>) {
        let _ = writeln!(std::io::stderr().lock(), "{}", masked(line.as_ref()));
    }

    /// `text` in `style`, where colour is allowed.
    pub fn paint(&self, style: Style, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match style {
            Style::Strong => "1",
            Style::Faint => "2",
            Style::Good => "32",
            Style::Warn => "33",
            Style::Bad => "31;1",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}
