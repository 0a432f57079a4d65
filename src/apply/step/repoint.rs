use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    apply::{
        error::StepError,
        files,
        journal::Facts,
        known_edits::KnownEdits,
        lock::LocalLock,
        step::{Here, Standing, StepKind},
        upload::Noting,
    },
    plan::{FileEdit, Fit, FitKnown, MadeEdits, Repoint, unified_diff},
    vocab::Digest,
};

/// Edits the files of one job by span: all edits of a file at once, every other byte untouched.
pub(super) struct RepointStep<'p>(pub(super) &'p Repoint);

/// A file as it is, and what the step has to do with it.
struct Looked {
    path: Utf8PathBuf,
    text: String,
    fit: Fit,
}

#[async_trait]
impl StepKind for RepointStep<'_> {
    fn describe(&self) -> Vec<String> {
        let each = self.0.files.iter().map(|edit| format!("edit `{}` in {} places", edit.file, edit.edits.len()));
        each.collect()
    }

    fn untried(&self) -> Option<&'static str> {
        Some("whether the files can be written")
    }

    async fn probe(&self, here: &Here<'_>) -> Result<Standing, StepError> {
        let mut all = true;
        let known = known(here)?;
        for edit in &self.0.files {
            match look(here, &known, edit)?.fit {
                Fit::After { .. } => {}
                Fit::Before { .. } => all = false,
                Fit::Neither(why) => return Ok(changed(edit, &why)),
            }
        }
        match all {
            true => Ok(Standing::After(self.facts(here))),
            false => Ok(Standing::Before),
        }
    }

    async fn act(&self, here: &Here<'_>, note: &mut Noting<'_>) -> Result<Facts, StepError> {
        let _alone = alone(here).await?;
        let known = known(here)?;
        let looked = self.0.files.iter().map(|edit| Ok((edit, look(here, &known, edit)?)));
        let looked = looked.collect::<Result<Vec<_>, StepError>>()?;
        self.keep_patch(here, &looked)?;
        for (edit, looked) in looked {
            if let Fit::Before { made, after } = &looked.fit {
                replace(here, edit, &looked, made, after, note)?;
            }
        }
        Ok(self.facts(here))
    }

    async fn undo(&self, here: &Here<'_>) -> Result<Facts, StepError> {
        let _alone = alone(here).await?;
        let known = known(here)?;
        for edit in self.0.files.iter().rev() {
            let looked = look(here, &known, edit)?;
            match undone(here, edit, &looked)? {
                Some(before) => {
                    files::sweep(&looked.path);
                    let doing = StepError::io(format!("restore `{}`", edit.file));
                    files::replace(&looked.path, before.as_bytes()).map_err(doing)?;
                }
                None => files::sweep(&looked.path),
            }
        }
        Ok(Facts::said(format!("{} files are as they were", self.0.files.len())))
    }

    async fn can_undo(&self, here: &Here<'_>) -> Result<(), StepError> {
        let known = known(here)?;
        self.0.files.iter().try_for_each(|edit| undone(here, edit, &look(here, &known, edit)?).map(|_| ()))
    }
}

impl RepointStep<'_> {
    fn facts(&self, here: &Here<'_>) -> Facts {
        let backups = self.0.files.iter().map(|edit| (edit.file.clone(), backup_name(here, edit)));
        Facts { backups: backups.collect(), lines: self.describe(), ..Facts::default() }
    }

    /// The whole change as a patch that a person can also apply, of the files as they are now.
    fn keep_patch(&self, here: &Here<'_>, looked: &[(&FileEdit, Looked)]) -> Result<(), StepError> {
        let folder = here.context.world.folder(&here.context.plan.service).join("patches");
        let diff = |(edit, looked): &(&FileEdit, Looked)| match &looked.fit {
            Fit::Before { after, .. } => unified_diff(&edit.file, &looked.text, after),
            _ => edit.diff.clone(),
        };
        let patch: String = looked.iter().map(diff).collect();
        files::make_folders(&folder).map_err(StepError::io("keep the patch"))?;
        let path = folder.join(format!("{}.patch", file_name(&here.step.id)));
        files::replace(&path, patch.as_bytes()).map_err(StepError::io("keep the patch"))
    }
}

/// Several services may be at work, and their plans may edit one file: one edits at a time.
async fn alone(here: &Here<'_>) -> Result<LocalLock, StepError> {
    let (world, service) = (here.context.world, &here.context.plan.service);
    LocalLock::wait(&world.state, &format!("edits for `{service}`"), (world.clock)()).await
}

