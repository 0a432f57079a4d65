//! What a command of `$(…)` prints, as far as it can be said without running it.
use camino::Utf8PathBuf;

use super::{
    run::{Shell, is_sql_path, unknown},
    text_tools::piped,
    words::{Piece, Token, Word, tokens},
};

/// Bytes of a command whose own `$(…)` are looked into: each level is a shorter text.
const MAX_NESTED_COMMAND: usize = 300;

/// What comes out of a command.
pub(super) enum Printed {
    /// This text.
    Text(String),
    /// What stands in this file.
    File(Utf8PathBuf),
}

impl Shell {
    /// What a command prints, as far as it can be said without running it.
    pub(super) fn printed(&self, command: &str) -> Printed {
        let mut programs = match command.len() < 2_000 {
            true => self.programs(command),
            false => Vec::new(),
        };
        let piped_through = programs.split_off(programs.len().min(1));
        let texts = programs.pop().unwrap_or_default();
        let argument = texts.get(1).map(String::as_str).unwrap_or_default();
        let first = texts.first().map(|first| first.rsplit('/').next().unwrap_or_default());
        let printed = match first {
            Some("basename") if !argument.contains('$') => {
                let ending = texts.get(2).map(String::as_str).unwrap_or_default();
                let name = argument.rsplit('/').next().unwrap_or_default();
                Some(name.strip_suffix(ending).unwrap_or(name).to_owned())
            }
            Some("dirname") if !argument.contains('$') => {
                Some(argument.rsplit_once('/').map_or(".", |(folder, _)| folder).to_owned())
            }
            Some("echo") => Some(texts[1..].join(" ")),
            _ => None,
        };
        // What another command makes of it nobody knows.
        if let Some(first @ ("echo" | "printf" | "basename" | "dirname" | "pwd")) = first
            && !piped_through.is_empty()
        {
            let made = printed.and_then(|text| piped(text, &piped_through));
            return Printed::Text(made.unwrap_or_else(|| unknown(if first == "echo" { "output" } else { first })));
        }
        // `$(< file)`.
        let is_read = command.trim_start().starts_with('<');
        match (texts.first().map(String::as_str), printed) {
            (Some(path), _) if is_read => Printed::File(path.into()),
            (_, Some(text)) => Printed::Text(text),
            (Some("cat"), _) if texts.len() > 1 => Printed::File(texts[texts.len() - 1].as_str().into()),
            (Some("sed" | "envsubst"), _) if texts.last().is_some_and(|text| is_sql_path(text)) => {
                Printed::File(texts[texts.len() - 1].as_str().into())
            }
            (Some("date"), _) => Printed::Text(unknown(if command.contains('-') { "run_date" } else { "ds_nodash" })),
            (Some(first), _) => Printed::Text(unknown(first.rsplit('/').next().unwrap_or("output"))),
            (None, _) => Printed::Text(unknown("output")),
        }
    }

    /// The words of each program of the first pipe of `command`.
    fn programs(&self, command: &str) -> Vec<Vec<String>> {
        let mut programs = vec![Vec::new()];
        for token in tokens(command) {
            match token {
                Token::Operator("|") => programs.push(Vec::new()),
                Token::Operator("&&" | ";" | "||") => break,
                Token::Word(word) => {
                    let arg = self.word_of(&word, command);
                    programs.last_mut().expect("the list begins with one").push(arg);
                }
                _ => {}
            }
        }
        programs
    }

    /// The text of a word of `command`, whose own commands are looked into only where they are short.
    fn word_of(&self, word: &Word, command: &str) -> String {
        let nests = word.pieces.iter().any(|piece| matches!(piece, Piece::Output(_)));
        if nests && command.len() > MAX_NESTED_COMMAND {
            return unknown("output");
        }
        let arg = self.arg(word);
        if arg.file.is_some() { unknown("output") } else { arg.text }
    }
}
