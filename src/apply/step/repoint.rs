use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    apply::{
        error::StepError,
        files,
        journal::Facts,
        step::{Here, Standing, StepKind},
        upload::Noting,
    },
    plan::{FileEdit, Repoint, SpanEdit},
    vocab::Digest,
};

/// Edits the files of one job by span: all edits of a file at once, every other byte untouched.
pub(super) struct RepointStep<'p>(pub(super) &'p Repoint);

/// A file with regard to its edit.
enum Edited {
    /// As the plan saw it.
    Not,
    /// As the plan leaves it.
    Already,
    /// Anything else.
    Otherwise,
}

#[async_trait]
impl StepKind for RepointStep<'_> {
    fn describe(&self) -> Vec<String> {
        let each = self.0.files.iter().map(|edit| format!("edit `{}` in {} places", edit.file, edit.edits.len()));
        each.collect()
    }

    async fn probe(&self, here: &Here<'_>) -> Result<Standing, StepError> {
        let mut all = true;
        for edit in &self.0.files {
            match look(here, edit)? {
                Edited::Already => {}
                Edited::Not => all = false,
                Edited::Otherwise => return Ok(changed(edit)),
            }
        }
        match all {
            true => Ok(Standing::After(self.facts(here))),
            false => Ok(Standing::Before),
        }
    }

    async fn act(&self, here: &Here<'_>, note: &mut Noting<'_>) -> Result<Facts, StepError> {
        self.keep_patch(here)?;
        for edit in &self.0.files {
            if matches!(look(here, edit)?, Edited::Not) {
                replace(here, edit, note)?;
            }
        }
        Ok(self.facts(here))
    }

    async fn undo(&self, here: &Here<'_>) -> Result<Facts, StepError> {
        for edit in self.0.files.iter().rev() {
            match look(here, edit)? {
                Edited::Not => {}
                Edited::Already => restore(here, edit)?,
                Edited::Otherwise => {
                    let because = format!("`{}` was changed after carve edited it", edit.file);
                    let hint = "put back what the patch changed by hand (it lies in carve's folder, under `patches`), \
                                so that the file is as before the wrap; then run the rollback again";
                    return Err(StepError::Undecided { because, hint: hint.to_owned() });
                }
            }
        }
        Ok(Facts::said(format!("{} files are as they were", self.0.files.len())))
    }
}

impl RepointStep<'_> {
    fn facts(&self, here: &Here<'_>) -> Facts {
        let backups = self.0.files.iter().map(|edit| (edit.file.clone(), backup_name(here, edit)));
        Facts { backups: backups.collect(), lines: self.describe(), ..Facts::default() }
    }

    /// The whole change as a patch that a person can also apply.
    fn keep_patch(&self, here: &Here<'_>) -> Result<(), StepError> {
        let folder = here.context.world.folder(&here.context.plan.service).join("patches");
        let diffs: Vec<&str> = self.0.files.iter().map(|edit| edit.diff.as_str()).collect();
        files::make_folders(&folder).map_err(StepError::io("keep the patch"))?;
        let path = folder.join(format!("{}.patch", file_name(&here.step.id)));
        files::replace(&path, diffs.concat().as_bytes()).map_err(StepError::io("keep the patch"))
    }
}

/// `text` with its edits made.
///
/// # Errors
/// Where a span is not in the file, overlaps, or holds other text than the plan saw.
pub(in crate::apply) fn edited(bytes: &[u8], edits: &[SpanEdit]) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for edit in edits {
        let stands = bytes.get(edit.start..edit.end).filter(|_| edit.start >= at);
        if stands != Some(edit.old.as_bytes()) {
            return Err(format!("`{}` does not stand at byte {}", edit.old, edit.start));
        }
        out.extend(&bytes[at..edit.start]);
        out.extend(edit.new.as_bytes());
        at = edit.end;
    }
    out.extend(&bytes[at..]);
    Ok(out)
}

/// The edits that lead back.
fn unedited(edits: &[SpanEdit]) -> Vec<SpanEdit> {
    let mut grown = 0_i64;
    let back = edits.iter().map(|edit| {
        let start = edit.start.saturating_add_signed(grown as isize);
        grown += edit.new.len() as i64 - edit.old.len() as i64;
        SpanEdit { start, end: start + edit.new.len(), old: edit.new.clone(), new: edit.old.clone() }
    });
    back.collect()
}

fn path_of(here: &Here<'_>, edit: &FileEdit) -> Result<Utf8PathBuf, StepError> {
    here.context.world.estate_file(&edit.file).ok_or_else(|| StepError::outside(&edit.file))
}