fn known(here: &Here<'_>) -> Result<KnownEdits, StepError> {
    Ok(KnownEdits::read(&here.context.world.state)?)
}

fn look(here: &Here<'_>, known: &KnownEdits, edit: &FileEdit) -> Result<Looked, StepError> {
    let path = here.context.world.estate_file(&edit.file).map_err(StepError::outside)?;
    let found = files::read(&path).map_err(StepError::io(format!("read `{}`", edit.file)))?;
    let (text, fit) = match found.map(String::from_utf8) {
        None => (String::new(), Fit::Neither("is not there".to_owned())),
        Some(Err(_)) => (String::new(), Fit::Neither("is no longer UTF-8 text".to_owned())),
        Some(Ok(text)) => {
            let fit = fit_of(here, known, edit, &text);
            (text, fit)
        }
    };
    Ok(Looked { path, text, fit })
}

fn fit_of(here: &Here<'_>, known: &KnownEdits, edit: &FileEdit, text: &str) -> Fit {
    let plan = here.context.plan;
    let facts = here.facts();
    let standing = known.standing(&edit.file, plan, Some(&here.step.id));
    let meaning = |text: &str| plan.meaning_of(&edit.file, text);
    let known = FitKnown { standing: &standing, own: facts.edited.get(&edit.file), meaning: &meaning };
    crate::plan::fit(edit, text, &known)
}

fn changed(edit: &FileEdit, why: &str) -> Standing {
    Standing::Neither {
        because: format!("`{}` {why}", edit.file),
        hint: format!("bring `{}` back to what it was, or make the plan again with `carve plan`", edit.file),
    }
}

/// Backs the file up, then puts the edited bytes in its place by one rename.
fn replace(
    here: &Here<'_>,
    edit: &FileEdit,
    looked: &Looked,
    made: &MadeEdits,
    after: &str,
    note: &mut Noting<'_>,
) -> Result<(), StepError> {
    let kept = backup_name(here, edit);
    let backup = here.context.world.folder(&here.context.plan.service).join(&kept);
    files::make_folders(backup.parent().unwrap_or(&backup)).map_err(StepError::io("keep a backup"))?;
    files::replace(&backup, looked.text.as_bytes()).map_err(StepError::io("keep a backup"))?;
    note(Facts {
        backups: [(edit.file.clone(), kept)].into(),
        edited: [(edit.file.clone(), made.clone())].into(),
        ..Facts::default()
    })?;
    files::replace(&looked.path, after.as_bytes()).map_err(StepError::io(format!("edit `{}`", edit.file)))
}

/// What the file must hold once the edit is undone; `None` where it does already.
fn undone(here: &Here<'_>, edit: &FileEdit, looked: &Looked) -> Result<Option<String>, StepError> {
    match &looked.fit {
        Fit::Before { .. } => Ok(None),
        Fit::After { before: Some(before) } => Ok(Some(before.clone())),
        Fit::After { before: None } => kept(here, edit, looked)?.map(Some).ok_or_else(|| by_hand(edit)),
        Fit::Neither(_) => Err(by_hand(edit)),
    }
}

/// The backup, where the file is exactly what the plan or the journal made of it.
fn kept(here: &Here<'_>, edit: &FileEdit, looked: &Looked) -> Result<Option<String>, StepError> {
    let found = Digest::of(&looked.text);
    let facts = here.facts();
    let (before, after) = match facts.edited.get(&edit.file) {
        Some(made) => (made.before, made.after),
        None => (edit.before, edit.after),
    };
    let backup = here.context.world.folder(&here.context.plan.service).join(backup_name(here, edit));
    let kept = files::read(&backup).map_err(StepError::io(format!("read the backup of `{}`", edit.file)))?;
    let kept = kept.filter(|bytes| found == after && Digest::of(bytes) == before);
    Ok(kept.and_then(|bytes| String::from_utf8(bytes).ok()))
}

fn by_hand(edit: &FileEdit) -> StepError {
    StepError::Undecided {
        because: format!("`{}` was changed after carve edited it, in more than comments", edit.file),
        hint: "put back what the patch changed by hand (it lies in carve's folder, under `patches`), so that the file \
               is as before the wrap; or, where a service that was wrapped before this plan was made has been rolled \
               back since, apply that one again; then run the rollback again"
            .to_owned(),
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
