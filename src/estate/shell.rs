//! Shell scripts that run SQL, and the batch files of Windows that do.
use camino::Utf8Path;

use crate::{
    estate::{
        FileFormat, command,
        paths::folder_of,
        reader::{Around, Reader, Reading},
        text_file::TextFile,
    },
    vocab::{JobId, Span},
};

const ENDINGS: &[&str] = &["sh", "bash", "ksh", "zsh", "command"];
const WINDOWS: &[&str] = &["bat", "cmd"];
/// Files without an ending that are texts of another kind.
const NO_SCRIPT: &[&str] =
    &["LICENSE", "README", "NOTICE", "AUTHORS", "CHANGELOG", "Dockerfile", "Gemfile", "Procfile", "Vagrantfile"];

/// Shell scripts.
pub(crate) struct Shell;

impl Reader for Shell {
    fn format(&self) -> FileFormat {
        FileFormat::Shell
    }

    fn may_claim(&self, path: &Utf8Path) -> bool {
        match path.extension() {
            Some(ending) => ENDINGS.contains(&ending) || WINDOWS.contains(&ending.to_ascii_lowercase().as_str()),
            None => !path.file_name().is_some_and(|name| NO_SCRIPT.contains(&name)),
        }
    }

    fn claims(&self, file: &TextFile) -> bool {
        let first = file.text.lines().next().unwrap_or_default();
        let is_shell = first.starts_with("#!") && first.trim_end().ends_with("sh") || first.contains("bash");
        // Scripts that run scripts count too: what they run is theirs.
        (file.path.extension().is_some() || is_shell)
            && (command::mentions_client(&file.text) || file.text.contains(".sh"))
    }

    fn read(&self, file: &TextFile, around: &Around<'_>) -> Reading {
        let mut reading = Reading::default();
        let is_windows =
            file.path.extension().is_some_and(|ending| WINDOWS.contains(&ending.to_ascii_lowercase().as_str()));
        let folder = folder_of(&file.path);
        let ran = match is_windows {
            true => {
                let place = command::Place { file: file.clone(), base: None, whole: file.whole() };
                command::run(&as_shell(&file.text), &place, folder, Default::default(), around)
            }
            false => command::run(&file.text, &command::Place::of_file(file), folder, Default::default(), around),
        };
        let at = Span { end: file.whole().start, ..file.whole() };
        ran.enter(JobId::new(file.path.as_str()), at, None, &mut reading);
        reading
    }
}

/// A batch file in a shell's spelling: `%NAME%` is a variable, `\` parts paths, `^` joins lines.
fn as_shell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let trimmed = line.trim_start().trim_start_matches('@');
        let lower = trimmed.to_ascii_lowercase();
        if lower.starts_with("rem ") || lower.starts_with("::") || lower.starts_with("rem\t") {
            continue;
        }
        let line = match lower.strip_prefix("set ") {
            Some(_) => trimmed[4..].trim().replace(' ', ""),
            None => trimmed.strip_prefix("call ").or(trimmed.strip_prefix("CALL ")).unwrap_or(trimmed).to_owned(),
        };
        let mut parts = line.split('%');
        let mut spelled = parts.next().unwrap_or_default().to_owned();
        let mut inside = true;
        for part in parts {
            let is_name = !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            spelled += &match inside && is_name {
                true => format!("${{{part}}}"),
                false => part.to_owned(),
            };
            inside = !(inside && is_name);
        }
        let spelled = spelled.replace('\\', "/");
        match spelled.trim_end().strip_suffix('^') {
            Some(joined) => out.push_str(joined),
            None => {
                out.push_str(&spelled);
                out.push('\n');
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_file_becomes_a_script() {
        let text = "@echo off\r\nREM no\r\nset DIR=sql\r\nsqlcmd -S %SERVER% ^\r\n -i %DIR%\\a.sql\r\n";
        assert_eq!(as_shell(text), "echo off\nDIR=sql\nsqlcmd -S ${SERVER} -i ${DIR}/a.sql\n");
    }
}