fn look(here: &Here<'_>, edit: &FileEdit) -> Result<Edited, StepError> {
    let found = files::read(&path_of(here, edit)?).map_err(StepError::io(format!("read `{}`", edit.file)))?;
    Ok(match found.map(Digest::of) {
        Some(digest) if digest == edit.before => Edited::Not,
        Some(digest) if digest == edit.after => Edited::Already,
        _ => Edited::Otherwise,
    })
}

fn changed(edit: &FileEdit) -> Standing {
    Standing::Neither {
        because: format!("`{}` is neither as the plan saw it nor as the plan leaves it", edit.file),
        hint: format!("bring `{}` back to what it was, or make the plan again with `carve plan`", edit.file),
    }
}

/// Backs the file up, then puts the edited bytes in its place by one rename.
fn replace(here: &Here<'_>, edit: &FileEdit, note: &mut Noting<'_>) -> Result<(), StepError> {
    let doing = || StepError::io(format!("edit `{}`", edit.file));
    let path = path_of(here, edit)?;
    let before = std::fs::read(&path).map_err(doing())?;
    let after = edited(&before, &edit.edits).map_err(|why| undecided(edit, &why))?;
    if Digest::of(&after) != edit.after {
        return Err(undecided(edit, "its edits do not lead to the bytes that the plan promises"));
    }
    let kept = backup_name(here, edit);
    let backup = here.context.world.folder(&here.context.plan.service).join(&kept);
    files::make_folders(backup.parent().unwrap_or(&backup)).map_err(StepError::io("keep a backup"))?;
    files::replace(&backup, &before).map_err(StepError::io("keep a backup"))?;
    note(Facts { backups: [(edit.file.clone(), kept)].into(), ..Facts::default() })?;
    files::replace(&path, &after).map_err(doing())
}

/// Leads the edits back; the backup is needed only if the plan file's edits do not (they always should).
fn restore(here: &Here<'_>, edit: &FileEdit) -> Result<(), StepError> {
    let doing = || StepError::io(format!("restore `{}`", edit.file));
    let path = path_of(here, edit)?;
    let found = std::fs::read(&path).map_err(doing())?;
    let backup = here.context.world.folder(&here.context.plan.service).join(backup_name(here, edit));
    let led_back = edited(&found, &unedited(&edit.edits)).ok();
    let kept = files::read(&backup).map_err(doing())?;
    let before = led_back.into_iter().chain(kept).find(|bytes| Digest::of(bytes) == edit.before);
    let before = before.ok_or_else(|| undecided(edit, "neither its edits nor the backup lead back to what it was"))?;
    files::sweep(&path);
    files::replace(&path, &before).map_err(doing())
}

fn undecided(edit: &FileEdit, because: &str) -> StepError {
    StepError::Undecided {
        because: format!("`{}`: {because}", edit.file),
        hint: "make the plan again with `carve plan`".to_owned(),
    }
}

/// Where a file's bytes from before are kept, below the service's folder.
fn backup_name(here: &Here<'_>, edit: &FileEdit) -> Utf8PathBuf {
    Utf8Path::new("backup").join(file_name(&here.step.id)).join(&edit.file)
}

/// A step's id as a file name.
fn file_name(step: &str) -> String {
    step.chars().map(|c| if c.is_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(start: usize, old: &str, new: &str) -> SpanEdit {
        SpanEdit { start, end: start + old.len(), old: old.to_owned(), new: new.to_owned() }
    }

    #[test]
    fn edits_lead_there_and_back_again() {
        let text = "\u{feff}select * from raw.a\r\njoin raw.b on 1 = 1\r\n".as_bytes();
        let at = |what: &str| String::from_utf8_lossy(text).find(what).unwrap();
        let edits = [edit(at("raw.a"), "raw.a", "raw.a__import"), edit(at("raw.b"), "raw.b", "b")];
        let there = edited(text, &edits).unwrap();
        assert_eq!(there, "\u{feff}select * from raw.a__import\r\njoin b on 1 = 1\r\n".as_bytes());
        assert_eq!(edited(&there, &unedited(&edits)).unwrap(), text);
    }

    #[test]
    fn other_text_at_the_span_is_refused() {
        assert_eq!(edited(b"abc", &[edit(1, "x", "y")]).unwrap_err(), "`x` does not stand at byte 1");
        assert!(edited(b"abc", &[edit(9, "x", "y")]).is_err());
        assert!(edited(b"abab", &[edit(2, "ab", "y"), edit(0, "ab", "y")]).is_err(), "out of order");
    }
}
