//! Crontabs: a job for each line that runs SQL.
use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use crate::{
    diagnostics::{CodeEntry, Diagnostic},
    estate::{
        FileFormat, Schedule, command,
        paths::folder_of,
        reader::{Around, Reader, Reading},
        text_file::TextFile,
    },
    vocab::JobId,
};

/// Crontabs.
pub(crate) struct Crontab;

impl Reader for Crontab {
    fn format(&self) -> FileFormat {
        FileFormat::Crontab
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_ascii_lowercase();
        let in_cron_d = path.parent().and_then(Utf8Path::file_name).is_some_and(|folder| folder == "cron.d");
        name.contains("crontab") || name.ends_with(".cron") || in_cron_d || name == "cron" || name == "cron.txt"
    }

    fn claims(&self, file: &TextFile) -> bool {
        file.text.lines().any(|line| Entry::of(line).is_some())
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        let mut vars = BTreeMap::new();
        let mut names = BTreeSet::new();
        let mut at = 0;
        for line in file.text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            if let Some((name, value)) = setting(line) {
                vars.insert(name.to_owned(), value.to_owned());
            } else if let Some(entry) = Entry::of(line) {
                entry.read(file, start, &vars, around, &mut names, &mut reading);
            } else if !line.trim().is_empty() && !line.trim_start().starts_with('#') {
                let (from, to) = (start + line.len() - line.trim_start().len(), start + line.trim_end().len());
                let here = "a line of a crontab is five fields and a command";
                reading.faults.push(Diagnostic::new(CodeEntry::E022, file.span(from, to), here));
            }
        }
        reading
    }
}

/// `NAME = value`.
fn setting(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    is_name.then(|| (name, value.trim().trim_matches(['"', '\''])))
}

/// One line: when, and what.
struct Entry<'l> {
    schedule: &'l str,
    /// The command, and where in the line it begins.
    command: &'l str,
    offset: usize,
}

impl<'l> Entry<'l> {
    fn of(line: &'l str) -> Option<Entry<'l>> {
        let body = line.trim_end();
        let start = body.len() - body.trim_start().len();
        let fields = if body[start..].starts_with('@') { 1 } else { 5 };
        let mut end = start;
        for _ in 0..fields {
            let rest = &body[end..];
            let skipped = rest.len() - rest.trim_start().len();
            end += skipped + rest.trim_start().find(char::is_whitespace)?;
        }
        let schedule = body[start..end].trim();
        let starts_well = schedule.starts_with(|c: char| c.is_ascii_digit() || "*@".contains(c));
        if !starts_well || (fields == 5 && schedule.contains('=')) {
            return None;
        }
        let command = body[end..].trim_start();
        if command.is_empty() {
            return None;
        }
        let command = without_user(command);
        Some(Entry { schedule, command, offset: body.len() - command.len() })
    }

    fn read(
        &self,
        file: &TextFile,
        start: usize,
        vars: &BTreeMap<String, String>,
        around: &Around<'_>,
        names: &mut BTreeSet<String>,
        reading: &mut Reading,
    ) {
        let from = start + self.offset;
        let at = file.span(from, from + self.command.len());
        // A bare `%` ends the command: what follows is its input.
        let place = command::Place { file: file.clone(), base: Some(from), whole: at.clone() };
        let ran = command::run(self.command, &place, folder_of(&file.path), vars.clone(), around);
        let schedule = Schedule::of(self.schedule);
        if schedule.runs_per_day.is_none() {
            let here = format!("`{}` is no schedule carve understands", self.schedule);
            reading.faults.push(Diagnostic::new(CodeEntry::E022, at.clone(), here));
        }
        let what =
            ran.claimed.first().and_then(|path| path.file_stem()).map_or_else(|| program(self.command), str::to_owned);
        let base = format!("{}/{what}", file.path);
        let name =
            (1..).map(|n| if n == 1 { base.clone() } else { format!("{base}-{n}") }).find(|name| !names.contains(name));
        let name = name.expect("there are more numbers than lines");
        if ran.enter(JobId::new(name.as_str()), at, Some(&schedule), reading).is_some() {
            names.insert(name);
        }
    }
}

/// The command behind the user that a system's crontab names.
fn without_user(command: &str) -> &str {
    let Some((first, rest)) = command.split_once(char::is_whitespace) else { return command };
    let is_user = first.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
    let rest = rest.trim_start();
    let next = rest.split_whitespace().next().unwrap_or_default();
    let runs = |word: &str| {
        word.starts_with(['/', '.'])
            || command::mentions_client(word)
            || matches!(word, "cd" | "bash" | "sh" | "flock" | "sudo")
    };
    if is_user && !runs(first) && runs(next) { rest } else { command }
}

fn program(command: &str) -> String {
    let first = command.split_whitespace().next().unwrap_or_default();
    first.rsplit('/').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_schedule_and_a_command() {
        let entry =
            |line: &'static str| Entry::of(line).map(|entry| (entry.schedule, entry.command, &line[entry.offset..]));
        let psql = "psql -f a.sql";
        assert_eq!(entry("15 2 * * *  psql -f a.sql"), Some(("15 2 * * *", psql, psql)));
        assert_eq!(entry("15 2 * * * etl psql -f a.sql"), Some(("15 2 * * *", psql, psql)));
        assert_eq!(entry("@daily psql -f a.sql"), Some(("@daily", psql, psql)));
        assert_eq!(entry("# 15 2 * * * psql"), None);
        assert_eq!(entry("15 2 * * *"), None);
        assert_eq!(setting("PATH = \"/bin\"\n"), Some(("PATH", "/bin")));
    }
}
